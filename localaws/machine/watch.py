"""End the processes of an account that is gone, however it ended. Started by the account, which holds its stdin open.

``python -m localaws.machine.watch CHILDREN_FILE PID``: once the account ``PID`` is gone, what it had started is killed.
"""

import sys
from pathlib import Path


def main() -> None:
    """Wait for the end of stdin, then kill the children that the account of ``PID`` recorded and that still run."""
    sys.stdin.read()
    from localaws.machine.processes import (  # loaded only now: a waiting process is a small one
        ChildRegister,
        stop_processes,
    )

    path, owner = Path(sys.argv[1]), int(sys.argv[2])
    stop_processes(ChildRegister.survivors(path, owner), grace=0.0)


if __name__ == "__main__":
    main()
