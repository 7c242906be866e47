"""Pictures of what a test did: curves by arm, and its effect beside what would matter."""

from __future__ import annotations

import json

import altair as alt
import pandas as pd

from retention_lab.charts.frame import (
    BLUE,
    COUNT,
    GREY,
    ORANGE,
    ROUND,
    SHARE,
    TEXT,
    Columns,
    finished,
    tooltips,
)
from retention_lab.charts.groups import COLOURS, DASHES
from retention_lab.charts.lookahead import LEGEND, coloured, folded
from retention_lab.charts.staying import steps
from retention_lab.experiments import verdicts
from retention_lab.experiments.plan import Plan
from retention_lab.experiments.readout import Readout
from retention_lab.record import SMALL, percent, signed
from retention_lab.record.effects import difference, shown
from retention_lab.record.small import HIDDEN, apart
from retention_lab.survival.daygrid import survival_at
from retention_lab.wording import Instead, endpoint
from retention_lab.wording.effects import instead
from retention_lab.wording.phrases import listed

_FURTHER = 1.2  # of the endpoint's day, that is drawn
_TICKS = 4
_ROW = 64
_MARKS = {"smallest": "Smallest effect worth acting on", "pays": "It pays from here on"}
_AGAINST: Columns = {
    "arm": ("Arm", TEXT),
    "value": ("Effect in points", "+.1f"),
    "low": ("From", "+.1f"),
    "high": ("To", "+.1f"),
    "smallest": ("Smallest worth acting on", "+.1f"),
    "pays": ("Pays from", "+.1f"),
}


def curves(seen: Readout) -> alt.LayerChart | Instead:
    """Draw who is still there, or has come back, by arm, with the customers followed below.

    Lines go in steps of nobody or of `SMALL` customers, as in `charts.staying`.
    """
    if seen.curves is None or not seen.shows:
        return Instead(instead(seen, "curves"))
    every = {str(arm): curve for arm, curve in seen.curves.groupby("arm", sort=False)}
    end = seen.plan.endpoint
    chosen = {
        arm: steps(curve, coming=end.kind == "returned", days=_FURTHER * end.day)
        for arm, curve in every.items()
    }
    names = [arm for arm, drawn in chosen.items() if len(drawn) > 1]
    if not names:
        return Instead(f"No picture: a line would tell of fewer than {SMALL} customers.")
    what = endpoint.curve(seen.plan)
    columns: Columns = {
        "arm": ("Arm", TEXT),
        "day": ("Day", COUNT),
        "share": (what, SHARE),
        "low": ("From", SHARE),
        "high": ("To", SHARE),
    }
    data = pd.concat([chosen[name].assign(arm=name) for name in names])[list(columns)].round(ROUND)
    last = data.groupby("arm", sort=False).last()
    words = "; ".join(
        f"{name} {percent(row['share'])} by day {row['day']:.0f}" for name, row in last.iterrows()
    )
    return finished(
        _lines(data, columns, curves={name: every[name] for name in names}, plan=seen.plan),
        description=f"{what}, by days and by arm: {words}.",
        caption=(
            f"{what}, by days since time zero, everybody as assigned. Bands are 95 % intervals; "
            f"dashed is day {end.day}, by which the test decides. Below each day: "
            f"customers followed for so long in {listed(names)}, in this order."
        ),
        columns=columns,
    )


def against(seen: Readout) -> alt.LayerChart | Instead:
    """Draw the effect of each arm beside none, the smallest that matters, and what it pays from.

    Where nothing may be shown there is nothing here: the sentence beside the picture says why.
    """
    told = [(each, difference(seen, each)) for each in shown(seen)]
    rows = [
        {
            "arm": effect.arm,
            **{name: 100 * getattr(found, name) for name in ("value", "low", "high")},
            "smallest": 100 * verdicts.matters(seen.plan, effect, None),
            "pays": 100 * seen.money[effect.arm].pays_from if effect.arm in seen.money else None,
        }
        for effect, found in told
        if found is not None
    ]
    if not rows:
        why = [each.why["reading"] for each, _ in told if "reading" in each.why]
        return Instead("" if instead(seen) else next(iter(why), ""))
    data = pd.DataFrame(rows).round(4).astype({"pays": "float64"})
    said = "; ".join(
        f"{row['arm']} {signed(row['value'] / 100)} ({signed(row['low'] / 100)} to "
        f"{signed(row['high'] / 100)})"
        for row in rows
    )
    return finished(
        _bars(data),
        description=f"Effect of the test in points: {said}.",
        caption=(
            "Effect in points, a gain to the right, with the range that holds at all looks "
            "together. Dashed: no effect. Upright: the smallest that the plan would act on, among "
            "all assigned"
            + (", and the one from which the messages pay." if data["pays"].notna().any() else ".")
        ),
        columns=_AGAINST,
        height=_ROW * len(data) + 20,
    )


