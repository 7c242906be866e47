"""From raw rows to canonical tables: columns, rules, overlap, repeated keys, derived tables."""

from __future__ import annotations

import datetime as dt

import pandas as pd
import pytest

from retention_lab.checks import BadData, BadParameter
from retention_lab.tables import quality, snapshot

from .shops import (
    AS_OF,
    CON,
    ORDER_COLUMNS,
    ORDERS,
    cut,
    judged,
    left_out,
    orders_map,
    parsed,
    shop,
    times,
)

LINES = """\
invoice,customer,when,code,quantity,price,country
A,ann,2025-01-05 10:00,X1,2,1.50,UK
A,ann,2025-01-05 10:00,X1,2,1.50,UK
A,ann,2025-01-05 10:00,Y2,1,10.00,UK
B,bob,2025-01-06 10:00,X1,1,1.50,France
C,ann,2025-03-01 10:00,Z3,4,0.25,Spain
"""
LINE_MAP = {
    "rows": "lines.csv",
    "columns": {
        "order_id": "invoice",
        "customer_id": "customer",
        "ordered_at": "when",
        "product_id": "code",
        "product_family": {"lookup": {"file": "families.csv", "column": "code"}},
        "quantity": "quantity",
        "unit_price": "price",
    },
    "attributes": {"country": "country"},
}
LINE_FILES = {"lines.csv": LINES, "families.csv": "code,family\nX1,mugs\nY2, tea pots\n"}
DERIVED = {"order_lines": LINE_MAP, "orders": {"derive_from": "order_lines"}}

EVENTS = "customer,event,at\nann,open,2025-01-01\nann,open,2025-01-01\nbob,open,2025-01-02\n"
EVENT_MAP = {
    "rows": "events*.csv",
    "columns": {"customer_id": "customer", "event": "event", "occurred_at": "at"},
}

ASSIGNED = """\
test,customer,group,reached,put
check-in,ann,control,2025-01-01 10:00,2025-01-01 23:59
check-in,ann,control,2025-01-01 10:00,2025-01-01 23:59
check-in,ann,sent,2025-01-01 10:00,2025-01-02 23:59
check-in,bob,,,2025-01-02 23:59
"""
ASSIGNMENT_MAP = {
    "rows": "assigned.csv",
    "columns": {
        "experiment": "test",
        "customer_id": "customer",
        "arm": "group",
        "time_zero": "reached",
        "assigned_at": "put",
    },
}


def test_orders_customers_and_line_numbers_are_derived_from_lines(tmp_path):
    tables, _ = cut(shop(tmp_path, DERIVED, LINE_FILES))
    orders = tables["orders"].set_index("order_id")
    assert orders["amount"].to_dict() == {"A": 1600, "B": 150, "C": 100}
    assert orders["customer_id"].to_dict() == {"A": "ann", "B": "bob", "C": "ann"}
    assert orders["country"].to_dict() == {"A": "UK", "B": "France", "C": "Spain"}
    assert orders["discount"].isna().all()
    customers = tables["customers"].set_index("customer_id")
    assert list(customers["signed_up_at"]) == times(["2025-01-05 10:00", "2025-01-06 10:00"])
    assert list(customers["signed_up_on"]) == times(["2025-01-05", "2025-01-06"])
    assert list(customers["country"]) == ["UK", "France"]  # of the first order, not of the last
    lines = tables["order_lines"]
    assert list(lines["line"]) == [1, 2, 3, 1, 1]
    assert list(lines.columns) == [
        "order_id", "line", "product_id", "product_family", "quantity", "unit_price",
    ]  # fmt: skip


def test_families_come_from_a_lookup_or_from_a_rule(tmp_path):
    lines = parsed(shop(tmp_path, DERIVED, LINE_FILES), "order_lines")
    assert set(zip(lines["product_id"], lines["product_family"], strict=True)) == {
        ("X1", "mugs"), ("Y2", "tea pots"), ("Z3", None),
    }  # fmt: skip
    rule = {"sql": "case when code < 'Y' then 'early' else upper(Country) end"}
    columns = LINE_MAP["columns"] | {"product_family": rule}
    tables = DERIVED | {"order_lines": LINE_MAP | {"columns": columns}}
    lines = parsed(shop(tmp_path, tables, LINE_FILES), "order_lines")
    assert list(lines["product_family"]) == ["early", "early", "UK", "early", "SPAIN"]


