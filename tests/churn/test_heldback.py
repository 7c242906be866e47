"""Contacted against held back: who counts from when, and when nothing is claimed."""

from __future__ import annotations

import datetime as dt
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from lifelines import KaplanMeierFitter
from scipy.stats import binom

from retention_lab import state as states
from retention_lab.churn import heldback
from retention_lab.inference.interval import Interval, minus

from . import shops

AS_OF = dt.date(2025, 6, 30)
LISTED = dt.date(2025, 1, 31)
ZERO = pd.Timestamp("2024-06-01 10:00")


@pytest.fixture
def state(tmp_path):
    return states.opened(tmp_path / "state")


def entry(customer, group, day=LISTED, **other):
    row = {"source": "Shop", "as_of": str(day), "channel": "email", "customer_id": customer}
    row |= {"group": group, "rank": 1, "probability": 0.5, "play": "call", "file": "a.csv"}
    return {**row, "endpoint": "cancelled", "horizon": 90, "hold_back": 0.1, **other}


def after(day, days, *, hour=12):
    """A time on the local day so many days after a list's."""
    return pd.Timestamp(day) + pd.Timedelta(days=days, hours=hour)


def shop_of(ended, *, as_of=AS_OF):
    """A shop of members who leave at some time, or None."""
    rows = [
        (customer, ZERO, time, "voluntary" if time else None) for customer, time in ended.items()
    ]
    made = shops.shop({"subscriptions": rows}, as_of)
    made.name = "Shop"
    return made


def twenty(group, left):
    """Twenty customers of a group; as many as `left` has days leave so long after the list."""
    ids = [f"{group[0]}{number}" for number in range(20)]
    return dict(zip(ids, [after(LISTED, days) for days in left] + [None] * 20, strict=False))


def both(contacted=(5, 20, 88, 90), held_back=(1, 2, 3, 40, 50, 60, 70, 80)):
    return twenty("contacted", contacted), twenty("held back", held_back)


def written(state, contacted, held_back, **other):
    rows = [entry(one, "contacted", **other) for one in contacted]
    rows += [entry(one, "held back", **other) for one in held_back]
    heldback.ledger(state).append(rows)


def test_groups_are_compared_by_the_share_that_stayed(state):
    contacted, held_back = both()
    written(state, contacted, held_back)
    found = heldback.compared(shop_of({**contacted, **held_back}), state)
    assert not found.sentences
    assert tuple(found.lists.columns) == heldback.COLUMNS
    row = found.lists.iloc[0]
    # By hand: 4 of the 20 contacted and 8 of the 20 held back left on day 90 or before.
    assert (row["contacted"], row["held_back"]) == (20, 20)
    assert row["share_contacted"] == pytest.approx(16 / 20)
    assert row["share_held_back"] == pytest.approx(12 / 20)
    assert row["difference"] == pytest.approx(0.2)
    assert row["low"] < 0 < row["difference"] < row["high"]
    assert (row["lists"], row["open_lists"], row["first"]) == (1, 0, pd.Timestamp(LISTED))


def test_the_horizon_is_counted_in_local_days(state):
    # The clocks of London go forward on 30 March 2025: 1 May ends an hour sooner in UTC.
    last = pd.Timestamp("2025-05-01 22:59:59")
    contacted, held_back = both(contacted=(), held_back=())
    contacted |= {"c0": last, "c1": last + pd.Timedelta(seconds=1)}
    written(state, contacted, held_back)
    ended = {**contacted, **held_back}
    for as_of in (AS_OF, dt.date(2025, 5, 1)):
        row = heldback.compared(shop_of(ended, as_of=as_of), state).lists.iloc[0]
        assert row["share_contacted"] == pytest.approx(19 / 20)


