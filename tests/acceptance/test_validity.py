"""Assignment and the checks of a test against worked examples."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from retention_lab.checks import BadParameter
from retention_lab.experiments.assigning import assigned, places, ranges
from retention_lab.experiments.validity_aa import accepted, rates
from retention_lab.inference import sample_ratio
from retention_lab.inference.multiplicity import adjusted

from .cases import ABSENT, load, meets

CASES = load("validity.json")

REJECTIONS = {"mult-04", "mult-05"}
AA = {"aa-01", "aa-02"}
METHODS = {
    "bonferroni": "bonferroni",
    "holm": "holm",
    "hochberg": "hochberg",
    "bh": "benjamini-hochberg",
    "by": "benjamini-yekutieli",
}
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


def by_method(case, names):
    """Adjusted p-values and the number of rejections, by the names of the worked examples."""
    values, alpha = case["data"]["p"], case["inputs"].get("alpha", 0.05)
    found = {name: adjusted(values, method=METHODS[name], alpha=alpha) for name in names}
    numbers = {name: int(each.rejected.sum()) for name, each in found.items()}
    return {name: each.p_values.tolist() for name, each in found.items()}, numbers


@pytest.mark.skipif(not CASES, reason=ABSENT)
def test_rejections_among_many_are_met():
    meets(CASES["mult-01"], by_method(CASES["mult-01"], METHODS)[1])


@pytest.mark.skipif(not CASES, reason=ABSENT)
def test_adjusted_p_values_are_met():
    meets(CASES["mult-02"], by_method(CASES["mult-02"], ["holm", "bh"])[0])


@pytest.mark.skipif(not CASES, reason=ABSENT)
@pytest.mark.parametrize("case_id", sorted(REJECTIONS))
def test_adjusted_p_values_and_rejections_are_met(case_id):
    case = CASES[case_id]
    values, numbers = by_method(case, METHODS)
    assert numbers == case["expected"]["rejections"]
    meets({**case, "expected": case["expected"]["adjusted"]}, values)
    assert case["expected"].keys() == {"rejections", "adjusted"}


@pytest.mark.skipif(not CASES, reason=ABSENT)
@pytest.mark.parametrize("case_id", sorted(AA))
def test_checks_of_tests_without_an_effect_are_met(case_id):
    found = rates(CASES[case_id]["data"]["p_values"])
    answers = {"ks": found.distance, "ks_p": found.p_value, "share_below_05": found.below}
    meets(CASES[case_id], answers)
    assert found.hold == (case_id == "aa-01")


@pytest.mark.skipif(not CASES, reason=ABSENT)
def test_accepted_false_alarms_are_met():
    data = CASES["aa-gate-01"]["data"]
    lower, upper = accepted(data["alpha"], repetitions=data["repetitions"])
    meets(CASES["aa-gate-01"], {"lower": lower, "upper": upper})


@pytest.mark.skipif(not CASES, reason=ABSENT)
def test_every_worked_example_is_met():
    of_many = {"mult-01", "mult-02", *REJECTIONS, *AA, "aa-gate-01"}
    assert set(CASES) == HASHES | BUCKETS | {"hash-split-01"} | FIXED | ANYTIME | of_many
