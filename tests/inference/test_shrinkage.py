"""Effects of segments."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm
from statsmodels.stats.meta_analysis import combine_effects

from retention_lab.checks import BadData
from retention_lab.inference.shrinkage import interaction, shrunk


def segments(effect, std_error):
    return pd.DataFrame({"effect": effect, "std_error": std_error}, dtype=float)


some = st.lists(st.tuples(st.floats(-9, 9), st.floats(0.2, 3)), min_size=3, max_size=8).map(
    lambda pairs: segments(*zip(*pairs, strict=True))
)


@pytest.mark.parametrize("effect", [[1.2, 3.5, -0.4, 2.8, 6.1], [1.0, 1.3, 0.8], [2.0, 4.5, 3.3]])
def test_interaction_and_spread_are_those_of_statsmodels(effect):
    found = segments(effect, np.linspace(0.5, 1.5, len(effect)))
    expected = combine_effects(
        found["effect"], found["std_error"] ** 2, method_re="iterated", atol=1e-12
    )
    tested = interaction(found)
    assert tested.statistic == pytest.approx(expected.q)
    assert tested.p_value == pytest.approx(expected.test_homogeneity().pvalue)
    assert tested.mean.value == pytest.approx(expected.mean_effect_fe)
    assert shrunk(found).between == pytest.approx(expected.tau2)


@settings(max_examples=25)
@given(found=some)
def test_segments_are_pulled_towards_the_mean_and_never_past_it(found):
    got = shrunk(found)
    apart, left = (got.segments[name] - got.mean.value for name in ("effect", "shrunk"))
    assert (left.abs() <= apart.abs() + 1e-9).all()
    assert (left * apart >= -1e-9).all()
    assert (got.segments["low"] < got.segments["shrunk"]).all()
    turned = shrunk(found[::-1])
    assert turned.segments.sort_index()["low"].tolist() == pytest.approx(
        got.segments["low"].tolist()
    )
    pence = shrunk(100 * found)
    assert pence.segments["high"].tolist() == pytest.approx((100 * got.segments["high"]).tolist())


@settings(max_examples=25)
@given(found=some)
def test_spread_between_segments_leaves_as_much_scatter_as_luck_would(found):
    between = shrunk(found).between
    wider = interaction(found.assign(std_error=np.sqrt(found["std_error"] ** 2 + between)))
    if between:
        assert wider.statistic == pytest.approx(len(found) - 1, rel=1e-9)
    else:
        assert wider.statistic <= len(found) - 1


def test_segments_that_scatter_as_luck_does_are_all_the_mean():
    got = shrunk(segments([1.0, 1.2, 0.9, 1.1], [0.5, 0.5, 0.5, 0.5]))
    assert got.between == 0
    assert got.segments["shrunk"].tolist() == pytest.approx([1.05] * 4)


def test_segments_known_well_stay_what_they_are_and_keep_what_else_is_known_of_them():
    found = segments([1.0, 5.0, 9.0], [0.01, 0.01, 0.01]).assign(country=["DE", "FR", "UK"])
    got = shrunk(found)
    assert got.segments["shrunk"].tolist() == pytest.approx([1.0, 5.0, 9.0], abs=1e-4)
    assert got.segments["country"].tolist() == ["DE", "FR", "UK"]


def test_two_segments_are_compared_as_two_estimates():
    tested = interaction(segments([0.031, -0.004], [0.012, 0.010]))
    z = 0.035 / np.hypot(0.012, 0.010)
    assert tested.statistic == pytest.approx(z**2)
    assert tested.p_value == pytest.approx(2 * norm.sf(z))


def test_fewer_segments_than_needed_are_refused():
    with pytest.raises(BadData, match="needs 2 segments or more, got 1"):
        interaction(segments([1.0], [1.0]))
    with pytest.raises(BadData, match="needs 3 segments or more, got 2"):
        shrunk(segments([1.0, 2.0], [1.0, 1.0]))


@pytest.mark.parametrize(("effect", "std_error"), [(np.nan, 1.0), (1.0, 0.0), (1.0, np.inf)])
def test_a_segment_without_an_estimate_is_refused(effect, std_error):
    with pytest.raises(BadData, match="leave out the segments that have none yet"):
        interaction(segments([1.0, effect], [1.0, std_error]))


@pytest.mark.slow
@pytest.mark.parametrize("count", [2, 5, 12])
def test_interaction_rejects_one_effect_as_seldom_as_it_says(count):
    rng = np.random.default_rng(20261122)
    std_error = np.linspace(0.5, 1.5, count)
    rejected = [
        interaction(segments(rng.normal(2, std_error), std_error)).p_value < 0.05
        for _ in range(4000)
    ]
    assert np.mean(rejected) == pytest.approx(0.05, abs=4 * np.sqrt(0.05 * 0.95 / 4000))


@pytest.mark.slow
@pytest.mark.parametrize("spread", [0, 0.5, 1])
@pytest.mark.parametrize("count", [3, 6, 12])
def test_intervals_of_shrunk_effects_hold_on_average_over_the_segments(count, spread):
    rng = np.random.default_rng(20261122)
    std_error = np.linspace(0.5, 1.5, count)
    covered = []
    for _ in range(4000):
        truth = rng.normal(1, spread, count)
        got = shrunk(segments(rng.normal(truth, std_error), std_error)).segments
        covered.append(((got["low"] <= truth) & (truth <= got["high"])).mean())
    # What the intervals promise is an average of 94 in 100 or more; beyond that, the luck of 4,000.
    assert np.mean(covered) > 0.94 - 4 * np.std(covered) / np.sqrt(4000)
