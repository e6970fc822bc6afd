"""Build the file system of a sandbox of namespaces as its first process, and keep it up. A program.

Started as root by `grader.sandbox.namespaces` in new mount, process, network and IPC namespaces. Reads one line of JSON
from standard input, says "ready", and ends as soon as standard input does; with it ends every process of the sandbox.
It runs before anything of the project can be imported, so it uses the standard library alone.
"""

import ctypes
import fcntl
import json
import os
import select
import socket
import struct
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

# Flags of mount(2), from the kernel's include/uapi/linux/mount.h.
RDONLY, NOSUID, NODEV, REMOUNT, BIND, REC, PRIVATE = 1, 2, 4, 32, 4096, 16384, 1 << 18
DEVICES = ("null", "zero", "full", "random", "urandom")
_SIOCSIFFLAGS, _UP_AND_RUNNING = 0x8914, 0x41  # ioctl of netdevice(7)
_libc = ctypes.CDLL(None, use_errno=True)


def mount(source: str, target: Path, kind: str = "", flags: int = 0, options: str = "") -> None:
    """Call mount(2). Raises OSError."""
    if _libc.mount(source.encode(), os.fsencode(target), kind.encode(), flags, options.encode()):
        number = ctypes.get_errno()
        raise OSError(number, f"{os.strerror(number)} (mounting {source} on {target})")


def build(root: Path, spec: dict[str, Any]) -> None:
    """Put together below `root` what can be seen: nothing but what `spec` names."""
    mount("none", Path("/"), flags=REC | PRIVATE)
    mount("tmpfs", root, "tmpfs", NOSUID | NODEV, "size=8m,mode=755")
    for name in spec["system"]:
        link = Path("/", name)
        if link.is_symlink():
            (root / name).symlink_to(link.readlink())
        elif link.is_dir():
            _show(str(link), root / name)
    home = root / "home"
    home.mkdir()
    mount("tmpfs", home, "tmpfs", NOSUID | NODEV, f"size={spec['disk']},mode=755,nr_inodes=200000")
    for name, uid, mode in spec["folders"]:
        (home / name).mkdir(parents=True)
        os.chown(home / name, uid, uid)
        (home / name).chmod(mode)
    for name, target in spec["bound"]:
        (root / target.lstrip("/")).mkdir(parents=True, exist_ok=True)
        mount(str(home / name), root / target.lstrip("/"), flags=BIND)
    for source, target in spec["shown"]:  # after what is bound: Python itself may be below /tmp
        _show(source, root / target.lstrip("/"))
    (root / "proc").mkdir(exist_ok=True)
    mount("proc", root / "proc", "proc", NOSUID | NODEV, "hidepid=2")
    dev = root / "dev"
    dev.mkdir(exist_ok=True)
    for name in DEVICES:
        (dev / name).touch()
        mount(f"/dev/{name}", dev / name, flags=BIND)
    (dev / "fd").symlink_to("/proc/self/fd")
    (dev / "shm").mkdir()
    mount("tmpfs", dev / "shm", "tmpfs", NOSUID | NODEV, "size=64m,mode=1777")
    mount("none", root, flags=REMOUNT | RDONLY | NOSUID | NODEV)


def _show(source: str, target: Path) -> None:
    """Show a file or folder of the machine, to be read only."""
    if Path(source).is_dir():
        target.mkdir(parents=True, exist_ok=True)
    else:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.touch()
    mount(source, target, flags=BIND)
    mount("none", target, flags=REMOUNT | BIND | RDONLY | NOSUID | NODEV)


def no_system_v_memory() -> None:
    """Allow no System V memory and message queue in this IPC namespace, because no process holds them."""
    for name in ("shmmni", "msgmni"):
        Path("/proc/sys/kernel", name).write_text("0")


def loopback_up() -> None:
    """Switch on 127.0.0.1 of this network namespace, the only address it has."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, _SIOCSIFFLAGS, struct.pack("16sh", b"lo", _UP_AND_RUNNING))


def keep_up() -> None:
    """Reap what ends behind the unisolated until standard input does."""
    while True:
        readable, _, _ = select.select([sys.stdin], [], [], 1.0)
        if readable and not os.read(sys.stdin.fileno(), 4096):
            return
        with suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass


def main() -> None:
    # One byte at a time: what follows the line belongs to `keep_up`.
    line = b""
    while not line.endswith(b"\n"):
        line += os.read(sys.stdin.fileno(), 1) or sys.exit("no specification was given")
    spec = json.loads(line)
    root = Path(spec["root"])
    os.umask(0o022)
    no_system_v_memory()
    build(root, spec)
    if spec["loopback"]:
        loopback_up()
    os.chroot(root)
    os.chdir("/")
    os.write(sys.stdout.fileno(), b"ready\n")
    keep_up()


if __name__ == "__main__":
    main()
