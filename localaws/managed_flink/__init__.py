"""Run Python applications of Managed Service for Apache Flink on Flink clusters.

``dataplane`` is what the account's control plane calls.
"""
