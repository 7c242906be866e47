"""What happened to each customer within some days of a time zero of their own.

What happens in the very second of time zero is before it; what happens when the days are over, or
later, counts no more and is not known here either: an answer to a ticket of the last day that came
after it is no answer. So a figure stays what it is, however much later it is computed.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import cast

import ibis
import ibis.expr.types as ir

from retention_lab.tables.contracts import CONTRACTS, TableName
from retention_lab.tables.snapshot import Snapshot

UNTIL = "_until"  # the column of people that says when the days of each are over


@dataclass(frozen=True, kw_only=True)
class Window:
    """What happened to `people` (`customer_id`, `reached_at`, `_until`) within their days."""

    shop: Snapshot
    people: ir.Table

    def table(self, name: TableName, *, time: str = "") -> ir.Table:
        """A canonical table as known at the end of each customer's days, its rows within them.

        `time` is the column that must lie in the window, if not the table's own. A message sent in
        the very second of time zero is one of those that follow it.
        """
        contract, table = CONTRACTS[name], getattr(self.shop, name)
        time = time or contract.time
        whose = self.people.select(_whose="customer_id", _zero="reached_at", _until=UNTIL)
        at, zero, until = table[time], whose["_zero"], whose["_until"]
        begun = at >= zero if time == "sent_at" else at > zero
        # All in the join: so several outcomes of one table share its few rows, not all of them.
        inside = table.inner_join(whose, [table.customer_id == whose["_whose"], begun, at < until])
        later = {
            each.name: each.name if each.later_known else each.known_with
            for each in contract.columns
            if (each.later_known or each.known_with) and each.name in table.columns
        }
        return inside.mutate(
            **{
                column: (inside[known] < inside["_until"]).ifelse(inside[column], ibis.null())
                for column, known in later.items()
            }
        ).select(*table.columns)

    @property
    def whole(self) -> Snapshot:
        """The shop with nothing in it but what happened within the days."""
        tables = {
            name: self.table(cast("TableName", name)) if "customer_id" in table.columns else table
            for name, table in self.shop.tables.items()
        }
        return replace(self.shop, tables=tables)
