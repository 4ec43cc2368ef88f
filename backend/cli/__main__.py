"""`python -m backend.cli`, the command that starts a daemon from this very environment."""

from __future__ import annotations

import sys

from . import main

sys.exit(main())
