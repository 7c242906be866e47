"""Ledgers: rows are added once, all of a batch or none, whoever writes and however it ends."""

from __future__ import annotations

import errno
import json
import os
import random
import stat
import time

import pytest

from retention_lab import state
from retention_lab.checks import BadData, BadParameter
from retention_lab.state import about, files

from .conftest import KEY, sends

APPEND = """
import sys
from pathlib import Path
from retention_lab import state
folder, who, batches, size = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
ledger = state.opened(folder).ledger("sends", key=["who", "batch", "row"])
print("ready", flush=True)
for batch in range(batches):
    ledger.append({"who": who, "batch": batch, "row": row} for row in range(size))
    print(batch, flush=True)
"""


@pytest.fixture
def ledger(kept):
    return kept.ledger("sends", key=KEY)


def lines(ledger):
    text = (ledger.folder / "ledgers" / "sends.jsonl").read_text(encoding="utf-8")
    found = [json.loads(line) for line in text.splitlines()]
    assert len({row.pop("#") for row in found}) == len(found)
    return found


def test_ledger_gives_back_its_rows_in_the_order_they_came(ledger):
    rows = [{"customer_id": "zoë \n", "sent_on": "2026-11-29", "cost": 0.35, "opened": None}]
    assert ledger.append(rows + sends(0, 3)) == 4
    assert list(ledger.rows()) == rows + sends(0, 3)


def test_ledger_counts_and_adds_only_what_is_new(ledger):
    assert ledger.append(sends(0, 3)) == 3
    assert ledger.append(sends(0, 3)) == 0
    assert ledger.append(sends(2, 5) + sends(4, 5)) == 2
    assert list(ledger.rows()) == sends(0, 5)


def test_first_row_of_a_key_stays(ledger):
    ledger.append([{**sends(0, 1)[0], "cost": 1}])
    assert ledger.append([{**sends(0, 1)[0], "cost": 2}]) == 0
    assert [row["cost"] for row in ledger.rows()] == [1]


def test_ledger_without_rows_is_no_file_and_is_not_missed(kept, ledger):
    assert ledger.append([]) == 0
    assert list(ledger.rows()) == []
    assert kept.ledgers == []
    state.opened(kept.folder, expected=kept.id)


def test_ledger_has_one_key(kept, ledger):
    ledger.append(sends(0, 1))
    with pytest.raises(BadParameter, match=r"must have customer_id, sent_on as its key, got arm\."):
        kept.ledger("sends", key=["arm"])
    with pytest.raises(BadParameter, match="at least one column"):
        kept.ledger("looks", key=[])
    with pytest.raises(BadParameter, match="small letters"):
        kept.ledger("../looks", key=["a"])


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ({"customer_id": "a"}, "lacks 'sent_on'"),
        ({"customer_id": "a", "sent_on": "b", "score": float("nan")}, "is no JSON"),
        ({"customer_id": "a", "sent_on": "b", "score": {1}}, "is no JSON"),
        ({"customer_id": "a", "sent_on": "b", "#": "c"}, "is no JSON"),
    ],
)
def test_batch_with_a_bad_row_adds_nothing(ledger, row, why):
    with pytest.raises(BadData, match=why):
        ledger.append([*sends(0, 2), row])
    assert list(ledger.rows()) == []


def test_only_the_owner_may_read_a_state(kept, ledger):
    ledger.append(sends(0, 1))
    kept.keep("weekly", "2026-11-29", {})
    for each in [kept.folder, *kept.folder.rglob("*")]:
        assert stat.S_IMODE(each.stat().st_mode) == (0o700 if each.is_dir() else 0o600), each


@pytest.mark.parametrize("torn", ['{"customer_id": "c', '{"customer_id": "x", "sent_on": "y"}\n'])
def test_what_a_crash_left_is_dropped(ledger, torn):
    ledger.append(sends(0, 2))
    with (ledger.folder / "ledgers" / "sends.jsonl").open("a", encoding="utf-8") as file:
        file.write(torn)
    assert list(ledger.rows()) == sends(0, 2)
    assert ledger.append(sends(2, 3)) == 1
    assert lines(ledger) == sends(0, 3)


def test_first_batch_that_a_crash_cut_off_is_dropped(kept, ledger):
    (kept.folder / "ledgers").mkdir()
    (kept.folder / "ledgers" / "sends.jsonl").write_text('{"customer_id": "c')
    assert ledger.append(sends(0, 2)) == 2
    assert len(lines(ledger)) == 2


@pytest.mark.parametrize("damage", ["missing", "shorter", "another"])
def test_ledger_that_is_not_what_was_written_is_refused(kept, ledger, damage):
    ledger.append(sends(0, 50))
    file = kept.folder / "ledgers" / "sends.jsonl"
    text = file.read_text()
    file.unlink() if damage == "missing" else file.write_text(
        text[:-9] if damage == "shorter" else text.replace("c49", "c94")
    )
    before = sorted(kept.folder.rglob("*.jsonl"))
    for use in (
        lambda: state.opened(kept.folder),
        lambda: ledger.append(sends(50, 51)),
        ledger.rows,
        lambda: ledger.without(lambda row: row["customer_id"] == "c1"),
    ):
        with pytest.raises(BadData, match=r"ledger sends of 50 rows .* `retention-lab restore"):
            use()
    assert sorted(kept.folder.rglob("*.jsonl")) == before


def test_line_that_was_damaged_far_from_the_end_is_shown(ledger):
    ledger.append(sends(0, 500))
    file = ledger.folder / "ledgers" / "sends.jsonl"
    file.write_text(file.read_text().replace('"customer_id": "c7"', '"customer_id": "c7,', 1))
    with pytest.raises(BadData, match=r"sends\.jsonl is damaged: it has the line .*restore FILE"):
        list(ledger.rows())


