"""Backups: all of a state in one file and back, or nothing; a newer state is not overwritten."""

from __future__ import annotations

import gzip
import io
import json
import shutil
import stat
import tarfile
from contextlib import ExitStack
from threading import Thread

import pytest

from retention_lab import state
from retention_lab.checks import BadData, BadParameter
from retention_lab.state import archive, files

from .conftest import KEY, sends
from .test_ledger import APPEND


@pytest.fixture
def full(kept):
    kept.ledger("sends", key=KEY).append(sends(0, 300))
    kept.ledger("looks", key=["look"]).append([{"look": 1}])
    for day in ("2026-11-22", "2026-11-29"):
        kept.keep("weekly", day, {"as_of": day})
    return kept


@pytest.fixture
def file(full, tmp_path):
    return state.backup(full, tmp_path / "state.tar.gz")


def content(folder):
    return {
        str(each.relative_to(folder)): each.read_bytes()
        for each in folder.rglob("*")
        if each.is_file() and each.name != ".lock"
    }


def repacked(file, change):
    """Write a backup again with its members, (name, bytes) each, changed by a function."""
    with tarfile.open(file) as tar:
        members = [(each.name, tar.extractfile(each).read()) for each in tar]
    with tarfile.open(file, "w:gz") as tar:
        for name, data in change(members):
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))


def test_state_comes_back_as_it_was(full, file, tmp_path):
    assert state.restore(file, tmp_path / "new") == full.id
    assert content(tmp_path / "new") == content(full.folder)
    again = state.opened(tmp_path / "new", expected=full.id)
    assert again.ledger("sends", key=KEY).append(sends(299, 301)) == 1


def test_only_the_owner_may_read_a_backup_and_what_comes_of_it(file, tmp_path):
    state.restore(file, tmp_path / "new")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    for each in [tmp_path / "new", *(tmp_path / "new").rglob("*")]:
        assert stat.S_IMODE(each.stat().st_mode) == (0o700 if each.is_dir() else 0o600), each


def test_backup_holds_regular_files_only_and_begins_with_its_checksums(file):
    with tarfile.open(file) as tar:
        members = tar.getmembers()
    assert all(each.isreg() for each in members)
    assert [each.name for each in members] == [
        *("checksums.json", "state.json"),
        *("results/weekly/2026-11-22.json", "results/weekly/2026-11-29.json"),
        *("ledgers/looks.jsonl", "ledgers/sends.jsonl"),
    ]


def test_ledger_that_was_lost_comes_back(full, file):
    (full.folder / "ledgers" / "sends.jsonl").unlink()
    with pytest.raises(BadData, match="restore"):
        state.opened(full.folder)
    state.restore(file, full.folder)
    assert len(list(state.opened(full.folder).ledger("sends", key=KEY).rows())) == 300


def test_what_a_crash_left_is_not_backed_up(full, file, tmp_path):
    whole = content(full.folder)
    with (full.folder / "ledgers" / "sends.jsonl").open("a") as ledger:
        ledger.write('{"#": "')
    state.restore(state.backup(full, file), tmp_path / "new")
    assert content(tmp_path / "new") == whole


def test_who_waited_for_a_state_that_was_replaced_waits_for_the_new_one(full, file, tmp_path):
    state.restore(file, tmp_path / "new")
    with ExitStack() as ours:
        ours.enter_context(files.locked(full.folder))
        writer = Thread(target=full.ledger("sends", key=KEY).append, args=(sends(300, 301),))
        writer.start()
        writer.join(0.2)
        archive._swap(tmp_path / "new", full.folder)
        with files.locked(full.folder):
            ours.close()
            writer.join(0.2)
            assert writer.is_alive()
    writer.join(10)
    assert len(list(full.ledger("sends", key=KEY).rows())) == 301


def test_damaged_state_is_not_backed_up(full, tmp_path):
    (full.folder / "ledgers" / "sends.jsonl").unlink()
    with pytest.raises(BadData, match="is missing"):
        state.backup(full, tmp_path / "b.tar.gz")
    assert not (tmp_path / "b.tar.gz").exists()


def test_backup_lies_outside_of_the_state(full):
    with pytest.raises(BadParameter, match="in the state itself"):
        state.backup(full, full.folder / "b.tar.gz")


