"""What an export leaves open, as questions: each with the safe answer, if there is one.

Safe is an answer by which no number can be wrong without being seen. `03/04/2025` has none.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import ibis.expr.types as ir

from retention_lab import checks
from retention_lab.tables.drafts import profiling, roles
from retention_lab.tables.drafts.sniffing import Layout


@dataclass(frozen=True, kw_only=True)
class Question:
    """Something that only a person knows.

    `choices` are answers with what they mean; none of them where any text may be the answer.
    `option` is how to answer on the command line, `ANSWER` standing for the answer. `taken` says
    what the safe answer means, `fits` whether a free answer will do.
    """

    text: str
    choices: Mapping[str, str] = field(default_factory=dict)
    safe: str | None = None
    taken: str = ""
    fits: Callable[[str], bool] = bool
    option: str


@dataclass(frozen=True, kw_only=True)
class Talk:
    """What a person has said beforehand, and the way to ask for and to tell the rest.

    `columns` are raw columns by role. `tell` gets each reading that was taken, as a sentence.
    """

    columns: Mapping[str, str]
    dates: str | None
    number: str | None
    currency: str | None
    time_zone: str | None
    amounts: str | None
    ask: Callable[[Question], str]
    tell: Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class Group:
    """Files of one table."""

    layouts: Sequence[Layout]

    @property
    def tables(self) -> list[ir.Table]:
        """The rows of each file."""
        return [layout.table for layout in self.layouts]

    @property
    def name(self) -> str:
        """The files' names, as messages tell them."""
        return ", ".join(layout.name for layout in self.layouts)

    @property
    def columns(self) -> list[str]:
        """The columns that all files have."""
        first, *others = self.layouts
        return [name for name in first.columns if all(name in one.columns for one in others)]

    def named(self, role: str) -> list[str]:
        """List the columns that all files have and that may play a role, the surest first."""
        found = (name for layout in self.layouts for name in roles.named(layout, role))
        return [name for name in dict.fromkeys(found) if name in self.columns]

    def cells(self, name: str) -> list[str]:
        """Give the cells of a column in head and tail of the files where it is text."""
        texts = (one.cells[name] for one in self.layouts if one.is_text(name))
        return [cell for cells in texts for cell in cells]

    def shown(self, name: str) -> list[str]:
        """Give the cells of a column in head and tail of the files, as they are shown."""
        return [cell for layout in self.layouts for cell in layout.cells[name]]


def pick(group: Group, role: str, *, talk: Talk) -> str | None:
    """Return the column of a role: the one that was said, or the surest by its name."""
    said = talk.columns.get(role)
    if said is not None:
        return said if said in group.columns else None
    found = group.named(role)
    if len(found) > 1:
        others = ", ".join(found[1:])
        talk.tell(f"{role} is the column {found[0]!r}, not {others}.")
    return next(iter(found), None)


def needed(group: Group, role: str, what: str, *, talk: Talk) -> str:
    """Return the column of a role that there must be.

    Raises
    ------
    BadData
        When there is none, with the columns that there are.
    """
    found = pick(group, role, talk=talk)
    if found is None:
        raise checks.BadData(
            f"{group.name} has no column that looks like {what}. Its columns: "
            f'{", ".join(group.columns)}. Name one with --column {role}="...".'
        )
    return found


def time_column(group: Group, role: str, *, talk: Talk) -> str:
    """Return the column of a time: by its name, or the only one that holds times."""
    found = pick(group, role, talk=talk)
    times = [name for name in group.columns if group.layouts[0].kinds[name] == "time"]
    if found is not None or not times:
        return found or needed(group, role, "a date", talk=talk)
    if len(times) == 1:
        talk.tell(f"{role} is the column {times[0]!r}, the only one with dates.")
        return times[0]
    question = Question(
        text=f"Which column of {group.name} says when ({role})?",
        choices=dict.fromkeys(times, ""),
        option=f'--column {role}="ANSWER"',
    )
    return talk.ask(question)


def customer(group: Group, *, talk: Talk) -> str:
    """Return the column that tells customers apart: an id before an e-mail before a name."""
    if "customer_id" in talk.columns:
        return needed(group, "customer_id", "a customer", talk=talk)
    ids, mails = group.named("customer_id"), group.named("email")
    speak = [c for c in group.columns if roles.speaks_of_customers(group.layouts[0], c)]
    kin = [name for name in speak if name not in ids]
    found = [*ids, *kin, *mails] or group.named("customer_name")
    if not found:
        return needed(group, "customer_id", "a customer", talk=talk)
    first, *rest = found
    others = [one for one in rest if not profiling.one_to_one(group.tables, first, one)]
    if rest and not others:
        talk.tell(f"Customers are told apart by {first!r}; {', '.join(rest)} says the same.")
    elif first in kin and not rest:
        talk.tell(f"Customers are told apart by {first!r}, the only column that speaks of them.")
    if first in mails:
        talk.tell("Customers are told apart by e-mail: who uses two addresses counts as two.")
    if not others and first not in group.named("customer_name"):
        return first
    return talk.ask(_who(group, [first, *others], clear=len(ids or kin) == 1))


def _who(group: Group, found: Sequence[str], *, clear: bool) -> Question:
    first, *others = found
    return Question(
        text=f"Which column of {group.name} tells customers apart? They do not agree row by row."
        if others
        else f"Is one {first!r} one customer? There is no better column.",
        choices={
            name: f"such as {', '.join(list(dict.fromkeys(group.shown(name)))[:3])}"
            for name in found
        },
        safe=first if clear and others else None,
        taken=f"Customers are told apart by {first!r}, not by {', '.join(others)}; they do not "
        "agree row by row.",
        option='--column customer_id="ANSWER"',
    )