def test_full_disk_leaves_what_was_there(kept, ledger, monkeypatch):
    ledger.append(sends(0, 3))
    kept.keep("weekly", "2026-11-29", {"was": 1})
    everything = {p: p.read_bytes() for p in kept.folder.rglob("*") if p.is_file()}

    def full(_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(files, "to_disk", full)
    for write in (
        lambda: ledger.append(sends(3, 2_000)),
        lambda: kept.keep("weekly", "2026-11-29", {"is": 2}),
        lambda: kept.keep("monthly", "2026-11-29", {"is": 2}),
        lambda: ledger.without(lambda row: row["customer_id"] == "c1"),
    ):
        with pytest.raises(BadParameter, match=r"cannot be changed \(No space left on device\)"):
            write()
    monkeypatch.undo()
    assert {p: p.read_bytes() for p in kept.folder.rglob("*") if p.is_file()} == everything
    assert ledger.append(sends(3, 2_000)) == 1_997


def test_disk_that_is_full_for_the_state_file_adds_nothing(ledger, monkeypatch):
    ledger.append(sends(0, 3))

    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(about, "write", full)
        with pytest.raises(BadParameter, match="No space left"):
            ledger.append(sends(3, 6))
    assert list(ledger.rows()) == sends(0, 3)


def test_rows_are_read_as_they_were_while_others_are_added(ledger):
    ledger.append(sends(0, 3))
    reading = ledger.rows()
    next(reading)
    ledger.append(sends(3, 6))
    ledger.without(lambda row: row["customer_id"] == "c2")
    assert list(reading) == sends(1, 3)


def test_customer_is_taken_out_of_all_ledgers(kept, ledger):
    ledger.append(sends(0, 3))
    looks = kept.ledger("looks", key=["look"])
    other = {"look": 3, "customer_id": 17, "source": "Another shop"}
    looks.append([{"look": 1, "customer_id": 17}, {"look": 2}, other])
    assert kept.forget("c1", source="Shop") == {"sends": 1}
    assert kept.forget("17", source="Shop") == {"looks": 1}
    assert kept.forget("c1", source="Shop") == {}
    assert list(ledger.rows()) == [*sends(0, 1), *sends(2, 3)]
    assert list(looks.rows()) == [{"look": 2}, other]
    assert ledger.append(sends(3, 4)) == 1
    state.opened(kept.folder, expected=kept.id)


def test_forgetting_that_a_crash_cut_off_is_finished_or_never_began(kept, ledger, monkeypatch):
    ledger.append(sends(0, 3))

    def dies(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(about, "write", dies)
        with pytest.raises(KeyboardInterrupt):
            kept.forget("c1", source="Shop")
    assert list(ledger.rows()) == sends(0, 3)
    settle = files.settle
    with monkeypatch.context() as patch:
        patch.setattr(files, "settle", lambda p: dies() if p.suffix == ".jsonl" else settle(p))
        with pytest.raises(KeyboardInterrupt):
            kept.forget("c1", source="Shop")
    state.opened(kept.folder)
    assert lines(ledger) == [*sends(0, 1), *sends(2, 3)]
    assert list(ledger.rows()) == [*sends(0, 1), *sends(2, 3)]


def test_eight_processes_at_once_lose_nothing(tmp_path, python):
    folder = tmp_path / "state"
    processes = [python(APPEND, folder, who, 5, 20) for who in range(8)]
    for process in processes:
        process.communicate(timeout=120)
        assert process.returncode == 0
    rows = list(state.opened(folder).ledger("sends", key=["who", "batch", "row"]).rows())
    assert len(rows) == 8 * 5 * 20
    assert len({tuple(row.values()) for row in rows}) == len(rows)


@pytest.mark.slow
def test_fifty_kills_at_random_moments_lose_no_batch_that_was_confirmed(tmp_path, python):
    random.seed(20261129)
    folder, confirmed = tmp_path / "state", {}
    for who in range(50):
        process = python(APPEND, folder, who, 10_000, 50)
        assert process.stdout.readline() == "ready\n"
        time.sleep(random.uniform(0, 0.2))
        process.kill()
        confirmed[str(who)] = len(process.communicate()[0].split())
        rows = list(state.opened(folder).ledger("sends", key=["who", "batch", "row"]).rows())
        batches = {}
        for row in rows:
            batches.setdefault((row["who"], row["batch"]), []).append(row["row"])
        assert all(each == list(range(50)) for each in batches.values())  # whole, and once
        for one, number in confirmed.items():
            there = sum(1 for owner, _ in batches if owner == one)
            assert number <= there <= number + 1  # the last may be in, yet not confirmed
    assert sum(confirmed.values()) > 50


@pytest.mark.slow
def test_adding_to_a_million_rows_does_not_write_them_again(ledger):
    ledger.append(sends(0, 1_000_000))
    file = ledger.folder / "ledgers" / "sends.jsonl"
    node, size = file.stat().st_ino, file.stat().st_size
    begun = time.monotonic()
    assert ledger.append(sends(995_000, 1_005_000)) == 5_000
    assert time.monotonic() - begun < 10  # about 0.5 s on two idle cores
    assert file.stat().st_ino == node
    assert file.stat().st_size - size < 500_000


def test_forgetting_takes_no_row_that_names_nobody(kept):
    looks = kept.ledger("looks", key=("experiment",))
    looks.append([{"experiment": "hello"}])
    assert kept.forget("None", source="Shop") == {}
    assert len([*looks.rows()]) == 1
