"""Spells cut where factors change."""

from __future__ import annotations

import pandas as pd
import pytest

from retention_lab.churn.episodes import episodes
from retention_lab.tables.engine import collect

from .knowing import DAY, SECOND, TIMED, Customer
from .shops import drawn, known, shop
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


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda endpoint: endpoint.kind)
@pytest.mark.parametrize("seed", range(2))
def test_episodes_agree_with_loops_over_days(endpoint, seed):
    rows = drawn(seed)
    got = in_order(collect(episodes(shop(rows, AS_OF), endpoint, TIMED)), "start")
    expected = oracle_episodes(rows, endpoint, AS_OF)
    pd.testing.assert_frame_equal(joined(got), expected, check_dtype=False)
    assert len(expected) > 1.3 * len(expected[KEY].drop_duplicates())
