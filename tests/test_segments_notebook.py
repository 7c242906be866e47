"""The page on who the customers are: a simulated shop, a young one, and shops that are odd."""

from __future__ import annotations

import datetime as dt
import functools
import json
import math
import re
import shutil
from pathlib import Path

import bs4
import numpy as np
import pandas as pd
import pytest
import yaml
from nbformat.v4 import new_code_cell, new_notebook, new_output

import retention_lab
from retention_lab.checks import BadData
from retention_lab.customers import thresholds
from retention_lab.record import SMALL
from retention_lab.record.small import HIDDEN, few, of_share
from retention_lab.reports import figures
from retention_lab.tables.simulator import simulate
from retention_lab.wording import Instead

from . import pages
from .pages import AS_OF, DEMO_SOURCE, HEAVIEST, NUMBER, STATISTICS
from .test_overview_notebook import run, shell  # noqa: F401  fixtures

NOTEBOOK = "30_rfm_segments.ipynb"
executed = functools.partial(pages.executed, NOTEBOOK)
DAY = re.compile(r"\d{1,2} [A-Z][a-z]+ \d{4}")
# Columns of charts that count customers; none of them may say few.
COUNTS = ("customers", "size", "delivered", "repeated", "one_away", "left", "left_long", "at_risk")
MISSING = re.compile(r"\b(?:nan|NaT|<NA>|inf)\b")
PARTS = ("cohorts", "named", "activity", "slipped", "moves", "moves_named", "lines", "rising")
PARTS += ("messages", "loyalty", "first_repeat", "acquired", "revenue")

FROZEN = {
    "owner": "Lifecycle Marketing",
    "review_by": dt.date(2027, 3, 31),
    "as_of": dt.date(2026, 9, 30),
    "method": "fixed",
    "within": 365,
    "cuts": {
        "currency": "GBP",
        "recency": {"all": [31, 61, 91, 181]},
        "frequency": {"all": [2, 3, 5, 9]},
        "monetary": {"all": [25, 50, 100, 250]},
    },
}


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """The source file of the demo over a smaller shop of the same kind."""
    folder = tmp_path_factory.mktemp("data")
    simulate(folder / "demo", customers=3_000)
    source = folder / "sources" / "demo.yml"
    source.parent.mkdir()
    shutil.copy(DEMO_SOURCE, source)
    return {"source": str(source), "as_of": AS_OF.isoformat(), "playbook": ""}


@pytest.fixture(scope="module")
def page(demo):
    return executed(**demo)


@pytest.fixture(scope="module")
def young(run, tmp_path_factory):  # noqa: F811  a fixture
    """Sixty customers of forty days, judged by lines of a day before the first of them.

    The page is made in this process, as a kernel takes seconds to start.
    """
    folder = tmp_path_factory.mktemp("shop")
    rng = np.random.default_rng(3)
    ago = pd.to_timedelta(np.append(rng.integers(0, 40, 150), 0), unit="D")
    rows = pd.DataFrame({"customer": [f"Zoe Quark {n % 60}" for n in range(len(ago))]})
    rows["day"] = (pd.Timestamp(AS_OF) - ago).strftime("%Y-%m-%d")
    rows["amount"] = 5
    rows.rename_axis("number").reset_index().to_csv(folder / "rows.csv", index=False)
    columns = {"order_id": "number", "customer_id": "customer", "ordered_at": "day"}
    tables = {"orders": {"rows": "rows.csv", "columns": columns | {"amount": "amount"}}}
    (folder / "lines.yml").write_text(yaml.safe_dump(FROZEN), encoding="utf-8")
    shop = pages.source_of(folder, tables)
    told = shop | {"thresholds": str(folder / "lines.yml")}
    shown = run(notebook=pages.ROOT / "notebooks" / NOTEBOOK, **told).shown
    outputs = [new_output("display_data", data=data) for _, data in shown]
    return pages.Page(new_notebook(cells=[new_code_cell("", outputs=outputs)]))


def rows_of(chart):
    """Give the rows of the data behind a chart."""
    found = [*chart.get("datasets", {}).values()]
    return [row for rows in found for row in rows]


def test_demo_says_who_brings_what_who_slipped_and_what_to_do(page):
    headline, body, action, known = page.first_screen
    assert re.match(
        r"## About \d+ in 100 customers are “high-value repeat”; they brought", headline
    )
    assert pages.plain(page.ledger["headline"]) == headline.removeprefix("## ")
    assert "so nobody changed cohort because lines were redrawn" in body
    assert action.startswith("**Do** (The retention team, by 6 December 2026): ")
    assert "**Do not** " in action
    assert "made-up customers" in known
    assert not STATISTICS.search("\n".join((headline, body, action)))


