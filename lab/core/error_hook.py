"""Show an error in a cell as its one sentence, with the traceback folded under it.

The notebooks call boto3 in plain sight, so what it raises, and a name that no cell has defined yet, are first put into
a `LabError`; the code of the cells, and what they catch, is not touched. The cell still ends in an error output, with
that sentence as its traceback, so a run from the command line fails as before; the whole traceback follows as an output
that a person opens and the runner reads. A failed check has none: nothing of the student's was on the way to it.
"""

import os
import sys
import traceback
from html import escape
from types import TracebackType
from typing import Any

from lab.core.cell_outputs import TRACEBACK, leave
from lab.core.errors import CheckFailed, LabError


class NotDefined(LabError):
    """Say that a cell used a name that nothing has defined in this kernel.

    Mostly, the cells above it were not run.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__(
            f"`{name}` is not defined, because the cell that defines it was not run in this kernel: run the cells "
            "above first (menu Run, Run All Above Selected Cell), then this cell again; where no cell defines it, "
            "correct its spelling."
        )


def in_words(error: BaseException) -> LabError | None:
    """Return the lab's error for one that boto3 raised, with that one as its cause; None for any other."""
    from boto3.exceptions import Boto3Error
    from botocore.exceptions import BotoCoreError, ClientError

    from lab.core.aws_errors import plain_words

    if not isinstance(error, ClientError | BotoCoreError | Boto3Error):
        return None
    # What upload_file raises only quotes the error that matters.
    inner = error.__context__ if isinstance(error, Boto3Error) else error
    reason = inner if isinstance(inner, ClientError | BotoCoreError) else error
    doing = f"calling {reason.operation_name}" if isinstance(reason, ClientError) else "calling AWS"
    try:
        with plain_words(doing, os.environ.get("AWS_ENDPOINT_URL")):
            raise reason
    except LabError as said:
        return said
    except Boto3Error as other:  # without a reason from botocore
        return LabError(f"Calling AWS did not work ({str(other).rstrip('.')}): run this cell again.")


def install() -> None:
    """Show errors so from now on in this kernel; elsewhere than in one, do nothing."""
    if "IPython" not in sys.modules:
        return
    shell = sys.modules["IPython"].get_ipython()
    if shell is not None:
        shell.set_custom_exc((Exception,), _show)


def _show(
    shell: Any, kind: type[BaseException], error: BaseException, trace: TracebackType, tb_offset: int | None = None
) -> None:
    said = _said(error, trace, shell.user_ns)
    if said is None:
        shell.showtraceback((kind, error, trace), tb_offset=tb_offset)
        return
    error.__traceback__ = _from_the_cell_on(trace, shell.user_ns)
    if said is not error:
        said.__traceback__ = None
        said.__cause__ = said.__cause__ or error
    shell.showtraceback((type(said), said, said.__traceback__), tb_offset=tb_offset)
    if isinstance(said, CheckFailed):
        return  # where a check failed is in the account, and the sentence says it
    whole = "".join(traceback.format_exception(said))
    folded = f"<details><summary>Where it happened</summary><pre>{escape(whole)}</pre></details>"
    leave(TRACEBACK, {"traceback": whole}, "(where it happened is folded here)", folded)


def _said(error: BaseException, trace: TracebackType, names: dict[str, Any]) -> LabError | None:
    """Return the lab's error for this one; None for one that is nobody's to explain but its own traceback's."""
    if isinstance(error, LabError):
        return error
    if isinstance(error, NameError) and not isinstance(error, UnboundLocalError):
        while trace.tb_next is not None:
            trace = trace.tb_next
        return NotDefined(error.name) if trace.tb_frame.f_globals is names and error.name else None
    return in_words(error) if "boto3" in sys.modules else None


def _from_the_cell_on(trace: TracebackType, names: dict[str, Any]) -> TracebackType:
    """Return the traceback without the frames of the shell that ran the cell."""
    while trace.tb_next is not None and trace.tb_frame.f_globals is not names:
        trace = trace.tb_next
    return trace
