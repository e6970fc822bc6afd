"""The policies in iam/: linted, filled in, each action with its reason. test_series_on_aws.py has them meet calls."""

import json
import warnings
from pathlib import Path

import pytest

from lab.core.errors import BadParameter
from lab.deploy.policies import FILES, LARGEST, POLICIES, main, policy
from tests.aws.conftest import NUMBER, REGION
from tests.aws.permissions import REASONS, Need, actions_of, allowed

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # parliament imports pkg_resources
    from parliament import analyze_policy_string


@pytest.mark.parametrize("name", [*POLICIES, "stop"])
def test_parliament_finds_nothing(name: str) -> None:
    text = json.dumps(policy(name, NUMBER, REGION))
    found = analyze_policy_string(text, ignore_private_auditors=True).findings
    assert not found, [f"{one.issue}: {one.detail} {one.location}" for one in found]
    assert len(json.dumps(policy(name, NUMBER, REGION), separators=(",", ":"))) <= LARGEST


@pytest.mark.parametrize("name", [*POLICIES, "stop"])
def test_no_wildcard_in_an_action_and_none_without_need_in_a_resource(name: str) -> None:
    for statement in policy(name, NUMBER, REGION)["Statement"]:
        assert not [action for action in actions_of({"Statement": [statement]}) if "*" in action or "?" in action]
        if statement["Resource"] == "*":  # only what AWS knows no resource for, or lists a whole account
            assert set(statement["Action"]) <= {
                "kinesis:DescribeLimits", "kinesis:ListStreams", "kinesisanalytics:CreateApplication",
                "kinesisanalytics:ListApplications", "lambda:ListFunctions", "logs:DescribeLogGroups",
                "s3:ListAllMyBuckets", "servicequotas:ListServiceQuotas",
            }  # fmt: skip


@pytest.mark.parametrize("name", POLICIES)
def test_each_action_is_allowed_once_and_has_a_reason(name: str) -> None:
    actions = actions_of(policy(name, NUMBER, REGION))
    assert len(actions) == len(set(actions))
    assert set(actions) == set(REASONS[name]), "iam/reasons.yaml has to name the actions of the policy, and no others"
    assert all(isinstance(reason, str) or set(reason) == {"unseen"} for reason in REASONS[name].values())


def test_no_placeholder_is_left_and_no_other_account_is_named() -> None:
    for name in FILES:
        text = json.dumps(policy(name, NUMBER, REGION))
        assert "ACCOUNT_ID" not in text and "REGION" not in text
        assert "us-east-1" not in text


def test_the_command_writes_them(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--account", NUMBER, "--region", REGION, "--out", str(tmp_path)]) == 0
    assert capsys.readouterr().out.split() == [str(tmp_path / f"{name}.json") for name in FILES]
    assert json.loads((tmp_path / "flink.json").read_text()) == policy("flink", NUMBER, REGION)
    assert main(["--account", "4711", "--out", str(tmp_path)]) == 2
    assert "the number of an account has 12 digits" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "account", "region"),
    [("teacher", NUMBER, REGION), ("flink", "1", REGION), ("flink", NUMBER, "us-west-2/../../x")],
)
def test_what_cannot_be_is_refused(name: str, account: str, region: str) -> None:
    with pytest.raises(BadParameter):
        policy(name, account, region)


def test_a_policy_is_evaluated_as_iam_does() -> None:
    given = policy("student", NUMBER, REGION)
    reviews = f"arn:aws:kinesis:{REGION}:{NUMBER}:stream/reviews"
    assert allowed(given, Need("kinesis:PutRecords", reviews))
    assert not allowed(given, Need("kinesis:PutRecords", reviews + "2"))
    assert not allowed(given, Need("kinesis:MergeShards", reviews))
    role = f"arn:aws:iam::{NUMBER}:role/LabRole"
    assert allowed(given, Need("iam:PassRole", role, {"iam:PassedToService": "lambda.amazonaws.com"}))
    assert not allowed(given, Need("iam:PassRole", role, {"iam:PassedToService": "ec2.amazonaws.com"}))
