"""What a shop's history tells of a plan, against counts by hand and curves of lifelines."""

from __future__ import annotations

import datetime as dt
from dataclasses import fields

import numpy as np
import pandas as pd
import pytest
from lifelines import KaplanMeierFitter

from retention_lab.experiments import history as histories
from retention_lab.experiments.history import history
from retention_lab.experiments.plan import Plan
from retention_lab.inference.moments import RatioMoments, ratio
from retention_lab.inference.pace import pace
from retention_lab.tables import frames, snapshot

from .past import COLUMNS, ZONE, local, shop_of

AS_OF = dt.date(2024, 6, 26)  # a Wednesday
SUNDAY = pd.Timestamp("2024-06-23 10:00:00")
DAY = pd.Timedelta(days=1)
PLAN = {
    "name": "check_in",
    "title": "Check-in",
    "owner": "Lifecycle Marketing",
    "hypothesis": "It helps.",
    "milestone": "onboarded",
    "channel": "email",
    "arms": [{"name": "control", "share": 0.5}, {"name": "hello", "share": 0.5, "message": "hi"}],
    "starts": "2027-01-11",
    "ends": "2027-06-11",
    "endpoint": {"kind": "retained", "day": 30},
    "primary": {"smallest_effect": 0.03},
    "assumptions": {},
}
LONG_AGO = pd.Timestamp("2020-01-01")


def plan_of(**said):
    return Plan.model_validate({**PLAN, **said})


def told(as_of=AS_OF, plan=None, **tables):
    return history(shop_of(as_of, **tables), plan or plan_of())


def consents_of(rows):
    return [(who, LONG_AGO, "email", True) for who in sorted({row[0] for row in rows})]


def subscribed(rows):
    return [(who, LONG_AGO, None) for who in sorted({row[0] for row in rows})]


def arriving(per_week, *, event="onboarded", last=SUNDAY):
    """Customers who reach a milestone, so many each week; the last week ends on a day."""
    return [
        (f"c{ago}-{n}", last - (7 * ago + n % 7) * DAY, event)
        for ago, customers in enumerate(reversed(per_week))
        for n in range(customers)
    ]


def everybody(reached):
    """The tables of a shop in which all who reached it could be enrolled."""
    return {
        "events": reached,
        "consents": consents_of(reached),
        "subscriptions": subscribed(reached),
    }


def drawn(seed, *, customers=300, end=AS_OF):
    """Draw a shop of a year and a half, of whom some consent, or subscribe, or return."""
    rng, rows = np.random.default_rng(seed), {name: [] for name in ("events", "orders", "messages")}
    rows |= {"subscriptions": [], "consents": [], "customers": []}
    last = pd.Timestamp(end)
    for who in (f"c{number}" for number in range(customers)):
        at = (last - rng.uniform(0, 540) * DAY).floor("s")
        rows["customers"].append((who, LONG_AGO, rng.choice(["UK", "DE"])))
        rows["events"] += [(who, at + n * DAY, "onboarded") for n in range(rng.integers(1, 3))]
        rows["consents"].append((who, at, "email", bool(rng.random() < 0.7)))
        if rng.random() < 0.8:
            stop = (at + rng.exponential(80) * DAY).floor("s") if rng.random() < 0.6 else None
            rows["subscriptions"].append((who, at - DAY, stop))
        rows["orders"] += [(who, (at + rng.uniform(-50, 200) * DAY).floor("s")) for _ in range(3)]
        for _ in range(rng.integers(0, 4)):
            sent = (at + rng.uniform(0, 99) * DAY).floor("s")
            rows["messages"].append((who, sent, sent if rng.random() < 0.9 else None, "email"))
    return rows


# Arrivals


def test_weeks_are_whole_from_the_first_that_began_after_anybody_came():
    # The first customer comes on a Tuesday, so the week after is the first whole one.
    reached = [("first", SUNDAY - 33 * DAY, "onboarded"), *arriving([4, 0, 3])]
    weeks = told(**everybody([*reached, ("new", SUNDAY + 2 * DAY, "onboarded")])).weeks
    assert weeks["week"].dt.strftime("%a %d").tolist() == ["Mon 27", "Mon 03", "Mon 10", "Mon 17"]
    assert weeks["reached"].tolist() == weeks["eligible"].tolist() == [0, 4, 0, 3]


def test_the_first_time_counts_and_the_pace_is_that_of_the_last_twelve_of_52_weeks():
    reached = arriving([8] * 48 + [*range(10, 22)])
    again = [(who, at + 7 * DAY, event) for who, at, event in reached]
    found = told(**everybody(reached + again))
    assert found.weeks["reached"].tolist() == [8] * 40 + [*range(10, 22)]
    assert found.entry == pace(range(10, 22))


