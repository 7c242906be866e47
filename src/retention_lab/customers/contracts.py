"""How long subscriptions last, by periods of 30 days: as seen, and as far as a formula carries."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd

from retention_lab.checks import BadData
from retention_lab.customers.btyd import Tracking, mean_gain
from retention_lab.customers.purchases import SECONDS_A_DAY, elapsed_days_between
from retention_lab.inference.btyd import contract
from retention_lab.inference.btyd.contract import ContractFit
from retention_lab.inference.btyd.maximum import Floats, normal, std_errors
from retention_lab.inference.interval import Interval
from retention_lab.survival.daygrid import kaplan_meier, survival_at
from retention_lab.tables import clocks
from retention_lab.tables.engine import collect
from retention_lab.tables.snapshot import Snapshot

PERIOD = 30  # days
FURTHER = 12  # periods that are projected beyond what was seen, at most as many as were seen
PART = 3  # of the periods seen, the part on which a projection is tested

NONE = "There are no subscriptions, so nothing tells how long a contract lasts."
UNSEEN = "No subscription has come to the end of its first 30 days yet."
UNSETTLED = (
    "The share kept in periods to come is not projected: too few periods, or too few who left, "
    "settle it."
)
NO_BETTER = (
    "A projection of the share kept was no better, on the latest periods, than supposing one rate "
    "for all periods, so there is none."
)
_PROJECTED = ("projected", "projected_low", "projected_high")


@dataclass(frozen=True, kw_only=True, eq=False)
class Contracts:
    """Share of subscriptions kept by period of 30 days.

    `frame` (None without subscriptions) has a row per `period`: `at_risk` (followed to its last
    day), `share` kept until its end with `low` and `high` (Kaplan-Meier; missing beyond what was
    seen), `projected`, `projected_low`, `projected_high` (shifted beta-geometric; missing where it
    could not be fitted, or was no better than one rate for all periods) and `seen`.

    `tracking` counts who of the subscribers of an earlier day were kept until now: `expected` of
    the formula told only what was known then, `naive` at the same rate in every period; None where
    that cannot be tested. `why` says what is missing.
    """

    subscriptions: int
    frame: pd.DataFrame | None
    tracking: Tracking | None = None
    why: str = ""


def contracts(shop: Snapshot) -> Contracts:
    """Tell how many subscriptions are kept every 30 days of their own clock, and project it.

    Each subscription counts on its own, also that of a customer who came back. Who cancels on the
    very day of a renewal did not renew.
    """
    if "subscriptions" not in shop.tables:
        return Contracts(subscriptions=0, frame=None, why=NONE)
    grid = _grid(shop, shop.as_of)
    subscriptions = int(grid[["events", "censored"]].to_numpy().sum())
    if not subscriptions or grid["day"].max() < PERIOD:
        return Contracts(subscriptions=subscriptions, frame=None, why=UNSEEN)
    seen = _seen(grid)
    tracking = _tracked(shop, periods=max(1, len(seen) // PART))
    beaten = tracking is not None and not tracking.beats_naive
    frame, why = (_bare(seen), NO_BETTER) if beaten else _projected(seen)
    kinds = dict.fromkeys(("share", "low", "high", *_PROJECTED), "Float64") | {"at_risk": "Int64"}
    names = ["period", "at_risk", "share", "low", "high", *_PROJECTED, "seen"]
    told = frame[names].astype(kinds)
    return Contracts(subscriptions=subscriptions, frame=told, tracking=tracking, why=why)


def _bare(seen: pd.DataFrame) -> pd.DataFrame:
    return seen.assign(seen=True).reindex(columns=[*seen, "seen", *_PROJECTED])


def _projected(seen: pd.DataFrame) -> tuple[pd.DataFrame, str]:
    try:
        found = contract.fit(stayed=seen["stayed"], lost=seen["lost"])
    except BadData:
        return _bare(seen), UNSETTLED
    ahead = contract.project(found, periods=len(seen) + min(len(seen), FURTHER))
    named = ahead.set_axis(["period", *_PROJECTED, "seen"], axis=1)
    return named.merge(seen, on="period", how="left"), ""


def _tracked(shop: Snapshot, *, periods: int) -> Tracking | None:
    """Who was still there `periods` periods after an earlier day, as expected then and as it came.

    None where nothing was known then that a formula can be fitted to.
    """
    until = shop.as_of - dt.timedelta(days=PERIOD * periods)
    seen = _seen(_grid(shop, until))
    try:
        found = contract.fit(stayed=seen["stayed"], lost=seen["lost"])
    except BadData:
        return None
    people = _people(shop, until)
    age, stayed, weight = (
        people[name].to_numpy("float64") for name in ("age", "kept", "customers")
    )
    if weight.sum() < 2:
        return None
    expected = contract.kept(found.maximum.parameters, age=age, periods=periods)
    naive = (seen["stayed"].sum() / (seen["stayed"] + seen["lost"]).sum()) ** periods
    off, naive_off = np.abs(expected - stayed), np.abs(naive - stayed)
    return Tracking(
        customers=int(weight.sum()),
        days=PERIOD * periods,
        actual=int(weight @ stayed),
        expected=_total(found, age, weight, periods=periods),
        naive=round(float(weight.sum() * naive)),
        error=float(np.average(off, weights=weight)),
        naive_error=float(np.average(naive_off, weights=weight)),
        gain=mean_gain(naive_off**2 - off**2, weight),
    )


def _total(found: ContractFit, age: Floats, weight: Floats, *, periods: int) -> Interval:
    """How many are expected to be kept, with errors of the parameters and chance."""

    def logs(vector: Floats) -> Floats:
        return np.log([weight @ contract.kept(vector, age=age, periods=periods)])

    each = contract.kept(found.maximum.parameters, age=age, periods=periods)
    total, chance = float(weight @ each), float(weight @ (each * (1 - each)))
    error = np.hypot(std_errors(found.maximum, logs)[0], np.sqrt(chance) / total)
    far = float(np.exp(normal(0.05) * error))
    return Interval(value=total, low=total / far, high=min(total * far, float(weight.sum())))


def _people(shop: Snapshot, until: dt.date) -> pd.DataFrame:
    """Subscriptions at the end of a day by `age` in whole periods, and whether still `kept`."""
    table, end = shop.tables["subscriptions"], _end(shop, until)
    there = (table.started_at < end) & ~(table.cancelled_at < end).fill_null(False)
    then = table.filter(there)
    age = elapsed_days_between(then.started_at, end) // PERIOD
    kept = then.cancelled_at.isnull().cast("int64")  # noqa: PD003  Ibis
    return collect(then.group_by(age=age, kept=kept).agg(customers=then.count()))


def _end(shop: Snapshot, day: dt.date) -> ir.TimestampScalar:
    return ibis.timestamp(clocks.end_of_day(day, shop.zone).isoformat())


def _grid(shop: Snapshot, as_of: dt.date) -> pd.DataFrame:
    """Count subscriptions by their last day: ended on it, or followed for so many whole days."""
    table, end = shop.tables["subscriptions"], _end(shop, as_of)
    known = table.filter(table.started_at < end)
    ended = (known.cancelled_at < end).fill_null(False)
    begun = known.cancelled_at + ibis.interval(seconds=SECONDS_A_DAY - 1)
    day = ended.ifelse(
        ibis.greatest(elapsed_days_between(known.started_at, begun), 1),
        elapsed_days_between(known.started_at, end),
    )
    counts = known.group_by(day=day).agg(
        events=ended.cast("int64").sum(), censored=(~ended).cast("int64").sum()
    )
    return collect(counts).sort_values("day", ignore_index=True)


def _seen(grid: pd.DataFrame) -> pd.DataFrame:
    """Share kept by period, and as many who `stayed` and were `lost` as it rests on.

    The number that a share of a period rests on is the one that would give a plain count the same
    Greenwood variance; so those count who were followed for a part of the period, each in due part.
    """
    curve = kaplan_meier(grid)
    period = np.arange(1, grid["day"].max() // PERIOD + 1)
    at = survival_at(curve, [0, *(PERIOD * period).tolist()])
    kept, error = at["survival"].to_numpy("float64"), at["std_error"].to_numpy("float64")
    stays = np.divide(kept[1:], kept[:-1], out=np.zeros(len(period)), where=kept[:-1] > 0)
    variance = np.diff(np.divide(error, kept, out=np.zeros_like(kept), where=kept > 0) ** 2)
    number = at["at_risk"].to_numpy("float64")[1:]
    plain = (variance > 0) & (stays > 0)
    number[plain] = ((1 - stays) / stays)[plain] / variance[plain]
    told = at.loc[1:, ["at_risk", "survival", "low", "high"]].reset_index(drop=True)
    return told.rename(columns={"survival": "share"}).assign(
        period=period, stayed=number * stays, lost=number * (1 - stays)
    )
