"""Whether contact helped, in a sentence for lists that are alike."""

from __future__ import annotations

import pandas as pd

from retention_lab.wording.phrases import counted, full_day


def contact_helped(lists: pd.DataFrame) -> list[str]:
    """Say what became of contacted and of held-back customers, and what contact made of it.

    `lists` are those of `churn.heldback.Compared`, of which a group was drawn at random, so the
    difference is what contact did, but for chance.
    """
    return [_sentence(row) for _place, row in lists.iterrows()]


def _sentence(row: pd.Series) -> str:
    did = "bought again" if row["endpoint"] == "returned" else "stayed"
    return (
        f"{_lists(row)}: within {row['horizon']} days {100 * row['share_contacted']:.1f} in 100 of "
        f"{row['contacted']:,} contacted customers {did}, and "
        f"{100 * row['share_held_back']:.1f} in 100 of {row['held_back']:,} held back: "
        f"{_points(row['difference'])} "
        f"({_points(row['low'])} to {_points(row['high'])}). {_verdict(row)}"
    )


def _lists(row: pd.Series) -> str:
    first, last = full_day(row["first"]), full_day(row["last"])
    days = first if first == last else f"{first} to {last}"
    return f"{counted(int(row['lists']), 'list')} of {days} for {row['channel']}"


def _points(share: float) -> str:
    points = 100 * share
    return f"{abs(points):.1f} points {'fewer' if points < 0 else 'more'}"


def _verdict(row: pd.Series) -> str:
    if row["low"] > 0:
        return "Contact helped."
    if row["high"] < 0:
        return "Contact did harm."
    return "Whether contact helped cannot be told yet."
