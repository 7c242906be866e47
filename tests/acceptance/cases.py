"""Read worked examples and compare an answer with what they expect, within their tolerance."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

SHARED = Path(__file__).parents[3] / "shared"
ABSENT = "the worked examples are not beside the repository"


def load(name):
    """Return the cases of one file by id; none where the file is absent."""
    path = SHARED / "acceptance" / name
    if not path.exists():
        return {}
    return {case["id"]: case for case in json.loads(path.read_text())}


def dataset(*parts):
    """Return the path of a data file, or skip the test that needs it."""
    path = SHARED.joinpath("data", *parts)
    if not path.exists():
        pytest.skip(f"{'/'.join(parts)} is not beside the repository")
    return path


def meets(case, answers):
    """Assert that `answers` has every expected value of `case`, and nothing else."""
    expected = case["expected"]
    assert answers.keys() == expected.keys()
    for key, value in expected.items():
        tolerance = case.get("tol_by_key", {}).get(key, case)
        close(answers[key], value, tolerance)


def close(answer, value, tolerance):
    """Compare one expected value: numbers within the tolerance, anything else exactly."""
    if isinstance(value, list):
        assert len(answer) == len(value)
        for one, other in zip(answer, value, strict=True):
            close(one, other, tolerance)
    elif isinstance(value, bool) or not isinstance(value, int | float):
        assert answer == value
    else:
        rel, absolute = tolerance.get("rel_tol", 0), tolerance.get("abs_tol", 0)
        assert abs(answer - value) <= absolute + rel * abs(value), (answer, value)
