from __future__ import annotations

from pathlib import Path

import pytest

from retention_lab.experiments import plan as plans
from retention_lab.wording.planned import plan_table

TEMPLATES = Path(__file__).parents[2] / "experiments" / "templates"


def told(name, **instead):
    plan = plans.load(TEMPLATES / f"{name}.yml").model_copy(update=instead)
    return plan_table(plan)["The plan"]


def test_plan_is_told_line_by_line():
    rows = told("check_in_48h")
    assert rows["Who enters"] == (
        "Within 48 hours of onboarding_completed, with consent to email, not in the test "
        "onboarding_checklist and contact_pressure"
    )
    assert rows["Arms"] == (
        "control (50 in 100): nothing is sent; check-in (50 in 100): check_in_next_step"
    )
    assert rows["What counts"] == "Who were still with us after 90 days"
    assert rows["What decides"].endswith("without an effect one is claimed 1 time in 40")
    assert rows["Looks"] == "Four: when 25, 50, 75 and 100 % is known"
    assert rows["Must not suffer"] == "“unsubscribe”, at most 0.5 points higher"


@pytest.mark.parametrize(
    ("row", "instead", "said"),
    [
        ("Who enters", {"where": "country = 'UK'"}, ", where country = 'UK', "),
        ("Who enters", {"coverage": 0.4}, ", 40 in 100 of them, "),
        ("Who enters", {"rest_days": 1}, ", nothing sent for 1 day, "),
        ("Looks", {"looks": None}, "One, at the end"),
        ("Depend on each other", {"cluster": "household"}, "Those of the same household, which"),
        ("Worth of one more", {"worth": 25.0}, "25, in the currency of the shop"),
        ("Read even if failed", {"accepted_checks": ("time followed",)}, "“time followed”"),
    ],
)
def test_what_a_plan_asks_besides_is_told(row, instead, said):
    assert said in told("check_in_48h", **instead)[row]


def test_what_a_plan_does_not_say_has_no_row():
    silent = {"Stopped at once", "Depend on each other", "Worth of one more", "Read even if failed"}
    assert not silent & {*told("win_back").index}
    assert told("win_back")["What counts"] == "Who had bought again within 90 days"
