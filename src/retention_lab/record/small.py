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
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from retention_lab import checks

SMALL = checks.smallest_cell(os.environ)
HIDDEN = "\N{EN DASH}"  # stands for what is not few, but would tell what is

Mask = NDArray[np.bool_]
Counts = NDArray[np.int64]


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
    parts: ArrayLike,
    *,
    wholes: ArrayLike | None = None,
    unknown: ArrayLike | None = None,
    hidden: ArrayLike | None = None,
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
        Parts that are shown nowhere, whatever they are; they could be.
    hidden
        Parts that are hidden for another reason, and must stay so.

    Returns
    -------
    Mask
        True for each part to hide. All are where nothing else helps; `gives_away` says whether
        the total must be hidden then as well.
    """
    values = np.asarray(parts, dtype="int64")
    free, own = (
        np.zeros(len(values), dtype=bool) if mask is None else np.asarray(mask, dtype=bool)
        for mask in (unknown, hidden)
    )
    least, most = _known(values, wholes, free | own)
    small = own | (few(values) if wholes is None else splits(values, wholes))
    hides: Mask = small | free
    while _tells(values, hides, least, most, guarded=small | ~free) and not hides.all():
        others = np.flatnonzero(~hides & (values > 0))
        # A zero covers nothing: where no other part is left, the total must go, and all with it.
        hides[others[values[others].argmin()] if len(others) else slice(None)] = True
    return hides


def gives_away(
    parts: ArrayLike,
    *,
    wholes: ArrayLike | None = None,
    unknown: ArrayLike | None = None,
) -> bool:
    """Say whether a total tells of parts though all of them are hidden; see `covered`."""
    values = np.asarray(parts, dtype="int64")
    least, most = _known(values, wholes, unknown)
    every = np.ones(len(values), dtype=bool)
    return _tells(values, every, least, most, guarded=every)


def apart(*chains: ArrayLike) -> Mask:
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
    return 0 if SMALL == 2 else 1


def _known(
    values: Counts,
    wholes: ArrayLike | None,
    unknown: ArrayLike | None,
) -> tuple[Counts, Counts]:
    """Return from what to what a hidden part may be for somebody who knows why it is hidden."""
    is_few = few(values)
    if wholes is None:
        rest, top = np.zeros(len(values), dtype=bool), np.full(len(values), values.sum())
    else:
        top = np.asarray(wholes, dtype="int64")
        rest = few(top - values) & ~is_few
    least = np.where(is_few, _fewest(), np.where(rest, top - SMALL + 1, SMALL * (values > 0)))
    most = np.where(is_few, SMALL - 1, np.where(rest, top - _fewest(), top))
    if unknown is None:
        return least, np.minimum(most, top)
    free = np.asarray(unknown, dtype=bool)
    return np.where(free, 0, least), np.where(free, values.sum(), np.minimum(most, top))


def _tells(values: Counts, hidden: Mask, least: Counts, most: Counts, *, guarded: Mask) -> bool:
    """Say whether the hidden parts are few together, or a guarded one can only be one number.

    What is unknown without being small may be found out: it could have been shown.
    """
    if not hidden.any():
        return False
    total, low, high = values[hidden].sum(), least[hidden], most[hidden]
    lowest = np.maximum(low, total - (high.sum() - high))
    highest = np.minimum(high, total - (low.sum() - low))
    return bool(few(total)) or bool((lowest >= highest)[guarded[hidden]].any())
