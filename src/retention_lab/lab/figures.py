"""What the lab answers of all customers together: calls of the rooms below, put into answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Literal, TypedDict, get_args

import numpy as np
import pandas as pd

from retention_lab import charts, checks, wording
from retention_lab.charts.triangles import hidden_in
from retention_lab.customers import cells as collapsed
from retention_lab.customers import cohorts, kpis, newest, repurchase, revenue
from retention_lab.customers.activity import activity_tier
from retention_lab.lab.answer import Answer, readable
from retention_lab.record import SMALL, Claim, Ledger, asked, comeback, periods
from retention_lab.record.small import cells, covered
from retention_lab.survival.daygrid import kaplan_meier
from retention_lab.tables.annotations import Annotation
from retention_lab.tables.snapshot import Snapshot
from retention_lab.wording import asked as sentences

YEAR = 365
MEANS = ["period", "cohorts", "size", "share", "later_share"]

Clock = Literal["calendar", "own"]
CalendarPeriod = collapsed.CalendarPeriod


def returned(shop: Snapshot, *, days: int, annotations: Sequence[Annotation]) -> Answer:
    """Answer which share of each month's new customers came back within so many days."""
    ledger = Ledger()
    found, judged = newest_month(ledger, shop, days=days)
    chart = charts.returned_by_month(judged, days=days, annotations=annotations)
    return Answer(
        frame=cohorts.returned(shop.orders, as_of=shop.as_of, days=days),
        chart=chart,
        sentence=joined(
            wording.overview_body(ledger, found, days=days, records_from=shop.records_from),
            wording.overview_happened(annotations, found),
            wording.returned_curve(judged, days=days),
            wording.records_begin(shop.records_from),
        ),
        written=readable(charts.listed(chart)),
    )


def newest_month(
    ledger: Ledger, shop: Snapshot, *, days: int
) -> tuple[newest.Newest | None, pd.DataFrame]:
    """Record the newest complete month; with it, the months whose estimates rest on enough."""
    frame = cohorts.returned(shop.orders, as_of=shop.as_of, days=days)
    grid = repurchase.first_repeat_grid(shop.orders, as_of=shop.as_of)
    found = newest.newest_complete(frame)
    comeback.newest(ledger, found, days=days)
    return found, newest.well_followed(frame, grid, days=days, least=SMALL)


def triangle(shop: Snapshot, *, clock: Clock, period: CalendarPeriod, window: int) -> Answer:
    """Answer who came back when, by month of the first purchase."""
    make, unit = clocked(shop, clock=clock, period=period, window=window)
    frame = make(shop.orders)
    means = cohorts.weighted_mean(frame)
    _cells, shown = hidden_in(frame, means, cohorts=charts.COHORTS, periods=charts.PERIODS)
    ledger = Ledger()
    asked.mean(ledger, shown)
    return Answer(
        frame=in_whole_units(frame, shop, "revenue"),
        chart=charts.triangle(frame, means, unit=unit, **_money(shop)),
        sentence=joined(
            sentences.mean_of_cohorts(ledger, unit=unit),
            wording.triangle(frame, means, periods=charts.PERIODS),
        ),
        written=readable(shown[MEANS]),
    )


def clocked(
    shop: Snapshot, *, clock: Clock, period: CalendarPeriod, window: int
) -> tuple[Callable[..., pd.DataFrame], str]:
    """Return the triangle of a clock, still to be given orders, and what its periods are called."""
    checks.known("triangle", "clock", [clock], get_args(Clock))
    checks.at_least("window", window, 1)
    if clock == "own":
        return (
            lambda orders: cohorts.own_clock_triangle(orders, as_of=shop.as_of, window_days=window),
            f"{window}-day window",
        )
    return (
        lambda orders: cohorts.calendar_triangle(orders, as_of=shop.as_of, period=period),
        f"Calendar {period}",
    )


def monthly_revenue(shop: Snapshot, *, annotations: Sequence[Annotation]) -> Answer:
    """Answer what each month brought, from new and from returning customers."""
    months = revenue.monthly_revenue(shop.orders, as_of=shop.as_of)
    frame = in_whole_units(months, shop, "revenue_new", "revenue_returning")
    ledger = Ledger()
    asked.last_month(ledger, months, shop)
    chart = charts.monthly_revenue(months, **_money(shop), annotations=annotations)
    return Answer(
        frame=frame,
        chart=chart,
        sentence=sentences.last_month(ledger),
        written=readable(charts.listed(chart)),
    )


def concentration(shop: Snapshot, *, top_shares: Sequence[float]) -> Answer:
    """Answer how much of the revenue the best customers brought."""
    every = revenue.revenue_concentration(shop.orders, as_of=shop.as_of, top_shares=top_shares)
    ledger = Ledger()
    asked.concentration(ledger, every)
    frame = in_whole_units(every, shop, "revenue")
    return Answer(
        frame=frame,
        chart=None,
        sentence=sentences.concentration(ledger),
        written=readable(frame[asked.tops_shown(every)]),
    )


def second_purchase(shop: Snapshot, *, days: int) -> Answer:
    """Answer how long the second purchase takes, those still waiting counted as waiting."""
    ledger = Ledger()
    grid = repurchase.first_repeat_grid(shop.orders, as_of=shop.as_of)
    curve = kaplan_meier(grid)
    comeback.repurchase(ledger, grid, curve, days=days)
    chart = charts.repurchase_curve(curve, days=max(days, YEAR))
    return Answer(
        frame=curve,
        chart=chart,
        sentence=wording.repurchase(ledger),
        written=readable(charts.listed(chart)),
    )


