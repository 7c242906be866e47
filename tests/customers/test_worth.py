"""What customers are worth: what a model that has earned it expects, and what was observed."""

from __future__ import annotations

import dataclasses
import datetime as dt
import functools
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from retention_lab.customers import worth as worths
from retention_lab.customers.rfm import Cuts
from retention_lab.customers.segments import segmented
from retention_lab.customers.spending import INSTEAD
from retention_lab.customers.summary import purchases as summarised
from retention_lab.customers.worth import worth
from retention_lab.inference.btyd import fitting, spend, value
from retention_lab.inference.interval import Interval
from retention_lab.inference.moments import mean
from retention_lab.tables import engine, playbook
from retention_lab.tables.engine import collect
from retention_lab.tables.worth import Value

from .orders import order_table
from .spenders import START, bought, rows

SPAN, AFTER = 600, 365
AS_OF = START + dt.timedelta(days=SPAN - 1)
RULES = playbook.load("").segments
YEAR = Value(months=12, yearly_discount=0.1, margin=0.4)
LINES = {"recency": [30, 90, 180, 365], "frequency": [1, 2, 3, 5], "monetary": [20, 40, 80, 200]}
CUTS = Cuts(currency="GBP", **{name: {"all": lines} for name, lines in LINES.items()})
BOT = [("bot", (START + dt.timedelta(days=day)).isoformat(), 500) for day in range(SPAN)]


@functools.cache
def purchases():
    """Who bought when and for how much, in the shop and in the year after it."""
    return bought(np.random.default_rng(4), customers=700, span=SPAN, after=AFTER)


@functools.cache
def known():
    who, day, amount = purchases()
    here = day < SPAN
    return tuple(rows(who[here], day[here], amount[here]))


def stood(people, returns=None):
    """A snapshot, as far as this looks at it, and where its customers stand."""
    orders = order_table(people)
    back = None
    if returns is not None:
        back = order_table(returns).rename(returned_on="ordered_on")
    summary = summarised(orders, back, as_of=AS_OF, within=RULES.within)
    shop = SimpleNamespace(
        orders=orders, as_of=AS_OF, history_days=SPAN, currency="GBP", minor_per_unit=100
    )
    return shop, engine.keep(segmented(summary, cuts=CUTS, segments=RULES), where="test")


def found(people, returns=None):
    shop, now = stood(people, returns)
    return worth(shop, now, value=YEAR, rules=RULES), collect(now)


@functools.cache
def usual():
    return stood(known())


@functools.cache
def told():
    shop, now = usual()
    return worth(shop, now, value=YEAR, rules=RULES), collect(now)


def fit_of(people):
    names = ["frequency", "recency", "T"]
    counted = people.groupby(names, as_index=False).size().rename(columns={"size": "weight"})
    return fitting.likelier(counted)


def test_the_value_of_a_cohort_is_that_of_its_customers():
    got, people = told()
    means = people["repeat_revenue"] / people["frequency"].clip(lower=1) / 100
    one_each = people.assign(monetary=means)
    each = value.discounted(
        fit_of(people),
        spend.fit(one_each),
        one_each,
        months=12,
        monthly_discount=1.1 ** (1 / 12) - 1,
    )
    by_hand = 100 * 0.4 * each["value"].groupby(people["cohort"]).sum()
    assert got.by["group"].tolist() == [rule.name for rule in RULES.cohorts]
    assert got.by["value"].tolist() == pytest.approx(by_hand[got.by["group"]].tolist(), rel=1e-4)
    assert got.total.value == pytest.approx(got.by["value"].sum())
    assert got.customers == got.by["customers"].sum() == len(people)
    assert (got.model, got.money, got.why, got.kept) == ("MBG/NBD", "", "", 1.0)


def test_what_came_lies_within_the_range_of_the_total():
    who, day, amount = purchases()
    here = np.isin(who, who[day < SPAN]) & (day >= SPAN)
    shop, now = usual()
    got = worth(shop, now, value=Value(months=12, yearly_discount=0.0), rules=RULES)
    assert got.total.low < amount[here].sum() < got.total.high