def test_numbers_of_the_first_screen_are_recorded(page):
    headline, body, *_ = page.first_screen
    bands = re.sub(r"\d+ to \d+ % band", "band", f"{headline} {body}")  # of the playbook
    said = set(NUMBER.findall(DAY.sub("", bands)))
    assert len(said) > 8
    assert said <= page.numbers | {"100"}


def test_results_are_finite_and_tell_of_no_few(page):
    assert {"segments_customers", "segments_slipped", "worth_came", "rising_tested"} <= set(
        page.results
    )
    for name, result in page.results.items():
        ends = [result[each] for each in ("value", "low", "high") if result[each] is not None]
        assert all(math.isfinite(each) for each in ends), name
        assert not few([result["n"] or 0]).any(), name
        if result["unit"] == "count" and result["low"] is None:
            assert not few([result["value"]]).any(), name
        if result["unit"] == "share" and result["low"] is not None:
            assert not of_share(result["value"], result["n"]), name


def test_every_chart_has_its_words_and_its_table_and_counts_no_few(page):
    # Cohorts, segments, activity; luck, moves twice; worth, held back; rising; messages; loyalty;
    # first repeat; four attributes of acquisition; revenue.
    assert len(page.charts) in (16, 17)  # luck is drawn where enough are long-standing
    for chart in page.charts:
        assert chart["description"]
        assert chart["usermeta"]["caption"]
        assert chart["usermeta"]["labels"]
        counts = [row[field] for row in rows_of(chart) for field in COUNTS if field in row]
        assert not few([each for each in counts if isinstance(each, int | float)]).any()
        assert MISSING.findall(f"{chart['description']} {chart['usermeta']['caption']}") == []
    tables = bs4.BeautifulSoup(page.html, "html.parser").select("figure table, details table")
    assert len(tables) >= len(page.charts)
    assert all(len(table.select("tr")) > 1 for table in tables)


def test_page_defines_every_result_and_is_light(page):
    listed = pages.plain(bs4.BeautifulSoup(page.html, "html.parser").get_text())
    recorded = [each for name, each in page.results.items() if not name.endswith("_before")]
    assert [each["label"] for each in recorded if each["label"] not in listed] == []
    assert MISSING.findall("\n".join(page.texts)) == []
    assert len(page.html.encode()) < HEAVIEST


def test_no_customer_is_named(page, young, demo):
    names = pd.read_parquet(Path(demo["source"]).parents[1] / "demo" / "customers.parquet")
    names = names["customer_id"]
    assert len(names) > 2_000
    words = set(re.findall(r"[\w-]+", page.html))
    assert words.isdisjoint(names.astype(str))
    assert "Quark" not in young.html


def test_lines_that_are_not_frozen_are_kept_and_can_be_frozen(page, tmp_path):
    file = tmp_path / "lines.yml"
    kept = json.dumps(page.ledger["kept"]["thresholds"])  # as in results.json
    file.write_text(yaml.safe_dump(json.loads(kept)), encoding="utf-8")
    lines = thresholds.load(file, currency="GBP")
    assert (lines.method, lines.within) == ("quantile", 365)
    assert any("No cut lines are frozen." in text for text in page.texts)


def test_frozen_lines_are_named_and_not_kept(young):
    assert "kept" not in young.ledger
    text = "\n".join(young.texts)
    assert "The cut lines are frozen since 30 September 2026, as somebody wrote them down." in text
    assert "Lifecycle Marketing answers for them and reviews them by 31 March 2027." in text


def test_a_young_shop_says_what_cannot_be_said_yet(young):
    headline, body, action, *_ = young.first_screen
    assert headline == "## None of the 60 customers are “high-value repeat”."
    assert "Nobody had bought by 31 August 2026, so nobody can have moved yet." in body
    assert action.startswith("**Do:** nothing yet. ")
    assert MISSING.findall("\n".join(young.texts)) == []
    for number, chart in enumerate(young.charts):
        assert "<svg" in figures.figure(chart, number=number, where="young")


@pytest.mark.slow
def test_a_second_run_gives_the_same_page(page, demo):
    assert executed(**demo).html == page.html


