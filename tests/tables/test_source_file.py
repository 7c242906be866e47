"""Source files: what is understood, and how each mistake is worded before a row is read."""

from __future__ import annotations

import re

import pytest
import yaml

from retention_lab.checks import BadParameter
from retention_lab.tables import settings
from retention_lab.tables import source as sources
from retention_lab.tables.location import Location, paths

from .shops import orders_map

GOOD = {"name": "Shop", "time_zone": "UTC", "currency": "GBP", "tables": {"orders": orders_map()}}
LINE_COLUMNS = {"order_id": "o", "quantity": "q", "unit_price": "p"}
SUBSCRIPTIONS = {"rows": "s.csv", "columns": {"customer_id": "c", "started_at": "t"}}


def refused(tmp_path, changes=None, orders=None, tables=None):
    """Return the sentence for a source file with some changes."""
    fields = GOOD | (changes or {})
    fields["tables"] = {"orders": orders_map(**(orders or {}))} | (tables or {})
    return refused_text(tmp_path, yaml.safe_dump(fields))


def refused_text(tmp_path, text):
    file = tmp_path / "shop.yml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(BadParameter) as caught:
        sources.load(file)
    message = str(caught.value)
    assert str(file) in message
    assert "\n" not in message
    assert message.endswith((".", "?"))
    return message


def test_missing_source_file_is_named(tmp_path):
    with pytest.raises(BadParameter, match=r"nowhere\.yml cannot be read: there is no such file"):
        sources.load(tmp_path / "nowhere.yml")


def test_folder_is_no_source_file(tmp_path):
    with pytest.raises(BadParameter, match="cannot be read: Is a directory"):
        sources.load(tmp_path)


def test_source_file_in_latin_1_is_refused(tmp_path):
    (tmp_path / "shop.yml").write_bytes("name: Café".encode("latin-1"))
    with pytest.raises(BadParameter, match="it is not UTF-8 text"):
        sources.load(tmp_path / "shop.yml")


def test_broken_yaml_is_refused_with_its_line(tmp_path):
    assert "near line 3" in refused_text(tmp_path, "name: Shop\ncurrency: GBP\n  tables: [\n")


def test_date_that_does_not_exist_is_refused_with_its_file_and_line(tmp_path):
    text = "name: Shop\ncomplete_to: 2026-02-30\n"
    assert "shop.yml holds a date that does not exist (2026-02-30 on line 2): m" in refused_text(
        tmp_path, text
    )


def test_key_that_stands_twice_is_refused_with_its_line(tmp_path):
    text = "name: Shop\ncurrency: GBP\ncurrency: USD\n"
    assert "near line 3 ('currency' stands twice)" in refused_text(tmp_path, text)


@pytest.mark.parametrize("text", ["", "- a\n- b\n", "42"])
def test_yaml_that_is_no_mapping_is_refused(tmp_path, text):
    assert "must be a mapping" in refused_text(tmp_path, text)


def test_unknown_setting_comes_with_the_nearest_known_one(tmp_path):
    assert "currencyx is not a setting. Did you mean 'currency'?" in refused(
        tmp_path, {"currencyx": 1}
    )
    message = refused(tmp_path, orders={"leave_ot": []})
    assert "tables.orders.leave_ot is not a setting. Did you mean 'leave_out'?" in message
    message = refused(tmp_path, orders={"rows": {"path": "a.csv", "delimiterx": ";"}})
    assert "delimiterx is not a setting. Did you mean 'delimiter'?" in message
    columns = orders_map()["columns"] | {"amount": {"columnx": "x"}}
    message = refused(tmp_path, orders={"columns": columns})
    assert (
        "tables.orders.columns.amount.columnx is not a setting. Did you mean 'column'?" in message
    )
    message = refused(tmp_path, orders={"leave_out": [{"reason": "test", "were": "true"}]})
    assert "leave_out.0.were is not a setting. Did you mean 'where'?" in message


def test_misspelt_setting_is_told_before_the_one_it_leaves_missing(tmp_path):
    fields = {k: v for k, v in GOOD.items() if k != "tables"} | {"tablesx": GOOD["tables"]}
    message = refused_text(tmp_path, yaml.safe_dump(fields))
    assert "tablesx is not a setting. Did you mean 'tables'?" in message


def test_unknown_table_and_column_come_with_the_nearest_known_ones(tmp_path):
    message = refused(tmp_path, tables={"order_line": orders_map()})
    assert "no table 'order_line'. Did you mean 'order_lines'?" in message
    columns = orders_map()["columns"] | {"amnt": "x"}
    message = refused(tmp_path, orders={"columns": columns})
    assert "tables.orders has no column 'amnt'. Did you mean 'amount'?" in message


