"""The preflight against a real embedded account reached as one on AWS, and with what only AWS answers injected."""

import json
from datetime import timedelta

import pytest
from botocore.credentials import Credentials, RefreshableCredentials

from lab import cli
from lab.checks import preflight
from lab.checks.preflight import Preflight, PreflightFailed, UncheckedAccount, check_account, credentials_life, look_at
from lab.checks.probe import NotKnown, Probe, Trouble, take_all
from lab.core.session import Session
from tests.lab.stubbed_account import ANN, FLINK, LAMBDA, NOW, SESSION, STUDENT, says, trust

# ---- the whole of it, on a real account


def test_an_empty_account_is_ready_and_says_where_to_begin(furnish, capsys) -> None:
    furnish()
    assert cli.main(["doctor", "--target", "aws"]) == 0
    said = capsys.readouterr().out
    assert "The lab can start.\nNothing of it is there yet: begin with 01_streams." in said
    for line in ("who", "region", "credentials", "role", "role's policies", "dry calls", "your policies",
                 "streams' quota", "Flink runtime", "already there"):  # fmt: skip
        assert f"OK         {line} " in said, said
    assert "not known  other quotas" in said and "Service Quotas does not answer here" in said
    assert "no call says whether this account offers it" in said


def test_an_account_with_the_lab_in_it_is_walked_too(furnish, account, capsys) -> None:
    others = account.client("kinesis").describe_limits()  # of tests that share the account
    shards, streams = others["OpenShardCount"] + 5, others["OnDemandStreamCount"] + 2
    furnish().everything()
    assert cli.main(["doctor", "--target", "aws"]) == 1  # nothing was uploaded yet
    said = capsys.readouterr().out
    assert "10 resources of the lab (run run-1); 05_cleanup removes them" in said
    assert "run 01_streams first" in said
    assert f"{shards} of 20000 shards and {streams} of 50 on-demand streams are in use, the lab's among them" in said


def test_a_name_of_the_lab_on_somebody_elses_bucket_stops_before_anything_is_made(furnish, capsys) -> None:
    furnished = furnish(tagged=False)
    furnished.bucket(furnished.session.landing_zone)
    with pytest.raises(PreflightFailed, match="bucket 000000000000-landing-zone bear names of the lab but not its tag"):
        check_account(furnished.session)
    assert "WRONG" in capsys.readouterr().out  # all lines were shown before it raised
    assert cli.main(["doctor", "--target", "aws"]) == 1
    assert "1 of 11 are to be put right before the lab can start." in capsys.readouterr().out


def test_the_embedded_account_is_ready_in_one_line() -> None:
    shown = check_account(Session("local", "us-east-1", "0", "http://127.0.0.1:1"))._repr_mimebundle_()
    assert shown == {
        "text/plain": "account 0, region us-east-1, embedded at http://127.0.0.1:1: always ready, nothing has to be "
        "looked at"
    }


def test_a_role_that_trusts_too_few_or_may_too_little(furnish) -> None:
    furnished = furnish()
    iam = furnished.account.client("iam")
    document = iam.get_role(RoleName="LabRole")["Role"]["AssumeRolePolicyDocument"]
    policy = iam.get_role_policy(RoleName="LabRole", PolicyName="Services")["PolicyDocument"]
    try:
        iam.update_assume_role_policy(RoleName="LabRole", PolicyDocument=json.dumps(trust(LAMBDA)))
        narrow = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}
        iam.put_role_policy(RoleName="LabRole", PolicyName="Services", PolicyDocument=json.dumps(narrow))
        found = look_at(UncheckedAccount(furnished.session))
        assert f"LabRole does not trust {FLINK}: add it to the role's trust policy." in found.wrong
        denied = "LabRole may not kinesis:ListShards, kinesis:PutRecords, kinesis:DescribeStream, kinesis:Get"
        assert any(one.startswith(denied) and "stream/suspicious_activity" in one for one in found.wrong), found.wrong
    finally:
        iam.update_assume_role_policy(RoleName="LabRole", PolicyDocument=json.dumps(document))
        iam.put_role_policy(RoleName="LabRole", PolicyName="Services", PolicyDocument=json.dumps(policy))


