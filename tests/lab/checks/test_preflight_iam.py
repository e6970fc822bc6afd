"""What the preflight asks IAM, with what only AWS answers injected; the questions come from iam/."""

from dataclasses import replace
from typing import Any

import pytest

from lab.checks.preflight_iam import Question, allowed, concrete, questions, role_trust, source_arn, trusted_services
from lab.checks.probe import NotKnown, Trouble
from lab.deploy.policies import POLICIES, policy
from tests.aws.permissions import Need, actions_of, allowed as allowed_by
from tests.lab.stubbed_account import ANN, FLINK, LAMBDA, SESSION, STUDENT, role, says, trust


def test_whom_a_trust_policy_trusts() -> None:
    assert trusted_services(trust(LAMBDA, FLINK), "1") == {LAMBDA, FLINK}
    assert trusted_services({"Statement": trust(LAMBDA)["Statement"][0]}, "1") == {LAMBDA}
    of_one = trust(LAMBDA, Condition={"StringEquals": {"aws:SourceAccount": "1"}})
    assert (trusted_services(of_one, "1"), trusted_services(of_one, "2")) == ({LAMBDA}, set())
    assert trusted_services(trust(LAMBDA, Effect="Deny"), "1") == set()
    assert (
        trusted_services({"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "sts:AssumeRole"}]}, "1")
        == set()
    )


def test_the_role_in_a_learner_lab_and_in_an_account_of_ones_own(stubbed) -> None:
    iam = stubbed("iam")
    iam.add_response("get_role", role(trust(LAMBDA, FLINK, "scheduler.amazonaws.com")))
    assert role_trust(SESSION, ANN).endswith("and also scheduler.amazonaws.com")
    iam.add_client_error("get_role", "AccessDenied")
    with says(NotKnown, "may not read LabRole"):
        role_trust(SESSION, STUDENT)
    iam.add_client_error("get_role", "NoSuchEntity")
    with says(Trouble, "no role LabRole in account 123456789012", "start the lab anew"):
        role_trust(SESSION, STUDENT)
    iam.add_client_error("get_role", "NoSuchEntity")
    with says(Trouble, f"create a role LabRole that {LAMBDA} and {FLINK} may assume"):
        role_trust(SESSION, ANN)
    iam.add_response("get_role", role(trust(FLINK)))
    with says(Trouble, f"does not trust {LAMBDA}", "reset the lab"):
        role_trust(SESSION, STUDENT)


def test_policies_are_asked_where_iam_answers(stubbed) -> None:
    iam = stubbed("iam")
    actions = ("s3:CreateBucket", "s3:DeleteBucket")
    wanted = [Question("arn:aws:s3:::b", actions, (("aws:RequestedRegion", "us-east-1"),))]
    context = [{"ContextKeyName": "aws:RequestedRegion", "ContextKeyValues": ["us-east-1"], "ContextKeyType": "string"}]
    asked = {
        "PolicySourceArn": ANN, "ActionNames": list(actions), "ResourceArns": ["arn:aws:s3:::b"],
        "ContextEntries": context,
    }  # fmt: skip

    def answer(*decisions: str, **more: Any) -> dict[str, Any]:
        results = zip(actions[-len(decisions) :], decisions, strict=True)
        return {"EvaluationResults": [{"EvalActionName": one, "EvalDecision": said} for one, said in results], **more}

    iam.add_response("simulate_principal_policy", answer("allowed", "allowed"), asked)
    assert allowed(ANN, wanted) == "the policies of ann allow all 2 actions that were asked for"
    # IAM may answer in pages: what is denied on the second one counts.
    iam.add_response("simulate_principal_policy", answer("allowed", IsTruncated=True, Marker="2"), asked)
    iam.add_response("simulate_principal_policy", answer("explicitDeny"), {**asked, "Marker": "2"})
    with says(Trouble, "ann may not s3:DeleteBucket on arn:aws:s3:::b: add that"):
        allowed(ANN, wanted)
    for _ in range(6):
        iam.add_response("simulate_principal_policy", answer("implicitDeny", "implicitDeny"))
    with says(Trouble, "nor what is needed on 2 more resources", "s3:CreateBucket, s3:DeleteBucket on arn:aws:s3:::0;"):
        allowed(ANN, [replace(wanted[0], resource=f"arn:aws:s3:::{number}") for number in range(6)])
    iam.add_client_error("simulate_principal_policy", "AccessDenied")
    with says(NotKnown, "IAM does not answer what ann may do (AccessDenied)"):
        allowed(ANN, wanted)


@pytest.mark.parametrize("name", POLICIES)
def test_every_action_of_a_policy_is_asked_for_and_fits_it(name: str) -> None:
    """The questions come from iam/: each is one that the policy itself would answer with yes, and nothing is left out
    but what the preflight calls itself."""
    given = policy(name, SESSION.account, SESSION.region)
    asked = questions(SESSION, name)
    for one in asked:
        assert one.resource == "*" or not set("*?") & set(one.resource)
        for action in one.actions:
            assert allowed_by(given, Need(action, one.resource, dict(one.context))), f"{action} on {one.resource}"
    lacking = set(actions_of(given)) - {action for one in asked for action in one.actions}
    own = {"iam:GetRole", "iam:SimulatePrincipalPolicy", "kinesis:DescribeLimits", "servicequotas:ListServiceQuotas"}
    assert lacking == (own if name == "student" else set())
    for statement in given["Statement"]:  # the one operator whose values can be handed to the simulator as they are
        assert set(statement.get("Condition", {})) <= {"StringEquals"}


def test_passing_the_role_is_asked_for_each_service() -> None:
    passed = [dict(one.context) for one in questions(SESSION, "student") if "iam:PassRole" in one.actions]
    assert passed == [
        {"aws:RequestedRegion": "us-east-1", "iam:PassedToService": service} for service in (LAMBDA, FLINK)
    ]


def test_an_arn_without_its_wildcards() -> None:
    group = "arn:aws:logs:us-east-1:1:log-group:/g"
    assert concrete(f"{group}:*") == concrete(f"{group}:log-stream:*") == f"{group}:log-stream:any"
    assert (concrete("*"), concrete(group), concrete("arn:aws:s3:::b/*")) == ("*", group, "arn:aws:s3:::b/any")


def test_a_sessions_policies_are_those_of_its_role(stubbed) -> None:
    iam = stubbed("iam")
    assert source_arn(ANN) == ANN
    with_path = "arn:aws:iam::123456789012:role/labs/voclabs"
    iam.add_response("get_role", role(trust(LAMBDA), with_path), {"RoleName": "voclabs"})
    assert source_arn(STUDENT) == with_path
    iam.add_client_error("get_role", "AccessDenied")
    with says(NotKnown, "may not read their own role voclabs"):
        source_arn(STUDENT)
