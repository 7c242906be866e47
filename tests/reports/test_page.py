from __future__ import annotations

import base64
import csv
import dataclasses
import gzip
import hashlib
import io
import re
from urllib.parse import unquote

import altair as alt
import nbformat
import pandas as pd
import pytest
from bs4 import BeautifulSoup
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from retention_lab import checks
from retention_lab.reports import assets, figures, page

TYPED = pd.DataFrame({"typed": ["=1+1", "plain", "-2 points", " @x"], "n": [-1, 2, 3, 4]})


def dots(frame=TYPED, **properties):
    settings = {"description": "Dots.", **properties}
    return alt.Chart(frame).mark_point().encode(x=frame.columns[0]).properties(**settings).to_dict()


def cell(data, source="show()", tags=(), kind="display_data"):
    outputs = [new_output(kind, data=data)] if data else []
    return new_code_cell(source, outputs=outputs, metadata={"tags": list(tags)})


@pytest.fixture
def rendered(facts):
    def make(*cells):
        return page.render(new_notebook(cells=list(cells)), facts=facts)

    return make


@pytest.fixture
def drawn(rendered):
    def make(spec):
        return BeautifulSoup(rendered(cell({page.CHART: spec})), "html.parser")

    return make


def data_of(soup):
    return [
        [each.get_text() for each in row.find_all(["th", "td"])]
        for row in soup.select("figure table tr")
    ]


def file_of(soup):
    head, _, text = soup.select_one("figure a[download]")["href"].partition(",")
    assert head == "data:text/csv;charset=utf-8"
    return list(csv.reader(io.StringIO(unquote(text).removeprefix("\ufeff"))))


def test_page_is_the_same_to_the_byte_for_the_same_outputs(notebook, facts):
    once = page.render(notebook, facts=facts)
    again = nbformat.reads(nbformat.writes(notebook), as_version=4)
    again.metadata["papermill"] = {"start_time": "2026-11-30T06:00:00", "output_path": "elsewhere"}
    for number, each in enumerate(again.cells):
        each.id = f"another-{number}"
        each.metadata["execution"] = {"iopub.execute_input": "2026-11-30T06:00:00"}
    assert page.render(again, facts=facts) == once


def test_page_lets_only_its_own_scripts_run(notebook, facts):
    soup = BeautifulSoup(page.render(notebook, facts=facts), "html.parser")
    policy = soup.find("meta", attrs={"http-equiv": "Content-Security-Policy"})["content"]
    allowed = re.findall(r"'(sha256-[^']+)'", policy)
    (boot,) = (each.string for each in soup.find_all("script") if not each.get("type"))
    bundle = gzip.decompress(base64.b64decode(soup.find(id="vega").string)).decode()
    digests = [hashlib.sha256(script.encode()).digest() for script in (boot, bundle)]
    assert allowed == [f"sha256-{base64.b64encode(digest).decode()}" for digest in digests]
    assert "default-src 'none'" in policy
    assert not soup.select("[src], link[rel=stylesheet]")


def test_page_without_charts_allows_no_script(rendered):
    soup = BeautifulSoup(rendered(new_markdown_cell("Only words.")), "html.parser")
    policy = soup.find("meta", attrs={"http-equiv": "Content-Security-Policy"})["content"]
    assert "script-src 'none'" in policy
    assert not soup.find_all("script")


def test_page_says_in_title_and_text_that_its_customers_are_made_up(notebook, facts):
    soup = BeautifulSoup(page.render(notebook, facts=facts), "html.parser")
    assert soup.title.string == "Made-up customers · Overview"
    assert "simulated data" in soup.header.get_text()
    real = dataclasses.replace(facts, simulated=False)
    soup = BeautifulSoup(page.render(notebook, facts=real), "html.parser")
    assert soup.title.string == "Overview"
    assert "simulated" not in soup.get_text()


def test_page_says_its_warnings_before_its_answer(notebook, facts):
    warned = dataclasses.replace(facts, warnings=("Tickets end on <Friday>.", "Returns are few."))
    soup = BeautifulSoup(page.render(notebook, facts=warned), "html.parser")
    warnings = soup.find(class_="warnings")
    assert warnings.h2.get_text() == "Published with warnings"
    assert [each.get_text() for each in warnings.find_all("li")] == list(warned.warnings)
    assert warnings.find_next(class_="answer")
    assert "Published with warnings" not in page.render(notebook, facts=facts)


