"""A shop without orders: what its subscriptions tell of how far it is known, and of whom."""

from __future__ import annotations

import datetime as dt
import shutil

import pandas as pd
import pytest

from retention_lab.checks import BadData, BadParameter
from retention_lab.tables import completeness, erased, forgetting, frames, reach, snapshot
from retention_lab.tables import source as sources

from .shops import cut, frame, orders_map, shop

# In London the first begins on 1 May, the last cancellation falls on 21 June.
SUBSCRIPTIONS = """\
customer_id,started_at,cancelled_at,cancel_reason,plan,country
ann,2025-04-30 23:30:00,2025-05-20 12:00:00,Voluntary,monthly,UK
bob,2025-05-02 08:00:00,,,yearly,France
ann,2025-05-10 09:00:00,,,yearly,Spain
cid,2025-06-01 10:00:00,2025-06-20 23:30:00,involuntary,monthly,
"""
COLUMNS = ("customer_id", "started_at", "cancelled_at", "cancel_reason", "plan")
MAP = {
    "rows": "subscriptions.csv",
    "columns": {name: name for name in COLUMNS},
    "attributes": {"country": "country"},
}
END = dt.date(2025, 6, 21)


def subscribers(folder, text=SUBSCRIPTIONS, tables=None, **settings):
    files = {"subscriptions.csv": text}
    zone = {"business_time_zone": "Europe/London"}
    return shop(folder, {"subscriptions": MAP, **(tables or {})}, files, **zone | settings)


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    return subscribers(tmp_path_factory.mktemp("subscribers"))


@pytest.fixture(scope="module")
def taken(source):
    return snapshot.take(source)


def test_shop_without_orders_is_known_as_far_as_its_subscriptions(source, taken):
    assert source.main == "subscriptions"
    assert (taken.records_from, taken.complete_to) == (dt.date(2025, 5, 1), END)
    assert taken.as_of == END
    assert taken.rows == {"customers": 3, "subscriptions": 4}
    days = frame(reach.days(taken.tables, zone=taken.zone))["day"].dt.strftime("%m-%d")
    assert days.tolist() == ["05-01", "05-02", "05-10", "05-20", "06-01", "06-21"]


def test_cancellation_after_the_day_tells_how_far_the_source_reaches_and_nothing_else(source):
    early = snapshot.take(source, as_of="2025-06-20")  # its cancellation is still unknown
    assert early.complete_to == dt.date(2025, 6, 1)
    rows = frame(early.subscriptions)
    assert rows["cancelled_at"].notna().sum() == rows["cancel_reason"].notna().sum() == 1
    with pytest.raises(BadData, match=f"complete to {END} only, .* if none began or ended since"):
        snapshot.take(source, as_of="2025-06-22")
    with pytest.raises(BadData, match="no subscription by 2025-04-30"):
        snapshot.take(source, as_of="2025-04-30")


def test_subscriptions_of_a_customer_that_overlap_are_each_one_of_their_own(taken):
    rows = frame(taken.subscriptions.filter(taken.subscriptions.customer_id == "ann"))
    assert rows["plan"].tolist() == ["monthly", "yearly"]
    assert rows["cancel_reason"].tolist() == ["voluntary", None]
    assert rows["cancelled_at"].notna().tolist() == [True, False]


def test_customers_are_derived_from_their_first_subscription(taken):
    people = frame(taken.customers)
    assert people["customer_id"].tolist() == ["ann", "bob", "cid"]
    assert people["country"].tolist() == ["UK", "France", None]
    assert people["signed_up_on"].dt.day.tolist() == [1, 2, 1]
    chosen = snapshot.only(taken, "country = 'UK'")
    assert chosen.rows == {"customers": 1, "subscriptions": 2}
    assert taken.name == chosen.name


def test_customers_are_derived_from_orders_and_subscriptions_together(tmp_path):
    text = "order_id,customer_id,ordered_at,amount,country,shop\n"
    text += "1,bob,2025-05-03 10:00:00,5,Italy,web\n2,dan,2025-06-25 10:00:00,5,,web\n"
    text += "3,ann,2025-04-01 10:00:00,5,,web\n"
    orders = orders_map(attributes={"country": "country", "shop": "shop"})
    source = subscribers(tmp_path, tables={"orders": orders})
    (tmp_path / "orders.csv").write_text(text, encoding="utf-8")
    assert source.main == "orders"
    people = cut(source, as_of=dt.date(2025, 6, 25))[0]["customers"].set_index("customer_id")
    assert people["signed_up_on"].dt.strftime("%m-%d").to_dict() == {
        "ann": "04-01",
        "bob": "05-02",
        "cid": "06-01",
        "dan": "06-25",
    }
    assert people["country"].to_dict() == {"ann": "UK", "bob": "Italy", "cid": None, "dan": None}
    assert people["shop"].tolist() == ["web", "web", None, "web"]


