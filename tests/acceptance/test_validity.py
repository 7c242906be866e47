"""Assignment and its checks against worked examples."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from retention_lab.checks import BadParameter
from retention_lab.experiments.assigning import assigned, places, ranges
from retention_lab.inference import sample_ratio

from .cases import ABSENT, load, meets

CASES = load("validity.json")

# Adjusted p values and the check of A/A tests are to come.
NOT_YET = {"mult-01", "mult-02", "mult-04", "mult-05", "aa-01", "aa-02", "aa-gate-01"}
HASHES = {"hash-01", "hash-03"}
BUCKETS = {"bucket-01", "bucket-02", "bucket-04"}


def place(seed, customer, version):
    """The place of one customer; none where the version of the hash is refused."""
    try:
        return places(pa.array([customer]), salt=seed, version=version)[0]
    except BadParameter:
        return None


@pytest.mark.skipif(not CASES, reason=ABSENT)
@pytest.mark.parametrize("case_id", sorted(HASHES))
def test_hashes_are_met(case_id):
    data = CASES[case_id]["data"]
    found = map(place, data["seed"], data["id"], data["version"])
    meets(CASES[case_id], {"value": list(found)})


@pytest.mark.skipif(not CASES, reason=ABSENT)
@pytest.mark.parametrize("case_id", sorted(BUCKETS))
def test_ranges_of_arms_are_met(case_id):
    data = CASES[case_id]["data"]
    found = ranges(data["weights"], coverage=data["coverage"])
    meets(CASES[case_id], {"ranges": [list(each) for each in found]})


@pytest.mark.skipif(not CASES, reason=ABSENT)
def test_the_arms_of_made_up_customers_are_met():
    data = CASES["hash-split-01"]["data"]
    ids = pa.array([f"c{number:05d}" for number in range(data["n"])])
    weights = dict(zip(["first", "second"], data["weights"], strict=True))
    arms = assigned(ids, salt=data["seed"], weights=weights)
    meets(CASES["hash-split-01"], {"counts": np.bincount(arms.indices.to_numpy()).tolist()})


def of_kind(name, key):
    return {case_id for case_id, case in CASES.items() if key in case[name]}


FIXED = {case_id for case_id in of_kind("data", "counts") if "srm-any" not in case_id}
ANYTIME = of_kind("inputs", "concentration")


@pytest.mark.parametrize("case_id", sorted(FIXED))
def test_sizes_of_arms_at_one_look_are_met(case_id):
    case = CASES[case_id]
    counts, planned = case["data"]["counts"], case["inputs"]["planned_ratio"]
    found = sample_ratio.once(counts, planned=planned)
    corrected = sample_ratio.once(counts, planned=planned, correction=0.5)
    answers = {
        "chi2": found.statistic,
        "p": found.p_value,
        "p_chi2": found.p_value,
        "p_normal_continuity": corrected.p_value,
        "verdict": found.verdict,
    }
    meets(case, {key: answers[key] for key in case["expected"]})


@pytest.mark.parametrize("case_id", sorted(ANYTIME))
def test_sizes_of_arms_at_any_look_are_met(case_id):
    case = CASES[case_id]
    data, inputs = case["data"], case["inputs"]
    found = sample_ratio.anytime(
        data.get("cumulative_counts") or [data["counts"]],
        planned=inputs.get("planned_ratio") or inputs["planned_share"],
        concentration=inputs["concentration"],
    )
    answers = {
        "log_bayes_factor": found.log_bayes_factor[-1],
        "p": found.p_value[-1],
        "running_p": found.p_value.tolist(),
    }
    meets(case, {key: answers[key] for key in case["expected"]})


@pytest.mark.skipif(not CASES, reason=ABSENT)
def test_every_worked_example_is_met_but_for_those_that_are_to_come():
    assert set(CASES) == HASHES | BUCKETS | {"hash-split-01"} | FIXED | ANYTIME | NOT_YET
