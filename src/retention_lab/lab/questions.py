"""What can be asked of a shop, each question a method that answers at once."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Unpack

from retention_lab.customers.cube import Unit
from retention_lab.lab import cohort_curves, comparing, figures, groups, overviews, queries
from retention_lab.lab.answer import Answer
from retention_lab.lab.comparing import Explanation
from retention_lab.lab.portraits import Portraits
from retention_lab.tables.annotations import Annotation
from retention_lab.tables.period import Period
from retention_lab.tables.population import both
from retention_lab.tables.saving import from_report
from retention_lab.tables.snapshot import Snapshot

OVERVIEW = "10_retention_overview"


class Questions(Portraits, ABC):
    """The questions of a lab; each answer has `.frame`, `.chart` and `.sentence`."""

    snapshot: Snapshot

    @abstractmethod
    def _earlier(self, report: str | Path, notebook: str = OVERVIEW) -> comparing.Earlier:
        """Name an earlier report by its folder or its `results.json`."""

    @property
    def annotations(self) -> tuple[Annotation, ...]:
        """What happened when, as far as it is to be marked on charts; see `annotated`."""
        return ()

    def overview(self, *, days: int = 90) -> Answer:
        """Whether new customers come back, what to do about it, and every figure of the overview.

        `frame`: one row per recorded result: `name`, `value`, `low` and `high` (95 %), `n`, ...

        Example::

            lab.overview()
        """
        return overviews.overview(self.snapshot, days=days, annotations=self.annotations)

    def returned(self, *, days: int = 90, by: str | None = None) -> Answer:
        """Share of each month's new customers who bought again within so many days.

        With `by`, an attribute of customers, group by group. `frame`: see `cohorts.returned`.

        Example::

            lab.returned(days=90, by="country")
        """
        if by is None:
            return figures.returned(self.snapshot, days=days, annotations=self.annotations)
        return groups.returned(self.snapshot, by=by, days=days, annotations=self.annotations)

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

    def curves(
        self,
        *,
        clock: figures.Clock = "calendar",
        period: figures.CalendarPeriod = "month",
        window: int = 30,
        **view: Unpack[cohort_curves.Words],
    ) -> Answer:
        """Who came back in each period, with intervals: of all cohorts, or of sides to compare.

        The clock is that of `triangle`. The `view` may say `later` (in a period or later), what to
        `compare` (two "cohorts", "years", or an attribute), `cohort` and `against` (their first
        days), and `at`, the period that the sentence is about. `frame`: one row per side and
        period.

        Example::

            lab.curves(compare="country", at=3)
        """
        unit = Unit(clock=clock, period=period, window=window)
        return cohort_curves.curves(self.snapshot, unit, **view)

    def revenue(self) -> Answer:
        """Revenue by month, from new and from returning customers.

        `frame`: see `revenue.monthly_revenue`.

        Example::

            lab.revenue()
        """
        return figures.monthly_revenue(self.snapshot, annotations=self.annotations)

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
        return figures.compared_periods(self.snapshot, days=days, annotations=self.annotations)

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

    def metrics(self, file: str | Path = "data/metrics.yml", *, days: int = 90) -> Answer:
        """The metrics of a file of your own for the last days, beside as many days before.

        `frame`: one row per recorded result, as `kpis` gives them.

        Example::

            lab.metrics("data/metrics.yml", days=30)
        """
        return comparing.metrics(self.snapshot, file=file, days=days)

    def compare(
        self,
        measure: str,
        period: str | Period,
        against: str | Period = "before",
        *,
        other: Questions | None = None,
        metrics: str | Path = "",
    ) -> Answer:
        """One measure in two periods, or of other customers in the same period.

        Measures are `returned_90` (any number of days), `average_order_value`,
        `purchase_frequency`, `buyers_again`, `revenue_per_customer`, and those of a file of
        `metrics`. A period is "2026-08", "2026-W32", "2026-Q3", "2026" or two days with a slash;
        `against` may also be "before" or "last year". `other` is another lab, such as
        ``lab.where(...)``. `frame`: a row for each side and one for the difference.

        Example::

            lab.compare("returned_90", "2026-08", "last year")
            lab.where("country = 'Germany'").compare("returned_90", "2026-08", other=lab)
        """
        before = self.snapshot if other is None else other.snapshot
        sides = comparing.sides(self.snapshot, before, period=period, against=against)
        return comparing.compare(measure, *sides, metrics=metrics)

    def explain(  # noqa: PLR0913  the arguments of `compare` and two of its own
        self,
        measure: str,
        period: str | Period,
        against: str | Period = "before",
        *,
        by: str | Sequence[str] = (),
        other: Questions | None = None,
        metrics: str | Path = "",
        printed: str | Path = "",
    ) -> Explanation:
        """Why a measure moved: restated data, the method, who they are, what they did.

        The arguments are those of `compare`; `by` names attributes to tell customers apart, and
        without any those are taken that tell most. `printed` is the folder of an earlier report:
        then the way begins at what it printed of `against`. `frame`: one row per part; they add up
        to the change. `.kinds` answers which kinds of customers it goes with, and
        ``.customers("mix")`` lists who stands behind a part.

        Example::

            lab.explain("returned_90", "2026-08", "2026-07", by="country")
            lab.explain("returned_90", "2026-08", printed="reports/weekly/2026-11-22")
        """
        before = self.snapshot if other is None else other.snapshot
        sides = comparing.sides(self.snapshot, before, period=period, against=against)
        earlier = self._earlier(printed) if str(printed) else None
        dimensions = [by] if isinstance(by, str) else by
        return comparing.explain(measure, *sides, by=dimensions, metrics=metrics, earlier=earlier)

    def cohort(
        self,
        name: str,
        *,
        where: str = "",
        ids: Iterable[object] | None = None,
        report: str | Path = "",
        result: str = "returned",
        replace: bool = False,
    ) -> Answer:
        """Save customers under a name: those of a condition, or a list that stays the same.

        With a `report`, its folder, those whom a `result` of it is about; without any of these, the
        customers whom this lab was narrowed to. Any condition may then name them:
        ``lab.where("cohort('uk-august')")``. This writes files in `data/cohorts/`.

        Example::

            lab.cohort("uk", where="country = 'United Kingdom'")
            lab.cohort("newest", report="reports/weekly/2026-11-22")
        """
        if str(report):
            where = both(where, from_report(report, result))
        return comparing.cohort(name, shop=self.snapshot, where=where, ids=ids, replace=replace)

    def sql(self, query: str) -> Answer:
        """Answer one SELECT over the tables by name, in the SQL of DuckDB; it changes nothing.

        Amounts are in minor units; at most 100,000 rows come back, so aggregate.

        Example::

            lab.sql("select country, count(*) as customers from customers group by country")
        """
        return queries.answer(self.snapshot, query)
