"""Pictures of a forecast: what it rests on, how earlier ones fared, and whom it is about."""

from __future__ import annotations

from collections.abc import Mapping

import altair as alt
import pandas as pd

from retention_lab.charts.frame import (
    BLUE,
    COUNT,
    GREY,
    LINE,
    ORANGE,
    ROUND,
    SHARE,
    TEXT,
    Columns,
    finished,
    tooltips,
)
from retention_lab.churn.associations import Associations
from retention_lab.churn.evidence import Missing
from retention_lab.churn.forecast import allocation as curve
from retention_lab.churn.model import coefficients
from retention_lab.churn.outlook import Outlook
from retention_lab.record import SMALL, percent
from retention_lab.record.churn import TOP
from retention_lab.record.small import splits
from retention_lab.wording import Instead
from retention_lab.wording.phrases import full_day

_LABEL_WIDTH = 230
_TICKS = [0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 1, 1.2, 1.5, 2, 3, 4, 5, 7, 10]
_RATIO = ".2f"
_RATIOS: Columns = {
    "hazard_ratio": ("Ratio", _RATIO),
    "low": ("From", _RATIO),
    "high": ("To", _RATIO),
    "customers": ("Customers", COUNT),
}


def ratios(found: Associations | Missing, *, what: str) -> alt.LayerChart | Instead:
    """Forest plot: how often each state of a factor goes with the event, against the reference.

    `what` happens, such as "leave".
    """
    if isinstance(found, Missing):
        return Instead(found.why)
    told = coefficients(found)
    columns: Columns = {
        "group": ("State", TEXT),
        "reference": ("Against", TEXT),
        **_RATIOS,
    }
    return _forest(_named(told), columns, what=what)


def side_by_side(frames: Mapping[str, pd.DataFrame], *, what: str) -> alt.LayerChart | Instead:
    """Three ways to compare who reached a milestone with who did not, for each milestone.

    `frames` holds what `churn.milestones.side_by_side` gave, by the label of the milestone.
    """
    if not frames:
        return Instead("No picture: there is no milestone to compare.")
    parts = [frame.assign(group=label + ": " + frame["method"]) for label, frame in frames.items()]
    columns: Columns = {"group": ("Milestone and method", TEXT), **_RATIOS}
    return _forest(pd.concat(parts, ignore_index=True), columns, what=what)


def repeat_purchases(found: pd.DataFrame | Missing) -> alt.LayerChart | Instead:
    """Forest plot of all repeat purchases; `found` is what `churn.recurrent` gave."""
    if isinstance(found, Missing):
        return Instead(found.why)
    columns: Columns = {
        "group": ("State", TEXT),
        "reference": ("Against", TEXT),
        **_RATIOS,
    }
    return _forest(_named(found), columns, what="buy again")


def _named(told: pd.DataFrame) -> pd.DataFrame:
    return told.assign(group=told["label"] + ": " + told["state"])


def _forest(frame: pd.DataFrame, columns: Columns, *, what: str) -> alt.LayerChart | Instead:
    kept = frame[frame["customers"] >= SMALL]
    if kept.empty:
        return Instead(f"No picture: no two groups of {SMALL} customers or more.")
    data = kept[list(columns)].round(dict.fromkeys(("hazard_ratio", "low", "high"), 3))
    words = "; ".join(f"{row.group} {row.hazard_ratio:.2f}" for row in data.itertuples())
    base = alt.Chart(data).encode(
        y=alt.Y(
            "group:N", title=None, sort=list(data["group"]), axis=alt.Axis(labelLimit=_LABEL_WIDTH)
        )
    )
    title = f"Times as likely to {what} on a day"
    axis = alt.Axis(values=_TICKS, format="~g")
    scale = alt.Scale(type="log", nice=False, padding=12)
    x = alt.X("hazard_ratio:Q", title=title, axis=axis, scale=scale)
    one = alt.Chart(pd.DataFrame({"x": [1]})).mark_rule(color=GREY, strokeDash=[4, 3])
    layers: alt.LayerChart = (
        one.encode(x="x:Q")
        + base.mark_rule(color=GREY, strokeWidth=2).encode(x="low:Q", x2="high:Q")
        + base.mark_point(color=BLUE, filled=True, size=70, opacity=1).encode(
            x=x, tooltip=tooltips(columns)
        )
    )
    return finished(
        layers,
        description=f"Ratios of how likely customers are to {what} on a day: {words}.",
        caption=(
            f"How many times as likely to {what} on a day as the group that each is held against "
            "(dashed line: as likely). Lines are 95 % intervals."
        ),
        columns=columns,
        height=26 * len(data) + 30,
    )


