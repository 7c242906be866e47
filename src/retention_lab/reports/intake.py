"""What a source brings: each row is used or left out for a stated reason, in rows and money."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from retention_lab.tables import engine, quality, snapshot
from retention_lab.tables import source as sources
from retention_lab.tables.contracts import TableName
from retention_lab.tables.parsing import minor_digits
from retention_lab.tables.source import Source
from retention_lab.tables.tablemap import TableMap

READ = "read"
ATTRIBUTES = "attributes"


@dataclass(frozen=True, kw_only=True)
class Feed:
    """A report or a part of one: each of `ways` is a table and what it must hold, if anything.

    Any one way will do; `unlock` says what to add where there is none.
    """

    name: str
    ways: tuple[tuple[TableName, str], ...]
    unlock: str


FEEDS = (
    Feed(name="overview", ways=(("orders", ""),), unlock="a table of orders"),
    Feed(
        name="overview: from which kinds of customers a change comes",
        ways=(
            ("customers", ATTRIBUTES),
            ("orders", ATTRIBUTES),
            ("order_lines", ATTRIBUTES),
            ("orders", "coupon"),
            ("orders", "discount"),
            ("order_lines", "product_family"),
        ),
        unlock="a table of customers with their country, or how they were won",
    ),
    Feed(
        name="churn",
        ways=(("orders", ""), ("subscriptions", "")),
        unlock="a table of orders or of subscriptions",
    ),
    Feed(
        name="churn: support response",
        ways=(("tickets", "first_response_at"),),
        unlock="a table of support tickets with the time of the first answer",
    ),
    Feed(
        name="churn: milestones",
        ways=(("events", ""),),
        unlock="a table of events such as a finished onboarding",
    ),
    Feed(name="segments", ways=(("orders", ""),), unlock="a table of orders"),
    Feed(
        name="segments: what messages bring, beside the bands of the trade",
        ways=(("messages", "delivered_at"),),
        unlock="a table of messages with the time at which each was delivered",
    ),
    Feed(
        name="design of a test",
        ways=(("orders", ""), ("events", "")),
        unlock="a table of orders, or of events such as a finished onboarding",
    ),
    Feed(
        name="read-out of a test that was assigned elsewhere",
        ways=(("assignments", ""),),
        unlock="a table of who was assigned to which arm; `retention-lab assign` needs none",
    ),
    Feed(
        name="lists of whom to contact",
        ways=(("consents", ""),),
        unlock="a table of who may be contacted by which channel",
    ),
)


def possible(source: Source, feed: Feed) -> bool:
    """Tell whether a source has what a report, or a part of one, needs."""
    return any(_holds(source.tables.get(table), what) for table, what in feed.ways)


def _holds(table: TableMap | None, what: str) -> bool:
    if table is None or not what:
        return table is not None
    return bool(table.attributes) if what == ATTRIBUTES else what in table.columns


@dataclass(frozen=True, kw_only=True)
class Intake:
    """What is known of a source as of a day.

    `steps`, by table: one row per step from `read` over each reason to `used`. `rows` and `amount`
    (whole units of the source's currency) are what the step took, missing where a rule only counts;
    `fits` and `fits_amount` are what its reason fits whether or not an earlier one took the row.
    `months`, by table: rows by month (text) and step. `later`: rows known only after the day.
    `controls`: see `quality.controls`. `feeds`: the reports that the source has the tables for.
    """

    source: Source
    as_of: dt.date
    steps: Mapping[str, pd.DataFrame]
    months: Mapping[str, pd.DataFrame]
    later: Mapping[str, int]
    controls: pd.DataFrame
    feeds: tuple[str, ...]


def inspect(path: str, *, as_of: dt.date | None = None) -> Intake:
    """Read a source as of a day, by default the day to which it is complete; nothing is written.

    Raises
    ------
    BadParameter
        When the source file does not fit.
    BadData
        When the data break a contract.
    """
    source = sources.load(sources.find(path))
    con = engine.connect(source.engine)
    day = as_of or snapshot.complete_to(source, con=con)
    tables, counts = snapshot.cut(source, as_of=day, con=con)
    unit = 10 ** minor_digits(source.currency)
    return Intake(
        source=source,
        as_of=day,
        steps={name: _steps(count, unit=unit) for name, count in counts.items()},
        months={name: _months(count) for name, count in counts.items()},
        later={name: count.later for name, count in counts.items()},
        controls=pd.DataFrame(
            quality.controls(source, day, tables), columns=quality.CONTROL_COLUMNS
        ),
        feeds=tuple(feed.name for feed in FEEDS if possible(source, feed)),
    )


def _steps(counts: quality.Counts, *, unit: int) -> pd.DataFrame:
    taken = counts.left_out.groupby("reason")[["rows", "amount"]].sum()
    fits = counts.fits.set_index("reason")
    total = taken.sum().to_frame(READ).T
    steps = pd.concat([total, taken.reindex([*fits.index, quality.USED], fill_value=0)])
    steps["fits"], steps["fits_amount"] = fits["rows"].astype("Int64"), fits["amount"]
    kept = fits.index[fits["kept"]]
    steps = steps.astype({"rows": "Int64", "amount": "float64", "fits_amount": "float64"})
    steps.loc[kept, ["rows", "amount"]] = pd.NA
    steps[["amount", "fits_amount"]] /= unit
    return steps.rename_axis("step").reset_index()


def _months(counts: quality.Counts) -> pd.DataFrame:
    month = counts.left_out["month"].dt.strftime("%Y-%m").fillna("no date")
    wide = counts.left_out.assign(month=month).pivot_table(
        index="month", columns="reason", values="rows", aggfunc="sum", fill_value=0
    )
    order = [reason for reason in [*counts.fits["reason"], quality.USED] if reason in wide.columns]
    wide.insert(0, READ, wide.sum(axis=1))
    return wide[[READ, *order]].astype("int64").rename_axis(columns=None).reset_index()
