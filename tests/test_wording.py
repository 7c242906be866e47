"""Every sentence word for word: each must be true to somebody who reads nothing else."""

from __future__ import annotations

import datetime as dt
import inspect
import re

import pandas as pd
import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from retention_lab import __version__, wording
from retention_lab.checks import Refusal
from retention_lab.customers.newest import Cohort, Newest
from retention_lab.inference.interval import Interval
from retention_lab.record import Claim, Ledger, comeback, periods
from retention_lab.record.previous import Previous, Printed, changes
from retention_lab.reports import prose
from retention_lab.tables.annotations import LONGEST, Annotation
from retention_lab.wording import Instead

AS_OF = dt.date(2026, 11, 29)
LONG_AGO = dt.date(2020, 1, 1)
AUGUST, JULY = dt.date(2026, 8, 1), dt.date(2026, 7, 1)


def plain(text):
    """Make spaces and quotation marks those of a keyboard, so that sentences can be typed here."""
    marks = {"\N{NO-BREAK SPACE}": " ", "\N{RIGHT SINGLE QUOTATION MARK}": "'"}
    marks |= dict.fromkeys("\N{LEFT DOUBLE QUOTATION MARK}\N{RIGHT DOUBLE QUOTATION MARK}", '"')
    return text.translate(str.maketrans(marks))


def claim(value, low=None, high=None, *, unit="share", n=400):
    return Claim(name="x", value=value, low=low, high=high, unit=unit, n=n, definition="It is so.")


def cohort(month, customers, returned):
    return Cohort(month=month, customers=customers, returned=returned)


def told(newest, before=None):
    """The newest cohort of (customers, returned) with what the ledger holds of it."""
    found = Newest(
        cohort=cohort(AUGUST, *newest), before=None if before is None else cohort(JULY, *before)
    )
    ledger = Ledger()
    comeback.newest(ledger, found, days=90)
    return ledger, found


def answer(newest, before=None, *, next_cohort=dt.date(2026, 9, 1), records_from=LONG_AGO):
    ledger, found = told(newest, before)
    body = wording.overview_body(ledger, found, days=90, records_from=records_from)
    action = wording.overview_action(
        ledger, owner="Lifecycle team", as_of=AS_OF, days=90, next_cohort=next_cohort
    )
    headline = wording.overview_headline(ledger, found, days=90)
    return tuple(plain(text) for text in (headline, body, action))


WAIT = "**Do:** nothing yet; September 2026 completes on 29 December 2026."

# Intervals: Wilson for a share, Newcombe for a difference, both by hand for 25 and 30 of 100.
ANSWERS = {
    "fewer": (
        ((6412, 1600), (6200, 1760)),
        "Fewer of August 2026's new customers came back.",
        "Of 6,412 customers who first bought in August 2026, 1,600, about 25 in 100 (25.0 %, 23.9 "
        "to 26.0), bought again within 90 days. July 2026's figure was 28.4 %, so this is 3.4 "
        "points lower (plausibly 1.9 to 5.0 lower).",
        "**Do** (Lifecycle team, by 6 December 2026): find out whether other people joined in "
        "August 2026 (a promotion, a new channel) or the same kind of people came back less. **Do "
        "not** change the offer on one month's figure.",
    ),
    "more": (
        ((1000, 350), (1000, 250)),
        "More of August 2026's new customers came back.",
        "Of 1,000 customers who first bought in August 2026, 350, about 35 in 100 (35.0 %, 32.1 to "
        "38.0), bought again within 90 days. July 2026's figure was 25.0 %, so this is 10.0 points "
        "higher (plausibly 6.0 to 14.0 higher).",
        "**Do** (Lifecycle team, by 6 December 2026): write down what was different in August "
        "2026. **Do not** credit a campaign with it: only a randomized test can.",
    ),
    "perhaps fewer": (
        ((100, 25), (100, 30)),
        "Fewer of August 2026's new customers came back; it may be chance.",
        "Of 100 customers who first bought in August 2026, 25, about 25 in 100 (25.0 %, 17.5 to "
        "34.3), bought again within 90 days. July 2026's figure was 30.0 %, so this is 5.0 points "
        "lower (plausibly 17.1 lower to 7.3 higher).",
        WAIT,
    ),
    "perhaps more": (
        ((100, 30), (100, 25)),
        "More of August 2026's new customers came back; it may be chance.",
        "Of 100 customers who first bought in August 2026, 30, about 30 in 100 (30.0 %, 21.9 to "
        "39.6), bought again within 90 days. July 2026's figure was 25.0 %, so this is 5.0 points "
        "higher (plausibly 7.3 lower to 17.1 higher).",
        WAIT,
    ),
    "rounded": (  # 29.17 and 28.63 in 100, so 0.54 apart, though 29.2 less 28.6 is 0.6
        ((7248, 2114), (8476, 2427)),
        "More of August 2026's new customers came back; it may be chance.",
        "Of 7,248 customers who first bought in August 2026, 2,114, about 29 in 100 (29.2 %, 28.1 "
        "to 30.2), bought again within 90 days. July 2026's figure was 28.6 %, so this is 0.5 "
        "points higher before rounding (plausibly 0.9 lower to 2.0 higher).",
        WAIT,
    ),
    "the same": (
        ((100, 30), (200, 60)),
        "About the same share of August 2026's new customers came back.",
        "Of 100 customers who first bought in August 2026, 30, about 30 in 100 (30.0 %, 21.9 to "
        "39.6), bought again within 90 days. July 2026's figure was 30.0 %, so this is about the "
        "same (plausibly 10.5 lower to 11.3 higher).",
        WAIT,
    ),
    "nobody before": (
        ((100, 30), None),
        "About 30 in 100 of August 2026's new customers came back.",
        "Of 100 customers who first bought in August 2026, 30, about 30 in 100 (30.0 %, 21.9 to "
        "39.6), bought again within 90 days. Nobody is known to have first bought in the month "
        "before, so there is nothing to compare it with.",
        WAIT,
    ),
    "few before": (
        ((100, 30), (9, 9)),
        "About 30 in 100 of August 2026's new customers came back.",
        "Of 100 customers who first bought in August 2026, 30, about 30 in 100 (30.0 %, 21.9 to "
        "39.6), bought again within 90 days. Too few first bought in July 2026 to compare it with.",
        WAIT,
    ),
    "few": (
        ((9, 4), (100, 30)),
        "Too few customers joined in August 2026 to say how many come back.",
        "Fewer than 10 customers first bought in August 2026, so no figure is shown.",
        WAIT,
    ),
    "few of them": (
        ((100, 3), (100, 30)),
        "Fewer than 10 of August 2026's new customers came back.",
        "Of 100 customers who first bought in August 2026, fewer than 10 bought again within 90 "
        "days, so no share is shown.",
        WAIT,
    ),
    "nearly all": (
        ((100, 97), (100, 30)),
        "All but a few of August 2026's new customers came back.",
        "Of 100 customers who first bought in August 2026, all but fewer than 10 bought again "
        "within 90 days, so no share is shown.",
        WAIT,
    ),
    "few of them before": (
        ((100, 30), (100, 3)),
        "About 30 in 100 of August 2026's new customers came back.",
        "Of 100 customers who first bought in August 2026, 30, about 30 in 100 (30.0 %, 21.9 to "
        "39.6), bought again within 90 days. Too few of those who first bought in July 2026 did, "
        "or did not, to compare it with.",
        WAIT,
    ),
    "none": (
        ((100, 0), (100, 0)),
        "None of August 2026's new customers came back within 90 days.",
        "Of 100 customers who first bought in August 2026, none (0.0 %, 0.0 to 3.7) bought again "
        "within 90 days. July 2026's figure was 0.0 %, so this is about the same (plausibly "
        "3.7 lower to 3.7 higher).",
        WAIT,
    ),
    "all": (
        ((20, 20), None),
        "All of August 2026's new customers came back.",
        "Of 20 customers who first bought in August 2026, all (100.0 %, 83.9 to 100.0) bought "
        "again within 90 days. Nobody is known to have first bought in the month before, so there "
        "is nothing to compare it with.",
        WAIT,
    ),
}


