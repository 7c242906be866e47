"""Spells cut wherever a factor changes, so that nobody counts as having what came only later."""

from __future__ import annotations

from collections.abc import Sequence

import ibis
import ibis.expr.types as ir
import pandas as pd
from ibis import _

from retention_lab.checks import BadParameter
from retention_lab.churn import endpoints
from retention_lab.churn.endpoints import Endpoint
from retention_lab.churn.factors import described, spans, worded
from retention_lab.customers.purchases import elapsed_days_between
from retention_lab.tables.engine import collect, keep
from retention_lab.tables.playbook import Attribute, Factor, Milestone, Purchases, Support
from retention_lab.tables.snapshot import Snapshot

ROWS = 4_000_000  # of collapsed episodes that may leave the engine: some 500 MB
MOST_STATES = 64  # of a factor
_ONE = ["customer_id", "spell"]


def episodes(shop: Snapshot, endpoint: Endpoint, factors: Sequence[Factor]) -> ir.Table:
    """Cut spells into episodes in which no factor changes.

    What comes at time m counts from day ``floor(m) + 1`` on: an event of that very day still counts
    as before it. What was there when the spell began counts from day 0.

    Returns
    -------
    Table
        `customer_id`, `spell`, `start`, `stop` (days: at risk on the days after `start`, up to and
        with `stop`; who was censored on day 0 has one of no length), `event_observed` (on `stop`),
        `cause`, and a text column for each factor.

    Raises
    ------
    BadParameter
        If a factor is about days since something, for here time itself is the clock.
    BadData
        If the shop lacks a table or an attribute.
    """
    every = _kept(described(endpoints.spells(shop, endpoint), shop, factors))
    moved = _moved(factors)
    begun = _begun(every, shop, moved)
    fixed = [factor.name for factor in factors if isinstance(factor, Attribute)]
    whole = every.select(*_ONE, "day", "event_observed", "cause", *fixed)
    pieces = begun.inner_join(whole, _ONE)
    last = pieces["_next"].isnull()  # noqa: PD003  an Ibis column
    cut = pieces.mutate(
        stop=pieces["_next"].fill_null(pieces.day),
        event_observed=pieces.event_observed & last,
        cause=last.ifelse(pieces.cause, ibis.null("string")),
        **{one.name: pieces[one.name].fill_null(0) % MOST_STATES for one in moved},
    )
    names = [factor.name for factor in factors]
    bare = cut.select(*_ONE, "start", "stop", "event_observed", "cause", *names)
    return worded(bare, factors)


def collapsed(episodes: ir.Table, factors: Sequence[Factor]) -> pd.DataFrame:
    """Count equal episodes: a model of `weight` equal rows is a model of the rows.

    Returns
    -------
    DataFrame
        The columns of `episodes` without the customer and the spell, sorted, and `weight`.

    Raises
    ------
    BadData
        If there are more than `ROWS` different ones.
    """
    by = ["start", "stop", "event_observed", "cause", *(factor.name for factor in factors)]
    frame = collect(episodes.group_by(by).agg(weight=_.count()), max_rows=ROWS)
    return frame.sort_values(by, ignore_index=True)


def reached(shop: Snapshot, endpoint: Endpoint, factor: Milestone) -> ir.Table:
    """Day from which each spell counts as having reached a milestone, whether followed that long.

    Returns
    -------
    Table
        `customer_id`, `spell`, `day` (0 where it was there when the spell began), for those whose
        milestone came before the spell was over.
    """
    return _stamped(endpoints.spells(shop, endpoint), shop, factor).select(*_ONE, day=_.start)


def _moved(factors: Sequence[Factor]) -> list[Milestone | Support | Purchases]:
    found: list[Milestone | Support | Purchases] = []
    for factor in factors:
        if isinstance(factor, Milestone | Support | Purchases):
            found.append(factor)
        elif not isinstance(factor, Attribute):
            raise BadParameter(
                f"The factor {factor.name!r} counts days, which is what the clock of an episode "
                "does: leave it to landmarks."
            )
    return found


def _begun(
    every: ir.Table, shop: Snapshot, moved: Sequence[Milestone | Support | Purchases]
) -> ir.Table:
    """One row per spell and day on which anything changes, with the latest stamp of each factor."""
    names = [factor.name for factor in moved]
    cuts = every.select(*_ONE, start=ibis.literal(0, "int64")).mutate(
        **{name: ibis.null("int64") for name in names}
    )
    for factor in moved:
        stamps = _kept(_stamped(every, shop, factor)).rename({factor.name: "stamp"})
        rest = {name: ibis.null("int64") for name in names if name != factor.name}
        cuts = cuts.union(stamps.mutate(**rest).select(cuts.columns))
    days = _kept(cuts.group_by(*_ONE, "start").agg(**{name: cuts[name].max() for name in names}))
    # A stamp rises with time, so the greatest so far is the latest: no ordered last() is needed.
    so_far = ibis.cumulative_window(group_by=_ONE, order_by="start")
    return days.mutate(
        _next=days.start.lead().over(group_by=_ONE, order_by=days.start),
        **{name: days[name].max().over(so_far) for name in names},
    )


def _kept(rows: ir.Table) -> ir.Table:
    """Compute a step now: in one query, a million customers do not fit into 1 GB."""
    return keep(rows, where="episodes")


def _stamped(every: ir.Table, shop: Snapshot, factor: Milestone | Support | Purchases) -> ir.Table:
    """Days of a spell from which on a factor is in a state: `stamp` is its second and the state."""
    known = spans(shop, factor).rename(_whose="customer_id")
    joined = every.inner_join(
        known, [every.customer_id == known["_whose"], known.to_at > every.zero_at]
    )
    there = joined.from_at <= joined.zero_at
    later = elapsed_days_between(joined.zero_at, joined.from_at) + 1
    start = there.ifelse(0, later).cast("int64")
    seconds = joined.from_at.truncate("s").epoch_seconds()
    stamped = joined.select(
        *_ONE, "day", start=start, stamp=(seconds * MOST_STATES + joined.state).cast("int64")
    )
    return stamped.filter((_.start == 0) | (_.start < _.day)).drop("day")
