"""The overview from end to end: a simulated shop, and shops that are small, young or in yen."""

from __future__ import annotations

import datetime as dt
import functools
import html
import json
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
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output
from traitlets.config import Config

from retention_lab.charts import MIME
from retention_lab.charts.cohorts import MEASURES
from retention_lab.checks import BadData
from retention_lab.record import SMALL
from retention_lab.record.ledger import MIME as RESULTS
from retention_lab.reports import figures, kernel
from retention_lab.reports import page as report
from retention_lab.tables import snapshot
from retention_lab.tables.simulator import simulate

NOTEBOOK = Path(__file__).parents[1] / "notebooks" / "10_retention_overview.ipynb"
DATA = Path(__file__).parents[1] / "data"
DEMO_SOURCE = DATA / "sources" / "demo.yml"
AS_OF = dt.date(2026, 11, 29)
# The cells of the notebook that these tests speak of.
ANSWER, BY_MONTH, EARLY, STEPS, GROUPS, BESIDE, REVENUE = (
    *("c11", "c13", "c15", "c17", "c19", "c23", "c25"),
)
OWN, REPURCHASE, ACTIVE, CALENDAR, CLOCK = "c27", "c29", "c31", "c33", "c35"
CHANGED, LEFT_OUT, MEANING = "c37", "c39", "c41"
# These draw and record nothing, so pages that are asked for no picture leave them out.
DRAWN = (BY_MONTH, EARLY, REVENUE, CALENDAR, CLOCK, LEFT_OUT)


@dataclass(frozen=True)
class Page:
    """What the notebook showed, in order: (cell id, MIME bundle)."""

    shown: list[tuple[str, dict[str, object]]]

    def texts(self, cell: str = "") -> str:
        found = [
            data["text/markdown"]
            for shown_by, data in self.shown
            if "text/markdown" in data and cell in ("", shown_by)
        ]
        return "\n".join(found)

    @property
    def charts(self) -> dict[str, list[dict]]:
        found = {}
        for cell, data in self.shown:
            if MIME in data:
                found.setdefault(cell, []).append(data[MIME])
        return found

    @property
    def tables(self) -> dict[str, str]:
        return {cell: data["text/html"] for cell, data in self.shown if "text/html" in data}

    @property
    def results(self) -> dict[str, dict]:
        ledger = next(data[RESULTS] for _, data in self.shown if RESULTS in data)
        return {result["name"]: result for result in ledger["results"]}


@pytest.fixture(scope="module")
def shell():
    """One interpreter for all pages of this file; starting a kernel for each takes seconds."""
    config = Config()
    config.HistoryManager.enabled = False
    InteractiveShell.clear_instance()
    yield InteractiveShell.instance(config=config)
    InteractiveShell.clear_instance()


@pytest.fixture(scope="module")
def run(shell):
    """Run a notebook's cells with parameters; the first refusal or error is raised."""

    def run(*, notebook=NOTEBOOK, without=(), **parameters):
        shell.reset(new_session=False)
        shown = []
        for cell in nbformat.read(notebook, as_version=4).cells:
            if cell.cell_type != "code" or cell.id in without:
                continue
            with capture_output() as captured:
                result = shell.run_cell(cell.source, store_history=False)
            result.raise_error()
            assert captured.stderr == ""
            shown += [(cell.id, output.data) for output in captured.outputs]
            if result.result is not None:
                shown.append((cell.id, shell.display_formatter.format(result.result)[0]))
            if "parameters" in cell.metadata.get("tags", []):
                shell.user_ns.update(parameters)
        return Page(shown)

    return run


def shop_of(folder, rows, *, complete_to=None, currency="GBP", returns=None):
    """Write orders of (customer, ISO day, amount) as CSV with the source file that maps them."""
    orders = pd.DataFrame(rows, columns=["customer", "day", "amount"])
    orders.rename_axis("number").reset_index().to_csv(folder / "orders.csv", index=False)
    columns = {"order_id": "number", "customer_id": "customer", "ordered_at": "day"}
    tables = {"orders": {"rows": "orders.csv", "columns": columns | {"amount": "amount"}}}
    if returns is not None:
        returned = pd.DataFrame(returns, columns=["order", "customer", "day", "amount"])
        returned.rename_axis("number").reset_index().to_csv(folder / "returns.csv", index=False)
        columns = {"return_id": "number", "order_id": "order", "customer_id": "customer"}
        columns |= {"returned_at": "day", "amount": "amount"}
        tables["returns"] = {"rows": "returns.csv", "columns": columns}
    source = {"name": "Corner shop", "time_zone": "UTC", "currency": currency, "tables": tables}
    if complete_to:
        source["complete_to"] = complete_to
    file = folder / "shop.yml"
    file.write_text(yaml.safe_dump(source), encoding="utf-8")
    return str(file)