@pytest.mark.parametrize("name", ANSWERS)
def test_answer_reads(name):
    counts, headline, body, action = ANSWERS[name]
    assert answer(*counts) == (headline, body, action)


def test_answer_before_any_month_can_be_judged_reads():
    ledger = Ledger()
    assert wording.overview_headline(ledger, None, days=90) == (
        "It is too early to say how many new customers come back."
    )
    assert wording.overview_body(ledger, None, days=90, records_from=LONG_AGO) == (
        "No month of new customers has been followed for all of 90 days yet."
    )
    february = wording.overview_action(
        ledger, owner="Lifecycle", as_of=AS_OF, days=90, next_cohort=dt.date(2028, 2, 1)
    )
    assert february == "**Do:** nothing yet; February 2028 completes on 29 May 2028."


def test_answer_where_nobody_has_joined_since_reads():
    *_, action = answer((100, 30), (100, 25), next_cohort=None)
    assert action == "**Do:** nothing; nobody has first bought since."


@pytest.mark.parametrize(
    ("records_from", "doubtful"),
    [(dt.date(2026, 4, 2), False), (dt.date(2026, 4, 3), True), (JULY, True)],
)
def test_answer_says_when_new_customers_may_be_old_ones(records_from, doubtful):
    _, body, _ = answer((100, 30), (100, 25), records_from=records_from)
    day = f"{records_from.day} {records_from:%B %Y}"
    sentence = f" Records begin only on {day}, so some of these customers may be old ones."
    assert body.endswith(sentence) is doubtful


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (
            {"complete_to": AS_OF, "simulated": False, "where": ""},
            "Orders are complete to Sunday 29 November 2026.",
        ),
        (
            {"complete_to": AS_OF, "simulated": True, "where": " country =\n 'UK' "},
            "These are made-up customers. Only customers with `country = 'UK'` are in this report. "
            "Orders are complete to Sunday 29 November 2026.",
        ),
        (
            {"complete_to": dt.date(2026, 11, 27), "simulated": False, "where": ""},
            "The last order is of Friday 27 November 2026; none is dated after it up to 29 November"
            " 2026.",
        ),
    ],
)
def test_completeness_reads(given, sentence):
    assert wording.completeness(given.pop("complete_to"), as_of=AS_OF, **given) == sentence


@pytest.mark.parametrize(
    ("where", "ahead"),
    [
        ("order_days >= 2", True),
        ("Last_Ordered_On > '2026-10-01'", True),
        ("country = 'UK' and not (order_days = 1)", True),
        ("cohort('regulars')", True),
        ("cohort('uk')", False),
        ("first_ordered_on >= '2026-01-01'", False),
        ("country = 'order_days'", False),
    ],
)
def test_a_choice_by_what_customers_did_later_is_said_to_forbid_comparison(
    where, ahead, tmp_path, monkeypatch
):
    monkeypatch.setenv("RETENTION_LAB_COHORTS", str(tmp_path))
    for name, rule in (("regulars", "last_ordered_on > '2026-01-01'"), ("uk", "country = 'UK'")):
        saved = {"name": name, "where": rule, "source": "Shop", "saved_as_of": AS_OF}
        (tmp_path / f"{name}.yml").write_text(yaml.safe_dump(saved | {"customers": 12}))
    said = wording.completeness(AS_OF, as_of=AS_OF, simulated=False, where=where)
    sentence = (
        "That chooses, or may choose, by what they did later: shares of who came back cannot be "
        "compared."
    )
    assert (sentence in said) is ahead


