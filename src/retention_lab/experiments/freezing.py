"""Plans that are frozen before they begin: what they said then, and what has changed since.

The ledger `plans` has a row for each version of a plan: its digest, the day and all it says. A
version is never taken back; another one joins it, with the reason.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
from pydantic import ValidationError

from retention_lab.checks import BadData, BadParameter
from retention_lab.experiments.plan import Plan, digest
from retention_lab.state import Ledger, State
from retention_lab.tables.factor import one_line
from retention_lab.tables.settings import first_problem

COLUMNS = ("field", "frozen", "now", "changed_on")
_APART = (
    "Unless that is meant, let each of the plans name the others in `exclusive_with`, and freeze "
    "that with --amend."
)

Fields = Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Version:
    """A plan as it was frozen on a day; the first version has no reason."""

    plan: Plan
    digest: str
    frozen_on: dt.date
    reason: str | None


@dataclass(frozen=True, kw_only=True)
class Frozen:
    """All versions of a plan, oldest first. Where more is said of "the" plan, the last one counts.

    `added` says whether the last one has just been written.
    """

    versions: tuple[Version, ...]
    added: bool = False

    @property
    def first(self) -> Version:
        """The plan before it began, to which deviations are told."""
        return self.versions[0]

    @property
    def last(self) -> Version:
        """The version that counts."""
        return self.versions[-1]

    @property
    def plan(self) -> Plan:
        """The plan that counts."""
        return self.last.plan

    @property
    def digest(self) -> str:
        """Digest of the plan that counts."""
        return self.last.digest

    @property
    def frozen_on(self) -> dt.date:
        """The day of the version that counts."""
        return self.last.frozen_on


def ledger(state: State) -> Ledger:
    """Open the ledger of plans: a row per version of each."""
    return state.ledger("plans", key=("experiment", "version"))


def freeze(plan: Plan, *, state: State, as_of: dt.date, amend: str | None = None) -> Frozen:
    """Write what a plan says to the ledger; what is there already is not written again.

    Parameters
    ----------
    as_of
        The day on which it is frozen.
    amend
        Why it says something else than the version before.

    Raises
    ------
    BadParameter
        If the plan says something else than before and no reason is given, there is a reason but
        nothing to amend, its first day has passed, or another experiment has its salt.
    BadData
        If the ledger is damaged or of another version.
    """
    rows = list(ledger(state).rows())
    before = _versions(rows, plan.name)
    if before and before[-1].digest == digest(plan):
        return Frozen(versions=before)
    reason = _reason(plan, before, as_of, amend)
    _refuse_salt(plan, rows)
    row = {
        "experiment": plan.name,
        "version": len(before) + 1,
        "digest": digest(plan),
        "frozen_on": str(as_of),
        "reason": reason,
        "salt": plan.salt,
        "plan": plan.model_dump(mode="json"),
    }
    if not ledger(state).append([row]):  # somebody else was quicker: look again
        return freeze(plan, state=state, as_of=as_of, amend=amend)
    return Frozen(versions=(*before, _version(row)), added=True)


def frozen(state: State, name: str) -> Frozen | None:
    """Find what was frozen under a name; None where nothing was.

    Raises
    ------
    BadData
        If the ledger is damaged or of another version.
    """
    versions = _versions(ledger(state).rows(), name)
    return Frozen(versions=versions) if versions else None


def deviations(plan: Plan, frozen: Frozen) -> pd.DataFrame:
    """Say field by field where a plan differs from what was frozen first, or once did.

    Returns
    -------
    DataFrame
        `field` (such as `arms.check-in.share`), what it said when it was `frozen` first and says
        `now` (as text; missing where the field was not there), and `changed_on`: the day of the
        version since which it says so; missing where no frozen version does.
    """
    told = [_fields(version.plan) for version in frozen.versions]
    now = _fields(plan)
    rows = []
    for field in dict.fromkeys(name for said in (*told, now) for name in said):
        values = [said.get(field) for said in told]
        if {*values, now.get(field)} != {values[0]}:
            day = _since(values, now.get(field), frozen.versions)
            rows.append((field, values[0], now.get(field), day))
    return pd.DataFrame(rows, columns=list(COLUMNS), dtype="object")


def overlapping(plan: Plan, state: State) -> tuple[str, ...]:
    """Say which other frozen plans may enrol the same customers on the same days, and what to do.

    They have the same milestone or a channel in common, and not each is in the other's
    `exclusive_with`: whichever does not name the other takes its customers. The last version of
    each counts. Nothing is said where there is none.

    Raises
    ------
    BadData
        If the ledger is damaged or of another version.
    """
    rows = {row["experiment"]: row for row in ledger(state).rows()}  # the last one stays
    others = [_version(row).plan for name, row in rows.items() if name != plan.name]
    meets = [*filter(None, (_overlap(plan, other) for other in others))]
    return (*meets, _APART) if meets else ()


def _overlap(plan: Plan, other: Plan) -> str:
    """Say how two plans meet; nothing where they do not, or know of each other."""
    begin, end = max(plan.starts, other.starts), min(plan.ends, other.ends)
    apart = plan.name in other.exclusive_with and other.name in plan.exclusive_with
    channels = sorted({*plan.channels} & {*other.channels})
    alike = [f"the milestone ({plan.milestone})"] * (plan.milestone == other.milestone)
    alike += [f"the channel ({', '.join(channels)})"] * bool(channels)
    if apart or begin > end or not alike:
        return ""
    return (
        f"{other.name} enrols from {begin} to {end}, too, and shares {' and '.join(alike)}: a "
        "customer may be in both tests."
    )


def _since(
    values: Sequence[str | None], now: str | None, versions: Sequence[Version]
) -> dt.date | None:
    """Find the day from which on all versions say what is said now."""
    day = None
    for value, version in zip(reversed(values), reversed(versions), strict=True):
        if value != now:
            break
        day = version.frozen_on
    return day


def _reason(plan: Plan, before: Sequence[Version], as_of: dt.date, amend: str | None) -> str | None:
    """Return the reason of a new version; refuses a version that may not be."""
    if before:
        if amend is None:
            raise BadParameter(
                f"{plan.name} was frozen on {before[-1].frozen_on} and says something else now: "
                f"{_differences(plan, before[-1])}. Give a reason (--amend) to freeze this, too; "
                "every read-out will tell. Another test takes another name."
            )
        try:
            return one_line(amend, longest=300)
        except ValueError as error:
            raise BadParameter(f"The reason of --amend {error}.") from error
    if amend is not None:
        raise BadParameter(
            f"No plan was frozen as {plan.name}, so there is nothing to amend: leave --amend out, "
            "or mend the name."
        )
    if as_of > plan.starts:
        raise BadParameter(
            f"{plan.name} starts on {plan.starts} and would be frozen on {as_of}: a plan is frozen "
            "before its test begins. Set starts and ends to days to come."
        )
    return None


def _differences(plan: Plan, version: Version) -> str:
    was, now = _fields(version.plan), _fields(plan)
    names = [name for name in dict.fromkeys((*was, *now)) if was.get(name) != now.get(name)]
    return "; ".join(
        f"{name} was {was.get(name, 'not there')}, is {now.get(name, 'not there')}"
        for name in names
    )


def _refuse_salt(plan: Plan, rows: Sequence[Mapping[str, Any]]) -> None:
    """Refuse the salt of another experiment: its customers would get the same places again."""
    other = next(
        (row for row in rows if row["salt"] == plan.salt and row["experiment"] != plan.name), None
    )
    if other is not None:
        raise BadParameter(
            f"The salt {plan.salt!r} is that of {other['experiment']}, frozen on "
            f"{other['frozen_on']}: the same customers would get the same places. From its plan "
            f"this differs in: {_differences(plan, _version(other))}. Take another salt; without "
            "one it is the name."
        )


def _versions(
    rows: Iterator[Mapping[str, Any]] | Sequence[Mapping[str, Any]], name: str
) -> tuple[Version, ...]:
    return tuple(_version(row) for row in rows if row["experiment"] == name)


def _version(row: Mapping[str, Any]) -> Version:
    try:
        plan = Plan.model_validate(row["plan"])
    except ValidationError as error:
        raise BadData(
            f"The plan {row['experiment']}, frozen on {row['frozen_on']}, cannot be read: "
            f"{first_problem(error, model=Plan)} It was frozen by another version of retention-lab "
            "than this: take that one."
        ) from error
    return Version(
        plan=plan,
        digest=row["digest"],
        frozen_on=dt.date.fromisoformat(row["frozen_on"]),
        reason=row["reason"],
    )


def _fields(plan: Plan) -> Fields:
    """Write all that a plan says as text by field; arms and guardrails by their own names."""
    return dict(_leaves("", plan.model_dump(mode="json")))


def _leaves(place: str, value: object) -> Iterator[tuple[str, str]]:
    match value:
        case dict():
            for key, each in value.items():
                yield from _leaves(f"{place}.{key}".lstrip("."), each)
        case list() if value and isinstance(value[0], dict):
            named = {each.pop("name", None) or each.pop("metric"): each for each in value}
            yield place, ", ".join(named)
            yield from _leaves(place, named)
        case list():
            yield place, ", ".join(map(str, value)) or "none"
        case None:
            yield place, "none"
        case _:
            yield place, str(value)
