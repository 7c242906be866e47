"""Whole trials of a plan, customer by customer, each read at all of its looks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from retention_lab.experiments import simulate, testing
from retention_lab.experiments.design.allocation import pair
from retention_lab.experiments.sizing import sized

BLOCK = 400_000  # customers at once


@dataclass(frozen=True)
class Looked:
    """Shares of trials that stop for the effect, with futility heeded and without."""

    heeded: float
    unheeded: float


def looked(plan, assumed, *, times, rng, effect=True):
    """Simulate a plan of the size that it needs; of several arms the smallest against control."""
    size, arms = sized(plan, assumed), pair(assumed.allocation)
    ratio = size.hazard_ratio if effect else 1.0
    each = [round(size.needed.customers * share) for share in (arms.control, arms.treated)]
    whole = testing.kernel(plan, assumed, day=testing.last_look(plan, assumed))
    parts = testing.fractions(plan, assumed, size.hazard_ratio)
    days = (plan.looks and plan.looks.days) or [
        testing.day_known(whole, size.hazard_ratio, fraction=part) for part in parts
    ]
    bounds = testing.designed(parts, testing.rule(plan)).looks
    trials = max(1, BLOCK // sum(each))
    blocks = [trials] * (times // trials) + [times % trials] * bool(times % trials)
    z = np.concatenate(
        [_read(plan, assumed, ratio, each, days, times=block, rng=rng) for block in blocks]
    )
    above = z > bounds["upper"].to_numpy()
    below = z < bounds["lower"].to_numpy()
    if plan.primary.sides == 2:
        return Looked(above.any(axis=1).mean(), above.any(axis=1).mean())
    first = [
        np.where(crossed.any(axis=1), crossed.argmax(axis=1), 99) for crossed in (above, below)
    ]
    return Looked(((first[0] <= first[1]) & (first[0] < 99)).mean(), above.any(axis=1).mean())


def _read(plan, assumed, ratio, each, days, *, times, rng):  # noqa: PLR0913  a trial is all of it
    """Statistics, trials x looks, above 0 with a gain."""
    people = [_people(assumed, ratio if arm else 1.0, n, times, rng) for arm, n in enumerate(each)]
    scores = []
    for day in days:
        counted = [_counted(assumed, *one, day, times) for one in people]
        events, left = (np.stack(both, axis=1) for both in zip(*counted, strict=True))
        trials = simulate.Trials(events=events, at_risk=left[..., ::-1].cumsum(axis=-1)[..., ::-1])
        if plan.primary.test == "log-rank":
            scores.append(simulate.logrank(trials))
        else:
            scores.append(simulate.retention(trials, at=plan.endpoint.day))
    return np.stack(scores, axis=1) * (1 if plan.endpoint.kind == "retained" else -1)


def _people(assumed, ratio, n, times, rng):
    """Days of entry, of the event and of the loss from view, trials x customers."""
    shape = (times, n)
    entry = rng.uniform(0, assumed.entry_days, shape)
    reached = rng.random(shape) < assumed.contact_rate
    pace = rng.standard_exponential(shape)
    event = np.where(reached, assumed.treated(ratio).moment(pace), assumed.baseline.moment(pace))
    lost = rng.standard_exponential(shape) / max(assumed.dropout_per_day, 1e-300)
    return entry, event, np.minimum(lost, assumed.follow_up_days)


def _counted(assumed, entry, event, lost, day, times):
    """Events, and all who left, by whole day since entry, of those entered by a calendar day."""
    followed = np.minimum(day - entry, lost)
    here = followed > 0
    happened = here & (event < followed)
    cells = int(assumed.follow_up_days) + 1
    when = (
        np.where(happened, event + 1, followed).astype("int64") + cells * np.arange(times)[:, None]
    )
    return [
        np.bincount(when[who], minlength=times * cells).reshape(times, cells)
        for who in (happened, here)
    ]
