"""What to do with a test: ship, stop, continue, or that nobody can tell, by rules in order.

The rules are those that were agreed on before the test: its bounds, its guardrails, what pays. None
of them asks for the reader's judgement, and each case has one verdict and one reason.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, assert_never

import pandas as pd

from retention_lab.checks import BadData
from retention_lab.experiments import stakes
from retention_lab.experiments.plan import Plan
from retention_lab.experiments.stakes import Money

if TYPE_CHECKING:
    from retention_lab.experiments.effects import Effect
    from retention_lab.experiments.sequential import Looked
    from retention_lab.experiments.validity import Validity

Verdict = Literal["ship", "stop", "continue", "inconclusive"]
Because = Literal[
    "invalid",
    "early",
    "between",
    "gain",
    "gain too small",
    "loss",
    "futility",
    "harm",
    "guardrails to come",
    "not shown harmless",
    "does not pay",
    "too small to matter",
    "unclear",
]
# Of several arms that are read at looks, the one with the first of these reasons is told.
_ORDER: tuple[Because, ...] = (
    "gain",
    "between",
    "not shown harmless",
    "unclear",
    "does not pay",
    "gain too small",
    "too small to matter",
    "futility",
    "loss",
)


@dataclass(frozen=True, kw_only=True)
class Decision:
    """One verdict with its one reason.

    `arm` is the arm that both are about: with *ship* the one to ship. `money` is that of the arm,
    None where it cannot be told. `why` names the checks that failed, or the guardrails that are
    harmed or not shown to hold, by their labels.
    """

    verdict: Verdict
    because: Because
    arm: str | None = None
    money: Money | None = None
    why: tuple[str, ...] = ()


def decide(
    *,
    plan: Plan,
    validity: Validity | None,
    looked: Sequence[Looked],
    effects: Sequence[Effect],
    measured: pd.DataFrame | None,
    money: Mapping[str, Money],
) -> Decision:
    """Decide by the first rule that fits.

    A check that failed and is not accepted hides all else. Arms that are shown to harm a guardrail
    are out; the others are read at looks only. A gain ships if all guardrails are shown to hold and
    the money expected is above 0, which is left out where it cannot be told.

    Parameters
    ----------
    looked
        Of each arm but control; none where nobody was assigned.
    measured
        As `experiments.measured.measured` gives it; its guardrails count.
    money
        By arm, of those of which it can be told.
    """
    if validity is not None and not validity.holds:
        return Decision(verdict="inconclusive", because="invalid", why=tuple(validity.failed))
    harmed = _guardrails(measured, "harmed", True)
    rest = [one for one in looked if one.arm not in harmed]
    if harmed and not rest:
        arm = next(iter(harmed))
        priced = money.get(arm)
        return Decision(verdict="stop", because="harm", arm=arm, money=priced, why=harmed[arm])
    read = _Read(plan=plan, arms=rest, effects=effects, measured=measured, money=money)
    states = {one.state for one in rest}
    if states <= {"before"}:
        return Decision(verdict="continue", because="early")
    if states <= {"before", "between"}:
        return read.says("continue", "between", read.best(rest))
    return read.decision()


def waits(decision: Decision, measured: pd.DataFrame | None) -> Decision:
    """Wait for guardrails that a gain left open, where more customers will tell of one of them.

    Parameters
    ----------
    measured
        As of the look, where guardrails are to be read once more.
    """
    if decision.because != "not shown harmless" or measured is None:
        return decision
    rails = measured[(measured["role"] == "guardrail") & (measured["arm"] == decision.arm)]
    # Nobody followed for so long is an answer that waiting changes; a missing table is none.
    left = rails.loc[rails["label"].isin(decision.why), "left_out"]
    if not (left.fillna(0) > 0).any():
        return decision
    return replace(decision, verdict="continue", because="guardrails to come")


def matters(plan: Plan, effect: Effect | None, money: Money | None) -> float:
    """Least difference of shares of all assigned that matters: from what it pays, if that is known.

    Else the plan's smallest effect, which is one on customers reached, times the share reached.
    """
    if money is not None:
        return money.pays_from
    reached = effect.reached if effect is not None else None
    share = reached.reached.value if reached is not None else plan.assumptions.contact_rate
    return plan.primary.smallest_effect * (1.0 if share is None else share)


def _guardrails(
    measured: pd.DataFrame | None, column: str, value: bool
) -> dict[str, tuple[str, ...]]:
    """Name the guardrails of each arm of which a truth value is this one."""
    if measured is None or measured.empty:
        return {}
    rails = measured[measured["role"] == "guardrail"]
    fits = rails[(rails[column] == value).fillna(False).astype(bool)]
    return {
        str(arm): tuple(map(str, rows["label"])) for arm, rows in fits.groupby("arm", sort=False)
    }


@dataclass(frozen=True, kw_only=True)
class _Read:
    """Arms that have been looked at and harm nothing, with all that is known of them."""

    plan: Plan
    arms: Sequence[Looked]
    effects: Sequence[Effect]
    measured: pd.DataFrame | None
    money: Mapping[str, Money]

    def says(
        self, verdict: Verdict, because: Because, one: Looked, why: tuple[str, ...] = ()
    ) -> Decision:
        money = self.money.get(one.arm)
        return Decision(verdict=verdict, because=because, arm=one.arm, money=money, why=why)

    def best(self, arms: Sequence[Looked]) -> Looked:
        """The arm with most money expected; by effect where it is not known of all."""
        if all(one.arm in self.money for one in arms):
            return max(arms, key=lambda one: self.money[one.arm].per_customer.value)
        return max(arms, key=lambda one: float("-inf") if one.estimate is None else one.estimate)

    def decision(self) -> Decision:
        """Read the arms one by one: what one of them may still do goes before what others did."""
        told = {one.arm: self._one(one) for one in self.arms}
        first = min((each.because for each in told.values()), key=_ORDER.index)
        return told[self.best([one for one in self.arms if told[one.arm].because == first]).arm]

    def _one(self, one: Looked) -> Decision:
        match one.stopped:
            case "gain":
                return self._gained(one)
            case "loss":
                return self.says("stop", "loss", one)
            case "futility":
                return self.says("stop", "futility", one)
            case "end" if self._is_small(one):
                return self.says("stop", "too small to matter", one)
            case "" if one.state != "over":
                return self.says("continue", "between", one)
            case "end" | "":  # read without a bound crossed, or ended unread
                return self.says("inconclusive", "unclear", one)
            case _:
                assert_never(one.stopped)

    def _gained(self, one: Looked) -> Decision:
        """Read an arm of which a gain is shown."""
        money = self.money.get(one.arm)
        if money is not None and money.per_customer.value <= 0:
            return self.says("stop", "does not pay", one)
        if money is None and self._is_small(one):
            return self.says("stop", "gain too small", one)
        open_rails = self._open(one.arm)
        if not open_rails:
            return self.says("ship", "gain", one)
        return self.says("inconclusive", "not shown harmless", one, open_rails)

    def _is_small(self, one: Looked) -> bool:
        """Say whether the whole interval, in the test's unit, lies below what matters."""
        effect = next((each for each in self.effects if each.arm == one.arm), None)
        if effect is None:
            return False
        least = matters(self.plan, effect, self.money.get(one.arm))
        if one.unit != "points":
            held = stakes.corrected(one) or one.interval
            if held is None or not one.smallest:
                return False
            # The plan's smallest effect is known in points and in the unit of the test.
            return held.high < one.smallest * least / matters(self.plan, effect, None)
        try:
            found = stakes.in_points(self.plan, effect, one)
        except BadData:  # nothing that could be called small
            return False
        return found.high < least

    def _open(self, arm: str) -> tuple[str, ...]:
        """Name the guardrails not shown to hold, those included of which nothing is known."""
        if not self.plan.guardrails:
            return ()
        if self.measured is None:
            return tuple(each.metric for each in self.plan.guardrails)
        rails = self.measured[
            (self.measured["role"] == "guardrail") & (self.measured["arm"] == arm)
        ]
        holds = (rails["no_worse"] == True).fillna(False).astype(bool)  # noqa: E712  may be missing
        unseen = {each.metric for each in self.plan.guardrails} - {*rails["metric"]}
        return (*map(str, rails.loc[~holds, "label"]), *sorted(unseen))
