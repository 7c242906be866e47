from __future__ import annotations

import builtins
import datetime as dt
import errno
import io
import itertools
import json
import os
import stat
import subprocess
import time
from pathlib import Path

import nbformat
import pytest

from retention_lab.reports import publish
from retention_lab.reports.kernel import Stopped

DAY = dt.date(2026, 11, 29)
EARLIER, LATER = dt.date(2026, 11, 22), dt.date(2026, 12, 6)
os.umask(UMASK := os.umask(0))


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


WRITES = ("mkdir", "rename", "replace", "symlink", "fsync")  # what needs room, besides files
REMOVALS = ("unlink", "rmdir")


class Crash(BaseException):
    """The process is gone: nothing that it would have done afterwards happens."""


def break_at(patch, step, fault):
    """Have `fault` raised at one step that changes the disk; return the steps taken, by name."""
    steps = []

    def guarded(name, real, changes=lambda *_: True):
        def guard(*args, **rest):
            if changes(*args):
                steps.append(name)
                fault(name, len(steps) - 1 - step)
            return real(*args, **rest)

        return guard

    def opens_for_writing(_, mode="r", *__):
        return mode != "r"

    for name in (*WRITES, *REMOVALS):
        patch.setattr(os, name, guarded(name, getattr(os, name)))
    for module in (io, builtins):
        patch.setattr(module, "open", guarded("open", io.open, opens_for_writing))
    patch.setattr(publish, "_exchanged", guarded("exchange", publish._exchanged))
    return steps


def crash(_, past):
    if past >= 0:
        raise Crash


def full_once(name, past):
    if past == 0 and name not in REMOVALS:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def full_for_good(name, past):
    if past >= 0 and name not in REMOVALS:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.fixture
def shelf(tmp_path):
    return tmp_path / "reports" / "weekly"


@pytest.fixture(params=["in one step", "in two steps"])
def exchange(request, monkeypatch):
    """Let a report take the place of another in each of the two ways."""
    if request.param == "in two steps":
        monkeypatch.setattr(publish, "_exchanged", lambda *_: False)
    elif publish._EXCHANGES is None:
        pytest.skip("this system exchanges no folders")
    return request.param


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


def a_day(shelf, words):
    """Do all that a run does to the folders: publish under the lock, and prune."""
    with publish.locked(shelf):
        put(shelf, words=words, add=True)
        put(shelf, words=words, day=LATER)
        return publish.prune(shelf, keep=2)


def whole(shelf, day):
    """Tell which words a published page shows, having checked what lies beside it."""
    for name in (publish.RESULTS, publish.MANIFEST):
        told = json.loads((shelf / str(day) / name).read_text(encoding="utf-8"))
        assert told["notebooks"].keys() == {"10_overview"}
    return page(shelf, day=day)


def after_each_step(tmp_path, fault, *, expected):
    """Break the same day off at each step of it; yield the folder as it is then."""
    for step in itertools.count():
        shelf = tmp_path / str(step) / "weekly"
        put(shelf, words="old")
        put(shelf, words="old", day=EARLIER)
        with pytest.MonkeyPatch.context() as patch:
            steps = break_at(patch, step, fault)
            try:
                a_day(shelf, "new")
            except expected as error:
                refusal = error
            else:  # the step did not matter, or all were taken
                refusal = None
        if len(steps) <= step:
            assert {*WRITES, *REMOVALS, "open"} <= set(steps)
            return
        if refusal:
            yield shelf, refusal


def test_crash_between_any_two_steps_is_mended_by_the_next_run(tmp_path, exchange):
    for shelf, _ in after_each_step(tmp_path, crash, expected=Crash):
        for folder in shelf.glob("2026-*"):
            assert whole(shelf, folder.name) in ("old", "new")
        if exchange == "in one step":
            assert page(shelf) in ("old", "new")
            assert (shelf / "latest" / "10_overview.html").is_file()
        with publish.locked(shelf):
            assert whole(shelf, DAY) in ("old", "new")
            assert left_over(shelf) == []
            assert (shelf / "latest").readlink() == Path(str(max(publish._days(shelf))))
        assert a_day(shelf, "newer") in ([], [shelf / str(EARLIER)])
        assert (page(shelf), page(shelf, day=LATER)) == ("newer", "newer")
        assert publish._days(shelf).count(EARLIER) == 0
        assert left_over(shelf) == []