def steady(*, customers, days, until=AS_OF, again=0.5, seed=1):
    """Draw customers who join evenly over the last `days` days and come back with a chance."""
    rng = np.random.default_rng(seed)
    rows = []
    for number, joined in enumerate(np.linspace(0, days - 1, customers).astype(int)):
        bought = [int(joined)]
        while rng.random() < again and bought[-1] < days - 1:
            bought.append(bought[-1] + int(rng.integers(1, 120)))
        first = until - dt.timedelta(days=days - 1)
        rows += [
            (f"c{number}", (first + dt.timedelta(days=day)).isoformat(), int(rng.integers(5, 90)))
            for day in bought
            if day < days
        ]
    return rows


def everything(page):
    """All that a reader reads: sentences, tables and the words of the charts."""
    words = [
        text
        for specs in page.charts.values()
        for spec in specs
        for text in (spec["description"], spec["usermeta"]["caption"])
    ]
    text = "\n".join([page.texts(), *page.tables.values(), *words])
    return text.translate(
        str.maketrans({"\N{NO-BREAK SPACE}": " ", "\N{RIGHT SINGLE QUOTATION MARK}": "'"})
    )


def watched(folder):
    """Write own metrics, one of them of a table that few shops have and one over nothing."""
    expressions = {
        "basket": ("money", "sum(orders.amount) / count(orders.order_id)"),
        "sold": ("money", "sum(orders.amount)"),
        "refunded": ("share", "sum(returns.amount) / sum(orders.amount)"),
        "dear": (
            "share",
            "count(orders.order_id) / count(*) filter (where orders.amount > 1000000000)",
        ),
    }
    about = {"better": "higher", "owner": "Shop", "review_by": dt.date(2026, 12, 31)}
    metrics = [
        {"name": name, "label": name.capitalize(), "unit": unit, "sql": sql} | about
        for name, (unit, sql) in expressions.items()
    ]
    (folder / "metrics.yml").write_text(yaml.safe_dump({"metrics": metrics}))
    return str(folder / "metrics.yml")


def noted(folder):
    """Write what happened: a sale in August, and one on the day after the report."""
    about = {"kind": "promotion"}
    sales = [
        {"date": dt.date(2026, 8, 3), "until": dt.date(2026, 8, 9), "label": "Summer sale"} | about,
        {"date": AS_OF + dt.timedelta(days=1), "label": "Winter sale"} | about,
    ]
    (folder / "annotations.yml").write_text(yaml.safe_dump({"annotations": sales}))
    return str(folder / "annotations.yml")


YEAR = steady(customers=400, days=400)
EARLY_LEAVERS = steady(customers=200, days=200, until=dt.date(2025, 3, 1))
SHOPS = {
    "one order": ({"rows": [("a", "2026-11-29", 12)]}, {}),
    "one order of long ago": (
        {"rows": [("a", "2024-03-05", 12)], "complete_to": "2026-11-29"},
        {},
    ),
    "thirty days": ({"rows": steady(customers=300, days=30)}, {}),
    "a hundred days": ({"rows": steady(customers=300, days=100)}, {}),
    "one-time buyers": ({"rows": steady(customers=400, days=400, again=0)}, {}),
    "nobody since": ({"rows": EARLY_LEAVERS, "complete_to": "2026-11-29"}, {}),
    "yen and returns": (
        {"rows": YEAR, "currency": "JPY", "returns": [(0, "c0", "2026-11-20", 7)]},
        {},
    ),
    "three customers": ({"rows": YEAR}, {"where": "customer_id in ('c399', 'c398', 'c397')"}),
    "those who joined first, free of charge": (
        {"rows": [(who, day, 0) for who, day, _ in YEAR]},
        {"where": "signed_up_at < '2026-01-01'"},
    ),
}