def test_eligible_are_those_the_plan_is_for_who_consent_and_of_whom_the_endpoint_tells():
    reached = arriving([10] * 6)
    tables = everybody(reached)
    ids = [who for who, *_ in reached]
    germans = {who for who in ids if who.endswith("1")}
    tables["customers"] = [(who, LONG_AGO, "DE" if who in germans else "UK") for who in ids]
    tables["consents"] += [(w, LONG_AGO + DAY, "email", False) for w in ids if w.endswith("2")]
    tables["subscriptions"] = [row for row in tables["subscriptions"] if not row[0].endswith("3")]
    found = told(plan=plan_of(where="country = 'UK'", coverage=0.5), **tables)
    assert found.weeks["eligible"].tolist() == [7] * 6
    half = pace([7] * 6)
    assert found.entry is not None
    assert found.entry.value == pytest.approx(0.5)
    assert (found.entry.low, found.entry.high) == (half.low / 2, half.high / 2)
    assert (found.customers, found.left_out) == (48, 6)  # of all but the Germans


def test_few_weeks_or_nobody_lately_have_no_pace_and_say_so():
    assert told(**everybody(arriving([7] * 3))).why["entry"] == (
        "A pace of entry takes 4 whole weeks since the first customer reached onboarded, and there "
        "are 3: wait, or say assumptions.entry_per_day."
    )
    assert told(**everybody(arriving([7] * 4))).entry == pace([7] * 4)
    others = arriving([1] * 30, event="session")
    found = told(**everybody(arriving([9] * 3 + [0] * 12) + others))
    assert found.entry is None
    assert "In the last 12 whole weeks nobody reached onboarded" in found.why["entry"]


def test_weeks_end_where_events_are_late_and_not_where_a_milestone_is_rare():
    daily = [(f"d{n}", SUNDAY + (2 - n) * DAY, "session") for n in range(100)]
    rare = arriving([7] * 5 + [0] * 3)
    assert told(events=[*rare, *daily]).weeks["reached"].tolist() == [7] * 5 + [0] * 3
    late = [row for row in [*rare, *daily] if row[1] < SUNDAY - 8 * DAY]  # to a Friday
    assert told(events=late).weeks["reached"].tolist() == [7] * 5 + [0]


# The curve


