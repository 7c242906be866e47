"""Messages of the simulated shop: a newsletter, sent by what the other tables say of customers."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from retention_lab.tables.drawing import DAY, Ints, named, seconds, times
from retention_lab.tables.newsletter import Newsletter

HOUR = 9  # of the day at which an issue is sent, UTC
HUMAN = 60  # seconds after delivery: nobody opens sooner, and a machine no later


def table(
    rng: np.random.Generator, letter: Newsletter, shop: Mapping[str, pa.Table], *, end: int
) -> pa.Table:
    """Return the messages to customers who have bought and consent when they are sent.

    `shop` has `customers`, `orders` and `consents` of a block; nothing is known from `end` on.
    """
    ids = shop["customers"]["customer_id"]
    sent = _issues(letter, end=end)
    since, until = _consenting(shop["consents"], letter.channel, ids=ids, end=end)
    bought = _bought(shop["orders"], sent, ids=ids)
    told = (since[:, None] <= sent) & (sent < until[:, None])
    who, issue = np.nonzero(told & (bought >= letter.readers[0].orders))
    came = _responses(rng, letter, bought=bought[who, issue], sent=sent[issue], never=end)
    opens = rng.random(len(ids)) < letter.machine_share
    by_itself = came["delivered_at"] + rng.integers(1, HUMAN, who.size)
    came["opened_at"] = np.where(opens[who], by_itself, came["opened_at"])
    after = until[who] - came["delivered_at"]
    soon = (after >= 0) & (after < letter.unsubscribe_days * DAY)
    came["unsubscribed_at"] = np.where(soon, until[who], end)
    bounced = came["delivered_at"] >= end
    stages = [f"{month}" for month in sent.astype("datetime64[s]").astype("datetime64[M]")]
    names, place, stage = pc.replace_substring(ids, "C", "M"), pa.array(who), named(stages, issue)
    return pa.table(
        {
            "message_id": pc.binary_join_element_wise(names.take(place), stage, "-"),
            "customer_id": ids.take(place),
            "campaign": named([letter.campaign], np.zeros_like(who)),
            "stage": stage,
            "channel": named([letter.channel], np.zeros_like(who)),
            "sent_at": times(sent[issue], end=end),
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


def _consenting(
    consents: pa.Table, channel: str, *, ids: pa.ChunkedArray, end: int
) -> tuple[Ints, Ints]:
    """Return from when and until when each customer consents, `end` for never."""
    about = consents.filter(pc.equal(consents["channel"], channel))
    who, at = _places(about, ids), _moments(about["valid_from"])
    granted = about["granted"].to_numpy()
    since, until = (np.full(len(ids), end) for _ in range(2))
    since[who[granted]], until[who[~granted]] = at[granted], at[~granted]
    return since, until


def _bought(orders: pa.Table, sent: Ints, *, ids: pa.ChunkedArray) -> Ints:
    """Count the orders of each customer before each issue: a row a customer, a column an issue."""
    issue = np.searchsorted(sent, _moments(orders["ordered_at"]), side="right")
    place = _places(orders, ids) * (sent.size + 1) + issue
    counts = np.bincount(place, minlength=len(ids) * (sent.size + 1))
    bought: Ints = counts.reshape(len(ids), -1)[:, : sent.size].cumsum(axis=1)
    return bought


def _responses(
    rng: np.random.Generator, letter: Newsletter, *, bought: Ints, sent: Ints, never: int
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


def _places(rows: pa.Table, ids: pa.ChunkedArray) -> Ints:
    places: Ints = pc.index_in(rows["customer_id"], value_set=ids).to_numpy().astype(np.int64)
    return places


def _moments(column: pa.ChunkedArray) -> Ints:
    moments: Ints = column.cast(pa.timestamp("s")).cast(pa.int64()).to_numpy()
    return moments
