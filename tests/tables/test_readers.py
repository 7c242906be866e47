"""Files and databases: the same four orders come out of each."""

from __future__ import annotations

import io
import sqlite3
import traceback
from contextlib import closing

import duckdb
import pandas as pd
import pytest

from retention_lab.checks import BadData, BadParameter
from retention_lab.tables import fingerprint, readers
from retention_lab.tables import source as sources

from .shops import CON, ORDER_COLUMNS, ORDERS, frame, orders_map, parsed, shop, times, write

FRAME = pd.DataFrame(
    {
        "order_id": [1, 2, 3, 4],
        "customer_id": ["ann", "bob", "ann", "cid"],
        "ordered_at": times(
            ["2025-01-05 10:00", "2025-01-20 11:30", "2025-02-03 23:59:59", "2025-03-01"]
        ),
        "amount": [10.0, 20.5, 5.25, 7.0],
    }
)
SECRET = "hunter2"


def four_orders(tmp_path, rows, files, columns=None):
    """Map the orders of these files and assert that they are the four."""
    table = orders_map(rows=rows) | ({"columns": columns} if columns else {})
    orders = parsed(shop(tmp_path, {"orders": table}, files))
    pd.testing.assert_frame_equal(orders[FRAME.columns], FRAME.astype({"order_id": str}))


def test_csv_with_commas_is_read(tmp_path):
    four_orders(tmp_path, "orders.csv", {"orders.csv": ORDERS})


def test_csv_with_semicolons_byte_order_mark_and_crlf_is_read(tmp_path):
    text = "\ufeff" + ORDERS.replace(",", ";").replace("\n", "\r\n")
    rows = {"path": "orders.csv", "delimiter": ";"}
    four_orders(tmp_path, rows, {"orders.csv": text.encode()})


def test_csv_below_a_title_is_read(tmp_path):
    rows = {"path": "orders.csv", "skip": 2}
    four_orders(tmp_path, rows, {"orders.csv": "Orders of the shop\n\n" + ORDERS})


def test_parquet_is_read(tmp_path):
    four_orders(tmp_path, "orders.parquet", {"orders.parquet": FRAME})


def test_xlsx_is_read(tmp_path):
    four_orders(tmp_path, "orders.xlsx", {"orders.xlsx": FRAME})


def test_fixed_width_lines_are_read(tmp_path):
    rows = {"path": "orders.txt", "format": "lines", "skip": 1}
    lines = [f" {i} {name}{when:%Y%m%d%H%M%S} {amount:>6}" for i, name, when, amount in
             FRAME.itertuples(index=False)]  # fmt: skip
    columns = {
        "order_id": {"sql": "substr(line, 2, 1)"},
        "customer_id": {"sql": "substr(line, 4, 3)"},
        "ordered_at": {"sql": "substr(line, 7, 14)", "format": "%Y%m%d%H%M%S"},
        "amount": {"sql": "substr(line, 21)"},
    }
    text = "a heading\n" + "\n".join(lines) + "\n\n"
    four_orders(tmp_path, rows, {"orders.txt": text}, columns)


def test_duckdb_file_is_read_for_several_tables(tmp_path):
    with duckdb.connect(str(tmp_path / "shop.duckdb")) as con:
        con.register("frame", FRAME)
        con.execute("create table sales as select * from frame")
        con.execute(
            "create table people as select customer_id, min(ordered_at) t from frame group by 1"
        )
    customers = {
        "rows": {"path": "shop.duckdb", "table": "people"},
        "columns": {"customer_id": "customer_id", "signed_up_at": "t"},
    }
    orders = orders_map(rows={"path": "shop.duckdb", "table": "sales"})
    source = shop(tmp_path, {"orders": orders, "customers": customers}, {})
    assert list(parsed(source)["amount"]) == [10, 20.5, 5.25, 7]
    assert list(parsed(source, "customers")["customer_id"]) == ["ann", "bob", "cid"]


def test_duckdb_file_without_the_table_names_the_nearest(tmp_path):
    with duckdb.connect(str(tmp_path / "shop.duckdb")) as con:
        con.execute("create table sales (i int)")
    orders = orders_map(rows={"path": "shop.duckdb", "table": "sale"})
    with pytest.raises(BadParameter, match=r"no table 'sale'. Did you mean 'sales'"):
        parsed(shop(tmp_path, {"orders": orders}, {}))