def gaps(shop: Snapshot) -> Answer:
    """Answer how long customers take from one purchase to the next."""
    grid = repurchase.gap_grid(shop.orders, as_of=shop.as_of)
    ledger = Ledger()
    asked.gaps(ledger, grid)
    counts = ["events", "censored"]
    hidden = np.stack([covered(grid[name]) for name in counts], axis=1)
    shown = grid.assign(
        **{name: cells(grid[name], hidden[:, at]) for at, name in enumerate(counts)}
    )
    told = shown[(~hidden & grid[counts].gt(0).to_numpy()).any(axis=1)]
    return Answer(frame=grid, chart=None, sentence=sentences.gaps(ledger), written=readable(told))


def activity(shop: Snapshot, *, edges: Sequence[int]) -> Answer:
    """Answer how long ago customers last bought, now and as many days earlier as the last edge."""
    activity_tier([], edges=edges)  # refuses edges that do not rise
    ledger = Ledger()
    tiers = periods.activity(ledger, shop, edges=edges)
    dated = [tier.assign(as_of=pd.Timestamp(day)) for day, tier in tiers.items()]
    columns = ["as_of", "tier", "customers", "share", "low", "high"]
    chart = charts.activity_tiers(tiers)
    return Answer(
        frame=pd.concat(dated, ignore_index=True)[columns]
        if dated
        else pd.DataFrame(columns=columns),
        chart=chart,
        sentence=wording.activity(ledger, days=edges[-1], history_days=shop.history_days),
        written=readable(charts.listed(chart)),
    )


def compared_periods(
    shop: Snapshot, *, days: int, annotations: Sequence[Annotation] = ()
) -> Answer:
    """Answer how the last days compare with as many before."""
    checks.at_least("days", days, 1)
    ledger = Ledger()
    periods.periods(ledger, shop, days=days)
    reach = {"days": days, "history_days": shop.history_days}
    return Answer(
        frame=claims(ledger.claims()),
        chart=None,
        sentence=joined(
            wording.lately(annotations, as_of=shop.as_of, days=days),
            wording.retention_rate(ledger, **reach),
        ),
        written=wording.beside(ledger, as_of=shop.as_of, **reach),
    )


def retention_rate(shop: Snapshot, *, days: int) -> Answer:
    """Answer the customer retention rate, beside the companion that cannot exceed 100 %."""
    whole = compared_periods(shop, days=days)
    names = whole.frame["name"].str.removesuffix("_before").isin(["retention_rate", "kept_share"])
    frame = whole.frame[names].reset_index(drop=True)
    return Answer(frame=frame, chart=None, sentence=whole.sentence, written=_results(frame))


def repeat_rate(shop: Snapshot, *, days: int) -> Answer:
    """Answer the repeat purchase rate of all customers so far."""
    ledger = Ledger()
    newest_month(ledger, shop, days=days)
    comeback.repeat(ledger, kpis.repeat_purchase_rate(shop.orders, as_of=shop.as_of))
    frame = claims([claim for claim in ledger.claims() if claim.name == "repeat_rate"])
    sentence = wording.repeat_rate(ledger, days=days)
    return Answer(frame=frame, chart=None, sentence=sentence, written=_results(frame))


def check(
    shop: Snapshot,
    *,
    unused: Mapping[str, Mapping[str, str]],
    annotations: Sequence[Annotation],
) -> Answer:
    """Answer what the shop's tables hold and what was left out; `unused` are columns, and why."""
    counted = list(dict.fromkeys(shop.left_out["table"]))
    main = next(each for each in ("orders", "order_lines", "subscriptions") if each in counted)
    sums = shop.left_out.groupby(["table", "reason"], sort=False)[["rows", "amount"]].sum()
    used = (wording.left_out(shop.left_out, table=each, where=shop.where) for each in counted)
    return Answer(
        frame=in_whole_units(sums.reset_index(), shop, "amount"),
        chart=charts.left_out(
            shop.left_out,
            table=main,
            minor_per_unit=shop.minor_per_unit,
            annotations=annotations,
        ),
        sentence=joined(
            completeness(shop),
            *used,
            wording.controls(shop.controls) if len(shop.controls) else "",
            sentences.unused(unused),
        ),
        written=wording.waterfall(shop.left_out, **_money(shop)),
    )


def claims(recorded: Sequence[Claim]) -> pd.DataFrame:
    """List recorded results: one row each, `text` as sentences write it."""
    rows = [{**asdict(claim), "text": claim.full} for claim in recorded]
    columns = ["name", "label", "about", "text", "value", "low", "high", "unit", "n", "definition"]
    return pd.DataFrame(rows, columns=columns).astype({"n": "Int64"})


def _results(frame: pd.DataFrame) -> pd.DataFrame:
    return readable(frame[["label", "about", "text", "n"]])


def in_whole_units(frame: pd.DataFrame, shop: Snapshot, *columns: str) -> pd.DataFrame:
    """Turn money from minor units into whole ones: 3913 pence are 39.13."""
    return frame.assign(**{name: frame[name] / shop.minor_per_unit for name in columns})


class _Money(TypedDict):
    currency: str
    minor_per_unit: int


def _money(shop: Snapshot) -> _Money:
    return _Money(currency=shop.currency, minor_per_unit=shop.minor_per_unit)


def completeness(shop: Snapshot) -> str:
    """Say how far the orders, or subscriptions, reach, and who is meant."""
    return wording.completeness(
        shop.complete_to,
        as_of=shop.as_of,
        simulated=shop.simulated,
        where=shop.where,
        main=shop.main,
    )


def joined(*sentences: str) -> str:
    """Put sentences after each other, leaving out empty ones."""
    return " ".join(filter(None, sentences))
