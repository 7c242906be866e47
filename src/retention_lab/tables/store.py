"""Where snapshots are kept: one folder each, named by date and content, whole or not there.

They lie beside the source file, in `snapshots/<its name>/`; RETENTION_LAB_SNAPSHOTS names another
place for those of all sources.
"""

from __future__ import annotations

import datetime as dt
import json
import shutil
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from retention_lab import checks
from retention_lab.tables import fingerprint
from retention_lab.tables.contracts import CONTRACTS, TableName
from retention_lab.tables.shelf import PARTIAL, making, place, use
from retention_lab.tables.source import Source

if TYPE_CHECKING:  # an unchanged suite is told without an engine, so it is imported to write only
    import ibis.expr.types as ir
    import pandas as pd

    from retention_lab.tables import identity, quality

ABOUT = "snapshot.json"


def prepare(source: Source) -> None:
    """Make the folder for the snapshots of a source.

    Raises
    ------
    BadParameter
        When nothing can be written there.
    """
    folder = place(source)
    try:
        (folder / "known").mkdir(parents=True, exist_ok=True)
        (probe := folder / f".probe-{uuid.uuid4().hex}").touch()
        probe.unlink()
    except OSError as error:
        raise checks.BadParameter(
            f"Snapshots cannot be written to {folder} ({error.strerror}). Set the environment "
            "variable RETENTION_LAB_SNAPSHOTS to a folder for them."
        ) from error


def find(source: Source, as_of: dt.date | None) -> Path | None:
    """Find the snapshot that was made from the very same files, without reading them."""
    note = _note(source, fingerprint.source_key(source, as_of))
    if note is None or not note.is_file():
        return None
    return named(source, note.read_text(encoding="utf-8"))


def named(source: Source, name: str) -> Path | None:
    """Find a snapshot of a source by the name of its folder."""
    folder = place(source) / Path(name).name
    return use(folder) if (folder / ABOUT).is_file() else None


def remember(source: Source, folder: Path, keys: Iterable[str | None]) -> None:
    """Note for `find` which folder answers to the keys."""
    for key in keys:
        note = _note(source, key)
        if note is not None:
            note.write_text(folder.name, encoding="utf-8")


def remember_end(source: Source, day: dt.date) -> None:
    """Note for `end` the last day to which these very files are complete.

    Raises
    ------
    BadParameter
        When nothing can be written there.
    """
    note = _note(source, _end_key(source))
    if note is not None:
        prepare(source)
        note.write_text(str(day), encoding="utf-8")


def end(source: Source) -> dt.date | None:
    """Return the last day to which a source is complete, without reading it; None if not known."""
    if source.complete_to is not None:
        return source.complete_to
    note = _note(source, _end_key(source))
    known = note is not None and note.is_file()
    return dt.date.fromisoformat(note.read_text(encoding="utf-8")) if note and known else None


def _end_key(source: Source) -> str | None:
    key = fingerprint.source_key(source, None)
    return None if key is None else f"{key}-end"


def _note(source: Source, key: str | None) -> Path | None:
    return None if key is None else place(source) / "known" / key


def write(
    source: Source,
    as_of: dt.date,
    *,
    tables: Mapping[TableName, ir.Table],
    counts: Mapping[TableName, quality.Counts],
) -> Path:
    """Write tables and counts into a folder that appears only when all of it is there."""
    with making(source):
        return _write(source, as_of, tables=tables, counts=counts)


def _write(
    source: Source,
    as_of: dt.date,
    *,
    tables: Mapping[TableName, ir.Table],
    counts: Mapping[TableName, quality.Counts],
) -> Path:
    from retention_lab.tables import engine, identity  # noqa: PLC0415

    partial = place(source) / f"{PARTIAL}{uuid.uuid4().hex}"
    partial.mkdir()
    try:
        hashes = {n: identity.write(table, CONTRACTS[n], partial) for n, table in tables.items()}
        con = engine.connect()
        kept = {name: con.read_parquet(str(partial / f"{name}.parquet")) for name in tables}
        found = about(source, as_of, hashes=hashes, counts=counts, tables=kept)
        (partial / ABOUT).write_text(text(found), encoding="utf-8")
        folder = partial.with_name(folder_name(found))
        _move(partial, folder)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return folder


def _move(partial: Path, folder: Path) -> None:
    try:
        partial.rename(folder)
    except OSError:
        if not (folder / ABOUT).is_file():  # else somebody made the very same snapshot meanwhile
            raise


def folder_name(found: Mapping[str, Any]) -> str:
    """Name the folder of what `about` describes, by its date, tables and counts.

    Counts, too: a changed rule may count otherwise and yet leave equal tables.
    """
    return f"{found['as_of']}-{fingerprint.sha(text(found))[:12]}"


def text(found: Mapping[str, Any]) -> str:
    """Write what `about` tells as the file holds it."""
    return json.dumps(found, indent=1, sort_keys=True)


def about(
    source: Source,
    as_of: dt.date,
    *,
    hashes: Mapping[TableName, identity.Written],
    counts: Mapping[TableName, quality.Counts],
    tables: Mapping[TableName, ir.Table],
) -> dict[str, Any]:
    """Describe a snapshot; nothing in here may depend on what came after the as-of date."""
    from retention_lab.tables import engine, identity, quality, reach  # noqa: PLC0415

    days = reach.days(tables, zone=source.zone)
    one = engine.collect(days.aggregate(first=days.day.min(), last=days.day.max())).iloc[0]
    return {
        "name": source.name,
        "simulated": source.simulated,
        "as_of": str(as_of),
        "zone": source.zone,
        "currency": source.currency,
        "records_from": str(one["first"].date()),
        "complete_to": str(as_of if source.complete_to else min(as_of, one["last"].date())),
        "content_hash": identity.combined(hashes, source, as_of),
        "tables": {name: asdict(written) for name, written in sorted(hashes.items())},
        "left_out": _records(one.left_out for one in counts.values()),
        "fits": _records(one.fits for one in counts.values()),
        "controls": quality.controls(source, as_of, tables),
    }


def _records(frames: Iterable[pd.DataFrame]) -> list[dict[str, Any]]:
    import pandas as pd  # noqa: PLC0415

    text = pd.concat(list(frames)).to_json(orient="records", date_format="iso")
    records: list[dict[str, Any]] = json.loads(text)
    return records
