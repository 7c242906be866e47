"""Whether a test is read by the plan with which it began, as a sentence and as a table."""

from __future__ import annotations

import datetime as dt

import pandas as pd

from retention_lab.experiments.plan import digest
from retention_lab.experiments.readout import Readout
from retention_lab.experiments.testing import date_of
from retention_lab.record.small import splits
from retention_lab.wording.annotations import inert
from retention_lab.wording.phrases import Instead, counted, full_day, listed
from retention_lab.wording.sizes import spelt

_NEVER = "nothing"
_NONE_FROZEN = "The plan was not frozen here"


def deviating(seen: Readout) -> pd.DataFrame | Instead:
    """List what differs from the plan as it was frozen first.

    Where nothing does there is nothing here: the sentence beside the table says so.

    Returns
    -------
    DataFrame or Instead
        One row per field of the plan that says something else now, or once did, and per look that
        was late: what the plan said, what is so, and since when.
    """
    changed = [] if seen.deviations is None else seen.deviations.to_dict("records")
    rows = [
        (
            f"`{row['field']}`",
            _said(row["frozen"]),
            _said(row["now"]),
            "not frozen" if pd.isna(row["changed_on"]) else full_day(row["changed_on"]),
        )
        for row in changed
    ]
    rows += [
        (f"Look {number}", full_day(planned), full_day(on), full_day(on))
        for number, planned, on in _late(seen)
    ]
    if not rows:
        return Instead("")
    names = ["What", "In the frozen plan", "Now", "Changed on"]
    return pd.DataFrame(rows, columns=names).set_index("What")


def deviating_sentence(seen: Readout) -> str:
    """Say whether the plan is what it was, by what was frozen or else by the assignments."""
    return " ".join(filter(None, [_changed(seen), _lateness(seen), _other(seen)]))


def _changed(seen: Readout) -> str:
    if seen.frozen is None:
        return _by_digests(seen)
    day = full_day(seen.frozen.first.frozen_on)
    if seen.deviations is None or seen.deviations.empty:
        return f"The plan is what it was when it was frozen, on {day}."
    reasons = [inert(each.reason) for each in seen.frozen.versions if each.reason]
    number = len(seen.deviations)
    things = "One thing" if number == 1 else f"{spelt(number).capitalize()} things"
    why = f" The reason given: {'; '.join(reasons)}." if reasons else ""
    unsaid = seen.deviations["changed_on"].isna().any()
    never = " Not all of it was frozen, so no reason is on record for that." if unsaid else ""
    return (
        f"{things} in the plan {'has' if number == 1 else 'have'} changed since it was frozen, on "
        f"{day}.{why}{never}"
    )


def _by_digests(seen: Readout) -> str:
    """Say what the assignments tell of a plan that was never frozen here."""
    if not seen.digests:
        return f"{_NONE_FROZEN}, and nobody has been assigned by it."
    known = {key: count for key, count in seen.digests.items() if key}
    if not known:
        return (
            f"{_NONE_FROZEN}, and no assignment says by which plan it was made: nobody can tell "
            "whether it has changed since."
        )
    silent = " Not all assignments say so." if seen.digests.get("") else ""
    if [*known] == [digest(seen.plan)]:
        return f"{_NONE_FROZEN}, but it is what it was when customers were assigned.{silent}"
    return (
        f"{_NONE_FROZEN}, and it has changed since customers were assigned{_others(seen)}.{silent}"
    )


def _others(seen: Readout) -> str:
    """Say how many were assigned by another plan, unless that tells of a few."""
    by_now = {digest(seen.plan)}
    other = sum(count for key, count in seen.digests.items() if key and key not in by_now)
    total = sum(seen.digests.values())
    if splits(other, total) or other == total:
        return ""
    return f": {counted(other, 'customer')} of {total:,} by another plan than this"


def _other(seen: Readout) -> str:
    """Say so where customers were assigned by a plan that is none of those frozen."""
    if seen.frozen is None:
        return ""
    frozen = {version.digest for version in seen.frozen.versions}
    if {key for key in seen.digests if key} <= frozen:
        return ""
    return "Some customers were assigned by a plan that was never frozen."


def _late(seen: Readout) -> list[tuple[int, dt.date, dt.date]]:
    """Looks that were taken later than on the day of the plan: the how-manieth, planned, taken."""
    days = seen.plan.looks.days if seen.plan.looks else None
    if not days or not seen.looked or not seen.looked[0].look:
        return []
    planned = [date_of(seen.plan, day) for day in days]
    rows = []
    for row in seen.looked[0].raw.to_dict("records"):
        meant = max((day for day in planned if day <= row["on"]), default=row["on"])
        if meant < row["on"]:
            rows.append((int(row["look"]), meant, row["on"]))
    return rows


def _lateness(seen: Readout) -> str:
    late = _late(seen)
    if not late:
        return ""
    said = [
        f"look {number} was {counted((on - meant).days, 'day')} late" for number, meant, on in late
    ]
    return f"{listed(said).capitalize()}."


def _said(value: object) -> str:
    return _NEVER if value is None or pd.isna(value) else inert(str(value))  # type: ignore[call-overload]
