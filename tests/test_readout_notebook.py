"""The pages that read a test: the demo's own, before its first look, and where nobody is in it."""

from __future__ import annotations

import functools
import math
import re
import shutil

import bs4
import pandas as pd
import pytest

from retention_lab import state as states
from retention_lab.experiments import looks
from retention_lab.record.small import few
from retention_lab.tables.simulator import simulate

from . import pages
from .pages import AS_OF, DEMO_SOURCE, HEAVIEST, NUMBER, ROOT, STATISTICS

read = functools.partial(pages.executed, "41_experiment_readout.ipynb")
stepwise = functools.partial(pages.executed, "42_campaign_test_readout.ipynb")
PLAN = ROOT / "experiments" / "demo_check_in" / "plan.yml"
DATES = re.compile(r"\d{1,2} [A-Z][a-z]+ \d{4}")
OF_THE_PLAN = {"48", "90", "100", "0.35"}  # as its title, its endpoint and its costs say
PICTURES = 6  # effect, curves; looks; guardrails, secondaries; segments


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """The source file of the demo over the demo's own shop, and a state that remembers nothing."""
    folder = tmp_path_factory.mktemp("data")
    simulate(folder / "demo")
    source = folder / "sources" / "demo.yml"
    source.parent.mkdir()
    shutil.copy(DEMO_SOURCE, source)
    state = folder / "state"
    return {"source": str(source), "plan": str(PLAN), "ledgers": str(state)}


@pytest.fixture(scope="module")
def page(demo):
    return read(**demo, as_of=AS_OF.isoformat())


@pytest.fixture(scope="module")
def steps(demo):
    return stepwise(**demo, as_of=AS_OF.isoformat())


@pytest.fixture(params=["page", "steps"])
def either(request):
    return request.getfixturevalue(request.param)


def taken(demo):
    state = states.opened(states.found(demo["ledgers"]))
    return looks.taken(state, source="Demo shop", experiment="demo_check_in")


def test_first_screen_says_what_the_test_did_and_what_to_do(either):
    headline, body, *_, do, known = either.first_screen
    assert "keeps about 5 more customers in 100" in headline
    assert pages.plain(either.ledger["headline"]) == headline.removeprefix("## ")
    assert "All validity checks passed" in body
    assert re.search(r"\+5\.2 points \(\+1\.5 to \+8\.9\)", body)
    assert "**Do** (The retention team, by 6 December 2026): " in do
    assert "**Do not** " in do
    assert "made-up customers" in known
    assert not STATISTICS.search("\n".join(either.first_screen))


def recorded(number, page):
    """Say whether a number is one that was recorded, in percent where people say so."""
    places = len(number.partition(".")[2])
    kept = [one[end] for one in page.results.values() for end in ("value", "low", "high")]
    ways = [abs(each) * by for each in kept if each is not None for by in (1, 100)]
    return number in {f"{way:,.{places}f}" for way in ways} | page.numbers | OF_THE_PLAN


def test_numbers_of_the_first_screen_are_recorded(page):
    headline, body, *_ = page.first_screen
    said = set(NUMBER.findall(DATES.sub("", f"{headline} {body}")))
    assert len(said) > 8
    # Yearly money is rounded to two digits, and chances are said as "1 in so many".
    rounded = re.findall(r"£[\d,]+00\b|1 in \d+|passed \(\d+\)|£31\b", body)
    free = {each for text in rounded for each in NUMBER.findall(text)}
    assert [number for number in said - free if not recorded(number, page)] == []


def test_results_are_finite_and_every_one_is_defined(either):
    for name, result in either.results.items():
        ends = [result[each] for each in ("value", "low", "high") if result[each] is not None]
        assert all(math.isfinite(each) for each in ends), name
        assert not few([result["n"] or 0]).any(), name
    listed = pages.plain(bs4.BeautifulSoup(either.html, "html.parser").get_text())
    assert [one["label"] for one in either.results.values() if one["label"] not in listed] == []


def test_every_picture_has_its_words_and_the_page_is_light(page, steps):
    assert len(page.charts) == PICTURES
    assert len(steps.charts) == 1
    for each in (page, steps):
        for chart in each.charts:
            assert chart["description"]
            assert chart["usermeta"]["caption"]
        assert not re.search(r"\b(?:nan|NaT|<NA>|inf)\b", "\n".join(each.texts))
        assert len(each.html.encode()) < HEAVIEST


def test_both_pages_take_one_look_and_again_is_the_same_look(demo, page, steps):
    before = taken(demo)
    assert before["look"].tolist() == [1]
    again = read(**demo, as_of=AS_OF.isoformat())
    assert again.html == page.html
    pd.testing.assert_frame_equal(taken(demo), before)
    assert steps.first_screen[0] == page.first_screen[0]


def test_before_the_first_look_no_number_is_shown(demo, tmp_path):
    told = demo | {"ledgers": str(tmp_path / "state")}
    page = read(**told, as_of="2025-12-01")
    headline, body, *_ = page.first_screen
    assert "No number of the effect is shown, on purpose" in f"{headline} {body}"
    [bounds] = page.charts  # what would stop the test, and nothing of what it did
    assert bounds["usermeta"]["caption"].startswith("What stops the test at each look")
    assert not [name for name in page.results if "effect" in name]
    assert taken(told).empty


def test_shop_where_nobody_is_in_the_test_gets_a_page_that_says_so(tmp_path):
    days = pd.date_range("2026-01-01", AS_OF, periods=120).strftime("%Y-%m-%d")
    rows = pd.DataFrame({"customer": [f"Zoe Quark {n % 40}" for n in range(120)], "day": days})
    rows.assign(amount=5).rename_axis("number").reset_index().to_csv(tmp_path / "rows.csv")
    columns = {"order_id": "number", "customer_id": "customer", "ordered_at": "day"}
    tables = {"orders": {"rows": "rows.csv", "columns": columns | {"amount": "amount"}}}
    told = pages.source_of(tmp_path, tables)
    told = {name: told[name] for name in ("source", "as_of")}
    page = read(**told, plan=str(PLAN), ledgers=str(tmp_path / "state"))
    assert "Nobody has entered this test" in page.first_screen[0]
    assert not page.charts
    assert "Quark" not in page.html
