"""Erasing a person: out of every snapshot, and of none that comes after."""

from __future__ import annotations

import datetime as dt
import json
import shutil
from types import SimpleNamespace

import pandas as pd
import pytest

from retention_lab.checks import BadData
from retention_lab.tables import erased, fingerprint, forgetting, shelf, snapshot, store
from retention_lab.tables import source as sources
from retention_lab.tables.contracts import USED
from retention_lab.tables.mapping import plan

from .shops import CON, ORDERS, frame, orders_map, shop

AS_OF = dt.date(2025, 3, 1)
ANN = "ann-5150"  # no part of any other text
TABLES = {
    "customers": """\
customer_id,signed_up_at,referred_by,country
ann-5150,2025-01-01 00:00:00,,UK
bob,2025-01-02 00:00:00,ann-5150,UK
cid,2025-01-03 00:00:00,bob,France
""",
    "orders": """\
order_id,customer_id,ordered_at,amount
o-7001,ann-5150,2025-01-05 10:00:00,10.00
o2,bob,2025-01-20 11:30:00,20.50
o-7003,ann-5150,2025-02-03 23:59:59,5.25
o4,cid,2025-03-01 00:00:00,7.00
o-7005,ann-5150,2025-03-02 00:00:00,9.00
o6,bob,2025-03-03 00:00:00,9.00
o7,,2025-03-01 00:00:00,9.00
""",
    "order_lines": """\
order_id,line,quantity,unit_price
o-7001,1,1,10.00
o2,1,1,20.50
o-7003,1,1,5.25
o4,1,1,7.00
o-7005,1,1,9.00
o6,1,1,9.00
""",
    "returns": """\
return_id,order_id,customer_id,returned_at,amount
r1,o-7001,ann-5150,2025-01-09 10:00:00,10.00
r2,o2,bob,2025-01-29 10:00:00,20.50
""",
    "events": """\
customer_id,event,occurred_at
ann-5150,opened,2025-01-06 10:00:00
bob,opened,2025-01-07 10:00:00
bob,opened,2025-01-07 10:00:00
""",
    "messages": """\
message_id,customer_id,campaign,sent_at,opened_at
m-9001,ann-5150,newsletter,2025-01-08 10:00:00,2025-01-08 11:00:00
m2,bob,newsletter,2025-01-08 10:00:00,
""",
    "assignments": """\
experiment,customer_id,assigned_at,arm
check-in,ann-5150,2025-01-07 10:00:00,control
check-in,bob,2025-01-07 10:00:00,control
check-in,bob,2025-01-07 11:00:00,sent
""",
}


def mapped(name):
    columns = TABLES[name].splitlines()[0].split(",")
    extra = {"leave_out": ["missing customer_id"]} if name == "orders" else {}
    if name == "customers":
        extra["attributes"] = {"country": columns.pop()}
    return {"rows": f"{name}.csv", "columns": {each: each for each in columns}, **extra}


FEW = ("customers", "orders")  # enough, and several times quicker, where any table would do


def shop_with(folder, names=tuple(TABLES), *, without=()):
    """Write a shop of some tables, less the lines in which one of some words stands."""
    maps = {name: mapped(name) for name in names}
    files = {
        f"{name}.csv": "".join(
            line.replace(",ann-5150,UK", ",,UK") if without else line
            for line in TABLES[name].splitlines(keepends=True)
            if not line.startswith(tuple(without)) and f",{ANN},2" not in line * bool(without)
        )
        for name in names
    }
    return shop(folder, maps, files)


def never_there(folder, names=tuple(TABLES)):
    traces = [ANN, "o-7001", "o-7003", "o-7005", "r1", "m-9001"]
    return shop_with(folder, names, without=traces)


def forget(source, customer=ANN):
    return forgetting.forget(source, [erased.person(source, customer)])


def every_byte(source):
    return b"".join(f.read_bytes() for f in shelf.place(source).rglob("*") if f.is_file())


def readable(source):
    """Return all that stands in the snapshots, tables read out: bytes of Parquet are packed."""
    tables = [pd.read_parquet(f).to_csv() for f in shelf.place(source).rglob("*.parquet")]
    return "\n".join(tables) + every_byte(source).decode("latin-1")


def about(taken):
    return json.loads((taken.folder / store.ABOUT).read_text())


def used(taken):
    rows = taken.left_out[taken.left_out["reason"] == USED]
    return rows.groupby("table")["rows"].sum().to_dict()


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    """Make snapshots of two days once: that takes longer than all else here."""
    folder = tmp_path_factory.mktemp("base")
    source = shop_with(folder, FEW)
    for day in (dt.date(2025, 2, 1), AS_OF):
        snapshot.take(source, as_of=day)
    return folder