def _days(curves: dict[str, pd.DataFrame], plan: Plan) -> alt.X:
    """Lay a few days along the axis, and below each how many of each arm were followed so long."""
    last = plan.endpoint.day
    days = sorted({round(last * place / (_TICKS - 1)) for place in range(_TICKS)})
    followed = [_followed(curve, days) for curve in curves.values()]
    labels = {
        day: [str(day), *(each[place] for each in followed)] for place, day in enumerate(days)
    }
    axis = alt.Axis(
        values=days,
        grid=False,
        labelExpr=f"{json.dumps(labels)}[datum.value]",
        labelFlush=False,
        labelOverlap=False,
    )
    scale = alt.Scale(domain=[0, _FURTHER * last], nice=False)
    return alt.X("day:Q", title="Days; below: followed, by arm", axis=axis, scale=scale)


def _followed(curve: pd.DataFrame, days: list[int]) -> list[str]:
    """Customers followed for so long; a step of a few between two days hides the later one."""
    known = [day for day in days if day <= curve["day"].iloc[-1]]
    at_risk = survival_at(curve, known)["at_risk"].to_numpy("int64")
    kept = apart(at_risk) & ((at_risk >= SMALL) | (at_risk == 0))
    told = [f"{n:,}" if keep else HIDDEN for n, keep in zip(at_risk, kept, strict=True)]
    return told + ["0"] * (len(days) - len(known))


def _lines(
    data: pd.DataFrame, columns: Columns, *, curves: dict[str, pd.DataFrame], plan: Plan
) -> alt.LayerChart:
    x, names = _days(curves, plan), [*curves]
    base = alt.Chart(data).encode(x=x, color=coloured(names, field="arm"))
    y = alt.Y("low:Q", title=columns["share"][0], axis=alt.Axis(format="%"))
    band = base.mark_area(opacity=0.15).encode(y=y, y2="high:Q")
    scale = alt.Scale(domain=names, range=DASHES[: len(names)])
    line = base.mark_line(strokeWidth=2).encode(
        y="share:Q",
        strokeDash=alt.StrokeDash("arm:N", scale=scale, legend=LEGEND),
        tooltip=tooltips(columns),
    )
    day = alt.Chart(pd.DataFrame({"at": [plan.endpoint.day]}))
    mark = day.mark_rule(color=GREY, strokeDash=[4, 4]).encode(x="at:Q")
    return alt.LayerChart(layer=[band, line, mark])


def _bars(data: pd.DataFrame) -> alt.LayerChart:
    """One row an arm: the range, the effect, and what it is to be held against."""
    names = {name: label for name, label in _MARKS.items() if data[name].notna().any()}
    y = alt.Y("arm:N", title=None, sort=[*data["arm"]], axis=alt.Axis(labelLimit=110))
    base = alt.Chart(data[list(_AGAINST)]).encode(y=y)
    x = alt.X("low:Q", title="Effect in points", axis=alt.Axis(format="+~f", tickCount=6))
    zero = alt.Chart(pd.DataFrame({"none": [0]})).mark_rule(color=GREY, strokeDash=[4, 3])
    held = folded(base, names).mark_tick(opacity=1, thickness=3, size=_ROW * 0.6)
    scale = alt.Scale(domain=[*names.values()], range=[ORANGE, COLOURS[2]][: len(names)])
    legend = alt.Legend(symbolType="square", symbolOpacity=1, columns=1, labelLimit=330)
    return alt.LayerChart(
        layer=[
            zero.encode(x="none:Q"),
            base.mark_rule(color=BLUE, strokeWidth=3).encode(x=x, x2="high:Q"),
            base.mark_point(color=BLUE, filled=True, size=110, opacity=1).encode(
                x="value:Q", tooltip=tooltips(_AGAINST)
            ),
            held.encode(x="value:Q", color=alt.Color("line:N", scale=scale, legend=legend)),
        ]
    )
