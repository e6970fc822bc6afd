"""Become another program after giving up what it may not have. A program.

limited_main.py FILE_SIZE PROCESSES USER PROGRAM ARGUMENT...        USER 0 keeps the user it has
"""

import os
import resource
import sys

if __name__ == "__main__":
    size, processes, user = map(int, sys.argv[1:4])
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if user:
        resource.setrlimit(resource.RLIMIT_NPROC, (processes, processes))
        os.setgroups([])
        os.setresgid(user, user, user)
        os.setresuid(user, user, user)
    os.execvp(sys.argv[4], sys.argv[4:])
