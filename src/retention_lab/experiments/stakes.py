"""What an arm is worth in money: for each customer assigned and in a year, and how sure that is.

Everybody assigned counts, reached or not. A loss is what the messages cost over what they earn;
what the effect does beyond the endpoint's day counts for nothing, as nobody has measured it.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from math import sqrt
from typing import TYPE_CHECKING, Any

import ibis
import ibis.expr.types as ir
from ibis import _
from scipy.special import ndtri

from retention_lab.checks import BadData
from retention_lab.customers.groups import LEAST
from retention_lab.experiments import decision, testing
from retention_lab.experiments.outcomes import moments
from retention_lab.experiments.plan import Plan
from retention_lab.inference.interval import Interval
from retention_lab.inference.means import Estimate, difference, mean
from retention_lab.inference.moments import RatioMoments
from retention_lab.tables import engine
from retention_lab.tables.snapshot import Snapshot

if TYPE_CHECKING:
    from retention_lab.experiments.effects import Effect
    from retention_lab.experiments.sequential import Looked
    from retention_lab.experiments.validity_tables import Marked

YEAR = 365.25
LEAST_DAYS = 28  # of enrolment, to tell a year by: four of each weekday


@dataclass(frozen=True, kw_only=True)
class Money:
    """What sending an arm's message to all is worth against sending to nobody, in whole currency.

    Parameters
    ----------
    effect
        By which this is reckoned; see `in_points`.
    worth, worth_range, worth_why
        Of one more customer retained, or returned; its interval, where the shop told it; who says.
    messages, cost
        Per customer assigned, over those of control.
    per_customer, per_year
        Money expected per customer assigned, and of a year's customers, with its interval.
    customers_per_year
        By the pace of the `enrol_days` so far. Without enough of these nothing is said of a year:
        then this, `per_year`, `regret` and `waiting` are None.
    chance_of_loss
        That sending to all loses money.
    regret
        Expected to be lost in a year by the better of sending and not, as it may be the worse.
    waiting
        What one more look is worth in a year; 0 or less: decide now. None where there is none.
    pays_from
        Difference of shares from which on it pays.
    break_even
        Cost of a message at which it neither gains nor loses.
    """

    arm: str
    effect: Estimate
    worth: float
    worth_range: Interval | None
    worth_why: str
    messages: float
    cost: float
    per_customer: Interval
    per_year: Interval | None
    customers_per_year: float | None
    enrol_days: int
    chance_of_loss: float
    regret: float | None
    waiting: float | None
    pays_from: float
    break_even: Interval


def in_points(plan: Plan, effect: Effect, looked: Looked) -> Estimate:
    """The effect by which a verdict and money are told: a difference of shares, a gain positive.

    Its interval is the repeated one, which holds at all looks together; after an early stop value
    and interval are the corrected ones. A log-rank test decides by a ratio: its difference of
    shares at the endpoint's day takes the bound of the look, and is corrected by as many of its
    standard errors.

    Raises
    ------
    BadData
        If there is no such difference, or no look has told an interval.
    """
    shares = effect.adjusted or effect.difference
    held, unflattered = looked.interval, corrected(looked)
    if shares is None or held is None or looked.estimate is None or looked.std_error is None:
        why = effect.why.get("difference") or effect.why.get("reading") or ""
        raise BadData(f"No effect of {effect.arm} can be told yet. {why}".strip())
    bound = (held.high - held.value) / looked.std_error
    if unflattered is not None:
        value, *ends = _bounds(unflattered)
        if looked.unit != "points":  # in standard errors, as a ratio near none has no proportion
            scale = shares.std_error / looked.std_error
            value, *ends = (
                shares.value + scale * (each - looked.estimate) for each in _bounds(unflattered)
            )
        level = testing.rule(plan).level
        spread = (max(ends) - min(ends)) / 2 / float(-ndtri(level))
        return Estimate(value=value, low=min(ends), high=max(ends), std_error=spread)
    if looked.unit == "points":
        value, spread = looked.estimate, looked.std_error
    else:
        value, spread = shares.value, shares.std_error
    far = bound * spread
    return Estimate(value=value, low=value - far, high=value + far, std_error=spread)


def _bounds(found: Interval) -> tuple[float, float, float]:
    return found.value, found.low, found.high


def corrected(looked: Looked) -> Interval | None:
    """What an early stop has flattered, corrected; None if nothing stopped the test early."""
    early = looked.stopped in ("gain", "loss", "futility") and not looked.raw["final"].iloc[-1]
    return looked.unbiased.effect if early and looked.unbiased is not None else None


def money(shop: Snapshot, marked: Marked, plan: Plan, effect: Effect, looked: Looked) -> Money:
    """Turn the effect of an arm into money.

    Raises
    ------
    BadData
        If there is no effect, the plan names no cost, the arm sends no more than control, or
        neither the plan nor the shop can tell what one more customer is worth.
    """
    found = in_points(plan, effect, looked)
    messages = _messages(marked, plan, effect.arm)
    worth, between, why = _worth(shop, marked, plan)
    cost = plan.cost_per_message * messages
    days = max(0, (min(shop.as_of, plan.ends) - plan.starts).days + 1)
    pace = _assigned(marked) / days / plan.coverage if days else 0.0
    yearly = YEAR * pace if days >= LEAST_DAYS and pace else None
    at = decision.stake(found, worth=worth, cost=cost, customers=yearly or 1.0)
    each = Interval(value=at.gain, low=found.low * worth - cost, high=found.high * worth - cost)
    return Money(
        arm=effect.arm,
        effect=found,
        worth=worth,
        worth_range=between,
        worth_why=why,
        messages=messages,
        cost=cost,
        per_customer=each,
        per_year=None if yearly is None else _times(each, yearly),
        customers_per_year=yearly,
        enrol_days=days,
        chance_of_loss=at.chance_of_loss,
        regret=None if yearly is None else at.regret,
        waiting=None if yearly is None else _waiting(plan, at, looked, arm=effect.arm, pace=pace),
        pays_from=cost / worth,
        break_even=decision.break_even(found, worth=worth, messages=messages),
    )


def _times(each: Interval, count: float) -> Interval:
    return Interval(value=count * each.value, low=count * each.low, high=count * each.high)


def _waiting(
    plan: Plan, now: decision.Stake, looked: Looked, *, arm: str, pace: float
) -> float | None:
    """What the next look is worth in a year; those of the arm are treated until enrolment ends."""
    if looked.next_on is None or looked.on is None or looked.next_fraction is None:
        return None
    left = sqrt(float(looked.raw["fraction"].iloc[-1]) / looked.next_fraction)
    days = (looked.next_on - looked.on).days
    if looked.stopped or days <= 0 or left >= 1:
        return None
    enrols = min(days, max(0, (plan.ends - looked.on).days)) / days
    return decision.waiting(
        now,
        spread=now.spread * left,
        meanwhile=min(now.customers, pace * days),
        # Of all who come in these days; where nobody is enrolled any more, next to nobody.
        treated_share=min(max(plan.coverage * plan.weights[arm] * enrols, 1e-9), 1 - 1e-9),
    )


def _assigned(marked: Marked) -> int:
    return int(engine.collect(marked.arms.agg(customers=_.count()))["customers"].iloc[0])


def _messages(marked: Marked, plan: Plan, arm: str) -> float:
    """Messages per customer assigned to an arm, over those of control: one at most."""
    if not plan.cost_per_message:
        raise BadData(
            "The plan names no cost of a message (cost_per_message), so no money can be told."
        )
    sends = {each.name: float(each.message is not None) for each in plan.arms}
    found = dict(sends)
    if "sent" in marked.arms.columns:
        due = marked.arms.filter(_.due).group_by("arm")
        counted = engine.collect(due.agg(due=_.count(), sent=_.sent.cast("int64").sum()))
        found |= {
            str(row["arm"]): row["sent"] / row["due"]
            for row in counted.to_dict("records")
            if row["sent"]
        }
    # Where no message of an arm is known, its customers count as if each had been sent one.
    more = found[arm] * sends[arm] - found[plan.arms[0].name] * sends[plan.arms[0].name]
    if more <= 0:
        raise BadData(
            f"{arm} sends no more messages than {plan.arms[0].name}, so no cost can be set against "
            "what it earns."
        )
    return more


def _worth(shop: Snapshot, marked: Marked, plan: Plan) -> tuple[float, Interval | None, str]:
    """What one more customer is worth: by the plan, or by what those of control spent."""
    if plan.worth is not None:
        if plan.worth == 0:
            raise BadData("The plan says that one more customer is worth nothing (worth: 0).")
        return plan.worth, None, "The plan says what one more customer is worth."
    day, ask = plan.endpoint.day, "Name `worth` in the plan."
    by = {
        bool(row["gained"]): row
        for row in moments(
            shop, _control(marked, plan), "revenue_per_customer", days=day, by=["gained"]
        ).to_dict("records")
        if row["customers"]
    }
    fewest = min((by[side]["customers"] if side in by else 0) for side in (True, False))
    kept, lost = _WORDS[plan.endpoint.kind]
    if fewest < max(LEAST, 2):
        raise BadData(
            f"What one more customer is worth cannot be told: of control too few {kept} or too few "
            f"{lost} within {day} days to compare what they spent. {ask}"
        )
    spent = {side: mean(_sums(row)) for side, row in by.items()}
    if not any(each.std_error for each in spent.values()):
        raise BadData(
            "What one more customer is worth cannot be told: of customers of control all who "
            f"{kept} spent the same within {day} days, and all who {lost}, too. {ask}"
        )
    more = difference(spent[True], spent[False])
    scale = plan.margin / shop.minor_per_unit
    between = Interval(value=scale * more.value, low=scale * more.low, high=scale * more.high)
    if between.low <= 0:
        raise BadData(
            f"What one more customer is worth cannot be told: customers of control who {kept} did "
            f"not certainly spend more within {day} days than those who {lost}. {ask}"
        )
    return between.value, between, _SPENT.format(kept=kept, lost=lost, day=day)


_WORDS = {"retained": ("stayed", "left"), "returned": ("bought again", "did not buy again")}
_SPENT = (
    "What customers of control who {kept} spent within {day} days, less what those who {lost} "
    "spent, times the margin of the plan. They may have been better customers before, so one whom "
    "a message brings may be worth less."
)


def _control(marked: Marked, plan: Plan) -> ir.Table:
    """Customers of control of whom the endpoint says something, with whether each is a gain."""
    rows = marked.arms.filter((_.arm == plan.arms[0].name) & _.known)
    by_then = rows.event_observed & (rows.day <= plan.endpoint.day)
    gained = by_then if plan.endpoint.kind == "returned" else ~by_then
    return rows.mutate(gained=ibis.ifelse(gained, 1, 0))


def _sums(row: Mapping[Hashable, Any]) -> RatioMoments:
    named = {name: int(row[f"sum_{name}"]) for name in ("y", "x", "yy", "xy", "xx")}
    return RatioMoments(n=int(row["customers"]), **named)
