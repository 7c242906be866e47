"""A shop of members, drawn at random, with events, consents and a playbook for its lists."""

from __future__ import annotations

import datetime as dt

import ibis
import numpy as np
import pandas as pd
import pyarrow as pa

from retention_lab.tables import frames, snapshot
from retention_lab.tables.playbook import (
    Attribute,
    Churn,
    Milestone,
    Play,
    Playbook,
    Score,
    Support,
)

from . import shops

AS_OF = dt.date(2025, 6, 30)
BEGIN = pd.Timestamp("2024-01-01")
REVIEWED = {"owner": "Customer Success", "review_by": dt.date(2027, 1, 31)}
FACTORS = (
    Milestone(name="onboarding", label="Onboarding", event="onboarded"),
    Attribute(name="channel", label="Channel", column="channel"),
    Support(name="support", label="Latest ticket"),  # of which the shop has none
)
PLAYS = (
    Play(name="answer", play="Answer", when={"support": ("waiting",)}, **REVIEWED),
    Play(name="finish", play="Finish it together", when={"onboarding": ("not yet",)}, **REVIEWED),
    Play(name="check_in", play="Check in", **REVIEWED),
)


def book(**score):
    """A playbook; what is said here is its score."""
    said = Score(**{"capacity": 100, **score})
    return Playbook(churn=Churn(factors=FACTORS), plays=PLAYS, score=said, **REVIEWED)


def tables(seed=1, *, customers=1500):
    """Draw members: no onboarding and the channel "ads" go with leaving; consents come and go."""
    rng = np.random.default_rng(seed)
    ids = np.array([f"m{number:05d}" for number in rng.permutation(customers)])
    started = BEGIN + pd.to_timedelta(rng.uniform(0, 500, customers), unit="D").floor("s")
    onboarded, ads = rng.random(customers) < 0.6, rng.random(customers) < 0.4
    rate = 0.002 * np.where(onboarded, 1.0, 2.0) * np.where(ads, 1.8, 1.0)
    ended = started + pd.to_timedelta(rng.exponential(1 / rate), unit="D").floor("s")
    end = pd.Timestamp(AS_OF) + pd.Timedelta(days=1)
    consent = {"customer_id": ids, "channel": "email", "valid_from": started, "granted": True}
    withdrawn = pd.DataFrame({**consent, "granted": False}).sample(frac=0.2, random_state=seed)
    withdrawn["valid_from"] += pd.Timedelta(days=20)
    return {
        "customers": pd.DataFrame(
            {
                "customer_id": ids,
                "signed_up_at": started,
                "channel": np.where(ads, "ads", "search"),
            }
        ),
        "subscriptions": pd.DataFrame(
            {
                "customer_id": ids,
                "started_at": started,
                "cancelled_at": pd.Series(ended).where(ended < end),
                "cancel_reason": pd.Series("voluntary", index=range(customers)).where(ended < end),
            }
        ),
        "events": pd.DataFrame({"customer_id": ids, "event": "onboarded", "occurred_at": started})[
            onboarded
        ],
        "consents": pd.concat([pd.DataFrame(consent), withdrawn], ignore_index=True),
    }


def shop(rows, *, as_of=AS_OF, name="Members"):
    """A snapshot as far as lists look at it; consents are as they are, none is of a later day."""
    made = shops.shop({table: rows[table] for table in rows if table != "consents"}, as_of)
    consents = ibis.memtable(pa.Table.from_pandas(rows["consents"], preserve_index=False))
    made.tables["consents"] = made.consents = consents
    made.name = name
    return made


def snapshot_of(rows, *, as_of=AS_OF):
    """The snapshot itself."""
    source = frames.source_of(
        rows,
        name="Members",
        time_zone="UTC",
        currency="GBP",
        settings={"business_time_zone": "Europe/London", "complete_to": AS_OF},
    )
    return snapshot.take(source, as_of=as_of)
