"""What is recorded, said and drawn of the looks of a test; no effect where it may not be shown."""

from __future__ import annotations

import dataclasses
import datetime as dt
from math import log, sqrt
from types import SimpleNamespace

import pytest

from retention_lab import state as states
from retention_lab.charts import looking as charts
from retention_lab.charts.frame import listed
from retention_lab.experiments import sequential
from retention_lab.experiments.basis import basis
from retention_lab.experiments.effects import Reading
from retention_lab.experiments.plan import Plan
from retention_lab.record import Ledger
from retention_lab.record import looking as recorded
from retention_lab.wording import Instead
from retention_lab.wording import looking as words

from ..experiments.proposals import THREE  # noqa: TID252  one maker of plans
from ..experiments.test_freezing import FIELDS  # noqa: TID252

FIELDS = FIELDS | {"looks": {"information": [0.25, 0.5, 1]}}
FIRST, SECOND, AFTER = dt.date(2027, 4, 10), dt.date(2027, 5, 1), dt.date(2027, 5, 8)
LOG_RANK = {"primary": {"test": "log-rank", "smallest_effect": 0.03}}


@pytest.fixture
def state(tmp_path):
    return states.opened(tmp_path / "state")


def seen(state, *days, shows=True, few=False, **fields):
    """A read-out after runs on some days, each of a share of the information and z by arm."""
    plan = Plan.model_validate(FIELDS | fields)
    unit = "points" if plan.primary.test == "retention" else "log hazard"
    looked = ()
    for day, share, *zs in days:
        told = {}
        for arm, z in zip(plan.arms[1:], zs, strict=True):
            known = share * basis(plan, arm.name, None).planned
            error = 1 / sqrt(known)
            told[arm.name] = Reading(
                estimate=z * error, std_error=error, information=known, unit=unit
            )
        looked = sequential.due(plan, told, shop_name="shop", as_of=day, state=state, assumed=None)
        if shows:
            sequential.take(looked, state=state)
    sizes = {"customers": 9 if few else 500, "customers_control": 500}
    effects = [SimpleNamespace(arm=arm.name, **sizes) for arm in plan.arms[1:]]
    shows = shows and any(each.look for each in looked)
    return SimpleNamespace(plan=plan, looked=looked, effects=effects, shows=shows)


def told(found):
    ledger = Ledger()
    recorded.record(ledger, found)
    return ledger, words.looking_sentence(ledger, found)


def test_before_the_first_look_only_what_is_to_come_is_shown(state):
    found = seen(state, (FIRST, 0.2, 3.0))
    ledger, said = told(found)
    assert ledger.claims() == []
    assert said.startswith("No look yet; the first of three is about ")
    table = words.looking_table(ledger, found)
    assert table.index.tolist() == ["1 (to come)", "2 (to come)", "3 (to come)"]
    assert set(table["Effect then"]) == {""}
    drawn = listed(charts.looks(found))
    assert drawn["effect"].isna().all()
    assert drawn["gain"].is_monotonic_decreasing


def test_a_look_says_when_the_next_is_and_how_likely_it_still_finds_the_effect(state):
    found = seen(state, (FIRST, 0.3, 1.0))
    ledger, said = told(found)
    power = ledger["looking_power:check-in"]
    assert power.value == found.looked[0].conditional_power
    assert "Today is look 1 of 3; the next is about " in said
    assert "If the smallest effect of the plan is there, about " in said
    effect = ledger["looking_effect:check-in"]
    assert (effect.value, effect.low) == (
        found.looked[0].interval.value,
        found.looked[0].interval.low,
    )


def test_a_test_that_is_over_says_what_its_early_stop_flattered(state):
    found = seen(state, (FIRST, 0.3, 3.7), (SECOND, 0.5, 3.2), (AFTER, 0.6, 0.0))
    ledger, said = told(found)
    raw, fair = (ledger[f"looking_{name}:check-in"] for name in ("raw", "corrected"))
    assert 0 < fair.low < fair.value < raw.value
    assert "The test is over since look 2 of 3, on 1 May 2027; the test stopped for a gain." in said
    assert (
        f"Stopped early, so the raw effect ({raw.text}) is flattering; the corrected one is "
        f"{fair.text} points ({fair.between})."
    ) in said
    assert words.looking_table(ledger, found)["What came of it"].tolist() == [
        "went on",
        "stopped for a gain",
    ]


