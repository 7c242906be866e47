"""What of the ladder of loyalty is hidden, and what is not."""

from __future__ import annotations

import pandas as pd
import pytest

from retention_lab.record.loyalty import hidden_in
from retention_lab.record.small import SMALL


@pytest.mark.parametrize(
    ("customers", "one_away", "hides"),
    [
        ([50, 100, 400, 300], [20, 60, 300, 0], ([0, 0, 0, 0], [0, 0, 0, 0])),
        # A few on the first step are what the others leave of all: the next smallest goes, too.
        ([5, 100, 400, 300], [20, 60, 300, 0], ([1, 1, 0, 0], [0, 0, 0, 0])),
        ([50, 100, 400, 300], [3, 60, 300, 0], ([0, 0, 0, 0], [1, 0, 0, 0])),
        # All but four of the last step are away from the one above it.
        ([50, 100, 400, 300], [20, 60, 296, 0], ([0, 0, 0, 0], [0, 0, 1, 0])),
        ([1, 2, 3, 1], [1, 0, 1, 0], ([1, 1, 1, 1], [1, 1, 1, 1])),
    ],
)
def test_a_few_customers_and_what_would_tell_them_are_hidden(customers, one_away, hides):
    assert SMALL == 10
    hidden = hidden_in(pd.DataFrame({"customers": customers, "one_away": one_away}))
    assert hidden["customers"].astype(int).tolist() == hides[0]
    assert hidden["one_away"].astype(int).tolist() == hides[1]
