"""From Flink's first failure to one sentence that says what happened and what to do next."""

import re
from collections.abc import Callable
from typing import Any

_NEEDS_SLOTS = re.compile(r"NoResourceAvailableException")
_Rule = tuple[re.Pattern[str], Callable[[re.Match[str]], str]]

# In order: the sentence is that of the first rule whose pattern is found in the trace.
_RULES: list[_Rule] = [
    (
        re.compile(r"No space left on device"),
        lambda m: (
            "The disk is full, so that no checkpoint can be written; free some space under the account's home: "
            "the job goes on from its last checkpoint."
        ),
    ),
    (
        re.compile(r"Exceeded checkpoint tolerable failure threshold"),
        lambda m: (
            "A checkpoint could not be completed, and the job goes on from the last one that was; "
            "the lines of the jobmanager above say why."
        ),
    ),
    (
        re.compile(r"Unable to load (?:AWS )?credentials from any"),
        lambda m: (
            "The tasks have no AWS credentials: start the cluster's TaskManagers with AWS_ACCESS_KEY_ID and "
            "AWS_SECRET_ACCESS_KEY in their environment (docs/managed-flink.md)."
        ),
    ),
    (
        re.compile(r"Failed to create (?:checkpoint storage at|directory for shared state)"),
        lambda m: (
            "The cluster cannot write its checkpoints into the account's home: set LOCALAWS_HOME to a folder that its "
            "JobManager and TaskManagers reach under the same path and may write to."
        ),
    ),
    (
        re.compile(r"PropertyError: (.+)"),
        lambda m: m[1],
    ),
    (
        re.compile(r"SqlError: (.+)", re.S),  # with the line of SQL and the caret under it
        lambda m: m[1].rstrip(),
    ),
    (
        re.compile(r"KeyError: '?([^'\n]+)'?"),
        lambda m: (
            f"The application looked for the key {m[1]!r} and it is not there; "
            "check the runtime properties' group ids and keys."
        ),
    ),
    (
        re.compile(r"Stream (\S+) (?:under account \d+ )?not found|Stream (\S+) does not exist"),
        lambda m: (
            f"The stream {m[1] or m[2]!r} does not exist; create it, or correct the stream's "
            "name in the runtime properties."
        ),
    ),
    (
        re.compile(r"Could not find any factory for identifier '([^']+)'"),
        lambda m: (
            f"No connector or format {m[1]!r} is on the class path; check that the run option 'jarfile' names "
            "the connector's jar and that it holds it."
        ),
    ),
    (
        re.compile(r"Unsupported options found for '([^']+)'.*?Unsupported options:\s+(\S+)", re.S),
        lambda m: f"The connector {m[1]!r} does not know the option {m[2]!r}; correct the table's WITH clause.",
    ),
    (
        re.compile(r"(?:ClassNotFoundException|NoClassDefFoundError): ([\w./$]+)"),
        lambda m: (
            f"The Java class {m[1].replace('/', '.')} was not found; the jar misses a dependency: "
            "merge it into the jar of the run option 'jarfile'."
        ),
    ),
    (
        re.compile(r"SQL parse failed\. (.+)"),
        lambda m: f"The SQL cannot be parsed: {m[1].strip()}",
    ),
    (
        re.compile(r"From line (\d+), column (\d+) to line (\d+), column (\d+): (.+)"),
        lambda m: f"The SQL is wrong at line {m[1]}, column {m[2]}: {m[5].strip()}",
    ),
    (
        _NEEDS_SLOTS,
        lambda m: (
            "The job needs more slots than the application has: give the application a larger Parallelism, or its "
            "code a smaller one."
        ),
    ),
    (
        re.compile(r"(?:Failed to rollback|There is no operator for the state|Cannot map checkpoint/savepoint state)"),
        lambda m: (
            "The snapshot holds state of an operator the new job does not have; start without the snapshot or "
            "set AllowNonRestoredState."
        ),
    ),
    (
        re.compile(r"ModuleNotFoundError: No module named '([^']+)'"),
        lambda m: (
            f"The Python module {m[1]!r} is not there; put it into the zip and name it in the run option 'pyFiles'."
        ),
    ),
    (
        re.compile(r"FileNotFoundError: .*'([^']+)'"),
        lambda m: f"The file {m[1]!r} is not there; paths are relative to the zip's root.",
    ),
    (
        re.compile(r"(?:Connection refused|UnknownHostException|Unable to execute HTTP request)[^\n]*"),
        lambda m: "The job cannot reach AWS: check 'aws.endpoint' and 'aws.region' in the runtime properties.",
    ),
]


def needs_slots(trace: str) -> bool:
    """Return whether the job failed because the cluster had too few free slots at that moment."""
    return _NEEDS_SLOTS.search(trace) is not None


def explain(trace: str) -> str:
    """Explain a stack trace of Python or Java in one sentence: by the first rule that fits, else by its root cause."""
    for pattern, sentence in _RULES:
        found = pattern.search(trace)
        if found:
            return sentence(found)
    return f"The application failed: {root_cause(trace)}"


def explain_driver(outcome: dict[str, Any], main_file: str) -> str:
    """Explain in one sentence what the driver reported as failed."""
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
