"""What margin of each guardrail the planned number of customers can show.

Each figure is that of customers who reached the milestone before and were followed for the
endpoint's days, as things are: nobody knows yet how the treatment changes it. A guardrail holds
where harm beyond its margin is shown not to be; customers count as assigned, reached or not.
"""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

import ibis.expr.types as ir
import pandas as pd

from retention_lab import checks
from retention_lab.checks import BadData, BadParameter, Refusal
from retention_lab.customers.measures import interval
from retention_lab.experiments import milestones, terms
from retention_lab.experiments.design.allocation import Shares
from retention_lab.experiments.design.guardrail import ONE_SIDED, Guardrail, smallest_margin
from retention_lab.experiments.design.means import Means, ratio_sd
from retention_lab.experiments.design.proportions import Proportions
from retention_lab.experiments.design.sizing import power, sample_size
from retention_lab.experiments.outcomes import Outcome, moments, outcome
from retention_lab.experiments.plan import Plan
from retention_lab.inference.interval import Interval
from retention_lab.inference.moments import RatioMoments
from retention_lab.tables import clocks, engine, population, saved
from retention_lab.tables.contracts import CONTRACTS
from retention_lab.tables.metrics import Metric
from retention_lab.tables.snapshot import Snapshot

# Customers followed, to say anything by; and who did it, to design by their share.
LEAST = max(10, checks.smallest_cell(os.environ))
YEAR = 365
_FRAME = {
    **dict.fromkeys(("metric", "label", "unit", "better"), "object"),
    **dict.fromkeys(("value", "low", "high", "margin"), "Float64"),
    "needed": "Int64",
    **dict.fromkeys(("smallest", "power"), "Float64"),
    "why": "object",
    "safe": "bool",
    **dict.fromkeys(("planned", "followed", "counted", "did"), "Int64"),
    "currency": "object",
}


def guardrails(
    shop: Snapshot,
    plan: Plan,
    *,
    customers: float,
    metrics: Mapping[str, Metric] | None = None,
) -> pd.DataFrame:
    """Tell for each guardrail of a plan whether its margin can be shown.

    Parameters
    ----------
    customers
        Planned, of all arms.
    metrics
        Own metrics by their name.

    Returns
    -------
    DataFrame
        One row per guardrail, in the plan's order: `metric`, `label`, `unit` (share, money or
        per_customer), `better`, `value` with its interval `low` to `high` as things are, `margin`
        of the plan, `needed` (customers of all arms who show the margin with the plan's power, if
        the treatment does no harm), `smallest` (margin that the planned customers show so),
        `power` (with which they show the plan's margin), `why` (a sentence where something of it
        cannot be told, else empty), `safe` (see below), `planned`, `followed` (customers of the
        past behind the value), `counted` and `did` (as `outcomes.moments`), `currency` (of money,
        else empty).
        Money is in whole units; what cannot be told is missing. Where fewer than `LEAST` customers
        did it, or did not, `needed`, `smallest` and `power` are `safe`: those of so many.

    Raises
    ------
    BadParameter
        If the shop does not know the plan's milestone or population.
    BadData
        If it has no events, or no orders to derive the milestone from.

    References
    ----------
    Of the margins, see `design.guardrail`; the variance of a ratio is Cochran's, see
    `inference.moments`.
    """
    if not plan.guardrails:
        return pd.DataFrame(columns=[*_FRAME]).astype(_FRAME)
    past = _Past(shop=shop, plan=plan, people=_people(shop, plan), metrics=metrics or {})
    rows = [past.told(rail, customers=customers) for rail in plan.guardrails]
    return pd.DataFrame(rows, columns=[*_FRAME]).astype(_FRAME)


