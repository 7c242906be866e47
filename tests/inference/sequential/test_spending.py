"""Spending functions: all is spent at the end and not before, and each in its way."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm

from retention_lab.checks import BadParameter
from retention_lab.inference.sequential.spending import Spending

FUNCTIONS = [
    Spending(),
    Spending(family="Pocock"),
    Spending(family="Kim-DeMets", parameter=3),
    Spending(family="Hwang-Shih-DeCani", parameter=-4),
    Spending(family="Hwang-Shih-DeCani", parameter=1),
]


@given(st.sampled_from(FUNCTIONS), st.lists(st.floats(0, 1), min_size=2), st.floats(0.001, 0.2))
def test_spending_begins_at_nothing_never_falls_and_ends_at_all(function, fractions, level):
    spent = function.spent([0, *sorted(fractions), 1, 1.3], level=level)
    assert spent[0] == 0
    assert (np.diff(spent) >= -1e-15).all()
    assert spent[-2:].tolist() == [level, level]


def test_functions_are_those_of_their_papers_at_half_of_the_information():
    level = 0.025
    worked = [
        2 * norm.sf(norm.isf(level / 2) / np.sqrt(0.5)),
        level * np.log(1 + (np.e - 1) / 2),
        level / 8,
        level * (1 - np.exp(2)) / (1 - np.exp(4)),
        level * (1 - np.exp(-0.5)) / (1 - np.exp(-1)),
    ]
    assert [float(f.spent(0.5, level=level)) for f in FUNCTIONS] == pytest.approx(worked)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"family": "Pocok"}, "Did you mean 'Pocock'"),
        ({"family": "Kim-DeMets"}, "Kim-DeMets needs rho, above 0, got None"),
        ({"family": "Kim-DeMets", "parameter": -1}, "needs rho, above 0, got -1"),
        ({"family": "Hwang-Shih-DeCani", "parameter": 0}, "needs gamma, not 0, got 0"),
        ({"parameter": 2}, "O'Brien-Fleming has no parameter, got 2"),
    ],
)
def test_spending_that_is_not_defined_is_refused(arguments, sentence):
    with pytest.raises(BadParameter, match=sentence):
        Spending(**arguments)
