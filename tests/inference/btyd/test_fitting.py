"""Maximum likelihood of purchase models: truth recovered, identities kept, bad data refused."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.special import betaln, gammaln

from retention_lab.checks import BadData
from retention_lab.inference.btyd import histories
from retention_lab.inference.btyd.fitting import fit
from retention_lab.inference.btyd.likelihood import chances, likelihood

TRUTH = np.array([0.6, 40.0, 0.9, 2.5])
MODELS = ["BG/NBD", "MBG/NBD"]


def simulated(rng, n, model, truth=TRUTH):
    """Customers by the story of the model: a rate and a chance to stop each; times in days."""
    r, alpha, a, b = truth
    rate, leaves, age = rng.gamma(r, 1 / alpha, n), rng.beta(a, b, n), rng.uniform(100, 700, n)
    x, t_x = np.zeros(n), np.zeros(n)
    here = np.ones(n, dtype=bool) if model == "BG/NBD" else rng.uniform(size=n) > leaves
    while here.any():
        who = np.flatnonzero(here)
        buys = t_x[who] + rng.exponential(1 / np.maximum(rate[who], 1e-300))
        seen = buys < age[who]
        x[who[seen]] += 1
        t_x[who[seen]] = buys[seen]
        here[who] = seen & (rng.uniform(size=len(who)) > leaves[who])
    return pd.DataFrame({"frequency": x, "recency": t_x, "T": age})


def whole_days(rows):
    return rows.assign(recency=np.ceil(rows["recency"]), T=np.ceil(rows["T"]))


@pytest.mark.parametrize("model", MODELS)
def test_the_likelihood_is_the_printed_one_and_its_slopes_are_its_own(model):
    rows = simulated(np.random.default_rng(1), 200, model)
    known = histories.read(rows.assign(weight=np.arange(1, 201) % 4))
    at = likelihood(known, chance=chances(model, known.x))
    value, gradient, hessian = at(TRUTH)
    assert value == pytest.approx(float(known.weight @ printed(known, model)), rel=1e-12)
    steps = np.diag(1e-5 * TRUTH)
    slopes = [(at(TRUTH + s)[0] - at(TRUTH - s)[0]) / (2 * s.sum()) for s in steps]
    bends = [(at(TRUTH + s)[1] - at(TRUTH - s)[1]) / (2 * s.sum()) for s in steps]
    assert gradient == pytest.approx(slopes, rel=1e-6, abs=1e-6)
    assert hessian == pytest.approx(np.array(bends), rel=1e-6, abs=1e-6)


def printed(known, model):
    """Fader, Hardie & Lee (2005), equation 6; Batislam et al. (2007) count one chance more."""
    r, alpha, a, b = TRUTH
    x, m = known.x, known.x + (model == "MBG/NBD")
    bought = np.exp(gammaln(r + x) - gammaln(r)) * alpha**r
    stays = np.exp(betaln(a, b + m) - betaln(a, b)) / (alpha + known.T) ** (r + x)
    stopped = np.exp(betaln(a + 1, b + np.maximum(m, 1) - 1) - betaln(a, b))
    return np.log(bought * (stays + (m > 0) * stopped / (alpha + known.t_x) ** (r + x)))


@pytest.mark.parametrize("model", MODELS)
def test_the_planted_parameters_are_recovered(model):
    found = fit(simulated(np.random.default_rng(2), 40_000, model), model=model).maximum
    error = np.sqrt(np.diag(found.covariance))
    assert (np.abs(np.log(found.parameters / TRUTH)) < 3 * error).all()
    assert error.max() < 0.1  # or the claim above would say nothing
    assert found.gradient_norm < 0.01


def test_weights_are_repeated_rows_and_the_order_of_rows_does_not_matter():
    rows = whole_days(simulated(np.random.default_rng(3), 3_000, "BG/NBD"))
    counted = rows.groupby(["frequency", "recency", "T"], as_index=False).size()
    one, other = fit(rows), fit(counted.rename(columns={"size": "weight"}).iloc[::-1])
    assert other.customers == one.customers == 3_000
    assert other.maximum.log_likelihood == pytest.approx(one.maximum.log_likelihood, abs=1e-6)
    assert other.maximum.parameters == pytest.approx(one.maximum.parameters, rel=1e-5)
    assert other.maximum.covariance == pytest.approx(one.maximum.covariance, rel=1e-4)


@pytest.mark.parametrize("model", MODELS)
def test_the_unit_of_time_scales_alpha_and_nothing_else(model):
    rows = simulated(np.random.default_rng(4), 3_000, model)
    days = fit(rows, model=model)
    weeks = fit(rows.assign(recency=rows["recency"] / 7, T=rows["T"] / 7), model=model)
    assert weeks.maximum.parameters * [1, 7, 1, 1] == pytest.approx(days.maximum.parameters)
    assert weeks.maximum.covariance == pytest.approx(days.maximum.covariance)
    # A density per day is a seventh of one per week, once for each purchase.
    shift = rows["frequency"].sum() * np.log(7)
    assert weeks.maximum.log_likelihood == pytest.approx(days.maximum.log_likelihood + shift)
    assert weeks.null_log_likelihood == pytest.approx(days.null_log_likelihood + shift)


@pytest.mark.parametrize("model", MODELS)
def test_a_fit_is_above_the_one_in_which_nobody_stops(model):
    found = fit(simulated(np.random.default_rng(5), 2_000, model), model=model)
    assert found.maximum.log_likelihood > found.null_log_likelihood + 10


@pytest.mark.parametrize("model", MODELS)
def test_customers_who_never_stop_are_refused(model):
    rng = np.random.default_rng(6)
    age = rng.uniform(100, 700, 2_000)
    x = rng.poisson(rng.gamma(2, 1 / 30, 2_000) * age)
    last = np.where(x > 0, age * rng.beta(np.maximum(x, 1), 1), 0)
    with pytest.raises(BadData, match=f"{model}.*(return rate observed)"):
        fit(pd.DataFrame({"frequency": x, "recency": last, "T": age}), model=model)


GOOD = {"frequency": [2, 0, 1], "recency": [20, 0, 9], "T": [50, 60, 30]}


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"frequency": [0, 0, 0], "recency": [0, 0, 0]}, "None of the 3 customers bought again"),
        ({"weight": [0, 0, 0]}, "has no customers"),
        ({"weight": [1, -1, 1]}, "a negative weight, first in row 2"),
        ({"T": [50, 60, 8]}, "recency below 0 or above T, first in row 3"),
        ({"recency": [20, 0, -9]}, "recency below 0 or above T, first in row 3"),
        ({"recency": [20, 5, 9]}, "both 0 or neither, first in row 2"),
        ({"recency": [0, 0, 9]}, "both 0 or neither, first in row 1"),
        ({"frequency": [2, 0, 1.5]}, "a frequency that is no count, first in row 3"),
        ({"frequency": [-2, 0, 1]}, "a frequency that is no count, first in row 1"),
        ({"T": [50, None, 30]}, "missing or endless, first in row 2"),
        ({"weight": [1, np.nan, 1]}, "missing or endless, first in row 2"),
        ({}, "The data do not determine the parameters of MBG/NBD. Take a longer period"),
    ],
)
def test_bad_histories_are_refused_in_a_sentence(change, sentence):
    with pytest.raises(BadData, match=sentence):
        fit(pd.DataFrame(GOOD | change))


def test_nobody_and_a_missing_column_are_refused():
    with pytest.raises(BadData, match="has no customers"):
        fit(pd.DataFrame(GOOD).iloc[:0])
    with pytest.raises(BadData, match="lacks the column"):
        fit(pd.DataFrame(GOOD).drop(columns="T"))


@pytest.mark.slow
@pytest.mark.parametrize("model", MODELS)
def test_intervals_hold_the_truth_as_often_as_they_say(model):
    rng = np.random.default_rng(7)
    runs = 1_000
    held = np.zeros(4)
    for _ in range(runs):
        rows = fit(simulated(rng, 3_000, model), model=model).maximum.summary()
        held += ((rows["low"] <= TRUTH) & (rows["high"] >= TRUTH)).to_numpy()
    # Four standard errors of a share of 0.95 in as many runs.
    assert held / runs == pytest.approx(0.95, abs=4 * np.sqrt(0.95 * 0.05 / runs))
