"""Trials that never were, customer by customer, to check what the formulas of a design promise."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import ceil, inf

import numpy as np
from numpy.typing import NDArray

from retention_lab import checks
from retention_lab.checks import BadData, BadParameter
from retention_lab.experiments.design.assumptions import Assumptions
from retention_lab.experiments.design.curve import Curve, Floats
from retention_lab.experiments.design.exposure import refuse_before_entry
from retention_lab.experiments.design.normal import Errors
from retention_lab.inference.interval import Interval
from retention_lab.inference.proportions import proportion

Counts = NDArray[np.int64]
_BLOCK = 500_000  # customers at once: what fits into the cache of a processor
_ERRORS = Errors()


@dataclass(frozen=True, kw_only=True)
class Trials:
    """Events and customers at risk by whole day since entry: trials x arms x days, control first.

    Days are those of `survival.tally`: an event on the day that had begun, the end of follow-up
    after the last whole day.
    """

    events: Counts
    at_risk: Counts


def trials(
    assumptions: Assumptions,
    *,
    hazard_ratios: Sequence[float],
    customers: float,
    day: float,
    times: int,
    rng: np.random.Generator,
) -> Trials:
    """Simulate tests as they are seen on a calendar day.

    Parameters
    ----------
    hazard_ratios
        Of the customers reached, after the onset of the effect: one for each arm but control.
    customers
        Of all arms, entered by `day`; they enter at random moments at the pace of the assumptions.
    times
        Number of trials.

    Raises
    ------
    BadParameter
        If there is no trial, or fewer than two customers an arm, nobody has entered by `day`, or
        the hazard ratios are not as many as the arms that have one, or not above 0.
    """
    checks.at_least("times", times, 1)
    ratios = [1.0, *hazard_ratios]
    if len(ratios) != len(assumptions.allocation):
        raise BadParameter(
            f"hazard_ratios must be one for each arm but control, got {len(hazard_ratios)} for "
            f"{len(assumptions.allocation)} arms with control."
        )
    if not all(0 < ratio < inf for ratio in ratios):
        raise BadParameter(f"hazard_ratios must be numbers above 0, got {[*hazard_ratios]}.")
    checks.at_least("customers", customers, 2 / min(assumptions.allocation))
    refuse_before_entry(assumptions, day)
    counted = [
        _arm(assumptions, ratio, n=round(customers * share), day=day, times=times, rng=rng)
        for share, ratio in zip(assumptions.allocation, ratios, strict=True)
    ]
    events, left = (np.stack(each, axis=1) for each in zip(*counted, strict=True))
    return Trials(events=events, at_risk=left[..., ::-1].cumsum(axis=-1)[..., ::-1])


def logrank(simulated: Trials, *, arm: int = 1) -> Floats:
    """Log-rank statistic of an arm against control for each trial; above 0 with fewer events.

    Standard normal without an effect; the variance is hypergeometric.
    """
    events, at_risk = simulated.events, simulated.at_risk
    d, n = (each[:, 0] + each[:, arm] for each in (events, at_risk))
    share = at_risk[:, arm] / np.maximum(n, 1)
    variance = d * share * (1 - share) * (n - d) / np.maximum(n - 1, 1)
    return _standard((d * share - events[:, arm]).sum(axis=1), variance.sum(axis=1))


def retention(simulated: Trials, *, at: int, arm: int = 1) -> Floats:
    """Difference of Kaplan-Meier curves at a day over its Greenwood error, for each trial."""
    staying, terms = _curves(simulated, at)
    value = staying[..., -1]
    return _against_control(value, value**2 * terms.sum(axis=-1), arm)


def mean_days(simulated: Trials, *, at: int, arm: int = 1) -> Floats:
    """Difference of the mean days without the event until a day over its error, for each trial."""
    staying, terms = _curves(simulated, at)
    before = np.concatenate([np.ones_like(staying[..., :1]), staying[..., :-1]], axis=-1)
    # An event of a day is seen at its end, so the curve of the day before holds until then.
    remaining = before[..., ::-1].cumsum(axis=-1)[..., ::-1] - before
    return _against_control(before.sum(axis=-1), (remaining**2 * terms).sum(axis=-1), arm)


def found(statistics: Floats, *, errors: Errors = _ERRORS) -> Interval:
    """Share of trials whose statistic passes the critical value, with Wilson's interval.

    On one side, above 0 counts: change the sign to look at the other.
    """
    distance = np.abs(statistics) if errors.sided == 2 else statistics
    return proportion(int((distance > errors.critical()).sum()), len(statistics))


def _arm(
    assumptions: Assumptions,
    ratio: float,
    *,
    n: int,
    day: float,
    times: int,
    rng: np.random.Generator,
) -> tuple[Counts, Counts]:
    """Events and customers who left, trials x days, of one arm."""
    days = ceil(min(day, assumptions.follow_up_days)) + 1
    reached = assumptions.contact_rate if ratio != 1 else 1.0
    curves = assumptions.treated(ratio), assumptions.baseline
    counted = []
    for block in _blocks(times, n):
        followed = _followed(assumptions, day, rng, block * n)
        time = _times(curves, reached, rng, block * n)
        happened = time < followed  # never on the last moment, which begins a day of its own
        left = np.where(happened, time + 1, followed).astype("int64")  # cut to whole days
        left += np.repeat(np.arange(block) * days, n)
        both = [np.bincount(who, minlength=block * days) for who in (left[happened], left)]
        counted.append([each.reshape(block, days) for each in both])
    events, all_left = (np.concatenate(each) for each in zip(*counted, strict=True))
    return events, all_left


def _blocks(times: int, n: int) -> Iterator[int]:
    """Numbers of trials to simulate at once."""
    most = max(1, _BLOCK // n)
    yield from [most] * (times // most)
    if times % most:
        yield times % most


def _followed(assumptions: Assumptions, day: float, rng: np.random.Generator, n: int) -> Floats:
    """Days for which each customer is seen unless the event comes first."""
    place = rng.random(n) * assumptions.entered(day)
    ends, totals = assumptions.totals
    followed = np.minimum(day - np.interp(place, totals, ends), assumptions.follow_up_days)
    if rate := assumptions.dropout_per_day:
        followed = np.minimum(followed, rng.standard_exponential(n) / rate)
    return followed


def _times(curves: tuple[Curve, Curve], reached: float, rng: np.random.Generator, n: int) -> Floats:
    """Days until the event of each customer, of whom a share is reached."""
    pace = rng.standard_exponential(n)
    treated, baseline = curves
    if reached == 1:
        return treated.moment(pace)
    return np.where(rng.random(n) < reached, treated.moment(pace), baseline.moment(pace))


def _curves(simulated: Trials, at: int) -> tuple[Floats, Floats]:
    """Kaplan-Meier curve after each of the days 1 to `at`, and Greenwood's terms."""
    events, at_risk = (each[..., 1 : at + 1] for each in (simulated.events, simulated.at_risk))
    staying = np.cumprod(1 - events / np.maximum(at_risk, 1), axis=-1, dtype="float64")
    return staying, events / np.maximum(at_risk * (at_risk - events), 1)


def _against_control(value: Floats, variance: Floats, arm: int) -> Floats:
    return _standard(value[:, arm] - value[:, 0], variance[:, arm] + variance[:, 0])


def _standard(value: Floats, variance: Floats) -> Floats:
    if not (variance > 0).all():
        raise BadData(
            f"{(variance <= 0).sum():,} of the trials saw no event, so their test says nothing: "
            "simulate more customers, or read later."
        )
    return np.asarray(value / np.sqrt(variance))
