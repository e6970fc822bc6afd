"""Look at the account and the streams and say what was found: checks, preflight and diagnosis."""
