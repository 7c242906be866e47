"""A made-up shop with known truths, as Parquet files: its customers and all that they do.

Customers are drawn in fixed blocks, each with a random stream of its own, and written block by
block: memory does not grow with the number of customers, and the same seed gives the same rows.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from retention_lab import checks
from retention_lab.tables import membership
from retention_lab.tables.drawing import (
    DAY,
    FAR,
    Ints,
    choose,
    later_that_day,
    named,
    numbered,
    seconds,
    times,
)
from retention_lab.tables.people import People, draw_people
from retention_lab.tables.truth import Truth

ABOUT = "Made-up customers: a simulated shop, and what was planted in it."
BLOCK = 20_000  # customers of one random stream; another value would give other customers
PRODUCTS = 10  # of each family, priced from 64 % to 136 % of the middling price
COUPONS = [None, "SAVE10", "FIRST20"]
COUPON_PERCENT = np.array([0, 10, 20])


@dataclass(frozen=True, kw_only=True)
class Orders:
    """The orders of one block of customers, by customer and time; one array a property."""

    ids: pa.Array
    who: Ints  # place of the customer in the block
    moment: Ints


def simulate(
    folder: Path,
    *,
    truth: Truth = Truth(),  # noqa: B008  frozen, so nothing can leak from call to call
    customers: int = 20_000,
    until: date = date(2026, 11, 29),
    days: int = 729,
    seed: int = 20261131,  # of those near it, one whose August shows what is planted in it
) -> Path:
    """Write a made-up shop: Parquet files, and `truth.json` with what was planted in them.

    Parameters
    ----------
    folder
        Appears whole at the end or not at all; an earlier shop there is replaced.
    truth
        What the shop and its customers are like.
    customers
        How many sign up.
    until
        The last day, in UTC. Nothing is dated later: what would be is null or absent.
    days
        Over how many days they sign up, `until` included.
    seed
        The same seed and arguments give the same rows.

    Returns
    -------
    Path
        `folder`, with `customers`, `orders`, `order_lines`, `returns`, `events`, `subscriptions`,
        `tickets`, `consents`, `messages` and `assignments` (`.parquet`). Times are naive UTC at
        whole seconds; money is int64 pence; an order's amount is gross.

    Raises
    ------
    BadParameter
        If a number is too small, or `folder` exists and is something other than such a shop.
    """
    for name, value, least in (("customers", customers, 1), ("days", days, 1), ("seed", seed, 0)):
        checks.at_least(name, value, least)
    told = {"customers": customers, "until": until, "days": days, "seed": seed}
    last = (until - date(1970, 1, 1)).days
    calendar = np.arange(last - days + 1, last + 1)
    with _replacing(folder) as fresh:
        _write(fresh, truth, calendar=calendar, customers=customers, seed=seed)
        told = {"about": ABOUT, **told, "planted": truth.explained()}
        text = json.dumps(told, indent=2, default=str) + "\n"
        (fresh / "truth.json").write_text(text, encoding="utf-8")
    return folder


@contextmanager
def _replacing(folder: Path) -> Iterator[Path]:
    """Lend an empty folder that takes the place of `folder` if all goes well."""
    if folder.exists() and not (folder / "truth.json").is_file():
        raise checks.BadParameter(
            f"{folder} exists and is not a simulated shop. Choose a new folder, or remove it first."
        )
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}-") as room:
        fresh = Path(room, "new")
        fresh.mkdir()
        yield fresh
        if folder.exists():
            folder.rename(Path(room, "old"))
        fresh.rename(folder)


def _write(folder: Path, truth: Truth, *, calendar: Ints, customers: int, seed: int) -> None:
    with ExitStack() as files:
        writers: dict[str, pq.ParquetWriter] = {}
        for block, begin in enumerate(range(0, customers, BLOCK)):
            rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(block,)))
            people = draw_people(rng, truth, calendar=calendar, n=min(BLOCK, customers - begin))
            tables = _tables(rng, truth, people, begin=begin)
            tables |= membership.contacts(truth, people, tables, seed=seed, block=block)
            for name, table in tables.items():
                if name not in writers:
                    writer = pq.ParquetWriter(folder / f"{name}.parquet", table.schema)
                    writers[name] = files.enter_context(writer)
                writers[name].write_table(table)


def _tables(
    rng: np.random.Generator, truth: Truth, people: People, *, begin: int
) -> dict[str, pa.Table]:
    """Return what the shop knows of these people, who are numbered from `begin`."""
    ids = numbered("C", begin + np.arange(people.pace.size))
    orders = draw_orders(rng, truth, people, begin=begin)
    lines, amount = _lines(rng, truth, family=people.family[orders.who], ids=orders.ids)
    sales = _sales(rng, truth, people, orders=orders, amount=amount)
    sales = sales.add_column(1, "customer_id", ids.take(pa.array(orders.who)))
    return {
        "customers": _customers(rng, truth, people, ids=ids),
        "orders": sales,
        "order_lines": lines,
        "returns": _returns(rng, truth, sales, end=people.end),
        "events": _events(rng, truth, people, ids=ids),
    }


def draw_orders(rng: np.random.Generator, truth: Truth, people: People, *, begin: int) -> Orders:
    """Return the orders up to dropout: at most one a day, but for a seldom second."""
    median = np.array([family.median_days for family in truth.families])[people.family]
    spread = np.array([family.spread for family in truth.families])[people.family]
    who = np.flatnonzero(people.buys & (people.start < people.leaves))
    at = people.start[who]
    rounds = [(who, at)]
    while who.size:  # each round holds the next order of every customer who stays
        gap = rng.lognormal(np.log(median[who]), spread[who]) / people.pace[who]
        day = at // DAY + np.clip(np.rint(gap), 1, FAR).astype(np.int64)
        at = day * DAY + truth.times_of_day(rng, who.size)
        stays = at < people.leaves[who]
        who, at = who[stays], at[stays]
        rounds.append((who, at))
    who, at = (np.concatenate(part) for part in zip(*rounds, strict=True))
    second = later_that_day(rng, at)
    again = (rng.random(at.size) < truth.second_order_same_day) & (second < people.leaves[who])
    who, at = np.append(who, who[again]), np.append(at, second[again])
    sorting = np.lexsort((at, who))
    number = begin * 1_000 + np.arange(who.size)  # customers average far fewer than 1,000 orders
    return Orders(ids=numbered("O", number), who=who[sorting], moment=at[sorting])


def _lines(
    rng: np.random.Generator, truth: Truth, *, family: Ints, ids: pa.Array
) -> tuple[pa.Table, Ints]:
    """Return the lines of orders of this main `family`, and the amount of each order."""
    size = 1 + rng.binomial(2, truth.extra_line, family.size)
    begin = np.cumsum(size) - size
    order = np.repeat(np.arange(size.size), size)
    line = np.arange(order.size) - begin[order] + 1
    other = choose(rng, [kind.share for kind in truth.families], line.size)
    family = np.where(line == 1, family[order], other)
    product = rng.integers(PRODUCTS, size=line.size)
    quantity = 1 + choose(rng, [0.75, 0.19, 0.06], line.size)
    middling = np.array([kind.price for kind in truth.families])
    price = middling[family] * (64 + 8 * product) // 100
    names = [kind.name for kind in truth.families]
    products = [f"{name.replace(' ', '-')}-{n:02}" for name in names for n in range(PRODUCTS)]
    table = pa.table(
        {
            "order_id": ids.take(pa.array(order)),
            "line": line,
            "product_id": named(products, family * PRODUCTS + product),
            "product_family": named(names, family),
            "quantity": quantity,
            "unit_price": price,
        }
    )
    return table, np.add.reduceat(quantity * price, begin)


def _sales(
    rng: np.random.Generator, truth: Truth, people: People, *, orders: Orders, amount: Ints
) -> pa.Table:
    """Return the orders; those through the promoted channel begin with a coupon of 20 %."""
    n, end = amount.size, people.end
    first = np.diff(orders.who, prepend=-1) > 0
    promoted = np.array([channel.name == truth.promoted_channel for channel in truth.channels])
    coupon = (rng.random(n) < truth.coupon_share).astype(np.int64)
    coupon[first & promoted[people.channel[orders.who]]] = 2
    shipped = orders.moment + seconds(truth.dispatch.draw(rng, n))
    delivered = shipped + seconds(truth.transit.draw(rng, n))
    return pa.table(
        {
            "order_id": orders.ids,
            "ordered_at": times(orders.moment, end=end),
            "amount": amount,
            "discount": amount * COUPON_PERCENT[coupon] // 100,
            "coupon": named(COUPONS, coupon),
            "shipped_at": times(shipped, end=end),
            "promised_at": times(orders.moment + truth.promised_days * DAY, end=end),
            "delivered_at": times(delivered, end=end),
        }
    )


def _returns(rng: np.random.Generator, truth: Truth, sales: pa.Table, *, end: int) -> pa.Table:
    """Return what was sent back by the end: the whole price paid, or a part of it."""
    chosen = pa.array(rng.random(sales.num_rows) < truth.return_share)
    sold = sales.filter(pc.and_(chosen, pc.is_valid(sales["delivered_at"])))
    delivered = sold["delivered_at"].cast(pa.timestamp("s")).cast(pa.int64()).to_numpy()
    at = delivered + seconds(truth.return_wait.draw(rng, delivered.size))
    part = np.where(rng.random(at.size) < truth.whole_return, 1.0, rng.uniform(0.2, 0.8, at.size))
    paid = sold["amount"].to_numpy() - sold["discount"].to_numpy()
    table = pa.table(
        {
            "return_id": pc.replace_substring(sold["order_id"], "O", "R"),
            "order_id": sold["order_id"],
            "customer_id": sold["customer_id"],
            "returned_at": times(at, end=end),
            "amount": np.rint(paid * part).astype(np.int64),
        }
    )
    return table.filter(pc.is_valid(table["returned_at"]))


def _customers(
    rng: np.random.Generator, truth: Truth, people: People, *, ids: pa.Array
) -> pa.Table:
    """Return the customers; a referral names somebody who signed up before."""
    place = np.arange(len(ids))
    earlier = (rng.random(len(ids)) * place).astype(np.int64)
    referral = np.array([channel.name == "referral" for channel in truth.channels])
    nobody = ~referral[people.channel] | (place == 0)
    country = choose(rng, [kind.share for kind in truth.countries], len(ids))
    return pa.table(
        {
            "customer_id": ids,
            "signed_up_at": times(people.signed_up, end=people.end),
            "country": named([kind.name for kind in truth.countries], country),
            "acquisition_channel": named([kind.name for kind in truth.channels], people.channel),
            "referred_by": ids.take(pa.array(earlier, mask=nobody)),
        }
    )


def _events(rng: np.random.Generator, truth: Truth, people: People, *, ids: pa.Array) -> pa.Table:
    """Return milestones and product-use sessions, none of them after dropout."""
    stay = people.stay
    who, event = np.nonzero(people.seen)
    at = people.start[who] + seconds(people.reached[who, event])
    sessions = np.minimum(rng.poisson(stay / DAY * truth.sessions_a_day), truth.most_sessions)
    user = np.repeat(np.arange(stay.size), sessions)
    used = people.start[user] + (rng.random(user.size) * stay[user]).astype(np.int64)
    who, at = np.append(who, user), np.append(at, used)
    event = np.append(event, np.full(user.size, len(truth.milestones)))
    by_time = np.lexsort((at, who))
    names = [*(milestone.name for milestone in truth.milestones), "session"]
    return pa.table(
        {
            "customer_id": ids.take(pa.array(who[by_time])),
            "event": named(names, event[by_time]),
            "occurred_at": times(at[by_time], end=people.end),
        }
    )
