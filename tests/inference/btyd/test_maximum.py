"""What is certified is a top: neither a slope nor a saddle."""

from __future__ import annotations

import numpy as np
import pytest

from retention_lab.checks import BadData
from retention_lab.inference.btyd.maximum import certified, climb

TOP = np.array([2.0, 300.0])


def hill(parameters):
    """A likelihood whose logarithms have the top TOP and standard errors of 1."""
    off = np.log(parameters / TOP)
    return -off @ off / 2, -off / parameters, np.diag((off - 1) / parameters**2)


def certify(parameters):
    return certified(hill, parameters, names=("one", "two"), what="a hill", advice="Climb it.")


def test_a_climb_ends_at_the_top_and_is_certified():
    found = certify(climb(hill, np.array([1.0, 1.0])))
    assert found.parameters == pytest.approx(TOP)
    assert found.covariance == pytest.approx(np.eye(2))


def test_a_place_on_the_way_is_refused():
    with pytest.raises(BadData, match="do not determine the parameters of a hill"):
        certify(TOP * [1.01, 1.0])
