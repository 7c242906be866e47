"""What was known at the end of a day, and what came after."""

from __future__ import annotations

import datetime as dt

import pandas as pd
import pytest

from retention_lab.churn.landmarks import landmarks, people, people_collapsed
from retention_lab.tables import clocks
from retention_lab.tables.engine import collect

from .knowing import ALL, SECOND, Customer
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


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda endpoint: endpoint.kind)
@pytest.mark.parametrize("seed", range(2))
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
