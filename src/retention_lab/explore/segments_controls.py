"""The controls of the board of segments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import ipywidgets

from retention_lab.customers.rfm_cells import Steps
from retention_lab.explore.explorer import Settings
from retention_lab.explore.lines import Lines

_STYLE = {"style": {"description_width": "initial"}}
_WITHIN, _DAYS = (90, 180, 365, 730), (30, 60, 90, 180, 365)
_BY = {
    "value cohort": "cohort",
    "segment": "segment",
    "days since the last purchase": "activity",
}
_LINES = {
    "in use": "in use",
    "quantiles": "quantile",
    "nested quantiles": "nested",
    "by hand": "by hand",
}
_FALLING = (4, 3, 2, 1)  # few days are recent, which is good
_SCORE = {"recency": "recency", "frequency": "frequency", "monetary": "money"}


def controls(
    settings: Settings,
    *,
    steps: Steps,
    names: Mapping[str, Sequence[str]],
    conditions: Sequence[str],
    top: str,
) -> dict[str, ipywidgets.Widget]:
    """Return a control for each setting, those that make no sense at first hidden."""
    now: Mapping[str, Any] = settings
    options: dict[str, tuple[str, Mapping[str, Any]]] = {
        "by": ("Customers by", _BY),
        "picture": ("Show", {"how many, and what they bring": "sizes", "who went where": "moves"}),
        "group": ("Tell of", _groups(names)),
        "where": ("Only", {"all customers": "", **{one: one for one in conditions}}),
        "days": ("Compared with", _days(_DAYS, now["days"], "{} days before")),
        "within": ("Score the last", _days(_WITHIN, now["within"], "{} days")),
        "lines": ("Cut lines", _LINES),
    }
    made = {name: _choice(*words, now[name]) for name, words in options.items()}
    money, step = (amount / steps.unit for amount in (steps.money, steps.step))
    rising, falling = ([f"score {n} from" for n in scores] for scores in ((2, 3, 4, 5), _FALLING))
    for name, label, words, last, apart in (
        ("recency", "Recency, in days", falling, steps.days, 1),
        ("frequency", "Frequency, in days with a purchase", rising, steps.purchases, 1),
        ("monetary", "Money", rising, money, step),
    ):
        made[name] = Lines(now[name], label=label, words=words, last=last, step=apart)
    for measure, word in _SCORE.items():
        name, label = f"high_{measure}", f"{top}: {word} score from"
        wide = ipywidgets.Layout(width="430px")
        made[name] = ipywidgets.IntSlider(
            value=now[name], min=1, max=5, description=label, layout=wide, **_STYLE
        )
    tiers = [f"tier {number} ends" for number, _end in enumerate(now["activity"], 1)]
    last = steps.days - 1
    made["activity"] = Lines(now["activity"], label="Days", words=tiers, last=last)
    _hide(made, top=top)
    return made


def _choice(label: str, options: Mapping[str, Any], value: object) -> ipywidgets.Dropdown:
    width = ipywidgets.Layout(width="auto")
    return ipywidgets.Dropdown(
        options=[*options.items()], value=value, description=label, layout=width, **_STYLE
    )


def _days(usual: Sequence[int], now: object, words: str) -> dict[str, int]:
    return {words.format(days): days for days in sorted({*usual, int(str(now))})}


def _groups(names: Mapping[str, Sequence[str]]) -> dict[str, str]:
    every = [*dict.fromkeys(name for each in names.values() for name in each)]
    return {"the best, or the first": "", **{name: name for name in every}}


def _hide(made: Mapping[str, ipywidgets.Widget], *, top: str) -> None:
    """Show what makes sense beside the kind of groups and of lines."""

    def show(_change: object = None) -> None:
        by, lines = made["by"].value, made["lines"].value
        by_hand = lines == "by hand" and by != "activity"
        shown = dict.fromkeys(("recency", "frequency", "monetary"), by_hand)
        shown |= {f"high_{name}": bool(top) and by == "cohort" for name in _SCORE}
        shown |= {"activity": by == "activity", "lines": by != "activity"}
        for name, is_shown in shown.items():
            made[name].layout.display = None if is_shown else "none"

    for name in ("by", "lines"):
        made[name].observe(show, names="value")
    show()
