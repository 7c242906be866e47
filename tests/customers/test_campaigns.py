"""What came of messages: who is counted, in which cohort, and in which days."""

from __future__ import annotations

import datetime as dt
from types import SimpleNamespace

import ibis
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from retention_lab.checks import BadParameter
from retention_lab.customers.campaigns import COLUMNS, rates
from retention_lab.customers.rfm import Cuts
from retention_lab.customers.thresholds import Thresholds
from retention_lab.inference.proportions import wilson
from retention_lab.tables import engine, playbook

SINCE, AS_OF = dt.date(2025, 6, 30), dt.date(2025, 8, 31)
BOOK = playbook.load("")
LINES = {"all": (10.0, 20.0, 50.0, 100.0)}
THRESHOLDS = Thresholds(
    owner="CRM",
    review_by=AS_OF,
    as_of=SINCE,
    method="fixed",
    within=365,
    cuts=Cuts(currency="GBP", recency=LINES, frequency={"all": (1, 2, 3, 4)}, monetary=LINES),
)
TIMES = ("delivered_at", "opened_at", "clicked_at", "converted_at")
EVERY = ("somebody else", *["2025-01-01"] * 5)  # so that each response is known of some message
RICH = [("rich", "2025-03-01", 9000), ("rich", "2025-04-01", 9000)]


def shop(orders, messages=None, *, as_of=AS_OF):
    """A shop of (customer, day, amount) and of (customer, sent, *TIMES, channel)."""
    tables = {"orders": dated(orders, ["customer_id", "ordered_at", "amount"], "ordered_on")}
    if messages is not None:
        rows = [[*row, *[None] * (7 - len(row))] for row in (*messages, EVERY)]
        names = ["customer_id", "sent_at", *TIMES, "channel"]
        tables["messages"] = dated(rows, names, "sent_on")
    return SimpleNamespace(**tables, tables=tables, as_of=as_of, zone="UTC")


def dated(rows, names, day):
    frame = pd.DataFrame(rows, columns=names)
    for name in names[1:]:
        if name.endswith("_at"):
            frame[name] = pd.to_datetime(frame[name], format="ISO8601").astype("datetime64[us]")
        if name == "channel":  # else Arrow has no type for a column of nothing
            frame[name] = frame[name].astype("string")
    made = frame.assign(**{day: frame[names[1]].dt.date, "message_id": [*range(len(frame))]})
    return ibis.memtable(pa.Table.from_pandas(made, preserve_index=False))


def found(made, *, since=SINCE, within=7, targets=BOOK.targets):
    return rates(made, BOOK.segments, THRESHOLDS, since=since, within=within, targets=targets)


def counted(frame):
    """By cohort: customers, delivered, and who clicked, ordered and opened."""
    wide = frame.pivot_table(
        index=["group", "customers", "delivered"], columns="rate", values="did"
    )
    return {
        group: (customers, delivered, *wide.loc[(group, customers, delivered)])
        for group, customers, delivered in wide.index
    }


def sent(customer, day, *responses):
    """A message that was delivered a minute after noon, and its later responses."""
    return (customer, f"{day} 12:00", f"{day} 12:01", *responses)


def test_a_customer_counts_once_with_the_first_message_that_was_delivered():
    made = shop(
        [("ann", "2025-05-01", 500), ("bob", "2025-05-01", 500), *RICH],
        [
            ("ann", "2025-07-01 12:00"),  # never delivered
            sent("ann", "2025-07-05", "2025-07-05 13:00", "2025-07-05 13:01"),
            sent("ann", "2025-07-09", "2025-07-09 13:00"),
            sent("bob", "2025-07-05"),
            sent("bob", "2025-07-06", "2025-07-06 13:00", "2025-07-06 13:01", "2025-07-06 14:00"),
        ],
    )
    assert counted(found(made)) == {"one-time": (2, 2, 1, 0, 1)}


