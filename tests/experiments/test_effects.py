"""What a test did: the same from rows and from counts, one sign whichever way it is asked."""

from __future__ import annotations

import numpy as np
import pytest

from retention_lab.experiments.effects import effects

from .armed import Rows, customers, plan

RETURNED = {"kind": "returned", "day": 13}


@pytest.fixture(scope="module")
def rows():
    return customers(np.random.default_rng(1), 3_000, ratio=0.7)


def test_a_gain_is_positive_whether_fewer_cancel_or_more_come_back(rows):
    (kept,) = effects(Rows(rows), plan())
    (back,) = effects(Rows(rows), plan(endpoint=RETURNED))
    assert kept.difference.low > 0
    for part in ("difference", "days", "reading"):
        one, other = getattr(kept, part), getattr(back, part)
        value = "estimate" if part == "reading" else "value"
        assert getattr(one, value) == pytest.approx(-getattr(other, value))
    assert kept.hazard_ratio == back.hazard_ratio
    assert kept.share.value == pytest.approx(1 - back.share.value)
