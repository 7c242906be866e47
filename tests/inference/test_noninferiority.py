"""Guardrails read."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retention_lab.checks import BadData, BadParameter
from retention_lab.inference.means import around, difference, share
from retention_lab.inference.noninferiority import no_worse, no_worse_share

apart = st.tuples(st.floats(-5, 5), st.floats(0.1, 3), st.sampled_from([4.0, 60.0, np.inf])).map(
    lambda t: around(t[0], std_error=t[1], freedom=t[2])
)


@settings(max_examples=40)
@given(found=apart, margin=st.floats(0.1, 4), alpha=st.sampled_from([0.01, 0.025, 0.05]))
def test_no_harm_is_shown_where_the_interval_ends_inside_the_margin(found, margin, alpha):
    lost = no_worse(found, margin=-margin, alpha=alpha)
    assert lost.shown == (lost.difference.low > -margin)
    gained = no_worse(found, margin=margin, alpha=alpha)
    assert gained.shown == (gained.difference.high < margin)


@settings(max_examples=40)
@given(found=apart, margin=st.floats(0.1, 4))
def test_losing_and_having_too_many_are_mirror_images(found, margin):
    turned = around(-found.value, std_error=found.std_error, freedom=found.freedom)
    one, other = no_worse(found, margin=-margin), no_worse(turned, margin=margin)
    assert (one.z, one.p_value) == (other.z, other.p_value)


def test_score_and_plain_test_of_a_share_agree_with_many_customers():
    counts = (30_500, 50_000, 30_600, 50_000)
    by_score = no_worse_share(*counts, margin=-0.01)
    plain = no_worse(difference(share(*counts[:2]), share(*counts[2:])), margin=-0.01)
    assert by_score.z == pytest.approx(plain.z, rel=1e-3)
    assert by_score.shown == plain.shown is True
    tighter = no_worse_share(*counts, margin=-0.005)
    assert not tighter.shown


def test_more_who_unsubscribe_are_borne_up_to_the_margin():
    # 50 against 40 of 10,000: 0.1 points more, 0.28 at worst.
    found = no_worse_share(50, 10_000, 40, 10_000, margin=0.003)
    assert found.shown
    assert found.difference.high == pytest.approx(0.0029, abs=2e-4)
    assert not no_worse_share(50, 10_000, 40, 10_000, margin=0.002).shown


@pytest.mark.parametrize("margin", [0.0, float("nan"), float("inf")])
def test_a_margin_says_how_much_harm_is_borne(margin):
    with pytest.raises(BadParameter, match="how much harm would be borne"):
        no_worse(around(0.0, std_error=1.0), margin=margin)
    with pytest.raises(BadParameter, match="how much harm would be borne"):
        no_worse_share(1, 10, 1, 10, margin=margin)


def test_a_guardrail_that_nobody_touched_is_not_read():
    with pytest.raises(BadData, match="nothing to compare yet"):
        no_worse_share(0, 500, 0, 500, margin=0.01)


@pytest.mark.slow
@pytest.mark.parametrize(("treated", "shown"), [(0.57, 0.025), (0.60, 0.8)])
def test_harm_at_the_margin_passes_as_seldom_and_none_as_often_as_planned(treated, shown):
    # experiments.design.guardrail: 8,368 customers show a margin of 3 points with a power of 0.8.
    rng = np.random.default_rng(20261122)
    n = 4184
    counts = rng.binomial(n, [treated, 0.6], (4000, 2))
    found = np.mean([no_worse_share(int(a), n, int(b), n, margin=-0.03).shown for a, b in counts])
    assert found == pytest.approx(shown, abs=4 * np.sqrt(shown * (1 - shown) / 4000))
