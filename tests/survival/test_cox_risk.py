"""The partial likelihood, row by row and by finite differences."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retention_lab.survival import cox_input, cox_risk

TIES = ("efron", "breslow")
intervals = st.lists(
    st.tuples(
        st.integers(0, 6),  # start
        st.integers(1, 6),  # length
        st.booleans(),
        st.integers(-2, 2),
        st.sampled_from("xy"),
        st.integers(1, 3),
    ),
    min_size=3,
    max_size=25,
)


def frame(rows):
    names = ["start", "length", "event", "a", "stratum", "count"]
    made = pd.DataFrame(rows, columns=names)
    return made.assign(stop=made["start"] + made["length"], b=made["a"] ** 2 + made["start"])


def prepared(rows, ties):
    return cox_input.prepare(
        rows[["a", "b"]],
        start=rows["start"],
        stop=rows["stop"],
        event_observed=rows["event"],
        strata=rows["stratum"],
        weights=rows["count"],
        cluster=None,
        ties=ties,
    )


def written_out(rows, x, coefficients, ties):
    """Log partial likelihood by its definition, every weighted row written out."""
    rows, x = rows.loc[rows.index.repeat(rows["count"])], np.repeat(x, rows["count"], axis=0)
    risk, total = np.exp(x @ coefficients), 0.0
    for (stratum, day), _ in rows[rows["event"]].groupby(["stratum", "stop"]):
        here = (rows["stratum"] == stratum).to_numpy()
        at_risk = here & ((rows["start"] < day) & (day <= rows["stop"])).to_numpy()
        died = here & ((rows["stop"] == day) & rows["event"]).to_numpy()
        for gone in range(died.sum()):
            share = gone / died.sum() if ties == "efron" else 0
            total -= np.log(risk[at_risk].sum() - share * risk[died].sum())
        total += (x[died] @ coefficients).sum()
    return total


def usable(rows):
    return rows["event"].any() and (rows[["a", "b"]].std() > 0).all()


@pytest.mark.parametrize("ties", TIES)
@settings(max_examples=30)
@given(rows=intervals, a=st.floats(-2, 2), b=st.floats(-2, 2))
def test_likelihood_is_that_of_its_definition(ties, rows, a, b):
    rows, coefficients = frame(rows), np.array([a, b])
    if usable(rows):
        table = prepared(rows, ties)
        x = np.empty_like(table.x)
        x[table.order] = table.x
        found = cox_risk.at(table, coefficients).log_likelihood
        assert found == pytest.approx(written_out(rows, x, coefficients, ties), rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("ties", TIES)
@settings(max_examples=30)
@given(rows=intervals, a=st.floats(-1, 1), b=st.floats(-1, 1))
def test_derivatives_are_those_of_the_likelihood(ties, rows, a, b):
    rows, coefficients, near = frame(rows), np.array([a, b]), 1e-5 * np.eye(2)
    if not usable(rows):
        return
    table = prepared(rows, ties)
    around = [[cox_risk.at(table, coefficients + s * e) for s in (1, -1)] for e in near]
    first = [(up.log_likelihood - down.log_likelihood) / 2e-5 for up, down in around]
    second = [(down.gradient - up.gradient) / 2e-5 for up, down in around]
    risk = cox_risk.at(table, coefficients)
    assert risk.gradient == pytest.approx(np.array(first), rel=1e-4, abs=1e-4)
    assert risk.information() == pytest.approx(np.array(second), rel=1e-4, abs=1e-4)


@pytest.mark.parametrize("ties", TIES)
def test_scores_of_rows_and_of_cells_add_up_to_the_gradient(ties, made):
    rows = made().rename(columns={"plan": "stratum"})
    risk = cox_risk.at(prepared(rows, ties), np.array([0.3, -0.2]))
    assert risk.scores.sum(axis=1) == pytest.approx(risk.gradient)
    assert risk.unexpected.sum(axis=1) == pytest.approx(risk.gradient)


def test_a_predictor_far_out_is_as_unlikely_as_can_be(made):
    rows = made().rename(columns={"plan": "stratum"})
    risk = cox_risk.at(prepared(rows, "efron"), np.array([3000.0, 0.0]))
    assert risk.log_likelihood == -np.inf
