"""Whatever somebody typed into a field stays words, in each place that a page has for it."""

from __future__ import annotations

import csv
import dataclasses
import datetime as dt
import io
import json
import re
import shutil
from urllib.parse import unquote

import altair as alt
import pandas as pd
import pytest
from bs4 import BeautifulSoup
from nbformat.v4 import new_code_cell, new_notebook, new_output

from retention_lab.charts.frame import MIME
from retention_lab.cli import show
from retention_lab.reports import assets, catalogue, digest, figures, history, page, prose
from retention_lab.reports.job import Done
from retention_lab.reports.privacy import refuse_personal
from retention_lab.reports.ran import Failure, Ran

from .hostile import CANARY, STRINGS

# Of Unicode: what no reader sees, and the wide forms that some spreadsheets take for narrow ones.
FORMULA = re.compile(
    r"[\s\0-\x1f\xad\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]*[=+\-@\uff1d\uff0b\uff0d\uff20]|[\t\r\n]"
)


def chart(names):
    """A chart with the names in its data, its words, its tooltips and its data table."""
    frame = pd.DataFrame({"name": names, "n": range(1, len(names) + 1), "plain": "x"})
    words = names[0]
    made = (
        alt.Chart(frame)
        .mark_bar()
        .encode(
            x=alt.X("n:Q", title=words),
            y=alt.Y("name:N", title=words, axis=alt.Axis(labelLimit=100)),
            color=alt.Color("name:N", legend=None, scale=alt.Scale(domain=names)),
            tooltip=[alt.Tooltip("name:N", title=words), alt.Tooltip("n:Q", title=words)],
        )
        .properties(
            title=words,
            width=300,
            description=f"{words}.",
            usermeta={"caption": words, "labels": [["name", words], ["n", "n"], ["plain", "p"]]},
        )
    )
    return new_output("display_data", data={MIME: made.to_dict()})  # as somebody's own renderer


def shown(names):
    """A notebook that shows the names in each way that a page knows."""
    frame = pd.DataFrame({"name": names, names[0]: 1}, index=pd.Index(names, name=names[0]))
    outputs = [
        chart(names),
        *(new_output("display_data", data={"text/markdown": each}) for each in names),
        new_output("display_data", data={"text/markdown": f"## {names[0]}\n\n| {names[0]} |"}),
        new_output("display_data", data={"text/html": frame._repr_html_()}),
        new_output("display_data", data={"text/html": f"<p>{names[0]}</p>"}),
        new_output("stream", name="stdout", text="\n".join(names)),
        new_output("execute_result", data={"text/plain": names[0]}),
    ]
    cells = [new_code_cell("show()", outputs=[each]) for each in outputs]
    return new_notebook(cells=[new_code_cell(f"x = {names!r}", outputs=outputs[:1]), *cells])


def tags_and_attributes(soup):
    return {tag.name for tag in soup.find_all()}, {
        (tag.name, name) for tag in soup.find_all() for name in tag.attrs
    }


PROSE = prose.TEXT | prose.HEADINGS | prose.LISTS | prose.TABLES
HARMLESS = ["Toys", "Garden", "Books"]


@pytest.fixture(scope="module")
def pages():
    """The pages made so far: each takes a second, and nobody changes one."""
    return {}


@pytest.fixture
def rendered(facts, pages):
    def make(names):
        if tuple(names) not in pages:
            html = page.render(shown(names), facts=facts)
            pages[tuple(names)] = html, BeautifulSoup(html, "html.parser")
        return pages[tuple(names)]

    return make


@pytest.fixture(params=range(0, len(STRINGS), 12), ids=lambda start: f"from {start}")
def names(request):
    """A dozen at a time, each of them first once: the first stands in titles and headings."""
    return list(STRINGS[request.param : request.param + 12])


def test_there_are_fifty_and_no_two_alike():
    assert len(set(STRINGS)) == len(STRINGS) >= 50


def test_page_of_hostile_names_has_no_element_and_no_attribute_of_theirs(rendered, names):
    tags, attributes = tags_and_attributes(rendered(HARMLESS)[1])
    html, soup = rendered(names)
    found, held = tags_and_attributes(soup)
    assert found <= tags | PROSE
    assert {each for each in held if each not in attributes} <= {
        *((tag, name) for tag in ("td", "th") for name in ("scope", "class", "colspan", "rowspan")),
        *(("a", "href"), ("h2", "id"), ("ol", "start")),
        *((tag, name) for tag, name in held if soup.find(tag).find_parent("svg")),
    }
    assert not {name for _tag, name in held if name.startswith("on")}
    assert "window.hacked=1</script>" not in html


def test_hostile_names_lead_nowhere(rendered, names):
    _html, soup = rendered(names)
    for tag in soup.find_all(True):
        for name in ("href", "src", "xlink:href", "action", "data", "style"):
            value = str(tag.get(name) or "").strip().lower()
            if name == "style":
                assert "url(" not in value
            elif value.startswith("data:"):
                assert value.startswith(("data:text/csv", "data:,"))
            else:
                assert value == "" or value.startswith(("http://", "https://", "#"))
    assert not soup.find_all(["img", "iframe", "object", "embed", "form", "base", "use", "math"])


def test_policy_and_scripts_of_the_page_stay_what_they_are(rendered, names):
    _html, plain = rendered(HARMLESS)
    _html, soup = rendered(names)
    policy = {"http-equiv": "Content-Security-Policy"}
    assert soup.find("meta", policy)["content"] == plain.find("meta", policy)["content"]
    own = [each.get_text() for each in plain.find_all("script") if not each.get("type")]
    assert [each.get_text() for each in soup.find_all("script") if not each.get("type")] == own
    assert own[-1].strip() == assets.text("boot.js").strip()
    for data in soup.find_all("script", type="application/json"):
        assert json.loads(data.get_text())["title"].split() == names[0].split()
        assert "<" not in data.get_text()
    assert len(soup.find_all("style")) == len(plain.find_all("style"))


