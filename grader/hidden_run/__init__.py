"""Run what a submission wrote once more, on reviews it has never seen, and find out what it did."""
