"""A change split into mix and rate: it adds up, finds what was planted, and its intervals hold."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from retention_lab.checks import BadData
from retention_lab.inference.decomposition import MOMENTS, PAIRS, kitagawa
from retention_lab.inference.moments import RatioMoments, ratio

EXACT = 1e-12


def sums(frame):
    """Sums by group of customers with `group`, `y` and `x`, in Python's whole numbers."""
    found = {}
    for group, y, x in zip(*(frame[name].tolist() for name in ("group", "y", "x")), strict=True):
        own = found.setdefault(group, dict.fromkeys(MOMENTS, 0))
        for name, value in zip(MOMENTS, (1, y, x, y * y, x * y, x * x), strict=True):
            own[name] += value
    return found


def moments(frame):
    rows = [{"group": group, **own} for group, own in sums(frame).items()]
    return pd.DataFrame(rows, columns=["group", *MOMENTS], dtype=object)


def customers(rng, shares, rates, *, n):
    """Draw customers of groups a, b, ... who did it or not, each at the rate of the group."""
    group = rng.choice(len(shares), size=n, p=shares)
    y = rng.random(n) < np.array(rates)[group]
    return pd.DataFrame({"group": np.array(list("abcdefgh"))[group], "y": y.astype(int), "x": 1})


def random_case(seed):
    """Two sides of some groups, a few of them on one side only, of shares or of money."""
    rng = np.random.default_rng(seed)
    names = np.array(list("abcdefgh"))[: rng.integers(1, 9)]
    sides = []
    for _ in range(2):
        kept = names[rng.random(names.size) < 0.8]
        kept = kept if kept.size else names[:1]
        n = int(rng.integers(2, 60))
        x = rng.integers(1, 4, n)
        high = rng.choice([2, 50_000, 10**15])
        sides.append(
            pd.DataFrame({"group": rng.choice(kept, n), "y": rng.integers(0, high, n), "x": x})
        )
    return sides


def parts_by_hand(now, before):
    """Kitagawa's two sums, group by group, from the customers themselves."""
    sides = [sums(side) for side in (now, before)]
    totals = [sum(own["x"] for own in side.values()) for side in sides]
    mix = rate = 0.0
    for group in sides[0].keys() | sides[1].keys():
        p, r = [], []
        for side, other, total in zip(sides, sides[::-1], totals, strict=True):
            p.append(side[group]["x"] / total if group in side else 0)
            own = side.get(group, other.get(group))
            r.append(own["y"] / own["x"])
        mix += (p[0] - p[1]) * (r[0] + r[1]) / 2
        rate += (p[0] + p[1]) / 2 * (r[0] - r[1])
    return mix, rate


@pytest.mark.parametrize("cases", [150, pytest.param(1_000, marks=pytest.mark.slow)])
def test_the_parts_add_up_in_random_cases(cases):
    for seed in range(cases):
        now, before = random_case(seed)
        found = kitagawa(moments(now), moments(before))
        change = now["y"].sum() / now["x"].sum() - before["y"].sum() / before["x"].sum()
        size = max(now["y"].max(), before["y"].max(), 1)
        tolerance = {"rel": 0, "abs": EXACT * size}
        assert found.mix.value + found.rate.value == pytest.approx(change, **tolerance)
        assert found.change.value == pytest.approx(change, **tolerance)
        assert found.groups["mix"].sum() == pytest.approx(found.mix.value, **tolerance)
        assert found.groups["rate"].sum() == pytest.approx(found.rate.value, **tolerance)
        mix, rate = parts_by_hand(now, before)
        assert found.mix.value == pytest.approx(mix, **tolerance)
        assert found.rate.value == pytest.approx(rate, **tolerance)


