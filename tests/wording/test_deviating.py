"""Whether the plan is what it was: by what was frozen, by the assignments, or nobody knows."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pandas as pd
import pytest

from retention_lab.experiments.freezing import Frozen, Version, deviations
from retention_lab.experiments.plan import digest
from retention_lab.wording import Instead
from retention_lab.wording.deviating import deviating, deviating_sentence

from ..experiments.readouts import AS_OF, effect_of, plan_of, read  # noqa: TID252
from .test_verdict import told

FIRST, LATER = dt.date(2027, 1, 4), dt.date(2027, 2, 1)
PLAN = plan_of()


def frozen(*versions):
    """Versions of a plan with the day and the reason of each."""
    made = (Version(plan=p, digest=digest(p), frozen_on=d, reason=r) for p, d, r in versions)
    return Frozen(versions=tuple(made))


def seen(found=None, *, plan=PLAN, digests=None, **look):
    """A test with its deviations from what was frozen."""
    changed = None if found is None else deviations(plan, found)
    told_by = {digest(plan): 2_806} if digests is None else digests
    made = read(effect_of(), plan=plan, **look)
    return replace(made, frozen=found, deviations=changed, digests=told_by)


def test_a_plan_that_did_not_change_since_it_was_frozen_is_said_to_be_the_same():
    page = seen(frozen((PLAN, FIRST, None)))
    said = "The plan is what it was when it was frozen, on 4 January 2027."
    assert deviating_sentence(page) == said
    assert deviating(page) == Instead("")  # the sentence stands beside it


def test_a_change_that_was_frozen_stands_with_its_day_and_its_reason():
    longer = plan_of(ends="2027-09-05")
    page = seen(
        frozen((PLAN, FIRST, None), (longer, LATER, "Fewer came than planned")), plan=longer
    )
    assert deviating_sentence(page) == (
        "One thing in the plan has changed since it was frozen, on 4 January 2027. The reason "
        "given: Fewer came than planned."
    )
    table = deviating(page)
    assert table.loc["`ends`"].tolist() == ["2027-08-08", "2027-09-05", "1 February 2027"]


def test_a_change_that_was_never_frozen_has_no_reason_and_says_so():
    dearer = plan_of(cost_per_message=0.5, worth=31.0)
    page = seen(frozen((PLAN, FIRST, None)), plan=dearer)
    assert deviating_sentence(page) == (
        "Two things in the plan have changed since it was frozen, on 4 January 2027. Not all of "
        "it was frozen, so no reason is on record for that. Some customers were assigned by a "
        "plan that was never frozen."
    )
    assert {*deviating(page)["Changed on"]} == {"not frozen"}


@pytest.mark.parametrize(
    ("digests", "words"),
    [
        ({digest(PLAN): 2_806}, "but it is what it was when customers were assigned."),
        (
            {digest(PLAN): 2_000, "": 806},
            "but it is what it was when customers were assigned. Not all assignments say so.",
        ),
        ({"another": 2_806}, "and it has changed since customers were assigned."),
        (
            {digest(PLAN): 2_000, "another": 806},
            "and it has changed since customers were assigned: 806 customers of 2,806 by another "
            "plan than this.",
        ),
        ({digest(PLAN): 2_800, "another": 6}, "and it has changed since customers were assigned."),
        (
            {"": 2_806},
            "and no assignment says by which plan it was made: nobody can tell whether it has "
            "changed since.",
        ),
        ({}, "and nobody has been assigned by it."),
    ],
)
def test_without_a_frozen_plan_the_assignments_tell_if_they_can(digests, words):
    assert (
        told(deviating_sentence(seen(digests=digests))) == f"The plan was not frozen here, {words}"
    )


def test_a_look_that_was_late_is_a_deviation_too():
    by_day = plan_of(looks={"days": [28, 53, 150, 300]})  # day 53 is 4 March 2027
    page = seen(frozen((by_day, FIRST, None)), plan=by_day)
    raw = pd.DataFrame(
        {"look": [1, 2], "on": [dt.date(2027, 2, 7), AS_OF], "fraction": 0.5, "final": False}
    )
    page = replace(page, looked=(replace(page.looked[0], raw=raw),))
    assert deviating_sentence(page).endswith("4 January 2027. Look 2 was 4 days late.")
    assert deviating(page).loc["Look 2"].tolist() == [
        "4 March 2027",
        "8 March 2027",
        "8 March 2027",
    ]
