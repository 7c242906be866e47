"""Whether more slipped than in as many days before, and what of it may be told."""

from __future__ import annotations

import pytest

from retention_lab.record.usual import CHANGE, SLIPPED

from ..customers.moved import LONG, made, slipping  # noqa: TID252  one maker of standings


def test_share_who_slipped_stands_beside_that_of_the_span_before():
    ledger, _here = made(usual=slipping(60, 50))
    now, before, change = (ledger[name] for name in (SLIPPED, f"{SLIPPED}_before", CHANGE))
    # 90 of 690 and 60 of 660 long-standing customers; Newcombe's hybrid range of the difference.
    assert (now.n, before.n) == (690, 660)
    assert (now.value, before.value) == pytest.approx((90 / 690, 60 / 660))
    assert change.value == pytest.approx(90 / 690 - 60 / 660)
    low, high = now.value - now.low, before.high - before.value
    assert change.value - change.low == pytest.approx((low**2 + high**2) ** 0.5)


@pytest.mark.parametrize("usual", [None, slipping(4, 80)])
def test_a_span_that_is_not_known_or_tells_of_a_few_is_not_compared(usual):
    ledger, _here = made(usual=usual)
    assert "segments_by_chance" in ledger
    assert CHANGE not in ledger


def test_what_the_present_span_may_not_tell_is_not_told_by_comparing():
    ledger, _here = made(long=slipping(4, 80), usual=LONG)
    assert SLIPPED not in ledger
