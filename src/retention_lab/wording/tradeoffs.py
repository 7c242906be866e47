"""The sentences of what a test could be instead, each with what must stand beside its number."""

from __future__ import annotations

from math import ceil, isnan

import numpy as np
import pandas as pd

from retention_lab.experiments import testing
from retention_lab.experiments.plan import Plan
from retention_lab.experiments.sizing import TOO_LONG
from retention_lab.inference.sequential.spending import Family
from retention_lab.record import percent
from retention_lab.wording.phrases import counted, full_day
from retention_lab.wording.sizes import lasts, points

ASSUMED = "All this holds if what is assumed of customers does."
PEEKING = (
    "This is for a test that is read once: who reads it every week until it succeeds will find a "
    "gain where there is none."
)
EQUAL = "Every split finds the effect as often; the others only take longer."
EARLY = (
    "A gain that stops a test early looks larger than it is, and the read-out corrects for that. "
    "On any other day the test may not be read."
)
FAMILY: dict[Family, str] = {
    "O'Brien-Fleming": "O'Brien-Fleming: strict at first",
    "Pocock": "Pocock: alike at all looks",
}
NUMBERS = ("no", "one", "two", "three", "four", "five")
_USUAL = 4  # looks, to set beside one
_CLOSE = 1.01  # customers over the fewest that are as good as these


def tradeoffs_effects(plan: Plan, effects: pd.DataFrame) -> str:
    """Say what this test takes, and what one for twice or half its effect would."""
    own, double = (effects[effects["of"] == of] for of in ("plan", "double"))
    half = effects[np.isclose(effects["effect"], plan.primary.smallest_effect / 2)]
    least = plan.primary.smallest_effect
    said = [f"To find {points(least)}, this test takes {_takes(own)}."]
    if len(double):
        said.append(
            f"If only {points(2 * least)} would change what you do, {_takes(double)} are enough."
            if double["weeks"].iloc[0] <= TOO_LONG
            else f"Even to find {points(2 * least)} would take {_takes(double)}."
        )
    said.append(f"To find {points(least / 2)} would take {_takes(half)}.")
    claimed = 100 * effects.loc[effects["of"] == "trade", "effect"]
    if len(claimed):
        said.append(
            f"What the trade claims would be {claimed.min():.1f} to {claimed.max():.1f} points "
            "here; nobody knows where its claim comes from."
        )
    said.append("A test of fewer customers overlooks smaller effects, it does not rule them out.")
    return " ".join([*said, ASSUMED])


def tradeoffs_calendar(plan: Plan, calendar: pd.DataFrame) -> str:
    """Say from which day on the test would find its effect, and when if one waited for all."""
    aim, last = plan.primary.power, calendar.iloc[-1]
    day = _reached(calendar, "power", aim)
    if day is None:
        return (
            f"Read once, even on day {last['day']} ({_on(last)}), when everybody has been "
            f"followed, this test would find its effect {_often(last['power'])}, not "
            f"{_often(aim)}. {PEEKING}"
        )
    matured = _reached(calendar, "matured", aim)
    only = (
        f"would get there on day {matured}"
        if matured
        else f"would never get there (at most {_often(calendar['matured'].max())})"
    )
    return (
        f"Read once, this test would find its effect {_often(aim)} from day {day} on "
        f"({full_day(testing.date_of(plan, day))}); waiting until everybody has been "
        f"followed would take until day {last['day']}. A test of only those who have been followed "
        f"for {counted(plan.endpoint.day, 'day')} {only}. {PEEKING}"
    )


def tradeoffs_allocation(plan: Plan, allocations: pd.DataFrame) -> str:
    """Say what the plan's share of control costs beside the cheapest one."""
    off = (allocations["control"] - plan.arms[0].share).abs()
    own, best = allocations.iloc[off.argmin()], allocations.sort_values("customers").iloc[0]
    said = f"With {_split(own)} as planned, this test takes {_cost(own)}"
    if own["customers"] <= _CLOSE * best["customers"]:
        said = f"{said}; no other split needs noticeably fewer."
    else:
        said = f"{said}; {_split(best)} would be cheapest: {_cost(best)}."
    return f"{said} {EQUAL}"


