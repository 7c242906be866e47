"""The score test of two shares."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar
from scipy.special import xlog1py, xlogy
from scipy.stats import binom, chi2_contingency, norm
from statsmodels.stats.proportion import confint_proportions_2indep
from statsmodels.stats.proportion import test_proportions_2indep as proportions_test

from retention_lab.checks import BadData, BadParameter
from retention_lab.inference.score import score

some = st.integers(5, 500).flatmap(lambda n: st.tuples(st.integers(1, n - 1), st.just(n)))


@settings(max_examples=25)
@given(one=some, other=some)
def test_score_against_none_is_the_chi_squared_test(one, other):
    got = score(*one, *other)
    table = [[count, n - count] for count, n in (one, other)]
    expected = chi2_contingency(table, correction=False)
    assert got.z**2 == pytest.approx(expected.statistic, rel=1e-9, abs=1e-12)
    assert got.p_value == pytest.approx(expected.pvalue, rel=1e-9)


CASES = [(18, 500, 10, 500), (640, 2000, 600, 2100), (3, 40, 9, 60), (55, 60, 21, 30)]


@pytest.mark.parametrize("counts", CASES)
def test_interval_and_test_are_those_of_statsmodels(counts):
    got = score(*counts, null=-0.03)
    expected = confint_proportions_2indep(*counts, method="score", compare="diff")
    assert (got.low, got.high) == pytest.approx(expected, abs=1e-9)
    options = {"method": "score", "compare": "diff", "correction": False}
    tested = proportions_test(*counts, value=-0.03, **options)
    assert got.z == pytest.approx(tested.statistic, rel=1e-9)


def by_likelihood(counts, null):
    """The statistic with shares that maximise the likelihood among those that differ by `null`."""
    x1, n1, x0, n0 = counts

    def worse(p):
        q = p + null
        return -(xlogy(x0, p) + xlog1py(n0 - x0, -p) + xlogy(x1, q) + xlog1py(n1 - x1, -q))

    ends = (max(0, -null) + 1e-12, min(1, 1 - null) - 1e-12)
    p = minimize_scalar(worse, bounds=ends, method="bounded", options={"xatol": 1e-13}).x
    q = p + null
    return (x1 / n1 - x0 / n0 - null) / np.sqrt(p * (1 - p) / n0 + q * (1 - q) / n1)


@pytest.mark.parametrize("counts", CASES)
@pytest.mark.parametrize("null", [-0.02, 0.05])
def test_statistic_is_near_that_of_the_most_likely_shares(counts, null):
    assert score(*counts, null=null).z == pytest.approx(by_likelihood(counts, null), rel=0.03)


@settings(max_examples=25)
@given(one=some, other=some)
def test_test_against_none_turns_its_sign_with_the_groups(one, other):
    got, turned = score(*one, *other), score(*other, *one)
    assert (turned.value, turned.z) == pytest.approx((-got.value, -got.z))


@settings(max_examples=25)
@given(one=some, other=some, alpha=st.sampled_from([0.01, 0.05, 0.2]))
def test_interval_leaves_out_no_difference_when_the_widened_test_rejects_it(one, other, alpha):
    got, n = score(*one, *other, alpha=alpha), one[1] + other[1]
    rejected = got.z**2 * (n - 1) / n > norm.isf(alpha / 2) ** 2
    assert -1 <= got.low <= got.value <= got.high <= 1
    assert (got.low > 0 or got.high < 0) == rejected


def test_interval_keeps_to_differences_of_shares():
    got = score(0, 5, 5, 5)
    assert got.low == got.value == -1 < got.high < 0
    assert score(5, 5, 0, 5).high == 1


@pytest.mark.parametrize("count", [0, 20])
def test_groups_in_which_all_or_none_did_it_are_not_compared(count):
    with pytest.raises(BadData, match=r"All or none of the 40 customers"):
        score(count, 20, count, 20)


def test_one_group_of_which_nobody_did_it_is_compared():
    got = score(0, 40, 12, 40)
    assert got.low < got.value == -0.3 < got.high < 0


def test_a_null_is_a_difference_of_shares():
    with pytest.raises(BadParameter, match="null must be a difference of shares, got 3"):
        score(1, 10, 2, 10, null=3)


@pytest.mark.slow
@pytest.mark.parametrize(("sizes", "share", "null"), [((60, 30), 0.3, 0.0), ((50, 50), 0.15, 0.1)])
def test_test_and_interval_hold_their_level_by_all_that_can_happen(sizes, share, null):
    # No simulation: every pair of counts, by its chance. Small counts jump, by up to a point here.
    (n_1, n_0), treated = sizes, share + null
    rejected = covered = total = 0.0
    for one in range(n_1 + 1):
        for other in range(n_0 + 1):
            chance = binom.pmf(one, n_1, treated) * binom.pmf(other, n_0, share)
            if chance < 1e-6 or one + other in (0, n_1 + n_0):
                continue
            got = score(one, n_1, other, n_0, null=null)
            total += chance
            rejected += chance * (got.p_value < 0.05)
            covered += chance * (got.low <= null <= got.high)
    assert total > 0.999
    assert rejected / total == pytest.approx(0.05, abs=0.01)
    assert covered / total == pytest.approx(0.95, abs=0.01)
