"""Thousands of small tests at once: the estimates of `effects`, in arrays of trials.

Customers are counted by trial, arm, tier, whether the message reached them, day and whether the
event happened. A trial by itself stands for `validity_tables.Marked`, so both can be compared.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np
import pandas as pd
from scipy.stats import t as student

DAY, DAYS = 13, 15  # of the endpoint; of follow-up, 0 and the day after the endpoint included
ARMS, TIERS = ("control", "check-in"), ("calm", "risky")
PACE, RISKY = np.array([0.015, 0.06]), 0.4  # by tier, a day; share of the second
BLOCK = 1_000_000  # customers at once


def staying(ratio=1.0, *, tier=None):
    """Share without the event after days 0 to 13, of those whose pace is `ratio` times as fast."""
    shares = np.exp(-np.outer(np.arange(DAY + 1), PACE * ratio))
    return shares @ [1 - RISKY, RISKY] if tier is None else shares[:, tier]


def drawn(rng, *, times, n, share, ratio=1.0, reach=0.7):
    """Count customers who enter over time: trials, arms, tiers, reached, days, event or not."""
    shape = (2, 2, 2, DAYS, 2)
    blocks = []
    for begin in range(0, times, max(1, BLOCK // n)):
        block = min(max(1, BLOCK // n), times - begin)
        size = (block, n)
        treated, tier = rng.random(size) < share, (rng.random(size) < RISKY).astype(int)
        reached = treated & (rng.random(size) < reach)
        lasts = rng.standard_exponential(size) / (PACE[tier] * np.where(reached, ratio, 1.0))
        followed = np.minimum(rng.integers(8, 20, size), DAYS - 1)
        missed = lasts >= followed
        day = np.where(missed, followed, np.floor(lasts) + 1).astype(int)
        parts = (treated.astype(int), tier, reached.astype(int), day, missed.astype(int))
        cell = np.ravel_multi_index(parts, shape)
        cells = int(np.prod(shape))
        cell += np.arange(block)[:, None] * cells
        blocks.append(np.bincount(cell.ravel(), minlength=block * cells).reshape(block, *shape))
    return np.concatenate(blocks)


def trial(counts):
    """One trial, as `effects` takes it."""

    def grid(*by):
        named = {"stratum": (1, TIERS), "tier": (1, TIERS), "delivered": (2, (False, True))}
        rows = pd.MultiIndex.from_product(
            [ARMS, TIERS, (False, True), range(DAYS)], names=["arm", "tier", "delivered", "day"]
        ).to_frame(index=False)
        rows = rows.assign(stratum=rows["tier"], due=True)
        flat = counts.reshape(-1, 2)
        rows = rows.assign(events=flat[:, 0], censored=flat[:, 1])
        assert set(by) <= {*named, "due"}
        found = rows.groupby(["arm", *by, "day"], as_index=False)[["events", "censored"]].sum()
        return found[found["events"] + found["censored"] > 0]

    people = SimpleNamespace(columns=["delivered"])
    return SimpleNamespace(grid=grid, missing={}, people=people)


@dataclass(frozen=True)
class Estimates:
    """Of each trial, with standard errors and degrees of freedom."""

    value: np.ndarray
    std_error: np.ndarray
    freedom: np.ndarray | float = np.inf

    def miss(self, truth=0.0):
        """Share of trials whose 95 % interval leaves the truth out."""
        told = self.std_error > 0
        far = np.abs(self.value - truth) > student.isf(0.025, self.freedom) * self.std_error
        return far[told].mean()


def at_risk(counts):
    """Events until day 13 and customers at risk by day, the last axis, as those of `counts`."""
    left = counts.sum(axis=-1)
    return np.where(np.arange(DAYS) <= DAY, counts[..., 0], 0), left[..., ::-1].cumsum(axis=-1)[
        ..., ::-1
    ]


def _curve(counts):
    events, risk = at_risk(counts)
    curve = np.cumprod(1 - events / np.maximum(risk, 1), axis=-1)
    terms = events / np.maximum(risk * (risk - events), 1)
    return curve[..., : DAY + 1], terms[..., : DAY + 1]


def difference(counts):
    curve, terms = _curve(counts.sum(axis=(2, 3)))
    value, variance = curve[..., -1], curve[..., -1] ** 2 * terms.sum(axis=-1)
    return _apart(value, variance)


def lift(counts, truth=0.0):
    """Whether the data refute a relative change: Fieller's test, as estimates."""
    curve, terms = _curve(counts.sum(axis=(2, 3)))
    value, variance = curve[..., -1], curve[..., -1] ** 2 * terms.sum(axis=-1)
    times = np.array([1 + truth, 1])
    return _apart(times * value, times**2 * variance)


def days(counts):
    curve, terms = _curve(counts.sum(axis=(2, 3)))
    remaining = curve[..., :-1][..., ::-1].cumsum(axis=-1)[..., ::-1]
    return _apart(curve[..., :-1].sum(axis=-1), (remaining**2 * terms[..., :-1]).sum(axis=-1))


def _apart(value, variance):
    return Estimates(value[:, 1] - value[:, 0], np.sqrt(variance.sum(axis=1)))


def pseudo(counts):
    """Pseudo-values of the share at day 13: trials x arms x days x event or not."""
    events, risk = at_risk(counts.sum(axis=(2, 3)))
    n = risk[..., 0]
    upto = np.arange(1, DAY + 1)
    left = np.arange(DAYS)[:, None]
    found = []
    for kind in (0, 1):
        r = risk[..., None, 1 : DAY + 1] - (upto <= left)
        e = events[..., None, 1 : DAY + 1] - ((upto == left) & (kind == 0))
        # Where nobody leaves so, what would be without that customer means nothing.
        found.append(np.prod(1 - e / np.maximum(r, 1), axis=-1))
    without = np.stack(found, axis=-1)
    whole = np.prod(1 - events[..., 1 : DAY + 1] / np.maximum(risk[..., 1 : DAY + 1], 1), axis=-1)
    return n[..., None, None] * whole[..., None, None] - (n - 1)[..., None, None] * without


