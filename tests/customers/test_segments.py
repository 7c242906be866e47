"""Who is in which segment: one each, over the whole grid, and the sentence that says why."""

from __future__ import annotations

import pytest

from retention_lab.checks import BadParameter
from retention_lab.customers.rfm import Cuts, nested_cuts, quantile_cuts
from retention_lab.customers.segments import segmented, why
from retention_lab.tables import playbook
from retention_lab.tables.engine import collect
from retention_lab.tables.segment import Segments, first_fit, grid

from .summaries import drawn, summary_table

SEGMENTS = playbook.load("").segments


def lines(**change):
    fine = {
        "recency": {"all": (31, 61, 91, 121)},
        "frequency": {"all": (2, 3, 5, 9)},
        "monetary": {"all": (10, 20, 30, 40)},
    }
    return Cuts(currency="GBP", **(fine | change))


def told(*, last_days, purchases, revenue):
    """Row of a customer who bought within the window alone."""
    within = {"purchases_within": purchases, "revenue_within": revenue}
    return {"last_days": last_days, "purchases": purchases, **within}


def segments_of(summary, cuts):
    got = collect(segmented(summary, cuts=cuts, segments=SEGMENTS))
    return got.sort_values("customer_id", ignore_index=True)


@pytest.mark.parametrize("frequency", range(1, 6))
def test_every_cell_of_the_grid_has_the_one_segment_that_the_rules_say(frequency):
    # Lines that give this score to one purchase and to two.
    cuts = lines(frequency={"all": tuple([1] * (frequency - 1) + [9] * (5 - frequency))})
    cells = [cell for cell in grid() if cell[1] == frequency]
    days = [160 - 30 * recency for recency, *_rest in cells]
    purchases = [1 if bought == "once" else 2 for *_rest, bought in cells]
    revenue = [1000 * monetary - 500 for *_rest, monetary, _bought in cells]
    got = segments_of(summary_table(days, purchases, revenue), cuts)
    assert got["recency_score"].tolist() == [cell[0] for cell in cells]
    assert set(got["frequency_score"]) == {frequency}
    assert got["monetary_score"].tolist() == [cell[2] for cell in cells]
    for column, rules in (("cohort", SEGMENTS.cohorts), ("segment", SEGMENTS.named)):
        assert got[column].tolist() == [first_fit(rules, cell).name for cell in cells]


@pytest.mark.parametrize("draw", [quantile_cuts, nested_cuts])
def test_every_customer_has_one_cohort_one_segment_and_one_tier(draw):
    values = drawn(1)
    summary = summary_table(*values)
    got = segments_of(summary, draw(summary, currency="GBP"))
    assert len(got) == got["customer_id"].nunique() == len(values[0])
    assert not got[["cohort", "segment", "activity"]].isna().any().any()
    assert ((got["cohort"] == "one-time") == (got["purchases"] == 1)).all()


def test_tiers_of_activity_hold_their_last_day():
    got = segments_of(summary_table([0, 30, 31, 90, 91], [1] * 5, [5] * 5), lines())
    assert got["activity"].tolist() == ["0-30", "0-30", "31-90", "31-90", "90+"]


def test_why_a_customer_is_there_is_a_sentence_with_the_numbers_and_the_rule():
    customer = told(last_days=121, purchases=5, revenue=123_456)
    assert why(customer, cuts=lines(), rules=SEGMENTS.named, within=365) == (
        "In Can't Lose Them, as this customer last bought 121 days ago (recency 1 of 5: 121 days "
        "or more), bought on 5 days in the last 365 days (frequency 4 of 5: 5 days to under 9 "
        "days) and spent 1,234.56 GBP less returns in the last 365 days (monetary 5 of 5: 40.00 "
        "GBP or more): Can't Lose Them takes customers with recency 1 to 2, frequency 3 to 4 and "
        "monetary 4 to 5, and no rule above it fits."
    )
    one = told(last_days=1, purchases=1, revenue=-250)
    assert why(one, cuts=lines(), rules=SEGMENTS.cohorts, within=None) == (
        "In one-time, as this customer last bought 1 day ago (recency 5 of 5: under 31 days), "
        "bought on 1 day (frequency 1 of 5: under 2 days) and spent -2.50 GBP less returns "
        "(monetary 1 of 5: under 10.00 GBP): one-time takes customers with one purchase."
    )
    mid = told(last_days=1, purchases=2, revenue=0)
    sentence = why(mid, cuts=lines(), rules=SEGMENTS.cohorts, within=None)
    assert sentence.endswith(": mid-value repeat takes all others.")


@pytest.mark.parametrize("draw", [quantile_cuts, nested_cuts])
def test_the_sentence_and_the_table_never_disagree(draw):
    summary = summary_table(*drawn(2, customers=150))
    cuts = draw(summary, currency="GBP")
    for row in segments_of(summary, cuts).to_dict("records"):
        for column, rules in (("cohort", SEGMENTS.cohorts), ("segment", SEGMENTS.named)):
            sentence = why(row, cuts=cuts, rules=rules, within=365)
            assert sentence.startswith(f"In {row[column]}, as this customer last bought ")
            scores = [f"{name} {row[f'{name}_score']} of 5" for name in ("recency", "monetary")]
            assert all(score in sentence for score in scores)


def test_lines_of_another_number_of_scores_are_refused():
    summary = summary_table([1], [1], [1])
    cuts = quantile_cuts(summary, currency="GBP", bins=4)
    for ask in (
        lambda: segmented(summary, cuts=cuts, segments=SEGMENTS),
        lambda: why({}, cuts=cuts, rules=SEGMENTS.named, within=None),
    ):
        with pytest.raises(BadParameter, match="scores from 1 to 5, but the cut lines make 4"):
            ask()


def test_a_rule_may_ask_for_customers_who_came_back():
    owned = {"owner": "Insights", "review_by": "2027-03-31"}
    again = [{"name": "back", "bought": "again", **owned}, {"name": "rest", **owned}]
    segments = Segments.model_validate({"cohorts": again, "named": again})
    summary = summary_table([1, 1], [1, 2], [5, 5])
    got = collect(segmented(summary, cuts=lines(), segments=segments)).sort_values("customer_id")
    assert got["cohort"].tolist() == ["rest", "back"]
    two = told(last_days=1, purchases=2, revenue=5)
    sentence = why(two, cuts=lines(), rules=segments.cohorts, within=None)
    assert sentence.endswith("back takes customers with two purchases or more.")
