"""Data and questions that cannot be answered: one sentence each, of the right kind."""

from __future__ import annotations

import datetime as dt

import pandas as pd
import pytest

from retention_lab.checks import BadData, BadParameter
from retention_lab.tables import clocks, engine, expressions, snapshot
from retention_lab.tables import source as sources
from retention_lab.tables.engine import collect

from .shops import AS_OF, CON, ORDER_COLUMNS, ORDERS, cut, orders_map, parsed, shop, write

HEAD = "order_id,customer_id,ordered_at,amount\n"
WITH_TIMES = ORDER_COLUMNS | {"shipped_at": "shipped_at", "delivered_at": "delivered_at"}


def refused(source, as_of=AS_OF, kind=BadData):
    """Return the sentence with which a source is refused."""
    with pytest.raises(kind) as caught:
        cut(source, as_of)
    message = str(caught.value)
    assert "\n" not in message
    return message


def with_amounts(folder, *amounts):
    lines = [f"{i},ann,2025-01-0{i},{amount}" for i, amount in enumerate(amounts, start=1)]
    return shop(folder, files={"orders.csv": ORDERS + "\n".join(f"9{line}" for line in lines)})


def test_amounts_that_are_no_numbers_are_refused_with_examples(tmp_path):
    message = refused(with_amounts(tmp_path, "12.00", '"1,200"', "NaN", "inf", "free"))
    assert message == (
        "orders: 4 rows have not a number: amount, for example order_id '92', amount '1,200'; "
        "order_id '93', amount 'NaN'; order_id '94', amount 'inf'. Mend them, or have them left "
        f'out and counted: `leave_out: ["not a number: amount"]` in {tmp_path}/shop.yml under '
        "tables.orders."
    )


def test_stored_nan_and_infinity_are_refused(tmp_path):
    frame = pd.DataFrame({"order_id": [1, 2], "customer_id": "ann", "ordered_at": "2025-03-01"})
    frame["amount"] = [float("nan"), float("inf")]
    tables = {"orders": orders_map(rows="o.parquet")}
    # A missing number is stored as such; NaN is kept only where a file says so.
    frame.loc[0, "amount"] = None
    message = refused(shop(tmp_path, tables, {"o.parquet": frame}))
    assert "orders: 1 rows have missing amount, for example order_id '1'" in message
    tables["orders"]["leave_out"] = ["missing amount"]
    message = refused(shop(tmp_path, tables, {"o.parquet": frame}))
    assert "orders: 1 rows have not a number: amount" in message
    assert "order_id '2', amount 'inf'" in message


def test_negative_amount_is_shown_as_written(tmp_path):
    message = refused(with_amounts(tmp_path, "-5.50"))
    assert "1 rows have negative amount, for example order_id '91', amount '-5.5'" in message


def test_day_and_month_in_doubt_are_refused_with_both_ways_to_decide(tmp_path):
    message = refused(shop(tmp_path, files={"orders.csv": ORDERS + "5,ann,03/04/2025,1\n"}))
    assert "unparseable ordered_at, for example order_id '5', ordered_at '03/04/2025'" in message
    assert "`format: '%d/%m/%Y'` where the day comes first" in message
    assert "`'%m/%d/%Y'` where the month does" in message


def test_mixed_formats_are_refused(tmp_path):
    columns = ORDER_COLUMNS | {"ordered_at": {"column": "ordered_at", "format": "%d/%m/%Y"}}
    text = HEAD + "1,ann,13/04/2025,1\n2,ann,04/13/2025,1\n3,ann,2025-04-13,1\n"
    source = shop(tmp_path, {"orders": orders_map(columns=columns)}, {"orders.csv": text})
    message = refused(source)
    assert "2 rows have unparseable ordered_at" in message
    assert "'04/13/2025'; order_id '3', ordered_at '2025-04-13'" in message


def test_format_with_an_unknown_directive_is_refused(tmp_path):
    columns = ORDER_COLUMNS | {"ordered_at": {"column": "ordered_at", "format": "%d/%m/%Y %p"}}
    source = shop(tmp_path, {"orders": orders_map(columns=columns)})
    message = refused(source, kind=BadParameter)
    assert "tables.orders, columns.ordered_at: the format '%d/%m/%Y %p' must hold" in message


