"""The series with target=aws, in us-west-2 and an account of another number: it cannot tell that it is not AWS.

And what it called, compared with the policies in iam/ and with the service models of botocore.
"""

import re

import pytest

from lab.deploy.policies import POLICIES, policy
from tests.aws.answers import complaints
from tests.aws.conftest import NUMBER, REGION, SECRET, RecordedSeries
from tests.aws.permissions import REASONS, allowed, needs

pytestmark = pytest.mark.slow  # about 90 s, all of it the recorded series

# What MiniStack says otherwise than the model, and why nothing here leans on it.
# A reason is empty where AWS leaves it out, and "Updating" during an update; the lab waits for states, not for reasons.
# MiniStack has no Service Quotas; the preflight takes any refusal of it for "not known".
KNOWN = re.compile(r"ReasonCode is '(Updating)?', none of|^servicequotas ListServiceQuotas \(400\)")


def test_the_series_passes_twice(recorded: RecordedSeries) -> None:
    """The second run meets everything the first one made: nothing breaks, nothing is made twice, and the windows of
    both replays are right."""
    assert recorded.first.code == 0, recorded.first.printed
    assert recorded.first.results["score"] == 170
    assert "718 of 718 windows equal, none missing, none extra." in recorded.first.comparison
    assert recorded.again.code == 0, recorded.again.printed
    assert "none missing, none extra." in recorded.again.comparison
    counted = re.search(r"(\d[\d,]*) reviews and", recorded.again.comparison)
    assert counted and counted[1] == "10,100"


def test_the_diagnosis_and_the_clean_up_work_too(recorded: RecordedSeries) -> None:
    assert "Nothing is wrong" in recorded.diagnosis.stdout, recorded.diagnosis.stdout + recorded.diagnosis.stderr
    assert recorded.cleanup.returncode == 0, recorded.cleanup.stderr[-2000:]
    # Its last cell ends only when nothing of the lab is left; before, it deleted each kind of resource.
    deleted = {(call.operation, value) for call in recorded.calls for value in map(str, call.parameters.values())}
    assert deleted >= {
        ("DeleteApplication", "student"),
        ("DeleteFunction", "reviewProducer"),
        ("DeleteStream", "reviews"),
        ("DeleteStream", "suspicious_activity"),
        ("DeleteBucket", f"{NUMBER}-landing-zone"),
        ("DeleteBucket", f"{NUMBER}-flink"),
        ("DeleteLogGroup", "/aws/kinesis-analytics/student"),
    }


def test_no_key_is_in_what_was_said_or_left(recorded: RecordedSeries) -> None:
    """Not in a notebook's output, a result, a report, a log of the account, of a function or of Flink."""
    for said in (recorded.first.printed, recorded.again.printed, recorded.diagnosis.stdout, recorded.cleanup.stderr):
        assert SECRET not in said
    files = [path for path in recorded.left.rglob("*") if path.is_file()]
    assert {".ipynb", ".html", ".json", ".log"} <= {path.suffix for path in files}
    assert not [path for path in files if SECRET.encode() in path.read_bytes()]


def test_every_call_is_in_the_one_region_and_account(recorded: RecordedSeries) -> None:
    """A name or ARN written into the code would lead elsewhere."""
    asked = {(call.account, call.region) for call in recorded.calls if call.caller != "account"}
    assert asked == {(NUMBER, REGION)}
    for call in recorded.calls:
        if call.caller != "account":
            for arn in re.findall(r"arn:aws:[\w-]+:([\w-]*):(\d*):", str(call.parameters)):
                assert arn in {(REGION, NUMBER), ("", NUMBER), ("", "")}, f"{call} names {arn}: {call.parameters}"


def test_every_caller_was_heard(recorded: RecordedSeries) -> None:
    heard = {caller: {call.service for call in recorded.calls if call.caller == caller} for caller in
             ("student", "producer", "flink")}  # fmt: skip
    assert heard["student"] >= {"s3", "kinesis", "lambda", "kinesisanalyticsv2", "logs", "sts"}
    assert heard["producer"] == {"s3", "kinesis"}
    assert heard["flink"] == {"kinesis"}


def test_every_answer_is_one_botocores_model_knows(recorded: RecordedSeries) -> None:
    """boto3 checks requests before it sends them; that the embedded account's answers are AWS's, nobody checks else."""
    read = [call for call in recorded.calls if call.answer is not None]
    assert len({(call.service, call.operation) for call in read}) > 40
    wrong = {one for call in read for one in complaints(call) if not KNOWN.search(one)}
    assert not wrong, "\n".join(sorted(wrong))


@pytest.mark.parametrize("name", POLICIES)
def test_every_recorded_call_is_allowed(name: str, recorded: RecordedSeries) -> None:
    given = policy(name, NUMBER, REGION)
    lacking = {
        f"{call} needs {need}: add {need.action} to a statement of iam/{name}.json, and its reason to iam/reasons.yaml"
        for call in recorded.calls
        if call.caller == name
        for need in needs(call)
        if not allowed(given, need)
    }
    assert not lacking, "\n".join(sorted(lacking))


@pytest.mark.parametrize("name", POLICIES)
def test_every_allowed_action_is_used(name: str, recorded: RecordedSeries) -> None:
    used = {need.action for call in recorded.calls if call.caller == name for need in needs(call)}
    idle = [action for action, reason in REASONS[name].items() if isinstance(reason, str) and action not in used]
    assert not idle, f"no call of the series needs {idle}: take them out of iam/{name}.json, or say why as `unseen`"
