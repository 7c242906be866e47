from __future__ import annotations

import datetime as dt
import errno
import json
import shutil
from pathlib import Path

import pytest
from bs4 import BeautifulSoup

from retention_lab import checks, state
from retention_lab.reports import brand, index, publish
from retention_lab.reports.ran import Failure, Ran

SUNDAY = dt.date(2026, 11, 29)
MONDAY = dt.datetime(2026, 11, 30, 6, tzinfo=dt.UTC)


def content(day=SUNDAY, *, suite="weekly", value=0.25, simulated=False, **rest):
    """Return the results of a report of one page and one key number."""
    result = {"name": "r", "label": "Returned", "about": "May", "unit": "share", "key": True}
    result |= {"value": value, "text": f"{100 * value:.1f} %", "definition_hash": "d"}
    page = {"title": "Overview", "headline": "All is well.", "results": [result]}
    source = {"name": "Shop", "shown": "Shop, complete to Sunday", "simulated": simulated}
    return {
        "suite": suite,
        "as_of": str(day),
        "source": source,
        "snapshot": {"where": "", "time_zone": "Europe/London"},
        "notebooks": {"10 overview": page},
        **rest,
    }


def put(out, day=SUNDAY, *, suite="weekly", period="week", failed=False, **rest):
    """Leave what a run leaves."""
    shelf = out / suite / "failed" if failed else out / suite
    (shelf / str(day)).mkdir(parents=True)
    told = content(day, suite=suite, **rest)
    manifest = {key: told[key] for key in ("suite", "as_of", "source", "snapshot")}
    manifest |= {"title": suite.title(), "owner": "Ann", "period": period}
    (shelf / str(day) / publish.MANIFEST).write_text(json.dumps(manifest), encoding="utf-8")
    if not failed:
        (shelf / str(day) / publish.RESULTS).write_text(json.dumps(told), encoding="utf-8")
    return told


def left(out, *, status="failed", suite="weekly", as_of=str(SUNDAY), codes=(3,)):
    """Leave the word of a run."""
    ran = Ran(
        suite=suite,
        title=suite.title(),
        owner="Ann",
        as_of=as_of,
        status=status,
        exit_code=max(codes, default=0),
        failures=[
            Failure(sentence="No mail to bob@example.org.", exit_code=code) for code in codes
        ],
        started="2026-11-30T05:59:00+00:00",
        finished="2026-11-30T06:00:00+00:00",
        seconds=60,
    )
    (out / suite).mkdir(parents=True, exist_ok=True)
    (out / suite / "run.json").write_text(ran.model_dump_json(), encoding="utf-8")


@pytest.fixture
def out(tmp_path):
    (tmp_path / "reports").mkdir()
    return tmp_path / "reports"


@pytest.fixture
def kept(tmp_path):
    return state.opened(tmp_path / "state")


def written(out, *, kept=None, now=MONDAY):
    html = index.write(out, state=kept, now=now).read_text(encoding="utf-8")
    return BeautifulSoup(html, "html.parser")


def test_front_page_shows_every_suite_with_its_pages_and_numbers(out):
    put(out)
    put(out, dt.date(2026, 11, 22), value=0.3)
    put(out, suite="daily", period="day")
    (out / "notes" / "2026-01-01").mkdir(parents=True)
    (out / "weekly" / "latest").symlink_to("2026-11-29")
    soup = written(out)
    assert [each.get_text() for each in soup.select("h2")] == ["Daily", "Weekly"]
    assert [each["href"] for each in soup.select("main a")] == [
        "daily/2026-11-29/10%20overview.html",
        "weekly/2026-11-29/10%20overview.html",
        "weekly/2026-11-22/10%20overview.html",
    ]
    assert [each.get_text(strip=True) for each in soup.select(".numbers dt, .numbers dd")] == [
        *("Returned, May", "25.0 %"),
        *("Returned, May", "25.0 %", "Restated: 30.0 % in the report of 22 November 2026.", ""),
    ]
    assert len(soup.select("svg.spark")) == 1


def test_reports_whose_pages_are_gone_stay_in_the_lines_and_in_the_list(out, kept):
    for day in (15, 22, 29):
        told = put(out, dt.date(2026, 11, day), value=day / 100)
        kept.keep("weekly", dt.date(2026, 11, day), told)
    whole = written(out, kept=kept)
    shutil.rmtree(out / "weekly" / "2026-11-15")
    pruned = written(out, kept=kept)
    assert str(pruned.select_one("svg.spark")) == str(whole.select_one("svg.spark"))
    assert "from 15 November 2026" in pruned.select_one("svg.spark")["aria-label"]
    assert len(pruned.select("h3")) == 3
    assert len(pruned.select("main a")) == len(whole.select("main a")) - 1
    assert "Overview (no longer kept)" in pruned.select("li")[-1].get_text()


def test_report_that_was_published_with_warnings_says_which(out):
    put(out, status="published with warnings", warnings=["Tickets end on <Friday>."])
    (warned,) = written(out).select(".warned")
    assert "Published with warnings." in warned.get_text()
    assert warned.li.get_text() == "Tickets end on <Friday>."


