"""Claims of the two ways in: frames of any make are as good as files, and leave no trace."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import yaml

import retention_lab
from retention_lab.checks import BadData, BadParameter
from retention_lab.tables import quality

from . import shops

SMALL = pd.DataFrame(
    {
        "order_id": [1, 2, 3, 4],
        "customer_id": ["ann", "bob", "ann", "cid"],
        "ordered_at": pd.to_datetime(["2025-01-05", "2025-01-20", "2025-02-03", "2025-03-01"]),
        "amount": [10.0, 20.5, 5.25, 7.0],
    }
)
LINES = pd.DataFrame(
    {
        "order_id": ["a", "a", "b"],
        "customer_id": [1.0, 1.0, 2.0],
        "ordered_at": pd.to_datetime(["2025-01-05", "2025-01-05", "2025-01-09"]),
        "product_id": ["x", "y", "x"],
        "quantity": [2, 1, 3],
        "unit_price": [1.5, 4.0, 1.5],
    }
)


class Stream:
    """A table of another library, of which nothing is known but its Arrow stream."""

    def __init__(self, frame):
        self._table = pa.Table.from_pandas(frame, preserve_index=False)

    def __arrow_c_stream__(self, requested_schema=None):
        return self._table.__arrow_c_stream__(requested_schema)


class ToArrow:
    """A table that only knows how to become an Arrow one."""

    def __init__(self, frame):
        self._frame = frame

    def to_arrow(self):
        return pa.Table.from_pandas(self._frame, preserve_index=False)


def arrow(frame):
    """Return an Arrow table with the types that Polars uses."""
    table = pa.Table.from_pandas(frame, preserve_index=False)
    kinds = {pa.string(): pa.large_string(), pa.large_string(): pa.string_view()}
    fields = [pa.field(one.name, kinds.get(one.type, one.type)) for one in table.schema]
    return table.cast(pa.schema(fields))


def polars(frame):
    """Return a Polars frame, where that library is installed."""
    return pytest.importorskip("polars").from_pandas(frame)


def small(frame=SMALL, **settings):
    """Open the small shop."""
    return retention_lab.from_frames(orders=frame, name="Shop", **settings)


def file_door(folder, frame, **settings):
    """Write the same rows as Parquet with a source file, and open that."""
    frame.to_parquet(folder / "orders.parquet", index=False)
    plain = ["order_id", "customer_id", "ordered_at", "amount"]
    table = {
        "rows": "orders.parquet",
        "columns": {name: name for name in plain},
        "attributes": {name: name for name in frame.columns if name not in plain},
    }
    fields = {"name": "Shop", "time_zone": "UTC", "currency": "GBP", "tables": {"orders": table}}
    (folder / "shop.yml").write_text(yaml.safe_dump(fields | settings), encoding="utf-8")
    return retention_lab.open(folder / "shop.yml")


@pytest.mark.parametrize("make", [pd.DataFrame, arrow, Stream, ToArrow, polars])
def test_frames_of_any_make_are_the_same_snapshot_as_a_file(tmp_path, make):
    frame = SMALL.assign(country=["UK", "France", "UK", None])
    by_file = file_door(tmp_path, frame).snapshot
    by_frame = small(make(frame), currency="GBP").snapshot
    assert by_frame.content_hash == by_file.content_hash
    assert by_frame.folder.name == by_file.folder.name  # tables and counts, too
    pd.testing.assert_frame_equal(by_frame.left_out, by_file.left_out)


def test_answers_of_frames_and_of_a_file_are_equal(tmp_path):
    frame = shops.orders()
    by_file, by_frame = file_door(tmp_path, frame), small(frame, currency="GBP")
    for ask in (
        lambda lab: lab.returned(days=30),
        lambda lab: lab.triangle(clock="own"),
        lambda lab: lab.kpis(days=60),
    ):
        one, other = ask(by_file), ask(by_frame)
        pd.testing.assert_frame_equal(one.frame, other.frame)
        assert one.sentence == other.sentence


def test_frames_leave_no_file_anywhere(tmp_path, monkeypatch):
    for name in ("HOME", "TMPDIR", "XDG_CACHE_HOME", "RETENTION_LAB_SNAPSHOTS"):
        monkeypatch.setenv(name, str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)  # it remembers the folder of before
    monkeypatch.chdir(tmp_path)
    lab = small(shops.orders())
    assert lab.overview().sentence
    assert lab.at("2025-07-01").check().sentence
    assert list(tmp_path.iterdir()) == []


def test_frames_are_not_touched_and_their_index_is_no_data():
    frame = SMALL.set_index(pd.Index(list("wxyz"), name="customer")).astype({"order_id": "Int64"})
    before = frame.copy(deep=True)
    lab = small(frame)
    lab.returned(days=20)
    pd.testing.assert_frame_equal(frame, before)
    assert "customer" not in lab.orders.columns


def test_columns_of_every_usual_type_are_read():
    zoned = SMALL["ordered_at"].dt.tz_localize("Europe/Berlin")
    frame = SMALL.assign(
        order_id=pd.array([1, 2, 3, 4], dtype="Int64"),
        customer_id=[7.0, 8.0, 7.0, 9.0],
        ordered_at=zoned,
        amount=pd.array(["10.00", "20.5", "5.25", "7"], dtype="string"),
        country=pd.Categorical(["UK", "France", "UK", "UK"]),
        vip=pd.array([True, False, True, None], dtype="boolean"),
        mixed=pd.Series([1, "two", None, 3.5], dtype="object"),
    )
    orders = small(frame).orders.execute().sort_values("order_id")
    assert orders["customer_id"].tolist() == ["7", "8", "7", "9"]
    assert orders["amount"].tolist() == [1000, 2050, 525, 700]
    # Midnight in Berlin in winter is 23:00 UTC of the day before.
    assert orders["ordered_at"].iloc[0] == pd.Timestamp("2025-01-04 23:00")
    assert orders["country"].tolist() == ["UK", "France", "UK", "UK"]
    assert orders["vip"].tolist() == ["true", "false", "true", None]
    assert orders["mixed"].tolist() == ["1", "two", None, "3.5"]


def test_orders_are_derived_from_lines_and_their_text_describes_customers():
    lab = retention_lab.from_frames(order_lines=LINES.assign(country=["UK", "UK", "France"]))
    orders = lab.orders.execute().sort_values("order_id")
    assert orders[["order_id", "customer_id", "amount"]].to_numpy().tolist() == [
        ["a", "1", 700],
        ["b", "2", 450],
    ]
    assert sorted(lab.customers.country.execute()) == ["France", "UK"]


def test_lines_beside_orders_are_told_when_and_by_whom():
    lab = retention_lab.from_frames(
        orders=SMALL.assign(order_id=list("abcd")), order_lines=LINES, settings={}
    )
    assert lab.order_lines.count().execute() == 3
    assert (
        "order_lines.customer_id (told in another way); order_lines.ordered_at"
        in lab.check().sentence
    )


def test_all_but_orders_is_enough_without_orders():
    began = pd.to_datetime(["2025-01-05", "2025-01-20"])
    ended = pd.to_datetime(["2025-02-03", None])
    people = {"customer_id": ["ann", "bob"]}
    lab = retention_lab.from_frames(
        subscriptions=pd.DataFrame({**people, "started_at": began, "cancelled_at": ended}),
        tickets=pd.DataFrame(
            {**people, "ticket_id": [1, 2], "opened_at": began, "csat": [5, 4]}
        ).assign(resolved_at=ended),
        consents=pd.DataFrame({**people, "channel": "email", "valid_from": began}).assign(
            granted=[True, False]
        ),
        messages=pd.DataFrame({**people, "message_id": [1, 2], "sent_at": began, "cost": 0.5}),
        assignments=pd.DataFrame({**people, "experiment": "x", "arm": "a", "assigned_at": began}),
        name="Club",
    )
    assert str(lab.as_of) == "2025-02-03"
    assert lab.snapshot.rows == dict.fromkeys(
        ("customers", "subscriptions", "tickets", "consents", "messages", "assignments"), 2
    )
    counted = lab.sql(
        "select count(csat) as known, sum(granted::int) as said from tickets, consents"
    )
    assert counted.frame.iloc[0].tolist() == [2, 2]
    told = {"subscriptions", "tickets", "consents", "messages", "assignments"}
    assert set(lab.check().frame["table"]) == told
    for ask in (lab.overview, lab.returned, lab.revenue):
        with pytest.raises(BadData, match=r"^Club has no orders.* can feed the churn report"):
            ask()


def test_columns_that_are_not_used_are_named_with_the_reason():
    frame = SMALL.assign(age=[1, 2, 3, 4], **{"Post code": list("abcd")})
    assert (
        small(frame)
        .check()
        .sentence.endswith(
            "Not used: orders.Post code (rename it to a plain new name, such as country); "
            "orders.age (of the type int64; attributes are text)."
        )
    )


def test_day_is_that_of_the_last_order_unless_said():
    assert str(small().as_of) == "2025-03-01"
    early = small(as_of="2025-02-03")
    assert early.snapshot.rows["orders"] == 3


def test_snapshot_as_of_a_day_does_not_know_what_came_later():
    later = pd.concat([SMALL, SMALL.assign(order_id=[5, 6, 7, 8], amount=999.0)]).reset_index()
    later.loc[4:, "ordered_at"] = pd.Timestamp("2025-03-09")
    one, other = small(as_of="2025-03-01"), small(later, as_of="2025-03-01")
    assert one.snapshot.content_hash == other.snapshot.content_hash


def test_settings_decide_what_a_source_file_would():
    frame = pd.concat([SMALL, SMALL.iloc[[3]].assign(amount=9.0)], ignore_index=True)
    frame.loc[1, "customer_id"] = None
    said = {
        "complete_to": "2025-03-31",
        "orders": {"leave_out": ["missing customer_id"], "duplicates": "keep_last"},
    }
    lab = small(frame, settings=said, as_of="2025-03-31")
    counts = lab.check().frame.set_index("reason")["rows"]
    assert counts.to_dict() == {quality.USED: 3, "missing customer_id": 1, "repeats a key": 1}
    assert lab.orders.amount.max().execute() == 1000


def test_settings_find_columns_by_sql_and_rules_name_raw_ones():
    frame = SMALL.assign(net=SMALL["amount"], tax=1.0, state=["ok", "void", "ok", "ok"])
    lab = small(
        frame.drop(columns="amount"),
        settings={
            "orders": {
                "columns": {"amount": {"sql": "net + tax"}},
                "leave_out": [{"reason": "void", "where": "state = 'void'"}],
            }
        },
    )
    assert sorted(lab.orders.amount.execute()) == [625, 800, 1100]


@pytest.mark.parametrize(
    ("frame", "settings", "refusal", "message"),
    [
        (
            SMALL.rename(columns={"customer_id": "Customer ID"}),
            {},
            BadParameter,
            "orders lacks customer_id; it has order_id, Customer ID, ordered_at, amount. Did you "
            'mean df.rename(columns={"Customer ID": "customer_id"})?',
        ),
        (
            SMALL.drop(columns="order_id"),
            {},
            BadParameter,
            "Rows without one are numbered by df.assign(order_id=range(len(df))).",
        ),
        (
            SMALL.assign(Discont=1.0),
            {},
            BadParameter,
            "orders has no column 'Discont'. Did you mean 'discount'? Then use "
            'df.rename(columns={"Discont": "discount"}), else give it another name.',
        ),
        (
            pd.concat([SMALL, SMALL[["amount"]]], axis=1),
            {},
            BadParameter,
            "orders has two columns 'amount'. Rename or drop one.",
        ),
        (
            [{"order_id": 1}],
            {},
            BadParameter,
            "orders must be a pandas, Polars or Arrow table, got list.",
        ),
        (
            SMALL.assign(amount=[[1], [2], [3], [4]]),
            {},
            BadParameter,
            "orders: amount is of the type list<item: int64>. Make it text, a number or a time",
        ),
        (
            SMALL.assign(customer_id=["ann", None, "ann", "cid"]),
            {},
            BadData,
            "orders: 1 rows have missing customer_id, for example order_id '2'. Mend them, or have "
            'them left out and counted: `settings={"orders": {"leave_out": ["missing '
            'customer_id"]}}`.',
        ),
        (
            SMALL.assign(order_id=1),
            {},
            BadData,
            'Say what to do: `settings={"orders": {"duplicates": "keep_last"}}` (or keep_first, or '
            "add_up where each row is a part of the whole).",
        ),
        (
            SMALL.assign(ordered_at=["5/1/2025", "6/1/2025", "7/1/2025", "8/1/2025"]),
            {},
            BadData,
            'ISO 8601: `pd.to_datetime(df["ordered_at"], format="%d/%m/%Y")` where the day comes',
        ),
        (
            SMALL,
            {"as_of": "2025-05-01"},
            BadData,
            'Use as_of="2025-03-01", or `settings={"complete_to": '
            '"2025-05-01"}` if nothing was sold since.',
        ),
        (SMALL, {"settings": {"order": {}}}, BadParameter, "Did you mean 'orders'?"),
        (
            SMALL,
            {"settings": {"orders": {"leave_outt": []}}},
            BadParameter,
            "settings[\"orders\"] has no setting 'leave_outt'. Did you mean 'leave_out'?",
        ),
        (SMALL, {"settings": {"orders": []}}, BadParameter, "must be a mapping such as"),
        (SMALL, {"currency": "pounds"}, BadParameter, "three capital letters such as GBP"),
        (
            SMALL,
            {"settings": {"orders": {"leave_out": [{"reason": "all", "where": "true"}]}}},
            BadData,
            "from_frames: no order remains. All rows are left out by `settings`.",
        ),
    ],
)
def test_frame_that_does_not_fit_is_answered_in_one_sentence(frame, settings, refusal, message):
    with pytest.raises(refusal) as told:
        small(frame, **settings)
    assert message in str(told.value)
    assert ".yml" not in str(told.value)
    assert "--" not in str(told.value)


def test_nothing_handed_in_is_refused():
    with pytest.raises(BadParameter, match="needs orders="):
        retention_lab.from_frames(customers=shops.customers())


def test_amounts_without_a_currency_have_no_sign():
    sentence = small(shops.orders()).revenue().sentence
    assert "XXX" not in sentence
    assert np.char.isdigit(sentence.split("bought for ")[1][0])


def test_root_of_the_package_is_imported_without_anything_heavy():
    script = (
        f"import sys; sys.path += {sys.path}; import retention_lab; "
        "print(sorted({'ibis', 'pandas', 'typing'} & set(sys.modules)), dir(retention_lab))"
    )
    said = subprocess.run(
        [sys.executable, "-S", "-c", script], capture_output=True, text=True, check=True
    )
    assert said.stdout == "[] ['__version__', 'from_frames', 'open']\n"


def test_root_has_no_other_names():
    with pytest.raises(AttributeError, match="has no attribute 'opn'"):
        _ = retention_lab.opn
