"""What a report is made of beside its notebooks: data awaited, past kept, warnings, proof."""

from __future__ import annotations

import datetime as dt
import json
import shutil
from pathlib import Path

import nbformat
import pytest
import yaml
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from retention_lab.checks import BadData
from retention_lab.reports import index, job, kernel, run, verify
from retention_lab.reports import suite as suites
from retention_lab.reports.run import Call
from retention_lab.state import opened

NOW = dt.datetime(2026, 11, 30, 6, tzinfo=dt.UTC)  # a Monday: the week to 29 November is over
FIRST = dt.date(2026, 8, 31)
PARAMETERS = 'source: str = ""\nas_of: "date" = "2026-11-29"\nwhere: str = ""\nprevious: str = ""'
SHOP = """
name: Corner shop
time_zone: UTC
currency: GBP
tables:
  orders:
    rows: orders.csv
    columns: {order_id: id, customer_id: who, ordered_at: at, amount: paid}
  events:
    rows: events.csv
    columns: {customer_id: who, event: what, occurred_at: at}
"""


def write_tables(*, orders_to: dt.date, events_to: dt.date) -> None:
    """Write twelve orders and one event a day."""
    orders, events = ["id,who,at,paid"], ["who,what,at"]
    for n in range((max(orders_to, events_to) - FIRST).days + 1):
        day = FIRST + dt.timedelta(days=n)
        if day <= orders_to:
            orders += [f"{n}-{k},c{(n * k) % 50},{day} 10:00:00,10.00" for k in range(12)]
        if day <= events_to:
            events.append(f"c{n % 50},login,{day} 11:00:00")
    Path("orders.csv").write_text("\n".join(orders) + "\n", encoding="utf-8")
    Path("events.csv").write_text("\n".join(events) + "\n", encoding="utf-8")


@pytest.fixture
def shop(tmp_path, monkeypatch):
    """A shop that is complete to 29 November, and a suite of two notebooks, none executed."""
    monkeypatch.chdir(tmp_path)
    Path("shop.yml").write_text(SHOP, encoding="utf-8")
    write_tables(orders_to=dt.date(2026, 11, 29), events_to=dt.date(2026, 11, 29))
    for name in ("10_orders", "20_events"):
        tagged = new_code_cell(PARAMETERS, metadata={"tags": ["parameters"]}, id="p")
        cells = [new_markdown_cell("# Title", id="t"), tagged]
        nbformat.write(new_notebook(cells=cells), f"{name}.ipynb")
    monkeypatch.setattr(kernel, "execute", lambda path, **_: nbformat.read(path, as_version=4))


def suite(**settings):
    parts = [
        {"notebook": "10_orders.ipynb", "title": "Orders", "tables": ["orders"]},
        {"notebook": "20_events.ipynb", "title": "Events"},
    ]
    fields = {"name": "weekly", "title": "Weekly", "source": "shop.yml", "owner": "O"}
    text = yaml.safe_dump({**fields, **settings, "notebooks": parts})
    Path("suite.yml").write_text(text, encoding="utf-8")
    return suites.load("suite.yml")


def make(loaded, *, as_of=None, **rest):
    rest = {"out": Path("reports"), "state": Path("state"), "now": NOW, **rest}
    return run.run(loaded, Call(**rest), as_of=as_of)


def read(path):
    return json.loads(Path(path).read_text(encoding="utf-8"))


@pytest.mark.usefixtures("shop")
def test_report_is_of_the_last_week_that_is_over_and_skipped_when_nothing_changed():
    loaded = suite()
    ran = make(loaded)
    assert (ran.status, ran.as_of, len(ran.pages)) == ("published", "2026-11-29", 2)
    again = make(loaded)
    assert (again.status, again.pages) == ("unchanged", ran.pages)
    # A page that somebody touched is made anew, and a changed title is another page.
    Path(ran.pages[0]).write_text("changed", encoding="utf-8")
    assert make(loaded).status == "published"
    assert make(suite(title="Every week")).status == "published"
    assert make(loaded, force=True).status == "published"


