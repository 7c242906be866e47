"""Forgetting a customer wherever they are named, for as long as the source may name them.

What was done is logged in the state by a salted hash; the id itself is written nowhere.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from retention_lab import checks
from retention_lab import state as states
from retention_lab.reports import publish
from retention_lab.reports.manifest import MANIFEST
from retention_lab.reports.run import moment
from retention_lab.state import State
from retention_lab.tables import engine, erased, forgetting, snapshot, unlisting
from retention_lab.tables.erased import Person
from retention_lab.tables.forgetting import Swept
from retention_lab.tables.population import count
from retention_lab.tables.source import Source, find, load
from retention_lab.tables.unlisting import Unlisted
from retention_lab.wording.phrases import counted

_LOG, _KEY = "erasures", ("source", "salt", "hash", "at")


class Unknown(checks.BadParameter):
    """There is no such customer (exit code 2)."""


@dataclass(frozen=True, kw_only=True)
class Erasure:
    """What was erased.

    `swept`: snapshots and rows in them; `unlisted`: saved cohorts; `ledgers`: rows by ledger of the
    state; `failed`: folders of failed runs, whose executed notebooks may show rows of anybody.
    """

    source: str
    swept: Swept
    unlisted: Unlisted
    ledgers: Mapping[str, int]
    failed: int

    @property
    def changed(self) -> bool:
        """Whether anything was there to erase."""
        lists = self.unlisted.shorter + self.unlisted.gone
        return bool(self.swept.snapshots or lists or self.ledgers or self.failed)

    @property
    def sentences(self) -> list[str]:
        """What was done, and what is left to do by hand."""
        told = [
            f"{self.source}: {', '.join(self._counts())}; new snapshots leave the customer out."
        ]
        told += [
            f"{file} names the customer in its condition. Word it anew."
            for file in self.unlisted.rules
        ]
        return told

    def _counts(self) -> Iterator[str]:
        if not self.changed:
            yield "nothing that is kept names the customer any more"
            return
        where = counted(self.swept.snapshots, "snapshot")
        yield f"{counted(self.swept.rows, 'row')} erased from {where}"
        for name, rows in self.ledgers.items():
            yield f"{counted(rows, 'row')} from the ledger {name}"
        if self.unlisted.shorter:
            yield f"the customer from the saved cohorts {', '.join(self.unlisted.shorter)}"
        if self.unlisted.gone:
            yield f"the saved cohorts {', '.join(self.unlisted.gone)}, which held nobody else"
        if self.failed:
            yield f"what {counted(self.failed, 'failed run')} left"


def forget(customer: str, *, sources: Sequence[Path], state: Path, out: Path) -> list[str]:
    """Erase a customer as `erase` does from all that is kept of some sources, and tell what it was.

    Raises
    ------
    BadParameter
        When none of the sources has such a customer.
    BadData
        When the state is not the one that published reports go on from; else as `erase`.
    """
    opened = _opened(state, out)
    done: list[Erasure] = []
    unknown: list[Unknown] = []
    for file in sources:
        source = load(find(file))
        try:
            at = moment(time.time())
            done.append(erase(customer, source=source, state=opened, out=out, at=at))
        except Unknown as refusal:
            unknown.append(refusal)
    if not done:
        raise unknown[0]
    told = [sentence for one in done for sentence in one.sentences]
    return [
        *told,
        "Lists, backups of the state and copies of snapshots from before may name the customer "
        "still: make a new backup and delete those. So does the source.",
    ]


def _opened(folder: Path, out: Path) -> State:
    """Open the state that the newest report names: the log must not go to another one."""
    days = sorted(out.glob(f"*/????-??-??/{MANIFEST}"), key=lambda file: file.parent.name)
    ids = (publish.read_json(file).get("state", "") for file in reversed(days))
    return states.opened(folder, expected=next(filter(None, ids), ""))


def erase(customer: str, *, source: Source, state: State, out: Path, at: str) -> Erasure:
    """Erase a customer of a source from all that is kept of it, and keep them out from now on.

    Parameters
    ----------
    customer
        The id, as snapshots spell it.
    source
        A loaded source.
    state
        Its ledgers lose the customer's rows, and its log tells of the erasure.
    out
        Where reports lie; pages hold no customers, and stay.
    at
        The moment that the log tells, as UTC in ISO text.

    Raises
    ------
    Unknown
        When nothing is known of such a customer, not in the source either; nothing is changed.
    BadData
        When the source, a list or a ledger is damaged.
    Locked
        When a suite is being run, whose executed notebooks could outlive the erasure: all else is
        done, and the same call does the rest later.
    """
    keep_out(source, state)
    who = erased.person(source, customer)
    again = who in erased.listed(source)
    ledgers = state.forget(customer, source=source.name)
    unlisted = unlisting.unlist(customer, source=source)
    if not (again or ledgers or unlisted != Unlisted() or _is_known(customer, who, source)):
        raise Unknown(
            f"{source.name} has no customer {customer!r}, and nothing kept of it names one. Spell "
            "the id as the source does; ids are compared letter by letter."
        )
    done = Erasure(
        source=source.name,
        swept=forgetting.forget(source, [who]),
        unlisted=unlisted,
        ledgers=ledgers,
        failed=_remove_failed(out, source),
    )
    if done.changed or not again:
        _log(state, who, done, at=at)
    return done


def keep_out(source: Source, state: State) -> Swept:
    """Keep out of snapshots whom the log of the state names: the folder of these may be new."""
    rows = state.ledger(_LOG, key=_KEY).rows()
    people = {Person(row["salt"], row["hash"]) for row in rows if row["source"] == source.name}
    return forgetting.forget(source, people - erased.listed(source))


def _is_known(customer: str, who: Person, source: Source) -> bool:
    """Look for a customer in snapshots, and where there is none in them in the source itself."""
    if forgetting.holds(source, who):
        return True
    con = engine.connect(source.engine)
    tables, _ = snapshot.cut(source, as_of=snapshot.complete_to(source, con=con), con=con)
    named = [rows for rows in tables.values() if "customer_id" in rows.columns]
    return any(count(rows.filter(rows.customer_id == customer)) for rows in named)


def _remove_failed(out: Path, source: Source) -> int:
    """Remove what failed runs on the source left, suite by suite under its lock."""
    number = 0
    for lock in sorted(out.glob("*/.lock")):
        with publish.locked(lock.parent):
            for folder in (lock.parent / publish.FAILED).glob("*"):
                about = publish.read_json(folder / publish.MANIFEST)
                if about.get("source", {}).get("name", source.name) == source.name:
                    shutil.rmtree(folder)
                    number += 1
    return number


def _log(state: State, who: Person, done: Erasure, *, at: str) -> None:
    row = {
        "source": done.source,
        "salt": who.salt,
        "hash": who.hash,
        "at": at,
        "by": "retention-lab forget",
        "snapshots": done.swept.snapshots,
        "rows": done.swept.rows,
        "cohorts": len(done.unlisted.shorter + done.unlisted.gone),
        "ledgers": dict(done.ledgers),
        "failed": done.failed,
    }
    state.ledger(_LOG, key=_KEY).append([row])
