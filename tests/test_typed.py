from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retention_lab import typed
from retention_lab.checks import BadParameter


def kind(text):
    return typed.parse(text, shown="days")


@pytest.mark.parametrize(
    ("text", "inside", "outside"),
    [
        ("int from 1 to 730", [1, 90, 730], [0, 731, -1, True, 1.0, "90", None]),
        ("int from 1", [1, 10**9], [0]),
        ("int to 5", [5, -100], [6]),
        ("int from -3 to -1", [-3, -1], [-4, 0]),
        ("float from 0 to 1", [0, 1, 0.5], [-0.01, 1.01, True, float("nan"), float("inf"), "0"]),
        ("float from 0.5", [0.5, 1e300], [0.4999, float("inf"), float("nan")]),
        ("list[int] from 1 to 730", [[], [1, 730]], [[0], [1, 731], [1.0], [True], 5, "1"]),
        ("date from 2020-01-01 to 2026-12-31", ["2020-01-01", "2024-02-29"], ["2019-12-31"]),
        ("date from 2020-01-01", ["9999-12-31"], ["2023-02-29", "20230228", None, 2023]),
        ("date to 2026-12-31", ["1999-01-01"], ["2027-01-01"]),
        ('Literal["month", 7]', ["month", 7], ["day", 7.0, True]),
    ],
)
def test_type_accepts_what_lies_within_and_nothing_else(text, inside, outside):
    assert [value for value in inside if not kind(text).accepts(value)] == []
    assert [value for value in outside if kind(text).accepts(value)] == []


@given(low=st.integers(), high=st.integers(), value=st.integers())
def test_range_of_whole_numbers_is_that_of_python(low, high, value):
    if low <= high:
        assert kind(f"int from {low} to {high}").accepts(value) == (low <= value <= high)
    else:
        with pytest.raises(BadParameter, match="before it begins"):
            kind(f"int from {low} to {high}")


@given(low=st.dates(), value=st.dates())
def test_range_of_days_is_that_of_the_calendar(low, value):
    assert kind(f"date from {low}").accepts(str(value)) == (low <= value)


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("int from 1 to 730", "a whole number from 1 to 730"),
        ("int from 1", "a whole number from 1 up"),
        ("int to 5", "a whole number up to 5"),
        ("float from 0 to 0.5", "a number from 0 to 0.5"),
        ("list[int] from 1", "a list of whole numbers from 1 up"),
        ("date to 2026-12-31", "a day such as 2026-11-29, up to 2026-12-31"),
    ],
)
def test_range_is_told_in_words(text, rule):
    assert kind(text).rule == rule


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("int from 9 to 1", "range that ends, at 1, before it begins"),
        ("int from 0.5", "the end 0.5, which is not a whole number"),
        ("int from x", "the end x, which is not a whole number"),
        ("int from True", "the end True"),
        ("float to 1e999", "the end 1e999, which is not a number"),
        ("date from 2026-02-30", "the end 2026-02-30, which is not a day"),
        ("date from 2026-03-01 to 2026-02-01", "before it begins"),
        ("int form 1 to 730", "must be of type int, float"),
        ("int from 1 to", "must be of type"),
        ("str from a to b", "must be of type"),
        ("Literal[int]", "must be of type"),
        ("__import__('os')", "must be of type"),
        ("", "must be of type"),
    ],
)
def test_type_of_another_form_is_refused(text, words):
    with pytest.raises(BadParameter) as refusal:
        kind(text)
    assert str(refusal.value).startswith("days ")
    assert words in str(refusal.value)


CELL = """
source: str = "shop.yml"  # the source file
days: "int from 1 to 730" = 90
marks: list[int] = [30, 90]
alpha: float = 0.05
by: 'Literal["month", "week"]' = "month"
"""


def lab(*cells):
    """Run cells in one namespace as a kernel does, the check last; return what refuses them."""
    namespace = {}
    for cell in (CELL, *cells):
        exec(compile(cell, "cell", "exec", dont_inherit=True), namespace)
    try:
        typed.check(namespace)
    except BadParameter as refusal:
        return refusal
    return None


def test_lab_takes_parameters_that_fit_and_leaves_the_rest_alone():
    assert lab() is None
    assert lab("days = 30", "import pandas as pd\nframe: pd.DataFrame = 3\ndel alpha") is None


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("days = 900", "days must be a whole number from 1 to 730, got 900."),
        ("days = '30'", "days must be a whole number from 1 to 730, got '30'."),
        ("marks = 30", "marks must be a list of whole numbers, got 30."),
        ("alpha = None", "alpha must be a number, got None."),
        ("by = 'day'", "by must be one of 'month', 'week', got 'day'."),
        ("until: 'date' = '2026-02-30'", "until must be a day such as 2026-11-29, got"),
    ],
)
def test_lab_refuses_with_the_sentence_of_the_runner(line, sentence):
    refusal = lab(line)
    assert str(refusal).startswith(sentence)
    assert refusal.__cause__ is refusal.__context__ is None


def test_lab_refuses_a_type_that_nobody_knows():
    assert str(lab("n: 'int form 1' = 3")).startswith("n must be of type int, float")


def test_types_load_nothing_but_python():
    heavy = "ibis", "pyarrow", "pandas", "numpy", "pydantic", "nbformat"
    code = f"import sys, retention_lab.typed; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
