"""The lab: a shop as of a day, whom it is about, and its tables."""

from __future__ import annotations

import datetime as dt
from functools import partial
from pathlib import Path

import ibis.expr.types as ir

from retention_lab import checks
from retention_lab.lab import figures, overviews, reading
from retention_lab.lab.answer import Answer
from retention_lab.lab.comparing import Earlier
from retention_lab.lab.portraits import Portraits
from retention_lab.lab.questions import OVERVIEW, Questions
from retention_lab.lab.reading import Reading
from retention_lab.tables import population
from retention_lab.tables.annotations import Annotation, load
from retention_lab.tables.contracts import CONTRACTS
from retention_lab.tables.frames import FrameSource
from retention_lab.tables.snapshot import only, take
from retention_lab.tables.source import Source
from retention_lab.wording.phrases import counted_unless_few


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
        self._annotations: str | Path = ""
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
        customers = counted_unless_few(rows["customers"], "customer")
        return (
            f"<Lab: {shop.name} as of {shop.as_of}, {customers}{where}, "
            f"{rows[shop.main]:,} {shop.main} since {shop.records_from}>"
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
        chosen = self._copy()
        both = population.both(self.snapshot.where, condition)
        chosen.snapshot = only(self._everybody, both)
        return chosen

    def at(self, as_of: dt.date | str) -> Lab:
        """The same shop as it was known at the end of another day.

        Example::

            lab.at("2026-08-31").overview()
        """
        where = self.snapshot.where
        lab = Lab(self._source, as_of=as_of, where=where, time_zone=self._time_zone)
        return lab.annotated(self._annotations)

    def annotated(self, file: str | Path = "data/annotations.yml") -> Lab:
        """The same lab, its charts marked and its sentences told with what happened when.

        Example::

            lab.annotated("data/annotations.yml").revenue()
        """
        lab = self._copy()
        lab._annotations = file
        return lab

    @property
    def annotations(self) -> tuple[Annotation, ...]:
        """What happened up to the last day that is known here, from the file of `annotated`."""
        return load(self._annotations, as_of=self.as_of)

    def changed(self, report: str | Path, *, notebook: str = OVERVIEW, days: int = 90) -> Answer:
        """Which figures of the overview are not what an earlier report printed, and how far off.

        `report` is the folder of that report. `frame`: see `previous.changes`.

        Example::

            lab.changed("reports/weekly/2026-11-22")
        """
        earlier = self._earlier(report, notebook)
        return overviews.changed(self.snapshot, told=earlier.told, source=earlier.source, days=days)

    def _earlier(self, report: str | Path, notebook: str = OVERVIEW) -> Earlier:
        file = Path(report)
        file = file if file.suffix == ".json" else file / "results.json"
        source = "" if isinstance(self._source, FrameSource) else str(self._source.file)
        return Earlier(told=f"{file}#{notebook}", source=source)

    def _copy(self) -> Lab:
        lab = object.__new__(Lab)
        lab.__dict__.update(self.__dict__)
        return lab

    def readout(
        self, plan: str | Path, *, metrics: str | Path = "", ledgers: str | Path = "state"
    ) -> Reading:
        """What the randomized test of a plan showed, whether that may be read, and what follows.

        If the day of the lab is a look of the test, it is remembered in `ledgers`, the state of the
        project, from then on; between looks the numbers are those of the last one. `metrics` is a
        file of your own metrics, which the plan may name. Its parts are answers, too: `.validity`,
        `.effect`, `.curves`, `.looks`, `.guardrails`, `.secondaries`, `.segments`, `.deviations`
        and `.steps()`; `.decision` is a draft of `decision.md`. `frame`: one row per recorded
        result.

        Example::

            lab.readout("experiments/demo_check_in/plan.yml")
            lab.readout("experiments/demo_check_in/plan.yml").segments
        """
        return reading.read(
            self.snapshot,
            plan,
            at=partial(take, self._source, zone=self._time_zone),
            ledgers=ledgers,
            metrics=metrics,
            owner=overviews.OWNER,
        )

    def check(self) -> Answer:
        """What the tables hold: how many rows are used, and why the others are not.

        `frame`: one row per `table` and `reason` ("used" for what remains): `rows`, `amount`.

        Example::

            lab.check()
        """
        unused = self._source.unused if isinstance(self._source, FrameSource) else {}
        return figures.check(self.snapshot, unused=unused, annotations=self.annotations)


_KINDS = (Lab, Questions, Portraits)
_ASKED = [name for kind in _KINDS for name in vars(kind) if not name.startswith("_")]