def test_missing_setting_is_named(tmp_path):
    fields = {k: v for k, v in GOOD.items() if k != "currency"}
    assert "currency is missing." in refused_text(tmp_path, yaml.safe_dump(fields))
    columns = {k: v for k, v in orders_map()["columns"].items() if k != "amount"}
    assert "tables.orders.columns lacks amount" in refused(tmp_path, orders={"columns": columns})


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"time_zone": "Europe/Londn"}, "'Europe/Londn' is not a time zone. Did you mean"),
        ({"business_time_zone": "Mars"}, "'Mars' is not a time zone"),
        ({"currency": "pounds"}, "three capital letters such as GBP, got 'pounds'"),
        ({"engine": "sparkle"}, "engine: Input should be 'duckdb' or 'spark', got 'sparkle'"),
        ({"complete_to": "2025-02-30"}, "complete_to: .* got '2025-02-30'"),
        ({"name": ["a"]}, "name: Input should be a valid string"),
    ],
)
def test_value_that_does_not_fit_is_told(tmp_path, changes, words):
    assert re.search(words, refused(tmp_path, changes))


@pytest.mark.parametrize(
    ("orders", "words"),
    [
        ({"rows": {"path": "a.csv", "connection": "x://"}}, "give either `path` or `connection`"),
        ({"rows": {"connection": "x://"}}, "a database needs `table`"),
        ({"rows": "shop.duckdb"}, "a database needs `table`"),
        (
            {"rows": {"path": "a.csv", "sheet": "x"}},
            "`sheet` says nothing about rows of the kind csv",
        ),
        (
            {"rows": {"path": "a.csv", "encoding": "cp850"}},
            r"'cp1252' \(Windows\) or 'utf-16', got 'cp850'. Export the file again as UTF-8",
        ),
        ({"rows": {"path": "a.csv", "skip": -1}}, "skip: .* got -1"),
        ({"rows": [], "derive_from": None}, "give either `rows` or `derive_from`"),
        ({"leave_out": ["no customer"]}, "no reason without `where` called 'no customer'"),
        ({"leave_out": ["missing custmer_id"]}, "Did you mean 'missing customer_id'"),
        ({"count_only": [{"reason": "test"}]}, "under `count_only` needs `where`"),
        ({"leave_out": [{"reason": "missing amount", "where": "true"}]}, "is taken"),
        (
            {
                "leave_out": [{"reason": "test", "where": "true"}],
                "count_only": [{"reason": "test", "where": "false"}],
            },
            "the reason 'test' is taken",
        ),
        ({"attributes": {"amount": "x"}}, "'amount' must be a plain new name"),
        ({"attributes": {"signed_up_at": "x"}}, "'signed_up_at' must be a plain new name"),
        ({"attributes": {"two words": "x"}}, "'two words' must be a plain new name"),
        ({"duplicates": "keep_best"}, "duplicates: Input should be"),
    ],
)
def test_map_of_orders_that_does_not_fit_is_told(tmp_path, orders, words):
    assert re.search(words, refused(tmp_path, orders=orders))


@pytest.mark.parametrize(
    ("column", "words"),
    [
        ({"column": "a", "sql": "b"}, "give one of `column`, `sql`, `lookup`"),
        ({"format": "%Y"}, "give one of `column`, `sql`, `lookup`"),
        ({"column": "a", "format": "%Y-%m-%d"}, "amount is no time and takes no `format`"),
    ],
)
def test_column_that_is_mapped_in_no_single_way_is_told(tmp_path, column, words):
    columns = orders_map()["columns"] | {"amount": column}
    assert words in refused(tmp_path, orders={"columns": columns})


