"""What changed since the report before: restated figures first, and chance given its due."""

from __future__ import annotations

import re
from collections.abc import Hashable, Mapping
from typing import Any, TypeAlias

import pandas as pd

from retention_lab import __version__
from retention_lab.record import BEFORE, Claim
from retention_lab.record.metrics import CHANGE
from retention_lab.record.previous import Kind, Previous
from retention_lab.wording.annotations import inert
from retention_lab.wording.phrases import Instead, counted, full_day
from retention_lab.wording.sizes import apart

Row: TypeAlias = Mapping[Hashable, Any]  # one of `record.previous.changes`

FIRST = "This is the first report of this suite, so there is nothing to compare with."
_ORDER: Mapping[Kind, str] = {
    "same": "as printed",
    "restated": "restated",
    "definition": "defined otherwise",
    "moved": "of other days",
    "new": "new",
    "gone": "gone",
}
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_SHOWN = 3  # restated figures in a sentence; the table has them all


def changed_table(changes: pd.DataFrame, previous: Previous | None) -> pd.DataFrame | Instead:
    """List what is not as printed; `changes` is what `record.previous.changes` gave for `previous`.

    Returns
    -------
    DataFrame or Instead
        Restated results first; a sentence where there is nothing to compare or nothing changed.
    """
    if previous is None:
        return Instead(FIRST)
    listed = _listed(changes)
    listed = listed[listed["kind"] != "same"]
    if listed.empty:
        return Instead(f"Every result is as printed for {full_day(previous.as_of)}.")
    ranked = listed.sort_values(
        "kind", key=lambda kinds: kinds.map(list(_ORDER).index), kind="stable"
    )
    rows = [
        {
            "Result": _named(row),
            f"Printed for {full_day(previous.as_of)}": _with_unit(row, row["printed"]),
            "Now": _with_unit(row, row["text"]),
            "Change, before rounding": _difference(row),
            "What it is": _what(row),
        }
        for row in ranked.to_dict("records")
    ]
    return pd.DataFrame(rows).set_index("Result")


def what_changed(changes: pd.DataFrame, previous: Previous | None) -> str:
    """Say what changed, and how much of it chance alone would have changed.

    An empty text where there is no report before: the table says so.
    """
    if previous is None:
        return ""
    listed = _listed(changes)
    counts = listed["kind"].value_counts()
    told = [f"{counts[kind]:,} {words}" for kind, words in _ORDER.items() if kind in counts]
    sentences = [
        f"Results since {full_day(previous.as_of)}: {', '.join(told) or 'none'}.",
        restated(changes, previous),
        _chance(listed),
        _versions(listed),
    ]
    return " ".join(filter(None, sentences))


def restated(changes: pd.DataFrame, previous: Previous | None) -> str:
    """Name the figures of a period printed before that have another value now, if there are any."""
    rows = changes[changes["kind"] == "restated"].to_dict("records")
    if previous is None or not rows:
        return ""
    moves = [
        f"{inert(_named(row))}, moves from {_with_unit(row, row['printed'])} as printed for "
        f"{full_day(previous.as_of)} to {_with_unit(row, row['text'])}"
        for row in rows[:_SHOWN]
    ]
    more = f"; {len(rows) - _SHOWN} more are in the table" if len(rows) > _SHOWN else ""
    return f"Restated: {'; '.join(moves)}{more}."


def _listed(changes: pd.DataFrame) -> pd.DataFrame:
    """Leave out what only stands beside others, but where the same days were printed.

    That is periods before, and changes and their parts: a change of a change tells nobody anything.
    """
    names = changes["name"]
    beside = names.str.endswith((BEFORE, CHANGE)) | names.str.startswith("why_")
    return changes[~beside | changes["kind"].isin(["same", "restated"])]


def _chance(listed: pd.DataFrame) -> str:
    compared, marked = int(listed["low"].notna().sum()), int(listed["marked"].sum())
    if not compared:
        return (
            "No result is of days wholly apart from the printed ones, so none is set against "
            "chance."
        )
    if compared == 1:
        zero = "leaves out zero, as about one in 20 does by chance alone"
        return (
            "One result is of days wholly apart from the printed ones; the plausible range of its "
            f"change {zero if marked else 'includes zero, so it may be chance'}."
        )
    few, rest = divmod(compared, 20)
    by_chance = f"{few} or {few + 1}" if rest else f"{few}"
    return (
        f"{counted(compared, 'result')} are of days wholly apart from the printed ones, and "
        f"{marked or 'none'} of them marked, where the plausible range of the change leaves out "
        f"zero; by chance alone about one in 20 would be, that is {by_chance} of these."
    )


def _versions(listed: pd.DataFrame) -> str:
    others = sorted(set(listed["version"]) - {"", __version__})
    if not others:
        return ""
    return (
        f"The printed figures were computed by version {', '.join(others)}, these by {__version__}."
    )


def _named(row: Row) -> str:
    label, about = row["label"], row["about_then"] if row["kind"] == "gone" else row["about"]
    if row["kind"] == "moved" or not about or about in label:
        return str(label)
    return f"{label}, {about}"


def _with_unit(row: Row, text: object) -> str:
    """Empty for what is new or gone."""
    if not isinstance(text, str):
        return ""
    return f"{text} points" if row["unit"] == "points" else text


def _difference(row: Row) -> str:
    """Return for example `-1.4 points (-3.0 to +0.2)`; a difference of shares is in points."""
    if pd.isna(row["change"]):
        return ""
    ranged = pd.notna(row["low"])
    change = Claim(
        name=row["name"],
        value=row["change"],
        low=row["low"] if ranged else None,
        high=row["high"] if ranged else None,
        unit="points" if row["unit"] == "share" else row["unit"],
        n=None,
        definition="",
        currency=row["currency"],
        difference=True,
    )
    return apart(change)


def _what(row: Row) -> str:
    kind: Kind = row["kind"]
    match kind:
        case "restated":
            return "restated: the same days, another value"
        case "definition":
            return "another definition, not compared"
        case "moved" if row["about"] == row["about_then"]:
            words = f"{row['about']}, with later data"
        case "moved" if _DAY.search(row["about"]):  # the heading says how long ago it was
            words = f"now {row['about']}"
        case "moved":
            words = f"{row['about']}, was {row['about_then']}"
        case "new" | "gone" | "same":
            return kind
    return f"{words}; marked" if row["marked"] else words