def test_what_was_observed_is_revenue_per_customer_of_the_last_days():
    got, people = told()
    for row in got.observed.to_dict("records"):
        revenue = people.loc[people["cohort"] == row["group"], "revenue_within"]
        by_hand = mean(n=len(revenue), total=int(revenue.sum()), squares=int((revenue**2).sum()))
        assert (row["customers"], row["value"]) == (len(revenue), by_hand.value)
        assert (row["low"], row["high"]) == (by_hand.low, by_hand.high)


def test_what_is_usually_sent_back_is_taken_off():
    back = [(who, day, amount // 4) for who, day, amount in known()]
    share = 1 - sum(row[2] for row in back) / sum(row[2] for row in known())
    got, _ = found(known(), back)
    assert got.kept == pytest.approx(share)
    assert got.total.value == pytest.approx(share * told()[0].total.value, rel=1e-6)


def test_who_buys_nearly_daily_is_in_no_model_but_in_what_was_observed():
    got, people = found([*known(), *BOT])
    assert (got.left_out, got.customers) == (1, len(people))
    assert got.total.value == pytest.approx(told()[0].total.value, rel=1e-6)
    assert got.observed["customers"].sum() == len(people)


def test_a_customer_for_ever_has_no_value(monkeypatch):
    likelier = fitting.likelier

    def never_gone(patterns):
        fit = likelier(patterns)
        return dataclasses.replace(fit, process=dataclasses.replace(fit.process, model="BG/NBD"))

    monkeypatch.setattr(fitting, "likelier", never_gone)
    shop, now = usual()
    got = worth(shop, now, value=YEAR, rules=RULES)
    again = collect(now.filter(now.frequency > 0))
    assert got.model == "BG/NBD"
    assert got.by["group"].tolist() == ["high-value repeat", "mid-value repeat"]
    assert got.by["customers"].sum() == len(again)


def test_spending_that_goes_with_frequency_counts_by_cohort():
    often = pd.DataFrame(known(), columns=["who", "day", "amount"])
    count = often.groupby("who")["day"].transform("size")
    dear = often.assign(amount=often["amount"] * (1 + count // 3))
    got, people = found(dear.itertuples(index=False))
    assert got.money.startswith("Who buys often spends more on a purchase (correlation ")
    assert got.money.endswith(f"{INSTEAD}.")
    per_purchase = people.groupby("cohort")[["revenue", "purchases"]].sum()
    means = per_purchase["revenue"] / per_purchase["purchases"]
    rates = got.by.set_index("group")
    ahead = rates["value"] / rates["expected"] / means[rates.index] / 0.4
    assert ((ahead > 0.9) & (ahead < 1)).all()  # what is left is the discount


def test_an_earlier_miss_widens_the_range_by_what_its_own_range_did_not_allow():
    expected = Interval(value=100.0, low=100 / 1.1, high=110.0)
    near, far = (
        worths._off(dataclasses.replace(told()[0].tracking, expected=expected, actual=actual))
        for actual in (104, 200)
    )
    assert near == 0
    assert near < far < np.log(2)


def test_a_model_that_does_not_beat_the_naive_forecast_gives_no_value(monkeypatch):
    tried = told()[0].trial
    gain = Interval(value=0.1, low=-0.1, high=0.3)
    level = dataclasses.replace(tried, tracking=dataclasses.replace(tried.tracking, gain=gain))
    monkeypatch.setattr(worths, "trial", lambda _shop: level)
    shop, now = usual()
    got = worth(shop, now, value=YEAR, rules=RULES)
    assert (got.by, got.total, got.why) == (None, None, worths.NO_BETTER)
    assert got.tracking == level.tracking
    assert len(got.observed) == 3


@pytest.mark.parametrize(
    ("people", "why"),
    [
        ([("a", "2023-01-01", 500), ("a", "2024-06-01", 500)], worths.TOO_LITTLE),
        (BOT, worths.TOO_LITTLE),
        ([(who, day, 0) for who, day, _ in known()], worths.WORTHLESS),
    ],
)
def test_what_cannot_be_learnt_is_a_sentence(people, why):
    got, _ = found(people)
    assert (got.why, got.by, got.total) == (why, None, None)


def test_who_sent_everything_back_has_no_value():
    got, _ = found(known(), known())
    assert (got.why, got.total) == (worths.WORTHLESS, None)
