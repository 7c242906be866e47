"""Plans are frozen once; what is changed later shows field by field, whatever was frozen since."""

from __future__ import annotations

import datetime as dt
from concurrent.futures import ThreadPoolExecutor

import pytest

from retention_lab import state as states
from retention_lab.checks import BadData, BadParameter
from retention_lab.experiments import freezing
from retention_lab.experiments.freezing import deviations, freeze, frozen, overlapping
from retention_lab.experiments.plan import Plan, digest
from retention_lab.experiments.terms import Derived

DAY = dt.date(2026, 11, 20)
LATER = dt.date(2027, 1, 5)
ARMS = [{"name": "control", "share": 0.5}, {"name": "check-in", "share": 0.5, "message": "next"}]
SMS = [*ARMS[:1], {"name": "check-in", "share": 0.25}, {"name": "sms", "share": 0.25}]
FIELDS = {
    "name": "check_in",
    "title": "Check-in",
    "owner": "Lifecycle Marketing",
    "hypothesis": "A check-in keeps more customers.",
    "milestone": "onboarding_completed",
    "channel": "email",
    "arms": ARMS,
    "starts": "2026-12-01",
    "ends": "2027-03-31",
    "endpoint": {"kind": "retained", "day": 90},
    "primary": {"smallest_effect": 0.03},
    "guardrails": [{"metric": "unsubscribe", "margin": 0.005, "better": "lower"}],
    "assumptions": {"entry_per_day": 74, "baseline": 0.6},
}


def plan(**changed: object) -> Plan:
    return Plan.model_validate({**FIELDS, **changed})


@pytest.fixture
def state(tmp_path):
    return states.opened(tmp_path / "state")


def told(now: Plan, found: freezing.Frozen) -> dict[str, tuple[object, object, object]]:
    return {
        row.field: (row.frozen, row.now, row.changed_on)
        for row in deviations(now, found).itertuples()
    }


def test_a_second_freeze_of_the_same_content_adds_nothing(state):
    first = freeze(plan(), state=state, as_of=DAY)
    again = freeze(plan(window_hours=48), state=state, as_of=LATER, amend="nothing")
    assert (first.added, again.added) == (True, False)
    assert again.frozen_on == DAY
    assert frozen(state, "check_in") == again
    assert [row["digest"] for row in freezing.ledger(state).rows()] == [digest(plan())]


def test_what_is_frozen_is_all_that_the_plan_said(state):
    freeze(plan(), state=state, as_of=DAY)
    assert frozen(state, "check_in").plan == plan()
    assert frozen(state, "another") is None
    assert told(plan(), frozen(state, "check_in")) == {}


def test_another_content_needs_a_reason_and_the_refusal_says_what_differs(state):
    freeze(plan(), state=state, as_of=DAY)
    with pytest.raises(BadParameter) as refused:
        freeze(plan(ends="2027-04-30", coverage=0.5), state=state, as_of=LATER)
    sentence = str(refused.value)
    assert "was frozen on 2026-11-20 and says something else now" in sentence
    assert "coverage was 1.0, is 0.5; ends was 2027-03-31, is 2027-04-30." in sentence
    assert len([*freezing.ledger(state).rows()]) == 1
    with pytest.raises(BadParameter, match="1 to 300 characters of plain text, got ' '"):
        freeze(plan(ends="2027-04-30"), state=state, as_of=LATER, amend=" ")


def test_an_amendment_counts_and_still_shows_as_a_deviation_from_the_day_on(state):
    freeze(plan(), state=state, as_of=DAY)
    longer = plan(ends="2027-04-30")
    found = freeze(longer, state=state, as_of=LATER, amend="Fewer came than we thought.")
    assert found.plan == longer
    assert found.last.reason == "Fewer came than we thought."
    assert told(longer, found) == {"ends": ("2027-03-31", "2027-04-30", LATER)}


def test_an_edit_that_was_not_frozen_has_no_day(state):
    found = freeze(plan(), state=state, as_of=DAY)
    assert told(plan(rest_days=7), found) == {"rest_days": ("0", "7", None)}


def test_arms_and_guardrails_that_come_and_go_are_told_by_their_names(state):
    found = freeze(plan(), state=state, as_of=DAY)
    assert told(plan(arms=SMS, guardrails=[]), found) == {
        "arms": ("control, check-in", "control, check-in, sms", None),
        "arms.check-in.share": ("0.5", "0.25", None),
        "arms.check-in.message": ("next", "none", None),
        "arms.sms.share": (None, "0.25", None),
        "arms.sms.message": (None, "none", None),
        "arms.sms.channel": (None, "none", None),
        "guardrails": ("unsubscribe", "none", None),
        "guardrails.unsubscribe.margin": ("0.005", None, None),
        "guardrails.unsubscribe.better": ("lower", None, None),
    }


def test_a_change_of_control_shows_although_every_arm_is_as_it_was(state):
    found = freeze(plan(), state=state, as_of=DAY)
    assert told(plan(arms=ARMS[::-1]), found) == {
        "arms": ("control, check-in", "check-in, control", None)
    }


