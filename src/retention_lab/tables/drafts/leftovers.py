"""Which rows of an export are no orders: totals below the table, and what was cancelled."""

from __future__ import annotations

from collections.abc import Mapping

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
    named = [found[role] for role in ("order_id", "customer_id", "ordered_at") if role in found]
    empty = " and ".join(f"{text(raw)} = ''" for raw in named)
    label = " or ".join(
        f"regexp_matches(lower({text(raw)}), '{_TOTALS}')"
        for raw in dict.fromkeys([group.columns[0], *named])
    )
    found_rules = [{"reason": TOTAL, "where": f"{label} or ({empty})"}]
    status = questions.pick(group, "status", talk=talk)
    counted = profiling.values(group.tables, status) if status else {}
    gone = [word for word in counted if word.lower() in _CANCELLED]
    if status and gone:
        words = ", ".join(f"'{word}'" for word in gone)
        found_rules.append({"reason": CANCELLED, "where": f"{text(status)} in ({words})"})
    return {"leave_out": found_rules}


def text(raw: str) -> str:
    """Word a column as trimmed text, empty where missing."""
    quoted = '"' + raw.replace('"', '""') + '"'
    return f"coalesce(trim(cast({quoted} as varchar)), '')"


def both(first: str, second: str) -> str:
    """Word a key made of two columns."""
    return f"{text(first)} || ' ' || {text(second)}"
