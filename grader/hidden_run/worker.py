"""Look at an account, or prove a submission in it: the grader's own process beside that account. A program.

    python -m grader.hidden_run.worker TASK

TASK is JSON: work ("look" or "prove"), parameters, and for a proof the descriptors of the functions' process

It says a line for each step it has done. The last line of its output is a JSON object: what each check found, by the
check's slug, or {"not graded": why}.
"""

import json
import os
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from grader.evidence import NotGraded
from lab.checks.probe import Finding
from lab.core.session import connect


def main() -> None:
    task = json.loads(sys.argv[1])
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what the steps print for a notebook's reader goes to the log
    os.environ["AWS_MAX_ATTEMPTS"] = "2"  # an account that was ended is not asked for long
    session = connect("local", task["parameters"]["region"])

    def say(line: str) -> None:
        answers.write(line.encode() + b"\n")
        answers.flush()

    try:
        found = work(task, session, say)
        say(json.dumps({slug: asdict(one) for slug, one in found.items()}, default=str))
    except NotGraded as error:
        say(json.dumps({"not graded": str(error)}))


def work(task: dict[str, Any], session: Any, step: Callable[[str], None]) -> dict[str, Finding]:
    """Do the task; what was found, by the check's slug. `step` is called with each step that is done."""
    parameters = task["parameters"]
    if task["work"] == "look":
        from grader.hidden_run.account_findings import look

        return look(session, parameters, step)
    from grader.hidden_run.application_proof import prove_application
    from grader.hidden_run.function_proof import prove_functions
    from grader.hidden_run.proof_account import ProofAccount, Task
    from grader.hidden_run.student_functions import Functions

    answers, requests = task["functions"]
    functions = Functions(answers, requests, task["call_seconds"], task["timeout"])
    project = Path.cwd()
    own = {name: task[name] for name in ("application", "timeout", "last")}
    what = Task(project, project / "trusted_producer", Path.home(), parameters=parameters, **own)
    account = ProofAccount(session, what, step)
    account.furnish()
    return {**prove_functions(account, functions), **prove_application(account)}


if __name__ == "__main__":
    main()
