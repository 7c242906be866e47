"""Assignment by hash: the same for ever, balanced, and independent from salt to salt."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chi2_contingency, chisquare

from retention_lab.checks import BadData, BadParameter
from retention_lab.experiments.assigning import assigned, places, ranges

HALVES = {"check-in": 0.5, "control": 0.5}
IDS = pa.array([f"customer-{i}" for i in range(200_000)])


def by_letter(text):
    """FNV-1a of 32 bits, as its authors write it."""
    number = 2166136261
    for letter in text.encode():
        number = (number ^ letter) * 16777619 % 2**32
    return number


def one_by_one(ids, salt):
    return [by_letter(str(by_letter(salt + one))) % 10_000 / 10_000 for one in ids]


@settings(max_examples=40, deadline=None)
@given(st.lists(st.text("a7Zé€😀 ", max_size=9), max_size=9), st.sampled_from(["", "s", "é-1"]))
def test_places_are_those_of_a_plain_loop_over_letters(ids, salt):
    assert places(pa.array(ids, pa.string()), salt=salt).tolist() == one_by_one(ids, salt)


def test_places_do_not_depend_on_how_the_ids_are_held():
    ids = ["zoe", "", "Zoë", "x" * 300, "7"] * 9
    worked = one_by_one(ids, "s")
    whole = pa.array(ids)
    held = [
        whole,
        whole.cast(pa.large_string()),
        whole.dictionary_encode(),
        pa.chunked_array([whole[:13], whole[13:13], whole[13:]]),
        pa.concat_arrays([pa.array(["before"]), whole]).slice(1),
    ]
    assert all(places(each, salt="s").tolist() == worked for each in held)


def test_the_hash_of_nought_is_written_with_one_digit():
    # Found by trying words of seven letters: the first hash of this one is 0.
    assert by_letter("ppkttia") == 0
    assert places(pa.array(["kttia"]), salt="pp").tolist() == [by_letter("0") % 10_000 / 10_000]


@pytest.mark.parametrize("weights", [HALVES, {"a": 0.2, "b": 0.3, "c": 0.1, "d": 0.4}])
def test_arms_have_the_shares_of_their_weights(weights):
    arms = assigned(IDS, salt="balance", weights=weights)
    counts = np.bincount(arms.indices.to_numpy(), minlength=len(weights))
    assert chisquare(counts, len(IDS) * np.array(list(weights.values()))).pvalue > 0.001
    assert arms.dictionary.to_pylist() == list(weights)


@pytest.mark.parametrize("other", ["exp-2", "exp-10", "exp-1 ", "EXP-1", "1-pxe"])
def test_arms_of_one_salt_say_nothing_about_those_of_another(other):
    thirds = {"a": 1 / 3, "b": 1 / 3, "c": 1 / 3}
    one, two = (assigned(IDS, salt=salt, weights=thirds) for salt in ("exp-1", other))
    together = np.bincount(3 * one.indices.to_numpy() + two.indices.to_numpy(), minlength=9)
    assert chi2_contingency(together.reshape(3, 3)).pvalue > 0.001


def test_places_are_even_at_their_finest():
    counts = np.bincount((places(IDS, salt="even") * 10_000).round().astype(int), minlength=10_000)
    assert chisquare(counts).pvalue > 0.001


def test_more_coverage_adds_customers_and_moves_none():
    narrow, wide = (
        assigned(IDS[:5_000], salt="grow", weights=HALVES, coverage=share).to_pylist()
        for share in (0.3, 0.8)
    )
    assert all(now == then for then, now in zip(narrow, wide, strict=True) if then)
    assert narrow.count(None) == pytest.approx(3_500, abs=4 * np.sqrt(5_000 * 0.21))
    assert wide.count(None) == pytest.approx(1_000, abs=4 * np.sqrt(5_000 * 0.16))


def test_ranges_end_where_the_next_begins_though_tenths_do_not_add_up():
    # 0.1 + 0.2 is 0.30000000000000004, which would take the place 0.3 from the third arm.
    assert ranges([0.1, 0.2, 0.7]) == [(0.0, 0.1), (0.1, 0.3), (0.3, 1.0)]


def test_every_place_is_somebodys():
    sevenths = {str(arm): 1 / 7 for arm in range(7)}
    assert assigned(IDS, salt="all", weights=sevenths).null_count == 0


def test_nobody_to_assign_is_nobody():
    assert assigned(pa.array([], pa.string()), salt="s", weights=HALVES).to_pylist() == []


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"salt": ""}, "The salt of an experiment must not be empty"),
        ({"weights": {"check-in": 1.0}}, "two arms or more, got \\['check-in'\\]"),
        ({"weights": {"a": 2, "b": 1}}, "above 0 and add up to 1, got \\[2, 1\\]"),
        ({"weights": {"a": 0.5, "b": 0.4}}, "add up to 1, got \\[0.5, 0.4\\]"),
        ({"weights": {"a": 1.2, "b": -0.2}}, "above 0 and add up to 1"),
        ({"weights": {"a": 0.99996, "b": 0.00004}}, "arm 'b' is too small"),
        ({"coverage": 0.0}, "coverage must be a share above 0, at most 1, got 0.0"),
        ({"coverage": 50}, "coverage must be a share above 0, at most 1, got 50"),
    ],
)
def test_arms_that_cannot_be_drawn_are_refused(arguments, sentence):
    with pytest.raises(BadParameter, match=sentence):
        assigned(IDS[:2], **({"salt": "s", "weights": HALVES} | arguments))


@pytest.mark.parametrize(
    ("ids", "sentence"),
    [
        (pa.array([1, 2]), "must be texts and none missing, got int64"),
        (pa.array(["a", None]), "got string with 1 missing"),
    ],
)
def test_customers_without_a_text_for_a_name_are_refused(ids, sentence):
    with pytest.raises(BadData, match=sentence):
        assigned(ids, salt="s", weights=HALVES)


def test_a_hash_of_another_version_is_refused():
    with pytest.raises(BadParameter, match="must be 1 or 2, got 99"):
        places(IDS[:2], salt="s", version=99)
