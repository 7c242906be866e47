"""What is claimed of who customers are and how they move: names, units and definitions.

What rests on fewer than `SMALL` customers, or would tell of as few, is not recorded; the sentences
of `wording` say so in its place.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Hashable, Mapping, Sequence
from typing import Any, TypedDict

import pandas as pd

from retention_lab.customers.standing import Standing
from retention_lab.customers.thresholds import Review
from retention_lab.inference.interval import Interval
from retention_lab.inference.proportions import proportion
from retention_lab.record.ledger import Ledger
from retention_lab.record.moves import hidden_flows, squared
from retention_lab.record.small import SMALL, Mask, covered, few, splits
from retention_lab.record.usual import compare
from retention_lab.tables.segment import Segment, first_fit, grid

SIZE, SHARE, REVENUE = "segments_size", "segments_share", "segments_revenue"


class _Span(TypedDict):
    about: str
    period: str


def named(claim: str, cohort: str) -> str:
    """Name the claim about a cohort: `SIZE`, `SHARE` or `REVENUE` of it."""
    return f"{claim}:{cohort}"


def best(rules: Sequence[Segment]) -> Segment | None:
    """Return the first rule that asks buyers for the highest value; None where none asks for it."""
    asking = [rule for rule in rules if rule.monetary[0] > 1 and rule.bought != "once"]
    return max(asking, key=lambda rule: rule.monetary[0], default=None)


def record(  # noqa: PLR0913  each is a small table of its own
    ledger: Ledger,
    standing: Standing,
    sizes: pd.DataFrame,
    flows: pd.DataFrame | None,
    *,
    moves: pd.DataFrame | None,
    usual: pd.DataFrame | None = None,
    review: Review | None = None,
) -> None:
    """Record who the customers are, what they brought, and who left the best cohort.

    Parameters
    ----------
    ledger, standing
        Into what, and of whom.
    sizes
        `customers.standing.sizes` of now, by cohort.
    flows, moves
        Of `customers.migration`, by cohort; None where there is no earlier day.
    usual
        The flows of as many days before; None where there are none.
    review
        Of the cut lines, where there was one.
    """
    if sizes["customers"].sum() < SMALL:
        return
    _who(ledger, standing, sizes)
    if flows is not None and moves is not None:
        _moved(ledger, standing, flows, moves)
        _beside_usual(ledger, standing, flows, usual)
    if review is not None and not splits(review.moving, review.customers):
        ledger.record(
            "segments_redrawn",
            review.moving,
            unit="count",
            n=review.customers,
            about=_day(standing.as_of),
            label="In another named segment if the cut lines were drawn anew",
            definition="Customers of today whose named segment is another under lines of today.",
        )


def _day(day: dt.date) -> str:
    return f"{day.day} {day:%B %Y}"


def hidden_sizes(sizes: pd.DataFrame) -> tuple[Mask, Mask]:
    """Say of each group whether to hide its size, and whether to hide what it brought.

    What a group brought within the days that are scored is that of its purchases: few of them are
    of a few customers.
    """
    hidden = covered(sizes["customers"])
    return hidden, covered(sizes["purchases_within"], hidden=hidden)


def _who(ledger: Ledger, standing: Standing, sizes: pd.DataFrame) -> None:
    n, about = int(sizes["customers"].sum()), _day(standing.as_of)
    ledger.record(
        "segments_customers",
        n,
        unit="count",
        n=n,
        about=about,
        label="Customers",
        definition="Everybody who has bought by the end of the day.",
    )
    bought = int(sizes["purchases_within"].sum())
    if not few(bought):
        ledger.record(
            "segments_purchases",
            bought,
            unit="count",
            about=about,
            label=f"Purchases in {standing.within} days",
            definition="Days on which a customer bought, over all customers.",
        )
    hidden, unseen = hidden_sizes(sizes)
    for row in sizes[~hidden].to_dict("records"):
        _size(ledger, standing, row, n=n)
    for row in sizes[~unseen].to_dict("records"):
        _revenue(ledger, standing, row)
    _once(ledger, standing, sizes[~hidden], n=n)


def _size(ledger: Ledger, standing: Standing, row: Mapping[Hashable, Any], *, n: int) -> None:
    name, about = row["group"], _day(standing.as_of)
    top = best(standing.rules.cohorts)
    ledger.record(
        named(SIZE, name),
        row["customers"],
        unit="count",
        n=n,
        about=about,
        label=f"{name}: customers",
        definition="Customers whom the playbook's rules put into the cohort.",
    )
    ledger.record(
        named(SHARE, name),
        Interval(value=row["share"], low=row["low"], high=row["high"]),
        unit="share",
        n=n,
        key=top is not None and name == top.name,
        about=about,
        label=f"{name}: share of customers",
        definition="Customers in the cohort, of everybody who has bought by the end of the day.",
    )


def _revenue(ledger: Ledger, standing: Standing, row: Mapping[Hashable, Any]) -> None:
    """Record a cohort's share of the revenue; none where returns make it no part of a whole."""
    share = row["revenue_share"]
    if pd.notna(share) and 0 <= share <= 1:
        ledger.record(
            named(REVENUE, row["group"]),
            share,
            unit="share",
            n=row["customers"],
            about=f"{standing.within} days to {_day(standing.as_of)}",
            label=f"{row['group']}: share of revenue",
            definition=f"Of the revenue of {standing.within} days, less what was sent back.",
        )