def test_what_came_late_is_said_beside_numbers_that_stand(state):
    found = seen(state, (FIRST, 0.3, 1.0), (AFTER, 0.4, 1.0))
    looked = (dataclasses.replace(found.looked[0], moved=0.004),)
    ledger, said = told(SimpleNamespace(**{**vars(found), "looked": looked}))
    assert ledger["looking_moved:check-in"].value == pytest.approx(0.004)
    assert "would move the effect of that day by +0.4 points; the effect of the look stands" in said


def test_effects_of_a_log_rank_test_are_told_as_rates(state):
    found = seen(state, (FIRST, 0.3, 1.0), **LOG_RANK)
    (looked,) = found.looked
    half = recorded.told(found, looked, log(2))
    assert half == pytest.approx(0.5)  # half as many leave
    returned = seen(None, (FIRST, 0.3, 1.0), **LOG_RANK, endpoint={"kind": "returned", "day": 90})
    assert recorded.told(returned, looked, log(2)) == pytest.approx(1)  # twice as many return
    ledger, _ = told(found)
    assert ledger["looking_effect:check-in"].unit == "share"
    row = words.looking_table(ledger, found).iloc[0]
    assert row["Stops for a gain from, leaving"].endswith(" % less often")
    assert row["Stops for a loss from"].endswith(" % more often")
    share = f"{100 * recorded.told(found, looked, looked.estimate):.1f}"
    assert row["Effect then"] == f"{share} % less often"
    assert words.effect(returned, looked, log(1.25)) == "25.0 % more often"
    stopped = seen(state, (SECOND, 0.5, 3.2), **LOG_RANK)
    assert "the effect stays: leaving 14.3 % less often (" in told(stopped)[1]
    assert words.effect(returned, looked, 0.0) == "as often"


def test_several_arms_have_a_line_each(state):
    found = seen(state, (FIRST, 0.3, 5.0, 1.0), arms=THREE)
    _, said = told(found)
    first, second = said.splitlines()
    assert first.startswith("- **Small.** Today is look 1 of 3; the test stopped for a gain.")
    ledger, _ = told(found)
    assert words.looking_table(ledger, found)["Arm"].unique().tolist() == ["small", "large"]
    assert second.startswith("- **Large.** Today is look 1 of 3; the next is about ")
    assert "small, 1, 10 April" in listed(charts.looks(found))["name"].tolist()


@pytest.mark.parametrize("hides", [{"shows": False}, {"few": True}])
def test_no_effect_is_told_where_it_may_not_be(state, hides):
    found = seen(state, (FIRST, 0.3, 1.0), **hides)
    ledger, said = told(found)
    assert ledger.claims() == []
    assert "smallest effect" not in said
    chart = charts.looks(found)
    assert listed(chart)["effect"].isna().all()
    drawn = {layer["encoding"]["x"]["field"] for layer in chart.to_dict()["layer"]}
    assert drawn == {"none", "gain", "stops"}  # no mark that would have nothing to draw
    if not hides.get("shows", True):
        assert said == "Today would be look 1 of 3, and is none: the test may not be read."
        assert words.looking_table(ledger, found).index.str.contains("to come").all()


@pytest.mark.parametrize(
    ("z", "shows"), [(3.0, "a gain"), (-3.0, "a loss"), (0.1, "neither a gain nor a loss")]
)
def test_the_only_look_says_what_it_shows(state, z, shows):
    two = {"primary": {"smallest_effect": 0.03, "sides": 2, "alpha": 0.05}, "looks": None}
    found = seen(state, (dt.date(2028, 6, 1), 1.0, z), **two)
    _, said = told(found)
    assert said.startswith(f"Today is the only look; it shows {shows}.")
    table = words.looking_table(told(found)[0], found)
    assert table["What came of it"].tolist() == [f"the last one: {shows}"]
    assert "A gain from, points" in table
    assert "A loss from" in table


def test_nothing_is_given_up_at_the_last_look(state):
    one = {"smallest_effect": 0.03, "sides": 1, "alpha": 0.025}
    looks = FIELDS["looks"] | {"futility": {}}
    found = seen(state, (FIRST, 0.3, 1.0), primary=one, looks=looks)
    given_up = words.looking_table(told(found)[0], found)["May give up at"]
    assert (given_up == "\N{EN DASH}").tolist() == [False, False, True]


def test_a_test_of_which_nothing_is_known_has_a_sentence():
    nothing = SimpleNamespace(looked=(), effects=(), shows=False, plan=Plan.model_validate(FIELDS))
    assert told(nothing)[1] == words.NO_LOOKS
    assert words.looking_rule(nothing) == words.NO_LOOKS
    assert isinstance(words.looking_table(Ledger(), nothing), Instead)
    assert isinstance(charts.looks(nothing), Instead)
