"""Looks of a test: which day is one, what it spends, what stops it and what stands afterwards."""

from __future__ import annotations

import datetime as dt
from concurrent.futures import ThreadPoolExecutor
from math import inf, sqrt

import pandas as pd
import pytest

from retention_lab import state as states
from retention_lab.checks import BadParameter
from retention_lab.experiments import looks, sequential, sizing, testing
from retention_lab.experiments.basis import basis
from retention_lab.experiments.effects import Reading
from retention_lab.experiments.plan import Plan, digest
from retention_lab.inference.sequential.bounds import bounds
from retention_lab.inference.sequential.planning import design
from retention_lab.inference.sequential.reading import stopped

from .proposals import THREE
from .test_freezing import FIELDS

FIELDS = FIELDS | {"looks": {"information": [0.25, 0.5, 0.75, 1]}}  # 2026-12-01, 121 days
DAYS = {"days": [120, 150, 211]}
ONE = {"primary": {"smallest_effect": 0.03, "sides": 1, "alpha": 0.025}}
HEEDED = {"looks": FIELDS["looks"] | {"futility": {}}}
EARLY, MIDDLE, LATE = dt.date(2027, 4, 10), dt.date(2027, 5, 8), dt.date(2027, 6, 1)
END = dt.date(2027, 6, 29)  # the last of 121 days, and 90 days


def plan(**changed: object) -> Plan:
    return Plan.model_validate({**FIELDS, **changed})


@pytest.fixture
def state(tmp_path):
    return states.opened(tmp_path / "state")


def reading(fraction, z, of=None, *, arm="check-in"):
    """What the test of a plan reads if it knows a fraction of what is planned."""
    known = fraction * basis(of or plan(), arm, None).planned
    error = 1 / sqrt(known)
    return Reading(estimate=z * error, std_error=error, information=known, unit="points")


def run(state, day, fraction, z, of=None, *, takes=True):
    """Run a test with one arm besides control on a day; a look is taken."""
    of = of or plan()
    told = {"check-in": reading(fraction, z, of)}
    (found,) = due(state, day, told, of)
    if takes and state is not None:
        sequential.take([found], state=state)
    return found


def due(state, day, told, of=None, *, assumed=None):
    return sequential.due(
        of or plan(), told, shop_name="shop", as_of=day, state=state, assumed=assumed
    )


def taken(state):
    return looks.taken(state, source="shop", experiment="check_in")


def on(found):
    return found.state, found.look, found.of, found.on


def test_a_day_on_which_too_little_is_known_is_no_look(state):
    found = run(state, EARLY, 0.24, 5.0)
    assert on(found) == ("before", 0, 4, None)
    assert (found.estimate, found.interval, found.conditional_power) == (None, None, None)
    assert found.fraction == pytest.approx(0.24)
    assert found.next_fraction == 0.25
    assert taken(state).empty


def test_the_planned_information_is_that_of_the_plans_test_at_its_last_look(state):
    found = run(state, EARLY, 0.1, 0.0)
    test = testing.kernel(plan(), sizing.assumptions(plan()), day=211)
    ratio = testing.hazard_ratio(plan(), sizing.assumptions(plan()))
    assert found.planned == pytest.approx(testing.known(test, ratio))
    assert found.smallest == pytest.approx(0.03)


def test_a_look_has_the_bounds_of_its_own_information(state):
    found = run(state, EARLY, 0.31, 1.0)
    at = bounds([0.31], rule=plan().rule, drift=0.0)
    assert on(found) == ("look", 1, 4, EARLY)
    assert (found.lower, found.upper) == (at["lower"].iloc[0], at["upper"].iloc[0])
    far = found.upper * found.std_error
    assert found.interval.low == pytest.approx(found.estimate - far)
    assert found.interval.high == pytest.approx(found.estimate + far)


def test_a_day_that_is_due_writes_nothing_until_the_look_is_taken(state):
    assert run(state, EARLY, 0.3, 1.0, takes=False).row is not None
    assert taken(state).empty


def test_a_run_again_on_the_same_day_is_the_same_look_with_the_same_numbers(state):
    first = run(state, EARLY, 0.3, 1.0)
    # More came in since, even enough for the next look.
    again = run(state, EARLY, 0.55, 3.5)
    assert on(again) == on(first)
    assert (again.estimate, again.upper, again.interval) == (
        first.estimate,
        first.upper,
        first.interval,
    )
    assert again.row is None
    assert len(taken(state)) == 1
    late = reading(0.55, 3.5)
    assert again.moved == pytest.approx(late.estimate - first.estimate)


