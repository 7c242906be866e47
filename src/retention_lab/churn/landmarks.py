"""Who was there at the end of a day, what was known of them then, and what came after."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import ibis
import ibis.expr.types as ir
import pandas as pd
import pyarrow as pa
from ibis import _

from retention_lab import checks
from retention_lab.checks import BadData, BadParameter
from retention_lab.churn import endpoints
from retention_lab.churn.endpoints import Endpoint
from retention_lab.churn.factors import described, spans, steps, worded
from retention_lab.customers.purchases import calendar_days_between
from retention_lab.tables import clocks
from retention_lab.tables.engine import collect
from retention_lab.tables.playbook import (
    Attribute,
    Factor,
    Milestone,
    Purchases,
    Recency,
    Support,
    Tenure,
)
from retention_lab.tables.snapshot import Snapshot

ROWS = 4_000_000  # of collapsed landmarks that may leave the engine: some 600 MB
EVERY = 30
MOST = 60  # landmarks: five years of months, as older ones tell little of today


def landmarks(
    shop: Snapshot,
    endpoint: Endpoint,
    factors: Sequence[Factor],
    *,
    days: Sequence[dt.date],
    horizon: int,
) -> pd.DataFrame:
    """Look at several days: who had a spell open when each was over, and what came of it.

    Outcomes are counted in local days, as an as-of date is one: day 1 is the day after the
    landmark, and a change of the clock moves no window.

    Returns
    -------
    DataFrame
        Equal rows are counted, sorted by all columns: `landmark`, a text column for each factor as
        it was known when that day was over, `day` (the event's, or the last one seen, at most
        `horizon`; 0 where the landmark is the as-of date), `event_observed`, `weight`.

    Raises
    ------
    BadParameter
        If the horizon does not fit the endpoint, or a landmark is later than the as-of date.
    BadData
        If there are no days, the shop lacks a table or an attribute, or there are more than `ROWS`
        rows.
    """
    endpoint.fits(horizon)
    _check(days, shop, horizon)
    rows = _known(shop, endpoint, factors, days)
    clock = clocks.Clock(
        zone=shop.zone,
        first=clocks.end_of_day(min(days), shop.zone),
        last=clocks.end_of_day(shop.as_of, shop.zone),
    )
    ahead = calendar_days_between(rows.landmark, clock.local_date(rows.until_at))
    seen = ahead - (~rows.event_observed).cast("int64")  # the censored end with the day before
    timed = rows.mutate(
        day=ibis.least(seen, horizon).cast("int64"),
        event_observed=rows.event_observed & (ahead <= horizon),
    )
    by = ["landmark", *(factor.name for factor in factors), "day", "event_observed"]
    counts = timed.group_by(by).agg(weight=_.count())
    return collect(worded(counts, factors), max_rows=ROWS).sort_values(by, ignore_index=True)


def people(shop: Snapshot, endpoint: Endpoint, factors: Sequence[Factor]) -> ir.Table:
    """Everybody with a spell open at the as-of date: `customer_id` and a column for each factor.

    Of several open subscriptions the one that began last speaks for its customer.
    """
    rows = _known(shop, endpoint, factors, [shop.as_of])
    newest = rows.mutate(newest=rows.spell.max().over(group_by="customer_id"))
    one = newest.filter(_.spell == _.newest)
    return worded(one.select("customer_id", *(factor.name for factor in factors)), factors)


def people_collapsed(shop: Snapshot, endpoint: Endpoint, factors: Sequence[Factor]) -> pd.DataFrame:
    """Count the `people` of equal factors: their columns, sorted, and `weight`."""
    by = [factor.name for factor in factors]
    counts = people(shop, endpoint, factors).aggregate(by=by, weight=_.count())
    frame = collect(counts, max_rows=ROWS)
    return frame.sort_values(by, ignore_index=True) if by else frame


def dates(shop: Snapshot, *, horizon: int, every: int = EVERY) -> list[dt.date]:
    """Days to look at, rising: their whole horizon has passed, and something came before them.

    They lie `every` days apart, or fewer so that the horizon is a multiple: then the day one
    horizon before each is among them, too.
    """
    checks.at_least("horizon", horizon, 1)
    apart = next((d for d in range(every, every // 2, -1) if horizon % d == 0), horizon)
    history = (shop.as_of - shop.records_from).days - horizon
    back = range(0, history, apart)[:MOST]
    return [shop.as_of - dt.timedelta(days=horizon + ago) for ago in reversed(back)]


def _check(days: Sequence[dt.date], shop: Snapshot, horizon: int) -> None:
    if not days:
        raise BadData(
            f"There is no landmark: the records begin on {shop.records_from}, which is not more "
            f"than {horizon} days before {shop.as_of}. Wait, or choose a shorter horizon."
        )
    if max(days) > shop.as_of:
        raise BadParameter(
            f"landmarks must be days up to {shop.as_of}, the last one known, got {max(days)}."
        )


def _known(
    shop: Snapshot, endpoint: Endpoint, factors: Sequence[Factor], days: Sequence[dt.date]
) -> ir.Table:
    """Spells that were open when each day was over, with the factors as they were known then."""
    every = described(endpoints.spells(shop, endpoint), shop, factors)
    # Who buys again and again is a customer since the first purchase.
    first = every.zero_at.min().over(group_by="customer_id")
    rows = every.mutate(since_at=first if endpoint.kind == "returned" else every.zero_at)
    fixed = {one.name: rows[one.name] for one in factors if isinstance(one, Attribute)}
    spell = ["customer_id", "spell", "zero_at", "since_at", "until_at", "event_observed"]
    # Underscored, as a factor may have any name that the result leaves free.
    rows = rows.select(*spell, **{f"_{name}": value for name, value in fixed.items()})
    moments = _moments(shop, days)
    rows = rows.inner_join(
        moments, [rows.zero_at <= moments.known_at, rows.until_at > moments.known_at]
    )
    for factor in factors:
        if not isinstance(factor, Attribute):
            rows = _with_state(rows, shop, factor)
    return rows.select(
        *("landmark", "customer_id", "spell", "until_at", "event_observed"),
        **{factor.name: rows[f"_{factor.name}"] for factor in factors},
    )


def _moments(shop: Snapshot, days: Sequence[dt.date]) -> ir.Table:
    """The landmarks, and the last second of each: what began later was not known."""
    chosen = sorted(set(days))
    second = dt.timedelta(seconds=1)
    last = [clocks.end_of_day(day, shop.zone) - second for day in chosen]
    return ibis.memtable(
        pa.table(
            {
                "landmark": pa.array(chosen, pa.date32()),
                "known_at": pa.array(last, pa.timestamp("us")),
            }
        )
    )


def _with_state(
    rows: ir.Table, shop: Snapshot, factor: Milestone | Support | Purchases | Recency | Tenure
) -> ir.Table:
    """Add the state of a factor, under its name after an underscore."""
    name = f"_{factor.name}"
    if isinstance(factor, Tenure):
        return rows.mutate(**{name: _passed(rows.since_at, rows.known_at, factor)})
    span = spans(shop, factor).rename(_whose="customer_id")
    joined = rows.left_join(
        span,
        [
            rows.customer_id == span["_whose"],
            span.from_at <= rows.known_at,
            span.to_at > rows.known_at,
        ],
    )
    state = joined.state.fill_null(0)
    if isinstance(factor, Recency):  # who never bought did not do so lately
        state = _passed(joined.from_at, joined.known_at, factor).fill_null(len(factor.days))
    return joined.mutate(**{name: state}).drop("_whose", "from_at", "to_at", "state")


def _passed(
    since: ir.TimestampValue, now: ir.TimestampValue, factor: Recency | Tenure
) -> ir.IntegerValue:
    """Count how many of the factor's states are over."""
    return steps(now, [since + ibis.interval(days=day + 1) for day in factor.days])
