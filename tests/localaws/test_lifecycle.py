from pathlib import Path

import pytest

from tests.localaws.flink_double import Api

SKIP = {"ApplicationRestoreConfiguration": {"ApplicationRestoreType": "SKIP_RESTORE_FROM_SNAPSHOT"}}


def custom(name: str) -> dict[str, dict[str, str]]:
    return {
        "ApplicationRestoreConfiguration": {
            "ApplicationRestoreType": "RESTORE_FROM_CUSTOM_SNAPSHOT",
            "SnapshotName": name,
        }
    }


@pytest.fixture
def api(tmp_path: Path) -> Api:
    return Api(tmp_path)


def starts(api: Api) -> list[tuple[int, str | None]]:
    """Version and snapshot of each start."""
    return [
        (call[1], call[2].rpartition("/")[2] if call[2] else None) for call in api.dataplane.calls if call[0] == "start"
    ]


# -- start and stop -------------------------------------------------------------------------------------------------


def test_from_ready_to_running_and_back(api: Api) -> None:
    api.create()
    operation = api.start()
    assert (api.status(), api.operation(operation)["OperationStatus"]) == ("STARTING", "IN_PROGRESS")
    assert api.error("StartApplication", ApplicationName="student").code == "ResourceInUseException"
    assert api.error("StopApplication", ApplicationName="student").code == "ResourceInUseException"
    api.dataplane.tell("RUNNING")
    assert (api.status(), api.operation(operation)["OperationStatus"]) == ("RUNNING", "SUCCESSFUL")
    stop = api("StopApplication", ApplicationName="student")["OperationId"]
    assert api.status() == "STOPPING"
    api.dataplane.tell("READY", "The job ended as FINISHED.")
    assert api.status() == "STOPPING"
    api.work()
    assert (api.status(), api.operation(stop)["OperationStatus"]) == ("READY", "SUCCESSFUL")
    assert api.error("StopApplication", ApplicationName="student").code == "ResourceInUseException"
    listed = api("ListApplicationOperations", ApplicationName="student", Operation="StopApplication")
    assert [one["OperationId"] for one in listed["ApplicationOperationInfoList"]] == [stop]


def test_a_start_that_fails_says_why(api: Api) -> None:
    api.create()
    operation = api.start()
    api.dataplane.tell("READY", "The stream 'revs' does not exist.")
    assert api.status() == "READY"
    details = api.operation(operation)
    assert details["OperationStatus"] == "FAILED"
    assert details["OperationFailureDetails"]["ErrorInfo"]["ErrorString"] == "The stream 'revs' does not exist."


def test_a_zip_that_cannot_run_is_refused_before_anything_starts(api: Api) -> None:
    api.create()
    api.dataplane.refusal = "The zip has no main.py."
    refused = api.error("StartApplication", ApplicationName="student")
    assert (refused.code, str(refused)) == ("InvalidArgumentException", "The zip has no main.py.")
    assert (api.status(), api.dataplane.calls) == ("READY", [])


def test_a_job_that_ends_by_itself_leaves_nothing_running(api: Api) -> None:
    api.create()
    api.run()
    api.dataplane.tell("READY", "The job ended as FAILED.")
    assert api.status() == "READY"
    api.work()
    assert api.dataplane.calls[-1] == ("stop", "student")


def test_force_stops_while_it_starts_and_a_late_run_is_ended(api: Api) -> None:
    api.create()
    start = api.start()
    api("StopApplication", ApplicationName="student", Force=True)
    assert api.status() == "FORCE_STOPPING"
    api.work()
    assert (api.status(), api.operation(start)["OperationStatus"]) == ("READY", "CANCELLED")
    before = len(api.dataplane.calls)
    api.dataplane.tell("RUNNING")
    assert (api.status(), api.dataplane.calls[before:]) == ("READY", [("stop", "student")])


def test_what_an_earlier_run_says_is_ignored(api: Api) -> None:
    api.create()
    api.run()
    api("StopApplication", ApplicationName="student")
    api.work()
    api.run()
    api.dataplane.tell("READY", "The job ended as CANCELED.", run=0)
    assert api.status() == "RUNNING"


# -- snapshots ------------------------------------------------------------------------------------------------------


def test_a_snapshot_is_creating_until_its_savepoint_is_there(api: Api) -> None:
    api.create()
    wanted = {"ApplicationName": "student", "SnapshotName": "one"}
    assert api.error("CreateApplicationSnapshot", **wanted).code == "InvalidRequestException"
    api.run()
    api("CreateApplicationSnapshot", **wanted)
    assert api.snapshots() == [("one", "CREATING")]
    api.work()
    assert api.snapshots() == [("one", "READY")]
    assert api.error("CreateApplicationSnapshot", **wanted).code == "ResourceInUseException"
    assert api("DescribeApplicationSnapshot", **wanted)["SnapshotDetails"]["ApplicationVersionId"] == 1


