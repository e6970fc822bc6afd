"""A bucket of the lab is tagged by the call that makes it: broken off at any later call, the next run goes on."""

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import EndpointConnectionError

from lab.account.inventory import bucket
from lab.core.session import Session
from lab.deploy.buckets import make_bucket

CALLS = ["HeadBucket", "CreateBucket", "PutPublicAccessBlock", "PutBucketEncryption", "PutBucketPolicy"]


@pytest.mark.parametrize("region", ["us-east-1", "us-west-2"])
@pytest.mark.parametrize("broken", CALLS[2:])
def test_broken_off_after_it_was_made_the_bucket_is_the_labs(furnish, capsys, broken: str, region: str) -> None:
    session = Session("aws", region, furnish().session.account, None, run_id="broken-off")
    name = f"made-{broken.lower()}-{region}"
    s3 = boto3.client("s3", region_name=region, config=Config(retries={"total_max_attempts": 1}))
    calls: list[str] = []

    def refuse(request, event_name: str, **_) -> None:
        calls.append(event_name.rsplit(".", 1)[1])
        if calls[-1] == broken and calls.count(broken) == 1:
            raise EndpointConnectionError(endpoint_url=request.url)

    s3.meta.events.register("before-send.s3", refuse)
    with pytest.raises(EndpointConnectionError):
        make_bucket(s3, name, session)
    assert bucket(name).ours and dict(bucket(name).tags) == session.tags

    make_bucket(s3, name, session)
    assert capsys.readouterr().out == f"The bucket {name} existed already, and is closed to the public.\n"
    assert calls[: CALLS.index(broken) + 1] == CALLS[: CALLS.index(broken) + 1]
    assert calls[CALLS.index(broken) + 1 :] == ["HeadBucket", *CALLS[2:]]  # not made a second time, and closed
    assert s3.get_public_access_block(Bucket=name)["PublicAccessBlockConfiguration"]["BlockPublicPolicy"]
    s3.delete_bucket(Bucket=name)