def copy(folder, to):
    shutil.copytree(folder, to / "shop")
    return sources.load(to / "shop" / "shop.yml")


@pytest.fixture
def source(base, tmp_path):
    return copy(base, tmp_path)


@pytest.fixture(scope="module")
def swept(tmp_path_factory):
    """Erase the person from all seven tables, once; what stood there before, and what was told."""
    source = shop_with(tmp_path_factory.mktemp("whole"))
    before = snapshot.take(source, as_of=AS_OF)
    return SimpleNamespace(source=source, before=before, text=readable(source), told=forget(source))


@pytest.fixture(scope="module")
def clean(tmp_path_factory):
    """Return the snapshot of a source that never held the person."""
    return snapshot.take(never_there(tmp_path_factory.mktemp("clean")), as_of=AS_OF)


def latest(source):
    return snapshot.kept(source, name=max(shelf.place(source).glob("2025-03-*")).name)


def test_snapshots_name_the_person_before_and_not_afterwards(swept):
    assert swept.told == forgetting.Swept(snapshots=1, rows=9)
    for trace in (ANN, "o-7001", "o-7003", "m-9001"):
        assert trace in swept.text
        assert trace not in readable(swept.source)


def test_erased_snapshot_is_that_of_a_source_without_the_person(swept, clean):
    before, after = swept.before, latest(swept.source)
    assert after.folder == before.folder  # the name stays: reports quote it
    assert after.content_hash == clean.content_hash != before.content_hash
    assert after.records_from == clean.records_from == dt.date(2025, 1, 20)
    assert about(after) == about(clean) | {"erased": 1}
    assert used(after) == dict(after.rows)
    names, wanted = (sorted(f.name for f in one.folder.iterdir()) for one in (after, clean))
    assert names == wanted


def test_new_snapshot_is_that_of_a_source_without_the_person(swept, clean, tmp_path):
    source = copy(swept.source.file.parent, tmp_path)
    shutil.rmtree(latest(source).folder)
    assert about(snapshot.take(source, as_of=AS_OF)) == about(clean)


def test_person_stays_erased_when_the_source_changes(source):
    forget(source)
    with (source.file.parent / "orders.csv").open("a") as file:
        file.write(f"o-7009,{ANN},2025-03-09 00:00:00,9.00\no9,cid,2025-03-08 00:00:00,9.00\n")
    taken = snapshot.take(source)
    assert taken.complete_to == dt.date(2025, 3, 8)  # not the day of the order that nobody made
    assert ANN not in readable(source)
    assert "o-7009" not in readable(source)


@pytest.mark.parametrize("columns", ["derived", "lines"])
def test_person_is_erased_where_tables_are_derived(tmp_path, columns):
    lines = "order_id,customer_id,ordered_at,quantity,price\n" + "".join(
        f"{o},{c},2025-01-{d} 10:00:00,1,2.50\n"
        for o, c, d in [("o-7001", ANN, "05"), ("o2", "bob", "06"), ("o-7001", ANN, "05")]
    )
    names = {name: name for name in ("order_id", "customer_id", "ordered_at", "quantity")}
    tables = {"orders": {"derive_from": "order_lines"}}
    tables["order_lines"] = {"rows": "l.csv", "columns": names | {"unit_price": "price"}}
    if columns == "derived":
        source = shop(tmp_path, None, {"orders.csv": ORDERS.replace("ann", ANN)})
    else:
        source = shop(tmp_path, tables, {"l.csv": lines})
    before = snapshot.take(source)
    forget(source)
    after, again = snapshot.kept(source, name=before.folder.name), snapshot.take(source)
    assert ANN not in readable(source)
    assert after.content_hash == again.content_hash
    assert about(after)["left_out"] == about(again)["left_out"]


def test_parts_that_were_added_up_are_all_erased(tmp_path):
    parts = ORDERS.replace("ann", ANN) + f"1,{ANN},2025-01-05 12:00:00,1.00\n"
    source = shop(tmp_path, {"orders": orders_map(duplicates="add_up")}, {"orders.csv": parts})
    before = snapshot.take(source)
    forget(source)
    after, again = snapshot.kept(source, name=before.folder.name), snapshot.take(source)
    assert after.content_hash == again.content_hash
    assert about(after)["left_out"][0]["amount"] == about(again)["left_out"][0]["amount"] == 2050


def test_erasing_twice_or_nobody_changes_nothing(source):
    taken = latest(source)
    # She, and two orders on the later day but one on the earlier; a referral by her is no row.
    assert forget(source) == forgetting.Swept(snapshots=2, rows=2 + 3)
    before = every_byte(source)
    assert forget(source) == forgetting.Swept()
    assert forgetting.forget(source, []) == forgetting.Swept()
    assert every_byte(source) == before
    assert forgetting.since(taken.folder) == 1
    forget(source, "bob")
    assert forgetting.since(taken.folder) == 2
    assert len(erased.listed(source)) == 2
    assert len({one.salt for one in erased.listed(source)}) == 1