@pytest.mark.parametrize("line", ["X1,cups", "X9", "X1,a,b"])
def test_lookup_must_give_each_value_one_meaning(tmp_path, line):
    files = LINE_FILES | {"families.csv": f"code,family\nX1,mugs\n{line}\n"}
    with pytest.raises(BadData, match=f"families.csv: the line '{line}' must be one new value"):
        parsed(shop(tmp_path, DERIVED, files), "order_lines")


def test_empty_or_missing_lookup(tmp_path):
    source = shop(tmp_path, DERIVED, LINE_FILES | {"families.csv": "code,family\n"})
    assert parsed(source, "order_lines")["product_family"].isna().all()
    (tmp_path / "families.csv").unlink()
    with pytest.raises(BadParameter, match=r"names families\.csv, but .* is no file"):
        parsed(source, "order_lines")


def test_order_that_names_two_customers_is_refused(tmp_path):
    files = LINE_FILES | {"lines.csv": LINES.replace("B,bob", "A,bob")}
    with pytest.raises(
        BadData, match="orders: one order_id names two customers, for example order"
    ):
        cut(shop(tmp_path, DERIVED, files))


def test_lines_of_orders_out_of_use_are_left_out_and_counted(tmp_path):
    orders = "id,who,when,amount\nA,ann,2025-01-05,16\nB,bob,2025-01-06,2\nC,ann,2025-03-02,1\n"
    columns = {"order_id": "id", "customer_id": "who", "ordered_at": "when", "amount": "amount"}
    drop = [{"reason": "test order", "where": "who = 'bob'"}]
    kept = {"order_id", "product_id", "quantity", "unit_price"}
    lines = {k: v for k, v in LINE_MAP["columns"].items() if k in kept}
    tables = {
        "orders": {"rows": "orders.csv", "columns": columns, "leave_out": drop},
        "order_lines": {"rows": "lines.csv", "columns": lines},
    }
    files = {"orders.csv": orders, "lines.csv": LINES + "D,eve,2025-01-01,X1,1,1,UK\n"}
    found, counts = cut(shop(tmp_path, tables, files))
    assert list(found["order_lines"]["order_id"]) == ["A", "A", "A"]
    assert left_out(counts) == {"test order": 1}
    assert left_out(counts, "order_lines") == {"belongs to no order in use": 2}
    assert counts["order_lines"].later == 1  # that of the order of the next day


def test_amounts_are_read_in_the_stated_style_and_others_are_refused(tmp_path):
    columns = ORDER_COLUMNS | {"amount": {"column": "amount", "number": "1.234,56"}}
    text = (
        "order_id;customer_id;ordered_at;amount\n1;a;2025-01-05;1.212,50 \u20ac\n2;b;2025-01-06;3\n"
    )
    table = orders_map(rows={"path": "orders.csv", "delimiter": ";"}, columns=columns)
    source = shop(tmp_path, {"orders": table}, {"orders.csv": text}, currency="EUR")
    assert list(cut(source, dt.date(2025, 1, 6))[0]["orders"]["amount"]) == [121250, 300]
    broken = {"orders.csv": text.replace("1.212", "1.21")}
    source = shop(tmp_path, {"orders": table}, broken, currency="EUR")
    with pytest.raises(BadData, match=r"1 rows have not a number: amount, .* '1\.21,50 \u20ac'"):
        cut(source, dt.date(2025, 1, 6))


@pytest.mark.parametrize("name", ["customer_id", "ordered_at"])
def test_only_numbers_take_a_style(tmp_path, name):
    columns = ORDER_COLUMNS | {name: {"column": name, "number": "1.234,56"}}
    with pytest.raises(BadParameter, match=f"columns.{name} is no number and takes no `number`"):
        shop(tmp_path, {"orders": orders_map(columns=columns)})


def test_rules_leave_out_in_order_and_count_only_rules_count_all(tmp_path):
    table = orders_map(
        rows="all.csv",
        only="amount <> 'skip'",
        missing_as=["nobody"],
        leave_out=[
            {"reason": "test order", "where": "customer_id = 'test' or coupon = 'TEST'"},
            "missing customer_id",
            "negative amount",
        ],
        count_only=[{"reason": "with a coupon", "where": "coupon is not null"}],
    )
    rows = [
        "1,ann,2025-01-05,10,", "2,test,2025-01-05,-5,", "3,nobody,2025-01-05,-1,",
        "4,bob,2025-02-05,-2,TEST", "5,bob,2025-02-05,-3,B", "6,,2025-02-05,7,B",
        "7,eve,2025-02-05,skip,B",
    ]  # fmt: skip
    text = "order_id,customer_id,ordered_at,amount,coupon\n" + "\n".join(rows)
    found, counts = cut(shop(tmp_path, {"orders": table}, {"all.csv": text}), dt.date(2025, 2, 5))
    assert list(found["orders"]["order_id"]) == ["1"]
    assert left_out(counts) == {"test order": 2, "missing customer_id": 2, "negative amount": 1}
    fits = counts["orders"].fits.set_index("reason")
    assert fits["rows"].to_dict() == {
        "test order": 2, "missing customer_id": 2, "negative amount": 4, "with a coupon": 3,
    }  # fmt: skip
    assert fits["amount"].to_dict()["with a coupon"] == -200 - 300 + 700
    assert fits["kept"].to_dict()["with a coupon"]
    months = counts["orders"].left_out
    assert months["rows"].sum() == 6
    assert list(months["month"].dropna().unique()) == times(["2025-01-01", "2025-02-01"])


