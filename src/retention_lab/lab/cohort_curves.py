"""Who came back, cohorts side by side: what explorers and reports show of one triangle."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypedDict, Unpack

import altair as alt
import pandas as pd

from retention_lab import charts, checks
from retention_lab.charts import cohort_curves as pictures
from retention_lab.charts.beside import Beside, beside
from retention_lab.charts.triangles import hidden_in
from retention_lab.customers import cohorts
from retention_lab.customers.cube import Cube, Unit, cube, curve
from retention_lab.lab.answer import Answer, drawn, readable
from retention_lab.record import Ledger
from retention_lab.record import cohort_curves as recorded
from retention_lab.tables.snapshot import Snapshot
from retention_lab.wording import Instead
from retention_lab.wording import cohort_curves as said


class Words(TypedDict, total=False):
    """What of a triangle is looked at; see `View`."""

    later: bool
    compare: str
    cohort: str
    against: str
    at: int


@dataclass(frozen=True, kw_only=True)
class View:
    """What of a triangle is looked at.

    Parameters
    ----------
    later
        Who bought in a period or later, rather than in it.
    compare
        Nothing (empty), two "cohorts", this year's cohorts with last year's ("years"), or the
        values of an attribute.
    cohort, against
        The first days of a cohort and of the one it is compared with (ISO dates); empty for the
        newest one that is complete, and the one before it.
    at
        The period of which numbers are said, from 1.
    """

    later: bool = False
    compare: str = ""
    cohort: str = ""
    against: str = ""
    at: int = 1


@dataclass(frozen=True, kw_only=True, eq=False)
class Triangle:
    """The triangle of the chosen customers, and what of it may be shown (`cells`, `mean`)."""

    cube: Cube
    chosen: Mapping[str, str]
    frame: pd.DataFrame
    means: pd.DataFrame
    cells: pd.DataFrame
    mean: pd.DataFrame

    @functools.cached_property
    def years(self) -> dict[str, list[pd.Timestamp]]:
        """The cohorts of the year of the last day, and of the one before it."""
        year = self.cube.as_of.year
        cohorts = list(self.frame["cohort"].unique())
        return {
            f"cohorts of {each}": [cohort for cohort in cohorts if cohort.year == each]
            for each in (year, year - 1)
        }

    @functools.cache  # noqa: B019  it lives as long as its cube
    def kinds(self, name: str) -> dict[str, pd.DataFrame]:
        """Return the curve of each value of an attribute; see `cube.curve`."""
        checks.known("cohorts", "attribute to compare", [name], self.cube.values)
        return {each: curve(part) for each, part in self.cube.by(name, self.chosen).items()}


def triangle(cube: Cube, chosen: Mapping[str, str]) -> Triangle:
    """Add up the triangle of chosen customers and hide what would tell of few."""
    frame = cube.triangle(chosen)
    means = cohorts.weighted_mean(frame)
    cells, mean = hidden_in(frame, means, cohorts=charts.COHORTS, periods=charts.PERIODS)
    return Triangle(cube=cube, chosen=chosen, frame=frame, means=means, cells=cells, mean=mean)


class Curves:
    """The curves of a view, their numbers in a period (`ledger`), and what is said of them."""

    def __init__(self, triangle: Triangle, view: View) -> None:
        self.of, self.view = triangle, view
        self.cohort = _cohort(triangle, view.cohort, at=view.at)
        self.points, pairs = _points(triangle, view, cohort=self.cohort)
        self.ledger = Ledger()
        now = self.points[self.points["period"] == view.at]
        recorded.sides(self.ledger, now, pairs=pairs, later=view.later)
        self.cell = _cell(triangle.cells, self.cohort, view)
        if self.cell is not None:
            recorded.cell(self.ledger, self.cell, later=view.later)

    @property
    def when(self) -> str:
        """The period of the view, as sentences name it."""
        unit = self.of.cube.unit
        return said.when(
            self.view.at,
            clock=unit.clock,
            period=unit.period,
            window=unit.window,
            later=self.view.later,
        )

    @property
    def headline(self) -> str:
        """One line for a report."""
        return said.curves_headline(self.ledger, compare=self.view.compare, when=self.when)

    @property
    def sentence(self) -> str:
        """What the sides did in the period, and how far they are apart."""
        view = self.view
        return said.curves(self.ledger, compare=view.compare, when=self.when, later=view.later)

    @property
    def cell_sentence(self) -> str:
        """How many of the picked cohort bought in the period."""
        if self.cohort is None:
            return ""
        return said.cell(
            self.ledger,
            first=self.cohort,
            weekly=weekly(self.of.cube.unit),
            complete=self.cell is not None and bool(self.cell["complete"]),
            when=self.when,
        )

    @property
    def chart(self) -> alt.LayerChart | Instead:
        """The curves, with all cohorts pale behind them where nothing is compared."""
        unit, view = self.of.cube.unit, self.view
        points, others = self._lines
        return pictures.curves(points, others=others, unit=unit.name, later=view.later, at=view.at)

    @property
    def beside(self) -> Beside | Instead:
        """The triangle to the left of the curves, the picked cell framed."""
        unit, view = self.of.cube.unit, self.view
        points, others = self._lines
        return beside(
            (self.of.cells, self.of.mean),
            points,
            others=others,
            unit=unit.name,
            later=view.later,
            picked=(self.cohort, view.at),
        )

    @property
    def _lines(self) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Return the points that stand out, the picked cohort's too, and those behind them."""
        cells, view = self.of.cells, self.view
        each = pictures.of_each(cells, later=view.later)
        if view.compare:
            return self.points, each.head(0)
        mine = each[each["side"] == pictures.called(self.cohort, cells)]
        return pd.concat([self.points, mine]), each

    @property
    def table(self) -> pd.DataFrame | None:
        """The sides in the period, as readers see them; None where nothing is compared."""
        now = self.points[self.points["period"] == self.view.at]
        written = readable(now[["side", "size", "share", "low", "high"]])
        written = written.set_axis(["Customers", "Share", "From", "To"], axis="columns")
        return written.rename_axis(index="Who") if self.view.compare else None

    @property
    def answer(self) -> Answer:
        """The curves as the lab answers: `frame` has a row for each side and period."""
        chart = self.chart
        return Answer(frame=self.points, chart=chart, sentence=self.sentence, written=drawn(chart))