def past_forecasts(seen: Outlook, *, what: str) -> alt.LayerChart | Instead:
    """What each earlier forecast said, with its range, and what came.

    One that would tell of a few customers is left out.
    """
    if seen.backtest is None:
        return Instead(seen.why)
    origins = seen.backtest.origins
    columns: Columns = {
        "day": ("Forecast of", TEXT),
        "customers": ("Customers", COUNT),
        "expected": ("Forecast", COUNT),
        "low": ("From", COUNT),
        "high": ("To", COUNT),
        "observed": ("Came", COUNT),
    }
    hidden = splits(origins["observed"], origins["customers"]) | (origins["customers"] < SMALL)
    kept = origins[~hidden]
    if kept.empty:
        return Instead("No picture yet: no earlier forecast can be compared with what came.")
    data = kept.assign(day=kept["origin"].map(full_day))[list(columns)]
    words = "; ".join(f"{r.day}: {r.expected:,.0f}, came {r.observed:,}" for r in data.itertuples())
    axis = alt.Axis(labelLimit=_LABEL_WIDTH)
    base = alt.Chart(data).encode(y=alt.Y("day:N", title=None, sort=[*data["day"]], axis=axis))
    scale = alt.Scale(zero=False)
    x = alt.X("expected:Q", title=f"Customers who {what} in the period", scale=scale)
    layers: alt.LayerChart = (
        base.mark_rule(color=GREY, strokeWidth=2).encode(x="low:Q", x2="high:Q")
        + base.mark_point(color=BLUE, size=70, strokeWidth=2).encode(x=x)
        + base.mark_point(color=ORANGE, filled=True, shape="diamond", size=70, opacity=1).encode(
            x="observed:Q", tooltip=tooltips(columns)
        )
    )
    return finished(
        layers,
        description=f"Earlier forecasts and what came. {words}.",
        caption=(
            "Circles are forecasts made from what was known on the day, lines their 95 % ranges; "
            "diamonds are what came."
        ),
        columns=columns,
        height=30 * len(data) + 30,
    )


def calibration(seen: Outlook) -> alt.LayerChart | Instead:
    """Chances to stay (or to buy again) against shares that did, in groups by their chance.

    Groups that would tell of a few customers are left out.
    """
    if seen.backtest is None:
        return Instead("No picture: this forecast was not tested on earlier days.")
    frame = seen.backtest.calibration
    what = "buy again" if seen.endpoint.kind == "returned" else "stay"
    columns: Columns = {
        "n": ("Customers", COUNT),
        "predicted": ("Forecast", SHARE),
        "observed": ("Came", SHARE),
        "low": ("From", SHARE),
        "high": ("To", SHARE),
    }
    came = (frame["observed"] * frame["n"]).round().astype("int64")
    kept = frame[~splits(came, frame["n"]) & (frame["n"] >= SMALL)]
    if kept.empty:
        return Instead("No picture: every group would tell of a few customers.")
    data = kept[list(columns)].round({**ROUND, "predicted": 4, "observed": 4})
    gap = 100 * (data["predicted"] - data["observed"]).abs().max()
    return finished(
        _diagonal(data, columns, what=what),
        description=(
            f"Forecast chance to {what} against the share that did, in {len(data)} groups; the "
            f"largest distance is {gap:.1f} points."
        ),
        caption=(
            f"Chance to {what} as forecast, and the share that did, in groups of customers from "
            "the lowest chance to the highest. On the dashed line both are the same."
        ),
        columns=columns,
    )