def test_caution_about_the_first_months_reads():
    assert wording.records_begin(dt.date(2024, 11, 30)) == (
        "Records begin on 30 November 2024; whoever was a customer before that counts as new on "
        "their first purchase since, so the first months may hold old customers too."
    )


FILLED = "Filled points are months whose customers have all had their 90 days."
OPEN = "Open points are estimates from those who have had less time; they will still move."
ABSENT = (
    "Months too recent for 10 of their customers to have been followed for 90 days are not drawn."
)


@pytest.mark.parametrize(
    ("methods", "customers", "sentences"),
    [
        (["observed"], 50, FILLED),
        (["estimated"], 50, OPEN),
        (
            ["observed", "estimated", "too early"],
            50,
            f"{FILLED} {OPEN} Compare only the filled ones. {ABSENT}",
        ),
        (["observed", "too early"], 50, f"{FILLED} {ABSENT}"),
        (["too early"], 50, ""),
        (["observed"], 9, ""),
    ],
)
def test_caution_beside_the_months_says_only_what_is_drawn(methods, customers, sentences):
    frame = pd.DataFrame({"method": methods, "customers": customers, "returned": 0})
    assert wording.returned_curve(frame, days=90) == sentences


@pytest.mark.parametrize(
    ("methods", "last"),
    [
        (["observed"], "Months with fewer than 10 new customers are not drawn."),
        (["observed", "too early"], "Nor are months with fewer than 10 new customers."),
    ],
)
def test_caution_beside_the_months_mentions_small_ones(methods, last):
    customers = [*[50] * len(methods), 9]
    frame = pd.DataFrame({"method": [*methods, "observed"], "customers": customers, "returned": 0})
    assert wording.returned_curve(frame, days=90).endswith(last)


@pytest.mark.parametrize("returned", [3, 47])
def test_caution_beside_the_months_says_where_a_few_would_be_told_of(returned):
    frame = pd.DataFrame(
        {"method": ["observed", "observed"], "customers": 50, "returned": [20, returned]}
    )
    assert wording.returned_curve(frame, days=90).endswith(
        "Nor is a month drawn where fewer than 10 customers came back, or did not."
    )


# --- measures -------------------------------------------------------------------------------------


def recorded(**claims):
    """A ledger with (value, low, high, unit, n) by name."""
    ledger = Ledger()
    for name, (value, low, high, unit, n) in claims.items():
        number = value if low is None else Interval(value=value, low=low, high=high)
        label = f"Label of {name}"
        ledger.record(name, number, unit=unit, n=n, label=label, definition="It is so.")
    return ledger


def test_retention_rate_reads():
    ledger = recorded(
        retention_rate=(1.034, 0.98, 1.088, "share", 5673),
        kept_share=(0.458, 0.445, 0.471, "share", 5673),
    )
    assert plain(wording.retention_rate(ledger, days=90, history_days=400)) == (
        "The customer retention rate over the last 90 days is about 103 in 100 (103.4 %, 98.0 to "
        "108.8). It includes customers who came back after a pause, so it can exceed 100 %; of the "
        "5,673 active at the start, about 46 in 100 (45.8 %, 44.5 to 47.1) were active at the end. "
        "Active means: bought in the 90 days up to then."
    )


def test_retention_rate_of_customers_who_all_left_reads():
    ledger = recorded(
        retention_rate=(0.0, 0.0, 0.041, "share", 90), kept_share=(0.0, 0.0, 0.041, "share", 90)
    )
    assert (
        "of the 90 active at the start, none (0.0 %, 0.0 to 4.1) were active at the end"
        in plain(wording.retention_rate(ledger, days=90, history_days=400))
    )


@pytest.mark.parametrize(
    ("history_days", "sentence"),
    [
        (
            179,
            "A customer retention rate over 90 days needs 180 days of records; these hold 179.",
        ),
        (
            180,
            "Fewer than 10 customers bought in the 90 days before the period, or are in one of the "
            "groups that a customer retention rate tells apart, so there is none to show.",
        ),
    ],
)
def test_retention_rate_that_cannot_be_shown_says_why(history_days, sentence):
    assert wording.retention_rate(Ledger(), days=90, history_days=history_days) == sentence


def test_repeat_rate_reads():
    ledger = recorded(repeat_rate=(0.434, 0.427, 0.441, "share", 18_894))
    sentence = (
        "About 43 in 100 of all 18,894 customers (43.4 %, 42.7 to 44.1) have bought on two days or "
        "more. Newer customers have had less time; compare only the 90-day figure between months"
    )
    assert plain(wording.repeat_rate(ledger, days=90)) == f"{sentence}."
    comeback.newest(ledger, Newest(cohort=cohort(AUGUST, 1205, 300), before=None), days=90)
    assert plain(wording.repeat_rate(ledger, days=90)) == f"{sentence} (24.9 % for August 2026)."


def test_repeat_rate_of_one_time_buyers_and_of_few_customers_reads():
    ledger = recorded(repeat_rate=(0.0, 0.0, 0.01, "share", 400))
    assert plain(wording.repeat_rate(ledger, days=90)).startswith(
        "None of the 400 customers (0.0 %, 0.0 to 1.0) have bought on two days or more."
    )
    assert wording.repeat_rate(Ledger(), days=90) == (
        "Fewer than 10 customers have bought on two days or more, or on one alone, too few for a "
        "repeat purchase rate."
    )


BY = {"bought_again_by": (0.291, 0.284, 0.298, "share", 18_894)}
BY_SENTENCE = "Label of bought_again_by: about 29 in 100 customers (29.1 %, 28.4 to 29.8)."