def test_two_groups_meet_the_working_by_hand():
    # Now: a 30 of 60 (0.5), b 4 of 40 (0.1). Before: a 24 of 40 (0.6), b 12 of 60 (0.2).
    now = pd.DataFrame(
        {"group": ["a"] * 60 + ["b"] * 40, "y": [1] * 30 + [0] * 30 + [1] * 4 + [0] * 36, "x": 1}
    )
    before = pd.DataFrame(
        {"group": ["a"] * 40 + ["b"] * 60, "y": [1] * 24 + [0] * 16 + [1] * 12 + [0] * 48, "x": 1}
    )
    found = kitagawa(moments(now), moments(before))
    assert found.mix.value == pytest.approx(0.2 * 0.55 - 0.2 * 0.15)  # 0.08
    assert found.rate.value == pytest.approx(-0.5 * 0.1 - 0.5 * 0.1)  # -0.10
    assert found.change.value == pytest.approx(0.34 - 0.36)
    a, b = found.groups.to_dict("records")
    # The average of 0.55 and 0.15 at equal mean shares is 0.35: a lies 0.2 above it, b below.
    assert (a["mix"], b["mix"]) == pytest.approx((0.2 * 0.2, -0.2 * -0.2))
    assert (a["rate"], b["rate"]) == pytest.approx((-0.05, -0.05))
    assert (a["share_now"], a["share_before"]) == pytest.approx((0.6, 0.4))
    assert (b["rate_now"], b["rate_before"]) == pytest.approx((0.1, 0.2))
    assert (a["customers_now"], a["customers_before"]) == (60, 40)


def test_a_group_on_one_side_only_is_all_mix():
    now = pd.DataFrame({"group": list("aaabb"), "y": [1, 0, 1, 0, 0], "x": 1})
    before = now[now["group"] == "a"]
    found = kitagawa(moments(now), moments(before))
    assert found.rate.value == pytest.approx(0, abs=EXACT)
    assert found.mix.value == pytest.approx(2 / 5 - 2 / 3)
    b = found.groups.set_index("group").loc["b"]
    assert b["rate"] == 0
    assert pd.isna(b["rate_before"])
    assert b["share_before"] == 0


def test_with_one_group_all_is_rate_and_its_interval_is_that_of_the_difference():
    rng = np.random.default_rng(5)
    now, before = (customers(rng, [1.0], [rate], n=300) for rate in (0.3, 0.4))
    found = kitagawa(moments(now), moments(before))
    assert (found.mix.value, found.mix.low, found.mix.high) == (0, 0, 0)
    assert found.rate == found.change
    errors = [side["y"].std(ddof=1) / np.sqrt(len(side)) for side in (now, before)]
    quantile = 1.9639  # Student's t, 0.975, about 595 degrees of freedom
    margin = quantile * np.hypot(*errors)
    assert found.change.high - found.change.value == pytest.approx(margin, rel=1e-4)


def test_the_interval_of_the_change_does_not_depend_on_the_groups():
    now, before = random_case(3)
    split = kitagawa(moments(now), moments(before)).change
    whole = kitagawa(moments(now.assign(group="a")), moments(before.assign(group="a"))).change
    assert (split.low, split.high) == pytest.approx((whole.low, whole.high))
    sides = [
        ratio(RatioMoments(**moments(side.assign(group="a")).iloc[0].drop("group")))
        for side in (now, before)
    ]
    assert whole.value == pytest.approx(sides[0].value - sides[1].value)


def test_the_order_of_groups_does_not_matter():
    now, before = (moments(side) for side in random_case(11))
    found = kitagawa(now, before)
    again = kitagawa(now[::-1], before.sample(frac=1, random_state=1))
    assert (found.mix, found.rate, found.change) == (again.mix, again.rate, again.change)
    pd.testing.assert_frame_equal(found.groups, again.groups)


def test_the_parts_change_sign_when_the_sides_change_places():
    now, before = (moments(side) for side in random_case(12))
    there, back = kitagawa(now, before), kitagawa(before, now)
    assert there.mix.value == pytest.approx(-back.mix.value)
    assert there.rate.low == pytest.approx(-back.rate.high)


