"""Each cause of an empty output, produced on purpose in a real embedded account, and what the diagnosis says of it."""

import json
import time
from typing import Any

import pytest

from lab import cli
from lab.checks.diagnosis import PROBES, Diagnosis, diagnose, walk
from lab.checks.diagnosis_job import root_cause
from lab.checks.pipeline import Pipeline as Asked
from lab.checks.probe import FAILED, PASSED, UNREACHED, Probe, Trouble
from lab.core.account import Account
from lab.core.session import Session, connect, local_status
from tests.support.account import ACCOUNT
from tests.support.pipeline import BUCKET, LANDING_ZONE, PATIENCE, Pipeline


def test_the_walk_ends_at_the_first_thing_that_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lab.core.session._connected", None)  # whichever test connected before in this process

    def wrong(lab: Account) -> str:
        raise Trouble("It is broken: mend it.")

    fine, nobody = Probe("a", "a", lambda lab: "fine."), Account(None)
    found = walk([fine, Probe("b", "b", wrong), Probe("c", "c", pytest.fail)], nobody)
    assert [step.state for _, step in found.taken] == [PASSED, FAILED, UNREACHED]
    assert found.sentence == "It is broken: mend it." and found.wrong.slug == "b"
    assert found.text.splitlines()[-1] == found.sentence
    shown = found._repr_mimebundle_()
    assert "✘ It is broken: mend it." in shown["text/html"] and shown["text/html"].count("<tr>") == 4
    assert walk([fine], nobody).sentence == "Nothing is wrong: fine."
    assert "run the cell with `lab.connect(...)`" in diagnose().sentence


def test_the_root_cause_of_a_stack_trace() -> None:
    trace = "org.a.B: outer\n\tat x\nCaused by: java.lang.NumberFormatException: For input string: 'A'\n\tat y\n"
    assert root_cause(trace) == "NumberFormatException: For input string: 'A'"
    assert root_cause("org.a.B: alone\n\tat x") == "B: alone"
    assert root_cause("") == "an unknown cause"


def says(found: Diagnosis, place: str, *parts: str) -> None:
    assert found.wrong is not None, found.text
    assert found.wrong.title == place, found.text
    for part in parts:
        assert part in found.sentence, found.sentence
    assert found.sentence.endswith(".") and "\n" not in found.sentence


def review(number: int, reviewer: str, second: float, day: str = "2026-01-01") -> dict[str, Any]:
    at = f"{day}T00:{int(second) // 60:02d}:{int(second) % 60:02d}.000"
    return {"review_id": f"rw{number:07d}", "reviewer": reviewer, "movie": "A (2000)", "rating": "7", "event_time": at}


class Sender:
    """Puts records on a chosen shard of reviews."""

    def __init__(self, pipeline: Pipeline) -> None:
        self.kinesis = pipeline.kinesis
        shards = self.kinesis.list_shards(StreamName="reviews")["Shards"]
        self.hash_keys = [shard["HashKeyRange"]["StartingHashKey"] for shard in shards]
        self.number = 0

    def send(self, shard: int, reviewer: str, second: float, **more: str) -> None:
        self.number += 1
        self.put(shard, review(self.number, reviewer, second, **more))

    def end(self, second: float) -> None:
        """An end marker on every shard."""
        for shard in range(len(self.hash_keys)):
            marker = review(0, "", second)
            self.put(shard, {**marker, "review_id": f"end-marker-{shard}-{second}", "reviewer": None})

    def put(self, shard: int, value: dict[str, Any]) -> None:
        self.kinesis.put_record(
            StreamName="reviews",
            Data=json.dumps(value).encode(),
            PartitionKey=str(value["review_id"]),
            ExplicitHashKey=self.hash_keys[shard],
        )