def test_days_between_looks_show_the_numbers_of_the_last_look(state):
    first = run(state, EARLY, 0.3, 1.0)
    between = run(state, MIDDLE, 0.45, 4.5)
    assert on(between) == ("between", 1, 4, EARLY)
    assert (between.estimate, between.stopped) == (first.estimate, "")
    assert between.fraction == pytest.approx(0.45)
    assert between.moved is None


def test_what_came_late_is_told_and_changes_no_number(state):
    first = run(state, EARLY, 0.3, 1.0)
    between = run(state, MIDDLE, 0.45, 2.0)
    (found,) = sequential.compared([between], {"check-in": reading(0.33, 1.4)})
    assert found.moved == pytest.approx(reading(0.33, 1.4).estimate - first.estimate)
    assert found.estimate == first.estimate
    assert sequential.compared([between], {}) == (between,)


def test_late_events_do_not_refund_what_was_spent(state):
    run(state, EARLY, 0.3, 1.0)
    second = run(state, MIDDLE, 0.52, 1.0)
    known = taken(state)
    at = bounds([0.3, 0.52], rule=plan().rule, drift=0.0)
    assert known["upper"].tolist() == pytest.approx(at["upper"].tolist())
    assert known["alpha_spent"].tolist() == pytest.approx(at["alpha_spent"].tolist())
    # Data taken back: less is known than at the look before, so there is no other.
    assert on(run(state, LATE, 0.4, 3.0)) == ("between", 2, 4, second.on)
    assert taken(state)["alpha_spent"].is_monotonic_increasing


def test_a_look_that_was_missed_is_simply_not_there(state):
    run(state, EARLY, 0.3, 1.0)
    found = run(state, LATE, 0.8, 1.0)
    assert on(found) == ("look", 2, 3, LATE)
    assert found.next_fraction == 1
    at = bounds([0.3, 0.8], rule=plan().rule, drift=0.0)
    assert found.upper == pytest.approx(at["upper"].iloc[-1])


def test_a_look_by_days_comes_with_the_first_run_from_its_day_on(state):
    by_days = plan(looks=DAYS)
    first, second = (testing.date_of(by_days, day) for day in (120, 150))
    early = run(state, first - dt.timedelta(days=1), 0.3, 1.0, by_days)
    assert on(early) == ("before", 0, 3, None)
    assert early.next_on == first
    late = run(state, first + dt.timedelta(days=4), 0.3, 1.0, by_days)
    assert on(late) == ("look", 1, 3, first + dt.timedelta(days=4))
    assert late.fraction == pytest.approx(0.3)
    assert late.next_on == second
    assert on(run(state, second, 0.62, 1.0, by_days)) == ("look", 2, 3, second)


def test_looks_by_days_to_come_keep_their_proportions_of_what_is_left(state):
    by_days = plan(looks=DAYS)
    meant = testing.fractions(
        by_days,
        sizing.assumptions(by_days),
        testing.hazard_ratio(by_days, sizing.assumptions(by_days)),
    )
    found = run(state, testing.date_of(by_days, 120), 0.9, 1.0, by_days)
    left = (meant[1] - meant[0]) / (1 - meant[0])
    assert found.coming["fraction"].tolist() == pytest.approx([0.9 + 0.1 * left, 1.0])


def test_no_look_comes_before_the_minimum_of_days(state):
    patient = plan(minimum_days=140)
    assert on(run(state, EARLY, 0.9, 9.0, patient))[0] == "before"
    assert on(run(state, testing.date_of(patient, 140), 0.9, 9.0, patient))[0] == "look"


def test_the_last_day_is_the_last_look_whatever_is_known(state):
    run(state, EARLY, 0.3, 1.0)
    found = run(state, END, 0.7, 1.0)
    assert (on(found), found.stopped) == (("look", 2, 2, END), "end")
    assert taken(state)["alpha_spent"].iloc[-1] == pytest.approx(0.05)
    assert found.next_on is None


def test_the_last_day_is_a_look_though_less_is_known_than_before(state):
    run(state, EARLY, 0.3, 1.0)
    found = run(state, END, 0.25, 1.9)
    assert found.stopped == "end"
    # All that is left is spent on what is next to the same: a test at about all of alpha.
    assert found.upper == pytest.approx(1.96, abs=0.01)


