"""The lab: what can be asked of a shop, each question a method that answers at once."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import ibis.expr.types as ir

from retention_lab import checks
from retention_lab.lab import figures, groups, queries
from retention_lab.lab.answer import Answer
from retention_lab.tables import population
from retention_lab.tables.contracts import CONTRACTS
from retention_lab.tables.frames import FrameSource
from retention_lab.tables.snapshot import Snapshot, only, take
from retention_lab.tables.source import Source


class Lab:
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
        self.snapshot: Snapshot = only(self._everybody, where) if chosen else self._everybody

    def __getattr__(self, name: str) -> ir.Table:
        """Give a canonical table by its name."""
        if name in CONTRACTS:
            return getattr(self.snapshot, name)
        near = checks.did_you_mean(name, [*vars(Lab), *CONTRACTS])
        raise AttributeError(f"The lab has no {name!r}.{near}")

    def __dir__(self) -> list[str]:
        asked = (name for name in vars(type(self)) if not name.startswith("_"))
        return sorted({*asked, "snapshot", *self.snapshot.tables})

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

            lab.where("country = 'UK'").returned(days=90)
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

    def overview(self, *, days: int = 90) -> Answer:
        """Whether new customers come back, what to do about it, and every figure of the overview.

        `frame`: one row per recorded result: `name`, `value`, `low` and `high` (95 %), `n`, ...

        Example::

            lab.overview()
        """
        return figures.overview(self.snapshot, days=days)

    def returned(self, *, days: int = 90, by: str | None = None) -> Answer:
        """Share of each month's new customers who bought again within so many days.

        With `by`, an attribute of customers, group by group. `frame`: see `cohorts.returned`.

        Example::

            lab.returned(days=90, by="country")
        """
        if by is None:
            return figures.returned(self.snapshot, days=days)
        return groups.returned(self.snapshot, by=by, days=days)

    def triangle(
        self,
        *,
        clock: figures.Clock = "calendar",
        period: figures.CalendarPeriod = "month",
        window: int = 30,
        by: str | None = None,
    ) -> Answer:
        """Who came back when: cohorts by month of first purchase.

        The clock is the "calendar" in months or weeks (`period`), or each customer's "own" in
        windows of days since the first purchase (`window`). With `by`, an attribute of customers,
        the frame has each group's triangle and the chart a line for each group. `frame`: see
        `cohorts.calendar_triangle`.

        Example::

            lab.triangle(clock="own", by="country")
        """
        if by is None:
            return figures.triangle(self.snapshot, clock=clock, period=period, window=window)
        return groups.triangle(self.snapshot, by=by, clock=clock, period=period, window=window)

    def revenue(self) -> Answer:
        """Revenue by month, from new and from returning customers.

        `frame`: see `revenue.monthly_revenue`.

        Example::

            lab.revenue()
        """
        return figures.monthly_revenue(self.snapshot)

    def concentration(self, *, top_shares: Sequence[float] = (0.1, 0.2)) -> Answer:
        """How much of the revenue the best customers brought.

        `frame`: one row per top share: `top_share`, `customers`, `revenue`, `share`.

        Example::

            lab.concentration(top_shares=[0.01, 0.1])
        """
        return figures.concentration(self.snapshot, top_shares=top_shares)

    def repurchase(self, *, days: int = 90) -> Answer:
        """How long the second purchase takes; those still waiting count as waiting.

        The sentence says how many buy again within `days`. `frame`: see `daygrid.kaplan_meier`.

        Example::

            lab.repurchase(days=180)
        """
        return figures.second_purchase(self.snapshot, days=days)

    def gaps(self) -> Answer:
        """Days from any purchase to the next one.

        `frame`: one row per length: `day`, `events` (ended), `censored` (still open).

        Example::

            lab.gaps()
        """
        return figures.gaps(self.snapshot)

    def activity(self, *, edges: Sequence[int] = (30, 90)) -> Answer:
        """Customers by days since their last purchase, now and one period ago.

        `frame`: one row per `as_of` and `tier`: `customers`, `share`, `low`, `high`.

        Example::

            lab.activity(edges=[30, 90, 365])
        """
        return figures.activity(self.snapshot, edges=edges)

    def kpis(self, *, days: int = 90) -> Answer:
        """What was bought in the last days, beside as many days before.

        `frame`: one row per recorded result; those of the days before end in ``_before``.

        Example::

            lab.kpis(days=30)
        """
        return figures.compared_periods(self.snapshot, days=days)

    def retention_rate(self, *, days: int = 90) -> Answer:
        """The customer retention rate over the last days, and the share of customers kept.

        Example::

            lab.retention_rate(days=90)
        """
        return figures.retention_rate(self.snapshot, days=days)

    def repeat_rate(self) -> Answer:
        """Share of all customers so far who bought on two days or more.

        Example::

            lab.repeat_rate()
        """
        return figures.repeat_rate(self.snapshot, days=90)

    def sql(self, query: str) -> Answer:
        """Answer one SELECT over the tables by name, in the SQL of DuckDB; it changes nothing.

        Amounts are in minor units; at most 100,000 rows come back, so aggregate.

        Example::

            lab.sql("select country, count(*) as customers from customers group by country")
        """
        return queries.answer(self.snapshot, query)