def test_negative_durations_and_missing_keys_are_refused(tmp_path):
    head = "order_id,customer_id,ordered_at,amount,shipped_at,delivered_at\n"
    table = orders_map(columns=WITH_TIMES)
    lines = "1,ann,2025-02-01,1,2025-01-31,\n2,ann,2025-02-01,1,2025-02-03,2025-02-02\n"
    text = head + lines + ",bob,2025-03-01,1,,\n"
    message = refused(shop(tmp_path, {"orders": table}, {"orders.csv": text}))
    assert "1 rows have missing order_id" in message
    table["leave_out"] = ["missing order_id"]
    message = refused(shop(tmp_path, {"orders": table}, {}))
    assert "shipped_at before ordered_at, for example order_id '1'" in message
    assert "ordered_at '2025-02-01 00:00:00', shipped_at '2025-01-31 00:00:00'" in message
    table["leave_out"] = ["missing order_id", "shipped_at before ordered_at"]
    message = refused(shop(tmp_path, {"orders": table}, {}))
    assert "delivered_at before shipped_at, for example order_id '2'" in message


SUBSCRIPTION = {"customer_id": "ann", "started_at": "2025-01-05", "cancelled_at": "2025-02-01"}
TICKET = {"ticket_id": "7", "customer_id": "ann", "opened_at": "2025-01-05 10:00"}
MESSAGE = {"message_id": "m1", "customer_id": "ann", "sent_at": "2025-01-05 10:00"}
CONSENT = {"customer_id": "ann", "channel": "email", "valid_from": "2025-01-05", "granted": "yes"}


@pytest.mark.parametrize(
    ("table", "row", "words"),
    [
        (
            "subscriptions",
            SUBSCRIPTION | {"started_at": "2025-02-02"},
            "cancelled_at before started_at, for example .*'2025-02-02 .*'2025-02-01 ",
        ),
        (
            "subscriptions",
            SUBSCRIPTION | {"cancel_reason": "bored"},
            "unlisted cancel_reason, for example .*cancel_reason 'bored'. Mend them",
        ),
        (
            "tickets",
            TICKET | {"first_response_at": "2025-01-05 09:59"},
            "first_response_at before opened_at, for example ticket_id '7'",
        ),
        (
            "tickets",
            TICKET | {"resolved_at": "2025-01-04"},
            "resolved_at before opened_at, for example ticket_id '7'",
        ),
        (
            "tickets",
            TICKET | {"resolved_at": "2025-01-06", "csat": "6"},
            "unlisted csat, for example ticket_id '7', csat '6'",
        ),
        (
            "tickets",
            TICKET | {"resolved_at": "2025-01-06", "csat": "happy"},
            "not a number: csat, for example ticket_id '7', csat 'happy'",
        ),
        (
            "consents",
            CONSENT | {"granted": "perhaps"},
            "not a truth value: granted, for example customer_id 'ann', .*granted 'perhaps'",
        ),
        ("consents", CONSENT | {"granted": None}, "missing granted, for example customer_id 'ann'"),
        *(
            (
                "messages",
                MESSAGE | {time: "2025-01-05 09:59"},
                f"{time} before sent_at, for example message_id 'm1', sent_at '2025-01-05 10:",
            )
            for time in ("delivered_at", "opened_at", "clicked_at", "converted_at")
        ),
        ("messages", MESSAGE | {"sent_at": None}, "missing sent_at, for example message_id 'm1'"),
        ("messages", MESSAGE | {"cost": "-0.1"}, "negative cost, for example message_id 'm1'"),
    ],
)
def test_row_that_cannot_be_is_refused_with_what_stands_there(tmp_path, table, row, words):
    rows = pd.DataFrame([row])
    mapped = {"rows": f"{table}.csv", "columns": {name: name for name in rows}}
    files = {"orders.csv": ORDERS, f"{table}.csv": rows.to_csv(index=False)}
    source = shop(tmp_path, {"orders": orders_map(), table: mapped}, files)
    with pytest.raises(BadData, match=f"{table}: 1 rows have {words}"):
        cut(source)


