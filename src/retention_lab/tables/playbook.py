"""The playbook: the defaults of the trade, which a team replaces in `data/playbook.yml`.

What counts as churn, which factors are looked at, whom to contact and what to do. The thresholds
have the file's owner and review date, every play its own. Where a project has no playbook, the one
beside this module is used.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Annotated

from pydantic import BeforeValidator, Field, ValidationError, field_validator, model_validator

from retention_lab import checks
from retention_lab.tables import source as sources
from retention_lab.tables.location import Strict
from retention_lab.tables.settings import first_problem, read_yaml

OWN_FILE = "data/playbook.yml"
SHIPPED = Path(__file__).with_name("playbook.yml")

LONGEST = 60  # characters of a label or an owner
LONGEST_PLAY = 200  # characters of what a play says to do

# Columns that stand beside the factors in the tables made of them.
_TAKEN = frozenset(
    (
        *("customer_id", "spell", "landmark", "start", "stop", "day", "since", "age", "cohort"),
        *("zero_at", "until_at", "weight", "events", "censored", "event_observed", "cause"),
        *("probability", "low", "high", "survival", "std_error", "stratum"),
    )
)


def _one_line(words: str, *, longest: int) -> str:
    line = " ".join(words.split())
    if not 0 < len(line) <= longest or not line.isprintable():
        raise ValueError(f"must be 1 to {longest} characters of plain text, got {words!r}")
    return line


def _identifier(name: str) -> str:
    if not re.fullmatch("[a-z][a-z0-9_]{0,59}", name):
        raise ValueError(f"must be small letters, digits and _, such as onboarding, got {name!r}")
    return name


def _rising(values: tuple[int, ...]) -> tuple[int, ...]:
    if not values or values[0] < 1 or any(b <= a for a, b in pairwise(values)):
        raise ValueError(f"must be whole numbers from 1 on, each above the last, got {[*values]}")
    return values


def _texts(value: object) -> object:
    """Read a list of states; YAML takes the state 0 for a number."""
    if isinstance(value, str | int):
        raise ValueError(f"give a list such as [{value}], got {value!r}")
    return [str(one) for one in value] if isinstance(value, list) else value


Line = Annotated[str, BeforeValidator(lambda words: _one_line(str(words), longest=LONGEST))]
Name = Annotated[str, BeforeValidator(lambda name: _identifier(str(name)))]


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
        return _rising(cuts)

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
        return _rising(days)

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


def _factor(value: object) -> object:
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


class Churn(Strict):
    """What is asked: kept, or back, within `horizon` days; and the `factors` that may go with it.

    `lost_after` are the silent days after which a customer without a contract may be called lost.
    """

    horizon: Annotated[int, Field(ge=1, le=730)] = 90
    lost_after: tuple[int, ...] = (30, 60, 90)
    factors: tuple[Annotated[Factor, BeforeValidator(_factor)], ...] = ()

    @field_validator("lost_after")
    @classmethod
    def _rise(cls, days: tuple[int, ...]) -> tuple[int, ...]:
        return _rising(days)

    @field_validator("factors")
    @classmethod
    def _differ(cls, factors: tuple[Factor, ...]) -> tuple[Factor, ...]:
        _once("factor", [factor.name for factor in factors])
        return factors


class Play(Strict):
    """What to do for a customer whose every factor of `when` is in one of the states listed."""

    name: Name
    play: Annotated[str, BeforeValidator(lambda w: _one_line(str(w), longest=LONGEST_PLAY))]
    when: dict[str, Annotated[tuple[str, ...], BeforeValidator(_texts), Field(min_length=1)]] = (
        Field(default_factory=dict)
    )
    owner: Line
    review_by: dt.date


class Score(Strict):
    """Whom a list takes: the `capacity` customers at highest risk who consent to the `channel`.

    `hold_back` is the share of them who are not contacted, chosen at random.
    """

    channel: Line = "email"
    capacity: Annotated[int, Field(ge=1)] = 500
    hold_back: float = 0.10

    @field_validator("hold_back")
    @classmethod
    def _is_share(cls, hold_back: float) -> float:
        return checks.share("hold_back", hold_back)


class Playbook(Strict):
    """All of the file; the first of `plays` that fits a customer is the one suggested."""

    owner: Line
    review_by: dt.date
    churn: Churn = Churn()
    plays: Annotated[tuple[Play, ...], Field(min_length=1)]
    score: Score = Score()

    @model_validator(mode="after")
    def _plays_can_be_played(self) -> Playbook:
        _once("play", [play.name for play in self.plays])
        idle = next((play.name for play in self.plays[:-1] if not play.when), None)
        if idle is not None:
            raise ValueError(
                f"play {idle!r} has no `when`, so none after it is reached: put it last"
            )
        factors = {factor.name: factor for factor in self.churn.factors}
        for play in self.plays:
            checks.known(f"play {play.name!r}", "factor", play.when, factors)
            for name, states in play.when.items():
                checks.known(
                    f"play {play.name!r} under {name}",
                    "state",
                    states,
                    factors[name].states or states,
                )
        return self


def _once(kind: str, names: Sequence[str]) -> None:
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise ValueError(f"two {kind}s have the name {twice!r}")


def load(path: str | Path = OWN_FILE) -> Playbook:
    """Read and validate a playbook, looked for here and in the folders above.

    An empty `path`, or the usual one where there is no such file, gives the one that ships.

    Raises
    ------
    BadParameter
        When the file is missing, is no YAML, or says something that a playbook does not know.
    """
    file = sources.find(path) if str(path) else SHIPPED
    if str(path) == OWN_FILE and not file.exists():
        file = SHIPPED
    try:
        return Playbook.model_validate(read_yaml(file.read_text(encoding="utf-8"), file=file))
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise checks.BadParameter(f"The playbook {file} cannot be read: {why}.") from error
    except ValidationError as error:
        raise checks.BadParameter(f"{file}: {first_problem(error, model=Playbook)}") from error