def test_a_list_that_is_not_yet_complete_counts_as_long_as_it_was_followed(state):
    rng = np.random.default_rng(4)
    days = {group: rng.exponential(100, 60) for group in ("contacted", "held back")}
    young = AS_OF - dt.timedelta(days=30)
    ended, rows, oracle = {}, [], {}
    for group, times in days.items():
        for number, time in enumerate(times):
            day = LISTED if number % 2 else young
            followed = (AS_OF - day).days
            who, wait = f"{group[0]}{number}", int(time) + 1
            ended[who] = after(day, wait) if wait <= followed else None
            rows.append(entry(who, group, day))
            oracle.setdefault(group, []).append((min(wait, followed), wait <= followed))
    heldback.ledger(state).append(rows)
    found = heldback.compared(shop_of(ended), state)
    assert found.sentences == (
        f"The 2 lists of {LISTED} to {young} for email: the 90 days of 1 of them are not over; "
        "customers count for as long as they were followed.",
    )
    curves = [stayed(oracle[group]) for group in ("contacted", "held back")]  # by lifelines
    row, wanted = found.lists.iloc[0], minus(*curves)
    assert (row["lists"], row["open_lists"]) == (2, 1)
    assert row["share_contacted"] == pytest.approx(curves[0].value)
    assert [row[each] for each in ("difference", "low", "high")] == pytest.approx(
        [wanted.value, wanted.low, wanted.high]
    )


def stayed(rows):
    """Kaplan-Meier of lifelines at day 90, with its log-log interval."""
    waits, seen = zip(*rows, strict=True)
    fit = KaplanMeierFitter().fit(waits, seen)
    low, high = fit.confidence_interval_survival_function_.loc[:90].iloc[-1]
    return Interval(value=float(fit.predict(90)), low=float(low), high=float(high))


def test_a_customer_counts_once_from_the_first_list_in_the_group_of_then(state):
    contacted, held_back = both()
    written(state, contacted, held_back)
    before = heldback.compared(shop_of({**contacted, **held_back}), state)
    later = dt.date(2025, 3, 1)
    heldback.ledger(state).append([entry(one, "held back", later) for one in contacted])
    after_it = heldback.compared(shop_of({**contacted, **held_back}), state)
    same = [name for name in heldback.COLUMNS if name not in ("lists", "last")]
    pd.testing.assert_frame_equal(before.lists[same], after_it.lists[same])


def test_who_had_left_by_the_end_of_the_day_of_the_list_is_not_counted(state):
    contacted, held_back = both()
    contacted["early"] = after(LISTED, 0, hour=23.9)
    written(state, contacted, held_back)
    row = heldback.compared(shop_of({**contacted, **held_back}), state).lists.iloc[0]
    assert row["contacted"] == 20


def test_the_later_of_two_subscriptions_counts(state):
    contacted, held_back = both(contacted=(20, 40), held_back=())
    young, day = {"late": after(AS_OF, -20)}, AS_OF - dt.timedelta(days=30)
    written(state, contacted, held_back)
    written(state, young, {}, day=day)
    rows = [
        (customer, ZERO, time, "voluntary" if time else None)
        for customer, time in {**contacted, **held_back, **young}.items()
    ]
    second = [(one, ZERO + pd.Timedelta(days=1), None, None) for one in ("c0", "late")]
    shop = shops.shop({"subscriptions": rows + second}, AS_OF)
    shop.name = "Shop"
    row = heldback.compared(shop, state).lists.iloc[0]
    # Of the 20 followed to day 40 one leaves then; c0 stays, by the second subscription.
    assert (row["contacted"], row["share_contacted"]) == (21, pytest.approx(19 / 20))


def test_without_a_contract_the_share_is_of_those_who_came_back(state):
    contacted, held_back = both()
    written(state, contacted, held_back, endpoint="returned")
    bought = [(f"o{one}", one, ZERO, 100) for one in (*contacted, *held_back)]
    again = {**contacted, **held_back}.items()
    bought += [(f"p{one}", one, time, 100) for one, time in again if time is not None]
    shop = shops.shop({"orders": bought}, AS_OF)
    shop.name = "Shop"
    row = heldback.compared(shop, state).lists.iloc[0]
    assert row["share_contacted"] == pytest.approx(4 / 20)
    # The mirror image of the same times until a cancellation.
    stays = states.opened(state.folder.parent / "stays")
    written(stays, contacted, held_back)
    kept = heldback.compared(shop_of({**contacted, **held_back}), stays).lists.iloc[0]
    assert [row[each] for each in ("difference", "low", "high")] == pytest.approx(
        [-kept["difference"], -kept["high"], -kept["low"]]
    )


