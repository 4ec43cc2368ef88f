#!/usr/bin/env python3
"""Sets up Nuri: `python3 install.py demo | plugin | doctor | training | test`.

This file has to be readable by a Python that is too old, so that it can say so.
"""

import os
import sys

OLDEST = (3, 10)


def main() -> int:
    if sys.version_info < OLDEST:
        found = "%d.%d" % sys.version_info[:2]
        sys.stderr.write(
            "install.py: Nuri needs Python 3.10 or newer, this is Python %s"
            " -> Run it with a newer one, as in: python3.12 install.py demo\n" % found
        )
        return 1
    sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
    sys.dont_write_bytecode = True
    from backend.setup import commands

    return commands.main()


if __name__ == "__main__":
    sys.exit(main())
