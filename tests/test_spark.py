"""The same integers from DuckDB and from Spark: nothing engine-specific has crept in."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from retention_lab.checks import BadData, BadParameter
from retention_lab.customers.cohorts import calendar_triangle, own_clock_triangle, returned
from retention_lab.experiments import arriving
from retention_lab.experiments.plan import Plan
from retention_lab.tables import engine, identity, reach, snapshot, source
from retention_lab.tables.contracts import CONTRACTS

pytestmark = pytest.mark.spark

AS_OF = dt.date(2025, 4, 6)
SOURCE = """
name: Two engines
engine: {engine}
time_zone: Europe/London
currency: GBP
tables:
  order_lines:
    rows: [first.parquet, second.csv]
    missing_as: [nan]
    columns:
      order_id: invoice
      customer_id: customer
      ordered_at: booked
      product_id: code
      product_family: {{sql: "case when code < 'P3' then 'small' else 'large' end"}}
      quantity: quantity
      unit_price: price
    attributes: {{country: country}}
    leave_out:
      - {{reason: cancellation, where: "starts_with(invoice, 'C')"}}
      - missing customer_id
      - non-positive quantity
    count_only:
      - {{reason: dear, where: "cast(price as double) > 8"}}
  orders: {{derive_from: order_lines}}
  returns:
    rows: [first.parquet, second.csv]
    only: starts_with(invoice, 'C')
    columns:
      return_id: invoice
      customer_id: customer
      returned_at: booked
      amount: {{sql: "abs(cast(quantity as double) * cast(price as double))"}}
    leave_out: [missing customer_id]
    duplicates: add_up
  events:
    rows: {{path: events.csv, number_as: number, label: seen}}
    columns:
      customer_id: customer
      event: {{sql: "concat(event, ' ', label, ' ', cast(number as varchar))"}}
      occurred_at: {{column: at, format: "%d/%m/%Y %H:%M"}}
    leave_out: [unparseable occurred_at]
"""

SHOP = """
name: Second shop
engine: {engine}
time_zone: America/New_York
business_time_zone: Australia/Lord_Howe
currency: KWD
tables:
  orders:
    rows: [orders_old.csv, orders_new.parquet]
    duplicates: keep_last
    columns:
      order_id: id
      customer_id: customer
      ordered_at: ordered
      amount: {{sql: "try_cast(amount as double) / 10"}}
      coupon: {{lookup: {{file: coupons.csv, column: code}}}}
      shipped_at: shipped
      delivered_at: delivered
    leave_out:
      - missing amount
      - delivered_at before shipped_at
    count_only:
      - {{reason: with a code, where: "code is not null"}}
  order_lines:
    rows: {{path: lines.txt, format: lines}}
    columns:
      order_id: {{sql: "trim(substr(line, 1, 5))"}}
      quantity: {{sql: "trim(substr(line, 6, 3))"}}
      unit_price: {{sql: "trim(substr(line, 9))"}}
  customers:
    rows: {{path: customers.xlsx}}
    columns: {{customer_id: customer, signed_up_at: joined}}
    attributes: {{country: country}}
"""


MEMBERS = """
name: Members
engine: {engine}
time_zone: America/New_York
business_time_zone: Europe/London
currency: GBP
tables:
  subscriptions:
    rows: [subscriptions_old.csv, subscriptions_new.parquet]
    columns:
      customer_id: customer
      started_at: began
      cancelled_at: ended
      cancel_reason: reason
      plan: plan
    attributes: {{country: country}}
    leave_out: [unlisted cancel_reason, cancelled_at before started_at]
    duplicates: keep_last
  tickets:
    rows: tickets.csv
    columns:
      ticket_id: id
      customer_id: customer
      opened_at: opened
      first_response_at: answered
      resolved_at: resolved
      channel: channel
      csat: csat
    leave_out: ["not a number: csat", unlisted csat]
  consents:
    rows: consents.csv
    columns: {{customer_id: customer, channel: channel, valid_from: since, granted: said}}
    leave_out: ["not a truth value: granted"]
    duplicates: keep_first
  messages:
    rows: messages.csv
    columns:
      message_id: id
      customer_id: customer
      campaign: campaign
      sent_at: sent
      delivered_at: delivered
      opened_at: opened
      clicked_at: clicked
      cost: cost
    leave_out: [clicked_at before sent_at, negative cost]
