"""Local Managed Flink: runs Python applications of Managed Service for Apache Flink on a real Flink cluster.

No Docker, no installed Java: the cluster is the Flink distribution inside the PyFlink wheel, on a Java runtime from
PyPI. ``dataplane`` is what the account's control plane calls.
"""
