"""Write a seeded synthetic reviews file and its labels: `python -m reviewgen`."""

import sys

from reviewgen.files import main

sys.exit(main())
