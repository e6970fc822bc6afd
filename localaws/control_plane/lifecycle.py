"""Start, stop and delete applications: the operations that take time and pass through several statuses.

Each run of an application on the data plane is a ``Run``; what the data plane tells of an earlier one is ignored.
"""

import contextlib
import threading
import time
from collections.abc import Callable
from typing import Any, Protocol

from localaws.control_plane.descriptions import job_description
from localaws.control_plane.errors import in_use
from localaws.control_plane.model import (
    CANCELLED,
    DELETING,
    FAILED,
    FORCE_STOPPING,
    READY,
    ROLLING_BACK,
    RUNNING,
    STARTING,
    STOPPING,
    UPDATING,
    Application,
    Operation,
    Run,
    Snapshot,
)
from localaws.control_plane.restoring import check_startable, remove_files, restore_path
from localaws.control_plane.store import ApplicationStore
from localaws.job_description import ApplicationKey, JobDescription, Services

_STOPPABLE_BY_FORCE = (STARTING, UPDATING, STOPPING, ROLLING_BACK, RUNNING)


class DataPlane(Protocol):
    """Run the applications; see ``managed_flink.dataplane``."""

    def check(self, job: JobDescription) -> None: ...

    def start(self, job: JobDescription, savepoint: str | None, on_status: Callable[..., None]) -> None: ...

    def snapshot(self, key: ApplicationKey, name: str, stop: bool = False) -> str | None: ...

    def stop(self, key: ApplicationKey) -> None: ...

    def delete(self, key: ApplicationKey) -> None: ...

    def dashboard(self, key: ApplicationKey) -> str | None: ...


