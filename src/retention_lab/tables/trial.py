"""A check-in test of the simulated shop with a known effect: who enters, and who is sent what.

Where a shop has no such milestone, nobody enters.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from retention_lab import checks
from retention_lab.tables import messages
from retention_lab.tables.drawing import DAY, Ints, named, times
from retention_lab.tables.messages import Post, consenting, moments, places
from retention_lab.tables.newsletter import Letter, Readers

MEANS = (
    "Check-in test on members who reach the milestone between two days, when they consent to the "
    "channel: name and digest of its plan; share who are sent the check-in, all others nothing; "
    "factor on the hazard of cancelling by choice, from so many days after the milestone on, of "
    "those whom it reaches, and share of those sent whom it does; shares of these that humans "
    "open and click and that the mail program claims an order for (none was added for it); share "
    "of customers whose mail program opens each by itself; days after delivery in which a "
    "withdrawn consent is an unsubscription (none was added for it); pence each."
)
DIGEST = "8c3b18832b20abaac86c60dff8d9d59602be884fac779d7bf143f4419e5c8603"
ARMS = ("control", "check-in")
STAGE = "check_in_next_step"
ENTRY, SENDING = 20, 9  # hours of the day, UTC: who is new enters, and is sent the check-in
SCHEMA = pa.schema(
    {
        "experiment": pa.string(),
        "customer_id": pa.string(),
        "arm": pa.string(),
        "stratum": pa.string(),
        "time_zero": pa.timestamp("us"),
        "assigned_at": pa.timestamp("us"),
        "plan_digest": pa.string(),
    }
)


@dataclass(frozen=True, kw_only=True)
class Trial:
    """A check-in test, with its planted effect; `MEANS` says what each of its parameters is.

    Raises
    ------
    BadParameter
        If it ends before it begins, or a share or the factor cannot be.
    """

    name: str = "demo_check_in"
    plan_digest: str = DIGEST
    milestone: str = "onboarding_completed"
    begin: date = date(2025, 10, 13)
    end: date = date(2026, 6, 28)
    channel: str = "email"
    treated: float = 0.5
    hazard_ratio: float = 0.58
    onset_days: float = 3.0
    contact_rate: float = 0.9
    open: float = 0.45
    click: float = 0.12
    conversion: float = 0.04
    machine_share: float = 0.30
    unsubscribe_days: int = 7
    cost: int = 35

    def __post_init__(self) -> None:
        if self.end < self.begin:
            raise checks.BadParameter(f"A test cannot end on {self.end} and begin on {self.begin}.")
        checks.share("check_in.treated", self.treated)
        checks.at_least("check_in.hazard_ratio", self.hazard_ratio, 1e-6)
        checks.at_least("check_in.onset_days", self.onset_days, 2)  # it is sent by then
        _ = self.letter

    @property
    def letter(self) -> Letter:
        """The message and what comes of it, whatever the customer has bought."""
        group = Readers(orders=0, open=self.open, click=self.click, conversion=self.conversion)
        return Letter(
            campaign=self.name,
            channel=self.channel,
            delivered=self.contact_rate,
            readers=(group,),
            machine_share=self.machine_share,
            unsubscribe_days=self.unsubscribe_days,
            cost=self.cost,
        )


@dataclass(frozen=True, kw_only=True)
class Ran:
    """What the test did: two tables, and when it sets in for each customer of the block."""

    assignments: pa.Table
    messages: pa.Table
    eased: Ints  # the end for those whom no check-in reaches


def run(rng: np.random.Generator, test: Trial, shop: Mapping[str, pa.Table], *, end: int) -> Ran:
    """Run the test on a block of customers, of whom `shop` tells how they behave without it.

    A member enters at the first `ENTRY` hour after the milestone, unless the membership or the
    consent has ended by then, and is sent the check-in on the next day on the same condition.
    """
    ids = shop["customers"]["customer_id"]
    zero, enters = _reached(test, shop, end=end)
    since, until = consenting(shop["consents"], test.channel, ids=ids, end=end)
    joined, left = _membership(shop["subscriptions"], ids=ids, end=end)
    stays = np.minimum(until, left)
    begin, last = ((day - date(1970, 1, 1)).days for day in (test.begin, test.end))
    in_time = (begin * DAY <= zero) & (enters < min((last + 1) * DAY, end))
    who = np.flatnonzero(in_time & (np.maximum(since, joined) <= zero) & (enters < stays))
    arm = (rng.random(len(ids)) < test.treated).astype(np.int64)[who]
    sent = enters[who] // DAY * DAY + DAY + SENDING * 3_600
    to = (arm == 1) & (sent < np.minimum(stays[who], end))
    post = Post(
        who=who[to],
        sent=sent[to],
        bought=np.zeros_like(who[to]),
        until=until[who[to]],
        stage=named([STAGE], np.zeros_like(who[to])),
    )
    letters = messages.posted(rng, test.letter, post, ids=ids, end=end)
    reached = post.who[letters["delivered_at"].is_valid().to_numpy()]
    eased = np.full(len(ids), end)
    eased[reached] = zero[reached] + round(test.onset_days * DAY)
    rows = pa.table(
        {
            "experiment": named([test.name], np.zeros_like(who)),
            "customer_id": ids.take(pa.array(who)),
            "arm": named(ARMS, arm),
            "stratum": shop["customers"]["country"].take(pa.array(who)),
            "time_zero": times(zero[who], end=end),
            "assigned_at": times(enters[who], end=end),
            "plan_digest": named([test.plan_digest], np.zeros_like(who)),
        },
        schema=SCHEMA,
    )
    return Ran(assignments=rows, messages=letters, eased=eased)


def _reached(test: Trial, shop: Mapping[str, pa.Table], *, end: int) -> tuple[Ints, Ints]:
    """Return when each customer reached the milestone, and the first `ENTRY` hour since."""
    ids = shop["customers"]["customer_id"]
    events = shop["events"].filter(pc.equal(shop["events"]["event"], test.milestone))
    zero = np.full(len(ids), end)
    np.minimum.at(zero, places(events, ids), moments(events["occurred_at"]))
    hour = ENTRY * 3_600
    return zero, -(-(zero - hour) // DAY) * DAY + hour


def _membership(subscriptions: pa.Table, *, ids: pa.ChunkedArray, end: int) -> tuple[Ints, Ints]:
    """Return from when until when each customer is a member, the end for never."""
    who = places(subscriptions, ids)
    joined, left = np.full(len(ids), end), np.full(len(ids), end)
    joined[who] = moments(subscriptions["started_at"])
    ended = subscriptions["cancelled_at"].is_valid().to_numpy()
    left[who[ended]] = moments(subscriptions["cancelled_at"].filter(pa.array(ended)))
    return joined, left
