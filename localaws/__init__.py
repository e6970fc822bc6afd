"""Embed an AWS account: S3, Kinesis, Lambda, IAM, STS, Logs and a local Managed Flink on one port.

Start it with ``python -m localaws up``; unmodified boto3 talks to it through ``AWS_ENDPOINT_URL``.
"""