def test_backup_that_cannot_be_written_leaves_the_older_one(full, file, monkeypatch):
    before = file.read_bytes()

    def fails(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(archive.files, "to_disk", fails)
    with pytest.raises(BadParameter, match=r"backup .* cannot be written \(No space left"):
        state.backup(full, file)
    assert file.read_bytes() == before
    assert not list(file.parent.glob(".*new"))


def test_newer_state_is_not_overwritten_and_what_would_be_lost_is_said(full, file):
    full.ledger("sends", key=KEY).append(sends(300, 420))
    full.keep("weekly", "2026-12-06", {})
    full.keep("weekly", "2026-11-29", {"run": "again"})
    before = content(full.folder)
    with pytest.raises(BadParameter) as refusal:
        state.restore(file, full.folder)
    assert str(refusal.value).startswith(
        f"{full.folder} is newer than {file}: the results of weekly as of 2026-11-29; the results "
        "of weekly as of 2026-12-06; 120 rows of the ledger sends would be lost. Move "
    )
    assert content(full.folder) == before


def test_backup_from_before_somebody_was_forgotten_does_not_bring_them_back(full, file):
    full.forget("c7", source="Shop")
    with pytest.raises(BadParameter, match="rows of the ledger sends would be lost"):
        state.restore(file, full.folder)


def test_other_state_and_other_folders_are_not_overwritten(file, tmp_path):
    other = state.opened(tmp_path / "other")
    with pytest.raises(BadParameter, match=rf"holds the state {other.id[:12]}, and .*Move"):
        state.restore(file, other.folder)
    (tmp_path / "reports").mkdir()
    (tmp_path / "reports" / "index.html").touch()
    with pytest.raises(BadParameter, match=r"is not empty and holds no state\.json"):
        state.restore(file, tmp_path / "reports")
    assert (tmp_path / "reports" / "index.html").exists()


def test_restoring_twice_changes_nothing(full, file):
    before = content(full.folder)
    state.restore(file, full.folder)
    state.restore(file, full.folder)
    assert content(full.folder) == before
    assert sorted(each.name for each in full.folder.parent.iterdir()) == ["state", "state.tar.gz"]


def test_backup_cut_short_anywhere_is_refused(file, tmp_path):
    whole = file.read_bytes()
    short = tmp_path / "short.tar.gz"
    for size in [0, 1, 10, *range(50, len(whole) - 8, 97)]:
        short.write_bytes(whole[:size])
        with pytest.raises(BadData, match="is no backup of a state, or is damaged"):
            state.restore(short, tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_backup_with_one_changed_byte_is_refused_or_is_still_right(full, file, tmp_path):
    whole = bytearray(gzip.decompress(file.read_bytes()))
    damaged = tmp_path / "damaged.tar.gz"
    for place in range(0, len(whole), 251):
        changed = bytes(whole[:place]) + bytes([whole[place] ^ 0x20]) + bytes(whole[place + 1 :])
        damaged.write_bytes(gzip.compress(changed, 1))
        shutil.rmtree(tmp_path / "new", ignore_errors=True)
        try:
            state.restore(damaged, tmp_path / "new")
        except BadData:
            continue
        assert content(tmp_path / "new") == content(full.folder)  # padding, or a time


@pytest.mark.parametrize(
    "name",
    ["../out.json", "/tmp/out.json", "results/../../out.json", "results/weekly/x.html", "run.sh"],
)
def test_backup_writes_nothing_outside_of_the_state(file, tmp_path, name):
    def change(members):
        sums = json.loads(members[0][1]) | {name: "0"}
        return [("checksums.json", json.dumps(sums).encode()), *members[1:], (name, b"x")]

    repacked(file, change)
    with pytest.raises(BadData, match="is no part of a state"):
        state.restore(file, tmp_path / "deep" / "new")
    assert not list(tmp_path.rglob("out.json"))


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE])
def test_links_and_devices_in_a_backup_are_refused(file, tmp_path, kind):
    with tarfile.open(file) as tar:
        members = [(each, tar.extractfile(each).read()) for each in tar]
    with tarfile.open(file, "w:gz") as tar:
        for member, data in members[:2]:
            tar.addfile(member, io.BytesIO(data))
        link = tarfile.TarInfo("ledgers/looks.jsonl")
        link.type, link.linkname = kind, "/etc/passwd"
        tar.addfile(link)
    with pytest.raises(BadData, match="is no regular file"):
        state.restore(file, tmp_path / "new")


def test_backup_that_lacks_a_part_is_refused(file, tmp_path):
    repacked(file, lambda members: members[:-1])
    with pytest.raises(BadData, match=r"ledgers/sends\.jsonl is not in it"):
        state.restore(file, tmp_path / "new")


def test_missing_backup_is_a_wrong_setting(tmp_path):
    with pytest.raises(BadParameter, match="There is no backup"):
        state.restore(tmp_path / "none.tar.gz", tmp_path / "new")


def test_restoring_cut_short_between_its_renames_is_undone(full):
    full.folder.rename(full.folder.with_name(".state.aside"))
    assert state.opened(full.folder, expected=full.id).id == full.id
    assert [each.name for each in full.folder.parent.glob(".state*")] == []


def test_backup_while_others_write_is_of_one_moment(tmp_path, python):
    folder = tmp_path / "state"
    kept = state.opened(folder)
    writers = [python(APPEND, folder, who, 10_000, 10) for who in range(2)]
    for writer in writers:
        assert writer.stdout.readline() == "ready\n"
        assert writer.stdout.readline() == "0\n"
    for number in range(8):
        file = state.backup(kept, tmp_path / f"{number}.tar.gz")
        state.restore(file, tmp_path / f"new{number}")
        copy = state.opened(tmp_path / f"new{number}", expected=kept.id)
        rows = list(copy.ledger("sends", key=["who", "batch", "row"]).rows())
        assert rows
        assert len(rows) % 10 == 0
    for writer in writers:
        writer.kill()
    assert list(state.opened(folder).ledger("sends", key=["who", "batch", "row"]).rows())