def _once(ledger: Ledger, standing: Standing, shown: pd.DataFrame, *, n: int) -> None:
    """Record who bought once, where cohorts tell them from the others and none of them is few."""
    rules = standing.rules.cohorts
    once, again = (
        {first_fit(rules, cell).name for cell in grid() if cell[3] == bought}
        for bought in ("once", "again")
    )
    if once & again or not once <= set(shown["group"]):
        return
    did = int(shown.loc[shown["group"].isin(once), "customers"].sum())
    if splits(did, n):
        return
    ledger.record(
        "segments_once",
        proportion(did, n),
        unit="share",
        n=n,
        about=_day(standing.as_of),
        label="Bought once",
        definition="Customers with purchases on a single day, of everybody who ever bought.",
    )


def _moved(ledger: Ledger, standing: Standing, flows: pd.DataFrame, moves: pd.DataFrame) -> None:
    """Record who changed cohort, and who left the best one, of those who had bought by then."""
    counts = squared(moves)
    n, moved = int(counts.sum()), int(counts.sum() - counts.trace())
    hidden, unlucky = hidden_flows(flows, moves)
    if not hidden[counts.any(axis=1)].any() and not splits(moved, n):
        ledger.record(
            "segments_moved",
            moved,
            unit="count",
            n=n,
            label=f"Changed cohort within {standing.days} days",
            definition="Customers in another cohort than on the earlier day, by the same lines.",
            **_span(standing),
        )
    top = best(standing.rules.cohorts)
    told = flows["group"].eq("" if top is None else top.name)
    for row in flows[told & ~hidden].to_dict("records"):
        _left(ledger, standing, row)
    for row in flows[told & ~unlucky].to_dict("records"):
        _by_luck(ledger, standing, row)


def _beside_usual(
    ledger: Ledger, standing: Standing, flows: pd.DataFrame, before: pd.DataFrame | None
) -> None:
    """Record whether more left the best cohort than in as many days before, if it may be told."""
    if before is None or "segments_by_chance" not in ledger:
        return
    top = best(standing.rules.cohorts)
    now, then = (
        frame[frame["group"].eq("" if top is None else top.name)].to_dict("records")
        for frame in (flows, before)
    )
    compare(ledger, standing, now[0], then[0])


def _span(standing: Standing) -> _Span:
    """Say from when to when customers moved."""
    first = standing.as_of - dt.timedelta(days=standing.days - 1)
    return {"about": _day(standing.as_of), "period": f"{first}/{standing.as_of}"}


def _left(ledger: Ledger, standing: Standing, row: Mapping[Hashable, Any]) -> None:
    """Record how many of those who were in the best cohort are in it no more."""
    name, n, span = row["group"], int(row["customers"]), _span(standing)
    definition = "Customers of the cohort on the earlier day who are in another one by now."
    ledger.record(
        "segments_left",
        row["left"],
        unit="count",
        n=n,
        label=f"{name}: slipped within {standing.days} days",
        definition=definition,
        **span,
    )
    ledger.record(
        "segments_slipped",
        Interval(value=row["share"], low=row["low"], high=row["high"]),
        unit="share",
        n=n,
        key=True,
        label=f"{name}: share who slipped within {standing.days} days",
        definition=definition,
        **span,
    )


def _by_luck(ledger: Ledger, standing: Standing, row: Mapping[Hashable, Any]) -> None:
    """Record who left and came of those who have long been customers, and what luck would do."""
    name, span = row["group"], _span(standing)
    known = "Of customers who first bought before the days that are scored on either day"
    either = int(row["left_long"] + row["came_long"])
    for claim, column, did in (
        ("segments_left_long", "left_long", "left"),
        ("segments_came_long", "came_long", "came into"),
    ):
        ledger.record(
            claim,
            row[column],
            unit="count",
            n=either,
            label=f"{name}: {did} it, of long-standing customers",
            definition=f"{known}: those who {did} the cohort between the two days.",
            **span,
        )
    by_chance, low, high = (round(row[part]) for part in ("by_chance", "chance_low", "chance_high"))
    ledger.record(
        "segments_by_chance",
        Interval(value=by_chance, low=low, high=high),
        unit="count",
        n=either,
        label=f"{name}: left it by luck alone, of long-standing customers",
        definition=f"{known}: half of those who left or came, with the range of a fair coin.",
        **span,
    )
