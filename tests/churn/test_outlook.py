"""An outlook is a tested forecast, an untested one, or none, with a sentence for everybody."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from retention_lab.churn.outlook import outlook
from retention_lab.tables import playbook
from retention_lab.tables.playbook import Attribute, Milestone

from .shops import shop

ZERO = pd.Timestamp("2023-01-01 12:00")
COUNTRY = Attribute(name="country", label="Country", column="country")
ONBOARDED = Milestone(name="onboarding", label="Onboarding", event="onboarded")


def book(*factors):
    shipped = playbook.load("")
    return shipped.model_copy(
        update={"churn": shipped.churn.model_copy(update={"factors": factors})}
    )


def members(as_of, n=600, *, rate=0.004, joining=500, seed=3, stop=None):
    """Members who join evenly and leave at a rate, of the UK at twice that."""
    rng, customers, subscriptions = np.random.default_rng(seed), [], []
    for number in range(n):
        who, land = f"c{number}", ("UK", "FR")[number % 2]
        began = ZERO + pd.Timedelta(days=float(rng.uniform(0, joining)))
        mean = 1 / (rate * (2 if land == "UK" else 1)) if rate else np.inf
        ended = rng.exponential(mean) if rate else np.inf
        end = began + pd.Timedelta(days=ended) if ended < 5_000 else pd.NaT
        if stop is not None and pd.notna(end):
            end = max(end, pd.Timestamp(stop))
        row = (who, began.floor("s"), end.floor("s") if pd.notna(end) else end, "voluntary")
        customers.append((who, began.floor("s"), land))
        subscriptions.append(row)
    made = shop({"customers": customers, "subscriptions": subscriptions}, as_of)
    made.name = "Corner shop"
    return made


def buyers(as_of, n=500, *, span=500):
    """Customers who buy about every hundred days, of the UK twice as often."""
    rng, customers, orders = np.random.default_rng(4), [], []
    for number in range(n):
        who, land, day = f"c{number}", ("UK", "FR")[number % 2], float(rng.uniform(0, span))
        customers.append((who, ZERO, land))
        while day < 900:
            at = (ZERO + pd.Timedelta(days=day)).floor("s")
            orders.append((f"o{len(orders)}", who, at, 100))
            day += rng.exponential(50 if land == "UK" else 100)
    made = shop({"customers": customers, "orders": orders}, as_of)
    made.name = "Corner shop"
    return made


def test_a_forecast_is_tested_where_the_history_is_long_enough():
    day = dt.date(2024, 6, 30)
    seen = outlook(members(day), book(ONBOARDED, COUNTRY), horizon=60)
    assert (seen.endpoint.kind, seen.why, seen.not_told) == ("cancelled", "", 0)
    assert [factor.name for factor in seen.factors] == ["country"]
    assert seen.unused == ("Onboarding",)
    assert seen.forecast.until == dt.date(2024, 8, 29)
    assert len(seen.backtest.origins) >= 3
    assert seen.model.trained[1] <= day - dt.timedelta(days=60)


def test_without_a_contract_it_forecasts_who_buys_again():
    seen = outlook(buyers(dt.date(2024, 6, 30)), book(COUNTRY), horizon=60)
    assert seen.endpoint.kind == "returned"
    assert seen.backtest.origins["observed"].sum() > 0
    assert seen.forecast.customers == 500


def test_a_young_contract_is_forecast_on_each_customer_s_own_clock():
    early = members(dt.date(2023, 6, 10), joining=120, n=300)
    seen = outlook(early, book(COUNTRY), horizon=90)
    assert seen.backtest is None
    assert seen.model is None
    assert not seen.forecast.checked
    assert seen.not_told > 0  # the oldest
    people = early.subscriptions.filter(early.subscriptions.cancelled_at.isnull())  # noqa: PD003  Ibis
    assert seen.forecast.customers + seen.not_told == people.count().execute()


def test_where_nobody_left_there_is_no_forecast_and_the_reason_counts_nobody():
    seen = outlook(members(dt.date(2024, 6, 30), rate=0), book(COUNTRY), horizon=60)
    assert seen.forecast is None
    assert seen.why == (
        "No forecast of an earlier day can be compared with what came: that takes 10 customers who "
        "left in one period of 60 days, others who did not, and one more such period. "
        "Where there are all of these, try a playbook of fewer factors."
    )


@pytest.mark.parametrize("make", [members, buyers])
def test_a_reason_never_counts_the_few_who_did(make):
    few = make(dt.date(2023, 6, 30), n=30)
    seen = outlook(few, book(COUNTRY), horizon=90)
    assert seen.backtest is None
    assert "landmark" not in seen.why
    assert [word for word in seen.why.split() if word.isdigit()] == ["10", "90"]
