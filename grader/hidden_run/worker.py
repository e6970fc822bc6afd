"""The grader's own process beside an account: it looks at it, or proves a submission in it. A program.

    python -m grader.hidden_run.worker TASK

TASK is JSON: work ("look" or "prove"), parameters, and for a proof the descriptors of the functions' process

The last line of its output is a JSON object: what each check found, by the check's slug.
"""

import json
import os
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from lab.checks.probe import Finding
from lab.core.session import connect


def main() -> None:
    task = json.loads(sys.argv[1])
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what the steps print for a notebook's reader goes to the log
    os.environ["AWS_MAX_ATTEMPTS"] = "2"  # an account that was ended is not asked for long
    session = connect("local", task["parameters"]["region"])
    found = work(task, session)
    answers.write(json.dumps({slug: asdict(one) for slug, one in found.items()}, default=str).encode() + b"\n")
    answers.flush()


def work(task: dict[str, Any], session: Any) -> dict[str, Finding]:
    """Do the task; what was found, by the check's slug."""
    parameters = task["parameters"]
    if task["work"] == "look":
        from grader.hidden_run.account_findings import look

        return look(session, parameters)
    from grader.hidden_run.proof import Proof, Task
    from grader.hidden_run.student_functions import Functions

    functions = Functions(*task["functions"], seconds=task["call_seconds"])
    project = Path.cwd()
    what = Task(project, project / "trusted_producer", Path.home(), task["application"], parameters)
    return Proof(session, what, functions).run()


if __name__ == "__main__":
    main()
