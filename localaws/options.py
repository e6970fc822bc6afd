"""Hold how an account is to behave: as strict as AWS, with faults on purpose, on which Flink."""

import os
from argparse import ArgumentParser, Namespace
from dataclasses import dataclass
from typing import Any

from localaws.flink_cluster.existing_cluster import check_flink, rest_address
from localaws.kinesis.faults import FaultPlan, read_plan


@dataclass(frozen=True)
class AccountOptions:
    """Describe the options of ``up``, all off by default."""

    strict: bool = False
    faults: str = ""
    fault_seed: int = 0
    cold: bool = False
    flink_rest: str = ""
    role: str = ""

    @classmethod
    def add_to(cls, parser: ArgumentParser) -> None:
        parser.add_argument("--strict", action="store_true", help="refuse what is above the limits of a Kinesis shard")
        parser.add_argument(
            "--cold", action="store_true", help="hold no Flink cluster ready: start one for each application"
        )
        parser.add_argument("--role", default="", metavar="NAME", help="create this IAM role where there is none")
        parser.add_argument("--faults", default="", metavar="SPEC", help="inject faults, e.g. throttle=0.3,drop=0.02")
        parser.add_argument("--fault-seed", type=int, default=0, metavar="N", help="which faults (default %(default)s)")
        parser.add_argument(
            "--flink-rest",
            default=os.environ.get("LOCALAWS_FLINK_REST", ""),
            metavar="URL",
            help="run applications on this Flink 1.20 cluster (or LOCALAWS_FLINK_REST), http://HOST:PORT",
        )

    @classmethod
    def of(cls, options: Namespace) -> "AccountOptions":
        flink_rest = rest_address(options.flink_rest) if options.flink_rest else ""
        return cls(options.strict, options.faults, options.fault_seed, options.cold, flink_rest, options.role)

    def plan(self) -> FaultPlan | None:
        """Read ``faults``; raises FaultsNotUnderstood."""
        return read_plan(self.faults, self.fault_seed) if self.faults else None

    def check(self) -> None:
        """Check the options; raises FaultsNotUnderstood, or FlinkNotUsable where no such cluster answers."""
        self.plan()
        if self.flink_rest:
            check_flink(self.flink_rest)

    def arguments(self) -> list[str]:
        """Return the options for the command line of the account's process."""
        strict = ["--strict"] if self.strict else []
        cold = ["--cold"] if self.cold else []
        faults = ["--faults", self.faults, "--fault-seed", str(self.fault_seed)]
        return [*strict, *cold, *faults, "--flink-rest", self.flink_rest]

    def differences(self, status: dict[str, Any]) -> list[str]:
        """Return the options asked for that a running account, by its status, does not have."""
        faults = status.get("faults") or {}
        missing = ["--strict"] if self.strict and not status.get("strict") else []
        if self.faults and (faults.get("spec"), faults.get("seed")) != (self.faults, self.fault_seed):
            missing.append(f"--faults {self.faults} --fault-seed {self.fault_seed}")
        if self.flink_rest and status.get("flink_rest") != self.flink_rest:
            missing.append(f"--flink-rest {self.flink_rest}")
        return missing
