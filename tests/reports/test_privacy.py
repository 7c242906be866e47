from __future__ import annotations

import datetime as dt
import json
import os
import re
import shutil
import subprocess
import sys
import traceback
from pathlib import Path
from urllib.parse import unquote

import altair as alt
import nbformat
import pandas as pd
import pytest
from bs4 import BeautifulSoup
from hypothesis import given
from hypothesis import strategies as st
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell, new_notebook, new_output

from retention_lab.checks import SMALLEST_CELL, Refusal
from retention_lab.record import money
from retention_lab.record.ledger import Ledger
from retention_lab.reports import figures, page, personal, privacy
from retention_lab.reports.personal import names_people
from retention_lab.reports.privacy import refuse_personal, scrub, scrub_notebook, secrets
from retention_lab.tables.simulator import simulate

from .small_shop import SMALL

ROOT = Path(__file__).parents[2]
SHARED = ROOT.parent / "shared" / "data"


def of(*outputs, source="show()", tags=()):
    cell = new_code_cell(source, outputs=list(outputs), metadata={"tags": list(tags)})
    return new_notebook(cells=[new_code_cell("first = 1"), cell])


def html(frame):
    return new_output("display_data", data={"text/html": frame._repr_html_(), "text/plain": ""})


def markdown(text):
    return new_output("display_data", data={"text/markdown": text, "text/plain": ""})


def printed(text):
    return new_output("stream", name="stdout", text=text)


def chart(frame, **properties):
    made = alt.Chart(frame).mark_point().encode(x=frame.columns[0])
    spec = made.properties(description="Dots.", **properties).to_dict()
    return new_output("display_data", data={page.CHART: spec})


def recorded(label):
    ledger = Ledger()
    ledger.record("n", 3, unit="count", definition="How many.", label=label)
    return new_output("display_data", data=ledger._repr_mimebundle_())


def refusal(*outputs, **cell):
    with pytest.raises(Refusal) as caught:
        refuse_personal(of(*outputs, **cell), name="own.ipynb")
    return str(caught.value)


def passes(*outputs, **cell):
    refuse_personal(of(*outputs, **cell), name="own.ipynb")


# --- addresses and telephone numbers -------------------------------------------------------------

ADDRESSES = [
    "ann@shop.example", "Ann.O'Neil+news@mail.shop.co.uk", "mailto:ann@shop.example?subject=x",
    "ann%40shop.example", "ann\N{ZERO WIDTH SPACE}@shop.example", "ann\uff20shop.example",
    "J\u00f6rg@m\u00fcller.example",
]  # fmt: skip
NUMBERS = [
    "+44 20 7946 0958", "+44 (0)20 7946 0958", "+442079460958", "+1-555-234-5678",
    "+49 (0)170 1234567", "(020) 7946 0958", "020 7946 0958", "020-7946-0958", "02079460958",
    "01 23 45 67 89", "(555) 234-5678", "555-234-5678", "555.234.5678", "+86 138 0013 8000",
    "call 020 7946 0958.",
]  # fmt: skip


@pytest.mark.parametrize("text", ADDRESSES)
def test_e_mail_address_is_found_however_it_is_written(text):
    assert personal.reads_like(f"Sent to {text} today") == "an e-mail address"


@pytest.mark.parametrize("text", NUMBERS)
def test_telephone_number_is_found_however_it_is_written(text):
    assert personal.reads_like(f"Call {text} today") == "what reads like a telephone number"


# Each form in which our pages and their data write a number, a day or a period.
WRITTEN = [
    "6,412", "1,204,310", "27.0\N{NO-BREAK SPACE}%", "27.0 %, 25.9 to 28.1", "0.2871",
    "-1.4 points",
    "+1.4 points (0.2 to 2.6)", "+12,345 (-1,200 to 30,400)", "\u00a31.23\N{NO-BREAK SPACE}million",
    "\u00a339.13", "GBP\N{NO-BREAK SPACE}1,204,310.50", "\u00a51,234,567", "1.23456789e+08",
    "0.00012345678", "123456789", "1204310.5", "2026-11-29", "2026-11-29T00:00:00",
    "2026-11-29T23:59:59.123456+01:00", "2026-08-01/2026-08-31", "2026-08-01 to 2026-08-31",
    "2026-W32", "2026-Q3", "2026", "2009 2010 2011", "29 November 2026", "August 2026 against July",
    "0-30; 31-90; 90+", "30 to 59 days", "about 26 in 100", "fewer than 1 in 1,000", "09:30",
    "7f3a91c2e0d4", "0.1.0", "1.9.0.post1", "orders-2026-11-29, 18 tables", "<10", "10 of 1,204",
    "[100 200 3000]", "100  200  3000\n101  201  3001", "0 1 2 3 4 5 6 7 8 9 10 11 12",
    "https://vega.github.io/schema/vega-lite/v6.1.0.json", "#0b5fa5", "@SUM(1+1)", "a @ b",
    "20261129", "29/11/2026", "29.11.2026 10:15", "01/02/2026 03:04", "K00730", "85123A",
]  # fmt: skip