def test_page_says_as_of_when_and_from_what_run(notebook, facts):
    soup = BeautifulSoup(page.render(notebook, facts=facts), "html.parser")
    assert "Sunday 29 November 2026" in soup.header.get_text()
    assert "7f3a91c2e0d4" in soup.footer.get_text()
    assert soup.html["lang"] == "en-GB"


def test_page_opens_with_the_answer(notebook, facts):
    soup = BeautifulSoup(page.render(notebook, facts=facts), "html.parser")
    first = soup.main.find(True)
    assert first["class"] == ["answer"]
    assert first.h2.get_text() == "Fewer of August's new customers came back; it may be chance."


def test_page_has_one_title_and_lists_every_section(notebook, facts):
    soup = BeautifulSoup(page.render(notebook, facts=facts), "html.parser")
    assert [each.get_text() for each in soup.find_all("h1")] == ["Overview"]
    links = {each["href"]: each.get_text() for each in soup.select("nav a")}
    sections = {f"#{each['id']}": each.get_text() for each in soup.select(".body h2")}
    assert links == sections
    assert "How has it moved?" in links.values()


def test_page_folds_parameters_and_hidden_cells_away_at_the_end(notebook, facts):
    soup = BeautifulSoup(page.render(notebook, facts=facts), "html.parser")
    folded = soup.select(".body > details")[-1].get_text()
    assert 'as_of: str = "2026-11-29"' in folded
    assert "secret = 1" in folded
    assert "never shown" not in soup.get_text()


def test_page_shows_the_code_of_every_cell_once_and_folded(notebook, facts):
    soup = BeautifulSoup(page.render(notebook, facts=facts), "html.parser")
    for each in notebook.cells:
        if each.cell_type == "code":
            assert soup.get_text().count(each.source) == 1
    assert not soup.select("details[open]")


def test_page_keeps_results_and_warnings_to_the_notebook(rendered):
    outputs = [
        new_output("display_data", data={page.RESULTS: {"x": 1}, "text/plain": "ledger"}),
        new_output("stream", name="stderr", text="a warning from /a/path"),
        new_output("stream", name="stdout", text="a line meant to be read"),
    ]
    text = rendered(new_code_cell("work()", outputs=outputs))
    assert "a line meant to be read" in text
    assert "ledger" not in text
    assert "a warning" not in text


@pytest.mark.parametrize("tags", [[], ["hide"]])
def test_page_of_a_failed_run_is_refused(rendered, tags):
    failure = new_output("error", ename="KeyError", evalue="'share'", traceback=[])
    with pytest.raises(
        checks.Refusal, match=r"Cell 1 \('work\(\)'\) failed with KeyError: 'share'"
    ):
        rendered(new_code_cell("work()", outputs=[failure], metadata={"tags": tags}))


def test_output_that_a_page_cannot_hold_is_refused(rendered):
    with pytest.raises(checks.BadParameter, match=r"Cell 1 .* shows image/png"):
        rendered(cell({"image/png": "aGk=", "text/plain": "<Figure>"}, source="plt.plot()"))


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        (dots(description=""), "without a description"),
        (dots(usermeta={"labels": [["typd", "Typed"]]}), "Did you mean 'typed'"),
        (dots() | {"data": {"url": "https://example.org/a.csv"}}, "without data of its own"),
        (dots() | {"data": {"values": []}}, "without data of its own"),
        (dots() | {"mark": "no such mark"}, "refuses"),
        (
            dots() | {"layer": [{"data": {"url": "https://example.org/a.csv"}, "mark": "point"}]},
            "refuses",
        ),
    ],
)
def test_chart_that_cannot_be_read_is_refused_by_cell(rendered, spec, words):
    with pytest.raises(checks.BadParameter, match=rf"Cell 1 \('show\(\)'\) .*{words}"):
        rendered(cell({page.CHART: spec}))


