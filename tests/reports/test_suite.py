from __future__ import annotations

import datetime as dt
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
import sqlglot
from hypothesis import example, given
from hypothesis import strategies as st
from nbformat.v4 import new_code_cell, new_notebook

from retention_lab.checks import BadParameter
from retention_lab.reports import matrix as matrices
from retention_lab.reports import suite as suites

ROOT = Path(__file__).parents[2]
WEEKLY = """
name: weekly
title: Weekly retention
source: shop.yml
owner: Lifecycle team
notebooks:
  - {notebook: notebooks/10_overview.ipynb, title: Overview, parameters: {days: 90}}
  - {notebook: notebooks/20_churn.ipynb, title: Churn}
"""


@pytest.fixture
def file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = Path("suite.yml")
    path.write_text(WEEKLY, encoding="utf-8")
    return path


def refused(file, old, new):
    """Return the sentence that refuses the suite with one text in the place of another."""
    file.write_text(WEEKLY.replace(old, new), encoding="utf-8")
    with pytest.raises(BadParameter) as refusal:
        suites.load(file)
    return str(refusal.value)


FULL = """
period: month
as_of: data
time_zone: Europe/London
wait_until: "09:30"
minutes: 30
smallest_cell: 20
keep: 26
readers: [board@example.org, "o'brien+x@sub.example.co.uk"]
owner_mail: team@example.org
on_success: [notify, "two words"]
on_failure: [/bin/false]
publish: /srv/reports
pdf: true
brand: brand.yml
"""


def test_suite_says_when_for_whom_and_where_to(file):
    file.write_text(WEEKLY.replace("title: Churn", "title: Churn, tables: [orders]") + FULL)
    suite = suites.load(file)
    assert (suite.as_of, suite.wait_until, suite.minutes) == ("data", dt.time(9, 30), 30)
    assert (suite.smallest_cell, suite.keep, suite.pdf) == (20, 26, True)
    assert suite.readers == ["board@example.org", "o'brien+x@sub.example.co.uk"]
    assert suite.on_success == ["notify", "two words"]
    assert [part.tables for part in suite.notebooks] == [[], ["orders"]]


def test_suite_that_says_nothing_waits_for_nothing_and_keeps_all(file):
    suite = suites.load(file)
    assert (suite.as_of, suite.wait_until, suite.keep, suite.matrix) == ("today", None, None, None)
    assert (suite.minutes, suite.cell_minutes, suite.smallest_cell, suite.pdf) == (240, 60, 10, 0)
    assert (suite.readers, suite.on_success, suite.on_failure) == ([], None, None)


def test_suite_names_its_notebooks(file):
    suite = suites.load(file)
    assert [part.name for part in suite.notebooks] == ["10_overview", "20_churn"]
    assert (suite.period, suite.time_zone, suite.where) == ("week", "", "")


@pytest.mark.parametrize("path", sorted((ROOT / "experiments/suites").glob("*.yml")), ids=str)
def test_suite_of_the_project_names_what_exists(path):
    suite = suites.load(path)
    assert all(suite.place(part.notebook).is_file() for part in suite.notebooks)
    assert suite.place(suite.source).is_file()


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("owner: Lif", "ownr: Lif", "ownr is not a setting. Did you mean 'owner'?"),
        ("parameters:", "paramters:", "notebooks.0.paramters is not a setting. Did you mean"),
        ("title: Weekly retention", "", "title is missing"),
        ("name: weekly", "name: ../weekly", "name: String should match"),
        ("owner: Lif", "time_zone: Europe/Londn\nowner: Lif", "Europe/Londn"),
        ("20_churn", "10_overview", "two notebooks have the name '10_overview'"),
        ("title: Churn", "title: Overview", "two notebooks have the title 'Overview'"),
        ("name: weekly", "cell_minutes: 0\nname: weekly", "cell_minutes"),
        ("name: weekly", "period: fortnight\nname: weekly", "period"),
        ("notebooks:", "notebooks: [", "not valid YAML"),
        ("name: weekly", "as_of: now\nname: weekly", "as_of: Input should be 'today' or 'data'"),
        ("name: weekly", "minutes: 0\nname: weekly", "minutes: Input should be greater than"),
        ("name: weekly", "keep: 0\nname: weekly", "keep: Input should be greater than or equal"),
        ("name: weekly", "smallest_cell: 1\nname: weekly", "smallest_cell: Input should be great"),
        ("name: weekly", "smallest_cell: 101\nname: weekly", "smallest_cell: Input should be les"),
        ("name: weekly", "pdf: 'yes'\nname: weekly", "pdf: Input should be a valid boolean"),
        ("name: weekly", "wait_until: 10:30\nname: weekly", 'give a time in quotes, such as "09:0'),
        ("name: weekly", "wait_until: '24:00'\nname: weekly", "got '24:00'"),
        ("name: weekly", "wait_until: '9:00'\nname: weekly", "wait_until: give a time in quotes"),
        ("name: weekly", "readers: [anna]\nname: weekly", "'anna' is no mail address such as"),
        ("name: weekly", "readers: [a@b]\nname: weekly", "'a@b' is no mail address"),
        ("name: weekly", "readers: ['a@b.c\\nBcc: d@e.f']\nname: weekly", "is no mail address"),
        ("name: weekly", 'readers: ["a@b.c\\nBcc: d@e.f"]\nname: weekly', "is no mail address"),
        ("name: weekly", "owner_mail: a@b.c, d@e.f\nname: weekly", "is no mail address"),
        (
            "name: weekly",
            "on_failure: notify --now\nname: weekly",
            "on_failure: no shell reads it: give a list such as",
        ),
        ("name: weekly", "on_failure: []\nname: weekly", "give a list such as [notify, --now]"),
        ("name: weekly", "on_success: [sleep, 3]\nname: weekly", "got ['sleep', 3]"),
        (
            "title: Churn",
            "title: Churn, tables: [order]",
            "no table 'order'. Did you mean",
        ),
        ("name: weekly", "on_sucess: [a]\nname: weekly", "Did you mean 'on_success'?"),
    ],
)
def test_suite_is_refused_with_the_place_and_the_nearest_name(file, old, new, words):
    sentence = refused(file, old, new)
    assert sentence.startswith("suite.yml")
    assert words in sentence


