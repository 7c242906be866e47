"""Frames as a source: pandas, Polars or Arrow tables whose columns have the canonical names.

What a source file says in YAML is said here by the names of the columns and by `settings`; all that
follows, contracts and refusals and counts, is the same as for files. Nothing is written anywhere.
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd
import pyarrow as pa
from pydantic import Field, ValidationError

from retention_lab import checks
from retention_lab.tables.contracts import CONTRACTS, Contract, TableName
from retention_lab.tables.memory import Frame
from retention_lab.tables.names import likely
from retention_lab.tables.settings import first_problem
from retention_lab.tables.source import Source
from retention_lab.tables.tablemap import TableMap, is_free_name

DOOR = "from_frames"
_LINE_OF_ORDER = ("customer_id", "ordered_at")  # told by the order where there are orders
_TABLE_SETTINGS = set(TableMap.model_fields) - {"rows", "derive_from"}
_ARGUMENTS = {"name", "currency", "time_zone", "tables", "engine", "file"}  # or of no use here
_SHOP_SETTINGS = set(Source.model_fields) - _ARGUMENTS


class FrameSource(Source):
    """A shop whose tables are frames; `unused` tells, by table, which columns are not, and why."""

    unused: dict[str, dict[str, str]] = Field(default_factory=dict, exclude=True)

    def line(self, table: str) -> str:
        """Name the place in `settings` that a message speaks of."""
        return f'settings["{table}"]'

    def setting(self, name: str, value: object, *, table: str = "") -> str:
        """Write a setting as an argument of `from_frames`."""
        whole = {table: {name: value}} if table else {name: value}
        return f"`settings={json.dumps(whole, default=str)}`"

    def option(self, name: str, value: object) -> str:
        """Write an argument of `from_frames`."""
        return f'{name.replace("-", "_")}="{value}"'

    @property
    def why_left_out(self) -> str:
        """Where to see why rows were left out."""
        return "All rows are left out by `settings`."

    def time_hint(self, column: str) -> str:
        """How times are read, and what to do where they are not."""
        return (
            f'A time is a time already, or ISO 8601: `pd.to_datetime(df["{column}"], '
            'format="%d/%m/%Y")` where the day comes first, `"%m/%d/%Y"` where the month does (a '
            "day above 12 tells which). "
        )


def source_of(
    frames: Mapping[TableName, object],
    *,
    name: str,
    time_zone: str,
    currency: str,
    settings: Mapping[str, Any],
) -> FrameSource:
    """Make a source of frames; those that are None are not there.

    Parameters
    ----------
    frames
        By table: a pandas DataFrame, an Arrow table, or anything that offers an Arrow stream, such
        as a Polars DataFrame. Further columns of text (or categories, or truth values) in
        customers, orders, subscriptions, or in order lines that orders are derived from, become
        attributes.
    name, time_zone, currency
        As a source file has them.
    settings
        What else a source file could say: of a table, under its name (`leave_out`, `duplicates`,
        ...; its `columns` and `attributes` add to those found by name), or of the shop
        (`complete_to`, `money`, `business_time_zone`, `control_totals`, ...).

    Raises
    ------
    BadParameter
        When a needed column is missing or misspelt, a frame is of another kind, or a setting does
        not fit.
    """
    given = {table: frame for table, frame in frames.items() if frame is not None}
    _check_settings(settings, given)
    tables: dict[str, Any] = {}
    unused: dict[str, dict[str, str]] = {}
    for table, frame in given.items():
        said = dict(settings.get(table, {}))
        rows = _arrow(frame, table)
        contract = _contract(table, given)
        found, unused[table] = _found(rows, contract, said)
        kept = rows if said else rows.select([*found["columns"], *found["attributes"]])
        tables[table] = {**said, **found, "rows": [Frame(rows=_plain(kept))]}
    if "order_lines" in tables and "orders" not in tables:
        tables["orders"] = {"derive_from": "order_lines"}
    shop = {key: value for key, value in settings.items() if key not in CONTRACTS}
    about = {"name": name, "time_zone": time_zone, "currency": currency, "file": DOOR}
    try:
        return FrameSource.model_validate({**shop, **about, "tables": tables, "unused": unused})
    except ValidationError as error:
        problem = first_problem(error, model=Source).removeprefix("tables.")
    raise checks.BadParameter(f"{DOOR}: {problem}")


def _check_settings(settings: Mapping[str, Any], given: Mapping[TableName, object]) -> None:
    if not {"orders", "order_lines", "subscriptions"} & set(given):
        raise checks.BadParameter(
            f"{DOOR} needs orders=..., order_lines=... with customer_id and ordered_at, or "
            "subscriptions=...."
        )
    checks.known("settings", "setting or table", settings, [*given, *sorted(_SHOP_SETTINGS)])
    for table in given:
        said = settings.get(table, {})
        if not isinstance(said, Mapping):
            raise checks.BadParameter(
                f'settings["{table}"] must be a mapping such as '
                f'{{"leave_out": ["missing customer_id"]}}, got {said!r}.'
            )
        checks.known(f'settings["{table}"]', "setting", said, sorted(_TABLE_SETTINGS))


def _contract(table: TableName, given: Mapping[TableName, object]) -> Contract:
    """The columns to look for: what an order tells, its lines need not."""
    contract = CONTRACTS[table]
    if table != "order_lines" or "orders" not in given:
        return contract
    columns = tuple(one for one in contract.columns if one.name not in _LINE_OF_ORDER)
    return Contract(name=table, key=contract.key, columns=columns, time=contract.time)


def _found(
    rows: pa.Table, contract: Contract, said: Mapping[str, Any]
) -> tuple[dict[str, dict[str, Any]], dict[str, str]]:
    """Map columns by their names; what is not used is told with the reason."""
    by_name = [one.name for one in contract.columns if one.name in rows.column_names]
    columns = {**dict(zip(by_name, by_name, strict=True)), **said.get("columns", {})}
    _refuse_missing(rows.column_names, contract, columns)
    attributes: dict[str, Any] = {}
    unused: dict[str, str] = {}
    for name in sorted(set(rows.column_names) - set(map(_raw, columns.values()))):
        why = _why_unused(rows.schema.field(name), contract, columns)
        (unused if why else attributes)[name] = why or name
    for name in filter(None, map(_raw, columns.values())):
        kind = rows.schema.field(name).type if name in rows.column_names else pa.null()
        if not _is_plain(kind):
            raise checks.BadParameter(
                f"{contract.name}: {name} is of the type {kind}. Make it text, a number or a time "
                "first."
            )
    return {"columns": columns, "attributes": attributes | said.get("attributes", {})}, unused


def _raw(column: str | Mapping[str, Any]) -> str | None:
    """The column of the frame that a canonical one is found in, if it is just one."""
    return column if isinstance(column, str) else column.get("column")


def _why_unused(field: pa.Field, contract: Contract, columns: Mapping[str, Any]) -> str:
    """Why a column that is not mapped is no attribute, or an empty text where it is one."""
    if field.name in (one.name for one in CONTRACTS[contract.name].columns):
        return "told in another way"
    _refuse_misspelt(field.name, contract, columns)
    if not contract.takes_attributes:
        return "attributes belong to customers, orders or subscriptions"
    if not _is_text(field.type):
        return f"of the type {field.type}; attributes are text"
    free = is_free_name(field.name, contract=contract)
    return "" if free else "rename it to a plain new name, such as country"


def _refuse_missing(there: list[str], contract: Contract, columns: Mapping[str, Any]) -> None:
    """Refuse a frame without a needed column, with the line that would rename another."""
    needed = [one.name for one in contract.columns if one.required]
    missing = [name for name in needed if name not in columns]
    if not missing:
        return
    free = [name for name in there if name not in map(_raw, columns.values())]
    pairs: dict[str, str] = {}
    for name in missing:
        left = [each for each in free if each not in pairs]
        for near in [*likely(left, name), *_near(name, left, least=0.7)][:1]:
            pairs[near] = name
    rename = json.dumps(pairs or {"...": missing[0]}, ensure_ascii=False)
    hint = (
        f"Did you mean df.rename(columns={rename})?"
        if pairs
        else f"Use df.rename(columns={rename})."
    )
    if missing[0] in ("order_id", "return_id") and missing[0] not in pairs.values():
        hint += f" Rows without one are numbered by df.assign({missing[0]}=range(len(df)))."
    raise checks.BadParameter(
        f"{contract.name} lacks {', '.join(missing)}; it has {', '.join(there) or 'no column'}. "
        f"{hint}"
    )


def _refuse_misspelt(name: str, contract: Contract, columns: Mapping[str, Any]) -> None:
    """Refuse a column that can hardly mean anything but a canonical one that is not there."""
    absent = [one.name for one in contract.columns if one.name not in columns]
    for near in _near(name, absent, least=0.9):
        rename = json.dumps({name: near}, ensure_ascii=False)
        raise checks.BadParameter(
            f"{contract.name} has no column {name!r}. Did you mean {near!r}? Then use "
            f"df.rename(columns={rename}), else give it another name."
        )


def _near(name: str, options: list[str], *, least: float) -> list[str]:
    """The option that is nearest to a name, letters and digits compared, if any is near."""
    bare = {re.sub(r"[\W_]", "", option).lower(): option for option in options}
    near = difflib.get_close_matches(re.sub(r"[\W_]", "", name).lower(), bare, n=1, cutoff=least)
    return [bare[one] for one in near]


def _arrow(frame: object, table: str) -> pa.Table:
    """Read a frame as Arrow, without touching it."""
    match frame:
        case pd.DataFrame():
            rows = pa.table(list(_arrays(frame)), names=[str(name) for name in frame.columns])
        case pa.Table():
            rows = frame
        case pa.RecordBatch():
            rows = pa.Table.from_batches([frame])
        case _ if hasattr(frame, "__arrow_c_stream__"):
            rows = pa.RecordBatchReader.from_stream(frame).read_all()
        case _ if hasattr(frame, "to_arrow"):
            rows = frame.to_arrow()
        case _:
            lazy = " Collect it first." if hasattr(frame, "collect") else ""
            raise checks.BadParameter(
                f"{table} must be a pandas, Polars or Arrow table, got {type(frame).__name__}."
                f"{lazy}"
            )
    names = rows.column_names
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise checks.BadParameter(f"{table} has two columns {twice!r}. Rename or drop one.")
    return rows


def _arrays(frame: pd.DataFrame) -> Iterator[pa.Array]:
    """The columns of a pandas frame, its index left aside; what is mixed becomes text."""
    for place in range(frame.shape[1]):
        column = frame.iloc[:, place]
        try:
            yield pa.array(column, from_pandas=True)
        except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError):
            words = [None if pd.isna(value) else str(value) for value in column.astype(object)]
            yield pa.array(words, pa.string())


def _plain(rows: pa.Table) -> pa.Table:
    """The columns that the engine can hold, categories as the text that they stand for."""
    kept = [field for field in rows.schema if _is_plain(field.type)]
    return pa.table({field.name: _decoded(rows[field.name]) for field in kept})


def _decoded(column: pa.ChunkedArray) -> pa.ChunkedArray:
    kind = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
    if pa.types.is_null(kind) or (_is_text(kind) and not pa.types.is_boolean(kind)):
        return column.cast(pa.string())
    return column.cast(kind)


def _is_text(kind: pa.DataType) -> bool:
    """Text, categories of it, and truth values: what an attribute can be."""
    if pa.types.is_dictionary(kind):
        return _is_text(kind.value_type)
    texts = (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view)
    return any(is_kind(kind) for is_kind in (*texts, pa.types.is_boolean))


def _is_plain(kind: pa.DataType) -> bool:
    """Text, numbers and times."""
    if pa.types.is_dictionary(kind):
        return _is_plain(kind.value_type)
    others = (pa.types.is_integer, pa.types.is_floating, pa.types.is_decimal, pa.types.is_timestamp)
    return _is_text(kind) or any(
        is_kind(kind) for is_kind in (*others, pa.types.is_date, pa.types.is_null)
    )
