"""What tests and benchmarks share: the embedded account, servers in processes of their own, the lab's pipeline.

Tests import from here and from no other test; benchmarks import from here and from nothing else in ``tests``.
"""
