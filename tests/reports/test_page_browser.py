"""What only a browser can tell: that the page draws, asks for nothing and fits a telephone."""

from __future__ import annotations

import shutil

import pytest

from retention_lab.reports import page

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
def visit(browser, tmp_path, facts):
    """Open a notebook's page; the tab keeps what it asked for and what it complained about."""
    contexts = []

    def make(notebook, *, width=1280, scripts=True):
        file = tmp_path / "page.html"
        file.write_text(page.render(notebook, facts=facts), encoding="utf-8")
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
        tab.goto(file.as_uri())
        if scripts:
            tab.wait_for_function(
                "() => [...document.querySelectorAll('.live')]"
                ".every(live => live.classList.contains('drawn'))"
            )
        return tab

    yield make
    for context in contexts:
        context.close()


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
