"""A list for the CRM, of whatever kind: whom to contact, whom to leave alone, and the log of both.

Customers who stand alike are ordered, and a share of the listed is held back, by numbers drawn
from BLAKE2 of the source's name, the day and the customer: the same run gives the same list and the
same groups. Whoever is held back is so from every channel that day, and from later lists of every
kind until the horizon is over.

The log is written first, then the file from what the log says. Cut short in between, nobody was
contacted, and running again adds nothing to the log and writes the file; the other way round there
could be customers contacted of whom no log knows. Of two runs at once the log keeps the groups of
the first, and both files agree with it.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import math
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
from retention_lab.churn import crm, endpoints, heldback
from retention_lab.churn.heldback import CONTACTED, HELD_BACK
from retention_lab.state import State
from retention_lab.tables import engine
from retention_lab.tables.playbook import Playbook
from retention_lab.tables.snapshot import Snapshot


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A kind of list.

    Its `name` is that of its log. `columns` are those of the file after `customer_id` and `rank`
    and before `channel`; `first` is the column of the patterns of which those with the least stand
    first; `logged` are columns of the patterns that the log keeps, by their name there. `returns`
    says that it is judged by who buys again, whatever the shop has.
    """

    name: heldback.KindName
    columns: Mapping[str, pa.DataType]
    first: str
    logged: Mapping[str, str]
    returns: bool = True

    @property
    def schema(self) -> pa.Schema:
        """What a row of the file holds."""
        return pa.schema(
            [
                ("customer_id", pa.string()),
                (
                    "rank",
                    pa.int64(),
                ),  # among all listed: the numbers of those held back are missing
                *self.columns.items(),
                ("channel", pa.string()),
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


def consenting(shop: Snapshot, channel: str, *, among: ir.Table | None = None) -> ir.Table:
    """Customers whose latest consent for a channel, as known on the shop's day, grants it.

    There is no list without consents: nothing else tells who may be contacted. `among` has the
    `customer_id` of those who are asked for; None for everybody.

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
    about = about if among is None else about.semi_join(among, "customer_id")
    latest = about.group_by("customer_id").agg(valid_from=_.valid_from.max())
    valid = about.semi_join(latest, ["customer_id", "valid_from"])
    return valid.filter(_.granted).select("customer_id")


_Place = tuple[float, int, str, int]  # its order, number drawn, customer, row of the patterns


@dataclass(frozen=True, kw_only=True)
class Run:
    """One list: whose it is, of which kind, and where it goes.

    The `score` of the `playbook` says for which channel it is, how many it takes, and which share
    of them is held back; the `state` has the log; `out` ends in .csv or .parquet.
    """

    shop: Snapshot
    playbook: Playbook
    state: State
    out: Path
    kind: Kind

    def listed(
        self, people: ir.Table, patterns: pd.DataFrame, *, beside: Sequence[str] = ()
    ) -> Listed:
        """Choose who stands first, log them and write the list.

        Parameters
        ----------
        people
            Who may be listed: `customer_id` and columns that choose the row of `patterns`.
        patterns
            A row for each of the `people` by these columns: `weight` (customers, whether they
            consent or not) and the columns of the `kind`.
        beside
            Sentences to tell with the list.

        Raises
        ------
        BadParameter, BadData
            If the file cannot be written; if nobody can be listed.
        """
        resting = heldback.resting(self.state, self.shop)
        matched = _matched(people, patterns, without=resting)
        rows, consenting = self._ranked(matched, patterns)
        name, channel = self.kind.name, self.playbook.score.channel
        logged = heldback.ledger(self.state, name).append(map(self._logged, rows))
        groups = heldback.groups(self.state, self.shop, channel=channel, kind=name)
        sent = [row for row in rows if groups.get(row["customer_id"]) == CONTACTED]
        marked = self._written(sent)
        return Listed(
            file=self.out,
            as_of=self.shop.as_of,
            channel=channel,
            customers=int(patterns["weight"].sum()),
            consenting=consenting,
            resting=len(resting),
            contacted=len(sent),
            held_back=len(rows) - len(sent),
            logged=logged,
            sentences=(*beside, *_warned(marked, self.out)),
        )

    def _written(self, sent: list[dict[Hashable, Any]]) -> int:
        rows = pa.Table.from_pylist(sent, schema=self.kind.schema)
        return crm.write(rows, self.out, state=self.state)

    def _ranked(
        self, people: ir.Table, patterns: pd.DataFrame
    ) -> tuple[list[dict[Hashable, Any]], int]:
        """Say all of the customers who stand first, in order, and how many there were in all."""
        score, said = self.playbook.score, patterns.to_dict("records")
        first, count = foremost(
            engine.stream(people),
            patterns[self.kind.first].to_numpy("float64"),
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
            for rank, (_least, _number, customer, place) in enumerate(first, 1)
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
            **{name: row[column] for name, column in self.kind.logged.items()},
            "file": self.out.name,
            "endpoint": "returned" if self.kind.returns else endpoints.chosen(self.shop).kind,
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


def _matched(people: ir.Table, patterns: pd.DataFrame, *, without: Iterable[str]) -> ir.Table:
    """Give each customer the row of their kind: `customer_id`, `pattern`; but not `without`."""
    names = [name for name in people.columns if name != "customer_id"]
    columns = {name: pa.array(patterns[name].tolist()) for name in names}
    rows = pa.array(range(len(patterns)), pa.int64())
    known = ibis.memtable(pa.table({**columns, "pattern": rows}))
    resting = ibis.memtable(pa.table({"customer_id": pa.array(sorted(without), pa.string())}))
    # To the left, so that whoever fits no row is met as a null, not left out unseen.
    joined = people.left_join(known, names).select("customer_id", "pattern")
    return joined.anti_join(resting, "customer_id")


def foremost(
    batches: Iterable[pa.RecordBatch],
    order: NDArray[np.float64],
    *,
    capacity: int,
    draw: Callable[[str], int],
) -> tuple[list[_Place], int]:
    """Choose the customers whose pattern has the least `order`, and count all that were seen.

    Never more than `capacity` and a batch are held; numbers are drawn only for those who may still
    come in.
    """
    first: list[_Place] = []
    count = 0
    for batch in batches:
        count += batch.num_rows
        places = batch.column("pattern").to_numpy()
        least = order[places]
        last = first[-1][0] if len(first) == capacity else math.inf
        may = np.flatnonzero(least <= last)
        customers = batch.column("customer_id").take(pa.array(may)).to_pylist()
        new = (
            (float(least[i]), draw(customer), customer, int(places[i]))
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
