"""Permuted blocks: balanced in each stratum, the same day by day, and drawn at random."""

from __future__ import annotations

import hashlib
from collections import Counter

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chisquare

from retention_lab.checks import BadData, BadParameter
from retention_lab.experiments.blocks import blocked

BLOCK = {"check-in": 2, "control": 1}


def arms(strata, *, salt="s", block=BLOCK, before=None):
    return blocked(
        pa.array(strata, pa.string()), salt=salt, block=block, before=before or {}
    ).to_pylist()


def drawn(salt, stratum, place):
    """SplitMix64 as in Java's library, in whole numbers of Python."""
    seed = int.from_bytes(hashlib.sha256(f"{salt}\0{stratum}".encode()).digest()[:8], "little")
    z = (seed + (place + 1) * 0x9E3779B97F4A7C15) % 2**64
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9 % 2**64
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB % 2**64
    return z ^ (z >> 31)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.sampled_from(["DE", "FR", ""]), max_size=40), st.integers(0, 40))
def test_arms_do_not_depend_on_the_days_they_were_assigned_on(strata, day):
    first, second = strata[:day], strata[day:]
    assert arms(first) + arms(second, before=Counter(first)) == arms(strata)


def test_arms_are_those_of_a_plain_loop():
    strata, seats = ["DE", "FR", "DE", "DE", "FR", "DE"], ["check-in", "check-in", "control"]
    seen, worked = Counter(), []
    for stratum in strata:
        number, place = divmod(seen[stratum], 3)
        keys = [drawn("s", stratum, 3 * number + each) for each in range(3)]
        worked.append(seats[int(np.argsort(keys)[place])])
        seen[stratum] += 1
    assert arms(strata) == worked


def test_every_block_of_a_stratum_holds_each_arm_as_often_as_it_says():
    strata = np.random.default_rng(1).choice(["DE", "FR"], 600)
    found = np.array(arms(strata))
    for stratum in ("DE", "FR"):
        own = found[strata == stratum]
        blocks = own[: len(own) // 3 * 3].reshape(-1, 3)
        assert ((blocks == "check-in").sum(axis=1) == 2).all()


def test_every_order_of_a_block_is_as_frequent_as_any_other():
    found = np.array(arms(["DE"] * 60_000, block={"a": 2, "b": 2})).reshape(-1, 4)
    orders = Counter("".join(each) for each in found)
    assert len(orders) == 6
    assert chisquare(list(orders.values())).pvalue > 0.001


def test_another_salt_or_stratum_is_another_draw():
    one = arms(["DE"] * 300)
    assert one != arms(["DE"] * 300, salt="t")
    assert one != arms(["FR"] * 300)
    assert one == arms(["DE"] * 300)


def test_arms_are_in_the_order_of_the_block():
    found = blocked(pa.array(["DE"]), salt="s", block=BLOCK, before={})
    assert found.dictionary.to_pylist() == ["check-in", "control"]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"salt": ""}, "The salt of an experiment must not be empty"),
        ({"block": {"a": 2}}, "two arms or more, each with a place"),
        ({"block": {"a": 2, "b": 0}}, "each with a place"),
        ({"block": {"a": 60, "b": 60}}, "100 places at most; got {'a': 60, 'b': 60}"),
        ({"before": {"DE": -1}}, "before of the stratum 'DE' must be at least 0, got -1"),
    ],
)
def test_blocks_that_cannot_be_are_refused(arguments, sentence):
    with pytest.raises(BadParameter, match=sentence):
        arms(["DE"], **arguments)


def test_a_customer_without_a_stratum_is_refused():
    with pytest.raises(BadData, match="Strata must be texts and none missing"):
        arms(["DE", None])
