"""What is said of messages beside the bands of the trade, word for word."""

from __future__ import annotations

import pytest

from retention_lab.record import Ledger, campaigns
from retention_lab.wording.campaigns import (
    CAUTION,
    NO_MESSAGES,
    TOO_FEW,
    campaigns_clicked,
    campaigns_rates,
    place,
)

from ..customers.sent import rates_of  # noqa: TID252  one maker of rates


def said(frame, sentence=campaigns_rates, **settings):
    ledger = Ledger()
    campaigns.record(ledger, frame)
    return sentence(ledger, frame, **settings).replace("\N{NO-BREAK SPACE}", " ")


def test_rates_are_said_by_rate_the_surest_first_beside_their_bands():
    frame = rates_of(best=(2_900, 2_696, 85, 160, 1_338), mid_value=(2_500, 2_013, 100, 38, 600))
    assert said(frame) == (
        "Each customer counts once: in the cohort of the day before the messages, with the first "
        "one that reached them after it. What they did within 7 days of it counts.\n"
        "\n"
        "- **Clicked:** best about 3 in 100 of 2,696 (3.2 %, 2.6 to 3.9), below the 4 to 9 % band; "
        "mid value about 5 in 100 of 2,013 (5.0 %, 4.1 to 6.0), within the 4 to 9 % band.\n"
        "- **Ordered, as whoever sends the messages counts it:** best about 6 in 100 of 2,696 "
        "(5.9 %, 5.1 to 6.9), within the 3 to 7 % band; mid value about 2 in 100 of 2,013 "
        "(1.9 %, 1.4 to 2.6), below the 3 to 7 % band.\n"
        "- **Opened, by themselves or by a machine:** best about 50 in 100 of 2,696 (49.6 %, 47.7 "
        "to 51.5), above the 25 to 40 % band; mid value about 30 in 100 of 2,013 (29.8 %, 27.8 to "
        "31.8), within the 25 to 40 % band.\n"
        "\n"
        "A band is a trade figure and not our target. Opens include machine opens (mail privacy "
        "proxies), so an open rate above its band is no success: clicks and orders rank above "
        "opens."
    )


@pytest.mark.parametrize(
    ("low", "high", "where"),
    [
        (0.01, 0.039, "below"),
        (0.01, 0.04, "unclear"),
        (0.04, 0.09, "within"),
        (0.039, 0.08, "unclear"),
        (0.05, 0.091, "unclear"),
        (0.01, 0.2, "unclear"),
        (0.09, 0.2, "unclear"),
        (0.091, 0.2, "above"),
    ],
)
def test_only_a_whole_interval_earns_a_plain_word(low, high, where):
    row = rates_of(some=(100, 90, 20, 40, 60)).iloc[0].copy()
    row["low"], row["high"] = low, high
    assert place(row) == where


def test_a_share_whose_interval_reaches_over_an_edge_is_called_neither():
    words = said(rates_of(some=(500, 400, 18, 40, 150)))
    assert "(4.5 %, 2.9 to 7.0), not clearly inside or outside the 4 to 9 % band" in words


def test_a_cohort_without_a_band_stands_beside_none():
    words = said(rates_of(bands={}, some=(500, 400, 18, 40, 150)))
    assert (
        "some about 4 in 100 of 400 (4.5 %, 2.9 to 7.0), for which the playbook names no" in words
    )


def test_a_band_of_half_a_percent_is_said_as_such():
    words = said(rates_of(bands={"click": (0.005, 0.02)}, some=(900, 800, 70, 90, 150)))
    assert "above the 0.5 to 2 % band" in words


def test_names_of_cohorts_are_no_markdown():
    frame = rates_of(some=(500, 400, 18, 40, 150)).assign(group="*best* <b>")
    assert r"\*best\* \<b\> about" in said(frame)
    assert r"“\*best\* \<b\>”" in said(frame, campaigns_clicked, cohort="*best* <b>")


def test_rates_that_are_hidden_are_said_to_be():
    words = said(rates_of(some=(500, 400, 5, 40, 150), few=(12, 9, 0, 0, 9)))
    assert "Clicked" not in words
    assert "few about" not in words
    assert words.endswith(
        f"{CAUTION} Rates that would tell of fewer than 10 customers are left out."
    )
    assert said(rates_of(few=(12, 9, 0, 0, 9))) == TOO_FEW


def test_a_response_that_is_known_of_no_message_is_not_said_to_be_nobodys():
    frame = rates_of(some=(500, 400, 18, 40, 150))
    words = said(frame[frame["rate"] != "open"])
    assert "- **Opened, by themselves or by a machine:** not known of any message.\n" in words
    assert words.endswith(CAUTION)


def test_a_shop_without_messages_is_told_what_to_map():
    assert said(rates_of()) == NO_MESSAGES
    assert "map the table `messages` in its source file" in NO_MESSAGES
    assert said(rates_of(), campaigns_clicked, cohort="best") == ""


def test_the_first_screen_says_how_many_clicked_and_whose_band_it_is():
    frame = rates_of(best=(2_900, 2_696, 85, 160, 1_338))
    assert said(frame, campaigns_clicked, cohort="best") == (
        "After a message, about 3 in 100 of the “best” click (3.2 %, 2.6 to 3.9), below the 4 to "
        "9 % band, which is a trade figure and not our target."
    )
    bare = rates_of(bands={}, best=(2_900, 2_696, 85, 160, 1_338))
    assert said(bare, campaigns_clicked, cohort="best") == (
        "After a message, about 3 in 100 of the “best” click (3.2 %, 2.6 to 3.9)."
    )
    few = rates_of(best=(2_900, 2_696, 5, 160, 1_338))
    assert said(few, campaigns_clicked, cohort="best") == ""


def test_other_days_of_response_are_said():
    assert "within 14 days of it" in said(rates_of(some=(500, 400, 18, 40, 150)), within=14)
