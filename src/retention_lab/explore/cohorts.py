"""The cohort explorer: who came back, by cohort and period, and their customers."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import ipywidgets
import pandas as pd

from retention_lab import charts
from retention_lab.charts.cohorts import named
from retention_lab.checks import BadData
from retention_lab.customers import cube as cubes
from retention_lab.customers.cells import CalendarPeriod
from retention_lab.customers.cube import Clock, Cube, Unit
from retention_lab.explore.board import Board
from retention_lab.explore.cohort_controls import choice, made_of, show
from retention_lab.explore.explorer import Explorer, Seen, Setting, Settings
from retention_lab.explore.making import Report
from retention_lab.explore.opened import Opened
from retention_lab.lab import cohort_curves as triangles
from retention_lab.lab.cohort_curves import Curves, Triangle, View
from retention_lab.lab.figures import completeness
from retention_lab.tables.saved import Cohort
from retention_lab.tables.saving import save
from retention_lab.wording import cohort_curves as said
from retention_lab.wording import triangle as caution

NOTEBOOK = "notebooks/explore/cohort_explorer.ipynb"
_KEPT = 64  # views that are answered again without drawing them anew


class Cohorts(Explorer):
    """Who came back when: a triangle, its curves, and the customers of a cell.

    Triangles are added up from a cube, which the engine counts once for each clock and unit.
    """

    name = "cohorts"

    def __init__(self, opened: Opened, *, start: Settings) -> None:
        self.opened = opened
        self.values, self.left_out = cubes.attributes(opened.shop)
        self._start = {**start, **{_only(name): "" for name in self.values}}
        self._cubes: dict[Unit, Cube] = {}
        self._triangles: dict[object, Triangle] = {}
        self._seen: dict[object, Seen] = {}
        self._now: Settings = self._start

    @property
    def start(self) -> Settings:
        """The settings of the notebook, and all customers."""
        return self._start

    def seen(self, settings: Settings) -> Seen:
        """Show the triangle beside its curves."""
        self._now = settings
        key = tuple(settings.items())
        if key not in self._seen:
            if len(self._seen) >= _KEPT:
                self._seen.clear()
            self._seen[key] = self._shown(settings)
        return self._seen[key]

    def _shown(self, settings: Settings) -> Seen:
        curves = self.curves(settings)
        triangle = curves.of
        still = os.environ.get("RETENTION_LAB_STATIC")  # a page has no room for both halves
        chart: Any = curves.chart if still else curves.beside
        shop = self.opened.shop
        words = (
            curves.sentence,
            curves.cell_sentence,
            caution(triangle.frame, triangle.means, periods=charts.PERIODS),
            said.left_out(self.left_out),
            completeness(shop),
        )
        return Seen(
            says=said.view(shop.name, as_of=shop.as_of, chosen=triangle.chosen, when=curves.when),
            chart=chart,
            words="\n\n".join(filter(None, words)),
            table=curves.table,
        )

    def curves(self, settings: Settings) -> Curves:
        """Return what the settings ask for, to go on with: `.points`, `.of.frame`, `.ledger`."""
        return Curves(self._triangle(settings), _view(settings))

    def _triangle(self, settings: Settings) -> Triangle:
        unit, chosen = _unit(settings), self._chosen(settings)
        key = (unit, *chosen.items())
        if key not in self._triangles:
            self._triangles[key] = triangles.triangle(self._cube(unit), chosen)
        return self._triangles[key]

    def _cube(self, unit: Unit) -> Cube:
        if unit not in self._cubes:
            self._cubes[unit] = cubes.cube(self.opened.shop, unit)
        return self._cubes[unit]

    def _chosen(self, settings: Settings) -> dict[str, str]:
        every = {name: str(settings[_only(name)]) for name in self.values}
        return {name: value for name, value in every.items() if value}

    def customers(self) -> pd.DataFrame:
        """Return the customers of the cell that is shown: who bought in it (or later).

        Returns
        -------
        DataFrame
            One row per customer, first come first: `customer_id`, `first_on` (day of the first
            purchase), `purchases`, `revenue` (whole units of the currency, all purchases).

        Raises
        ------
        BadData
            When there is nobody.
        """
        curves = self.curves(self._now)
        shop, view = self.opened.shop, curves.view
        found = cubes.members(
            shop,
            curves.of.cube.unit,
            cohort=_picked(curves),
            period=view.at,
            later=view.later,
            chosen=curves.of.chosen,
        )
        if found.empty:
            raise BadData("Nobody is in that cell; pick another.")
        return found.assign(revenue=found["revenue"] / shop.minor_per_unit)

    def save(self, name: str, *, replace: bool = False) -> Cohort:
        """Save the customers of the cell under a name, which any condition may then use.

        Raises
        ------
        BadParameter
            When the name is taken.
        BadData
            When there is nobody.
        """
        curves, found = self.curves(self._now), self.customers()
        first = said.cohort(_picked(curves), weekly=triangles.weekly(curves.of.cube.unit))
        about = f"Who first bought in {first} and bought {curves.when}."
        ids = found["customer_id"]
        return save(name, shop=self.opened.shop, ids=ids, about=about, replace=replace)

    def picked(self, point: Mapping[str, object]) -> Settings:
        """Take the cohort and the period of the cell that was clicked."""
        cells = self._triangle(self._now).cells
        names = named(cells["cohort"])
        found = cells["cohort"][names == point["cohort"]]
        cohort = {"cohort": f"{found.iloc[0]:%Y-%m-%d}"} if len(found) else {}
        return {**cohort, "at": int(str(point["period"]))}

    def controls(self, settings: Settings) -> dict[str, ipywidgets.Widget]:
        """Return the controls; those of another clock or comparison hide."""
        made = made_of(settings, self.values, only=_only)
        made |= {
            name: choice(f"Cohort{also}", self._cohorts(settings), settings[name])
            for name, also in (("cohort", ""), ("against", " to compare with"))
        }

        def follow(_change: object = None) -> None:
            own, now = made["clock"].value == "own", {k: w.value for k, w in made.items()}
            show(made["period"], not own)
            show(made["window"], own)
            show(made["against"], made["compare"].value == said.COHORTS)
            options = self._cohorts(now)
            for name in ("cohort", "against"):
                if tuple(made[name].options) != options:
                    made[name].options = options

        for name in ("clock", "period", "window", "compare"):
            made[name].observe(follow, names="value")
        follow()
        return {name: made[name] for name in self.start}

    def _cohorts(self, settings: Settings) -> tuple[tuple[str, str], ...]:
        """List the cohorts of a clock that are drawn of all customers, the newest first."""
        everybody = {**settings, **{_only(name): "" for name in self.values}}
        unit, cells = _unit(settings), self._triangle(everybody).cells
        weekly = triangles.weekly(unit)
        days = reversed(cells["cohort"].sort_values().unique())
        every = [(said.cohort(day, weekly=weekly), f"{day:%Y-%m-%d}") for day in days]
        return (("the newest that is over", ""), *every)

    def code(self, settings: Settings) -> str:
        """Write the cell: the triangle and the curves, by the lab's own names."""
        unit, view = _unit(settings), _view(settings)
        of_clock = (
            f'clock="own", window={unit.window}'
            if unit.clock == "own"
            else f'clock="calendar", period="{unit.period}"'
        )
        parts = {
            name: value for name, value in vars(view).items() if value != getattr(View(), name)
        }
        more = "".join(f", {name}={value!r}" for name, value in parts.items())
        lab = self.opened.lab(cubes.condition(self._chosen(settings)))
        return (
            "import retention_lab\n\n"
            f"lab = {lab}\n"
            f"display(lab.triangle({of_clock}))\n"
            f"lab.curves({of_clock}{more})"
        )

    def report(self, settings: Settings) -> Report:
        """Make the notebook's own still view the report."""
        keys = [name for name in settings if name not in map(_only, self.values)]
        return Report(
            name="cohorts",
            title="Cohorts",
            notebook=NOTEBOOK,
            where=cubes.condition(self._chosen(settings)),
            parameters={name: settings[name] for name in keys},
        )


