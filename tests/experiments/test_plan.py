"""A plan is read strictly: what cannot be is refused in one sentence that names the place."""

from __future__ import annotations

from pathlib import Path

import pytest

from retention_lab.checks import BadParameter
from retention_lab.experiments.plan import Plan, digest, load
from retention_lab.experiments.validity_words import CHECKS

TEXT = """
name: check_in
title: Check-in within 48 hours of onboarding
owner: Lifecycle Marketing
hypothesis: A check-in keeps more customers.
milestone: onboarding_completed
channel: email
arms:
  - {name: control, share: 0.5}
  - {name: check-in, share: 0.5, message: next_step}
starts: 2026-12-01
ends: 2027-03-31
endpoint: {kind: retained, day: 90}
primary: {smallest_effect: 0.03}
looks: {information: [0.25, 0.5, 0.75, 1]}
assumptions: {entry_per_day: 74, baseline: 0.6}
"""


@pytest.fixture
def read(tmp_path):
    """Read the plan with some of its text replaced."""

    def load_changed(*pairs: tuple[str, str]) -> Plan:
        text = TEXT
        for old, new in pairs:
            assert old in text
            text = text.replace(old, new)
        file = Path(tmp_path, "plan.yml")
        file.write_text(text, encoding="utf-8")
        return load(file)

    return load_changed


