"""Made-up standings: who was in which cohort on two days, of which every number is known."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
from scipy import stats

from retention_lab.customers.rfm import Cuts
from retention_lab.customers.standing import Standing
from retention_lab.customers.thresholds import Review, Thresholds
from retention_lab.inference.proportions import wilson
from retention_lab.record import Ledger, segments
from retention_lab.tables import playbook
from retention_lab.tables.segment import Segment, Segments

AS_OF, THEN = dt.date(2026, 11, 29), dt.date(2026, 8, 31)
RULES = playbook.load("").segments
COHORTS = ["one-time", "high-value repeat", "mid-value repeat"]
CUTS = Cuts(
    currency="GBP",
    recency={"all": (31, 61, 91, 121)},
    frequency={"all": (2, 2, 4, 7)},
    monetary={"all": (19.5, 50, 50, 1_500)},
)
COUNTS = np.array([[5_000, 60, 300], [0, 900, 120], [0, 80, 2_000]])  # from a row to a column
FRESH = np.array([400, 20, 120])  # of each cohort now who had not bought by then
LONG = np.array([[3_000, 30, 150], [0, 600, 90], [0, 50, 1_500]])  # of `COUNTS`
NONE = float("nan")


def rule(name, **fields):
    return Segment(name=name, owner="Team", review_by=dt.date(2027, 3, 31), **fields)


def rules(*cohorts, **fields):
    return Segments(cohorts=cohorts, named=RULES.named, **fields)


def lines(**fields):
    plain = {"owner": "Insights", "review_by": dt.date(2027, 3, 31), "as_of": dt.date(2026, 1, 1)}
    return Thresholds(**{"method": "quantile", "within": 365, "cuts": CUTS, **plain, **fields})


def standing(**fields):
    known = {"as_of": AS_OF, "then": THEN, "days": 90, "within": 365, "frozen": True}
    known |= {"rules": RULES, "thresholds": lines(), "currency": "GBP", "now": None, "before": None}
    return Standing(**(known | fields))


def sizes(customers=None, *, revenue=(100_000, 480_000, 420_000), purchases=None, names=COHORTS):
    """As `customers.standing.sizes` gives them; without `customers`, of `COUNTS` and `FRESH`."""
    number = np.array(COUNTS.sum(axis=0) + FRESH if customers is None else customers)
    whole = sum(revenue)
    frame = pd.DataFrame({"group": names, "customers": number})
    frame = frame.join(wilson(number, np.full(len(number), number.sum())))
    share = [each / whole if whole > 0 else pd.NA for each in revenue]
    bought = 2 * number if purchases is None else purchases
    return frame.assign(
        revenue_within=revenue,
        revenue_share=pd.Series(share, dtype="Float64"),
        purchases_within=bought,
    )


def moves(counts=COUNTS, *, names=COHORTS):
    """As `customers.migration.moves` gives them, with 10.00 a customer before and 5.00 now."""
    counts = np.array(counts)
    there = np.repeat(counts.sum(axis=1), len(counts))
    frame = pd.DataFrame({"before": np.repeat(names, len(names)), "now": [*names] * len(names)})
    frame = frame.assign(customers=counts.ravel())
    shares = wilson(frame["customers"], np.maximum(there, 1))[there > 0]
    money = {"revenue_before": 1_000 * counts.ravel(), "revenue_now": 500 * counts.ravel()}
    return frame.join(shares).assign(**money)


def flows(counts=COUNTS, long=LONG, *, names=COHORTS):
    """As `customers.migration.flows` gives them, luck told of the second group alone."""
    counts, long = np.array(counts), np.array(long)
    there, left = counts.sum(axis=1), counts.sum(axis=1) - counts.diagonal()
    frame = pd.DataFrame({"group": names, "customers": there, "left": left})
    frame = frame.join(wilson(left, np.maximum(there, 1))[there > 0])
    out, come = (long.sum(axis=axis) - long.diagonal() for axis in (1, 0))
    low, high = stats.binom.interval(0.95, out + come, 0.5)
    chance = {"by_chance": (out + come) / 2, "chance_low": low, "chance_high": high}
    frame = frame.assign(long_standing=long.sum(axis=1), left_long=out, came_long=come, **chance)
    frame.loc[frame.index != 1, list(chance)] = NONE
    return frame


def review(*, moving=340, customers=9_000, index=(0.004, 0.12, 0.3)):
    stability = pd.DataFrame({"measure": ["recency", "frequency", "monetary"], "index": index})
    return Review(
        stability=stability.assign(by_chance=0.005),
        proposed=CUTS,
        moves=pd.DataFrame(),
        customers=customers,
        moving=moving,
    )


def slipping(left, came):
    """Long-standing customers of whom so many left the best cohort, and so many came."""
    long = LONG.copy()
    long[1, 2], long[0, 1], long[2, 1] = left, came // 2, came - came // 2
    return long


def made(*, counts=COUNTS, long=LONG, known=None, usual=None, review=None, names=COHORTS, **fields):
    """A ledger and its standing; `known` are sizes, `usual` those of the span before."""
    here, ledger = standing(**fields), Ledger()
    frames = (flows(counts, long, names=names), moves(counts, names=names)) if here.then else None
    left, pairs = frames or (None, None)
    found = sizes(names=names) if known is None else known
    before = None if usual is None else flows(long=usual, names=names)
    segments.record(ledger, here, found, left, moves=pairs, usual=before, review=review)
    return ledger, here
