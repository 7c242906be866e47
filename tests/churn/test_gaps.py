"""After how many silent days customers are lost, and how many of them return."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from retention_lab.checks import BadData, BadParameter
from retention_lab.churn import gaps
from retention_lab.churn.endpoints import Endpoint, spells
from retention_lab.tables.engine import collect

from .shops import drawn, shop

ZERO, AS_OF = pd.Timestamp("2024-01-01 12:00"), dt.date(2024, 9, 1)


def orders(*customers):
    """A shop of customers who buy on the given days since the first of January, at noon."""
    rows = [
        (f"o{who}-{day}", f"c{who}", (ZERO + pd.Timedelta(days=day)).floor("s"), 100)
        for who, days in enumerate(customers)
        for day in days
    ]
    return shop({"orders": rows}, AS_OF)


def a_shop():
    # Four return after 100 days, six never, and two after 10 days and then never again.
    return orders(*[[0, 100]] * 4, *[[0]] * 6, *[[0, 10]] * 2)


def test_the_share_of_the_lost_who_return_is_counted_by_hand():
    found = gaps.evidence(a_shop(), lost_after=[120, 90, 30], horizon=90).set_index("days")
    assert found.index.tolist() == [30, 90, 120]
    assert found["customers"].tolist() == [12, 12, 12]
    # After 120 silent days the four have come back already, and are lost after that purchase.
    assert found["returned"].tolist() == [4, 4, 0]
    assert found["later_returned"].tolist() == pytest.approx([4 / 12, 4 / 12, 0])
    assert found["delay"].tolist() == [30, 90, 120]
    assert found["refused"].tolist() == [False, True, True]
    assert (found["low"] <= found["later_returned"]).all()
    assert (found["later_returned"] < found["high"]).all()


def test_who_was_called_lost_of_late_is_censored():
    # Ten more who first bought 40 days ago have been lost for ten days: the share of all is 4 / 22.
    late = (AS_OF - ZERO.date()).days - 40
    found = gaps.evidence(
        orders(*[[0, 100]] * 4, *[[0]] * 6, *[[0, 10]] * 2, *[[late]] * 10),
        lost_after=[30],
        horizon=90,
    )
    assert found["customers"].tolist() == [22]
    assert found["later_returned"].tolist() == pytest.approx([4 / 12])


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("days", [15, 30])
def test_called_lost_are_those_of_the_endpoint(seed, days):
    a_shop = shop(drawn(seed), dt.date(2024, 5, 20))
    lost = collect(spells(a_shop, Endpoint(kind="lost", days=days)))
    lost = lost[lost["event_observed"]].set_index("customer_id")
    found = collect(gaps.called_lost(a_shop, days=days)).set_index("customer_id")
    assert sorted(found.index) == sorted(lost.index)
    called = found["zero_at"] + pd.Timedelta(days=days)
    assert (called == lost["until_at"].reindex(found.index)).all()
    waited = (found["until_at"] - called) // pd.Timedelta(days=1)
    assert (found["day"] == waited + found["event_observed"]).all()


def test_a_constant_rate_of_return_comes_back():
    # Who buys at a rate of 1 in 100 days does so just as much after 30 silent days.
    waits = np.random.default_rng(1).exponential(100, (200, 12))
    found = gaps.evidence(orders(*waits.cumsum(axis=1)), lost_after=[30], horizon=90)
    low, high, within = found[["low", "high", "within"]].iloc[0]
    assert low < 1 - np.exp(-within / 100) < high


def test_the_fewest_days_within_the_bound_are_chosen():
    table = pd.DataFrame(
        {
            "days": [30, 60, 90],
            "later_returned": [0.30, 0.18, 0.10],
            "refused": [False, False, True],
        }
    )
    one = gaps.chosen(table, at_most=0.2)
    assert one.days == 60
    assert one.why == (
        "Customers are called lost after 60 silent days: 18 in 100 of them return, and of the "
        "numbers compared this is the lowest after which at most 20 in 100 do."
    )
    assert gaps.chosen(table, at_most=0.5).days == 30
    none = gaps.chosen(table, at_most=0.15)
    assert none.days is None
    assert "after 60 of them 18 in 100 return, and at most 15 in 100 may." in none.why
    refused = gaps.chosen(table[table["refused"]], at_most=0.5)
    assert refused.days is None
    assert refused.why.startswith("No number of silent days compared is below the horizon")
    with pytest.raises(BadParameter, match="at_most must be a share"):
        gaps.chosen(table, at_most=20)


def test_too_few_customers_or_days_are_refused_in_a_sentence():
    with pytest.raises(BadData, match="Only 2 customers were ever silent for 30 days"):
        gaps.evidence(orders([0], [0]), lost_after=[30], horizon=90)
    with pytest.raises(BadParameter, match="lost_after must be at least 1, got 0"):
        gaps.evidence(a_shop(), lost_after=[0], horizon=90)
    with pytest.raises(BadParameter, match="horizon must be at least 1, got 0"):
        gaps.evidence(a_shop(), lost_after=[30], horizon=0)
