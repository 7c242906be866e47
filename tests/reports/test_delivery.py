from __future__ import annotations

import datetime as dt
import errno
import json
import os
import shutil
from pathlib import Path

import pytest

from retention_lab.reports import catalogue, delivery, publish


def put(out, day, *, suite="weekly", pages=("10_overview",), words="numbers"):
    """Lay a published report as a run leaves it."""
    folder = out / suite / day
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for name in pages:
        (folder / f"{name}.html").write_text(f"{words} of {day}", encoding="utf-8")
    (folder / "results.json").write_text(json.dumps({"as_of": day}), encoding="utf-8")
    (folder / "manifest.json").write_text('{"host": "secret-host"}', encoding="utf-8")
    (folder / "10_overview.ipynb").write_text("raw", encoding="utf-8")
    failed = out / suite / "failed" / "2026-12-06"
    failed.mkdir(parents=True, exist_ok=True)
    (failed / "10_overview.ipynb").write_text("raw", encoding="utf-8")
    index(out)


def index(out):
    """Write a front page with a section for each suite, linking every page."""
    sections = [
        f"<section><h2>{shelf.name}</h2>"
        + "".join(
            f'<a href="{page.relative_to(out)}">{page.stem}</a>'
            for page in sorted(shelf.glob("20*/*.html"))
        )
        + "</section>"
        for shelf in sorted(out.iterdir())
        if shelf.is_dir()
    ]
    page = f"<!doctype html>\n<body><main>{''.join(sections)}</main></body>\n"
    (out / "index.html").write_text(page, encoding="utf-8")


def there(to):
    return sorted(str(each.relative_to(to)) for each in to.rglob("*") if each.is_file())


@pytest.fixture
def out(tmp_path):
    put(tmp_path / "reports", "2026-11-22")
    put(tmp_path / "reports", "2026-11-29")
    return tmp_path / "reports"


@pytest.fixture
def to(tmp_path):
    (tmp_path / "share").mkdir()
    return tmp_path / "share"


def test_published_files_have_stable_addresses_and_nothing_else_leaves(out, to):
    written = delivery.publish(out, to, "weekly")
    assert there(to) == [
        "index.html",
        "weekly/2026-11-22/10_overview.html",
        "weekly/2026-11-22/results.json",
        "weekly/2026-11-29/10_overview.html",
        "weekly/2026-11-29/results.json",
        "weekly/latest/10_overview.html",
        "weekly/latest/results.json",
    ]
    assert sorted(written) == [to / each for each in there(to)]
    assert written[-1] == to / "index.html"
    assert not (to / "weekly" / "latest").is_symlink()
    assert (to / "weekly/latest/10_overview.html").read_text("utf-8") == "numbers of 2026-11-29"


def test_printed_page_leaves_with_it(out, to):
    (out / "weekly/2026-11-29/10_overview.pdf").write_bytes(b"%PDF")
    delivery.publish(out, to, "weekly")
    assert (to / "weekly/latest/10_overview.pdf").read_bytes() == b"%PDF"


def test_equal_files_are_not_written_again(out, to):
    delivery.publish(out, to, "weekly")
    before = {each: (to / each).stat().st_mtime_ns for each in there(to)}
    assert delivery.publish(out, to, "weekly") == []
    assert {each: (to / each).stat().st_mtime_ns for each in there(to)} == before
    page = "weekly/2026-11-29/10_overview.html"
    (out / page).write_text("NUMBERS of 2026-11-29", encoding="utf-8")  # as long as before
    written = delivery.publish(out, to, "weekly")
    assert written == [to / page, to / "weekly/latest/10_overview.html"]


def test_days_pruned_here_are_removed_there(out, to):
    delivery.publish(out, to, "weekly")
    (to / "weekly/2026-11-22/comment.txt").write_text("mine", encoding="utf-8")
    put(out, "2026-12-06")
    for day in ("2026-11-22", "2026-11-29"):
        shutil.rmtree(out / "weekly" / day)
    index(out)
    delivery.publish(out, to, "weekly")
    assert sorted(each.name for each in (to / "weekly").iterdir()) == [
        "2026-11-22",  # for the comment of somebody else
        "2026-12-06",
        "latest",
    ]
    assert there(to / "weekly/2026-11-22") == ["comment.txt"]


def test_days_that_a_lost_folder_forgot_stay_there(out, to):
    delivery.publish(out, to, "weekly")
    shutil.rmtree(out)
    put(out, "2026-12-06")
    delivery.publish(out, to, "weekly")
    assert (to / "weekly/2026-11-22/10_overview.html").is_file()