def test_starting_from_none_from_the_latest_and_from_a_named_snapshot(api: Api) -> None:
    api.create()
    api.run()
    for name in ("one", "two"):
        api("CreateApplicationSnapshot", ApplicationName="student", SnapshotName=name)
        api.work()
    for run in ({}, SKIP, custom("one")):
        api("StopApplication", ApplicationName="student")
        api.work()
        api.run(**run)
    assert starts(api) == [(1, None), (1, "two"), (1, None), (1, "one")]
    api("StopApplication", ApplicationName="student")
    api.work()
    missing = api.error("StartApplication", ApplicationName="student", RunConfiguration=custom("three"))
    assert missing.code == "InvalidArgumentException"


def test_a_stop_takes_a_snapshot_where_they_are_enabled(api: Api) -> None:
    api.create(snapshots=True)
    api.run()
    api("StopApplication", ApplicationName="student")
    api.work()
    ((name, status),) = api.snapshots()
    assert name.startswith("STOP-student-")
    assert (status, api.status()) == ("READY", "READY")
    assert ("snapshot", name, True) in api.dataplane.calls
    api.run()
    assert starts(api)[-1] == (1, name)


def test_an_application_whose_snapshot_fails_goes_on(api: Api) -> None:
    api.create(snapshots=True)
    api.run()
    api.dataplane.savepoints_succeed = False
    operation = api("StopApplication", ApplicationName="student")["OperationId"]
    api.work()
    assert (api.status(), api.operation(operation)["OperationStatus"]) == ("RUNNING", "FAILED")
    assert ("stop", "student") not in api.dataplane.calls
    assert [status for _, status in api.snapshots()] == ["FAILED"]
    api.dataplane.tell("READY", "The job ended as FAILED.")
    assert api.status() == "READY"


def test_deleting_a_snapshot_removes_its_files(api: Api, tmp_path: Path) -> None:
    api.create()
    api.run()
    api("CreateApplicationSnapshot", ApplicationName="student", SnapshotName="one")
    api.work()
    wanted = {"ApplicationName": "student", "SnapshotName": "one"}
    made = api("DescribeApplicationSnapshot", **wanted)["SnapshotDetails"]["SnapshotCreationTimestamp"]
    wrong = api.error("DeleteApplicationSnapshot", SnapshotCreationTimestamp=made - 5, **wanted)
    assert wrong.code == "InvalidArgumentException"
    assert (tmp_path / "savepoints" / "one").is_dir()
    api("DeleteApplicationSnapshot", SnapshotCreationTimestamp=made, **wanted)
    assert not (tmp_path / "savepoints" / "one").exists()
    assert api.error("DescribeApplicationSnapshot", **wanted).code == "ResourceNotFoundException"


def test_state_that_is_not_used_any_more_is_allowed_where_asked(api: Api) -> None:
    api.create()
    api.start(FlinkRunConfiguration={"AllowNonRestoredState": True})
    run = api.describe()["ApplicationConfigurationDescription"]["RunConfigurationDescription"]
    assert run["FlinkRunConfigurationDescription"] == {"AllowNonRestoredState": True}
    assert run["ApplicationRestoreConfigurationDescription"] == {
        "ApplicationRestoreType": "RESTORE_FROM_LATEST_SNAPSHOT"
    }
    assert api.dataplane.jobs[-1].allow_non_restored_state


# -- updates of a running application -------------------------------------------------------------------------------


def test_an_update_restarts_on_the_new_version_with_its_state(api: Api) -> None:
    api.create(snapshots=True)
    api.run()
    answer = api.update(1)
    assert (answer["ApplicationDetail"]["ApplicationStatus"], api.status()) == ("UPDATING", "UPDATING")
    api.work()
    ((name, _),) = api.snapshots()
    assert name.startswith("UPDATEAPPLICATION-student-")
    assert starts(api)[-1] == (2, name)
    assert api.status() == "UPDATING"
    api.dataplane.tell("RUNNING")
    assert api.status() == "RUNNING"
    details = api.operation(answer["OperationId"])
    assert details["OperationStatus"] == "SUCCESSFUL"
    change = {"ApplicationVersionUpdatedFrom": 1, "ApplicationVersionUpdatedTo": 2}
    assert details["ApplicationVersionChangeDetails"] == change


def test_an_update_without_snapshots_keeps_the_state_and_lists_none(api: Api, tmp_path: Path) -> None:
    api.create()
    api.run()
    api.update(1)
    api.work()
    version, savepoint = starts(api)[-1]
    assert (version, api.snapshots()) == (2, [])
    assert savepoint is not None
    api.dataplane.tell("RUNNING")
    assert (tmp_path / "savepoints" / savepoint).is_dir()
    api("StopApplication", ApplicationName="student")
    api.work()
    assert not (tmp_path / "savepoints" / savepoint).exists()


