"""Run what students hand in, each in a sandbox of its own, and give points for what it did.

Nothing of a submission is imported here. It runs in a sandbox (`grader.sandbox.sandbox`); the project's own checks look
at the result, in a process of the grader's own.
"""
