"""Ask the Flink dashboard and wait for what Managed Flink and Kinesis do in their own time."""
