"""`python -m retention_lab` is the command `retention-lab`."""

from __future__ import annotations

from retention_lab.cli import main

raise SystemExit(main())
