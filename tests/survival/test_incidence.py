"""Cumulative incidence by cause on day grids."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from surpyval.univariate.competing_risks import CompetingRisks

from retention_lab.checks import BadData
from retention_lab.survival.daygrid import kaplan_meier
from retention_lab.survival.incidence import cumulative_incidence, incidence_at
from retention_lab.survival.tally import from_rows

from .units import random_units, repeated

ENDS = ["incidence", "std_error", "low", "high"]


def of_cause(curves, cause):
    return curves[curves["cause"] == cause].reset_index(drop=True)


@given(seed=st.integers(0, 1000), n=st.integers(1, 60), late=st.booleans())
@settings(max_examples=30)
def test_incidences_and_the_share_that_stays_sum_to_one(seed, n, late):
    grid = from_rows(random_units(n, seed, late=late))
    if not grid["events"].any():
        return
    curves, stay = cumulative_incidence(grid), kaplan_meier(grid)
    total = curves.groupby("day")["incidence"].sum().to_numpy() + stay["survival"].to_numpy()
    assert total == pytest.approx(np.ones(len(stay)), abs=1e-12)
    assert (curves["low"] <= curves["incidence"] + 1e-12).all()
    assert (curves["incidence"] <= curves["high"] + 1e-12).all()
    assert curves[ENDS].notna().all(axis=None)
    assert (curves["high"] > curves["low"]).all()


@pytest.mark.parametrize("late", [False, True])
def test_one_cause_alone_is_the_rest_of_kaplan_meier(late):
    grid = from_rows(random_units(late=late).assign(cause="any"))
    one, stay = cumulative_incidence(grid), kaplan_meier(grid)
    assert one["incidence"].to_numpy() == pytest.approx(1 - stay["survival"].to_numpy(), abs=1e-12)
    assert one["std_error"].to_numpy() == pytest.approx(stay["std_error"].to_numpy(), abs=1e-9)
    assert one["low"].to_numpy() == pytest.approx(1 - stay["high"].to_numpy(), abs=1e-9)
    assert one["high"].to_numpy() == pytest.approx(1 - stay["low"].to_numpy(), abs=1e-9)


def test_incidence_without_censoring_is_a_share_with_its_binomial_standard_error():
    rows = random_units(n=300).assign(event_observed=True, weights=1)
    read = incidence_at(cumulative_incidence(from_rows(rows)), 9)
    had = (rows["durations"] <= 9).groupby(rows["cause"]).sum() / 300
    assert read["incidence"].tolist() == pytest.approx(had[read["cause"]].tolist())
    binomial = np.sqrt(had * (1 - had) / 300)[read["cause"]]
    assert read["std_error"].tolist() == pytest.approx(binomial.tolist())


def test_incidence_agrees_with_surpyval():
    rows = repeated(random_units())
    event = rows["cause"].where(rows["event_observed"], None)
    oracle = CompetingRisks.fit(rows["durations"], event.to_numpy(object), how="Kaplan-Meier")
    curves = cumulative_incidence(from_rows(rows))
    for cause in ("voluntary", "involuntary"):
        one = of_cause(curves, cause)
        one = one[one["day"] > 0]
        expected = oracle.cif(one["day"].to_numpy(), cause)
        assert one["incidence"].to_numpy() == pytest.approx(expected, abs=1e-9)


def test_weights_order_names_and_units_of_time_do_not_matter():
    rows = random_units()
    curves = cumulative_incidence(from_rows(rows))
    same = cumulative_incidence(from_rows(repeated(rows).sample(frac=1, random_state=4)))
    pd.testing.assert_frame_equal(curves, same)
    other = cumulative_incidence(
        from_rows(
            rows.replace({"cause": {"voluntary": "z"}}).assign(durations=rows["durations"] / 7)
        )
    )
    np.testing.assert_allclose(of_cause(curves, "voluntary")[ENDS], of_cause(other, "z")[ENDS])


def test_a_cause_that_has_not_happened_yet_has_wilsons_interval_on_every_day():
    days = np.arange(1, 41)
    rows = {"durations": days, "event_observed": True, "cause": np.where(days < 40, "a", "b")}
    before = of_cause(cumulative_incidence(from_rows(pd.DataFrame(rows))), "b").iloc[:-1]
    assert before[["incidence", "std_error", "low"]].eq(0).all(axis=None)
    assert before["high"].to_numpy() == pytest.approx(3.841459 / (before["at_risk"] + 3.841459))


def test_a_day_beyond_follow_up_is_refused_unless_nobody_is_left():
    rows = pd.DataFrame({"durations": [2, 5], "event_observed": [1, 0], "cause": ["a", None]})
    curves = cumulative_incidence(from_rows(rows))
    with pytest.raises(BadData, match="Day 6 lies outside the 5 days"):
        incidence_at(curves, 6)
    ended = rows.assign(event_observed=1, cause=["a", "b"])
    read = incidence_at(cumulative_incidence(from_rows(ended)), 6)
    assert read["incidence"].tolist() == [0.5, 0.5]


def test_causes_that_are_missing_or_do_not_add_up_are_refused():
    grid = from_rows(random_units())
    with pytest.raises(BadData, match="counts no causes: it needs a column events_<cause>"):
        cumulative_incidence(grid.drop(columns=["events_voluntary", "events_involuntary"]))
    with pytest.raises(BadData, match=r"events_voluntary do not add up to the events of day \d+"):
        cumulative_incidence(grid.drop(columns=["events_involuntary"]))