def curves(shop: Snapshot, unit: Unit, **view: Unpack[Words]) -> Answer:
    """Answer who came back in each period, side by side."""
    return Curves(triangle(cube(shop, unit), {}), View(**view)).answer


def _points(
    triangle: Triangle, view: View, *, cohort: pd.Timestamp | None
) -> tuple[pd.DataFrame, list[tuple[str, str]]]:
    """Return the points of each side, and which sides are subtracted from each other."""
    cells, later = triangle.cells, view.later
    if not view.compare:
        mean = pictures.of_mean(triangle.mean, later=later)
        return mean, []
    if view.compare == said.COHORTS:
        pair = [cohort, _other(triangle, view.against, cohort=cohort)]
        each = pictures.of_each(cells, later=later)
        now, before = (pictures.called(one, cells) for one in pair)
        points = pd.concat([each[each["side"] == now], each[each["side"] == before]])
        return points, [(now, before)]
    if view.compare == said.YEARS:
        points = pictures.of_cohorts(triangle.frame, cells, triangle.years, later=later)
        now, before = triangle.years
        return points, [(now, before)]
    kinds = triangle.kinds(view.compare)
    first, *rest = kinds
    return pictures.of_kinds(kinds, later=later), [(each, first) for each in rest]


def _cohort(triangle: Triangle, named: str, *, at: int) -> pd.Timestamp | None:
    """Return the cohort that is named, else the newest that has had all of the period."""
    if named:
        return pd.Timestamp(named)
    cells = triangle.cells
    over = cells[cells["complete"] & (cells["period"] == at)]
    found = over if len(over) else cells
    return found["cohort"].max() if len(found) else None


def _other(triangle: Triangle, named: str, *, cohort: pd.Timestamp | None) -> pd.Timestamp | None:
    """Return the cohort to compare with, else the one before the picked one."""
    if named:
        return pd.Timestamp(named)
    days = triangle.cells["cohort"]
    before = days[days < cohort] if cohort is not None else days.head(0)
    return before.max() if len(before) else None


def _cell(cells: pd.DataFrame, cohort: pd.Timestamp | None, view: View) -> pd.Series | None:
    """Return the picked cell, if it may be shown."""
    rows = cells[(cells["cohort"] == cohort) & (cells["period"] == view.at)]
    shown = rows[rows["later_share" if view.later else "share"].notna()]
    return shown.iloc[0] if len(shown) else None


def weekly(unit: Unit) -> bool:
    """Say whether cohorts are weeks."""
    return unit.clock == "calendar" and unit.period == "week"
