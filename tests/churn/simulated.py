"""Made-up landmark tables of which the truth is known."""

from __future__ import annotations

import numpy as np
import pandas as pd

from retention_lab.tables.playbook import Attribute, Milestone

ONBOARDING = Milestone(name="onboarding", label="Onboarding", event="onboarding_completed")
PLAN = Attribute(name="plan", label="Plan", column="plan")
FACTORS = (ONBOARDING, PLAN)
EFFECTS = {"reached": np.log(0.6), "plus": np.log(1.8)}  # log hazard ratios
RATE = 0.003  # a day, of "not yet" with "basic"
HORIZON = 90


def chance(frame, *, rate=RATE, days=HORIZON):
    """The truth: the chance to be without the event after some days."""
    log_ratio = sum(
        effect * (frame[name] == state)
        for name, (state, effect) in zip(("onboarding", "plan"), EFFECTS.items(), strict=True)
    )
    return np.exp(-rate * days * np.exp(log_ratio))


def customers(rng, n):
    """States of some customers."""
    return pd.DataFrame(
        {
            "onboarding": np.where(rng.random(n) < 0.5, "reached", "not yet"),
            "plan": np.where(rng.random(n) < 0.4, "plus", "basic"),
        }
    )


def window(rng, landmark, n, *, rate=RATE, horizon=HORIZON):
    """One row per customer of one landmark: an exponential time, whole days from 1 on."""
    frame = customers(rng, n)
    time = rng.exponential(size=n) / (-np.log(chance(frame, rate=rate, days=1)))
    seen = time < horizon
    day = np.where(seen, np.floor(time) + 1, horizon).astype("int64")
    return frame.assign(landmark=pd.Timestamp(landmark), day=day, event_observed=seen, weight=1)


def landmarks(rng, *, periods=4, n=1_000, spread=0.0, last="2026-08-31"):
    """Windows one horizon apart, collapsed; `spread` is the deviation of the log of their rates."""
    days = pd.date_range(end=last, periods=periods, freq=f"{HORIZON}D")
    rates = RATE * np.exp(spread * rng.standard_normal(periods))
    rows = pd.concat(window(rng, day, n, rate=rate) for day, rate in zip(days, rates, strict=True))
    return collapsed(rows)


def collapsed(rows):
    """Add up equal rows."""
    names = [name for name in rows.columns if name != "weight"]
    return rows.groupby(names, as_index=False)["weight"].sum()


def people(rng, n):
    """Today's customers, collapsed."""
    return collapsed(customers(rng, n).assign(weight=1))
