import json
import os
import stat
from pathlib import Path
from typing import Any

import pytest

from localaws.control_plane import store
from tests.localaws.flink_double import Api


def everything(api: Api) -> dict[str, Any]:
    detail = api.describe()
    return {
        "detail": detail,
        "versions": api("ListApplicationVersions", ApplicationName="student"),
        "snapshots": api("ListApplicationSnapshots", ApplicationName="student"),
        "tags": api("ListTagsForResource", ResourceARN=detail["ApplicationARN"]),
        "operations": api("ListApplicationOperations", ApplicationName="student"),
    }


def lived(home: Path) -> Api:
    """An application that has been through all that is kept, and is READY."""
    api = Api(home)
    arn = api.create(snapshots=True)["ApplicationARN"]
    api("TagResource", ResourceARN=arn, Tags=[{"Key": "a", "Value": "1"}])
    api.run()
    api("CreateApplicationSnapshot", ApplicationName="student", SnapshotName="one")
    api.work()
    api.update(1)
    api.work()
    api.dataplane.tell("RUNNING")
    api("StopApplication", ApplicationName="student")
    api.work()
    return api


def test_another_process_finds_everything_as_it_was(tmp_path: Path) -> None:
    before = everything(lived(tmp_path))
    assert everything(Api(tmp_path)) == before


def test_each_answer_is_on_disk(tmp_path: Path) -> None:
    """Whatever was answered is found by an account that starts at that moment, as after a kill."""
    api = Api(tmp_path)
    arn = api.create(snapshots=True)["ApplicationARN"]
    api.update(1)
    assert Api(tmp_path).describe()["ApplicationVersionId"] == 2
    api("TagResource", ResourceARN=arn, Tags=[{"Key": "a", "Value": "1"}])
    assert Api(tmp_path)("ListTagsForResource", ResourceARN=arn)["Tags"] == [{"Key": "a", "Value": "1"}]
    api.run()
    api("CreateApplicationSnapshot", ApplicationName="student", SnapshotName="one")
    assert Api(tmp_path).snapshots() == [("one", "FAILED")]
    api.work()
    assert Api(tmp_path).snapshots() == [("one", "READY")]
    api("DeleteApplication", ApplicationName="student", CreateTimestamp=api.describe()["CreateTimestamp"])
    assert Api(tmp_path)("ListApplications")["ApplicationSummaries"] == []


def test_what_was_under_way_is_failed_and_the_application_ready(tmp_path: Path) -> None:
    api = Api(tmp_path)
    api.create()
    start = api.start()
    api = Api(tmp_path)
    assert api.status() == "READY"
    details = api.operation(start)
    assert details["OperationStatus"] == "FAILED"
    assert "was stopped before this was complete" in details["OperationFailureDetails"]["ErrorInfo"]["ErrorString"]


def test_snapshots_are_restored_after_a_restart(tmp_path: Path) -> None:
    lived(tmp_path)
    api = Api(tmp_path)
    api.start()
    assert api.dataplane.calls[0][2].rpartition("/")[2].startswith("UPDATEAPPLICATION-") is False
    assert "/savepoints/STOP-student-" in api.dataplane.calls[0][2]


@pytest.mark.parametrize("lost", ["zip", "stream"])
def test_a_start_after_a_restart_says_what_is_gone(tmp_path: Path, lost: str) -> None:
    Api(tmp_path).create()
    api = Api(tmp_path)
    if lost == "zip":
        api.dataplane.refusal = "There is no s3://b/app.zip."
    else:
        api.services.existing.clear()
    refused = api.error("StartApplication", ApplicationName="student")
    assert refused.code == "InvalidArgumentException"
    assert str(refused) == (
        "The embedded account was restarted since student last ran, and its buckets, objects and streams are gone; "
        "create them again, then start it "
        f"({'There is no s3://b/app.zip' if lost == 'zip' else 'there is no stream reviews'})."
    )
    api.dataplane.refusal = None
    api.services.existing.add("reviews")
    api.run()
    assert api.status() == "RUNNING"


def test_files_of_a_snapshot_that_are_gone(tmp_path: Path) -> None:
    api = lived(tmp_path)
    for folder in (tmp_path / "savepoints").iterdir():
        folder.rmdir()
    assert "are gone" in str(api.error("StartApplication", ApplicationName="student"))


@pytest.mark.parametrize("damage", ["cut", "empty", "bytes", "versions"])
def test_files_are_private_and_a_damaged_one_is_said_and_kept_aside(tmp_path: Path, damage: str) -> None:
    Api(tmp_path).create()
    (saved,) = (tmp_path / store.FOLDER).iterdir()
    assert stat.S_IMODE(saved.stat().st_mode) == 0o600
    whole = json.loads(saved.read_text())
    whole["application"]["versions"] = []
    left = {"cut": saved.read_bytes()[:50], "empty": b"", "bytes": b"\xff\x00", "versions": json.dumps(whole).encode()}
    saved.write_bytes(left[damage])
    api = Api(tmp_path)
    assert api("ListApplications")["ApplicationSummaries"] == []
    (kept,) = (tmp_path / store.FOLDER).iterdir()
    assert kept.read_bytes() == left[damage]
    (said,) = api._control.store.damaged
    assert said.startswith("The application of 000000000000-us-east-1-student.json is gone") and str(kept) in said
    api.create()  # its name is free


def test_a_full_disk_keeps_the_old_file_and_the_api_answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    api = Api(tmp_path)
    api.create()
    full = tmp_path / "full"
    full.symlink_to("/dev/full")
    (folder := tmp_path / store.FOLDER) / "x"
    monkeypatch.setattr("tempfile.mkstemp", lambda **where: (os.open(full, os.O_WRONLY), str(full)))
    api.update(1)
    monkeypatch.undo()
    assert api.describe()["ApplicationVersionId"] == 2
    (saved,) = folder.iterdir()
    assert len(json.loads(saved.read_text())["application"]["versions"]) == 1


def test_forget(tmp_path: Path) -> None:
    lived(tmp_path)
    (tmp_path / "applications").mkdir()
    store.forget(tmp_path)
    assert not (tmp_path / "applications").exists()
    assert Api(tmp_path)("ListApplications")["ApplicationSummaries"] == []
