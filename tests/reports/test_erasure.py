"""Forgetting a customer: nowhere in what is kept, never again in what comes, and told."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

import pandas as pd
import pytest
import yaml

from retention_lab import state as states
from retention_lab.checks import BadData, BadParameter
from retention_lab.reports import erasure, keeping, publish
from retention_lab.tables import forgetting, saved, saving, shelf, snapshot
from retention_lab.tables import source as sources

ANN, HERS = "ann-5150", ("ann-5150", "o-7001", "o-7003")  # no parts of any other text
ORDERS = """\
order_id,customer_id,ordered_at,amount
o-7001,ann-5150,2025-01-05 10:00:00,10.00
o2,bob,2025-01-20 11:30:00,20.50
o-7003,ann-5150,2025-02-03 23:59:59,5.25
o4,cid,2025-03-01 00:00:00,7.00
"""
AT = "2026-11-29T09:00:00+00:00"


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    """Write a shop with a snapshot, and save cohorts of it: that takes longest, so it is copied."""
    room = tmp_path_factory.mktemp("base")
    (room / "orders.csv").write_text(ORDERS)
    names = ("order_id", "customer_id", "ordered_at", "amount")
    fields = {"name": "Shop", "time_zone": "UTC", "currency": "GBP"}
    orders = {"rows": "orders.csv", "columns": {name: name for name in names}}
    (room / "shop.yml").write_text(yaml.safe_dump(fields | {"tables": {"orders": orders}}))
    taken = snapshot.take(room / "shop.yml")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RETENTION_LAB_COHORTS", str(room / "cohorts"))
        saving.save("two", shop=taken, ids=[ANN, "bob"])
        saving.save("she", shop=taken, ids=[ANN])
        saving.save("others", shop=taken, ids=["bob", "cid"])
        saving.save("rule", shop=taken, where="customer_id <> 'x'")
    return room


@pytest.fixture
def room(base, tmp_path, monkeypatch):
    """Lend the shop with all that a year of reports leaves: state, reports, failed runs."""
    room = tmp_path / "room"
    shutil.copytree(base, room)
    monkeypatch.setenv("RETENTION_LAB_COHORTS", str(room / "cohorts"))
    kept = states.opened(room / "state")
    rows = [{"customer_id": each, "order": f"of {each}"} for each in (ANN, "bob")]
    kept.ledger("sends", key=["customer_id"]).append(rows)
    kept.ledger("crm", key=["customer_id"]).append([*rows, {"customer_id": ANN, "source": "Else"}])
    about = {"source": {"name": "Shop"}, "snapshot": {"name": "b"}, "state": kept.id}
    for folder in ("2026-11-22", "failed/2026-11-29"):
        report = room / "reports" / "weekly" / folder
        report.mkdir(parents=True)
        (report / "manifest.json").write_text(json.dumps(about))
    (report / "10_overview.ipynb").write_text(f"{ANN} bought o-7001")
    (report.parents[1] / ".lock").touch()
    return room


def forget(room, customer=ANN):
    return erasure.forget(
        customer, sources=[room / "shop.yml"], state=room / "state", out=room / "reports"
    )


def erase(room, customer=ANN):
    source, state = sources.load(room / "shop.yml"), states.opened(room / "state")
    return erasure.erase(customer, source=source, state=state, out=room / "reports", at=AT)


def everything(room, *, but=("orders.csv",)):
    """Return all that stands in the files of a folder, Parquet, whose bytes are packed, read."""
    files = [file for file in room.rglob("*") if file.is_file() and file.name not in but]
    tables = [pd.read_parquet(file).to_csv() for file in files if file.suffix == ".parquet"]
    return "\n".join(tables) + "".join(file.read_bytes().decode("latin-1") for file in files)


def log(room):
    ledger = states.opened(room / "state").ledger("erasures", key=erasure._KEY)
    return list(ledger.rows())


def test_nothing_that_is_kept_names_the_customer_or_an_order_of_theirs(room):
    assert all(each in everything(room) for each in HERS)
    ledger = states.opened(room / "state").ledger("crm", key=["customer_id"])
    ledger.without(lambda row: row.get("source") == "Else")  # a namesake of another shop
    forget(room)
    found = everything(room)
    assert not [each for each in HERS if each in found]
    assert "bob" in found


def test_customer_stays_erased_in_new_snapshots_and_folders(room, tmp_path):
    forget(room)
    with (room / "orders.csv").open("a") as file:
        file.write(f"o9,{ANN},2025-03-03 00:00:00,9.00\n")
    shutil.rmtree(room / "snapshots")  # only a cache, but for the list in it
    source = sources.load(room / "shop.yml")
    erasure.keep_out(source, states.opened(room / "state"))
    taken = snapshot.take(source)
    assert set(taken.orders.to_pandas()["customer_id"]) == {"bob", "cid"}
    states.backup(states.opened(room / "state"), tmp_path / "b.tar.gz")
    states.restore(tmp_path / "b.tar.gz", tmp_path / "new")
    assert log(room)[0]["salt"] in (tmp_path / "new/ledgers/erasures.jsonl").read_text()


def test_log_tells_when_what_and_how_much_but_not_whom(room):
    done = erase(room)
    [row] = log(room)
    salted = hashlib.sha256((row["salt"] + ANN).encode()).hexdigest()
    assert row == {
        "source": "Shop",
        "salt": row["salt"],
        "hash": salted,
        "at": AT,
        "by": "retention-lab forget",
        "snapshots": 1,
        "rows": 3,
        "cohorts": 2,
        "failed": 1,
        "ledgers": {"crm": 1, "sends": 1},
    }
    assert done.changed


def test_saved_lists_are_shorter_or_gone_and_still_trusted(room):
    done = erase(room)
    assert (done.unlisted.shorter, done.unlisted.gone) == (("two",), ("she",))
    assert saved.names() == ["others", "rule", "two"]
    two = saved.load("two")
    assert two.customers == 1
    assert saved.ids_of(two)["customer_id"].to_pylist() == ["bob"]
    assert saved.ids_of(saved.load("others")).num_rows == 2


def test_rule_that_names_the_customer_is_told_as_only_people_can_word_it_anew(room):
    file = room / "cohorts" / "rule.yml"
    file.write_text(file.read_text().replace("'x'", f"'{ANN}'"))
    assert f"{file} names the customer in its condition. Word it anew." in forget(room)


def test_list_whose_erasing_was_cut_off_is_finished(room, monkeypatch):
    with monkeypatch.context() as patch:
        write = Path.write_text
        patch.setattr(
            Path,
            "write_text",
            lambda self, *a, **k: 1 / 0 if "two.yml" in self.name else write(self, *a, **k),
        )
        with pytest.raises(ZeroDivisionError):
            erase(room)
    with pytest.raises(BadData, match="is not the list"):
        saved.ids_of(saved.load("two"))
    assert erase(room).unlisted.shorter == ("two",)
    assert saved.ids_of(saved.load("two")).num_rows == 1


def test_list_that_was_changed_by_hand_is_refused(room):
    file = room / "cohorts" / "others.parquet"
    pd.DataFrame({"customer_id": ["bob"]}).to_parquet(file)
    with pytest.raises(BadData, match=r"others\.parquet is not the list"):
        erase(room)


def test_erasing_again_changes_nothing_and_is_no_error(room):
    forget(room)
    before = everything(room)
    assert forget(room)[0] == (
        "Shop: nothing that is kept names the customer any more; new snapshots leave the customer "
        "out."
    )
    assert everything(room) == before
    assert len(log(room)) == 1


def test_what_was_done_is_told_in_counts(room):
    assert forget(room) == [
        "Shop: 3 rows erased from 1 snapshot, 1 row from the ledger crm, 1 row from the ledger "
        "sends, the customer from the saved cohorts two, the saved cohorts she, which held nobody "
        "else, what 1 failed run left; new snapshots leave the customer out.",
        "Lists, backups of the state and copies of snapshots from before may name the customer "
        "still: make a new backup and delete those. So does the source.",
    ]


def test_unknown_customer_is_refused_and_nothing_changes(room):
    before = everything(room)
    with pytest.raises(BadParameter, match=r"^Shop has no customer 'ann', and nothing kept") as no:
        forget(room, "ann")
    assert no.value.exit_code == 2
    assert everything(room) == before


def test_customer_whom_only_the_source_knows_is_kept_out(room):
    with (room / "orders.csv").open("a") as file:
        file.write("o9,dan,2025-03-03 00:00:00,9.00\n")
    assert erase(room, "dan").swept.snapshots == 0
    assert len(log(room)) == 1
    taken = snapshot.take(room / "shop.yml")
    assert "dan" not in set(taken.orders.to_pandas()["customer_id"])


def test_state_that_reports_do_not_go_on_from_takes_no_log(room):
    shutil.rmtree(room / "state")
    with pytest.raises(BadData, match=r"Published reports go on from .*restore"):
        forget(room)
    assert not (room / "state").exists()


def test_forgetting_waits_for_no_suite_but_says_to_try_again(room):
    with (
        publish.locked(room / "reports" / "weekly"),
        pytest.raises(publish.Locked, match="Try again"),
    ):
        forget(room)
    forget(room)
    assert not list((room / "reports" / "weekly" / "failed").glob("*"))


def test_failed_runs_on_other_sources_stay(room):
    other = room / "reports" / "weekly" / "failed" / "2026-11-22"
    other.mkdir()
    (other / "manifest.json").write_text('{"source": {"name": "Another shop"}}')
    assert erase(room).failed == 1
    assert other.is_dir()


def test_snapshots_that_reports_of_any_suite_name_are_needed(room):
    monthly = room / "more" / "monthly" / "2026-10-31"
    monthly.mkdir(parents=True)
    (monthly / "manifest.json").write_text('{"snapshot": {"name": "c"}}')
    assert keeping.needed(room / "reports") == {"b"}
    assert keeping.needed(room / "reports", room / "more") == {"b", "c"}
    assert keeping.needed(room / "none") == frozenset()


def test_report_whose_snapshot_lost_a_customer_can_tell(room):
    source = sources.load(room / "shop.yml")
    folder = next(shelf.place(source).glob("2025-*"))
    assert forgetting.since(folder) == 0
    erase(room)
    assert forgetting.since(folder) == 1