@dataclass(frozen=True, kw_only=True)
class _Past:
    """Customers who reached the milestone before, and what is known of them."""

    shop: Snapshot
    plan: Plan
    people: ir.Table
    metrics: Mapping[str, Metric]

    def told(self, rail: terms.Guardrail, *, customers: float) -> dict[str, Any]:
        """Give a row of the frame, as far as it can be told."""
        row = rail.model_dump() | {"label": rail.metric, "planned": int(customers)}
        row |= dict.fromkeys(("unit", "currency", "why"), "") | {"safe": False}
        try:
            for part in self._parts(rail, customers):
                row |= part
        except Refusal as refused:
            row["why"] = str(refused)
        return row

    def _parts(self, rail: terms.Guardrail, customers: float) -> Iterator[dict[str, Any]]:
        made = outcome(rail.metric, metrics=self.metrics)
        money = made.unit == "money"
        yield {"label": made.label, "unit": made.unit}
        yield {"currency": self.shop.currency if money else ""}
        counts = self._counts(made)
        yield {"followed": counts["customers"], "counted": counts["counted"], "did": counts["did"]}
        sums = _sums(counts)
        scale = self.shop.minor_per_unit if money else 1
        value = _value(made, sums, scale=scale)
        yield asdict(value)
        arms = tuple(self.plan.weights.values())
        share = _safe_share(sums) if made.unit == "share" and _is_one_of_one(sums) else None
        if share is None:
            kernel: Proportions | Means = _means(ratio_sd(sums) / scale, arms)
        else:
            yield {"safe": share != value.value}
            kernel = _shares(share, rail, arms)
        harm = rail.margin if rail.better == "lower" else -rail.margin
        asked = Guardrail(design=kernel, margin=harm)
        errors = replace(ONE_SIDED, power=self.plan.primary.power)
        yield {"needed": sample_size(asked, 0.0, errors=errors).total}
        yield {"power": power(asked, 0.0, customers=customers, errors=errors)}
        yield {"smallest": abs(smallest_margin(asked, customers=customers, errors=errors))}

    def _counts(self, made: Outcome) -> dict[str, int]:
        """Add up what those did who reached the milestone since the tables have been kept."""
        begin = _kept_since(made, self.shop)
        recent = self.people.filter(self.people.reached_at >= begin)
        days = self.plan.endpoint.day
        found = moments(self.shop, recent, made.name, days=days, metrics=self.metrics)
        counts = {str(name): int(value) for name, value in found.iloc[0].items()}
        if counts["customers"] < LEAST:
            raise BadData(
                f"Fewer than {LEAST} customers who reached {self.plan.milestone} were followed for "
                f"{days} days while it was recorded."
            )
        return counts


def _people(shop: Snapshot, plan: Plan) -> ir.Table:
    """Who reached the milestone lately enough to be like those to come, of the plan's population.

    Whether they consent is not asked: who unsubscribed since does not consent any more.
    """
    days = dt.timedelta(days=max(YEAR, 2 * plan.endpoint.day))
    since = clocks.end_of_day(shop.as_of, shop.zone) - days
    reached = milestones.first_reached(shop, plan.milestone, since=since)
    if not plan.where:
        return reached
    where = f"cohort('{plan.where}')" if plan.where in saved.names() else plan.where
    return engine.keep(reached.semi_join(population.chosen(shop, where), "customer_id"), where="")


def _kept_since(made: Outcome, shop: Snapshot) -> dt.datetime:
    """Time of the first row of the table that began last: nobody before it could have any."""
    firsts = []
    for name in made.tables:
        table, time = getattr(shop, name), CONTRACTS[name].time
        if time in table.columns:  # lines of orders have the time of their order
            first = engine.collect(table.agg(first=table[time].min()))["first"].iloc[0]
            if pd.isna(first):
                raise BadData(f"The table {name} of {shop.name} has no rows, so it tells nothing.")
            firsts.append(first)
    return max(firsts, default=pd.Timestamp(0)).to_pydatetime()


def _sums(counts: Mapping[str, int]) -> RatioMoments:
    names = ("y", "yy", "x", "xx", "xy")
    return RatioMoments(n=counts["customers"], **{name: counts[f"sum_{name}"] for name in names})


def _is_one_of_one(sums: RatioMoments) -> bool:
    """Say whether every customer counts 1 of 1 or 0 of 1: no other whole number is its square."""
    return sums.y == sums.yy and sums.n == sums.x == sums.xx


def _safe_share(sums: RatioMoments) -> float:
    """The share who did it; where few did, or few did not, one that needs more customers."""
    least = min(LEAST / sums.n, 0.5)
    return min(max(sums.y / sums.n, least), 1 - least)


def _shares(share: float, rail: terms.Guardrail, arms: Shares) -> Proportions:
    room = share if rail.better == "higher" else 1 - share
    if rail.margin >= room:
        raise BadParameter(
            f"A margin of {rail.margin:g} is all the harm that can be: as things are, there is "
            f"room for {room:.3g}. Take a smaller one; two points are 0.02."
        )
    return Proportions(control=share, allocation=arms)


def _means(sd: float, arms: Shares) -> Means:
    if sd == 0:
        raise BadData(
            "It was the same for all customers followed, so nothing tells how far it varies: watch "
            "it without a margin, or take another figure."
        )
    return Means(sd_control=sd, sd_treated=sd, allocation=arms)


def _value(made: Outcome, sums: RatioMoments, *, scale: int) -> Interval:
    found = interval(sums)
    value, low, high = (one / scale for one in (found.value, found.low, found.high))
    return Interval(value=value, low=max(0.0, low) if made.unit == "share" else low, high=high)
