"""Frozen cut lines: what is kept, what is refused, and what a review finds."""

from __future__ import annotations

import datetime as dt
import textwrap

import numpy as np
import pandas as pd
import pytest

from retention_lab.checks import BadData, BadParameter
from retention_lab.customers import thresholds
from retention_lab.customers.rfm import Cuts, nested_cuts, quantile_cuts, scores
from retention_lab.customers.segments import segmented
from retention_lab.customers.thresholds import Thresholds, _index, load, review, save
from retention_lab.tables import playbook
from retention_lab.tables.engine import collect

from .summaries import drawn, summary_table

SEGMENTS = playbook.load("").segments
FIXED = Cuts(
    currency="GBP",
    recency={"all": (31, 61, 91, 121)},
    frequency={"all": (2, 3, 5, 9)},
    monetary={"all": (19.99, 20, 30, 40)},
)
TEXT = """\
owner: Insights
review_by: 2027-03-31
as_of: 2026-11-29
method: fixed
cuts:
  currency: GBP
  recency: {all: [31, 61, 91, 121]}
  frequency: {all: [2, 3, 5, 9]}
  monetary: {all: [19.99, 20, 30, 40]}
"""


def frozen(cuts, method="fixed"):
    return Thresholds(
        owner="Insights",
        review_by=dt.date(2027, 3, 31),
        as_of=dt.date(2026, 11, 29),
        method=method,
        cuts=cuts,
    )


@pytest.mark.parametrize("draw", [quantile_cuts, nested_cuts])
def test_lines_come_back_from_their_file_as_they_were(tmp_path, draw):
    method = "quantile" if draw is quantile_cuts else "nested"
    kept = frozen(draw(summary_table(*drawn(1)), currency="GBP"), method)
    save(kept, tmp_path / "runs" / "one.yml")
    save(kept, tmp_path / "two.yml")
    assert load(tmp_path / "two.yml", currency="GBP") == kept
    assert (tmp_path / "two.yml").read_bytes() == (tmp_path / "runs" / "one.yml").read_bytes()


def test_a_file_written_by_hand_is_read(tmp_path):
    file = tmp_path / "lines.yml"
    file.write_text(TEXT, encoding="utf-8")
    assert load(file, currency="GBP") == frozen(FIXED)


def test_the_file_that_the_documentation_shows_scores_as_it_says(tmp_path):
    shown = thresholds.__doc__[thresholds.__doc__.index("    owner:") :]
    (tmp_path / "lines.yml").write_text(textwrap.dedent(shown), encoding="utf-8")
    lines = load(tmp_path / "lines.yml", currency="GBP")
    assert (lines.method, lines.within) == ("fixed", 365)
    summary = summary_table([30, 31, 60, 61], [1, 2, 3, 9], [2_499, 2_500, 0, 25_000])
    got = collect(scores(summary, lines.cuts)).sort_values("customer_id")
    assert got["recency_score"].tolist() == [5, 4, 4, 3]
    assert got["frequency_score"].tolist() == [1, 2, 3, 5]
    assert got["monetary_score"].tolist() == [1, 2, 1, 5]


def test_a_file_that_cannot_be_written_leaves_the_old_one(tmp_path):
    file = tmp_path / "lines.yml"
    file.write_text(TEXT, encoding="utf-8")
    (tmp_path / ".lines.yml.new").mkdir()  # in the way of the new content
    with pytest.raises(BadParameter, match=r"lines\.yml cannot be written"):
        save(frozen(FIXED), file)
    assert file.read_text(encoding="utf-8") == TEXT


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("owner: Insights\n", "", "owner is missing."),
        ("2027-03-31", "soon", "review_by: must be a day such as"),
        ("2027-03-31", "2027-02-31", "a date that does not exist"),
        ("fixed", "sixtiles", "Input should be 'quantile', 'nested' or 'fixed'"),
        ("recency:", "recencies:", "cuts.recencies is not a setting. Did you mean 'recency'?"),
        ("[31, 61", "[99, 61", "cuts.recency: all: give 1 to 8 numbers that do not fall"),
        ("[2, 3, 5, 9]", "[2, 3]", "frequency must have 4 lines, as recency has"),
        ("GBP", "EUR", "cuts.currency is EUR, but the orders are in GBP"),
        ("cuts:", "cuts: {}\nmore:", "more is not a setting."),
    ],
)
def test_what_is_no_set_of_lines_is_refused_in_a_sentence(tmp_path, old, new, words):
    file = tmp_path / "lines.yml"
    assert old in TEXT
    file.write_text(TEXT.replace(old, new), encoding="utf-8")
    with pytest.raises(BadParameter) as caught:
        load(file, currency="GBP")
    assert str(caught.value).startswith(f"{file}")
    assert words in str(caught.value)


