"""Check-in tests that the tests of designs share."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from retention_lab.experiments.design.allocation import to_one
from retention_lab.experiments.design.assumptions import Assumptions, dropout
from retention_lab.experiments.design.curve import from_days, still_there

# 60 % retained on day 90 without the check-in and 66 % with it; entry over 60 days.
PLAIN = Assumptions(baseline=still_there(0.6, day=90), entry=((60, 47),), follow_up_days=90)
HAZARD_RATIO = PLAIN.hazard_ratio(share=0.66, day=90)


def bent():
    """A curve that falls fast at first, and on some days not at all."""
    day = np.arange(0, 121, 10)
    share = [1, 0.8, 0.7, 0.7, 0.66, 0.63, 0.61, 0.6, 0.6, 0.58, 0.57, 0.56, 0.55]
    return from_days(pd.DataFrame({"day": day, "survival": share}))


DISTURBED = {
    "plain": PLAIN,
    "dropout": replace(PLAIN, dropout_per_day=dropout(0.2, days=90)),
    "late onset": replace(PLAIN, onset_delay_days=7.5),
    "contact": replace(PLAIN, contact_rate=0.7),
    "three to one": replace(PLAIN, allocation=to_one(3)),
    "steps": replace(PLAIN, entry=((10, 0), (24, 20), (70, 50))),
    "curve": replace(PLAIN, baseline=bent()),
    "three arms": replace(PLAIN, allocation=(0.4, 0.3, 0.3)),
    "all": Assumptions(
        baseline=bent(),
        entry=((14, 10), (28, 20), (90, 60)),
        follow_up_days=90,
        dropout_per_day=0.002,
        onset_delay_days=2,
        contact_rate=0.8,
        allocation=to_one(2),
    ),
}
