from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from retention_lab.checks import BadParameter
from retention_lab.reports import prepared
from retention_lab.reports import suite as suites

PARAMETERS = 'source: str = ""\nas_of: str = ""\nn: int = 1'
SUITE = """
name: weekly
title: Weekly
source: shop.yml
owner: O
notebooks:
  - {notebook: 10_page.ipynb, title: Page, parameters: {n: 3}}
"""
# What an unchanged suite, or a mistake in one, must not wait for.
HEAVY = {
    *("ibis", "duckdb", "sqlglot", "pandas", "numpy", "pyarrow", "nbformat", "nbclient"),
    *("papermill", "altair", "jinja2", "openpyxl"),
}


@pytest.fixture
def suite(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("suite.yml").write_text(SUITE, encoding="utf-8")
    cells = [
        new_code_cell(PARAMETERS, metadata={"tags": ["parameters"]}),
        new_code_cell("print(n)\nprint(as_of)"),
    ]
    nbformat.write(new_notebook(cells=cells), "10_page.ipynb")
    return suites.load("suite.yml")


def test_chapter_holds_the_notebook_its_parameters_and_the_values_of_the_suite(suite):
    [chapter] = prepared.prepare(suite)
    assert chapter.values == {"n": 3}
    assert list(chapter.schema) == ["source", "as_of", "n"]
    assert chapter.path.resolve() == Path("10_page.ipynb").resolve()
    assert len(chapter.notebook["cells"]) == 2


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("{", "is no notebook"),
        ('{"cells": 1}', "is no notebook"),
        ('{"cells": [], "nbformat": 3}', "no notebook of format 4"),
        ('{"cells": [1], "nbformat": 4}', "cell 1 lacks its type"),
        ('{"cells": [{"source": ""}], "nbformat": 4}', "cell 1 lacks its type"),
    ],
)
def test_file_that_is_no_notebook_is_refused(suite, content, sentence):
    Path("10_page.ipynb").write_text(content, encoding="utf-8")
    with pytest.raises(BadParameter, match=sentence):
        prepared.prepare(suite)


def test_bad_parameters_and_unknown_notebooks_are_refused(suite):
    part = suite.notebooks[0]
    wrong = part.model_copy(update={"parameters": {"n": "three"}})
    with pytest.raises(BadParameter, match="n must be a whole number, got 'three'"):
        prepared.prepare(suite.model_copy(update={"notebooks": [wrong]}))
    with pytest.raises(BadParameter, match="has no notebook '20'"):
        prepared.prepare(suite, only="20")
    gone = part.model_copy(update={"notebook": "30_gone.ipynb"})
    with pytest.raises(BadParameter, match="there is no such file"):
        prepared.prepare(suite.model_copy(update={"notebooks": [gone]}))


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("metrics", "metrics: [{name: 1}]"),
        ("annotations", "annotations: [1]"),
        ("playbook", "owner: nobody says who reviews it"),
        ("plan", "name: check_in"),
    ],
)
def test_own_files_that_cannot_be_used_are_refused(suite, kind, text):
    Path("own.yml").write_text(text, encoding="utf-8")
    with pytest.raises(BadParameter, match=r"own\.yml"):
        prepared.refuse_own_files(suite.model_copy(update={kind: "own.yml"}))
    prepared.refuse_own_files(suite)


def test_page_about_a_test_needs_a_suite_that_names_one(suite):
    cell = new_code_cell(f'{PARAMETERS}\nplan: str = ""', metadata={"tags": ["parameters"]})
    nbformat.write(new_notebook(cells=[cell]), "10_page.ipynb")
    with pytest.raises(BadParameter, match=r"10_page\.ipynb is about one test, and suite\.yml nam"):
        prepared.prepare(suite)
    with pytest.raises(BadParameter, match=r"plan names gone\.yml, but there is no such file"):
        prepared.prepare(suite.model_copy(update={"plan": "gone.yml"}))
    Path("plan.yml").write_text("name: check_in", encoding="utf-8")
    prepared.prepare(suite.model_copy(update={"plan": "plan.yml"}))


@pytest.mark.usefixtures("suite")
@pytest.mark.parametrize("n", ["3", "three"])
def test_neither_a_good_suite_nor_a_bad_one_loads_anything_heavy(n):
    Path("suite.yml").write_text(SUITE.replace("3}", f"{n}}}"), encoding="utf-8")
    lines = [
        "import json, sys",
        "from retention_lab import checks",
        "from retention_lab.reports import prepared, suite",
        "try:",
        "    prepared.prepare(suite.load('suite.yml'))",
        "except checks.BadParameter as error:",
        "    print(error, file=sys.stderr)",
        "print(json.dumps(sorted(sys.modules)))",
    ]
    done = subprocess.run(
        [sys.executable, "-c", "\n".join(lines)], capture_output=True, text=True, check=True
    )
    assert ("must be a whole number" in done.stderr) == (n == "three")
    assert not HEAVY & set(json.loads(done.stdout))
