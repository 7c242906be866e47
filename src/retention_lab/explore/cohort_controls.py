"""The controls of the cohort explorer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, get_args

import ipywidgets

from retention_lab import charts
from retention_lab.customers.cells import CalendarPeriod
from retention_lab.wording import cohort_curves as said

WINDOWS = (7, 14, 30, 60, 90)
_WIDE = {"description_width": "initial"}


def made_of(
    settings: Mapping[str, Any], values: Mapping[str, Any], *, only: Callable[[str], str]
) -> dict[str, ipywidgets.Widget]:
    """Make the controls but those whose choices depend on others."""
    compare = {
        "nothing": "",
        "two cohorts": said.COHORTS,
        "this year and last": said.YEARS,
        **{name.replace("_", " "): name for name in values},
    }
    clocks = {"the calendar": "calendar", "each customer's own": "own"}
    measures = {"bought in the period": False, "bought in it or later": True}
    made = {
        "clock": choice("Clock", clocks, settings["clock"]),
        "period": choice("Unit", get_args(CalendarPeriod)[::-1], settings["period"]),
        "window": choice("Window", {f"{each} days": each for each in WINDOWS}, settings["window"]),
        "later": choice("Who", measures, settings["later"]),
        "compare": choice("Compare", compare, settings["compare"]),
        "at": ipywidgets.IntSlider(
            value=settings["at"], min=1, max=charts.PERIODS, description="Period", style=_WIDE
        ),
    }
    return made | {
        only(name): choice(
            name.replace("_", " ").capitalize(),
            {"all": "", **{each: each for each in every}},
            settings[only(name)],
        )
        for name, every in values.items()
    }


def choice(name: str, options: Any, value: object) -> ipywidgets.Dropdown:  # noqa: ANN401
    """Make a dropdown; a value that is not among the options falls back to the first."""
    listed = tuple(options.items()) if isinstance(options, Mapping) else tuple(options)
    found = [each[1] if isinstance(each, tuple) else each for each in listed]
    value = value if value in found else found[0]
    return ipywidgets.Dropdown(options=listed, value=value, description=name, style=_WIDE)


def show(widget: ipywidgets.Widget, shown: bool) -> None:
    """Show a control, or hide it."""
    widget.layout.display = None if shown else "none"