@pytest.fixture(scope="module")
def asked(tmp_path_factory):
    """Write each shop of `SHOPS` once, and give the parameters of its page."""

    @functools.cache
    def asked(name):
        shop, parameters = SHOPS[name]
        folder = tmp_path_factory.mktemp("shop")
        own = {"metrics": watched(folder), "annotations": noted(folder)}
        return {"source": shop_of(folder, **shop), "as_of": AS_OF.isoformat(), **own, **parameters}

    return asked


@pytest.fixture(scope="module")
def page_of(run, asked):
    """Run the notebook once for each shop of `SHOPS`."""
    return functools.cache(lambda name: run(**asked(name)))


def test_runner_gets_the_page_that_the_cells_give(page_of, asked):
    page = page_of("a hundred days")
    shown = [
        output.data
        for cell in in_a_kernel(asked("a hundred days")).cells
        for output in cell.get("outputs", [])
        if "data" in output
    ]
    texts = [data["text/markdown"] for data in shown if "text/markdown" in data]
    assert "\n".join(texts) == page.texts()
    assert len([data for data in shown if MIME in data]) == sum(map(len, page.charts.values())) > 5
    (ledger,) = (data[RESULTS] for data in shown if RESULTS in data)
    assert {result["name"]: result for result in ledger["results"]} == page.results != {}
    assert texts[0].startswith(f"## {ledger['headline']}\n")


def in_a_kernel(parameters):
    """Execute the notebook as the runner does, in a kernel of its own."""
    told = {"parameters": parameters, "cell_seconds": 300, "deadline": time.monotonic() + 600}
    with kernel.surroundings({}):
        return kernel.execute(NOTEBOOK, **told, watch=lambda *_: None)


@pytest.mark.parametrize("name", SHOPS)
def test_page_of_any_shop_has_no_gaps_and_no_bad_grammar(name, page_of):
    text = everything(page_of(name))
    assert re.findall(r"\b(?:nan|None|NaT|<NA>|inf)\b", text.replace("None of", "")) == []
    assert re.findall(r"(?<![\d,.])1 (?:customers|cohorts|rows|days|orders|months)\b", text) == []
    assert re.findall(r"\b(?:significant|hazard|driver|p =)", text, re.IGNORECASE) == []
    assert "  " not in page_of(name).texts()


@pytest.mark.parametrize("name", SHOPS)
def test_charts_of_any_shop_can_be_published_and_its_results_compared(name, page_of):
    page = page_of(name)
    for cell, specs in page.charts.items():
        for spec in specs:
            assert "<svg" in figures.figure(spec, number=1, where=cell)
    json.dumps(page.results, allow_nan=False)
    for result in page.results.values():
        assert result["n"] is None or result["n"] >= SMALL


def test_page_of_one_order_says_what_it_cannot_say(page_of):
    page = page_of("one order")
    assert page.results == {}
    assert (
        page.texts()
        == """\
## It is too early to say how many new customers come back.

No month of new customers has been followed for all of 90 days yet.

**Do:** nothing yet; November 2026 completes on 28 February 2027.

Orders are complete to Sunday 29 November 2026.
*No picture yet: no month with 10 new customers or more has been followed for 90 days.*
Records begin on 29 November 2026; whoever was a customer before that counts as new on their first \
purchase since, so the first months may hold old customers too.
*No picture yet: no month with 10 new customers or more has been followed for 30 days.*

*Nothing is explained: that takes two periods in each of which 10 customers or more did so, and as \
many did not.*


*Nothing is explained: that takes two periods in each of which 10 customers or more did so, and as \
many did not.*

*The records hold 1 day, fewer than the 90 of a period.*
A customer retention rate over 90 days needs 180 days of records; these hold 1.

Fewer than 10 customers have bought on two days or more, or on one alone, too few for a repeat \
purchase rate.
*No picture: in no month did 10 customers or more buy.*
*None of the own metrics can be shown.*
- Basket: not shown, as it needs records from 2026-09-01 on, and they begin on 2026-11-29.
- Sold: not shown, as it needs records from 2026-09-01 on, and they begin on 2026-11-29.
- Refunded: not shown, as Corner shop has no returns.
- Dear: not shown, as it needs records from 2026-09-01 on, and they begin on 2026-11-29.
*No picture yet: fewer than 10 customers were followed for a day.*
Fewer than 10 customers have been followed for a day or more, or have bought again since, too few \
to say how long the second purchase takes.
*No picture yet: the records do not reach back further than the last tier.*
The records hold 1 day, so nobody can have been away for more than 90.
*No picture yet: no group of 10 new customers or more has reached a calendar month after its first.*

*No picture yet: no group of 10 new customers or more has reached a 30-day window after its first.*

*This is the first report of this suite, so there is nothing to compare with.*

The one row of orders is used.

The source file states no control totals up to this day, so nothing here was compared with Finance.\
"""
    )


