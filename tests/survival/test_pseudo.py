"""Jackknife pseudo-values on day grids."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from retention_lab.checks import BadData
from retention_lab.survival.pseudo import pseudo_values
from retention_lab.survival.retention import restricted_mean, retained
from retention_lab.survival.tally import from_rows

from .units import random_units

ROWS = random_units(n=40).drop(columns=["weights", "cause"])
KERNELS = {"restricted mean": restricted_mean, "retained": retained}


@pytest.mark.parametrize("quantity", KERNELS)
def test_each_is_n_estimates_of_all_less_the_rest_without_it(quantity):
    kernel, n = KERNELS[quantity], len(ROWS)
    values = pseudo_values(from_rows(ROWS), day=12, quantity=quantity)
    whole = kernel(from_rows(ROWS), day=12).value
    for row in values.itertuples():
        alike = ROWS["durations"].eq(row.day) & ROWS["event_observed"].eq(row.event_observed)
        assert row.n == alike.sum()
        without = kernel(from_rows(ROWS.drop(alike.idxmax())), day=12).value
        assert row.pseudo_value == pytest.approx(n * whole - (n - 1) * without)


@pytest.mark.parametrize("quantity", KERNELS)
def test_without_censoring_each_is_what_the_unit_did(quantity):
    values = pseudo_values(from_rows(ROWS.assign(event_observed=True)), day=12, quantity=quantity)
    capped, stayed = np.minimum(values["day"], 12), values["day"] > 12
    did = capped if quantity == "restricted mean" else stayed
    assert values["pseudo_value"].to_numpy() == pytest.approx(did.to_numpy(float), abs=1e-9)


def test_their_mean_is_close_to_the_estimate():
    grid = from_rows(random_units(n=2_000))
    values = pseudo_values(grid, day=20)
    mean = np.average(values["pseudo_value"], weights=values["n"])
    assert mean == pytest.approx(restricted_mean(grid, day=20).value, rel=1e-3)
    assert values["n"].sum() == grid[["events", "censored"]].to_numpy().sum()


def test_late_comers_single_units_and_days_beyond_follow_up_are_refused():
    with pytest.raises(BadData, match="everybody from the start"):
        pseudo_values(from_rows(random_units(late=True)), day=5)
    with pytest.raises(BadData, match="two or more"):
        pseudo_values(pd.DataFrame({"day": [9], "events": [0], "censored": [1]}), day=5)
    with pytest.raises(BadData, match="Day 99 lies outside"):
        pseudo_values(from_rows(ROWS), day=99)
