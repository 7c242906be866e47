"""The churn page from end to end: a simulated contract, shops without one, and young ones."""

from __future__ import annotations

import functools
import re
import shutil

import bs4
import numpy as np
import pandas as pd
import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output

from retention_lab.record import SMALL
from retention_lab.reports import figures
from retention_lab.tables.simulator import simulate

from . import pages
from .pages import AS_OF, DEMO_SOURCE, HEAVIEST, NUMBER, STATISTICS, plain
from .test_overview_notebook import run, shell  # noqa: F401  fixtures

NOTEBOOK = "20_churn_survival.ipynb"
executed = functools.partial(pages.executed, NOTEBOOK)


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """The source file of the demo over a smaller shop of the same kind."""
    folder = tmp_path_factory.mktemp("data")
    simulate(folder / "demo", customers=3_000, days=500)
    source = folder / "sources" / "demo.yml"
    source.parent.mkdir()
    shutil.copy(DEMO_SOURCE, source)
    return {"source": str(source), "as_of": AS_OF.isoformat(), "playbook": ""}


@pytest.fixture(scope="module")
def page(demo):
    return executed(**demo)


def shop_of(folder, *, customers, days, subscribed):
    """Write a young shop of customers who buy, or subscribe, at random, and its source file."""
    rng = np.random.default_rng(5)
    first = pd.Timestamp(AS_OF) - pd.Timedelta(days=days - 1)
    began = np.sort(rng.integers(0, days, customers))
    began[-1] = days - 1  # so that the records reach the last day
    after = began + rng.integers(1, 2 * days, customers)
    at = [(first + pd.to_timedelta(each, unit="D")).strftime("%Y-%m-%d") for each in (began, after)]
    frame = pd.DataFrame({"customer": [f"c{n}" for n in range(customers)], "from": at[0]})
    if subscribed:
        frame["to"] = np.where(after < days, at[1], "")
        columns = {"customer_id": "customer", "started_at": "from", "cancelled_at": "to"}
        tables = {"subscriptions": {"rows": "rows.csv", "columns": columns}}
    else:
        bought = [np.cumsum([day, *rng.exponential(days / 5, 30)]) for day in began]
        rows = [(f"c{n}", day) for n, row in enumerate(bought) for day in row if day < days]
        frame = pd.DataFrame(rows, columns=["customer", "day"]).rename_axis("number").reset_index()
        frame["from"] = (first + pd.to_timedelta(frame.pop("day"), unit="D")).dt.strftime(
            "%Y-%m-%d"
        )
        frame["amount"] = 5
        columns = {"order_id": "number", "customer_id": "customer", "ordered_at": "from"}
        tables = {"orders": {"rows": "rows.csv", "columns": columns | {"amount": "amount"}}}
    frame.to_csv(folder / "rows.csv", index=False)
    return pages.source_of(folder, tables)


SHOPS = {
    "orders of two years": {"customers": 900, "days": 730, "subscribed": False},
    "orders of forty days": {"customers": 200, "days": 40, "subscribed": False},
    "a contract of half a year": {"customers": 400, "days": 180, "subscribed": True},
    "a contract of three customers": {"customers": 3, "days": 180, "subscribed": True},
}


@pytest.fixture(scope="module")
def page_of(run, tmp_path_factory):  # noqa: F811  a fixture
    """Run the notebook once for each shop, all in this process: a kernel takes seconds to start."""

    @functools.cache
    def page_of(name):
        told = shop_of(tmp_path_factory.mktemp("shop"), **SHOPS[name])
        shown = run(notebook=pages.ROOT / "notebooks" / NOTEBOOK, **told).shown
        outputs = [new_output("display_data", data=data) for _, data in shown]
        return pages.Page(new_notebook(cells=[new_code_cell("", outputs=outputs)]))

    return page_of


def test_demo_says_how_many_will_leave_and_what_to_do(page):
    headline, body, action, known = page.first_screen
    assert headline.startswith("## We expect to lose about ")
    assert " subscribers by 27 February 2027 (" in headline
    assert plain(page.ledger["headline"]) == headline.removeprefix("## ")
    assert "the same model would have said" in body
    assert action.startswith("**Do** (The retention team, by 6 December 2026): ")
    assert "**Do not** " in action
    assert "made-up customers" in known
    assert not STATISTICS.search("\n".join((headline, body, action)))


def test_numbers_of_the_first_screen_are_recorded(page):
    headline, body, *_ = page.first_screen
    until = {"27", "2027"}
    known = {"7", "10", "90", "100"} | until | page.numbers
    assert set(NUMBER.findall(f"{headline} {body}")) <= known


def test_demo_draws_every_picture_and_defines_every_result(page):
    # Curves twice, causes; ratios twice; past forecasts, calibration; allocation; lost; repeat.
    assert len(page.charts) == 11
    listed = bs4.BeautifulSoup(page.html, "html.parser").get_text()
    recorded = [each for name, each in page.results.items() if not name.endswith("_before")]
    assert [each["label"] for each in recorded if each["label"] not in plain(listed)] == []
    assert {"churn_expected", "churn_came", "milestone_reached"} <= set(page.results)


def test_demo_page_is_light(page):
    assert len(page.html.encode()) < HEAVIEST


@pytest.mark.slow
def test_a_second_run_gives_the_same_page(page, demo):
    assert executed(**demo).html == page.html


@pytest.mark.parametrize("name", SHOPS)
def test_page_of_any_shop_has_no_gaps_and_counts_no_few(name, page_of):
    page = page_of(name)
    words = "\n".join([*page.texts, *(chart["description"] for chart in page.charts)])
    assert re.findall(r"\b(?:nan|NaT|<NA>|inf)\b", words) == []
    assert "  " not in "\n".join(page.texts)
    assert not STATISTICS.search("\n".join(page.first_screen[:3]))
    for chart in page.charts:
        assert "<svg" in figures.figure(chart, number=1, where=name)
    for result in page.results.values():
        assert result["name"] == "churn_forecasts_held" or result["n"] >= SMALL


def test_orders_alone_are_about_buying_again_and_name_no_causes(page_of):
    page = page_of("orders of two years")
    assert " customers to buy again by " in page.first_screen[0]
    text = "\n".join(page.texts)
    assert "Without a contract nobody gives notice" in text
    assert "Repeat purchases are compared by attributes" in text


def test_a_young_shop_says_that_it_is_too_early_once(page_of):
    page = page_of("orders of forty days")
    headline, body, action, *_ = page.first_screen
    assert headline == "## How many customers will buy again cannot be said yet."
    assert body.startswith("No forecast of an earlier day can be compared with what came")
    assert action == "**Do:** nothing yet."


def test_a_contract_without_reasons_or_orders_says_so(page_of):
    text = "\n".join(page_of("a contract of half a year").texts)
    assert "The data do not tell why customers left." in text
    assert "the data hold no orders" in text


def test_a_shop_of_three_customers_tells_nothing_of_them(page_of):
    page = page_of("a contract of three customers")
    assert page.results == {}
    assert page.charts == []
    assert page.first_screen[0] == "## How many customers will leave cannot be said yet."
