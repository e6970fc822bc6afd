"""Count and bound the memory of one submission: by a control group, else by looking at its processes."""

import os
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from grader.sandbox.limits import Limits

_PAGE = os.sysconf("SC_PAGE_SIZE")
# Version of cgroups: the file with the limit, and what of memory.stat no process can give back without freeing it. In a
# memory file (memfd) and in a file system of memory both are `shmem`, whoever holds it and whether it is mapped or not.
_FILES = {
    2: ("memory.max", ("anon", "shmem")),
    1: ("memory.limit_in_bytes", ("total_rss", "total_shmem")),
}


class MemoryGroup:
    """Provide a control group (cgroups(7)) of one submission, with a group inside for each of its sandboxes."""

    def __init__(self, folder: Path, version: int) -> None:
        self._folder, self._version = folder, version

    @classmethod
    def make(cls, limits: Limits) -> "MemoryGroup | None":
        """Return a group that the kernel keeps below the limits; None where the system gives us none."""
        for parent, version in _parents():
            with suppress(OSError):
                group = cls(Path(tempfile.mkdtemp(prefix="lab-grading-", dir=parent)), version)
                try:
                    # What sandboxes write is memory of the group as well.
                    (group._folder / _FILES[version][0]).write_text(str(limits.memory + limits.disk))
                    if version == 2:
                        (group._folder / "cgroup.subtree_control").write_text("+memory")
                except OSError:
                    group.close()
                else:
                    return group
        return None

    def inside(self, name: str) -> "MemoryGroup":
        """Return a new group inside this one."""
        folder = self._folder / name
        folder.mkdir()
        return MemoryGroup(folder, self._version)

    def joined(self, command: Sequence[str]) -> list[str]:
        """Return the command, as a process that joins this group before it does anything."""
        return ["sh", "-c", 'echo 0 > "$0" && exec "$@"', str(self._folder / "cgroup.procs"), *command]

    def used(self) -> int:
        """Return bytes of memory in use, what was written into memory file systems included."""
        try:
            lines = (self._folder / "memory.stat").read_text().splitlines()
        except OSError:
            return 0
        found = dict(line.split(" ", 1) for line in lines)
        return sum(int(found.get(name, 0)) for name in _FILES[self._version][1])

    def close(self) -> None:
        """Remove the group as soon as its processes are gone."""
        deadline = time.monotonic() + 10
        for folder in (*(path for path in self._folder.glob("*") if path.is_dir()), self._folder):
            while folder.exists() and time.monotonic() < deadline:
                with suppress(OSError):
                    folder.rmdir()
                    break
                time.sleep(0.05)


def _parents() -> Iterator[tuple[Path, int]]:
    """Yield the groups a new one may be made in, and their version.

    Of version 1 that is our own; of version 2 those above it, since a group with processes has none inside.
    """
    try:
        lines = Path("/proc/self/cgroup").read_text().splitlines()
        mounts = [line.split() for line in Path("/proc/self/mounts").read_text().splitlines()]
    except OSError:
        return
    own = {name: path for _, names, path in (line.split(":", 2) for line in lines) for name in names.split(",")}
    for _, where, kind, options, *_ in mounts:
        if kind == "cgroup2" and "" in own:
            folder = Path(where + own[""])
            for each in (folder, *(path for path in folder.parents if path.is_relative_to(where))):
                with suppress(OSError):
                    if "memory" in (each / "cgroup.subtree_control").read_text().split():
                        yield each, 2
        elif kind == "cgroup" and "memory" in options.split(",") and "memory" in own:
            yield Path(where + own["memory"]), 1


def resident(processes: Iterable[Path]) -> int:
    """Return bytes resident of processes, by their folders in /proc, and of the memory files (memfd) they hold open.

    A memory file that is neither mapped nor open (on its way through a socket) is seen by a control group alone.
    """
    pages, files = 0, {}
    for process in processes:
        with suppress(OSError, IndexError, ValueError):
            pages += int((process / "statm").read_text().split()[1])
            for descriptor in (process / "fd").iterdir():
                if descriptor.readlink().as_posix().startswith("/memfd:"):
                    found = descriptor.stat()
                    files[found.st_dev, found.st_ino] = found.st_blocks * 512
    return pages * _PAGE + sum(files.values())
