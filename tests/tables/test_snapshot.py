"""Snapshots: what was known at the end of a day, kept under the hash of its content."""

from __future__ import annotations

import datetime as dt
import json

import duckdb
import numpy as np
import pandas as pd
import pytest

from retention_lab.checks import BadData, BadParameter
from retention_lab.tables import fingerprint, identity, snapshot, store
from retention_lab.tables.contracts import CONTRACTS

from .shops import CON, ORDERS, frame, orders_map, shop, write

AS_OF = dt.date(2025, 2, 1)
CUT = pd.Timestamp("2025-02-02")  # the first instant that is not known
COLUMNS = {
    "orders": ["order_id", "customer_id", "ordered_at", "amount", "shipped_at", "delivered_at"],
    "order_lines": ["order_id", "line", "quantity", "unit_price"],
    "returns": ["return_id", "customer_id", "returned_at", "amount"],
    "events": ["customer_id", "event", "occurred_at"],
    "customers": ["customer_id", "signed_up_at"],
    "subscriptions": ["customer_id", "started_at", "cancelled_at", "cancel_reason", "plan"],
    "tickets": ["ticket_id", "customer_id", "opened_at", "first_response_at", "resolved_at"],
    "consents": ["customer_id", "channel", "valid_from", "granted"],
}
COLUMNS["tickets"] += ["channel", "csat"]
RESPONSES = ["delivered_at", "opened_at", "clicked_at", "converted_at", "unsubscribed_at"]
COLUMNS["messages"] = ["message_id", "customer_id", "campaign", "sent_at", *RESPONSES, "cost"]
SETTINGS = {
    "orders": {
        "duplicates": "keep_last",
        "leave_out": ["missing customer_id", "negative amount", "delivered_at before shipped_at"],
        "count_only": [{"reason": "small", "where": "cast(amount as double) < 5"}],
    },
    "returns": {"duplicates": "add_up"},
}


def whole_shop(folder, tables, *, form="parquet", **settings):
    """Write every table of a shop, each in two files that overlap, and load its source file."""
    mapped, files = {}, {}
    for name, table in tables.items():
        parts = {f"{name}_1.{form}": table[:5], f"{name}_2.{form}": table[3:]}
        if form == "csv":
            parts = {file: part.to_csv(index=False) for file, part in parts.items()}
        files |= parts
        columns = {column: column for column in COLUMNS[name]}
        extra = {"attributes": {"country": "country"}} if name == "customers" else {}
        mapped[name] = {"rows": list(parts), "columns": columns, **extra, **SETTINGS.get(name, {})}
    total = {"table": "orders", "first": "2025-01-01", "last": "2025-01-31", "rows": 3, "amount": 9}
    return shop(folder, mapped, files, control_totals=[total], **settings)


