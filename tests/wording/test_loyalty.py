"""What is said of the ladder of loyalty, word for word."""

from __future__ import annotations

import pandas as pd

from retention_lab.inference.proportions import wilson
from retention_lab.wording.loyalty import INCENTIVE, loyalty_tiers


def frame(customers, revenue_share, one_away):
    sizes = pd.Series(customers)
    return pd.DataFrame(
        {
            "tier": ["Gold", "Silver", "Resting"],
            "customers": sizes,
            **wilson(sizes, [sum(customers)] * 3),
            "revenue_share": pd.array(revenue_share, "Float64"),
            "one_away": one_away,
        }
    )


def said(*parts):
    return loyalty_tiers(frame(*parts), within=365).replace("\N{NO-BREAK SPACE}", " ")


def test_sizes_revenue_and_who_is_near_stand_in_one_text():
    # Wilson's intervals of 50, 150 and 800 of 1,000, by the formula of 1927 in plain Python.
    assert said([50, 150, 800], [0.6, 0.4004, -0.0004], [12, 800, 0]) == (
        "Of 1,000 customers, by what they bought in the last 365 days: "
        "Gold 50 (5.0 %, 3.8 to 6.5) with 60.0 % of the revenue; "
        "Silver 150 (15.0 %, 12.9 to 17.3) with 40.0 % of the revenue; "
        "Resting 800 (80.0 %, 77.4 to 82.4). "
        "One purchase away, if it is as large as theirs have been on average: 12 from Gold. "
        f"{INCENTIVE}"
    )


def test_nothing_is_said_of_a_few():
    text = said([5, 195, 800], [0.6, 0.4, 0.0], [4, 700, 0])
    assert "Gold" not in text
    assert "Silver" not in text.split("One purchase")[0]  # it would tell of Gold
    assert "700 from Silver" in text
    assert said([1, 2, 3], [0.6, 0.4, 0.0], [1, 2, 0]) == (
        "No tier has 10 customers or more, so none is described."
    )


def test_without_anybody_near_there_is_no_word_of_incentives():
    assert INCENTIVE not in said([0, 0, 800], [None, None, None], [0, 0, 0])
    assert "revenue" not in said([0, 0, 800], [None, None, None], [0, 0, 0])
