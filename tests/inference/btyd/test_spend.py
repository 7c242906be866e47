"""Gamma-Gamma: truth recovered, identities kept, bad data refused."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from retention_lab.checks import BadData
from retention_lab.inference.btyd import spend

TRUTH = np.array([5.0, 3.5, 12.0])


def simulated(rng, n):
    """Repeat customers whose frequency and value have nothing to do with each other."""
    p, q, v = TRUTH
    x = rng.geometric(0.4, n).astype("float64")
    mean = rng.gamma(p * x, 1 / (rng.gamma(q, 1 / v, n) * x))
    return pd.DataFrame({"frequency": x, "monetary": mean})


def test_the_planted_parameters_are_recovered_and_no_relation_is_seen():
    found = spend.fit(simulated(np.random.default_rng(1), 40_000))
    error = np.sqrt(np.diag(found.maximum.covariance))
    assert (np.abs(np.log(found.maximum.parameters / TRUTH)) < 3 * error).all()
    assert error.max() < 0.1  # or the claim above would say nothing
    assert not found.related


def test_a_value_that_goes_with_frequency_is_reported():
    rows = simulated(np.random.default_rng(2), 2_000)
    found = spend.fit(rows.assign(monetary=rows["monetary"] * rows["frequency"]))
    assert found.related
    assert found.correlation.value > 0.2


def test_the_slopes_are_those_of_the_likelihood():
    rows = simulated(np.random.default_rng(3), 200)
    x, mean = rows.to_numpy().T
    at = spend._likelihood(x, mean, np.arange(1.0, 201))
    steps = np.diag(1e-5 * TRUTH)
    slopes = [(at(TRUTH + s)[0] - at(TRUTH - s)[0]) / (2 * s.sum()) for s in steps]
    bends = [(at(TRUTH + s)[1] - at(TRUTH - s)[1]) / (2 * s.sum()) for s in steps]
    assert at(TRUTH)[1] == pytest.approx(slopes, rel=1e-5)
    assert at(TRUTH)[2] == pytest.approx(np.array(bends), rel=1e-5)


def test_weights_are_repeated_rows_and_the_currency_scales_v_alone():
    rows = simulated(np.random.default_rng(4), 1_000).round({"monetary": 0}).clip(lower=1)
    one = spend.fit(rows)
    counted = rows.groupby(["frequency", "monetary"], as_index=False).size()
    other = spend.fit(counted.rename(columns={"size": "weight"}))
    cents = spend.fit(rows.assign(monetary=rows["monetary"] * 100))
    assert other.maximum.parameters == pytest.approx(one.maximum.parameters, rel=1e-4)
    assert other.correlation.low == pytest.approx(one.correlation.low)
    assert cents.maximum.parameters == pytest.approx(one.maximum.parameters * [1, 1, 100], rel=1e-4)
    shift = 1_000 * np.log(100)
    assert cents.maximum.log_likelihood == pytest.approx(one.maximum.log_likelihood - shift)


def test_who_bought_once_is_left_out_of_the_fit_and_gets_the_mean_of_all():
    rows = simulated(np.random.default_rng(5), 1_000)
    once = pd.DataFrame({"frequency": [0.0], "monetary": [0.0]})
    found = spend.fit(pd.concat([rows, once]))
    assert found.customers == 1_000
    p, q, v = found.maximum.parameters
    row = spend.forecast(found, once).iloc[0]
    assert row["value"] == pytest.approx(p * v / (q - 1))
    assert row["low"] < row["value"] < row["high"]


def test_much_bought_is_believed_and_little_is_pulled_to_the_mean():
    # (v + m x) p / (p x + q - 1) with p 5, q 3.5, v 12: the mean of all is 24.
    found = spend.conditional_mean(TRUTH, frequency=[1, 1e6], monetary=[100.0, 100.0])
    assert found == pytest.approx([5 * 112 / 7.5, 100.0], rel=1e-4)


GOOD = {"frequency": [1, 2, 3, 4, 5], "monetary": [1.0, 2.0, 2.0, 3.0, 4.0]}


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"monetary": [1, 2, 0, -3, 4]}, r"2 customers .* mean value of 0 or less \(down to -3\)"),
        ({"frequency": [0] * 5}, "0 customers bought again; 4 are the least"),
        ({"frequency": [1, 2, 3, 0, 0]}, "3 customers bought again; 4 are the least"),
        ({"monetary": [1, 2, None, 3, 4]}, "missing, endless or negative"),
        ({"frequency": [1, 2, None, 3, 4]}, "missing, endless or negative"),
        ({"frequency": [1, 2, -1, 3, 4]}, "missing, endless or negative"),
        ({"monetary": [2.0] * 5}, "do not determine the parameters of Gamma-Gamma"),
    ],
)
def test_bad_spending_is_refused_in_a_sentence(change, sentence):
    with pytest.raises(BadData, match=sentence):
        spend.fit(pd.DataFrame(GOOD | change))


def test_a_mean_without_end_is_refused():
    with pytest.raises(BadData, match="has no end"):
        spend.conditional_mean([5.0, 0.9, 12.0], frequency=0, monetary=0)


def test_a_missing_mean_of_who_bought_again_is_refused():
    with pytest.raises(BadData, match="missing or negative mean"):
        spend.conditional_mean(TRUTH, frequency=[1], monetary=[np.nan])
