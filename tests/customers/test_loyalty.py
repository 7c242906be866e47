"""The ladder of loyalty: everybody stands on one step, and some are one purchase below another."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import ibis
import numpy as np
import pandas as pd
import pytest

from retention_lab.checks import BadData
from retention_lab.customers.loyalty import tiers
from retention_lab.inference.proportions import proportion
from retention_lab.tables.worth import Tier

ASKED = {"owner": "Loyalty", "review_by": dt.date(2027, 1, 1)}
LADDER = (
    Tier(name="Gold", purchases=6, spent=300, **ASKED),
    Tier(name="Silver", purchases=3, spent=19.99, **ASKED),
    Tier(name="Bronze", purchases=1, **ASKED),
    Tier(name="Resting", **ASKED),
)
COLUMNS = ["purchases", "revenue", "purchases_within", "revenue_within"]


def now(*rows):
    """A summary of customers, money in minor units."""
    return ibis.memtable(pd.DataFrame([*rows], columns=COLUMNS, dtype="int64"))


def counted(*rows, ladder=LADDER):
    return tiers(now(*rows), tiers=ladder, currency="GBP").set_index("tier")


def step(purchases, revenue):
    """Number of the first tier that takes it, by hand and in exact money."""
    for place, tier in enumerate(LADDER):
        enough = not tier.spent or revenue >= Decimal(str(tier.spent)) * 100
        if (purchases >= tier.purchases and enough) or place == len(LADDER) - 1:
            return place
    return None


def test_tiers_are_those_of_each_customer_counted_by_hand():
    rng = np.random.default_rng(3)
    rows = []
    for _customer in range(300):
        within = int(rng.integers(0, 9))
        purchases = within + int(rng.integers(0, 4)) + (within == 0)
        spent = within * int(rng.integers(-200, 9_000))
        rows.append((purchases, spent + int(rng.integers(0, 5_000)), within, spent))
    places = [step(row[2], row[3]) for row in rows]
    after = [step(row[2] + 1, row[3] + row[1] // row[0]) for row in rows]
    found = counted(*rows).reset_index()
    for place, row in found.iterrows():
        assert row["customers"] == places.count(place)
        assert row["revenue_within"] == sum(
            each[3] for each, at in zip(rows, places, strict=True) if at == place
        )
        moved = [b for a, b in zip(places, after, strict=True) if b < a]
        assert row["one_away"] == moved.count(place)
        share = proportion(row["customers"], len(rows))
        assert (row["share"], row["low"], row["high"]) == (share.value, share.low, share.high)
    assert found["customers"].sum() == len(rows)
    assert found["revenue_share"].sum() == pytest.approx(1)


def test_a_line_belongs_to_the_tier_that_it_begins():
    # 19.99 is 1,999 hundredths, though in floats a little less.
    found = counted((3, 1_999, 3, 1_999), (3, 1_998, 3, 1_998))
    assert found["customers"].tolist() == [0, 1, 1, 0]


def test_a_tier_without_a_sum_takes_whoever_sent_back_more_than_they_bought():
    found = counted((2, -500, 1, -500))
    assert found["customers"].to_dict()["Bronze"] == 1
    assert found["revenue_share"].isna().all()  # there is no revenue to share


def test_one_away_spends_what_a_purchase_has_brought_so_far():
    near = (10, 100_000, 5, 20_001)  # 100.00 a purchase: 200.01 and that are 300.01
    short = (10, 100_000, 5, 19_999)
    assert counted(near)["one_away"].tolist() == [1, 0, 0, 0]
    assert counted(short)["one_away"].tolist() == [0, 0, 0, 0]


def test_whoever_could_skip_a_step_is_away_from_the_higher_one():
    ladder = (Tier(name="Top", purchases=1, spent=5, **ASKED), *LADDER[2:])
    found = counted((1, 1_000, 0, 0), ladder=ladder)
    assert found["one_away"].tolist() == [1, 0, 0]


def test_nobody_within_the_window_leaves_all_on_the_last_step():
    found = counted((1, 500, 0, 0), (4, 9_000, 0, 0))
    assert found["customers"].tolist() == [0, 0, 0, 2]
    assert found["one_away"].tolist() == [0, 0, 2, 0]


def test_a_buyer_of_every_day_and_a_ladder_of_one_step_are_counted():
    assert counted((900, 10**15, 365, 10**15))["customers"].tolist() == [1, 0, 0, 0]
    assert counted((1, 1, 1, 1), ladder=LADDER[-1:])["customers"].tolist() == [1]


def test_no_customer_or_a_missing_column_is_refused():
    with pytest.raises(BadData, match="nobody stands on a tier"):
        tiers(now(), tiers=LADDER, currency="GBP")
    with pytest.raises(BadData, match="purchases_within"):
        tiers(now((1, 1, 1, 1)).drop("purchases_within"), tiers=LADDER, currency="GBP")
