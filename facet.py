#!/usr/bin/env python3
"""Facet's one command: demo, serve, doctor, test, bench, world. See `python facet.py --help`.

Standard library only, so that it runs before anything is installed.
"""

import sys

if sys.version_info < (3, 10):  # noqa: UP036 - said before anything that older versions cannot parse
    sys.exit("Facet needs Python 3.10 to 3.13; run the command with one of those.")

from launcher.cli import main

if __name__ == "__main__":
    sys.exit(main())