def test_a_plan_says_what_its_file_says_and_the_usual_where_it_says_nothing(read):
    plan = read()
    assert plan.weights == {"control": 0.5, "check-in": 0.5}
    assert (plan.salt, plan.window_hours, plan.coverage) == ("check_in", 48, 1.0)
    assert (plan.primary.test, plan.holdout, plan.rest_days) == ("retention", True, 0)
    assert plan.days == 31 + 31 + 28 + 31
    assert plan.rule.spending.family == "O'Brien-Fleming"
    assert plan.rule.futility is None


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("control, share: 0.5", "control, share: 0.4", "arms: allocation must add up to 1"),
        ("  - {name: control, share: 0.5}\n", "", "arms: allocation needs control and another"),
        ("name: control", "name: check-in", "arms must differ in name, got 'check-in' twice"),
        ("name: control", "name: The control", "arms.0.name: must be small letters"),
        ("share: 0.5}", "share: 0}", "arms.0.share: Input should be greater than or equal"),
        ("0.03}", "0.03, alpha: 5}", "primary: alpha must be a share strictly between 0 and 1"),
        ("0.03}", "0.03, power: 1}", "primary: power must be a share strictly between 0 and 1"),
        ("0.03}", "0.03, power: 0.04}", "primary: power must be above alpha"),
        ("0.03}", "0.45}", "primary.smallest_effect would take the baseline of 0.6 to 1.05"),
        ("0.03}", "0}", "primary.smallest_effect: Input should be greater than 0"),
        ("0.75, 1]", "0.4, 1]", "looks: information must rise"),
        ("0.75, 1]", "0.75]", "looks: information must end at 1"),
        ("information: [0.25, 0.5, 0.75, 1]", "days: [60, 60]", "looks: must be whole numbers"),
        ("information: [0.25, 0.5, 0.75, 1]", "days: [60, 212]", "looks.days must be at most 211"),
        ("0.75, 1]}", "0.75, 1], days: [60]}", "give either `information` or `days`"),
        ("0.75, 1]}", "1], futility: {family: Pocock}}", "A test of two sides has no futility"),
        ("0.75, 1]}", "1], spending: {family: Kim-DeMets}}", "Kim-DeMets needs rho"),
        ("ends: 2027", "ends: 2025", "ends must not be before starts (2026-12-01), got 2025-03-31"),
        ("ends:", "minimum_days: 300\nends:", "minimum_days must be at most 211"),
        (
            "information: [0.25, 0.5, 0.75, 1]",
            "days: [10, 200]",
            "looks.days must not begin before minimum_days (14), got 10",
        ),
        ("ends:", "blocks: 3\nends:", "blocks must give each arm whole places, but a block of 3"),
        ("ends:", "exclusive_with: [check_in]\nends:", "exclusive_with names other experiments"),
        ("ends:", "strata: [country, country]\nends:", "must differ in name, got 'country' twice"),
        (
            "ends:",
            "guardrails: [{metric: a, margin: 0, better: lower}]\nends:",
            "guardrails.0.marg",
        ),
        ("milestone:", "milstone:", "milstone is not a setting. Did you mean 'milestone'?"),
        ("smallest_effect", "smalest_effect", "Did you mean 'smallest_effect'?"),
        ("owner: Lifecycle Marketing", "owner:", "owner is missing."),
        ("name: check_in\n", "", "name is missing."),
        ("kind: retained", "kind: kept", "endpoint.kind: Input should be 'retained' or 'returned'"),
        ("74", ".inf", "assumptions.entry_per_day: Input should be a finite number"),
        ("0.6}", "0.6, onset_days: 90}", "assumptions.onset_days must be before day 90"),
        ("ends:", "strata: country\nends:", "strata: must be a list, with a - before each, got"),
        ("ends:", "salt: ' '\nends:", "salt: must be 1 to 60 characters of plain text, got ' '"),
        ("2026-12-01", "2026-12-32", "holds a date that does not exist (2026-12-32 on line"),
        ("2026-12-01", "1.12.2026", "starts: must be a day such as 2026-11-29, got '1.12.2026'."),
        ("2026-12-01", "2026-12-01 10:00", "starts: must be a day such as"),
        ("channel: email", "channel: [email, sms]", "of plain text, got ['email', 'sms']."),
        ("onboarding_completed", "[a, b]", "milestone: must be an event, or {silent_days"),
        ("0.6}", "60}", "assumptions.baseline: Input should be less than 1, got 60."),
        ("0.6}", "0.6, contact_rate: 80}", "assumptions.contact_rate: Input should be less than"),
        ("74", "0", "assumptions.entry_per_day: Input should be greater than 0, got 0."),
        ("onboarding_completed", "{silent_days: 0}", "milestone: silent_days: Input should be"),
        (
            "onboarding_completed",
            "{silent: 60}",
            "milestone: silent is not a setting. Did you",
        ),
        ("onboarding_completed", "{}", "milestone: give one of the two, or the name of an event"),
        (
            "onboarding_completed",
            "{silent_days: 60, purchase: 1}",
            "milestone: give one of the two",
        ),
        (
            "control, share: 0.5",
            "control, share: 0.5, channel: sms",
            "an arm without a message has no channel, got 'sms'",
        ),
        (
            "ends:",
            "accepted_checks: [sizes of arms]\nends:",
            "no check of validity 'sizes of arms'. Did you mean 'sizes of the arms'?",
        ),
        ("ends:", "accepted_checks: time followed\nends:", "accepted_checks: must be a list"),
        (
            "0.03}",
            "0.03, test: log-rank}\ncluster: household",
            "cluster needs the test `retention`, got `log-rank`",
        ),
        (
            "ends:",
            "cluster: household\ncovariates: [country]\nends:",
            "covariates are not adjusted for where customers of one household depend",
        ),
        ("ends:", "segments: [delivered]\nends:", "segments: Customers are not compared by"),
        ("ends:", "worth: -1\nends:", "worth: Input should be greater than or equal to 0"),
    ],
)
def test_what_no_plan_can_say_is_refused_with_its_file_and_place(read, old, new, said):
    with pytest.raises(BadParameter) as refused:
        read((old, new))
    assert "plan.yml" in str(refused.value)
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)


def test_how_a_test_is_read_is_part_of_its_plan(read):
    said = "accepted_checks: [time followed]\ncluster: household\nworth: 12.5\nends:"
    plan = read(("ends:", said))
    assert plan.accepted_checks == ("time followed",)
    assert (plan.cluster, plan.worth) == ("household", 12.5)
    silent = read()
    assert (silent.accepted_checks, silent.cluster, silent.worth) == ((), None, None)


