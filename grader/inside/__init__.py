"""Programs that run beside a submission, as its user: they may import `lab`, and nothing of the grader."""
