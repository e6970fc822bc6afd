import hashlib
from pathlib import Path
from typing import Any

import pytest

from tests.localaws.flink_double import SERVICE, ZIP, Api, group


@pytest.fixture
def api(tmp_path: Path) -> Api:
    return Api(tmp_path)


def test_create_and_describe(api: Api) -> None:
    created = api.create()
    assert api.describe() == created
    assert (created["ApplicationStatus"], created["ApplicationVersionId"]) == ("READY", 1)
    code = created["ApplicationConfigurationDescription"]["ApplicationCodeConfigurationDescription"]
    assert code["CodeContentDescription"] == {
        "S3ApplicationCodeLocationDescription": {"BucketARN": "arn:aws:s3:::b", "FileKey": "app.zip"},
        "CodeMD5": hashlib.md5(ZIP).hexdigest(),
        "CodeSize": len(ZIP),
    }
    assert api.error("CreateApplication", **creation()).code == "ResourceInUseException"


def creation(**more: Any) -> dict[str, Any]:
    return {
        "ApplicationName": "student",
        "RuntimeEnvironment": "FLINK-1_20",
        "ServiceExecutionRole": "arn:aws:iam::000000000000:role/LabRole",
        **more,
    }


def flink(**sections: Any) -> dict[str, Any]:
    return {"ApplicationConfiguration": {"FlinkApplicationConfiguration": sections}}


@pytest.mark.parametrize(
    ("given", "code", "word"),
    [
        ({"RuntimeEnvironment": "FLINK-1_15"}, "InvalidArgumentException", "connector-kinesis 4.3.0-1.19 into the zip"),
        ({"RuntimeEnvironment": "FLINK-2_2"}, "InvalidArgumentException", "Flink 2 needs Python 3.12"),
        (
            {"RuntimeEnvironment": "SQL-1_0"},
            "InvalidArgumentException",
            "not SQL-1_0: set RuntimeEnvironment to FLINK-1_20",
        ),
        ({"ApplicationMode": "INTERACTIVE"}, "InvalidArgumentException", "STREAMING only"),
        ({"ApplicationName": "two words"}, "ValidationException", "'applicationName' failed to satisfy constraint"),
        ({"ApplicationName": "n" * 129}, "ValidationException", "length less than or equal to 128"),
        ({"ServiceExecutionRole": "LabRole"}, "ValidationException", "serviceExecutionRole"),
        ({"ServiceExecutionRole": None}, "ValidationException", "not be null"),
        (
            flink(ParallelismConfiguration={"ConfigurationType": "CUSTOM", "Parallelism": 0}),
            "ValidationException",
            "parallelism' failed to satisfy constraint: Member must have value greater than or equal to 1",
        ),
        (
            flink(ParallelismConfiguration={"ConfigurationType": "CUSTOM", "Parallelism": 9, "ParallelismPerKPU": 9}),
            "InvalidArgumentException",
            "ParallelismPerKPU must be between 1 and 8, not 9",
        ),
        (
            flink(ParallelismConfiguration={"ConfigurationType": "CUSTOM", "Parallelism": 65, "ParallelismPerKPU": 1}),
            "LimitExceededException",
            "65 KPUs",
        ),
        (
            flink(CheckpointConfiguration={"ConfigurationType": "CUSTOM", "CheckpointInterval": 0}),
            "ValidationException",
            "checkpointInterval",
        ),
        (flink(CheckpointConfiguration={}), "ValidationException", "configurationType"),
        (
            {"ApplicationConfiguration": {"EnvironmentProperties": {"PropertyGroups": [group("g", a="1")] * 2}}},
            "InvalidArgumentException",
            "group g is given 2 times",
        ),
        (
            {
                "ApplicationConfiguration": {
                    "ApplicationCodeConfiguration": {
                        "CodeContentType": "PLAINTEXT",
                        "CodeContent": {"TextContent": "x"},
                    }
                }
            },
            "InvalidArgumentException",
            "ZIPFILE in S3",
        ),
        ({"ApplicationConfiguration": {"SqlApplicationConfiguration": {}}}, "InvalidArgumentException", "leave it out"),
        ({"Tags": [{"Key": f"k{n}", "Value": "v"} for n in range(51)]}, "TooManyTagsException", "50 tags"),
        ({"ApplicationDescription": 7}, "SerializationException", "applicationDescription"),
    ],
)
def test_what_create_refuses(api: Api, given: dict[str, Any], code: str, word: str) -> None:
    refused = api.error("CreateApplication", **creation(**given))
    assert (refused.code, word in str(refused)) == (code, True), str(refused)
    assert api("ListApplications") == {"ApplicationSummaries": []}


