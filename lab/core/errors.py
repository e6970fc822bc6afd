"""Define the errors of the lab: one root, each message one sentence with the next step.

An error keeps what it was told (`error.notebook`, `error.stream` ...), so that the runner and the checks need not parse
its sentence. Whoever raises one because of another keeps that one: `raise StreamGone("reviews") from error`.
"""

import os
from collections.abc import Sequence
from pathlib import Path


class LabError(Exception):
    """Be the root of all errors that the lab raises on purpose. Give it one whole sentence."""

    def _render_traceback_(self) -> list[str]:
        """Return what IPython shows in place of the traceback; `lab.core.error_hook` folds that under it."""
        return [f"\x1b[31m✘\x1b[0m {self}"]


class UsageError(LabError):
    """Say that a command was asked for something that cannot be done; nothing was started."""


class StepMissing(LabError):
    """Say that something an earlier notebook makes is not there.

    `what` is the first half of the sentence ("The stream `reviews` does not exist"), `notebook` the one that makes it.
    """

    def __init__(self, what: str, notebook: str) -> None:
        self.what, self.notebook = what, notebook
        here = Path(os.environ.get("JPY_SESSION_NAME", "")).stem == notebook  # Jupyter's name of the open notebook
        first = "the cells above this one" if here else notebook
        super().__init__(f"{what}: run {first} first, then run this cell again.")


class StreamGone(LabError):
    """Say that a stream or one of its shards went away while it was being read."""

    def __init__(self, stream: str, shard: str | None = None) -> None:
        self.stream, self.shard = stream, shard
        where = f"Shard {shard} of the stream `{stream}`" if shard else f"The stream `{stream}`"
        super().__init__(
            f"{where} went away while it was being read, because it was deleted or re-sharded or the account was "
            "restarted: run this cell again, or 01_streams if the stream is gone."
        )


class BadParameter(LabError):
    """Say that a parameter or an argument has a value that cannot work. `hint` says which values do."""

    def __init__(self, name: str, value: object, hint: str) -> None:
        self.name, self.value, self.hint = name, value, hint
        super().__init__(f"{name} = {value!r} cannot work: {hint.rstrip('.')}.")


class CheckFailed(LabError):
    """Say that at least one check of a notebook failed. `failed` holds one sentence a failed check: what to do next."""

    def __init__(self, notebook: str, failed: Sequence[str]) -> None:
        self.notebook, self.failed = notebook, list(failed)
        count = f"{len(self.failed)} check{'s' if len(self.failed) != 1 else ''}"
        super().__init__(f"{count} of {notebook} failed: {' / '.join(self.failed)}")


class AccountSilent(LabError):
    """Say that nothing answers where the account should be."""

    def __init__(self, doing: str, endpoint: str | None) -> None:
        self.doing, self.endpoint = doing, endpoint
        if endpoint:
            next_step = (
                f"nothing answers at {endpoint}: the embedded account ended, and what it held is gone with it, so "
                "run the notebooks again from 01_streams, whose first cells start it anew"
            )
        else:
            next_step = "AWS could not be reached: look at the network and the region, then run this cell again"
        super().__init__(f"{doing[:1].upper()}{doing[1:]} did not work, {next_step}.")


class AccountRefused(LabError):
    """Say that the account answered with an error that no other class says better. `code` is the API's own."""

    def __init__(self, doing: str, code: str, message: str, hint: str) -> None:
        self.doing, self.code, self.message = doing, code, message
        said = f"{code}: {message}" if message else code
        super().__init__(f"{doing[:1].upper()}{doing[1:]} was refused ({said.rstrip('.')}): {hint.rstrip('.')}.")