SHARES, OTHER = [0.5, 0.3, 0.2], [0.3, 0.3, 0.4]
RATES, LOWER = [0.5, 0.3, 0.1], [0.4, 0.2, 0.05]
PLANTED = {  # shares and rates now and before, with the parts that they make
    "mix": ((OTHER, RATES), (SHARES, RATES)),
    "rate": ((SHARES, LOWER), (SHARES, RATES)),
    "both": ((OTHER, LOWER), (SHARES, RATES)),
    "neither": ((SHARES, RATES), (SHARES, RATES)),
    "opposed": ((OTHER, [0.6, 0.4, 0.2]), (SHARES, RATES)),
}


def truth(kind):
    (p1, r1), (p0, r0) = (map(np.array, side) for side in PLANTED[kind])
    return (p1 - p0) @ (r1 + r0) / 2, (p1 + p0) / 2 @ (r1 - r0)


@pytest.mark.parametrize("kind", PLANTED)
def test_planted_changes_are_recovered_from_many_customers(kind):
    rng = np.random.default_rng(2)
    found = kitagawa(*(counts(rng, *side, n=200_000) for side in PLANTED[kind]))
    mix, rate = truth(kind)
    # Four standard errors of a share of 200,000 are 0.0045.
    assert found.mix.value == pytest.approx(mix, abs=0.0045)
    assert found.rate.value == pytest.approx(rate, abs=0.0045)
    margin = found.rate.high - found.rate.value
    assert margin < 0.0045
    if kind in ("mix", "neither"):
        assert found.rate.low < 0 < found.rate.high
    if kind in ("rate", "neither"):
        assert found.mix.low < 0 < found.mix.high


def covered(kind, *, repetitions, n=500):
    rng = np.random.default_rng(20261129)
    mix, rate = truth(kind)
    hits = np.zeros(3, dtype=int)
    for _ in range(repetitions):
        found = kitagawa(*(counts(rng, *side, n=n) for side in PLANTED[kind]))
        pairs = ((found.mix, mix), (found.rate, rate), (found.change, mix + rate))
        hits += [part.low <= value <= part.high for part, value in pairs]
    return hits


def counts(rng, shares, rates, *, n):
    """The moments of customers drawn as `customers` does."""
    size = rng.multinomial(n, shares)
    did = rng.binomial(size, rates)
    table = pd.DataFrame({"group": list("abcdefgh")[: size.size], "n": size, "y": did})
    return table.assign(x=size, yy=did, xy=did, xx=size)


@pytest.mark.slow
@pytest.mark.parametrize("kind", PLANTED)
def test_intervals_cover_the_truth_in_4000_repetitions(kind):
    for hits in covered(kind, repetitions=4_000):
        # Linear approximations of 500 customers: half a point off is allowed besides chance.
        assert abs(hits / 4_000 - 0.95) < 0.005 + 4 * np.sqrt(0.95 * 0.05 / 4_000)


def test_standard_errors_agree_with_a_bootstrap():
    rng = np.random.default_rng(7)
    sides = [customers(rng, *side, n=800) for side in PLANTED["both"]]
    for side in sides:  # a ratio of two varying numbers, as revenue per order is
        side["x"] = rng.integers(1, 4, len(side))
        side["y"] = side["x"] * (500 + 900 * side["y"]) + rng.integers(0, 400, len(side))
    found = kitagawa(*(moments(side) for side in sides))
    drawn = []
    for _ in range(400):
        again = [side.iloc[rng.integers(0, len(side), len(side))] for side in sides]
        drawn.append(parts_by_hand(*again))
    quantile = 1.962  # Student's t, 0.975, some 1,500 degrees of freedom
    for part, values in zip((found.mix, found.rate), np.transpose(drawn), strict=True):
        error = (part.high - part.value) / quantile
        # A standard deviation of 400 draws is within 14 % of the truth (four of its own errors).
        assert error == pytest.approx(values.std(ddof=1), rel=0.14)