def test_what_is_not_given_is_as_on_aws(api: Api) -> None:
    detail = api("CreateApplication", **creation())["ApplicationDetail"]
    described = detail["ApplicationConfigurationDescription"]
    assert described["ApplicationSnapshotConfigurationDescription"] == {"SnapshotsEnabled": True}
    sections = described["FlinkApplicationConfigurationDescription"]
    assert sections["CheckpointConfigurationDescription"] == {
        "ConfigurationType": "DEFAULT",
        "CheckpointingEnabled": True,
        "CheckpointInterval": 60_000,
        "MinPauseBetweenCheckpoints": 5_000,
    }
    assert sections["ParallelismConfigurationDescription"] == {
        "ConfigurationType": "DEFAULT",
        "Parallelism": 1,
        "ParallelismPerKPU": 1,
        "AutoScalingEnabled": True,
        "CurrentParallelism": 1,
    }


def test_an_update_may_change_the_runtime(api: Api) -> None:
    api("CreateApplication", **creation(RuntimeEnvironment="FLINK-1_18"))
    asked = {"ApplicationName": "student", "CurrentApplicationVersionId": 1}
    api("UpdateApplication", **asked, RuntimeEnvironmentUpdate="FLINK-1_20")
    assert api.describe()["RuntimeEnvironment"] == "FLINK-1_20"
    earlier = api("DescribeApplicationVersion", ApplicationName="student", ApplicationVersionId=1)
    assert earlier["ApplicationVersionDetail"]["RuntimeEnvironment"] == "FLINK-1_18"


def test_applications_are_listed_in_pages(api: Api) -> None:
    for name in "cab":
        api.create(name)
    first = api("ListApplications", Limit=2)
    assert [one["ApplicationName"] for one in first["ApplicationSummaries"]] == ["a", "b"]
    second = api("ListApplications", Limit=2, NextToken=first["NextToken"])
    assert [one["ApplicationName"] for one in second["ApplicationSummaries"]] == ["c"]
    assert "NextToken" not in second


def test_delete_wants_the_creation_time(api: Api) -> None:
    created = api.create()["CreateTimestamp"]
    wrong = api.error("DeleteApplication", ApplicationName="student", CreateTimestamp=created + 1)
    assert wrong.code == "ConcurrentModificationException"
    api("DeleteApplication", ApplicationName="student", CreateTimestamp=created)
    assert api.error("DescribeApplication", ApplicationName="student").code == "ResourceNotFoundException"
    assert api.dataplane.calls == [("delete", "student")]


def test_a_running_application_is_deleting_until_it_is_gone(api: Api) -> None:
    created = api.create()["CreateTimestamp"]
    api.run()
    api("DeleteApplication", ApplicationName="student", CreateTimestamp=created)
    assert api.status() == "DELETING"
    assert api.error("CreateApplication", **creation()).code == "ResourceInUseException"
    assert api.error("StartApplication", ApplicationName="student").code == "ResourceInUseException"
    api.work()
    assert api("ListApplications")["ApplicationSummaries"] == []


def test_stale_versions_and_tokens(api: Api) -> None:
    first = api.create()
    api.update(1)
    stale = [{"CurrentApplicationVersionId": 1}, {"ConditionalToken": first["ConditionalToken"]}]
    for given in stale:
        refused = api.error("UpdateApplication", ApplicationName="student", **given)
        assert refused.code == "ConcurrentModificationException"
    assert api.error("UpdateApplication", ApplicationName="student").code == "InvalidArgumentException"
    token = api.describe()["ConditionalToken"]
    updated = api("UpdateApplication", ApplicationName="student", ConditionalToken=token)
    assert updated["ApplicationDetail"]["ApplicationVersionId"] == 3


def test_versions_keep_their_configuration(api: Api) -> None:
    api.create()
    api.update(1, parallelism=2)
    api.update(2, parallelism=3)
    assert [api.parallelism(version) for version in (1, 2, 3)] == [1, 2, 3]
    listed = api("ListApplicationVersions", ApplicationName="student", Limit=2)
    assert [one["ApplicationVersionId"] for one in listed["ApplicationVersionSummaries"]] == [3, 2]
    unknown = api.error("DescribeApplicationVersion", ApplicationName="student", ApplicationVersionId=4)
    assert unknown.code == "ResourceNotFoundException"
    assert api.describe()["ApplicationVersionUpdatedFrom"] == 2


def test_an_update_replaces_property_groups_and_merges_the_rest(api: Api) -> None:
    api.create()
    groups = [group("g", a="1")]
    api(
        "UpdateApplication",
        ApplicationName="student",
        CurrentApplicationVersionId=1,
        ApplicationConfigurationUpdate={
            "EnvironmentPropertyUpdates": {"PropertyGroups": groups},
            "ApplicationCodeConfigurationUpdate": {
                "CodeContentUpdate": {"S3ContentLocationUpdate": {"FileKeyUpdate": "other.zip"}}
            },
        },
    )
    configuration = api.describe()["ApplicationConfigurationDescription"]
    assert configuration["EnvironmentPropertyDescriptions"]["PropertyGroupDescriptions"] == groups
    code = configuration["ApplicationCodeConfigurationDescription"]["CodeContentDescription"]
    assert code == {"S3ApplicationCodeLocationDescription": {"BucketARN": "arn:aws:s3:::b", "FileKey": "other.zip"}}, (
        "no size and no MD5 of an object that is not there"
    )


