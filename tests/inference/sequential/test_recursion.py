"""Chances from look to look: against the multivariate normal, and what must hold of any."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import multivariate_normal, norm

from retention_lab.checks import BadParameter
from retention_lab.inference.sequential.recursion import crossing


def stayed(information, lower, upper, drift):
    """Chance to be between the bounds at all looks, by scipy: z's are correlated sqrt(s / t)."""
    t = np.array(information)
    correlation = np.sqrt(np.minimum.outer(t, t) / np.maximum.outer(t, t))
    return multivariate_normal.cdf(
        upper,
        mean=drift * np.sqrt(t),
        cov=correlation,
        lower_limit=lower,
        abseps=1e-7,
        releps=1e-7,
        rng=np.random.default_rng(1),
    )


@pytest.mark.parametrize("drift", [0.0, -1.7])
@pytest.mark.parametrize(
    ("information", "lower", "upper"),
    [
        ([0.3, 0.35, 1.0], [-2.0, -1.0, 0.5], [2.5, 2.2, 2.0]),
        ([0.5, 1.1], [-np.inf, -np.inf], [2.8, 1.97]),
        ([0.01, 0.6, 0.9], [-3.0, -2.5, -2.0], [3.0, 2.5, 2.0]),
    ],
)
def test_chances_are_those_of_the_multivariate_normal(information, lower, upper, drift):
    exits = crossing(information, lower=lower, upper=upper, drift=drift)
    left = exits[["below", "above"]].sum(axis=1).cumsum()
    for k in range(1, len(information) + 1):
        expected = stayed(information[:k], lower[:k], upper[:k], drift)
        assert 1 - left[k - 1] == pytest.approx(expected, abs=1e-6)


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.integers(1, 1000), min_size=1, max_size=5, unique=True),
    st.floats(-4, 4),
    st.floats(0.5, 3),
)
def test_mirrored_bounds_and_drift_mirror_the_chances(looks, drift, bound):
    t = np.sort(looks) / 1000
    up = crossing(t, lower=-1.2 * bound, upper=bound, drift=drift)
    down = crossing(t, lower=-bound, upper=1.2 * bound, drift=-drift)
    assert up["above"].to_numpy() == pytest.approx(down["below"].to_numpy(), abs=1e-12)
    assert up["below"].to_numpy() == pytest.approx(down["above"].to_numpy(), abs=1e-12)


@pytest.mark.parametrize("last", [0.501, 0.6, 1.0, 2.0])
def test_a_look_without_bounds_changes_nothing(last):
    with_it = crossing([0.5, last], lower=-np.inf, upper=[np.inf, 2.0], drift=1.0)["above"]
    assert with_it.tolist() == pytest.approx([0, norm.sf(2 - np.sqrt(last))], abs=1e-12)


def test_many_looks_close_together_approach_brownian_motion():
    # Reflection principle: the chance that a Brownian motion ever passes b until 1 is 2 P(Z > b).
    t = np.arange(1, 101) / 100
    exits = crossing(t, lower=-np.inf, upper=2.0 / np.sqrt(t))
    # Looking 100 times misses as much as a bound that is 0.5826 steps farther out does (Siegmund).
    assert exits["above"].sum() == pytest.approx(2 * norm.sf(2 + 0.5826 / 10), abs=3e-4)


@pytest.mark.parametrize(
    ("information", "sentence"),
    [
        ([0.5, 0.5], "got 0.5 after 0.5. A second run on the same events is the same look"),
        ([0.5, 0.4, 1], "got 0.4 after 0.5"),
        ([0.0, 1], "at the first look must be at least 0.001, got 0: there is nothing"),
        ([], "a number for each look"),
        ([0.3, float("nan")], "a number for each look"),
    ],
)
def test_information_that_does_not_rise_is_refused(information, sentence):
    with pytest.raises(BadParameter, match=sentence):
        crossing(information, lower=-2, upper=2)
