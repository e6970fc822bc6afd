"""Keep applications in memory and on disk, each change before it is answered."""

import json
import logging
import shutil
import threading
import time
from pathlib import Path
from typing import Any

from localaws.control_plane.errors import not_found
from localaws.control_plane.model import DELETING, Application
from localaws.job_description import ApplicationKey
from localaws.machine.account_folder import write_atomically

log = logging.getLogger("localaws.control_plane")

FOLDER = "control_plane"
_FORMAT = 1


class ApplicationStore:
    """Keep the applications of every account and region; ``lock`` guards them and what belongs to them."""

    def __init__(self, home: Path) -> None:
        self.lock = threading.RLock()
        self._folder = home / FOLDER
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._applications: dict[ApplicationKey, Application] = {}
        self.damaged: list[str] = []  # a sentence for each file that could not be read
        for path in sorted(self._folder.glob("*.json")):
            self._load(path)

    def get(self, key: ApplicationKey) -> Application | None:
        with self.lock:
            return self._applications.get(key)

    def require(self, account: str, region: str, data: dict[str, Any]) -> Application:
        """Return the application that a request names; raises ResourceNotFoundException."""
        application = self.get(ApplicationKey(account, region, data["ApplicationName"]))
        if application is None:
            raise not_found(f"Application '{data['ApplicationName']}' does not exist.")
        return application

    def of(self, account: str, region: str) -> list[Application]:
        """Return the applications of one account and region, by name."""
        with self.lock:
            found = [one for one in self._applications.values() if (one.account, one.region) == (account, region)]
        return sorted(found, key=lambda one: one.name)

    def save(self, application: Application) -> None:
        """Keep a new or changed application in memory and on disk.

        Where the disk is full, the account's log says so, and the change holds until the account stops.
        """
        with self.lock:
            self._applications[application.key] = application
            text = json.dumps({"format": _FORMAT, "application": application.to_data()})
            try:
                write_atomically(self._path(application.key), text)
            except OSError as error:
                log.error("The application %s could not be saved: %s; free some space.", application.name, error)

    def remove(self, application: Application) -> None:
        with self.lock:
            if self._applications.get(application.key) is application:
                del self._applications[application.key]
                self._path(application.key).unlink(missing_ok=True)

    def _path(self, key: ApplicationKey) -> Path:
        return self._folder / f"{key}.json"

    def _load(self, path: Path) -> None:
        try:
            content: dict[str, Any] = json.loads(path.read_text())
            if content["format"] != _FORMAT:
                raise ValueError(f"format {content['format']}")
            application = Application.from_data(content["application"])
        except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
            kept = path.with_name(f"{path.name}.damaged-{time.time_ns()}")
            path.rename(kept)
            self.damaged.append(
                f"The application of {path.name} is gone: its file cannot be read ({error!r}); kept as {kept}."
            )
            log.error(self.damaged[-1])
            return
        if application.status == DELETING:
            path.unlink(missing_ok=True)
            return
        self._applications[application.key] = application


def forget(home: Path) -> None:
    """Remove all applications of a home and their snapshots; its account must be down."""
    for name in (FOLDER, "applications"):
        shutil.rmtree(home / name, ignore_errors=True)