def test_table_is_read_through_a_duckdb_connection(tmp_path, monkeypatch):
    with duckdb.connect(str(tmp_path / "shop.duckdb")) as con:
        con.register("frame", FRAME)
        con.execute("create table sales as select * from frame")
    monkeypatch.setenv("SHOP_DB", f"duckdb://{tmp_path}/shop.duckdb")
    four_orders(tmp_path, {"connection": "${SHOP_DB}", "table": "sales"}, {})


def test_table_is_read_through_an_sqlite_connection(tmp_path, monkeypatch):
    pytest.importorskip("regex", reason="the SQLite backend of Ibis needs it")
    with closing(sqlite3.connect(tmp_path / "shop.sqlite")) as con, con:
        FRAME.astype({"ordered_at": str}).to_sql("sales", con, index=False)
    con.close()
    monkeypatch.setenv("SHOP_DB", f"sqlite://{tmp_path}/shop.sqlite")
    four_orders(tmp_path, {"connection": "${SHOP_DB}", "table": "sales"}, {})


def test_pattern_reads_all_files_that_fit_it(tmp_path):
    head, *lines = ORDERS.splitlines(keepends=True)
    files = {"orders_1.csv": head + "".join(lines[:2]), "orders_2.csv": head + "".join(lines[2:])}
    four_orders(tmp_path, "orders_*.csv", files)


def test_files_of_different_formats_and_types_are_one_table(tmp_path):
    head, first, *_ = ORDERS.splitlines(keepends=True)
    files = {
        "a.csv": head + first,
        "b.parquet": FRAME[1:2],
        "c.parquet": FRAME[2:3].assign(
            ordered_at=lambda t: t["ordered_at"].dt.tz_localize("UTC"), order_id=3.0
        ),
        "d.xlsx": FRAME[3:],
    }
    four_orders(tmp_path, list(files), files)


NUMBERED = {**ORDER_COLUMNS, "order_id": "row"}


@pytest.mark.parametrize("name", ["orders.csv", "orders.parquet", "orders.xlsx"])
def test_rows_without_an_id_are_numbered_down_the_file(tmp_path, name):
    content = ORDERS if name.endswith("csv") else FRAME
    four_orders(tmp_path, {"path": name, "number_as": "row"}, {name: content}, NUMBERED)


def test_rows_of_a_long_file_are_numbered_in_its_order(tmp_path):
    long = pd.concat([FRAME[["customer_id", "ordered_at", "amount"]]] * 20_000)
    many = io.BytesIO()
    long.assign(coupon=range(1, len(long) + 1)).to_parquet(many, row_group_size=2_000)
    rows = {"path": "o.parquet", "number_as": "row"}
    table = orders_map(rows=rows, columns={**NUMBERED, "coupon": "coupon"})
    orders = parsed(shop(tmp_path, {"orders": table}, {"o.parquet": many.getvalue()}))
    assert len(orders) == 80_000
    assert (orders["order_id"] == orders["coupon"]).all()


def test_rows_of_each_of_several_files_are_numbered_from_one(tmp_path):
    rows = [{"path": name, "number_as": "row"} for name in ("a.csv", "b.csv")]
    orders = parsed(
        shop(
            tmp_path,
            {"orders": orders_map(rows=rows, columns=NUMBERED)},
            {"a.csv": ORDERS, "b.csv": ORDERS},
        )
    )
    assert sorted(orders["order_id"]) == sorted("11223344")


def test_one_file_is_melted_by_the_labels_of_its_places(tmp_path):
    columns = {"customer_id": "who", "event": "label", "occurred_at": {"sql": "'2025-01-05'"}}
    rows = [{"path": "use.csv", "label": each} for each in ("installed", "played")]
    events = {"rows": rows, "columns": columns, "only": "label = 'installed' or played = 'yes'"}
    files = {"orders.csv": ORDERS, "use.csv": "who,played\nann,yes\nbob,no\n"}
    found = parsed(shop(tmp_path, {"orders": orders_map(), "events": events}, files), "events")
    pairs = sorted(zip(found["customer_id"], found["event"], strict=True))
    assert pairs == [("ann", "installed"), ("ann", "played"), ("bob", "installed")]


