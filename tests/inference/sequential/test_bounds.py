"""Looks as they fall: alpha holds, what was spent stays spent, and the end is the end."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retention_lab.checks import BadData, BadParameter
from retention_lab.inference.sequential.bounds import Rule, bounds
from retention_lab.inference.sequential.planning import design, stops
from retention_lab.inference.sequential.spending import Spending

TWO = Rule()
ONE = Rule(alpha=0.025, sides=1, power=0.9, futility=Spending(family="Pocock"))


def taken(fractions, *, rule, drift=0.0, final=True):
    """Bounds as a test meets them: look by look, each with those before as its past."""
    past = None
    for k in range(1, len(fractions) + 1):
        last = final and k == len(fractions)
        past = bounds(fractions[:k], rule=rule, drift=drift, past=past, final=last)
    return past


@settings(max_examples=20, deadline=None)
@given(st.lists(st.integers(1, 130), min_size=1, max_size=6, unique=True))
def test_alpha_holds_wherever_the_looks_fall(looks):
    fractions = [look / 100 for look in sorted(looks) if look < 100] + [max(looks) / 100 + 1]
    found = taken(fractions, rule=TWO)
    assert stops(found, drift=0)[["below", "above"]].sum().sum() == pytest.approx(0.05, abs=1e-9)


@pytest.mark.parametrize("rule", [TWO, ONE])
def test_looks_that_fall_as_planned_have_the_planned_bounds(rule):
    planned = design([0.25, 0.5, 0.75, 1], rule=rule)
    found = taken([0.25, 0.5, 0.75, 1], rule=rule, drift=planned.drift)
    pd.testing.assert_frame_equal(found, planned.looks, rtol=0, atol=1e-8)


def test_a_skipped_look_leaves_its_alpha_to_the_next():
    found = taken([0.25, 0.75, 1], rule=TWO)
    planned = design([0.25, 0.5, 0.75, 1], rule=TWO).looks
    assert found["alpha_spent"].tolist() == planned["alpha_spent"].drop(index=2 - 1).tolist()
    assert found["upper"][1] < planned["upper"][2]


@pytest.mark.parametrize("end", [0.8, 1.0, 1.3])
def test_the_final_look_spends_what_is_left_however_much_information_it_has(end):
    found = taken([0.3, 0.6, end], rule=TWO)
    assert found["alpha_spent"].iloc[-1] == 0.05
    assert stops(found, drift=0)[["below", "above"]].sum().sum() == pytest.approx(0.05, abs=1e-9)


def test_an_interim_look_keeps_alpha_for_later():
    found = taken([0.3, 0.6], rule=TWO, final=False)
    assert found["alpha_spent"].iloc[-1] < 0.01


def test_what_was_spent_is_never_refunded():
    past = taken([0.3, 0.6], rule=TWO, final=False)
    # The plan has grown by half since, so that what was 0.3 and 0.6 of it is 0.2 and 0.4.
    found = bounds([0.2, 0.4, 0.5, 1], rule=TWO, drift=0, past=past)
    assert found["upper"].tolist()[:2] == past["upper"].tolist()
    assert found["alpha_spent"].tolist()[:3] == [*past["alpha_spent"], past["alpha_spent"][1]]
    assert found["upper"][2] == 12  # nothing to spend: nobody stops here
    assert stops(found, drift=0)[["below", "above"]].sum().sum() == pytest.approx(0.05, abs=1e-9)


def test_futility_spends_beta_where_the_looks_fall():
    planned = design([0.5, 1], rule=ONE)
    found = taken([0.4, 0.55, 1.1], rule=ONE, drift=planned.drift)
    spent = ONE.futility.spent([0.4, 0.55], level=0.1)
    assert found["beta_spent"].tolist()[:2] == pytest.approx(spent.tolist())
    assert found["lower"][2] == found["upper"][2]
    below = stops(found, drift=planned.drift)["below"].cumsum()
    assert found["beta_spent"].tolist() == pytest.approx(below.tolist())
    assert stops(found.assign(lower=-np.inf), drift=0)["above"].sum() == pytest.approx(0.025)


def test_futility_never_lies_above_the_bound_for_success():
    found = taken([0.5, 0.9, 0.95, 1], rule=ONE, drift=6.0)
    assert (found["lower"] <= found["upper"]).all()


@pytest.mark.parametrize(
    ("fractions", "end", "sentence"),
    [
        ([0.5, 1.0], 1.2, "all of alpha \\(0.05\\) is spent. What comes later is another test"),
        ([0.5, 0.7], 1.0, "A look was to come after the last one"),
        ([0.5], 0.5, "same look: leave it out"),
    ],
)
def test_a_look_after_the_last_or_a_second_time_is_refused(fractions, end, sentence):
    past = taken(fractions, rule=TWO, final=len(fractions) > 1)
    with pytest.raises(BadParameter, match=sentence):
        bounds([*fractions, end], rule=TWO, drift=0, past=past)


def test_looks_without_a_new_one_are_refused():
    past = taken([0.5], rule=TWO, final=False)
    with pytest.raises(BadParameter, match="the 1 looks of the past and those to come, got 1"):
        bounds([0.5], rule=TWO, drift=0, past=past)


def test_a_past_that_is_not_of_this_function_is_refused():
    past = taken([0.5], rule=TWO, final=False).drop(columns="beta_spent")
    with pytest.raises(BadData, match="past lacks the column\\(s\\) beta_spent"):
        bounds([0.5, 1], rule=TWO, drift=0, past=past)
