"""Effects of a test by segment: each alone, against each other, and pulled together."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm
from statsmodels.stats.multitest import multipletests

from retention_lab.checks import BadData
from retention_lab.experiments.subgroups import subgroups
from retention_lab.inference.shrinkage import interaction, shrunk
from retention_lab.survival.contrasts import difference
from retention_lab.survival.retention import retained

from .segmented import CONTROL, SENT, customers, marked, planned

SHARES = {"DE": 0.4, "FR": 0.3, "IT": 0.2, "UK": 0.1}


def shop(*, seed=3, n=6_000, **words):
    return customers(np.random.default_rng(seed), n, **{"shares": SHARES} | words)


def test_effects_are_the_differences_of_the_curves_of_a_segment_a_gain_positive():
    rows = shop(effects={"UK": 0.4})
    for kind, sign in (("retained", 1), ("returned", -1)):
        found = subgroups(marked(rows), planned("country", kind=kind)).rows.set_index("value")
        for value in SHARES:
            part = marked(rows[rows["country"] == value]).grid()
            ends = [
                retained(part[part["arm"] == arm].drop(columns="arm"), day=90)
                for arm in (SENT, CONTROL)
            ]
            expected = difference(*ends)
            told = found.loc[value]
            assert told["effect"] == pytest.approx(sign * expected.value)
            assert told["std_error"] == pytest.approx(expected.std_error)
            assert sorted(sign * told[["low", "high"]]) == pytest.approx(
                [expected.low, expected.high]
            )
            assert told["customers"] == ((rows["country"] == value) & (rows["arm"] == SENT)).sum()
    assert found.loc["UK", "effect"] < -0.1


def test_segments_are_pulled_and_tested_against_each_other_by_the_kernels():
    found = subgroups(marked(shop()), planned("country"))
    rows, told = found.rows, found.interactions.iloc[0]
    tested, pulled = interaction(rows), shrunk(rows)
    assert rows["shrunk"].tolist() == pytest.approx(pulled.segments["shrunk"].tolist())
    assert rows["shrunk_high"].tolist() == pytest.approx(pulled.segments["high"].tolist())
    assert (told["p_value"], told["groups"]) == (pytest.approx(tested.p_value), 4)
    assert told["mean"] == pytest.approx(tested.mean.value)
    assert (found.examined, found.why, len(found.left_out)) == (4, {}, 0)


def test_a_segment_is_tested_against_all_the_others_and_two_have_one_answer():
    rows = subgroups(marked(shop()), planned("country")).rows
    first, others = rows.iloc[0], rows.iloc[1:]
    weights = 1 / others["std_error"] ** 2
    apart = first["effect"] - np.average(others["effect"], weights=weights)
    z = apart / np.hypot(first["std_error"], weights.sum() ** -0.5)
    assert first["p_value"] == pytest.approx(2 * norm.sf(abs(z)))
    two = subgroups(marked(shop(shares={"DE": 0.5, "FR": 0.5})), planned("country"))
    assert two.rows["p_value"].tolist() == pytest.approx([two.interactions["p_value"].item()] * 2)


def test_two_segments_are_not_pulled_for_two_tell_no_spread():
    two = subgroups(marked(shop(shares={"DE": 0.5, "FR": 0.5})), planned("country"))
    assert two.rows["shrunk"].isna().all()
    assert two.rows["effect"].notna().all()


def test_p_values_allow_for_all_segments_of_an_arm_and_interactions_for_all_tests():
    arms = (CONTROL, SENT, "call")
    rows = shop(arms=arms, n=9_000).assign(plan=lambda own: np.where(own.index % 3, "a", "b"))
    found = subgroups(marked(rows), planned("country", "plan", arms=arms))
    for _, part in found.rows.groupby("arm"):
        assert len(part) == 6
        expected = multipletests(part["p_value"], method="fdr_bh")[1]
        assert part["p_adjusted"].tolist() == pytest.approx(expected.tolist())
    expected = multipletests(found.interactions["p_value"], method="holm")[1]
    assert found.interactions["p_adjusted"].tolist() == pytest.approx(expected.tolist())
    assert found.examined == 6
    assert found.rows["arm"].unique().tolist() == [SENT, "call"]


def test_values_with_too_few_on_either_side_of_the_outcome_are_left_out():
    rows = shop(n=4_000, shares={"DE": 0.5, "FR": 0.496, "LI": 0.004})
    all_stay = rows["country"] == "DE"
    found = subgroups(marked(rows), planned("country"))
    assert found.left_out["value"].tolist() == ["LI"]
    small = (rows["country"] == "LI") & (rows["arm"] == SENT)
    assert found.left_out["customers"].item() == small.sum()
    staying = rows.assign(event=rows["event"] & ~all_stay)
    none = subgroups(marked(staying), planned("country"))
    assert none.left_out["value"].tolist() == ["FR", "DE", "LI"]
    assert (none.examined, len(none.interactions)) == (0, 0)
    assert none.why["country, check-in"].startswith(
        "By country, fewer than two groups have 10 customers or more on either side"
    )


def test_a_value_of_which_an_arm_has_nobody_is_left_out():
    rows = shop()
    found = subgroups(
        marked(rows[(rows["country"] != "UK") | (rows["arm"] == SENT)]), planned("country")
    )
    assert found.left_out[["value", "customers_control"]].to_numpy().tolist() == [["UK", 0]]


def test_too_early_a_day_leaves_everybody_out_and_nothing_breaks():
    rows = shop()
    found = subgroups(marked(rows[rows["day"] < 80]), planned("country"))
    assert found.rows.empty
    assert len(found.left_out) == 4


def test_without_segments_or_with_an_unknown_one_the_answer_is_a_sentence():
    none = subgroups(marked(shop()), planned())
    assert none.why == {"segments": "The plan names no segments, so none were looked at."}
    assert list(none.rows.columns[:3]) == ["arm", "segment", "value"]

    def grid(*_by):
        raise BadData("The shop knows no attribute 'colour'.")

    lacking = marked(shop())
    lacking.grid = grid
    assert subgroups(lacking, planned("colour")).why == {
        "colour": "The shop knows no attribute 'colour'."
    }


def test_customers_of_one_household_are_not_taken_for_independent():
    found = subgroups(marked(shop()), planned("country", cluster="household"))
    assert found.rows.empty
    assert found.why["country"].startswith("Customers of one household are not independent")