@pytest.mark.parametrize("content", [{"ZipFileContentUpdate": "UEs="}, {"TextContentUpdate": "x"}])
def test_code_beside_the_zip_in_s3_changes_nothing(api: Api, content: dict[str, str]) -> None:
    api.create()
    before = api.describe()
    refused = api.error(
        "UpdateApplication",
        ApplicationName="student",
        CurrentApplicationVersionId=1,
        ApplicationConfigurationUpdate={"ApplicationCodeConfigurationUpdate": {"CodeContentUpdate": content}},
    )
    assert (refused.code, "S3ContentLocation alone" in str(refused)) == ("InvalidArgumentException", True)
    assert api.describe() == before


def test_logging_options(api: Api) -> None:
    api.create()
    option = {"LogStreamARN": "arn:aws:logs:us-east-1:000000000000:log-group:g:log-stream:s"}
    add = {"ApplicationName": "student", "CloudWatchLoggingOption": option}
    added = api("AddApplicationCloudWatchLoggingOption", CurrentApplicationVersionId=1, **add)
    (described,) = added["CloudWatchLoggingOptionDescriptions"]
    assert (added["ApplicationVersionId"], described["CloudWatchLoggingOptionId"]) == (2, "2.1")
    second = api.error("AddApplicationCloudWatchLoggingOption", CurrentApplicationVersionId=2, **add)
    assert second.code == "InvalidArgumentException"
    stale = {"ApplicationName": "student", "CloudWatchLoggingOptionId": "2.1", "CurrentApplicationVersionId": 1}
    assert api.error("DeleteApplicationCloudWatchLoggingOption", **stale).code == "ConcurrentModificationException"
    deleted = api("DeleteApplicationCloudWatchLoggingOption", **(stale | {"CurrentApplicationVersionId": 2}))
    assert deleted["CloudWatchLoggingOptionDescriptions"] == []
    assert api.describe()["ApplicationVersionId"] == 3


def test_tags(api: Api) -> None:
    arn = api.create()["ApplicationARN"]
    api("TagResource", ResourceARN=arn, Tags=[{"Key": "b", "Value": "2"}, {"Key": "a", "Value": "1"}])
    api("UntagResource", ResourceARN=arn, TagKeys=["b"])
    assert api("ListTagsForResource", ResourceARN=arn)["Tags"] == [{"Key": "a", "Value": "1"}]
    assert api.error("ListTagsForResource", ResourceARN=arn + "2").code == "ResourceNotFoundException"
    many = [{"Key": f"k{n}", "Value": ""} for n in range(50)]
    assert api.error("TagResource", ResourceARN=arn, Tags=many).code == "TooManyTagsException"


def test_the_maintenance_window_is_eight_hours(api: Api) -> None:
    api.create()
    update = {"ApplicationMaintenanceWindowStartTimeUpdate": "22:30"}
    answer = api(
        "UpdateApplicationMaintenanceConfiguration",
        ApplicationName="student",
        ApplicationMaintenanceConfigurationUpdate=update,
    )
    window = {"ApplicationMaintenanceWindowStartTime": "22:30", "ApplicationMaintenanceWindowEndTime": "06:30"}
    assert answer["ApplicationMaintenanceConfigurationDescription"] == window
    assert api.describe()["ApplicationMaintenanceConfigurationDescription"] == window


def test_the_dashboard_is_there_while_the_application_runs(api: Api) -> None:
    api.create()
    asked = {"ApplicationName": "student", "UrlType": "FLINK_DASHBOARD_URL"}
    assert api.error("CreateApplicationPresignedUrl", **asked).code == "ResourceInUseException"
    api.run()
    assert api("CreateApplicationPresignedUrl", **asked) == {"AuthorizedUrl": "http://127.0.0.1:8081"}
    zeppelin = asked | {"UrlType": "ZEPPELIN_UI_URL"}
    assert api.error("CreateApplicationPresignedUrl", **zeppelin).code == "InvalidArgumentException"


def test_every_operation_of_the_api_is_answered(api: Api) -> None:
    api.create()
    for operation in SERVICE.operation_names:
        error = api.error(operation, ApplicationName="nobody") if operation != "ListApplications" else None
        assert error is None or error.code in ("ValidationException", "ResourceNotFoundException"), operation
    role = "arn:aws:iam::000000000000:role/LabRole"
    assert api.error("DiscoverInputSchema", ServiceExecutionRole=role).code == "UnsupportedOperationException"
    sql = {"ApplicationName": "student", "CurrentApplicationVersionId": 1, "OutputId": "1.1"}
    assert api.error("DeleteApplicationOutput", **sql).code == "UnsupportedOperationException"
    assert api.error("MakeCoffee").code == "UnknownOperationException"
