"""A change of a ratio, split into mix (who they are) and rate (what the same kind of them did)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from retention_lab import checks
from retention_lab.checks import BadData
from retention_lab.inference.interval import Interval
from retention_lab.inference.tails import student_isf

Floats = NDArray[np.float64]

MOMENTS = ("n", "y", "x", "yy", "xy", "xx")
PAIRS = ("yy", "yx", "xy", "xx")


@dataclass(frozen=True, kw_only=True)
class Decomposition:
    """The change of a ratio and its two parts, all in units of y per unit of x.

    `groups` has one row per group, in the order of their names: `group`, `customers_now`,
    `customers_before`, `share_now` and `share_before` (of all x), `rate_now` and `rate_before`
    (y per x; missing where the group is absent), `mix` and `rate`, which sum to the two parts.
    """

    change: Interval
    mix: Interval
    rate: Interval
    groups: pd.DataFrame


def kitagawa(
    now: pd.DataFrame,
    before: pd.DataFrame,
    *,
    both: pd.DataFrame | None = None,
    alpha: float = 0.05,
) -> Decomposition:
    """Split ``sum(y) / sum(x)`` now minus before into mix and rate, exactly.

    With the share p of each group in x and its rate r = y / x, mix is the sum of ``(p1 - p0)(r1 +
    r0) / 2`` and rate that of ``(p1 + p0) / 2 (r1 - r0)``. A group that is absent on one side takes
    the rate of the other, so that all of it is mix. In `groups`, mix is measured from the average
    of those mean rates: a growing group adds if it lies above the average, and takes off below it.

    The intervals are linear approximations (the delta method): each customer's influence on a part
    is ``a x + b (y - r x)`` with a and b of the group, so its square needs the moments alone.
    Student's t, degrees of freedom by Welch and Satterthwaite. Shares and rates both vary, as the
    customers of each side are taken for a sample of those who might have come.

    Parameters
    ----------
    now, before
        One row per `group` (text, each once): `n` customers and the sums `y`, `x`, `yy`, `xy`, `xx`
        over them, whole numbers of any size.
    both
        Where the same customers may stand on both sides, in the same group: one row per `group`
        that has such customers with the sums of products now x before: `yy`, `yx`, `xy`, `xx`.
        Without it the two sides are taken for independent.
    alpha
        One minus the confidence level.

    Raises
    ------
    BadData
        If a column is missing, a side has fewer than two customers or no x, a group has y but no x,
        or all customers are alike, so that nothing varies.

    References
    ----------
    Kitagawa (1955), Journal of the American Statistical Association 50, 1168-1194; Das Gupta
    (1993), Standardization and Decomposition of Rates, US Bureau of the Census P23-186; Cochran
    (1977), Sampling Techniques, 3rd ed., ch. 6 (linearised ratios).
    """
    checks.share("alpha", alpha)
    names = sorted({*_names("now", now), *_names("before", before)})
    new, old = _side("now", now, names), _side("before", before, names)
    new, old = new.borrowing(old), old.borrowing(new)
    mean_rate, half_gap = (new.rate + old.rate) / 2, (new.rate - old.rate) / 2
    moved, weight = new.share - old.share, (new.share + old.share) / 2
    shared = new.there & old.there
    # What a group's own rate does to mix: half of it, or all where the other side borrowed it.
    by_rate = np.where(shared, moved / 2, moved)
    mix = new.influence(mean_rate, by_rate), old.influence(-mean_rate, by_rate)
    weighed = np.where(shared, weight, 0.0)
    rate = new.influence(half_gap, weighed), old.influence(half_gap, -weighed)
    sample = _Sample(new=new, old=old, pairs=_pairs(both, names), alpha=alpha)
    groups = {
        **_columns(names, new, old),
        "mix": moved * (mean_rate - weight @ mean_rate),
        "rate": weight * 2 * half_gap,
    }
    change = (mix[0] + rate[0], mix[1] + rate[1])
    if sample.variance(*change)[0] == 0:
        raise BadData("All customers are alike on both sides, so there is no change to split.")
    return Decomposition(
        change=sample.interval(new.ratio - old.ratio, *change),
        mix=sample.interval(float(moved @ mean_rate), *mix),
        rate=sample.interval(float(weight @ (2 * half_gap)), *rate),
        groups=pd.DataFrame(groups),
    )


@dataclass(frozen=True, kw_only=True)
class _Influence:
    """Of each customer on a part: ``level * x + own * (y - rate * x)``, one entry a group."""

    level: Floats
    own: Floats

    def __add__(self, other: _Influence) -> _Influence:
        return _Influence(level=self.level + other.level, own=self.own + other.own)


@dataclass(frozen=True, kw_only=True)
class _Side:
    """One side by group; `spread` is sum((y - rate x)^2) and `tilt` sum(x (y - rate x))."""

    n: NDArray[np.int64]
    total: int
    ratio: float
    there: NDArray[np.bool_]
    x: Floats
    rate: Floats
    xx: Floats
    tilt: Floats
    spread: Floats

    @property
    def share(self) -> Floats:
        share: Floats = self.x / self.total
        return share

    def borrowing(self, other: _Side) -> _Side:
        """Take the other side's rate where a group is absent here."""
        rate = np.where(self.there, self.rate, other.rate)
        return _Side(**{**self.__dict__, "rate": rate})

    def influence(self, of_share: Floats, of_rate: Floats) -> _Influence:
        """Turn the derivatives of a part, by shares and by rates, into those by customers."""
        centred = of_share - self.share @ of_share
        own = np.divide(of_rate, self.x, out=np.zeros_like(self.x), where=self.there)
        return _Influence(level=centred / self.total, own=own)

    @property
    def correction(self) -> float:
        """Of a mean square around an estimated centre."""
        n = int(self.n.sum())
        return n / (n - 1)

    def variance(self, part: _Influence) -> float:
        squares = (
            part.level**2 * self.xx
            + 2 * part.level * part.own * self.tilt
            + part.own**2 * self.spread
        )
        return self.correction * float(squares.sum())