def tables_of_a_shop():
    """Draw all tables over three months: about a third of their times are known at the cut."""
    rng = np.random.default_rng(11)
    people = [f"c{i}" for i in range(30)]
    start = pd.Timestamp("2025-01-01")

    def moments(n):
        return start + pd.to_timedelta(np.sort(rng.integers(0, 90 * 86_400, n)), unit="s")

    def rows(n, **columns):
        return pd.DataFrame({"customer_id": rng.choice(people, n), **columns})

    ordered = moments(60)
    shipped = ordered + pd.to_timedelta(rng.integers(0, 12, 60), unit="D")
    orders = rows(60, order_id=[f"o{i}" for i in range(60)], ordered_at=ordered)
    orders["shipped_at"] = shipped
    orders["delivered_at"] = shipped + pd.to_timedelta(rng.integers(-1, 12, 60), unit="D")
    orders["amount"] = rng.integers(-2, 60, 60) / 4
    orders.loc[::9, "customer_id"] = None
    orders.loc[1, ["shipped_at", "delivered_at"]] = [CUT - pd.Timedelta("1s"), CUT]
    lines = pd.DataFrame({"order_id": np.repeat(orders["order_id"], 2), "line": [1, 2] * 60})
    lines = lines.assign(quantity=rng.integers(1, 5, 120), unit_price=0.5)
    returns = rows(20, return_id=[f"r{i // 2}" for i in range(20)], returned_at=moments(20))
    returns["customer_id"] = np.repeat(returns["customer_id"][::2], 2).to_numpy()
    events = rows(40, event=rng.choice(["open", "click"], 40), occurred_at=moments(40))
    customers = pd.DataFrame({"customer_id": people, "signed_up_at": moments(30)})
    customers["country"] = rng.choice(["UK", "France"], 30)
    subscriptions = rows(40, started_at=moments(40), plan=rng.choice(["monthly", "yearly"], 40))
    ends = subscriptions["started_at"] + pd.to_timedelta(rng.integers(0, 30, 40), unit="D")
    subscriptions["cancelled_at"] = ends.where(rng.random(40) < 0.8)
    reasons = pd.Series(rng.choice(["voluntary", "involuntary", "other"], 40))
    subscriptions["cancel_reason"] = reasons.where(subscriptions["cancelled_at"].notna())
    tickets = rows(40, ticket_id=[f"t{i}" for i in range(40)], opened_at=moments(40))
    waits = pd.to_timedelta(rng.integers(0, 20, 40), unit="D")
    tickets["first_response_at"] = tickets["opened_at"] + waits
    tickets["resolved_at"] = tickets["first_response_at"] + pd.Timedelta(hours=9)
    tickets["channel"] = rng.choice(["email", "phone"], 40)
    tickets["csat"] = pd.array(rng.integers(1, 6, 40), "Int64")
    consents = rows(30, channel=rng.choice(["email", "sms"], 30), valid_from=moments(30))
    consents["granted"] = rng.random(30) < 0.7
    messages = rows(60, message_id=[f"m{i}" for i in range(60)], sent_at=moments(60))
    for name in RESPONSES:
        later = messages["sent_at"] + pd.to_timedelta(rng.integers(0, 30, 60), unit="D")
        messages[name] = later.where(rng.random(60) < 0.8)
    messages = messages.assign(campaign="newsletter", cost=0.25)
    return {
        "orders": orders,
        "order_lines": lines,
        "returns": returns.assign(amount=1.25),
        "events": events,
        "customers": customers,
        "subscriptions": subscriptions,
        "tickets": tickets,
        "consents": consents,
        "messages": messages,
    }


def spoilt(tables):
    """Change all that is dated after the cut: values, times, more rows, fewer rows, broken rows."""
    made = {name: table.copy() for name, table in tables.items()}
    orders = made["orders"]
    for column in ("shipped_at", "delivered_at"):
        late = orders[column] >= CUT
        orders.loc[late, column] += pd.to_timedelta(np.arange(late.sum()) % 40, unit="D")
    keep = orders.index[orders["ordered_at"] >= CUT][::2]  # the others go
    late_ids = set(orders.loc[orders["ordered_at"] >= CUT, "order_id"])
    known = orders[orders["ordered_at"] < CUT]
    again = known.tail(3).assign(
        ordered_at=CUT, amount=99.0, shipped_at=pd.NaT, delivered_at=pd.NaT
    )
    later = orders.loc[keep].assign(amount=-77.25, customer_id="late")
    broken = later.head(2).assign(order_id=[None, "x"], amount=[None, 1.0])
    made["orders"] = pd.concat([known, again, later, broken], ignore_index=True)
    lines = made["order_lines"]
    gone = lines["order_id"].isin(late_ids - set(later["order_id"]))
    lines.loc[lines["order_id"].isin(late_ids), "quantity"] = 1000
    made["order_lines"] = lines[~gone]
    ended = made["subscriptions"]["cancelled_at"] >= CUT
    made["subscriptions"].loc[ended, "cancelled_at"] += pd.Timedelta(days=20)
    made["subscriptions"].loc[ended, "cancel_reason"] = "moved to Mars"
    tickets = made["tickets"]
    answered, resolved = tickets["first_response_at"] >= CUT, tickets["resolved_at"] >= CUT
    tickets.loc[answered, "first_response_at"] = pd.NaT
    tickets.loc[resolved, "resolved_at"] += pd.Timedelta(days=20)
    tickets.loc[resolved, "csat"] = 9
    for name in RESPONSES:
        late = made["messages"][name] >= CUT
        made["messages"].loc[late, name] += pd.Timedelta(days=20)
    others = ("returns", "events", "customers", "subscriptions", "tickets", "consents", "messages")
    for name in others:
        time = CONTRACTS[name].time
        table = made[name]
        rest, late = table[table[time] < CUT], table[table[time] >= CUT]
        late = late[::2].assign(**{time: late[time].max() + pd.Timedelta(days=7)})
        changed = {
            c: "changed" for c in ("event", "country", "plan", "channel", "campaign") if c in late
        }
        changed |= {c: 1000.0 for c in ("amount",) if c in late}
        made[name] = pd.concat([rest, late.assign(**changed)], ignore_index=True)
    return made