@pytest.mark.parametrize("added", [{"number_as": "amount"}, {"label": "visit"}])
def test_column_that_a_file_has_cannot_be_added(tmp_path, added):
    files = {"orders.csv": ORDERS.replace("customer_id", "label")}
    columns = {**ORDER_COLUMNS, "customer_id": "label"}
    table = orders_map(rows={"path": "orders.csv", **added}, columns=columns)
    with pytest.raises(BadParameter, match=r"orders.csv has a column '\w+' already, so none of"):
        parsed(shop(tmp_path, {"orders": table}, files))


def test_rows_of_a_database_have_no_number(tmp_path):
    rows = {"connection": "duckdb://x", "table": "orders", "number_as": "row"}
    with pytest.raises(BadParameter, match=r"`number_as` says nothing about rows of the kind con"):
        shop(tmp_path, {"orders": orders_map(rows=rows)}, {})


def test_quoted_newlines_delimiters_and_quotes_belong_to_their_cell(tmp_path):
    text = ORDERS.replace("ann", '"ann, ""the first""\nof her name"')
    orders = parsed(shop(tmp_path, files={"orders.csv": text}))
    assert orders["customer_id"].iloc[0] == 'ann, "the first"\nof her name'
    assert len(orders) == 4


def test_quotes_that_first_stand_far_down_are_read(tmp_path):
    line = ORDERS.splitlines(keepends=True)[1]
    text = ORDERS + line * 25_000 + line.replace("ann", '"zoe, the last"')
    orders = parsed(shop(tmp_path, files={"orders.csv": text}))
    assert len(orders) == 25_005
    assert "zoe, the last" in set(orders["customer_id"])


def test_rows_that_begin_with_a_hash_are_rows(tmp_path):
    text = ORDERS + "#5,ann,2025-02-03,5\n#6,bob,2025-02-03,5\n"
    assert len(parsed(shop(tmp_path, files={"orders.csv": text}))) == 6


def test_declared_latin_1_is_read(tmp_path):
    for name in ("csv", "lines"):
        table = orders_map(rows={"path": "orders.csv", "encoding": "latin-1"})
        if name == "lines":
            table["rows"] |= {"format": "lines", "skip": 1}
            table["columns"] = {
                column: {"sql": f"split_part(line, ',', {i})"}
                for i, column in enumerate(table["columns"], start=1)
            }
        source = shop(
            tmp_path,
            {"orders": table},
            {"orders.csv": ORDERS.replace("ann", "zoé").encode("latin-1")},
        )
        assert parsed(source)["customer_id"].iloc[0] == "zoé"


def test_declared_text_of_windows_is_read_in_cells_and_names(tmp_path):
    table = orders_map(rows={"path": "orders.csv", "encoding": "cp1252"})
    table["columns"]["customer_id"] = name = "customer\u2019s \u20ac"
    text = ORDERS.replace("customer_id", name).replace("ann", "\u201czoé\u201d \u20ac")
    source = shop(tmp_path, {"orders": table}, {"orders.csv": text.encode("cp1252")})
    assert list(parsed(source)["customer_id"].iloc[:2]) == ["\u201czoé\u201d \u20ac", "bob"]
    (tmp_path / "orders.csv").write_bytes(text.encode("cp1252") + b"\x81,ann,2025-03-04,1\n")
    with pytest.raises(BadData, match="it is no cp1252 text, as its `encoding` says"):
        parsed(source)
    table["rows"]["encoding"] = "latin-1"
    with pytest.raises(BadData, match="Say `encoding: cp1252`, which Windows writes"):
        parsed(shop(tmp_path, {"orders": table}, {}))


@pytest.mark.parametrize("codec", ["utf-16", "utf-16-le"])
def test_declared_utf_16_is_read(tmp_path, codec):
    table = orders_map(rows={"path": "orders.csv", "encoding": "utf-16"})
    files = {"orders.csv": ORDERS.replace("ann", "zoé").encode(codec)}
    assert parsed(shop(tmp_path, {"orders": table}, files))["customer_id"].iloc[0] == "zoé"


