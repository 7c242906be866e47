"""Who moved between two days, and what chance alone moves."""

from __future__ import annotations

import dataclasses
import functools

import numpy as np
import pandas as pd
import pytest
from ibis import _
from scipy import stats

from retention_lab.checks import BadData
from retention_lab.customers.migration import flows, moves
from retention_lab.customers.standing import groups, standing
from retention_lab.inference.proportions import proportion
from retention_lab.tables import playbook
from retention_lab.tables.engine import collect
from retention_lab.tables.segment import Segments

from .shops import random_shop, shop_of

RULES = playbook.load("").segments
BY = ("cohort", "segment", "activity")
CHANCE = ["by_chance", "chance_low", "chance_high"]


@functools.cache
def stood():
    return standing(random_shop(), RULES, thresholds=None)


@functools.cache
def both():
    """Everybody who had bought by the earlier day, as they stood on both."""
    before, now = (collect(table) for table in (stood().before, stood().now))
    return before.merge(now, on="customer_id", suffixes=("_then", "_now"))


def steady(seed, *, customers, fall=1.0):
    """Orders of customers who joined before May 2023 and never change how often they buy.

    From 3 May 2024 on, what they buy is multiplied by `fall`.
    """
    rng = np.random.default_rng(seed)
    days = pd.date_range("2023-01-01", "2024-08-01")
    rate = rng.gamma(0.8, 1 / 40, customers)
    start = rng.integers(0, 120, customers)
    chance = np.outer(rate, np.where(days > pd.Timestamp("2024-05-03"), fall, 1))
    bought = rng.random(chance.shape) < chance
    bought &= np.arange(len(days)) > start[:, None]
    bought[np.arange(customers), start] = True
    who, when = bought.nonzero()
    spent = rng.lognormal(3, 0.5, customers)[who] * rng.lognormal(0, 0.5, len(who)) * 100
    return pd.DataFrame({"who": who.astype(str), "day": days[when], "amount": spent.astype(int)})


@pytest.mark.parametrize("by", BY)
def test_moves_count_every_pair_with_its_money(by):
    got, rows = moves(stood(), by=by), both()
    names = groups(RULES, by=by)
    assert list(zip(got["before"], got["now"], strict=True)) == [
        (a, b) for a in names for b in names
    ]
    pairs = rows.groupby([f"{by}_then", f"{by}_now"])
    for pair in got.itertuples():
        try:
            part = pairs.get_group((pair.before, pair.now))
        except KeyError:
            part = rows[:0]
        of = (rows[f"{by}_then"] == pair.before).sum()
        assert pair.customers == len(part)
        assert pair.revenue_before == part["revenue_recent_then"].sum()
        assert pair.revenue_now == part["revenue_recent_now"].sum()
        if of:
            share = proportion(len(part), of)
            assert (pair.share, pair.low, pair.high) == (share.value, share.low, share.high)
        else:
            assert pd.isna([pair.share, pair.low, pair.high]).all()


@pytest.mark.parametrize("by", BY)
def test_flows_count_who_left_and_came_and_who_of_them_is_long_standing(by):
    rows, got = both(), flows(stood(), by=by).set_index("group")
    long = rows[rows["first_day_then"] <= pd.Timestamp(stood().long_since)]
    assert 0 < len(long) < len(rows)
    for name, row in got.iterrows():
        for of, what in ((rows, ["customers", "left"]), (long, ["long_standing", "left_long"])):
            then, now = of[f"{by}_then"] == name, of[f"{by}_now"] == name
            assert row[what].tolist() == [then.sum(), (then & ~now).sum()]
        assert row["came_long"] == (~then & now).sum()
    assert got["customers"].sum() == len(rows)


