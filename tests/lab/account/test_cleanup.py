"""The clean-up in a real embedded account: what carries the tag goes, whatever state it is in; nothing else does."""

from typing import Any

import pytest
from botocore.stub import Stubber

from lab import cli
from lab.account import teardown
from lab.account.cleanup import StillThere, lab_resources, not_ours, wait_until_gone
from lab.account.inventory import existing
from lab.core.errors import AccountRefused
from lab.core.session import Session
from lab.deploy import buckets
from lab.deploy.buckets import NotEmptied, empty_bucket


def clean(*options: str) -> int:
    return cli.main(["clean", "--target", "aws", *options])


def names_of_buckets(furnished: Any) -> list[str]:
    return [bucket["Name"] for bucket in furnished.s3.list_buckets()["Buckets"]]


def test_everything_with_the_tag_goes_in_order_and_once_more_is_no_error(furnish, capsys) -> None:
    others = names_of_buckets(furnish())
    furnished = furnish().everything()
    session = furnished.session
    furnished.s3.put_bucket_versioning(Bucket=session.landing_zone, VersioningConfiguration={"Status": "Enabled"})
    for body in (b"one", b"two"):
        furnished.s3.put_object(Bucket=session.landing_zone, Key="sample.json", Body=body)
    furnished.s3.delete_object(Bucket=session.landing_zone, Key="sample.json")
    furnished.s3.create_multipart_upload(Bucket=session.flink_bucket, Key="never-finished")
    assert clean("--yes") == 0
    deleted = [line for line in capsys.readouterr().out.splitlines() if line.startswith("deleted")]
    assert [line.split()[1] for line in deleted] == [
        "application", "function", "stream", "stream", "stream", "stream", "bucket", "bucket", "log", "log",
    ]  # fmt: skip
    assert existing(session) == []
    assert names_of_buckets(furnished) == others
    assert clean("--yes") == 0
    assert "Nothing bears a name of the lab." in capsys.readouterr().out


def test_what_lacks_the_tag_stays(furnish, capsys) -> None:
    furnished = furnish(tagged=False).everything()
    furnished.s3.put_object(Bucket=furnished.session.landing_zone, Key="thesis", Body=b"mine")
    furnished.kinesis.add_tags_to_stream(StreamName="exercises", Tags=furnished.session.tags)
    furnished.kinesis.add_tags_to_stream(StreamName="reviews", Tags={"lab": "another"})
    before = len(existing(furnished.session))
    assert clean("--yes") == 0
    said = capsys.readouterr().out
    left = existing(furnished.session)
    assert "exercises" not in {one.name for one in left} and len(left) == before - 1
    assert furnished.s3.get_object(Bucket=furnished.session.landing_zone, Key="thesis")["Body"].read() == b"mine"
    assert "Left alone, because the tag lab=flink-review-lab is not on it: application student" in said
    assert "bucket 000000000000-landing-zone" in not_ours(left)
    assert set(lab_resources(furnished.session, until_gone=True)["of the lab"]) == {"no"}


def test_nobody_to_ask_deletes_nothing(furnish, capsys, monkeypatch: pytest.MonkeyPatch) -> None:
    furnished = furnish()
    furnished.stream("reviews")
    assert clean() == 2
    assert "add --yes" in capsys.readouterr().err
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("builtins.input", lambda question: "n")
    assert clean() == 1
    assert [one.name for one in existing(furnished.session)] == ["reviews"]
    monkeypatch.setattr("builtins.input", lambda question: "y")
    assert clean() == 0
    assert existing(furnished.session) == []


def test_an_interrupted_clean_up_goes_on_where_it_was(furnish, monkeypatch: pytest.MonkeyPatch) -> None:
    furnished = furnish().everything()
    calls = iter(range(100))

    def say(text: str) -> None:
        if next(calls) == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        teardown.take_down(furnished.session, existing(furnished.session), say)
    assert [one.kind for one in existing(furnished.session)][0] == "stream"
    assert clean("--yes") == 0
    assert existing(furnished.session) == []


def test_what_vanished_or_was_made_anew_meanwhile_is_not_deleted(furnish) -> None:
    furnished = furnish()
    furnished.stream("reviews")
    furnished.log_group("/aws/lambda/reviewProducer")
    seen = existing(furnished.session)
    furnished.kinesis.delete_stream(StreamName="reviews")
    furnished.logs.untag_resource(resourceArn=seen[1].arn, tagKeys=["lab"])
    said: list[str] = []
    teardown.take_down(furnished.session, seen, said.append)
    assert said == [
        "stream reviews was gone already",
        "log group /aws/lambda/reviewProducer is another one by now and stays",
    ]
    assert [one.name for one in existing(furnished.session)] == ["/aws/lambda/reviewProducer"]


def test_a_refusal_is_a_sentence_and_stops_there(furnish, monkeypatch: pytest.MonkeyPatch) -> None:
    furnished = furnish()
    furnished.function()
    seen = existing(furnished.session)
    lambda_ = furnished.account.client("lambda")
    real = teardown.boto3.client

    def client(service: str) -> object:
        return lambda_ if service == "lambda" else real(service)

    monkeypatch.setattr(teardown.boto3, "client", client)
    with Stubber(lambda_) as stub:
        stub.add_client_error("get_function", "AccessDeniedException", "no")
        with pytest.raises(AccountRefused, match="Deleting the function reviewProducer was refused"):
            teardown.take_down(furnished.session, seen, lambda text: None)


def test_an_object_that_is_kept_is_named(furnish) -> None:
    s3 = furnish().s3
    with Stubber(s3) as stub:
        stub.add_response("list_multipart_uploads", {})
        stub.add_response("list_object_versions", {"Versions": [{"Key": "a", "VersionId": "1"}]})
        stub.add_response("delete_objects", {"Errors": [{"Key": "a", "Code": "AccessDenied", "Message": "locked"}]})
        with pytest.raises(NotEmptied, match=r"the first being a \(AccessDenied: locked\)"):
            empty_bucket(s3, "b")
    assert buckets.tls_only("b")["Effect"] == "Deny"


def test_what_does_not_go_in_time_is_named(furnish) -> None:
    furnished = furnish()
    furnished.stream("reviews")
    with pytest.raises(StillThere, match=r"stream reviews \(ACTIVE\); clean up again"):
        wait_until_gone(furnished.session, timeout=0)


def test_an_empty_account_is_said_in_words(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("lab.account.cleanup.existing", lambda session: [])
    assert not len(lab_resources(Session("local", "us-east-1", "000000000000", None), until_gone=True))
    assert capsys.readouterr().out == "Nothing of the lab is there: no resource has one of its names.\n"
