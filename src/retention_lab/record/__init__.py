"""The ledger of claims, and what each report writes into it."""

from __future__ import annotations

from retention_lab.record.ledger import (
    BEFORE,
    SMALL,
    Claim,
    Ledger,
    Unit,
    Words,
    headed,
    money,
    percent,
)

__all__ = ["BEFORE", "SMALL", "Claim", "Ledger", "Unit", "Words", "headed", "money", "percent"]
