"""What designs take for granted."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from retention_lab.checks import BadParameter
from retention_lab.experiments.design.assumptions import dropout

from .plans import DISTURBED, PLAIN, bent


def test_customers_enter_at_the_pace_of_their_step():
    steps = DISTURBED["steps"]
    assert steps.entered(np.array([5, 10, 17, 24, 70, 99])).tolist() == [0, 0, 140, 280, 2580, 2580]
    assert (steps.first_entry, steps.entry_days, steps.last_day) == (10, 70, 160)
    assert PLAIN.first_entry == 0


@pytest.mark.parametrize("name", DISTURBED)
def test_a_hazard_ratio_leaves_the_share_that_it_was_found_for(name):
    found = DISTURBED[name].hazard_ratio(share=0.65, day=60)
    assert DISTURBED[name].treated(found).survival(60) == pytest.approx(0.65)


def test_dropout_is_the_rate_that_loses_the_share():
    assert np.exp(-90 * dropout(0.05, days=90)) == pytest.approx(0.95)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"entry": ()}, "entry must have steps"),
        ({"entry": ((60, 10), (30, 20))}, "until later and later days"),
        ({"entry": ((0, 10),)}, "until later and later days"),
        ({"entry": ((float("inf"), 10),)}, "until later and later days"),
        ({"entry": ((60, -1),)}, "never fewer than 0 a day"),
        ({"entry": ((60, 0),)}, "entry must bring customers"),
        ({"entry": ((60, float("nan")),)}, "entry must bring customers"),
        ({"dropout_per_day": -0.1}, "dropout_per_day must be at least 0"),
        ({"onset_delay_days": -1}, "onset_delay_days must be at least 0"),
        ({"onset_delay_days": 90}, "follow_up_days must be above 90, the days before"),
        ({"follow_up_days": 0}, "follow_up_days must be above 0"),
        ({"follow_up_days": float("inf")}, "follow_up_days must be above"),
        ({"contact_rate": 0}, "contact_rate must be a share above 0"),
        ({"allocation": (0.5, 0.6)}, "allocation must add up to 1"),
        ({"baseline": bent(), "follow_up_days": 121}, "The baseline curve ends on day 120"),
    ],
)
def test_assumptions_that_cannot_be_are_refused(change, sentence):
    with pytest.raises(BadParameter, match=sentence):
        replace(PLAIN, **change)


@pytest.mark.parametrize(
    ("share", "day", "sentence"),
    [
        (66, 90, "share must be a share"),
        (0.66, 5, "day must be after 7.5, when the effect sets in"),
        (0.66, 91, "within the 90 days of follow-up"),
        (0.97, 60, "A share of 0.97 cannot remain on day 60: 0.958 remain when the effect"),
    ],
)
def test_a_share_that_no_treatment_leaves_is_refused(share, day, sentence):
    with pytest.raises(BadParameter, match=sentence):
        DISTURBED["late onset"].hazard_ratio(share=share, day=day)


def test_a_stretch_without_events_shows_no_effect():
    flat = replace(PLAIN, baseline=bent(), onset_delay_days=20)
    with pytest.raises(BadParameter, match="Nobody has the event between the onset"):
        flat.hazard_ratio(share=0.66, day=28)


@pytest.mark.parametrize("share", [0, 1, 5])
def test_a_share_of_dropouts_that_is_none_is_refused(share):
    with pytest.raises(BadParameter, match="share must be a share"):
        dropout(share, days=90)
