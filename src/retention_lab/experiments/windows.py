"""What happened to each customer within some days of a time zero of their own.

What happens in the very second of time zero is before it; what happens when the days are over, or
later, counts no more and is not known here either: an answer to a ticket of the last day that came
after it is no answer. So a figure stays what it is, however much later it is computed. The same
holds of as many days before time zero, which end with it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import cast

import ibis
import ibis.expr.types as ir

from retention_lab.tables.contracts import CONTRACTS, TableName
from retention_lab.tables.snapshot import Snapshot

BEFORE = "_before"  # the column of rows that says whether they lie before time zero


@dataclass(frozen=True, kw_only=True)
class Window:
    """What happened to `people` within their days, and in those before from `_since` on.

    `people` has one row per customer: `_whose`, `_since` (their time zero where nothing `before` is
    asked), `_zero`, `_until`, and `keys`, which stay beside every row.
    """

    shop: Snapshot
    people: ir.Table
    keys: tuple[str, ...]
    before: bool

    def table(self, name: TableName, *, time: str = "") -> ir.Table:
        """A canonical table as known at the end of each customer's days, its rows within them.

        `time` is the column that must lie in the window, if not the table's own. A message sent in
        the very second of time zero is one of those that follow it. To the columns of the table
        `keys` and `_before` are added. Both windows are one pass, as finding whose a row is takes
        longer than all that is done with it.
        """
        contract, table, whose = CONTRACTS[name], getattr(self.shop, name), self.people
        time = time or contract.time
        at, since, zero = table[time], whose["_since"], whose["_zero"]
        begun = [at >= since] if time == "sent_at" else [at > since, at != zero]
        match = [table.customer_id == whose["_whose"], at < whose["_until"], *begun]
        inside = table.inner_join(whose, match).mutate(**{BEFORE: at < zero})
        end = inside[BEFORE].ifelse(inside["_zero"], inside["_until"])
        later = {
            each.name: each.name if each.later_known else each.known_with
            for each in contract.columns
            if (each.later_known or each.known_with) and each.name in table.columns
        }
        return inside.mutate(
            **{
                column: (inside[known] < end).ifelse(inside[column], ibis.null())
                for column, known in later.items()
            }
        ).select(*table.columns, *self.keys, BEFORE)

    def whole(self, *, before: bool) -> Snapshot:
        """The shop with nothing in it but what happened within the days, or in those before."""
        tables = dict(self.shop.tables)
        for name, table in tables.items():
            if "customer_id" in table.columns:
                rows = self.table(cast("TableName", name))
                own = rows.filter(rows[BEFORE] if before else ~rows[BEFORE])
                tables[name] = own.select(*table.columns)
        return replace(self.shop, tables=tables)
