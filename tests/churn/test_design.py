"""From states in words to columns of 0 and 1."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from retention_lab.checks import BadData
from retention_lab.churn import design
from retention_lab.tables.playbook import Purchases, Recency

from .simulated import FACTORS, ONBOARDING, PLAN

DAYS = Recency(name="recency", label="Days since", days=(30, 90))
BOUGHT = Purchases(name="purchases", label="Purchases", within=90, cuts=(1,))


def table(factor, counts):
    """Rows of states with so many events and others each."""
    rows = [
        (state, happened, number)
        for state, numbers in counts.items()
        for happened, number in zip((True, False), numbers, strict=True)
        if number
    ]
    return pd.DataFrame(rows, columns=[factor.name, "event_observed", "weight"])


def test_columns_are_zero_and_one_against_the_first_state():
    made = design.of(table(ONBOARDING, {"reached": (20, 80), "not yet": (30, 40)}), [ONBOARDING])
    frame = made.matrix(pd.DataFrame({"onboarding": ["reached", "not yet", "reached"]}))
    assert list(frame) == ["onboarding: reached"]
    assert frame.to_numpy().ravel().tolist() == [1.0, 0.0, 1.0]
    assert made.left_out == ()


def test_a_state_of_a_few_customers_joins_the_one_before_it_and_is_named():
    counts = {"0-30": (20, 80), "31-90": (30, 40), "over 90": (4, 5)}
    made = design.of(table(DAYS, counts), [DAYS])
    assert made.levels["recency"] == (("0-30",), ("31-90", "over 90"))
    assert "'31-90', 'over 90' are counted together" in made.left_out[0]


def test_a_reference_of_a_few_customers_joins_the_next_state():
    counts = {"0-30": (2, 3), "31-90": (30, 40), "over 90": (40, 50)}
    made = design.of(table(DAYS, counts), [DAYS])
    assert made.levels["recency"] == (("0-30", "31-90"), ("over 90",))


@pytest.mark.parametrize("outcomes", [(0, 500), (500, 0), (9, 500), (500, 9)])
def test_a_state_with_too_few_of_one_outcome_is_no_column_of_its_own(outcomes):
    counts = {"0-30": (20, 80), "31-90": outcomes, "over 90": (40, 50)}
    made = design.of(table(DAYS, counts), [DAYS])
    assert made.levels["recency"] == (("0-30", "31-90"), ("over 90",))


def test_customers_are_counted_once_though_they_stand_in_several_windows():
    counts = {"0-30": (20, 80), "31-90": (30, 40), "over 90": (4, 4)}
    one = table(DAYS, counts)
    several = pd.concat(one.assign(landmark=landmark) for landmark in (1, 2, 3))
    assert design.of(several, [DAYS]).levels["recency"][-1] == ("31-90", "over 90")


def test_an_attribute_has_the_states_of_the_data_the_most_common_first():
    counts = {"free": (30, 70), "plus": (60, 90), "pro": (5, 6), "team": (6, 5)}
    made = design.of(table(PLAN, counts), [PLAN])
    assert made.levels["plan"] == (("plus",), ("free",), ("pro", "team"))


def test_a_state_that_was_not_met_counts_as_the_reference():
    made = design.of(table(PLAN, {"free": (30, 70), "plus": (60, 90)}), [PLAN])
    assert made.matrix(pd.DataFrame({"plan": ["new one"]})).to_numpy().tolist() == [[0.0]]


def test_a_factor_of_one_state_is_left_out_and_named():
    both = pd.DataFrame(
        {"plan": ["free", "plus"] * 2, "event_observed": [True, True, False, False]}
    )
    frame = both.assign(onboarding="reached", weight=50)
    made = design.of(frame, FACTORS)
    assert made.factors == (PLAN,)
    assert made.left_out == (
        "Onboarding is left out: all but a few customers are in one state of it.",
    )


def test_a_state_that_follows_from_the_columns_before_it_counts_with_the_reference():
    # Who bought in the last 90 days did not buy last over 90 days ago, and the other way round.
    states = [("0", "over 90"), ("1 or more", "0-30"), ("1 or more", "31-90")]
    rows = [(*pair, event, 50) for pair in states for event in (True, False)]
    frame = pd.DataFrame(rows, columns=["purchases", "recency", "event_observed", "weight"])
    made = design.of(frame, [BOUGHT, DAYS])
    assert made.levels == {
        "purchases": (("0",), ("1 or more",)),
        "recency": (("0-30", "over 90"), ("31-90",)),
    }
    assert "'over 90' follows from the other factors" in made.left_out[0]
    centred = made.matrix(frame).to_numpy() - made.matrix(frame).to_numpy().mean(axis=0)
    assert np.linalg.matrix_rank(centred) == centred.shape[1]


def test_many_states_that_are_put_together_are_counted():
    assert design.words(("a", "b", "c")) == "a or b or c"
    assert design.words(("a", "b", "c", "d")) == "a or 3 others"


def test_a_missing_state_is_refused():
    frame = table(PLAN, {"free": (30, 70), None: (60, 90)})
    with pytest.raises(BadData, match=r"Plan \(plan\) has rows without a state"):
        design.of(frame, [PLAN])


def test_a_missing_column_is_refused():
    frame = table(PLAN, {"free": (30, 70), "plus": (60, 90)})
    with pytest.raises(BadData, match="lacks the column\\(s\\) onboarding"):
        design.of(frame, FACTORS)
    with pytest.raises(BadData, match="lacks the column\\(s\\) plan"):
        design.of(frame, [PLAN]).matrix(frame.drop(columns="plan"))


def test_who_is_in_a_state_that_nobody_was_in_before_is_counted():
    made = design.of(table(DAYS, {"0-30": (20, 80), "31-90": (4, 5)}), [DAYS])
    now = pd.DataFrame({"recency": ["0-30", "31-90", "over 90"], "weight": [5, 6, 7]})
    assert made.factors == ()  # and yet it is known which states occurred
    assert made.strangers(now) == 7
