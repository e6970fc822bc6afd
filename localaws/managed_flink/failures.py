"""Say Flink's first failure in one sentence: what happened and what to do next."""

import re
from typing import Any

_NEEDS_SLOTS = "NoResourceAvailableException"

# Pattern and sentence, with {n} for the pattern's groups. In order: the first whose pattern is found in the trace.
_RULES = [
    (
        r"No space left on device",
        "The disk is full, so that no checkpoint can be written; free some space under the account's home: "
        "the job goes on from its last checkpoint.",
    ),
    (
        r"Exceeded checkpoint tolerable failure threshold",
        "A checkpoint could not be completed, and the job goes on from the last one that was; "
        "the lines of the jobmanager above say why.",
    ),
    (
        r"Unable to load (?:AWS )?credentials from any",
        "The tasks have no AWS credentials: start the cluster's TaskManagers with AWS_ACCESS_KEY_ID and "
        "AWS_SECRET_ACCESS_KEY in their environment (docs/managed-flink.md).",
    ),
    (
        r"Failed to create (?:checkpoint storage at|directory for shared state)",
        "The cluster cannot write its checkpoints into the account's home: set LOCALAWS_HOME to a folder that its "
        "JobManager and TaskManagers reach under the same path and may write to.",
    ),
    (r"Exception: ((?:Nothing of an application leaves|FlinkKinesisProducer writes) .+)", "{1}"),  # the Java agent's
    (r"PropertyError: (.+)", "{1}"),
    (r"(?s)SqlError: (.+)", "{1}"),  # with the line of SQL and the caret under it
    (
        r"KeyError: '?([^'\n]+)'?",
        "The application looked for the key {1!r} and it is not there; check the runtime properties' group ids and "
        "keys.",
    ),
    (
        r"Stream (\S+) (?:under account \d+ )?(?:not found|does not exist)",
        "The stream {1!r} does not exist; create it, or correct the stream's name in the runtime properties.",
    ),
    (
        r"Could not find any factory for identifier '([^']+)'",
        "No connector or format {1!r} is on the class path; check that the run option 'jarfile' names the connector's "
        "jar and that it holds it.",
    ),
    (
        r"(?s)Unsupported options found for '([^']+)'.*?Unsupported options:\s+(\S+)",
        "The connector {1!r} does not know the option {2!r}; correct the table's WITH clause.",
    ),
    (
        r"(?:ClassNotFoundException|NoClassDefFoundError): ([\w.$]+)",
        "The Java class {1} was not found; the jar misses a dependency: merge it into the jar of the run option "
        "'jarfile'.",
    ),
    (r"SQL parse failed\. (.+)", "The SQL cannot be parsed: {1}"),
    (r"From line (\d+), column (\d+) to line \d+, column \d+: (.+)", "The SQL is wrong at line {1}, column {2}: {3}"),
    (
        _NEEDS_SLOTS,
        "The job needs more slots than the application has: give the application a larger Parallelism, or its code a "
        "smaller one.",
    ),
    (
        r"(?:Failed to rollback|There is no operator for the state|Cannot map checkpoint/savepoint state)",
        "The snapshot holds state of an operator the new job does not have; start without the snapshot or set "
        "AllowNonRestoredState.",
    ),
    (
        r"ModuleNotFoundError: No module named '([^']+)'",
        "The Python module {1!r} is not there; put it into the zip and name it in the run option 'pyFiles'.",
    ),
    (
        r"No matching distribution found for (\S+)",
        "pip finds no package {1} of the application's requirements; check its name and version, or bring it: its "
        "wheel in a folder of the zip that set_python_requirements gets as requirements_cache_dir, or the package "
        "itself in a folder that the run option 'pyFiles' names.",
    ),
    (
        r"No module named pip\b",
        "The account's Python has no pip, which the application's requirements need: run 'python -m ensurepip' with it "
        "and start the application again.",
    ),
    (
        r"FileNotFoundError: .*'([^']+)'",
        "The file {1!r} is not there; paths are relative to the zip's root.",
    ),
    (
        r"((?:Connection refused|UnknownHostException|Unable to execute HTTP request)[^\n]*)",
        "The job cannot reach an address that it calls ({1}): remove the endpoint that the application or its runtime "
        "properties name; on a Flink cluster that you started they must name the account's.",
    ),
]


def needs_slots(trace: str) -> bool:
    """Return whether the job failed because the cluster had too few free slots at that moment."""
    return _NEEDS_SLOTS in trace


def explain(trace: str) -> str:
    """Say a stack trace of Python or Java in one sentence: by a rule that fits, else its root cause."""
    trace = re.sub(r"NoClassDefFoundError: \S+", lambda found: found[0].replace("/", "."), trace)
    for pattern, sentence in _RULES:
        found = re.search(pattern, trace)
        if found:
            return sentence.format(trace, *(group.strip() for group in found.groups()))
    return f"The application failed: {root_cause(trace)}"


def explain_driver(outcome: dict[str, Any], main_file: str) -> str:
    """Say in one sentence what the driver reported as failed."""
    sentence = explain(outcome["trace"])
    if outcome.get("line") and outcome.get("type") != "SqlError":  # which names the function, not where it is called
        return f"{sentence} ({main_file}, line {outcome['line']})"
    return sentence


def root_cause(trace: str) -> str:
    """Return the last 'Caused by' of a Java trace, else the last line of a Python one."""
    causes = re.findall(r"^Caused by: (.+)$", trace, re.M)
    if causes:
        return causes[-1].strip()
    lines = [line.strip() for line in trace.strip().splitlines() if line.strip()]
    java = [line for line in lines if re.match(r"^[\w.$]+(?:Exception|Error)\b", line)]
    return (java or lines or ["no cause was given"])[-1 if not java else 0]