@pytest.mark.parametrize("text", WRITTEN)
def test_numbers_days_and_periods_of_a_page_are_nobodys(text):
    assert personal.reads_like(text) == ""


@given(st.integers(-(10**12), 10**12), st.floats(-1e9, 1e9), st.dates(), st.times())
def test_no_number_or_moment_of_ours_reads_like_a_telephone_number(whole, part, day, time):
    moment = dt.datetime.combine(day, time)
    written = (
        f"{whole:,} {part:,.2f} {part:+.1f} {part!r} {part:.1%} {day} {day}/{day} "
        f"{moment.isoformat()} {day.day} {day:%B} {day.year} ({part:,.0f} to {part:,.0f})"
    )
    assert personal.reads_like(written) == ""


@pytest.mark.parametrize(
    "output",
    [
        markdown("Ask ann\\@shop\\.example."),
        markdown("| who |\n|---|\n| ann@shop.example |"),
        html(pd.DataFrame({"who": ["ann@shop.example"]})),
        new_output("display_data", data={"text/html": "<a href='mailto:ann@shop.example'>Ann</a>"}),
        printed("Sent to ann@shop.example"),
        new_output("execute_result", data={"text/plain": "'ann@shop.example'"}),
        chart(pd.DataFrame({"who": ["ann@shop.example"], "n": [1]})),
        chart(pd.DataFrame({"n": [1]}), title="For ann@shop.example"),
        recorded("Orders of ann@shop.example"),
    ],
    ids=["markdown", "table", "frame", "link", "print", "value", "data", "title", "result"],
)
def test_address_is_refused_wherever_a_page_would_show_it(output):
    said = refusal(output, source="mine()\n2")
    assert said.startswith("own.ipynb, cell 2 ('mine()') ")
    assert "an e-mail address" in said
    assert "count, or leave it out" in said
    assert "ann" not in said.replace("ann.ipynb", "")


def test_what_a_page_does_not_show_is_not_looked_at_but_its_results_are():
    passes(printed("ann@shop.example"), tags=["hide"])
    passes(new_output("stream", name="stderr", text="ann@shop.example"))
    assert "records a result" in refusal(recorded("ann@shop.example"), tags=["hide"])


# --- columns and rows ----------------------------------------------------------------------------

REFUSED = [
    "customer_id", "ORDER_ID", "customerId", "CustomerID", "Customer ID", "customer number",
    "Kundennummer", "Adresse",
    "order_id", "Order no", "invoice-number", "user_uuid", "id", "ID",
    "email", "E-mail", "Customer email", "e_mail_address", "phone", "Phone number", "mobile",
    "address", "Billing address", "postcode", "first_name", "Surname", "date_of_birth",
]  # fmt: skip
FINE = [
    "country", "paid", "n", "Customers", "Orders", "Orders per customer", "Paid",
    "Number of orders",
    "Period", "grid", "product_id", "Cohort", "share", "Mobile share", "android", "Covid", "name",
    "Metric", "Owner, review by", "Result", "valid", "Identity", "Order value",
    "customer retention",
]  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_column_named_for_one_person_or_order_is_refused_by_name(name):
    frame = pd.DataFrame({name: ["a 1", "b 2"], "n": [1, 2]})
    assert f"the column {name!r}" in refusal(html(frame))
    assert f"the column {name!r}" in refusal(chart(frame))


@pytest.mark.parametrize("name", FINE)
def test_column_of_an_aggregate_is_shown(name):
    passes(html(pd.DataFrame({name: ["a 1", "b 2"]})))
    passes(chart(pd.DataFrame({name: ["a 1", "b 2"]})))


