"""What a comparison says, word for word."""

from __future__ import annotations

import dataclasses

import pytest

from retention_lab.customers.compare import Comparison
from retention_lab.customers.measures import Estimate, measure
from retention_lab.inference.interval import Interval
from retention_lab.tables.period import parse
from retention_lab.wording.compare import compared, sides

RETURNED, ORDER_VALUE = measure("returned_90"), measure("average_order_value")


def interval(value, low, high):
    return Interval(value=value, low=low, high=high)


def comparison(what=RETURNED, periods=("2026-08", "2026-07"), **changes):
    now, before = (
        Estimate(measure=what, period=parse(period), customers=customers, value=value)
        for period, customers, value in zip(
            periods,
            (6412, 6003),
            (interval(0.27, 0.259, 0.281), interval(0.284, 0.273, 0.295)),
            strict=True,
        )
    )
    found = Comparison(
        now=now,
        before=before,
        difference=interval(-0.014, -0.03, 0.002),
        lift=interval(-0.049, -0.1, 0.01),
        overlap=0,
        currency="GBP",
        where_now="",
        where_before="",
    )
    return dataclasses.replace(found, **changes)


NOW, BEFORE = (
    "about 27 in 100 (27.0 %, 25.9 to 28.1, from 6,412 customers)",
    ("about 28 in 100 (28.4 %, 27.3 to 29.5, from 6,003 customers)"),
)


def plain(sentence):
    return sentence.replace("\N{NO-BREAK SPACE}", " ")


def test_difference_that_may_be_chance_is_said_to():
    assert plain(compared(comparison())) == (
        f"Returned within 90 days, August 2026 against July 2026: {NOW} against {BEFORE}, which is "
        "1.4 points lower but may be chance: the plausible range is from 3.0 lower to 0.2 higher."
    )


@pytest.mark.parametrize(
    ("difference", "said"),
    [
        (
            interval(-0.014, -0.027, -0.001),
            "which is 1.4 points lower, with a plausible range from 2.7 lower to 0.1 lower.",
        ),
        (
            interval(0.051, 0.014, 0.088),
            "which is 5.1 points higher, with a plausible range from 1.4 higher to 8.8 higher.",
        ),
        (
            interval(-0.0004, -0.02, 0.02),
            "which is about the same, with a plausible range from 2.0 lower to 2.0 higher.",
        ),
    ],
)
def test_only_an_interval_that_leaves_out_zero_earns_a_plain_word(difference, said):
    assert plain(compared(comparison(difference=difference))).endswith(f"{BEFORE}, {said}")


def test_same_week_last_year_is_told_by_its_dates_and_weekdays():
    found = comparison(periods=("2026-W32", "2025-08-04/2025-08-10"))
    assert compared(found).startswith(
        "Returned within 90 days, 3 to 9 August 2026 against 4 to 10 August 2025, the same "
        "weekdays: about 27"
    )
    month = comparison(periods=("2026-08", "2025-08"))
    assert "August 2026 against August 2025: about" in compared(month)


def test_money_is_told_with_its_relative_difference_and_what_makes_it_unequal():
    found = comparison(ORDER_VALUE, ("2026-03", "2026-02"))
    found = dataclasses.replace(
        found,
        now=dataclasses.replace(found.now, value=interval(41.5, 40, 43)),
        before=dataclasses.replace(found.before, value=interval(39, 38, 40)),
        difference=interval(2.5, 0.7, 4.3),
        lift=interval(0.064, 0.02, 0.11),
        overlap=1204,
    )
    assert plain(compared(found)) == (
        "Average order value, March 2026 against February 2026: £41.50 (£40.00 to £43.00, from "
        "6,412 customers) against £39.00 (£38.00 to £40.00, from 6,003 customers), which is £2.50 "
        "higher (6.4 %), with a plausible range from £0.70 higher to £4.30 higher. The first has "
        "31 days, the second 28. 1,204 customers stand on both sides; the range allows for that."
    )
    unsaid = dataclasses.replace(found, lift=None, overlap=4)
    assert "which is £2.50 higher, with" in compared(unsaid)
    assert compared(unsaid).endswith(
        "Some customers stand on both sides; the range allows for that."
    )


@pytest.mark.parametrize(
    ("periods", "wheres", "names", "heading"),
    [
        (
            ("2026-08", "2026-08"),
            ("country = 'UK'", ""),
            ("customers with `country = 'UK'`", "all customers"),
            "customers with `country = 'UK'` against all customers in August 2026:",
        ),
        (
            ("2026-08", "2026-07"),
            ("cohort('a')", "cohort('b')"),
            (
                "customers with `cohort('a')` in August 2026",
                "customers with `cohort('b')` in July 2026",
            ),
            "customers with `cohort('a')` in August 2026 against customers with `cohort('b')` in "
            "July 2026:",
        ),
        (
            ("2026-08", "2026-07"),
            ("country = 'UK'", "country = 'UK'"),
            ("August 2026", "July 2026"),
            "August 2026 against July 2026:",
        ),
    ],
)
def test_sides_are_told_apart_by_what_differs(periods, wheres, names, heading):
    found = comparison(periods=periods, where_now=wheres[0], where_before=wheres[1])
    assert sides(found) == names
    assert compared(found).startswith(f"Returned within 90 days, {heading} about")


def test_few_customers_are_not_compared():
    found = comparison()
    few = dataclasses.replace(found, before=dataclasses.replace(found.before, customers=9))
    assert compared(few) == (
        "Returned within 90 days, August 2026 against July 2026: fewer than 10 customers stand "
        "behind one of the two figures, so they are not compared."
    )