@pytest.mark.parametrize(
    ("claims", "rest"),
    [
        (
            {
                "median_days_again": (296, 276, 323, "days", 9),
                "median_days_completed": (70.5, None, None, "days", 9),
            },
            "Half have done so by day 296 (276 to 323). Among those who did, the median is day "
            "70.5; that leaves out everybody still waiting and is not how long it takes.",
        ),
        (
            {"median_days_again": (1, None, None, "days", 9)},
            "Half have done so by day 1; these data set no upper limit to it.",
        ),
        (
            {},
            "In the time that 10 customers or more were followed, fewer than half have done so, so "
            "there is no median.",
        ),
    ],
)
def test_time_to_the_second_purchase_reads(claims, rest):
    assert plain(wording.repurchase(recorded(**BY, **claims))) == f"{BY_SENTENCE} {rest}"


def test_time_to_the_second_purchase_of_few_customers_says_so():
    assert wording.repurchase(Ledger()) == (
        "Fewer than 10 customers have been followed for a day or more, or have bought again since, "
        "too few to say how long the second purchase takes."
    )


def test_activity_reads():
    claims = {"active_share": (0.339, 0.332, 0.346, "share", 18_894)}
    now = (
        "About 34 in 100 of all 18,894 customers (33.9 %, 33.2 to 34.6) last bought at most 90 days"
        " ago (the purchase clock)."
    )
    reach = {"days": 90, "history_days": 400}
    assert plain(wording.activity(recorded(**claims), **reach)) == now
    claims["active_share_before"] = (0.36, 0.353, 0.368, "share", 15_854)
    assert plain(wording.activity(recorded(**claims), **reach)) == (
        f"{now} It was about 36 in 100 (36.0 %, 35.3 to 36.8) of the 15,854 customers known 90 days"
        " earlier. The base only grows, so this share falls when few new customers arrive."
    )


@pytest.mark.parametrize(
    ("history_days", "sentence"),
    [
        (1, "The records hold 1 day, so nobody can have been away for more than 90."),
        (91, "The records hold 91 days, so nobody can have been away for more than 90."),
        (92, "Fewer than 10 customers are active, or are not, too few to say how many."),
    ],
)
def test_activity_that_cannot_be_shown_says_why(history_days, sentence):
    assert wording.activity(Ledger(), days=90, history_days=history_days) == sentence


LATER = (
    ' The measure "in it or later" still grows while customers have time, so it is too low for '
    "recent cohorts."
)


@pytest.mark.parametrize(
    ("means", "sentence"),
    [
        (
            [(0, 9, 900), (1, 8, 800), (2, 1, 50), (13, 1, 50)],
            "Hatched cells are incomplete and excluded from the mean row, which weights each "
            "cohort by its size and counts those that are not drawn too; its last column rests on "
            f"1 cohort.{LATER}",
        ),
        (
            [(0, 9, 900), (1, 8, 800), (2, 2, 9)],
            "Hatched cells are incomplete and excluded from the mean row, which weights each "
            "cohort by its size and counts those that are not drawn too; its last column rests on "
            f"8 cohorts.{LATER}",
        ),
        (
            [(0, 9, 900)],
            f"Hatched cells are incomplete. No column is complete yet, so there is no mean.{LATER}",
        ),
    ],
)
def test_caution_beside_a_triangle_speaks_of_the_columns_that_are_drawn(means, sentence):
    frame = pd.DataFrame({"size": [40, 40], "period": [0, 1]})
    table = pd.DataFrame(means, columns=["period", "cohorts", "size"])
    assert plain(wording.triangle(frame, table, periods=12)) == sentence
    assert wording.triangle(frame.assign(size=9), table, periods=12) == ""


# --- rows -----------------------------------------------------------------------------------------


def rows_of(*counts):
    columns = ["table", "month", "reason", "rows", "amount"]
    return pd.DataFrame(
        [("orders", pd.Timestamp(2026, 1, 1), *each) for each in counts], columns=columns
    )


@pytest.mark.parametrize(
    ("counts", "sentence"),
    [
        ([("used", 1, 5)], "The one row of orders is used."),
        ([("used", 700, 5), ("used", 300, 5)], "Of 1,000 rows of orders, all are used."),
        (
            [("used", 3, 5), ("cancellation", 1, 5)],
            'Of 4 rows of orders, 3 (75.0 %) are used; the others were left out: "cancellation" '
            "(1).",
        ),
        (
            [("used", 99_999, 5), ("a", 2_000, 5), ("b", 3_000, 5)],
            "Of 104,999 rows of orders, 99,999 (95.2 %) are used; the commonest reason "
            'among the others is "b" (3,000).',
        ),
        (
            [("used", 99_999, 5), ("a", 1, 5)],
            'Of 100,000 rows of orders, 99,999 (99.9 %) are used; the others were left out: "a" '
            "(1).",
        ),
        (
            [("used", 1, 5), ("a", 99_999, 5)],
            'Of 100,000 rows of orders, 1 (0.1 %) are used; the others were left out: "a" '
            "(99,999).",
        ),
    ],
)
def test_rows_left_out_read(counts, sentence):
    assert plain(wording.left_out(rows_of(*counts), table="orders")) == sentence


def test_rows_left_out_say_that_they_do_not_know_of_a_choice_of_customers():
    text = wording.left_out(rows_of(("used", 2, 5)), table="orders", where="country = 'UK'")
    assert text == (
        "Of 2 rows of orders, all are used. These counts are of the whole source, before customers "
        "were chosen."
    )


