"""The parts of a plan: arms, the endpoint, the test that decides, its looks, what is assumed."""

from __future__ import annotations

import re
from functools import partial
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, ValidationError, model_validator

from retention_lab.experiments.design.normal import Errors
from retention_lab.inference.sequential.recursion import rising as rising_fractions
from retention_lab.inference.sequential.spending import Family, Spending
from retention_lab.tables.factor import Line, Name, one_line, rising
from retention_lab.tables.location import Strict
from retention_lab.tables.settings import first_problem

_ORDINALS = ("first", "second", "third", "fourth", "fifth")


def _file_part(name: object) -> str:
    """Return the name of an arm, which is part of the name of its list's file."""
    if not isinstance(name, str) or not re.fullmatch("[a-z0-9][a-z0-9_-]{0,39}", name):
        raise ValueError(f"must be small letters, digits, _ and -, such as check-in, got {name!r}")
    return name


Sentence = Annotated[str, BeforeValidator(partial(one_line, longest=300))]
ArmName = Annotated[str, BeforeValidator(_file_part)]
Share = Annotated[float, Field(gt=0, le=1)]
Amount = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class Derived(Strict):
    """A milestone that orders tell: exactly one of the two.

    `silent_days` are over that many times 24 hours after the last purchase, if no other came by
    then; `purchase` is the n-th local day with a purchase, at its first order.
    """

    silent_days: Annotated[int, Field(ge=1, le=730)] | None = None
    purchase: Annotated[int, Field(ge=1, le=100)] | None = None

    @model_validator(mode="after")
    def _is_one(self) -> Derived:
        if (self.silent_days is None) == (self.purchase is None):
            raise ValueError("give one of the two, or the name of an event")
        return self

    def __str__(self) -> str:
        """Name it for a sentence."""
        if self.silent_days is not None:
            return f"{self.silent_days} days of silence"
        number = self.purchase or 1
        if number <= len(_ORDINALS):
            return f"the {_ORDINALS[number - 1]} purchase"
        return f"purchase number {number}"


def _told_or_derived(value: object) -> object:
    """Read a mapping as what is derived, so that what is refused is told of that alone."""
    if isinstance(value, list):
        raise ValueError(
            f"must be an event, or {{silent_days: 60}}, or {{purchase: 1}}, got {value!r}"
        )
    if not isinstance(value, dict):
        return value
    try:
        return Derived.model_validate(value)
    except ValidationError as error:
        problem = first_problem(error, model=Derived)
        raise ValueError(f"{problem} It may have `silent_days` or `purchase`") from error


Milestone = Annotated[
    Derived | Line, Field(union_mode="left_to_right"), BeforeValidator(_told_or_derived)
]


class Arm(Strict):
    """A group of customers, its share of them, and what they are sent; nothing where that is None.

    `message` is a name that the sending tool knows, not its text. `channel` is that of the message
    where it is not the plan's.
    """

    name: ArmName
    share: Annotated[float, Field(ge=0.001, lt=1)]  # a hash draws ten thousandths, not less
    message: Line | None = None
    channel: Line | None = None

    @model_validator(mode="after")
    def _sends_by_it(self) -> Arm:
        if self.channel is not None and self.message is None:
            raise ValueError(f"an arm without a message has no channel, got {self.channel!r}")
        return self


class Named(Strict):
    """What an endpoint is called where the usual words would not be true.

    `who` are in the test, such as players; `did` is what those of them did who count, such as
    `played on day 7`; `events` bring or end it, such as arrests.
    """

    who: Line = "customers"
    did: Line
    events: Line


class Endpoint(Strict):
    """What counts by `day` days after the milestone: not cancelled, or bought again."""

    kind: Literal["retained", "returned"]
    day: Annotated[int, Field(ge=1, le=730)]
    words: Named | None = None


class Primary(Strict):
    """The one test that decides, how often it may err, and the least gain worth acting on.

    `smallest_effect` is a difference of shares at the endpoint's day, for a log-rank test, too.
    """

    test: Literal["retention", "log-rank"] = "retention"
    alpha: float = 0.05
    sides: Literal[1, 2] = 2
    power: float = 0.80
    smallest_effect: Annotated[float, Field(gt=0, lt=1)]

    @property
    def errors(self) -> Errors:
        """The same, as `experiments.design` takes it; raises BadParameter if it is impossible."""
        return Errors(alpha=self.alpha, power=self.power, sided=self.sides)

    @model_validator(mode="after")
    def _can_be(self) -> Primary:
        _ = self.errors
        return self


class Spends(Strict):
    """A spending function, as `inference.sequential.spending.Spending` explains it."""

    family: Family = "O'Brien-Fleming"
    parameter: float | None = None

    @property
    def function(self) -> Spending:
        """The function; raises BadParameter if its parameter does not fit."""
        return Spending(family=self.family, parameter=self.parameter)

    @model_validator(mode="after")
    def _can_be(self) -> Spends:
        _ = self.function
        return self


class Looks(Strict):
    """When the test is read: at shares of the `information` it will have, or on `days`.

    Days count from the first day of enrolment. `spending` says how much of alpha is spent by a
    look, `futility` how much of 1 - power; without it nothing stops for want of effect.
    """

    information: tuple[float, ...] | None = None
    days: tuple[int, ...] | None = None
    spending: Spends = Spends()
    futility: Spends | None = None

    @model_validator(mode="after")
    def _rise(self) -> Looks:
        if (self.information is None) == (self.days is None):
            raise ValueError("give either `information` or `days`")
        if self.days is not None:
            rising(self.days)
        else:
            _refuse_unfinished(self.information or ())
        return self


class Guardrail(Strict):
    """A figure that must not suffer: by `margin` of its own unit at most, which is borne."""

    metric: Name
    margin: Annotated[float, Field(gt=0, allow_inf_nan=False)]
    better: Literal["higher", "lower"]


class Assumptions(Strict):
    """What the size of the test rests on; the design page says how wrong each may be.

    `entry_per_day` counts customers of all arms, covered and with consent. `contact_rate` is the
    share of customers whom the message reaches: without it, what history tells of the channel is
    delivered, else all. `baseline` is the share of control that is retained, or has returned, at
    the endpoint's day. None leaves each of the three to the shop's own history.
    """

    entry_per_day: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None
    dropout_per_day: Amount = 0.0
    onset_days: Amount = 0.0
    contact_rate: Share | None = None
    baseline: Annotated[float, Field(gt=0, lt=1)] | None = None


def _refuse_unfinished(information: tuple[float, ...]) -> None:
    if abs(rising_fractions(information)[-1] - 1) > 1e-9:
        raise ValueError(f"information must end at 1, all that is planned, got {[*information]}")
