"""Connect a notebook to its account: the embedded one on this machine, or the student's own on AWS.

Both are reached by plain boto3. ``connect`` only sets the SDKs' standard environment variables for the embedded
account; for ``aws`` it touches nothing and uses boto3's own credential chain.
"""

import json
import os
import subprocess
import sys
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from lab.core.cell_outputs import use_run_id
from lab.core.errors import BadParameter, LabError
from lab.core.names import FLINK_BUCKET_SUFFIX, LANDING_ZONE_SUFFIX, ROLE
from lab.core.paths import ROOT
from lab.core.tags import lab_tags, owner_of

LOCAL_ACCOUNT = "000000000000"
_STATUS_TIMEOUT = 30.0  # seconds; on a busy machine an account is slow, not gone
_BEFORE_ASKING_WHO = 15.0  # seconds; then `localaws up`, which knows its own account, says who does not answer
_open = urllib.request.build_opener(urllib.request.ProxyHandler({})).open  # no proxy stands before this machine
_connected: "Session | None" = None
_set_locally: dict[str, str] = {}  # the AWS_ variables of the embedded account
_set_aside: dict[str, str] = {}  # those of the user's that they replace


class AccountNotReached(LabError):
    """Say that the account could not be started or does not accept the caller."""


@dataclass(frozen=True)
class Session:
    """Describe the account the notebook works in, and the lab's names in it."""

    target: str
    region: str
    account: str
    endpoint: str | None
    run_id: str = ""
    since: float | None = field(default=None, repr=False)
    owner: str = "root"

    @property
    def landing_zone(self) -> str:
        """Name of the bucket for the raw data."""
        return f"{self.account}{LANDING_ZONE_SUFFIX}"

    @property
    def flink_bucket(self) -> str:
        """Name of the bucket for the application's zip."""
        return f"{self.account}{FLINK_BUCKET_SUFFIX}"

    @property
    def tags(self) -> dict[str, str]:
        """Return what every resource is tagged with when it is created: `lab`, `run_id` and `owner`."""
        return lab_tags(self.run_id, self.owner)

    @property
    def role_arn(self) -> str:
        """Return ARN of the role of function and application."""
        return f"arn:aws:iam::{self.account}:role/{ROLE}"

    def __repr__(self) -> str:
        where = f"embedded at {self.endpoint}" if self.target == "local" else "on AWS"
        return f"account {self.account}, region {self.region}, {where}"


def connect(target: str = "local", region: str = "us-east-1", run_id: str = "") -> Session:
    """Make boto3 of this process work in the target account, and say which one that is.

    Raises BadParameter for an unknown target, AccountNotReached where the account does not answer.
    """
    from lab.core import error_hook, tables

    global _connected
    _forget_earlier_account()
    error_hook.install()
    tables.align_frames()
    _refuse_mistyped_parameters()
    if target not in ("local", "aws"):
        raise BadParameter("target", target, "it is 'local' for the embedded account or 'aws' for your own")
    _connected = (_connect_local if target == "local" else _connect_aws)(region, run_id)
    return _connected


def _refuse_mistyped_parameters() -> None:
    """Raise BadParameter for a parameter whose value has another type than it was declared with.

    Where the parameters are read, not where the first one is used: `shards = "4"` would break the bill, five cells on.
    """
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    names = shell.user_ns if shell is not None else {}
    hints = {str: "a text in quotes", int: "a whole number without quotes", float: "a number without quotes",
             bool: "True or False without quotes"}  # fmt: skip
    for name, kind in names.get("__annotations__", {}).items():
        value = names.get(name)
        fits = type(value) is kind or (kind is float and type(value) is int)
        if kind in hints and name in names and not fits:
            raise BadParameter(name, value, f"it takes {hints[kind]}, so correct it in the parameters cell, run that, "
                               "then this one")  # fmt: skip


def connected() -> Session | None:
    """Return what the last ``connect`` of this process returned; None before the first."""
    return _connected


def _forget_earlier_account() -> None:
    """Make boto3 look for credentials anew, which it keeps for the life of the process."""
    if "boto3" in sys.modules:
        vars(sys.modules["boto3"])["DEFAULT_SESSION"] = None  # the next call makes one from the environment of then


def local_endpoint() -> str:
    """Return the embedded account's address: port 4566, or the one of LOCALAWS_PORT."""
    return f"http://127.0.0.1:{os.environ.get('LOCALAWS_PORT', '4566')}"


def local_status(seconds: float = _STATUS_TIMEOUT) -> dict[str, Any] | None:
    """Ask the embedded account for its status (``since``, ``dashboards`` ...); None where it does not answer.

    The account of another folder, which has the port, is none of ours.
    """
    try:
        with _open(local_endpoint() + "/_localaws/status", timeout=seconds) as answer:
            status = json.load(answer)
    except (OSError, ValueError):
        return None
    own = Path(os.environ.get("LOCALAWS_HOME", ROOT / ".localaws")).resolve()
    return status if isinstance(status, dict) and status.get("home") == str(own) else None


