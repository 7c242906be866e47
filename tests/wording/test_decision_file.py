"""The draft of a decision: everything that leads to it, and boxes that nobody has ticked yet."""

from __future__ import annotations

import re

import pytest

from retention_lab.record import Ledger
from retention_lab.record import verdict as recorded
from retention_lab.wording.decision_file import decision_file

from ..experiments.readouts import FAILED, effect_of, plan_of, read  # noqa: TID252
from .test_verdict import BEFORE, ENDED, UNCLEAR, WIDE, told

HEADINGS = [
    "The question",
    "The verdict",
    "The numbers",
    "The money",
    "Validity",
    "Deviations from the plan",
    "What would change this",
    "To do",
    "To be decided",
]


def drafted(seen):
    ledger = Ledger()
    recorded.record(ledger, seen)
    return told(decision_file(ledger, seen))


def under(text, heading):
    return text.split(f"## {heading}\n\n")[1].split("\n\n## ")[0]


def test_a_draft_leads_from_the_question_to_a_signature():
    text = drafted(read(effect_of(), **ENDED))
    assert re.findall("^## (.*)$", text, re.MULTILINE) == HEADINGS
    assert text.startswith("# Decision: Check-in\n\n*Draft as of 8 March 2027, on Demo. ")
    assert under(text, "The verdict").startswith('**Ship.** "Check-in" keeps about 5 more')
    assert "| More customers retained by day 90 | +5.1 points (+1.4 to +8.8) |" in text
    assert "To be decided by 15 March 2027, by whoever answers for it: Lifecycle Marketing." in text


@pytest.mark.parametrize(
    ("seen", "box"),
    [
        (read(effect_of(), **ENDED), "Ship: send it to all"),
        (read(effect_of(-0.05), **ENDED | {"stopped": "loss"}), "Stop: send it to nobody"),
        (read(WIDE), "Continue until it is read again"),
        (read(WIDE, **UNCLEAR), "Nothing can be told; leave things as they were"),
    ],
)
def test_no_box_is_ticked_and_the_verdict_is_marked(seen, box):
    text = under(drafted(seen), "To be decided")
    assert text.count("- [ ]") == 4
    assert "[x]" not in text
    assert re.findall(r"- \[ \] (.*) \(the verdict\)", text) == [box]


@pytest.mark.parametrize(
    "seen", [read(effect_of(), checks=FAILED, **ENDED), read(effect_of(), **BEFORE), read()]
)
def test_a_draft_of_what_may_not_be_shown_has_no_number_of_the_effect(seen):
    text = drafted(seen)
    assert not re.search("points|5.1|66.1|£|nan|None", text)
    assert "To be decided" in text


def test_numbers_stand_as_the_sentences_say_them():
    cheap = plan_of(cost_per_message=0.005, worth=31.0)
    text = under(drafted(read(effect_of(std_error=0.01), plan=cheap, **ENDED)), "The numbers")
    assert "| Least effect that matters | +0.02 points |" in text
    assert "| Chance that sending to all loses money | less than 1 in 1,000 |" in text
    assert "| Worth of sending to all, a year | £43,000 (" in text


def test_a_pace_that_goes_either_way_shows_its_sign():
    text = under(drafted(read(effect_of(0.02), unit="log hazard", priced=False)), "The numbers")
    assert "| Less often gone, day by day, than in control | +2.0 % (-2.5 to +6.3) |" in text


def test_checks_that_did_not_pass_stand_with_what_to_do():
    text = under(drafted(read(effect_of(), checks=FAILED, **ENDED)), "Validity")
    assert text.startswith("0 of 1 checks passed.")
    assert "- sizes of the arms (fail): The sizes of the arms differ" in text


def test_what_was_agreed_on_before_stands_under_the_question():
    rules = ["Stop at once if a message goes to control."]
    text = drafted(read(WIDE, plan=plan_of(stop_rules=rules)))
    assert under(text, "The question").endswith("\n- Stop at once if a message goes to control.")