"""

CHANNELS = ("email", "sms")
PLAN = {
    "name": "check_in",
    "title": "Check-in",
    "owner": "CRM",
    "hypothesis": "It helps.",
    "channel": "email",
    "starts": "2024-02-01",
    "ends": "2025-06-01",
    "endpoint": {"kind": "returned", "day": 30},
    "primary": {"smallest_effect": 0.03},
    "assumptions": {},
}


def write_members(made, rng):
    """Subscriptions in two exports, and what they did and got; much of it after the date."""
    number = 400
    began = pd.Timestamp("2024-10-20") + pd.to_timedelta(rng.integers(0, 200, number), unit="D")
    members = pd.DataFrame(
        {
            "customer": rng.integers(1, 300, number).astype(str),
            "began": began,
            "ended": began + pd.to_timedelta(rng.integers(-1, 90, number), unit="D"),
            "reason": rng.choice(["Voluntary", "involuntary", "other", "bored"], number),
            "plan": rng.choice(["monthly", "yearly"], number),
            "country": rng.choice(["UK", "France"], number),
        }
    )
    members.loc[rng.random(number) < 0.4, ["ended", "reason"]] = None
    members[:250].to_csv(made / "subscriptions_old.csv", index=False)
    members[150:].to_parquet(
        made / "subscriptions_new.parquet", index=False, coerce_timestamps="us"
    )
    opened = members["began"] + pd.Timedelta(hours=30)
    tickets = pd.DataFrame({"id": range(number), "customer": members["customer"], "opened": opened})
    tickets["answered"] = opened + pd.to_timedelta(rng.integers(0, 99, number), unit="h")
    tickets["resolved"] = tickets["answered"] + pd.to_timedelta(rng.integers(0, 99, number), "h")
    tickets = tickets.assign(channel="email", csat=rng.choice(["1", "5", "9", "good"], number))
    tickets.to_csv(made / "tickets.csv", index=False)
    said = rng.choice(["yes", "NO", "True", "0", "perhaps"], number)
    consents = members[["customer"]].assign(channel="email", since=opened, said=said)
    consents.to_csv(made / "consents.csv", index=False)
    sent = members["began"] + pd.Timedelta(hours=9)
    messages = pd.DataFrame({"id": range(number), "customer": members["customer"], "sent": sent})
    for name, earliest in (("delivered", 0), ("opened", 0), ("clicked", -9)):
        wait = pd.to_timedelta(rng.integers(earliest, 300, number), unit="h")
        messages[name] = (sent + wait).where(rng.random(number) < 0.8)
    messages["cost"] = rng.integers(-1, 40, number) / 100
    messages.assign(campaign="newsletter").to_csv(made / "messages.csv", index=False)


def lines(rng):
    """Order lines over two changes of the clock, some broken, all money with tenths of a penny."""
    orders = 900
    customer = rng.integers(1, 200, orders)
    minutes = rng.integers(0, 500 * 24 * 60, orders)
    booked = pd.Timestamp("2024-01-01 00:30") + pd.to_timedelta(np.sort(minutes), unit="min")
    of = np.repeat(np.arange(orders), rng.integers(1, 4, orders))
    cancelled = rng.random(orders) < 0.06
    return pd.DataFrame(
        {
            "invoice": [f"{'C' if cancelled[i] else ''}{1000 + i}" for i in of],
            "customer": [None if customer[i] < 8 else str(customer[i]) for i in of],
            "booked": [booked[i] for i in of],
            "code": [f"P{n}" for n in rng.integers(1, 6, len(of))],
            "quantity": rng.integers(-1, 5, len(of)),
            "price": (rng.integers(1, 10_000, len(of)) / 1000).round(3),
            "country": [("UK", "nan", "France")[customer[i] % 3] for i in of],
        }
    )


def write_second_shop(made, rng):
    """Orders in two exports, the newer one with more deliveries; some come after the date."""
    number = 400
    minutes = np.sort(rng.integers(0, 180 * 24 * 60, number))
    ordered = pd.Timestamp("2024-10-20") + pd.to_timedelta(minutes, unit="min")
    shipped = ordered + pd.to_timedelta(rng.integers(0, 9, number), unit="D")
    orders = pd.DataFrame(
        {
            "id": [f"o{i}" for i in range(number)],
            "customer": rng.integers(1, 90, number).astype(str),
            "ordered": ordered,
            "amount": [("x" if i % 50 == 7 else str(i % 13)) for i in range(number)],
            "code": [("A", "B", " ", None)[i % 4] for i in range(number)],
            "shipped": shipped,
            "delivered": shipped + pd.to_timedelta(rng.integers(-1, 12, number), unit="D"),
        }
    )
    old, new = orders[:250].assign(delivered=pd.NaT), orders[150:]
    old.assign(ordered=old["ordered"].astype(str) + "-04:00").to_csv(
        made / "orders_old.csv", index=False
    )
    new.to_parquet(made / "orders_new.parquet", index=False, coerce_timestamps="us")
    (made / "coupons.csv").write_text("code,coupon\nA,ten percent\n", encoding="utf-8")
    text = "".join(f"o{i:<4}{i % 7 + 1:>3}{i % 9 + 0.125:>8}\n" for i in range(0, 420, 3))
    (made / "lines.txt").write_text(text, encoding="utf-8")
    people = pd.DataFrame({"customer": range(1, 90), "joined": pd.Timestamp("2024-10-01 12:00")})
    people.assign(country="UK").to_excel(made / "customers.xlsx", index=False)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("engines")
    rng = np.random.default_rng(20250406)
    write_second_shop(made, rng)
    write_members(made, np.random.default_rng(20250407))
    table = lines(rng)
    first, second = table.iloc[:1100], table.iloc[1000:]  # a hundred lines stand in both
    # Spark does not read the nanoseconds that pandas would write.
    first.to_parquet(made / "first.parquet", index=False, coerce_timestamps="us")
    second.assign(booked=second["booked"].dt.strftime("%Y-%m-%dT%H:%M:%S")).to_csv(
        made / "second.csv", index=False
    )
    day = pd.Timestamp("2024-02-01") + pd.to_timedelta(rng.integers(0, 400, 300), unit="D")
    events = pd.DataFrame(
        {
            "customer": rng.integers(1, 200, 300),
            "event": rng.choice(["feature_activated", "first_value"], 300),
            "at": day.strftime("%d/%m/%Y 01:30"),
        }
    )
    events.loc[:2, "at"] = "31/02/2024 10:00"
    events.to_csv(made / "events.csv", index=False)
    return made


def cut(folder: Path, name: str, text: str = SOURCE):
    path = folder / f"{name}.yml"
    path.write_text(text.format(engine=name), encoding="utf-8")
    tables, counts = snapshot.cut(source.load(path), as_of=AS_OF, con=engine.connect(name))
    written = {}
    for table, expr in tables.items():
        (folder / name).mkdir(exist_ok=True)
        written[table] = identity.write(expr, CONTRACTS[table], folder / name)
    return tables, counts, written


@pytest.fixture(scope="module")
def session(tmp_path_factory):
    """A small Spark that the engine finds running: 200 partitions, its default, take minutes."""
    from pyspark.sql import SparkSession  # noqa: PLC0415  absent unless these tests are asked for

    settings = {
        "spark.sql.shuffle.partitions": "2",
        "spark.default.parallelism": "2",
        "spark.sql.codegen.wholeStage": "false",  # compiling takes longer than these few rows
        "spark.sql.adaptive.enabled": "false",
        "spark.ui.enabled": "false",
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.sql.warehouse.dir": str(tmp_path_factory.mktemp("warehouse")),
        "spark.log.level": "ERROR",
    }
    running = SparkSession.builder.master("local[2]").config(map=settings).getOrCreate()
    yield running
    running.stop()


@pytest.fixture(scope="module", params=[SOURCE, SHOP], ids=["lines", "orders"])
def both(folder, session, request):  # noqa: ARG001  what it starts is found running
    return {name: cut(folder, name, request.param) for name in ("duckdb", "spark")}


def test_spark_cuts_the_same_snapshot(both):
    assert both["duckdb"][2] == both["spark"][2]
    assert both["duckdb"][2]["orders"].rows > 300


def test_spark_cuts_the_same_snapshot_of_members(folder, session):  # noqa: ARG001
    one, two = (cut(folder, name, MEMBERS) for name in ("duckdb", "spark"))
    assert one[2] == two[2]
    assert min(written.rows for written in one[2].values()) > 100
    for name, counts in one[1].items():
        assert (counts.later, counts.last) == (two[1][name].later, two[1][name].last)
        assert counts.fits["rows"].tolist() == two[1][name].fits["rows"].tolist()
        assert len(counts.fits)
    days = [
        engine.collect(reach.days(tables, zone="Europe/London").order_by("day"))
        for tables, _, _ in (one, two)
    ]
    pd.testing.assert_frame_equal(*days)


def test_spark_counts_the_same_rows_and_money_for_each_reason(both):
    for table, counts in both["duckdb"][1].items():
        other = both["spark"][1][table]
        keys = ["month", "reason"]
        for one, two in ((counts.left_out, other.left_out), (counts.fits, other.fits)):
            by = [key for key in keys if key in one.columns]
            pd.testing.assert_frame_equal(
                one.sort_values(by).reset_index(drop=True),
                two.sort_values(by).reset_index(drop=True),
            )
        assert (counts.later, counts.last) == (other.later, other.last)
    fits = pd.concat([counts.fits for counts in both["duckdb"][1].values()]).set_index("reason")
    assert fits["rows"].max() >= 100
    assert {"stands in two files", "repeats a key"} & set(fits.index)


@pytest.mark.parametrize("triangle", [calendar_triangle, own_clock_triangle])
def test_spark_gives_the_same_triangle(both, triangle):
    one, two = (triangle(both[name][0]["orders"], as_of=AS_OF) for name in ("duckdb", "spark"))
    pd.testing.assert_frame_equal(one, two, check_exact=True)


def test_spark_gives_the_same_returns(both):
    one, two = (returned(both[name][0]["orders"], as_of=AS_OF, days=90) for name in both)
    pd.testing.assert_frame_equal(one, two, check_exact=True)


def shop_in(name, frames):
    """A shop as far as a day's run looks at it."""
    con = engine.connect(name)
    tables = {
        table: engine.put(pa.Table.from_pandas(frame, preserve_index=False), con=con)
        for table, frame in frames.items()
    }
    days = {"as_of": AS_OF, "records_from": dt.date(2024, 1, 1)}
    return SimpleNamespace(name="Shop", zone="Europe/London", tables=tables, **days, **tables)


