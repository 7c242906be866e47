"""A campaign of three arms, two of which are sent a message, and what each customer did."""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd

from .trial import DAY, ZERO, plan_of, shop_of

NONE, MEN, WOMEN = "none", "men", "women"
ARMS = [
    {"name": NONE, "share": 0.3334},
    {"name": MEN, "share": 0.3333, "message": "men"},
    {"name": WOMEN, "share": 0.3333, "message": "women"},
]
VISIT = {NONE: 0.10, MEN: 0.30, WOMEN: 0.22}
ORDER = {NONE: 0.03, MEN: 0.10, WOMEN: 0.06}


def planned(arms=ARMS, **more):
    return plan_of(arms=arms, endpoint={"kind": "returned", "day": 14}, **more)


@cache
def frames(customers=3_000, seed=20261123):
    """People, and tables of what they did a day or two after time zero."""
    rng = np.random.default_rng(seed)
    ids = np.array([f"c{number}" for number in range(customers)])
    people = pd.DataFrame(
        {"customer_id": ids, "arm": rng.choice([NONE, MEN, WOMEN], customers), "reached_at": ZERO}
    )
    visits, orders = (people["arm"].map(did) > rng.random(customers) for did in (VISIT, ORDER))
    sent = people.loc[people["arm"] != NONE, ["customer_id"]].assign(sent_at=ZERO)
    gone = {"opened_at": 0.4, "clicked_at": 0.15, "converted_at": 0.05, "unsubscribed_at": 0.04}
    for did, rate in gone.items():
        at = pd.Series(ZERO + DAY, sent.index)
        sent[did] = at.where(rng.random(len(sent)) < rate)
    return {
        "people": people,
        "events": people.loc[visits, ["customer_id"]].assign(event="visit", occurred_at=ZERO + DAY),
        "orders": people.loc[orders, ["customer_id"]].assign(
            ordered_at=ZERO + 2 * DAY, amount=rng.integers(500, 20_000, orders.sum())
        ),
        "messages": sent,
    }


@cache
def shop():
    """The shop with all its tables, and its people."""
    return mailed()


def mailed(*, without=(), **tables):
    """The shop and its people in the engine, some tables left out or changed."""
    made = frames() | tables
    return shop_of(**{name: rows for name, rows in made.items() if name not in without})