def test_every_check_of_validity_has_a_name_of_its_own_that_a_plan_may_accept(read):
    assert len(set(CHECKS)) == len(CHECKS) == 17
    names = ", ".join(CHECKS)
    assert read(("ends:", f"accepted_checks: [{names}]\nends:")).accepted_checks == CHECKS


def test_a_plan_that_is_not_there_is_a_sentence(tmp_path):
    with pytest.raises(BadParameter, match="cannot be read: No such file"):
        load(tmp_path / "absent.yml")


def test_blocks_take_shares_that_a_person_rounds(read):
    thirds = [("control, share: 0.5", "control, share: 0.3333"), ("check-in, share: 0.5", "x, "
              "share: 0.6667"), ("ends:", "blocks: 3\nends:")]  # fmt: skip
    assert read(*thirds).blocks == 3


def test_digest_is_that_of_what_is_said_not_of_how(read):
    plain = digest(read())
    swapped = ("channel: email\n", ""), ("owner:", "channel: 'email'  # consented\nowner:")
    assert digest(read(*swapped)) == plain
    assert digest(read(("ends:", "window_hours: 48\nsalt: check_in\nends:"))) == plain
    assert digest(read(("share: 0.5,", "share: 0.50,"))) == plain


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("0.03}", "0.02}"),
        ("ends:", "salt: other\nends:"),
        ("message: next_step", "message: other"),
        ("0.25, 0.5, 0.75, 1", "0.5, 1"),
        ("ends: 2027-03-31", "ends: 2027-04-01"),
        (
            "  - {name: control, share: 0.5}\n  - {name: check-in, share: 0.5, message: next_step}",
            "  - {name: check-in, share: 0.5, message: next_step}\n  - {name: control, share: 0.5}",
        ),
    ],
)
def test_digest_changes_with_anything_that_is_said(read, old, new):
    assert digest(read((old, new))) != digest(read())


@pytest.mark.parametrize(
    ("said", "named"),
    [("{silent_days: 60}", "60 days of silence"), ("{purchase: 1}", "the first purchase")],
)
def test_a_milestone_that_orders_tell_is_read_kept_and_part_of_the_digest(read, said, named):
    found = read(("onboarding_completed", said))
    assert str(found.milestone) == named
    assert Plan.model_validate(found.model_dump(mode="json")) == found
    assert digest(found) != digest(read(("onboarding_completed", "{purchase: 2}")))


def test_channels_of_a_plan_are_those_of_its_arms_that_send(read):
    sms = ("message: next_step", "message: next_step, channel: sms")
    assert read().channels == ("email",)
    assert read(sms).channels == ("sms",)
    both = ("control, share: 0.5", "control, share: 0.5, message: next_step")
    assert read(sms, both).channels == ("email", "sms")
    assert read((", message: next_step", "")).channels == ("email",)
    assert digest(read(sms)) != digest(read())


def test_all_are_reached_was_once_what_a_plan_said_that_said_nothing(read):
    assert read().assumptions.contact_rate is None
    assert digest(read(("0.6}", "0.6, contact_rate: 1}"))) == digest(read())
    assert digest(read(("0.6}", "0.6, contact_rate: 0.8}"))) != digest(read())


def test_digest_of_a_plan_stays_that_of_earlier_versions(read):
    # What this version gave when plans were first frozen; another one would disown every plan.
    assert digest(read()) == "921a173db778c7c5badef22b81e12162596590fd5b183cfc296eedaeda35aebb"


def test_a_plan_is_found_from_the_folders_below_it(tmp_path, monkeypatch):
    (tmp_path / "notebooks").mkdir()
    template = Path(__file__).parents[2] / "experiments" / "templates" / "check_in_48h.yml"
    (tmp_path / "plan.yml").write_bytes(template.read_bytes())
    monkeypatch.chdir(tmp_path / "notebooks")  # where a notebook starts in JupyterLab
    assert load("plan.yml").name == "check_in_48h"
