"""A notebook such as a suite leaves behind, with what customers should not have typed in it."""

from __future__ import annotations

import datetime as dt

import altair as alt
import nbformat
import numpy as np
import pandas as pd
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_output

from retention_lab.reports.page import CHART, RESULTS, PageFacts

HOSTILE = [
    "<script>window.hacked = 1</script>",
    "</script><script>window.hacked = 1</script>",
    "<img src=x onerror='window.hacked = 1'>",
    '"><svg onload="window.hacked=1">',
    "=cmd|'/C calc'!A0",
    "@SUM(1+1)*cmd|' /C calc'!A0",
    "datum.constructor.constructor('window.hacked = 1')()",
    "[click](javascript:window.hacked=1)",
    "](javascript:alert(1)) <iframe src=https://example.org></iframe>",
    "{{ 7 * 7 }} {% raw %} \u2028 ${window.hacked = 1}",
]

ANSWER = """## Fewer of August's new customers came back; it may be chance.

Of 6,412 customers who first bought in August, 1,731 (27.0 %, 25.9 to 28.1) bought again within 90
days. July's figure was 28.4 %, so this is 1.4 points lower, with a plausible range from 3.0 lower
to 0.2 higher. About 0.9 of the 1.4 comes from *who* joined: the August promotion brought more
discount-code buyers, who return less often every month.

**Do:** nothing yet; September completes on 29 December. Orders are complete to Sunday.
"""


def shows(
    source: str, *data: dict[str, object], tags: tuple[str, ...] = ()
) -> nbformat.NotebookNode:
    outputs = [new_output("display_data", data=each) for each in data]
    return new_code_cell(source, outputs=outputs, metadata={"tags": list(tags)})


def chart(chart: alt.TopLevelMixin) -> dict[str, object]:
    return {CHART: chart.to_dict(), "text/plain": "[chart]"}


def markdown(text: str) -> dict[str, object]:
    return {"text/markdown": text, "text/plain": "<IPython.core.display.Markdown object>"}


def table(frame: pd.DataFrame) -> dict[str, object]:
    return {"text/html": frame._repr_html_(), "text/plain": repr(frame)}


def line() -> alt.LayerChart:
    months = pd.date_range("2025-09-01", periods=12, freq="MS")
    share = 0.29 - 0.001 * np.arange(12) + 0.006 * np.sin(np.arange(12))
    frame = pd.DataFrame(
        {"month": months, "share": share, "low": share - 0.011, "high": share + 0.011}
    )
    x = alt.X("month:T", title=None, axis=alt.Axis(format="%b %Y", labelOverlap=True))
    scale = alt.Scale(domain=[0.2, 0.35])
    band = (
        alt.Chart(frame)
        .mark_area(opacity=0.18)
        .encode(
            x=x,
            y=alt.Y(
                "low:Q",
                scale=scale,
                title="Bought again within 90 days",
                axis=alt.Axis(format=".0%"),
            ),
            y2="high:Q",
        )
    )
    path = (
        alt.Chart(frame)
        .mark_line(point=True)
        .encode(
            x=x,
            y=alt.Y("share:Q", scale=scale),
            tooltip=[alt.Tooltip("month:T"), alt.Tooltip("share:Q", format=".1%")],
        )
    )
    return (band + path).properties(
        width="container",
        height=260,
        description="Line: the 90-day repeat share of new customers falls from 29 to 28 %.",
        usermeta={
            "caption": "New customers who bought again within 90 days, with 95 % intervals.",
            "labels": [
                ["month", "First bought in"],
                ["share", "Share"],
                ["low", "Low"],
                ["high", "High"],
            ],
            "formats": {"month": "%B %Y", "share": ".1%", "low": ".1%", "high": ".1%"},
        },
    )


def triangle(value: float = 0.3) -> alt.LayerChart:
    cells = [
        {
            "cohort": f"2026-{cohort:02}",
            "after": after,
            "share": value * 0.82**after + 0.004 * cohort,
        }
        for cohort in range(1, 9)
        for after in range(9 - cohort)
    ]
    base = alt.Chart(pd.DataFrame(cells)).encode(
        x=alt.X("after:O", title="Months after the first order", axis=alt.Axis(labelAngle=0)),
        y=alt.Y("cohort:O", title="First order in"),
    )
    colour = alt.Color(
        "share:Q", scale=alt.Scale(scheme="blues"), legend=alt.Legend(format=".0%", title="Active")
    )
    text = base.mark_text().encode(
        text=alt.Text("share:Q", format=".0%"),
        color=alt.condition("datum.share > 0.22", alt.value("white"), alt.value("#1b2430")),
    )
    return (base.mark_rect().encode(color=colour) + text).properties(
        width="container",
        height=280,
        description="Heat map: share of each monthly cohort active later; every row falls.",
        usermeta={"caption": "Share of each cohort that ordered in a later month."},
    )


