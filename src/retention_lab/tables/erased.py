"""Who asked to be forgotten: salted hashes of customers, whom no snapshot of a source may hold.

They stand in `erased.json` beside the snapshots, as a source goes on holding those people. Whoever
has the list can tell whether an id is on it, which is what it is for, but reads no id from it.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
from collections.abc import Collection
from functools import reduce
from operator import or_
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from retention_lab import checks
from retention_lab.tables import shelf
from retention_lab.tables.source import Source

if TYPE_CHECKING:
    import ibis.expr.types as ir


class Person(NamedTuple):
    """A customer who was erased: the SHA-256 of a salt and the id behind it."""

    salt: str
    hash: str


def listed(source: Source) -> frozenset[Person]:
    """Return who was erased from a source.

    Raises
    ------
    BadData
        When the list is damaged: without it they would come back.
    """
    file = _file(source)
    try:
        return frozenset(Person(*each) for each in json.loads(file.read_bytes()))
    except (FileNotFoundError, NotADirectoryError):
        return frozenset()
    except (ValueError, TypeError) as error:
        raise checks.BadData(
            f"{file} does not tell whom to keep out of snapshots. Bring it back from a backup."
        ) from error


def add(source: Source, people: Collection[Person]) -> None:
    """Put people on the list of a source; the caller holds the lock of its snapshots."""
    file = _file(source)
    fresh = file.with_name(f".{file.name}.new")
    with fresh.open("w", encoding="utf-8") as opened:
        json.dump(sorted({*listed(source), *people}), opened, indent=1)
        opened.flush()
        os.fsync(opened.fileno())
    fresh.replace(file)


def person(source: Source, customer: str) -> Person:
    """Return a customer as the list of a source has them, or would."""
    known = sorted(listed(source))
    again = (_hashed(one.salt, customer) for one in known)
    fresh = _hashed(known[0].salt if known else secrets.token_hex(16), customer)
    return next((one for one in again if one in known), fresh)


def needed(source: Source, *columns: str) -> tuple[str, ...]:
    """Return the columns to read where only some are wanted: whose a row is, if it matters."""
    return (*columns, "customer_id") if listed(source) else columns


def among(customer: ir.StringValue, people: Collection[Person]) -> ir.BooleanValue:
    """Tell of each customer whether they are one of some people, of whom there is at least one."""
    import ibis  # noqa: PLC0415  the list is part of a fingerprint, which needs no engine

    salts = sorted({one.salt for one in people})
    found = (
        (ibis.literal(salt) + customer)
        .hexdigest("sha256")
        .isin([one.hash for one in sorted(people) if one.salt == salt])
        for salt in salts
    )
    return reduce(or_, found).fill_null(False)


def _hashed(salt: str, customer: str) -> Person:
    return Person(salt, hashlib.sha256((salt + customer).encode()).hexdigest())


def _file(source: Source) -> Path:
    return shelf.place(source) / "erased.json"