def test_rows_are_by_cohort_as_the_rules_are_and_the_surest_rate_first():
    made = shop(
        [("ann", "2025-05-01", 500), *RICH], [sent("ann", "2025-07-05"), sent("rich", "2025-07-05")]
    )
    frame = found(made)
    assert list(frame.columns) == list(COLUMNS)
    names = [("one-time", "high-value repeat")[place // 3] for place in range(6)]
    assert frame["group"].tolist() == names
    assert frame["rate"].tolist() == ["click", "conversion", "open"] * 2


def test_an_order_after_the_message_moves_nobody_into_a_better_cohort():
    orders = [("ann", "2025-05-01", 500), ("ann", "2025-07-06", 50000), *RICH]
    bought = ("2025-07-05 13:00", "2025-07-05 13:01", "2025-07-06 12:00")
    made = shop(orders, [sent("ann", "2025-07-05", *bought), sent("rich", "2025-07-05")])
    assert counted(found(made)) == {
        "one-time": (1, 1, 1, 1, 1),
        "high-value repeat": (1, 1, 0, 0, 0),
    }


def test_a_response_counts_for_seven_days_from_the_delivery():
    messages = [
        sent("a", "2025-07-05", "2025-07-12 12:00:59"),
        sent("b", "2025-07-05", "2025-07-12 12:01"),  # seven days to the second: too late
        ("c", "2025-07-05 12:00", "2025-07-05 12:01", "2025-07-05 12:00:30"),  # logged before
        ("d", "2025-07-05 12:00", "2025-07-05 12:01", None, "2025-07-12 12:00"),
    ]
    made = shop([(name, "2025-05-01", 500) for name in "abcd"], messages)
    assert counted(found(made)) == {"one-time": (4, 4, 1, 0, 2)}


def test_messages_are_those_after_the_day_that_could_be_followed_to_the_end():
    messages = [
        sent("a", "2025-06-30"),
        sent("b", "2025-07-01"),
        # The 31st of August ends with midnight, and so does a week that began with the 25th.
        ("c", "2025-08-24 23:00", "2025-08-25 00:00"),
        ("d", "2025-08-24 23:00", "2025-08-25 00:01"),
    ]
    for kept in (messages, messages[1:3]):
        made = shop([(name, "2025-05-01", 500) for name in "abcd"], kept)
        assert counted(found(made)) == {"one-time": (4, 2, 0, 0, 0)}


def test_whoever_had_not_bought_by_the_day_is_in_no_cohort():
    orders = [("ann", "2025-05-01", 500), ("new", "2025-07-02", 500)]
    made = shop(
        orders, [sent("ann", "2025-07-05"), sent("new", "2025-07-05"), sent("who", "2025-07-05")]
    )
    assert counted(found(made)) == {"one-time": (1, 1, 0, 0, 0)}


@pytest.mark.parametrize("there", [False, True], ids=["no table", "nothing that counts"])
def test_without_a_delivered_message_there_is_no_row(there):
    opened = ("ann", "2025-07-05 12:00", None, "2025-07-05 13:00")  # but no delivery is known
    messages = [opened, sent("new", "2025-07-05")] if there else None
    frame = found(shop([("ann", "2025-05-01", 500), ("new", "2025-07-02", 500)], messages))
    assert frame.empty
    assert list(frame.columns) == list(COLUMNS)


def test_a_response_that_a_channel_tells_of_nobody_is_no_response_of_none():
    texted = ("ann", "2025-07-05 12:00", "2025-07-05 12:01", None, "2025-07-05 13:00", None, "sms")
    orders = [("ann", "2025-05-01", 500), ("bob", "2025-05-01", 500)]
    frame = found(shop(orders, [texted, sent("bob", "2025-07-05")])).set_index("rate")
    assert frame[["customers", "delivered", "did"]].T.to_dict("list") == {
        "click": [2, 2, 1],
        "conversion": [2, 1, 0],
        "open": [2, 1, 0],
    }
    assert found(shop(orders, [texted]))["rate"].tolist() == ["click"]


def test_shares_have_wilson_intervals_and_stand_beside_the_band_of_their_cohort():
    orders = [(f"c{n}", "2025-05-01", 500) for n in range(40)]
    late = ("2025-07-05 13:00", "2025-07-05 13:01")
    messages = [sent(f"c{n}", "2025-07-05", *(late if n < 5 else ())) for n in range(30)]
    frame = found(shop(orders, messages)).set_index("rate")
    click = frame.loc["click"]
    assert (click["customers"], click["delivered"], click["did"]) == (40, 30, 5)
    assert click[["share", "low", "high"]].tolist() == wilson([5], [30]).iloc[0].tolist()
    assert (click["band_low"], click["band_high"]) == (0.01, 0.03)
    assert frame.loc["open", ["band_low", "band_high"]].tolist() == [0.10, 0.20]
    other = found(shop(orders, messages), targets=BOOK.targets[:1])
    assert other[["band_low", "band_high"]].isna().all(axis=None)


def test_the_day_must_leave_time_to_respond():
    made = shop([("ann", "2025-05-01", 500)], [sent("ann", "2025-07-05")])
    with pytest.raises(
        BadParameter, match="since must lie more than 7 days before 2025-08-31, got"
    ):
        found(made, since=dt.date(2025, 8, 24))
    assert found(made, since=dt.date(2025, 4, 30)).empty  # when nobody had bought yet


def drawn():
    """A shop of 300 customers with a few messages each, some at the same moment."""
    rng = np.random.default_rng(3)
    day = pd.Timestamp("2025-01-01")

    def moments(n, begin=0):
        return day + pd.to_timedelta(rng.integers(begin, 240, n), unit="D")

    people = [f"c{n}" for n in range(300)]
    orders = list(
        zip(rng.choice(people, 900), moments(900), rng.integers(100, 6_000, 900), strict=True)
    )
    times = moments(1200, 170)
    waits = pd.to_timedelta(rng.integers(0, 12 * 86_400, (4, 1200)).ravel(), unit="s")
    responses = [
        (times + waits[place * 1200 : (place + 1) * 1200]).where(rng.random(1200) < 0.7)
        for place in range(4)
    ]
    return shop(orders, list(zip(rng.choice(people, 1200), times, *responses, strict=True)))


@pytest.mark.spark
def test_spark_gives_the_same_rates():
    here, con = drawn(), engine.connect("spark")
    tables = {name: engine.put(one.to_pyarrow(), con=con) for name, one in here.tables.items()}
    there = SimpleNamespace(**{**vars(here), **tables, "tables": tables})
    pd.testing.assert_frame_equal(found(here), found(there))
    assert len(found(here)) == 9


def test_the_order_of_rows_changes_nothing():
    made = drawn()
    once = found(made)
    assert len(once) == 9
    shuffled = {
        name: table.order_by(list(table.columns)[::-1]) for name, table in made.tables.items()
    }
    other = SimpleNamespace(**{**vars(made), **shuffled, "tables": shuffled})
    pd.testing.assert_frame_equal(found(other), once)
