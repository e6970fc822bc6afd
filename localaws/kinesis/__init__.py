"""Serve Kinesis Data Streams to clients and Flink jobs: records, iterators, resharding, limits and faults.

It works on the emulator's own stream objects (``Stream``, ``Shard`` and ``Record`` are plain dicts), so that whatever
else reads them, a Lambda event source mapping for example, sees the same records.
"""