def test_all_of_the_planned_information_is_the_last_look_before_its_day(state):
    found = run(state, MIDDLE, 1.2, 1.0)
    assert (on(found), found.stopped) == (("look", 1, 1, MIDDLE), "end")


def test_a_test_without_looks_is_read_once_when_everybody_has_been_followed(state):
    once = plan(looks=None)
    early = run(state, END - dt.timedelta(days=1), 1.3, 9.0, once)
    assert on(early) == ("before", 0, 1, None)
    assert early.next_on == END
    found = run(state, END + dt.timedelta(days=9), 0.9, 2.0, once)
    assert (on(found)[:3], found.stopped) == (("look", 1, 1), "gain")
    assert found.upper == pytest.approx(1.959964, abs=1e-6)  # the quantile of a normal
    assert found.unbiased.effect.value == pytest.approx(found.estimate, rel=1e-4)
    assert "Read once" in found.rule_words


@pytest.mark.parametrize(
    ("z", "change", "why"),
    [
        (4.2, {}, "gain"),
        (-4.2, {}, "loss"),
        (-4.2, ONE, ""),
        (-1.0, ONE | HEEDED, "futility"),
        (1.0, ONE | HEEDED, ""),
        (4.2, ONE | HEEDED, "gain"),
    ],
)
def test_a_bound_that_is_crossed_stops_the_test_with_its_reason(state, z, change, why):
    assert run(state, EARLY, 0.3, z, plan(**change)).stopped == why


def test_after_a_stop_every_run_says_over_and_what_it_stopped_with(state):
    run(state, EARLY, 0.3, 1.0)
    stop = run(state, MIDDLE, 0.5, 3.5)
    for day, fraction, z in ((LATE, 0.8, 0.0), (END, 1.0, -3.0), (END + dt.timedelta(99), 1.1, 9)):
        after = run(state, day, fraction, z)
        assert (on(after), after.stopped) == (("over", 2, 4, MIDDLE), "gain")
        assert (after.estimate, after.interval) == (stop.estimate, stop.interval)
        assert after.unbiased == stop.unbiased
        assert (after.next_on, after.next_fraction) == (None, None)
        assert after.coming.empty
    assert len(taken(state)) == 2


def test_an_effect_that_stopped_early_is_corrected_downwards(state):
    run(state, EARLY, 0.3, 1.0)
    found = run(state, MIDDLE, 0.5, 3.5)
    at = bounds([0.3, 0.5], rule=plan().rule, drift=0.0)
    corrected = stopped(at, rule=plan().rule, estimate=found.estimate, std_error=found.std_error)
    assert found.unbiased.effect.value == pytest.approx(corrected.effect.value)
    assert 0 < found.unbiased.effect.low < found.unbiased.effect.value < found.estimate


def test_a_test_that_goes_on_says_how_likely_it_is_to_end_with_a_gain(state):
    weak, good = (
        run(None if each is None else state, EARLY, 0.3, z, takes=False)
        for each, z in ((state, 0.0), (state, 2.0))
    )
    # Lan & Wittes: B(0.3) = 0, 0.7 to come of a drift 2.8 with 0.84 left, against 2.02 or so.
    assert 0 < weak.conditional_power < good.conditional_power < 1
    assert weak.trend_power < 0.05 < good.trend_power
    drift = weak.smallest * sqrt(weak.planned)
    assert drift == pytest.approx(
        testing.drift(
            testing.kernel(plan(), sizing.assumptions(plan()), day=211),
            testing.hazard_ratio(plan(), sizing.assumptions(plan())),
        )
    )


def test_a_run_as_of_an_earlier_day_sees_the_looks_up_to_it_and_takes_none(state):
    run(state, EARLY, 0.3, 1.0)
    run(state, LATE, 0.8, 1.0)
    earlier = run(state, MIDDLE, 0.6, 9.0)
    assert on(earlier) == ("between", 1, 4, EARLY)
    assert earlier.stopped == ""
    assert on(run(state, EARLY - dt.timedelta(days=1), 0.3, 9.0))[:2] == ("before", 0)
    assert len(taken(state)) == 2


def test_two_processes_at_once_take_one_look(state):
    found = [run(state, EARLY, 0.3, z, takes=False) for z in (1.0, 1.1, 1.2, 1.3)]
    with ThreadPoolExecutor(4) as pool:
        new = list(pool.map(lambda one: sequential.take([one], state=state), found))
    assert sum(new) == 1
    assert len(taken(state)) == 1
    stands = found[new.index(1)].estimate
    assert run(state, EARLY, 0.3, 9.0).estimate == stands