def test_overlap_of_files_is_counted_once_and_repeats_inside_one_are_kept(tmp_path):
    repeat = "ann,open,2025-01-05\n"
    files = {
        "events_1.csv": EVENTS + repeat,
        "events_2.csv": "customer,event,at\n" + repeat * 3 + "bob,open,2025-01-02\n",
    }
    tables = {"orders": orders_map(), "events": EVENT_MAP}
    rows, counts = judged(shop(tmp_path, tables, files), "events")
    # File 1 holds the repeat once and file 2 three times: three in all, so one is counted twice.
    assert left_out(counts, "events") == {"stands in two files": 2}
    used = rows[rows["_reason"].isna()]
    per_day = used.groupby(["customer_id", "occurred_on"]).size()
    assert list(per_day) == [2, 3, 1]
    assert list(per_day.index.get_level_values("customer_id")) == ["ann", "ann", "bob"]

    tables["events"] = EVENT_MAP | {"overlap": "keep"}
    _, counts = judged(shop(tmp_path, tables, {}), "events")
    assert left_out(counts, "events") == {}


def test_assignments_stay_as_they_are_twice_in_two_arms_and_without_one(tmp_path):
    tables = {"orders": orders_map(), "assignments": ASSIGNMENT_MAP}
    files = {"orders.csv": ORDERS, "assigned.csv": ASSIGNED}
    found, counts = cut(shop(tmp_path, tables, files))
    rows = found["assignments"].sort_values(["customer_id", "assigned_at"])
    assert rows["arm"].fillna("").tolist() == ["control", "control", "sent", ""]
    assert rows["time_zero"].isna().tolist() == [False, False, False, True]
    assert rows["assigned_on"].nunique() == 2
    assert rows[["stratum", "plan_digest"]].isna().all(axis=None)
    assert left_out(counts, "assignments") == {}


def test_overlap_is_found_whatever_offset_a_file_writes(tmp_path):
    files = {
        "events_1.csv": "customer,event,at\nann,open,2025-07-01 00:30\n",
        "events_2.csv": "customer,event,at\nann,open,2025-06-30T23:30:00Z\n",
    }
    tables = {"orders": orders_map(), "events": EVENT_MAP}
    source = shop(tmp_path, tables, files, time_zone="Europe/London")
    _, counts = judged(source, "events", dt.date(2025, 8, 1))
    assert left_out(counts, "events") == {"stands in two files": 1}


TWICE = {
    "old.csv": ORDERS + "5,eve,2025-01-07,1.00\n5,eve,2025-01-08,2.00\n5,eve,2025-01-08,3.00\n",
    "new.csv": "order_id,customer_id,ordered_at,amount\n2,bob,2025-01-19 11:30:00,19.00\n",
}


@pytest.mark.parametrize(
    ("duplicates", "two", "five"),
    [("keep_first", 2050, 100), ("keep_last", 1900, 300)],
)
def test_first_or_last_row_of_a_key_is_that_of_the_first_or_last_file(
    tmp_path, duplicates, two, five
):
    table = orders_map(rows=list(TWICE), duplicates=duplicates)
    found, counts = cut(shop(tmp_path, {"orders": table}, TWICE))
    amounts = found["orders"].set_index("order_id")["amount"]
    assert len(amounts) == 5
    assert (amounts["2"], amounts["5"]) == (two, five)
    assert left_out(counts) == {"repeats a key": 3}
    assert counts["orders"].fits.set_index("reason")["rows"].to_dict() == {"repeats a key": 3}


def test_repeated_keys_are_refused_with_examples_and_the_settings_that_help(tmp_path):
    table = orders_map(rows=list(TWICE))
    with pytest.raises(BadData) as caught:
        cut(shop(tmp_path, {"orders": table}, TWICE))
    message = str(caught.value)
    assert "orders: 2 keys (order_id) stand more than once" in message
    assert "order_id '2'; order_id '5'" in message
    where = f"{tmp_path}/shop.yml under tables.orders"
    assert f"`duplicates: keep_last` in {where} (or keep_first, or add_up where" in message


