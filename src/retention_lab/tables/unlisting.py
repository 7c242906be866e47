"""Saved lists of customers, less one of them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from retention_lab.tables import saved, saving
from retention_lab.tables.saved import IDS, Cohort
from retention_lab.tables.source import Source


@dataclass(frozen=True, kw_only=True)
class Unlisted:
    """What became of the cohorts of a source that name a customer.

    `shorter` and `gone` are the names of lists: without the customer, or with nobody left. `rules`
    are the files of conditions that name the customer, which only their owner can word anew.
    """

    shorter: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()
    rules: tuple[Path, ...] = ()


def unlist(customer: str, *, source: Source) -> Unlisted:
    """Take a customer out of the saved lists of a source.

    Raises
    ------
    BadParameter
        When the file of a cohort does not fit, or nothing can be written.
    BadData
        When a list cannot be trusted.
    """
    cohorts = [each for each in map(saved.load, saved.names()) if each.source == source.name]
    left = {one.name: _less(one, customer) for one in cohorts if one.ids is not None}
    spelled = f"'{customer.replace(chr(39), 2 * chr(39))}'"
    return Unlisted(
        shorter=tuple(name for name, ids in left.items() if ids),
        gone=tuple(name for name, ids in left.items() if ids == 0),
        rules=tuple(one.file for one in cohorts if one.where and spelled in one.where),
    )


def _less(cohort: Cohort, customer: str) -> int | None:
    """Write a list again without a customer; returns how many are left, None if nothing changed."""
    file = cohort.file.with_suffix(".parquet")
    there = pq.read_table(file)["customer_id"].to_pylist() if file.is_file() else []
    rest = [each for each in there if each != customer]
    whole = pa.table([sorted({*there, customer})], schema=IDS)
    # Also where an earlier call was cut off between the list and the file that tells of it.
    if saved.hash_of(whole) != cohort.ids_hash:
        saved.ids_of(cohort)
        return None
    if rest:
        ids = pa.table([rest], schema=IDS)
        told = {"customers": len(rest), "ids_hash": saved.hash_of(ids)}
        saving.write(cohort.model_copy(update=told), ids=ids)
    else:
        file.unlink(missing_ok=True)
        cohort.file.unlink()
    return len(rest)
