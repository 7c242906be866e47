"""The plan of a randomized test, written before anybody is enrolled: `plan.yml`, typed.

Control is the first of the arms. Effects are differences of shares for customers whom a message
reaches (0.03 is three points), and a gain is always positive: more are retained, or more return.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from itertools import pairwise
from pathlib import Path
from typing import Annotated

from pydantic import Field, ValidationError, field_validator, model_validator

from retention_lab.checks import BadParameter, known
from retention_lab.experiments.design.allocation import pair
from retention_lab.experiments.exposure import refuse_exposure
from retention_lab.experiments.terms import (
    Amount,
    Arm,
    Assumptions,
    Endpoint,
    Guardrail,
    Looks,
    Milestone,
    Primary,
    Sentence,
    Share,
)
from retention_lab.experiments.validity_words import CHECKS
from retention_lab.inference.sequential.bounds import Rule
from retention_lab.tables import source as sources
from retention_lab.tables.factor import Line, Name
from retention_lab.tables.location import Strict
from retention_lab.tables.settings import first_problem, read_yaml

_MOST_PLACES = 100  # of a block, as `blocks.blocked` draws them
_NAMES = (
    *("strata", "secondaries", "segments", "covariates"),
    *("exclusive_with", "accepted_checks"),
)
_LISTS = ("arms", "guardrails", "stop_rules", *_NAMES)


class Plan(Strict):
    """A test as it is meant, before it begins.

    Customers who reach the `milestone` (an event, some days of silence or a purchase) are enrolled
    within `window_hours` of it, from the day `starts` to the day `ends`, both included. `where` is
    an SQL condition on customers, or the name of a saved cohort. `channel` is that of arms that
    name no other; nobody enters without consent to those of all arms that send. `strata` are
    attributes of customers; with `blocks` (how many places each has) the arms are balanced within
    them, else a hash draws the arm. Nobody enters who is in one of `exclusive_with`, was assigned
    or sent anything in `rest_days`, or, where `holdout` says so, is in the global holdout.

    `accepted_checks` are names of checks of validity whose failure does not hide the effect.
    Customers who share a `cluster`, an attribute such as their household, count as depending on
    each other; the size of the test does not count that, and covariates are not allowed for then.
    `worth` is what one more customer retained or returned earns, margin and all; None leaves it to
    the shop's orders. Costs and `worth` are in whole units of the shop's currency.
    """

    name: Name
    salt: Line  # the name, unless the file says else
    title: Line
    owner: Line
    hypothesis: Sentence
    milestone: Milestone
    window_hours: Annotated[int, Field(ge=1, le=24 * 31)] = 48
    where: str = ""
    channel: Line
    arms: tuple[Arm, ...]
    coverage: Share = 1.0
    strata: tuple[Line, ...] = ()
    blocks: Annotated[int, Field(ge=2, le=_MOST_PLACES)] | None = None
    starts: dt.date
    ends: dt.date
    endpoint: Endpoint
    primary: Primary
    looks: Looks | None = None
    secondaries: tuple[Name, ...] = ()
    guardrails: tuple[Guardrail, ...] = ()
    segments: tuple[Line, ...] = ()
    covariates: tuple[Line, ...] = ()
    minimum_days: Annotated[int, Field(ge=1)] = 14
    stop_rules: tuple[Sentence, ...] = ()
    cost_per_message: Amount = 0.0
    margin: Share = 1.0
    assumptions: Assumptions
    exclusive_with: tuple[Name, ...] = ()
    rest_days: Annotated[int, Field(ge=0)] = 0
    holdout: bool = True
    accepted_checks: tuple[Line, ...] = ()
    cluster: Line | None = None
    worth: Amount | None = None

    @model_validator(mode="before")
    @classmethod
    def _salted(cls, fields: object) -> object:
        if not isinstance(fields, dict):
            return fields
        said = {key: value for key, value in fields.items() if value is not None}  # `owner:`
        return {"salt": said["name"], **said} if "name" in said else said

    @field_validator(*_LISTS, mode="before")
    @classmethod
    def _is_listed(cls, value: object) -> object:
        if not isinstance(value, list | tuple):
            raise ValueError(f"must be a list, with a - before each, got {value!r}")
        return value

    @field_validator("arms")
    @classmethod
    def _share_out(cls, arms: tuple[Arm, ...]) -> tuple[Arm, ...]:
        _refuse_twice("arms", [arm.name for arm in arms])
        pair(tuple(arm.share for arm in arms))
        return arms

    @field_validator(*_NAMES)
    @classmethod
    def _differ(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        _refuse_twice("the list", list(names))
        return names

    @field_validator("strata", "segments", "covariates")
    @classmethod
    def _are_known_before(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        for name in names:
            refuse_exposure(name)
        return names

    @field_validator("accepted_checks")
    @classmethod
    def _are_checks(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        known("The list", "check of validity", names, CHECKS)
        return names

    @model_validator(mode="after")
    def _fits_together(self) -> Plan:
        _refuse_twice("guardrails", [each.metric for each in self.guardrails])
        if self.name in self.exclusive_with:
            raise ValueError("exclusive_with names other experiments, got this one")
        if self.cluster and self.primary.test != "retention":
            raise ValueError(
                f"cluster needs the test `retention`, got `{self.primary.test}`, which takes every "
                "customer for a draw of its own"
            )
        if self.cluster and self.covariates:
            raise ValueError(
                f"covariates are not adjusted for where customers of one {self.cluster} depend on "
                "each other: take out either `cluster` or `covariates`"
            )
        self._fit_blocks()
        self._fit_days()
        self._fit_effect()
        _ = self.rule
        return self

    @property
    def weights(self) -> dict[str, float]:
        """Share of each arm, control first."""
        return {arm.name: arm.share for arm in self.arms}

    @property
    def channels(self) -> tuple[str, ...]:
        """Channels of the arms that send something; the plan's where none does."""
        used = [arm.channel or self.channel for arm in self.arms if arm.message is not None]
        return tuple(sorted(set(used))) or (self.channel,)

    @property
    def days(self) -> int:
        """Days of enrolment."""
        return (self.ends - self.starts).days + 1

    @property
    def rule(self) -> Rule:
        """What the test may spend at its looks; raises BadParameter if they do not fit its sides.

        One look at the end spends all of it then.
        """
        looks, one = self.looks or Looks(information=(1.0,)), self.primary
        return Rule(
            alpha=one.alpha,
            sides=one.sides,
            power=one.power,
            spending=looks.spending.function,
            futility=looks.futility.function if looks.futility else None,
        )

    def _fit_blocks(self) -> None:
        for arm in self.arms if self.blocks else ():
            places = arm.share * (self.blocks or 0)
            if round(places) < 1 or abs(places - round(places)) > 1e-4 * (self.blocks or 0):
                raise ValueError(
                    f"blocks must give each arm whole places, but a block of {self.blocks} gives "
                    f"{arm.name} {places:g}: take another length"
                )

    def _fit_days(self) -> None:
        if self.ends < self.starts:
            raise ValueError(f"ends must not be before starts ({self.starts}), got {self.ends}")
        last = self.days + self.endpoint.day
        named = {"minimum_days": self.minimum_days}
        if self.looks and self.looks.days:
            named["looks.days"] = self.looks.days[-1]
            if self.looks.days[0] < self.minimum_days:
                raise ValueError(
                    f"looks.days must not begin before minimum_days ({self.minimum_days}), got "
                    f"{self.looks.days[0]}"
                )
        for key, day in named.items():
            if day > last:
                raise ValueError(
                    f"{key} must be at most {last}, when all have been followed for "
                    f"{self.endpoint.day} days, got {day}"
                )

    def _fit_effect(self) -> None:
        assumed, effect = self.assumptions, self.primary.smallest_effect
        if assumed.onset_days >= self.endpoint.day:
            raise ValueError(
                f"assumptions.onset_days must be before day {self.endpoint.day} of the endpoint, "
                f"got {assumed.onset_days:g}"
            )
        if assumed.baseline is not None and assumed.baseline + effect >= 1:
            raise ValueError(
                f"primary.smallest_effect would take the baseline of {assumed.baseline:g} to "
                f"{assumed.baseline + effect:g}, and shares end at 1. Effects are differences: two "
                "points are 0.02"
            )


def _refuse_twice(what: str, names: list[str]) -> None:
    twice = next((a for a, b in pairwise(sorted(names)) if a == b), None)
    if twice is not None:
        raise ValueError(f"{what} must differ in name, got {twice!r} twice")


def load(path: str | Path) -> Plan:
    """Read and validate a plan; no data are needed.

    Raises
    ------
    BadParameter
        When the file is missing, is no YAML, or says what no plan says or what cannot be.
    """
    file = sources.find(path)
    try:
        return Plan.model_validate(read_yaml(file.read_text(encoding="utf-8"), file=file))
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise BadParameter(f"The plan {file} cannot be read: {why}.") from error
    except ValidationError as error:
        raise BadParameter(f"{file}: {first_problem(error, model=Plan)}") from error


def digest(plan: Plan) -> str:
    """SHA-256 of what a plan says; comments, the order of keys and spelt-out defaults are nothing.

    So a plan keeps its digest when a later version knows one more setting.
    """
    content = plan.model_dump(mode="json", exclude_defaults=True)
    if plan.assumptions.contact_rate == 1:  # which an earlier version took where none was said
        del content["assumptions"]["contact_rate"]
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
