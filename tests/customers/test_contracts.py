"""Subscriptions by periods of 30 days: what was kept, and what a formula makes of it."""

from __future__ import annotations

import dataclasses
import datetime as dt
from types import SimpleNamespace

import ibis
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from retention_lab.customers import contracts as contract_tables
from retention_lab.customers.contracts import contracts
from retention_lab.inference.btyd import contract
from retention_lab.inference.interval import Interval

from .worths import TRACKING

AS_OF = dt.date(2025, 6, 30)
END = pd.Timestamp("2025-07-01")  # of the as-of day, in UTC


def shop(rows, *, as_of=AS_OF):
    """A shop of subscriptions from (days before the end that they began, days kept or None)."""
    started = [END - pd.Timedelta(days=ago) for ago, _ in rows]
    ended = [None if days is None else END - pd.Timedelta(days=ago - days) for ago, days in rows]
    table = pa.table(
        {
            "customer_id": [f"c{one}" for one in range(len(rows))],
            "started_at": pa.array(started, pa.timestamp("us")),
            "cancelled_at": pa.array(ended, pa.timestamp("us")),
        }
    )
    tables = {"subscriptions": ibis.memtable(table)}
    return SimpleNamespace(tables=tables, as_of=as_of, zone="UTC")


def drawn(rng, customers, *, alpha=1.0, beta=4.0, span=720):
    """Contracts that renew every 30 days, with a chance to leave of their own, over `span` days."""
    leaves, began = rng.beta(alpha, beta, customers), rng.integers(1, span, customers)
    kept = 30 * rng.geometric(leaves)
    return [
        (int(ago), int(days) if days < ago else None) for ago, days in zip(began, kept, strict=True)
    ]


def test_shares_kept_are_counted_by_hand():
    # 8 began 70 days ago: one leaves on day 10, one on day 30, which is its renewal, one on day 31.
    rows = [(70, 10), (70, 30), (70, 31), *[(70, None)] * 5]
    frame = contracts(shop(rows)).frame
    seen = frame[frame["seen"]]
    assert seen["period"].tolist() == [1, 2]
    assert seen["share"].tolist() == pytest.approx([6 / 8, 5 / 8])
    assert seen["at_risk"].tolist() == [7, 5]  # on the last day of the period, who ends on it too


def test_who_was_followed_for_part_of_a_period_counts_for_it():
    # Of 10, 5 are 45 days old and one of these left on day 40; by day 40 all ten were followed.
    rows = [(45, 40), *[(45, None)] * 4, *[(90, None)] * 5]
    frame = contracts(shop(rows)).frame
    assert frame.loc[frame["seen"], "share"].tolist() == pytest.approx([1.0, 0.9, 0.9])


def test_the_formula_recovers_the_contracts_it_was_drawn_from():
    rng = np.random.default_rng(11)
    found = contracts(shop(drawn(rng, 6_000)))
    truth = contract.curve([1.0, 4.0], periods=len(found.frame))["survival"]
    held = (found.frame["projected_low"] <= truth) & (truth <= found.frame["projected_high"])
    assert held.mean() > 0.9
    assert found.frame["seen"].sum() == 23
    assert len(found.frame) == 23 + contract_tables.FURTHER
    assert found.frame.loc[~found.frame["seen"], "share"].isna().all()
    assert found.why == ""
    assert found.tracking.beats_naive
    assert found.tracking.expected.low < found.tracking.actual < found.tracking.expected.high


def test_an_earlier_day_knows_nothing_of_what_came_after_it():
    rng = np.random.default_rng(12)
    rows = drawn(rng, 2_000)
    days = contracts(shop(rows)).tracking.days
    # What ends after that day ends at once: only the number still there may change.
    gone = [
        (ago, kept if kept is not None and kept < ago - days else ago - 0.5)
        if ago > days
        else (ago, kept)
        for ago, kept in rows
    ]
    one, other = (contracts(shop(each)).tracking for each in (rows, gone))
    assert other.expected.value == pytest.approx(one.expected.value)
    assert other.customers == one.customers
    assert other.actual == 0 < one.actual


def test_a_projection_no_better_than_one_rate_is_withheld(monkeypatch):
    level = dataclasses.replace(TRACKING, gain=Interval(value=0.0, low=-0.1, high=0.1))
    monkeypatch.setattr(contract_tables, "_tracked", lambda _shop, **_: level)
    found = contracts(shop(drawn(np.random.default_rng(13), 1_000)))
    assert (found.why, found.tracking) == (contract_tables.NO_BETTER, level)
    assert found.frame["projected"].isna().all()
    assert found.frame["seen"].all()


@pytest.mark.parametrize(
    ("rows", "why"),
    [
        ([], contract_tables.UNSEEN),
        ([(5, None), (12, 3)], contract_tables.UNSEEN),
        ([(50, None)] * 3, contract_tables.UNSETTLED),
        ([(50, 0), (50, 20)], contract_tables.UNSEEN),
        ([(400, None), (400, 30)], contract_tables.UNSETTLED),
    ],
)
def test_what_cannot_be_told_is_a_sentence(rows, why):
    assert contracts(shop(rows)).why == why


def test_a_shop_without_subscriptions_says_so():
    none = SimpleNamespace(tables={}, as_of=AS_OF, zone="UTC")
    assert (contracts(none).frame, contracts(none).why) == (None, contract_tables.NONE)