def lifelines_of(rows, endpoint, *, plan_for):
    """The curve of lifelines over the same customers, in plain loops."""
    end, first = pd.Timestamp("2024-06-26 23:00"), {}
    for who, at, _ in rows["events"]:
        first[who] = min(first.get(who, at), at)
    spans = {who: (start, stop) for who, start, stop in rows["subscriptions"]}
    lived = []
    for who, at in first.items():
        if not plan_for(who) or at >= end or (AS_OF - local(at)).days >= 365:
            continue
        if endpoint == "retained":
            start, stop = spans.get(who, (end, None))
            if start > at or (stop is not None and stop < at):
                continue
            until = stop if stop is not None and stop < end else None
        else:
            until = min((b for w, b in rows["orders"] if w == who and at < b < end), default=None)
        lived.append((((until or end) - at) // DAY + (until is not None), until is not None))
    return KaplanMeierFitter().fit(*zip(*lived, strict=True)), len(lived)


@pytest.mark.parametrize(
    ("kind", "where", "ahead"),
    [
        ("retained", "country = 'UK'", False),
        ("returned", "order_days >= 3", True),  # so of everybody, whatever they bought since
    ],
)
def test_the_baseline_is_that_of_lifelines_on_the_same_customers(kind, where, ahead):
    # Whether they consent today does not matter: three in ten of them do not.
    rows = drawn(1)
    found = told(plan=plan_of(endpoint={"kind": kind, "day": 60}, where=where), **rows)
    british = {who for who, _, country in rows["customers"] if country == "UK" or ahead}
    fitted, customers = lifelines_of(rows, kind, plan_for=british.__contains__)
    assert found.customers == customers > found.followed > 50
    at = fitted.predict(60)
    low, high = fitted.confidence_interval_.loc[:60].iloc[-1]
    expected = (at, low, high) if kind == "retained" else (1 - at, 1 - high, 1 - low)
    assert found.baseline is not None
    baseline = (found.baseline.value, found.baseline.low, found.baseline.high)
    assert baseline == pytest.approx(expected)
    assert found.looks_ahead == ahead
    assert found.weeks["eligible"].sum() < found.weeks["reached"].sum()


def test_fewer_than_ten_customers_followed_so_long_are_no_baseline():
    found = {n: told(**everybody(arriving([n, 0, 0, 0, 0, 30]))) for n in (9, 10)}
    assert [one.followed for one in found.values()] == [9, 10]
    assert found[9].why["baseline"] == (
        "Of those who reached onboarded and had a subscription then, fewer than 10 could be "
        "followed to day 30: wait, or say assumptions.baseline."
    )
    assert found[9].curve is not None
    assert found[10].baseline is not None


# Delivery


def test_delivered_is_a_share_of_messages_whose_range_is_by_customer():
    sent = SUNDAY - 20 * DAY
    rows = [(f"c{n}", sent, sent if n % 5 else None, "email") for n in range(50) for _ in range(9)]
    other = [("c1", sent, None, "sms")] * 9
    fresh = [("c1", pd.Timestamp("2024-06-20"), None, "email")] * 9  # may yet arrive
    old = [("c1", sent - 365 * DAY, None, "email")] * 9
    found = told(messages=[*rows, *other, *fresh, *old])
    each = ratio(RatioMoments(n=50, x=450, y=360, xx=50 * 81, yy=40 * 81, xy=40 * 81))
    assert found.delivered == each
    assert each.value == 0.8
    assert found.written_to == 50


def test_all_delivered_is_not_for_sure_and_none_at_all_is_not_known():
    def sent_to(customers, *, arrives):
        at = SUNDAY - 20 * DAY
        rows = [(f"c{n}", at, at if arrives else None, "email") for n in range(customers)]
        return told(messages=rows)

    share = sent_to(20, arrives=True).delivered
    assert share is not None
    # Wilson of 20 of 20: 20 / (20 + 1.96^2)
    assert (share.low, share.value, share.high) == (pytest.approx(0.8389, abs=1e-4), 1, 1)
    why = sent_to(20, arrives=False).why["delivered"]
    assert "No delivery by email is known" in why
    why = sent_to(9, arrives=True).why["delivered"]
    assert "Fewer than 10 customers were sent anything by email" in why


# What cannot be told


def test_what_a_shop_lacks_is_said_and_the_rest_is_told():
    reached = arriving([20] * 8)
    found = told(events=reached, orders=[(who, at + DAY) for who, at, _ in reached])
    assert {name: why.split(";")[0] for name, why in found.why.items()} == {
        "entry": "Shop has no consents",
        "baseline": "Shop has no subscriptions",
        "delivered": "Shop has no messages",
    }
    assert found.weeks["reached"].tolist() == [20] * 8
    assert found.weeks["eligible"].isna().all()
    assert histories._NO_WEEKS.empty


@pytest.mark.parametrize("milestone", ["onboardet", {"purchase": 1}])
def test_a_milestone_that_nobody_knows_leaves_all_untold(milestone):
    found = told(plan=plan_of(milestone=milestone), **everybody(arriving([20] * 8)))
    assert found.entry is found.baseline is found.curve is None
    assert found.why["entry"] == found.why["baseline"]
    assert found.weeks.empty


def test_one_who_buys_daily_and_one_customer_in_all_are_ordinary():
    plan = plan_of(milestone={"purchase": 1}, endpoint={"kind": "returned", "day": 30})
    orders = [("bot", SUNDAY - n * DAY) for n in range(100)]
    found = told(plan=plan, orders=orders, consents=[("bot", LONG_AGO, "email", True)])
    assert (found.customers, found.followed, found.baseline) == (1, 1, None)
    assert found.entry is None


def test_rows_after_the_day_change_nothing():
    rows = drawn(4, customers=100, end=dt.date(2024, 9, 1))
    rows["orders"].append(("c0", pd.Timestamp("2024-06-26 12:00")))  # so that the shop reaches it
    # One is cut by the machinery that cuts every shop, the other by hand.
    whole, cut = history(taken(rows), plan_of()), told(**rows)
    assert not {name for name in ("entry", "baseline", "delivered") if name in whole.why}
    for field in fields(whole):
        assert str(getattr(whole, field.name)) == str(getattr(cut, field.name)), field.name


def taken(rows):
    """The snapshot of frames, with all that came after the day."""
    made = {name: pd.DataFrame(part, columns=COLUMNS[name]) for name, part in rows.items()}
    for name, frame in made.items():
        times = [column for column in frame if column.endswith("_at")]
        frame[times] = frame[times].apply(pd.to_datetime, utc=True)
        made[name] = frame.rename(columns={"valid_from_at": "valid_from"})
    made["orders"] = made["orders"].assign(amount=1.0, order_id=range(len(made["orders"])))
    made["messages"] = made["messages"].assign(message_id=range(len(made["messages"])))
    about = {"name": "Shop", "time_zone": ZONE, "currency": "GBP", "settings": {}}
    return snapshot.take(frames.source_of(made, **about), as_of=AS_OF)