@pytest.mark.parametrize(
    ("table", "row", "name"),
    [
        (
            "subscriptions",
            SUBSCRIPTION | {"cancelled_at": "2025-03-02", "cancel_reason": "bored"},
            "cancel_reason",
        ),
        ("tickets", TICKET | {"resolved_at": "2025-03-02", "csat": "happy"}, "csat"),
        ("tickets", TICKET | {"resolved_at": None, "csat": "happy"}, "csat"),
    ],
)
def test_what_is_not_known_yet_breaks_no_contract(tmp_path, table, row, name):
    rows = pd.DataFrame([row])
    mapped = {"rows": f"{table}.csv", "columns": {name: name for name in rows}}
    files = {"orders.csv": ORDERS, f"{table}.csv": rows.to_csv(index=False)}
    tables, counts = cut(shop(tmp_path, {"orders": orders_map(), table: mapped}, files))
    assert tables[table][name].isna().all()
    assert counts[table].fits.empty


@pytest.mark.parametrize(
    ("column", "words"),
    [
        ("ordered", "columns.ordered_at has no raw column 'ordered'. Did you mean 'ordered_at'"),
        ({"sql": "amnt"}, "under tables.orders has no column 'amnt'. Did you mean 'amount'"),
        ({"lookup": {"file": "l.csv", "column": "amnt"}}, "no raw column 'amnt'. Did you mean"),
    ],
)
def test_raw_column_that_no_file_has_is_refused(tmp_path, column, words):
    source = shop(tmp_path, {"orders": orders_map(columns=ORDER_COLUMNS | {"ordered_at": column})})
    assert words in refused(source, kind=BadParameter)


NOT_AN_EXPRESSION = [
    "amount >",
    "amount; drop table orders",
    "amount, order_id",
    "(select max(amount) from orders)",
    "amount in (select 1)",
    "exists(select 1)",
    "amount from other",
    "distinct amount",
    "amount where true",
    "*",
    "sum(amount)",
    "row_number() over (order by ordered_at)",
    "unnest([1, 2])",
    "random() > 0.5",
    "now()",
    "Today() - ordered_at",
    "current_date",
    "current_timestamp > ordered_at",
]


@pytest.mark.parametrize("text", NOT_AN_EXPRESSION)
def test_text_that_is_no_expression_over_one_row_is_refused(text):
    with pytest.raises(BadParameter, match=r"^here: .* (expression|valid)"):
        expressions.parse(text, columns=["amount", "order_id", "ordered_at"], where="here")


@pytest.mark.parametrize(
    "text",
    ["read_csv('orders.csv')", "read_text('/etc/hostname')", "no_such(amount)", "amount + true"],
)
def test_expression_that_the_engine_cannot_plan_is_refused(tmp_path, text):
    columns = ORDER_COLUMNS | {"amount": {"sql": text}}
    source = shop(tmp_path, {"orders": orders_map(columns=columns)})
    with pytest.raises(BadParameter, match=r"under tables\.orders: the engine refuses"):
        parsed(source)


def test_columns_of_an_expression_are_spelt_in_any_case():
    table = CON.create_table("spelling", pd.DataFrame({"Order Id": [1]}), temp=True)
    found = expressions.add(table, {"next": '"order id" + 1'}, where="here")
    assert list(collect(found)["next"]) == [2]


def test_rule_that_is_no_condition_is_refused(tmp_path):
    rule = {"reason": "test", "where": "customer_id"}
    for settings in ({"leave_out": [rule]}, {"count_only": [rule]}, {"only": "customer_id"}):
        source = shop(tmp_path, {"orders": orders_map(**settings)})
        with pytest.raises(BadParameter, match="'customer_id' is no condition"):
            parsed(source)


def test_expression_that_fails_on_a_value_is_refused_with_the_value(tmp_path):
    columns = ORDER_COLUMNS | {"amount": {"sql": "cast(amount as double) * 2"}}
    source = shop(
        tmp_path,
        {"orders": orders_map(columns=columns)},
        {"orders.csv": ORDERS + "5,a,2025-01-01,x\n"},
    )
    message = refused(source)
    assert "under tables.orders: the rows cannot be read" in message
    assert "Could not convert string 'x' to DOUBLE" in message
    assert "Use try_cast" in message