def taken(source, as_of=AS_OF):
    """Take a snapshot and return its description and its tables."""
    made = snapshot.take(source, as_of=as_of)
    about = json.loads((made.folder / store.ABOUT).read_text(encoding="utf-8"))
    return about, {name: frame(table) for name, table in made.tables.items()}


@pytest.fixture(scope="module")
def whole_source(tmp_path_factory):
    return whole_shop(tmp_path_factory.mktemp("whole"), tables_of_a_shop())


@pytest.fixture(scope="module")
def whole(whole_source):
    """The description and the tables of the whole shop at the cut."""
    return taken(whole_source)


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """A shop of four orders whose snapshot is there."""
    source = shop(tmp_path_factory.mktemp("small"))
    snapshot.take(source, as_of=AS_OF)
    return source


def test_nothing_that_came_later_leaks_into_a_snapshot(tmp_path, whole):
    about, tables = whole
    spoilt_about, spoilt_tables = taken(whole_shop(tmp_path, spoilt(tables_of_a_shop())))
    for name, table in tables.items():
        assert len(table) >= 5, name
        pd.testing.assert_frame_equal(table, spoilt_tables[name])
    assert about == spoilt_about
    assert {record["reason"] for record in about["fits"]} >= {"small", "negative amount"}
    assert about["controls"]
    # What could have leaked is there: times inside known rows, some of them masked.
    orders = tables["orders"]
    assert (orders["ordered_at"] < CUT).all()
    assert orders["delivered_at"].max() < CUT
    assert orders["delivered_at"].isna().sum() > 3


@pytest.mark.parametrize(
    ("table", "time", "values"),
    [
        ("subscriptions", "cancelled_at", ["cancel_reason"]),
        ("tickets", "first_response_at", []),
        ("tickets", "resolved_at", ["csat"]),
        *(("messages", time, []) for time in RESPONSES),
    ],
)
def test_end_of_a_known_row_and_what_came_with_it_are_empty_until_then(whole, table, time, values):
    rows = whole[1][table]
    assert rows[time].max() < CUT
    assert rows[time].notna().sum() > 2
    assert rows[time].isna().sum() > 2
    for name in values:
        assert (rows[name].isna() == rows[time].isna()).all()


def test_local_date_of_a_new_table_is_named_after_its_time(whole):
    dates = {"subscriptions": "started_on", "tickets": "opened_on", "consents": "valid_on"}
    dates["messages"] = "sent_on"
    for table, day in dates.items():
        assert (whole[1][table][day] == whole[1][table][CONTRACTS[table].time].dt.normalize()).all()
    assert whole[1]["consents"]["granted"].dtype == bool
    assert (whole[1]["messages"]["cost"] == 25).all()  # minor units


def test_times_that_were_not_yet_known_are_in_a_later_snapshot(tmp_path, whole):
    orders = {"orders": tables_of_a_shop()["orders"]}
    late = taken(whole_shop(tmp_path, orders), "2025-03-25")[1]["orders"]
    early = whole[1]["orders"].set_index("order_id")["delivered_at"]
    assert len(late) > len(early)
    known = late.set_index("order_id")["delivered_at"]
    assert known[early[early.isna()].index].notna().sum() > 3


