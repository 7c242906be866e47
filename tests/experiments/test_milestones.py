"""When customers first reach a milestone: by hand, and by the plain words of its definition."""

from __future__ import annotations

import datetime as dt
from functools import cache
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from retention_lab.checks import BadParameter
from retention_lab.experiments.milestones import first_reached, named
from retention_lab.experiments.terms import Derived
from retention_lab.tables import clocks, engine

DAY = dt.timedelta(days=1)
ZONE = "Europe/London"
AS_OF = dt.date(2026, 4, 30)


def at(text):
    return dt.datetime.fromisoformat(text)


@cache
def duckdb():
    return engine.connect()


def local(moments):
    return pd.to_datetime(moments).dt.tz_localize("UTC").dt.tz_convert(ZONE).dt.date


def shop_of(orders, events=()):
    """A shop of pairs of a customer and a moment, naive UTC."""
    made = pd.DataFrame(orders, columns=["customer_id", "ordered_at"])
    made["ordered_on"] = local(made["ordered_at"])
    said = pd.DataFrame(events, columns=["customer_id", "event", "occurred_at"])
    said["occurred_on"] = local(said["occurred_at"])
    tables = {
        name: engine.put(pa.Table.from_pandas(frame, preserve_index=False), con=duckdb())
        for name, frame in (("orders", made), ("events", said))
        if len(frame)
    }
    days = {"as_of": AS_OF, "records_from": dt.date(2026, 1, 1)}
    return SimpleNamespace(name="Shop", zone=ZONE, tables=tables, **days, **tables)


def reached(shop, milestone, **said):
    rows = engine.collect(first_reached(shop, milestone, **said))
    return {
        row.customer_id: (row.reached_at.to_pydatetime(), row.reached_on.date())
        for row in rows.itertuples()
    }


def test_silence_is_reached_so_many_days_after_a_purchase_that_no_other_followed():
    bought = at("2026-02-01T12:00")
    last = clocks.end_of_day(AS_OF, ZONE)
    shop = shop_of(
        [
            ("once", bought),
            ("on the dot", bought),  # the pause ends as the days are over
            ("on the dot", bought + 60 * DAY),
            ("a second late", bought),
            ("a second late", bought + 60 * DAY + dt.timedelta(seconds=1)),
            ("twice", at("2026-01-01T12:00")),
            ("twice", at("2026-03-10T12:00")),
            ("a reseller", bought),
            *(("a reseller", bought + n * DAY) for n in range(88)),
            ("too young", last - 60 * DAY),  # reached tomorrow
        ]
    )
    assert reached(shop, Derived(silent_days=60)) == {
        # 1 February and 60 days is 2 April at noon, 13:00 in London.
        "once": (at("2026-04-02T12:00"), dt.date(2026, 4, 2)),
        "a second late": (at("2026-04-02T12:00"), dt.date(2026, 4, 2)),
        "twice": (at("2026-03-02T12:00"), dt.date(2026, 3, 2)),
    }


def test_day_of_a_silence_is_that_of_the_clocks_at_its_end():
    shop = shop_of([("owl", at("2026-02-01T23:30"))])  # summer time has come before it is over
    assert reached(shop, Derived(silent_days=60))["owl"] == (
        at("2026-04-02T23:30"),
        dt.date(2026, 4, 3),
    )


def test_purchases_are_days_with_one_and_count_from_the_first_order_of_the_day():
    shop = shop_of(
        [
            ("a", at("2026-02-01T12:00")),
            ("a", at("2026-02-01T09:00")),
            ("a", at("2026-03-01T18:00")),
            ("a", at("2026-03-01T17:00")),
            ("b", at("2026-02-02T12:00")),
        ]
    )
    first, second, third = (reached(shop, Derived(purchase=n)) for n in (1, 2, 3))
    assert first == {
        "a": (at("2026-02-01T09:00"), dt.date(2026, 2, 1)),
        "b": (at("2026-02-02T12:00"), dt.date(2026, 2, 2)),
    }
    assert second == {"a": (at("2026-03-01T17:00"), dt.date(2026, 3, 1))}
    assert third == {}


def test_an_event_is_reached_the_first_time_that_it_comes():
    events = [("a", "seen", at("2026-02-02T12:00")), ("a", "seen", at("2026-02-01T12:00"))]
    shop = shop_of([], [*events, ("b", "other", at("2026-02-01T12:00"))])
    assert reached(shop, "seen") == {"a": (at("2026-02-01T12:00"), dt.date(2026, 2, 1))}
    with pytest.raises(BadParameter, match=r"no event 'sen'\. Did you mean 'seen'"):
        first_reached(shop, "sen")


@pytest.mark.parametrize(
    "milestone",
    ["seen", Derived(silent_days=20), Derived(purchase=1), Derived(purchase=3)],
    ids=str,
)
def test_who_reached_it_since_a_moment_are_those_of_all_who_did_so_later(milestone):
    rng = np.random.default_rng(5)
    moments = at("2026-01-01T00:00") + pd.to_timedelta(rng.integers(0, 119 * 86400, 300), unit="s")
    who = [f"c{number}" for number in rng.integers(0, 80, 300)]
    pairs = [*zip(who, moments.to_pydatetime(), strict=True)]
    shop = shop_of(pairs, [(one, "seen", moment) for one, moment in pairs])
    since, everybody = at("2026-03-20T12:00"), reached(shop, milestone)
    late = {who: when for who, when in everybody.items() if when[0] >= since}
    assert 0 < len(late) < len(everybody)
    assert reached(shop, milestone, since=since) == late


def test_milestones_are_named_for_a_sentence():
    derived = (Derived(silent_days=60), Derived(purchase=1), Derived(purchase=12))
    assert [named(each) for each in ("first_value", *derived)] == [
        "first_value",
        "60 days of silence",
        "the first purchase",
        "purchase number 12",
    ]