def cohorts(  # noqa: PLR0913  the parameters of the notebook
    opened: Opened,
    *,
    owner: str,
    clock: Clock = "calendar",
    period: CalendarPeriod = "month",
    window: int = 30,
    later: bool = False,
    compare: str = "",
    cohort: str = "",
    against: str = "",
    at: int = 1,
) -> Board:
    """Return the board of the cohort explorer; see `lab.cohort_curves.View` for what it is asked.

    Raises
    ------
    BadData
        When nobody has bought.
    """
    start: dict[str, Setting] = {
        "clock": clock,
        "period": period,
        "window": window,
        "later": later,
        "compare": compare,
        "cohort": cohort,
        "against": against,
        "at": at,
    }
    return Board(Cohorts(opened, start=start), owner=owner)


def _picked(curves: Curves) -> pd.Timestamp:
    if curves.cohort is None:
        raise BadData("There is no cohort to pick; choose other customers, or an earlier period.")
    return curves.cohort


def _only(name: str) -> str:
    return f"only_{name}"


def _unit(settings: Mapping[str, Any]) -> Unit:
    return Unit(clock=settings["clock"], period=settings["period"], window=settings["window"])


def _view(settings: Mapping[str, Any]) -> View:
    return View(**{name: settings[name] for name in vars(View())})
