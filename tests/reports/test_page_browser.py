"""What only a browser can tell: that the page draws, asks for nothing and fits a telephone."""

from __future__ import annotations

import dataclasses
import datetime as dt
import re
import shutil
from importlib import resources
from urllib.parse import quote

import altair as alt
import pandas as pd
import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output

from retention_lab.reports import catalogue, page
from retention_lab.reports.brand import Brand
from retention_lab.reports.catalogue import Due, Entry
from retention_lab.reports.history import Point, Series

sync_api = pytest.importorskip("playwright.sync_api")
CHROMIUM = shutil.which("chromium")
FLAGS = [
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync", "--no-first-run"),
]
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="needs a chromium on the path"),
]


@pytest.fixture(scope="module")
def browser():
    with sync_api.sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture
def opened(browser, tmp_path):
    """Open a page; the tab keeps what it asked for and what it complained about."""
    contexts = []

    def make(html, *, width=1280, scripts=True, state="", before=""):
        file = tmp_path / "page.html"
        file.write_text(html, encoding="utf-8")
        contexts.append(
            browser.new_context(
                viewport={"width": width, "height": 900}, java_script_enabled=scripts
            )
        )
        tab = contexts[-1].new_page()
        tab.asked, tab.complaints = [], []
        tab.on("request", lambda request: tab.asked.append(request.url))
        tab.on("console", lambda line: line.type == "error" and tab.complaints.append(line.text))
        tab.on("pageerror", lambda error: tab.complaints.append(str(error)))
        tab.add_init_script(before)
        tab.goto(file.as_uri() + state)
        return tab

    yield make
    for context in contexts:
        context.close()


@pytest.fixture
def visit(opened, facts):
    """Open a notebook's page and wait until its charts are drawn."""

    def make(notebook, *, scripts=True, before="", **settings):
        html = page.render(notebook, facts=facts)
        tab = opened(html, scripts=scripts, before=before, **settings)
        if scripts and not before:
            tab.wait_for_function(
                "() => [...document.querySelectorAll('.live')]"
                ".every(live => live.classList.contains('drawn'))"
            )
        return tab

    return make


def test_page_draws_every_chart_and_asks_the_network_for_nothing(visit, notebook):
    tab = visit(notebook)
    assert tab.locator(".live svg").count() == 3
    assert tab.locator(".static svg").first.is_hidden()
    assert [url for url in tab.asked if not url.startswith(("file:", "data:", "blob:"))] == []
    assert tab.complaints == []


def test_hostile_words_do_not_run(visit, hostile):
    tab = visit(hostile)
    assert tab.evaluate("window.hacked") is None
    assert [url for url in tab.asked if not url.startswith(("file:", "data:", "blob:"))] == []
    assert tab.complaints == []
    assert tab.locator(".live svg").count() == 4


def test_logo_that_holds_a_script_is_a_mere_picture(opened, notebook, facts):
    svg = "<svg xmlns='http://www.w3.org/2000/svg' onload='parent.hacked=1' width='9' height='9'>"
    svg += "<script>top.hacked=1</script><image href='https://example.org/x.png'/></svg>"
    made = Brand(name="Northwind", logo=f"data:image/svg+xml,{quote(svg)}")
    tab = opened(page.render(notebook, facts=dataclasses.replace(facts, brand=made)))
    assert tab.get_by_role("img", name="Northwind").bounding_box()["height"] == 9
    assert tab.evaluate("window.hacked") is None
    assert [url for url in tab.asked if not url.startswith(("file:", "data:", "blob:"))] == []


def test_charts_are_seen_without_scripts(visit, notebook):
    tab = visit(notebook, scripts=False)
    pictures = tab.locator(".static svg")
    assert pictures.count() == 3
    assert all(pictures.nth(place).is_visible() for place in range(3))


@pytest.mark.parametrize("scripts", [True, False])
def test_page_does_not_scroll_sideways_on_a_telephone(visit, hostile, scripts):
    tab = visit(hostile, width=360, scripts=scripts)
    tab.mouse.move(180, 400)
    tab.mouse.wheel(500, 0)
    tab.wait_for_timeout(200)
    picture = tab.locator(".live svg" if scripts else ".static svg").first.bounding_box()
    assert tab.locator("body").bounding_box()["x"] == 0
    assert tab.locator("body").bounding_box()["width"] == 360
    assert picture["x"] + picture["width"] <= 360


