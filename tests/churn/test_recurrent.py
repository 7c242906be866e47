"""Repeat purchases as recurrent events."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from retention_lab.checks import BadData, BadParameter
from retention_lab.churn import recurrent
from retention_lab.churn.recurrent import fit, repeat_purchases
from retention_lab.survival import cox
from retention_lab.tables.playbook import Attribute, Milestone

from .shops import shop

ZERO, AS_OF = pd.Timestamp("2024-01-01 12:00"), dt.date(2024, 6, 30)
COUNTRY = Attribute(name="land", label="Country", column="country")


def a_shop(rates, *, seed, spread=0.0):
    """Customers who buy at random moments at a rate (per day) of their country's, each their own.

    `spread` is the variance of what customers of one country differ by.
    """
    rng, orders, customers = np.random.default_rng(seed), [], []
    for country, (number, rate) in rates.items():
        for each in range(number):
            who = f"{country}{each}"
            customers.append((who, ZERO, country))
            own = rate * (rng.gamma(1 / spread, spread) if spread else 1.0)
            since = np.cumsum(np.append(rng.uniform(0, 60), rng.exponential(1 / own, 60)))
            for day in since[since < 180]:
                at = (ZERO + pd.Timedelta(days=day)).floor("s")
                orders.append((f"o{len(orders)}", who, at, 100))
    return shop({"customers": customers, "orders": orders}, AS_OF)


def test_a_planted_ratio_of_rates_is_within_its_interval():
    found = repeat_purchases(a_shop({"UK": (200, 0.02), "FR": (120, 0.03)}, seed=1), [COUNTRY])
    assert found["state"].tolist() == ["FR"]
    assert found["reference"].tolist() == ["UK"]
    assert found["customers"].tolist() == [120]
    row = found.iloc[0]
    assert row["low"] < 1.5 < row["high"]
    assert row["low"] > 1


def test_the_rows_are_the_pauses_of_each_customer_since_the_first_purchase():
    days = {"a": [0, 10, 10.4, 30], "b": [5]}
    orders = [
        (f"{who}{day}", who, ZERO + pd.Timedelta(days=day), 100)
        for who in days
        for day in days[who]
    ]
    customers = [("a", ZERO, "UK"), ("b", ZERO, None)]
    one = shop({"customers": customers, "orders": orders}, dt.date(2024, 2, 9))
    # The as-of day ends 39.5 days after the first noon; 10.4 days are on the eleventh evening.
    rows = recurrent._rows(one, [COUNTRY]).sort_values(["customer_id", "start"])
    told = rows.assign(start=rows["start"] / 86_400, stop=rows["stop"] / 86_400)
    assert told[["customer_id", "start", "stop", "event_observed", "land"]].to_numpy().tolist() == [
        ["a", 0, 10, True, "UK"],
        ["a", 10, 30, True, "UK"],
        ["a", 30, 39.5, False, "UK"],
        ["b", 0, 34.5, False, "unknown"],
    ]


def test_customers_who_differ_widen_the_interval():
    found = fit(a_shop({"UK": (150, 0.03), "FR": (120, 0.03)}, seed=2, spread=1.0), [COUNTRY])
    robust, as_if_alike = found.fit.covariance[0, 0], found.fit.model_covariance[0, 0]
    # With gamma frailty of variance 1 and 4 repeat purchases expected, the variance of a count is
    # 4 + 16, five times that of Poisson; customers' follow-up varies, so only about that.
    assert 3 < robust / as_if_alike < 8


@pytest.mark.slow
def test_the_robust_interval_covers_as_often_as_it_says():
    held, seeds = 0, range(100)
    for seed in seeds:
        a_shop_ = a_shop({"UK": (60, 0.02), "FR": (60, 0.03)}, seed=seed, spread=0.7)
        row = repeat_purchases(a_shop_, [COUNTRY]).iloc[0]
        truth = 1.5 if row["state"] == "FR" else 1 / 1.5
        held += row["low"] < truth < row["high"]
    # Binomial (100, 0.95): below 88 in 1 of 400 runs.
    assert held >= 88


def test_it_is_the_cox_model_of_the_same_rows():
    one = a_shop({"UK": (40, 0.02), "FR": (40, 0.03)}, seed=3)
    rows = recurrent._rows(one, [COUNTRY])
    days = rows["stop"] / 86_400
    other = cox.fit(
        (rows[["land"]] == "FR").astype("float64"),
        start=rows["start"] / 86_400,
        stop=days,
        event_observed=rows["event_observed"],
        cluster=rows["customer_id"],
    )
    found = fit(one, [COUNTRY])
    assert abs(found.fit.coefficients) == pytest.approx(abs(other.coefficients))
    assert found.fit.covariance == pytest.approx(other.covariance)
    repeats = rows.loc[rows["land"] == found.levels["land"][1][0], "event_observed"].sum()
    assert found.counts["events"].tolist() == [repeats]


def test_what_cannot_be_compared_is_refused_in_a_sentence(monkeypatch):
    one = a_shop({"UK": (20, 0.02), "FR": (20, 0.03)}, seed=4)
    milestone = Milestone(name="onboarding", label="Onboarding", event="onboarded")
    with pytest.raises(BadParameter, match=r"the factors \(onboarding\) have none"):
        fit(one, [milestone])
    with pytest.raises(BadData, match="lacks the column"):
        fit(one, [Attribute(name="plan", label="Plan", column="plan")])
    alone = a_shop({"UK": (20, 0.02)}, seed=5)
    with pytest.raises(BadData, match="Country is left out"):
        fit(alone, [COUNTRY])
    monkeypatch.setattr(recurrent, "ROWS", 30)
    with pytest.raises(BadData, match="holds each of them in memory, at most 30"):
        fit(one, [COUNTRY])