@pytest.mark.parametrize(
    ("minor_per_unit", "written"), [(100, "123.45"), (1, "12,345"), (1000, "12.345")]
)
def test_rows_left_out_have_the_decimals_of_their_currency(minor_per_unit, written):
    frame = rows_of(("used", 20, 12_000), ("used", 10, 345), ("odd", 1_500, 0))
    table = wording.waterfall(frame, currency="EUR", minor_per_unit=minor_per_unit)
    assert table.reset_index().to_numpy().tolist() == [
        ["orders", "odd", "1,500", ""],
        ["orders", "used", "30", written],
    ]
    assert table.columns[-1] == "Amount (EUR)"
    few = wording.waterfall(rows_of(("used", 3, 345)), currency="EUR", minor_per_unit=100)
    assert few.to_numpy().tolist() == [["used", "3", "of fewer than 10"]]


def totals(*agree):
    rows = [("orders", "2026-01-01", "2026-01-31", "rows", 5.0, 6.0, each) for each in agree]
    return pd.DataFrame(
        rows, columns=["table", "first", "last", "what", "ours", "theirs", "agrees"]
    )


DIFFERS = "- rows of orders, 2026-01-01 to 2026-01-31: 5.00 here, 6.00 there"


@pytest.mark.parametrize(
    ("agree", "sentence"),
    [
        (
            [],
            "The source file states no control totals up to this day, so nothing here was compared "
            "with Finance.",
        ),
        ([True], "The one control total of the source file agrees."),
        ([True, True], "All 2 control totals of the source file agree."),
        (
            [False],
            "**1 of 1 control total of the source file does not agree; settle this before any "
            f"figure is used.**\n\n{DIFFERS}",
        ),
        (
            [False, True, False],
            "**2 of 3 control totals of the source file do not agree; settle this before any "
            f"figure is used.**\n\n{DIFFERS}\n{DIFFERS}",
        ),
    ],
)
def test_control_totals_read(agree, sentence):
    assert wording.controls(totals(*agree)) == sentence


def test_periods_stand_beside_each_other_with_what_is_not_shown():
    ledger = recorded(
        orders=(9165, None, None, "count", None),
        orders_before=(8233, None, None, "count", None),
        kept_share=(0.458, 0.445, 0.471, "share", 90),
        other=(1, None, None, "count", None),
    )
    table = wording.beside(ledger, as_of=dt.date(2027, 1, 15), days=90, history_days=500)
    assert table.columns.tolist() == ["90 days to 15 January 2027", "90 days to 17 October 2026"]
    assert [[plain(text) for text in row] for row in table.reset_index().to_numpy()] == [
        ["Label of orders", "9,165", "8,233"],
        ["Label of kept_share", "45.8 % (44.5 to 47.1)", "not shown"],
    ]


@pytest.mark.parametrize(
    ("history_days", "why"),
    [
        (1, "The records hold 1 day, fewer than the 90 of a period."),
        (89, "The records hold 89 days, fewer than the 90 of a period."),
        (90, "Too few customers bought in the 90 days to 29 November 2026."),
    ],
)
def test_periods_that_cannot_be_shown_say_why(history_days, why):
    found = wording.beside(Ledger(), as_of=AS_OF, days=90, history_days=history_days)
    assert found == Instead(why)


def test_definitions_list_what_was_recorded_of_the_newest_period():
    ledger = recorded(
        orders=(9165, None, None, "count", None),
        kept_share=(0.458, 0.445, 0.471, "share", 5673),
        kept_share_before=(0.458, 0.445, 0.471, "share", 5673),
    )
    ledger.record("bare", 3, unit="days", definition="It has no label.")
    table = wording.definitions(ledger)
    assert table.index.tolist() == ["Label of orders", "Label of kept_share", "bare"]
    assert [plain(text) for text in table["Value"]] == ["9,165", "45.8 % (44.5 to 47.1)", "3"]
    assert table["n"].tolist() == ["", "5,673", ""]
    assert wording.definitions(Ledger()).empty


# --- phrases --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("share", "words"),
    [
        (0.0, "0 in 100"),
        (0.0004, "fewer than 1 in 1,000"),
        (0.0007, "about 0.1 in 100"),
        (0.004, "about 0.4 in 100"),
        (0.005, "about 0.5 in 100"),
        (0.262, "about 26 in 100"),
        (0.99, "about 99 in 100"),
        (0.996, "about 99.6 in 100"),
        (0.9996, "more than 999 in 1,000"),
        (1.0, "100 in 100"),
        (1.034, "about 103 in 100"),
    ],
)
def test_share_in_a_hundred_never_rounds_to_nobody_or_all(share, words):
    assert wording.in_hundred(claim(share)) == words


@pytest.mark.parametrize(
    ("value", "low", "high", "expected"),
    [
        (0.05, 0.01, 0.09, "more"),
        (-0.05, -0.09, -0.01, "fewer"),
        (0.05, -0.01, 0.11, "perhaps more"),
        (-0.05, -0.11, 0.01, "perhaps fewer"),
        (0.05, 0.0, 0.1, "perhaps more"),
        (-0.05, -0.1, 0.0, "perhaps fewer"),
        (0.05, None, None, "perhaps more"),
        (0.0004, 0.0001, 0.0007, "the same"),
        (-0.0004, -0.01, 0.01, "the same"),
    ],
)
def test_only_an_interval_without_zero_earns_a_plain_word(value, low, high, expected):
    assert wording.direction(claim(value, low, high, unit="points")) == expected


def test_days_months_and_counts_read():
    assert wording.day(AS_OF) == "29 November"
    assert wording.full_day(dt.date(2027, 1, 5)) == "5 January 2027"
    assert wording.month(AUGUST) == "August 2026"
    assert wording.counted(1, "cohort") == "1 cohort"
    assert wording.counted(1_204, "cohort") == "1,204 cohorts"
    assert wording.counted(0, "cohort") == "0 cohorts"


