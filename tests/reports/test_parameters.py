from __future__ import annotations

import datetime as dt

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from retention_lab import typed
from retention_lab.checks import BadParameter
from retention_lab.reports import parameters

CELL = """
source: str = "shop.yml"  # the source file
as_of: "date" = "2026-11-29"
days: int = 90  # who buys again in time
alpha: float = 0.05
family: str = "all"
fast: bool = False
marks: list[int] = [30, 90]
since: "date" = "2026-01-01"
by: 'Literal["month", "week", 7]' = "month"
weeks: "int from 1 to 52" = 4  # how many
shares: "list[int] from 0 to 100" = [50]
until: "date from 2026-01-01" = "2026-06-30"
"""
TOLD = {"source": "x.yml", "as_of": "2026-11-29", "where": "", "time_zone": "", "owner": "O"}


def notebook(*cells):
    tagged = [new_code_cell(cell, metadata={"tags": ["parameters"]}) for cell in cells]
    return new_notebook(cells=[*tagged, new_code_cell("1 + 1")])


def schema(cell=CELL):
    return parameters.declared(notebook(cell), name="10.ipynb")


def checked(**given):
    return parameters.checked(given, schema=schema(), name="10.ipynb")


def test_schema_holds_types_defaults_and_help():
    found = schema()
    assert list(found)[2:5] == ["days", "alpha", "family"]
    assert (found["days"].type.kind, found["days"].default) == ("int", 90)
    assert found["days"].help == "who buys again in time"
    assert found["by"].type.choices == ("month", "week", 7)


def test_notebook_without_the_cell_is_refused_and_sent_to_the_template():
    with pytest.raises(BadParameter, match=r"10.ipynb has no cell tagged `parameters`.*template"):
        parameters.declared(notebook(), name="10.ipynb")


@pytest.mark.parametrize("name", parameters.NEEDED)
def test_notebook_that_is_not_told_of_shop_and_day_is_refused(name):
    cell = "\n".join(f'{each}: str = ""' for each in parameters.NEEDED if each != name)
    with pytest.raises(BadParameter, match=f"does not declare {name} in its cell"):
        schema(cell)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("days", 30),
        ("alpha", 0.1),
        ("alpha", 1),
        ("family", 'tea "and" cake\n'),
        ("fast", True),
        ("marks", []),
        ("marks", [1]),
        ("since", "2026-02-28"),
        ("by", "week"),
        ("by", 7),
        ("weeks", 52),
        ("shares", [0, 100]),
        ("until", "2026-01-01"),
    ],
)
def test_value_of_the_declared_type_passes_unchanged(name, value):
    assert checked(**{name: value}) == {name: value}


def test_date_that_yaml_read_becomes_iso_text():
    assert checked(since=dt.date(2026, 2, 28)) == {"since": "2026-02-28"}


@pytest.mark.parametrize(
    ("name", "value", "rule"),
    [
        ("days", "abc", "a whole number"),
        ("days", "30", "a whole number"),
        ("days", 30.0, "a whole number"),
        ("days", True, "a whole number"),
        ("days", None, "a whole number"),
        ("alpha", "0.1", "a number"),
        ("alpha", float("nan"), "a number"),
        ("alpha", True, "a number"),
        ("family", 3, "text"),
        ("fast", "no", "true or false"),
        ("fast", 1, "true or false"),
        ("marks", 30, "a list of whole numbers"),
        ("marks", [30, "90"], "a list of whole numbers"),
        ("since", "2026-02-30", "a day such as 2026-11-29"),
        ("since", "20260228", "a day such as 2026-11-29"),
        ("since", dt.datetime(2026, 2, 28, 10), "a day such as 2026-11-29"),  # noqa: DTZ001  as YAML reads it
        ("by", "day", "one of 'month', 'week', 7"),
        ("by", 7.0, "one of 'month', 'week', 7"),
        ("by", ["month"], "one of 'month', 'week', 7"),
        ("weeks", 53, "a whole number from 1 to 52"),
        ("shares", [50, 101], "a list of whole numbers from 0 to 100"),
        ("until", dt.date(2025, 12, 31), "a day such as 2026-11-29, from 2026-01-01 up"),
    ],
)
def test_value_of_another_type_is_refused(name, value, rule):
    with pytest.raises(BadParameter) as refusal:
        checked(**{name: value})
    assert f"10.ipynb: {name}" in str(refusal.value)
    assert f"must be {rule}, got" in str(refusal.value)


