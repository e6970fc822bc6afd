"""Draw every picture of the lab."""
