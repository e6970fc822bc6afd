"""Refuse the wrong Python for `python -m lab` before anything is imported that could stumble over it."""

import sys

if sys.version_info[:2] != (3, 11):
    found = ".".join(map(str, sys.version_info[:2]))
    sys.stderr.write("The lab needs Python 3.11 but this is " + found + ": install Python 3.11, then run `make lab`.\n")
    sys.exit(2)

import signal

try:
    # `make lab` holds ctrl-C back while the interpreter starts, where Python would answer it with a traceback.
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    from lab.cli import main

    code = main()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # nothing is left to interrupt but the interpreter's own end
except KeyboardInterrupt:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    sys.stderr.write("The run was interrupted before it began; nothing was started.\n")
    code = 130
sys.exit(code)
