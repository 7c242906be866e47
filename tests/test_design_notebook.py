"""The page that designs a test: a simulated shop, and a shop that knows nothing of the plan."""

from __future__ import annotations

import functools
import math
import re
import shutil

import bs4
import pandas as pd
import pytest

from retention_lab.record.small import few
from retention_lab.tables.simulator import simulate

from . import pages
from .pages import AS_OF, DEMO_SOURCE, HEAVIEST, NUMBER, ROOT, STATISTICS

executed = functools.partial(pages.executed, "40_experiment_design.ipynb", simulated=200)
PLAN = ROOT / "data" / "demo_plan.yml"
DATES = re.compile(r"\d{1,2} [A-Z][a-z]+ \d{4}")
# Of the plan itself, as its title and its errors say them.
OF_THE_PLAN = {"48", "5", "10", "90", "1", "40", "100", "4", "189", "29"}
PICTURES = 9  # arrivals, baseline; effects, calendar, allocation; looks, families; wrong; margins


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    """The source file of the demo over a smaller shop of the same kind."""
    folder = tmp_path_factory.mktemp("data")
    simulate(folder / "demo", customers=3_000)
    source = folder / "sources" / "demo.yml"
    source.parent.mkdir()
    shutil.copy(DEMO_SOURCE, source)
    return executed(source=str(source), as_of=AS_OF.isoformat(), plan=str(PLAN))


@pytest.fixture(scope="module")
def corner(tmp_path_factory):
    """A shop of orders alone."""
    folder = tmp_path_factory.mktemp("shop")
    days = pd.date_range("2026-01-01", AS_OF, periods=120).strftime("%Y-%m-%d")
    rows = pd.DataFrame({"customer": [f"Zoe Quark {n % 40}" for n in range(120)], "day": days})
    rows.assign(amount=5).rename_axis("number").reset_index().to_csv(folder / "rows.csv")
    columns = {"order_id": "number", "customer_id": "customer", "ordered_at": "day"}
    tables = {"orders": {"rows": "rows.csv", "columns": columns | {"amount": "amount"}}}
    return {name: pages.source_of(folder, tables)[name] for name in ("source", "as_of")}


def test_first_screen_says_how_many_for_how_long_and_what_to_decide(page):
    headline, body, decide, known = page.first_screen
    assert re.search(r"takes [\d,]+ customers|we need [\d,]+ customers", headline)
    assert pages.plain(page.ledger["headline"]) == headline.removeprefix("## ")
    assert "The weakest assumption is that" in body
    assert "**Decide** (The retention team, by 10 January 2027): " in decide
    assert "**Do not** " in decide
    assert "made-up customers" in known
    assert not STATISTICS.search("\n".join((headline, body, decide)))


def recorded(number, page):
    """Say whether a number is one that was recorded, in percent and years where people say so."""
    places = len(number.partition(".")[2])
    kept = [one[end] for one in page.results.values() for end in ("value", "low", "high")]
    ways = [each * by for each in kept if each is not None for by in (1, 100, 7 / 365.25)]
    shown = {f"{way:,.{places}f}" for way in ways}
    return number in shown | page.numbers | OF_THE_PLAN


def test_numbers_of_the_first_screen_are_recorded(page):
    headline, body, *_ = page.first_screen
    said = set(NUMBER.findall(DATES.sub("", f"{headline} {body}")))
    assert len(said) > 8
    assert [number for number in said if not recorded(number, page)] == []


def test_results_are_finite_and_every_one_is_defined(page):
    assert {"design_needed", "design_weeks", "believed_baseline"} <= set(page.results)
    for name, result in page.results.items():
        ends = [result[each] for each in ("value", "low", "high") if result[each] is not None]
        assert all(math.isfinite(each) for each in ends), name
        assert not few([result["n"] or 0]).any(), name
    listed = pages.plain(bs4.BeautifulSoup(page.html, "html.parser").get_text())
    assert [one["label"] for one in page.results.values() if one["label"] not in listed] == []


def test_every_picture_has_its_words_and_the_page_is_light(page):
    assert len(page.charts) in (PICTURES - 1, PICTURES)  # no margin is told of few
    for chart in page.charts:
        assert chart["description"]
        assert chart["usermeta"]["caption"]
    assert not re.search(r"\b(?:nan|NaT|<NA>|inf)\b", "\n".join(page.texts))
    assert len(page.html.encode()) < HEAVIEST


def test_shop_that_knows_nothing_of_a_plan_gets_a_page_that_says_so(corner):
    template = ROOT / "experiments" / "templates" / "email_or_sms.yml"
    page = executed(**corner, plan=str(template))
    headline, body, decide, *_ = page.first_screen
    assert "Four times in five" in body  # by the word of the plan alone
    assert "By the plan alone" in body
    assert "**First** mend" in decide
    assert headline.startswith("## ")
    assert "Quark" not in page.html


def test_plan_that_cannot_be_sized_gets_a_page_that_says_what_is_missing(corner, tmp_path):
    bare = re.sub(r"(?m)^  (entry_per_day|baseline): .*\n", "", PLAN.read_text(encoding="utf-8"))
    file = tmp_path / "plan.yml"
    file.write_text(bare.replace("{purchase: 1}", "onboarding_completed"), encoding="utf-8")
    page = executed(**corner, plan=str(file))
    headline, body, decide, *_ = page.first_screen
    assert headline == "## How many customers this test needs cannot be said yet."
    assert "assumptions." in body
    assert "until then the test waits" in decide.lower()
