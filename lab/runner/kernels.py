"""Start the kernels of a run, one fresh process a notebook, before they are needed, and end them.

As a program (`python -m lab.runner.kernels -f <connection file>`) it is the kernel: ipykernel, plus the imports every
notebook makes, done while the kernel still waits for its notebook.
"""

import asyncio
import contextlib
import importlib
import logging
import os
import signal
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jupyter_client import AsyncKernelManager

WARM_IMPORTS = ("boto3", "pandas", "matplotlib.figure", "matplotlib.backends.backend_agg")
_LONGEST_SOCKET = 103  # bytes of a path (macOS; one of Linux may have four more)


def _transport(connection: Path) -> str:
    """Choose sockets beside the connection file, since others can take a TCP port before the kernel listens.

    TCP only where their paths would be too long for a socket.
    """
    socket = f"{connection.with_suffix('')}-ipc-5"
    return "ipc" if len(os.fsencode(socket)) <= _LONGEST_SOCKET else "tcp"


def process_of(manager: "AsyncKernelManager") -> int:
    """Return the id of a started kernel's process, which is that of its process group too."""
    from jupyter_client.provisioning import LocalProvisioner

    assert isinstance(manager.provisioner, LocalProvisioner) and manager.provisioner.pid is not None
    return manager.provisioner.pid


class Kernels:
    """Start kernels in `cwd` and end all of them; what they print past their notebook goes into `log`."""

    def __init__(self, cwd: Path, log: Path) -> None:
        self._cwd = cwd
        self._log = log.open("ab")
        # They hold the kernels' keys: for this user alone, and not in a home that may be read-only.
        self._connections = tempfile.TemporaryDirectory(prefix="lab-kernels-")
        self._started: list[tuple[AsyncKernelManager, int]] = []
        self._next: AsyncKernelManager | None = None
        self._retired: set[AsyncKernelManager] = set()

    def prepare(self) -> None:
        """Start the next kernel now; it gets ready by itself while other things happen."""
        if self._next is None:
            self._next = self._start()

    def take(self) -> "AsyncKernelManager":
        """Return a kernel no notebook has used: the prepared one where there is one that lives."""
        manager, self._next = self._next or self._start(), None
        return manager

    def _start(self) -> "AsyncKernelManager":
        from jupyter_client import AsyncKernelManager
        from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
        from jupyter_core.utils import run_sync

        class ThisPython(KernelSpecManager):
            """Know one kernel, whatever is installed on the machine: the Python that runs the series."""

            def get_kernel_spec(self, kernel_name: str) -> KernelSpec:
                return KernelSpec(
                    argv=[sys.executable, "-m", "lab.runner.kernels", "-f", "{connection_file}"],
                    display_name="Python 3.11",
                    language="python",
                    metadata={"supported_encryption": ["curve"]},
                )

        connection = Path(self._connections.name, f"kernel-{len(self._started)}.json")
        manager = AsyncKernelManager(
            kernel_spec_manager=ThisPython(),
            transport=_transport(connection),
            transport_encryption="auto",
            connection_file=str(connection),
        )
        run_sync(manager.start_kernel)(
            cwd=str(self._cwd),
            env={**os.environ, "PYDEVD_DISABLE_FILE_VALIDATION": "1"},
            extra_arguments=["--HistoryManager.hist_file=:memory:"],
            stdout=self._log,
            stderr=self._log,
        )
        self._started.append((manager, process_of(manager)))
        return manager

    def retire(self, manager: "AsyncKernelManager") -> None:
        """Ask a kernel that is done to end; `close` waits for it."""
        from jupyter_core.utils import run_sync

        if manager.has_kernel:
            run_sync(manager.request_shutdown)()
            self._retired.add(manager)

    def close(self) -> None:
        """End every kernel and all that is left in its process group: interrupted first, killed after 5 s.

        What a notebook started in a session of its own (the embedded account) is not in that group and stays.
        """
        from jupyter_core.utils import run_sync

        run_sync(self._end_all)()
        for _, group in self._started:
            # Children of a kernel that outlived it. EPERM is how macOS says that only a zombie is left.
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(group, signal.SIGKILL)
        self._started.clear()
        self._connections.cleanup()
        self._log.close()

    async def _end_all(self) -> None:
        # After an interruption the tasks that were listening to a kernel are still pending in this loop.
        pending = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in pending:
            task.cancel()
        if pending:
            done, _ = await asyncio.wait(pending, timeout=1)
            for task in done:
                if not task.cancelled():
                    task.exception()  # seen: asyncio need not complain that nobody looked
        ends = await asyncio.gather(*(self._end(manager) for manager, _ in self._started), return_exceptions=True)
        for error in filter(None, ends):
            logging.getLogger(__name__).warning("a kernel did not end by itself and is killed", exc_info=error)

    async def _end(self, manager: "AsyncKernelManager") -> None:
        if manager is self._next and manager.provisioner:
            # No notebook has used it; interrupting its imports would only fill the log.
            await manager.provisioner.kill()
            await manager.provisioner.wait()
        elif manager in self._retired:
            await manager.finish_shutdown()
        elif manager.has_kernel:
            await manager.shutdown_kernel(now=False)
        await manager.cleanup_resources()


def main() -> None:
    """Be a kernel."""
    from ipykernel.kernelapp import IPKernelApp

    app = IPKernelApp.instance()
    app.initialize(sys.argv[1:])
    parent = int(os.environ.get("JPY_PARENT_PID") or 0)
    if parent and os.getppid() != parent:
        return  # the runner was killed before the kernel had begun to watch it
    for name in WARM_IMPORTS:
        # Where an import fails here, it fails again in the notebook, in a cell that can be shown.
        with contextlib.suppress(Exception):
            importlib.import_module(name)
    app.start()


if __name__ == "__main__":
    main()