def test_chance_halves_those_who_leave_or_come():
    got = flows(stood(), by="activity")
    either = got["left_long"] + got["came_long"]
    assert got["by_chance"].tolist() == (either / 2).tolist()
    for n, low, high in zip(either, got["chance_low"], got["chance_high"], strict=True):
        assert stats.binom.cdf(low - 1, n, 0.5) < 0.025 <= stats.binom.cdf(low, n, 0.5)
        assert stats.binom.sf(high, n, 0.5) <= 0.025 < stats.binom.sf(high - 1, n, 0.5)


def test_groups_that_a_second_purchase_divides_have_no_chance():
    got = flows(stood(), by="cohort").set_index("group")
    assert got[CHANCE].isna().all(axis=1).to_dict() == {
        "one-time": True,
        "high-value repeat": False,
        "mid-value repeat": True,
    }
    assert got.loc["one-time", "came_long"] == 0
    assert not flows(stood(), by="segment")[CHANCE].isna().any(axis=None)
    # Lines under which nothing spent is much: then even the best are whoever comes back.
    lines = stood().thresholds
    cuts = lines.cuts.model_copy(update={"monetary": {"all": (0.0, 0.0, 0.0, 10.0)}})
    odd = dataclasses.replace(stood(), thresholds=lines.model_copy(update={"cuts": cuts}))
    assert flows(odd, by="cohort")[CHANCE].isna().all(axis=None)
    # Rules of a team's own, that ask for a second purchase of those whom all scores fit.
    owned = {"owner": "Insights", "review_by": "2027-03-31"}
    again = [{"name": "back", "bought": "again", **owned}, {"name": "rest", **owned}]
    rules = Segments.model_validate({"cohorts": again, "named": again})
    mine = standing(random_shop(), rules, thresholds=None)
    assert flows(mine, by="segment")[CHANCE].isna().all(axis=None)


def test_a_shop_without_an_earlier_day_has_no_moves():
    young = dataclasses.replace(stood(), before=None, then=None)
    for ask in (moves, flows):
        with pytest.raises(BadData, match="Nobody had bought 90 days before 2025-02-01"):
            ask(young, by="cohort")


def test_nobody_of_long_standing_leaves_nothing_to_chance():
    newer = stood().before.filter(_.first_day > stood().long_since)
    got = flows(dataclasses.replace(stood(), before=newer), by="activity")
    assert (got[["long_standing", "left_long", "came_long", *CHANCE]] == 0).all(axis=None)
    assert got["left"].sum() > 0


def test_a_planted_fall_is_more_than_chance():
    shop = shop_of(steady(5, customers=600, fall=0.4), as_of="2024-08-01")
    got = flows(standing(shop, RULES, thresholds=None), by="cohort").set_index("group")
    high = got.loc["high-value repeat"]
    assert high["came_long"] < high["chance_low"] < high["chance_high"] < high["left_long"]


@pytest.mark.slow
def test_the_range_by_chance_holds_what_leaves_95_in_100_steady_shops():
    shops, size = 200, 200
    rows = steady(11, customers=shops * size)
    stand = standing(shop_of(rows, as_of="2024-08-01"), RULES, thresholds=None)
    before, now = (
        table.mutate(shop=table.customer_id.cast("int64") // size)
        for table in (stand.before, stand.now)
    )
    found = pd.concat(
        flows(
            dataclasses.replace(
                stand, before=before.filter(_.shop == k), now=now.filter(_.shop == k)
            ),
            by=by,
        )
        for k in range(shops)
        for by in BY
    ).dropna(subset=CHANCE)
    n = found["left_long"] + found["came_long"]
    found = found.assign(
        n=n,
        holds=found["left_long"].between(found["chance_low"], found["chance_high"]),
        # Counts are whole, so each range holds a little more than 95 in 100.
        ought=stats.binom.cdf(found["chance_high"], n, 0.5)
        - stats.binom.cdf(found["chance_low"] - 1, n, 0.5),
    )
    for _name, each in found[n > 0].groupby("group"):
        error = (each["ought"] * (1 - each["ought"])).sum() ** 0.5
        assert abs(each["holds"].sum() - each["ought"].sum()) < 3.5 * error + 0.5
