"""A/A tests: a sound method holds, one that finds too much does not."""

from __future__ import annotations

import numpy as np
import pytest

from retention_lab.checks import BadParameter
from retention_lab.experiments.validity_aa import accepted, rates


def test_uniform_p_values_hold_and_too_small_ones_do_not():
    values = np.random.default_rng(20261122).random(1_000)
    assert rates(values).hold
    assert not rates(values**1.5).hold


def test_p_values_that_are_right_at_the_level_alone_do_not_hold():
    values = np.random.default_rng(1).random(1_000)
    found = rates(np.where(values > 0.05, 0.05 + (values - 0.05) / 2, values))
    assert found.low <= found.below <= found.high
    assert not found.hold


def test_limits_stay_shares():
    assert accepted(0.01, repetitions=10)[0] == 0


@pytest.mark.parametrize("values", [[], [1.2], [float("nan")]])
def test_what_is_no_p_value_is_refused(values):
    with pytest.raises(BadParameter, match="one number or more from 0 to 1"):
        rates(values)
