"""Tags of streams by both of their APIs, and at creation, in a real embedded account."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from localaws.errors import ApiError
from localaws.kinesis.tags import checked
from tests.support.account import EmbeddedAccount


@pytest.fixture
def kinesis(account: EmbeddedAccount) -> Any:
    kinesis = account.client("kinesis")
    kinesis.create_stream(StreamName="tagged", ShardCount=1, Tags={"b": "2", "a": "1"})
    yield kinesis
    kinesis.delete_stream(StreamName="tagged")


def test_tags_of_create_stream_are_there_and_both_apis_see_the_same(kinesis: Any) -> None:
    arn = kinesis.describe_stream_summary(StreamName="tagged")["StreamDescriptionSummary"]["StreamARN"]
    both = [{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}]
    assert kinesis.list_tags_for_stream(StreamName="tagged")["Tags"] == both
    assert kinesis.list_tags_for_resource(ResourceARN=arn)["Tags"] == both
    kinesis.tag_resource(ResourceARN=arn, Tags={"c": "3"})
    kinesis.add_tags_to_stream(StreamName="tagged", Tags={"a": "one"})
    kinesis.untag_resource(ResourceARN=arn, TagKeys=["b", "unknown"])
    page = kinesis.list_tags_for_stream(StreamName="tagged", Limit=1)
    assert (page["Tags"], page["HasMoreTags"]) == ([{"Key": "a", "Value": "one"}], True)
    rest = kinesis.list_tags_for_stream(StreamName="tagged", ExclusiveStartTagKey="a")
    assert (rest["Tags"], rest["HasMoreTags"]) == ([{"Key": "c", "Value": "3"}], False)
    kinesis.remove_tags_from_stream(StreamName="tagged", TagKeys=["a", "c"])
    assert kinesis.list_tags_for_resource(ResourceARN=arn)["Tags"] == []


def test_what_is_no_tag_makes_no_stream(kinesis: Any) -> None:
    with pytest.raises(ClientError) as refused:
        kinesis.create_stream(StreamName="untaggable", ShardCount=1, Tags={"a": "<>"})
    assert refused.value.response["Error"]["Code"] == "InvalidArgumentException"
    assert "untaggable" not in kinesis.list_streams()["StreamNames"]


def test_a_resource_that_is_not_there(kinesis: Any) -> None:
    with pytest.raises(kinesis.exceptions.ResourceNotFoundException):
        kinesis.list_tags_for_resource(ResourceARN="arn:aws:kinesis:us-east-1:000000000000:stream/nowhere")


@pytest.mark.parametrize(
    ("tags", "code"),
    [
        ({str(number): "" for number in range(51)}, "LimitExceededException"),
        ({"aws:k": ""}, "InvalidArgumentException"),
    ],
)
def test_tags_that_cannot_be(tags: dict[str, str], code: str) -> None:
    with pytest.raises(ApiError) as refused:
        checked(tags)
    assert refused.value.code == code