def test_content_hash_knows_neither_row_order_nor_file_format(tmp_path):
    tables = {name: tables_of_a_shop()[name] for name in ("orders", "events")}
    shuffled = {name: table.sample(frac=1, random_state=3) for name, table in tables.items()}
    about, kept = taken(whole_shop(tmp_path / "a", tables))
    other, shuffled_kept = taken(whole_shop(tmp_path / "b", shuffled, form="csv"))
    assert about["content_hash"] == other["content_hash"]
    for name, table in kept.items():
        pd.testing.assert_frame_equal(table, shuffled_kept[name])


def test_hash_counts_equal_rows_and_knows_null_from_text(tmp_path):
    def hashed(name, values):
        table = CON.create_table(name, pd.DataFrame({"customer_id": values}), temp=True)
        return identity.write(table, CONTRACTS["events"], tmp_path).hash

    same = hashed("h1", ["a", "b", None])
    assert hashed("h2", [None, "b", "a"]) == same
    others = [["a", "b", "b"], ["a", "b"], ["a", "b", ""], ["a", "b", "None"], ["ab", "", None]]
    assert same not in {hashed(f"h{i}", values) for i, values in enumerate(others, start=3)}


def refuse_to_read(*_args, **_kwargs):
    raise AssertionError("the source was read again")


def test_unchanged_source_is_not_read_again(tmp_path, monkeypatch):
    source = shop(tmp_path)
    first = snapshot.take(source, as_of="2025-02-01")
    latest = snapshot.take(source)
    assert latest.as_of == dt.date(2025, 3, 1)
    with monkeypatch.context() as patch:
        patch.setattr(snapshot, "cut", refuse_to_read)
        patch.setattr(snapshot, "complete_to", refuse_to_read)
        again = snapshot.take(source, as_of=AS_OF)
        assert again.folder == first.folder
        assert snapshot.take(source).folder == latest.folder
        assert snapshot.take(source, as_of="2025-03-01").folder == latest.folder
        pd.testing.assert_frame_equal(frame(again.orders), frame(first.orders))
        with pytest.raises(AssertionError, match="read again"):
            snapshot.take(source, as_of="2025-02-02")
        with pytest.raises(AssertionError, match="read again"):
            snapshot.take(source, as_of=AS_OF, zone="Asia/Tokyo")


def test_earlier_snapshot_is_what_it_was_whatever_became_of_the_source(tmp_path):
    source = shop(tmp_path)
    first = snapshot.take(source, as_of="2025-02-28")
    write(tmp_path, {"orders.csv": ORDERS.replace("20.50", "99.00")})
    assert frame(snapshot.take(source, as_of="2025-02-28").orders)["amount"].max() == 9900
    earlier = snapshot.kept(source, name=first.folder.name)
    assert (earlier.content_hash, earlier.as_of) == (first.content_hash, first.as_of)
    pd.testing.assert_frame_equal(frame(earlier.orders), frame(first.orders))
    some = snapshot.kept(source, name=first.folder.name, where="customer_id = 'ann'")
    assert some.rows["customers"] == 1
    assert snapshot.kept(source, name="2025-02-28-000000000000") is None
    assert snapshot.kept(source, name="") is None


def test_changed_file_lookup_or_setting_makes_a_new_snapshot(tmp_path):
    columns = orders_map()["columns"] | {
        "coupon": {"lookup": {"file": "c.csv", "column": "order_id"}}
    }
    tables = {"orders": orders_map(columns=columns)}
    files = {"orders.csv": ORDERS, "c.csv": "id,coupon\n1,NEW\n"}
    keys, day = [], dt.date(2025, 3, 1)

    def changed():
        keys.append(fingerprint.source_key(shop(tmp_path, tables, {}, **settings), day))
        return len(set(keys)) == len(keys)

    settings = {}
    write(tmp_path, files)
    assert changed()
    write(tmp_path, {"c.csv": "id,coupon\n1,OTHER\n"})
    assert changed()
    write(tmp_path, {"orders.csv": ORDERS.replace("ann", "eve")})
    assert changed()
    settings = {"business_time_zone": "Asia/Tokyo"}
    assert changed()


