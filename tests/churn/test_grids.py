"""Spells collapsed to day grids."""

from __future__ import annotations

import ibis
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from retention_lab.checks import BadData, BadParameter
from retention_lab.churn import grids
from retention_lab.survival.daygrid import kaplan_meier, survival_at
from retention_lab.survival.tally import from_rows


def spells_of(rows):
    """Spells (customer, spell, day, cause) of which None is censored, "" an event of no cause."""
    customer, spell, day, cause = zip(*rows, strict=True)
    columns = {
        "customer_id": pa.array(customer, pa.string()),
        "spell": pa.array(spell, pa.int64()),
        "day": pa.array(day, pa.int64()),
        "event_observed": pa.array([each is not None for each in cause]),
        "cause": pa.array([each or None for each in cause], pa.string()),
        "plan": pa.array([f"plan {each[-1]}" for each in customer], pa.string()),
    }
    return ibis.memtable(pa.table(columns))


def reached_on(rows):
    customer, spell, day = zip(*rows, strict=True)
    kinds = {"customer_id": pa.string(), "spell": pa.int64(), "day": pa.int64()}
    return ibis.memtable(pa.table([customer, spell, day], schema=pa.schema(kinds)))


def random_rows(n=400, seed=3):
    rng = np.random.default_rng(seed)
    causes = rng.choice(np.array([None, "voluntary", "involuntary"], dtype=object), n)
    days = rng.integers(0, 40, n)
    return [(f"c{i}", 1, int(days[i]) + (causes[i] is not None), causes[i]) for i in range(n)]


def test_grid_is_that_of_the_rows():
    rows = random_rows()
    frame = pd.DataFrame(rows, columns=["customer", "spell", "durations", "cause"])
    frame = frame.assign(
        event_observed=frame["cause"].notna(), plan="plan " + frame["customer"].str[-1]
    )
    pd.testing.assert_frame_equal(
        grids.by(spells_of(rows), "plan"), from_rows(frame, by=["plan"]), check_like=True
    )


def test_grid_without_causes_has_only_events_and_censored():
    grid = grids.by(spells_of([("a", 1, 3, ""), ("b", 1, 3, None), ("c", 1, 0, None)]))
    assert grid.to_dict("list") == {"day": [0, 3], "events": [0, 1], "censored": [1, 1]}


def test_spells_may_share_a_customer_and_each_counts():
    grid = grids.by(spells_of([("a", 1, 2, "other"), ("a", 2, 5, None)]), "plan")
    assert grid[["events", "censored", "events_other"]].to_numpy().sum(axis=0).tolist() == [1, 1, 1]


def test_a_milestone_counts_only_for_those_who_reached_it_by_the_day():
    spells = spells_of(
        [
            ("early", 1, 20, ""),
            ("on the day", 1, 15, None),
            ("late", 1, 30, ""),
            ("never", 1, 12, ""),
            ("gone", 1, 10, ""),  # left on the very day: in neither group
            ("twice", 1, 11, None),
            ("twice", 2, 40, None),
        ]
    )
    reached = reached_on(
        [
            ("early", 1, 2),
            ("early", 1, 9),  # a second time changes nothing
            ("on the day", 1, 10),
            ("late", 1, 11),
            ("gone", 1, 3),
            ("twice", 2, 4),  # of the second spell only
        ]
    )
    grid = grids.from_day(spells, reached, day=10)
    assert grid.to_dict("list") == {
        "reached": [False] * 3 + [True] * 3,
        "day": [1, 2, 20, 5, 10, 30],
        "events": [0, 1, 1, 0, 1, 0],
        "censored": [1, 0, 0, 1, 0, 1],
    }


def test_curves_by_a_milestone_of_no_effect_agree_from_a_day_on_but_not_by_ever_reached():
    rng = np.random.default_rng(11)
    n = 20_000
    left, came = rng.geometric(0.05, n), rng.geometric(0.05, n)
    spells = spells_of([(f"c{i}", 1, int(left[i]), "") for i in range(n)])
    got = came < left  # the milestone is seen only in those who are still there
    reached = reached_on([(f"c{i}", 1, int(came[i])) for i in np.flatnonzero(got)])
    grid = grids.from_day(spells, reached, day=10)
    by_day = [survival_at(kaplan_meier(part), [20]) for _, part in grid.groupby("reached")]
    assert by_day[0]["high"].item() > by_day[1]["low"].item()
    assert by_day[1]["high"].item() > by_day[0]["low"].item()
    assert (left[got] > 20).mean() > 1.5 * (left[~got] > 20).mean()  # immortal time


def test_a_day_that_nobody_was_followed_beyond_is_refused():
    spells, reached = spells_of([("a", 1, 5, "")]), reached_on([("a", 1, 1)])
    with pytest.raises(BadData, match=r"longer than 5 days.*earlier day"):
        grids.from_day(spells, reached, day=5)
    with pytest.raises(BadParameter, match="day must be at least 0"):
        grids.from_day(spells, reached, day=-1)


def test_a_column_that_is_missing_is_named():
    spells = spells_of([("a", 1, 5, "")])
    with pytest.raises(BadData, match=r"lacks the column\(s\) plans.*Did you mean 'plan'"):
        grids.by(spells, "plans")
    with pytest.raises(BadData, match=r"reached lacks .* spell"):
        grids.from_day(spells, reached_on([("a", 1, 1)]).drop("spell"), day=2)
