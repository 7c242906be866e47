"""Outcomes by arm, before and after time zero, held against the values of single customers."""

from __future__ import annotations

import datetime as dt
from itertools import combinations_with_replacement

import numpy as np
import pandas as pd
import pytest
from scipy.stats import ttest_ind

from retention_lab.checks import BadData
from retention_lab.experiments import cleaner
from retention_lab.experiments.outcomes import outcome
from retention_lab.inference.means import difference

from .trial import DAY, DAYS, ZERO, by_hand, frames, shop_of


def arms(name, *, cluster=None, people=None, records_from=dt.date(2025, 1, 1), **tables):
    made = {"people": people} if people is not None else {}
    shop, put = shop_of(records_from=records_from, **frames() | made | tables)
    return cleaner.arms(shop, put, outcome(name), days=DAYS, cluster=cluster)


def of_arms(column):
    found = by_hand()
    return [found.loc[found["arm"] == arm, column].to_numpy() for arm in ("hello", "control")]


SIDES = {
    "orders": ("days", None),
    "revenue_per_customer": ("net", None),
    "average_order_value": ("net", "days"),
}


@pytest.mark.parametrize("name", SIDES)
def test_sums_after_and_before_are_those_of_single_customers(name):
    made = frames()
    shop, people = shop_of(made["people"], orders=made["orders"])
    found = cleaner.sums(shop, people, [outcome(name)], days=DAYS)[name]
    y, x = SIDES[name]
    for _, row in found.iterrows():
        rows = by_hand().query("arm == @row['arm']").assign(one=1)
        each = {
            f"{side}{when}": rows[f"{column}{when}" if column else "one"].astype(int)
            for side, column in (("y", y), ("x", x))
            for when in ("", "_before")
        }
        assert {side: row[side] for side in each} == {k: v.sum() for k, v in each.items()}
        for (one, left), (other, right) in combinations_with_replacement(each.items(), 2):
            name = f"{one}*{other}"
            assert row[name if name in row else f"{other}*{one}"] == (left * right).sum()
        assert row["customers"] == row["units"] == row["reaching"] == len(rows)
        assert row["did"] == (each["y"] != 0).sum()


def test_what_was_answered_after_time_zero_was_not_known_before_it():
    people = frames()["people"].head(2).assign(arm="hello")
    zero, opened = people["reached_at"], people["reached_at"] - 2 * DAY
    answered = [zero[0] - DAY, zero[1] + DAY]
    tickets = {"customer_id": people["customer_id"], "opened_at": opened, "csat": 5}
    rows = pd.DataFrame(tickets).assign(resolved_at=answered)
    shop, put = shop_of(people, tickets=rows)
    found = cleaner.sums(shop, put, [outcome("csat")], days=DAYS)["csat"].iloc[0]
    assert (found["x_before"], found["y_before"], found["x"]) == (1, 1, 0)


def test_a_mean_is_compared_less_what_the_same_days_before_explain():
    found = arms("revenue_per_customer")
    y, before = of_arms("net"), of_arms("net_before")
    every, past = np.concatenate(y), np.concatenate(before)
    slope = np.cov(every, past)[0, 1] / past.var(ddof=1)
    values = [(a - slope * b) / 100 for a, b in zip(y, before, strict=True)]
    expected = ttest_ind(*values, equal_var=False)
    one, other = found["hello"], found["control"]
    got = difference(one.cleaned, other.cleaned)
    assert got.value == pytest.approx(values[0].mean() - values[1].mean())
    assert got.p_value == pytest.approx(expected.pvalue)
    assert one.raw.value == pytest.approx(y[0].mean() / 100)
    assert got.std_error < 0.95 * difference(one.raw, other.raw).std_error


def test_nothing_is_adjusted_where_records_begin_later_than_somebodys_days_before():
    first = frames()["people"]["reached_at"].min() - DAYS * DAY
    assert arms("orders", records_from=first.date() - DAY)["hello"].cleaned is not None
    assert arms("orders", records_from=first.date())["hello"].cleaned is None