def test_mark_of_utf_8_is_no_part_of_the_first_name(tmp_path):
    assert len(parsed(shop(tmp_path, files={"orders.csv": ORDERS.encode("utf-8-sig")}))) == 4


@pytest.mark.parametrize("form", ["csv", "lines"])
def test_undeclared_latin_1_is_refused_with_the_setting_that_helps(tmp_path, form):
    table = orders_map(rows={"path": "orders.csv", "format": form})
    if form == "lines":
        table["columns"] = {column: {"sql": "line"} for column in table["columns"]}
    files = {"orders.csv": ORDERS.replace("ann", "zoé").encode("latin-1")}
    with pytest.raises(BadData, match=r"not UTF-8 text. Say `encoding: latin-1` beside its `path`"):
        parsed(shop(tmp_path, {"orders": table}, files))


def test_undeclared_latin_1_far_down_is_refused(tmp_path):
    line = ORDERS.splitlines()[1].encode() + b"\n"
    text = ORDERS.encode() + line * 40_000 + line.replace(b"ann", b"zo\xe9")
    with pytest.raises(BadData, match=r"not UTF-8 text. Say `encoding: latin-1`"):
        parsed(shop(tmp_path, files={"orders.csv": text}))


def test_line_with_too_many_cells_is_refused(tmp_path):
    head, line, *_ = ORDERS.splitlines(keepends=True)
    with pytest.raises(BadData, match="its lines have different numbers of cells"):
        parsed(shop(tmp_path, files={"orders.csv": head + line + "3,ann,2025-02-03,5,25\n"}))
    long = head + line * 40_000 + "3,ann,2025-02-03,5,25\n"
    with pytest.raises(BadData, match="Line: 40002 Expected Number of Columns: 4 Found: 5"):
        parsed(shop(tmp_path, files={"orders.csv": long}))


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("orders.csv", b"", "orders.csv is empty: not even a header line"),
        ("orders.parquet", b"no parquet", "orders.parquet .* cannot be read as parquet"),
        ("orders.xlsx", b"no workbook", "orders.xlsx is no readable .xlsx workbook"),
        ("orders.xlsx", pd.DataFrame(), "orders.xlsx has an empty sheet"),
    ],
)
def test_file_that_is_not_what_it_claims_is_refused(tmp_path, name, content, words):
    with pytest.raises(BadData, match=words):
        parsed(shop(tmp_path, {"orders": orders_map(rows=name)}, {name: content}))


def test_damaged_duckdb_file_is_refused(tmp_path):
    rows = {"path": "shop.duckdb", "table": "sales"}
    with pytest.raises(BadData, match=r"shop\.duckdb .* cannot be read as duckdb"):
        parsed(shop(tmp_path, {"orders": orders_map(rows=rows)}, {"shop.duckdb": b"x" * 5000}))


@pytest.mark.parametrize("path", ["none.csv", "none_*.csv", "folder"])
def test_missing_file_or_folder_instead_is_refused(tmp_path, path):
    (tmp_path / "folder").mkdir()
    with pytest.raises(
        BadParameter, match=rf"shop\.yml names {path.replace('*', '.')}, but .* is no file"
    ):
        parsed(shop(tmp_path, {"orders": orders_map(rows=path)}, {}))


def test_unknown_sheet_comes_with_those_there_are(tmp_path):
    rows = {"path": "orders.xlsx", "sheet": "Sheet"}
    with pytest.raises(BadParameter, match=r"no sheet 'Sheet'. Did you mean 'Sheet1'"):
        parsed(shop(tmp_path, {"orders": orders_map(rows=rows)}, {"orders.xlsx": FRAME}))


def test_mixed_column_of_a_workbook_is_read_as_text(tmp_path):
    mixed = FRAME.astype({"order_id": object, "amount": object})
    mixed.loc[0, "order_id"] = "A1"
    orders = parsed(shop(tmp_path, {"orders": orders_map(rows="o.xlsx")}, {"o.xlsx": mixed}))
    assert list(orders["order_id"]) == ["2", "3", "4", "A1"]


ADDRESSES = [
    f"postgres://ann:{SECRET}@nowhere.invalid/db?password={SECRET}",
    f"sqlite:///{SECRET}/none.sqlite",
    f"duckdb:///none/{SECRET}.duckdb",
    f"nonsense://{SECRET}",
    SECRET,
]


