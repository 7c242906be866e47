"""The picture of a test's looks: what stops it at each, what was seen, and what is to come."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from math import isfinite
from typing import Any

import altair as alt
import pandas as pd

from retention_lab.charts.frame import (
    BLUE,
    GREY,
    ORANGE,
    PALE,
    TEXT,
    Columns,
    finished,
    tooltips,
)
from retention_lab.experiments.readout import Readout
from retention_lab.experiments.sequential import Looked
from retention_lab.record.looking import shown, told
from retention_lab.wording import Instead
from retention_lab.wording.looking import no_looks, unit
from retention_lab.wording.phrases import day, full_day

_ROW, _LABEL_WIDTH, _SIGNED = 34, 150, "+.1f"
_COLUMNS: Columns = {
    "name": ("Look", TEXT),
    "date": ("At the end of", TEXT),
    "known": ("Known, %", ".0f"),
    "gain": ("A gain from", _SIGNED),
    "stops": ("Stops at or below", _SIGNED),
    "effect": ("Effect", _SIGNED),
    "low": ("From", _SIGNED),
    "high": ("To", _SIGNED),
}


def looks(seen: Readout) -> alt.LayerChart | Instead:
    """Draw at each look the difference that stops the test, and, where there was one, the effect.

    What is to come is drawn before the first look, too: it says nothing of the effect.
    """
    numbers = {each.arm for each in shown(seen)}
    rows = [
        _row(seen, looked, row)
        for looked in seen.looked
        for row in (*(_past(looked) if looked.arm in numbers else ()), *_coming(looked))
    ]
    if not rows:
        return Instead(no_looks(seen))
    data = pd.DataFrame(rows).astype(dict.fromkeys(("stops", "effect", "low", "high"), "float64"))
    what = unit(seen, seen.looked[0])
    lower = data["stops"].notna().any()
    words = "; ".join(
        f"{row['name']}, {row['date']}: a gain from {row['gain']:+.1f}"
        + (f", effect {row['effect']:+.1f}" if pd.notna(row["effect"]) else "")
        for row in data.to_dict("records")
    )
    several = any(looked.of > 1 for looked in seen.looked)
    of = "What stops the test at each look" if several else "What the only look asks for"
    early = (
        "Early looks ask for more, so that looking often claims no more by luck. "
        if several
        else ""
    )
    return finished(
        _layers(data, title=f"{'Effect that stops the test' if several else 'Effect'}, in {what}"),
        description=f"Looks of the test and what each asks for, in {what}: {words}.",
        caption=(
            f"{of}: an effect at or beyond the orange stroke, a gain"
            + (", or at or below the grey one" if lower else "")
            + ". Blue: what the look saw, with a range that holds at all looks together. "
            f"{early}Dashed: no effect."
        ),
        columns=_COLUMNS,
        height=_ROW * len(data) + 40,
    )


def _past(looked: Looked) -> list[dict[Hashable, Any]]:
    return looked.raw.to_dict("records")


def _coming(looked: Looked) -> list[dict[Hashable, Any]]:
    return looked.coming.to_dict("records")


def _row(seen: Readout, looked: Looked, row: Mapping[Hashable, Any]) -> dict[str, Any]:
    """Write a look in the unit that is told; there is no effect of one to come."""
    error, far = row["std_error"], row["upper"] * row["std_error"]
    ends = {"gain": far, "stops": row["lower"] * error, "effect": None, "low": None, "high": None}
    if (at := row.get("estimate")) is not None:
        ends |= {"effect": at, "low": at - far, "high": at + far}
    if row["lower"] == row["upper"]:  # of the last look: what is no gain is the end
        ends["stops"] = None
    known = None if row["on"] is None or pd.isna(row["on"]) else row["on"]
    arm = f"{looked.arm}, " if len(seen.looked) > 1 else ""
    when = f", {day(known)}" if known else ""
    return {
        "name": f"{arm}{row['look']:.0f}{when}",
        "date": full_day(known) if known else "not known",
        "known": 100 * row["fraction"],
        **{
            name: None
            if value is None or not isfinite(value)
            else round(100 * told(seen, looked, value), 4)
            for name, value in ends.items()
        },
    }


def _layers(data: pd.DataFrame, *, title: str) -> alt.LayerChart:
    y = alt.Y(
        "name:N", title="Look", sort=list(data["name"]), axis=alt.Axis(labelLimit=_LABEL_WIDTH)
    )
    base = alt.Chart(data).encode(y=y)
    x = alt.X("gain:Q", title=title, axis=alt.Axis(format="+~f", tickCount=5))
    parts = {
        "low": base.mark_rule(color=PALE, strokeWidth=5).encode(x="low:Q", x2="high:Q"),
        "gain": base.mark_tick(color=ORANGE, thickness=3, size=_ROW - 10).encode(x=x),
        "stops": base.mark_tick(color=GREY, thickness=3, size=_ROW - 10).encode(x="stops:Q"),
        "effect": base.mark_point(color=BLUE, filled=True, size=70, opacity=1).encode(x="effect:Q"),
    }
    # Vega warns of a mark that has nothing to draw, and readers aloud would announce it.
    every = [
        part.encode(tooltip=tooltips(_COLUMNS))
        for name, part in parts.items()
        if data[name].notna().any()
    ]
    zero = alt.Chart(pd.DataFrame({"none": [0]})).mark_rule(color=GREY, strokeDash=[4, 3])
    return alt.LayerChart(layer=[zero.encode(x="none:Q"), *every])
