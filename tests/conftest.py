"""What every test relies on: repeatable examples, and Spark workers of the same Python."""

from __future__ import annotations

import os
import sys

from hypothesis import settings

# The same examples on every run and machine, however slow: a failure can be repeated.
settings.register_profile("repeatable", derandomize=True, deadline=None)
settings.load_profile("repeatable")

# Spark would start its workers with whatever `python3` is on the path.
os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