class Lifecycle:
    """Drive applications through their statuses.

    ``in_background`` runs what the caller does not wait for.
    """

    def __init__(
        self,
        dataplane: DataPlane,
        store: ApplicationStore,
        services: Services,
        in_background: Callable[[Callable[[], object]], None] | None = None,
    ) -> None:
        self.dataplane = dataplane
        self.store = store
        self.in_background = in_background or _thread
        self._services = services

    # -- start --------------------------------------------------------------------------------------------------

    def start(self, application: Application, run_configuration: dict[str, Any]) -> Operation:
        with self.store.lock:
            require_status(application, (READY,), "started")
            savepoint = restore_path(application, run_configuration.get("ApplicationRestoreConfiguration", {}))
        self.check(application, job_description(application, run=run_configuration))
        with self.store.lock:
            require_status(application, (READY,), "started")
            application.run_configuration = run_configuration
            operation = application.begin("StartApplication")
            self.launch(application, savepoint, STARTING, operation)
        return operation

    def check(self, application: Application, job: JobDescription) -> None:
        """Refuse a job that could not run; raises ApiError."""
        check_startable(application, job, self.dataplane.check, self._services.streams(application.key))

    def launch(
        self,
        application: Application,
        savepoint: str | None,
        status: str,
        operation: Operation,
        on_failure: Callable[[], bool] | None = None,
        scratch: Snapshot | None = None,
    ) -> None:
        """Have the data plane start the current version. Hold the store's lock.

        ``on_failure`` is asked before a failed start makes the application READY, and says whether it took over.
        ``scratch`` is a savepoint nobody was promised, kept only as long as this run may need it.
        """
        self._leave(application)
        run = application.run = Run(scratch=scratch)
        application.become(status)
        self.store.save(application)

        def on_status(told: str, message: str | None = None) -> None:
            with self.store.lock:
                superseded = application.run is not run
                if not superseded:
                    self._told(application, run, operation, told, message, on_failure)
            if superseded and told == RUNNING:  # it was stopped before the data plane had anything to stop
                self.end(application)

        self.dataplane.start(job_description(application), savepoint, on_status)

    def _told(
        self,
        application: Application,
        run: Run,
        operation: Operation,
        told: str,
        message: str | None,
        on_failure: Callable[[], bool] | None,
    ) -> None:
        if told == RUNNING:
            run.starting = run.ended = False
            application.current.ran, application.restored = True, False
            application.become(RUNNING)
            operation.finish()
        elif run.ending:
            run.ended = True  # its job was ended on purpose, or ended by itself just then
            return
        elif run.starting:
            operation.finish(message or "The application could not be started.")
            if on_failure is not None and on_failure():
                return
            self._be_ready(application)
        else:
            self._be_ready(application)
            self.in_background(lambda: self.end(application))
        self.store.save(application)

    # -- stop ---------------------------------------------------------------------------------------------------

    def stop(self, application: Application, force: bool) -> Operation:
        with self.store.lock:
            require_status(application, _STOPPABLE_BY_FORCE if force else (RUNNING,), "stopped")
            operation = application.begin("StopApplication")
            run = application.run
            if force or run is None:
                self._leave(application)
                application.become(FORCE_STOPPING)
                cancel_others(application, operation)
                self.in_background(lambda: self._stopped_by_force(application, operation))
            else:
                run.ending = True
                application.become(STOPPING)
                snapshot = self.new_snapshot(application, "STOP") if application.current.snapshots_enabled else None
                self.in_background(lambda: self._stopped(application, run, operation, snapshot))
            self.store.save(application)
        return operation

    def _stopped_by_force(self, application: Application, operation: Operation) -> None:
        self.end(application)
        with self.store.lock:
            if application.status == FORCE_STOPPING:
                application.become(READY)
            operation.finish()
            self.store.save(application)

    def _stopped(self, application: Application, run: Run, operation: Operation, snapshot: Snapshot | None) -> None:
        if snapshot is not None and not self.take(application, snapshot, stop=True):
            with self.store.lock:
                operation.finish(
                    f"The snapshot {snapshot.name} failed, so the application goes on; its log says why. Stop it "
                    "with Force to do without a snapshot."
                )
                self.go_on(application, run)
            return
        if application.run is run:
            self.end(application)
        with self.store.lock:
            if application.run is run:
                self._be_ready(application)
            operation.finish()
            self.store.save(application)

    def go_on(self, application: Application, run: Run) -> None:
        """Keep a run whose stop failed, unless its job has ended by itself meanwhile. Hold the store's lock."""
        if application.run is run:
            run.ending = False
            application.become(RUNNING)
            if run.ended:
                self._be_ready(application)
                self.in_background(lambda: self.end(application))
        self.store.save(application)

    def end(self, application: Application) -> None:
        """Stop the application on the data plane; its snapshots stay."""
        self.dataplane.stop(application.key)

    def _be_ready(self, application: Application) -> None:
        self._leave(application)
        application.become(READY)

    def _leave(self, application: Application) -> None:
        run, application.run = application.run, None
        if run is not None:
            remove_files(run.scratch)

    # -- snapshots ----------------------------------------------------------------------------------------------

    def take_snapshot(self, application: Application, name: str) -> None:
        """Take a snapshot of a RUNNING application in the background. Hold the store's lock."""
        snapshot = self._list(application, name)
        self.store.save(application)
        self.in_background(lambda: self.take(application, snapshot))

    def new_snapshot(self, application: Application, kind: str, version: int | None = None) -> Snapshot:
        """List a snapshot that Managed Flink takes by itself, under the name that it gives."""
        return self._list(application, f"{kind}-{application.name}-{int(time.time() * 1000)}", version)

    def _list(self, application: Application, name: str, version: int | None = None) -> Snapshot:
        snapshot = Snapshot(name, version or application.current.number, application.current.runtime)
        application.snapshots.append(snapshot)
        return snapshot

    def take(self, application: Application, snapshot: Snapshot, stop: bool = False) -> bool:
        """Take the savepoint of a snapshot; returns whether it succeeded."""
        savepoint = self.dataplane.snapshot(application.key, snapshot.name, stop=stop)
        with self.store.lock:
            snapshot.savepoint, snapshot.status = savepoint, READY if savepoint else FAILED
            self.store.save(application)
        return savepoint is not None

    def delete_snapshot(self, application: Application, snapshot: Snapshot) -> None:
        with self.store.lock:
            application.snapshots.remove(snapshot)
            self.store.save(application)
        remove_files(snapshot)

    # -- delete -------------------------------------------------------------------------------------------------

    def delete(self, application: Application) -> None:
        """Stop the application and remove all of it; returns when it is gone, unless it was running."""
        with self.store.lock:
            require_status(application, (READY, RUNNING), "deleted")
            was_running = application.status == RUNNING
            self._leave(application)
            application.become(DELETING)
            self.store.save(application)
        if was_running:
            self.in_background(lambda: self._delete(application))
        else:
            self._delete(application)

    def _delete(self, application: Application) -> None:
        with contextlib.suppress(OSError):  # files that cannot be removed must not keep the application there
            self.dataplane.delete(application.key)
        self.store.remove(application)


def require_status(application: Application, allowed: tuple[str, ...], verb: str) -> None:
    """Raise ResourceInUseException in any other status."""
    if application.status not in allowed:
        raise in_use(f"Application {application.name} cannot be {verb} in '{application.status}' state.")


def cancel_others(application: Application, kept: Operation) -> None:
    """Cancel every operation in progress but one."""
    for operation in application.operations:
        if operation is not kept:
            operation.finish(status=CANCELLED)


def _thread(work: Callable[[], object]) -> None:
    threading.Thread(target=work, daemon=True).start()