# --- what happened, and where to look -------------------------------------------------------------


def happening(day, label, *, until=None, kind="promotion"):
    return Annotation(date=day, until=until, label=label, kind=kind)


@pytest.mark.parametrize(
    ("before", "day", "until", "is_named"),
    [
        ((1, 1), dt.date(2026, 7, 1), None, True),
        ((1, 1), dt.date(2026, 6, 30), None, False),
        ((1, 1), dt.date(2026, 6, 1), dt.date(2026, 7, 1), True),
        ((1, 1), dt.date(2026, 8, 31), None, True),
        ((1, 1), dt.date(2026, 9, 1), None, False),
        (None, dt.date(2026, 7, 31), None, False),
    ],
)
def test_only_what_happened_while_the_months_compared_joined_is_named(before, day, until, is_named):
    _, found = told((100, 30), before)
    said = wording.overview_happened([happening(day, "*Sale*", until=until)], found)
    assert said.startswith(r"When they joined: \*Sale\* (promotion, ") is is_named
    assert (said == "") is not is_named


def test_first_screen_names_three_happenings_and_counts_the_others():
    _, found = told((100, 30), (100, 25))
    many = [happening(dt.date(2026, 8, day), f"Sale {day}") for day in range(1, 6)]
    assert wording.overview_happened(many, found) == (
        "When they joined: Sale 1 (promotion, 1 August 2026); Sale 2 (promotion, 2 August 2026); "
        "Sale 3 (promotion, 3 August 2026); and 2 more."
    )
    assert wording.overview_happened(many[:3], found).endswith("(promotion, 3 August 2026).")
    assert wording.overview_happened(many, None) == wording.overview_happened([], found) == ""


CODE = "customers of acquisition channel *code*"


def fewer(mix, *, shares=()):
    """August came back clearly less than July; what goes with who joined, and a kind of them."""
    ledger, _ = told((6412, 1600), (6200, 1760))
    words = {"unit": "points", "definition": "So."}
    if mix is not None:
        ledger.record("why_mix", mix, **words)
        rate = ledger["returned_change"].value - ledger["why_mix"].value
        ledger.record("why_rate", rate, **words)
    for name, share in zip(("why_group", "why_group_before"), shares, strict=False):
        ledger.record(name, share, unit="share", about=CODE, definition="So.")
    said = wording.overview_action(
        ledger, owner="Lifecycle", as_of=AS_OF, days=90, next_cohort=None
    )
    do, _, do_not = said.partition(". **Do not** ")
    assert plain(do_not) == "change the offer on one month's figure."
    return do.removeprefix("**Do** (Lifecycle, by 6 December 2026): ")


LOWER, UNCLEAR, HIGHER = (
    Interval(value=value, low=value - 0.01, high=value + 0.01) for value in (-0.02, -0.005, 0.02)
)
SMALL_PART = Interval(value=-0.01, low=-0.015, high=-0.005)  # of 3.4 points, though clear
EITHER = (
    "find out whether other people joined in August 2026 (a promotion, a new channel) or the same "
    "kind of people came back less"
)
ELSEWHERE = "find out what was different for customers of August 2026 (delivery, price, stock)"


@pytest.mark.parametrize(
    ("mix", "shares", "action"),
    [
        (None, (), EITHER),
        (0.0, (), EITHER),  # nothing is known of them: a value without a range
        (UNCLEAR, (0.4, 0.3), ELSEWHERE),
        (HIGHER, (0.4, 0.3), ELSEWHERE),
        (SMALL_PART, (0.4, 0.3), ELSEWHERE),
        (
            LOWER,
            (),
            "find out what other people joined in August 2026 (a promotion, a new channel)",
        ),
        (
            LOWER,
            (0.4, 0.3),
            r"weigh what it costs to win customers of acquisition channel \*code\* against how "
            "seldom they come back",
        ),
        (LOWER, (0.3, 0.4), r"find out why fewer customers of acquisition channel \*code\* joined"),
    ],
)
def test_action_looks_where_the_split_points(mix, shares, action):
    assert fewer(mix, shares=shares) == action


# --- annotations ----------------------------------------------------------------------------------


def test_what_happened_in_a_period_is_named_and_not_called_a_cause():
    sale = Annotation(
        date=AUGUST, until=dt.date(2026, 8, 31), label="Summer sale", kind="promotion"
    )
    outage = Annotation(date=dt.date(2026, 7, 31), label="Checkout down", kind="outage")
    both = wording.happened([outage, sale], first=JULY, last=dt.date(2026, 8, 31))
    assert both == (
        "In that time: Checkout down (outage, 31 July 2026); Summer sale (promotion, August 2026)."
    )
    later = wording.happened([outage, sale], first=AUGUST, last=AS_OF)
    assert later == "In that time: Summer sale (promotion, August 2026)."
    assert wording.happened([outage, sale], first=dt.date(2026, 9, 1), last=AS_OF) == ""
    assert wording.named(sale) == "Summer sale (promotion, August 2026)"


@given(st.text(st.characters(codec="ascii", categories=["L", "N", "P", "S", "Zs"]), min_size=1))
@example("<b>50 %</b> & *more* [x](http://x) `y` $z$ _u_ ~~v~~ #1 https://x.org |a|")
@example(r"\*not\* &lt; &amp; 1. - + ![](x)")
def test_no_label_does_anything_in_a_sentence(label):
    words = " ".join(label.split())
    if not 0 < len(words) <= LONGEST:
        return
    holiday = Annotation(date=AUGUST, label=label, kind="holiday")
    read = prose.from_markdown(wording.happened([holiday], first=AUGUST, last=AS_OF))
    assert [tag.name for tag in read.find_all()] == ["p"]
    assert read.get_text().strip() == f"In that time: {words} (holiday, 1 August 2026)."