@pytest.mark.usefixtures("file")
def test_suite_that_is_missing_is_named():
    with pytest.raises(BadParameter, match=r"wekly.yml cannot be read: there is no such file"):
        suites.load("wekly.yml")


def test_source_and_customers_can_be_chosen_for_one_run(file):
    suite = suites.load(file, source="other.yml", where="country = 'UK'")
    assert (suite.source, suite.where) == ("other.yml", "country = 'UK'")


@pytest.mark.parametrize("name", ["10", "10_overview", "10_overview.ipynb"])
def test_notebook_is_chosen_by_number_or_name(file, name):
    assert [part.title for part in suites.load(file).chosen(name)] == ["Overview"]


def test_notebook_that_the_suite_lacks_is_refused(file):
    with pytest.raises(
        BadParameter, match=r"no notebook '10_overvew'\. Did you mean '10_overview'"
    ):
        suites.load(file).chosen("10_overvew")


def test_suite_finds_its_files_from_any_folder(file, tmp_path, monkeypatch):
    for name in ("notebooks/10_overview.ipynb", "shop.yml"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert suites.load(file).source_for_notebooks == "shop.yml"
    monkeypatch.chdir(tmp_path / "notebooks")
    inside = suites.load(tmp_path / "suite.yml")
    assert inside.source_for_notebooks == "shop.yml"
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir("/")
    outside = suites.load(tmp_path / "suite.yml")
    assert outside.place("notebooks/10_overview.ipynb").is_file()
    assert outside.source_for_notebooks == str(tmp_path / "shop.yml")


def test_notebook_of_a_suite_is_its_own_and_not_one_of_that_name_nearby(tmp_path, monkeypatch):
    for name in ("project/notebooks/10_overview.ipynb", "mine/notebooks/10_overview.ipynb"):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).touch()
    (tmp_path / "project/suites").mkdir()
    (tmp_path / "project/suites/weekly.yml").write_text(WEEKLY, encoding="utf-8")
    monkeypatch.chdir(tmp_path / "mine")
    suite = suites.load(tmp_path / "project/suites/weekly.yml")
    assert suite.notebook(suite.notebooks[0]) == tmp_path / "project/notebooks/10_overview.ipynb"


CELL = 'source: str = ""\nas_of: str = ""\nwhere: str = ""\n'
MATRIX = """
where: order_days > 1 or channel = 'mail'
matrix:
  attributes: {country: [UK, "O'Brien"]}
  parameters: {weeks: [4, 8]}
"""


@pytest.fixture
def matrix(file):
    """Write the suite with a matrix and return its runs."""
    for name, more in (("10_overview", "days: int = 90"), ("20_churn", "weeks: int = 4")):
        cell = new_code_cell(CELL + more, metadata={"tags": ["parameters"]})
        path = Path(f"notebooks/{name}.ipynb")
        path.parent.mkdir(exist_ok=True)
        nbformat.write(new_notebook(cells=[cell]), path)

    def expanded(text=MATRIX):
        file.write_text(WEEKLY + text, encoding="utf-8")
        return suites.load(file).expanded()

    return expanded


