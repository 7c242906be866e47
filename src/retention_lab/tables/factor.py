"""Factors of a playbook: what may go with staying, each a column of states in words."""

from __future__ import annotations

import re
from functools import partial
from itertools import pairwise
from typing import Annotated

from pydantic import BeforeValidator, Field, ValidationError, field_validator

from retention_lab import checks
from retention_lab.tables.location import Strict
from retention_lab.tables.settings import first_problem

LONGEST = 60  # characters of a label or an owner

# Columns that stand beside the factors in the tables made of them.
_TAKEN = frozenset(
    (
        *("customer_id", "spell", "landmark", "start", "stop", "day", "since", "age", "cohort"),
        *("zero_at", "until_at", "weight", "events", "censored", "event_observed", "cause"),
        *("probability", "low", "high", "survival", "std_error", "stratum"),
        *("pattern", "goes_with", "play", "play_name"),
    )
)


def one_line(words: object, *, longest: int) -> str:
    """Return words on one line; raises ValueError where they are too many or cannot be shown."""
    line = "" if isinstance(words, list | dict) else " ".join(str(words).split())
    if not 0 < len(line) <= longest or not line.isprintable():
        raise ValueError(f"must be 1 to {longest} characters of plain text, got {words!r}")
    return line


def _identifier(name: object) -> str:
    if not isinstance(name, str) or not re.fullmatch("[a-z][a-z0-9_]{0,59}", name):
        raise ValueError(f"must be small letters, digits and _, such as onboarding, got {name!r}")
    return name


def rising(values: tuple[int, ...]) -> tuple[int, ...]:
    """Return bounds of states, or raise ValueError where they do not rise."""
    if not values or values[0] < 1 or any(b <= a for a, b in pairwise(values)):
        raise ValueError(f"must be whole numbers from 1 on, each above the last, got {[*values]}")
    return values


Line = Annotated[str, BeforeValidator(partial(one_line, longest=LONGEST))]
Name = Annotated[str, BeforeValidator(_identifier)]


class _Named(Strict):
    """A factor: what may go with staying; `name` is its column, `label` its words.

    `states` are the words of its column, the reference first; empty where the data tell them.
    """

    name: Name
    label: Line

    @field_validator("name")
    @classmethod
    def _is_free(cls, name: str) -> str:
        if name in _TAKEN:
            raise ValueError(f"{name!r} is a name of the tables' own; take another")
        return name

    @property
    def states(self) -> tuple[str, ...]:
        """What the column may say."""
        return ()


class Milestone(_Named):
    """Whether an event of that name has come."""

    event: str

    @property
    def states(self) -> tuple[str, ...]:
        """What the column may say."""
        return ("not yet", "reached")


class Support(_Named):
    """How the latest ticket fared; `hours` from its opening are a quick answer."""

    hours: Annotated[int, Field(ge=1)] = 24

    @property
    def states(self) -> tuple[str, ...]:
        """What the column may say."""
        return ("no ticket", "waiting", f"answered within {self.hours} h", "answered later")


class Purchases(_Named):
    """On how many of the last `within` days something was bought; each of `cuts` begins a state."""

    within: Annotated[int, Field(ge=1)] = 90
    cuts: tuple[int, ...] = (1, 2)

    @field_validator("cuts")
    @classmethod
    def _rise(cls, cuts: tuple[int, ...]) -> tuple[int, ...]:
        return rising(cuts)

    @property
    def states(self) -> tuple[str, ...]:
        """What the column may say."""
        steps = zip((0, *self.cuts), self.cuts, strict=False)
        return (*(_range(low, high - 1) for low, high in steps), f"{self.cuts[-1]} or more")


class _Days(_Named):
    days: tuple[int, ...]

    @field_validator("days")
    @classmethod
    def _rise(cls, days: tuple[int, ...]) -> tuple[int, ...]:
        return rising(days)

    @property
    def states(self) -> tuple[str, ...]:
        """What the column may say."""
        lows = (0, *(day + 1 for day in self.days))
        steps = zip(lows, self.days, strict=False)
        return (*(_range(low, high) for low, high in steps), f"over {self.days[-1]}")


class Recency(_Days):
    """Days since the last purchase; each of `days` ends a state."""

    days: tuple[int, ...] = (30, 90, 180)


class Tenure(_Days):
    """Days since time zero; each of `days` ends a state."""

    days: tuple[int, ...] = (30, 90, 180, 365)


class Attribute(_Named):
    """An attribute of customers, in the `column` that the source file gives it."""

    column: str


def _range(low: int, high: int) -> str:
    return f"{low}" if low == high else f"{low}-{high}"


Factor = Milestone | Support | Purchases | Recency | Tenure | Attribute

_KINDS: dict[str, type[Factor]] = {
    kind.__name__.lower(): kind
    for kind in (Milestone, Support, Purchases, Recency, Tenure, Attribute)
}


def by_kind(value: object) -> object:
    """Read a factor by its `kind`, so that what is refused is told of that kind alone."""
    if isinstance(value, Factor):
        return value
    if not isinstance(value, dict):
        raise ValueError(f"give a mapping such as {{kind: support, ...}}, got {value!r}")
    named = str(value.get("kind", ""))
    checks.known("a factor", "kind", [named], _KINDS)
    kind = _KINDS[named]
    try:
        return kind.model_validate({name: each for name, each in value.items() if name != "kind"})
    except ValidationError as error:
        problem = first_problem(error, model=kind)
        raise ValueError(f"{problem} It may have: {', '.join(kind.model_fields)}") from error
