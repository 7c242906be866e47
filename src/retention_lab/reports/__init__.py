"""Suites, typed parameters, runs, the HTML page and its publishing; knows no statistics."""

from __future__ import annotations

import sys

# Nothing here checks the syntax of web addresses, whose grammar jsonschema builds at each start if
# it can: half of the time that a report spends on imports. None says that there is no such module.
sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]
# Altair loads its widgets wherever it can, and here nobody moves anything.
sys.modules.setdefault("anywidget", None)  # type: ignore[arg-type]
