"""What is claimed of cohorts side by side: shares in one period, and how far they are apart."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from retention_lab.inference.proportions import difference, proportion
from retention_lab.record.ledger import Ledger

_SHARE = (
    "Customers who bought in the period, of all whose period is over: a customer counts once, and "
    "cohorts count by their size."
)
_LATER = (
    "Customers who bought in the period or later, of all whose period is over: it still grows, as "
    "recent customers have had less time."
)


def sides(
    ledger: Ledger, points: pd.DataFrame, *, pairs: Sequence[tuple[str, str]], later: bool
) -> None:
    """Record each side of one period as ``share_1`` and so on, and the differences of `pairs`.

    `points` are those of `charts.cohort_curves` in that period: what is not there is not recorded.
    """
    rows = points.set_index("side").to_dict("index")
    for number, (side, row) in enumerate(rows.items(), start=1):
        ledger.record(
            f"share_{number}",
            proportion(row["did"], row["size"]),
            unit="share",
            n=row["size"],
            label=str(side),
            about=_cohorts(row["cohorts"]),
            definition=_LATER if later else _SHARE,
        )
    there = [pair for pair in pairs if set(pair) <= rows.keys()]
    for number, (side, other) in enumerate(there, start=1):
        of, than = rows[side], rows[other]
        ledger.record(
            f"difference_{number}",
            difference(of["did"], of["size"], than["did"], than["size"]),
            unit="points",
            difference=True,
            n=of["size"] + than["size"],
            label=side,
            about=other,
            definition="Share of the one less share of the other, with Newcombe's interval.",
        )


def cell(ledger: Ledger, row: pd.Series, *, later: bool) -> None:
    """Record the share of one cohort in one period, of a row that `hidden_in` lets stand."""
    prefix = "later_" if later else ""
    share, size = float(row[f"{prefix}share"]), int(row["size"])
    ledger.record(
        "cell",
        share,
        interval=(float(row[f"{prefix}low"]), float(row[f"{prefix}high"])),
        unit="share",
        n=size,
        about=f"cohort that began on {row['cohort'].day} {row['cohort']:%B %Y}",
        label="The cohort that was picked",
        definition="Customers of the cohort who bought in the period"
        + (" or later." if later else ", whether or not it is over for all of them."),
    )


def _cohorts(number: int) -> str:
    return f"{number} complete cohort{'' if number == 1 else 's'}"