def test_contents_lead_to_their_sections_and_are_easy_to_hit(visit, notebook):
    tab = visit(notebook, width=390)
    links = tab.locator("nav a")
    assert all(links.nth(place).bounding_box()["height"] >= 24 for place in range(links.count()))
    tab.get_by_role("link", name="What did people say?").click()
    heading = tab.get_by_role("heading", name="What did people say?")
    assert 0 <= heading.bounding_box()["y"] < 900


def test_data_of_a_chart_can_be_saved(visit, notebook):
    tab = visit(notebook)
    tab.locator("summary", has_text="Data").first.click()
    with tab.expect_download() as saved:
        tab.get_by_role("link", name="Download the data of figure 1").click()
    assert saved.value.suggested_filename == "figure-1.csv"
    assert saved.value.path().read_text(encoding="utf-8-sig").startswith("First bought in,Share")


def test_live_chart_fills_the_width_it_has(visit, notebook):
    tab = visit(notebook, width=390)
    box = tab.locator(".live svg").first.bounding_box()
    assert box["width"] == pytest.approx(390 - 2 * 16, abs=2)


def test_charts_are_seen_where_the_browser_cannot_unpack(visit, notebook):
    tab = visit(notebook, before="delete window.DecompressionStream")
    assert tab.locator(".static svg").first.is_visible()
    assert tab.locator(".live svg").count() == 0
    assert tab.complaints == []


@pytest.fixture
def controlled():
    """Two charts, the second with every control that a reader can set."""
    frame = pd.DataFrame(
        {"day": [1, 2, 3, 4], "who": ["new", "back", "new", "back"], "n": [4, 3, 2, 1]}
    )
    dots = alt.Chart(frame).mark_point(size=200).properties(description="Dots.")
    measure = alt.param(
        name="measure", value="n", bind=alt.binding_select(options=["n", "day"], name="Show ")
    )
    least = alt.param(name="least", value=1, bind=alt.binding_range(min=1, max=4, name="Least "))
    large = alt.param(name="large", value=False, bind=alt.binding_checkbox(name="Large "))
    legend = alt.selection_point(name="group", fields=["who"], bind="legend")
    one = alt.selection_point(
        name="one",
        fields=["who"],
        bind=alt.binding_select(
            options=[None, "new", "back"], labels=["all", "new", "back"], name="Only "
        ),
    )
    chart = (
        dots.transform_calculate(y="datum[measure]")
        .transform_filter("datum.day >= least")
        .encode(
            x="day:Q",
            y="y:Q",
            color="who:N",
            size=alt.condition("large", alt.value(400), alt.value(50)),
            opacity=alt.condition(legend, alt.value(1), alt.value(0.2)),
            shape=alt.condition(one, alt.value("circle"), alt.value("cross")),
        )
        .add_params(measure, least, large, legend, one)
    )
    outputs = [
        new_output("display_data", data={page.CHART: each.to_dict()})
        for each in (dots.encode(x="day:Q"), chart)
    ]
    return new_notebook(cells=[new_code_cell("show()", outputs=outputs)])


def picture(tab):
    """Return what is drawn, but for where in its frame: Vega keeps the margin it had before."""
    drawn = tab.locator("#figure-2 .live svg").inner_html()
    return re.sub(r"translate\([^)]*\)", "", drawn, count=1)


def state_of(tab):
    return tab.evaluate("location.hash")


def test_what_a_reader_sets_can_be_linked(visit, controlled):
    tab = visit(controlled)
    untouched = picture(tab)
    live = tab.locator("#figure-2")
    assert live.get_by_label("Show").input_value() == "n"
    live.get_by_label("Show").select_option("day")
    live.get_by_label("Least").fill("2")
    live.get_by_label("Large").check()
    live.get_by_label("Only").select_option("back")
    live.locator(".role-legend-symbol path").last.click()
    tab.wait_for_function("() => location.hash.includes('group')")
    told = state_of(tab)
    assert told == "#f2.group.who=new&f2.large=true&f2.least=2&f2.measure=day&f2.one.who=back"
    seen = picture(tab)
    again = visit(controlled, state=told)
    assert state_of(again) == told
    assert picture(again) == seen != untouched
    assert again.locator("#figure-2").get_by_label("Show").input_value() == "day"
    assert again.complaints == []


@pytest.mark.parametrize(
    "state",
    [
        "#f2.measure=constructor",
        "#f2.measure=%3Cimg+src=x+onerror=hacked()%3E",
        "#f2.least=99&f2.large=yes",
        "#f2.least=datum.constructor.constructor('window.hacked=1')()",
        "#f2.group.who=neither&f2.one.who=nobody",
        "#f2.__proto__.value=1&__proto__[value]=1&f9.measure=day",
        "#f2.group.__proto__=new&f1.measure=day",
        "#%&%E0%A4%A",
    ],
)
def test_forged_state_changes_nothing(visit, controlled, state):
    tab = visit(controlled, state=state)
    assert picture(tab) == picture(visit(controlled))
    assert tab.evaluate("window.hacked") is None
    assert tab.evaluate("({}).value") is None
    assert tab.complaints == []


