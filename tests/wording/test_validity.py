"""Sentences and the table of validity: what failed, what follows, and no number of a few."""

from __future__ import annotations

from types import SimpleNamespace

import pandas as pd
import pytest

from retention_lab.experiments import validity_words as words
from retention_lab.experiments.plan import Plan
from retention_lab.experiments.validity import verdict
from retention_lab.experiments.validity_tables import Collapsed
from retention_lab.record import Ledger
from retention_lab.record.validity import named, record
from retention_lab.wording.phrases import Instead
from retention_lab.wording.validity import validity_sentence, validity_table

from ..experiments.proposals import FIELDS  # noqa: TID252

WELL = [words.SIZES.by_luck(0.31), words.CROSSED.by_share(0, 600, warn=0, fail=0.01)]
OFF = words.SIZES.by_luck(1e-9)
TWICE = words.CROSSED.by_share(30, 600, warn=0, fail=0.01)
LATE = words.BY_WEEK.by_luck(0.004)
UNTOLD = words.REACH.unknown(
    "Shop has no messages; map them in its source file to use this, or hand them to from_frames."
)


def seen_of(*checks, accepted=(), **counts):
    """A test of 600 customers, of whom so many of each arm are counted."""
    plan = Plan.model_validate(FIELDS | {"accepted_checks": list(accepted)})
    arms = pd.DataFrame({"arm": [*plan.weights], "customers": [300, 300]})
    marks = {"crossed": [0, 0], "due": [300, 300], "sent": [0, 200], "left_out": [0, 0]}
    arms = arms.assign(**{**marks, **counts})
    found = Collapsed(sizes=pd.DataFrame(), arms=arms, grid=pd.DataFrame(), missing={})
    seen = SimpleNamespace(validity=verdict(checks, plan), collapsed=found, plan=plan, why={})
    ledger = Ledger()
    record(ledger, seen)
    return ledger, seen


def test_a_sound_test_is_one_short_sentence():
    assert validity_sentence(*seen_of(*WELL)) == "All 2 checks of validity passed."


def test_a_failure_hides_the_effect_and_says_what_to_do():
    said = validity_sentence(*seen_of(OFF, WELL[1]))
    assert said.startswith("1 of 2 checks of validity passed. “Sizes of the arms” failed, so no")
    assert "Do not read the effect" in said
    both = validity_sentence(*seen_of(OFF, TWICE))
    assert "“Sizes of the arms” and “One arm for each customer” failed, so no number" in both
    assert "Begin with “Sizes of the arms”: Do not read" in both


def test_an_accepted_failure_is_told_and_hides_nothing_unless_another_one_does():
    names = [words.CROSSED.name]
    said = validity_sentence(*seen_of(WELL[0], TWICE, accepted=names))
    assert "the plan accepts that: the effect is shown all the same" in said
    both = validity_sentence(*seen_of(OFF, TWICE, accepted=names))
    assert "no number of the effect is shown" in both
    assert "all the same" not in both


def test_what_warns_and_what_cannot_be_told_are_two_things():
    said = validity_sentence(*seen_of(WELL[0], LATE, UNTOLD))
    assert "“Effect by week of enrolment” warns: read" in said
    assert "“Messages reach their arm” cannot be checked. " in said
    assert "from_frames" not in said
    assert "This cannot" not in said


def test_what_is_to_be_done_is_no_column_where_nothing_is():
    assert "What to do" not in validity_table(*seen_of(*WELL))


@pytest.mark.parametrize("check", [words.SIZES, words.BEFORE, words.LEFT_OUT])
def test_a_warning_shows_the_effect_and_does_not_forbid_to_read_it(check):
    assert "Do not" in check.by_luck(1e-6).remedy
    assert check.by_luck(0.005).remedy.startswith("Read the effect with care")


def test_nobody_assigned_is_a_sentence_and_no_table():
    seen = SimpleNamespace(validity=None, why={"assigned": "Nobody has been assigned to a_b."})
    assert validity_sentence(Ledger(), seen) == r"Nobody has been assigned to a\_b\."
    assert isinstance(validity_table(Ledger(), seen), Instead)
    record(Ledger(), seen)


def test_the_table_tells_each_check_its_number_and_what_to_do():
    sent = words.REACH.judged("pass", value=2 / 3, threshold="warn below 60 in 100 customers")
    ledger, seen = seen_of(OFF, TWICE, LATE, UNTOLD, sent, accepted=["one arm for each customer"])
    seen.collapsed.arms["crossed"] = [15, 15]
    table = validity_table(ledger, seen)
    assert table["Result"].tolist() == [
        "failed",
        "failed, which the plan accepts",
        "warns",
        "cannot be checked",
        "passed",
    ]
    numbers = table["In numbers"].tolist()
    assert numbers[0].startswith("By luck alone, fewer than 1 in 1,000 tests")
    assert numbers[2].startswith("By luck alone, about 0.4 in 100 tests")
    assert numbers[3] == "None."
    assert numbers[4].startswith("About 67 in 100 customers reached, in the arm with the fewest;")
    assert table.loc["Messages reach their arm", "What to do"].iloc[-1] == "Nothing."


@pytest.mark.parametrize(
    ("check", "counts", "shown"),
    [
        (words.CROSSED.by_share(0, 600, warn=0, fail=0.01), {"crossed": [0, 0]}, True),
        (words.CROSSED.by_share(9, 600, warn=0, fail=0.01), {"crossed": [4, 5]}, False),
        (words.CROSSED.by_share(10, 600, warn=0, fail=0.01), {"crossed": [4, 6]}, True),
        (words.CROSSED.by_share(591, 600, warn=0, fail=0.01), {"crossed": [300, 291]}, False),
        (words.LEFT_OUT.by_luck(0.2), {"left_out": [20, 4]}, False),
        (words.LEFT_OUT.by_luck(0.2), {"left_out": [20, 14]}, True),
        (words.SIZES.by_luck(0.2), {"customers": [600, 9]}, False),
        (words.SIZES.by_luck(0.2), {}, True),
        (words.REACH.judged("pass", value=0.97, threshold=""), {"sent": [0, 293]}, False),
        (words.ARMS.by_share(5, 605, warn=0, fail=0.01), {"arm": ["control", "else"]}, True),
    ],
)
def test_a_number_that_tells_of_a_few_customers_is_neither_recorded_nor_said(check, counts, shown):
    ledger, seen = seen_of(check, **counts)
    assert (named(check.name) in ledger) == shown
    said = validity_table(ledger, seen)["In numbers"].iloc[0]
    assert (said == "Not shown, as it would tell of fewer than 10 customers.") != shown


def test_few_customers_in_an_unknown_arm_are_not_told():
    check = words.ARMS.by_share(5, 305, warn=0, fail=0.01)
    ledger, _ = seen_of(check, arm=["control", "else"], customers=[300, 5])
    assert named(check.name) not in ledger
