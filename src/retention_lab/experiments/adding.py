"""Both sides of several outcomes, added up over customers in one query."""

from __future__ import annotations

from collections.abc import Sequence

import ibis.expr.types as ir
import pandas as pd

from retention_lab.customers.measures import sum_of_products
from retention_lab.tables import engine

GROUPS = 100_000  # rows of moments at most
SEEN = "_seen"  # 1 of whoever was followed for so long, else 0
SUMS = ("sum_y", "sum_yy", "sum_x", "sum_xx", "sum_xy", "counted", "did")


def collected(marked: ir.Table, added: Sequence[ir.Table], *, by: Sequence[str]) -> pd.DataFrame:
    """Put both sides of each outcome beside everybody, and add up; `sum_y:1` is of the second."""
    joined = marked
    for i, each in enumerate(added):
        renamed = each.rename({f"{name}:{i}": name for name in each.columns})
        joined = joined.left_join(renamed, joined.customer_id == renamed[f"customer_id:{i}"])
    rows = joined.select(
        *by,
        SEEN,
        **{
            f"{side}:{i}": joined[f"{side}:{i}"].fill_null(0)
            if side in each.columns
            else joined[SEEN]
            for i, each in enumerate(added)
            for side in ("y", "x")
        },
    )
    sums = rows.aggregate(
        by=list(by),
        customers=rows[SEEN].sum().fill_null(0),
        left_out=(1 - rows[SEEN]).sum().fill_null(0),
        **{
            f"{part}:{i}": value
            for i in range(len(added))
            for part, value in _sums(rows[f"y:{i}"], rows[f"x:{i}"]).items()
        },
    )
    found = engine.collect(sums, max_rows=GROUPS)
    return found.sort_values(list(by), ignore_index=True) if by else found


def _sums(y: ir.IntegerColumn, x: ir.IntegerColumn) -> dict[str, ir.Scalar]:
    return {
        "sum_y": y.sum().fill_null(0),
        "sum_yy": sum_of_products(y, y),
        "sum_x": x.sum().fill_null(0),
        "sum_xx": sum_of_products(x, x),
        "sum_xy": sum_of_products(x, y),
        "counted": ((y != 0) | (x != 0)).sum().fill_null(0),
        "did": (y != 0).sum().fill_null(0),
    }
