"""Answer the ``kinesisanalyticsv2`` API over a data plane that runs the applications."""
