"""A client of a service that the account does not have gets one error that it can read, in each protocol of AWS."""

import pytest
from botocore.exceptions import ClientError

from tests.support.account import EmbeddedAccount

CALLS = {
    "cloudformation": "list_stacks",  # query
    "ec2": "describe_instances",  # ec2
    "route53": "list_hosted_zones",  # rest-xml
    "firehose": "list_delivery_streams",  # json
    "glue": "get_databases",  # json
    "dynamodb": "list_tables",  # json
    "sqs": "list_queues",  # json
    "apigatewayv2": "get_apis",  # rest-json
    "arc-region-switch": "list_plans_in_region",  # rpc-v2-cbor
}


@pytest.mark.parametrize("service", CALLS)
def test_the_error_names_the_service(account: EmbeddedAccount, service: str) -> None:
    with pytest.raises(ClientError) as refused:
        getattr(account.client(service), CALLS[service])()
    error = refused.value.response["Error"]
    assert error["Code"] == "UnsupportedOperationException"
    assert error["Message"].startswith(f"The embedded account has no {service.removesuffix('v2')}; it has iam, kinesis")


def test_a_service_that_is_there_is_answered(account: EmbeddedAccount) -> None:
    assert account.client("cloudwatch").list_metrics()["Metrics"] == []
    assert account.client("sts").get_caller_identity()["Account"] == "000000000000"
