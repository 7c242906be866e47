"""Small shops for the tests of this room: files and a source file, written into a folder."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pandas as pd
import yaml

from retention_lab.tables import clocks, engine, judging, mapping, quality, snapshot
from retention_lab.tables import source as sources

CON = engine.connect()  # one for all tests: it takes longer to open than most of them run

ORDER_COLUMNS = {name: name for name in ("order_id", "customer_id", "ordered_at", "amount")}
ORDERS = """\
order_id,customer_id,ordered_at,amount
1,ann,2025-01-05 10:00:00,10.00
2,bob,2025-01-20 11:30:00,20.50
3,ann,2025-02-03 23:59:59,5.25
4,cid,2025-03-01 00:00:00,7.00
"""
AS_OF = dt.date(2025, 3, 1)


def orders_map(**settings):
    """Return the map of a plain table of orders."""
    return {"rows": "orders.csv", "columns": dict(ORDER_COLUMNS), **settings}


def write(folder, files):
    """Write files by name: text as UTF-8, bytes as they are, frames by the ending of the name."""
    for name, content in files.items():
        path = Path(folder, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, bytes):
            path.write_bytes(content)
        elif isinstance(content, str):
            path.write_text(content, encoding="utf-8")
        elif name.endswith(".xlsx"):
            content.to_excel(path, index=False)
        else:
            content.to_parquet(path, index=False)


def shop(folder, tables=None, files=None, **settings):
    """Write a shop and load its source file; without `tables`, four orders of three customers."""
    write(folder, {"orders.csv": ORDERS} if files is None else files)
    fields = {"name": "Shop", "time_zone": "UTC", "currency": "GBP"} | settings
    fields["tables"] = {"orders": orders_map()} if tables is None else tables
    path = Path(folder, "shop.yml")
    path.write_text(yaml.safe_dump(fields, sort_keys=False), encoding="utf-8")
    return sources.load(path)


def cut(source, as_of=AS_OF):
    """Map a source and return its tables as frames, sorted by all columns, and its counts."""
    tables, counts = snapshot.cut(source, as_of=as_of, con=CON)
    return {name: frame(table) for name, table in tables.items()}, counts


def frame(table):
    """Collect a table in the order of its columns."""
    return engine.collect(table.order_by(table.columns))


def parsed(source, name="orders"):
    """Read and parse one table of a source, judging nothing: much quicker than `cut`."""
    return frame(mapping.parsed_rows(mapping.plan(name, source), con=CON))


def judged(source, name, as_of=AS_OF):
    """Judge one table of a source and return its rows, with the underscores, and its counts."""
    made = mapping.plan(name, source)
    cutoff = clocks.end_of_day(as_of, source.zone)
    rows = judging.judged_rows(made, con=CON, cutoff=cutoff)
    return frame(rows), {name: quality.count(rows, made)}


def left_out(counts, table="orders"):
    """Return rows by reason, those in use left aside."""
    rows = counts[table].left_out.groupby("reason")["rows"].sum()
    return {reason: int(number) for reason, number in rows.items() if reason != "used"}


def times(values):
    """Return naive times as the snapshot holds them."""
    return [pd.Timestamp(value) for value in values]
