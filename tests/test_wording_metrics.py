"""Own metrics in words: a table with owners, what moved, what is missing and what is overdue."""

from __future__ import annotations

import datetime as dt

import pytest

from retention_lab import wording
from retention_lab.inference.interval import Interval
from retention_lab.record import Ledger
from retention_lab.reports import prose
from retention_lab.tables.metrics import Metric
from retention_lab.wording.metrics import reading

AS_OF = dt.date(2026, 11, 29)
NBSP = "\N{NO-BREAK SPACE}"


def metric(**settings):
    about = {
        "name": "refund_share",
        "label": "Refunded share",
        "sql": "sum(returns.amount) / sum(orders.amount)",
        "unit": "share",
        "better": "lower",
        "owner": "Finance",
        "review_by": dt.date(2027, 3, 31),
    }
    return Metric(**(about | settings))


REFUNDS = metric()
TOTAL = metric(name="sold", label="Sold", sql="sum(orders.amount)", unit="money", better="higher")


def ledger_of(*, now=0.07, before=0.09, change=(-0.02, -0.03, -0.01)):
    ledger = Ledger()
    for suffix, value in (("", now), ("_before", before)):
        found = Interval(value=value, low=value - 0.01, high=value + 0.01)
        ledger.record(f"refund_share{suffix}", found, unit="share", definition="")
    if change:
        value, low, high = change
        moved = Interval(value=value, low=low, high=high)
        ledger.record("refund_share_change", moved, unit="points", definition="", difference=True)
    return ledger


def sold():
    ledger = Ledger()
    for name, value in (("sold", 120.5), ("sold_before", 100), ("sold_change", 20.5)):
        moved = name.endswith("_change")
        ledger.record(name, value, unit="money", currency="GBP", definition="", difference=moved)
    return ledger


def table(ledger, *chosen):
    return wording.own_metrics(ledger, chosen, as_of=AS_OF, days=90)


def said(ledger, *chosen, missing=None, as_of=AS_OF):
    return wording.own_metrics_read(ledger, chosen, missing or {}, as_of=as_of)


def test_the_table_has_both_periods_the_change_and_who_answers():
    assert table(ledger_of(), REFUNDS).reset_index().to_dict("records") == [
        {
            "Metric": "Refunded share",
            "90 days to 29 November 2026": f"7.0{NBSP}% (6.0 to 8.0)",
            "90 days to 31 August 2026": f"9.0{NBSP}% (8.0 to 10.0)",
            "Change": "better: -2.0 points (-3.0 to -1.0)",
            "Owner, review by": "Finance, 31 March 2027",
        }
    ]


def test_a_total_has_a_change_without_a_range():
    row = table(sold(), TOTAL).iloc[0]
    assert row["Change"] == "no range: +£20.50"
    assert said(sold(), TOTAL) == ""


def test_what_was_not_recorded_is_not_shown():
    row = table(ledger_of(), REFUNDS, TOTAL).loc["Sold"]
    assert row.iloc[:3].tolist() == ["not shown", "not shown", ""]
    assert table(Ledger(), TOTAL).why == "None of the own metrics can be shown."
    assert table(Ledger()).why == "No metrics of your own are defined yet."


@pytest.mark.parametrize(
    ("change", "better", "word"),
    [
        ((-0.02, -0.03, -0.01), "lower", "better"),
        ((-0.02, -0.03, -0.01), "higher", "worse"),
        ((-0.02, -0.03, -0.01), "neither", "lower"),
        ((0.02, 0.01, 0.03), "higher", "better"),
        ((0.02, 0.01, 0.03), "lower", "worse"),
        ((0.02, 0.01, 0.03), "neither", "higher"),
        ((0.02, 0.0, 0.04), "higher", "not clear"),
        ((-0.02, -0.04, 0.0), "lower", "not clear"),
    ],
)
def test_only_a_range_without_zero_is_called_better_or_worse(change, better, word):
    assert reading(ledger_of(change=change), metric(better=better)) == word


def test_a_clear_change_is_said_with_how_many_were_compared():
    assert said(ledger_of(), REFUNDS) == (
        f"- Refunded share: better than before, 7.0{NBSP}% against 9.0{NBSP}%: -2.0 points "
        "(-3.0 to -1.0).\n\n1 metric was compared; about one in 20 would move as clearly by chance."
    )


def test_no_clear_change_is_said_so():
    unclear = ledger_of(change=(0.0, -0.01, 0.01))
    assert said(unclear, REFUNDS) == "No change of an own metric is clear of chance."
    assert table(unclear, REFUNDS)["Change"].item() == "not clear: 0.0 points (-1.0 to +1.0)"


def test_a_metric_that_is_not_shown_says_why():
    missing = {"refund_share": "Shop has no returns."}
    assert said(Ledger(), REFUNDS, missing=missing) == (
        "- Refunded share: not shown, as Shop has no returns."
    )


def test_what_people_typed_does_nothing_in_a_sentence():
    why = "there was nothing to divide by (COUNT(*) is 0, as is SUM(a_b * 2))."
    text = said(Ledger(), metric(label="*Refunds* [x](y)"), missing={"refund_share": why})
    read = prose.from_markdown(text)
    assert [tag.name for tag in read.find_all()] == ["ul", "li"]
    assert read.get_text().strip() == f"*Refunds* [x](y): not shown, as {why}"


@pytest.mark.parametrize(("day", "due"), [(31, False), (1, True)])
def test_a_review_that_is_overdue_names_the_owner(day, due):
    as_of = dt.date(2027, 4 if due else 3, day)
    sentence = "its review was due by 31 March 2027; ask Finance whether it still measures what"
    assert (sentence in said(ledger_of(), REFUNDS, as_of=as_of)) is due


@pytest.mark.parametrize(("now", "above"), [(1.0, False), (1.2, True)])
def test_a_share_above_one_is_said_to_be_no_part(now, above):
    text = said(ledger_of(now=now, change=None), REFUNDS)
    assert ("is no part of what it is divided by" in text) is above