def test_refusal_repeats_the_help():
    with pytest.raises(BadParameter, match=r"days \(who buys again in time\) must be"):
        checked(days="abc")


@pytest.mark.parametrize("name", ["dais", "a=1;__import__('os').system('true')#", "for", "days "])
def test_name_that_is_not_declared_is_refused(name):
    with pytest.raises(BadParameter, match="has no parameter"):
        checked(**{name: 1})


def test_misspelt_name_comes_with_the_nearest():
    with pytest.raises(BadParameter, match="Did you mean 'days'"):
        checked(dais=1)


@pytest.mark.parametrize("name", list(parameters.RESERVED))
def test_suite_may_not_set_what_the_runner_fills_in(name):
    with pytest.raises(BadParameter, match=f"{name} is filled in by the runner"):
        checked(**{name: "x"})


def test_runner_fills_in_what_is_declared():
    filled = parameters.filled_in(TOLD, schema=schema(), name="10.ipynb")
    assert filled == {"source": "x.yml", "as_of": "2026-11-29"}


@pytest.mark.parametrize("name", ["where", "time_zone"])
def test_notebook_that_would_not_listen_is_refused(name):
    with pytest.raises(BadParameter, match=f"does not take {name}"):
        parameters.filled_in({**TOLD, name: "x"}, schema=schema(), name="10.ipynb")


@pytest.mark.parametrize(
    ("cell", "words"),
    [
        ("days = 90", "must read `name: type = literal`"),
        ("days: int", "must read `name: type = literal`"),
        ("import os", "must read `name: type = literal`"),
        ("days: int = 30 * 3", "must be a literal"),
        ("days: int = 'x'", "days must be a whole number, got 'x'"),
        ("since: date = '2026-01-01'", "in quotes"),
        ("days: complex = 1", "must be of type int, float"),
        ("by: 'Literal[int]' = 1", "must be of type int, float"),
        ("source: int = 1", "source is filled in by the runner"),
        ("days: int =", "line 1 of its parameters is no Python"),
    ],
)
def test_cell_of_another_form_is_refused(cell, words):
    with pytest.raises(BadParameter) as refusal:
        schema(cell)
    assert words in str(refusal.value)


def test_default_out_of_its_own_range_is_refused():
    with pytest.raises(BadParameter, match=r"weeks must be a whole number from 1 to 52, got 99\."):
        schema('weeks: "int from 1 to 52" = 99')


def test_runner_and_lab_refuse_with_the_same_sentence():
    with pytest.raises(BadParameter) as refusal:
        checked(weeks=53)
    with pytest.raises(BadParameter) as of_lab:
        typed.check({"__annotations__": {"weeks": "int from 1 to 52"}, "weeks": 53})
    assert str(refusal.value).replace("10.ipynb: weeks (how many)", "weeks") == str(of_lab.value)


def test_file_of_a_notebook_is_enough(tmp_path):
    path = tmp_path / "10.ipynb"
    nbformat.write(notebook(CELL), path)
    assert parameters.declared(parameters.read(path), name="10.ipynb") == schema()


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"cells": 3}', "\udcff", "null"])
def test_file_that_is_no_notebook_is_refused(tmp_path, text):
    path = tmp_path / "10.ipynb"
    path.write_text(text, encoding="utf-8", errors="surrogateescape")
    with pytest.raises(BadParameter, match=r"10\.ipynb is no notebook"):
        parameters.read(path)


@pytest.mark.parametrize("cell", [3, {}, {"metadata": None}, {"metadata": {"tags": None}}])
def test_cell_without_tags_is_not_that_of_parameters(cell):
    with pytest.raises(BadParameter, match="has no cell tagged"):
        parameters.declared({"cells": [cell]}, name="10.ipynb")


def test_second_cell_is_refused():
    with pytest.raises(BadParameter, match="2 cells tagged"):
        parameters.declared(notebook("a: int = 1", "b: int = 1"), name="10.ipynb")
