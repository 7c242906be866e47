"""Files as people export them: what divides cells, how they are encoded, where the header is."""

from __future__ import annotations

import pytest

from retention_lab.checks import BadData, BadParameter
from retention_lab.tables import engine, names
from retention_lab.tables.drafts import roles, sniffing

CON = engine.connect()


def looked(folder, content, name="shop.csv"):
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return sniffing.look(path, con=CON)


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_delimiter_is_what_cuts_every_line_alike(tmp_path, delimiter):
    rows = [["id", "note", "worth"], ["1", '"a, b; c"', "1.5"], ["2", '"two\nlines"', "2.5"]]
    found = looked(tmp_path, "\n".join(delimiter.join(row) for row in rows) + "\n")
    assert found.place.delimiter == delimiter
    assert found.columns == ("id", "note", "worth")
    assert found.cells["worth"] == ["1.5", "2.5"]


def test_decimal_commas_divide_no_cells(tmp_path):
    found = looked(tmp_path, "wer;wert\na;1,50\nb;2,50\nc;3,50\n")
    assert found.place.delimiter == ";"
    assert found.kinds == {"wer": "text", "wert": "number"}


@pytest.mark.parametrize(
    ("cell", "kind"),
    [
        *(("12.50", "number"), ("-1.234,56 \N{EURO SIGN}", "number"), ("(12.50)", "number")),
        *(("usd 1,234", "number"), ("12 kr.", "number"), ("12.50-", "number")),
        *(("K00730", "text"), ("CUS-17", "text"), ("17B", "text")),
    ],
)
def test_number_has_nothing_but_a_currency_around_it(tmp_path, cell, kind):
    assert looked(tmp_path, f"id;who;worth\na;x;{cell}\nb;y;{cell}\n").kinds["worth"] == kind


@pytest.mark.parametrize("above", ["Sales of May\n\n", "Sales of May,,\nmade today,,\n", "sep=,\n"])
def test_lines_above_the_header_are_skipped(tmp_path, above):
    found = looked(tmp_path, above + "id,when,worth\n1,2025-01-02,3\n2,2025-01-02,3\n")
    assert found.columns == ("id", "when", "worth")
    assert found.place.skip == above.count("\n")


def test_tail_of_a_large_file_is_seen_and_its_middle_is_not(tmp_path):
    line = "1,2025-01-02,3\n"
    text = "id,when,worth\n" + line * 200_000 + "last,2025-01-02,3\n"
    found = looked(tmp_path, text)
    assert found.cells["id"][-1] == "last"
    assert len(found.cells["id"]) <= 4_000


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("\ufeffid,b\n1,2\n".encode("utf-16-be"), "an order that is not read"),
        (b"id,b\n1,\x81\n", "another encoding than UTF-8, UTF-16, Latin-1 or that of Windows"),
        ("a@b.c,2\nd@e.f,3\n", "which is data"),
    ],
)
def test_what_is_not_read_is_refused_with_what_to_do(tmp_path, content, words):
    with pytest.raises(BadData, match=words):
        looked(tmp_path, content)


def test_other_kinds_of_files_are_refused(tmp_path):
    with pytest.raises(BadParameter, match=r"ends in \.json; `start` reads \.csv, \.parquet"):
        looked(tmp_path, "{}", name="shop.json")


@pytest.mark.parametrize(
    ("header", "role", "expected"),
    [
        ("Order_ID,x", "order_id", "Order_ID"),
        ("Bestellnr.,x", "order_id", "Bestellnr."),
        ("Num\u00e9ro de commande,x", "order_id", "Num\u00e9ro de commande"),
        ("N\u00famero Pedido,x", "order_id", "N\u00famero Pedido"),
        ("Amount (EUR),x", "amount", "Amount (EUR)"),
        ("total_gbp,x", "amount", "total_gbp"),
        ("Prix unitaire \u20ac,x", "unit_price", "Prix unitaire \u20ac"),
        ("St\u00fcckzahl,x", "quantity", "St\u00fcckzahl"),
        ("id,total", "order_id", "id"),
        ("id,x", "order_id", None),
    ],
)
def test_names_are_understood_in_several_languages(tmp_path, header, role, expected):
    found = roles.named(looked(tmp_path, f"{header}\n1,2\n3,4\n"), role)
    assert next(iter(found), None) == expected


def test_a_name_that_its_cells_deny_is_not_believed(tmp_path):
    found = looked(tmp_path, "date,amount\nyes,a lot\nno,nothing\n")
    assert roles.named(found, "ordered_at") == roles.named(found, "amount") == []


@pytest.mark.parametrize(
    ("name", "code"),
    [("Amount (EUR)", "EUR"), ("total_gbp", "GBP"), ("Total \u20ac", "EUR"), ("Europe", None),
     ("Total $", None)],
)  # fmt: skip
def test_currency_is_read_from_a_name(name, code):
    assert names.currency_in(name) == code


def test_personal_data_is_named_and_few_valued_text_describes(tmp_path):
    text = "id,Billing Name,Street,Country,Product name,total\n1,A,B,DE,mug,1\n2,C,D,FR,tea,2\n"
    found = looked(tmp_path, text)
    assert roles.attributes(found, taken=["id"]) == {"country": "Country"}
    assert roles.personal(found, taken=["id"]) == ["Billing Name", "Street"]