def test_what_happens_in_the_second_of_time_zero_is_neither_before_nor_after_it():
    people = pd.DataFrame({"customer_id": [*"abcd"], "arm": [*"xxyy"], "reached_at": ZERO})
    second = pd.Timedelta(seconds=1)
    at = [ZERO, ZERO - second, ZERO + second, ZERO - DAYS * DAY]
    orders = pd.DataFrame({"customer_id": [*"abcd"], "ordered_at": at, "amount": 1})
    shop, put = shop_of(people, orders=orders)
    found = cleaner.sums(shop, put, [outcome("revenue_per_customer")], days=DAYS)[
        "revenue_per_customer"
    ]
    assert found[["y", "y_before"]].to_numpy().tolist() == [[0, 1], [1, 0]]


def test_a_share_of_customers_is_a_share_and_not_adjusted():
    found = arms("unsubscribe")
    gone = of_arms("gone")[0]
    assert found["hello"].is_share
    assert found["hello"].cleaned is None
    assert (found["hello"].did, found["hello"].raw.value) == (gone.sum(), gone.mean())


@pytest.mark.parametrize("name", ["unsubscribe", "orders"])
def test_customers_of_a_household_are_one_unit_and_the_unknown_one_each(name):
    column = {"unsubscribe": "gone", "orders": "days"}[name]
    rows = by_hand().query("arm == 'hello'").reset_index()
    alone = rows["household"] == "unknown"
    rows["household"] = rows["household"].mask(alone, rows["customer_id"])
    each = rows.groupby("household")[column].agg(["sum", "size"])
    mean, units = rows[column].mean(), len(each)
    spread = ((each["sum"] - mean * each["size"]) ** 2).sum()
    found = arms(name, cluster="household")["hello"]
    assert found.raw.value == pytest.approx(mean)
    expected = np.sqrt(units / (units - 1) * spread) / len(rows)
    assert found.raw.std_error == pytest.approx(expected)
    assert (found.customers, found.is_share, found.raw.freedom) == (len(rows), False, units - 1)


def test_an_arm_that_was_not_followed_for_so_long_says_so():
    people = frames()["people"].copy()
    people.loc[people["arm"] == "hello", "reached_at"] = pd.Timestamp("2025-06-20")
    found = arms("orders", people=people)
    assert (found["hello"].customers, found["hello"].left_out) == (0, sum(people["arm"] == "hello"))
    assert found["hello"].why == "No customer of an arm has been followed for 30 days yet."
    assert found["control"].raw is not None


def test_what_cannot_be_divided_has_no_average():
    nobody = frames()["orders"].head(1).assign(ordered_at=pd.Timestamp("2025-01-02"))
    found = arms("average_order_value", orders=nobody)
    assert found["hello"].why == "An arm has nothing to divide by yet."
    lonely = frames()["people"].assign(arm=lambda rows: rows["arm"].where(rows.index > 0, "lone"))
    found = arms("orders", people=lonely)
    assert found["lone"].why == "An arm has only one customer or cluster yet."
    assert found["hello"].cleaned is not None


def test_a_ratio_that_nobody_had_before_is_as_it_is():
    later = frames()["orders"].merge(frames()["people"]).query("ordered_at > reached_at")
    found = arms("average_order_value", orders=later[["customer_id", "ordered_at", "amount"]])
    assert found["hello"].raw is not None
    assert found["hello"].cleaned is None


def test_nobody_assigned_and_columns_that_lack_are_told():
    people = frames()["people"]
    with pytest.raises(BadData, match="Nobody was assigned to an arm"):
        arms("orders", people=people.head(0))
    with pytest.raises(BadData, match="people lacks the column"):
        arms("orders", people=people.drop(columns="arm"))
    with pytest.raises(BadData, match="has no tickets"):
        arms("csat")