def test_header_alone_or_nothing_left_is_refused(tmp_path):
    assert "no order remains" in refused(shop(tmp_path, files={"orders.csv": HEAD}))
    everything = [{"reason": "all of it", "where": "true"}]
    message = refused(shop(tmp_path, {"orders": orders_map(leave_out=everything)}))
    assert f"no order remains. `retention-lab check {tmp_path}/shop.yml` tells why" in message
    source = shop(tmp_path, files={"orders.csv": HEAD})
    with pytest.raises(BadData, match="orders has no row"):
        snapshot.complete_to(source, con=CON)


def test_times_that_none_can_be_read_are_refused_with_the_format_to_state(tmp_path):
    source = shop(tmp_path, files={"orders.csv": f"{HEAD}1,ann,03/04/2025,10\n"})
    with pytest.raises(BadData, match=r"'03/04/2025'.*`format: '%d/%m/%Y'`"):
        snapshot.complete_to(source, con=CON)


def test_customers_that_are_all_left_out_are_refused(tmp_path):
    people = {"rows": "p.csv", "columns": {"customer_id": "id", "signed_up_at": "at"}}
    tables = {"orders": orders_map(), "customers": people}
    source = shop(tmp_path, tables, {"orders.csv": ORDERS, "p.csv": "id,at\nann,2025-03-02\n"})
    assert "orders are left by 2025-03-01, but no customer" in refused(source)


def test_as_of_beyond_the_orders_is_refused_unless_the_source_says_it_is_complete(tmp_path):
    message = refused(shop(tmp_path), dt.date(2025, 3, 2))
    assert "Shop is complete to 2025-03-01 only, so nothing can be said as of 2025-03-02" in message
    assert "`complete_to: 2025-03-02`" in message
    assert "no order by 2025-01-04. Use a later day" in refused(shop(tmp_path), dt.date(2025, 1, 4))
    source = shop(tmp_path, complete_to="2025-03-02")
    assert len(cut(source, dt.date(2025, 3, 2))[0]["orders"]) == 4
    assert snapshot.complete_to(source, con=CON) == dt.date(2025, 3, 2)
    assert "complete to 2025-03-02 only" in refused(source, dt.date(2025, 3, 3))


@pytest.mark.parametrize("value", ["2025-02-30", "yesterday", "", "28/02/2025", 20250228])
def test_day_that_is_none_is_refused(value):
    with pytest.raises(BadParameter, match="as_of must be a day such as 2026-11-29, got"):
        clocks.date_of(value)


@pytest.mark.parametrize("value", [dt.date.max, "1900-01-01"])
def test_day_beyond_our_years_is_refused(value):
    with pytest.raises(BadParameter, match="as_of must be a day from 1970 to 2100"):
        clocks.date_of(value)


def test_time_of_day_is_no_part_of_as_of():
    assert clocks.date_of(pd.Timestamp("2025-02-28 12:00")) == dt.date(2025, 2, 28)
    assert type(clocks.date_of(pd.Timestamp("2025-02-28"))) is dt.date


@pytest.mark.parametrize("name", ["spark engine", "pandas"])
def test_unknown_engine_is_refused(name):
    with pytest.raises(BadParameter, match=r"There is no engine .* It is duckdb or spark"):
        engine.connect(name)


def test_memory_that_is_no_size_is_refused(monkeypatch):
    monkeypatch.setenv("RETENTION_LAB_MEMORY", "a lot")
    with pytest.raises(BadParameter, match="RETENTION_LAB_MEMORY must be a size such as 4GB"):
        engine.connect()


def test_more_rows_than_may_leave_the_engine_are_refused():
    table = CON.sql("select range as i from range(11)")
    with pytest.raises(BadData, match="columns i has more than 10 rows"):
        collect(table, max_rows=10)


def test_refusals_of_a_source_reach_the_caller_of_take(tmp_path):
    write(tmp_path, {"shop.yml": "name: x"})
    with pytest.raises(BadParameter, match="is missing"):
        snapshot.take(tmp_path / "shop.yml")
    assert sources.find(tmp_path / "shop.yml").exists()
