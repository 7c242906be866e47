"""What a shop's own history tells of a test that is planned: pace of entry, baseline, delivery.

All is as of the shop's day. What history cannot tell is None, with a sentence that says why.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import ibis
import ibis.expr.types as ir
import pandas as pd
from ibis import _

from retention_lab.checks import BadData, Refusal
from retention_lab.churn.endpoints import end_of
from retention_lab.customers.purchases import elapsed_days_between
from retention_lab.experiments import arriving, following, milestones
from retention_lab.experiments.plan import Plan
from retention_lab.experiments.terms import Endpoint
from retention_lab.inference.interval import Interval
from retention_lab.inference.moments import RatioMoments, ratio
from retention_lab.inference.pace import pace
from retention_lab.inference.proportions import proportion
from retention_lab.survival.daygrid import kaplan_meier, survival_at
from retention_lab.tables import clocks, completeness, engine, population, saved
from retention_lab.tables.snapshot import Snapshot

WEEKS = 52  # that are shown
PACE_WEEKS = 12  # of which the pace is the mean: a season
LEAST_WEEKS = 4  # of which the scatter tells anything
LEAST = 10  # customers behind a share
YEAR = 365  # days of messages; of milestones at least
DELIVERY = 7  # days in which a message may yet arrive: servers try for five (RFC 5321, 4.5.4.1)
_DAY = dt.timedelta(days=1)
_NO_WEEKS = pd.DataFrame({"week": [], "reached": [], "eligible": []}).astype(
    {"week": "datetime64[ns]", "reached": "int64", "eligible": "int64"}
)
_Found = TypeVar("_Found")


@dataclass(frozen=True, kw_only=True, eq=False)
class History:
    """What is known of those who came to the milestone of a plan.

    Parameters
    ----------
    as_of
        The last day that is known.
    channel, milestone
        In words: "email and sms", "60 days of silence".
    endpoint, coverage
        The plan's.
    weeks
        Up to 52 whole weeks, those of nobody included, from the first that began after anybody
        had reached the milestone: `week` (its Monday), `reached` and `eligible` (customers whom
        the plan is for, who consent as of today to its channels, and of whom the endpoint says
        something; missing where that cannot be asked). Other tests, the holdout and days of rest
        are not taken off.
    why
        A sentence for each of entry, baseline and delivered that is None.
    delivered, written_to
        Share of the messages by the plan's channels that were delivered, of those sent in the last
        365 days but the last 7, in which some may yet be; and to how many customers they went.
    entry
        Eligible customers a day, times the coverage, over the last 12 whole weeks, or those that
        there are, if 4 or more; its range is that of `inference.pace.pace`.
    curve
        As `survival.daygrid.kaplan_meier` gives it: without the event, of those whom the plan is
        for and who reached the milestone in the last 365 days, or twice the endpoint's day if that
        is longer. They need not consent: who leaves withdraws consent, so those who still give it
        are no picture of all.
    customers, followed, left_out
        Behind the curve; of them, with time zero at least as many days ago as the endpoint's; and
        beside it, as the endpoint says nothing of them.
    since
        Customers behind the curve by whole days since time zero: `ago`, `customers`, `left_out`.
    looks_ahead
        The plan chooses customers by what they may do after the milestone, so the curve is of
        everybody there, and the pace is that of those who are chosen by now.
    baseline
        Share retained, or returned, at the endpoint's day.
    """

    as_of: dt.date
    channel: str
    milestone: str
    endpoint: Endpoint
    coverage: float
    weeks: pd.DataFrame
    why: Mapping[str, str]
    delivered: Interval | None = None
    written_to: int = 0
    entry: Interval | None = None
    curve: pd.DataFrame | None = None
    customers: int = 0
    followed: int = 0
    left_out: int = 0
    since: pd.DataFrame | None = None
    looks_ahead: bool = False
    baseline: Interval | None = None

    @property
    def span(self) -> int:
        """Days back that the curve looks."""
        return _span(self.endpoint)


def history(shop: Snapshot, plan: Plan) -> History:
    """Read what a shop's history tells of a plan; what it cannot tell is None, with the reason."""
    why: dict[str, str] = {}
    bare = History(
        as_of=shop.as_of,
        channel=" and ".join(plan.channels),
        milestone=milestones.named(plan.milestone),
        endpoint=plan.endpoint,
        coverage=plan.coverage,
        weeks=_NO_WEEKS,
        why=why,
        **(_asked(why, "delivered", lambda: _delivered(shop, plan)) or {}),
    )
    reached = _asked(why, "entry", lambda: _reached(shop, plan))
    if reached is None:
        why["baseline"] = why["entry"]
        return bare
    lately = reached.filter(
        _.reached_on > shop.as_of - max(_span(plan.endpoint), 7 * WEEKS + 7) * _DAY
    )
    timed = _asked(why, "baseline", lambda: _timed(shop, plan, lately))
    known = (lately.mutate(known=True) if timed is None else timed).mutate(eligible=0)
    meant = _asked(why, "entry", lambda: _eligible(shop, plan, known))
    weeks = _weeks(known if meant is None else meant, reached, to=_complete_to(shop, plan))
    if meant is None:
        weeks = weeks.assign(eligible=pd.array([pd.NA] * len(weeks), dtype="Int64"))
    found = replace(bare, weeks=weeks, entry=_asked(why, "entry", lambda: _entry(weeks, plan)))
    behind = None if timed is None else _asked(why, "baseline", lambda: _curve(shop, plan, timed))
    if behind is None:
        return found
    return at(replace(found, **behind), plan.endpoint)


