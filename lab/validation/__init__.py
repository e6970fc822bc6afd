"""Compute the windows that must come out, compare them with what Flink wrote, and score the detector."""
