"""What a test could be instead, by hand: for tests of what is said and drawn of it."""

from __future__ import annotations

import datetime as dt
from math import nan

import pandas as pd

from retention_lab.experiments.lookahead import FAMILIES
from retention_lab.experiments.plan import Plan

PLAN = Plan.model_validate(
    {
        "name": "check_in",
        "title": "Check-in",
        "owner": "Lifecycle Marketing",
        "hypothesis": "A check-in keeps more customers.",
        "milestone": "onboarding_completed",
        "channel": "email",
        "arms": [
            {"name": "control", "share": 0.5},
            {"name": "check-in", "share": 0.5, "message": "next_step"},
        ],
        "starts": "2027-01-01",
        "ends": "2027-07-29",  # 210 days
        "endpoint": {"kind": "retained", "day": 90},
        "primary": {"smallest_effect": 0.03, "sides": 1, "alpha": 0.025},
        "looks": {
            "information": [0.25, 0.5, 0.75, 1],
            "futility": {"family": "O'Brien-Fleming"},
        },
        "assumptions": {"entry_per_day": 74, "baseline": 0.6},
    }
)
EFFECTS = pd.DataFrame(
    [
        (0.01, 0.61, 1 / 60, 136_444, 276.3, ""),
        (0.015, 0.615, 0.025, 60_530, 129.7, ""),
        (0.03, 0.63, 0.05, 15_042, 41.9, "plan"),
        (0.03, 0.63, 0.05, 15_042, 41.9, "trade"),
        (0.06, 0.66, 0.1, 3_710, 20.0, "double"),
        (0.09, 0.69, 0.15, 1_622, 16.0, "trade"),
    ],
    columns=["effect", "share", "lift", "customers", "weeks", "of"],
)
CALENDAR = pd.DataFrame(
    {
        "day": [50, 100, 200, 240, 280, 300],
        "on": [dt.date(2026, 12, 31) + dt.timedelta(days=n) for n in (50, 100, 200, 240, 280, 300)],
        "entered": [3_700.0, 7_400.0, 14_800.0, 15_540.0, 15_540.0, 15_540.0],
        "events": [450.0, 1_660.0, 4_400.0, 5_500.0, 5_800.0, 5_900.0],
        "power": [0.0, 0.24, 0.70, 0.81, 0.85, 0.86],
        "matured": [0.0, 0.1, 0.58, 0.72, 0.82, 0.85],
        "look": [False, True, True, False, False, True],
    }
)
ALLOCATIONS = pd.DataFrame(
    [(0.2, 23_665, 58.5, 18_932), (0.5, 15_042, 41.9, 7_521), (0.8, 23_343, 57.9, 4_669)],
    columns=["control", "customers", "weeks", "messages"],
)
LOOKS = pd.DataFrame(
    {
        "look": [1, 2, 3],
        "day": [113, 161, 300],
        "on": [dt.date(2027, 4, 23), dt.date(2027, 6, 10), dt.date(2027, 10, 27)],
        "information": [0.25, 0.5, 1.0],
        "upper": [4.33, 2.96, 2.01],
        "smallest": [0.084, 0.041, 0.02],
        "futility": [-0.016, 0.009, 0.02],
        "stops_with": [0.012, 0.272, 1.0],
        "stops_without": [0.206, 0.734, 1.0],
    }
)
ONE_LOOK = LOOKS.tail(1).assign(look=1, futility=nan).reset_index(drop=True)
FAMILY_ROWS = pd.DataFrame(
    [
        (1, FAMILIES[0], 1.0, 13_256, 38.4, 38.4, 38.4),
        (1, FAMILIES[1], 1.0, 13_256, 38.4, 38.4, 38.4),
        (3, FAMILIES[0], 1.104, 14_638, 41.1, 32.3, 24.6),
        (3, FAMILIES[1], 1.384, 18_350, 48.3, 29.3, 23.9),
        (4, FAMILIES[0], 1.135, 15_042, 41.9, 30.8, 23.8),
        (4, FAMILIES[1], 1.442, 19_114, 49.8, 28.3, 22.5),
    ],
    columns=[
        *("looks", "family", "inflation", "customers", "weeks_most"),
        *("weeks_with", "weeks_without"),
    ],
)
