"""Chances and durations as people say them."""

from __future__ import annotations

import pytest

from retention_lab.wording.sizes import lasts, often, points, spelt


@pytest.mark.parametrize(
    ("share", "words"),
    [
        (0.8, "four times in five"),
        (0.9, "nine times in ten"),
        (0.75, "three times in four"),
        (0.85, "about 85 times in 100"),
        (0.95, "about 95 times in 100"),
        (0.999, "about 99.9 times in 100"),
        (0.025, "1 time in 40"),
        (0.05, "1 time in 20"),
        (0.001, "1 time in 1,000"),
        (0.03, "about 3 times in 100"),
    ],
)
def test_chances_are_said_in_small_numbers_where_they_are_exact(share, words):
    assert often(share) == words


@pytest.mark.parametrize(
    ("weeks", "words"),
    [
        (0.2, "1 week"),
        (29.4, "29 weeks"),
        (29.6, "30 weeks"),
        (104.0, "104 weeks"),
        (105.0, "about 2 years"),
        (131.0, "about 2.5 years"),
        (600.0, "about 11 years"),
        (1e9, "more than a hundred years"),
    ],
)
def test_durations_are_weeks_and_years_from_two_on(weeks, words):
    assert lasts(weeks) == words


def test_numbers_are_spelt_up_to_ten():
    assert (spelt(2), spelt(10), spelt(11)) == ("two", "ten", "11")


@pytest.mark.parametrize(
    ("share", "words"),
    [
        (0.03, "3 points"),
        (0.0723, "7.2 points"),
        (0.01, "1 point"),
        (0.005, "0.5 points"),
        (0.0025, "0.25 points"),
        (0.0005, "0.05 points"),
        (0.12, "12 points"),
        (-0.142, "-14.2 points"),
    ],
)
def test_differences_of_shares_are_points(share, words):
    assert points(share) == words