@pytest.fixture
def pipeline(
    make_account: Any, tmp_path: Any, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> Pipeline:
    """The pipeline in an account that holds a cluster ready where the test starts the application."""
    options = ["--cold"] if "before" in request.node.name else []
    pipeline = Pipeline(make_account("home", *options), tmp_path, monkeypatch, shards=2)
    monkeypatch.setenv("LOCALAWS_PORT", str(pipeline.account.port))
    monkeypatch.setenv("LOCALAWS_HOME", str(pipeline.account.home))
    return pipeline


@pytest.mark.slow  # about 10 s
def test_what_is_wrong_before_anything_runs(pipeline: Pipeline, capsys: pytest.CaptureFixture[str]) -> None:
    session = connect("local")
    says(diagnose(), "account", "holds nothing of the lab (the embedded account was started at", "01_streams")

    pipeline.build()
    says(diagnose(), "records in reviews", "There are no records in reviews", "invoke reviewProducer")
    pipeline.send(limit=50)
    says(diagnose(), "status", "is not running (READY): start it")

    groups = pipeline.property_groups()
    elsewhere = [
        {**one, "PropertyMap": {**one["PropertyMap"], "input.stream.name": "review"}}
        if one["PropertyGroupId"] == "consumer.config.0"
        else one
        for one in groups
    ]
    pipeline.update(EnvironmentPropertyUpdates={"PropertyGroups": elsewhere})
    says(diagnose(), "runtime properties", "input.stream.name of consumer.config.0 points at 'review'", "'reviews'")
    pipeline.update(EnvironmentPropertyUpdates={"PropertyGroups": groups})

    pipeline.s3.delete_object(Bucket=LANDING_ZONE, Key="sample.json")
    assert cli.main(["doctor"]) == 1
    said = capsys.readouterr().out.splitlines()
    assert said[-1].startswith(f"There is no s3://{ACCOUNT}-landing-zone/sample.json (the embedded account was started")
    assert "run 01_streams first" in said[-1]
    assert [line.split()[0] for line in said[:2]] == ["OK", "WRONG"]

    pipeline.account.command("down")
    assert cli.main(["doctor"]) == 1
    assert "does not answer at http://127.0.0.1:" in capsys.readouterr().out
    assert local_status() is None  # looking starts nothing
    says(diagnose(session), "account", "does not answer", "python -m localaws up")
    assert pipeline.account.command("up").returncode == 0
    says(diagnose(session), "account", "was restarted after this notebook connected to it", "01_streams")


def looks_at(monkeypatch: pytest.MonkeyPatch, status: str, subtasks: int) -> Diagnosis:
    """The looks at status and parallelism, in their order, at an application over four shards."""
    lab = Asked(Session("local", "us-east-1", ACCOUNT, "http://127.0.0.1:1"), known={"parallelism": (subtasks, 4)})
    monkeypatch.setattr(lab, "application", lambda: {"ApplicationStatus": status})
    monkeypatch.setattr("lab.checks.diagnosis_account.last_complaint", lambda *_: "The SQL of `window` is wrong")
    return walk([one for one in PROBES if one.slug in ("status", "parallelism")], lab)


def test_a_failed_start_is_said_before_a_parallelism_of_one(monkeypatch: pytest.MonkeyPatch) -> None:
    said = looks_at(monkeypatch, "READY", 1)
    says(said, "status", "did not start (The SQL of `window` is wrong): mend that, then run 'Package and upload'")


def test_an_open_exercise_is_named_and_not_given_away(monkeypatch: pytest.MonkeyPatch) -> None:
    found = looks_at(monkeypatch, "RUNNING", 1)
    says(found, "parallelism", "Exercise 6 is open: the parallelism of student is 1", "4 open shards", "its hints")
    assert "Parallelism to 4" not in found.sentence
    says(looks_at(monkeypatch, "RUNNING", 2), "parallelism", "is 2 and reviews has 4 open shards")
    assert looks_at(monkeypatch, "RUNNING", 4).wrong is None


def until(part: str, session: Session, timeout: float = PATIENCE) -> Diagnosis:
    """Diagnose until the sentence says this: what was put takes a moment to pass through Flink."""
    deadline = time.monotonic() + timeout
    while True:
        found = diagnose(session)
        if part in found.sentence or time.monotonic() > deadline:
            return found
        time.sleep(0.2)


@pytest.mark.slow  # about 45 s
def test_what_is_wrong_while_it_runs(pipeline: Pipeline) -> None:
    pipeline.build()
    session, sender = connect("local"), Sender(pipeline)
    sender.send(0, "early", 1)
    sender.send(1, "early", 2)
    pipeline.start()
    says(diagnose(), "start position", "were sent before student started at", "LATEST", "Generate events")

    sender.send(0, "ann", 130)
    seen = until("none yet at subtask 0, 1 of 2 of the window operator", session)
    says(seen, "watermark", "stands at no time at all", "shard shardId-000000000001, without a record since")
    sender.send(1, "bob", 10)
    says(
        until("stands at 2026-01-01 00:00:05", session), "watermark", "while events have come to 2026-01-01 00:02:10",
        "shard shardId-000000000001, whose last event is of 2026-01-01 00:00:10",
    )  # fmt: skip

    sender.send(1, "cid", 131)
    says(until("keeps counts above 1", session), "threshold", "the largest count of a reviewer in any window is 1")
    sender.send(0, "ann", 132)
    says(
        until("2 windows are still open", session), "last window", "the last ends at 2026-01-01 00:03:00", "end_markers"
    )
    sender.end(300)
    done = until("Nothing is wrong", session)
    assert done.wrong is None, done.text
    assert done.sentence.startswith("Nothing is wrong: 2 windows in suspicious_activity, 2 expected")

    # restored when one shard has brought all it will and the other has not
    for reviewer, second in (("eve", 310), ("eve", 311), ("fay", 500)):
        sender.send(0, reviewer, second)
    pipeline.wait_read(9)
    pipeline.stop()
    pipeline.start("RESTORE_FROM_LATEST_SNAPSHOT")
    sender.send(1, "gus", 500)
    says(until("the job was restored", session), "output", "2 of 4 windows", "a new record on every shard")
    sender.send(0, "hal", 501)
    assert "4 windows in suspicious_activity" in until("Nothing is wrong", session).sentence

    sender.send(1, "dan", 20)
    says(
        until("dropped as late by Flink", session),
        "late rows",
        "1 rows were dropped as late by Flink's",
        "rw0000012",
        "went back",
    )

    # a student's mistake that only a record brings to light
    source = pipeline.folder / "SlidingWindows.zip"
    pipeline.s3.put_object(Bucket=BUCKET, Key="SlidingWindows.zip", Body=with_a_bug(source))
    pipeline.flink.stop_application(ApplicationName="student", Force=True)
    pipeline.wait_status("READY", "STOPPING", "FORCE_STOPPING")
    pipeline.update(
        ApplicationCodeConfigurationUpdate={
            "CodeContentUpdate": {"S3ContentLocationUpdate": {"FileKeyUpdate": "SlidingWindows.zip"}}
        }
    )
    pipeline.start()
    sender.send(0, "ann", 400)
    says(until("first because of", session), "job", "is being restarted after", "NumberFormatException: For input")


def with_a_bug(package: Any) -> bytes:
    """The application's zip, counting the reviews as if their ids were numbers."""
    import io
    import zipfile

    changed = io.BytesIO()
    with zipfile.ZipFile(package) as old, zipfile.ZipFile(changed, "w") as new:
        for name in old.namelist():
            data = old.read(name)
            if name.endswith("sliding-windows.py"):
                text = data.decode().replace("COUNT(DISTINCT review_id)", "COUNT(DISTINCT CAST(review_id AS INT))")
                assert text != data.decode()
                data = text.encode()
            new.writestr(name, data)
    return changed.getvalue()