def test_a_file_that_is_missing_or_no_text_is_refused(tmp_path):
    with pytest.raises(BadParameter, match=r"lines\.yml cannot be read: No such file"):
        load(tmp_path / "lines.yml", currency="GBP")
    (tmp_path / "odd.yml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(BadParameter, match="it is not UTF-8 text"):
        load(tmp_path / "odd.yml", currency="GBP")


def test_the_same_customers_have_not_drifted_and_nobody_moves():
    summary = summary_table(*drawn(1))
    got = review(
        frozen(quantile_cuts(summary, currency="GBP"), "quantile"),
        then=summary,
        now=summary,
        segments=SEGMENTS,
    )
    assert got.stability["measure"].tolist() == ["recency", "frequency", "monetary"]
    assert got.stability["index"].tolist() == [0, 0, 0]
    assert (got.customers, got.moving) == (400, 0)
    assert (got.moves["segment"] == got.moves["redrawn"]).all()


def test_the_index_is_that_of_its_formula():
    then = summary_table([1] * 60 + [200] * 40, [1] * 100, [0] * 100)
    now = summary_table([1] * 30 + [200] * 20, [1] * 25 + [2] * 25, [0] * 50)
    got = review(frozen(FIXED), then=then, now=now, segments=SEGMENTS).stability
    assert got["index"].iloc[0] == pytest.approx(0)
    # By hand: 100 and 0 of 100 (0.5 stands for 0), then 25 and 25 of 50.
    one, other = np.array([100, 0.5]) / 100.5, np.array([0.5, 0.5])
    assert got["index"].iloc[1] == pytest.approx(((other - one) * np.log(other / one)).sum())
    # By hand: two scores in use, and 3.841459 is the 95 % quantile of one degree of freedom.
    assert got["by_chance"].iloc[1] == pytest.approx((1 / 100 + 1 / 50) * 3.841459)


def test_chance_alone_stays_below_its_limit_19_times_in_20():
    rng, shares, runs = np.random.default_rng(11), [0.3, 0.1, 0.2, 0.25, 0.15], 4_000
    then, now = rng.multinomial(2_000, shares, runs), rng.multinomial(3_000, shares, runs)
    found = [_index(*map(pd.Series, pair)) for pair in zip(then, now, strict=True)]
    above = sum(each["index"] > each["by_chance"] for each in found)
    assert abs(above / runs - 0.05) < 3.3 * (0.05 * 0.95 / runs) ** 0.5


@pytest.mark.parametrize(("draw", "method"), [(quantile_cuts, "quantile"), (nested_cuts, "nested")])
def test_a_review_counts_who_would_change_segment_under_new_lines(draw, method):
    then = summary_table(*drawn(1))
    days, purchases, revenue = drawn(2)
    now = summary_table(days + 20, purchases, revenue * 2)
    kept = frozen(draw(then, currency="GBP"), method)
    got = review(kept, then=then, now=now, segments=SEGMENTS)
    assert got.proposed == draw(now, currency="GBP")
    both = [
        collect(segmented(now, cuts=cuts, segments=SEGMENTS)).set_index("customer_id")["segment"]
        for cuts in (kept.cuts, got.proposed)
    ]
    assert got.moving == (both[0] != both[1].reindex(both[0].index)).sum() > 0
    assert got.customers == got.moves["customers"].sum() == 400
    drifted = got.stability["index"] > got.stability["by_chance"]
    assert drifted.tolist()[::2] == [True, True]


def test_fixed_lines_are_proposed_again_so_nobody_moves():
    then, now = summary_table(*drawn(1)), summary_table(*drawn(2))
    got = review(frozen(FIXED), then=then, now=now, segments=SEGMENTS)
    assert (got.proposed, got.moving) == (FIXED, 0)


def test_a_day_without_customers_has_nothing_to_review():
    some, none = summary_table(*drawn(1)), summary_table([], [], [])
    for then, now in ((some, none), (none, some)):
        with pytest.raises(BadData, match="no customer with a purchase"):
            review(frozen(FIXED), then=then, now=now, segments=SEGMENTS)