@pytest.mark.usefixtures("shop")
@pytest.mark.parametrize(("follows", "overdue"), [("today", ["weekly"]), ("data", [])])
def test_next_report_is_awaited_of_a_suite_that_follows_the_calendar(follows, overdue):
    make(suite(as_of=follows))
    later = NOW + dt.timedelta(days=14)
    assert [late.suite for late in index.overdue(Path("reports"), later)] == overdue


@pytest.mark.usefixtures("shop")
def test_orders_that_do_not_reach_the_day_are_refused():
    write_tables(orders_to=dt.date(2026, 11, 27), events_to=dt.date(2026, 11, 29))
    with pytest.raises(BadData, match="2026-11-27"):
        make(suite())
    assert not Path("reports/weekly/latest").exists()
    # Of a week that is long over they are complete.
    assert make(suite(), as_of=dt.date(2026, 11, 22)).status == "published"


@pytest.mark.usefixtures("shop")
def test_late_optional_table_warns_on_the_pages_that_rest_on_it():
    write_tables(orders_to=dt.date(2026, 11, 29), events_to=dt.date(2026, 11, 20))
    ran = make(suite())
    assert ran.status == "published with warnings"
    assert ran.exit_code == 0
    [warning] = ran.warnings
    assert "events reach only Friday 20 November" in warning
    pages = {Path(page).stem: Path(page).read_text(encoding="utf-8") for page in ran.pages}
    assert warning in pages["20_events"]
    assert warning not in pages["10_orders"]
    assert read("state/results/weekly/2026-11-29.json")["warnings"] == [warning]


@pytest.mark.usefixtures("shop")
def test_reports_are_pruned_and_their_results_stay():
    loaded, days = suite(keep=2), [dt.date(2026, 11, day) for day in (8, 15, 22, 29)]
    for day in days:
        make(loaded, as_of=day)
    folders = sorted(each.name for each in Path("reports/weekly").glob("2026-*"))
    assert folders == ["2026-11-22", "2026-11-29"]
    kept = [file.stem for file in opened(Path("state")).results("weekly")]
    assert kept == [str(day) for day in days]
    # The next report still goes on from one whose pages are gone.
    shutil.rmtree("reports/weekly/2026-11-22")
    make(loaded, as_of=days[3], force=True)
    assert read("reports/weekly/2026-11-29/manifest.json")["before"]["as_of"] == "2026-11-22"


@pytest.mark.usefixtures("shop")
def test_state_that_is_missing_is_refused_before_anything_is_changed():
    loaded = suite()
    make(loaded)
    shutil.rmtree("state")
    with pytest.raises(BadData, match="retention-lab restore"):
        make(loaded, force=True)
    with pytest.raises(BadData, match="retention-lab restore"):
        make(loaded)
    assert not Path("state").exists()


@pytest.mark.usefixtures("shop")
def test_report_that_was_cut_off_before_its_history_is_remembered_by_the_next():
    loaded = suite()
    make(loaded, as_of=dt.date(2026, 11, 22))
    Path("state/results/weekly/2026-11-22.json").unlink()
    make(loaded, as_of=dt.date(2026, 11, 29))
    assert len(opened(Path("state")).results("weekly")) == 2
    assert read("reports/weekly/2026-11-29/manifest.json")["before"]["as_of"] == "2026-11-22"


@pytest.mark.usefixtures("shop")
def test_published_report_comes_out_the_same_also_with_its_warnings_of_then(tmp_path):
    write_tables(orders_to=dt.date(2026, 11, 29), events_to=dt.date(2026, 11, 20))
    loaded = suite()
    make(loaded, as_of=dt.date(2026, 11, 22))
    ran = make(loaded)
    verdict = verify.verify(Path(ran.folder), run=job.afresh, out=tmp_path / "again")
    assert verdict.sentences == [
        "10_orders: the same, byte for byte.",
        "20_events: the same, byte for byte.",
    ]
    assert verdict.exit_code == 0
