"""A cell's own AWS call that fails ends in a sentence with the next step, too.

The notebooks call boto3 in plain sight, so what it raises would be the last line of the traceback. Where there is an
IPython shell, the traceback goes on to one of the lab's errors; the code of the cells, and what they catch, is not
touched.
"""

import os
import sys
from types import TracebackType
from typing import Any

from boto3.exceptions import Boto3Error
from botocore.exceptions import BotoCoreError, ClientError

from lab.core.aws_errors import plain_words
from lab.core.errors import LabError

KINDS = (ClientError, BotoCoreError, Boto3Error)


def in_words(error: BaseException) -> LabError:
    """The lab's error for one that boto3 raised, with that one as its cause."""
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
    """From now on in this kernel; elsewhere than in one, nothing."""
    if "IPython" not in sys.modules:
        return
    shell = sys.modules["IPython"].get_ipython()
    if shell is not None:
        shell.set_custom_exc(KINDS, _show)


def _show(
    shell: Any, kind: type[BaseException], error: BaseException, trace: TracebackType, tb_offset: int | None = None
) -> None:
    said = in_words(error).with_traceback(None)
    error.__traceback__ = trace  # as it came from the cell
    shell.showtraceback((type(said), said, None), tb_offset=tb_offset)
