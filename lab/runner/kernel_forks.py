"""Kernels forked from one process that has made their imports: a run pays for them once, not once a notebook.

The fork server is the standard library's. A kernel is a session of its own with the environment, folder and log it
would have as a program, and ends by itself when the process that asked for it is gone.
"""

import atexit
import os
import signal
import sys
import threading
from multiprocessing import connection, forkserver, get_context, parent_process, resource_tracker
from pathlib import Path

_CONTEXT = get_context("forkserver")
_IMPORTS = "lab.runner.kernel_imports"
_LONGEST_FOLDER = 60  # bytes: the server's socket, in a folder of its own in there, must stay below 104


def can_fork(temporary: Path) -> bool:
    """Whether kernels can be forked, with this folder for temporary files. macOS's frameworks do not survive a fork,
    and a socket needs a short path."""
    return sys.platform == "linux" and len(os.fsencode(temporary)) <= _LONGEST_FOLDER


def warm_up() -> None:
    """Start the process that kernels are forked from; it imports while this one goes on. Twice is no error."""
    _CONTEXT.set_forkserver_preload([_IMPORTS])
    resource_tracker.ensure_running()  # before the block: it unblocks ctrl-C when it has started
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})  # inherited: ctrl-C is for the runner alone
    try:
        forkserver.ensure_running()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


class ForkedKernel:
    """A forked kernel, as jupyter_client wants a process to be."""

    stdin = stdout = stderr = None

    def __init__(self, arguments: list[str], environment: dict[str, str], folder: str, log: str) -> None:
        self._process = _CONTEXT.Process(target=_be_kernel, args=(arguments, environment, folder, log))
        self._process.start()
        assert self._process.pid is not None
        self.pid = self._process.pid

    def poll(self) -> int | None:
        return self._process.exitcode

    def wait(self) -> int | None:
        self._process.join()
        return self._process.exitcode

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)


def _be_kernel(arguments: list[str], environment: dict[str, str], folder: str, log: str) -> None:
    """The forked process, from its first step."""
    os.setsid()
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    with open(log, "ab", buffering=0) as out, open(os.devnull, "rb") as nothing:  # noqa: PTH123
        for source, target in ((nothing, 0), (out, 1), (out, 2)):
            os.dup2(source.fileno(), target)
    os.environ.clear()
    os.environ.update(environment, JPY_PARENT_PID=str(os.getppid()))
    os.chdir(folder)
    sys.path.insert(0, folder)
    sys.argv = ["lab.runner.kernels", *arguments]
    if numpy := sys.modules.get("numpy"):
        numpy.random.seed()  # its state was made by the import; Python's own is renewed by a fork
    threading.Thread(target=_end_with_parent, name="parent", daemon=True).start()
    from lab.runner.kernels import main

    try:
        main()
    finally:
        atexit._run_exitfuncs()  # the fork server ends its children without


def _end_with_parent() -> None:
    """Where the runner is killed, so is its kernel; the fork server would live on as long as a kernel does."""
    parent = parent_process()
    assert parent is not None
    connection.wait([parent.sentinel])
    os._exit(1)
