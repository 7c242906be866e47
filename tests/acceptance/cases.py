"""Read worked examples and compare an answer with what they expect, within their tolerance."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from retention_lab import state
from retention_lab.experiments import plan as plans
from retention_lab.experiments.readout import readout
from retention_lab.tables import snapshot

ROOT = Path(__file__).parents[2]
SHARED = ROOT.parent / "shared"
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


def read(name, *, data, folder):
    """Map a real test from a folder of data sets and read it out; return the shop and that."""
    path = Path(folder, f"{name}.yml")
    text = Path(ROOT, "data/sources", path.name).read_text(encoding="utf-8")
    path.write_text(text, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RETENTION_LAB_DATA", str(data))
        shop = snapshot.take(path)
    plan = plans.load(Path(ROOT, "experiments", name, "plan.yml"))
    kept = state.opened(Path(folder, "state"))
    return shop, readout(shop, plan, state=kept, at=lambda _: shop)


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
