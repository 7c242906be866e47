"""What is claimed of a test that is read, part by part."""

from __future__ import annotations

from retention_lab.experiments.readout import Readout
from retention_lab.record import effects, looking, measured, subgroups, validity, verdict
from retention_lab.record.ledger import Ledger


def record(ledger: Ledger, seen: Readout) -> None:
    """Record all that sentences of a read-out name; of an effect only what may be shown."""
    for part in (validity, looking, effects, verdict, measured, subgroups):
        part.record(ledger, seen)
