"""The end of an application's hours; the application is a double that knows status and tags, the account a real one
where the tags are concerned."""

import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from lab.core.errors import BadParameter
from lab.flink import auto_stop


class Flink:
    """An application that runs, as far as the guard looks at it."""

    class exceptions:  # noqa: N801  as boto3 names it
        class ResourceNotFoundException(Exception):
            pass

    def __init__(self, status: str = "RUNNING", refuse: bool = False) -> None:
        self.status, self.refuse, self.tags = status, refuse, {"lab": "x"}
        self.stopped = threading.Event()

    def describe_application(self, ApplicationName: str) -> dict[str, Any]:  # noqa: N803
        return {"ApplicationDetail": {"ApplicationARN": "arn", "ApplicationStatus": self.status}}

    def list_tags_for_resource(self, ResourceARN: str) -> dict[str, Any]:  # noqa: N803
        return {"Tags": [{"Key": key, "Value": value} for key, value in self.tags.items()]}

    def tag_resource(self, ResourceARN: str, Tags: list[dict[str, str]]) -> None:  # noqa: N803
        self.tags |= {tag["Key"]: tag["Value"] for tag in Tags}

    def untag_resource(self, ResourceARN: str, TagKeys: list[str]) -> None:  # noqa: N803
        self.tags = {key: value for key, value in self.tags.items() if key not in TagKeys}

    def stop_application(self, ApplicationName: str, Force: bool) -> None:  # noqa: N803
        self.stopped.set()
        if self.refuse:
            raise ClientError({"Error": {"Code": "ExpiredTokenException", "Message": "old"}}, "StopApplication")
        self.status = "READY"

    def end_in(self, seconds: float) -> None:
        end = datetime.now(UTC) + timedelta(seconds=seconds)
        self.tags["stop_after"] = end.strftime("%Y-%m-%dT%H:%M:%SZ")


@pytest.fixture(autouse=True)
def no_timer_is_left():
    yield
    for name in list(auto_stop._timers):
        auto_stop._forget(name)


def test_the_end_is_a_tag_of_the_application_and_a_timer_of_this_kernel() -> None:
    flink = Flink()
    said = auto_stop.stop_after(flink, "student", 4)
    end = auto_stop.hours_end(flink, "student")
    assert abs((end - datetime.now(UTC)).total_seconds() - 4 * 3600) < 60
    assert said.startswith(f"student is stopped at {end:%H:%M} UTC, as long as this kernel")
    assert auto_stop._timers["student"].daemon and not flink.stopped.is_set()
    assert flink.tags["lab"] == "x"


def test_the_timer_stops_it() -> None:
    flink = Flink()
    flink.end_in(1)
    auto_stop.keep_to_hours(flink, "student")
    assert flink.stopped.wait(60)
    assert flink.status == "READY"


def test_a_later_notebook_stops_what_is_over_its_hours() -> None:
    flink = Flink()
    flink.end_in(-60)
    assert "is being stopped now" in auto_stop.keep_to_hours(flink, "student")
    assert flink.stopped.is_set()
    assert "is not running" in auto_stop.keep_to_hours(flink, "student")


def test_hours_that_were_prolonged_meanwhile_count() -> None:
    flink = Flink()
    flink.end_in(3600)
    auto_stop._stop_by_timer(flink, "student")  # the timer of an older end goes off
    assert not flink.stopped.is_set() and "student" in auto_stop._timers


def test_zero_is_no_end() -> None:
    flink = Flink()
    auto_stop.stop_after(flink, "student", 1)
    assert "until somebody stops it" in auto_stop.stop_after(flink, "student", 0)
    assert flink.tags == {"lab": "x"} and not auto_stop._timers
    assert "no hour at which it is stopped" in auto_stop.keep_to_hours(flink, "student")


@pytest.mark.parametrize("hours", [-1, 169, float("nan")])
def test_hours_that_cannot_be(hours: float) -> None:
    with pytest.raises(BadParameter, match="max_hours"):
        auto_stop.stop_after(Flink(), "student", hours)


def test_a_timer_that_may_not_stop_it_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    flink = Flink(refuse=True)
    flink.end_in(-1)
    auto_stop._stop_by_timer(flink, "student")
    assert "could not be stopped" in capsys.readouterr().err


def test_the_tag_is_kept_by_the_account(furnish) -> None:
    furnished = furnish()
    furnished.application()
    flink, arn = furnished.flink, "arn:aws:kinesisanalytics:us-east-1:000000000000:application/student"
    assert "is not running" in auto_stop.stop_after(flink, "student", 2)  # READY: nothing is to be stopped
    tags = {tag["Key"] for tag in flink.list_tags_for_resource(ResourceARN=arn)["Tags"]}
    assert tags == {"lab", "run_id", "owner", "stop_after"}
    auto_stop.stop_after(flink, "student", 0)
    assert len(flink.list_tags_for_resource(ResourceARN=arn)["Tags"]) == 3