def test_page_that_a_report_no_longer_has_is_removed_also_from_latest(out, to):
    put(out, "2026-11-29", pages=("10_overview", "20_churn"))
    delivery.publish(out, to, "weekly")
    assert (to / "weekly/latest/20_churn.html").is_file()
    put(out, "2026-11-29")
    delivery.publish(out, to, "weekly")
    assert [each for each in there(to) if "20_churn" in each] == []


def test_front_page_there_shows_only_suites_that_lie_there(out, to):
    put(out, "2026-11-29", suite="margins", words="secret")
    delivery.publish(out, to, "weekly")
    front = (to / "index.html").read_text(encoding="utf-8")
    assert "weekly/2026-11-29/10_overview.html" in front
    assert "margins" not in front
    delivery.publish(out, to, "margins")
    assert "margins/2026-11-29" in (to / "index.html").read_text(encoding="utf-8")


def test_what_a_crash_left_there_is_swept_away(out, to):
    left = to / "weekly/2026-11-29/.retention-lab-1-10_overview.html"
    left.parent.mkdir(parents=True)
    left.write_text("half", encoding="utf-8")
    delivery.publish(out, to, "weekly")
    assert not left.exists()


def test_missing_share_is_one_sentence_and_is_not_made(out, to):
    to.rmdir()
    with pytest.raises(delivery.Undelivered, match=r"no folder .*share.* Mount it") as refused:
        delivery.publish(out, to, "weekly")
    assert not to.exists()
    assert "\n" not in str(refused.value)


def test_share_that_is_no_longer_mounted_is_not_filled_again(out, to):
    delivery.publish(out, to, "weekly")
    shutil.rmtree(to)
    to.mkdir()  # the empty mount point
    with pytest.raises(delivery.Undelivered, match="not what was published to before"):
        delivery.publish(out, to, "weekly")
    assert there(to) == []
    (out / "weekly" / delivery.SENT).unlink()
    assert delivery.publish(out, to, "weekly")


def failing(code):
    def replace(source, target):
        raise OSError(code, os.strerror(code), str(source), None, str(target))

    return replace


@pytest.mark.parametrize(
    ("code", "words"),
    [(errno.ENOSPC, "No space left.*Make room"), (errno.ENOSYS, "cannot rename files")],
)
def test_full_or_odd_share_leaves_whole_files_only(out, to, monkeypatch, code, words):
    delivery.publish(out, to, "weekly")
    put(out, "2026-12-06", words="fresh")
    front = (to / "index.html").read_text(encoding="utf-8")
    monkeypatch.setattr(os, "replace", failing(code))
    with pytest.raises(delivery.Undelivered, match=words) as refused:
        delivery.publish(out, to, "weekly")
    assert "stay published here" in str(refused.value)
    monkeypatch.undo()
    assert not [each for each in there(to) if delivery._PARTIAL in each]
    assert (to / "index.html").read_text(encoding="utf-8") == front
    assert (to / "weekly/latest/10_overview.html").read_text("utf-8").endswith("2026-11-29")
    delivery.publish(out, to, "weekly")
    assert (to / "weekly/latest/10_overview.html").read_text("utf-8") == "fresh of 2026-12-06"


def test_share_full_in_the_middle_of_a_file_leaves_no_part_of_it(out, to, monkeypatch):
    def full(path, content):
        with path.open("wb") as file:
            file.write(content[:3])
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(delivery.Undelivered, match="No space left on device"):
        delivery.publish(out, to, "weekly")
    assert there(to) == []


def test_publishing_nothing_writes_nothing(tmp_path, to):
    (tmp_path / "reports").mkdir()
    assert delivery.publish(tmp_path / "reports", to, "weekly") == []
    assert there(to) == []


def test_front_page_of_a_real_catalogue_stays_as_it_is(out, to):
    entry = catalogue.Entry(
        suite="Weekly retention",
        as_of=dt.date(2026, 11, 29),
        status="good",
        simulated=True,
        source="Demo shop",
        pages={"Overview": "weekly/2026-11-29/10_overview.html"},
    )
    publish.write(out / "index.html", catalogue.render([entry]))
    delivery.publish(out, to, "weekly")
    front = (to / "index.html").read_text(encoding="utf-8")
    assert "Content-Security-Policy" in front
    assert '<a href="weekly/2026-11-29/10_overview.html">Overview</a>' in front
