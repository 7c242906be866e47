"""Discounted value: months, margin and the unit of time."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from retention_lab.checks import BadParameter
from retention_lab.inference.btyd import answers, spend, value
from retention_lab.inference.btyd.fitting import Fit, Process
from retention_lab.inference.btyd.maximum import Maximum
from retention_lab.inference.btyd.spend import SpendFit
from retention_lab.inference.interval import Interval

ROWS = pd.DataFrame(
    {
        "frequency": [0, 1, 4],
        "recency": [0.0, 30.0, 200.0],
        "T": [100.0, 100.0, 220.0],
        "monetary": [0.0, 30.0, 25.0],
    }
)


def maximum(parameters, names, spread=0.05):
    return Maximum(
        names=names,
        parameters=np.array(parameters),
        covariance=np.eye(len(parameters)) * spread**2,
        log_likelihood=-1.0,
        gradient_norm=0.0,
    )


PROCESS = Process(model="MBG/NBD", r=0.6, alpha=40.0, a=0.9, b=2.5)
FIT = Fit(
    process=PROCESS,
    maximum=maximum(PROCESS.vector, ("r", "alpha", "a", "b")),
    null_log_likelihood=-2.0,
    customers=100,
)
SPEND = SpendFit(
    maximum=maximum([5.0, 3.5, 12.0], ("p", "q", "v")),
    customers=50,
    correlation=Interval(value=0.0, low=-0.1, high=0.1),
)


def worth(**change):
    return value.discounted(FIT, SPEND, ROWS, **{"months": 6, "monthly_discount": 0.01} | change)


def test_month_k_counts_what_is_bought_in_it_and_is_discounted_k_times():
    upto = [answers.expected(PROCESS, ROWS, horizon=k * value.DAYS_A_MONTH) for k in range(1, 7)]
    rises = np.diff([np.zeros(3), *upto], axis=0)
    by_hand = sum(rise / 1.01**k for k, rise in enumerate(rises, start=1))
    found = worth(margin=0.4)
    each = spend.conditional_mean(
        SPEND.maximum.parameters, frequency=ROWS["frequency"], monetary=ROWS["monetary"]
    )
    assert found["purchases"].to_numpy() == pytest.approx(by_hand)
    assert found["value"].to_numpy() == pytest.approx(0.4 * by_hand * each)


def test_without_discount_it_is_what_is_expected_until_the_end():
    whole = answers.expected(PROCESS, ROWS, horizon=6 * value.DAYS_A_MONTH)
    assert worth(monthly_discount=0)["purchases"].to_numpy() == pytest.approx(whole)


def test_errors_of_both_models_are_in_the_interval():
    found = worth()
    width = np.log(found["high"] / found["value"]).to_numpy()
    money = spend.forecast(SPEND, ROWS)
    assert (width > np.log(money["high"] / money["value"])).all()
    ahead = answers.forecast(FIT, ROWS, horizon=6 * value.DAYS_A_MONTH)
    often = np.log(ahead["expected_high"] / ahead["expected"]).to_numpy()
    both = np.hypot(often, np.log(money["high"] / money["value"]))
    assert width == pytest.approx(both, rel=0.05)  # the discount moves it a little


@pytest.mark.parametrize(
    "change",
    [{"months": 0}, {"monthly_discount": -0.1}, {"margin": 0}, {"margin": 40}, {"month": 0}],
)
def test_money_that_cannot_be_is_refused(change):
    with pytest.raises(BadParameter, match=next(iter(change))):
        worth(**change)
