"""Which adjustment for looks applies to a test, in a line, and what keeps it from being read."""

from __future__ import annotations

from retention_lab.experiments import testing
from retention_lab.experiments.standing import Standing


def rule_words(at: Standing) -> str:
    """Say in a line which adjustment for looks applies."""
    one, spends, several = at.plan.primary, at.plan.looks, len(at.plan.arms) - 1
    sides = "two sides" if one.sides == 2 else "one side"
    alpha = f"alpha {one.alpha:g}"
    if several > 1:
        alpha += f" shared by {several} arms, {testing.rule(at.plan).alpha:.3g} for each"
    if spends is None:
        return f"Read once, at the end, so nothing is allowed for looks; {sides}, {alpha}."
    family: str = spends.spending.family
    if spends.spending.parameter is not None:
        family += f" ({spends.spending.parameter:g})"
    of, done = len(at.past) + len(at.planned_looks), len(at.past)
    which = f"look {done} of {of}" if done else f"{of} looks planned, none taken yet"
    none = "none" if spends.futility is None else f"{spends.futility.family}, not binding"
    return (
        f"Group sequential, {which}: {family} spending by information, {sides}, {alpha}; "
        f"futility: {none}."
    )


def why(at: Standing) -> str:
    """Say what keeps a test that goes on from being looked at."""
    if at.over:
        return ""
    if at.planned is None and not at.ends:
        return f"{at.why} Until then only the last day of the test is a look."
    if not at.keeps and not at.ends:
        return (
            "Without a state nobody knows what earlier looks have spent, so only the last day of "
            "the test is a look: name one by --state."
        )
    return ""
