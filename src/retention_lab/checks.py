"""The one place that words argument errors: what was wrong, where, the value, and the next step.

Three families, so that the command line can give each its documented exit code. All are
`ValueError`, so that a person in a notebook needs no import to catch them.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterable, Mapping

SMALLEST_CELL = "RETENTION_LAB_SMALLEST_CELL"  # by which a suite says what is too few to show


class Refusal(ValueError):
    """A sentence for a person; the run stops and nothing is half-written."""

    exit_code = 2

    def _render_traceback_(self) -> list[str]:
        """What JupyterLab shows: the sentence, without the lines of ours that said it."""
        return [str(self)]


class BadParameter(Refusal):
    """A setting, name or file of the user's does not fit (exit code 2)."""

    exit_code = 2


class BadData(Refusal):
    """The data break a contract, or cannot answer the question asked (exit code 3)."""

    exit_code = 3


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return `` Did you mean 'x'?`` for the nearest of `known`, or an empty text."""
    near = difflib.get_close_matches(name, list(known), n=1)
    return f" Did you mean {near[0]!r}?" if near else ""


def known(where: str, kind: str, names: Iterable[str], allowed: Iterable[str]) -> None:
    """Refuse the first of `names` that is not one of `allowed`.

    Raises
    ------
    BadParameter
        Naming the place, the unknown name, the nearest known one and all that are allowed.
    """
    options = list(allowed)
    for name in names:
        if name not in options:
            hint = did_you_mean(name, options)
            raise BadParameter(
                f"{where} has no {kind} {name!r}.{hint} It has: {', '.join(options) or 'none'}."
            )


def share(name: str, value: float) -> float:
    """Return `value` if it lies strictly between 0 and 1."""
    if not 0 < value < 1:
        hint = f" If you meant {value:g} %, pass {value / 100:g}." if 1 <= value < 100 else ""
        raise BadParameter(f"{name} must be a share strictly between 0 and 1, got {value!r}.{hint}")
    return value


def at_least(name: str, value: float, least: float) -> float:
    """Return `value` if it is a finite number of at least `least`."""
    if not math.isfinite(value) or value < least:
        raise BadParameter(f"{name} must be at least {least:g}, got {value!r}.")
    return value


def smallest_cell(environment: Mapping[str, str]) -> int:
    """Read how many customers a group must have to be shown: 10 unless told otherwise.

    Raises
    ------
    BadParameter
        When the variable holds anything but a whole number from 2 to 100.
    """
    text = environment.get(SMALLEST_CELL, "").strip() or "10"
    if not (text.isascii() and text.isdigit() and 2 <= int(text) <= 100):
        raise BadParameter(f"{SMALLEST_CELL} must be a whole number from 2 to 100, got {text!r}.")
    return int(text)


def columns(name: str, present: Iterable[str], needed: Iterable[str]) -> None:
    """Refuse a table that lacks a column, with the nearest name it does have."""
    has = list(present)
    missing = [column for column in needed if column not in has]
    if missing:
        hint = did_you_mean(missing[0], has)
        raise BadData(
            f"{name} lacks the column(s) {', '.join(missing)}; it has {', '.join(has)}.{hint}"
        )
