"""The ledger of claims, and what each report writes into it."""

from __future__ import annotations

from retention_lab.record.ledger import (
    BEFORE,
    Claim,
    Ledger,
    Unit,
    Words,
    headed,
    money,
    percent,
    signed,
)
from retention_lab.record.small import SMALL

__all__ = [
    "BEFORE",
    "SMALL",
    "Claim",
    "Ledger",
    "Unit",
    "Words",
    "headed",
    "money",
    "percent",
    "signed",
]
