"""What a new version would change: old and new code on one snapshot, and each number that moves."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from retention_lab.reports import again, older
from retention_lab.reports.again import Published, Runner
from retention_lab.reports.ran import Failure
from retention_lab.reports.suite import Suite

Kind = Literal["moved", "new", "gone", "definition"]

COLUMNS = (
    *("notebook", "name", "label", "about", "number", "kind"),
    *("printed", "text", "old", "new", "change"),
)
_NUMBERS = ("value", "low", "high", "n")
_DEFINED = ("definition", "unit", "currency")
# Relative, and beside zero: sums of the same numbers in another order differ by less.
SAME, ZERO = 1e-9, 1e-12


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """What moves: a row per number (see `compare`), and what to know of the two sides.

    `failures` say why there is nothing to compare.
    """

    moved: pd.DataFrame
    notes: tuple[str, ...] = ()
    failures: tuple[Failure, ...] = ()

    @property
    def exit_code(self) -> int:
        """0 when no number moves, else 1, or that of what failed."""
        return max((each.exit_code for each in self.failures), default=int(not self.moved.empty))

    @property
    def sentences(self) -> list[str]:
        """All of it in words, a line each."""
        lines = [*self.notes, *(each.sentence for each in self.failures), *told(self.moved)]
        return lines if self.failures or not self.moved.empty else [*lines, "No number moves."]


def check_published(
    suite: Suite, *, report: Path, run: Runner, room: Path, history: Sequence[Path] = ()
) -> Comparison:
    """Run this code on the snapshot of a published report, and compare with what that printed.

    Parameters
    ----------
    suite
        A loaded suite without a matrix.
    report
        The folder of its report, such as reports/weekly/latest; only read.
    run
        Runs it with this code.
    room
        An empty folder for what comes of it.
    history
        Results of older reports of the suite, where those beside the report are gone.

    Raises
    ------
    BadParameter, BadData
        When no report lies there; or as a run does.
    """
    then = again.published(report)
    found = again.run_again(then, suite, run=run, room=room, history=history)
    return _compared(then, found.report, notes=found.notes, failures=found.failures)


def check_code(
    suite: Suite, *, old: Path, run: Runner, room: Path, as_of: dt.date | None = None
) -> Comparison:
    """Run older code and this code on the same source as of the same day, and compare.

    Parameters
    ----------
    suite
        A loaded suite without a matrix.
    old
        An environment in which an older version is installed, or a checkout of one.
    run
        Runs it with this code.
    room
        An empty folder for what comes of it.
    as_of
        The day; default the one that the suite chooses.

    Raises
    ------
    BadParameter, BadData
        When `old` is neither; or as a run does.
    Refusal
        When the older code does not come to its end.
    """
    code = older.code_of(old)
    ran = run(suite, as_of=as_of, out=room / "new", before=None, now=None)
    if ran.failures:
        return _compared(None, None, failures=ran.failures)
    new = again.published(room / "new" / suite.name / ran.as_of)
    then = older.run(suite, code=code, as_of=new.as_of, room=room)
    same = then.about["snapshot"]["sha256"] == new.about["snapshot"]["sha256"]
    note = "The old code makes another snapshot of the source, so numbers move for that, too."
    return _compared(then, new, notes=() if same else (note,))


def compare(old: Mapping[str, Any], new: Mapping[str, Any]) -> pd.DataFrame:
    """Compare the results of two reports, number by number.

    Parameters
    ----------
    old, new
        What their `results.json` hold.

    Returns
    -------
    DataFrame
        One row per number that moves, in the order of the pages: `notebook`, `name`, `label`,
        `about`; `number`: "value", "low", "high" or "n"; `kind`: "moved", "new" or "gone"; the
        texts `printed` (old) and `text` (new) of the result; the numbers `old`, `new` and `change`
        (``Float64``, missing where there is none). A result whose definition, unit or currency is
        another has a row of kind "definition", too, whose `number` is empty.
    """
    rows = [row for name in _all(*_pages(old, new)) for row in _of_page(name, *_pages(old, new))]
    frame = pd.DataFrame(rows, columns=list(COLUMNS))
    return frame.astype(dict.fromkeys(("old", "new", "change"), "Float64"))


def told(moved: pd.DataFrame) -> list[str]:
    """Word each row of `compare` as one sentence."""
    return [_sentence(row) for row in moved.to_dict("records")]


def _compared(
    old: Published | None,
    new: Published | None,
    *,
    notes: Sequence[str] = (),
    failures: Sequence[Failure] = (),
) -> Comparison:
    moved = compare(old.results, new.results) if old and new else compare({}, {})
    return Comparison(moved=moved, notes=tuple(notes), failures=tuple(failures))


def _pages(*reports: Mapping[str, Any]) -> list[dict[str, dict[str, Any]]]:
    """Return the results by name, of each notebook, of each report."""
    return [
        {
            name: {result["name"]: result for result in page["results"]}
            for name, page in report.get("notebooks", {}).items()
        }
        for report in reports
    ]


def _all(*maps: Mapping[str, Any]) -> list[str]:
    return list(dict.fromkeys(name for each in maps for name in each))


def _of_page(
    notebook: str,
    old: Mapping[str, Mapping[str, Any]],
    new: Mapping[str, Mapping[str, Any]],
) -> Iterator[dict[str, object]]:
    before, after = old.get(notebook, {}), new.get(notebook, {})
    for name in _all(before, after):
        for row in _rows(before.get(name, {}), after.get(name, {})):
            yield {"notebook": notebook, **row}


def _rows(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[dict[str, object]]:
    shown = new or old
    row = {
        "name": shown["name"],
        "label": shown.get("label") or shown["name"],
        "about": shown.get("about", ""),
        "printed": old.get("text", ""),
        "text": new.get("text", ""),
    }
    defined = [(old.get(each, new.get(each)), new.get(each)) for each in _DEFINED]
    if old and new and any(then != now for then, now in defined):
        yield {**row, "number": "", "kind": "definition"}
    kind = "moved" if old and new else "new" if new else "gone"
    for number in _NUMBERS:
        then, now = old.get(number), new.get(number)
        if not _same(then, now):
            change = None if then is None or now is None else now - then
            numbers = {"number": number, "old": then, "new": now, "change": change}
            yield {**row, "kind": kind, **numbers}


def _same(then: float | None, now: float | None) -> bool:
    if then is None or now is None:
        return then is now
    return math.isclose(then, now, rel_tol=SAME, abs_tol=ZERO)


def _sentence(row: Mapping[Any, Any]) -> str:
    about = f", {row['about']}" if row["about"] not in row["label"] else ""
    words = f"{row['notebook']}: {row['label']}{about} ({row['name']})"
    if row["kind"] == "definition":
        return f"{words} has another definition, unit or currency."
    number = {"low": "its lower bound", "high": "its upper bound"}.get(row["number"], row["number"])
    then, now = (_number(row[each]) for each in ("old", "new"))
    if row["kind"] != "moved":
        return f"{words} is {row['kind']}: {number} {now if row['kind'] == 'new' else then}."
    by = "" if pd.isna(row["change"]) else f" ({row['change']:+.6g})"
    return f"{words}: {number} was {then}, is {now}{by}."


def _number(value: float) -> str:
    return "none" if pd.isna(value) else f"{value:.10g}"
