"""Close a bucket to the public, encrypt it, keep it for TLS alone; and empty one."""

import json
from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError

from lab.core.aws_errors import code_of
from lab.core.errors import LabError
from lab.core.session import Session


class NotEmptied(LabError):
    """Say that the account keeps objects of a bucket; ``first`` is an entry of DeleteObjects' Errors."""

    def __init__(self, bucket: str, first: Mapping[str, str], count: int) -> None:
        self.bucket, self.key = bucket, first.get("Key", "")
        super().__init__(
            f"{count} objects of the bucket {bucket} could not be deleted, the first being {self.key} "
            f"({first.get('Code', 'no code')}: {first.get('Message', 'no reason given').rstrip('.')}): look for a "
            "lock or a retention on it, then clean up again."
        )


def make_bucket(s3: Any, bucket: str, session: Session) -> None:
    """Make a bucket with the lab's tags where it does not exist, and close it.

    One that exists keeps its tags. Prints which of the two it was.

    One call makes and tags it: broken off at any point, the bucket is the lab's or is not there. In us-east-1 a bucket
    is made without a location, anywhere else with one.
    """
    done = "existed already"
    try:
        s3.head_bucket(Bucket=bucket)
    except ClientError as error:
        if code_of(error) != "404":
            raise
        tags = [{"Key": key, "Value": value} for key, value in session.tags.items()]
        place = {} if session.region == "us-east-1" else {"LocationConstraint": session.region}
        s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={**place, "Tags": tags})
        done = "is made"
    close_bucket(s3, bucket)
    print(f"The bucket {bucket} {done}, and is closed to the public.")  # noqa: T201


def close_bucket(s3: Any, bucket: str) -> None:
    """Block all public access to a bucket, encrypt what it keeps, and refuse requests that do not come over TLS."""
    s3.put_public_access_block(
        Bucket=bucket,
        PublicAccessBlockConfiguration={
            "BlockPublicAcls": True,
            "IgnorePublicAcls": True,
            "BlockPublicPolicy": True,
            "RestrictPublicBuckets": True,
        },
    )
    encryption = {"Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}]}
    s3.put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration=encryption)
    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps({"Version": "2012-10-17", "Statement": [tls_only(bucket)]}))


def tls_only(bucket: str) -> dict[str, Any]:
    """Return the statement of a bucket policy that denies every request in the clear."""
    arn = f"arn:aws:s3:::{bucket}"
    return {
        "Sid": "TlsOnly",
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [arn, f"{arn}/*"],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }


def empty_bucket(s3: Any, bucket: str) -> None:
    """Delete every object, old version and unfinished upload of a bucket, a thousand at a time.

    Raises NotEmptied where the account refuses one; whatever else was deleted stays so, and the next call goes on.
    """
    for page in s3.get_paginator("list_multipart_uploads").paginate(Bucket=bucket):
        for upload in page.get("Uploads", []):
            s3.abort_multipart_upload(Bucket=bucket, Key=upload["Key"], UploadId=upload["UploadId"])
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket):
        versions = page.get("Versions", []) + page.get("DeleteMarkers", [])
        doomed = [{"Key": version["Key"], "VersionId": version["VersionId"]} for version in versions]
        if not doomed:
            continue
        refused = s3.delete_objects(Bucket=bucket, Delete={"Objects": doomed, "Quiet": True}).get("Errors", [])
        if refused:
            raise NotEmptied(bucket, refused[0], len(refused))
