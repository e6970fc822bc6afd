"""Fill in the IAM policies of `iam/` for one account and region: `python -m lab.deploy.policies`.

The files hold the words ACCOUNT_ID and REGION where an ARN needs them. `student.json` is for whoever runs the
notebooks, `producer.json` and `flink.json` for the role of the function and of the application, `trust.json` says who
may take that role, and `reasons.yaml` which call needs each action. `stop.json` and `stop-trust.json` are for the role
of a schedule that stops the application.
"""

import argparse
import json
import re
import sys
from pathlib import Path
from typing import Any

from lab.core.errors import BadParameter, LabError
from lab.core.paths import ROOT

FOLDER = ROOT / "iam"
POLICIES = ("student", "producer", "flink")
FILES = (*POLICIES, "trust", "stop", "stop-trust")
LARGEST = 6_144  # characters of a managed policy without white space (IAM quotas)


def policy(name: str, account: str, region: str) -> dict[str, Any]:
    """Return one of FILES for an account (12 digits) and a region.

    Raises BadParameter where one of the three cannot be.
    """
    if name not in FILES:
        raise BadParameter("policy", name, f"it is one of {', '.join(FILES)}")
    if not re.fullmatch(r"\d{12}", account):
        raise BadParameter("account", account, "the number of an account has 12 digits")
    if not re.fullmatch(r"[a-z]{2}(-[a-z]+)+-\d", region):
        raise BadParameter("region", region, "it is the code of an AWS region, such as us-east-1")
    text = (FOLDER / f"{name}.json").read_text(encoding="utf-8")
    return json.loads(text.replace("ACCOUNT_ID", account).replace("REGION", region))


def listed(value: Any) -> list[Any]:
    """Return a member of a policy that may be one thing or a list of them, as a list."""
    return value if isinstance(value, list) else [value]


def write(folder: Path, account: str, region: str) -> list[Path]:
    """Write all of them into `folder`, without white space that counts against IAM's limit; the files."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name in FILES:
        path = folder / f"{name}.json"
        path.write_text(json.dumps(policy(name, account, region), separators=(",", ":")) + "\n", encoding="utf-8")
        written.append(path)
    return written


def main(arguments: list[str]) -> int:
    """Run `python -m lab.deploy.policies --account 111122223333 --region us-west-2 --out build/iam`."""
    parser = argparse.ArgumentParser(prog="python -m lab.deploy.policies", description="The policies for one account.")
    parser.add_argument("--account", required=True, help="its number, 12 digits (aws sts get-caller-identity)")
    parser.add_argument("--region", default="us-east-1", help="AWS region (default %(default)s)")
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "iam", help="folder (default build/iam)")
    options = parser.parse_args(arguments)
    try:
        for path in write(options.out, options.account, options.region):
            print(path)  # noqa: T201
    except LabError as error:
        print(error, file=sys.stderr)  # noqa: T201
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
