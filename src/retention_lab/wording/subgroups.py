"""Sentences on effects by segment: whether any differs, and why not to trust one alone."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

import pandas as pd

from retention_lab.experiments.guarding import LEAST
from retention_lab.experiments.readout import Readout
from retention_lab.experiments.subgroups import Subgroups
from retention_lab.record import Ledger
from retention_lab.record.subgroups import EXAMINED, averaged, named, shown
from retention_lab.wording.annotations import inert
from retention_lab.wording.phrases import capitalised, counted, listed
from retention_lab.wording.sizes import apart, spelt

LEVEL = 0.05  # of the share of errors among the segments that are said to differ
NOT_SHOWN = "Effects by segment are shown with the effect itself, and not before."
TO_TEST = (
    "The test was not planned to find this: it is a reason to test that segment by itself, not a "
    "result to act on."
)


def subgroups_sentence(ledger: Ledger, seen: Readout) -> str:
    """Say whether a segment differs from the average, allowing for how many were looked at.

    `record.subgroups.record` recorded the numbers before.
    """
    found = seen.subgroups
    if found is None or not seen.shows:
        return seen.why.get("subgroups", NOT_SHOWN) if seen.shows else NOT_SHOWN
    lines = [f"- {inert(why)}" for why in found.why.values()] + _left_out(found)
    said = "" if found.rows.empty else _verdict(ledger, seen, found)
    return "\n\n".join(filter(None, [said, "\n".join(lines)]))


def brief(seen: Readout) -> str:
    """Say in a line of the first screen whether a segment differs."""
    found = seen.subgroups
    if found is None or not seen.shows or found.rows.empty:
        return ""
    rows = shown(found)
    apart = int(different(rows).sum())
    if not apart:
        return " ".join(_none(found, rows))
    differ = "segment differs" if apart == 1 else "segments differ"
    return (
        f"{spelt(apart).capitalize()} {differ} reliably from the average: a reason to test there, "
        "and no result."
    )


def _none(found: Subgroups, rows: pd.DataFrame) -> list[str]:
    of_those = " that can be shown" if len(rows) < len(found.rows) else ""
    return [f"No segment{of_those} differs reliably from the average.", *_by_luck(found)]


def different(rows: pd.DataFrame) -> pd.Series:
    """Say of each row whether its effect differs from the average more than luck explains."""
    return rows["p_adjusted"] <= LEVEL


def label(row: Mapping[Hashable, Any], *, several: bool) -> str:
    """Name a segment, and its arm where there are several."""
    attribute = str(row["segment"]).replace("_", " ")
    return f"{row['arm'] + ', ' if several else ''}{attribute} {row['value']}"


def _verdict(ledger: Ledger, seen: Readout, found: Subgroups) -> str:
    rows = shown(found)
    apart = rows[different(rows)].to_dict("records")
    several = len(seen.plan.arms) > 2
    if apart:
        told = [f"- {_effect(ledger, row, several=several)}" for row in apart]
        differ = "segment differs" if len(apart) == 1 else "segments differ"
        head = [f"{len(apart)} {differ} reliably from the average:", "", *told, "", TO_TEST]
    else:
        head = _none(found, rows)
    return "\n".join([*head[:-1], " ".join([head[-1], _caution(ledger, found)])])


def _effect(ledger: Ledger, row: Mapping[Hashable, Any], *, several: bool) -> str:
    own = ledger[named(row["arm"], row["segment"], row["value"])]
    mean = ledger[averaged(row["arm"], row["segment"])]
    return (
        f"{inert(capitalised(label(row, several=several)))}: {apart(own)}, against {mean.full} on "
        "average."
    )


def _by_luck(found: Subgroups) -> list[str]:
    """Name the attributes by which effects differ although no single segment stands out."""
    apart = found.interactions[found.interactions["p_adjusted"] <= LEVEL]
    names = [inert(name.replace("_", " ")) for name in apart["segment"].unique()]
    if not names:
        return []
    return [f"Taken together, though, effects differ by {listed(names)} more than luck explains."]


def _caution(ledger: Ledger, found: Subgroups) -> str:
    examined = ledger[EXAMINED]
    were = f"{counted(int(examined.value), 'segment')} were"  # one alone is compared with nothing
    pairs = found.rows.loc[found.rows["shrunk"].isna(), "segment"].unique()
    alone = [inert(name.replace("_", " ")) for name in pairs]
    pulled = len(found.rows[found.rows["shrunk"].notna()])
    said = (
        f"Pulled towards the average because small groups mislead; {were} examined."
        if pulled
        else f"{capitalised(were)} examined."
    )
    if not alone:
        return said
    return (
        f"{said} By {listed(alone)} there are two groups, too few to tell how far to pull them: "
        "they stand as they are."
    )


def _left_out(found: Subgroups) -> list[str]:
    """Count the values of each attribute that had too few customers."""
    small = found.left_out.merge(found.interactions[["arm", "segment"]])
    values = small.drop_duplicates(["segment", "value"]).groupby("segment", sort=False).size()
    return [
        f"- By {inert(str(name).replace('_', ' '))}, {counted(count, 'group')} "
        f"{'is' if count == 1 else 'are'} left out: fewer than {LEAST} customers on one side of "
        "the outcome in an arm."
        for name, count in values.items()
    ]