@pytest.mark.parametrize("address", ADDRESSES)
@pytest.mark.parametrize("spelling", ["variable", "default", "plain"])
def test_secret_of_a_connection_is_in_no_message_and_no_chained_error(
    tmp_path, monkeypatch, address, spelling
):
    monkeypatch.setenv("SHOP_DB", address)
    spelt = {"variable": "${SHOP_DB}", "default": "${NO_DB:-" + address + "}", "plain": address}
    rows = {"connection": spelt[spelling], "table": "sales"}
    source = shop(tmp_path, {"orders": orders_map(rows=rows)}, {})
    with pytest.raises(BadData, match=r"table 'sales' through .* cannot be opened") as caught:
        parsed(source)
    assert SECRET not in everything_said(caught.value)
    assert SECRET not in repr(source)


def test_secret_is_in_no_message_about_the_settings_themselves(tmp_path):
    for rows in (
        {"connection": f"x://{SECRET}"},
        {"connection": f"x://{SECRET}", "tablex": "sales"},
        {"connection": f"x://{SECRET}", "table": "t", "sheet": "s"},
        {"connection": [f"x://{SECRET}"], "table": "t"},
        [[f"x://{SECRET}"]],
    ):
        with pytest.raises(BadParameter) as caught:
            shop(tmp_path, {"orders": orders_map(rows=rows)}, {})
        assert SECRET not in everything_said(caught.value)


def test_secret_is_in_no_message_about_broken_yaml(tmp_path):
    write(tmp_path, {"shop.yml": f"name: x\nconnection: {SECRET}: {SECRET}\n"})
    with pytest.raises(BadParameter) as caught:
        sources.load(tmp_path / "shop.yml")
    assert SECRET not in everything_said(caught.value)


def test_missing_table_and_failing_fingerprint_keep_the_secret(tmp_path, monkeypatch):
    with duckdb.connect(str(tmp_path / f"{SECRET}.duckdb")) as con:
        con.execute("create table sales (i int)")
    monkeypatch.setenv("SHOP_DB", f"duckdb://{tmp_path}/{SECRET}.duckdb")
    rows = {"connection": "${SHOP_DB}", "table": "none", "fingerprint": "select max(i) from none"}
    source = shop(tmp_path, {"orders": orders_map(rows=rows)}, {})
    with pytest.raises(BadData, match=r"through \$\{SHOP_DB\} cannot be read \(.*\)") as caught:
        parsed(source)
    assert SECRET not in everything_said(caught.value)
    with pytest.raises(BadData, match=r"`fingerprint` query of .* failed") as caught:
        fingerprint.of_location(source.tables["orders"].rows[0], source=source)
    assert SECRET not in everything_said(caught.value)


def everything_said(error):
    """Return the message and traceback of an error and of all that led to it."""
    said = "".join(traceback.format_exception(error))
    while error is not None:
        said += repr(error) + str(error.args)
        error = error.__cause__ or error.__context__
    return said


def test_fingerprint_changes_with_the_answer_of_its_query(tmp_path):
    path = tmp_path / "shop.duckdb"
    rows = {"connection": f"duckdb://{path}", "table": "sales"}
    query = rows | {"fingerprint": "select count(*) from sales"}
    with duckdb.connect(str(path)) as con:
        con.execute("create table sales (i int)")
    plain = shop(tmp_path, {"orders": orders_map(rows=rows)}, {})
    assert fingerprint.of_location(plain.tables["orders"].rows[0], source=plain) == []
    source = shop(tmp_path, {"orders": orders_map(rows=query)}, {})
    before = fingerprint.of_location(source.tables["orders"].rows[0], source=source)
    with duckdb.connect(str(path)) as con:
        con.execute("insert into sales values (1)")
    assert fingerprint.of_location(source.tables["orders"].rows[0], source=source) != before


def test_raw_tables_keep_text_as_it_stands(tmp_path):
    source = shop(tmp_path, files={"orders.csv": "order_id,amount\n007,1e3\n"})
    [raw] = readers.read(source.tables["orders"].rows[0], source=source, con=CON)
    assert frame(raw).to_dict("records") == [{"order_id": "007", "amount": "1e3"}]