def test_an_update_can_leave_the_state_behind(api: Api) -> None:
    api.create(snapshots=True)
    api.run()
    api.update(1, RunConfigurationUpdate=SKIP)
    api.work()
    assert (starts(api)[-1], api.snapshots()) == ((2, None), [])


def test_an_update_that_cannot_run_is_refused_and_changes_nothing(api: Api) -> None:
    api.create()
    api.run()
    api.dataplane.refusal = "The zip has no main.py."
    update = {"ApplicationName": "student", "CurrentApplicationVersionId": 1, "ServiceExecutionRoleUpdate": "arn:x"}
    assert api.error("UpdateApplication", **update).code == "InvalidArgumentException"
    assert (api.status(), api.describe()["ApplicationVersionId"]) == ("RUNNING", 1)


def test_a_failed_snapshot_keeps_the_version_before_the_update(api: Api) -> None:
    api.create(snapshots=True)
    api.run()
    api.dataplane.savepoints_succeed = False
    operation = api.update(1)["OperationId"]
    api.work()
    detail = api.describe()
    assert (detail["ApplicationStatus"], detail["ApplicationVersionId"], api.parallelism()) == ("RUNNING", 3, 1)
    assert (detail["ApplicationVersionRolledBackFrom"], detail["ApplicationVersionRolledBackTo"]) == (2, 1)
    assert api.operation(operation)["OperationStatus"] == "FAILED"
    assert starts(api) == [(1, None)]


@pytest.mark.parametrize("snapshots", [True, False])
def test_an_update_that_does_not_start_is_rolled_back_where_asked(api: Api, snapshots: bool) -> None:
    api.create(snapshots=snapshots, ApplicationSystemRollbackConfiguration={"RollbackEnabled": True})
    api.run()
    operation = api.update(1)["OperationId"]
    api.work()
    api.dataplane.tell("READY", "The SQL is wrong.")
    assert (api.status(), api.operation(operation)["OperationStatus"]) == ("ROLLING_BACK", "FAILED")
    (second, savepoint), (third, same) = starts(api)[-2:]
    assert (second, third, savepoint) == (2, 3, same)
    api.dataplane.tell("RUNNING")
    assert (api.status(), api.parallelism()) == ("RUNNING", 1)


def test_an_update_that_does_not_start_is_ready_otherwise(api: Api) -> None:
    api.create()
    api.run()
    api.update(1)
    api.work()
    api.dataplane.tell("READY", "The SQL is wrong.")
    assert (api.status(), api.parallelism()) == ("READY", 2)


# -- rollback -------------------------------------------------------------------------------------------------------


def test_roll_back_to_the_version_that_ran_before(api: Api) -> None:
    api.create(snapshots=True)
    api.run()
    api.update(1, parallelism=2)
    api.work()
    api.dataplane.tell("RUNNING")
    ((snapshot, _),) = api.snapshots()
    stale = api.error("RollbackApplication", ApplicationName="student", CurrentApplicationVersionId=1)
    assert stale.code == "ConcurrentModificationException"
    answer = api("RollbackApplication", ApplicationName="student", CurrentApplicationVersionId=2)
    assert answer["ApplicationDetail"]["ApplicationStatus"] == "ROLLING_BACK"
    api.work()
    assert starts(api)[-1] == (3, snapshot)
    api.dataplane.tell("RUNNING")
    assert (api.status(), api.parallelism()) == ("RUNNING", 1)
    listed = api("ListApplicationVersions", ApplicationName="student")["ApplicationVersionSummaries"]
    assert [one["ApplicationStatus"] for one in listed] == ["RUNNING", "ROLLED_BACK", "RUNNING"]


def test_an_update_that_hangs_can_be_rolled_back(api: Api) -> None:
    api.create(snapshots=True)
    api.run()
    update = api.update(1)["OperationId"]
    api.work()
    api("RollbackApplication", ApplicationName="student", CurrentApplicationVersionId=2)
    assert api.operation(update)["OperationStatus"] == "CANCELLED"
    api.dataplane.tell("READY", "too late")
    api.work()
    api.dataplane.tell("RUNNING")
    assert (api.status(), api.parallelism()) == ("RUNNING", 1)


def test_what_cannot_be_rolled_back(api: Api) -> None:
    api.create()
    asked = {"ApplicationName": "student", "CurrentApplicationVersionId": 1}
    assert api.error("RollbackApplication", **asked).code == "ResourceInUseException"
    api.run()
    assert "no version that ran before" in str(api.error("RollbackApplication", **asked))
    api.update(1)
    api.work()
    api.dataplane.tell("RUNNING")
    refused = api.error("RollbackApplication", ApplicationName="student", CurrentApplicationVersionId=2)
    assert (refused.code, "no snapshot" in str(refused)) == ("InvalidRequestException", True)
