"""Pictures of why a figure moved: the steps from one figure to the other, and the groups behind."""

from __future__ import annotations

import re

import altair as alt
import pandas as pd

from retention_lab.charts.frame import (
    BLUE,
    COUNT,
    DARK,
    GREY,
    ORANGE,
    PALE,
    SHARE,
    TEXT,
    Columns,
    finished,
    tooltips,
)
from retention_lab.customers.explain import Explained
from retention_lab.record import SMALL, Ledger
from retention_lab.record.small import covered
from retention_lab.record.why import CLAIMS
from retention_lab.tables.parsing import minor_digits
from retention_lab.wording import Instead
from retention_lab.wording.compare import sides
from retention_lab.wording.phrases import capitalised
from retention_lab.wording.why import NONE, dimension_label, part_label, steps

GROUPS = 16  # are drawn, the largest
_DIGITS, _LABEL_WIDTH = 4, 230
_FIGURE, _HIGHER, _LOWER = "figure", "higher", "lower"


def why_steps(ledger: Ledger, explained: Explained | None) -> alt.LayerChart | Instead:
    """Draw the way from the figure before, or as printed, to the figure now, a step a part.

    Lines are the intervals of the steps that are estimated, around where the step ends.
    """
    if explained is None or CLAIMS["rate"] not in ledger:
        return Instead(NONE)
    form = _format(explained)
    columns: Columns = {
        "step": ("Step", TEXT),
        "begins": ("From", form),
        "ends": ("To", form),
        "kind": ("What it is", TEXT),
        "low": ("At least", form),
        "high": ("At most", form),
    }
    data = _steps(explained)[list(columns)].round(_DIGITS)
    said = "; ".join(
        f"{part_label(part, explained)} {ledger[CLAIMS[part.name]].text}"
        for part in steps(explained)
    )
    known = any(part.interval is None for part in steps(explained))
    unit = ", in points" if explained.measure.unit == "share" else ""
    now, before = sides(explained.comparison)
    return finished(
        _waterfall(data, columns, title=explained.measure.label),
        description=f"{explained.measure.label}: the steps from {before} to {now}{unit}: {said}.",
        caption=(
            f"{explained.measure.label}: the steps from {before} to {now}. "
            f"Lines are 95 % intervals{'; steps without one are known exactly' if known else ''}."
        ),
        columns=columns,
        height=34 * len(data) + 40,
    )


def _format(explained: Explained) -> str:
    money = f",.{minor_digits(explained.comparison.currency)}f"
    forms = {"share": SHARE, "money": money, "per_customer": ",.2f", "count": COUNT}
    return forms[explained.measure.unit]


def _steps(explained: Explained) -> pd.DataFrame:
    now, before = sides(explained.comparison)
    at = explained.start
    start = f"{before}, as printed" if explained.printed else before
    rows: list[dict[str, object]] = [_total(start, at)]
    for part in steps(explained):
        span = part.interval
        rows.append(
            {
                "step": part_label(part, explained),
                "begins": at,
                "ends": at + part.value,
                "kind": _HIGHER if part.value > 0 else _LOWER,
                "low": None if span is None else at + span.low,
                "high": None if span is None else at + span.high,
            }
        )
        at += part.value
    frame = pd.DataFrame([*rows, _total(now, explained.comparison.now.value.value)])
    return frame.astype({"low": "float64", "high": "float64"})


def _total(name: str, value: float) -> dict[str, object]:
    return {"step": name, "begins": 0.0, "ends": value, "kind": _FIGURE}


def _waterfall(data: pd.DataFrame, columns: Columns, *, title: str) -> alt.LayerChart:
    axis = alt.Axis(format="%") if columns["ends"][1] == SHARE else alt.Axis()
    base = alt.Chart(data).encode(
        y=alt.Y(
            "step:N", title=None, sort=list(data["step"]), axis=alt.Axis(labelLimit=_LABEL_WIDTH)
        )
    )
    colours = alt.Scale(domain=[_FIGURE, _HIGHER, _LOWER], range=[BLUE, PALE, ORANGE])
    bars = base.mark_bar(size=18).encode(
        x=alt.X("begins:Q", title=title, axis=axis),
        x2="ends:Q",
        color=alt.Color("kind:N", scale=colours),
        tooltip=tooltips(columns),
    )
    spans = base.transform_filter("isValid(datum.low)").mark_rule(color=DARK, strokeWidth=2)
    layers: alt.LayerChart = bars + spans.encode(x="low:Q", x2="high:Q")
    return layers


