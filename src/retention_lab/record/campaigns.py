"""What is claimed of messages: who clicked, ordered and opened, by value cohort.

What rests on fewer than `SMALL` customers, or would tell of as few, is not recorded; the sentences
of `wording` say so in its place.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from retention_lab.customers.campaigns import WITHIN
from retention_lab.inference.interval import Interval
from retention_lab.record.ledger import Ledger
from retention_lab.record.small import SMALL, few, splits

_LABELS = {
    "click": "clicked a message",
    "conversion": "ordered after a message",
    "open": "opened a message, machines included",
}
_DID = {
    "click": "clicked it",
    "conversion": "ordered, as whoever sends the messages counts it,",
    "open": "opened it, or whose mail program did,",
}


def named(rate: str, cohort: str) -> str:
    """Name the claim about a rate of a cohort."""
    return f"messages_{rate}:{cohort}"


def shown(frame: pd.DataFrame) -> pd.DataFrame:
    """Keep the rows of `customers.campaigns.rates` that may be shown.

    Whoever orders has mostly clicked, and whoever clicks has opened: so of two rates of a cohort
    that are a few customers apart, the one that ranks lower goes; likewise where few got a message
    by a channel that tells only one of them.
    """
    kept: list[bool] = []
    seen: dict[str, list[tuple[int, int]]] = {}
    for row in frame.to_dict("records"):
        did, delivered, others = row["did"], row["delivered"], seen.setdefault(row["group"], [])
        small = delivered < SMALL or splits(delivered, row["customers"]) or splits(did, delivered)
        near = any(few(abs(did - one)) or few(abs(delivered - of)) for one, of in others)
        kept.append(not (small or near))
        others += [(did, delivered)] if kept[-1] else []
    return frame[np.array(kept, dtype=bool)]


def record(ledger: Ledger, frame: pd.DataFrame, *, within: int = WITHIN) -> None:
    """Record the share of each cohort that responded within so many days of delivery.

    `frame` is what `customers.campaigns.rates` gave.
    """
    for row in shown(frame).to_dict("records"):
        ledger.record(
            named(row["rate"], row["group"]),
            Interval(value=row["share"], low=row["low"], high=row["high"]),
            unit="share",
            n=row["delivered"],
            about=row["group"],
            label=f"{row['group']}: {_LABELS[row['rate']]}",
            definition=(
                f"Customers who {_DID[row['rate']]} within {within} days, of all to whom a message "
                "was delivered; each with the first one only. Wilson's interval."
            ),
        )