@pytest.fixture(scope="module")
def shops(session):  # noqa: ARG001
    """The same customers, what they did and what they consent to, in both engines."""
    rng = np.random.default_rng(20250408)
    who = pd.Series([f"c{number}" for number in rng.integers(0, 90, 900)], name="customer_id")
    at = pd.Timestamp("2024-01-02") + pd.to_timedelta(rng.integers(0, 460 * 86_400, 900), unit="s")
    at = at.astype("datetime64[us]")
    on = at.tz_localize("UTC").tz_convert("Europe/London").date
    frames = {
        "customers": pd.DataFrame({"customer_id": who.unique()}).assign(country="UK"),
        "orders": pd.DataFrame({"customer_id": who, "ordered_at": at, "ordered_on": on}),
        "events": pd.DataFrame(
            {"customer_id": who, "event": "seen", "occurred_at": at, "occurred_on": on}
        ),
        "consents": pd.DataFrame(
            {
                "customer_id": who,
                "channel": rng.choice(["email", "sms"], 900),
                "valid_from": at,
                "granted": rng.random(900) < 0.8,
            }
        ),
    }
    frames["orders"] = frames["orders"][::6]
    return {name: shop_in(name, frames) for name in ("duckdb", "spark")}


@pytest.mark.parametrize("milestone", ["seen", {"silent_days": 30}, {"purchase": 2}], ids=str)
def test_spark_finds_the_same_customers_at_a_milestone(shops, milestone):
    arms = [{"name": name, "share": 0.5, "message": "m", "channel": name} for name in CHANNELS]
    plan = Plan.model_validate({**PLAN, "milestone": milestone, "arms": arms})
    one, two = (
        arriving.arrivals(arriving.milestones(shop, plan), shop, plan) for shop in shops.values()
    )
    assert one.equals(two)
    assert one.num_rows > 3
    assert 0 < pc.sum(one["consents"]).as_py() < one.num_rows