@pytest.mark.parametrize("fault", [full_once, full_for_good])
@pytest.mark.usefixtures("exchange")
def test_full_disk_at_any_step_is_told_and_leaves_what_was_there(tmp_path, fault):
    for shelf, refusal in after_each_step(tmp_path, fault, expected=publish.Full):
        assert refusal.exit_code == 1
        assert "No space left on device. What was published before is as it was" in str(refusal)
        with publish.locked(shelf):
            assert whole(shelf, DAY) in ("old", "new")
            assert left_over(shelf) == []
            assert (shelf / "latest").readlink() == Path(str(max(publish._days(shelf))))
        assert whole(shelf, EARLIER) == "old"


def test_report_that_cannot_take_its_place_leaves_the_old_one(shelf, monkeypatch):
    put(shelf, words="old")
    monkeypatch.setattr(publish, "_exchanged", lambda *_: False)
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


def test_report_is_on_the_disk_before_it_takes_its_place(shelf, monkeypatch):
    put(shelf, words="kept", name="20_churn")
    done, names = [], {}

    def sync(file):
        done.append(Path(f"/proc/self/fd/{file}").readlink().name)

    monkeypatch.setattr(os, "fsync", sync)
    monkeypatch.setattr(publish, "_swap", lambda *_: names.update(then=[*done]))
    put(shelf, words="new", add=True)
    # Every file, those that were copied, too, then the folder.
    settled = names["then"][-5:]
    assert sorted(settled[:4]) == [
        "10_overview.html",
        "20_churn.html",
        "manifest.json",
        "results.json",
    ]
    assert settled[4].startswith(".partial-")
    assert done[-1] == "weekly"
    publish.write(shelf / "run.json", "{}")
    assert done[-1].startswith(".partial-run.json-")


def test_note_of_a_run_that_was_cut_off_is_removed_and_that_of_another_is_not(shelf):
    shelf.mkdir(parents=True)
    gone = subprocess.Popen(["true"])
    gone.wait()
    for process in (gone.pid, os.getpid()):
        (shelf / f".run.json-{process}").touch()
    with publish.locked(shelf):
        assert left_over(shelf) == [f".run.json-{os.getpid()}"]


def test_oldest_reports_are_pruned(shelf):
    days = [DAY - dt.timedelta(weeks=number) for number in range(5)]
    for day in days:
        put(shelf, day=day)
    publish.keep_failed({}, about(), shelf=shelf, as_of=days[4])
    assert publish.prune(shelf, keep=7) == []
    assert publish.prune(shelf, keep=3) == [shelf / str(days[3]), shelf / str(days[4])]
    assert sorted(publish._days(shelf), reverse=True) == days[:3]
    assert (shelf / "failed" / str(days[4])).is_dir()
    assert left_over(shelf) == []


def test_pruning_spares_what_latest_points_to_and_what_is_newer(shelf):
    days = [DAY - dt.timedelta(weeks=number) for number in range(4)]
    for day in days:
        put(shelf, day=day)
    (shelf / "latest").unlink()
    (shelf / "latest").symlink_to(str(days[2]))
    assert publish.prune(shelf, keep=1) == [shelf / str(days[3])]
    assert sorted(publish._days(shelf), reverse=True) == days[:3]


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
    for path, mode in ((kept, 0o700), (kept.parent, 0o700), (kept / "10_overview.ipynb", 0o600)):
        assert stat.S_IMODE(path.stat().st_mode) == mode
    told = json.loads((kept / "manifest.json").read_text(encoding="utf-8"))["notebooks"]
    assert told["20_churn"]["failure"] == "20_churn.ipynb: the kernel died."
    again = publish.keep_failed({"20_churn": dead}, about(), shelf=shelf, as_of=DAY)
    assert [each.name for each in again.iterdir()] == ["manifest.json"]
    assert left_over(shelf) == []
    put(shelf)
    assert not kept.exists()
    assert stat.S_IMODE((shelf / str(DAY)).stat().st_mode) == 0o777 & ~UMASK


def test_failed_run_is_removed_after_two_weeks_by_the_next_run(shelf):
    shelf.mkdir(parents=True)
    for day, age in (("2026-11-22", 13), ("2026-11-29", 15)):
        kept = publish.keep_failed({}, about(), shelf=shelf, as_of=dt.date.fromisoformat(day))
        then = time.time() - age * 24 * 3600
        os.utime(kept, (then, then))
    with publish.locked(shelf):
        assert [each.name for each in (shelf / "failed").iterdir()] == ["2026-11-22"]
