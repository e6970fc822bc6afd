"""The scheduled stop of the README, checked against botocore's model of the services it names and the role in iam/."""

import json
import re
import shlex

import botocore.session
from botocore.validate import validate_parameters

from lab.checks.preflight_iam import trusted_services
from lab.deploy.policies import policy
from tests.aws.permissions import Need, allowed
from tests.support.account import PROJECT


def test_the_schedule_of_the_readme_is_one_the_apis_take() -> None:
    command = re.search(r"aws scheduler create-schedule .*?\}'\n", (PROJECT / "README.md").read_text(), re.DOTALL)
    words = shlex.split(command[0].replace("\\\n", " "))[3:]
    given = dict(zip(words[::2], words[1::2], strict=True))
    target = json.loads(given["--target"])
    session = botocore.session.get_session()
    parameters = {
        "Name": given["--name"],
        "ScheduleExpression": given["--schedule-expression"],
        "FlexibleTimeWindow": dict([given["--flexible-time-window"].split("=")]),
        "ActionAfterCompletion": given["--action-after-completion"],
        "Target": target,
    }
    scheduler = session.get_service_model("scheduler")
    assert len(given) == len(parameters)
    validate_parameters(parameters, scheduler.operation_model("CreateSchedule").input_shape)
    assert parameters["ActionAfterCompletion"] in scheduler.shape_for("ActionAfterCompletion").enum
    assert re.fullmatch(r"at\(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\)", parameters["ScheduleExpression"])

    service, action = target["Arn"].removeprefix("arn:aws:scheduler:::aws-sdk:").split(":")
    operation = session.get_service_model(service).operation_model(action[0].upper() + action[1:])
    stopped = json.loads(target["Input"])
    validate_parameters(stopped, operation.input_shape)

    account = target["RoleArn"].split(":")[4]
    application = f"arn:aws:kinesisanalytics:us-east-1:{account}:application/{stopped['ApplicationName']}"
    assert allowed(policy("stop", account, "us-east-1"), Need(f"kinesisanalytics:{operation.name}", application))
    assert trusted_services(policy("stop-trust", account, "us-east-1"), account) == {"scheduler.amazonaws.com"}
