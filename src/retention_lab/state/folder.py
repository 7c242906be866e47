"""The folder of a state: opened, or made where nothing is expected; its results and ledgers."""

from __future__ import annotations

import datetime as dt
import json
import re
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from retention_lab import checks
from retention_lab.state import about, archive, files
from retention_lab.state.about import ABOUT, REMEDY, RESULTS, About
from retention_lab.state.ledger import Ledger, Row

_NAME = re.compile("[a-z0-9][a-z0-9_-]*")


@dataclass(frozen=True, kw_only=True)
class State:
    """A state: where it lies, and the id by which published reports name it."""

    folder: Path
    id: str

    def results(self, suite: str) -> list[Path]:
        """List what the reports of a suite said, oldest first."""
        return sorted((self.folder / RESULTS / _named("suite", suite)).glob("*.json"))

    def keep(self, suite: str, day: dt.date, content: Mapping[str, Any]) -> Path:
        """Keep what the report of a day said, in the place of what an earlier one of it said.

        Raises
        ------
        BadParameter
            When the disk refuses; what was kept is then as it was.
        """
        file = self.folder / RESULTS / _named("suite", suite) / f"{day}.json"
        text = json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
        with files.locked(self.folder):
            files.write(file, text.encode())
        return file

    def ledger(self, name: str, *, key: Sequence[str]) -> Ledger:
        """Open a ledger, which comes into being with its first row.

        Raises
        ------
        BadParameter
            When it has another key.
        """
        wanted = tuple(key)
        known = self._known().ledgers.get(_named("ledger", name))
        if not wanted or (known is not None and known.key != wanted):
            has = "at least one column" if known is None else ", ".join(known.key)
            raise checks.BadParameter(
                f"The ledger {name} in {self.folder} must have {has} as its key, got "
                f"{', '.join(wanted) or 'none'}."
            )
        return Ledger(folder=self.folder, name=name, key=wanted)

    def forget(self, customer: str, *, source: str) -> dict[str, int]:
        """Take a customer's rows out of every ledger; returns how many, by ledger.

        Rows name their customer in `customer_id`, and in `source`, where they have it, the shop
        whose customer it is.
        """

        def theirs(row: Row) -> bool:
            named = "customer_id" in row and str(row["customer_id"]) == customer
            return named and row.get("source", source) == source

        taken = {each.name: each.without(theirs) for each in self.ledgers}
        return {name: rows for name, rows in taken.items() if rows}

    @property
    def ledgers(self) -> list[Ledger]:
        """Every ledger that has rows, or had some."""
        known = self._known().ledgers
        return [Ledger(folder=self.folder, name=n, key=known[n].key) for n in sorted(known)]

    def _known(self) -> About:
        return about.read(self.folder)


def opened(folder: Path, *, expected: str = "") -> State:
    """Open the state in a folder, made where there is none and none is `expected`.

    Parameters
    ----------
    folder
        Where it lies; outside of the folder of reports, which are for others to read.
    expected
        The id that published reports name.

    Raises
    ------
    BadParameter
        When the folder holds something else, or nothing can be written there.
    BadData
        When it is not the state that is expected, or one of its ledgers is missing or too short.
    """
    archive.mend(folder)
    if not (folder / ABOUT).is_file():
        if expected:
            raise checks.BadData(
                f"Published reports go on from the state {expected[:12]}, and {folder} holds none. "
                f"{REMEDY}"
            )
        _make(folder)
    with files.locked(folder):
        found = about.read(folder)
        if expected not in ("", found.id):
            raise checks.BadData(
                f"Published reports go on from the state {expected[:12]}, and {folder} holds "
                f"another, {found.id[:12]}. {REMEDY}"
            )
        about.mend(folder, found)
    return State(folder=folder, id=found.id)


def found(folder: str | Path) -> Path:
    """Look for the state of a relative name here and in the folders above.

    A notebook starts in its own folder, a runner does not. Where there is none it is to lie beside
    `experiments/`, which is at the top of a project, else here.
    """
    wanted, here = Path(folder), Path.cwd()
    above = [wanted] if wanted.is_absolute() else [up / wanted for up in (here, *here.parents)]
    tops = (place for place in above if (place.parent / "experiments").is_dir())
    there = (place for place in above if (place / ABOUT).is_file())
    return next(there, None) or next(tops, wanted)


def _make(folder: Path) -> None:
    """Begin a state in a folder that is not there or empty; two at once begin the same."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise checks.BadParameter(
            f"No state can be kept in {folder} ({error.strerror}). Name another folder by --state."
        ) from error
    with files.locked(folder):
        if (folder / ABOUT).is_file():
            return
        own = {".lock", ".gitignore", files.new_name(folder / ABOUT).name}
        others = sorted(each.name for each in folder.iterdir() if each.name not in own)
        if others:
            raise checks.BadData(
                f"{folder} holds {others[0]} but no {ABOUT}: it is no state, or has lost it. "
                f"{REMEDY}"
            )
        folder.chmod(0o700)
        files.write(folder / ".gitignore", b"*\n")  # ledgers name customers
        about.write(folder, About(id=uuid.uuid4().hex))


def _named(kind: str, name: str) -> str:
    """Return a name that is a file's, too, or refuse it."""
    if not _NAME.fullmatch(name):
        raise checks.BadParameter(
            f"A {kind} has a name of small letters, digits, hyphens and underscores; got {name!r}."
        )
    return name