@pytest.mark.parametrize(
    ("tables", "words"),
    [
        ({"orders": {"derive_from": "order_lines"}}, "order_lines, which then need customer_id"),
        ({"orders": {"derive_from": "orders"}}, "tables.orders cannot be derived from orders"),
        ({"returns": {"derive_from": "orders"}}, "tables.returns cannot be derived from orders"),
        (
            {"order_lines": {"rows": "l.csv", "columns": LINE_COLUMNS, "attributes": {"a": "b"}}},
            "put its attributes under orders or customers",
        ),
        (
            {"order_lines": {"rows": "l.csv", "columns": LINE_COLUMNS, "duplicates": "keep_last"}},
            "`duplicates: keep_last` needs order_id and line under `columns`",
        ),
        (
            {
                "events": {
                    "rows": "e.csv",
                    "columns": {"customer_id": "c", "event": "e", "occurred_at": "t"},
                    "duplicates": "keep_first",
                }
            },
            "needs a key, which this table has not",
        ),
        (
            {
                "customers": {
                    "rows": "c.csv",
                    "columns": {"customer_id": "c", "signed_up_at": "t"},
                    "duplicates": "add_up",
                }
            },
            "only parts of orders and of returns can be added up",
        ),
        (
            {"subscriptions": {**SUBSCRIPTIONS, "attributes": {"plan": "p"}}},
            "tables.subscriptions.attributes: 'plan' must be a plain new name",
        ),
    ],
)
def test_tables_that_do_not_fit_each_other_are_told(tmp_path, tables, words):
    assert words in refused(tmp_path, tables=tables)


def test_customer_may_have_a_plan_or_a_channel_of_their_own(tmp_path):
    columns = {"customer_id": "c", "signed_up_at": "t"}
    own = {"rows": "c.csv", "columns": columns, "attributes": {"plan": "p", "channel": "by"}}
    tables = GOOD["tables"] | {"customers": own, "subscriptions": SUBSCRIPTIONS}
    found = sources.parse(yaml.safe_dump(GOOD | {"tables": tables}), file=tmp_path / "s.yml")
    assert set(found.tables["customers"].attributes) == {"plan", "channel"}


def test_source_without_orders_is_told_how_to_derive_them(tmp_path):
    table = {"rows": "c.csv", "columns": {"customer_id": "c", "signed_up_at": "t"}}
    message = refused_text(tmp_path, yaml.safe_dump(GOOD | {"tables": {"customers": table}}))
    assert "`orders: {derive_from: order_lines}`" in message


@pytest.mark.parametrize(
    ("total", "words"),
    [
        ({"table": "orders"}, "give `rows`, `amount` or both"),
        ({"table": "events", "amount": 3}, "events have no amount"),
        ({"table": "order_lines", "rows": 3}, "got 'order_lines'"),
        ({"table": "returns", "rows": 3}, "no table 'returns'"),
        ({"table": "orders", "rows": 3, "last": "2024-01-01"}, "is after `last`"),
        ({"table": "orders", "rows": 3, "tolerance": 2}, "tolerance: .* got 2"),
    ],
)
def test_control_total_that_cannot_be_checked_is_told(tmp_path, total, words):
    whole = {"first": "2025-01-01", "last": "2025-01-31"} | total
    assert re.search(words, refused(tmp_path, {"control_totals": [whole]}))


def test_variable_without_a_value_or_default_is_named(tmp_path, monkeypatch):
    monkeypatch.delenv("SHOP_DATA", raising=False)
    location = Location(path="${SHOP_DATA}/orders.csv")
    with pytest.raises(BadParameter, match=r"shop\.yml uses \$\{SHOP_DATA\}, but that environment"):
        paths(location, file=tmp_path / "shop.yml")


def test_variable_comes_from_the_environment_or_its_default(tmp_path, monkeypatch):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "orders.csv").touch()
    location = Location(path="${SHOP_DATA:-a}/orders.csv")
    monkeypatch.delenv("SHOP_DATA", raising=False)
    assert paths(location, file=tmp_path / "shop.yml") == [tmp_path / "a" / "orders.csv"]
    monkeypatch.setenv("SHOP_DATA", "b")
    with pytest.raises(BadParameter, match=r"b/orders.csv is no file"):
        paths(location, file=tmp_path / "shop.yml")


def test_source_is_found_from_a_folder_below(tmp_path, monkeypatch):
    (tmp_path / "data").mkdir()
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "data" / "shop.yml").touch()
    monkeypatch.chdir(tmp_path / "notebooks")
    assert sources.find("data/shop.yml") == tmp_path / "data" / "shop.yml"
    monkeypatch.chdir(tmp_path)
    assert str(sources.find("data/shop.yml")) == "data/shop.yml"
    assert str(sources.find("data/none.yml")) == "data/none.yml"


def test_problem_of_another_model_comes_without_hint_where_none_is_given():
    with pytest.raises(ValueError, match="Location") as caught:
        Location(pth="x")
    assert settings.first_problem(caught.value) == "pth is not a setting."
    hinted = settings.first_problem(caught.value, model=Location)
    assert hinted == "pth is not a setting. Did you mean 'path'?"
