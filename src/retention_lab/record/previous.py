"""The report before: what it printed, and what has changed since.

A result is compared with the printed one of the same period, else with the last one of its name.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import pandas as pd
from pydantic import BaseModel, ConfigDict, ValidationError

from retention_lab import checks
from retention_lab.inference.interval import Interval, minus
from retention_lab.record.ledger import BEFORE, Claim, Ledger, Unit
from retention_lab.tables import period as periods
from retention_lab.tables import source as sources
from retention_lab.tables.settings import first_problem

Kind = Literal["same", "restated", "definition", "moved", "new", "gone"]

_NUMBERS = ("then", "now", "change", "low", "high")
_COLUMNS = (
    *("name", "label", "about", "about_then", "unit", "currency", "kind", "printed", "text"),
    *_NUMBERS,
    *("marked", "version"),
)


class _Lenient(BaseModel):
    """What older reports lack is empty, and what newer ones have besides is ignored."""

    model_config = ConfigDict(frozen=True)


class Printed(_Lenient):
    """A result as a report printed it; see `Claim`."""

    name: str
    value: float
    low: float | None = None
    high: float | None = None
    unit: Unit
    n: int | None = None
    definition: str = ""
    about: str = ""
    label: str = ""
    currency: str = ""
    period: str = ""
    population: str = ""
    text: str = ""
    method_version: str = ""


class _Page(_Lenient):
    results: tuple[Printed, ...] = ()


class _Cut(_Lenient):
    name: str = ""


class _Report(_Lenient):
    as_of: dt.date
    snapshot: _Cut = _Cut()
    notebooks: Mapping[str, _Page]


@dataclass(frozen=True, kw_only=True)
class Previous:
    """What one notebook printed in the report before: its day, and its results by name.

    `snapshot` is the name of the folder that its tables lay in.
    """

    as_of: dt.date
    results: Mapping[str, Printed]
    snapshot: str = ""


def read(told: str, *, as_of: dt.date) -> Previous | None:
    """Read what a notebook printed from the results of an older report.

    Parameters
    ----------
    told
        File and notebook, as a runner tells it: ``reports/weekly/2026-11-22/results.json#10_name``.
    as_of
        The last day that the newer report knows.

    Returns
    -------
    Previous or None
        None where nothing was told, or the notebook was no part of that report.

    Raises
    ------
    BadParameter
        When the file cannot be read, holds no results, or is not older than `as_of`.
    """
    if not told:
        return None
    path, _, notebook = told.rpartition("#")
    file = sources.find(path)
    try:
        report = _Report.model_validate_json(file.read_bytes())
    except OSError as error:
        raise checks.BadParameter(
            f"The results of the report before, {file}, cannot be read: {error.strerror}."
        ) from error
    except ValidationError as error:
        raise checks.BadParameter(
            f"{file} holds no results of a report: {first_problem(error)}"
        ) from error
    if report.as_of >= as_of:
        raise checks.BadParameter(
            f"{file} is of {report.as_of}, so it is not older than a report as of {as_of}."
        )
    if notebook not in report.notebooks:
        return None
    results = {each.name: each for each in report.notebooks[notebook].results}
    return Previous(as_of=report.as_of, snapshot=report.snapshot.name, results=results)


def changes(ledger: Ledger, previous: Previous | None) -> pd.DataFrame:
    """Compare what was recorded with what the report before printed.

    Only a result of a period that shares no day with the printed one is judged: `low` and `high`
    are the interval of its change, as of two independent estimates, and it is `marked` when they
    leave out zero. Where periods share days the estimates are not independent, and what is printed
    does not say how far.

    Returns
    -------
    DataFrame
        One row per result: `name`, `label`, `about`, `about_then`, `unit`, `currency`; `kind`:
        "same" (printed alike), "restated" (same period, other value), "definition" (another
        definition, unit or currency), "moved" (another period), "new" or "gone"; the texts
        `printed` and `text` (now); the numbers `then`, `now`, `change`, `low` and `high`
        (``Float64``, missing where there is none); `marked`; and the `version` that computed the
        printed one.
    """
    printed = {} if previous is None else previous.results
    rows = [_row(claim, _counterpart(claim, printed)) for claim in ledger.claims()]
    rows += [_gone(each) for name, each in printed.items() if name not in ledger]
    frame = pd.DataFrame(rows, columns=list(_COLUMNS))
    return frame.astype({**dict.fromkeys(_NUMBERS, "Float64"), "marked": bool})


def _counterpart(claim: Claim, printed: Mapping[str, Printed]) -> Printed | None:
    """A month that was the newest when it was printed may be the month before it by now."""
    stem = claim.name.removesuffix(BEFORE)
    near = (printed[name] for name in (claim.name, stem, stem + BEFORE) if name in printed)
    return next((each for each in near if _same_period(claim, each)), printed.get(claim.name))


def _same_period(claim: Claim, printed: Printed) -> bool:
    """Without a period a result tells of all days so far, and those are more than they were."""
    if claim.period and printed.period:
        return claim.period == printed.period
    return bool(claim.period) and claim.about == printed.about


def _row(claim: Claim, then: Printed | None) -> dict[str, object]:
    row: dict[str, object] = {
        "name": claim.name,
        "label": claim.label or claim.name,
        "about": claim.about,
        "unit": claim.unit,
        "currency": claim.currency,
        "kind": "new",
        "text": claim.text,
        "now": claim.value,
        "marked": False,
        "version": "",
    }
    if then is None:
        return row
    kind = _kind(claim, then)
    row |= {"kind": kind, "about_then": then.about, "version": then.method_version}
    row |= {"printed": _text(claim, then), "then": then.value}
    return row if kind == "definition" else row | _difference(claim, then)


def _kind(claim: Claim, then: Printed) -> Kind:
    defined = then.definition or claim.definition, then.unit, then.currency
    if defined != (claim.definition, claim.unit, claim.currency):
        return "definition"
    same_period = _same_period(claim, then)
    alike = claim.written(then.value) == claim.written(claim.value)
    if (same_period or claim.about == then.about) and alike:
        return "same"
    return "restated" if same_period else "moved"


def _text(claim: Claim, then: Printed) -> str:
    return then.text or claim.written(then.value)


def _difference(claim: Claim, then: Printed) -> dict[str, object]:
    now, before = _interval(claim), _interval(then)
    if now is None or before is None or not _apart(claim.period, then.period):
        return {"change": claim.value - then.value}
    moved = minus(now, before)
    return {
        "change": moved.value,
        "low": moved.low,
        "high": moved.high,
        "marked": moved.low > 0 or moved.high < 0,
    }


def _interval(each: Claim | Printed) -> Interval | None:
    if each.low is None or each.high is None:
        return None
    return Interval(value=each.value, low=each.low, high=each.high)


def _apart(now: str, then: str) -> bool:
    if not now or not then:
        return False
    first, second = periods.parse(now), periods.parse(then)
    return first.last < second.first or second.last < first.first


def _gone(then: Printed) -> dict[str, object]:
    return {
        "name": then.name,
        "label": then.label or then.name,
        "about_then": then.about,
        "unit": then.unit,
        "currency": then.currency,
        "kind": "gone",
        "printed": then.text,
        "then": then.value,
        "marked": False,
        "version": then.method_version,
    }
