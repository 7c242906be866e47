"""Endpoints and spells."""

from __future__ import annotations

import datetime as dt
import math

import pandas as pd
import pytest

from retention_lab.checks import BadParameter
from retention_lab.churn.endpoints import Endpoint, chosen, spells
from retention_lab.tables import clocks
from retention_lab.tables.engine import collect

from .shops import ZONE, drawn, known, local_date, shop

AS_OF = dt.date(2024, 5, 20)
DAY = pd.Timedelta(days=1)
KEY = ["customer_id", "spell"]
ENDPOINTS = [
    Endpoint(kind="cancelled"),
    Endpoint(kind="returned"),
    Endpoint(kind="lost", days=30),
]


def in_order(frame, *by):
    return frame.sort_values([*KEY, *by], ignore_index=True)


def purchase_times(orders):
    """The first order of each customer's local days, by loops."""
    found = {}
    for who, at, on in zip(
        orders["customer_id"], orders["ordered_at"], local_date(orders["ordered_at"]), strict=True
    ):
        found.setdefault(who, {}).setdefault(on, []).append(at)
    return {who: sorted(min(times) for times in days.values()) for who, days in found.items()}


def oracle(rows, endpoint, as_of):
    """Spells by loops over customers: (customer, spell, zero, until, event, cause)."""
    cut, end, found = known(rows, as_of), pd.Timestamp(clocks.end_of_day(as_of, ZONE)), []
    if endpoint.kind == "cancelled":
        for who, part in cut["subscriptions"].groupby("customer_id"):
            ranked = part.sort_values("started_at")
            for spell, row in enumerate(ranked.itertuples(), start=1):
                event = pd.notna(row.cancelled_at)
                reason = row.cancel_reason if pd.notna(row.cancel_reason) else "other"
                until, cause = (row.cancelled_at, reason) if event else (end, None)
                found.append((who, spell, row.started_at, until, event, cause))
        return found
    for who, times in purchase_times(cut["orders"]).items():
        following = [*times[1:], end]
        if endpoint.kind == "returned":
            for i, (at, until) in enumerate(zip(times, following, strict=True)):
                found.append((who, i + 1, at, until, i + 1 < len(times), None))
        else:
            gap = pd.Timedelta(days=endpoint.days)
            lost = [
                at + gap for at, until in zip(times, following, strict=True) if at + gap < until
            ]
            found.append((who, 1, times[0], min([*lost, end]), bool(lost), None))
    return found


def oracle_frame(rows, endpoint, as_of):
    names = ["customer_id", "spell", "zero_at", "until_at", "event_observed", "cause"]
    frame = pd.DataFrame(oracle(rows, endpoint, as_of), columns=names)
    days = [math.floor(each / DAY) for each in frame["until_at"] - frame["zero_at"]]
    frame["day"] = pd.Series(days) + frame["event_observed"].astype(int)
    frame["cohort"] = pd.to_datetime([day.replace(day=1) for day in local_date(frame["zero_at"])])
    country = rows["customers"].set_index("customer_id")["country"].fillna("unknown")
    frame["country"] = frame["customer_id"].map(country)
    order = [*KEY, "zero_at", "until_at", "cohort", "day", "event_observed", "cause", "country"]
    return in_order(frame[order])


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda endpoint: endpoint.kind)
@pytest.mark.parametrize("seed", range(3))
def test_spells_agree_with_loops_over_customers(endpoint, seed):
    rows = drawn(seed)
    got = in_order(collect(spells(shop(rows, AS_OF), endpoint)))
    expected = oracle_frame(rows, endpoint, AS_OF)
    pd.testing.assert_frame_equal(got, expected, check_dtype=False)
    assert 0 < expected["event_observed"].sum() < len(expected)


def one(rows, endpoint, as_of="2024-06-30", table="orders"):
    """Collect the spells of one customer, whose rows are (time, ...) tuples."""
    if table == "orders":
        full = [(f"o{i}", "a", at, 1) for i, at in enumerate(rows)]
    else:
        full = [("a", *row) for row in rows]
    made = shop({table: full}, dt.date.fromisoformat(as_of), zone="UTC")
    return in_order(collect(spells(made, endpoint)))


def test_an_event_in_the_second_of_the_start_is_one_of_day_one():
    rows = [("2024-01-05 10:00", "2024-01-05 10:00", None)]
    assert one(rows, ENDPOINTS[0], table="subscriptions")["day"].tolist() == [1]


def test_who_started_on_the_last_day_is_censored_on_day_zero():
    rows = [("2024-06-30 10:00", None, None)]
    spell = one(rows, ENDPOINTS[0], table="subscriptions")
    assert spell[["day", "event_observed"]].to_numpy().tolist() == [[0, False]]


def test_a_cancellation_without_a_reason_counts_as_other_and_an_open_one_has_none():
    rows = [
        ("2024-01-01", "2024-02-01", "involuntary"),
        ("2024-03-01", "2024-04-01", None),
        ("2024-05-01", None, None),
    ]
    spell = one(rows, ENDPOINTS[0], table="subscriptions")
    assert spell["cause"].tolist() == ["involuntary", "other", None]
    assert spell["cohort"].dt.month.tolist() == [1, 3, 5]


def test_two_orders_of_a_day_are_one_purchase_from_the_first_on():
    spell = one(["2024-01-05 18:00", "2024-01-05 09:00", "2024-01-07 08:00"], ENDPOINTS[1])
    assert spell["zero_at"].iloc[0] == pd.Timestamp("2024-01-05 09:00")
    # Worked by hand: 1 day and 23 hours, then 175 days and 16 hours to the end of 30 June.
    assert spell["day"].tolist() == [2, 175]


@pytest.mark.parametrize(
    ("bought", "day", "event"),
    [
        (["2024-01-01"], 31, True),  # 30 silent days and no more are over on day 31
        (["2024-01-01", "2024-01-31"], 61, True),  # back in the last second that counts
        (["2024-01-01", "2024-01-31 00:00:01"], 31, True),  # a second late: lost already
        (["2024-01-01", "2024-02-20", "2024-06-29"], 31, True),  # and a return undoes nothing
        (["2024-06-01"], 30, False),  # silent for 30 days, but not for longer
    ],
)
def test_the_lost_are_known_after_the_silent_days_and_not_before(bought, day, event):
    spell = one(bought, ENDPOINTS[2])
    assert spell[["day", "event_observed"]].to_numpy().tolist() == [[day, event]]


def test_subscriptions_choose_the_endpoint_and_orders_stand_in_for_them():
    rows = drawn(1)
    assert chosen(shop(rows, AS_OF)).kind == "cancelled"
    del rows["subscriptions"]
    assert chosen(shop(rows, AS_OF)) == Endpoint(kind="returned")


def test_days_belong_to_the_lost_alone():
    with pytest.raises(BadParameter, match="cancelled takes no days, got 30"):
        Endpoint(kind="cancelled", days=30)
    with pytest.raises(BadParameter, match="days of the endpoint lost must be at least 1, got 0"):
        Endpoint(kind="lost")


def test_a_horizon_that_nobody_can_be_lost_in_is_refused():
    ENDPOINTS[2].fits(31)
    with pytest.raises(BadParameter, match="can be lost within 30 days when it takes 30"):
        ENDPOINTS[2].fits(30)
    with pytest.raises(BadParameter, match="horizon must be at least 1, got 0"):
        ENDPOINTS[0].fits(0)
