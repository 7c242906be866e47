"""Activity tiers."""

from __future__ import annotations

import datetime as dt

import pandas as pd
import pytest

from retention_lab.checks import BadData, BadParameter
from retention_lab.customers.activity import activity_tier, activity_tiers
from retention_lab.inference.proportions import proportion

from .orders import oracle_days, order_table, random_rows

AS_OF = dt.date(2023, 9, 30)


def test_edges_belong_to_the_lower_tier():
    assert activity_tier([0, 7, 8], edges=[7]) == ["0-7", "0-7", "7+"]


@pytest.mark.parametrize("edges", [(30, 90), (7, 14, 28, 180)])
def test_tiers_agree_with_pandas_and_hold_everybody_once(edges):
    rows = random_rows(3)
    last = oracle_days(rows, AS_OF).groupby("customer_id")["day"].max()
    silent = (pd.Timestamp(AS_OF) - last).dt.days
    bins = pd.cut(silent, [-1, *edges, 10**6])
    got = activity_tiers(order_table(rows), as_of=AS_OF, edges=edges)
    assert got["customers"].tolist() == silent.groupby(bins, observed=False).size().tolist()
    assert got["customers"].sum() == len(last)
    assert got["share"].sum() == pytest.approx(1)
    first, wilson = got.iloc[0], proportion(int(got["customers"].iloc[0]), len(last))
    assert (first["share"], first["low"], first["high"]) == (wilson.value, wilson.low, wilson.high)


def test_an_empty_tier_is_shown_with_its_interval():
    got = activity_tiers(order_table([("a", "2023-09-30", 1)]), as_of=AS_OF)
    assert got["tier"].tolist() == ["0-30", "31-90", "90+"]
    assert got["customers"].tolist() == [1, 0, 0]
    assert got["high"].gt(0).all()


@pytest.mark.parametrize("edges", [(), (90, 30), (30, 30), (-1, 3)])
def test_edges_that_do_not_rise_are_refused(edges):
    with pytest.raises(BadParameter, match="edges must be days that rise"):
        activity_tiers(order_table([]), as_of=AS_OF, edges=edges)


def test_tiers_of_nobody_are_refused():
    with pytest.raises(BadData, match="Nobody has bought"):
        activity_tiers(order_table([("a", "2023-10-01", 1)]), as_of=AS_OF)
