"""Rates of messages for the tests of what is recorded, said and drawn of them."""

from __future__ import annotations

import pandas as pd

from retention_lab.customers.campaigns import COLUMNS, RATES
from retention_lab.inference.proportions import wilson

BANDS = {"click": (0.04, 0.09), "conversion": (0.03, 0.07), "open": (0.25, 0.40)}


def rates_of(*, bands=BANDS, **cohorts):
    """Rates by cohort, each of (customers, delivered, clicked, ordered, opened); blanks as `_`."""
    rows = [
        (name.replace("_", " "), rate, customers, delivered, did, *bands.get(rate, (None, None)))
        for name, (customers, delivered, *each) in cohorts.items()
        for rate, did in zip(RATES, each, strict=True)
    ]
    names = [name for name in COLUMNS if name not in ("share", "low", "high")]
    frame = pd.DataFrame(rows, columns=names)
    frame = frame.astype(dict.fromkeys(("band_low", "band_high"), "Float64"))
    return frame.join(wilson(frame["did"], frame["delivered"]))[list(COLUMNS)]
