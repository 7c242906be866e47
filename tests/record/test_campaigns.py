"""What is recorded of messages, and what is not, as it would tell of a few customers."""

from __future__ import annotations

import pytest

from retention_lab.inference.proportions import wilson
from retention_lab.record import Ledger
from retention_lab.record.campaigns import named, record, shown

from ..customers.sent import rates_of  # noqa: TID252  one maker of rates


def recorded(frame):
    ledger = Ledger()
    record(ledger, frame)
    return {claim.name: claim for claim in ledger.claims()}


def test_each_rate_of_a_cohort_is_recorded_with_its_interval_and_whom_it_is_of():
    found = recorded(rates_of(one_time=(500, 400, 20, 0, 150), best=(300, 200, 20, 40, 90)))
    assert [*found] == [
        f"messages_{rate}:{cohort}"
        for cohort in ("one time", "best")
        for rate in ("click", "conversion", "open")
    ]
    click = found[named("click", "one time")]
    assert [click.value, click.low, click.high] == wilson([20], [400]).iloc[0].tolist()
    assert (click.n, click.unit, click.about) == (400, "share", "one time")
    assert click.label == "one time: clicked a message"
    assert "within 7 days" in click.definition
    assert found[named("conversion", "one time")].value == 0  # nobody is no group
    assert len({claim.definition for claim in found.values()}) == 3


@pytest.mark.parametrize(
    ("cohort", "left"),
    [
        ((500, 400, 20, 40, 150), ["click", "conversion", "open"]),
        ((9, 9, 0, 0, 0), []),  # a small cohort
        ((405, 400, 20, 40, 150), []),  # five got no message
        ((500, 400, 9, 40, 150), ["conversion", "open"]),  # few clicked
        ((500, 400, 20, 40, 395), ["click", "conversion"]),  # few did not open
        ((500, 400, 20, 15, 150), ["click", "open"]),  # five clicked and did not order
        ((500, 400, 20, 40, 25), ["click", "conversion"]),  # five opened and did not click
        ((500, 400, 9, 12, 15), ["conversion"]),
        ((500, 400, 20, 20, 20), ["click", "conversion", "open"]),  # and nobody but these
    ],
)
def test_nothing_that_tells_of_a_few_customers_is_recorded(cohort, left):
    assert shown(rates_of(some=cohort))["rate"].tolist() == left
    assert [*recorded(rates_of(some=cohort))] == [named(rate, "some") for rate in left]


def test_a_few_who_got_a_message_by_another_channel_are_not_told_by_subtraction():
    frame = rates_of(some=(900, 400, 20, 40, 150))
    for delivered, left in ((395, 2), (385, 3)):
        frame.loc[2, "delivered"] = delivered
        assert len(shown(frame)) == left


def test_cohorts_are_hidden_each_by_itself():
    frame = rates_of(one=(500, 400, 20, 40, 150), two=(500, 400, 21, 45, 149))
    assert len(shown(frame)) == 6


def test_nothing_is_recorded_where_nothing_was_sent():
    assert recorded(rates_of()) == {}
