"""Inject faults on purpose, at a known rate (``up --faults SPEC --fault-seed N``).

A SPEC is ``name=value`` separated by commas:

    throttle=P   a record of PutRecords, or any other call, is refused with ProvisionedThroughputExceededException
    failure=P    a record of PutRecords is refused with InternalFailure
    internal=P   a whole call is answered 500 InternalFailure; half of them after it took effect
    slow=P       a call is answered late, by up to ``delay`` seconds
    drop=P       the connection is closed without an answer; half of them after the call took effect
    delay=S      see slow (default 1.0)
    on=A+B       only these operations (default: PutRecord, PutRecords, GetRecords and GetShardIterator)

P is a probability from 0 to 1. The n-th call of an operation meets the same fate whenever the seed is the same,
whatever other operations were called between.
"""

import random
from collections import Counter
from dataclasses import dataclass, field

from localaws.errors import LocalAwsError

OPERATIONS = ("PutRecord", "PutRecords", "GetRecords", "GetShardIterator")
_RATES = ("throttle", "failure", "internal", "slow", "drop")


class FaultsNotUnderstood(LocalAwsError):
    """Say that a fault specification cannot be read."""

    def __init__(self, spec: str, reason: str) -> None:
        super().__init__(
            f"The faults {spec!r} are not understood: {reason}; write for example throttle=0.3,internal=0.05,drop=0.02."
        )


@dataclass(frozen=True)
class FaultPlan:
    """Hold how often each fault is to happen, and to which operations."""

    rates: dict[str, float]
    delay: float
    operations: frozenset[str]
    spec: str
    seed: int


def read_plan(spec: str, seed: int) -> FaultPlan:
    """Read a SPEC; raises FaultsNotUnderstood."""
    rates, delay, operations = dict.fromkeys(_RATES, 0.0), 1.0, frozenset(OPERATIONS)
    for part in filter(None, (piece.strip() for piece in spec.split(","))):
        name, _, value = part.partition("=")
        if name == "on":
            operations = frozenset(value.split("+"))
            unknown = operations - set(OPERATIONS)
            if unknown:
                raise FaultsNotUnderstood(spec, f"{sorted(unknown)[0]!r} is none of {', '.join(OPERATIONS)}")
            continue
        try:
            number = float(value)
        except ValueError as error:
            raise FaultsNotUnderstood(spec, f"{part!r} is not name=number") from error
        if name == "delay" and 0 <= number <= 60:
            delay = number
        elif name in rates and 0 <= number <= 1:
            rates[name] = number
        elif name in rates or name == "delay":
            raise FaultsNotUnderstood(spec, f"{part!r} is out of range")
        else:
            raise FaultsNotUnderstood(spec, f"{name!r} is none of {', '.join((*_RATES, 'delay', 'on'))}")
    if not any(rates.values()):
        raise FaultsNotUnderstood(spec, "no fault has a rate above 0")
    return FaultPlan(rates, delay, operations, spec, seed)


@dataclass
class Fate:
    """Hold what happens to one call."""

    delay: float = 0.0
    throttled: bool = False
    internal: bool = False
    dropped: bool = False
    takes_effect: bool = True  # for a call whose answer is lost: did it happen?
    rates: dict[str, float] = field(default_factory=dict)
    source: random.Random = field(default_factory=random.Random)
    counts: Counter[str] = field(default_factory=Counter)

    def record_failure(self) -> str | None:
        """Return the error code of the call's next record, or None."""
        chance = self.source.random()
        for name, code in (
            ("throttle", "ProvisionedThroughputExceededException"),
            ("failure", "InternalFailure"),
        ):
            if chance < self.rates[name]:
                self.counts[f"{name} (record)"] += 1
                return code
            chance -= self.rates[name]
        return None


class FaultInjector:
    """Decide the fate of each call and count what it did."""

    def __init__(self, plan: FaultPlan) -> None:
        self.plan = plan
        self.injected: Counter[str] = Counter()
        self._calls: Counter[str] = Counter()

    def fate(self, operation: str) -> Fate | None:
        """Return the fate of the next call of ``operation``; None where it is left alone."""
        plan = self.plan
        if operation not in plan.operations:
            return None
        self._calls[operation] += 1
        source = random.Random(f"{plan.seed} {operation} {self._calls[operation]}")  # noqa: S311
        # Every draw is made whatever the others say: so one rate can be changed without moving the other faults.
        slow, dropped, internal, throttled = (
            source.random() < plan.rates[name] for name in ("slow", "drop", "internal", "throttle")
        )
        wait, coin = source.random(), source.random() < 0.5
        internal = internal and not dropped
        throttled = throttled and not dropped and not internal and operation != "PutRecords"
        for name, happens in (("slow", slow), ("drop", dropped), ("internal", internal), ("throttle", throttled)):
            self.injected[name] += happens
        return Fate(
            delay=wait * plan.delay if slow else 0.0,
            throttled=throttled,
            internal=internal,
            dropped=dropped,
            takes_effect=coin if dropped or internal else not throttled,
            rates=plan.rates,
            source=source,
            counts=self.injected,
        )

    def status(self) -> dict[str, object]:
        """Count the faults for ``python -m localaws status``."""
        injected = {name: count for name, count in self.injected.items() if count}
        return {"spec": self.plan.spec, "seed": self.plan.seed, "injected": injected}