def answer(page):
    return page.texts(ANSWER).replace("\N{RIGHT SINGLE QUOTATION MARK}", "'").split("\n\n")


def test_page_of_one_order_of_long_ago_is_not_about_today(page_of):
    assert answer(page_of("one order of long ago"))[:3] == [
        "## Too few customers joined in March 2024 to say how many come back.",
        "Fewer than 10 customers first bought in March 2024, so no figure is shown.",
        "**Do:** nothing; nobody has first bought since.",
    ]


def test_page_of_thirty_days_claims_no_period_and_nobody_away(page_of):
    page = page_of("thirty days")
    assert set(page.results) == {"repeat_rate", "bought_again_by", "median_days_completed"}
    text = everything(page)
    assert "The records hold 30 days, fewer than the 90 of a period." in text
    assert "Bought again within 29 days: " in text
    assert "The records hold 30 days, so nobody can have been away for more than 90." in text
    assert ACTIVE not in page.charts


def test_page_of_a_hundred_days_warns_that_its_new_customers_may_be_old_ones(page_of):
    page = page_of("a hundred days")
    assert answer(page)[0].startswith("## About ")
    assert "Records begin only on 22 August 2026, so some of these customers" in answer(page)[1]
    assert "not shown" in page.tables[BESIDE]
    assert "active_share_before" not in page.results


def test_page_of_one_time_buyers_says_that_none_came_back(page_of):
    page = page_of("one-time buyers")
    assert answer(page)[0] == "## None of August 2026's new customers came back within 90 days."
    assert "None of the 400 customers (0.0 %" in everything(page)
    assert "so there is no median" in everything(page)
    assert page.results["retention_rate"]["high"] > 0


def test_page_of_a_shop_that_nobody_has_joined_for_long_shows_no_recent_period(page_of):
    page = page_of("nobody since")
    text = everything(page)
    assert "**Do:** nothing; nobody has first bought since." in text
    assert "Too few customers bought in the 90 days to 29 November 2026." in text
    assert "None of the 200 customers (0.0 %, 0.0 to 1.9) last bought at most 90 days ago" in text
    assert "revenue" not in page.results


def test_page_in_yen_has_no_decimals(page_of):
    page = page_of("yen and returns")
    total = sum(amount for _, _, amount in YEAR)
    assert f"{total:,}<" in page.tables[LEFT_OUT]
    assert "<th>returns</th>" in page.tables[LEFT_OUT]
    assert page.results["revenue"]["text"].startswith("¥")
    assert re.search(r"¥[\d,]*\.\d", everything(page)) is None


def test_page_of_a_few_chosen_customers_shows_no_figure_of_theirs(page_of):
    page = page_of("three customers")
    assert page.results == {}
    assert list(page.charts) == [LEFT_OUT]  # what was left out is of the whole source
    assert "Only customers with `customer_id in ('c399', 'c398', 'c397')` are in" in page.texts()
    assert "These counts are of the whole source, before customers were chosen." in page.texts()


def test_page_of_customers_who_joined_first_knows_that_more_joined_later(page_of):
    page = page_of("those who joined first, free of charge")
    assert "nobody has first bought since" in page.texts(ANSWER)
    assert page.results["repeat_rate"]["n"] == len(
        {who for who, day, _ in YEAR if day < "2026-01-01"}
    )


def test_page_of_customers_who_never_bought_is_refused(run, tmp_path):
    file = shop_of(tmp_path, YEAR)
    with pytest.raises(BadData, match="No customer of Corner shop fits"):
        run(source=file, as_of=AS_OF.isoformat(), where="customer_id = 'nobody'")


# --- the simulated shop ---------------------------------------------------------------------------


TABLES = ("customers", "orders", "order_lines", "returns")  # others, the page does not read


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """The source file of the demo over a smaller shop of the same kind."""
    folder = tmp_path_factory.mktemp("data")
    simulate(folder / "demo", customers=3_000, days=500)
    told = yaml.safe_load(DEMO_SOURCE.read_text(encoding="utf-8"))
    told["tables"] = {name: told["tables"][name] for name in TABLES}
    source = folder / "sources" / "demo.yml"
    source.parent.mkdir()
    source.write_text(yaml.safe_dump(told, sort_keys=False), encoding="utf-8")
    return {
        "source": str(source),
        "as_of": AS_OF.isoformat(),
        "metrics": str(DATA / "demo_metrics.yml"),
        "annotations": noted(folder),
    }