def test_heading_counts_as_well_as_the_field_behind_it():
    labels = {"labels": [["who", "Customer ID"], ["n", "Orders"]]}
    said = refusal(chart(pd.DataFrame({"who": [1], "n": [2]}), usermeta=labels))
    assert "'Customer ID'" in said


def test_index_of_a_frame_is_a_column_too():
    frame = pd.DataFrame({"n": [1, 2]}, index=pd.Index([7, 8], name="customer_id"))
    assert "'customer_id'" in refusal(html(frame))


def test_printed_frame_is_a_table_too():
    frame = pd.DataFrame({"customer_id": [7, 8], "n": [1, 2]})
    assert "'customer_id'" in refusal(printed(frame.to_string()))


def test_channel_named_as_an_address_is_no_address():
    passes(html(pd.DataFrame({"email": ["26.2\N{NO-BREAK SPACE}%", "<10"], "search": ["1", "2"]})))
    passes(chart(pd.DataFrame({"email": [0.2, 0.3], "search": [0.1, None]})))
    assert "'phone'" in refusal(html(pd.DataFrame({"phone": ["447911123456", "447911123457"]})))


def test_codes_no_two_alike_are_a_list_of_individuals():
    codes = [f"C{number:05}" for number in range(personal.LONG)]
    assert "another code in each row" in refusal(chart(pd.DataFrame({"who": codes})))
    passes(chart(pd.DataFrame({"who": codes[:-1]})))  # too short to be one
    passes(chart(pd.DataFrame({"product": codes})))
    passes(chart(pd.DataFrame({"who": codes[:5] * 4})))


def test_codes_of_customers_are_refused_from_a_few_on():
    frame = pd.DataFrame({"Customer": [17850, 13047, 12583, 13748, 15100], "n": range(5)})
    assert "'Customer'" in refusal(html(frame))
    passes(html(pd.DataFrame({"Customer": ["new", "returning"], "n": [40, 60]})))


def test_texts_no_two_alike_are_a_list_of_individuals_when_they_are_many():
    letters = "abcdefghijklmnopqrstuvwxyz"
    names = [f"{one}nna {other}mith" for one in letters for other in letters][: personal.LABELLED]
    assert "another text" in refusal(chart(pd.DataFrame({"who": names})))
    passes(chart(pd.DataFrame({"who": names[:-1]})))


@pytest.mark.parametrize(
    "values",
    [
        pd.date_range("2015-01-01", periods=120, freq="MS"),
        [f"{month:%B %Y}" for month in pd.date_range("2015-01-01", periods=120, freq="MS")],
        [f"2026-W{week:02}" for week in range(1, 53)],
        [f"{10 * place}-{10 * place + 9}" for place in range(120)],
        [f"{place + 0.5:,.1f}\N{NO-BREAK SPACE}% (1.0 to 99.0)" for place in range(120)],
        [f"\u00a3{1000 + place:,}" for place in range(120)],
        range(1000, 1120),
    ],
    ids=["dates", "months", "weeks", "tiers", "shares", "money", "counts"],
)
def test_periods_tiers_and_figures_are_unlike_and_yet_nobodys(values):
    passes(chart(pd.DataFrame({"what": list(values)})))


def test_more_rows_than_a_page_lists_are_refused():
    assert privacy.MOST_ROWS == figures.MOST_ROWS
    long = pd.DataFrame({"n": range(privacy.MOST_ROWS + 1)})
    with pd.option_context("display.max_rows", None):
        table = html(long)
    for output in (chart(long), table, printed("1\n" * len(long))):
        assert "501 rows, and a page lists at most 500" in refusal(output)
    passes(chart(long[1:]))


# --- the notebooks of the suite ------------------------------------------------------------------


def executed(notebook, **parameters):
    """Execute a notebook of this repository where it lies, with other parameters."""
    book = nbformat.read(ROOT / "notebooks" / notebook, as_version=4)
    place = next(
        at for at, cell in enumerate(book.cells) if "parameters" in cell.metadata.get("tags", [])
    )
    source = "\n".join(f"{name} = {value!r}" for name, value in parameters.items())
    book.cells.insert(place + 1, new_code_cell(source, metadata={"tags": ["hide"]}))
    book.metadata.kernelspec = {"name": "python3", "display_name": "", "language": "python"}
    NotebookClient(book, timeout=300, resources={"metadata": {"path": str(ROOT)}}).execute()
    return book


