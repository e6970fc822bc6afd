"""Restart a running application on another version: UpdateApplication and RollbackApplication."""

import time

from localaws.control_plane.errors import ApiError
from localaws.control_plane.lifecycle import Lifecycle, cancel_others, require_status
from localaws.control_plane.model import ROLLING_BACK, RUNNING, UPDATING, Application, Operation, Run, Snapshot
from localaws.control_plane.restoring import CUSTOM, LATEST, restore_path


class Restarts:
    """Restart applications with their state, and return to an earlier version where that fails."""

    def __init__(self, lifecycle: Lifecycle) -> None:
        self._lifecycle = lifecycle
        self._store = lifecycle.store

    def update(self, application: Application, before: int, operation: Operation, restore: str) -> None:
        """Restart on the version just added; ``before`` is the number of the one that runs. Hold the store's lock.

        With ``restore`` LATEST the state is carried over by a savepoint, which is listed as a snapshot where snapshots
        are enabled.
        """
        run = application.run
        assert run is not None
        run.ending = True
        application.become(UPDATING)
        savepoint, listed, scratch = None, None, None
        if restore == CUSTOM:
            savepoint = restore_path(application, application.run_configuration["ApplicationRestoreConfiguration"])
        elif restore == LATEST and application.current.snapshots_enabled:
            listed = self._lifecycle.new_snapshot(application, "UPDATEAPPLICATION", version=before)
        elif restore == LATEST:
            scratch = Snapshot(f"UPDATE-{int(time.time() * 1000)}", before, application.current.runtime)
        self._store.save(application)

        def restart() -> None:
            taken = listed or scratch
            if taken and not self._lifecycle.take(application, taken, stop=True):
                self._keep(application, run, operation, before)
                return
            if application.run is run:
                self._lifecycle.end(application)
            with self._store.lock:
                if application.run is run:
                    start_from = taken.savepoint if taken else savepoint
                    self._launch(application, start_from, operation, before, scratch)

        self._lifecycle.in_background(restart)

    def _launch(
        self,
        application: Application,
        savepoint: str | None,
        operation: Operation,
        before: int,
        scratch: Snapshot | None,
    ) -> None:
        def fall_back() -> bool:
            if not application.current.rollback_enabled:
                return False
            if application.run is not None:
                application.run.scratch = None  # the next run starts from the same savepoint
            return_to(application, before)
            back = application.begin("RollbackApplication", from_version=application.current.number - 1)
            self._lifecycle.launch(application, savepoint, ROLLING_BACK, back, scratch=scratch)
            return True

        self._lifecycle.launch(application, savepoint, UPDATING, operation, fall_back, scratch)

    def _keep(self, application: Application, run: Run, operation: Operation, before: int) -> None:
        """Return to the version before an update whose savepoint failed; its job goes on."""
        with self._store.lock:
            operation.finish(
                "The snapshot before the update failed, so the version before it goes on; its log says why."
            )
            if application.run is run:
                return_to(application, before)
            self._lifecycle.go_on(application, run)

    def roll_back(self, application: Application) -> Operation:
        """Return to the version that ran before, from the last successful snapshot. Hold the store's lock."""
        require_status(application, (RUNNING, UPDATING), "rolled back")
        earlier = [one.number for one in application.versions[:-1] if one.ran]
        if not earlier or application.latest_snapshot() is None:
            what = "snapshot" if earlier else "version that ran before the current one"
            raise ApiError("InvalidRequestException", f"The application {application.name} has no {what} to return to.")
        savepoint = restore_path(application, {"ApplicationRestoreType": LATEST})
        before = application.current.number
        run = application.run = Run(ending=True)
        return_to(application, earlier[-1])
        operation = application.begin("RollbackApplication", from_version=before)
        cancel_others(application, operation)
        application.become(ROLLING_BACK)
        self._store.save(application)

        def restart() -> None:
            self._lifecycle.end(application)
            with self._store.lock:
                if application.run is run:
                    self._lifecycle.launch(application, savepoint, ROLLING_BACK, operation)

        self._lifecycle.in_background(restart)
        return operation


def return_to(application: Application, number: int) -> None:
    """Add a version with the configuration of an earlier one."""
    target, left = application.version(number), application.current
    assert target is not None
    version = target.successor(left.number + 1)
    version.updated_from, version.rolled_back_from, version.rolled_back_to = None, left.number, number
    left.status = "ROLLED_BACK"
    application.add_version(version)