def test_a_change_that_was_taken_back_is_told_still(state):
    freeze(plan(), state=state, as_of=DAY)
    freeze(plan(window_hours=24), state=state, as_of=LATER, amend="sooner")
    back = LATER + dt.timedelta(days=1)
    found = freeze(plan(), state=state, as_of=back, amend="as before")
    assert len(found.versions) == 3
    assert told(plan(), found) == {"window_hours": ("48", "48", back)}


def test_the_salt_of_another_experiment_is_refused_with_what_differs(state):
    freeze(plan(), state=state, as_of=DAY)
    with pytest.raises(BadParameter) as refused:
        freeze(plan(name="second", salt="check_in", rest_days=7), state=state, as_of=DAY)
    assert "The salt 'check_in' is that of check_in, frozen on 2026-11-20" in str(refused.value)
    assert "name was check_in, is second; rest_days was 0, is 7." in str(refused.value)
    assert frozen(state, "second") is None


def test_a_test_that_has_begun_is_not_frozen_but_may_be_amended(state):
    with pytest.raises(BadParameter, match="frozen before its test begins"):
        freeze(plan(), state=state, as_of=dt.date(2026, 12, 2))
    assert freeze(plan(), state=state, as_of=dt.date(2026, 12, 1)).added


def test_a_reason_without_a_plan_to_amend_is_refused(state):
    with pytest.raises(BadParameter, match="nothing to amend"):
        freeze(plan(), state=state, as_of=DAY, amend="why not")


def test_two_who_freeze_at_once_write_one_version(state):
    with ThreadPoolExecutor(4) as pool:
        found = [
            *pool.map(lambda _: freeze(plan(), state=state, as_of=DAY), range(8)),
        ]
    assert sum(each.added for each in found) == 1
    assert len([*freezing.ledger(state).rows()]) == 1


def test_who_was_slower_is_told_what_the_quicker_one_froze(state, monkeypatch):
    real = freezing._refuse_salt

    def interrupted(*_: object) -> None:
        monkeypatch.setattr(freezing, "_refuse_salt", real)
        freeze(plan(rest_days=7), state=state, as_of=DAY)

    monkeypatch.setattr(freezing, "_refuse_salt", interrupted)
    with pytest.raises(BadParameter, match="rest_days was 7, is 0"):
        freeze(plan(), state=state, as_of=DAY)
    assert frozen(state, "check_in").plan == plan(rest_days=7)


def test_a_frozen_plan_that_this_version_cannot_read_is_told(state):
    row = {"experiment": "old", "version": 1, "digest": "0", "frozen_on": "2026-01-01"}
    content = {**plan(name="old").model_dump(mode="json"), "gone": 1}
    freezing.ledger(state).append([{**row, "reason": None, "salt": "old", "plan": content}])
    with pytest.raises(BadData, match=r"gone is not a setting.*frozen by another version"):
        frozen(state, "old")


def test_another_test_of_the_same_days_and_milestone_or_channel_is_told(state):
    freeze(plan(), state=state, as_of=DAY)
    second = plan(name="second", starts="2027-03-01", ends="2027-05-01")
    assert overlapping(plan(), state) == ()
    assert overlapping(second, state) == (
        "check_in enrols from 2027-03-01 to 2027-03-31, too, and shares the milestone "
        "(onboarding_completed) and the channel (email): a customer may be in both tests.",
        "Unless that is meant, let each of the plans name the others in `exclusive_with`, and "
        "freeze that with --amend.",
    )
    silent = second.model_copy(update={"milestone": Derived(silent_days=60)})
    assert "shares the channel (email): a" in overlapping(silent, state)[0]


@pytest.mark.parametrize(
    "apart",
    [
        {"starts": "2027-04-01", "ends": "2027-05-01"},
        {"milestone": "first_value", "channel": "sms"},
    ],
    ids=str,
)
def test_tests_that_do_not_meet_are_no_overlap(state, apart):
    freeze(plan(), state=state, as_of=DAY)
    second = plan(name="second", **apart)
    assert overlapping(second, state) == ()
    freeze(second, state=state, as_of=DAY)
    assert overlapping(plan(), state) == ()  # whichever is asked


def test_tests_are_apart_once_each_names_the_other(state):
    freeze(plan(), state=state, as_of=DAY)
    second = plan(name="second", exclusive_with=["check_in"])
    freeze(second, state=state, as_of=DAY)
    assert overlapping(second, state) != ()
    assert overlapping(plan(), state) != ()  # which would take customers of the second
    both = plan(exclusive_with=["second"])
    freeze(both, state=state, as_of=DAY, amend="apart")
    assert overlapping(both, state) == overlapping(second, state) == ()


def test_overlap_is_with_what_counts_now(state):
    freeze(plan(), state=state, as_of=DAY)
    freeze(plan(ends="2026-12-31"), state=state, as_of=LATER, amend="sooner over")
    assert overlapping(plan(name="second", starts="2027-01-01"), state) == ()
