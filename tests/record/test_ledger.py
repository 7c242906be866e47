"""The ledger: what may be recorded, how numbers are written, and what the runner gathers."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import numpy as np
import pytest

from retention_lab import __version__
from retention_lab.checks import BadParameter, Refusal
from retention_lab.inference.interval import Interval
from retention_lab.record import Claim, Ledger, money, percent
from retention_lab.record.ledger import MIME
from retention_lab.reports import page


def claim(value, *, unit, currency=""):
    return Claim(
        name="x", value=value, low=None, high=None, unit=unit, n=None, definition="It is so.",
        currency=currency,
    )  # fmt: skip


def filled():
    ledger = Ledger()
    ledger.headline = "All is well."
    ledger.record(
        "share",
        Interval(value=np.float64(0.262), low=np.float64(0.238), high=np.float64(0.288)),
        unit="share",
        n=np.int64(1204),
        about="August 2026",
        label="Share",
        definition="Those who did, of all.",
        key=True,
        period="2026-08-01/2026-08-31",
        population="first_ordered_on >= date '2026-08-01'",
    )
    ledger.record("count", np.int64(9165), unit="count", definition="All of them.")
    return ledger


def test_ledger_shows_itself_as_what_the_runner_gathers():
    bundle = filled()._repr_mimebundle_()
    assert MIME == page.RESULTS
    assert bundle["text/plain"] == "2 results recorded"
    assert bundle[MIME] == {
        "headline": "All is well.",
        "results": [
            {
                "name": "share",
                "value": 0.262,
                "low": 0.238,
                "high": 0.288,
                "unit": "share",
                "n": 1204,
                "definition": "Those who did, of all.",
                "about": "August 2026",
                "label": "Share",
                "currency": "",
                "key": True,
                "period": "2026-08-01/2026-08-31",
                "population": "first_ordered_on >= date '2026-08-01'",
                "difference": False,
                "text": "26.2\N{NO-BREAK SPACE}%",
                "between": "23.8 to 28.8",
                # printf 'Those who did, of all.' | sha256sum
                "definition_hash": "98c951e36537",
                "method_version": __version__,
            },
            {
                "name": "count",
                "value": 9165,
                "low": None,
                "high": None,
                "unit": "count",
                "n": None,
                "definition": "All of them.",
                "about": "",
                "label": "",
                "currency": "",
                "key": False,
                "period": "",
                "population": "",
                "difference": False,
                "text": "9,165",
                "between": "",
                "definition_hash": "e02dd0ab39a4",
                "method_version": __version__,
            },
        ],
    }


def test_ledger_is_the_same_json_every_time_and_holds_plain_numbers_only():
    first, second = (json.dumps(filled()._repr_mimebundle_(), allow_nan=False) for _ in range(2))
    assert first == second
    for result in filled()._repr_mimebundle_()[MIME]["results"]:
        assert {type(value) for value in result.values()} <= {str, int, float, bool, type(None)}


@pytest.mark.parametrize("value", [math.nan, math.inf, np.float64("nan")])
@pytest.mark.parametrize("place", ["value", "low", "high"])
def test_what_is_no_number_is_refused(value, place):
    number = Interval(**{"value": 0.5, "low": 0.4, "high": 0.6, place: value})
    with pytest.raises(Refusal, match=r"'x' is (nan|inf), which is not a number"):
        Ledger().record("x", number, unit="share", definition="It is so.")


def test_a_name_is_recorded_once():
    ledger = filled()
    with pytest.raises(Refusal, match="'share' is recorded twice"):
        ledger.record("share", 1, unit="share", definition="It is so.")
    assert [each.name for each in ledger.claims()] == ["share", "count"]


def test_an_unknown_unit_is_refused_with_the_nearest_one():
    with pytest.raises(BadParameter, match=r"'shares'.*Did you mean 'share'"):
        Ledger().record("x", 1, unit="shares", definition="It is so.")


def test_an_unrecorded_name_is_refused_with_the_nearest_one():
    ledger = filled()
    assert "share" in ledger
    assert "shares" not in ledger
    assert ledger["share"].value == 0.262
    with pytest.raises(Refusal, match=r"'shares', but nobody recorded it\. Did you mean 'share'"):
        ledger["shares"]


def test_interval_is_written_with_its_value():
    share = filled()["share"]
    assert share.between == "23.8 to 28.8"
    assert share.full == "26.2\N{NO-BREAK SPACE}% (23.8 to 28.8)"
    assert share.ranged == "26.2\N{NO-BREAK SPACE}%, 23.8 to 28.8"


def test_a_claim_without_interval_shows_its_value_and_refuses_a_range():
    count = filled()["count"]
    assert count.full == "9,165"
    with pytest.raises(Refusal, match="'count' was recorded without an interval"):
        _ = count.between


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (0.262, "share", "26.2 %"),
        (1.034, "share", "103.4 %"),
        (-0.00001, "share", "0.0 %"),
        (-0.054, "points", "-5.4"),
        (-0.0004, "points", "0.0"),
        (1_204, "count", "1,204"),
        (0, "count", "0"),
        (71.0, "days", "71"),
        (70.5, "days", "70.5"),
        (1_000.0, "days", "1,000"),
        (1.444, "per_customer", "1.44"),
    ],
)
def test_numbers_are_written_in_their_unit(value, unit, text):
    assert claim(value, unit=unit).text.replace("\N{NO-BREAK SPACE}", " ") == text


@pytest.mark.parametrize(
    ("value", "currency", "text"),
    [
        (0, "GBP", "£0.00"),
        (39.134, "GBP", "£39.13"),
        (999.994, "GBP", "£999.99"),
        (999.996, "GBP", "£1,000"),
        (999_999.4, "GBP", "£999,999"),
        (999_999.6, "USD", "USD 1.00 million"),
        (12_345_678, "EUR", "€12.35 million"),
        (-39.134, "GBP", "-£39.13"),
        (-2_500_000, "GBP", "-£2.50 million"),
        (-0.001, "GBP", "£0.00"),
        (-0.4, "JPY", "¥0"),
        (523.4, "JPY", "¥523"),
        (12.3456, "KWD", "KWD 12.346"),
        (-1_234.5, "CHF", "-CHF 1,234"),
    ],
)
def test_money_is_written_with_the_decimals_of_its_currency(value, currency, text):
    assert money(value, currency).replace("\N{NO-BREAK SPACE}", " ") == text
    assert claim(value, unit="money", currency=currency).text == money(value, currency)


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (0.052, "points", "+5.2 (+3.2 to +7.2)"),
        (-0.0006, "points", "-0.06 (-2.1 to +1.9)"),
        (0.7, "money", "+USD 0.70 (+USD 0.68 to +USD 0.72)"),
        (0.0, "share", "0.0 % (-2.0 to +2.0)"),
    ],
)
def test_a_difference_has_signs_at_its_value_and_at_both_ends(value, unit, text):
    found = replace(claim(value, unit=unit, currency="USD"), low=value - 0.02, high=value + 0.02)
    assert "+" not in found.full
    told = replace(found, difference=True).full
    assert told.replace("\N{NO-BREAK SPACE}", " ") == text


def test_no_amount_has_a_dollar_sign_as_two_of_them_are_a_formula_in_jupyter():
    text = claim(1.42, unit="money", currency="USD").full
    assert "$" not in text
    assert "\\" not in text


def test_share_is_written_with_a_space_that_does_not_break():
    assert percent(0.262) == "26.2\N{NO-BREAK SPACE}%"


def test_population_of_a_claim_is_that_of_its_report_and_its_own():
    august = "first_ordered_on >= date '2026-08-01'"
    for where, expected in (("", august), ("a = 'b' or c", f"(a = 'b' or c) and {august}")):
        ledger = Ledger(where=where)
        ledger.record("some", 1, unit="count", definition="Some.", population=august)
        ledger.record("all", 1, unit="count", definition="All.")
        assert ledger["some"].population == expected
        assert ledger["all"].population == ""


def test_interval_may_stand_beside_the_value_or_come_with_it():
    beside = Ledger().record(
        "share", 0.262, interval=(0.238, 0.288), unit="share", n=1204, definition="It is so."
    )
    within = Ledger().record(
        "share",
        Interval(value=0.262, low=0.238, high=0.288),
        unit="share",
        n=1204,
        definition="It is so.",
    )
    assert beside == within
    exact = Ledger().record("x", 3, interval=(3, 3), unit="count", definition="It is so.")
    assert (exact.low, exact.high) == (3, 3)


@pytest.mark.parametrize("bounds", [(0.3, 0.4), (0.1, 0.2), (0.288, 0.238)])
def test_interval_that_does_not_hold_its_value_is_refused(bounds):
    with pytest.raises(BadParameter, match=r"must hold its value, 0\.262, got .* bound first"):
        Ledger().record("x", 0.262, interval=bounds, unit="share", definition="It is so.")


def test_interval_given_twice_is_refused():
    value = Interval(value=0.262, low=0.238, high=0.288)
    with pytest.raises(BadParameter, match="has an interval already"):
        Ledger().record("x", value, interval=(0, 1), unit="share", definition="It is so.")


def test_bound_that_is_no_number_is_refused():
    with pytest.raises(Refusal, match="is not a number to record"):
        Ledger().record("x", 0.2, interval=(math.nan, 1), unit="share", definition="It is so.")


def test_settings_made_in_the_run_are_kept_beside_the_results():
    ledger = Ledger()
    assert "kept" not in ledger._repr_mimebundle_()[MIME]
    ledger.kept["thresholds"] = {"owner": "Lifecycle"}
    assert ledger._repr_mimebundle_()[MIME]["kept"] == {"thresholds": {"owner": "Lifecycle"}}
