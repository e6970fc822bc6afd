"""Limit how much of the machine one submission may use."""

from dataclasses import dataclass

MIB = 1 << 20


@dataclass(frozen=True)
class Limits:
    """Bound seconds, bytes and counts of one submission; what is beyond them costs its own points only."""

    timeout: float = 240.0  # seconds in which a part of the grading must come a step on: start, cell, check, call
    cell_timeout: int = 120  # seconds for one cell, or one call of a student's function
    disk: int = 1024 * MIB  # bytes in all that it writes
    memory: int = 6144 * MIB  # bytes resident, all its processes together
    file_size: int = 512 * MIB  # bytes of one file (RLIMIT_FSIZE)
    output: int = 4 * MIB  # bytes of outputs of one notebook
    processes: int = 1000  # processes and threads of one user (RLIMIT_NPROC); a Flink cluster has about 250
    unpacked: int = 64 * MIB  # bytes of a submission as it is handed in, unpacked
    files: int = 500  # files of a submission as it is handed in
