"""Tests that are planned, by hand: for what is recorded and said of them."""

from __future__ import annotations

import dataclasses
import datetime as dt

import pandas as pd

from retention_lab.experiments.believed import Belief, Believed
from retention_lab.experiments.design.assumptions import Assumptions
from retention_lab.experiments.design.curve import still_there
from retention_lab.experiments.design.sizing import Size
from retention_lab.experiments.history import History
from retention_lab.experiments.plan import Plan
from retention_lab.experiments.proposal import Proposal
from retention_lab.experiments.sizing import Sized

AS_OF = dt.date(2026, 11, 29)
FIELDS = {
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
    "starts": "2027-01-11",
    "ends": "2027-08-08",  # 210 days
    "endpoint": {"kind": "retained", "day": 90},
    "primary": {"smallest_effect": 0.03, "sides": 1, "alpha": 0.025},
    "assumptions": {"entry_per_day": 74, "contact_rate": 0.8, "baseline": 0.6},
}
THREE = [
    {"name": "control", "share": 0.4},
    {"name": "small", "share": 0.3, "message": "small"},
    {"name": "large", "share": 0.3, "message": "large"},
]
SIZE = Sized(
    needed=Size(customers=8_500, allocation=(0.5, 0.5)),
    enrol_days=115,
    weeks=29.3,
    planned=15_540,
    planned_weeks=42.9,
    power=0.94,
    detectable=0.022,
    inflation=1.0,
    baseline=0.6,
    target=0.63,
    hazard_ratio=0.9,
    why="",
)
BELIEFS = {  # what the plan says, and how wrong that may be
    "entry_per_day": (74.0, 55.5, 92.5),
    "baseline": (0.6, 0.55, 0.65),
    "contact_rate": (0.8, 0.6, 1.0),
    "dropout_per_day": (0.0, 0.0, 0.0006),
    "onset_days": (0.0, 0.0, 7.0),
}
EFFECTS = pd.DataFrame(
    {
        "effect": [0.03, 0.06],
        "share": [0.63, 0.66],
        "lift": [0.05, 0.1],
        "customers": [8_500, 2_100],
        "weeks": [29.3, 16.9],
        "of": ["plan", "double"],
    }
)
LOOKS = pd.DataFrame(
    {"look": [1, 2], "day": [182, 300], "stops_with": [0.62, 1.0], "stops_without": [0.3, 1.0]}
)


def plan(**changed):
    return Plan.model_validate({**FIELDS, **changed})


def history(**known):
    """Nothing is known, unless told."""
    return History(
        **{
            "as_of": AS_OF,
            "channel": "email",
            "milestone": "onboarding_completed",
            "endpoint": plan().endpoint,
            "coverage": 1.0,
            "weeks": pd.DataFrame({"week": [], "reached": [], "eligible": []}, dtype="int64"),
            "why": {},
            **known,
        }
    )


def believed(planned, seen):
    """What the plan says, but for what history has `seen`: (value, low, high) by name."""
    beliefs = tuple(_belief(planned, name, seen.get(name)) for name in BELIEFS)
    values = {belief.name: belief.value for belief in beliefs}
    kind, day = planned.endpoint.kind, planned.endpoint.day
    share = values["baseline"] if kind == "retained" else 1 - values["baseline"]
    assumptions = Assumptions(
        baseline=still_there(share, day=day),
        entry=((planned.days, values["entry_per_day"]),),
        follow_up_days=day,
        contact_rate=values["contact_rate"],
        allocation=tuple(arm.share for arm in planned.arms),
    )
    return Believed(endpoint=planned.endpoint, beliefs=beliefs, assumptions=assumptions)


def _belief(planned, name, seen):
    said = getattr(planned.assumptions, name)
    value, low, high = BELIEFS[name] if seen is None else seen
    if seen is None and said is not None:
        value = said
    return Belief(
        name=name,
        value=value,
        low=min(low, value),
        high=max(high, value),
        source="plan" if seen is None else "history",
        planned=said,
        why="As it was.",
    )


def wrong(*, contact=15_300.0):
    """A test needs so many customers if fewer are reached; all else matters little."""
    return pd.DataFrame(
        {
            "assumption": ["entry_per_day", "contact_rate"],
            "low": [55.5, 0.6],
            "value": [74.0, 0.8],
            "high": [92.5, 1.0],
            "customers_low": [8_500.0, contact],
            "customers": [8_500.0, 8_500.0],
            "customers_high": [8_500.0, 5_400.0],
        }
    )


def proposed(*, seen=None, size=None, unknown=(), why=None, parts=None, **fields):
    """A plan with other `fields` and `size`; `parts` are of the proposal, `seen` of its history."""
    planned = plan(**fields)
    held = believed(planned, seen or {})
    sized = dataclasses.replace(SIZE, baseline=held.beliefs[1].value, **(size or {}))
    whole = Proposal(
        as_of=AS_OF,
        currency="GBP",
        plan=planned,
        unknown=tuple(unknown),
        why=why or {},
        history=history(customers=900 if seen else 0),
        believed=held,
        sized=sized,
        effects=EFFECTS,
        wrong=wrong(),
    )
    return dataclasses.replace(whole, **(parts or {}))
