"""The churn page from end to end: a simulated contract, shops without one, and young ones."""

from __future__ import annotations

import datetime as dt
import functools
import re
import shutil
import time
from dataclasses import dataclass
from pathlib import Path

import bs4
import nbformat
import numpy as np
import pandas as pd
import pytest
import yaml

from retention_lab.charts import MIME
from retention_lab.record import SMALL
from retention_lab.record.ledger import MIME as RESULTS
from retention_lab.reports import figures, kernel
from retention_lab.reports import page as report
from retention_lab.tables.simulator import simulate

NOTEBOOK = Path(__file__).parents[1] / "notebooks" / "20_churn_survival.ipynb"
DEMO_SOURCE = Path(__file__).parents[1] / "data" / "sources" / "demo.yml"
AS_OF = dt.date(2026, 11, 29)
HEAVIEST = 1_200_000  # bytes of a page
STATISTICS = re.compile(r"\bsignificant|\bp\b|hazard|driver|landmark", re.IGNORECASE)


@dataclass(frozen=True)
class Page:
    """The notebook as the runner executed it."""

    notebook: nbformat.NotebookNode

    @functools.cached_property
    def shown(self):
        cells = self.notebook.cells
        outputs = [output for cell in cells for output in cell.get("outputs", [])]
        return [output["data"] for output in outputs if "data" in output]

    @property
    def texts(self):
        found = [data["text/markdown"] for data in self.shown if "text/markdown" in data]
        return [plain(text) for text in found]

    @property
    def charts(self):
        return [data[MIME] for data in self.shown if MIME in data]

    @property
    def ledger(self):
        return next(data[RESULTS] for data in self.shown if RESULTS in data)

    @property
    def results(self):
        return {result["name"]: result for result in self.ledger["results"]}

    @functools.cached_property
    def html(self):
        facts = report.PageFacts(
            title="Who is likely to stay",
            suite="Churn",
            as_of=AS_OF,
            source="Shop",
            simulated=True,
            owner="Customer Success",
            footer={"Run": "7f3a91c2e0d4"},
        )
        return report.render(self.notebook, facts=facts)


def plain(text):
    """Give a text plain spaces and apostrophes."""
    return text.translate({0xA0: " ", 0x2019: "'"})


def executed(**parameters):
    """Run the notebook in a kernel of its own, as a report does."""
    told = {"parameters": parameters, "cell_seconds": 300, "deadline": time.monotonic() + 600}
    with kernel.surroundings({}):
        return Page(kernel.execute(NOTEBOOK, **told, watch=lambda *_: None))


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
    source = {"name": "Corner shop", "time_zone": "UTC", "currency": "GBP", "tables": tables}
    source["complete_to"] = AS_OF
    (folder / "shop.yml").write_text(yaml.safe_dump(source), encoding="utf-8")
    return {"source": str(folder / "shop.yml"), "as_of": AS_OF.isoformat(), "playbook": ""}


SHOPS = {
    "orders of two years": {"customers": 900, "days": 730, "subscribed": False},
    "orders of forty days": {"customers": 200, "days": 40, "subscribed": False},
    "a contract of half a year": {"customers": 400, "days": 180, "subscribed": True},
    "a contract of three customers": {"customers": 3, "days": 180, "subscribed": True},
}


@pytest.fixture(scope="module")
def page_of(tmp_path_factory):
    @functools.cache
    def page_of(name):
        return executed(**shop_of(tmp_path_factory.mktemp("shop"), **SHOPS[name]))

    return page_of


def first_screen(page):
    return page.texts[0].split("\n\n")


def test_demo_says_how_many_will_leave_and_what_to_do(page):
    headline, body, action, known = first_screen(page)
    assert headline.startswith("## We expect to lose about ")
    assert " subscribers by 27 February 2027 (" in headline
    assert plain(page.ledger["headline"]) == headline.removeprefix("## ")
    assert "the same model would have said" in body
    assert action.startswith("**Do** (The retention team, by 6 December 2026): ")
    assert "**Do not** " in action
    assert "made-up customers" in known
    assert not STATISTICS.search("\n".join((headline, body, action)))


def test_numbers_of_the_first_screen_are_recorded(page):
    headline, body, *_ = first_screen(page)
    known = {"7", "10", "90", "100"}
    for result in page.results.values():
        text = plain(f"{result['text']} {result['between']} {result['about']} {result['n']:,}")
        known |= set(re.findall(r"\d[\d,.]*\d|\d", text))
        known |= {f"{100 * result['value']:.0f}" if result["unit"] == "share" else ""}
    until = {"27", "2027"}
    assert set(re.findall(r"\d[\d,.]*\d|\d", f"{headline} {body}")) <= known | until


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
    assert not STATISTICS.search("\n".join(first_screen(page)[:3]))
    for chart in page.charts:
        assert "<svg" in figures.figure(chart, number=1, where=name)
    for result in page.results.values():
        assert result["name"] == "churn_forecasts_held" or result["n"] >= SMALL


def test_orders_alone_are_about_buying_again_and_name_no_causes(page_of):
    page = page_of("orders of two years")
    assert " customers to buy again by " in first_screen(page)[0]
    text = "\n".join(page.texts)
    assert "Without a contract nobody gives notice" in text
    assert "Repeat purchases are compared by attributes" in text


def test_a_young_shop_says_that_it_is_too_early_once(page_of):
    page = page_of("orders of forty days")
    headline, body, action, *_ = first_screen(page)
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
    assert first_screen(page)[0] == "## How many customers will leave cannot be said yet."
