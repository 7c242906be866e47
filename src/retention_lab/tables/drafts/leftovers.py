"""Which rows of an export are no orders: totals below the table, and what was cancelled.

Only what is there is worded, so that a person can read the rule and next week's export meets it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from retention_lab.tables.drafts import profiling, questions
from retention_lab.tables.drafts.questions import Group, Talk

TOTAL, CANCELLED = "total row", "cancelled"

_TOTALS = "^(grand ?|sub)?(total|totals|totale|totaal|summe|gesamt|gesamtsumme|somme|suma|sum):?$"
_CANCELLED = (
    "cancelled", "canceled", "voided", "failed", "storniert", "abgebrochen", "annul\u00e9",
    "annul\u00e9e", "annule", "cancelado", "cancelada", "anulado", "geannuleerd", "annullato",
)  # fmt: skip


def rules(group: Group, found: Mapping[str, str], *, talk: Talk) -> dict[str, object]:
    """Word which rows are no orders: totals below the table, and what was cancelled."""
    totals = _totals(group, found)
    rules = [{"reason": TOTAL, "where": totals}] if totals else []
    status = questions.pick(group, "status", talk=talk)
    counted = profiling.values(group.tables, status) if status else {}
    gone = [word for word in counted if word.lower() in _CANCELLED]
    if status and gone:
        rules.append({"reason": CANCELLED, "where": _is_one_of(status, gone)})
    return {"leave_out": rules} if rules else {}


def _totals(group: Group, found: Mapping[str, str]) -> str:
    """Word the rows that are called a total, and those with neither a key nor a time, if any."""
    named = [found[role] for role in ("order_id", "customer_id", "ordered_at") if role in found]
    pair = [named[0], named[-1]]
    rows = profiling.unlike_orders(group.tables, [group.columns[0], *named], _TOTALS, empty=pair)
    labels: dict[str, list[str]] = {}
    for row in rows:
        for name, cell in row.items():
            # Somebody may be called Total: then the row is whole.
            if _is_total(cell) and not all(row[each] for each in named):
                labels.setdefault(name, []).append(cell)
    parts = [_is_one_of(name, list(dict.fromkeys(cells))) for name, cells in labels.items()]
    if any(not any(map(_is_total, row.values())) for row in rows):
        parts.append(" and ".join(_is_empty(group, name) for name in dict.fromkeys(pair)))
    return " or ".join(parts)


def _is_total(cell: str) -> bool:
    return re.search(_TOTALS, cell.lower()) is not None


def _is_one_of(raw: str, words: Sequence[str]) -> str:
    quoted = ["'" + word.replace("'", "''") + "'" for word in words]
    among = f"= {quoted[0]}" if len(quoted) == 1 else f"in ({', '.join(quoted)})"
    return f"trim({_name(raw)}) {among}"


def _is_empty(group: Group, raw: str) -> str:
    if all(layout.is_text(raw) for layout in group.layouts):
        return f"coalesce(trim({_name(raw)}), '') = ''"
    return f"{_name(raw)} is null"


def _name(raw: str) -> str:
    return '"' + raw.replace('"', '""') + '"'


def text(raw: str) -> str:
    """Word a column as trimmed text, empty where missing."""
    return f"coalesce(trim(cast({_name(raw)} as varchar)), '')"


def both(first: str, second: str) -> str:
    """Word a key made of two columns."""
    return f"{text(first)} || ' ' || {text(second)}"
