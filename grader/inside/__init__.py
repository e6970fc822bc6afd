"""Run beside a submission, as its user: these programs may import `lab`, and nothing of the grader."""
