"""What a test has seen by a day."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from retention_lab.checks import BadParameter
from retention_lab.experiments.design.curve import from_days
from retention_lab.experiments.design.exposure import exposure

from .plans import DISTURBED, HAZARD_RATIO, PLAIN


def test_events_meet_the_formula_for_uniform_entry():
    # Lachin & Foulkes (1986): rate / (rate + dropout) of 1 less the mean of exp(-(rate + dropout)
    # times follow-up), with follow-up from 30 to 90 days.
    plain = DISTURBED["dropout"]
    rates = plain.baseline.rates[0] * np.array([1, 0.8])
    total = rates + plain.dropout_per_day
    mean = (np.exp(-total * 30) - np.exp(-total * 90)) / (total * 60)
    found = exposure(plain, 0.8, day=90).events
    assert found == pytest.approx(rates / total * (1 - mean), rel=1e-12)


def test_parts_of_a_day_are_exact_too():
    # Follow-up from 34.1 to 77.3 days, evenly; without dropout 1 less the mean share that remains.
    found = exposure(replace(PLAIN, entry=((43.2, 5),)), 0.8, day=77.3).events
    rates = PLAIN.baseline.rates[0] * np.array([1, 0.8])
    mean = (np.exp(-rates * 34.1) - np.exp(-rates * 77.3)) / (rates * 43.2)
    assert found == pytest.approx(1 - mean, rel=1e-12)


def test_nobody_is_followed_beyond_the_end_of_follow_up():
    found = exposure(replace(PLAIN, follow_up_days=20), 0.8, day=90).events
    rates = PLAIN.baseline.rates[0] * np.array([1, 0.8])
    assert found == pytest.approx(1 - np.exp(-rates * 20), rel=1e-12)
    late = exposure(PLAIN, 0.8, day=5000).events
    assert late == pytest.approx(exposure(PLAIN, 0.8, day=150).events, rel=1e-12)


def test_a_formula_and_its_curve_by_days_agree():
    day = np.arange(91)
    curve = from_days(pd.DataFrame({"day": day, "survival": 0.6 ** (day / 90)}))
    by_days = exposure(replace(PLAIN, baseline=curve), 0.8, day=77.3).events
    assert by_days == pytest.approx(exposure(PLAIN, 0.8, day=77.3).events, rel=1e-12)


@pytest.mark.parametrize("day", [45, 77.3, 160])
@pytest.mark.parametrize("name", DISTURBED)
def test_events_meet_a_sum_over_fine_steps(name, day):
    assumptions = DISTURBED[name]
    step = 0.002
    time = np.arange(0, min(day, 90), step) + step / 2
    seen = assumptions.entered(day - time) / assumptions.entered(day)
    seen *= np.exp(-assumptions.dropout_per_day * time)
    baseline, treated = assumptions.baseline, assumptions.treated(0.7)
    reached = assumptions.contact_rate
    ends = np.append(0, time + step / 2)
    control = np.exp(-baseline.cumulative(ends))
    mixed = (1 - reached) * control + reached * np.exp(-treated.cumulative(ends))
    expected = [-np.diff(curve) @ seen for curve in (control, mixed)]
    assert exposure(assumptions, 0.7, day=day).events == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("ratio", [0, -1, float("nan"), float("inf")])
def test_a_hazard_ratio_that_is_none_is_refused(ratio):
    with pytest.raises(BadParameter, match="hazard_ratio must be a number above 0"):
        exposure(PLAIN, ratio, day=90)


@pytest.mark.parametrize("day", [10, 0, -3, float("nan"), float("inf")])
def test_a_day_by_which_nobody_has_entered_is_refused(day):
    with pytest.raises(BadParameter, match="day must be a calendar day by which customers entered"):
        exposure(DISTURBED["steps"], HAZARD_RATIO, day=day)