def test_report_on_orders_is_refused_with_the_one_that_subscriptions_can_feed(taken):
    with pytest.raises(BadData, match=r"^Shop has no orders; .* can feed the churn report\.$"):
        _ = taken.orders
    with pytest.raises(BadData, match="Shop has no orders"):
        snapshot.only(taken, "order_days > 1")


def test_table_of_subscriptions_is_judged_by_what_began_and_ended(tmp_path):
    days = pd.date_range("2025-03-01", periods=60)
    started = pd.Series(days[:1].repeat(60))
    rows = pd.DataFrame({"started_at": started, "cancelled_at": days + pd.Timedelta(hours=9)})
    rows = rows.assign(customer_id=[f"c{i}" for i in range(60)], cancel_reason="", plan="")
    text = rows.assign(country="").to_csv(index=False)
    whole = snapshot.take(subscribers(tmp_path, text))
    [found] = completeness.arrivals(whole)
    assert (found.table, found.state, found.last) == ("subscriptions", "complete", days[-1].date())
    [late] = completeness.arrivals(
        snapshot.take(subscribers(tmp_path, text, complete_to="2025-05-20"), as_of="2025-05-20")
    )
    assert (late.state, late.last) == ("late", days[-1].date())


def test_forgotten_customer_leaves_the_new_tables_and_a_shop_of_nobody_is_gone(tmp_path, source):
    shutil.copytree(source.file.parent, tmp_path / "shop")
    source = sources.load(tmp_path / "shop" / "shop.yml")
    before = snapshot.take(source)
    without = [line for line in SUBSCRIPTIONS.splitlines(True) if not line.startswith("ann")]
    clean = snapshot.take(subscribers(tmp_path / "clean", "".join(without)), as_of=END)
    forgetting.forget(source, [erased.person(source, "ann")])
    after = snapshot.kept(source, name=before.folder.name)
    assert after.content_hash == clean.content_hash == snapshot.take(source).content_hash
    assert after.records_from == clean.records_from == dt.date(2025, 5, 2)
    forgetting.forget(source, [erased.person(source, name) for name in ("bob", "cid")])
    assert snapshot.kept(source, name=before.folder.name) is None


EVENTS = {"rows": "e.csv", "columns": dict.fromkeys(("customer_id", "event", "occurred_at"), "x")}
LINES = {"rows": "l.csv", "columns": dict.fromkeys(("order_id", "quantity", "unit_price"), "x")}
UNTIMED = {**MAP, "columns": {key: key for key in COLUMNS if key != "cancelled_at"}}


@pytest.mark.parametrize(
    ("tables", "words"),
    [
        ({"events": EVENTS}, "`tables` needs orders or subscriptions"),
        ({"subscriptions": MAP, "order_lines": LINES}, "say `orders: {derive_from: order_lines}`"),
        (
            {"subscriptions": MAP, "customers": {"derive_from": "orders"}},
            "tables.customers cannot be derived from orders",
        ),
        ({"subscriptions": UNTIMED}, "cancel_reason needs cancelled_at, with which it became "),
    ],
)
def test_source_that_cannot_be_is_refused_before_it_is_read(tmp_path, tables, words):
    with pytest.raises(BadParameter, match=words):
        shop(tmp_path, tables, {})


def test_frames_may_be_subscriptions_alone():
    rows = pd.DataFrame({"customer_id": ["a"], "started_at": [pd.Timestamp("2025-01-01")]})
    about = {"name": "x", "time_zone": "UTC", "currency": "XXX", "settings": {}}
    rows = rows.assign(seats=2, kind="team", granted=True)
    made = frames.source_of({"subscriptions": rows}, **about)
    assert made.main == "subscriptions"
    assert list(made.tables["subscriptions"].attributes) == ["granted", "kind"]
    assert set(made.unused["subscriptions"]) == {"seats"}
    with pytest.raises(BadParameter, match=r"needs orders=.*, or subscriptions="):
        frames.source_of({"events": rows}, **about)