@pytest.fixture(scope="module")
def page(run, demo):
    return run(**demo)


def test_demo_draws_every_chart_says_that_it_is_made_up_and_records_all(page):
    assert list(page.charts) == [
        *(BY_MONTH, EARLY, STEPS, GROUPS, REVENUE, REPURCHASE, ACTIVE, CALENDAR, CLOCK, LEFT_OUT)
    ]
    assert "These are made-up customers." in page.texts(ANSWER)
    watched_here = {name for name in page.results if name.startswith(DEMO_METRICS)}
    assert len(watched_here) == 3 * len(DEMO_METRICS)  # now, before, and the change
    why = {name for name in page.results if name.startswith("why_")}
    assert {"why_mix", "why_rate"} <= why
    assert len(page.results) == 26 + len(why | watched_here)
    assert [name for name, result in page.results.items() if result["key"]] == [
        "returned",
        "revenue",
        "retention_rate",
    ]
    recorded = {result["label"] for name, result in page.results.items() if "_before" not in name}
    listed = page.tables[MEANING]
    assert [label for label in recorded if html.escape(label) not in listed] == []


# --- why it moved, and what changed ---------------------------------------------------------------

DEMO_METRICS = ("refund_share", "items_per_order", "coupon_orders", "late_deliveries", "refunds")
PARTS = ("restated", "definition", "restated_or_definition", "later", "mix", "rate")
WEEK_BEFORE = AS_OF - dt.timedelta(days=7)


def told_before(page, file, *, snapshot_name="", **fields):
    """Write what a page said as the results of the week before; all with other `fields`."""
    results = [result | fields for result in page.results.values()]
    report = {
        "as_of": str(WEEK_BEFORE),
        "snapshot": {"name": snapshot_name},
        "notebooks": {"overview": {"results": results}},
    }
    file.write_text(json.dumps(report), encoding="utf-8")
    return f"{file}#overview"


def rows_of(page, cell):
    """The rows of the table of a cell, as texts."""
    rows = bs4.BeautifulSoup(page.tables[cell], "html.parser").select("tbody tr")
    return [[each.get_text() for each in row.find_all(["th", "td"])] for row in rows]


def parts_of(page):
    found = (page.results.get(f"why_{part}") for part in PARTS)
    return [result["value"] for result in found if result]


def steps_add_up(page):
    """The printed steps lead from the first printed figure to the last, but for rounding."""
    rows = rows_of(page, STEPS)
    numbers = [float(figure.replace("%", "")) for _, figure, _ in rows]
    assert numbers[0] + sum(numbers[1:-1]) == pytest.approx(numbers[-1], abs=0.05 * len(numbers))
    assert round(100 * page.results["returned"]["value"], 1) == numbers[-1]
    return numbers[0]


@pytest.fixture(scope="module")
def weeks(run, demo, tmp_path_factory):
    """The demo of the week before, and a folder in which its data may be restated."""
    folder = tmp_path_factory.mktemp("weeks")
    first = run(**demo | {"as_of": str(WEEK_BEFORE)}, without=DRAWN)
    name = snapshot.take(demo["source"], as_of=WEEK_BEFORE).folder.name
    shutil.copytree(Path(demo["source"]).parents[1], folder / "data")
    again = {**demo, "source": str(folder / "data" / "sources" / "demo.yml")}
    return first, told_before(first, folder / "results.json", snapshot_name=name), again


def test_numbers_of_the_sentences_about_why_are_recorded(page):
    said = next(part for part in answer(page) if "joined" in part and "first bought" not in part)
    about = [result for name, result in page.results.items() if name.startswith("why_")]
    known = {
        f"{100 * abs(result[each]):.{digits}f}"
        for result in about
        for each in ("value", "low", "high")
        for digits in (0, 1)
        if result[each] is not None
    }
    total = f"{100 * abs(page.results['returned_change']['value']):.1f}"
    numbers = re.findall(r"\d+\.\d|\d+(?= (?:against|in))", said)
    assert len(numbers) >= 4
    assert set(numbers) <= known | {total, "100"}


