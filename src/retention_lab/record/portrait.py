"""What is claimed of who the customers are, what they are worth, and what messages brought."""

from __future__ import annotations

from retention_lab.customers.portrait import Portrait
from retention_lab.record import campaigns, rising, segments, worth
from retention_lab.record.ledger import Ledger


def record(ledger: Ledger, seen: Portrait) -> None:
    """Record all that the sentences of a portrait name."""
    segments.record(
        ledger,
        seen.standing,
        seen.cohorts,
        seen.flows,
        moves=seen.moves,
        usual=seen.usual,
        review=seen.review,
    )
    worth.record(ledger, seen.worth)
    rising.record(ledger, seen.rising)
    campaigns.record(ledger, seen.messages)
    if not seen.standing.frozen and "segments_customers" in ledger:
        ledger.kept["thresholds"] = seen.standing.thresholds.model_dump(mode="json")