def at(found: History, endpoint: Endpoint) -> History:
    """Read the same history for another day of the endpoint.

    It is that of a plan with this endpoint if its `span` is the same.
    """
    if found.since is None:
        return replace(found, endpoint=endpoint)
    why = {name: reason for name, reason in found.why.items() if name != "baseline"}
    followed = int(found.since.loc[found.since["ago"] >= endpoint.day, "customers"].sum())
    found = replace(found, endpoint=endpoint, followed=followed, why=why)
    return replace(found, baseline=_asked(why, "baseline", lambda: _baseline(found)))


def _asked(why: dict[str, str], name: str, ask: Callable[[], _Found]) -> _Found | None:
    """Return an answer; or None with its reason, the first that there is."""
    if name in why:
        return None
    try:
        return ask()
    except Refusal as error:
        why[name] = str(error)
        return None


def _span(endpoint: Endpoint) -> int:
    return max(YEAR, 2 * endpoint.day)


def _reached(shop: Snapshot, plan: Plan) -> ir.Table:
    return engine.keep(milestones.first_reached(shop, plan.milestone), where="the milestone")


def _timed(shop: Snapshot, plan: Plan, people: ir.Table) -> ir.Table:
    rows = following.followed(shop, people, endpoint=plan.endpoint)
    return engine.keep(rows, where="the endpoint")


def _eligible(shop: Snapshot, plan: Plan, known: ir.Table) -> ir.Table:
    rows = arriving.eligible(known, shop, plan)
    may = rows.meant & rows.consents & rows.known
    return engine.keep(rows.mutate(eligible=may.cast("int64")), where="the population")


def _complete_to(shop: Snapshot, plan: Plan) -> dt.date:
    """Find the last day of which milestones are known: events may come later than orders do.

    What comes in late for days that look complete cannot be told from nobody's coming.
    """
    if shop.where or not isinstance(plan.milestone, str):  # rows of some tell nothing of a table
        return shop.as_of
    counts = engine.collect(shop.events.group_by("occurred_on").agg(rows=_.count()))
    days = dict(zip(counts["occurred_on"].dt.date, counts["rows"], strict=True))
    found = completeness.judged("events", days, as_of=shop.as_of)
    if found.last is None or found.state == "complete":
        return shop.as_of
    return found.last - (found.state == "thin") * _DAY


def _weeks(rows: ir.Table, reached: ir.Table, *, to: dt.date) -> pd.DataFrame:
    """Count by whole weeks, from Monday to Sunday."""
    first = engine.collect(reached.agg(day=_.reached_on.min()))["day"].iloc[0]
    if pd.isna(first):
        return _NO_WEEKS
    end = pd.Timestamp(to - (to.weekday() + 1) % 7 * _DAY)  # a Sunday
    begin = max(first + -first.weekday() % 7 * _DAY, end - (7 * WEEKS - 1) * _DAY)
    by_day = rows.group_by("reached_on").agg(reached=_.count(), eligible=_.eligible.sum())
    days = engine.collect(by_day)
    week = days.pop("reached_on")
    week -= pd.to_timedelta(week.dt.weekday, unit="D")
    mondays = pd.date_range(begin, end, freq="7D", name="week")
    return days.groupby(week).sum().reindex(mondays, fill_value=0).reset_index()


