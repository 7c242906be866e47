"""A test of messages read step by step: visits, opens, clicks, orders and spend, by arm.

Everybody assigned counts, in the arm of the first assignment, whether or not a message arrived;
each for the endpoint's days from time zero.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import ibis.expr.types as ir
import pandas as pd

from retention_lab.checks import BadData, BadParameter
from retention_lab.experiments import cleaner
from retention_lab.experiments.cleaner import OfArm
from retention_lab.experiments.measured import measured, one
from retention_lab.experiments.outcomes import Outcome, outcome
from retention_lab.experiments.plan import Plan
from retention_lab.inference.means import Estimate
from retention_lab.inference.multiplicity import adjusted
from retention_lab.tables.metrics import Metric
from retention_lab.tables.snapshot import Snapshot

STEPS = (
    *("visit", "open", "click", "conversion"),
    *("orders", "revenue_per_customer", "unsubscribe"),
)
OF_MESSAGES = ("open", "click", "conversion")  # which nobody can do who was sent nothing
LEVEL = 0.05  # of any error at all, among all comparisons

_COMPARED = ["difference", "low", "high", "std_error", "lift", "lift_low", "lift_high", "p_value"]
_OF_GUARDRAILS = ["role", "margin", "no_worse", "harmed"]
_ARMS = {"arm": "object", "customers": "int64", "counted": "int64", "did": "int64"}
_VALUE = dict.fromkeys(("value", "low", "high"), "float64")
_PAIR = ("difference", "low", "high", "std_error", "p_value", "p_adjusted")
_PAIRS = {"arm": "object", "other": "object", **dict.fromkeys(_PAIR, "Float64")}


@dataclass(frozen=True, kw_only=True, eq=False)
class Best:
    """Which arm does best by one outcome, every arm against every other.

    Parameters
    ----------
    arms
        One row per arm, the best first: `arm`, `customers`, `counted` and `did` (as in
        `cleaner.OfArm`), `value` with its 95 % interval `low` to `high`, in the outcome's unit.
    pairs
        One row per two arms, the better one first: `arm`, `other`, `difference` (arm minus other)
        with its 95 % interval `low` to `high`, `std_error`, `p_value` (missing where all customers
        of both are alike), `p_adjusted` (Holm, over all pairs).
    leader
        The arm that differs from each other one for the better, allowing for all pairs; None where
        no arm does.
    """

    outcome: Outcome
    days: int
    arms: pd.DataFrame
    pairs: pd.DataFrame
    leader: str | None


def funnel(
    shop: Snapshot, people: ir.Table, plan: Plan, *, metrics: Mapping[str, Metric] | None = None
) -> pd.DataFrame:
    """Measure each of `STEPS` that the shop can tell, in each arm against control.

    Parameters
    ----------
    people, metrics
        As `measured.measured` takes them.

    Returns
    -------
    DataFrame
        One row per step (`metric`) and arm but control, with the columns of `measured.measured`
        that are not of guardrails; `p_adjusted` by Holm over all rows that have a p-value. Where
        control is sent nothing, what only a message brings is not compared with it: only `value`
        is there.

    Raises
    ------
    BadData
        If the shop can tell none of the steps.
    """
    known = tuple(step for step in STEPS if {*outcome(step).tables} <= {*shop.tables})
    if not known:
        raise BadData(
            f"{shop.name} has no messages, no orders and no events, so no step of a campaign can "
            "be told: map one of them in the source file."
        )
    asked = plan.model_copy(update={"secondaries": known, "guardrails": ()})
    found = measured(shop, people, asked, metrics=metrics).drop(columns=_OF_GUARDRAILS)
    if plan.arms[0].message is None:
        found.loc[found["metric"].isin(OF_MESSAGES), _COMPARED] = pd.NA
    found["p_adjusted"] = _holm(found["p_value"])
    return found


def best(
    shop: Snapshot,
    people: ir.Table,
    plan: Plan,
    *,
    metric: str,
    metrics: Mapping[str, Metric] | None = None,
) -> Best:
    """Compare all arms by one outcome, each with each.

    Parameters
    ----------
    people, metrics
        As `measured.measured` takes them.
    metric
        The outcome: one of `outcomes.KNOWN`, or of `metrics`. Of what only a message brings, only
        arms that send one are compared.

    Raises
    ------
    BadParameter
        If there is no such outcome, or more of it is neither better nor worse.
    BadData
        If the shop cannot tell it, or fewer than two arms can be compared.
    """
    made = outcome(metric, metrics=metrics)
    if made.better == "neither":
        raise BadParameter(
            f"metric must be one of which more is better or worse, got {metric!r}: say in "
            "data/metrics.yml which it is."
        )
    days = plan.endpoint.day
    told = cleaner.arms(shop, people, made, days=days, cluster=plan.cluster)
    sends = [arm.name for arm in plan.arms if arm.message or metric not in OF_MESSAGES]
    values = {name: _value(told[name]) for name in sends if name in told}
    values = {name: value for name, value in values.items() if value is not None}
    if len(values) < 2:
        raise BadData(
            f"{made.label} can be told of fewer than two arms yet, so no arm is the best: wait "
            "until more customers have been followed."
        )
    return _ranked(made, {name: told[name] for name in values}, days=days)


def _value(arm: OfArm) -> Estimate | None:
    return arm.cleaned or arm.raw


def _ranked(made: Outcome, told: Mapping[str, OfArm], *, days: int) -> Best:
    """Put the arms in order, and compare each with those after it."""
    rows = [
        {"arm": name, **_counts(arm), "value": value.value, "low": value.low, "high": value.high}
        for name, arm in told.items()
        if (value := _value(arm)) is not None
    ]
    # Of equal ones the plan's order stays.
    arms = pd.DataFrame(rows).sort_values(
        "value", ascending=made.better == "lower", kind="stable", ignore_index=True
    )
    found = [_pair(told, *names) for names in combinations(arms["arm"], 2)]
    pairs = pd.DataFrame(found, columns=[*_PAIRS]).astype(_PAIRS)
    pairs["p_adjusted"] = _holm(pairs["p_value"])
    first = arms["arm"].iloc[0]
    leads = (pairs.loc[pairs["arm"] == first, "p_adjusted"] <= LEVEL).fillna(False).all()
    return Best(
        outcome=made,
        days=days,
        arms=arms.astype(_ARMS | _VALUE),
        pairs=pairs,
        leader=str(first) if leads else None,
    )


def _counts(arm: OfArm) -> dict[str, int]:
    return {"customers": arm.customers, "counted": arm.counted, "did": arm.did}


def _pair(told: Mapping[str, OfArm], name: str, other: str) -> dict[str, Any]:
    row: dict[str, Any] = {"arm": name, "other": other}
    try:
        found = one(told[name], told[other])
    except BadData:  # all customers of both are alike
        return row | {"difference": 0.0}
    apart = found.difference
    row |= {"difference": apart.value, "low": apart.low, "high": apart.high}
    return row | {"std_error": apart.std_error, "p_value": found.p_value}


def _holm(values: pd.Series) -> pd.Series:
    """Adjust the p-values that are there."""
    told = values.dropna()
    if told.empty:
        return values
    found = pd.Series(adjusted(told.to_numpy("float64")).p_values, index=told.index)
    return found.reindex(values.index).astype("Float64")