@dataclass(frozen=True, kw_only=True)
class _Sample:
    new: _Side
    old: _Side
    pairs: Floats | None
    alpha: float

    def variance(self, new: _Influence, old: _Influence) -> tuple[float, float]:
        """Variance of a part, and its degrees of freedom."""
        parts = self.new.variance(new), self.old.variance(old)
        counts = int(self.new.n.sum()) - 1, int(self.old.n.sum()) - 1
        total = sum(parts)
        if total == 0:
            return 0.0, float(min(counts))
        freedom = total**2 / sum(v**2 / n for v, n in zip(parts, counts, strict=True))
        return max(total + 2 * self._covariance(new, old), 0.0), freedom

    def _covariance(self, new: _Influence, old: _Influence) -> float:
        if self.pairs is None:
            return 0.0
        by_x_new = new.level - new.own * self.new.rate
        by_x_old = old.level - old.own * self.old.rate
        yy, yx, xy, xx = self.pairs
        products = (
            new.own * old.own * yy
            + new.own * by_x_old * yx
            + by_x_new * old.own * xy
            + by_x_new * by_x_old * xx
        )
        return sqrt(self.new.correction * self.old.correction) * float(products.sum())

    def interval(self, value: float, new: _Influence, old: _Influence) -> Interval:
        variance, freedom = self.variance(new, old)
        margin = float(student_isf(self.alpha / 2, freedom)) * sqrt(variance)
        return Interval(value=value, low=value - margin, high=value + margin)


def _names(where: str, frame: pd.DataFrame) -> list[str]:
    checks.columns(where, frame.columns, ["group", *MOMENTS])
    names = [str(name) for name in frame["group"]]
    if len(set(names)) < len(names):
        raise BadData(f"{where} has a group in two rows; add them up first.")
    return names


def _rows(frame: pd.DataFrame, names: Sequence[str], columns: Sequence[str]) -> list[list[int]]:
    """Return whole numbers of any size, one list a column, 0 where a group is absent."""
    every = []
    for column in columns:
        by_name = dict(zip(frame["group"].tolist(), frame[column].tolist(), strict=True))
        every.append([int(by_name.get(name, 0)) for name in names])
    return every


def _side(where: str, frame: pd.DataFrame, names: Sequence[str]) -> _Side:
    n, y, x, yy, xy, xx = _rows(frame, names, MOMENTS)
    if sum(n) < 2:
        raise BadData(f"{where} has {sum(n)} customer(s); a split needs two on each side.")
    for name, its_y, its_x in zip(names, y, x, strict=True):
        if its_x < 0 or (its_x == 0 and its_y != 0):
            raise BadData(f"{where}: the group {name!r} has y {its_y} on x {its_x}: no rate.")
    if sum(x) == 0:
        raise BadData(f"{where} has no x in any group, so there is no rate.")
    every = list(zip(y, x, yy, xy, xx, strict=True))
    # Exact before it is divided: whole numbers neither overflow nor cancel.
    tilt = [(xy * x - y * xx) / x if x else 0.0 for y, x, _yy, xy, xx in every]
    spread = [
        (yy * x**2 - 2 * x * y * xy + y**2 * xx) / x**2 if x else 0.0 for y, x, yy, xy, xx in every
    ]
    return _Side(
        n=np.array(n, dtype="int64"),
        total=sum(x),
        ratio=sum(y) / sum(x),
        there=np.array([its_x > 0 for its_x in x]),
        x=np.array(x, dtype="float64"),
        rate=np.array([its_y / its_x if its_x else 0.0 for its_y, its_x in zip(y, x, strict=True)]),
        xx=np.array(xx, dtype="float64"),
        tilt=np.array(tilt),
        spread=np.array(spread),
    )


def _pairs(both: pd.DataFrame | None, names: Sequence[str]) -> Floats | None:
    if both is None:
        return None
    checks.columns("both", both.columns, ["group", *PAIRS])
    return np.array(_rows(both, names, PAIRS), dtype="float64")


def _columns(names: Sequence[str], new: _Side, old: _Side) -> dict[str, object]:
    sides = {"now": new, "before": old}
    return {
        "group": list(names),
        **{f"customers_{suffix}": side.n for suffix, side in sides.items()},
        **{f"share_{suffix}": side.share for suffix, side in sides.items()},
        **{
            f"rate_{suffix}": pd.Series(side.rate, dtype="Float64").where(pd.Series(side.there))
            for suffix, side in sides.items()
        },
    }
