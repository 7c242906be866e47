"""The immortal-time check: a milestone may go with staying, or only with having stayed so far.

Who is compared by whether they *ever* reached a milestone had to stay long enough to reach it, so
the milestone looks good even where it does nothing. Two honest comparisons stand beside it: a
customer counts as having reached it from the moment of reaching on, and those who have reached it
by a fixed day are compared with those who have not, from that day on.

References
----------
Suissa (2008), American Journal of Epidemiology 167, 492-499: immortal time.
Anderson, Cain & Gelber (1983), Journal of Clinical Oncology 1, 710-719: the landmark method.
"""

from __future__ import annotations

from itertools import combinations

import ibis
import ibis.expr.types as ir
import pandas as pd
from ibis import _

from retention_lab import checks
from retention_lab.checks import BadData
from retention_lab.churn import episodes as stretches
from retention_lab.churn.design import SMALLEST
from retention_lab.churn.endpoints import Endpoint
from retention_lab.survival import cox
from retention_lab.tables.engine import collect, keep
from retention_lab.tables.playbook import Milestone
from retention_lab.tables.snapshot import Snapshot

NAIVE = "ever reached"
TIMED = "from when reached"
LANDMARK = "reached by day {day}"


def side_by_side(
    shop: Snapshot, endpoint: Endpoint, factor: Milestone, *, day: int
) -> pd.DataFrame:
    """Hazard ratio of having reached a milestone, told in three ways.

    Of every customer the first spell counts, from time zero on.

    Parameters
    ----------
    day
        The fixed day after time zero of the third comparison; only those still there count in it.

    Returns
    -------
    DataFrame
        Three rows: `method` ("ever reached", which is biased; "from when reached"; "reached by day
        ..."), `hazard_ratio`, `low`, `high`, `customers` (compared), `events` (of theirs).

    Raises
    ------
    BadParameter
        If `day` is negative.
    BadData
        If fewer than 10 customers are on one side of a comparison, or one side has no event.
    """
    checks.at_least("day", day, 0)
    episodes = stretches.episodes(shop, endpoint, [factor])
    first = keep(_first_spells(episodes, factor), where=factor.label)
    ever, later = _ever(first), _by_day(first, day)
    # Whoever reached it has two episodes, so customers are counted elsewhere.
    timed = (TIMED, _counted(first), ever)
    told = [(NAIVE, ever, ever), timed, (LANDMARK.format(day=day), later, later)]
    return pd.DataFrame([_ratio(*each, factor) for each in told])


def disagree(frame: pd.DataFrame) -> bool:
    """Say whether two of the estimates lie each outside the other's interval."""
    three = frame[["low", "hazard_ratio", "high"]].to_numpy()
    return any(
        not (a[0] <= b[1] <= a[2] or b[0] <= a[1] <= b[2]) for a, b in combinations(three, 2)
    )


def _first_spells(episodes: ir.Table, factor: Milestone) -> ir.Table:
    first = episodes.filter(_.spell == 1)
    return first.mutate(reached=first[factor.name] == factor.states[1])


def _ever(first: ir.Table) -> pd.DataFrame:
    whole = first.group_by("customer_id").agg(
        stop=_.stop.max(), event_observed=_.event_observed.any(), reached=_.reached.any()
    )
    return _counted(whole)


def _by_day(first: ir.Table, day: int) -> pd.DataFrame:
    """Those still there after `day`, by what they had reached by its end."""
    by_then = first.reached & (first.start <= day)
    whole = first.group_by("customer_id").agg(
        stop=_.stop.max(), event_observed=_.event_observed.any(), reached=by_then.any()
    )
    return _counted(whole.filter(_.stop > day).mutate(start=ibis.literal(day, "int64")))


def _counted(rows: ir.Table) -> pd.DataFrame:
    """Collapse to distinct times, with how many of each."""
    named = [
        name for name in ("start", "stop", "event_observed", "reached") if name in rows.columns
    ]
    return collect(rows.group_by(named).agg(weight=_.count()), max_rows=stretches.ROWS)


def _ratio(
    method: str, rows: pd.DataFrame, customers: pd.DataFrame, factor: Milestone
) -> dict[str, object]:
    _refuse_few(method, rows, factor)
    fitted = cox.fit(
        rows[["reached"]],
        start=rows.get("start"),
        stop=rows["stop"],
        event_observed=rows["event_observed"],
        weights=rows["weight"],
    )
    ratio = fitted.summary().iloc[0]
    return {
        "method": method,
        **{name: float(ratio[name]) for name in ("hazard_ratio", "low", "high")},
        "customers": int(customers["weight"].sum()),
        "events": fitted.events,
    }


def _refuse_few(method: str, rows: pd.DataFrame, factor: Milestone) -> None:
    """Refuse a comparison with a side of a few, or without an event on one of them."""
    for reached, words in ((True, "have"), (False, "have not")):
        side = rows[rows["reached"] == reached]
        customers = int(side["weight"].sum())
        events = int((side["weight"] * side["event_observed"]).sum())
        if customers < SMALLEST or not events:
            raise BadData(
                f"{factor.label}, {method}: of the {customers} customers who {words} reached it, "
                f"{events} had the event. At least {SMALLEST} and 1 are needed on each side: "
                "choose another day or milestone, or wait."
            )
