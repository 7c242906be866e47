"""A purchase model on trial: told what was known then, held against the days that came after."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace

import ibis.expr.types as ir
import numpy as np
import pandas as pd

from retention_lab.checks import BadData
from retention_lab.customers.btyd import (
    Holdout,
    Tracking,
    by_week,
    came,
    daily,
    holdout,
    return_rate,
    track,
)
from retention_lab.customers.summary import purchases
from retention_lab.inference.btyd import answers, fitting
from retention_lab.inference.btyd.fitting import Fit
from retention_lab.inference.interval import Interval
from retention_lab.tables import engine
from retention_lab.tables.snapshot import Snapshot

LONGEST = 365  # days that are held back at most
SHORTEST = 28
PARTS = (3, 4, 6)  # of the history: less is held back where the rest is too little to learn from


@dataclass(frozen=True, kw_only=True, eq=False)
class Trial:
    """What was held back, and how a model fared that did not know of it.

    Of the `once` customers who had bought once by `until`, a share `returned` in the `days` days
    after it (None where nobody had). `tracking` and `weeks` (as `by_week` gives them) are None
    where no model could be fitted. Of all customers then, one in ten bought at least `factor` times
    as often as was expected of them, and a share `nothing` did not buy.
    """

    days: int
    until: dt.date
    once: int
    returned: Interval | None
    tracking: Tracking | None = None
    weeks: pd.DataFrame | None = None
    factor: float | None = None
    nothing: float | None = None


def trial(shop: Snapshot) -> Trial | None:
    """Hold back the last third of the history, or less where the rest is too little to learn from.

    Who bought on more than half of all days by then is left out. What is held back is chosen before
    anything of it is seen: whether a model can be fitted to the days before is all that counts.

    Returns
    -------
    Trial or None
        None where the history is too short, or nobody had bought before what would be held back.
    """
    tried = []
    for part in PARTS:
        days = min(LONGEST, shop.history_days // part)
        try:
            one = _one(shop, days) if days >= SHORTEST else None
        except BadData:  # nobody had bought by then
            one = None
        if one is not None:
            tried.append(one)
            if one.tracking is not None:
                return one
    return tried[0] if tried else None


def regular(shop: Snapshot, *, as_of: dt.date) -> ir.Table:
    """Orders of all but those who bought nearly daily by a day; see `daily`."""
    summary = purchases(shop.orders, as_of=as_of)
    orders = shop.orders.select("customer_id", "ordered_on", "amount")
    left = orders.anti_join(summary.filter(daily(summary)), "customer_id")
    return engine.keep(left, where="orders")


def _one(shop: Snapshot, days: int) -> Trial:
    until = shop.as_of - dt.timedelta(days=days)
    orders = regular(shop, as_of=until)
    held = holdout(orders, until=until, as_of=shop.as_of)
    once = held.patterns.loc[held.patterns["frequency"] == 0, "weight"].sum()
    bare = Trial(
        days=days, until=until, once=int(once), returned=return_rate(held) if once else None
    )
    try:
        fit = fitting.likelier(held.patterns)
        tracking = track(fit, held)
    except BadData:
        return bare
    factor, nothing = _single(fit, held)
    weeks = by_week(fit, held, came(orders, until=until, as_of=shop.as_of))
    return replace(bare, tracking=tracking, weeks=weeks, factor=factor, nothing=nothing)


def _single(fit: Fit, held: Holdout) -> tuple[float, float]:
    """How far one customer may be off: see `Trial`."""
    rows = held.patterns
    expected = answers.expected(fit.process, rows, horizon=held.days)
    times = rows["later"].to_numpy("float64") / expected
    order = np.argsort(times)
    upto = rows["weight"].to_numpy("float64")[order].cumsum()
    tenth = times[order][np.searchsorted(upto, 0.9 * upto[-1])]
    bought = rows.loc[rows["later"] > 0, "weight"].sum()
    return float(tenth), float(1 - bought / rows["weight"].sum())
