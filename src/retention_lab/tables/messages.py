"""Messages of the simulated shop: a newsletter by what the other tables say, and what came of it.

What comes of other messages is drawn here as well.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from retention_lab.tables.drawing import DAY, Ints, named, seconds, times
from retention_lab.tables.newsletter import Letter, Newsletter

HOUR = 9  # of the day at which an issue is sent, UTC
HUMAN = 60  # seconds after delivery: nobody opens sooner, and a machine no later


@dataclass(frozen=True, kw_only=True)
class Post:
    """Messages to send; one array a property."""

    who: Ints  # place of the customer in the block
    sent: Ints
    bought: Ints  # orders of the customer before
    until: Ints  # when the customer's consent ends
    stage: pa.Array


def table(
    rng: np.random.Generator, letter: Newsletter, shop: Mapping[str, pa.Table], *, end: int
) -> pa.Table:
    """Return the messages to customers who have bought and consent when they are sent.

    `shop` has `customers`, `orders` and `consents` of a block; nothing is known from `end` on.
    """
    ids = shop["customers"]["customer_id"]
    sent = _issues(letter, end=end)
    since, until = consenting(shop["consents"], letter.channel, ids=ids, end=end)
    bought = _bought(shop["orders"], sent, ids=ids)
    told = (since[:, None] <= sent) & (sent < until[:, None])
    who, issue = np.nonzero(told & (bought >= letter.readers[0].orders))
    stages = [f"{month}" for month in sent.astype("datetime64[s]").astype("datetime64[M]")]
    post = Post(
        who=who,
        sent=sent[issue],
        bought=bought[who, issue],
        until=until[who],
        stage=named(stages, issue),
    )
    return posted(rng, letter, post, ids=ids, end=end)


def posted(
    rng: np.random.Generator, letter: Letter, post: Post, *, ids: pa.ChunkedArray, end: int
) -> pa.Table:
    """Return the messages with what came of each, to customers with these `ids`."""
    who, until = post.who, post.until
    came = _responses(rng, letter, bought=post.bought, sent=post.sent, never=end)
    opens = rng.random(len(ids)) < letter.machine_share
    by_itself = came["delivered_at"] + rng.integers(1, HUMAN, who.size)
    came["opened_at"] = np.where(opens[who], by_itself, came["opened_at"])
    after = until - came["delivered_at"]
    soon = (after >= 0) & (after < letter.unsubscribe_days * DAY)
    came["unsubscribed_at"] = np.where(soon, until, end)
    bounced = came["delivered_at"] >= end
    names, place = pc.replace_substring(ids, "C", "M"), pa.array(who)
    return pa.table(
        {
            "message_id": pc.binary_join_element_wise(names.take(place), post.stage, "-"),
            "customer_id": ids.take(place),
            "campaign": named([letter.campaign], np.zeros_like(who)),
            "stage": post.stage,
            "channel": named([letter.channel], np.zeros_like(who)),
            "sent_at": times(post.sent, end=end),
            **{name: times(np.where(bounced, end, at), end=end) for name, at in came.items()},
            "cost": np.full(who.size, letter.cost),
        }
    )


def _issues(letter: Newsletter, *, end: int) -> Ints:
    """Return when the last issues before the end were sent."""
    last = np.datetime64(end - 1, "s").astype("datetime64[M]")
    months = np.arange(last - letter.issues, last + 1)
    day = months.astype("datetime64[D]") + letter.day - 1
    sent = (day.astype("datetime64[s]").astype(np.int64)) + HOUR * 3_600
    past: Ints = sent[sent < end][-letter.issues :]
    return past


def consenting(
    consents: pa.Table, channel: str, *, ids: pa.ChunkedArray, end: int
) -> tuple[Ints, Ints]:
    """Return from when and until when each customer consents, `end` for never."""
    about = consents.filter(pc.equal(consents["channel"], channel))
    who, at = places(about, ids), moments(about["valid_from"])
    granted = about["granted"].to_numpy()
    since, until = (np.full(len(ids), end) for _ in range(2))
    since[who[granted]], until[who[~granted]] = at[granted], at[~granted]
    return since, until


def _bought(orders: pa.Table, sent: Ints, *, ids: pa.ChunkedArray) -> Ints:
    """Count the orders of each customer before each issue: a row a customer, a column an issue."""
    issue = np.searchsorted(sent, moments(orders["ordered_at"]), side="right")
    place = places(orders, ids) * (sent.size + 1) + issue
    counts = np.bincount(place, minlength=len(ids) * (sent.size + 1))
    bought: Ints = counts.reshape(len(ids), -1)[:, : sent.size].cumsum(axis=1)
    return bought


def _responses(
    rng: np.random.Generator, letter: Letter, *, bought: Ints, sent: Ints, never: int
) -> dict[str, Ints]:
    """Return when each message was delivered, opened, clicked and ordered after, by humans.

    All of it is within a week of delivery: shares are those that were planted.
    """
    n = bought.size
    group = np.searchsorted([each.orders for each in letter.readers], bought, side="right") - 1
    delivered = np.where(rng.random(n) < letter.delivered, sent + rng.integers(1, 120, n), never)
    interest = rng.random(n)  # one draw, so that whoever orders has clicked, and opened before
    opened = delivered + HUMAN + _wait(rng, n)
    clicked = opened + rng.integers(5, 300, n)
    ordered = clicked + HUMAN + _wait(rng, n)
    rates = {"opened_at": ("open", opened), "clicked_at": ("click", clicked)}
    rates["converted_at"] = ("conversion", ordered)
    did = {
        name: np.where(
            interest < np.array([getattr(each, rate) for each in letter.readers])[group], at, never
        )
        for name, (rate, at) in rates.items()
    }
    return {"delivered_at": delivered, **did}


def _wait(rng: np.random.Generator, n: int) -> Ints:
    """Return seconds, of a third of a day in the mean and never more than three days."""
    return seconds(np.minimum(rng.exponential(1 / 3, n), 3.0))


def places(rows: pa.Table, ids: pa.ChunkedArray) -> Ints:
    """Return the place in the block of the customer of each row."""
    found: Ints = pc.index_in(rows["customer_id"], value_set=ids).to_numpy().astype(np.int64)
    return found


def moments(column: pa.ChunkedArray) -> Ints:
    """Return times as seconds since 1970; none may be missing."""
    found: Ints = column.cast(pa.timestamp("s")).cast(pa.int64()).to_numpy()
    return found