def tradeoffs_looks(plan: Plan, looks: pd.DataFrame, families: pd.DataFrame) -> str:
    """Say what stops the test early, how likely that is, and what looking costs and saves."""
    said = (
        _early(plan, looks) if len(looks) > 1 else f"This plan looks once, on {_on(looks.iloc[0])}."
    )
    count = len(looks) if len(looks) > 1 else _USUAL
    family = plan.looks.spending.family if plan.looks else "O'Brien-Fleming"
    alike = families["family"] == (family if family in FAMILY else "O'Brien-Fleming")
    priced = families[alike & (families["looks"] == min(count, families["looks"].max()))].iloc[0]
    one = families.iloc[0]
    saved = f"{_saved(one, priced['weeks_with'])} if the effect is there"
    if plan.rule.futility:
        saved += f" and {_saved(one, priced['weeks_without'])} if there is none"
    name = NUMBERS[priced["looks"]].capitalize()
    return (
        f"{said} {name} evenly spaced looks ({FAMILY[priced['family']]}) take "
        f"{percent(priced['customers'] / one['customers'] - 1)} more customers than one at most, "
        f"and save on average {saved}. {EARLY}"
    )


def _early(plan: Plan, looks: pd.DataFrame) -> str:
    """Say what the first look stops at, and how many tests have stopped before the last."""
    first, late = looks.iloc[0], looks.iloc[-2]
    found, up = ("gain", "") if plan.primary.sides == 1 else ("difference", " up or down")
    stops = f"only a {found} of {points(first['smallest'])} or more{up}, as seen then, stops it"
    if isnan(first["smallest"]):
        stops = f"no {found} that could be seen is large enough to stop it"
    why = "" if isnan(late["futility"]) else f", for a {found} or for want of one,"
    return (
        f"At the first look, on {_on(first)}, {stops}. Before the last, on "
        f"{_on(looks.iloc[-1])}, {_hundred(late['stops_with'])} tests as planned have "
        f"stopped{why} if the effect is there, and {_hundred(late['stops_without'])} if there is "
        "none."
    )


def _saved(one: pd.Series, weeks: float) -> str:
    """Weeks by which a test is over before one with a single look."""
    saved = round(one["weeks_most"] - weeks)
    return counted(saved, "week") if saved > 0 else "no time"


def _takes(row: pd.DataFrame) -> str:
    """Customers and weeks of the one row of a frame."""
    return f"{row['customers'].iloc[0]:,} customers and {lasts(row['weeks'].iloc[0])}"


def _cost(row: pd.Series) -> str:
    sent = "all" if row["messages"] == row["customers"] else f"{row['messages']:,.0f}"
    return (
        f"{row['customers']:,.0f} customers ({sent} of them in arms that are sent a message) and "
        f"{lasts(row['weeks'])}"
    )


def _split(row: pd.Series) -> str:
    return f"{_hundred(row['control'])} customers in control"


def _reached(calendar: pd.DataFrame, column: str, aim: float) -> int | None:
    """First day on which a power is reached, between the days of the frame by a straight line."""
    enough = calendar[column] >= aim
    if not enough.any():
        return None
    upto = calendar.iloc[: int(enough.argmax()) + 1].tail(2)
    return ceil(float(np.interp(aim, upto[column], upto["day"])) - 1e-9)


def _often(power: float) -> str:
    words = {0.8: "four times in five", 0.9: "nine times in ten"}
    return words.get(round(power, 3), f"{100 * power:.0f} times in 100")


def _hundred(share: float) -> str:
    if 0 < share < 0.005:
        return "fewer than 1 in 100"
    return "more than 99 in 100" if 0.995 <= share < 1 else f"{100 * share:.0f} in 100"


def _on(row: pd.Series) -> str:
    return full_day(row["on"])