def why_groups(explained: Explained | None) -> alt.LayerChart | Instead:
    """Draw each kind of customers of the dimensions used: its figure now and before, by its size.

    Groups of fewer than `SMALL` customers, or that would tell of as few, are not drawn.
    """
    if explained is None:
        return Instead(NONE)
    if not explained.by:
        return Instead("No picture: nothing is known of these customers to tell them apart by.")
    names = sides(explained.comparison)
    form = _format(explained)
    columns: Columns = {
        "group": ("Customers", TEXT),
        "side": ("Of", TEXT),
        "rate": (explained.measure.label, form),
        "share": ("Share of all", SHARE),
        "customers": ("How many", COUNT),
    }
    data = _of_groups(explained, names)
    if data.empty:
        return Instead(f"No picture: no two kinds of customers have {SMALL} customers or more.")
    return finished(
        _dots(data[list(columns)].round(_DIGITS), columns, sides=names),
        description=(
            f"{explained.measure.label} of {data['group'].nunique()} kinds of customers, "
            f"{names[0]} and {names[1]}, with the share that each kind has of all."
        ),
        caption=(
            f"{explained.measure.label} by kind of customers; the larger a point, the larger their "
            f"share. Kinds of fewer than {SMALL} customers, or that would tell of as few, are not "
            "drawn."
        ),
        columns=columns,
        height=max(26 * data["group"].nunique(), 60),
    )


def _of_groups(explained: Explained, names: tuple[str, str]) -> pd.DataFrame:
    """One row per kind and side, of the dimensions used, each by itself."""
    frame = explained.singles
    frame = frame[frame["dimension"].isin(explained.by)]
    whose = frame["group"]
    if len(explained.by) > 1:
        whose = frame["dimension"].map(_short) + ": " + frame["group"]
    parts = [
        pd.DataFrame(
            {
                "dimension": frame["dimension"],
                "group": whose,
                "side": name,
                "rate": frame[f"rate_{side}"].astype("float64"),
                "share": frame[f"share_{side}"],
                "customers": frame[f"customers_{side}"],
            }
        )
        for name, side in zip(names, ("now", "before"), strict=True)
    ]
    shares = explained.measure.unit == "share"
    every = pd.concat([each[~_hidden(each, shares=shares)] for each in parts])
    kept = every[every["customers"] > 0]
    size = kept.groupby("group")["share"].max().sort_values(ascending=False, kind="stable")
    drawn = kept[kept["group"].isin(size.index[:GROUPS])]
    # By dimension in their order, each with its largest kinds first.
    place = drawn["dimension"].map(explained.by.index)
    ranked = drawn.assign(place=place, size=drawn["group"].map(size))
    return ranked.sort_values(
        ["place", "size", "group", "side"], ascending=[True, False, True, True], ignore_index=True
    )


def _hidden(side: pd.DataFrame, *, shares: bool) -> pd.Series:
    """Say of each group of a side, by dimension, whether its size or its share tells of a few."""
    hidden = pd.Series(data=False, index=side.index)
    for _dimension, groups in side.groupby("dimension"):
        sizes = groups["customers"]
        small = covered(sizes)
        if shares:
            did = (groups["rate"].fillna(0) * sizes).round().astype("int64")
            small = small | covered(did, wholes=sizes, unknown=small)
        hidden[groups.index] = small
    return hidden


def _short(dimension: str) -> str:
    """Leave out what the caption has room for, so that labels fit a telephone."""
    label = re.sub(r" (of|on) the first order$", "", dimension_label(dimension))
    return capitalised(label)


def _dots(data: pd.DataFrame, columns: Columns, *, sides: tuple[str, str]) -> alt.LayerChart:
    heading, form = columns["rate"]
    axis = alt.Axis(format="%") if form == SHARE else alt.Axis()
    order = list(dict.fromkeys(data["group"]))
    base = alt.Chart(data).encode(
        y=alt.Y("group:N", title=None, sort=order, axis=alt.Axis(labelLimit=_LABEL_WIDTH)),
    )
    x = alt.X("rate:Q", title=heading, axis=axis, scale=alt.Scale(zero=False))
    lines = base.mark_line(color=GREY, strokeWidth=1).encode(x=x, detail="group:N")
    colours = alt.Scale(domain=list(sides), range=[BLUE, ORANGE])
    size = alt.Size("share:Q", legend=None, scale=alt.Scale(range=[30, 500]))
    points = base.mark_point(filled=True, opacity=0.85).encode(
        x=x,
        color=alt.Color("side:N", sort=list(sides), scale=colours),
        size=size,
        tooltip=tooltips(columns),
    )
    layers: alt.LayerChart = lines + points
    return layers
