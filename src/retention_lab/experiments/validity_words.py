"""What the checks of a test's validity say: that all is well, what is not, and what to do then."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from retention_lab.checks import BadParameter, Refusal
from retention_lab.inference.sample_ratio import verdict

Status = Literal["pass", "warn", "fail"]

LUCK = "warn where luck does as much in fewer than 1 of 100 tests, fail in fewer than 1 of 1,000"
WARN_ONLY = "warn where luck does as much in fewer than 1 of 100 tests; it never fails"


@dataclass(frozen=True, kw_only=True)
class Check:
    """One thing that could be wrong with a test.

    `value` is what `threshold` speaks of: a p-value (how often luck does as much), or a share of
    customers. It is None where the shop lacks what would tell, of which the status warns, or where
    the plan names what the shop does not know, which fails; `why` says so then. `remedy` is empty
    where all is well.
    """

    name: str
    status: Status
    value: float | None
    threshold: str
    why: str
    remedy: str

    @property
    def is_luck(self) -> bool:
        """Whether the value is a p-value; a share of customers, or none, if not."""
        return self.threshold in (LUCK, WARN_ONLY)


@dataclass(frozen=True, kw_only=True)
class Words:
    """Of one check: its name, the sentence if all is well, the one if not, and what to do then.

    `mild` is what to do about a warning, which shows the effect, where that is something else.
    """

    name: str
    well: str
    off: str
    remedy: str
    mild: str = ""

    def by_luck(self, p_value: float, *, where: str = "", fails: bool = True) -> Check:
        """Judge by how often luck does as much; `where` says where it is off."""
        status: Status = verdict(p_value)
        if status == "fail" and not fails:
            status = "warn"
        threshold = LUCK if fails else WARN_ONLY
        return self.judged(status, value=p_value, threshold=threshold, where=where)

    def by_share(
        self, part: int, whole: int, *, warn: float, fail: float, where: str = ""
    ) -> Check:
        """Judge by a share of customers: a warning above one limit, a failure from the other."""
        share = part / whole
        status: Status = "fail" if share >= fail else "warn" if share > warn else "pass"
        threshold = f"warn above {100 * warn:g} in 100 customers, fail from {100 * fail:g} in 100"
        return self.judged(status, value=share, threshold=threshold, where=where)

    def judged(self, status: Status, *, value: float, threshold: str, where: str = "") -> Check:
        """Make the check that says so."""
        off = f"{self.off}: {where}." if where else f"{self.off}."
        remedy = self.mild if self.mild and status == "warn" else self.remedy
        told = (f"{self.well}.", "") if status == "pass" else (off, remedy)
        return Check(
            name=self.name,
            status=status,
            value=value,
            threshold=threshold,
            why=told[0],
            remedy=told[1],
        )

    def unknown(self, why: Refusal) -> Check:
        """Warn that this cannot be checked; it fails if the plan names what is not there."""
        return Check(
            name=self.name,
            status="fail" if isinstance(why, BadParameter) else "warn",
            value=None,
            threshold="none, as there is no number",
            why=f"This cannot be checked. {why}",
            remedy="Do not call the test valid in this respect until it can be checked.",
        )


ARMS = Words(
    name="arms of the plan",
    well="All customers are in arms of the plan",
    off="Some customers are in an arm that the plan does not know, and count in none",
    remedy="Find out what they were sent. Mend the names of the arms where they are assigned.",
)
SIZES = Words(
    name="sizes of the arms",
    well="The sizes of the arms are as planned, give or take luck",
    off="The sizes of the arms differ from the plan by more than luck explains",
    remedy="Do not read the effect. Look for what favours an arm: rows of the log that are gone, "
    "customers whose id changed, a filter after the assignment, a salt used before.",
    mild="Read the effect with care: luck does as much now and then. Before anything is decided by "
    "it, look for what favours an arm, such as rows of the log that are gone.",
)
DAYS = Words(
    name="sizes by day of enrolment",
    well="On no day of enrolment do the sizes of the arms differ from the plan by more than luck",
    off="On some days the sizes of the arms differ from the plan by more than luck explains",
    remedy="Find out what was different on these days. If it was the assignment, leave out all "
    "customers of these days, in every arm.",
)
STRATA = Words(
    name="sizes by stratum",
    well="In no stratum do the sizes of the arms differ from the plan by more than luck",
    off="In some strata the sizes of the arms differ from the plan by more than luck explains",
    remedy="Find out how customers of these strata are assigned. Until then leave out all of them, "
    "in every arm.",
)
STRANGERS = Words(
    name="customers of the shop",
    well="All customers are known to the shop",
    off="Some customers are not known to the shop; nothing can be told of them, so they count in "
    "nothing",
    remedy="Compare the ids of the assignments with those of the source: leading zeros, spaces, "
    "the id of another system.",
)
CROSSED = Words(
    name="one arm for each customer",
    well="Nobody is in two arms",
    off="Some customers are in two arms; each counts in the first",
    remedy="Find out why they were assigned twice, and what they were sent. Keep them in the arm "
    "that came first.",
)
REPEATED = Words(
    name="one assignment for each customer",
    well="Everybody was assigned once",
    off="Some customers were assigned several times; each counts once, from the first time",
    remedy="Look for a job that ran twice, or for one person under two spellings.",
)
ZERO = Words(
    name="time zero is the milestone",
    well="For everybody time begins when the milestone was first reached",
    off="For some customers time begins at another moment than their first time at the milestone",
    remedy="Let time begin at the milestone for everybody, in every arm. A later moment, such as "
    "the message, credits an arm with days that had to be survived to get there.",
)
EARLY = Words(
    name="assignment after the milestone",
    well="Nobody was assigned before reaching the milestone",
    off="Some customers were assigned before they reached the milestone, so their arm may have "
    "decided whether they did",
    remedy="Count everybody who was assigned, from the assignment on; or enrol at the milestone.",
)
FIRST = Words(
    name="assignment before the outcome",
    well="Hardly anybody was assigned after the outcome had come",
    off="Some customers were assigned when their outcome had already come",
    remedy="Run the daily job every day. Leave them out in every arm, as no message could change "
    "what had happened.",
)
LEFT_OUT = Words(
    name="customers left out",
    well="Customers whom the outcome says nothing of are spread over the arms as everybody is",
    off="One arm has more customers whom the outcome says nothing of than luck explains",
    remedy="Look for what loses customers in one arm, such as a subscription that its message "
    "changed. Do not compare those who are left.",
    mild="Read the effect with care: luck does as much now and then. Look for what loses customers "
    "in one arm, such as a subscription that its message changed.",
)
CENSORED = Words(
    name="time followed",
    well="Customers of all arms have been followed for as long, give or take luck",
    off="Customers of one arm have been followed for longer than luck explains",
    remedy="Check that all arms were enrolled over the same days, and that outcomes of all arms "
    "are known to the same day.",
)
BEFORE = Words(
    name="outcome before the milestone",
    well="Before the milestone the arms were alike, as nothing had been sent yet",
    off="The arms differed before the milestone, when nothing had been sent yet",
    remedy="Do not read the effect: the arms were not alike from the start. Look for an assignment "
    "that knew the past, or a salt used before.",
    mild="Read the effect with care: luck does as much now and then. Before anything is decided by "
    "it, look for an assignment that knew the past, or a salt used before.",
)
WRONG = Words(
    name="messages of another arm",
    well="Hardly anybody was sent what another arm is sent",
    off="Some customers were sent what another arm is sent",
    remedy="Stop sending it to them. Keep them in their arm: the effect then is too small, not "
    "wrong. Leaving them out would make it wrong.",
)
REACH = Words(
    name="messages reach their arm",
    well="About as many customers are reached as planned",
    off="Fewer customers are reached than planned, so the effect of being assigned is smaller",
    remedy="Check that the lists are sent, and that the sending tool writes the plan's name or the "
    "name of the message as the campaign. Do not compare those who were reached with others.",
)
BY_WEEK = Words(
    name="effect by week of enrolment",
    well="The effect is the same for early and late enrolment, give or take luck",
    off="The effect changed from week to week of enrolment by more than luck explains",
    remedy="Find out what changed: the message, its sending, or who came. One figure for all weeks "
    "does not say what to expect from here on.",
)
BY_DAY = Words(
    name="effect over time",
    well="The effect is the same early and late after the milestone, give or take luck",
    off="The effect changes with the days since the milestone by more than luck explains",
    remedy="Read the share at the planned day and the curves, not one ratio for all days; assume "
    "nothing beyond the last day.",
)

CHECKS = tuple(
    words.name
    for words in (
        *(ARMS, STRANGERS, SIZES, DAYS, STRATA, CROSSED, REPEATED, ZERO, EARLY, FIRST),
        *(LEFT_OUT, CENSORED, BEFORE, WRONG, REACH, BY_WEEK, BY_DAY),
    )
)  # in the order of a page
