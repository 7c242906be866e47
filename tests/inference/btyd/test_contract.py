"""Shifted beta-geometric: truth recovered, later starts told apart, bad data refused."""

from __future__ import annotations

import numpy as np
import pytest

from retention_lab.checks import BadData
from retention_lab.inference.btyd import contract

TRUTH = np.array([0.8, 2.0])


def simulated(rng, n):
    """Customers who have come to 1 to 10 renewals: who stayed and who left at each."""
    leaves, due = rng.geometric(rng.beta(*TRUTH, n)), rng.integers(1, 11, n)
    renewal = np.arange(1, 11)[:, None]
    there = due >= renewal
    return (there & (leaves > renewal)).sum(axis=1), (there & (leaves == renewal)).sum(axis=1)


def test_the_planted_parameters_are_recovered_from_starts_at_any_time():
    stayed, lost = simulated(np.random.default_rng(1), 50_000)
    found = contract.fit(stayed=stayed, lost=lost).maximum
    error = np.sqrt(np.diag(found.covariance))
    assert (np.abs(np.log(found.parameters / TRUTH)) < 3 * error).all()
    assert error.max() < 0.05


def test_the_projection_holds_the_truth_and_marks_what_was_not_seen():
    stayed, lost = simulated(np.random.default_rng(2), 5_000)
    rows = contract.project(contract.fit(stayed=stayed, lost=lost), periods=20)
    true = contract.curve(TRUTH, periods=20)["survival"]
    assert ((rows["low"] < true) & (true < rows["high"])).all()
    assert rows["seen"].tolist() == [True] * 10 + [False] * 10


@pytest.mark.parametrize(
    ("stayed", "lost", "sentence"),
    [
        ([5, 3], [0, 0], "Nobody left"),
        ([0, 0], [5, 3], "Nobody stayed"),
        ([5], [1], "Two renewals are the least"),
        ([5, 4], [1], "Two renewals are the least"),
        ([5, -4], [1, 1], "missing or negative"),
        ([5, np.nan], [1, 1], "missing or negative"),
        ([900, 810, 729], [100, 90, 81], "do not determine"),  # a constant tenth leaves
    ],
)
def test_bad_renewals_are_refused_in_a_sentence(stayed, lost, sentence):
    with pytest.raises(BadData, match=sentence):
        contract.fit(stayed=stayed, lost=lost)
