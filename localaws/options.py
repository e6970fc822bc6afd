"""How an account is to behave beyond its port and home: as strict as AWS, or with faults on purpose."""

from argparse import ArgumentParser, Namespace
from dataclasses import dataclass
from typing import Any

from localaws.kinesis.faults import FaultPlan, read_plan


@dataclass(frozen=True)
class AccountOptions:
    """Off by default; ``status`` shows both."""

    strict: bool = False
    faults: str = ""
    fault_seed: int = 0
    cold: bool = False

    @classmethod
    def add_to(cls, parser: ArgumentParser) -> None:
        parser.add_argument("--strict", action="store_true", help="refuse what is above the limits of a Kinesis shard")
        parser.add_argument("--cold", action="store_true", help="hold no Flink cluster ready before one is asked for")
        parser.add_argument("--faults", default="", metavar="SPEC", help="inject faults, e.g. throttle=0.3,drop=0.02")
        parser.add_argument("--fault-seed", type=int, default=0, metavar="N", help="which faults (default %(default)s)")

    @classmethod
    def of(cls, options: Namespace) -> "AccountOptions":
        return cls(options.strict, options.faults, options.fault_seed, options.cold)

    def plan(self) -> FaultPlan | None:
        """What ``faults`` asks for; raises FaultsNotUnderstood."""
        return read_plan(self.faults, self.fault_seed) if self.faults else None

    def arguments(self) -> list[str]:
        """For the command line of the account's process."""
        strict = ["--strict"] if self.strict else []
        cold = ["--cold"] if self.cold else []
        return [*strict, *cold, "--faults", self.faults, "--fault-seed", str(self.fault_seed)]

    def differences(self, status: dict[str, Any]) -> list[str]:
        """The options asked for that a running account, by its status, does not have."""
        faults = status.get("faults") or {}
        missing = ["--strict"] if self.strict and not status.get("strict") else []
        if self.faults and (faults.get("spec"), faults.get("seed")) != (self.faults, self.fault_seed):
            missing.append(f"--faults {self.faults} --fault-seed {self.fault_seed}")
        return missing