def _diagonal(data: pd.DataFrame, columns: Columns, *, what: str) -> alt.LayerChart:
    ends = [
        float(data[["predicted", "low"]].min().min()),
        float(data[["predicted", "high"]].max().max()),
    ]
    same = alt.Chart(pd.DataFrame({"a": ends, "b": ends})).mark_line(color=GREY, strokeDash=[4, 3])
    base = alt.Chart(data)
    axis, scale = alt.Axis(format="%"), alt.Scale(zero=False)
    x = alt.X("predicted:Q", title=f"Chance to {what}, forecast", axis=axis, scale=scale)
    y = alt.Y("observed:Q", title="Share that did", axis=axis, scale=scale)
    layers: alt.LayerChart = (
        same.encode(x="a:Q", y="b:Q")
        + base.mark_rule(color=GREY, strokeWidth=2).encode(x=x, y="low:Q", y2="high:Q")
        + base.mark_point(color=BLUE, filled=True, size=70, opacity=1).encode(
            x=x, y=y, tooltip=tooltips(columns)
        )
    )
    return layers


def allocation(seen: Outlook, *, what: str) -> alt.LayerChart | Instead:
    """How much of what is expected falls on the customers most likely to do it."""
    if seen.forecast is None:
        return Instead("No picture: there is no forecast.")
    frame = curve(seen.forecast)
    columns: Columns = {
        "top_share": ("Customers, most likely first", SHARE),
        "customers": ("How many", COUNT),
        "share": ("Share of what is expected", SHARE),
    }
    data = frame[(frame["customers"] >= SMALL) | (frame["top_share"] == 0)].round(4)
    if len(data) < 2:
        return Instead(f"No picture: there are fewer than {SMALL} customers.")
    axis = alt.Axis(format="%")
    x = alt.X("top_share:Q", title=columns["top_share"][0], axis=axis)
    even = alt.Chart(pd.DataFrame({"a": [0, 1]})).mark_line(color=LINE, strokeWidth=2)
    line = alt.Chart(data[list(columns)]).mark_line(color=BLUE, strokeWidth=2, point=True)
    layers: alt.LayerChart = even.encode(x="a:Q", y="a:Q") + line.encode(
        x=x,
        y=alt.Y("share:Q", title=columns["share"][0], axis=axis),
        tooltip=tooltips(columns),
    )
    place = int((data["top_share"] - TOP).abs().to_numpy().argmin())
    top, share = (float(data[name].iloc[place]) for name in ("top_share", "share"))
    return finished(
        layers,
        description=(
            f"The {percent(top)} of customers most likely to {what} carry {percent(share)} of "
            "what is expected."
        ),
        caption=(
            f"Customers from the most to the least likely to {what}, and the share of what is "
            "expected that they carry. The grey line is what an order by chance would give."
        ),
        columns=columns,
    )


def lost_after(evidence: pd.DataFrame | Missing) -> alt.LayerChart | Instead:
    """How many of those called lost after so many silent days came back later.

    `evidence` is what `churn.gaps.evidence` gave.
    """
    if isinstance(evidence, Missing):
        return Instead(evidence.why)
    columns: Columns = {
        "days": ("Silent days", COUNT),
        "customers": ("Called lost", COUNT),
        "later_returned": ("Came back later", SHARE),
        "low": ("From", SHARE),
        "high": ("To", SHARE),
    }
    kept = evidence[evidence["later_returned"].notna() & (evidence["customers"] >= SMALL)]
    if kept.empty:
        return Instead(f"No picture yet: fewer than {SMALL} customers were silent for so long.")
    data = kept[list(columns)].round({**ROUND, "later_returned": 4})
    base = alt.Chart(data).encode(y=alt.Y("days:O", title="Silent days"))
    x = alt.X("later_returned:Q", title="Came back later", axis=alt.Axis(format="%"))
    layers: alt.LayerChart = base.mark_rule(color=GREY, strokeWidth=2).encode(
        x="low:Q", x2="high:Q"
    ) + base.mark_point(color=BLUE, filled=True, size=70, opacity=1).encode(
        x=x.scale(alt.Scale(domainMin=0)), tooltip=tooltips(columns)
    )
    pairs = zip(data["days"], data["later_returned"], strict=True)
    words = "; ".join(f"{days} days {percent(share)}" for days, share in pairs)
    return finished(
        layers,
        description=f"Share of customers called lost who came back later: {words}.",
        caption=(
            "Of customers called lost after so many silent days, the share who bought again "
            "later; who may still do so is counted as waiting. Lines are 95 % intervals."
        ),
        columns=columns,
        height=30 * len(data) + 30,
    )
