"""Adjusted p-values: as statsmodels has them, and refusals of what is none."""

from __future__ import annotations

import numpy as np
import pytest
from statsmodels.stats.multitest import multipletests

from retention_lab.checks import BadParameter
from retention_lab.inference.multiplicity import adjusted

THEIRS = {
    "holm": "holm",
    "benjamini-hochberg": "fdr_bh",
    "bonferroni": "bonferroni",
    "hochberg": "simes-hochberg",
    "benjamini-yekutieli": "fdr_by",
}


@pytest.mark.parametrize("method", THEIRS)
def test_adjusted_values_are_those_of_statsmodels_in_the_order_of_the_tests(method):
    rng = np.random.default_rng(20261122)
    for size in (1, 2, 9, 30):
        values = np.round(rng.random(size) ** 3, 2)  # rounded, so that some are equal
        rejected, oracle = multipletests(values, alpha=0.1, method=THEIRS[method])[:2]
        found = adjusted(values, method=method, alpha=0.1)
        np.testing.assert_allclose(found.p_values, oracle, rtol=1e-12)
        assert found.rejected.tolist() == rejected.tolist()


def test_the_order_of_tests_does_not_matter():
    rng = np.random.default_rng(7)
    values, order = rng.random(20) ** 4, rng.permutation(20)
    for method in THEIRS:
        straight = adjusted(values, method=method).p_values[order]
        assert adjusted(values[order], method=method).p_values.tolist() == straight.tolist()


@pytest.mark.slow
@pytest.mark.parametrize("correlation", [0.0, 0.5])
def test_holm_errs_in_any_test_as_rarely_as_it_says(correlation):
    from scipy.stats import norm  # noqa: PLC0415

    rng, tests, times = np.random.default_rng(20261122), 8, 20_000
    shared = rng.standard_normal((times, 1)) * np.sqrt(correlation)
    z = shared + rng.standard_normal((times, tests)) * np.sqrt(1 - correlation)
    erred = np.mean([adjusted(one).rejected.any() for one in 2 * norm.sf(np.abs(z))])
    assert erred < 0.05 + 3 * np.sqrt(0.05 * 0.95 / times)


@pytest.mark.parametrize("values", [[], [0.2, float("nan")], [-0.1], [0.5, 1.1]])
def test_what_is_no_p_value_is_refused(values):
    with pytest.raises(BadParameter, match="one number or more from 0 to 1"):
        adjusted(values)


def test_a_level_that_is_no_share_is_refused():
    with pytest.raises(BadParameter, match=r"If you meant 5 %, pass 0\.05"):
        adjusted([0.01], alpha=5)