@pytest.mark.slow
@pytest.mark.parametrize("notebook", ["10_retention_overview.ipynb", "custom/template.ipynb"])
def test_gate_lets_pass_the_notebooks_of_a_made_up_shop(notebook, tmp_path, monkeypatch):
    monkeypatch.setenv("RETENTION_LAB_STATIC", "1")
    simulate(tmp_path / "demo", customers=3_000, days=500)
    source = tmp_path / "sources" / "demo.yml"
    source.parent.mkdir()
    shutil.copy(ROOT / "data" / "sources" / "demo.yml", source)
    refuse_personal(executed(notebook, source=str(source), as_of="2026-11-29"), name=notebook)


@pytest.mark.slow
@pytest.mark.skipif(not SHARED.is_dir(), reason="needs the data sets beside the repository")
def test_gate_lets_pass_the_overview_of_a_real_shop(tmp_path, monkeypatch):
    monkeypatch.setenv("RETENTION_LAB_STATIC", "1")
    monkeypatch.setenv("RETENTION_LAB_DATA", str(SHARED))
    source = tmp_path / "sources" / "online_retail_ii.yml"
    source.parent.mkdir()
    shutil.copy(ROOT / "data" / "sources" / source.name, source)
    book = executed("10_retention_overview.ipynb", source=str(source), as_of="2011-11-30")
    refuse_personal(book, name="overview")


# --- secrets -------------------------------------------------------------------------------------

PASSWORD = "p@ss/w\u00f6rd&'x"


@pytest.fixture
def source(tmp_path):
    def make(text):
        file = tmp_path / "shop.yml"
        file.write_text(text, encoding="utf-8")
        return file

    return make


def test_variables_of_a_connection_and_its_password_are_secret(source, monkeypatch):
    monkeypatch.setenv("SHOP_DB", "postgres://reader:s3same%21@db.internal/shop")
    monkeypatch.setenv("SHOP_PW", "hunter")
    monkeypatch.delenv("SHOP_OTHER", raising=False)
    file = source(
        "tables:\n  orders:\n    rows:\n      - {connection: '${SHOP_DB}', table: orders}\n"
        "      - {connection: 'mysql://me:${SHOP_PW}@${SHOP_OTHER:-other.internal}/x', table: y}\n"
        "      - {connection: 'mysql://me:written@host/x', table: z}\n"
    )
    assert secrets(file) == {
        "postgres://reader:s3same%21@db.internal/shop",
        *("s3same%21", "hunter", "other.internal", "written"),
    }


def test_word_that_a_path_begins_with_is_no_secret_but_a_folder_is(source, monkeypatch):
    monkeypatch.setenv("WORD", "data")
    monkeypatch.setenv("FOLDER", "/mnt/clients/acme")
    file = source("tables:\n  orders:\n    rows: ['${WORD}/x.csv', '${FOLDER}/y.csv']\n")
    assert secrets(file) == {"/mnt/clients/acme"}


def test_password_of_mail_is_secret_and_so_is_what_a_broken_file_names(source, monkeypatch):
    monkeypatch.setenv("RETENTION_LAB_SMTP_PASSWORD", "letters")
    monkeypatch.setenv("SHOP_DB", "hidden")
    assert secrets(source("name: [${SHOP_DB}\n  - :")) == {"letters", "hidden"}
    assert secrets(Path("no such file")) == {"letters"}


def test_values_of_one_or_two_letters_are_left_in_their_words(source, monkeypatch):
    monkeypatch.setenv("RETENTION_LAB_SMTP_PASSWORD", "")
    monkeypatch.setenv("SHOP_DB", "ab")
    assert secrets(source("tables: {orders: {rows: {connection: '${SHOP_DB}'}}}")) == set()
    assert scrub("about a table", {"ab"}) == "about a table"


def test_secret_is_masked_as_addresses_json_python_and_html_write_it():
    forms = [
        PASSWORD, "p%40ss/w%C3%B6rd%26%27x", "p%40ss%2Fw%C3%B6rd%26%27x",
        json.dumps(PASSWORD)[1:-1], repr(PASSWORD)[1:-1], "p@ss/w\u00f6rd&amp;&#x27;x",
    ]  # fmt: skip
    assert scrub(" | ".join(forms), {PASSWORD}) == " | ".join(["[secret]"] * len(forms))


