"""From the milestone to the endpoint, held against loops over customers."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from lifelines import KaplanMeierFitter

from retention_lab.checks import BadData
from retention_lab.experiments.following import followed, grid
from retention_lab.experiments.terms import Endpoint
from retention_lab.survival.daygrid import kaplan_meier
from retention_lab.tables import clocks, engine
from retention_lab.tables.engine import collect

from .past import ZONE, duckdb, local, shop_of

AS_OF = dt.date(2024, 6, 30)
RETAINED, RETURNED = (Endpoint(kind=kind, day=30) for kind in ("retained", "returned"))
ZERO = pd.Timestamp("2024-04-01 10:00:00")
DAY, SECOND = pd.Timedelta(days=1), pd.Timedelta(seconds=1)


def people_of(reached, **columns):
    """Those who reached the milestone."""
    at = pd.Series([*reached.values()]).astype("datetime64[us]")
    rows = {"customer_id": [*reached], "reached_at": at, "reached_on": [local(one) for one in at]}
    return engine.put(pa.table(rows | columns), con=duckdb())


def told(shop, reached, endpoint):
    """Give what is known of each: the day and whether it is an event, or None."""
    rows = collect(followed(shop, people_of(reached), endpoint=endpoint))
    return {
        row.customer_id: (row.day, row.event_observed) if row.known else None
        for row in rows.itertuples()
    }


def test_returned_is_the_first_order_later_than_time_zero_or_on_a_later_day():
    cases = {
        "none": ([], (90, False)),  # to 23:00 UTC of 30 June
        "before": ([ZERO - 3 * DAY], (90, False)),
        "next": ([ZERO - DAY, ZERO + SECOND], (1, True)),
        "second day": ([ZERO + 2 * DAY - SECOND], (2, True)),
        "third day": ([ZERO + 2 * DAY, ZERO + 9 * DAY], (3, True)),
        "itself": ([ZERO, ZERO + SECOND], (90, False)),  # one purchase, which is the milestone
        "that day": ([ZERO, pd.Timestamp("2024-04-01 22:59:59")], (90, False)),
        "midnight": ([ZERO, pd.Timestamp("2024-04-01 23:00:00")], (1, True)),  # in London
    }
    orders = [(who, at) for who, (times, _) in cases.items() for at in times]
    found = told(shop_of(AS_OF, orders=orders), dict.fromkeys(cases, ZERO), RETURNED)
    assert found == {who: expected for who, (_, expected) in cases.items()}


def test_retained_is_that_some_subscription_of_time_zero_is_not_cancelled():
    old, older, later = ZERO - DAY / 2, ZERO - DAY, pd.Timestamp("2024-07-01")
    cases = {
        "none": ([], None),
        "not yet": ([(ZERO + SECOND, None)], None),
        "no longer": ([(older, ZERO - SECOND)], None),
        "begun": ([(ZERO, None)], (90, False)),
        "ended": ([(older, ZERO)], (1, True)),
        "one": ([(older, ZERO + 5 * DAY)], (6, True)),
        "the last of two": ([(older, ZERO + 5 * DAY), (old, ZERO + 8 * DAY)], (9, True)),
        "one of two": ([(older, ZERO + 5 * DAY), (old, None)], (90, False)),
        "came back": ([(older, ZERO + 5 * DAY), (ZERO + 6 * DAY, None)], (6, True)),
        "not known on the day": ([(older, later)], (90, False)),
    }
    spans = [(who, *span) for who, (each, _) in cases.items() for span in each]
    found = told(shop_of(AS_OF, subscriptions=spans), dict.fromkeys(cases, ZERO), RETAINED)
    assert found == {who: expected for who, (_, expected) in cases.items()}


def drawn(seed):
    """Draw orders and subscriptions of 60 customers, and milestones of most."""
    rng = np.random.default_rng(seed)
    ids = [f"c{number}" for number in range(60)]

    def at(low, high):  # half of them midnights, so that equal times happen
        day = rng.uniform(low, high)
        return (ZERO.normalize() + (np.floor(day) if rng.random() < 0.5 else day) * DAY).floor("s")

    orders = [(rng.choice(ids), at(-90, 95)) for _ in range(300)]
    starts = {(rng.choice(ids), at(-90, 60)) for _ in range(90)}
    spans = [
        (who, start, at((start - ZERO).days + 2, 95) if rng.random() < 0.6 else None)
        for who, start in sorted(starts)
    ]
    reached = {who: at(-60, 90) for who in ids[:50]}
    # Some milestones are orders, or the starts and ends of subscriptions.
    reached |= dict(orders[:20])
    reached |= {who: start for who, start, _ in spans[:5]}
    return orders, spans, reached


def oracle(orders, spans, reached, endpoint, as_of):
    """Days and events by loops over customers, of what is known at the end of the day."""
    end, found = pd.Timestamp(clocks.end_of_day(as_of, ZONE)), {}
    for who, zero in ((who, at) for who, at in reached.items() if at < end):
        if endpoint.kind == "returned":
            times = sorted(at for one, at in orders if one == who and zero <= at < end)
            after = [at for at in times if at > zero]
            if zero in times:
                after = [at for at in after if local(at) > local(zero)]
            until = min(after, default=None)
        else:
            active = [
                stop if stop is not None and stop < end else None
                for one, start, stop in spans
                if one == who and start <= zero and (stop is None or stop >= zero)
            ]
            if not active:
                found[who] = None
                continue
            until = None if None in active else max(active)
        days = ((end if until is None else until) - zero) // DAY
        found[who] = (days + (until is not None), until is not None)
    return found


@pytest.mark.parametrize("endpoint", [RETAINED, RETURNED], ids=lambda one: one.kind)
@pytest.mark.parametrize("as_of", [AS_OF, dt.date(2024, 5, 20)])
def test_durations_are_those_of_loops_over_customers_and_know_nothing_later(endpoint, as_of):
    for seed in (1, 2):
        orders, spans, reached = drawn(seed)
        shop = shop_of(as_of, orders=orders, subscriptions=spans)
        end = pd.Timestamp(clocks.end_of_day(as_of, ZONE))
        known = {who: at for who, at in reached.items() if at < end}
        expected = oracle(orders, spans, reached, endpoint, as_of)
        assert told(shop, known, endpoint) == expected
        assert {None} < {*expected.values()} or endpoint is RETURNED


def test_other_columns_stay_and_the_grid_leaves_out_who_is_not_known():
    _, spans, reached = drawn(3)
    shop = shop_of(AS_OF, subscriptions=spans)
    arms = ["control" if number % 3 else "check-in" for number in range(len(reached))]
    rows = followed(shop, people_of(reached, arm=arms), endpoint=RETAINED)
    names = ["customer_id", "reached_at", "reached_on", "arm", "day", "event_observed", "known"]
    assert [*rows.columns] == names
    whole = collect(rows)
    known = whole[whole["known"]]
    assert 0 < len(known) < len(whole) == len(reached)
    counts = grid(rows, "arm")
    for arm, part in counts.groupby("arm"):
        one = known[known["arm"] == arm]
        expected = KaplanMeierFitter().fit(one["day"], one["event_observed"]).survival_function_
        curve = kaplan_meier(part).set_index("day")["survival"]
        assert curve.to_numpy() == pytest.approx(expected.loc[curve.index].to_numpy()[:, 0])


def test_a_shop_without_the_table_is_refused():
    shop = shop_of(AS_OF, orders=[("a", ZERO)])
    with pytest.raises(BadData, match="has no subscriptions"):
        followed(shop, people_of({"a": ZERO}), endpoint=RETAINED)
    with pytest.raises(BadData, match="lacks the column"):
        followed(shop, shop.orders, endpoint=RETURNED)