def test_of_two_processes_on_different_days_the_slower_one_takes_nothing(state):
    slow = run(state, EARLY, 0.3, 1.0, takes=False)
    run(state, MIDDLE, 0.5, 1.0)
    assert sequential.take([slow], state=state) == 0
    assert taken(state)["on"].tolist() == [MIDDLE]


def test_the_planned_information_stays_that_of_the_first_look(state):
    first = run(state, EARLY, 0.3, 1.0)
    other = sizing.assumptions(plan(assumptions={"entry_per_day": 200, "baseline": 0.5}))
    told = {"check-in": reading(0.52, 1.0)}
    (found,) = due(state, MIDDLE, told, assumed=other)
    assert (found.state, found.planned) == ("look", first.planned)
    assert found.smallest == first.smallest
    (fresh,) = due(None, EARLY, told, assumed=other)
    assert fresh.planned != first.planned


def test_a_plan_that_leaves_its_pace_to_history_needs_one_for_its_looks(state):
    open_plan = plan(assumptions={"baseline": 0.6})
    told = {"check-in": reading(0.3, 1.0)}
    (found,) = due(state, EARLY, told, open_plan)
    assert (found.state, found.planned) == ("before", None)
    assert "say assumptions.entry_per_day" in found.why
    assert "only the last day" in found.why
    (found,) = due(state, EARLY, told, open_plan, assumed=sizing.assumptions(plan()))
    assert (found.state, found.why) == ("look", "")
    (found,) = due(state, END, told, open_plan)
    assert (found.state, found.stopped, found.fraction) == ("look", "end", 1.0)


def test_without_a_state_only_the_last_day_is_a_look():
    early = run(None, EARLY, 0.5, 9.0)
    assert early.state == "before"
    assert "Without a state" in early.why
    assert run(None, END, 0.9, 9.0).stopped == "gain"


def test_a_test_that_has_nothing_to_read_takes_no_look_and_says_why(state):
    (early,) = due(state, EARLY, {})
    assert (early.state, early.look, early.row, early.unit) == ("before", 0, None, "points")
    (found,) = due(state, END, {})
    assert (found.state, found.stopped, found.row, found.next_on) == ("over", "", None, None)
    assert sequential.take([found], state=state) == 0
    (told,) = sequential.explained([found], {"check-in": "Nobody left."})
    assert told.why == "Nobody left."
    late = run(state, END + dt.timedelta(days=3), 0.9, 0.0)  # what came in late may still be read
    assert (late.state, late.look, late.stopped) == ("look", 1, "end")
    assert sequential.explained([late], {"check-in": "Nobody left."}) == (late,)


def test_arms_share_alpha_are_looked_at_together_and_stop_alone(state):
    three = plan(arms=THREE)
    names = ("small", "large")
    assert basis(three, "small", None).planned == basis(three, "large", None).planned
    ahead = {
        name: reading(part, 1.0, three, arm=name)
        for name, part in zip(names, (0.3, 0.2), strict=True)
    }
    assert {each.state for each in due(state, EARLY, ahead, three)} == {"before"}
    both = {
        name: reading(0.3, z, three, arm=name) for name, z in zip(names, (5.0, 1.0), strict=True)
    }
    found = due(state, EARLY, both, three)
    assert sequential.take(found, state=state) == 2
    assert [each.stopped for each in found] == ["gain", ""]
    assert found[0].upper == bounds([0.3], rule=testing.rule(three), drift=0.0)["upper"].iloc[0]
    assert "alpha 0.05 shared by 2 arms, 0.025 for each" in found[0].rule_words
    later = {name: reading(0.6, 1.0, three, arm=name) for name in names}
    found = due(state, MIDDLE, later, three)
    assert sequential.take(found, state=state) == 1
    assert [each.state for each in found] == ["over", "look"]


def test_the_information_of_a_log_rank_test_is_the_variance_of_two_arms_alone():
    fields = {"primary": {"test": "log-rank", "smallest_effect": 0.03}}
    found = basis(plan(arms=THREE, **fields), "small", None)
    # Control and the arm are 0.7 of 74 a day for 121 days; 40 and 37 of 100 have the event, so the
    # variance is about 4 / 7 times 3 / 7 of so many events.
    events = 0.7 * 74 * 121 * (4 * 0.40 + 3 * 0.37) / 7
    assert found.planned == pytest.approx(events * 12 / 49, rel=0.02)