@pytest.mark.parametrize(
    ("code", "words"),
    [(1, "A notebook failed"), (3, "The data could not answer"), (9, "It could not be finished")],
)
def test_failed_run_stands_before_the_last_good_one_and_quotes_nothing(out, code, words):
    put(out)
    left(out, codes=(code, code), as_of="2026-12-06")
    soup = written(out)
    days = [each.get_text() for each in soup.select(".latest h3")]
    assert days == ["Sunday 6 December 2026", "Sunday 29 November 2026"]
    assert [each.get_text() for each in soup.select(".failed li")] == [
        f"{words}; Ann has the details."
    ]
    assert "bob@example.org" not in soup.get_text()


def test_failed_run_is_shown_once_though_it_left_notebooks_and_word(out):
    put(out)
    put(out, failed=True)
    assert len(written(out).select(".failed")) == 1
    left(out)
    assert len(written(out).select(".failed")) == 1
    left(out, status="published", codes=())
    assert len(written(out).select(".failed")) == 1


def test_suite_that_never_came_to_a_day_is_shown_as_failed(out):
    left(out, as_of="", codes=(2,))
    soup = written(out)
    assert soup.h3.get_text() == "Monday 30 November 2026"
    assert "Run on 30 November 2026" in soup.get_text()
    assert soup.select(".failed")


# A day is late from the midnight after it, in the suite's zone: 00:00 in London is 23:00 UTC of the
# day before in summer.
@pytest.mark.parametrize(
    ("as_of", "period", "due", "late_from"),
    [
        (dt.date(2026, 11, 29), "week", "Monday 7 December 2026", "2026-12-08T00:00:00+00:00"),
        (dt.date(2026, 11, 25), "week", "Monday 30 November 2026", "2026-12-01T00:00:00+00:00"),
        (dt.date(2026, 11, 29), "day", "Tuesday 1 December 2026", "2026-12-02T00:00:00+00:00"),
        (dt.date(2026, 5, 31), "month", "Wednesday 1 July 2026", "2026-07-01T23:00:00+00:00"),
        (dt.date(2026, 3, 22), "week", "Monday 30 March 2026", "2026-03-30T23:00:00+00:00"),
    ],
)
def test_next_report_is_due_the_day_after_its_period(out, as_of, period, due, late_from):
    put(out, as_of, period=period)
    moment = dt.datetime.fromisoformat(late_from)
    soup = written(out, now=moment - dt.timedelta(seconds=1))
    told = soup.select_one(".due")
    assert due in told.get_text()
    assert told["data-late-from"] == late_from
    assert "late" not in told["class"]
    assert index.overdue(out, moment - dt.timedelta(seconds=1)) == []
    told = written(out, now=moment).select_one(".due")
    assert "late" in told["class"]
    assert not told.strong.has_attr("hidden")
    (overdue,) = index.overdue(out, moment)
    assert (overdue.suite, overdue.owner, overdue.as_of) == ("weekly", "Ann", as_of)
    assert f"the next was due by {due}" in overdue.sentence


def test_newest_report_counts_for_what_is_due(out):
    put(out)
    put(out, dt.date(2026, 11, 22))
    assert index.overdue(out, dt.datetime(2026, 12, 7, 23, tzinfo=dt.UTC)) == []


def test_made_up_customers_are_never_late(out):
    put(out, simulated=True)
    assert index.overdue(out, dt.datetime(2030, 1, 1, tzinfo=dt.UTC)) == []
    assert not written(out).select(".due, script")


def test_nothing_is_overdue_where_nothing_is(tmp_path):
    assert index.overdue(tmp_path / "none", MONDAY) == []


def test_front_page_shows_whose_it_is(out):
    made = brand.Brand(name="Northwind", accent="#7a2e6f")
    html = index.write(out, state=None, now=MONDAY, brand=made).read_text(encoding="utf-8")
    assert "Northwind" in html
    assert "#7a2e6f" in html


def test_front_page_is_the_same_to_the_byte(out, kept):
    put(out)
    kept.keep("weekly", SUNDAY, content())
    once = index.write(out, state=kept, now=MONDAY).read_bytes()
    assert index.write(out, state=kept, now=MONDAY).read_bytes() == once


def test_damaged_history_is_named(out, kept):
    put(out)
    kept.keep("weekly", SUNDAY, content()).write_text("{", encoding="utf-8")
    with pytest.raises(checks.BadData, match=r"2026-11-29\.json does not hold"):
        index.write(out, state=kept, now=MONDAY)


def test_front_page_stays_whole_on_a_full_disk(out, monkeypatch):
    put(out)
    file = index.write(out, state=None, now=MONDAY)
    before = file.read_text(encoding="utf-8")

    def full(path, text, **_):
        path.write_bytes(text[:2].encode())
        raise OSError(errno.ENOSPC, "No space left on device", str(path))

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(OSError, match="No space"):
        index.write(out, state=None, now=MONDAY)
    assert file.read_text(encoding="utf-8") == before
    assert [each.name for each in out.rglob(".*") if each.name != ".lock"] == []
