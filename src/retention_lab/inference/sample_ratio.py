"""Whether arms have the sizes that were planned: if not, something is wrong with the test."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import gammaln, xlogy

from retention_lab.checks import BadData, BadParameter
from retention_lab.inference.tails import chi2_sf

Floats = NDArray[np.float64]
Verdict = Literal["pass", "warn", "fail"]

WARN, FAIL = 0.01, 0.001


@dataclass(frozen=True, kw_only=True)
class Mismatch:
    """A test of the sizes of the arms against the plan, at one look."""

    statistic: float
    p_value: float

    @property
    def verdict(self) -> Verdict:
        """How far to trust the experiment."""
        return verdict(self.p_value)


def verdict(p_value: float) -> Verdict:
    """Fail below 0.001, warn below 0.01: so rarely do arms differ as much by luck."""
    if p_value < FAIL:
        return "fail"
    return "warn" if p_value < WARN else "pass"


def once(counts: Sequence[int], *, planned: Sequence[float], correction: float = 0.0) -> Mismatch:
    """Chi-squared test of the customers in each arm, for a test that is looked at only once.

    Parameters
    ----------
    counts
        Customers in each arm.
    planned
        What was planned, in the same order, as shares or as a ratio such as 2 to 1.
    correction
        What to take off each difference in customers: 0.5 for continuity, with two small arms.

    Raises
    ------
    BadParameter
        If there are fewer than two arms, or a planned share is not above 0.
    BadData
        If a count is negative, or no arm has a customer.

    References
    ----------
    Kohavi, Tang & Xu (2020), Trustworthy Online Controlled Experiments, ch. 21.
    """
    sizes, shares = _fitting(np.atleast_2d(counts), planned)
    expected = sizes[0].sum() * shares
    if not expected.any():
        raise BadData("No arm has a customer yet, so their sizes cannot be compared: wait.")
    apart = np.maximum(np.abs(sizes[0] - expected) - correction, 0)
    statistic = float((apart**2 / expected).sum())
    return Mismatch(statistic=statistic, p_value=float(chi2_sf(statistic, len(shares) - 1)))


@dataclass(frozen=True, kw_only=True, eq=False)
class Anytime:
    """The same at every look so far: `log_bayes_factor` for a mismatch, and `p_value` so far.

    The p-value of a look is the least until then: it holds however often one looks.
    """

    log_bayes_factor: Floats
    p_value: Floats

    @property
    def verdict(self) -> Verdict:
        """How far to trust the experiment at the last look."""
        return verdict(float(self.p_value[-1]))


def anytime(
    counts: ArrayLike, *, planned: Sequence[float], concentration: float = 100.0
) -> Anytime:
    """Test of the customers in each arm that may be repeated at every look.

    Parameters
    ----------
    counts
        Customers in each arm so far: one row per look, one column per arm.
    planned
        As of `once`.
    concentration
        Weight of the planned shares in the Dirichlet distribution that stands for a mismatch: the
        higher it is, the smaller the mismatches that are looked for.

    Raises
    ------
    BadParameter
        As `once` does; or if the concentration is not above 0.
    BadData
        If a count is negative, or falls from one look to the next.

    References
    ----------
    Lindon & Malek (2022), Anytime-Valid Inference for Multinomial Count Data, NeurIPS.
    """
    sizes, shares = _fitting(np.atleast_2d(np.asarray(counts)), planned)
    if (np.diff(sizes, axis=0) < 0).any():
        raise BadData("An arm lost customers from one look to the next: count all assigned so far.")
    if not concentration > 0:
        raise BadParameter(f"concentration must be above 0, got {concentration!r}.")
    prior, total = concentration * shares, sizes.sum(axis=1)
    factor = gammaln(concentration) - gammaln(concentration + total)
    factor += (gammaln(prior + sizes) - gammaln(prior) - xlogy(sizes, shares)).sum(axis=1)
    least = np.minimum.accumulate(np.exp(-np.maximum(factor, 0)))
    return Anytime(log_bayes_factor=factor, p_value=least)


def _fitting(
    sizes: NDArray[np.int64], planned: Sequence[float]
) -> tuple[NDArray[np.int64], Floats]:
    """Return counts and planned shares if they go together."""
    shares = np.asarray(planned, dtype="float64")
    if len(shares) < 2 or len(shares) != sizes.shape[1] or not (shares > 0).all():
        raise BadParameter(
            f"The plan needs a share above 0 for each of two arms or more, got {list(planned)} for "
            f"{sizes.shape[1]} counts."
        )
    if (sizes < 0).any():
        raise BadData(f"An arm cannot have fewer than no customers, got {int(sizes.min())}.")
    return sizes, shares / shares.sum()