def in_both(now, before):
    """Sums of products, now x before, of customers by their index."""
    pairs = now.join(before, how="inner", lsuffix="_1", rsuffix="_0")
    products = {
        name: (pairs[f"{name[0]}_1"] * pairs[f"{name[1]}_0"]).groupby(pairs["group_1"]).sum()
        for name in PAIRS
    }
    return pd.DataFrame(products).rename_axis("group").reset_index()


def test_customers_on_both_sides_make_a_change_surer_by_their_covariance():
    rng = np.random.default_rng(8)
    now = customers(rng, *PLANTED["neither"][0], n=2_000)
    now["y"] = rng.integers(1_000, 9_000, len(now))
    before = now.assign(y=now["y"] + rng.integers(-100, 100, len(now)))
    # Everybody stands on both sides and no share moves: the paired difference, by hand.
    found = kitagawa(moments(now), moments(before), both=in_both(now, before)).change
    gaps = now["y"] - before["y"]
    error = gaps.std(ddof=1) / np.sqrt(len(gaps))
    assert (found.high - found.value) / 1.961 == pytest.approx(error, rel=0.02)
    apart = kitagawa(moments(now), moments(before)).change
    assert apart.high - apart.low > 20 * (found.high - found.low)  # what ignoring it would say


@pytest.mark.slow
def test_half_the_customers_on_both_sides_agree_with_a_bootstrap_of_customers():
    rng = np.random.default_rng(9)
    everybody = customers(rng, [0.5, 0.5], [0.5, 0.5], n=900)
    lasting = rng.integers(500, 5_000, len(everybody)) * (1 + (everybody["group"] == "a"))
    sides = [
        everybody.assign(y=lasting + rng.integers(0, 1_500, len(everybody)))[start:end]
        for start, end in ((0, 600), (300, 900))
    ]
    found = kitagawa(*(moments(side) for side in sides), both=in_both(*sides))
    drawn = []
    for _ in range(400):
        who = pd.Series(rng.integers(0, len(everybody), len(everybody)))
        drawn.append(parts_by_hand(*(s.loc[who[who.isin(s.index)]] for s in sides)))
    for part, values in zip((found.mix, found.rate), np.transpose(drawn), strict=True):
        error = (part.high - part.value) / 1.962
        assert error == pytest.approx(values.std(ddof=1), rel=0.14)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda frame: frame[:0], "now has 0 customer"),
        (lambda frame: frame.assign(x=0), "no rate"),
        (lambda frame: frame.assign(x=0, y=0), "no x in any group"),
        (lambda frame: pd.concat([frame, frame]), "in two rows"),
        (lambda frame: frame.drop(columns="xy"), "lacks the column"),
    ],
)
def test_what_cannot_be_split_is_refused(change, says):
    frame = moments(pd.DataFrame({"group": ["a", "a", "b"], "y": [1, 0, 1], "x": 1}))
    with pytest.raises(BadData, match=says):
        kitagawa(change(frame), frame)


def test_customers_who_are_all_alike_are_refused():
    nobody = moments(pd.DataFrame({"group": ["a", "a", "b"], "y": 0, "x": 1}))
    with pytest.raises(BadData, match="alike"):
        kitagawa(nobody, nobody)


def test_a_group_of_customers_without_x_or_y_counts_for_nothing():
    frame = pd.DataFrame({"group": ["a", "a", "b"], "y": [1, 0, 1], "x": 1})
    idle = pd.concat([frame, pd.DataFrame({"group": ["c"], "y": [0], "x": [0]})])
    found = kitagawa(moments(idle), moments(frame))
    assert found.change.value == pytest.approx(0, abs=EXACT)
    assert found.groups.set_index("group").loc["c", "mix"] == 0
