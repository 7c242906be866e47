"""The controls of the experiment planner, in the words of whoever plans a test."""

from __future__ import annotations

from typing import Any

import ipywidgets

from retention_lab.experiments.sizing import TOO_LONG
from retention_lab.explore.explorer import Settings

HALF_A_YEAR = 182  # days
_STYLE = {"description_width": "initial"}
_SHOWN = {True: None, False: "none"}


def controls(settings: Settings, *, start: Settings) -> dict[str, ipywidgets.Widget]:
    """Return a control for each setting; from `start` a slider reaches to both sides."""
    at: dict[str, Any] = dict(settings)
    far: dict[str, Any] = dict(start)
    fine = 0.1 if far["effect"] >= 1 else 0.01  # points
    found: dict[str, ipywidgets.Widget] = {
        "effect": _slider("Smallest useful effect, points", fine, 4 * far["effect"], step=fine),
        "weeks": _slider("Weeks of enrolment", 1, max(TOO_LONG, far["weeks"])),
        "control": _slider("In control, of 100", 1.0, 99.0),
        "looks": _slider("Looks", 1, max(5, far["looks"])),
        "reach": _slider("Reached by the message, of 100", 1.0, 100.0),
        "onset": _slider("Days before it has any effect", 0.0, max(60.0, far["onset"])),
        "horizon": _slider("Day of the endpoint", 1, max(HALF_A_YEAR, far["horizon"])),
        "own": ipywidgets.Checkbox(description="My own share as things are", indent=False),
        "baseline": _slider("Share as things are, of 100", 0.1, 99.9, step=0.1),
        "starts": _text("First day"),
        "name": _text("Name of the plan"),
        "owner": _text("Owner of the plan"),
    }
    for name, control in found.items():
        control.value = at[name]
    _let_hide(found["baseline"], by=found["own"])
    return found


def _slider(words: str, least: float, most: float, *, step: float = 1) -> ipywidgets.Widget:
    whole = isinstance(least, int)
    kind = ipywidgets.IntSlider if whole else ipywidgets.FloatSlider
    return kind(
        description=words,
        min=least,
        max=most,
        step=step,
        readout_format="d" if whole else ".2f" if step < 0.1 else ".1f",
        style=_STYLE,
        layout=ipywidgets.Layout(width="380px"),
    )


def _text(words: str) -> ipywidgets.Text:
    return ipywidgets.Text(description=words, continuous_update=False, style=_STYLE)


def _let_hide(control: ipywidgets.Widget, *, by: ipywidgets.Checkbox) -> None:
    """Show a control only while a box is ticked."""

    def show(_change: object = None) -> None:
        control.layout.display = _SHOWN[by.value]

    by.observe(show, names="value")
    show()
