"""What is claimed of one group of customers while lines and rules are moved by hand.

What rests on fewer than `SMALL` customers, or would tell of as few, is not recorded; the sentences
of `wording` say so in its place.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import numpy as np
import pandas as pd

from retention_lab.customers.collapsed_rfm import Moved
from retention_lab.inference.interval import Interval
from retention_lab.record.ledger import Ledger
from retention_lab.record.moves import hidden_flows
from retention_lab.record.segments import hidden_sizes
from retention_lab.record.small import SMALL, Mask, covered, splits
from retention_lab.tables.parsing import minor_digits


@dataclass(frozen=True, kw_only=True, eq=False)
class Hidden:
    """Of each group: whether its size now, what it brought, and its size before are hidden."""

    now: Mask
    unseen: Mask
    before: Mask

    @property
    def any(self) -> bool:
        """Whether anything is."""
        return bool((self.now | self.unseen | self.before).any())


def hidden(seen: Moved) -> Hidden:
    """Say what to hide of the sizes of groups."""
    now, unseen = hidden_sizes(seen.now)
    if seen.now["customers"].sum() < SMALL:
        now = unseen = np.ones(len(now), dtype=bool)
    before = np.ones(len(now), dtype=bool)
    if seen.before is not None:
        before = covered(seen.before["customers"])
    return Hidden(now=now, unseen=unseen, before=before)


def record(ledger: Ledger, seen: Moved, *, group: str) -> None:
    """Record how large a group is, what it brought, who left it, and whom the lines moved."""
    place, masks = list(seen.now["group"]).index(group), hidden(seen)
    if not masks.now.all():
        _all(ledger, seen)
    if not masks.now[place]:
        _size(ledger, seen, place, seen_before=not masks.before[place])
    if not (masks.unseen[place] or masks.now[place]):
        _brought(ledger, seen, place)
    if seen.flows is not None and seen.moves is not None:
        _left(ledger, seen, place)


def _day(day: dt.date) -> str:
    return f"{day.day} {day:%B %Y}"


def _all(ledger: Ledger, seen: Moved) -> None:
    about = _day(seen.standing.as_of)
    ledger.record(
        "explored_customers",
        seen.customers,
        unit="count",
        n=seen.customers,
        about=about,
        label="Customers",
        definition="Everybody who has bought by the end of the day.",
    )
    if not splits(seen.changed, seen.customers):
        ledger.record(
            "explored_changed",
            seen.changed,
            unit="count",
            n=seen.customers,
            about=about,
            label="In another group than by the lines and rules in use",
            definition="Customers of today whom the lines and rules put elsewhere.",
        )


def _size(ledger: Ledger, seen: Moved, place: int, *, seen_before: bool) -> None:
    row, about = seen.now.iloc[place], _day(seen.standing.as_of)
    definition = "Customers whom the rules put into the group, of everybody who had bought by then."
    ledger.record(
        "explored_size",
        row["customers"],
        unit="count",
        n=seen.customers,
        about=about,
        label=f"{row['group']}: customers",
        definition=definition,
    )
    sides = [("explored_share", row, about, seen.customers)]
    if seen.before is not None and seen.standing.then is not None and seen_before:
        then = _day(seen.standing.then)
        n = int(seen.before["customers"].sum())
        sides.append(("explored_share_before", seen.before.iloc[place], then, n))
    for name, side, day, n in sides:
        ledger.record(
            name,
            Interval(value=side["share"], low=side["low"], high=side["high"]),
            unit="share",
            n=n,
            key=name == "explored_share",
            about=day,
            label=f"{row['group']}: share of customers",
            definition=definition,
        )


def _brought(ledger: Ledger, seen: Moved, place: int) -> None:
    row, here = seen.now.iloc[place], seen.standing
    about = f"{here.within} days to {_day(here.as_of)}"
    share, n = row["revenue_share"], int(row["customers"])
    if pd.notna(share) and 0 <= share <= 1:
        ledger.record(
            "explored_revenue",
            float(share),
            unit="share",
            n=n,
            about=about,
            label=f"{row['group']}: share of revenue",
            definition=f"Of the revenue of {here.within} days, less what was sent back.",
        )
    if n >= SMALL:
        unit = 10 ** minor_digits(here.currency)
        ends = (row[name] / unit for name in ("mean", "mean_low", "mean_high"))
        value, low, high = ends
        ledger.record(
            "explored_mean",
            Interval(value=value, low=low, high=high),
            unit="money",
            currency=here.currency,
            n=n,
            about=about,
            label=f"{row['group']}: revenue of a customer",
            definition=f"Mean of what customers brought in {here.within} days, less returns.",
        )


def _left(ledger: Ledger, seen: Moved, place: int) -> None:
    assert seen.flows is not None
    assert seen.moves is not None
    hides, unlucky = hidden_flows(seen.flows, seen.moves)
    row, here = seen.flows.iloc[place], seen.standing
    if hides[place]:
        return
    about = f"{here.days} days to {_day(here.as_of)}"
    definition = "Customers of the group on the earlier day who are in another one by now."
    ledger.record(
        "explored_left",
        row["left"],
        unit="count",
        n=row["customers"],
        about=about,
        label=f"{row['group']}: left it",
        definition=definition,
    )
    ledger.record(
        "explored_slipped",
        Interval(value=row["share"], low=row["low"], high=row["high"]),
        unit="share",
        n=row["customers"],
        key=True,
        about=about,
        label=f"{row['group']}: share who left it",
        definition=definition,
    )
    if not unlucky[place]:
        _by_luck(ledger, row, about)


_CHANCE = {"value": "by_chance", "low": "chance_low", "high": "chance_high"}


def _by_luck(ledger: Ledger, row: pd.Series, about: str) -> None:
    either = row["left_long"] + row["came_long"]
    known = "Of customers who first bought before the days that are scored on either day"
    for name, did in (("left_long", "left"), ("came_long", "came into")):
        ledger.record(
            f"explored_{name}",
            row[name],
            unit="count",
            n=either,
            about=about,
            label=f"{row['group']}: {did} it, of long-standing customers",
            definition=f"{known}: those who {did} the group between the two days.",
        )
    ledger.record(
        "explored_by_chance",
        Interval(**{end: round(row[name]) for end, name in _CHANCE.items()}),
        unit="count",
        n=either,
        about=about,
        label=f"{row['group']}: left it by luck alone, of long-standing customers",
        definition=f"{known}: half of those who left or came, with the range of a fair coin.",
    )
