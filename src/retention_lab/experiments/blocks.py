"""Who gets what, in permuted blocks: arms stay balanced within each stratum as customers arrive."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from retention_lab import checks
from retention_lab.checks import BadParameter
from retention_lab.experiments.assigning import Texts, as_texts

_MOST = 100  # places in a block: a longer one balances no better than a hash


def blocked(
    strata: Texts, *, salt: str, block: Mapping[str, int], before: Mapping[str, int]
) -> pa.DictionaryArray:
    """Arms of customers in the order of their arrival, permuted anew in each block of a stratum.

    In every stratum, each `block` of customers in a row holds each arm exactly as often as it says.
    The arm follows from the salt, the stratum and the number of the arrival in it alone, so a job
    that assigns day by day gives the same arms as one that does all at once.

    Parameters
    ----------
    strata
        Stratum of each customer, as text, in the order of arrival.
    salt
        A text that no other experiment has.
    block
        How many places each arm has in a block: ``{"check-in": 2, "control": 1}`` for two to one.
    before
        How many were assigned in each stratum before; a stratum that is not there had none.

    Returns
    -------
    DictionaryArray
        Arms, in the order of `strata`; the dictionary has them in the order of `block`.

    Raises
    ------
    BadParameter
        If the salt is empty, a block has fewer than two arms, one without a place, or more than 100
        places, or a number of `before` is negative.
    BadData
        If a stratum is missing or no text.

    References
    ----------
    Zelen (1974), Journal of Chronic Diseases 27, 365-375. Places are ordered by SplitMix64 (Steele,
    Lea & Flood, 2014, OOPSLA), which, unlike numpy's generators, can never change.
    """
    _refuse_unfit(salt, block, before)
    known = as_texts(strata, what="Strata").combine_chunks().dictionary_encode()
    codes = known.indices.to_numpy()
    # Who arrived in which stratum: rows of one after those of another, each in order of arrival.
    rows = np.split(np.argsort(codes, kind="stable"), np.cumsum(np.bincount(codes))[:-1])
    arms = np.empty(len(codes), dtype="int8")
    for stratum, arrived in zip(known.dictionary.to_pylist(), rows, strict=False):
        first = before.get(stratum, 0)
        arms[arrived] = _arms(f"{salt}\0{stratum}", block, first, first + len(arrived))
    return pa.DictionaryArray.from_arrays(pa.array(arms), list(block))


def _refuse_unfit(salt: str, block: Mapping[str, int], before: Mapping[str, int]) -> None:
    if not salt:
        raise BadParameter("The salt of an experiment must not be empty: take its name.")
    size = sum(block.values())
    if len(block) < 2 or min(block.values()) < 1 or size > _MOST:
        raise BadParameter(
            f"A block needs two arms or more, each with a place, and {_MOST} places at most; got "
            f"{dict(block)}."
        )
    for stratum, count in before.items():
        checks.at_least(f"before of the stratum {stratum!r}", count, 0)


def _arms(key: str, block: Mapping[str, int], first: int, end: int) -> NDArray[np.int8]:
    """Arms of the arrivals from `first` up to, but without, `end`, in the stream named by `key`."""
    arms = np.repeat(np.arange(len(block), dtype="int8"), list(block.values()))
    size = len(arms)
    opened = first // size * size
    places = np.arange(opened, -(-end // size) * size, dtype="uint64")
    order = np.argsort(_noise(key, places).reshape(-1, size), axis=1, kind="stable")
    return arms[order].ravel()[first - opened : end - opened]


def _noise(key: str, places: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """A number of 64 bits for each place, as if drawn; products run over, as they should."""
    seed = np.uint64(int.from_bytes(hashlib.sha256(key.encode()).digest()[:8], "little"))
    z = (places + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15) + seed
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))
