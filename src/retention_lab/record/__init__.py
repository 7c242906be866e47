"""The ledger of claims, and what each report writes into it."""

from __future__ import annotations

from retention_lab.record.ledger import Claim, Ledger, Unit, money

__all__ = ["Claim", "Ledger", "Unit", "money"]
