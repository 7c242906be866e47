"""Lists of customers who moved: who bought more often of late, and who slipped from the best."""

from __future__ import annotations

from pathlib import Path

import ibis
import ibis.expr.types as ir
import pandas as pd
import pyarrow as pa
from ibis import _

from retention_lab.checks import BadData, BadParameter
from retention_lab.churn import crm
from retention_lab.churn.listing import Kind, Listed, Run, consenting
from retention_lab.customers import rising as interest
from retention_lab.customers.standing import Standing, standing
from retention_lab.customers.summary import PATTERNS
from retention_lab.state import State
from retention_lab.tables import engine
from retention_lab.tables.parsing import NO_CURRENCY, minor_digits
from retention_lab.tables.playbook import Playbook
from retention_lab.tables.segment import Segments
from retention_lab.tables.snapshot import Snapshot

RISING = Kind(
    name="rising",
    columns={"bought": pa.int64(), "expected": pa.float64(), "why": pa.string()},  # days
    first="p_value",
    logged={"why": "why"},
)
SLIPPED = Kind(
    name="slipped",
    columns={"revenue": pa.float64(), "why": pa.string()},  # in whole units of the currency
    first="behind",
    logged={"why": "why"},
)


def rising(shop: Snapshot, playbook: Playbook, *, state: State, out: Path) -> Listed:
    """List who bought more often of late than their history lets expect, the clearest first.

    Parameters are those of `churn.scoring.write`; the `rising` of the playbook says of which days,
    and which share of false alerts is allowed.

    Raises
    ------
    BadParameter
        As `churn.scoring.write` does.
    BadData
        If there are no consents or orders, no history to judge by, or nobody who can be listed.
    """
    crm.check(out)
    willing = consenting(shop, playbook.score.channel)
    within, share = playbook.rising.within, playbook.rising.false_alerts
    found = interest.rising(shop.orders, as_of=shop.as_of, within=within, false_alerts=share)
    if not found.alerts:
        raise BadData(found.why or _none(shop, found))
    alerts = found.patterns[found.patterns["alert"]]
    patterns = alerts.assign(
        bought=alerts["recent"],
        why=[
            f"bought on {_days(recent)} of the last {within}, where about "
            f"{max(expected, 0.1):.1f} were expected"
            for recent, expected in zip(alerts["recent"], alerts["expected"], strict=True)
        ],
        expected=alerts["expected"].round(1),
    )
    keys = [*interest.KEYS]
    everybody = interest.people(shop.orders, as_of=shop.as_of, within=within)
    people = everybody.semi_join(ibis.memtable(patterns[keys]), keys)
    run = Run(shop=shop, playbook=playbook, state=state, out=out, kind=RISING)
    return run.listed(people.semi_join(willing, "customer_id"), patterns)


def slipped(
    shop: Snapshot,
    playbook: Playbook,
    *,
    state: State,
    out: Path,
    thresholds: Path | None = None,
    days: int = 90,
) -> Listed:
    """List who left the best repeat buyers within the last days, the highest revenue first.

    Parameters are those of `churn.scoring.write`, and `thresholds` and `days` those of
    `customers.standing.standing`.

    Raises
    ------
    BadParameter
        As both do, or if no cohort of the playbook is about repeat buyers.
    BadData
        If there are no consents or orders, nobody had bought by the earlier day, or nobody can be
        listed.
    """
    crm.check(out)
    willing = consenting(shop, playbook.score.channel)
    best = _best(playbook.segments)
    both = standing(shop, playbook.segments, thresholds=thresholds, days=days)
    left = _left(both, best)
    keys = [name for name in left.columns if name != "customer_id"]
    patterns = engine.collect(left.group_by(keys).agg(weight=_.count()), max_rows=PATTERNS)
    if patterns.empty:
        raise BadData(
            f"Nobody left {best} in the {days} days to {shop.as_of}, so there is no list."
        )
    said = patterns.assign(
        revenue=patterns["revenue_within"] / shop.minor_per_unit,
        behind=-patterns["revenue_within"],
        why=_moved(patterns, both, best),
    )
    run = Run(shop=shop, playbook=playbook, state=state, out=out, kind=SLIPPED)
    return run.listed(left.semi_join(willing, "customer_id"), said, beside=_lines(both))


def _none(shop: Snapshot, found: interest.Rising) -> str:
    return (
        f"None of the {found.tested:,} customers of {shop.name} who can be judged bought clearly "
        f"more often in the {found.within} days to {shop.as_of} than before, so there is no list."
    )


def _days(number: int) -> str:
    return f"{number} day{'' if number == 1 else 's'}"


def _best(rules: Segments) -> str:
    """Name the first cohort that is about repeat buyers."""
    found = next((rule.name for rule in rules.cohorts if rule.bought != "once"), None)
    if found is None:
        raise BadParameter(
            "The playbook has no cohort of repeat buyers, so nobody can slip from it. Put one "
            "under segments.cohorts without `bought: once`."
        )
    return found


def _left(both: Standing, best: str) -> ir.Table:
    """Who was among the best and is no longer: what they did before, and where they stand now."""
    if both.before is None:
        raise BadData(
            f"Nobody had bought {both.days} days before {both.as_of}, so nobody can have slipped."
        )
    was = both.before.filter(_.cohort == best)
    now = both.now.filter(_.cohort != best).select("customer_id", "cohort", "last_days")
    before = was.select("customer_id", "revenue_within", "purchases_within")
    return before.inner_join(now, "customer_id").select(*before.columns, "cohort", "last_days")


def _moved(patterns: pd.DataFrame, both: Standing, best: str) -> list[str]:
    digits = minor_digits(both.currency)
    unit = "" if both.currency == NO_CURRENCY else f" {both.currency}"
    return [
        f"{best} on {both.then}, after buying on {_days(row['purchases_within'])} for "
        f"{row['revenue_within'] / 10**digits:,.{digits}f}{unit} in {both.within} days; now "
        f"{row['cohort']}, last bought {_days(row['last_days'])} ago"
        for row in patterns.to_dict("records")
    ]


def _lines(both: Standing) -> list[str]:
    lines = both.thresholds
    if both.frozen:
        return [f"The lines between groups were frozen on {lines.as_of}, by {lines.owner}."]
    return [
        f"The lines between groups are drawn of the customers of {lines.as_of}; to freeze them, "
        "name a file by --thresholds."
    ]