def test_no_cell_of_a_file_is_a_formula(rendered, names):
    _html, soup = rendered(names)
    for link in soup.select("figure a[download]"):
        _head, _, text = link["href"].partition(",")
        rows = list(csv.reader(io.StringIO(unquote(text).removeprefix("\ufeff"), newline="")))
        assert len(rows) == len(names) + 1
        assert not [cell for row in rows for cell in row if FORMULA.match(cell)]


@pytest.mark.parametrize("name", [each for each in STRINGS if not each.isprintable()], ids=ascii)
def test_chart_with_a_broken_or_unseen_title_is_drawn(name):
    html = figures.figure(chart([name]).data[MIME], number=1, where="cell 1")
    spec = BeautifulSoup(html, "html.parser").find("script").get_text()
    assert "<svg" in html
    assert not re.search(r"\\u00[01]|\\n|\u2028", spec)


def test_titles_of_a_page_are_words_too(facts, names):
    for name in names:
        held = dataclasses.replace(
            facts, title=name, suite=name, source=name, owner=name, footer={name: name}
        )
        soup = BeautifulSoup(page.render(new_notebook(), facts=held), "html.parser")
        assert {tag.name for tag in soup.find("body").find_all()} <= {
            *("header", "p", "strong", "h1", "dl", "div", "dt", "dd", "main", "footer"),
        }
        assert len(soup.find_all(["meta", "link", "script", "style", "title"])) == len(
            BeautifulSoup(page.render(new_notebook(), facts=facts), "html.parser").find_all(
                ["meta", "link", "script", "style", "title"]
            )
        )


def test_gate_takes_none_of_them_for_a_person(names):
    refuse_personal(shown([each for each in names if "@" not in each]), name="page")


def entry(name):
    """A run of a suite of that name, with the name in all that a front page says of it."""
    points = [
        history.Point(as_of=day, value=value, text=name, between=name, about=name, broken=(name,))
        for day, value in ((dt.date(2026, 11, 22), 0.2), (dt.date(2026, 11, 29), 0.3))
    ]
    shared = {"suite": name, "simulated": False, "source": name, "remarks": [name]}
    good = catalogue.Entry(
        **shared,
        as_of=dt.date(2026, 11, 22),
        status="warned",
        pages={name: "weekly/2026-11-22/x.html"},
        headlines={name: name},
        series=[history.Series(label=name, points=tuple(points))],
    )
    return [good, catalogue.Entry(**shared, as_of=dt.date(2026, 11, 29), status="failed")]


def test_front_page_of_hostile_names_is_that_of_harmless_ones(names):
    plain = BeautifulSoup(catalogue.render(entry("Toys")), "html.parser")
    tags, attributes = tags_and_attributes(plain)
    for name in names:
        html = catalogue.render(entry(name))
        soup = BeautifulSoup(html, "html.parser")
        assert tags_and_attributes(soup) == (tags, attributes)
        assert len(soup.find_all()) == len(plain.find_all())
        assert [each["href"] for each in soup.find_all("a")] == ["weekly/2026-11-22/x.html"]
        assert [each.get_text() for each in soup.find_all(["script", "style"])] == [
            each.get_text() for each in plain.find_all(["script", "style"])
        ]


def test_what_is_said_of_a_failed_run_keeps_to_its_lines(names, capsys):
    for name in names:
        failure = Failure(notebook=name, sentence=name, exit_code=1)
        told = {"title": name, "owner": name, "failures": [failure], "warnings": [name]}
        ran = Ran.model_validate(FAILED | told | {"kept": "reports/weekly/failed"})
        show.done(Done(rans=(ran,)))
        lines = capsys.readouterr().err.removesuffix("\n").split("\n")
        assert len(lines) == 4
        assert all(line.isprintable() for line in lines)
        assert digest.logged(ran) == lines[-1]
        assert all(line.isprintable() for line in digest.lines([ran, ran]))


FAILED = {
    "suite": "weekly",
    "status": "failed",
    "exit_code": 1,
    "started": "2026-11-30T06:00:00+00:00",
    "finished": "2026-11-30T06:01:12+00:00",
    "seconds": 72.04,
}


# --- in a browser ---------------------------------------------------------------------------------

CHROMIUM = shutil.which("chromium")


@pytest.mark.browser
@pytest.mark.skipif(CHROMIUM is None, reason="needs a chromium on the path")
def test_no_hostile_name_runs_asks_or_speaks(tmp_path, facts):
    sync_api = pytest.importorskip("playwright.sync_api")
    flags = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    with sync_api.sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=flags)
        for start in range(0, len(STRINGS), 15):
            file = tmp_path / f"{start}.html"
            html = page.render(shown(list(STRINGS[start : start + 15])), facts=facts)
            file.write_text(html, encoding="utf-8")
            tab, asked, said = chromium.new_page(), [], []
            tab.on("request", lambda request, asked=asked: asked.append(request.url))
            tab.on("dialog", lambda dialog, said=said: said.append(dialog.dismiss()))
            tab.goto(file.as_uri())
            tab.wait_for_function(
                "() => [...document.querySelectorAll('.live')]"
                ".every(live => live.classList.contains('drawn'))"
            )
            for each in tab.locator("summary").all():
                each.click()
            assert tab.evaluate("window.hacked") is None
            assert said == []
            assert not [url for url in asked if not url.startswith(("file:", "data:", "blob:"))]
            assert CANARY not in " ".join(asked)
            tab.close()
        chromium.close()
