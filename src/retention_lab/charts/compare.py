"""The picture of a comparison: a point with its interval for each side."""

from __future__ import annotations

from typing import assert_never

import altair as alt
import pandas as pd

from retention_lab.charts.frame import BLUE, COUNT, GREY, SHARE, TEXT, Columns, finished, tooltips
from retention_lab.customers.compare import Comparison
from retention_lab.customers.measures import MeasureUnit
from retention_lab.record import SMALL
from retention_lab.tables.parsing import minor_digits
from retention_lab.wording import Instead
from retention_lab.wording.compare import as_claim, sides, too_small

_DIGITS = 4  # of shares, and more than people read of anything else
_LABEL_WIDTH = 240


def compared(found: Comparison) -> alt.LayerChart | Instead:
    """Draw both figures of a comparison with their intervals, now above before."""
    if too_small(found):
        return Instead(f"No picture: a side has, or tells of, fewer than {SMALL} customers.")
    measure, names = found.now.measure, sides(found)
    form = _format(measure.unit, currency=found.currency)
    money = f" ({found.currency})" if measure.unit == "money" else ""
    columns: Columns = {
        "side": ("Of", TEXT),
        "value": (measure.label + money, form),
        "low": ("From", form),
        "high": ("To", form),
        "customers": ("Customers", COUNT),
    }
    rows = [
        (name, each.value.value, each.value.low, each.value.high, each.customers)
        for name, each in zip(names, (found.now, found.before), strict=True)
    ]
    data = pd.DataFrame(rows, columns=list(columns)).round(_DIGITS)
    claims = [as_claim(each, currency=found.currency) for each in (found.now, found.before)]
    said = "; ".join(f"{name}: {claim.full}" for name, claim in zip(names, claims, strict=True))
    return finished(
        _points(data, columns),
        description=f"{measure.label}. {said}.",
        caption=f"{measure.definition} Lines are 95 % intervals.",
        columns=columns,
        height=120,
    )


def _points(data: pd.DataFrame, columns: Columns) -> alt.LayerChart:
    heading, form = columns["value"]
    base = alt.Chart(data).encode(
        y=alt.Y(
            "side:N", title=None, sort=list(data["side"]), axis=alt.Axis(labelLimit=_LABEL_WIDTH)
        )
    )
    axis = alt.Axis(format="%") if form == SHARE else alt.Axis()
    value = alt.X("value:Q", title=heading, axis=axis, scale=alt.Scale(zero=False))
    bars = base.mark_rule(color=GREY, strokeWidth=2).encode(x="low:Q", x2="high:Q")
    points = base.mark_point(color=BLUE, filled=True, size=80, opacity=1)
    layers: alt.LayerChart = bars + points.encode(x=value, tooltip=tooltips(columns))
    return layers


def _format(unit: MeasureUnit, *, currency: str) -> str:
    match unit:
        case "share":
            return SHARE
        case "money":
            return f",.{minor_digits(currency)}f"
        case "per_customer":
            return ",.2f"
        case "count":
            return COUNT
        case never:
            assert_never(never)
