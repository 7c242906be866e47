"""Baseline curves."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from retention_lab.checks import BadData, BadParameter
from retention_lab.experiments.design.curve import constant, from_days, still_there
from retention_lab.survival.daygrid import kaplan_meier

from .plans import bent


def frame(day, survival):
    return pd.DataFrame({"day": day, "survival": survival})


def test_a_curve_by_days_passes_through_its_days():
    day = [0, 1, 5, 7]
    curve = from_days(frame(day, [1, 0.9, 0.9, 0.3]))
    assert [curve.survival(each) for each in day] == pytest.approx([1, 0.9, 0.9, 0.3])
    # Between two days the share falls at one rate: half of the way is their geometric mean.
    assert curve.survival(6) == pytest.approx((0.9 * 0.3) ** 0.5)
    assert curve.end == 7


def test_a_curve_of_kaplan_and_meier_is_followed():
    grid = pd.DataFrame({"day": [3, 5, 9], "events": [2, 1, 1], "censored": [0, 1, 5]})
    curve = from_days(kaplan_meier(grid))
    assert [curve.survival(day) for day in (3, 5, 9)] == pytest.approx([0.8, 0.7, 0.7 * 5 / 6])


@pytest.mark.parametrize("curve", [constant(0.02), bent().times(0.7, after=15)])
def test_moments_are_when_the_rate_has_added_up(curve):
    cumulative = np.linspace(1e-4, 0.59, 200)
    assert curve.cumulative(curve.moment(cumulative)) == pytest.approx(cumulative)


def test_nobody_has_the_event_while_the_curve_is_flat():
    moments = bent().moment(np.linspace(0, 0.6, 5001))
    assert not ((moments > 20.001) & (moments < 29.999)).any()
    assert not ((moments > 70.001) & (moments < 79.999)).any()


@pytest.mark.parametrize("curve", [constant(0.02), bent()])
@pytest.mark.parametrize("after", [0, 12.5])
def test_rates_are_multiplied_from_the_onset_on(curve, after):
    treated, day = curve.times(0.5, after=after), np.array([5.0, 30.0, 100.0])
    before = curve.cumulative(np.minimum(day, after))
    assert treated.cumulative(day) == pytest.approx((curve.cumulative(day) + before) / 2)
    assert treated.end == curve.end


def test_one_rate_leaves_the_share_that_it_was_made_for():
    assert still_there(0.6, day=90).survival(90) == pytest.approx(0.6)
    assert still_there(0.6, day=90).survival(180) == pytest.approx(0.36)


@pytest.mark.parametrize(
    ("day", "survival", "sentence"),
    [
        ([0], [1], "needs two days at least"),
        ([1, 2], [1, 0.5], "rising from day 0"),
        ([0, 2, 2], [1, 0.5, 0.4], "rising from day 0"),
        ([0, float("inf")], [1, 0.5], "rising from day 0"),
        ([0, 1], [0.9, 0.5], "must begin with 1"),
        ([0, 1, 2], [1, 0.5, 0.6], "never rise"),
        ([0, 1, 2], [1, 0.5, 0], "cut the curve before the day on which nobody is left"),
        ([0, 1, 2], [1, 0.5, float("nan")], "never rise"),
        ([0, 1, 2], [1, 1, 1], "Nobody has the event on the baseline curve"),
    ],
)
def test_a_curve_that_cannot_be_is_refused(day, survival, sentence):
    with pytest.raises(BadData, match=sentence):
        from_days(frame(day, survival))


def test_a_table_without_a_curve_is_refused():
    with pytest.raises(BadData, match="days lacks the column"):
        from_days(pd.DataFrame({"day": [0, 1]}))


@pytest.mark.parametrize("rate", [0, -0.1, float("nan"), float("inf")])
def test_a_rate_that_is_none_is_refused(rate):
    with pytest.raises(BadParameter, match="rate must be a number of events per day above 0"):
        constant(rate)


@pytest.mark.parametrize("day", [0, float("inf")])
def test_a_share_at_no_day_is_refused(day):
    with pytest.raises(BadParameter, match="day must be a number above 0"):
        still_there(0.6, day=day)