def test_parts_of_the_change_add_up_to_it(page):
    change = page.results["returned_change"]["value"]
    assert sum(parts_of(page)) == pytest.approx(change, abs=1e-12)
    assert len(parts_of(page)) == 2
    steps_add_up(page)


def test_what_happens_after_the_report_is_nowhere_on_it(page):
    assert "Winter sale" not in json.dumps([data for _, data in page.shown], default=str)
    assert "When they joined: Summer sale (promotion, 3 to 9 August 2026)." in page.texts(ANSWER)
    for cell in (BY_MONTH, EARLY, REVENUE, LEFT_OUT):
        assert "Summer sale" in json.dumps(page.charts[cell])


def test_own_metrics_stand_in_their_table_in_the_results_and_among_the_definitions(page):
    rows = rows_of(page, OWN)
    assert [row[0] for row in rows] == [page.results[name]["label"] for name in DEMO_METRICS]
    for name, row in zip(DEMO_METRICS, rows, strict=True):
        assert row[1].startswith(page.results[name]["text"])
        assert row[2].startswith(page.results[f"{name}_before"]["text"])
        assert page.results[f"{name}_change"]["text"] in row[3]
        assert html.escape(page.results[name]["definition"]) in page.tables[MEANING]


def test_a_second_report_on_the_same_data_finds_the_month_as_printed(run, weeks):
    first, told, again = weeks
    page = run(**again, previous=told, without=DRAWN)
    assert page.results["returned_before"]["value"] == first.results["returned"]["value"]
    assert parts_of(page)[:2] == [0, 0]  # restated, and defined otherwise
    rows = rows_of(page, STEPS)
    assert [row[0] for row in rows] == [
        "July 2026, as printed",
        "Who joined",
        "What the same kind of people did",
        "August 2026",
    ]
    assert "as printed" not in page.texts(ANSWER)
    assert "Restated" not in page.texts(CHANGED)
    names = [row[0] for row in rows_of(page, CHANGED)]
    assert [name for name in names if "hange of" in name or "customers of" in name] == []


def test_a_second_report_says_what_was_restated_and_its_parts_still_add_up(run, weeks):
    first, told, again = weeks
    file = Path(again["source"]).parents[1] / "demo" / "orders.parquet"
    orders = pd.read_parquet(file)
    when = orders["ordered_at"]
    joined = when.groupby(orders["customer_id"]).transform("min")
    in_july = joined.between("2026-07-02", "2026-07-30")
    soon = (when - joined).dt.days.between(2, 88)
    repeats = orders[in_july & soon].groupby("customer_id")["order_id"].agg(["size", "first"])
    alone = repeats[repeats["size"] == 1]["first"].head(3)  # then these three never returned
    old = orders.loc[joined < "2026-01-01", "customer_id"].iloc[0]
    orders.loc[orders["order_id"].isin(alone), "customer_id"] = old
    returns = file.with_name("returns.parquet")
    theirs = pd.read_parquet(returns)
    theirs[~theirs["order_id"].isin(alone)].to_parquet(returns, index=False)
    orders.to_parquet(file, index=False)

    page = run(**again, previous=told, without=DRAWN)
    was, now = first.results["returned"], page.results["returned_before"]
    assert now["value"] == pytest.approx(was["value"] - 3 / was["n"])
    assert page.results["why_restated"]["value"] == pytest.approx(-3 / was["n"])
    assert (
        f"July 2026 moves from {was['text']} as printed to {now['text']} (data restated since)."
    ) in page.texts(ANSWER)
    assert was["value"] + sum(parts_of(page)) == pytest.approx(page.results["returned"]["value"])
    assert steps_add_up(page) == float(was["text"].replace("%", ""))
    assert "Restated: Returned within 90 days, first bought in July 2026" in page.texts(CHANGED)
    assert "restated: the same days" in page.tables[CHANGED]


def test_a_second_report_with_another_definition_does_not_call_the_data_restated(
    run, demo, weeks, tmp_path
):
    first, *_ = weeks
    otherwise = {"definition": "Otherwise, within 90 days.", "definition_hash": "0" * 12}
    told = told_before(first, tmp_path / "results.json", **otherwise)
    page = run(**demo, previous=told, without=DRAWN)
    assert page.results["why_restated_or_definition"]["value"] == 0
    assert "defined otherwise" in page.texts(CHANGED)
    assert "restated" not in page.texts(CHANGED)
    steps_add_up(page)


