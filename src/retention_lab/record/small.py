"""Small groups: which counts may be shown, so that no group of a few customers can be read off.

A count of 1 to `SMALL` - 1 customers is *few*: it is written "<10", and neither its share nor its
amount is shown. None is no group, so it is shown; but with a smallest cell of 2, "<2" beside a
shown zero would say one, and then zero is hidden with it. Beside a total a few can also be worked
out: as what is left of it, or as the only part that is missing. So the next smallest parts are
hidden with them until neither is possible. Whoever knows the total, each part that is shown, and
which parts are few, is left with two numbers or more for each hidden part, and what all hidden
parts hold together is no few either.

References
----------
Hundepool et al. (2012), Statistical Disclosure Control, s. 4.2-4.4: primary and secondary cell
suppression; here along one axis, where the possible range of a cell is known exactly.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from retention_lab import checks

VARIABLE = "RETENTION_LAB_SMALLEST_CELL"
USUAL, LEAST, MOST = 10, 2, 100
HIDDEN = "\N{EN DASH}"  # stands for what is not few, but would tell what is

Mask = NDArray[np.bool_]
Counts = NDArray[np.int64]


def smallest_cell(environment: Mapping[str, str]) -> int:
    """Read how many customers a group must have to be shown.

    Raises
    ------
    BadParameter
        When the variable holds anything but a whole number from 2 to 100.
    """
    text = environment.get(VARIABLE, "").strip() or str(USUAL)
    if not (text.isascii() and text.isdigit() and LEAST <= int(text) <= MOST):
        raise checks.BadParameter(
            f"{VARIABLE} must be a whole number from {LEAST} to {MOST}, got {text!r}."
        )
    return int(text)


SMALL = smallest_cell(os.environ)


def few(counts: ArrayLike) -> Mask:
    """Say of each count whether it is few: too small to be shown, and somebody."""
    array = np.asarray(counts)
    few: Mask = (array >= _fewest()) & (array < SMALL)
    return few


def splits(part: ArrayLike, whole: ArrayLike) -> Mask:
    """Say of each part whether it, or what it leaves of a shown whole, is few."""
    whole, part = np.asarray(whole), np.asarray(part)
    return few(part) | few(whole - part)


def of_share(share: float, whole: int) -> bool:
    """Say whether a share and what it is of give away a few."""
    return bool(splits(round(share * whole), whole))


def covered(
    parts: Sequence[int] | Counts,
    *,
    wholes: Sequence[int] | Counts | None = None,
    unknown: Sequence[bool] | Mask | None = None,
) -> Mask:
    """Say which parts of a shown total to hide.

    Parameters
    ----------
    parts
        Counts that add up to a total that is shown, or can be known.
    wholes
        What is shown of each part besides: the customers of whom it counts some. Then a part is
        hidden as well where it leaves a few of these.
    unknown
        Parts that are shown nowhere, whatever they are.

    Returns
    -------
    Mask
        True for each part to hide. All are where nothing else helps; `gives_away` says whether
        the total must be hidden then as well.
    """
    values = np.asarray(parts, dtype="int64")
    least, most = _known(values, None if wholes is None else np.asarray(wholes, dtype="int64"))
    hidden = few(values) if wholes is None else splits(values, np.asarray(wholes))
    if unknown is not None:
        hidden = hidden | np.asarray(unknown, dtype=bool)
        most = np.where(unknown, values.sum(), most)
        least = np.where(unknown, 0, least)
    while _tells(values, hidden, least, most) and not hidden.all():
        others = np.flatnonzero(~hidden & (values > 0))
        # A zero covers nothing: where no other part is left, the total must go, and all with it.
        hidden[others[values[others].argmin()] if len(others) else slice(None)] = True
    return hidden


def gives_away(parts: Sequence[int] | Counts) -> bool:
    """Say whether a total tells of parts though all of them are hidden."""
    values = np.asarray(parts, dtype="int64")
    least, most = _known(values, None)
    return bool(_tells(values, np.ones(len(values), dtype=bool), least, most))


def apart(*chains: Sequence[int] | Counts) -> Mask:
    """Say which places of falling or rising counts to keep, so that no step between two is few.

    Each chain is a count of the same places; a place is kept where every chain has moved from the
    last kept one by nobody or by more than a few. The first place is always kept.
    """
    counts = np.abs(np.stack([np.asarray(chain, dtype="int64") for chain in chains]))
    kept = np.zeros(counts.shape[1], dtype=bool)
    last = 0
    for place in range(counts.shape[1]):
        if not few(np.abs(counts[:, place] - counts[:, last])).any() or place == 0:
            kept[place], last = True, place
    return kept


def cells(counts: ArrayLike, hidden: ArrayLike) -> list[Any]:
    """Write counts for a table: the number, "<10" for a few, a dash for what would tell of them."""
    pairs = zip(np.asarray(counts).tolist(), np.asarray(hidden).tolist(), strict=True)
    return [
        count if not hide else f"<{SMALL}" if bool(few(count)) else HIDDEN for count, hide in pairs
    ]


def _fewest() -> int:
    return 0 if SMALL == LEAST else 1


def _known(values: Counts, wholes: Counts | None) -> tuple[Counts, Counts]:
    """Return from what to what a hidden part may be for somebody who knows why it is hidden."""
    is_few = few(values)
    if wholes is None:
        rest, top = np.zeros(len(values), dtype=bool), np.full(len(values), values.sum())
    else:
        rest, top = few(wholes - values) & ~is_few, wholes
    least = np.where(is_few, _fewest(), np.where(rest, top - SMALL + 1, SMALL * (values > 0)))
    most = np.where(is_few, SMALL - 1, np.where(rest, top - _fewest(), top))
    return least, np.minimum(most, top)


def _tells(values: Counts, hidden: Mask, least: Counts, most: Counts) -> bool:
    """Say whether the hidden parts are few together, or one of them can only be one number."""
    if not hidden.any():
        return False
    total, low, high = values[hidden].sum(), least[hidden], most[hidden]
    lowest = np.maximum(low, total - (high.sum() - high))
    highest = np.minimum(high, total - (low.sum() - low))
    return bool(few(total)) or bool((lowest >= highest).any())
