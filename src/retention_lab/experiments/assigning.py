"""Who gets what, by a salted hash of the customer: no list to keep, and no two answers.

The arm of a customer follows from the salt, the id and the weights alone, so anybody can work it
out again, on any machine and with any version of any library.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TypeAlias

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from retention_lab.checks import BadData, BadParameter

Texts: TypeAlias = pa.Array | pa.ChunkedArray
Hashes = NDArray[np.uint32]

_BASIS, _PRIME = 2166136261, 16777619  # of FNV-1a with 32 bits
_PLACES = {1: 1_000, 2: 10_000}  # of each version of the rule
_ROWS = 1 << 15  # of texts at a time, so that their hashes stay in the cache of a processor


def assigned(
    ids: Texts, *, salt: str, weights: Mapping[str, float], coverage: float = 1.0
) -> pa.DictionaryArray:
    """Arm of each customer; none for those who are not covered.

    Parameters
    ----------
    ids
        Customers, as text.
    salt
        A text that no other experiment has: with the same one, the same customers get the same
        place, and what one experiment did shows in the other.
    weights
        Share of each arm; together 1.
    coverage
        Share of customers in the experiment. With a larger one, later, nobody changes the arm.

    Returns
    -------
    DictionaryArray
        Arms, in the order of `ids`; the dictionary has them in the order of `weights`.

    Raises
    ------
    BadParameter
        If the salt is empty, there are fewer than two arms, a share is none, they do not add up to
        1, or an arm is smaller than a ten thousandth of the customers.
    BadData
        If an id is missing or no text.
    """
    if not salt:
        raise BadParameter("The salt of an experiment must not be empty: take its name.")
    if len(weights) < 2:
        raise BadParameter(f"An experiment needs two arms or more, got {list(weights) or 'none'}.")
    begins, ends = np.array(ranges(list(weights.values()), coverage=coverage)).T
    owned = np.ceil(np.round(ends * 10_000, 5)) - np.ceil(np.round(begins * 10_000, 5))
    if not owned.all():
        arm = list(weights)[int(np.argmin(owned))]
        raise BadParameter(
            f"The arm {arm!r} is too small to be drawn by ten thousandths: give it a larger share."
        )
    at = places(ids, salt=salt)
    chosen = (np.searchsorted(begins, at, side="right") - 1).astype("int8")
    arms = pa.array(chosen, mask=at >= ends[chosen])
    return pa.DictionaryArray.from_arrays(arms, list(weights))


def ranges(weights: Sequence[float], *, coverage: float = 1.0) -> list[tuple[float, float]]:
    """Places that each arm owns: from its beginning up to, but without, its end.

    Arm i begins where the weights before it end, and owns `coverage` of its weight: so a wider
    coverage adds customers to each arm, and moves none.

    Raises
    ------
    BadParameter
        If a weight or the coverage is no share above 0, or the weights do not add up to 1.
    """
    if any(not 0 < weight <= 1 for weight in weights) or abs(sum(weights) - 1) > 1e-6:
        raise BadParameter(
            f"The shares of the arms must be above 0 and add up to 1, got {list(weights)}. For two "
            "to one, say 0.6667 and 0.3333."
        )
    if not 0 < coverage <= 1:
        raise BadParameter(f"coverage must be a share above 0, at most 1, got {coverage!r}.")
    begins = np.cumsum([0.0, *weights[:-1]])
    # A sum such as 0.1 + 0.2 is off by a hair, which would move a whole place.
    return [
        (round(float(begin), 9), round(float(begin + coverage * weight), 9))
        for begin, weight in zip(begins, weights, strict=True)
    ]


def places(ids: Texts, *, salt: str, version: int = 2) -> NDArray[np.float64]:
    """Place of each customer, from 0 up to, but without, 1; evenly spread, and anew for each salt.

    Version 2, the one in use, hashes the salt followed by the id, then the decimal digits of that
    hash, and takes ten thousandths. Version 1 hashes the id followed by the salt, once, and takes
    thousandths; it is known to let experiments depend on each other. The hash is FNV-1a with 32
    bits, of UTF-8.

    Raises
    ------
    BadParameter
        If there is no such version.
    BadData
        If an id is missing or no text.

    References
    ----------
    The hash of GrowthBook's SDKs, by their conformance vectors; Fowler, Noll & Vo for FNV-1a.
    """
    if version not in _PLACES:
        raise BadParameter(f"The version of the hash must be 1 or 2, got {version!r}.")
    key, parts = np.frombuffer(salt.encode(), dtype="uint8"), [np.zeros(0)]
    start = _more(np.full(1, _BASIS, dtype="uint32"), key)
    for texts in _pieces(as_texts(ids, what="Customers to assign")):
        hashes = _digits(_texts(texts, start)) if version == 2 else _more(_texts(texts), key)
        parts.append(hashes % _PLACES[version] / _PLACES[version])
    return np.concatenate(parts)


def as_texts(values: Texts, *, what: str) -> pa.ChunkedArray:
    """Return `values` as large strings, if they are texts and none is missing.

    Raises
    ------
    BadData
        Naming `what` they are.
    """
    kind = values.type.value_type if pa.types.is_dictionary(values.type) else values.type
    if values.null_count or not (pa.types.is_string(kind) or pa.types.is_large_string(kind)):
        raise BadData(
            f"{what} must be texts and none missing, got {values.type} with {values.null_count:,} "
            "missing. Map them as text, and name or leave out those without."
        )
    chunks = values.chunks if isinstance(values, pa.ChunkedArray) else [values]
    return pa.chunked_array(chunks, type=values.type).cast(pa.large_string())


def _pieces(texts: pa.ChunkedArray) -> Iterator[pa.Array]:
    """Texts in arrays of a size that a processor likes."""
    for chunk in texts.chunks:
        for first in range(0, len(chunk), _ROWS):
            yield chunk.slice(first, _ROWS)


def _texts(texts: pa.Array, start: Hashes | None = None) -> Hashes:
    """Hash of each text, going on from `start`: one byte of all of them at a time."""
    _, ends, letters = texts.buffers()
    edges = np.frombuffer(ends, dtype="int64")[texts.offset : texts.offset + len(texts) + 1]
    data = np.frombuffer(letters or b"", dtype="uint8")
    begin, length = edges[:-1], np.diff(edges)
    hashes = np.full(len(texts), _BASIS if start is None else start[0], dtype="uint32")
    for byte in range(length.min()):
        _mix(hashes, data[begin + byte])
    rows = np.arange(len(texts))
    for byte in range(length.min(), length.max()):
        rows = rows[length[rows] > byte]
        hashes[rows] = _mix(hashes[rows], data[begin[rows] + byte])
    return hashes


def _digits(numbers: Hashes) -> Hashes:
    """Hash of the decimal digits of each number."""
    hashes = np.full(len(numbers), _BASIS, dtype="uint32")
    for ten in (np.uint32(10**power) for power in range(9, -1, -1)):
        ahead = numbers // ten
        longer = _mix(hashes.copy(), ahead % np.uint32(10) + np.uint32(ord("0")))
        # No number is written with noughts ahead, but 0 itself is written.
        hashes = np.where((ahead > 0) | (ten == 1), longer, hashes)
    return hashes


def _more(hashes: Hashes, letters: NDArray[np.uint8]) -> Hashes:
    for letter in letters:
        _mix(hashes, letter)
    return hashes


def _mix(hashes: Hashes, letter: NDArray[np.uint8] | NDArray[np.uint32] | np.uint8) -> Hashes:
    """Take one byte into each hash, in place; products run over at 32 bits, as they should."""
    hashes ^= letter
    hashes *= np.uint32(_PRIME)
    return hashes