# --- what changed ---------------------------------------------------------------------------------


def earlier(**results):
    """A report of 22 November from (text, fields) by name; shares of customers of July."""
    given_results = {
        name: Printed(
            **{
                "name": name,
                "unit": "share",
                "about": "July 2026",
                "period": "2026-07-01/2026-07-31",
            }
            | {"text": text, "label": name.capitalize()}
            | fields
        )
        for name, (text, fields) in results.items()
    }
    return Previous(as_of=dt.date(2026, 11, 22), results=given_results)


def now_recorded(**values):
    ledger = Ledger()
    for name, (value, words) in values.items():
        about = {"unit": "share", "about": "July 2026", "period": "2026-07-01/2026-07-31"}
        ledger.record(
            name, value, **about | {"definition": "So.", "label": name.capitalize()} | words
        )
    return ledger


AUGUST_NOW = {"about": "August 2026", "period": "2026-08-01/2026-08-31"}


def test_the_first_report_says_that_it_is_the_first():
    frame = changes(now_recorded(returned=(0.3, {})), None)
    assert wording.changed_table(frame, None) == Instead(
        "This is the first report of this suite, so there is nothing to compare with."
    )
    assert wording.what_changed(frame, None) == wording.restated(frame, None) == ""


def test_a_restated_figure_is_told_in_a_sentence():
    then = earlier(returned=("28.5\N{NO-BREAK SPACE}%", {"value": 0.285}))
    frame = changes(now_recorded(returned=(0.284, {})), then)
    assert plain(wording.what_changed(frame, then)) == (
        "Results since 22 November 2026: 1 restated. Restated: Returned, July 2026, moves "
        "from 28.5 % as printed for 22 November 2026 to 28.4 %. No result is of days wholly apart "
        "from the printed ones, so none is set against chance."
    )
    table = wording.changed_table(frame, then)
    assert [plain(cell) for cell in table.iloc[0]] == [
        "28.5 %",
        "28.4 %",
        "-0.1 points",
        "restated: the same days, another value",
    ]
    assert list(table.columns) == [
        "Printed for 22 November 2026",
        "Now",
        "Change, before rounding",
        "What it is",
    ]


def test_days_that_end_with_each_report_are_named_once():
    days = {"about": "90 days to 2026-11-22", "period": "2026-08-25/2026-11-22", "value": 0.3}
    now = {"about": "90 days to 2026-11-29", "period": "2026-09-01/2026-11-29"}
    then = earlier(kept=("30.0", days))
    table = wording.changed_table(changes(now_recorded(kept=(0.4, now)), then), then)
    assert table["What it is"].item() == "now 90 days to 2026-11-29"


def test_many_restated_figures_leave_some_to_the_table():
    names = [f"figure *{number}*" for number in range(5)]
    then = earlier(**{name: ("1", {"value": 1, "unit": "count"}) for name in names})
    frame = changes(now_recorded(**{name: (2, {"unit": "count"}) for name in names}), then)
    said = wording.restated(frame, then)
    assert said.count("moves from 1 as printed") == 3
    assert said.endswith("; 2 more are in the table.")
    assert r"Figure \*0\*" in said
    assert len(wording.changed_table(frame, then)) == 5


def test_a_change_is_told_with_what_chance_alone_would_do():
    interval = {"value": 0.285, "low": 0.27, "high": 0.30}
    then = earlier(
        returned=("28.5\N{NO-BREAK SPACE}%", interval),
        kept=("28.5\N{NO-BREAK SPACE}%", interval),
        same=("50.0\N{NO-BREAK SPACE}%", {"value": 0.5}),
    )
    now = now_recorded(
        returned=(Interval(value=0.2, low=0.19, high=0.21), AUGUST_NOW),
        kept=(Interval(value=0.28, low=0.27, high=0.29), AUGUST_NOW),
        same=(0.5, {}),
    )
    frame = changes(now, then)
    assert plain(wording.what_changed(frame, then)) == (
        "Results since 22 November 2026: 1 as printed, 2 of other days. 2 results are of days "
        "wholly apart from the printed ones, and 1 of them marked, where the plausible range of "
        "the change leaves out zero; by chance alone about one in 20 would be, that is 0 or 1 of "
        "these."
    )
    table = wording.changed_table(frame, then)
    assert table["What it is"].tolist() == [
        "August 2026, was July 2026; marked",
        "August 2026, was July 2026",
    ]
    # By hand: 0.085 -+ the root of 0.01^2 + 0.015^2, and 0.005 -+ the same.
    assert table["Change, before rounding"].tolist() == [
        "-8.5 points (-10.3 to -6.7)",
        "-0.5 points (-2.3 to +1.3)",
    ]


@pytest.mark.parametrize(
    ("compared", "words"),
    [(2, "0 or 1"), (19, "0 or 1"), (20, "1 of"), (25, "1 or 2"), (40, "2 of")],
)
def test_chance_is_given_its_share_of_the_numbers_compared(compared, words):
    names = [f"n{number}" for number in range(compared)]
    then = earlier(**{name: ("x", {"value": 0.3, "low": 0.2, "high": 0.4}) for name in names})
    now = {name: (Interval(value=0.3, low=0.2, high=0.4), AUGUST_NOW) for name in names}
    said = wording.what_changed(changes(now_recorded(**now), then), then)
    assert f"that is {words}" in said


