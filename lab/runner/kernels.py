"""The kernels of a run: this very Python, one fresh process per notebook, started before it is needed, never left over.

Where it can be done they are forked from a process that has made their imports (`lab.runner.kernel_forks`). As a program
(`python -m lab.runner.kernels -f <connection file>`) it is the kernel: ipykernel, plus those imports, made while the kernel
still waits for its notebook.
"""

import asyncio
import contextlib
import logging
import os
import signal
import sys
import tempfile
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import TYPE_CHECKING

from lab.runner.kernel_forks import can_fork, warm_up

if TYPE_CHECKING:
    from jupyter_client import AsyncKernelManager

_FORKING = EntryPoint(
    "lab-fork", "lab.runner.kernel_provisioner:ForkingProvisioner", "jupyter_client.kernel_provisioners"
)
_LONGEST_SOCKET = 103  # bytes of a path (macOS; one of Linux may have four more)


def _transport(connection: Path) -> str:
    """Sockets beside the connection file: a TCP port chosen for a kernel can be taken by others before it listens.
    TCP only where their paths would be too long for a socket."""
    socket = f"{connection.with_suffix('')}-ipc-5"
    return "ipc" if len(os.fsencode(socket)) <= _LONGEST_SOCKET else "tcp"


class Kernels:
    """Starts kernels in `cwd` and ends all of them; what they print past their notebook goes into `log`."""

    def __init__(self, cwd: Path, log: Path) -> None:
        self._cwd = cwd
        self._log = log.open("ab")
        self._forks, self._warm = can_fork(Path(tempfile.gettempdir())), False
        # They hold the kernels' keys: for this user alone, and not in a home that may be read-only.
        self._connections = tempfile.TemporaryDirectory(prefix="lab-kernels-")
        self._started: list[tuple[AsyncKernelManager, int]] = []
        self._next: AsyncKernelManager | None = None
        self._retired: set[AsyncKernelManager] = set()

    def prepare(self) -> None:
        """Start the next kernel now; it gets ready by itself while other things happen.

        What is started first is the process they are forked from, where they are: nobody waits for its imports here.
        """
        if self._forks and not self._warm:
            warm_up()
            self._warm = True
        elif self._next is None:
            self._next = self._start()

    def take(self) -> "AsyncKernelManager":
        """A kernel no notebook has used: the prepared one where there is one that lives."""
        manager, self._next = self._next or self._start(), None
        return manager

    def _start(self) -> "AsyncKernelManager":
        from jupyter_client import AsyncKernelManager
        from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
        from jupyter_client.provisioning import KernelProvisionerFactory
        from jupyter_core.utils import run_sync

        provisioner = {"provisioner_name": _FORKING.name} if self._forks else {}
        KernelProvisionerFactory.provisioners[_FORKING.name] = _FORKING

        class ThisPython(KernelSpecManager):
            """Knows one kernel, whatever is installed on the machine: the Python that runs the series."""

            def get_kernel_spec(self, kernel_name: str) -> KernelSpec:
                return KernelSpec(
                    argv=[sys.executable, "-m", "lab.runner.kernels", "-f", "{connection_file}"],
                    display_name="Python 3.11",
                    language="python",
                    metadata={"supported_encryption": ["curve"], "kernel_provisioner": provisioner},
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
        self._started.append((manager, manager.provisioner.pid))
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
        if manager is self._next:  # no notebook has used it; interrupting its imports would only fill the log
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
    import lab.runner.kernel_imports  # noqa: F401 - made already, where the kernel is a fork

    app.start()


if __name__ == "__main__":
    main()
