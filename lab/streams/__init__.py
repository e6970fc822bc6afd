"""Read Kinesis streams: shards, the Data viewer, whole streams as tables, records as reviews and windows."""
