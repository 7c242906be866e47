"""From rows to a day grid, and to the units at risk."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from retention_lab.checks import BadData
from retention_lab.survival.tally import from_rows, tally

from .units import random_units, repeated

ROWS = pd.DataFrame(
    {
        "durations": [0, 4, 4, 9],
        "event_observed": [True, True, False, False],
        "entry": [0, 0, 2, 5],
        "cause": ["moved", "bored", None, None],
    }
)


def test_rows_become_counts_by_day():
    assert from_rows(ROWS).to_dict("list") == {
        "day": [0, 2, 4, 5, 9],
        "events": [1, 0, 1, 0, 0],
        "censored": [0, 0, 1, 0, 1],
        "events_bored": [0, 0, 1, 0, 0],
        "events_moved": [1, 0, 0, 0, 0],
        "entered": [0, 1, 0, 1, 0],
    }


def test_units_are_at_risk_after_they_came_until_the_day_they_leave():
    days = tally(from_rows(ROWS))
    assert days["day"].tolist() == [0, 2, 4, 5, 9]
    assert days["at_risk"].tolist() == [2, 1, 2, 0, 1]


def test_units_at_risk_are_those_who_came_before_a_day_and_left_on_it_or_later():
    rows = random_units(late=True)
    days = tally(from_rows(rows))
    after = days[days["day"] > 0]
    counted = [((rows["entry"] < day) & (rows["durations"] >= day)).sum() for day in after["day"]]
    assert np.bincount(rows["entry"]).argmax() == 0
    assert days["at_risk"].tolist() != sorted(days["at_risk"], reverse=True)
    weighted = tally(from_rows(rows.drop(columns="weights")))
    assert weighted.loc[weighted["day"] > 0, "at_risk"].tolist() == counted


@pytest.mark.parametrize("late", [False, True])
def test_weights_are_the_same_as_repeated_rows(late):
    rows = random_units(late=late)
    by = ["group", "stratum"]
    pd.testing.assert_frame_equal(from_rows(rows, by=by), from_rows(repeated(rows), by=by))


def test_the_order_of_rows_does_not_matter():
    rows = random_units(late=True)
    shuffled = rows.sample(frac=1, random_state=2)
    pd.testing.assert_frame_equal(from_rows(rows), from_rows(shuffled))


def test_a_grid_of_groups_adds_up_to_that_of_all():
    rows = random_units(late=True)
    pd.testing.assert_frame_equal(tally(from_rows(rows, by=["group"])), tally(from_rows(rows)))


def test_days_need_not_be_whole():
    grid = from_rows(pd.DataFrame({"durations": [0.5, 2.25], "event_observed": [1, 0]}))
    assert tally(grid)["day"].tolist() == [0, 0.5, 2.25]


@pytest.mark.parametrize(
    ("column", "value", "sentence"),
    [
        ("durations", -3, "durations must hold finite numbers of at least 0, got -3"),
        ("durations", np.inf, "durations must hold finite numbers of at least 0, got inf"),
        ("durations", np.nan, r"durations lacks 1 value\(s\): fill them"),
        ("durations", "nine", "durations must hold numbers, got object: convert"),
        ("event_observed", 2, r"event_observed must hold true or false \(1 or 0\), got 2"),
        ("event_observed", None, "event_observed lacks 1"),
        ("entry", 9, r"entry is not before durations in 1 row\(s\)"),
        ("entry", -1, "entry must hold finite numbers"),
        ("weights", 0.5, "weights counts units, so it must hold whole numbers: 0.5"),
        ("weights", -1, "weights must hold"),
        ("cause", None, "cause lacks 1"),
        ("group", None, "group lacks 1"),
    ],
)
def test_a_value_that_cannot_be_is_refused_with_its_column_and_what_to_do(column, value, sentence):
    rows = ROWS.assign(weights=1, group="a").astype({column: object})
    rows.loc[rows.index[0], column] = value
    rows = rows.assign(**{column: rows[column].infer_objects()})
    with pytest.raises(BadData, match=sentence):
        from_rows(rows, by=["group"])


def test_a_missing_column_is_named_with_the_nearest():
    with pytest.raises(BadData, match=r"lacks .* durations.*Did you mean 'duration'"):
        from_rows(ROWS.rename(columns={"durations": "duration"}))


@pytest.mark.parametrize("column", ["day", "events", "censored", "entered", "events_moved"])
def test_a_negative_number_in_a_grid_is_refused_by_its_column(column):
    grid = from_rows(ROWS)
    grid.loc[2, column] = -1
    with pytest.raises(BadData, match=f"column {column} must hold"):
        tally(grid)


def test_more_leaving_than_came_is_refused():
    grid = pd.DataFrame({"day": [3, 5], "events": [1, 0], "censored": [0, 1], "entered": [0, 1]})
    with pytest.raises(BadData, match="More leave on day 5 than had come before it"):
        tally(grid)