def test_view_that_is_followed_on_the_same_page_is_shown(visit, controlled):
    tab = visit(controlled)
    tab.evaluate("location.hash = 'f2.measure=day'")
    tab.wait_for_function(
        "() => [...document.querySelectorAll('.drawn select')].some(each => each.value === 'day')"
    )


def test_section_that_is_linked_is_still_found(visit, notebook):
    tab = visit(notebook, state="#section-4")
    assert 0 <= tab.locator("#section-4").bounding_box()["y"] < 900


@pytest.fixture
def front():
    """The front page with every mark there is, and hostile words."""
    points = [
        Point(as_of=dt.date(2026, 11, day), value=day / 100, low=0.0, high=0.4, text=f"{day} %")
        for day in (8, 15, 22)
    ]
    last = dataclasses.replace(points[0], as_of=dt.date(2026, 11, 29), broken=("<b> changed",))
    series = Series(label="Returned <script>window.hacked = 1</script>", points=(*points, last))
    late_from = dt.datetime(2026, 12, 8, tzinfo=dt.UTC)
    head = {"simulated": False, "source": "Shop, " + "complete " * 9}
    good = Entry(
        suite="Weekly " + "retention" * 9,
        as_of=dt.date(2026, 11, 29),
        status="warned",
        remarks=["Tickets end on Friday."],
        pages={"Overview": "weekly/2026-11-29/overview.html"},
        headlines={"Overview": "<img src=x onerror='window.hacked = 1'>"},
        series=(series, series, series),
        due=Due(day=dt.date(2026, 12, 7), late_from=late_from),
        **head,
    )
    old = dataclasses.replace(good, as_of=dt.date(2026, 11, 22), series=(), due=None)
    failed = Entry(suite="Daily", as_of=last.as_of, status="failed", remarks=["It broke."], **head)
    gone = dataclasses.replace(old, as_of=dt.date(2026, 11, 15), pages={"Overview": ""})
    return catalogue.render([good, old, gone, failed], brand=Brand(name="Northwind"))


def clock(moment):
    """Set the clock of a tab."""
    return f"const then = Date.parse('{moment}'); Date.now = () => then;"


@pytest.mark.parametrize(
    ("moment", "late"), [("2026-12-07T23:59:59Z", 0), ("2026-12-08T00:00:00Z", 2)]
)
def test_front_page_marks_what_has_become_late_since(opened, front, moment, late):
    tab = opened(front, before=clock(moment))
    assert tab.locator(".late").count() == late
    assert tab.locator(".due strong").is_visible() is bool(late)
    assert tab.get_by_text("Next report due by Monday 7 December 2026.").is_visible()
    assert tab.complaints == []


def test_front_page_asks_for_nothing_and_runs_nothing_else(opened, front):
    tab = opened(front)
    assert tab.evaluate("window.hacked") is None
    assert [url for url in tab.asked if not url.startswith(("file:", "data:"))] == []


@pytest.mark.parametrize("width", [360, 1280])
def test_front_page_fits_its_window(opened, front, width):
    tab = opened(front, width=width)
    assert tab.evaluate("document.documentElement.scrollWidth") == width


AXE = resources.files("axe_playwright_python") / "axe.min.js"  # axe-core: the rules of WCAG


@pytest.mark.parametrize("width", [360, 1280])
@pytest.mark.parametrize("scripts", [True, False])
def test_page_breaks_no_rule_of_accessibility(visit, hostile, width, scripts):
    tab = visit(hostile, width=width, before="" if scripts else "delete window.DecompressionStream")
    assert violations(tab) == []


@pytest.mark.parametrize("width", [360, 1280])
@pytest.mark.parametrize("moment", ["2026-12-01T00:00:00Z", "2027-01-01T00:00:00Z"])
def test_front_page_breaks_no_rule_of_accessibility(opened, front, width, moment):
    assert violations(opened(front, width=width, before=clock(moment))) == []


def violations(tab):
    """Return what axe-core finds with everything unfolded."""
    tab.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
    tab.evaluate(AXE.read_text(encoding="utf-8"))
    rules = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
    found = tab.evaluate(f"axe.run(document, {{runOnly: {rules}}})")["violations"]
    return [(each["id"], [node["html"] for node in each["nodes"]]) for each in found]
