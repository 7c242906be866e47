"""A plan that is tried out before it is frozen: the same one, but for a few of its numbers."""

from __future__ import annotations

import datetime as dt
from typing import Any, TypedDict, Unpack

import yaml
from pydantic import ValidationError

from retention_lab.checks import BadParameter
from retention_lab.experiments.plan import Plan
from retention_lab.tables.settings import first_problem

Fields = dict[str, Any]

_PARTS = {  # of a plan, in which a change has its own name
    "smallest_effect": "primary",
    **dict.fromkeys(("contact_rate", "onset_days", "baseline"), "assumptions"),
}


class Changes(TypedDict, total=False):
    """What may be said otherwise; what is not named stays as the plan has it.

    `days` are those of enrolment, from the day it `starts` (ISO date). Another `endpoint_day` drops
    what is said of the old one: the endpoint's own words, and the baseline. `control` is the share
    of customers in control; the other arms keep their proportions. `looks` are so many, evenly
    spaced, with the plan's spending. `name` brings its salt, unless the plan has a salt of its own.
    All else is as in `Plan`.
    """

    name: str
    owner: str
    starts: str
    days: int
    smallest_effect: float
    control: float
    looks: int
    endpoint_day: int
    contact_rate: float
    onset_days: float
    baseline: float


def drafted(plan: Plan, **changes: Unpack[Changes]) -> Plan:
    """Change a plan; without changes it is the same.

    Raises
    ------
    BadParameter
        If there is no such plan.
    """
    said = plan.model_dump(mode="json", exclude_unset=True)
    if said["salt"] == plan.name:
        del said["salt"]
    if "endpoint_day" in changes:
        said["endpoint"] = {"kind": plan.endpoint.kind, "day": changes["endpoint_day"]}
        said["assumptions"].pop("baseline", None)
    for key, value in changes.items():
        if key in _PARTS:
            said[_PARTS[key]][key] = value
    said |= {key: value for key, value in changes.items() if key in ("name", "owner")}
    said |= _dated(changes.get("starts", str(plan.starts)), changes.get("days", plan.days))
    _allocate(said["arms"], changes.get("control", plan.arms[0].share))
    _space(said, changes.get("looks"))
    try:
        return Plan.model_validate(said)
    except ValidationError as error:
        raise BadParameter(f"The plan cannot be so: {first_problem(error, model=Plan)}") from error


def text(plan: Plan) -> str:
    """Write a plan as the YAML of its file."""
    said = plan.model_dump(mode="json", exclude_unset=True)
    if plan.salt == plan.name:  # which it is where the file says none
        del said["salt"]
    return yaml.safe_dump(said, sort_keys=False, allow_unicode=True)


def _dated(starts: str, days: int) -> Fields:
    try:
        ends = dt.date.fromisoformat(starts) + dt.timedelta(days=days - 1)
    except ValueError as error:
        raise BadParameter(
            f"The first day must be a date such as 2027-01-11, got {starts!r}."
        ) from error
    return {"starts": starts, "ends": str(ends)}


def _allocate(arms: list[Fields], control: float) -> None:
    was, arms[0]["share"] = arms[0]["share"], control
    for arm in arms[1:] if control != was else ():
        arm["share"] = round(arm["share"] * (1 - control) / (1 - was), 9)


def _space(said: Fields, looks: int | None) -> None:
    if looks == 1:
        said.pop("looks", None)
    elif looks is not None:
        was = said.get("looks") or {}
        spends = {key: was[key] for key in ("spending", "futility") if key in was}
        said["looks"] = {"information": [round(n / looks, 4) for n in range(1, looks + 1)]} | spends