def test_chart_is_a_picture_with_words_before_any_script_runs(notebook, facts):
    soup = BeautifulSoup(page.render(notebook, facts=facts), "html.parser")
    for figure in soup.find_all("figure"):
        assert figure.svg["role"] == "img"
        assert figure.svg["aria-label"].strip()
        assert not figure.svg.select("[role], [aria-label], [aria-roledescription]")
        assert figure.figcaption.get_text().startswith("Figure ")
    assert len(soup.find_all("figure")) == 3


def test_ids_of_a_page_are_unique(notebook, facts):
    text = page.render(notebook, facts=facts)
    ids = [each["id"] for each in BeautifulSoup(text, "html.parser").select("[id]")]
    assert len(ids) == len(set(ids))
    assert "f2-0" in ids  # the colour legend of the second figure
    assert "url(#f2-0)" in text


def test_chart_data_stand_in_the_order_words_and_formats_asked_for(drawn):
    frame = pd.DataFrame({"a": pd.to_datetime(["2026-08-01", "2026-09-01"]), "b": [0.27, None]})
    labels = [["b", "Share"], ["a", "Month"]]
    meta = {"labels": labels, "formats": {"a": "%B %Y", "b": ".1%"}, "caption": "Of all."}
    soup = drawn(dots(frame, usermeta=meta))
    assert data_of(soup) == [
        ["Share", "Month"],
        ["27.0%", "August 2026"],
        [figures.NOTHING, "September 2026"],
    ]
    assert soup.figcaption.get_text() == "Figure 1. Of all."


def test_chart_data_without_labels_are_all_shown(drawn):
    assert data_of(drawn(dots()))[:2] == [["n", "typed"], ["-1", "=1+1"]]


def test_chart_data_are_cut_on_the_page_but_not_in_the_file(drawn):
    soup = drawn(dots(pd.DataFrame({"n": range(501)})))
    assert len(data_of(soup)) == 1 + 500
    assert len(file_of(soup)) == 1 + 501
    assert "The first 500 of 501 rows" in soup.figure.get_text()


def test_file_of_chart_data_runs_no_formula(drawn):
    soup = drawn(dots(usermeta={"labels": [["typed", "=HYPERLINK()"], ["n", "n"]]}))
    assert file_of(soup) == [
        ["'=HYPERLINK()", "n"],
        ["'=1+1", "-1"],
        ["plain", "2"],
        ["'-2 points", "3"],
        ["' @x", "4"],
    ]


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (6412, "6,412"),
        (0.26996, "0.27"),
        (1234567.8, "1,234,568"),
        (None, figures.NOTHING),
        (True, "yes"),
        ("2026-11-29T00:00:00", "29 November 2026"),
        ("2026-08", "2026-08"),
        ("2026-99-99", "2026-99-99"),
    ],
)
def test_value_is_shown_as_people_write_it(value, words):
    assert figures.shown(value) == words


def test_hostile_words_stay_words(hostile, facts):
    soup = BeautifulSoup(page.render(hostile, facts=facts), "html.parser")
    assert len([each for each in soup.find_all("script") if not each.get("type")]) == 1
    assert not soup.select("iframe, img, object, embed, form, .body style")
    assert not [each for each in soup.find_all(True) if any(key[:2] == "on" for key in each.attrs)]
    links = {each["href"].partition(":")[0] for each in soup.select(".body a[href]")}
    assert links <= {"https", "#harmful-link", "data"}
    assert "<img src=x onerror='window.hacked = 1'>" in soup.get_text()
    assert "kept" in soup.get_text()
    assert "color:red" not in soup.get_text()


def test_tags_written_in_markdown_stay_visible_text(rendered):
    source = "a <b>bold</b> <!-- note --> claim\n\n<div onclick=x()>block</div>"
    soup = BeautifulSoup(rendered(new_markdown_cell(source)), "html.parser")
    assert "a <b>bold</b> <!-- note --> claim" in soup.get_text()
    assert "<div onclick=x()>block</div>" in soup.get_text()


def test_chart_cannot_choose_how_it_is_embedded(drawn):
    spec = dots(usermeta={"caption": "Dots.", "embedOptions": {"ast": False, "actions": True}})
    assert "embedOptions" not in drawn(spec).figure.script.string


