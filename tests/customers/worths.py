"""What customers are worth, by hand: for tests of what is recorded, said and drawn of it."""

from __future__ import annotations

import datetime as dt

import pandas as pd

from retention_lab.customers.btyd import Tracking
from retention_lab.customers.contracts import Contracts
from retention_lab.customers.trial import Trial
from retention_lab.customers.worth import Worth
from retention_lab.inference.interval import Interval

NAMES = ("one-time", "high-value repeat", "mid-value repeat")


def cohorts(sizes=(800, 100, 100)):
    """Cohorts of these sizes: what each is expected to bring, or what a customer of it brought."""
    frame = pd.DataFrame({"group": NAMES[: len(sizes)], "customers": sizes})
    frame = frame.assign(active=frame["customers"] / 2, expected=frame["customers"] * 0.75)
    value = pd.Series([200_000.0, 300_000.0, 100_000.0])[: len(sizes)]
    if sizes != (800, 100, 100):
        value = 1_000.0 * frame["customers"]
    return frame.assign(value=value, low=0.9 * value, high=1.2 * value)


TRACKING = Tracking(
    customers=900,
    days=200,
    actual=1_250,
    expected=Interval(value=1_200.0, low=1_100.0, high=1_300.0),
    naive=1_400,
    error=0.5,
    naive_error=0.6,
    gain=Interval(value=0.2, low=0.1, high=0.3),
)
TRIAL = Trial(
    days=200,
    until=dt.date(2026, 5, 13),
    once=500,
    returned=Interval(value=0.2, low=0.167, high=0.237),
    tracking=TRACKING,
    weeks=pd.DataFrame(
        {
            "week": [14, 28],
            "actual": [640, 1_240],
            "expected": [620.4, 1_190.2],
            "low": [560.0, 1_090.0],
            "high": [680.0, 1_290.0],
        }
    ),
    factor=2.5,
    nothing=0.6,
)
WORTH = Worth(
    months=12,
    yearly_discount=0.1,
    margin=1.0,
    currency="GBP",
    within=365,
    customers=1_000,
    left_out=0,
    observed=cohorts().assign(
        value=[1_000.0, 5_000.0, 2_000.0],
        low=[900.0, 4_500.0, 1_800.0],
        high=[1_100.0, 5_500.0, 2_200.0],
    ),
    trial=TRIAL,
    by=cohorts(),
    total=Interval(value=600_000.0, low=500_000.0, high=720_000.0),
    model="MBG/NBD",
)


def kept(*, fits=True, projected=True, **change):
    """Contracts of 24 periods, of which 12 were seen, and a formula that `fits` what was seen."""
    period = pd.Series(range(1, 25))
    share = (0.95**period).where(period <= 12)
    said = 0.95**period if fits else 0.97**period
    frame = pd.DataFrame(
        {
            "period": period,
            "at_risk": (5_000 - 300 * period).where(period <= 12),
            "share": share,
            "low": share - 0.02,
            "high": share + 0.02,
            "projected": said.where(period * projected > 0),
            "projected_low": (said - 0.02).where(period * projected > 0),
            "projected_high": (said + 0.02).where(period * projected > 0),
            "seen": period <= 12,
        }
    ).astype({"at_risk": "Int64", "share": "Float64", "projected": "Float64"})
    rows = frame if projected else frame[frame["seen"]]
    return Contracts(subscriptions=6_000, frame=rows, **change)