@pytest.mark.parametrize(
    ("low", "words"),
    [
        (0.31, "leaves out zero, as about one in 20 does by chance alone."),
        (0.2, "includes zero, so it may be chance."),
    ],
)
def test_a_single_change_is_told_from_chance_in_plain_words(low, words):
    then = earlier(kept=("20.0", {"value": 0.2, "low": 0.15, "high": 0.25}))
    now = now_recorded(kept=(Interval(value=0.35, low=low, high=0.39), AUGUST_NOW))
    said = wording.what_changed(changes(now, then), then)
    assert said.endswith(
        "One result is of days wholly apart from the printed ones; the plausible range of its "
        f"change {words}"
    )


def test_what_came_went_or_is_defined_otherwise_is_listed_last_and_not_compared():
    then = earlier(
        gone=("£5.00", {"value": 5, "unit": "money", "currency": "GBP"}),
        other=("4", {"value": 4, "unit": "count", "definition": "Otherwise."}),
        revenue=("£5.00", {"value": 5, "unit": "money", "currency": "GBP"}),
        everybody=("4", {"value": 4, "unit": "count", "period": "", "about": "all customers"}),
        returned_change=("-1.0", {"value": -0.01, "unit": "points"}),
        revenue_before=("£4.00", {"value": 4, "unit": "money", "currency": "GBP"}),
    )
    money = {"unit": "money", "currency": "GBP"}
    now = now_recorded(
        young=(0.3, {}),
        other=(4, {"unit": "count"}),
        revenue=(6_000, money | AUGUST_NOW),
        everybody=(5, {"unit": "count", "period": "", "about": "all customers"}),
        returned_change=(0.012, {"unit": "points"} | AUGUST_NOW),
        revenue_before=(7, money | {"about": "June 2026", "period": "2026-06-01/2026-06-30"}),
    )
    table = wording.changed_table(changes(now, then), then)
    assert {name: [plain(cell) for cell in row] for name, *row in table.itertuples()} == {
        "Other, July 2026": ["4", "4", "", "another definition, not compared"],
        "Revenue": ["£5.00", "£6,000", "+£5,995", "August 2026, was July 2026"],
        "Everybody": ["4", "5", "+1", "all customers, with later data"],
        "Young, July 2026": ["", "30.0 %", "", "new"],
        "Gone, July 2026": ["£5.00", "", "", "gone"],
    }


def test_a_month_that_is_no_longer_the_newest_counts_as_printed():
    then = earlier(returned=("28.5\N{NO-BREAK SPACE}%", {"value": 0.285}))
    frame = changes(now_recorded(returned=(0.2, AUGUST_NOW), returned_before=(0.285, {})), then)
    counts = "Results since 22 November 2026: 1 as printed, 1 of other days."
    assert wording.what_changed(frame, then).startswith(counts)
    assert wording.changed_table(frame, then).index.tolist() == ["Returned"]
    corrected = changes(now_recorded(returned_before=(0.284, {})), then)
    assert "July 2026, moves from" in wording.what_changed(corrected, then)
    (first, *_) = wording.changed_table(corrected, then)["What it is"]
    assert first.startswith("restated")


def test_a_report_in_which_nothing_changed_says_so():
    then = earlier(returned=("30.0\N{NO-BREAK SPACE}%", {"value": 0.3, "method_version": "0.0.1"}))
    frame = changes(now_recorded(returned=(0.3, {})), then)
    assert wording.changed_table(frame, then) == Instead(
        "Every result is as printed for 22 November 2026."
    )
    assert wording.what_changed(frame, then).endswith(
        f"The printed figures were computed by version 0.0.1, these by {__version__}."
    )


# --- house rules ----------------------------------------------------------------------------------


def test_a_sentence_about_a_result_that_nobody_recorded_raises():
    ledger, found = told((100, 30), (100, 25))
    incomplete = Ledger()
    incomplete.record("returned", 0.3, unit="share", n=100, definition="It is so.")
    with pytest.raises(Refusal, match="names the result 'returned_count', but nobody recorded it"):
        wording.overview_body(incomplete, found, days=90, records_from=LONG_AGO)
    with pytest.raises(Refusal, match=r"Did you mean 'returned'\?"):
        ledger["returned_"]
    with pytest.raises(Refusal, match="'kept_share'"):
        wording.retention_rate(
            recorded(retention_rate=(0.5, 0.4, 0.6, "share", 9)), days=90, history_days=400
        )


def test_a_range_that_was_not_recorded_raises():
    with pytest.raises(Refusal, match="recorded without an interval"):
        wording.repeat_rate(recorded(repeat_rate=(0.4, None, None, "share", 40)), days=90)


def strings_of(module):
    """The literals of a module's code; its docstrings speak to us, not to readers."""
    source = re.sub(r'""".*?"""', "", inspect.getsource(module), flags=re.DOTALL)
    return re.findall(r'"([^"]*)"', source)


@pytest.mark.parametrize(
    "module",
    [
        wording.annotations,
        wording.changed,
        wording.answer,
        wording.measures,
        wording.phrases,
        wording.rows,
        comeback,
        periods,
    ],
    ids=lambda module: module.__name__,
)
def test_no_word_for_statisticians_stands_in_a_sentence(module):
    banned = re.compile(r"\b(signific\w*|p-value|p ?[<=]|hazards?|drivers?|lift)\b", re.IGNORECASE)
    assert [text for text in strings_of(module) if banned.search(text)] == []


@pytest.mark.parametrize("name", ANSWERS)
def test_answer_keeps_the_house_rules(name):
    _counts, headline, body, action = ANSWERS[name]
    assert "%" not in headline
    if " in 100" in body:
        assert body.index(" in 100") < body.index("%")
    # A percentage of this cohort never stands without its interval, nor a difference in "%".
    assert re.search(r"\d %(?!, [\d.]+ to [\d.]+\))", body.split("figure was")[0]) is None
    assert re.search(r"%\s*(points|lower|higher)", body) is None
    assert action.startswith("**Do")
    assert re.search(r"\d{4}|nothing", action)
