"""What was known at the end of a day, and what came after."""

from __future__ import annotations

import datetime as dt
from itertools import pairwise

import pandas as pd
import pytest

from retention_lab.checks import BadData, BadParameter
from retention_lab.churn.endpoints import Endpoint
from retention_lab.churn.landmarks import dates, landmarks, people, people_collapsed
from retention_lab.tables import clocks
from retention_lab.tables.engine import collect

from .knowing import ALL, MILESTONE, RECENCY, SECOND, SUPPORT, TENURE, Customer
from .shops import ZONE, drawn, known, local_date, shop
from .test_endpoints import AS_OF, ENDPOINTS, oracle

NAMES = [factor.name for factor in ALL]
DAYS = [dt.date(2024, 2, 20), dt.date(2024, 3, 30), dt.date(2024, 4, 15)]
HORIZON = 45  # beyond the as-of date for the last of the days


def end_of(day):
    return pd.Timestamp(clocks.end_of_day(day, ZONE))


def oracle_people(rows, endpoint, day):
    """Who is there at the end of a day of a shop that ends with it: customer, spell, states."""
    cut, found = known(rows, day), []
    spells = oracle(rows, endpoint, day)
    for who, spell, zero, _until, event, _cause in spells:
        first = zero if endpoint.kind == "cancelled" else min(s[2] for s in spells if s[0] == who)
        if not event:
            customer = Customer(cut, who)
            states = [customer.at(factor, end_of(day) - SECOND, first) for factor in ALL]
            found.append((who, spell, *states))
    return pd.DataFrame(found, columns=["customer_id", "spell", *NAMES])


def oracle_landmarks(rows, endpoint, days, as_of):
    """States from what a shop knew that ended with the landmark, outcomes from all of it."""
    outcomes = {(s[0], s[1]): (s[3], s[4]) for s in oracle(rows, endpoint, as_of)}
    parts = []
    for day in days:
        part = oracle_people(rows, endpoint, day).assign(landmark=pd.Timestamp(day))
        results = []
        for who, spell in zip(part["customer_id"], part["spell"], strict=True):
            until, event = outcomes[who, spell]
            after = (local_date(pd.Series([until]))[0] - day).days
            seen = (as_of - day).days
            event = event and after <= HORIZON
            results.append((after if event else min(seen, HORIZON), event))
        parts.append(part.assign(day=[r[0] for r in results], event=[r[1] for r in results]))
    by = ["landmark", *NAMES, "day", "event_observed"]
    frame = pd.concat(parts).rename(columns={"event": "event_observed"})
    return frame.groupby(by).size().rename("weight").reset_index().sort_values(by)


@pytest.mark.parametrize(("endpoint", "seed"), [*zip(ENDPOINTS, range(3), strict=True)])
def test_landmarks_agree_with_loops_over_shops_that_end_with_them(endpoint, seed):
    rows = drawn(seed)
    got = landmarks(shop(rows, AS_OF), endpoint, ALL, days=DAYS, horizon=HORIZON)
    expected = oracle_landmarks(rows, endpoint, DAYS, AS_OF)
    pd.testing.assert_frame_equal(got, expected.reset_index(drop=True), check_dtype=False)
    assert got["event_observed"].any()


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda endpoint: endpoint.kind)
def test_people_are_those_of_a_landmark_at_the_as_of_date(endpoint):
    rows = drawn(5)
    today = shop(rows, AS_OF)
    got = collect(people(today, endpoint, ALL)).sort_values("customer_id", ignore_index=True)
    expected = oracle_people(rows, endpoint, AS_OF).sort_values(["customer_id", "spell"])
    newest = expected.groupby("customer_id").tail(1).drop(columns="spell").reset_index(drop=True)
    pd.testing.assert_frame_equal(got, newest)
    counts = people_collapsed(today, endpoint, ALL)
    sizes = newest.groupby(NAMES).size().rename("weight").reset_index()
    pd.testing.assert_frame_equal(counts, sizes)


def one(rows, factors, *, days, horizon=30, as_of="2024-06-30", zone=ZONE):
    """Landmarks of a small shop with subscriptions that began on 1 January 2024."""
    tables = {"subscriptions": [("a", "2024-01-01", None, None)], **rows}
    made = shop(tables, dt.date.fromisoformat(as_of), zone=zone)
    asked = [dt.date.fromisoformat(day) for day in days]
    return landmarks(made, Endpoint(kind="cancelled"), factors, days=asked, horizon=horizon)


def test_an_answer_after_a_landmark_leaves_its_ticket_waiting_there():
    tickets = [("t1", "a", "2024-03-01 09:00", "2024-03-02 08:00")]
    found = one({"tickets": tickets}, [SUPPORT], days=["2024-02-29", "2024-03-01", "2024-03-02"])
    assert found["support"].tolist() == ["no ticket", "waiting", "answered within 24 h"]


