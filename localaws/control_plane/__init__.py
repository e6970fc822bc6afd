"""The control plane of Managed Flink: the ``kinesisanalyticsv2`` API over a data plane that runs the applications."""
