"""Build and deploy what runs in the account: connector, zips, buckets, policies, invocations of the function."""