@pytest.mark.parametrize(
    ("rows", "content", "kind", "words"),
    [
        (
            "path: o.csv",
            "zoé".encode("latin-1"),
            BadData,
            "not UTF-8 text. Say `encoding: latin-1`",
        ),
        ("path: o.csv", b"id,at\n1,2\n1,2,3\n", BadData, r"rows cannot be read: .*"),
        ("{path: o.csv, skip: 1}", b"x\nid,at\n", BadParameter, "must begin with its header"),
        ("path: none.parquet", b"x", BadParameter, "none.parquet is no file"),
    ],
)
def test_spark_refuses_files_as_duckdb_does(tmp_path, session, rows, content, kind, words):  # noqa: ARG001
    (tmp_path / "o.csv").write_bytes(content)
    rows = rows if rows.startswith("{") else f"{{{rows}}}"
    columns = "{order_id: id, customer_id: id, ordered_at: at, amount: id}"
    table = f"tables: {{orders: {{rows: {rows}, columns: {columns}}}}}"
    text = f"name: x\ntime_zone: UTC\ncurrency: GBP\nengine: spark\n{table}\n"
    loaded = source.parse(text, file=tmp_path / "shop.yml")
    with pytest.raises(kind, match=words):
        snapshot.cut(loaded, as_of=AS_OF, con=engine.connect("spark"))
