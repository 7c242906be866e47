"""Power by calendar day, and the earliest useful read-out."""

from __future__ import annotations

from dataclasses import replace

import pytest

from retention_lab.checks import BadParameter
from retention_lab.experiments.design.calendar import by_day, earliest
from retention_lab.experiments.design.normal import Errors
from retention_lab.experiments.design.retained import MeanDays, Retention
from retention_lab.experiments.design.sizing import sample_size
from retention_lab.experiments.design.timed import (
    Freedman,
    LachinFoulkes,
    LogRankTest,
    Schoenfeld,
)

from .plans import DISTURBED, HAZARD_RATIO, PLAIN

FORMULAS = [Schoenfeld, Freedman, LachinFoulkes, LogRankTest]


def designs(name):
    assumptions = DISTURBED[name]
    longer = {"at": 60}
    yield from (kind(assumptions=assumptions, day=1) for kind in FORMULAS)
    yield from (kind(assumptions=assumptions, day=1, **longer) for kind in (Retention, MeanDays))


@pytest.mark.parametrize("name", ["plain", "steps", "all"])
def test_power_and_events_never_fall_from_day_to_day(name):
    for design in designs(name):
        rows = by_day(design, HAZARD_RATIO, days=range(71, 181, 12))
        assert (rows.diff().iloc[1:] >= -1e-9).all(axis=None), type(design)
        assert rows["power"].iloc[-1] > rows["power"].iloc[0]


def test_every_day_from_the_first_with_something_to_read_is_shown():
    for kind, first in ((Schoenfeld, 11), (Retention, 71)):
        more = {"at": 60} if kind is Retention else {}
        rows = by_day(kind(assumptions=DISTURBED["steps"], day=1, **more), HAZARD_RATIO)
        assert rows["day"].tolist() == list(range(first, 161))
        assert rows["entered"].iloc[-1] == 2580


def test_the_earliest_day_is_the_first_with_the_power_asked_for():
    errors = Errors(power=0.7)
    for design in (
        LachinFoulkes(assumptions=PLAIN, day=1),
        Retention(assumptions=DISTURBED["curve"], day=1, at=60),
    ):
        rows = by_day(design, HAZARD_RATIO, errors=errors)
        first = rows[rows["power"] >= 0.7].iloc[0]
        found = earliest(design, HAZARD_RATIO, errors=errors)
        assert (found.day, found.power) == (first["day"], first["power"])
        assert found.entered == first["entered"]
        assert found.events == first["events_control"] + first["events_treated"]


def test_power_on_a_day_is_that_of_the_customers_needed_on_it():
    size = sample_size(Schoenfeld(assumptions=PLAIN, day=90), HAZARD_RATIO).customers
    enough = replace(PLAIN, entry=((60, size / 60),))
    design = Schoenfeld(assumptions=enough, day=1)
    row = by_day(design, HAZARD_RATIO, days=[90]).iloc[0]
    assert row["power"] == pytest.approx(0.8)
    assert earliest(design, HAZARD_RATIO).day in (90, 91)


def test_entry_that_goes_on_gives_the_shortest_test():
    longer = replace(PLAIN, entry=((400, 47),))
    on = earliest(Schoenfeld(assumptions=longer, day=1), HAZARD_RATIO)
    stopped = earliest(Schoenfeld(assumptions=PLAIN, day=1), HAZARD_RATIO)
    assert on.day < stopped.day
    assert on.entered == 47 * on.day


def test_events_of_all_treated_arms_are_together():
    three = replace(PLAIN, allocation=(0.4, 0.3, 0.3))
    two = replace(PLAIN, allocation=(0.4, 0.6))
    rows = [
        by_day(Schoenfeld(assumptions=each, day=1), HAZARD_RATIO, days=[90]).iloc[0]
        for each in (three, two)
    ]
    columns = ["entered", "events_control", "events_treated"]
    assert rows[0][columns].tolist() == pytest.approx(rows[1][columns].tolist())
    control, treated = Schoenfeld(assumptions=three, day=90).seen(HAZARD_RATIO).events
    assert rows[0][columns].tolist() == pytest.approx([2820, 1128 * control, 1692 * treated])


def test_a_duration_that_is_never_enough_is_refused_with_what_it_would_give():
    sentence = (
        "Even on day 150, when all 2,820 customers have been followed to the end, the power is "
        "0.22, and 0.8 is asked for: let customers enter for longer"
    )
    with pytest.raises(BadParameter, match=sentence):
        earliest(Schoenfeld(assumptions=PLAIN, day=1), 0.93)


def test_a_day_without_anything_to_read_is_refused():
    with pytest.raises(BadParameter, match="nobody has been followed for 60 days yet"):
        by_day(Retention(assumptions=PLAIN, day=90, at=60), HAZARD_RATIO, days=[50])
