"""The contract of a notebook: a report to read from top to bottom, without code to maintain."""

from __future__ import annotations

import ast
import re
from itertools import pairwise
from pathlib import Path

import nbformat
import pytest

FOLDER = Path(__file__).parents[1] / "notebooks"
OTHERS = [*sorted((FOLDER / "explore").glob("*.ipynb")), FOLDER / "custom" / "template.ipynb"]
NOTEBOOKS = [*sorted(FOLDER.glob("*.ipynb")), *OTHERS]
LONGEST_CELL = 15
LEAST_INTRODUCED = 0.9

pytestmark = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)


def read(path):
    """Return the cells of a notebook that follows the format."""
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    return notebook.cells


def code(path):
    """Return the code cells."""
    return [cell for cell in read(path) if cell.cell_type == "code"]


def is_literal(statement):
    """Tell whether a statement is `name: type = literal`."""
    match statement:
        case ast.AnnAssign(target=ast.Name(), value=ast.expr() as value):
            try:
                ast.literal_eval(value)
            except ValueError:
                return False
            return True
    return False


def test_notebook_opens_with_its_only_title(path):
    cells = read(path)
    prose = [cell.source for cell in cells if cell.cell_type == "markdown"]
    without_fences = re.sub(r"```.*?```", "", "\n".join(prose), flags=re.DOTALL)
    assert cells[0].cell_type == "markdown"
    assert cells[0].source.startswith("# ")
    assert len(re.findall(r"^# ", without_fences, re.MULTILINE)) == 1


def test_notebook_has_one_cell_of_literal_parameters(path):
    tagged = [cell for cell in code(path) if "parameters" in cell.metadata.get("tags", [])]
    assert len(tagged) == 1
    statements = ast.parse(tagged[0].source).body
    assert statements
    assert [ast.unparse(each) for each in statements if not is_literal(each)] == []


def test_notebook_defines_no_function_and_no_class(path):
    trees = [node for cell in code(path) for node in ast.walk(ast.parse(cell.source))]
    kinds = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
    assert [node.name for node in trees if isinstance(node, kinds)] == []


def test_notebook_has_no_long_cell(path):
    assert [cell.id for cell in code(path) if len(cell.source.splitlines()) > LONGEST_CELL] == []


def test_notebook_is_committed_without_outputs(path):
    assert [
        cell.id for cell in code(path) if cell.outputs or cell.execution_count is not None
    ] == []


def test_notebook_introduces_its_code_in_prose(path):
    cells = read(path)
    before = [
        previous.cell_type == "markdown"
        for previous, cell in pairwise(cells)
        if cell.cell_type == "code"
    ]
    assert sum(before) >= LEAST_INTRODUCED * len(before)
