"""The lab: a shop as of a day, whom it is about, and its tables."""

from __future__ import annotations

import datetime as dt

import ibis.expr.types as ir

from retention_lab import checks
from retention_lab.lab import figures
from retention_lab.lab.answer import Answer
from retention_lab.lab.questions import Questions
from retention_lab.tables import population
from retention_lab.tables.contracts import CONTRACTS
from retention_lab.tables.frames import FrameSource
from retention_lab.tables.snapshot import only, take
from retention_lab.tables.source import Source


class Lab(Questions):
    """A shop as of a day, perhaps of some of its customers only, and what can be asked of it.

    The tables are `lab.orders`, `lab.customers` and what else there is, as Ibis tables; money in
    them is in minor units. `lab.snapshot` tells how they were cut.
    """

    def __init__(
        self,
        source: Source,
        *,
        as_of: dt.date | str | None = None,
        where: str = "",
        time_zone: str | None = None,
    ) -> None:
        self._source, self._time_zone = source, time_zone
        self._everybody = take(source, as_of=as_of, zone=time_zone)
        chosen = bool(where.strip())
        self.snapshot = only(self._everybody, where) if chosen else self._everybody

    def __getattr__(self, name: str) -> ir.Table:
        """Give a canonical table by its name."""
        if name in CONTRACTS:
            return getattr(self.snapshot, name)
        near = checks.did_you_mean(name, [*_ASKED, *CONTRACTS])
        raise AttributeError(f"The lab has no {name!r}.{near}")

    def __dir__(self) -> list[str]:
        return sorted({*_ASKED, "snapshot", *self.snapshot.tables})

    def __repr__(self) -> str:
        shop, rows = self.snapshot, self.snapshot.rows
        where = f" with {shop.where}" if shop.where else ""
        return (
            f"<Lab: {shop.name} as of {shop.as_of}, {rows['customers']:,} customers{where}, "
            f"{rows['orders']:,} orders since {shop.records_from}>"
        )

    @property
    def as_of(self) -> dt.date:
        """The last day that is known here; nothing later reaches any answer."""
        return self.snapshot.as_of

    def where(self, condition: str) -> Lab:
        """Only the customers for whom an SQL condition holds, within those that are here.

        Example::

            lab.where("country = 'Germany'").returned(days=90)
        """
        chosen = object.__new__(Lab)
        chosen.__dict__.update(self.__dict__)
        both = population.both(self.snapshot.where, condition)
        chosen.snapshot = only(self._everybody, both)
        return chosen

    def at(self, as_of: dt.date | str) -> Lab:
        """The same shop as it was known at the end of another day.

        Example::

            lab.at("2026-08-31").overview()
        """
        where = self.snapshot.where
        return Lab(self._source, as_of=as_of, where=where, time_zone=self._time_zone)

    def check(self) -> Answer:
        """What the tables hold: how many rows are used, and why the others are not.

        `frame`: one row per `table` and `reason` ("used" for what remains): `rows`, `amount`.

        Example::

            lab.check()
        """
        unused = self._source.unused if isinstance(self._source, FrameSource) else {}
        return figures.check(self.snapshot, unused=unused)


_ASKED = [name for name in (*vars(Lab), *vars(Questions)) if not name.startswith("_")]