def test_no_network_and_no_credentials_end_in_a_sentence(monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    for name, value in {
        "AWS_ENDPOINT_URL": "http://127.0.0.1:9", "AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x",
        "AWS_MAX_ATTEMPTS": "1",
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    assert cli.main(["doctor", "--target", "aws"]) == 1
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and "AWS did not accept the credentials" in said


# ---- what only AWS answers


def test_lines_are_taken_independently_and_shown() -> None:
    def wrong(account: UncheckedAccount) -> str:
        raise Trouble("Do this.")

    def unknown(account: UncheckedAccount) -> str:
        raise NotKnown("Nobody says.")

    probes = [Probe("a", "a", wrong), Probe("b", "b", unknown), Probe("c", "c", lambda account: "fine")]
    found = Preflight(take_all(probes, UncheckedAccount(SESSION)))
    assert found.text.splitlines()[:3] == [
        "  WRONG      a  Do this.",
        "  not known  b  Nobody says.",
        "  OK         c  fine",
    ]
    assert found.wrong == ["Do this."] and found.text.endswith("1 of 3 are to be put right before the lab can start.")
    assert "✘ WRONG" in found._repr_mimebundle_()["text/html"]


def test_who_and_where(stubbed) -> None:
    sts = stubbed("sts")
    sts.add_response("get_caller_identity", {"Arn": STUDENT})
    account = UncheckedAccount(Session("aws", "eu-west-1", "123456789012", None))
    assert preflight.who.ask(account).endswith("a session of a Learner Lab")
    with says(Trouble, "A Learner Lab works in us-east-1 and us-west-2, not in eu-west-1"):
        preflight.region.ask(account)
    sts.add_response("get_caller_identity", {"Arn": ANN})
    with says(Trouble, "no Managed Flink in mars-north-1"):
        preflight.region.ask(UncheckedAccount(Session("aws", "mars-north-1", "1", None)))


def test_dry_calls_name_what_is_refused(stubbed) -> None:
    for service, call in (("s3", "list_buckets"), ("lambda", "list_functions"), ("logs", "describe_log_groups")):
        stubbed(service).add_response(call, {})
    for service, call in (("kinesis", "list_streams"), ("kinesisanalyticsv2", "list_applications")):
        stubbed(service).add_client_error(call, "AccessDeniedException")
    with says(Trouble, "kinesis list_streams (AccessDeniedException), kinesisanalyticsv2 list_applications"):
        preflight.dry_calls.ask(UncheckedAccount(SESSION))


@pytest.mark.parametrize(
    ("limits", "shards", "sentence"),
    [
        ({"ShardLimit": 200, "OpenShardCount": 0, "OnDemandStreamCount": 49, "OnDemandStreamCountLimit": 50}, 0,
         "the lab needs two"),
        ({"ShardLimit": 10, "OpenShardCount": 2, "OnDemandStreamCount": 0, "OnDemandStreamCountLimit": 50}, 2,
         "the lab needs 9 shards more"),
        ({"ShardLimit": 10, "OpenShardCount": 1, "OnDemandStreamCount": 50, "OnDemandStreamCountLimit": 50}, 2, ""),
    ],
)  # fmt: skip
def test_the_streams_quota(stubbed, limits: dict[str, int], shards: int, sentence: str) -> None:
    stubbed("kinesis").add_response("describe_limits", limits)
    account = UncheckedAccount(SESSION, shards)
    account.found = []
    if not sentence:
        assert preflight.streams_quota.ask(account).startswith("1 of 10 shards and 50 of 50 on-demand streams")
        return
    with says(Trouble, sentence):
        preflight.streams_quota.ask(account)


def test_service_quotas_where_they_may_be_read(stubbed) -> None:
    quotas = {"Quotas": [{"QuotaName": "Applications", "Value": 100.0}, {"QuotaName": "KPUs", "Value": 64.0}]}
    stubbed("service-quotas").add_response("list_service_quotas", quotas, {"ServiceCode": "kinesisanalytics"})
    assert preflight.other_quotas.ask(UncheckedAccount(SESSION)).startswith("Managed Flink: Applications 100, KPUs 64;")
    stubbed("service-quotas").add_client_error("list_service_quotas", "AccessDeniedException")
    with says(NotKnown, "(AccessDeniedException)", "2 KPUs"):
        preflight.other_quotas.ask(UncheckedAccount(SESSION))


def expiring(minutes: float, method: str) -> RefreshableCredentials:
    return RefreshableCredentials("key", "secret", "token", NOW + timedelta(minutes=minutes), dict, method)


def test_the_life_of_credentials() -> None:
    assert credentials_life(Credentials("k", "s", method="env"), NOW) == "keys that do not expire, from env"
    assert credentials_life(expiring(90, "env"), NOW) == "until 13:30 UTC, 90 minutes"
    assert credentials_life(expiring(5, "sso"), NOW).endswith("5 minutes, and botocore renews them (sso)")
    with says(Trouble, "last until 12:20 UTC, 20 minutes", "renew them"):
        credentials_life(expiring(20, "env"), NOW)
    with says(Trouble, "0 minutes"):
        credentials_life(expiring(-20, "env"), NOW)
    with says(NotKnown, "four hours after *Start Lab*"):
        credentials_life(Credentials("k", "s", "token", method="env"), NOW)
    with says(Trouble, "finds no credentials"):
        credentials_life(None, NOW)


def test_an_old_boto3_does_not_know_the_runtime(stubbed, monkeypatch: pytest.MonkeyPatch) -> None:
    stubbed("kinesisanalyticsv2")
    assert preflight.runtime.ask(UncheckedAccount(SESSION)).startswith("FLINK-1_20 is in the API")
    monkeypatch.setattr("lab.checks.preflight.RUNTIME", "FLINK-9_9")
    with says(Trouble, "This boto3 does not know FLINK-9_9", "FLINK-1_20"):
        preflight.runtime.ask(UncheckedAccount(SESSION))
