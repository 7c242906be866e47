"""Pruning: what reports need stays, and so does what somebody may be reading."""

from __future__ import annotations

import os
import shutil

import pytest

from retention_lab.tables import fingerprint, pruning, shelf, snapshot, store

from .shops import AS_OF, shop


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    folder = tmp_path_factory.mktemp("base")
    snapshot.take(shop(folder), as_of=AS_OF)
    return folder


@pytest.fixture
def source(base, tmp_path):
    """Give a shop with three old snapshots: that of `AS_OF`, `b` and `c`."""
    shutil.copytree(base / "snapshots", tmp_path / "snapshots")
    source = shop(tmp_path)
    first = next(shelf.place(source).glob("2025-*"))
    for name in "bc":
        shutil.copytree(first, first.with_name(name))
    for folder in there(source):
        os.utime(shelf.place(source) / folder, (0, 0))
    return source


def there(source):
    return sorted(file.parent.name for file in shelf.place(source).glob("*/snapshot.json"))


def notes(source):
    return sorted(note.name for note in (shelf.place(source) / "known").iterdir())


def test_needed_snapshots_stay_and_old_ones_go(source):
    first, *_ = there(source)
    gone = pruning.prune(source, needed={"b", "of another source"})
    assert [each.name for each in gone] == [first, "c"]
    assert there(source) == ["b"]


def test_snapshot_that_was_opened_within_a_day_stays(source):
    assert store.named(source, "b").name == "b"
    now = shelf.now(source)
    os.utime(shelf.place(source) / "c", (now, now - pruning.UNUSED + 60))
    assert there(source)[0].startswith("2025-")
    assert len(pruning.prune(source, needed=set())) == 1
    assert there(source) == ["b", "c"]


def test_notes_that_point_nowhere_go(source):
    key = fingerprint.source_key(source, AS_OF)
    known = shelf.place(source) / "known"
    (known / "old").write_text("2024-01-01-abc")
    (known / f"{key}-end").write_text("2025-03-01")
    (known / "mine").write_text("b")
    pruning.prune(source, needed={"b"})
    assert notes(source) == sorted(["mine", f"{key}-end"])


def test_what_dead_runs_left_goes_and_what_living_ones_make_stays(source):
    (shelf.place(source) / ".partial-dead").mkdir()
    with shelf.making(source):
        assert pruning.prune(source, needed=set()) == []
    assert len(there(source)) == 3
    pruning.prune(source, needed=set())
    assert not list(shelf.place(source).glob(".partial-*"))
    assert there(source) == []


def test_source_without_snapshots_has_nothing_to_prune(tmp_path):
    assert pruning.prune(shop(tmp_path), needed=set()) == []
    assert not (tmp_path / "snapshots").exists()