def test_parts_of_a_return_are_added_up(tmp_path):
    returns = {
        "rows": "returns.csv",
        "columns": {"return_id": "id", "customer_id": "who", "returned_at": "at", "amount": "sum"},
        "duplicates": "add_up",
    }
    text = "id,who,at,sum\nR,ann,2025-02-02 10:00,1.10\nR,ann,2025-02-01,2.20\nS,bob,2025-02-03,3\n"
    tables = {"orders": orders_map(), "returns": returns}
    found, _ = cut(shop(tmp_path, tables, {"orders.csv": ORDERS, "returns.csv": text}))
    assert list(found["returns"]["amount"]) == [330, 300]
    assert list(found["returns"]["returned_at"]) == times(["2025-02-01", "2025-02-03"])
    torn = {
        "orders.csv": ORDERS,
        "returns.csv": text.replace("R,ann,2025-02-01", "R,bob,2025-02-01"),
    }
    with pytest.raises(BadData, match="returns: one return_id names two customers"):
        cut(shop(tmp_path, tables, torn))


def test_attributes_describe_customers(tmp_path):
    customers = {
        "rows": "people.csv",
        "columns": {"customer_id": "id", "signed_up_at": "since", "referred_by": "by"},
        "attributes": {"country": "land", "channel": {"sql": "lower(channel)"}},
    }
    text = "id,since,by,land,channel\nann,2025-01-01,,UK,ADS\nbob,2025-01-02,ann,,Post\n"
    tables = {"orders": orders_map(), "customers": customers}
    found, _ = cut(shop(tmp_path, tables, {"orders.csv": ORDERS, "people.csv": text}))
    assert list(found["customers"].columns) == [
        "customer_id", "signed_up_at", "referred_by", "signed_up_on", "channel", "country",
    ]  # fmt: skip
    assert list(found["customers"]["channel"]) == ["ads", "post"]
    assert found["customers"]["country"].isna().tolist() == [False, True]


@pytest.mark.parametrize(
    ("settings", "amounts"),
    [
        ({"currency": "KWD"}, [10_000, 20_500, 5250, 7000]),
        ({"currency": "GBP", "money": "minor_units"}, [10, 21, 5, 7]),
    ],
)
def test_money_is_held_in_minor_units_of_the_currency(tmp_path, settings, amounts):
    found, _ = cut(shop(tmp_path, **settings))
    assert list(found["orders"]["amount"]) == amounts
    assert found["orders"]["amount"].dtype == "int64"


def test_wall_times_become_utc_and_dates_those_of_the_business(tmp_path):
    text = (
        "order_id,customer_id,ordered_at,amount\n"
        "1,ann,2025-07-01 00:30,1\n"  # summer in London: the day before in UTC
        "2,ann,2025-07-01 00:30+00:00,1\n"
        "3,ann,2025-01-01 03:00,1\n"
    )
    settings = {"time_zone": "Europe/London", "business_time_zone": "America/New_York"}
    source = shop(tmp_path, files={"orders.csv": text}, **settings)
    orders = cut(source, dt.date(2025, 6, 30))[0]["orders"]
    assert list(orders["ordered_at"]) == times(
        ["2025-06-30 23:30", "2025-07-01 00:30", "2025-01-01 03:00"]
    )
    assert list(orders["ordered_on"]) == times(["2025-06-30", "2025-06-30", "2024-12-31"])


def test_control_totals_agree_differ_or_wait(tmp_path):
    whole = {"table": "orders", "first": "2025-01-01", "last": "2025-01-31"}
    totals = [
        whole | {"rows": 2, "amount": 30.5},
        whole | {"amount": 31.0, "tolerance": 0.02},
        whole | {"rows": 3},
        whole | {"last": "2025-03-02", "rows": 99},
        {"table": "customers", "first": "2025-01-01", "last": "2025-12-31", "rows": 2},
    ]
    source = shop(tmp_path, control_totals=totals)
    tables, _ = snapshot.cut(source, as_of=AS_OF, con=CON)
    found = pd.DataFrame(quality.controls(source, AS_OF, tables))
    assert list(found.columns) == quality.CONTROL_COLUMNS
    assert list(found["what"]) == ["rows", "amount", "amount", "rows"]
    assert list(found["ours"]) == [2, 30.5, 30.5, 2]
    assert list(found["agrees"]) == [True, True, True, False]
