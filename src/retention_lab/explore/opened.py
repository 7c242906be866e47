"""The shop that an explorer is about, and how code and suites name it again."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from pathlib import Path

from retention_lab.tables import population, snapshot
from retention_lab.tables.snapshot import Snapshot

ROOT = Path("experiments/suites")  # what a project has that no folder above or below it has


@dataclass(frozen=True, kw_only=True)
class Opened:
    """A shop as of a day, and the words that open it again.

    `source` is its source file as it was given, `time_zone` and `where` are empty for the source's
    own zone and for all customers.
    """

    shop: Snapshot
    source: str
    time_zone: str = ""
    where: str = ""

    def lab(self, where: str = "") -> str:
        """Write the Python that opens the shop, perhaps for fewer of its customers."""
        both = population.both(self.where, where)
        words = [repr(self.source), f'as_of="{self.shop.as_of}"']
        words += [f"where={both!r}"] if both else []
        words += [f"time_zone={self.time_zone!r}"] if self.time_zone else []
        return f"retention_lab.open({', '.join(words)})"


def take(
    source: str, *, as_of: dt.date | str | None = None, time_zone: str = "", where: str = ""
) -> Opened:
    """Open a shop; its snapshot is taken, or used again if there is one.

    Raises
    ------
    BadParameter
        When the source, the day or the condition is not understood.
    BadData
        When the data break a contract, or do not reach the day.
    """
    shop = snapshot.take(source, as_of=as_of or None, zone=time_zone or None, where=where)
    return Opened(shop=shop, source=source, time_zone=time_zone, where=where.strip())


def root() -> Path:
    """Return the folder of the project, for a notebook that lies somewhere in it."""
    here = Path.cwd()
    return next((up for up in (here, *here.parents) if (up / ROOT).is_dir()), here)
