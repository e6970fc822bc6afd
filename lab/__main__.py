"""`python -m lab`: refuses the wrong Python before anything is imported that could stumble over it."""

import sys

if sys.version_info[:2] != (3, 11):
    found = ".".join(map(str, sys.version_info[:2]))
    sys.stderr.write("The lab needs Python 3.11 but this is " + found + ": install Python 3.11, then run `make lab`.\n")
    sys.exit(2)

try:
    from lab.cli import main

    code = main()
except KeyboardInterrupt:
    sys.stderr.write("The run was interrupted before it began; nothing was started.\n")
    code = 130
sys.exit(code)
