"""RFM scores: what is given to whom, and that ties and order make no difference."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from retention_lab.checks import BadData, BadParameter
from retention_lab.customers.rfm import (
    MEASURES,
    Cuts,
    counts,
    nested_cuts,
    quantile_cuts,
    scores,
)
from retention_lab.tables.engine import collect

from .summaries import drawn, summary_table

UNITS = {"recency": 1, "frequency": 1, "monetary": 100}


def scored(summary, cuts):
    return collect(scores(summary, cuts)).sort_values("customer_id", ignore_index=True)


def lines(cuts, measure):
    return list(getattr(cuts, measure)["all"])


@pytest.mark.parametrize("bins", [2, 5, 7])
@pytest.mark.parametrize("seed", range(2))
def test_lines_are_type_7_quantiles_plus_one_unit(seed, bins):
    values = drawn(seed, customers=137)
    cuts = quantile_cuts(summary_table(*values), currency="GBP", bins=bins)
    for (measure, unit), value in zip(UNITS.items(), values, strict=True):
        # numpy's default method is Hyndman and Fan's seventh
        want = np.quantile(value, np.arange(1, bins) / bins) / unit + 1
        assert lines(cuts, measure) == pytest.approx(want.tolist())


def test_a_quantile_that_is_a_value_is_exactly_that_value():
    summary = summary_table(range(28), [1] * 28, [0] * 28)
    cuts = quantile_cuts(summary, currency="GBP", bins=9)
    assert lines(cuts, "recency") == [4, 7, 10, 13, 16, 19, 22, 25]


@pytest.mark.parametrize("draw", [quantile_cuts, nested_cuts])
@pytest.mark.parametrize("seed", range(3))
def test_every_customer_has_one_score_of_each_measure_whatever_the_order(seed, draw):
    values = np.array(drawn(seed))
    cuts = draw(summary_table(*values), currency="GBP")
    got = scored(summary_table(*values), cuts)
    assert len(got) == values.shape[1]
    for measure in MEASURES:
        assert set(got[f"{measure}_score"]) <= set(range(1, 6))
    order = np.random.default_rng(seed).permutation(values.shape[1])
    again = summary_table(*values[:, order])
    assert draw(again, currency="GBP") == cuts
    shuffled = scored(again, cuts).drop(columns="customer_id")
    want = got.drop(columns="customer_id").iloc[order].reset_index(drop=True)
    pd.testing.assert_frame_equal(shuffled, want)


@pytest.mark.parametrize("seed", range(3))
def test_ties_are_never_split_and_better_values_never_score_lower(seed):
    summary = summary_table(*drawn(seed))
    got = scored(summary, quantile_cuts(summary, currency="GBP"))
    for measure, column in MEASURES.items():
        by_value = got.groupby(column)[f"{measure}_score"].agg(["min", "max"])
        assert (by_value["min"] == by_value["max"]).all()
        rises = by_value["min"].is_monotonic_increasing
        assert by_value["min"].is_monotonic_decreasing if measure == "recency" else rises


def test_a_bin_holds_its_lower_line_and_not_its_upper_one():
    cuts = Cuts(
        currency="GBP",
        recency={"all": (31, 91)},
        frequency={"all": (2, 3)},
        monetary={"all": (19.99, 50)},
    )
    summary = summary_table([30, 31, 90, 91], [1, 2, 2, 3], [1998, 1999, 4999, 5000])
    got = scored(summary, cuts)
    assert got["recency_score"].tolist() == [3, 2, 2, 1]
    assert got["frequency_score"].tolist() == [1, 2, 2, 3]
    assert got["monetary_score"].tolist() == [1, 2, 2, 3]


def test_eighty_percent_with_one_purchase_have_one_score_and_none_above_the_others():
    purchases = [1] * 800 + [2] * 100 + [3] * 50 + [5] * 50
    summary = summary_table(range(1000), purchases, range(1000))
    cuts = quantile_cuts(summary, currency="GBP")
    assert lines(cuts, "frequency") == pytest.approx([2, 2, 2, 2.2])
    assert counts(scores(summary, cuts), cuts)["frequency"].tolist() == [800, 0, 0, 100, 100]


def test_nested_lines_are_drawn_among_those_of_the_same_scores_before():
    values = drawn(5, customers=2_000)
    summary = summary_table(*values)
    cuts = nested_cuts(summary, currency="GBP")
    assert set(cuts.frequency) == set("12345")
    assert len(cuts.monetary) == 25
    got = scored(summary, cuts)
    for recency, part in got.groupby("recency_score"):
        want = np.quantile(part["purchases_within"], np.arange(1, 5) / 5) + 1
        assert list(cuts.frequency[str(recency)]) == pytest.approx(want.tolist())
    for (recency, frequency), part in got.groupby(["recency_score", "frequency_score"]):
        want = np.quantile(part["revenue_within"], np.arange(1, 5) / 5) / 100 + 1
        assert list(cuts.monetary[f"{recency}{frequency}"]) == pytest.approx(want.tolist())


def test_scores_that_nobody_has_take_the_lines_of_everybody():
    summary = summary_table([5, 5, 5], [1, 1, 1], [10, 20, 30])
    plain = quantile_cuts(summary, currency="GBP")
    cuts = nested_cuts(summary, currency="GBP")
    assert {*cuts.frequency.values()} == {*plain.frequency.values()}
    assert {*cuts.monetary.values()} == {*plain.monetary.values()}


@pytest.mark.parametrize("draw", [quantile_cuts, nested_cuts])
@pytest.mark.parametrize(
    "values", [([0], [1], [500]), ([9] * 4, [1] * 4, [500] * 4)], ids=["one", "all alike"]
)
def test_customers_without_a_difference_share_their_scores(draw, values):
    summary = summary_table(*values)
    got = scored(summary, draw(summary, currency="GBP"))
    assert set(got["recency_score"]) == {5}
    assert set(got["frequency_score"]) == {1}
    assert set(got["monetary_score"]) == {1}


def test_nothing_spent_and_less_than_nothing_are_scored_as_they_are():
    summary = summary_table([1] * 5, [1] * 5, [-900, -500, 0, 500, 900])
    cuts = Cuts(
        currency="GBP",
        recency={"all": (10, 20)},
        frequency={"all": (2, 3)},
        monetary={"all": (-5, 0)},
    )
    assert scored(summary, cuts)["monetary_score"].tolist() == [1, 2, 3, 3, 3]


def test_one_customer_with_a_hundred_thousand_purchases_moves_no_line():
    days, purchases, revenue = drawn(3, customers=401)
    without = quantile_cuts(summary_table(days, purchases, revenue), currency="GBP")
    place = int(purchases.argmax())
    purchases[place] = 100_000
    revenue[int(revenue.argmax())] = 10**15
    assert quantile_cuts(summary_table(days, purchases, revenue), currency="GBP") == without


def test_money_without_minor_units_has_lines_in_whole_ones():
    summary = summary_table([1, 2, 3], [1, 2, 3], [100, 200, 300])
    yen, dinar = (quantile_cuts(summary, currency=name, bins=2) for name in ("JPY", "KWD"))
    assert lines(yen, "monetary") == [201]
    assert lines(dinar, "monetary") == [1.2]
    assert (yen.edges("monetary"), dinar.edges("monetary")) == ([201], [1200])


def test_nobody_and_a_senseless_number_of_bins_are_refused():
    for draw in (quantile_cuts, nested_cuts):
        with pytest.raises(BadData, match="no customer with a purchase"):
            draw(summary_table([], [], []), currency="GBP")
    for bins in (1, 10):
        with pytest.raises(BadParameter, match="bins must be a whole number from 2 to 9"):
            quantile_cuts(summary_table([1], [1], [1]), currency="GBP", bins=bins)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"frequency": {"all": (3, 2)}}, r"all: give 1 to 8 numbers that do not fall"),
        ({"monetary": {"all": (1, float("nan"))}}, "give 1 to 8 numbers that do not fall"),
        ({"recency": {"all": ()}}, "give 1 to 8 numbers that do not fall"),
        ({"frequency": {"all": (2,)}}, "frequency must have 2 lines, as recency has"),
        ({"frequency": {"1": (2, 3)}}, "frequency must have lines for 'all', or for each score"),
        ({"recency": {"1": (2, 3)}}, "recency must have lines for 'all'"),
        ({"monetary": {}}, "monetary must have lines for 'all'"),
    ],
)
def test_lines_that_do_not_cover_everybody_are_refused(change, words):
    fine = {"recency": {"all": (1, 2)}, "frequency": {"all": (2, 2)}, "monetary": {"all": (1, 5)}}
    assert Cuts(currency="GBP", **fine).bins == 3
    with pytest.raises(ValidationError, match=words):
        Cuts(currency="GBP", **(fine | change))


def test_lines_in_a_bin_rise_with_their_number():
    summary = summary_table(*drawn(8))
    cuts = quantile_cuts(summary, currency="GBP")
    for measure in MEASURES:
        assert all(low <= high for low, high in pairwise(cuts.edges(measure)))