def adjusted(counts):
    """Within tiers, unless fewer than ten of an arm are in one of them."""
    by_tier = counts.sum(axis=3)
    rare = (by_tier.sum(axis=(3, 4)) < 10).any(axis=(1, 2))
    one, other = by_tier[:, :, :1], by_tier[:, :, 1:]
    together = np.concatenate([one + other, np.zeros_like(one)], axis=2)
    cells = np.where(rare[:, None, None, None, None], together, by_tier)
    values, n = pseudo(counts)[:, :, None], cells.sum(axis=(3, 4))
    mean = (cells * values).sum(axis=(3, 4)) / np.maximum(n, 1)
    squares = (cells * (values - mean[..., None, None]) ** 2).sum(axis=(3, 4))
    part = n.sum(axis=1, keepdims=True) / n.sum(axis=(1, 2), keepdims=True)
    variance = (part**2 * squares / np.maximum(n - 1, 1) / np.maximum(n, 1)).sum(axis=2)
    found = _apart((part * mean).sum(axis=2), variance)
    return Estimates(found.value, found.std_error, n.sum(axis=(1, 2)) - np.where(rare, 2, 4))


def reached(counts, *, effect):
    """Whether the data refute an effect on the reached: Anderson and Rubin's test, as estimates."""
    by, values = counts.sum(axis=2), pseudo(counts)[:, :, None]
    n = by.sum(axis=(2, 3, 4))
    residual = values - effect * np.arange(2)[:, None, None]
    mean = (by * residual).sum(axis=(2, 3, 4)) / n
    squares = (by * (residual - mean[:, :, None, None, None]) ** 2).sum(axis=(2, 3, 4))
    return _apart(mean, squares / n**2)


def households(rng, *, n, share, ratio=1.0):
    """One test whose customers go by household, assigned together and alike; a row each."""
    home = np.sort(rng.integers(0, n // 3, n))
    treated, risky = rng.random(n // 3) < share, (rng.random(n // 3) < RISKY).astype(int)
    rate = PACE[risky] * np.where(treated, ratio, 1.0)
    lasts, followed = rng.standard_exponential(n) / rate[home], rng.integers(8, 20, n)
    followed = np.minimum(followed, DAYS - 1)
    missed = lasts >= followed
    day = np.where(missed, followed, np.floor(lasts) + 1).astype(int)
    return pd.DataFrame(
        {"home": home, "arm": treated[home].astype(int), "day": day, "missed": missed.astype(int)}
    )


def by_household(rows):
    """Difference of the shares, with errors by household and as if customers were independent."""
    cell = np.ravel_multi_index((rows["arm"], rows["day"], rows["missed"]), (2, DAYS, 2))
    counts = np.bincount(cell, minlength=4 * DAYS).reshape(1, 2, 1, 1, DAYS, 2)
    values = pseudo(counts)[0][rows["arm"], rows["day"], rows["missed"]]
    homes = int(rows["home"].max()) + 1
    y, x = np.bincount(rows["home"], values, homes), np.bincount(rows["home"], minlength=homes)
    arm = np.bincount(rows["home"], rows["arm"], homes) / np.maximum(x, 1)
    mean, variance, n = np.zeros((3, 2))
    for each in (0, 1):
        own = (arm == each) & (x > 0)
        mean[each], n[each] = y[own].sum() / x[own].sum(), own.sum()
        squares = ((y[own] - mean[each] * x[own]) ** 2).sum()
        variance[each] = n[each] / (n[each] - 1) * squares / x[own].sum() ** 2
    freedom = variance.sum() ** 2 / (variance**2 / (n - 1)).sum()
    found = _apart(mean[None], variance[None])
    plain = difference(counts)
    return found.value[0], found.std_error[0], freedom, plain.std_error[0]


def logrank(counts):
    """Expected less observed in the treated, within tiers, over its variance."""
    events, risk = at_risk(counts.sum(axis=3))
    d, n = events.sum(axis=1), risk.sum(axis=1)
    part = risk[:, 1] / np.maximum(n, 1)
    variance = (d * part * (1 - part) * (n - d) / np.maximum(n - 1, 1)).sum(axis=(1, 2))
    return Estimates((d * part - events[:, 1]).sum(axis=(1, 2)) / variance, 1 / np.sqrt(variance))


def hazard_ratio(counts):
    """Logarithm of the ratio within tiers, by Newton's method and Efron's way with ties."""
    events, risk = at_risk(counts.sum(axis=3))
    (d0, d1), (n0, n1) = (np.moveaxis(each, 1, 0) for each in (events, risk))
    d, beta = d0 + d1, np.zeros(len(counts))
    for _ in range(8):
        ratio = np.exp(beta)[:, None, None]
        score, information = d1.sum(axis=(1, 2)).astype(float), np.zeros(len(counts))
        for place in range(int(d.max())):
            part = np.divide(place, d, where=d > 0, out=np.zeros(d.shape))
            treated = ratio * (n1 - part * d1)
            share = treated / np.maximum(treated + n0 - part * d0, 1e-9) * (place < d)
            score -= share.sum(axis=(1, 2))
            information += (share * (1 - share)).sum(axis=(1, 2))
        beta = beta + np.clip(score / information, -1, 1)
    return Estimates(beta, 1 / np.sqrt(information))
