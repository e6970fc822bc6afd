"""The grader: runs what students hand in, each behind walls of its own, and gives points for what it did.

Nothing of a submission is imported here. What runs of it runs in a place (`grader.sandbox.sandbox`); what is graded is
looked at by the project's own checks, in a process of the grader's own.
"""
