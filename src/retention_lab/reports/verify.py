"""Whether a published report can be made again, byte for byte, and what differs where it cannot."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from retention_lab.reports import again, upgrade
from retention_lab.reports.again import Published, Runner
from retention_lab.reports.ran import Failure

if TYPE_CHECKING:
    from retention_lab.state import State

_WORDS = {
    "notebook": "the notebook",
    "code": "the code of retention-lab",
    "parameters": "the parameters",
    "snapshot": "the content of the snapshot",
    "population": "the customers that its condition means",
    "files": "the files that it reads",
    "earlier": "whether the data of the report before it are still there",
    "environment": "the environment that changes results",
    "lock": "the lock file",
    "warnings": "what is said of late data",
    "titles": "the title or the owner",
    "ledgers": "what the state remembers of the test",
}
_AROUND = 40  # characters that are shown of a line, on either side of where it differs


@dataclass(frozen=True, kw_only=True)
class Page:
    """One page of a report, made again: what `differs`, in words, and nothing where it is alike."""

    name: str
    differs: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What came of making a report again.

    `moved` are the results that differ, as `upgrade.compare` tells them; `notes` say what to know
    of the data; `failures` why nothing could be compared.
    """

    folder: Path
    pages: tuple[Page, ...] = ()
    moved: pd.DataFrame
    notes: tuple[str, ...] = ()
    failures: tuple[Failure, ...] = ()

    @property
    def exit_code(self) -> int:
        """0 when the report is the same, else 1, or that of what failed."""
        if self.failures:
            return max(each.exit_code for each in self.failures)
        return int(any(page.differs for page in self.pages) or not self.moved.empty)

    @property
    def sentences(self) -> list[str]:
        """All of it in words, a line each."""
        lines = [*self.notes, *(each.sentence for each in self.failures)]
        for page in self.pages:
            if page.differs:
                lines += [f"{page.name}: {words}" for words in page.differs]
            else:
                lines.append(f"{page.name}: the same, byte for byte.")
        lines += upgrade.told(self.moved)
        quiet = self.exit_code and not self.failures and self.moved.empty
        return [*lines, "No number differs."] if quiet else lines


def verify(folder: Path, *, run: Runner, out: Path, state: State | None = None) -> Verdict:
    """Make the report in a folder again, and compare what comes of it part by part.

    The folder may lie in another copy of the project; suite, notebooks and source are those that
    are found here. Nothing that is published is touched.

    Parameters
    ----------
    folder
        Where the report lies, such as reports/weekly/2026-11-29.
    run
        Runs a suite.
    out
        An empty folder for what comes of it.
    state
        Its history gives the report before, where that is no longer beside the folder.

    Raises
    ------
    BadParameter
        When the folder holds no report, or its suite, source or a notebook is not here.
    BadData
        When the source cannot answer.
    """
    report = again.published(folder)
    suite = again.suite_of(report)
    history = () if state is None else state.results(suite.name)
    found = again.run_again(report, suite, run=run, room=out, history=history)
    if found.report is None:
        nothing = upgrade.compare({}, {})
        return Verdict(folder=folder, moved=nothing, notes=found.notes, failures=found.failures)
    made = found.report
    return Verdict(
        folder=folder,
        pages=tuple(
            Page(name=name, differs=tuple(_differing(name, report, made)))
            for name in report.about["notebooks"]
        ),
        moved=upgrade.compare(report.results, made.results),
        notes=found.notes,
    )


def _differing(name: str, report: Published, made: Published) -> Iterator[str]:
    """Say what differs about one page; nothing where its bytes are the same."""
    told, now = (each.about["notebooks"][name] for each in (report, made))
    page, fresh = (each.folder / f"{name}.html" for each in (report, made))
    if not page.is_file():
        yield "the page is missing."
        return
    if page.read_bytes() == fresh.read_bytes():
        return
    if hashlib.sha256(page.read_bytes()).hexdigest() != told["sha256"]:
        yield "the page was changed after it was published."
        if told["sha256"] == now["sha256"]:
            return
    parts = [*_parts(told["parts"], now["parts"]), *_installed(report.about, made.about)]
    yield from parts
    if not parts:
        yield f"the page is not reproducible: {_first_difference(page, fresh)}"


def _parts(then: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[str]:
    for part in dict.fromkeys((*then, *now)):
        old, new = then.get(part), now.get(part)
        if old != new:
            names = _names(old, new)
            yield f"{_WORDS.get(part, part)}{names and f' ({names})'} differs from that of then."


def _names(then: object, now: object) -> str:
    """Name what differs inside of a part that has names."""
    if not isinstance(then, dict) or not isinstance(now, dict):
        return ""
    return ", ".join(sorted(each for each in {*then, *now} if then.get(each) != now.get(each)))


def _installed(then: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[str]:
    old, new = ({"Python": each["python"], **each["packages"]} for each in (then, now))
    for name in new:
        if old.get(name) != new[name]:
            yield f"{name} was {old.get(name, 'not known')} then, and is {new[name]} now."


def _first_difference(page: Path, fresh: Path) -> str:
    lines = (each.read_text(encoding="utf-8").splitlines() for each in (page, fresh))
    for number, (old, new) in enumerate(zip_longest(*lines, fillvalue=""), start=1):
        if old != new:
            pairs = enumerate(zip_longest(old, new))
            place = next(at for at, (one, other) in pairs if one != other)
            shown = slice(max(place - _AROUND, 0), place + _AROUND)
            return f"line {number} was {old[shown]!r} and is {new[shown]!r}."
    return "its lines end otherwise."
