"""A plan from the command line: frozen once, amended with a reason, refused in a sentence."""

from __future__ import annotations

from pathlib import Path

import pytest

from retention_lab import cli

PLAN = """
name: check_in
title: Check-in
owner: Lifecycle Marketing
hypothesis: A check-in keeps more customers.
milestone: onboarding_completed
channel: email
arms: [{name: control, share: 0.5}, {name: check-in, share: 0.5, message: next_step}]
starts: 2099-12-01
ends: 2100-03-31
endpoint: {kind: retained, day: 90}
primary: {smallest_effect: 0.03}
assumptions: {entry_per_day: 74}
"""


@pytest.fixture
def freeze(tmp_path, monkeypatch, capsys):
    """Freeze a text of a plan; return the exit code and what was written to both streams."""
    monkeypatch.chdir(tmp_path)

    def run(text, *arguments):
        Path("plan.yml").write_text(text, encoding="utf-8")
        code = cli.main(["freeze", "plan.yml", "--state=kept", *arguments])
        out, err = capsys.readouterr()
        return code, out.splitlines(), err.splitlines()

    return run


def test_a_plan_is_frozen_once_and_says_so(freeze):
    code, first, said = freeze(PLAN)
    assert code == 0
    assert said[0].startswith("check_in is frozen as of 2")
    assert said[1].startswith("Customers enter from 2099-12-01 to 2100-03-31. check_in cannot be ")
    code, again, said = freeze("# the same\n" + PLAN)
    assert (code, again) == (0, first)
    assert said[0].startswith("check_in has been frozen since 2")
    assert len(Path("kept/ledgers/plans.jsonl").read_text().splitlines()) == 1


def test_another_content_is_refused_until_it_has_a_reason(freeze):
    freeze(PLAN)
    longer = PLAN.replace("2100-03-31", "2100-04-30")
    code, out, said = freeze(longer)
    assert (code, out, len(said)) == (2, [], 1)
    assert "ends was 2100-03-31, is 2100-04-30" in said[0]
    code, out, said = freeze(longer, "--amend=Fewer came")
    assert (code, len(out)) == (0, 1)
    assert "amended (Fewer came)" in said[0]
    assert said[2].startswith("ends: 2100-03-31 when frozen first, 2100-04-30 since 2")


def test_a_test_that_has_begun_and_a_misspelt_plan_leave_nothing_behind(freeze):
    code, _, said = freeze(PLAN.replace("starts: 2099", "starts: 2020"))
    assert code == 2
    assert "a plan is frozen before its test begins" in said[0]
    code, _, said = freeze(PLAN.replace("owner", "ownr"))
    assert (code, said) == (2, ["plan.yml: ownr is not a setting. Did you mean 'owner'?"])
    assert not Path("kept/ledgers/plans.jsonl").exists()


@pytest.mark.parametrize(
    ("pace", "said"),
    [
        (
            "100",
            "come if the assumptions hold: about 92 in 100 such tests find a gain of 3 points.",
        ),
        ("10", "1,210 enter as planned: at 10 a day that takes"),
    ],
)
def test_freezing_says_whether_the_test_is_large_enough(freeze, pace, said):
    code, _, sentences = freeze(
        PLAN.replace("entry_per_day: 74", f"entry_per_day: {pace}, baseline: 0.6")
    )
    assert code == 0
    assert said in sentences[1]


def test_size_of_a_plan_that_leaves_the_pace_to_history_is_told_elsewhere(freeze):
    code, _, said = freeze(PLAN.replace("entry_per_day: 74", "baseline: 0.6"))
    assert code == 0
    assert "is told by the design page" in said[1]


def test_another_test_of_the_same_days_and_channel_is_a_warning(freeze):
    freeze(PLAN)
    code, _, said = freeze(PLAN.replace("check_in", "second"))
    assert code == 0
    assert said[-2].startswith("check_in enrols from 2099-12-01 to 2100-03-31, too, and shares")
