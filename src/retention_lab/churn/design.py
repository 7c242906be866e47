"""From states in words to columns of 0 and 1, each against its factor's first state.

A state that cannot be told from another is put together with it, and a sentence says so: one that
few customers are in, one in which nobody or everybody had the event, and one that follows from the
columns before it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from retention_lab import checks
from retention_lab.checks import BadData
from retention_lab.tables.playbook import Factor

SMALLEST = 10  # customers of a state
LEAST = 10  # events, and others: fewer than ten for a coefficient make it unreliable

Group = tuple[str, ...]  # states that are put together


@dataclass(frozen=True, kw_only=True)
class Design:
    """How states become columns.

    `levels` are the groups of states of each factor, its reference first; `met` the states that
    anybody was in, of factors that tell nobody apart, too; `left_out` the sentences of what was put
    together and of those factors.
    """

    factors: tuple[Factor, ...]
    levels: Mapping[str, tuple[Group, ...]]
    met: Mapping[str, frozenset[str]]
    left_out: tuple[str, ...]

    def strangers(self, frame: pd.DataFrame) -> int:
        """Count the customers of a frame with `weight` in a state that nobody was in before."""
        checks.columns("the table of customers", frame.columns, ["weight", *self.met])
        new = np.zeros(len(frame), dtype=bool)
        for name, states in self.met.items():
            new |= ~frame[name].isin(states).to_numpy()
        return int(frame["weight"].to_numpy()[new].sum())

    def matrix(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Columns "factor: state" of 0 and 1, one row per row of `frame`.

        A state that the training did not meet counts as the reference.

        Raises
        ------
        BadData
            If a factor is no column of the frame.
        """
        checks.columns("the table of customers", frame.columns, [f.name for f in self.factors])
        return pd.DataFrame(
            {
                column(factor, group): frame[factor.name].isin(group).to_numpy(dtype="float64")
                for factor in self.factors
                for group in self.levels[factor.name][1:]
            },
            index=frame.index,
        )


def column(factor: Factor, group: Group) -> str:
    """Name the column of a group of states."""
    return f"{factor.name}: {words(group)}"


def words(group: Group) -> str:
    """Name states that are put together; many are counted."""
    return " or ".join(group) if len(group) <= 3 else f"{group[0]} or {len(group) - 1} others"


def of(frame: pd.DataFrame, factors: Sequence[Factor]) -> Design:
    """Decide how the states of a collapsed table become columns.

    Parameters
    ----------
    frame
        One text column per factor, `event_observed`, `weight` (rows that each stands for), and
        perhaps `landmark`: then a state has the customers of the landmark where it has most.
    factors
        In the order in which a column yields to those before it.

    Raises
    ------
    BadData
        If a column is missing, or a state is.
    """
    names = [factor.name for factor in factors]
    checks.columns("the table to learn from", frame.columns, [*names, "event_observed", "weight"])
    levels: dict[str, tuple[Group, ...]] = {}
    said: list[str] = []
    for factor in factors:
        if frame[factor.name].isna().any():
            raise BadData(f"{factor.label} ({factor.name}) has rows without a state. Fill them.")
        counts = _counts(frame, factor)
        levels[factor.name] = _enough(counts)
        said += _together(factor, levels[factor.name], counts)
    told = tuple(factor for factor in factors if len(levels[factor.name]) > 1)
    told, levels, follows = _independent(frame, told, levels)
    met = {name: frozenset(frame[name].unique()) for name in names}
    return Design(factors=told, levels=levels, met=met, left_out=(*said, *follows))


def _counts(frame: pd.DataFrame, factor: Factor) -> pd.DataFrame:
    """Customers, events and others of each state, in the order of the states."""
    period = frame["landmark"] if "landmark" in frame else pd.Series(0, index=frame.index)
    weight, event = frame["weight"], frame["event_observed"].astype(bool)
    rows = pd.DataFrame({"n": weight, "events": weight * event, "others": weight * ~event})
    sums = rows.groupby([frame[factor.name], period]).sum()
    counts = sums.groupby(level=0).sum().assign(customers=sums["n"].groupby(level=0).max())
    found = counts.sort_values("n", ascending=False, kind="stable").index
    # An attribute has the states of the data, the most common first.
    return counts.reindex(list(factor.states) or found, fill_value=0)


def _enough(counts: pd.DataFrame) -> tuple[Group, ...]:
    """Join each state that is too few with the one before it, from the last one on."""
    least = np.array([SMALLEST, LEAST, LEAST])
    groups: list[list[str]] = []
    sizes: list[np.ndarray] = []
    for state, size in zip(counts.index[::-1], _sizes(counts)[::-1], strict=True):
        if groups and (sizes[-1] < least).any():
            groups[-1], sizes[-1] = [state, *groups[-1]], sizes[-1] + size
        else:
            groups.append([state])
            sizes.append(size)
    if len(groups) > 1 and (sizes[-1] < least).any():  # the reference is too few, too
        groups[-2:] = [groups[-1] + groups[-2]]
    return tuple(tuple(group) for group in groups[::-1])


def _sizes(counts: pd.DataFrame) -> np.ndarray:
    return counts[["customers", "events", "others"]].to_numpy()


def _together(factor: Factor, groups: tuple[Group, ...], counts: pd.DataFrame) -> list[str]:
    """Say which states that occur were put together, or that the factor tells nobody apart."""
    met = set(counts.index[counts["n"] > 0])
    if len(groups) == 1:
        return [f"{factor.label} is left out: all but a few customers are in one state of it."]
    return [
        f"{factor.label}: {', '.join(repr(state) for state in group)} are counted together, as one "
        "alone has too few customers, or only one outcome."
        for group in ([state for state in each if state in met] for each in groups)
        if len(group) > 1
    ]


def _independent(
    frame: pd.DataFrame, factors: tuple[Factor, ...], levels: Mapping[str, tuple[Group, ...]]
) -> tuple[tuple[Factor, ...], dict[str, tuple[Group, ...]], list[str]]:
    """Count a state that follows from the columns before it with the reference of its factor."""
    left, said = {name: list(groups) for name, groups in levels.items()}, []
    matrix = Design(factors=factors, levels=levels, met={}, left_out=()).matrix(frame)
    patterns = matrix.drop_duplicates().to_numpy()
    kept = np.full((len(patterns), 1), len(patterns) ** -0.5)  # the baseline is as a constant
    pairs = [(factor, group) for factor in factors for group in levels[factor.name][1:]]
    for (factor, group), values in zip(pairs, patterns.T, strict=True):
        rest = values - kept @ (values @ kept)  # what those before do not tell
        if rest @ rest > 1e-8 * len(values):
            kept = np.column_stack([kept, rest / np.sqrt(rest @ rest)])
            continue
        groups = left[factor.name]
        groups.remove(group)
        said.append(
            f"{factor.label}: {words(group)!r} follows from the other factors, so it is counted "
            f"with {words(groups[0])!r}."
        )
        groups[0] = groups[0] + group
    told = tuple(factor for factor in factors if len(left[factor.name]) > 1)
    return told, {factor.name: tuple(left[factor.name]) for factor in told}, said
