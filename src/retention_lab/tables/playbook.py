"""The playbook: the defaults of the trade, which a team replaces in `data/playbook.yml`.

What counts as churn, which factors are looked at, whom to contact and what to do, who is in which
segment, and what customers and messages are worth. The thresholds have the file's owner and review
date, every play, segment, target and tier its own. Where a project has no playbook, the one beside
this module is used.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Annotated

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)

from retention_lab import checks
from retention_lab.tables import source as sources
from retention_lab.tables.factor import (
    Attribute,
    Factor,
    Line,
    Milestone,
    Name,
    Purchases,
    Recency,
    Support,
    Tenure,
    by_kind,
    one_line,
    rising,
)
from retention_lab.tables.location import Strict
from retention_lab.tables.segment import Segment, Segments
from retention_lab.tables.settings import first_problem, read_yaml
from retention_lab.tables.worth import Rising, Target, Tier, Value, ladder

__all__ = [
    "Attribute",
    "Churn",
    "Factor",
    "Milestone",
    "Play",
    "Playbook",
    "Purchases",
    "Recency",
    "Rising",
    "Score",
    "Segment",
    "Segments",
    "Support",
    "Target",
    "Tenure",
    "Tier",
    "Value",
    "load",
]

OWN_FILE = "data/playbook.yml"
SHIPPED = Path(__file__).with_name("playbook.yml")

LONGEST_PLAY = 200  # characters of what a play says to do


def _texts(value: object) -> object:
    """Read a list of states; YAML takes the state 0 for a number."""
    if isinstance(value, str | int):
        raise ValueError(f"give a list such as [{value}], got {value!r}")
    return [str(one) for one in value] if isinstance(value, list) else value


class Churn(Strict):
    """What is asked: kept, or back, within `horizon` days; and the `factors` that may go with it.

    `lost_after` are the silent days after which a customer without a contract may be called lost.
    """

    horizon: Annotated[int, Field(ge=1, le=730)] = 90
    lost_after: tuple[int, ...] = (30, 60, 90)
    factors: tuple[Annotated[Factor, BeforeValidator(by_kind)], ...] = ()

    @field_validator("lost_after")
    @classmethod
    def _rise(cls, days: tuple[int, ...]) -> tuple[int, ...]:
        return rising(days)

    @field_validator("factors")
    @classmethod
    def _differ(cls, factors: tuple[Factor, ...]) -> tuple[Factor, ...]:
        _once("factor", [factor.name for factor in factors])
        return factors


class Play(Strict):
    """What to do for a customer whose every factor of `when` is in one of the states listed."""

    name: Name
    play: Annotated[str, BeforeValidator(partial(one_line, longest=LONGEST_PLAY))]
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


def _shipped(part: str) -> object:
    return read_yaml(SHIPPED.read_text(encoding="utf-8"), file=SHIPPED)[part]


class Playbook(Strict):
    """All of the file; the first of `plays` that fits a customer is the one suggested.

    Without `segments`, `targets` or `loyalty`, they are those that ship.
    """

    owner: Line
    review_by: dt.date
    churn: Churn = Churn()
    plays: Annotated[tuple[Play, ...], Field(min_length=1)]
    score: Score = Score()
    segments: Segments = Field(default_factory=partial(_shipped, "segments"), validate_default=True)
    value: Value = Value()
    rising: Rising = Rising()
    targets: tuple[Target, ...] = Field(
        default_factory=partial(_shipped, "targets"), validate_default=True
    )
    loyalty: Annotated[tuple[Tier, ...], AfterValidator(ladder)] = Field(
        default_factory=partial(_shipped, "loyalty"), validate_default=True
    )

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
                where, known = f"play {play.name!r} under {name}", factors[name].states or states
                checks.known(where, "state", states, known)
        return self

    @model_validator(mode="after")
    def _targets_name_cohorts(self) -> Playbook:
        names = [segment.name for segment in self.segments.cohorts]
        if "targets" in self.model_fields_set:  # those that ship are of the cohorts that ship
            checks.known("targets", "cohort", [target.cohort for target in self.targets], names)
        return self

    def listing(self, instead: Mapping[str, object]) -> Playbook:
        """Return the playbook with other settings of its list; None leaves one as it is.

        Raises
        ------
        BadParameter
            When a setting is not one that a list may have.
        """
        given = {name: value for name, value in instead.items() if value is not None}
        try:
            score = Score.model_validate(self.score.model_dump() | given)
        except ValidationError as error:
            raise checks.BadParameter(f"The list: {first_problem(error, model=Score)}") from error
        return self.model_copy(update={"score": score})


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
    file = place(path)
    try:
        return Playbook.model_validate(read_yaml(file.read_text(encoding="utf-8"), file=file))
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise checks.BadParameter(f"The playbook {file} cannot be read: {why}.") from error
    except ValidationError as error:
        raise checks.BadParameter(f"{file}: {first_problem(error, model=Playbook)}") from error


def place(path: str | Path = OWN_FILE) -> Path:
    """Return the file that `load` reads."""
    file = sources.find(path) if str(path) else SHIPPED
    return SHIPPED if str(path) == OWN_FILE and not file.exists() else file