def test_longer_secret_goes_first_and_a_mask_is_not_masked_again():
    assert scrub("topsecretword and secret", {"secret", "topsecretword"}) == (
        "[secret] and [secret]"
    )


def test_password_of_any_address_and_personal_data_are_masked_without_being_known():
    text = "at postgres://me:s3same@db.internal/x for ann@shop.example, +44 20 7946 0958; 6,412"
    assert scrub(text, ()) == (
        "at postgres://me:[secret]@db.internal/x for [e-mail address], [telephone number]; 6,412"
    )


def test_failed_notebook_keeps_no_secret_anywhere():
    secret = "postgres://reader:s3same@db.internal/shop"
    try:
        raise ConnectionError(f"no route to {secret}")
    except ConnectionError:
        lines = traceback.format_exception(*sys.exc_info())
    coloured = [line.replace("s3same", "s3\x1b[31msame\x1b[0m") for line in lines]
    book = new_notebook(
        cells=[
            new_code_cell(
                f"connect({secret!r})",
                metadata={"said": secret},
                outputs=[
                    new_output("error", ename="ConnectionError", evalue=secret, traceback=coloured),
                    printed(f"ann@shop.example {secret}"),
                    new_output("display_data", data={page.CHART: {"data": {"url": secret}}}),
                ],
            )
        ],
        metadata={"papermill": {"parameters": {"source": secret}}},
    )
    before = nbformat.writes(book)
    kept = nbformat.writes(scrub_notebook(book, {secret}))
    assert "s3same" not in kept
    assert "ann@" not in kept
    assert nbformat.writes(book) == before
    nbformat.validate(nbformat.reads(kept, as_version=4))


def test_secret_that_holds_another_is_masked_as_a_whole():
    assert scrub("by abc-def-123", {"abc", "abc-def-123"}) == "by [secret]"


def test_colours_of_a_terminal_do_not_hide_a_secret():
    assert scrub("hun\x1b[31mter2\x1b[0m", {"hunter2"}) == "[secret]"


def test_name_of_a_recorded_result_is_looked_at_too():
    data = {page.RESULTS: [{"ann@shop.example": 3}]}
    assert "records a result with an e-mail" in refusal(new_output("display_data", data=data))


def test_hash_of_a_definition_is_no_telephone_number():
    hashed, about = (
        {page.RESULTS: [{key: "020794609581"}]} for key in ("definition_hash", "about")
    )
    refuse_personal(of(new_output("display_data", data=hashed)), name="10_n.ipynb")
    assert "telephone number" in refusal(new_output("display_data", data=about))


# --- the page of a small shop ---------------------------------------------------------------------


def numbers_on(html):
    """Every whole number that a page holds, but for where its pictures draw and how it looks."""
    soup = BeautifulSoup(html, "html.parser")
    for tag in soup.find_all(["style", "script"]):
        if tag.get("type") != "application/json":
            tag.decompose()
    said = [soup.get_text(" "), *(tag.get_text() for tag in soup.find_all("script"))]
    said += [str(tag[name]) for name in ("aria-label", "title") for tag in soup.select(f"[{name}]")]
    said += [unquote(link["href"]) for link in soup.select("a[download]")]
    return {int(each) for each in re.findall(r"(?<![\w.-])\d+(?![\w.])", "\n".join(said))}


@pytest.mark.parametrize(("smallest", "found"), [("10", set(SMALL)), ("100", set())])
def test_no_byte_of_a_page_tells_the_count_of_a_few(smallest, found, facts):
    environment = {**os.environ, SMALLEST_CELL: smallest, "RETENTION_LAB_STATIC": "1"}
    script = Path(__file__).with_name("small_shop.py")
    shown = subprocess.check_output([sys.executable, script], env=environment)
    outputs = [new_output("display_data", data=data) for data in json.loads(shown)]
    html = page.render(of(*outputs), facts=facts)
    assert html.count("<figure") >= 7
    assert set(SMALL) & numbers_on(html) == found
    assert (f"&lt;{smallest}" in html) == (smallest == "100")


def test_an_arm_named_like_a_contact_may_have_amounts_of_any_currency():
    amount = money(1.42, "USD")
    assert not names_people("womens-email", [f"{amount} ({amount} to {amount})", f"+{amount}"])
    assert names_people("womens-email", ["USD 1.42"])  # no space of ours: what somebody typed