def test_of_two_open_tickets_the_one_opened_last_counts():
    tickets = [
        ("t1", "a", "2024-03-01 09:00", "2024-03-09 09:00"),
        ("t2", "a", "2024-03-03 09:00", "2024-03-04 09:00"),
        ("t3", "a", "2024-03-06 09:00", None),
    ]
    days = ["2024-03-02", "2024-03-05", "2024-03-08", "2024-03-10"]
    found = one({"tickets": tickets}, [SUPPORT], days=days)
    assert found["support"].tolist() == ["waiting", "answered within 24 h", "waiting", "waiting"]


def test_a_cancellation_after_a_landmark_is_an_open_subscription_there():
    cancelled = [("a", "2024-01-01", "2024-03-10 12:00", "voluntary")]
    found = one({"subscriptions": cancelled}, [], days=["2024-03-09", "2024-03-10"])
    assert found.drop(columns="landmark").to_numpy().tolist() == [[1, True, 1]]


@pytest.mark.parametrize(
    ("cancelled", "landmark", "expected"),
    [
        ("2024-03-31 22:59", "2024-03-01", [30, True]),  # the last minute of the window
        ("2024-03-31 23:00", "2024-03-01", [30, False]),  # midnight in London, summer time
        (None, "2024-06-20", [10, False]),  # known to the end of June only
        (None, "2024-06-30", [0, False]),
    ],
)
def test_outcomes_are_counted_in_local_days_up_to_the_horizon(cancelled, landmark, expected):
    rows = {"subscriptions": [("a", "2024-01-01", cancelled, None)]}
    found = one(rows, [], days=[landmark])
    assert found[["day", "event_observed"]].to_numpy().tolist() == [expected]


def test_a_landmark_ends_with_its_local_day():
    events = [("a", "onboarded", "2024-06-01 23:30")]  # 2 June in London
    found = one({"events": events}, [MILESTONE], days=["2024-06-01", "2024-06-02"])
    assert found["onboarding"].tolist() == ["not yet", "reached"]
    found = one({"events": events}, [MILESTONE], days=["2024-06-01"], zone="UTC")
    assert found["onboarding"].tolist() == ["reached"]


def test_every_open_subscription_has_a_landmark_and_its_customer_one_row_among_people():
    rows = {
        "subscriptions": [("a", "2024-01-01", None, None), ("a", "2024-05-01", None, None)],
        "orders": [("o1", "b", "2024-01-01", 1)],
    }
    assert one(rows, [TENURE], days=["2024-06-01"])["tenure"].tolist() == ["31-90", "over 90"]
    today = shop(rows, dt.date(2024, 6, 1))
    found = collect(people(today, Endpoint(kind="cancelled"), [TENURE]))
    assert found.to_numpy().tolist() == [["a", "31-90"]]


def test_who_never_bought_is_among_those_who_did_not_lately():
    orders = [("o1", "b", "2024-06-01", 1)]
    found = one({"orders": orders}, [RECENCY], days=["2024-06-10"])
    assert found["recency"].tolist() == ["over 60"]


def test_a_midnight_purchase_is_of_its_local_day_for_recency():
    orders = [("o1", "b", "2024-03-01", 1)]  # dates only, as many exports have them
    today = shop({"orders": orders}, dt.date(2024, 6, 1), zone="UTC")
    days = [dt.date(2024, 3, 21), dt.date(2024, 3, 22)]  # 20 and 21 days later
    found = landmarks(today, Endpoint(kind="returned"), [RECENCY], days=days, horizon=30)
    assert found["recency"].tolist() == ["0-20", "21-60"]


def test_nobody_is_counted_who_came_later():
    rows = {"subscriptions": [("a", "2024-03-01 00:00:01", None, None)]}
    assert one(rows, [], days=["2024-02-28"]).empty


def test_dates_leave_a_horizon_after_them_and_repeat_one_horizon_apart():
    made = shop({"orders": [("o1", "a", "2024-01-01", 1)]}, dt.date(2024, 12, 31))
    found = dates(made, horizon=90)
    assert found[-1] == dt.date(2024, 12, 31) - dt.timedelta(days=90)
    assert found[0] == dt.date(2024, 1, 6)
    assert {(b - a).days for a, b in pairwise(found)} == {30}
    for horizon, apart in ((100, 25), (45, 45), (60, 30), (97, 97)):
        found = dates(made, horizon=horizon)
        assert {(b - a).days for a, b in pairwise(found)} == {apart}
        assert horizon % apart == 0
    assert dates(made, horizon=365) == []


def test_landmarks_that_cannot_be_are_refused():
    with pytest.raises(BadParameter, match="up to 2024-06-30, the last one known, got 2024-07-01"):
        one({}, [], days=["2024-07-01"])
    with pytest.raises(BadData, match="no landmark: the records begin on 2024-01-01"):
        one({}, [], days=[])
    with pytest.raises(BadParameter, match="lost within 30 days"):
        landmarks(
            shop({"orders": [("o1", "a", "2024-01-01", 1)]}, AS_OF),
            Endpoint(kind="lost", days=30),
            [],
            days=DAYS,
            horizon=30,
        )
    with pytest.raises(BadData, match="customers lacks the column"):
        one({}, [ALL[3].model_copy(update={"column": "county"})], days=["2024-06-01"])
