"""Spells cut where factors change."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from retention_lab.checks import BadParameter
from retention_lab.churn.endpoints import Endpoint, spells
from retention_lab.churn.episodes import collapsed, episodes, reached
from retention_lab.survival import cox
from retention_lab.tables import snapshot
from retention_lab.tables.engine import collect
from retention_lab.tables.frames import source_of

from .knowing import ALL, DAY, MILESTONE, PURCHASES, SECOND, SUPPORT, TIMED, Customer
from .shops import KNOWN, drawn, known, shop
from .test_endpoints import AS_OF, ENDPOINTS, KEY, in_order, oracle

NAMES = [factor.name for factor in TIMED]


def states_by_day(customer, zero, last):
    """The state of every factor on each day of a spell, 1 to `last`, as it began that day.

    What comes on day floor(m) + 1 counts from the next day on, so a day begins with what was known
    a second before its first instant, and the first one with what was known at time zero.
    """
    days = {}
    for day in range(1, last + 1):
        moment = zero if day == 1 else zero + (day - 1) * DAY - SECOND
        days[day] = tuple(customer.at(factor, moment) for factor in TIMED)
    return days


def oracle_episodes(rows, endpoint, as_of):
    cut, found = known(rows, as_of), []
    for who, spell, zero, until, event, cause in oracle(rows, endpoint, as_of):
        last = (until - zero) // DAY + event
        states = states_by_day(Customer(cut, who), zero, max(last, 1))
        start = 0
        for day in range(1, last):
            if states[day + 1] != states[day]:
                found.append((who, spell, start, day, False, None, *states[day]))
                start = day
        found.append((who, spell, start, last, event, cause, *states[max(last, 1)]))
    names = [*KEY, "start", "stop", "event_observed", "cause", *NAMES]
    return in_order(pd.DataFrame(found, columns=names), "start")


def joined(frame):
    """Put episodes of a spell together again that differ in nothing."""
    same = frame.groupby(KEY)[NAMES].shift() == frame[NAMES]
    run = (~same.all(axis=1)).cumsum()
    last = frame.groupby(run).tail(1).reset_index(drop=True)
    return last.assign(start=frame.groupby(run)["start"].first().to_numpy())


@pytest.mark.parametrize(("endpoint", "seed"), [*zip(ENDPOINTS, range(3), strict=True)])
def test_episodes_agree_with_loops_over_days(endpoint, seed):
    rows = drawn(seed)
    got = in_order(collect(episodes(shop(rows, AS_OF), endpoint, TIMED)), "start")
    expected = oracle_episodes(rows, endpoint, AS_OF)
    pd.testing.assert_frame_equal(joined(got), expected, check_dtype=False)
    assert len(expected) > 1.3 * len(expected[KEY].drop_duplicates())


def one(rows, factors, *, as_of="2024-06-30"):
    """Episodes of one customer, by default of a subscription from noon of 1 January 2024 on."""
    tables = {"subscriptions": [("a", "2024-01-01 12:00", None, None)], **rows}
    made = shop(tables, dt.date.fromisoformat(as_of), zone="UTC")
    found = collect(episodes(made, Endpoint(kind="cancelled"), factors))
    return in_order(found, "start").drop(columns=[*KEY, "cause"]).to_numpy().tolist()


ENDED = {"subscriptions": [("a", "2024-01-01 12:00", "2024-01-11 15:00", "voluntary")]}  # day 11


@pytest.mark.parametrize(
    ("reached_at", "expected"),
    [
        (None, [[0, 11, True, "not yet"]]),
        ("2023-11-01", [[0, 11, True, "reached"]]),  # before the spell began
        ("2024-01-01 12:00:00", [[0, 11, True, "reached"]]),  # as it began
        ("2024-01-01 12:00:01", [[0, 1, False, "not yet"], [1, 11, True, "reached"]]),
        ("2024-01-10 13:00", [[0, 10, False, "not yet"], [10, 11, True, "reached"]]),
        ("2024-01-11 14:00", [[0, 11, True, "not yet"]]),  # an hour before, on the event's day
        ("2024-03-01", [[0, 11, True, "not yet"]]),  # when it was over
    ],
)
def test_a_milestone_counts_from_the_day_after_it_on(reached_at, expected):
    events = [("a", "onboarded", reached_at)] if reached_at else [("b", "onboarded", "2024-01-02")]
    assert one({**ENDED, "events": events}, [MILESTONE]) == expected


def test_only_the_first_of_an_event_is_the_milestone():
    events = [("a", "onboarded", "2024-01-05"), ("a", "onboarded", "2024-01-03")]
    found = one({**ENDED, "events": [*events, ("a", "other", "2024-01-02")]}, [MILESTONE])
    assert found == [[0, 2, False, "not yet"], [2, 11, True, "reached"]]


def test_support_waits_until_the_answer_to_the_latest_ticket():
    tickets = [
        ("t1", "a", "2024-01-03 12:00", "2024-01-04 12:00"),  # 24 hours to the second
        ("t2", "a", "2024-01-06 12:00", "2024-01-09 12:00"),
        ("t3", "a", "2024-01-08 12:00", None),  # from here on the answer to t2 does not matter
    ]
    assert one({**ENDED, "tickets": tickets}, [SUPPORT]) == [
        [0, 3, False, "no ticket"],
        [3, 4, False, "waiting"],
        [4, 6, False, "answered within 24 h"],
        [6, 11, True, "waiting"],
    ]


def test_a_purchase_counts_until_its_days_are_over():
    # 1, 2 and 3 purchases make states from 1 on and from 3 on; each counts for 60 days.
    orders = [(f"o{day}", "a", f"2024-01-{day:02} 13:00", 1) for day in (2, 4, 6)]
    assert one({"orders": orders}, [PURCHASES], as_of="2024-03-31") == [
        [0, 2, False, "0"],
        [2, 6, False, "1-2"],
        [6, 62, False, "3 or more"],
        [62, 66, False, "1-2"],
        [66, 90, False, "0"],
    ]


def test_who_came_on_the_last_day_has_an_episode_of_no_length():
    rows = {"subscriptions": [("a", "2024-06-30 12:00", None, None)]}
    assert one({**rows, "events": [("a", "onboarded", "2024-06-30")]}, [MILESTONE]) == [
        [0, 0, False, "reached"]
    ]


def test_episodes_without_factors_are_spells():
    assert one(ENDED, []) == [[0, 11, True]]


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda endpoint: endpoint.kind)
def test_episodes_of_a_spell_follow_upon_one_another_and_end_as_it_does(endpoint):
    made = shop(drawn(9), AS_OF)
    found = in_order(collect(episodes(made, endpoint, TIMED)), "start").groupby(KEY)
    assert (found["start"].first() == 0).all()
    gaps = found["start"].shift(-1) - found["stop"].shift(0)
    assert set(gaps.dropna()) == {0}
    whole = in_order(collect(spells(made, endpoint))).set_index(KEY)
    for ours, theirs in (("stop", "day"), ("event_observed", "event_observed"), ("cause", "cause")):
        pd.testing.assert_series_equal(found[ours].last(), whole[theirs], check_names=False)
    assert found["event_observed"].sum().max() == 1


def test_collapsed_episodes_stand_for_as_many_rows():
    factors = [MILESTONE, TIMED[3]]
    rows = episodes(shop(drawn(2, customers=150), AS_OF), ENDPOINTS[0], factors)
    got, every = collapsed(rows, factors), collect(rows)
    by = list(got.columns[:-1])
    counts = every.fillna("").groupby(by).size().rename("weight").reset_index()
    pd.testing.assert_frame_equal(got.fillna(""), counts)
    assert got["weight"].max() > 1
    weighted, plain = fitted(got, weights=got["weight"]), fitted(every)
    by_customer = fitted(every, cluster=every["customer_id"])
    for one in (plain, by_customer):
        np.testing.assert_allclose(weighted.coefficients, one.coefficients, atol=1e-9)
        assert weighted.log_likelihood == pytest.approx(one.log_likelihood, rel=1e-9)
    np.testing.assert_allclose(weighted.covariance, plain.covariance, rtol=1e-7)
    # A customer has one event at most in a spell: cutting it adds no information to be corrected.
    ratio = np.sqrt(np.diag(by_customer.covariance) / np.diag(plain.covariance))
    assert ((ratio > 0.8) & (ratio < 1.25)).all()


def fitted(frame, **how):
    """A Cox model of the milestone and the countries, on rows or on weighted rows."""
    x = pd.DataFrame({"reached": frame["onboarding"] == "reached", "uk": frame["land"] == "UK"})
    times = {name: frame[name] for name in ("start", "stop", "event_observed")}
    return cox.fit(x.astype(float), **times, **how)


def test_reached_tells_the_day_of_the_milestone_within_each_spell():
    rows = {
        "subscriptions": [("a", "2024-01-01", "2024-01-20", None), ("a", "2024-02-01", None, None)],
        "events": [("a", "onboarded", "2024-01-04 12:00")],
    }
    made = shop(rows, dt.date(2024, 6, 30), zone="UTC")
    found = in_order(collect(reached(made, Endpoint(kind="cancelled"), MILESTONE)))
    assert found[["spell", "day"]].to_numpy().tolist() == [[1, 4], [2, 0]]


def test_rows_and_fields_after_the_as_of_date_change_nothing():
    rows = drawn(4)
    others = {name: frame.copy() for name, frame in rows.items()}
    for name, frame in known(rows, AS_OF).items():
        time, later = KNOWN[name]
        unknown = others[name][time] > frame[time].max()
        others[name].loc[unknown, time] += pd.Timedelta(days=3)  # rows that come later still
        for column in later:
            end = pd.Timestamp(AS_OF) + pd.Timedelta(days=1)
            others[name][column] = others[name][column].where(others[name][column] < end)
    found = []
    for frames in (rows, others):
        settings = {"complete_to": "2024-12-31"}
        about = {"name": "Two", "time_zone": "UTC", "currency": "GBP", "settings": settings}
        made = snapshot.take(source_of(frames, **about), as_of=AS_OF)
        found.append(in_order(collect(episodes(made, ENDPOINTS[0], TIMED)), "start"))
    pd.testing.assert_frame_equal(*found)
    assert len(found[0]) > 20


def test_days_since_something_are_no_factor_of_episodes():
    made = shop(drawn(1), AS_OF)
    with pytest.raises(BadParameter, match="factor 'recency' counts days"):
        episodes(made, ENDPOINTS[0], ALL)
