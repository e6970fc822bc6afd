"""What the kernels of a run have in common, imported and read once in the process they are forked from.

Only modules and botocore's files: nothing here may start a thread, draw a random number or open a connection, because
every kernel would inherit it.
"""

import contextlib
import gc
import importlib
import os

# ipykernel sets it when a kernel begins, which is too late for a matplotlib that is imported already.
os.environ.setdefault("MPLBACKEND", "module://matplotlib_inline.backend_inline")
os.environ.setdefault("PYDEVD_DISABLE_FILE_VALIDATION", "1")  # the debugger's warning is not for the terminal

NAMES = (
    "ipykernel.kernelapp",
    "ipykernel.ipkernel",
    "ipykernel.debugger",
    "boto3",
    "pandas",
    "matplotlib.figure",
    "matplotlib.backends.backend_agg",
)

for name in NAMES:
    # Where an import fails here, it fails again in the notebook, in a cell that can be shown.
    with contextlib.suppress(Exception):
        importlib.import_module(name)
with contextlib.suppress(Exception):
    importlib.import_module("lab.core.aws_models").read_all()
gc.collect()
gc.freeze()  # the collector of a kernel need not look at, and thereby copy, what all share