def _connect_local(region: str, run_id: str) -> Session:
    status = local_status(_BEFORE_ASKING_WHO) or _start_local()
    _put_aws_variables_back()
    _set_aside.update({name: os.environ.pop(name) for name in list(os.environ) if name.startswith("AWS_")})
    _set_locally.update(
        AWS_ENDPOINT_URL=local_endpoint(),
        AWS_ACCESS_KEY_ID=LOCAL_ACCOUNT,
        AWS_SECRET_ACCESS_KEY="local",  # noqa: S106  the embedded account has no authentication
        AWS_DEFAULT_REGION=region,
        AWS_REGION=region,
        AWS_CONFIG_FILE=os.devnull,  # a file of the user's could name another endpoint, or be one that cannot be read
        AWS_SHARED_CREDENTIALS_FILE=os.devnull,
    )
    os.environ.update(_set_locally)
    _refuse_unknown_region(region)
    for name in ("NO_PROXY", "no_proxy"):
        os.environ[name] = ",".join(filter(None, (os.environ.get(name), "127.0.0.1,localhost")))
    use_run_id(run_id)
    return Session("local", region, LOCAL_ACCOUNT, local_endpoint(), run_id, status.get("since"))


def _refuse_unknown_region(region: str) -> None:
    """Raise BadParameter for a region that AWS does not have: the embedded account would take any, without a stream."""
    from botocore.loaders import create_loader

    known = {name for one in create_loader().load_data("partitions")["partitions"] for name in one["regions"]}
    if region not in known:
        raise BadParameter("region", region, "AWS has no such region, give one that it has, such as us-east-1")


def _put_aws_variables_back() -> None:
    """Undo what an earlier connect to the embedded account set, where nobody has set it anew since."""
    for name, value in _set_locally.items():
        if os.environ.get(name) == value:
            del os.environ[name]
    for name, value in _set_aside.items():
        os.environ.setdefault(name, value)
    _set_locally.clear()
    _set_aside.clear()


def _start_local() -> dict[str, Any]:
    started = subprocess.run(  # noqa: S603
        [sys.executable, "-m", "localaws", "up", "--role", ROLE], cwd=ROOT, capture_output=True, text=True, check=False
    )
    status = None if started.returncode else local_status()
    if status is None:
        raise AccountNotReached(
            started.stderr.strip()
            or f"The embedded account does not answer at {local_endpoint()}; look at 'python -m localaws logs'."
        )
    return status


def _connect_aws(region: str, run_id: str) -> Session:
    import boto3
    from botocore.exceptions import BotoCoreError, ClientError, ConfigParseError, NoCredentialsError

    _put_aws_variables_back()
    os.environ["AWS_DEFAULT_REGION"] = region
    try:
        identity = boto3.client("sts", region_name=region).get_caller_identity()
    except ConfigParseError as error:
        raise AccountNotReached(_unreadable_file(error.kwargs["path"], error.kwargs["error"])) from error
    except NoCredentialsError as error:
        raise AccountNotReached(
            "There are no credentials for AWS on this machine, so AWS was not asked: copy them from AWS Details, Show "
            "(in a Learner Lab) into ~/.aws/credentials, then run this cell again."
        ) from error
    except (BotoCoreError, ClientError) as error:
        raise AccountNotReached(
            f"AWS did not accept the credentials found for region {region} ({error}); set them up as for the AWS CLI "
            "(in a Learner Lab: AWS Details, Show), then run this cell again."
        ) from error
    use_run_id(run_id)
    owner = owner_of(identity["Arn"])
    return Session("aws", region, identity["Account"], os.environ.get("AWS_ENDPOINT_URL"), run_id, owner=owner)


def _unreadable_file(path: str, reason: Exception) -> str:
    """Return the sentence for a file of the AWS SDKs that cannot be read; ``reason`` is the parser's."""
    line = getattr(reason, "lineno", None) or next(iter(getattr(reason, "errors", [])), (1,))[0]
    if isinstance(reason, UnicodeDecodeError):
        line = reason.object.count(b"\n", 0, reason.start) + 1
    what = {
        "DuplicateSectionError": "a section that stands there already",
        "DuplicateOptionError": "a key that its section has already",
        "MissingSectionHeaderError": "something before the first section, such as [default]",
        "UnicodeDecodeError": "a byte that is no text",
    }.get(type(reason).__name__, "a line that is neither a section nor key = value")
    return (
        f"{path} cannot be read: line {line} holds {what}. AWS was not asked; keep one [default] section with the keys "
        "below it and nothing else, then run this cell again."
    )


def restarted_hint(session: Session) -> str:
    """Say since when the embedded account holds anything at all, for messages about something missing."""
    if session.since is None:
        return ""
    return f" (the embedded account was started at {datetime.fromtimestamp(session.since):%H:%M:%S} and began empty)"
