"""What published reports still need: the snapshots that they were made of."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from retention_lab.reports.manifest import MANIFEST


def needed(*outs: Path) -> frozenset[str]:
    """Return the names of the snapshots that the reports in some folders were made of.

    Call it when old reports are pruned: what remains is what is kept, of all suites. Name every
    folder that holds reports of the source.
    """
    return frozenset(name for out in outs for name in _named(out))


def _named(out: Path) -> Iterator[str]:
    for file in out.glob(f"*/????-??-??/{MANIFEST}"):
        with suppress(FileNotFoundError):  # another suite prunes its own meanwhile
            yield json.loads(file.read_bytes())["snapshot"]["name"]