def test_suite_without_a_matrix_is_its_own_only_run(file):
    suite = suites.load(file)
    assert suite.expanded() == [suite]


def test_matrix_has_a_run_for_each_combination(matrix):
    runs = matrix()
    assert [(run.name, run.title) for run in runs] == [
        ("weekly-uk-4", "Weekly retention, UK, weeks 4"),
        ("weekly-uk-8", "Weekly retention, UK, weeks 8"),
        ("weekly-o-brien-4", "Weekly retention, O'Brien, weeks 4"),
        ("weekly-o-brien-8", "Weekly retention, O'Brien, weeks 8"),
    ]
    assert [part.parameters for part in runs[1].notebooks] == [{"days": 90}, {"weeks": 8}]
    assert all(run.matrix is None and run.expanded() == [run] for run in runs)


def test_matrix_chooses_customers_among_those_of_the_suite_and_quotes_their_values(matrix):
    within = "(order_days > 1 or channel = 'mail') and country = "
    assert {run.where for run in matrix()} == {f"{within}'UK'", f"{within}'O''Brien'"}
    two = matrix("matrix: {attributes: {country: [UK], channel: [mail]}}")
    assert two[0].where == "country = 'UK' and channel = 'mail'"
    assert matrix("where: a = 1\nmatrix: {parameters: {weeks: [4]}}")[0].where == "a = 1"


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("{weeks", "{weks", "no parameter 'weks'. Did you mean 'weeks'? It has: days, weeks."),
        ("{weeks", "{where", "matrix: where is filled in by the runner, from where of the suite"),
        ("{weeks", "{days", "both matrix and 10_overview set the parameter 'days'"),
        ("[UK", "[NO", "matrix.attributes.country: write each value as text in quotes, got False"),
        ("[UK", "[''", "write each value as text in quotes, got ''"),
        ("[UK", '["a\\nb"', "write each value as text in quotes"),
        ("[4, 8]", "[4, 4]", "4 stands twice"),
        ("[4, 8]", "[]", "matrix.parameters.weeks"),
        ("[4, 8]", "4", "matrix.parameters.weeks"),
        ("{country", '{"1 = 1 or country"', "'1 = 1 or country' is no name of an attribute"),
        ("  parameters:", "  parametrs:", "matrix.parametrs is not a setting. Did you mean"),
        (MATRIX, "matrix: {}", "matrix: a matrix names attributes, parameters or both"),
    ],
)
def test_matrix_is_refused_with_the_place_and_the_nearest_name(matrix, old, new, words):
    with pytest.raises(BadParameter) as refusal:
        matrix(MATRIX.replace(old, new))
    assert words in str(refusal.value)


def test_matrix_names_the_notebook_that_it_cannot_read(matrix):
    Path("notebooks/20_churn.ipynb").unlink()
    with pytest.raises(BadParameter, match=r"20_churn\.ipynb cannot be read"):
        matrix()
    Path("notebooks/20_churn.ipynb").write_text("[]")
    with pytest.raises(BadParameter, match=r"20_churn\.ipynb is no notebook"):
        matrix()


TEXT = st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=40)
SMALL = st.lists(TEXT, min_size=1, max_size=4, unique=True)


@given(SMALL, SMALL)
@example(["a-b", "a", "日本", "中国"], ["b", "c", "b-c"])
@example(["É", "E", "e"], ["x" * 100, "x" * 99 + "y"])
def test_runs_of_a_matrix_have_names_that_differ_and_fit_a_folder(countries, channels):
    attributes = {"country": countries, "channel": channels}
    found = matrices.Matrix(attributes=attributes)
    names = matrices.names("weekly", found.cells)
    assert len(set(names)) == len(names) == len(countries) * len(channels)
    assert all(re.fullmatch("weekly(-[a-z0-9]+)+", name) and len(name) < 100 for name in names)


@given(TEXT)
def test_condition_of_a_matrix_holds_for_the_very_text(text):
    cell = matrices.Cell(attributes={"country": text}, parameters={})
    tree = sqlglot.parse_one(cell.within(""), dialect="duckdb")
    assert isinstance(tree, sqlglot.exp.EQ)
    assert tree.right.this == text


def test_run_keeps_its_name_when_the_matrix_grows(matrix):
    few = {run.where: run.name for run in matrix()}
    more = {run.where: run.name for run in matrix(MATRIX.replace("[UK", "[France, 日本, UK"))}
    assert {where: name for where, name in more.items() if where in few} == few


def test_suite_is_read_before_any_engine():
    heavy = "ibis", "duckdb", "pyarrow", "pandas", "numpy", "nbformat", "papermill"
    code = "import sys, retention_lab.reports.suite as s; s.load('experiments/suites/weekly.yml')"
    code += f"; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert done.stdout.strip() == "[]"
