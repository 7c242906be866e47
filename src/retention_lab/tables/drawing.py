"""What all parts of the simulated shop are drawn with, and columns of what was drawn.

A moment is a count of seconds since 1970 and a choice is a place in one of the truth's lists.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

DAY = 86_400
FAR = 100_000.0  # days beyond any horizon, so that sums with "never" stay finite


def choose(rng: np.random.Generator, weights: Sequence[float] | Floats, n: int) -> Ints:
    """Return `n` places drawn with these relative weights."""
    places: Ints = rng.choice(len(weights), size=n, p=np.array(weights) / np.sum(weights))
    return places


def seconds(days: Floats) -> Ints:
    """Return whole seconds."""
    whole: Ints = np.rint(np.minimum(days, FAR) * DAY).astype(np.int64)
    return whole


def later_that_day(rng: np.random.Generator, at: Ints) -> Ints:
    """Return moments within two hours, and before midnight."""
    return at + (rng.random(at.size) * np.minimum(DAY - at % DAY, 7_200)).astype(np.int64)


def times(moments: Ints, *, end: int) -> pa.Array:
    """Return seconds since 1970 as timestamps, null from `end` on."""
    return pa.array(moments * 1_000_000, mask=moments >= end).cast(pa.timestamp("us"))


def named(names: Sequence[str | None], places: Ints) -> pa.Array:
    """Return the name at each of these places."""
    return pa.array(names, pa.string()).take(pa.array(places))


def numbered(letter: str, numbers: Ints) -> pa.Array:
    """Return texts such as C0000000042."""
    digits = pc.utf8_lpad(pa.array(numbers).cast(pa.string()), width=10, padding="0")
    return pc.binary_join_element_wise(letter, digits, "")