def test_html_output_keeps_its_headings_and_loses_what_runs(rendered):
    text = (
        '<h1 id="mine" onclick="x()">Kept</h1><a href="JavaScript:x()">a</a>'
        '<a href="//example.org">b</a><a href="#here" style="color:red">c</a>'
        "<noscript><p title='</noscript><img src=x onerror=x()>'></noscript>"
        "<table><caption onclick=x()>d</caption></table><!-- e --><math><mi>f</mi></math>"
    )
    body = rendered(cell({"text/html": text})).partition('<div class="body">')[2]
    assert '<h2 id="section-1">Kept</h2><a>a</a><a>b</a><a href="#here">c</a>' in body
    assert not re.search(r"onclick|onerror=x\(\)>|<!--|<img", body)


def test_table_of_a_frame_has_named_headers_and_aligned_numbers(rendered):
    frame = pd.DataFrame(
        {"n": [6100, None], "share": ["12 %", "-3.5%"], "word": ["1 a", "b"]},
        index=pd.MultiIndex.from_tuples([("a", 1), ("a", 2)], names=["one", "two"]),
    )
    soup = BeautifulSoup(rendered(cell({"text/html": frame._repr_html_()})), "html.parser")
    head = soup.select("table thead th")
    assert [each.get_text() for each in head] == ["one", "two", "n", "share", "word"]
    assert all(each["scope"] == "col" for each in head)
    assert {each["scope"] for each in soup.select("tbody th")} == {"row"}
    assert [each.get_text() for each in soup.select("th.num")] == ["n", "share"]
    assert len(soup.select("td.num")) == 4
    box = soup.table.parent
    assert (box["class"], box["tabindex"], box["aria-label"]) == (["scroll"], "0", "Table")


def test_table_of_a_nameless_frame_has_no_empty_header(rendered):
    html = pd.DataFrame({"a": [1]})._repr_html_()
    soup = BeautifulSoup(rendered(cell({"text/html": html})), "html.parser")
    assert all(each.get_text(strip=True) for each in soup.find_all("th"))


def test_page_of_ten_charts_stays_small_enough_to_mail(notebook, facts):
    charts = [each for each in notebook.cells if "charts." in each.source and each.outputs]
    notebook.cells += charts * 3
    text = page.render(notebook, facts=facts)
    assert text.count("<figure") > 10
    assert len(text.encode()) < 950_000


def test_vega_lite_is_the_one_that_altair_writes_for():
    assert alt.SCHEMA_VERSION.startswith(f"v{figures.VEGA_LITE}.")


def test_bundle_is_made_once_and_then_read_from_the_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    script = figures.bundle.__wrapped__()
    assert "</script" not in script.lower()
    (file,) = (tmp_path / "retention-lab").iterdir()
    assert file.read_text(encoding="utf-8") == script
    file.write_text("kept", encoding="utf-8")
    assert figures.bundle.__wrapped__() == "kept"


def test_bundle_needs_no_cache_that_can_be_written_to(tmp_path, monkeypatch):
    blocked = tmp_path / "file"
    blocked.touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(blocked))
    assert "vegaEmbed" in figures.bundle.__wrapped__()


def test_bundle_is_packed_without_a_time():
    assert base64.b64decode(figures.packed())[4:8] == bytes(4)  # the field MTIME of RFC 1952


def test_boot_script_asks_vega_for_no_evaluation_of_text():
    assert "ast: true" in assets.text("boot.js")


def test_picture_keeps_what_is_seen_and_nothing_more():
    svg = (
        '<svg><g><path d="M0,0h0v0h0Z" fill="red"></path><g class="x"></g></g>'
        '<path d="M1.23456,7" fill="rgb(54, 133, 191)" opacity="1" stroke="red"></path>'
        '<line transform="translate(0,0)" x2="0" y2="20" opacity="0.5"></line>'
        '<text>rgb(1, 2, 3) opacity="1" 1.23456</text></svg>'
    )
    assert figures._lean(svg) == (
        '<svg><path d="M1.235,7" fill="#3685bf" stroke="red"></path>'
        '<line y2="20" opacity="0.5"></line>'
        '<text>rgb(1, 2, 3) opacity="1" 1.23456</text></svg>'
    )
