"""P(alive) and purchases to come: against the integrals that they stand for, and at the edges."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.integrate import quad
from scipy.stats import beta

from retention_lab.checks import BadParameter
from retention_lab.inference.btyd import answers
from retention_lab.inference.btyd.fitting import Fit, Process
from retention_lab.inference.btyd.maximum import Maximum

NAMES = ("r", "alpha", "a", "b")
ROWS = pd.DataFrame(
    {
        "frequency": [0, 0, 1, 5, 300],
        "recency": [0.0, 0.0, 20.0, 200.0, 364.0],
        "T": [0.0, 90.0, 100.0, 230.0, 365.0],
    }
)


def process(model, parameters=(0.6, 40.0, 0.9, 2.5)):
    return Process(model=model, **dict(zip(NAMES, parameters, strict=True)))


def fitted(model, spread=0.1):
    """A fit whose logarithms have standard errors of `spread` and no correlation."""
    here = process(model)
    top = Maximum(
        names=NAMES,
        parameters=here.vector,
        covariance=np.eye(4) * spread**2,
        log_likelihood=-1.0,
        gradient_norm=0.0,
    )
    return Fit(process=here, maximum=top, null_log_likelihood=-2.0, customers=100)


def by_integral(here, row, horizon):
    """Purchases of one who has not stopped: those of a rate and a chance to stop, averaged."""
    r, alpha, a, b = here.vector
    x, _, age = row
    law = beta(a, b + x + (here.model == "MBG/NBD"))

    def given(share):
        p = max(law.ppf(share), 1e-12)
        return -np.expm1(-(r + x) * np.log1p(p * horizon / (alpha + age))) / p

    return quad(given, 0, 1, epsabs=0, epsrel=1e-9, limit=500)[0]


@pytest.mark.parametrize("model", ["BG/NBD", "MBG/NBD"])
@pytest.mark.parametrize("a", [0.4, 0.9, 1.0, 3.0])
def test_expected_purchases_are_the_integral_over_rates_and_chances(model, a):
    here = process(model, (0.6, 40.0, a, 2.5))
    found = answers.expected(here, ROWS, horizon=90)
    alive = answers.p_alive(here, ROWS)
    wanted = [by_integral(here, row, 90) for row in ROWS.itertuples(index=False)]
    assert found == pytest.approx(alive * wanted, rel=1e-6)


@pytest.mark.parametrize("parameters", [(0.6, 40.0, 1.0, 2.5), (0.6, 40.0, 0.3, 0.7)])
def test_nothing_happens_where_the_formula_is_nought_by_nought(parameters):
    r, alpha, a, b = parameters
    at, near = (process("BG/NBD", (r, alpha, a + step, b)) for step in (0, 1e-3))
    found = answers.expected(at, ROWS, horizon=90)
    assert found == pytest.approx(answers.expected(near, ROWS, horizon=90), rel=5e-3)
    assert np.isfinite(found).all()


def test_bg_nbd_is_sure_of_who_bought_once_and_mbg_nbd_is_not():
    sure, unsure = (answers.p_alive(process(model), ROWS)[1] for model in ("BG/NBD", "MBG/NBD"))
    assert sure == 1
    assert unsure < 0.7


def test_intervals_are_those_of_parameters_drawn_around_the_fit():
    here = fitted("MBG/NBD", spread=0.05)
    found = answers.forecast(here, ROWS, horizon=90)
    rng = np.random.default_rng(8)
    drawn = [
        here.process.at(np.exp(np.log(here.process.vector) + 0.05 * rng.normal(size=4)))
        for _ in range(1_000)
    ]
    for name, ask in (
        ("p_alive", lambda one: answers.p_alive(one, ROWS)),
        ("expected", lambda one: answers.expected(one, ROWS, horizon=90)),
    ):
        low, high = np.quantile([ask(one) for one in drawn], [0.025, 0.975], axis=0)
        width = (found[f"{name}_high"] - found[f"{name}_low"]).to_numpy()
        assert np.abs(found[f"{name}_low"] - low).max() <= (0.15 * width).max()
        assert width == pytest.approx(high - low, rel=0.15, abs=1e-12)


def test_certainty_has_no_width():
    row = answers.forecast(fitted("BG/NBD"), ROWS, horizon=90).iloc[1]
    assert row["p_alive_low"] == row["p_alive_high"] == 1


def test_a_new_customer_is_one_whose_first_purchase_was_just_now():
    here = fitted("MBG/NBD")
    found = answers.new_customer(here, horizon=90)
    first = answers.forecast(here, ROWS, horizon=90).iloc[0]
    assert (found.value, found.low, found.high) == pytest.approx(
        tuple(first[["expected", "expected_low", "expected_high"]])
    )


def test_a_reseller_of_100_000_orders_gets_finite_numbers():
    rows = pd.DataFrame({"frequency": [1e5, 1e5], "recency": [365.0, 2.0], "T": [365.0, 365.0]})
    found = answers.forecast(fitted("BG/NBD"), rows, horizon=90)
    assert np.isfinite(found.to_numpy()).all()
    # 22,222 at a constant rate; the chance to stop is Beta(0.9, 1e5), so 22,222 times it is about
    # y ~ Gamma(0.9, 0.2222), and the mean of (1 - exp(-y)) / y by its series is 0.9122.
    assert found["expected"].iloc[0] == pytest.approx(0.9122 * 90 * 1e5 / 405, rel=1e-3)
    assert found["p_alive"].iloc[1] == found["expected"].iloc[1] == 0


@pytest.mark.parametrize("horizon", [0, -1, np.nan, np.inf])
def test_a_horizon_that_is_none_is_refused(horizon):
    with pytest.raises(BadParameter, match="horizon must be above 0"):
        answers.expected(process("BG/NBD"), ROWS, horizon=horizon)