def test_nothing_is_read_or_written_otherwise_while_nobody_is_erased(source, monkeypatch):
    monkeypatch.setattr(erased, "among", None)
    rows = object()
    made = plan("orders", source)
    assert forgetting.without(rows, made, con=None) is rows
    assert forgetting.since(latest(source).folder) == 0


def test_snapshot_that_would_be_empty_is_gone(tmp_path):
    only = "order_id,customer_id,ordered_at,amount\n1,ann-5150,2025-01-05 10:00:00,10.00\n"
    source = shop(tmp_path, None, {"orders.csv": only})
    taken = snapshot.take(source)
    assert forget(source).snapshots == 1
    assert not taken.folder.exists()
    with pytest.raises(BadData, match=r"no row\. Export"):
        snapshot.take(source)


def test_source_from_which_somebody_was_erased_counts_as_changed(source):
    keys = [fingerprint.source_key(source, day) for day in (AS_OF, None)]
    forget(source)
    after = [fingerprint.source_key(source, day) for day in (AS_OF, None)]
    assert not {*keys} & {*after}  # so a suite whose source has not changed is run again
    forget(source)
    assert [fingerprint.source_key(source, day) for day in (AS_OF, None)] == after


def test_person_is_found_in_snapshots_by_the_whole_id(source):
    assert forgetting.holds(source, erased.person(source, ANN))
    assert forgetting.holds(source, erased.person(source, "bob"))
    assert not forgetting.holds(source, erased.person(source, "ann"))


def test_damaged_list_is_refused_as_it_would_let_people_back_in(source):
    forget(source)
    (shelf.place(source) / "erased.json").write_text("[[")
    with pytest.raises(BadData, match=r"erased\.json does not tell whom to keep out"):
        snapshot.take(source)


def test_list_brought_to_another_place_erases_there(source, tmp_path):
    here = shop_with(tmp_path / "here", FEW)
    store.prepare(here)
    forget(here)
    forget(source, "bob")
    assert forgetting.forget(source, erased.listed(here)).snapshots == 2
    assert len({one.salt for one in erased.listed(source)}) == 2  # of two lists
    assert ANN not in readable(source)
    tables, _ = snapshot.cut(source, as_of=AS_OF, con=CON)
    assert frame(tables["customers"])["customer_id"].tolist() == ["cid"]


def test_erasing_that_a_crash_cut_off_is_finished(source, tmp_path, monkeypatch):
    taken, clean = latest(source), snapshot.take(never_there(tmp_path, FEW), as_of=AS_OF)
    with monkeypatch.context() as patch:
        patch.setattr(forgetting, "_finish", lambda _: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            forget(source)
    first = next(shelf.place(source).glob(".fresh-*/*.parquet"))
    half = shelf.place(source) / first.parent.name.removeprefix(".fresh-")
    first.replace(half / first.name)  # one file was moved
    forget(source)
    assert ANN not in readable(source)
    assert not list(shelf.place(source).glob(".fresh-*"))
    assert about(taken) == about(clean) | {"erased": 1}


def test_what_a_run_that_was_cut_off_left_is_erased(source):
    taken = latest(source)
    shutil.copytree(taken.folder, taken.folder.with_name(".partial-x"))
    forget(source)
    assert not taken.folder.with_name(".partial-x").exists()


def test_snapshot_keeps_its_tables_while_they_are_replaced(source, monkeypatch):
    folder = latest(source).folder
    seen = []
    replace = type(folder).replace

    def watched(self, target):
        seen.append(sorted(each.name for each in folder.iterdir()))
        return replace(self, target)

    monkeypatch.setattr(type(folder), "replace", watched)
    forget(source)
    assert len(seen) == 1 + 3 + 3  # the list; of each snapshot two tables and what is known
    assert all(each == seen[0] for each in seen)


def test_orders_that_are_known_later_leave_no_trace_in_earlier_snapshots(tmp_path):
    names, day = ("orders", "order_lines", "returns"), dt.date(2025, 1, 31)
    source = shop_with(tmp_path / "shop", names)
    store.prepare(source)
    forget(source)
    tables, counts = snapshot.cut(source, as_of=day, con=CON)
    wanted, theirs = snapshot.cut(never_there(tmp_path / "clean", names), as_of=day, con=CON)
    for name in counts:
        pd.testing.assert_frame_equal(counts[name].left_out, theirs[name].left_out)
        assert counts[name].later == theirs[name].later
        pd.testing.assert_frame_equal(frame(tables[name]), frame(wanted[name]))
