"""The ranked list for the CRM: whom to contact, whom to leave alone, and the log of both.

Customers at the same risk are ordered, and a share of the listed is held back, by numbers drawn
from BLAKE2 of the source's name, the day and the customer: the same run gives the same list and the
same groups. Whoever is held back is so from every channel that day, and from later lists until the
horizon is over.

The log is written first, then the file from what the log says. Cut short in between, nobody was
contacted, and running again adds nothing to the log and writes the file; the other way round there
could be customers contacted of whom no log knows. Of two runs at once the log keeps the groups of
the first, and both files agree with it.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd
import pyarrow as pa
from ibis import _
from numpy.typing import NDArray

from retention_lab import checks
from retention_lab.checks import BadData
from retention_lab.churn import crm, endpoints, heldback, landmarks, suggestions
from retention_lab.churn.heldback import CONTACTED, HELD_BACK
from retention_lab.churn.outlook import outlook
from retention_lab.churn.suggestions import SHARES
from retention_lab.state import State
from retention_lab.tables import engine
from retention_lab.tables.playbook import Playbook
from retention_lab.tables.snapshot import Snapshot

COLUMNS = pa.schema(
    [
        ("customer_id", pa.string()),
        ("rank", pa.int64()),  # among all listed, so the numbers of those held back are missing
        *((name, pa.float64()) for name in SHARES),  # of the good thing: to stay; to return
        *((name, pa.string()) for name in ("goes_with", "play", "channel")),
    ]
)


@dataclass(frozen=True, kw_only=True)
class Listed:
    """A list that was written.

    `customers` are all of that day, `consenting` those of them who consent to the channel and do
    not rest; `resting` were held back by an earlier list whose horizon is not over. Of the listed,
    `contacted` stand in the `file`, `held_back` in the log alone; `logged` are new in it.
    `sentences` say what was left out and what a reader of the file must know.
    """

    file: Path
    as_of: dt.date
    channel: str
    customers: int
    consenting: int
    resting: int
    contacted: int
    held_back: int
    logged: int
    sentences: tuple[str, ...]


def write(shop: Snapshot, playbook: Playbook, *, state: State, out: Path) -> Listed:
    """Learn from a shop's past, rank its customers, log the list and write it.

    The model is that of `churn.outlook`, and there is no list from one that earlier days could not
    test.

    Parameters
    ----------
    shop
        With `consents`, and `subscriptions` or `orders`; the list is as of its day.
    playbook
        Its `score` says for which channel, how many, and which share of them is held back.
    state
        Whose ledger of lists gets a row per listed customer.
    out
        A file that ends in .csv or .parquet; what was there is replaced.

    Raises
    ------
    BadParameter
        If no consent is about the channel, or the file cannot be written.
    BadData
        If there are no consents, nobody can be listed, or the past tells nothing.
    """
    crm.check(out)
    willing = consenting(shop, playbook.score.channel)
    seen = outlook(shop, playbook, horizon=playbook.churn.horizon)
    if seen.model is None:
        raise BadData(f"No list is made from what could not be tested. {seen.why}")
    patterns = suggestions.suggested(
        landmarks.people_collapsed(shop, seen.endpoint, seen.factors),
        model=seen.model,
        endpoint=seen.endpoint,
        plays=playbook.plays,
        as_of=shop.as_of,
    )
    people = landmarks.people(shop, seen.endpoint, seen.factors)
    people = people.semi_join(willing, "customer_id")
    return Run(shop=shop, playbook=playbook, state=state, out=out).listed(people, patterns)


def consenting(shop: Snapshot, channel: str) -> ir.Table:
    """Customers whose latest consent for a channel, as known on the shop's day, grants it.

    There is no list without consents: nothing else tells who may be contacted.

    Raises
    ------
    BadParameter
        If no consent is about such a channel.
    BadData
        If the shop has no table of consents.
    """
    channels = engine.collect(shop.consents.select("channel").distinct())["channel"]
    checks.known(f"The table consents of {shop.name}", "channel", [channel], sorted(channels))
    about = shop.consents.filter(_.channel == channel)
    latest = about.group_by("customer_id").agg(valid_from=_.valid_from.max())
    valid = about.semi_join(latest, ["customer_id", "valid_from"])
    return valid.filter(_.granted).select("customer_id")


_Place = tuple[float, int, str, int]  # probability, number drawn, customer, row of the patterns


@dataclass(frozen=True, kw_only=True)
class Run:
    """One list: whose it is and where it goes, as `write` takes them."""

    shop: Snapshot
    playbook: Playbook
    state: State
    out: Path

    def listed(self, people: ir.Table, patterns: pd.DataFrame) -> Listed:
        """Choose the customers at highest risk, log them and write the list.

        Parameters
        ----------
        people
            Who may be listed: `customer_id` and a text column per factor.
        patterns
            As `churn.suggestions.suggested` makes them, with a row for each of the `people`.

        Raises
        ------
        BadParameter, BadData
            As `write` does.
        """
        resting = heldback.resting(self.state, self.shop)
        names = [name for name in people.columns if name != "customer_id"]
        matched = _matched(people, patterns, names=names, without=resting)
        rows, consenting = self._ranked(matched, patterns)
        logged = heldback.ledger(self.state).append(map(self._logged, rows))
        groups = heldback.groups(self.state, self.shop, channel=self.playbook.score.channel)
        sent = [row for row in rows if groups.get(row["customer_id"]) == CONTACTED]
        marked = crm.write(pa.Table.from_pylist(sent, schema=COLUMNS), self.out, state=self.state)
        return Listed(
            file=self.out,
            as_of=self.shop.as_of,
            channel=self.playbook.score.channel,
            customers=int(patterns["weight"].sum()),
            consenting=consenting,
            resting=len(resting),
            contacted=len(sent),
            held_back=len(rows) - len(sent),
            logged=logged,
            sentences=(*self._left_out(names), *_warned(marked, self.out)),
        )

    def _ranked(
        self, people: ir.Table, patterns: pd.DataFrame
    ) -> tuple[list[dict[Hashable, Any]], int]:
        """Say all of the customers at highest risk, in order, and how many there were in all."""
        score, said = self.playbook.score, patterns.to_dict("records")
        first, count = riskiest(
            engine.stream(people),
            patterns["probability"].to_numpy(),
            capacity=score.capacity,
            draw=self._drawing("order"),
        )
        if not first:
            raise BadData(
                f"No customer of {self.shop.name} who consents to {score.channel} as of "
                f"{self.shop.as_of} may be listed; look at the table consents, or wait until those "
                "held back earlier may be."
            )
        rows = [
            {**said[place], "customer_id": customer, "rank": rank, "channel": score.channel}
            for rank, (_risk, _number, customer, place) in enumerate(first, 1)
        ]
        return rows, count

    def _logged(self, row: Mapping[Hashable, Any]) -> dict[str, Any]:
        """What the log keeps of a row; `hold_back` and the like tell which lists are alike."""
        score, customer = self.playbook.score, row["customer_id"]
        held_back = self._drawing("group")(customer) < score.hold_back * 2**64
        return {
            "source": self.shop.name,
            "as_of": str(self.shop.as_of),
            "channel": score.channel,
            "customer_id": customer,
            "group": HELD_BACK if held_back else CONTACTED,
            "rank": row["rank"],
            "probability": row["probability"],
            "play": row["play_name"],
            "file": self.out.name,
            "endpoint": endpoints.chosen(self.shop).kind,
            "horizon": self.playbook.churn.horizon,
            "hold_back": score.hold_back,
        }

    def _drawing(self, purpose: str) -> Callable[[str], int]:
        """Return what draws a whole number below 2**64 for a customer of this source and day."""
        list_of = f"{self.shop.as_of} {self.shop.name}".encode()
        salt = hashlib.blake2b(list_of, digest_size=16).digest()

        def drawn(customer: str) -> int:
            made = hashlib.blake2b(
                customer.encode(), digest_size=8, salt=salt, person=purpose.encode()
            )
            return int.from_bytes(made.digest())

        return drawn

    def _left_out(self, names: Sequence[str]) -> list[str]:
        """Say which factors the data cannot tell, and which plays need one of them."""
        lost = [factor for factor in self.playbook.churn.factors if factor.name not in names]
        idle = [play for play in self.playbook.plays if not set(play.when) <= {*names}]
        return [
            *(f"{one.label} is left out: {self.shop.name} has no data on it." for one in lost),
            *(f"The play {play.name} is suggested to nobody, for it needs one." for play in idle),
        ]


def _matched(
    people: ir.Table, patterns: pd.DataFrame, *, names: Sequence[str], without: Iterable[str]
) -> ir.Table:
    """Give each customer the row of their states: `customer_id`, `pattern`; but not `without`."""
    columns = {name: pa.array(patterns[name], pa.string()) for name in names}
    rows = pa.array(range(len(patterns)), pa.int64())
    known = ibis.memtable(pa.table({**columns, "pattern": rows}))
    resting = ibis.memtable(pa.table({"customer_id": pa.array(sorted(without), pa.string())}))
    # To the left, so that whoever fits no row is met as a null, not left out unseen.
    joined = people.left_join(known, list(names)).select("customer_id", "pattern")
    return joined.anti_join(resting, "customer_id")


def riskiest(
    batches: Iterable[pa.RecordBatch],
    probability: NDArray[np.float64],
    *,
    capacity: int,
    draw: Callable[[str], int],
) -> tuple[list[_Place], int]:
    """Choose the customers of the least probability, in order, and count all that were seen.

    Never more than `capacity` and a batch are held; numbers are drawn only for those who may still
    come in.
    """
    first: list[_Place] = []
    count = 0
    for batch in batches:
        count += batch.num_rows
        places = batch.column("pattern").to_numpy()
        chances = probability[places]
        last = first[-1][0] if len(first) == capacity else 1.0
        may = np.flatnonzero(chances <= last)
        customers = batch.column("customer_id").take(pa.array(may)).to_pylist()
        new = (
            (float(chances[i]), draw(customer), customer, int(places[i]))
            for i, customer in zip(may, customers, strict=True)
        )
        first = sorted([*first, *new])[:capacity]
    return first, count


def _warned(marked: int, file: Path) -> list[str]:
    if not marked:
        return []
    return [
        f"{marked} customer ids in {file.name} begin with a sign that a spreadsheet would run and "
        "stand behind an apostrophe: take it off when reading, or write a .parquet file."
    ]
