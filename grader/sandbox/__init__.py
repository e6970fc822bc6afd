"""Run the processes of a submission apart from everything else: namespaces, users, limits."""
