"""What happened when, drawn on an axis of months.

Words beside a rule would run into each other on a telephone, so each annotation has a number, and
the caption says what the numbers are. No colour stands for a kind: the caption names it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import altair as alt
import pandas as pd

from retention_lab.charts.frame import BAND, DARK, AnyChart
from retention_lab.tables.annotations import Annotation, within
from retention_lab.wording import named

BADGE = 18  # pixels from one badge to the next, beside or above it
NARROWEST = 270  # pixels of months on a telephone
_DAY = dt.timedelta(days=1)


def on_axis(annotations: Sequence[Annotation], *, months: pd.Series) -> tuple[Annotation, ...]:
    """Return those of the days that are drawn; `months` holds the first day of each month."""
    first, after = _span(months)
    return within(annotations, first=first, last=after - _DAY)


def caption(shown: Sequence[Annotation]) -> str:
    """Say what the numbers stand for, to follow a chart's caption."""
    if not shown:
        return ""
    return f" Marked: {'; '.join(f'{at} {named(each)}' for at, each in enumerate(shown, 1))}."


def annotated(chart: AnyChart, shown: Sequence[Annotation], *, months: pd.Series) -> AnyChart:
    """Lay a numbered rule at the first day of each annotation, and a band under its days.

    A bar over the plot is as long as the annotation, since bars of data hide the band. The axis
    stays that of `months`: what begins before it is marked where it enters.
    """
    if not shown:
        return chart
    notes = _notes(shown, months=months)
    above = -notes["y"].min() + BADGE / 2
    base = alt.Chart(notes).encode(
        x=alt.X("from:T"),
        tooltip=[
            alt.Tooltip("label:N", title="What"),
            alt.Tooltip("kind:N", title="Kind"),
            alt.Tooltip("when:N", title="When"),
        ],
    )
    height = alt.Y("y:Q", scale=None)
    bands = base.mark_rect(color=BAND).encode(x2="to:T")
    rules = base.mark_rule(color=DARK, strokeDash=[3, 3]).encode(y=height, y2=alt.value("height"))
    lengths = base.mark_rule(color=DARK, strokeWidth=3).encode(x2="to:T", y=height)
    badges = base.mark_point(color=DARK, filled=True, opacity=1, size=200).encode(y=height)
    numbers = base.mark_text(color="white", fontSize=11).encode(y=height, text="number:N")
    layers: alt.LayerChart = bands + chart + rules + lengths + badges + numbers
    offset: alt.LayerChart = layers.configure_legend(offset=above)
    return offset


def _span(months: pd.Series) -> tuple[dt.date, dt.date]:
    """Return the first day of the axis and the day after its last."""
    return months.min().date(), (months.max() + pd.offsets.MonthBegin()).date()


def _notes(shown: Sequence[Annotation], *, months: pd.Series) -> pd.DataFrame:
    """One row per annotation; `y` is the height of its badge in pixels, negative above the plot."""
    first, after = _span(months)
    begins = [max(each.period.first, first) for each in shown]
    ends = [min(each.period.last + _DAY, after) for each in shown]
    pixels = NARROWEST / (after - first).days
    places = [
        ((begin - first).days * pixels, (end - first).days * pixels)
        for begin, end in zip(begins, ends, strict=True)
    ]
    return pd.DataFrame(
        {
            "number": [str(number) for number in range(1, len(shown) + 1)],
            "label": [each.label for each in shown],
            "kind": [each.kind for each in shown],
            "when": [each.period.name for each in shown],
            "from": pd.to_datetime(begins),
            "to": pd.to_datetime(ends),
            "y": [-BADGE * (row + 0.6) for row in _rows(places)],
        }
    )


def _rows(places: Sequence[tuple[float, float]]) -> list[int]:
    """Give each badge and its bar the lowest row in which it touches no earlier one."""
    taken: list[float] = []  # to where, in each row
    rows = []
    for begin, end in places:
        row = next((at for at, to in enumerate(taken) if to <= begin), len(taken))
        taken[row : row + 1] = [max(end + BADGE / 2, begin + BADGE)]
        rows.append(row)
    return rows