def test_changed_rule_shows_its_counts_although_the_tables_are_equal(tmp_path):
    first = snapshot.take(shop(tmp_path))
    rule = {"reason": "large", "where": "cast(amount as double) > 9"}
    second = snapshot.take(shop(tmp_path, {"orders": orders_map(count_only=[rule])}))
    assert second.content_hash == first.content_hash
    assert second.fits.to_dict("records") == [
        {"table": "orders", "reason": "large", "rows": 2, "amount": 3050, "kept": True}
    ]


def test_snapshot_tells_what_it_is(tmp_path):
    totals = [{"table": "orders", "first": "2025-01-01", "last": "2025-01-31", "rows": 2}]
    taken = snapshot.take(shop(tmp_path, control_totals=totals, simulated=True), as_of="2025-02-20")
    assert (taken.name, taken.zone, taken.currency, taken.simulated) == ("Shop", "UTC", "GBP", True)
    assert (taken.as_of, taken.where) == (dt.date(2025, 2, 20), "")
    assert (taken.records_from, taken.complete_to) == (dt.date(2025, 1, 5), dt.date(2025, 2, 3))
    assert (taken.minor_per_unit, taken.history_days) == (100, 47)
    assert taken.rows == {"customers": 2, "orders": 3}
    assert taken.controls["agrees"].tolist() == [True]
    assert taken.left_out["reason"].unique().tolist() == ["used"]
    assert taken.folder.parent == tmp_path / "snapshots" / "shop"
    assert sorted(taken.orders.columns)[:4] == ["amount", "coupon", "customer_id", "delivered_at"]
    with pytest.raises(BadData, match="Shop has no returns; map them in its source file"):
        _ = taken.returns
    with pytest.raises(AttributeError, match="returnz"):
        _ = taken.returnz


def test_condition_filters_every_table_and_its_row_counts(whole_source, whole):
    condition = "Country = 'UK' and signed_up_at is not null"
    british = snapshot.take(whole_source, as_of=AS_OF, where=condition)
    assert british.where == condition
    people = frame(british.customers)
    assert people["country"].unique().tolist() == ["UK"]
    for name in set(COLUMNS) - {"customers", "order_lines"}:
        everybody = whole[1][name]
        expected = everybody[everybody["customer_id"].isin(people["customer_id"])]
        pd.testing.assert_frame_equal(frame(british.tables[name]), expected.reset_index(drop=True))
        assert british.rows[name] == len(expected) < len(everybody)
    assert set(frame(british.order_lines)["order_id"]) == set(frame(british.orders)["order_id"])
    assert british.content_hash == whole[0]["content_hash"]


@pytest.mark.parametrize(
    ("where", "kind", "words"),
    [
        ("customer_id = 'eve'", BadData, r"No customer of Shop fits \"customer_id = 'eve'\""),
        ("custmer_id = 'ann'", BadParameter, "condition has no column 'custmer_id'. Did you mean"),
        ("customer_id", BadParameter, "'customer_id' is no condition"),
        ("customer_id = (select 1)", BadParameter, "must be an expression over the columns of one"),
        ("customer_id = 'ann'; select 1", BadParameter, "must be one SQL expression"),
        (
            "cast(customer_id as int) > 1",
            BadParameter,
            "The condition: the rows cannot be read: .*onvert",
        ),
        ("customer_id >", BadParameter, "is not a valid SQL expression"),
    ],
)
def test_condition_that_fits_nobody_or_is_none_is_refused(small, where, kind, words):
    with pytest.raises(kind, match=words):
        snapshot.take(small, as_of=AS_OF, where=where)


def test_unknown_zone_is_refused_before_anything_is_read(tmp_path, monkeypatch):
    monkeypatch.setattr(snapshot, "complete_to", refuse_to_read)
    with pytest.raises(BadParameter, match="'Mars' is not a time zone"):
        snapshot.take(shop(tmp_path), zone="Mars")