def test_only_lists_that_are_alike_are_put_together(state):
    contacted, held_back = both()
    written(state, contacted, held_back)
    written(state, contacted, held_back, channel="sms")
    written(state, contacted, held_back, day=dt.date(2025, 2, 28), hold_back=0.5)
    written(state, contacted, held_back, source="Other shop")
    found = heldback.compared(shop_of({**contacted, **held_back}), state).lists
    assert found[["channel", "hold_back"]].to_numpy().tolist() == [
        ["email", 0.1], ["email", 0.5], ["sms", 0.1]
    ]  # fmt: skip


def test_each_kind_of_list_is_compared_by_itself_and_old_logs_are_of_those_at_risk(state):
    contacted, held_back = both()
    written(state, contacted, held_back)
    other = [entry(one, "contacted", file="rising.csv") for one in held_back]
    heldback.ledger(state, "rising").append(other)
    shop = shop_of({**contacted, **held_back})
    assert heldback.ledger(state).name == "lists"  # as it was called when there was one kind
    row = heldback.compared(shop, state).lists.iloc[0]
    assert (row["contacted"], row["held_back"]) == (20, 20)
    assert heldback.compared(shop, state, kind="slipped").lists.empty
    assert len(heldback.compared(shop, state, kind="rising").sentences) == 1
    groups = [
        heldback.groups(state, SimpleNamespace(name="Shop", as_of=LISTED), channel="email", **kind)
        for kind in ({}, {"kind": "rising"})
    ]
    assert groups[0]["h0"] == "held back"
    assert groups[1] == dict.fromkeys(held_back, "contacted")


def test_nothing_is_claimed_of_fewer_than_ten(state):
    contacted, held_back = both()
    few = dict(list(held_back.items())[:9])
    written(state, contacted, few)
    found = heldback.compared(shop_of({**contacted, **held_back}), state)
    assert found.lists.empty
    assert found.sentences == (
        f"The list of {LISTED} for email: nothing is claimed. It takes 10 customers contacted and "
        "10 held back; look later.",
    )


def test_nothing_is_claimed_before_the_first_horizon_is_over(state):
    contacted, held_back = both()
    written(state, contacted, held_back)
    day = dt.date(2025, 4, 30)
    found = heldback.compared(shop_of({**contacted, **held_back}, as_of=day), state)
    assert found.lists.empty
    assert found.sentences == (
        f"The list of {LISTED} for email: nothing is claimed. On 2025-05-01 the first 90 days are "
        "over.",
    )


def test_a_list_of_the_same_or_a_later_day_is_not_known(state):
    contacted, held_back = both()
    written(state, contacted, held_back, day=AS_OF)
    written(state, contacted, held_back, day=AS_OF + dt.timedelta(days=1))
    found = heldback.compared(shop_of({**contacted, **held_back}), state)
    assert found.lists.empty
    assert not found.sentences


def test_without_a_list_there_is_nothing_to_compare(state):
    found = heldback.compared(shop_of({"a": None}), state)
    assert tuple(found.lists.columns) == heldback.COLUMNS
    assert found.lists.empty
    assert not found.sentences


@pytest.mark.slow
def test_contact_that_does_nothing_is_rarely_said_to_help(tmp_path):
    """Coverage of no difference, where one in ten is held back and a quarter leave."""
    rng, covered, times = np.random.default_rng(8), 0, 300
    for number in range(times):
        state = states.opened(tmp_path / f"state{number}")
        held = rng.random(400) < 0.1
        waits = rng.exponential(310, 400).astype(int) + 1
        ids = [f"c{one}" for one in range(400)]
        ended = {
            one: after(LISTED, int(wait)) if wait < 140 else None
            for one, wait in zip(ids, waits, strict=True)
        }
        groups = np.where(held, "held back", "contacted").tolist()
        heldback.ledger(state).append(map(entry, ids, groups))
        row = heldback.compared(shop_of(ended), state).lists.iloc[0]
        covered += row["low"] <= 0 <= row["high"]
    low, high = binom.ppf([0.0005, 0.9995], times, 0.95)
    assert low <= covered <= high