def test_a_line_says_which_adjustment_applies(state):
    found = run(state, EARLY, 0.3, 1.0, plan(**ONE, **HEEDED))
    assert found.rule_words == (
        "Group sequential, look 1 of 4: O'Brien-Fleming spending by information, one side, alpha "
        "0.025; futility: O'Brien-Fleming, not binding."
    )
    spends = {"spending": {"family": "Kim-DeMets", "parameter": 2}}
    before = run(None, EARLY, 0.1, 0.0, plan(looks=FIELDS["looks"] | spends))
    assert before.rule_words == (
        "Group sequential, 4 looks planned, none taken yet: Kim-DeMets (2) spending by "
        "information, two sides, alpha 0.05; futility: none."
    )


def test_looks_as_planned_have_the_bounds_of_the_design(state):
    heeded = plan(**ONE, **HEEDED)
    meant = design([0.25, 0.5, 0.75, 1], rule=heeded.rule)
    before = run(state, EARLY - dt.timedelta(days=20), 0.1, 0.0, heeded)
    pd.testing.assert_series_equal(
        before.coming["upper"], meant.looks["upper"], check_exact=False, rtol=1e-6
    )
    for days, fraction in enumerate((0.25, 0.5, 0.75, 1.0)):
        found = run(state, MIDDLE + dt.timedelta(days=days), fraction, 1.9, heeded)
        if found.stopped:
            break
    known = taken(state)
    for bound in ("lower", "upper", "alpha_spent", "beta_spent"):
        expected = meant.looks[bound][: len(known)].tolist()
        assert known[bound].tolist() == pytest.approx(expected, abs=1e-6)


def test_a_coming_look_says_about_when_and_from_which_effect_it_stops(state):
    found = run(state, EARLY, 0.45, 1.0)
    coming = found.coming
    assert coming["look"].tolist() == [2, 3, 4]
    assert coming["on"].is_monotonic_increasing
    assert EARLY < found.next_on == coming["on"].iloc[0] < coming["on"].iloc[-1] == END
    assert coming["std_error"].iloc[-1] == pytest.approx(found.planned**-0.5)


def test_slower_entry_puts_the_next_look_later(state):
    as_meant = run(state, dt.date(2027, 4, 1), 0.2, 0.0)
    slower = run(state, dt.date(2027, 4, 1), 0.02, 0.0)
    assert as_meant.next_on < slower.next_on <= END


def test_a_plan_amended_to_less_than_was_spent_is_refused(state):
    run(state, EARLY, 0.8, 1.0)
    with pytest.raises(BadParameter, match="all of alpha"):
        run(state, LATE, 0.9, 1.0, plan(primary={"smallest_effect": 0.03, "alpha": 0.001}))


def test_a_row_of_the_ledger_says_what_was_known_and_by_which_plan(state):
    found = run(state, EARLY, 0.3, 1.0, plan(**ONE))
    (row,) = looks.ledger(state).rows()
    assert row["lower"] is None
    assert taken(state)["lower"].tolist() == [-inf]
    assert {name: row[name] for name in ("source", "experiment", "arm", "look", "on")} == {
        "source": "shop",
        "experiment": "check_in",
        "arm": "check-in",
        "look": 1,
        "on": str(EARLY),
    }
    assert (row["plan"], row["unit"], row["final"]) == (digest(plan(**ONE)), "points", False)
    assert row["information"] / row["planned"] == pytest.approx(row["fraction"])
    assert row["estimate"] == found.estimate


def test_who_is_forgotten_leaves_the_looks_as_they_are(state, tmp_path):
    run(state, EARLY, 0.3, 1.0)
    people = state.ledger("people", key=("customer_id",))
    people.append([{"customer_id": "shop", "source": "shop"}])
    assert state.forget("shop", source="shop") == {"people": 1}
    assert len(taken(state)) == 1
    states.restore(states.backup(state, tmp_path / "backup.tar.gz"), tmp_path / "other")
    again = states.opened(tmp_path / "other")
    pd.testing.assert_frame_equal(taken(again), taken(state))


def test_a_plan_amended_to_spend_later_is_not_refunded_what_it_spent(state):
    spends = {"spending": {"family": "Pocock"}}
    first = run(state, EARLY, 0.3, 1.0, plan(looks=FIELDS["looks"] | spends))
    second = run(state, MIDDLE, 0.5, 1.0)
    spent = taken(state)["alpha_spent"]
    assert spent.iloc[1] == spent.iloc[0]
    assert taken(state)["upper"].iloc[0] == first.upper
    assert second.upper == 12.0  # where nothing is spent