def bars(names: list[str]) -> alt.Chart:
    frame = pd.DataFrame(
        {"reason": names, "customers": [1_000 - 70 * i for i in range(len(names))]}
    )
    return (
        alt.Chart(frame)
        .mark_bar()
        .encode(
            x=alt.X("customers:Q", title="Customers"),
            y=alt.Y("reason:N", title=None, sort="-x"),
            tooltip=["reason", "customers"],
        )
        .properties(
            width="container",
            height=alt.Step(24),
            description=f"Bars: customers by reason; the largest is {names[0]}.",
            usermeta={
                "caption": f"Customers by reason, from {names[0]} down.",
                "labels": [["reason", names[0]], ["customers", "Customers"]],
            },
        )
    )


@pytest.fixture
def facts() -> PageFacts:
    return PageFacts(
        title="Overview",
        suite="Weekly retention",
        as_of=dt.date(2026, 11, 29),
        source="Demo shop, orders and returns complete to Sunday",
        simulated=True,
        owner="Lifecycle team",
        footer={
            "Run": "7f3a91c2e0d4",
            "Code": "0.1.0, commit 64effac",
            "Snapshot": "orders-2026-11-29, 18 tables",
        },
    )


@pytest.fixture
def notebook() -> nbformat.NotebookNode:
    segments = pd.DataFrame(
        {
            "customers": [6_100, 7_500, 38_700],
            "share": ["12 %", "14 %", "74 %"],
            "margin": [1_204_310.5, 702_115.25, 603_800.0],
            "next step": ["Call the 412 who slipped", "Ask for a review", "Nothing"],
        },
        index=pd.Index(["high value", "regular", "bought once"], name="segment"),
    )
    wide = pd.DataFrame(np.arange(36).reshape(3, 12), columns=[f"month {i}" for i in range(12)])
    return nbformat.v4.new_notebook(
        cells=[
            new_markdown_cell(
                "# Are our customers coming back?\n\nWe follow *new* customers for 90 days."
            ),
            shows('as_of: str = "2026-11-29"', tags=("parameters",)),
            shows(
                "from retention_lab import charts, lab\n\nshop = lab.open(source, as_of=as_of)",
                {RESULTS: {"repeat": 0.27}},
            ),
            shows("Markdown(wording.overview(result))", markdown(ANSWER), tags=("answer",)),
            new_markdown_cell("## How has it moved?\n\nA falling line means fewer second orders."),
            shows(
                'charts.trend(shop.repeat(days=90))  # the "definition" is in the glossary',
                chart(line()),
            ),
            new_markdown_cell("## Which cohorts?\n\nThe last column rests on one cohort."),
            shows("charts.triangle(shop.triangle())", chart(triangle())),
            new_markdown_cell("## Who is where?"),
            shows("segments", table(segments)),
            shows("shop.by_month()", table(wide)),
            new_markdown_cell("## What did people say?"),
            shows(
                "charts.bars(reasons)",
                chart(
                    bars(
                        ["Too expensive", "Arrived late", "Did not fit", "Found elsewhere", "Other"]
                    )
                ),
            ),
            shows("print(shop.note)", {"text/plain": "'complete to 29 November 2026'"}),
            shows("secret = 1", {"text/plain": "never shown"}, tags=("hide",)),
        ]
    )


@pytest.fixture
def hostile(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    everything = " ".join(HOSTILE)
    notebook.cells += [
        new_markdown_cell("## " + HOSTILE[0] + "\n\n" + "\n\n".join(HOSTILE)),
        shows("bars", chart(bars(HOSTILE).properties(title=HOSTILE[1]))),
        shows(
            "text",
            markdown(
                "\n\n".join(HOSTILE) + "\n\n![x](https://example.org/x.png) <https://example.org>"
            ),
        ),
        shows("frame", table(pd.DataFrame({"typed": HOSTILE}, index=HOSTILE))),
        shows(
            "raw",
            {
                "text/html": "<p onclick='window.hacked=1'>kept<style>p{color:red}</style>"
                + "".join(HOSTILE)
            },
        ),
        shows("printed # " + everything, {"text/plain": everything}),
    ]
    return notebook