def shop_of(rows, **tables):
    """Open a shop of orders of (customer, days ago, amount), complete to the day."""
    orders = pd.DataFrame(rows, columns=["customer_id", "ago", "amount"])
    orders["ordered_at"] = pd.Timestamp(AS_OF) - pd.to_timedelta(orders.pop("ago"), unit="D")
    orders.insert(0, "order_id", np.arange(len(orders)))
    whole = {"settings": {"complete_to": AS_OF.isoformat()}, "as_of": AS_OF, "currency": "GBP"}
    return retention_lab.from_frames(orders=orders, name="Shop", **whole, **tables)


def all_of(answer):
    """Read everything that an answer says; every part says something, or why it does not."""
    said = [repr(answer)]
    for part in PARTS:
        one = getattr(answer, part)
        why = getattr(one.chart, "why", "")
        assert one.sentence or why or not one.table.empty, part
        said += [repr(one), why, getattr(one.chart, "description", "")]
    return "\n".join(said)


def fine(text):
    """Say that a text has no gap and no count of few customers."""
    assert MISSING.findall(text) == []
    told = re.findall(r"\b(\d+)(?: of (?:the )?\d+)? customers?\b", text)
    assert not few([int(each) for each in told if int(each) != SMALL]).any()


def test_a_shop_of_one_day_whose_goods_all_came_back_has_no_moves_and_no_shares_of_revenue():
    rows = [(f"c{n}", 0, n % 2) for n in range(50)]
    sent = pd.DataFrame(rows, columns=["customer_id", "order_id", "amount"])
    sent["order_id"] = np.arange(50)
    twice = pd.concat([sent, sent], ignore_index=True)
    twice = twice.assign(return_id=np.arange(100), returned_at=pd.Timestamp(AS_OF))
    answer = shop_of(rows, returns=twice).rfm(playbook="")
    text = all_of(answer)
    fine(text)
    assert text.startswith("**None of the 50 customers are “high-value repeat”.**")
    assert "have bought only once. Nobody had bought by 31 August 2026" in text
    table = answer.cohorts.table
    assert table["Revenue (GBP)"].tolist() == ["-25", "0", "0"]
    assert set(table["Share of revenue"]) == {HIDDEN}


def test_nobody_within_the_days_that_are_scored_is_refused_unless_lines_are_frozen(tmp_path):
    shop = shop_of([(f"c{n % 30}", 500 + n, 5) for n in range(60)])
    with pytest.raises(BadData, match=r"within the days that are scored, so no cut line can be"):
        shop.rfm(playbook="")
    file = tmp_path / "lines.yml"
    file.write_text(yaml.safe_dump(FROZEN | {"method": "quantile"}), encoding="utf-8")
    text = all_of(shop.rfm(playbook="", thresholds=file))
    fine(text)
    assert text.startswith("**Nobody has bought in the last 365 days.**")
    assert "find out whether the orders are complete" in text


@pytest.fixture(scope="module")
def machine():
    """Sixty customers, one who orders each minute, and twenty who never bought."""
    rows = [(f"c{n % 60}", (n * 7) % 300, 5 + n % 7) for n in range(240)]
    rows += [("bot", minute / 1440, 1) for minute in range(100_000)]
    known = pd.DataFrame({"customer_id": ["bot", *(f"c{n}" for n in range(80))]})
    known["signed_up_at"] = pd.Timestamp(AS_OF) - pd.Timedelta(days=310)
    return shop_of(rows, customers=known)


def test_orders_of_each_minute_are_merged_to_days_and_who_never_bought_is_not_counted(machine):
    answer = machine.rfm(playbook="")
    fine(all_of(answer))
    counted = answer.frame.set_index("name")["value"]
    assert counted["segments_customers"] == 61
    assert counted["segments_purchases"] == 240 + 71  # 100,000 minutes are of 71 days
    assert answer.seen.worth.left_out == 1  # who buys each day is in no model


def test_a_single_customer_is_told_nothing_of(machine):
    answer = machine.where("customer_id = 'bot'").rfm(playbook="")
    text = all_of(answer)
    fine(text)
    assert text.startswith("**There are fewer than 10 customers, too few to tell apart.**")
    assert "Only customers with `customer_id = 'bot'` are in this report." in text
    assert answer.frame.empty
    assert answer.ledger.kept == {}
    assert answer.lines.table == Instead("")
    assert {"71", "100,000"}.isdisjoint(NUMBER.findall(text))  # days and orders of the only one


def test_a_condition_that_fits_nobody_is_refused(machine):
    with pytest.raises(BadData, match="No customer of Shop fits"):
        machine.where("customer_id = 'nobody'")