def _entry(weeks: pd.DataFrame, plan: Plan) -> Interval:
    last, what = weeks["eligible"].tail(PACE_WEEKS), milestones.named(plan.milestone)
    if len(last) < LEAST_WEEKS:
        raise BadData(
            f"A pace of entry takes {LEAST_WEEKS} whole weeks since the first customer reached "
            f"{what}, and there are {len(last)}: wait, or say assumptions.entry_per_day."
        )
    if not last.sum():
        raise BadData(
            f"In the last {len(last)} whole weeks nobody reached {what} who could be enrolled: "
            "choose another milestone, or say assumptions.entry_per_day."
        )
    each, share = pace(last.tolist()), plan.coverage
    return Interval(value=share * each.value, low=share * each.low, high=share * each.high)


def _curve(shop: Snapshot, plan: Plan, timed: ir.Table) -> dict[str, Any]:
    """Follow those of late whom the plan is for: the curve, and how many it is of."""
    where = f"cohort('{plan.where}')" if plan.where in saved.names() else plan.where
    ahead = population.looks_ahead(where)
    rows = timed.filter(_.reached_on > shop.as_of - _span(plan.endpoint) * _DAY)
    if where.strip() and not ahead:
        rows = rows.semi_join(population.chosen(shop, where), "customer_id")
    each = rows.group_by(ago=elapsed_days_between(rows.reached_at, end_of(shop)))
    counts = each.agg(customers=_.known.sum(), left_out=(~_.known).sum())
    since = engine.collect(counts.order_by("ago"))
    found = {name: int(since[name].sum()) for name in ("customers", "left_out")}
    curve = kaplan_meier(following.grid(rows)) if found["customers"] else None
    return {**found, "since": since, "curve": curve, "looks_ahead": ahead}


def _whole(counts: ir.Table) -> dict[str, int]:
    """Fetch one row of counts; sums over nobody are none."""
    row = engine.collect(counts).iloc[0]
    return {str(name): 0 if pd.isna(n) else int(n) for name, n in row.items()}


def _baseline(found: History) -> Interval:
    day, kind = found.endpoint.day, found.endpoint.kind
    if found.curve is None or found.followed < LEAST:
        who = " and had a subscription then" if kind == "retained" else ""
        raise BadData(
            f"Of those who reached {found.milestone}{who}, fewer than {LEAST} could be followed to "
            f"day {day}: wait, or say assumptions.baseline."
        )
    at = survival_at(found.curve, [day]).iloc[0].astype("float64")
    share = Interval(value=float(at["survival"]), low=float(at["low"]), high=float(at["high"]))
    if kind == "retained":
        return share
    return Interval(value=1 - share.value, low=1 - share.high, high=1 - share.low)


def _delivered(shop: Snapshot, plan: Plan) -> dict[str, Any]:
    """Messages delivered over messages sent, by customer, as those of one share their fate."""
    end, channels = clocks.end_of_day(shop.as_of, shop.zone), " and ".join(plan.channels)
    sent = shop.messages.filter(
        _.channel.isin(plan.channels),
        _.sent_at >= ibis.timestamp((end - YEAR * _DAY).isoformat()),
        _.sent_at < ibis.timestamp((end - DELIVERY * _DAY).isoformat()),
    )
    each = sent.group_by("customer_id").agg(x=_.count(), y=_.delivered_at.count())
    products = {"xx": each.x * each.x, "yy": each.y * each.y, "xy": each.x * each.y}
    sums = {name: term.sum() for name, term in {"x": each.x, "y": each.y, **products}.items()}
    found = _whole(each.agg(n=each.count(), **sums))
    if found["n"] < LEAST:
        raise BadData(
            f"Fewer than {LEAST} customers were sent anything by {channels} in the last {YEAR} "
            "days, so history does not tell what is delivered: say assumptions.contact_rate."
        )
    if not found["y"]:
        raise BadData(
            f"No delivery by {channels} is known in the last {YEAR} days: map delivered_at of the "
            "table messages, or say assumptions.contact_rate."
        )
    share = ratio(RatioMoments(**found))
    bounded = Interval(value=share.value, low=max(0.0, share.low), high=min(1.0, share.high))
    if found["y"] == found["x"]:  # no scatter tells how many may fail
        bounded = proportion(found["n"], found["n"])
    return {"delivered": bounded, "written_to": found["n"]}
