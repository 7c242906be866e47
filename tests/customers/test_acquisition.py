"""Groups by how customers came: their curves, the test between them, and who is not compared."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pytest
from lifelines import KaplanMeierFitter
from lifelines.statistics import multivariate_logrank_test

from retention_lab.checks import BadParameter
from retention_lab.customers import acquisition, groups
from retention_lab.customers.acquisition import acquired

from .test_explain import shop_of

AS_OF = dt.date(2023, 12, 31)
START = dt.date(2023, 1, 1)


def drawn(seed=1, *, scales, size=150, span=300):
    """Draw orders and customers of channels whose second purchase takes `scales` days on average.

    Their country and age say nothing. Each also has a third purchase, which must not count.
    """
    rng = np.random.default_rng(seed)
    rows, people = [], []
    for channel, scale in scales.items():
        for number in range(size):
            who = f"{channel}{number}"
            country = str(rng.choice(["UK", "FR"]))
            age = str(rng.choice(["young", "old"]))
            person = {"customer_id": who, "channel": channel, "country": country, "age": age}
            people.append(person)
            day = START + dt.timedelta(days=int(rng.integers(span)))
            for _purchase in range(3):
                rows.append({"customer_id": who, "ordered_on": day, "amount": 1})
                day += dt.timedelta(days=1 + int(rng.exponential(scale)))
    return rows, people


def waited(rows, people, *, as_of=AS_OF):
    """The rows that lifelines takes: days to the second purchase, and whether it came."""
    frame = pd.DataFrame(rows)
    frame = frame[frame["ordered_on"] <= as_of].sort_values("ordered_on")
    days = frame.groupby("customer_id")["ordered_on"].apply(list)
    pairs = [(each[0], each[1]) if len(each) > 1 else (each[0], None) for each in days]
    found = pd.DataFrame(
        {
            "customer_id": days.index,
            "day": [((second or as_of) - first).days for first, second in pairs],
            "again": [second is not None for _first, second in pairs],
        }
    )
    return found.merge(pd.DataFrame(people), on="customer_id")


def by_name(parts):
    return {one.by: one for one in parts}


ROWS, PEOPLE = drawn(scales={"fast": 40, "slow": 150, "other": 90})
FOUND = by_name(acquired(shop_of(ROWS, PEOPLE, as_of=AS_OF), days=60))


def test_shares_and_tests_are_those_of_lifelines_on_rows():
    rows, one = waited(ROWS, PEOPLE), FOUND["channel"]
    test = multivariate_logrank_test(rows["day"], rows["channel"], rows["again"])
    assert one.differ.statistic == pytest.approx(test.test_statistic, rel=1e-9)
    shares = one.shares.set_index("group")
    for name, part in rows.groupby("channel"):
        fitted = KaplanMeierFitter().fit(part["day"], part["again"])
        assert shares.loc[name, "share"] == pytest.approx(1 - float(fitted.predict(60)), rel=1e-9)
        assert shares.loc[name, "customers"] == len(part)
        bounds = fitted.confidence_interval_survival_function_.loc[:60].iloc[-1]
        given = 1 - shares.loc[name, ["high", "low"]].to_numpy(dtype="float64")
        assert given == pytest.approx(bounds.to_numpy(), rel=1e-9)


def test_only_the_planted_attribute_tells_groups_apart():
    assert FOUND["channel"].p_value < 1e-6
    assert min(FOUND[name].p_value for name in ("country", "age")) > 0.05


def test_the_p_values_are_holm_s():
    raw = sorted(one.differ.p_value for one in FOUND.values())
    given = sorted(one.p_value for one in FOUND.values())
    # Holm (1979): the smallest of three times three, the next times two, none below the one before.
    assert given == pytest.approx([3 * raw[0], 2 * raw[1], max(2 * raw[1], raw[2])])


def test_the_widest_gap_has_a_wider_range_than_a_pair_chosen_before():
    gap, shares = FOUND["channel"].gap, FOUND["channel"].shares.set_index("group")
    assert (gap.high, gap.low) == ("fast", "slow")
    assert gap.points.value == pytest.approx(
        shares.loc["fast", "share"] - shares.loc["slow", "share"]
    )
    alone = acquisition.minus(
        *(acquisition._share(FOUND["channel"].grids[name], days=60) for name in ("fast", "slow"))
    )
    assert gap.points.low < alone.low
    assert gap.points.high > alone.high


@pytest.mark.slow
def test_the_widest_gap_leaves_out_zero_no_more_often_than_it_says():
    rng, times, wrong = np.random.default_rng(20261129), 200, 0
    for _time in range(times):
        grids = {}
        for name in "abcdef":
            day, end = rng.geometric(1 / 120, 120), rng.integers(60, 300, 120)
            frame = pd.DataFrame({"day": np.minimum(day, end), "events": (day <= end).astype(int)})
            frame["censored"] = 1 - frame["events"]
            grids[name] = frame.groupby("day", as_index=False).sum()
        shares = acquisition._shares(grids, days=90)
        wrong += acquisition._gap(grids, shares, days=90).points.low > 0
    # At most 5 in 100 of all families, and four standard errors of that for chance.
    assert wrong / times <= 0.05 + 4 * np.sqrt(0.05 * 0.95 / times)


def test_small_groups_are_among_all_others_which_stand_last():
    rows, people = drawn(2, scales={"big": 50, "mid": 50}, size=60)
    for number, one in enumerate(people):
        one["channel"] = "tiny" if number < groups.LEAST - 1 else one["channel"]
        one["channel"] = "rare" if one["channel"] == "mid" and number % 9 == 0 else one["channel"]
    one = by_name(acquired(shop_of(rows, people, as_of=AS_OF)))["channel"]
    assert [*one.grids] == ["mid", "big", groups.REST]
    counted = [grid[["events", "censored"]].to_numpy().sum() for grid in one.grids.values()]
    assert sum(counted) == len(people)
    assert min(counted) >= groups.LEAST


def test_a_share_that_would_tell_of_a_few_is_left_out():
    rows, people = drawn(3, scales={"fast": 30, "slow": 9_000})
    one = by_name(acquired(shop_of(rows, people, as_of=AS_OF), days=60))["channel"]
    assert one.shares["group"].tolist() == ["fast"]
    assert one.gap is None
    assert one.differ is not None


def test_later_orders_and_people_without_orders_change_nothing():
    more = [*ROWS, {"customer_id": "late", "ordered_on": AS_OF + dt.timedelta(days=1), "amount": 1}]
    people = [*PEOPLE, {"customer_id": "late", "channel": "fast", "country": "UK", "age": "old"}]
    people.append({"customer_id": "never", "channel": "slow", "country": "FR", "age": "old"})
    again = by_name(acquired(shop_of(more, people, as_of=AS_OF), days=60))
    for name, one in FOUND.items():
        pd.testing.assert_frame_equal(again[name].shares, one.shares)


def test_what_cannot_be_compared_says_why():
    rows = [{"customer_id": f"c{n}", "ordered_on": START, "amount": 1} for n in range(60)]
    people = [
        {"customer_id": f"c{n}", "channel": "web" if n % 2 else "shop", "country": "UK"}
        for n in range(60)
    ]
    found = by_name(acquired(shop_of(rows, people, as_of=AS_OF)))
    assert found["country"].why == f"only one group has {groups.LEAST} customers or more"
    assert found["channel"].why.startswith("nobody has bought again yet")
    assert all(one.differ is None and one.p_value is None for one in found.values())


def test_a_shop_of_one_day_has_nothing_to_compare():
    rows = [{"customer_id": f"c{n}", "ordered_on": AS_OF, "amount": 1} for n in range(40)]
    people = [{"customer_id": f"c{n}", "channel": "ab"[n % 2]} for n in range(40)]
    (one,) = acquired(shop_of(rows, people, as_of=AS_OF))
    assert one.differ is None
    assert one.shares.empty


def test_without_attributes_there_is_no_part():
    rows = [{"customer_id": "c", "ordered_on": START, "amount": 1}]
    assert acquired(shop_of(rows, [{"customer_id": "c"}], as_of=AS_OF)) == ()
    with pytest.raises(BadParameter, match="days must be at least 1"):
        acquired(shop_of(rows, [{"customer_id": "c"}], as_of=AS_OF), days=0)