def test_failure_midway_leaves_no_snapshot(tmp_path, monkeypatch):
    source = shop(tmp_path)

    def fail(*_args, **_kwargs):
        raise RuntimeError("the disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(store, "about", fail)
        with pytest.raises(RuntimeError, match="full"):
            snapshot.take(source)
    kept = tmp_path / "snapshots" / "shop"
    assert sorted(path.name for path in kept.iterdir()) == [".lock", "known"]
    assert list((kept / "known").iterdir()) == []
    assert snapshot.take(source).folder.is_dir()


def test_two_who_write_the_same_snapshot_agree(tmp_path):
    source = shop(tmp_path)
    tables, counts = snapshot.cut(source, as_of=AS_OF, con=CON)
    store.prepare(source)
    first, second = (store.write(source, AS_OF, tables=tables, counts=counts) for _ in "ab")
    assert first == second
    assert sorted(path.name for path in first.parent.iterdir()) == [".lock", first.name, "known"]


def test_snapshots_lie_where_the_environment_says(tmp_path, monkeypatch):
    monkeypatch.setenv("RETENTION_LAB_SNAPSHOTS", str(tmp_path / "elsewhere"))
    taken = snapshot.take(shop(tmp_path / "data"))
    assert taken.folder.parent == tmp_path / "elsewhere" / "shop"
    assert not (tmp_path / "data" / "snapshots").exists()


def test_place_that_cannot_be_written_is_refused_with_the_variable_that_helps(
    tmp_path, monkeypatch
):
    (tmp_path / "file").touch()
    monkeypatch.setenv("RETENTION_LAB_SNAPSHOTS", str(tmp_path / "file"))
    monkeypatch.setattr(snapshot, "cut", refuse_to_read)
    with pytest.raises(
        BadParameter, match=r"file/shop \(Not a directory\).* RETENTION_LAB_SNAPSHOTS"
    ):
        snapshot.take(shop(tmp_path))


def test_no_secret_of_a_connection_is_in_a_snapshot(tmp_path):
    write(tmp_path, {"orders.csv": ORDERS})
    with duckdb.connect(str(tmp_path / "hunter2.duckdb")) as con:
        con.execute(f"create table sales as select * from '{tmp_path}/orders.csv'")
    rows = {"connection": f"duckdb://{tmp_path}/hunter2.duckdb", "table": "sales"}
    taken = snapshot.take(shop(tmp_path, {"orders": orders_map(rows=rows)}, {}))
    assert taken.rows["orders"] == 4
    texts = [path.read_bytes() for path in taken.folder.parent.rglob("*") if path.is_file()]
    assert not any(b"hunter2" in text for text in texts)
    assert list((taken.folder.parent / "known").iterdir()) == []  # it must be read each time


def test_rows_of_customers_who_are_not_mapped_are_counted_and_stay(tmp_path):
    people = "customer_id,signed_up_at\nann,2025-01-01\nbob,2025-02-20\n"  # bob later, cid never
    returns = "return_id,customer_id,returned_at,amount\nr1,cid,2025-02-01,3.5\n"
    columns = {"customers": ["customer_id", "signed_up_at"], "returns": COLUMNS["returns"]}
    tables = {"orders": orders_map()} | {
        name: {"rows": f"{name}.csv", "columns": {column: column for column in mapped}}
        for name, mapped in columns.items()
    }
    files = {"orders.csv": ORDERS, "customers.csv": people, "returns.csv": returns}
    source = shop(tmp_path, tables, files)
    reason = "belongs to no customer in use"
    early = snapshot.take(source, as_of="2025-02-10")
    counted = [tuple(row) for row in early.fits.itertuples(index=False)]
    assert counted == [("orders", reason, 1, 2050, True), ("returns", reason, 1, 350, True)]
    assert early.rows == {"orders": 3, "returns": 1, "customers": 1}
    assert early.left_out.groupby("reason")["rows"].sum().to_dict() == {"used": 5}
    late = snapshot.take(source, as_of=dt.date(2025, 3, 1))
    assert late.fits["amount"].tolist() == [700, 350]
