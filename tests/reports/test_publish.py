from __future__ import annotations

import datetime as dt
import errno
import json
import stat
from pathlib import Path

import nbformat
import pytest
from bs4 import BeautifulSoup

from retention_lab.reports import publish
from retention_lab.reports.kernel import Stopped

DAY = dt.date(2026, 11, 29)


def about(day=DAY, suite="weekly"):
    return {
        "suite": suite,
        "title": suite.title(),
        "as_of": str(day),
        "source": {"simulated": False, "shown": "Shop, orders complete to Sunday"},
    }


def put(shelf, *, words="good", day=DAY, name="10_overview", add=False, results=()):
    """Publish one page with its claims."""
    shelf.mkdir(parents=True, exist_ok=True)
    with publish.building(shelf, as_of=day, add=add) as partial:
        publish.write(partial / f"{name}.html", words)
        claims = {name: {"title": f"Page {name}", "headline": "", "results": list(results)}}
        publish.write_json(partial / publish.RESULTS, {}, notebooks=claims)
        publish.write_json(partial / publish.MANIFEST, about(day, shelf.name), notebooks={name: {}})


def page(shelf, *, day=DAY, name="10_overview"):
    return (shelf / str(day) / f"{name}.html").read_text(encoding="utf-8")


def left_over(shelf):
    return sorted(each.name for each in shelf.rglob(".*") if each.name != ".lock")


def full(path, text, **_):
    """Write a part of a file, as a full disk does."""
    path.write_bytes(text[:2].encode())
    raise OSError(errno.ENOSPC, "No space left on device", str(path))


@pytest.fixture
def shelf(tmp_path):
    return tmp_path / "reports" / "weekly"


def test_report_replaces_that_of_the_same_day(shelf):
    put(shelf, words="old", name="20_gone")
    put(shelf, words="new")
    assert page(shelf) == "new"
    assert not (shelf / str(DAY) / "20_gone.html").exists()
    assert left_over(shelf) == []


def test_page_is_added_to_the_report_of_the_same_day(shelf):
    put(shelf, words="kept", name="20_churn")
    put(shelf, words="old")
    put(shelf, words="kept", name="20_churn", add=True)
    put(shelf, words="new", add=True)
    assert (page(shelf), page(shelf, name="20_churn")) == ("new", "kept")
    for name in (publish.RESULTS, publish.MANIFEST):
        found = json.loads((shelf / str(DAY) / name).read_text(encoding="utf-8"))
        assert set(found["notebooks"]) == {"10_overview", "20_churn"}


def test_latest_only_moves_forward(shelf):
    put(shelf, words="29th")
    put(shelf, words="22nd", day=dt.date(2026, 11, 22))
    assert (shelf / "latest").readlink() == Path("2026-11-29")
    put(shelf, words="December", day=dt.date(2026, 12, 6))
    assert (shelf / "latest" / "10_overview.html").read_text(encoding="utf-8") == "December"


def test_full_disk_leaves_the_good_report_and_nothing_else(shelf, monkeypatch):
    put(shelf, words="good")
    before = sorted(shelf.rglob("*"))

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(OSError, match="No space"):
        put(shelf, words="half")
    assert sorted(shelf.rglob("*")) == before
    assert page(shelf) == "good"


def test_front_page_stays_whole_on_a_full_disk(shelf, monkeypatch):
    put(shelf)
    index = publish.write_index(shelf.parent)
    before = index.read_text(encoding="utf-8")

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(OSError, match="No space"):
        publish.write_index(shelf.parent)
    assert index.read_text(encoding="utf-8") == before
    assert left_over(shelf.parent) == []


@pytest.mark.parametrize("renames", [1, 2])
def test_good_report_is_restored_wherever_the_exchange_was_cut_off(shelf, monkeypatch, renames):
    put(shelf, words="old")
    done = []
    rename = Path.rename

    def cut_off(path, target=None, **_):
        if len(done) == renames:
            raise KeyboardInterrupt
        done.append(target)
        return rename(path, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", cut_off)
        patch.setattr(publish.shutil, "rmtree", cut_off)
        with pytest.raises(KeyboardInterrupt):
            put(shelf, words="new")
    with publish.locked(shelf):
        assert page(shelf) == ("old" if renames == 1 else "new")
    assert left_over(shelf) == []


def test_report_that_cannot_take_its_place_leaves_the_old_one(shelf, monkeypatch):
    put(shelf, words="old")
    rename = Path.rename

    def refuse_fresh(path, target):
        if path.name.startswith(".partial"):
            raise OSError(errno.EIO, "Input/output error", str(path))
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", refuse_fresh)
    with pytest.raises(OSError, match="Input/output"):
        put(shelf, words="new")
    assert page(shelf) == "old"
    assert left_over(shelf) == []


def test_lock_refuses_a_second_run_until_the_first_ends(shelf):
    with (
        publish.locked(shelf),
        pytest.raises(publish.Locked, match="weekly is being run already"),
        publish.locked(shelf),
    ):
        pass
    with publish.locked(shelf):
        pass
    assert publish.Locked.exit_code == 75


def test_failed_run_is_kept_for_its_owner_alone_until_a_good_one(shelf):
    executed = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("1 / 0")])
    failure = Stopped("10_overview.ipynb failed.", exit_code=1, executed=executed)
    dead = Stopped("20_churn.ipynb: the kernel died.", exit_code=4)
    kept = publish.keep_failed(
        {"10_overview": failure, "20_churn": dead}, about(), shelf=shelf, as_of=DAY
    )
    assert sorted(each.name for each in kept.iterdir()) == ["10_overview.ipynb", "manifest.json"]
    assert stat.S_IMODE((kept / "10_overview.ipynb").stat().st_mode) == 0o600
    told = json.loads((kept / "manifest.json").read_text(encoding="utf-8"))["notebooks"]
    assert told["20_churn"]["failure"] == "20_churn.ipynb: the kernel died."
    put(shelf)
    assert not kept.exists()


def test_front_page_lists_what_lies_in_the_folders(shelf):
    key = {"name": "r", "label": "Returned", "about": "May", "text": "24.9 %", "key": True}
    put(shelf, results=[key, {"name": "n", "text": "1,205", "key": False}])
    put(shelf, day=dt.date(2026, 11, 22))
    put(shelf.with_name("daily"), name="a b")
    (shelf.parent / "notes" / "2026-01-01").mkdir(parents=True)
    failure = Stopped("It failed.", exit_code=1)
    publish.keep_failed({"10_overview": failure}, about(), shelf=shelf, as_of=DAY)
    soup = BeautifulSoup(publish.write_index(shelf.parent).read_text("utf-8"), "html.parser")
    assert [each.get_text() for each in soup.select("h2")] == ["Daily", "Weekly"]
    assert [each["href"] for each in soup.select("main a")] == [
        "daily/2026-11-29/a%20b.html",
        "weekly/2026-11-29/10_overview.html",
        "weekly/2026-11-22/10_overview.html",
    ]
    assert [each.get_text() for each in soup.select(".numbers dt, .numbers dd")] == [
        "Returned, May",
        "24.9 %",
    ]
    assert len(soup.select(".failed")) == 1
