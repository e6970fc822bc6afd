"""List what there is of the lab in an account, and wait until it is gone."""

import time

import pandas as pd

from lab.account.inventory import Resource, existing
from lab.core.errors import LabError
from lab.core.session import Session
from lab.core.tags import LAB, LAB_KEY

COLUMNS = ["kind", "name", "state", "of the lab", "run", "since"]


class StillThere(LabError):
    """Say what of the lab was not gone in time."""

    def __init__(self, left: list[Resource], seconds: float) -> None:
        self.left = left
        names = ", ".join(f"{one.kind} {one.name} ({one.state})" for one in left)
        super().__init__(f"Still there after {seconds:.0f} seconds: {names}; clean up again.")


def lab_resources(session: Session, until_gone: bool = False, timeout: float = 300.0) -> pd.DataFrame:
    """List everything with one of the lab's names: DataFrame[kind, name, state, of the lab, run, since].

    "of the lab" is yes where it carries the lab's tag. With ``until_gone`` it waits until nothing does, and raises
    StillThere after ``timeout`` seconds; what is left then has the name alone, and is somebody else's.
    """
    found = wait_until_gone(session, timeout) if until_gone else existing(session)
    if not found:
        print("Nothing of the lab is there: no resource has one of its names.")  # noqa: T201
    return table_of(found)


def wait_until_gone(session: Session, timeout: float = 300.0) -> list[Resource]:
    """Wait until nothing with the lab's tag is there; what is left has one of its names alone."""
    deadline = time.monotonic() + timeout
    while True:
        found = existing(session)
        ours = [one for one in found if one.ours]
        if not ours:
            return found
        if time.monotonic() > deadline:
            raise StillThere(ours, timeout)
        time.sleep(0.5)


def table_of(found: list[Resource]) -> pd.DataFrame:
    """Put the resources into a table, in their order."""
    rows = [
        (one.kind, one.name, one.state, "yes" if one.ours else "no", one.tags.get("run_id", ""), one.since)
        for one in found
    ]
    table = pd.DataFrame(rows, columns=COLUMNS)
    return table.assign(since=pd.to_datetime(table["since"], utc=True))


def not_ours(found: list[Resource]) -> str:
    """Name those that are left alone; empty where there are none."""
    names = ", ".join(f"{one.kind} {one.name}" for one in found if not one.ours)
    if not names:
        return ""
    return (
        f"Left alone, because the tag {LAB_KEY}={LAB} is not on it: {names}. If it is yours, delete it in the console."
    )