@pytest.mark.parametrize(
    ("where", "ahead"), [("country = 'United Kingdom'", False), ("order_days >= 2", True)]
)
def test_a_report_on_some_customers_says_so_and_whether_shares_can_be_compared(
    where, ahead, run, demo, page
):
    everybody, page = page, run(**demo, where=where, without=DRAWN)
    assert f"Only customers with `{where}` are in this report." in page.texts(ANSWER)
    assert ("shares of who came back cannot be compared" in page.texts(ANSWER)) is ahead
    if ahead:  # nearly all who bought twice came back: too few did not
        assert NOTHING in page.texts(STEPS)
    else:
        steps_add_up(page)
    assert page.results["refund_share"]["n"] < everybody.results["refund_share"]["n"]


# What the new blocks say where there is little to say.
NOTHING = (
    "*Nothing is explained: that takes two periods in each of which 10 customers or more did so, "
    "and as many did not.*"
)
NOT_KNOWN = "The data do not tell what kind of people these customers are"


@pytest.mark.parametrize("name", SHOPS)
def test_any_shop_is_explained_or_told_why_not(name, page_of):
    page = page_of(name)
    explained = "why_rate" in page.results
    assert explained is (NOT_KNOWN in page.texts(ANSWER)) is (STEPS in page.charts)
    assert explained is (NOTHING not in page.texts(STEPS))
    assert explained is (name not in NOT_EXPLAINED)
    if explained:
        steps_add_up(page)
        change = page.results["returned_change"]
        ends = [page.results["why_rate"][each] for each in ("value", "low", "high")]
        assert ends == pytest.approx([change[each] for each in ("value", "low", "high")])
    assert "the first report of this suite" in page.texts(CHANGED)


NOT_EXPLAINED = (
    *("one order", "one order of long ago", "thirty days", "a hundred days", "one-time buyers"),
    *("nobody since", "three customers"),
    "those who joined first, free of charge",  # few came back
)


def test_metrics_that_a_shop_cannot_answer_say_why_and_the_others_are_shown(page_of):
    page = page_of("yen and returns")
    assert [row[0] for row in rows_of(page, OWN)] == ["Basket", "Sold", "Refunded", "Dear"]
    assert "Dear: not shown, as there was nothing to divide by" in page.texts(OWN)
    assert "dear" not in page.results
    assert {"basket", "sold"} <= set(page.results)
    assert "Refunded: not shown" in page.texts(OWN)  # few had a return
    bare = page_of("a hundred days")
    assert "Refunded: not shown, as Corner shop has no returns." in bare.texts(OWN).replace(
        "\\", ""
    )
    assert "refunded" not in bare.results
    assert "None of the own metrics can be shown." in page_of("nobody since").texts(OWN)


@pytest.fixture(scope="module")
def executed(demo):
    return in_a_kernel(demo)


@pytest.mark.browser
@pytest.mark.parametrize("width", [1280, 390])
def test_charts_of_the_demo_draw_without_complaint_and_the_triangle_changes(
    width, executed, tmp_path
):
    sync_api = pytest.importorskip("playwright.sync_api")
    facts = report.PageFacts(
        title="Overview",
        suite="Weekly retention",
        as_of=AS_OF,
        source="Demo shop",
        simulated=True,
        owner="Lifecycle team",
        footer={"Run": "7f3a91c2e0d4"},
    )
    file = tmp_path / "page.html"
    file.write_text(report.render(executed, facts=facts), encoding="utf-8")
    flags = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    with sync_api.sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=flags)
        tab = chromium.new_page(viewport={"width": width, "height": 900})
        complaints = []
        tab.on("pageerror", lambda error: complaints.append(str(error)))
        tab.on(
            "console",
            lambda line: line.type in ("error", "warning") and complaints.append(line.text),
        )
        tab.goto(file.as_uri())
        tab.wait_for_function(
            "() => [...document.querySelectorAll('.live')]"
            ".every(live => live.classList.contains('drawn'))"
        )
        triangle = tab.locator(".live", has=tab.locator("select")).first
        seen = []
        for measure in MEASURES:
            triangle.locator("select").select_option(measure)
            tab.wait_for_timeout(300)
            seen.append(triangle.locator("svg").text_content())
        drawn = tab.locator(".live svg").count()
        overflow = tab.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        chromium.close()
    assert complaints == []
    assert drawn == 10
    assert overflow <= 0
    assert len(set(seen)) == len(MEASURES)
