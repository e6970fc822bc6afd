"""Run one Flink cluster: its processes, its REST API, and the driver that submits a job to it.

No Docker, no installed Java: the cluster is the Flink distribution inside the PyFlink wheel, on a Java runtime from
PyPI. Or it is a cluster that somebody else started.
"""
