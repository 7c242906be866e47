"""Sentences and the table of what a test did besides: its guardrails and its secondary metrics."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from math import sqrt
from typing import Any, Literal

import pandas as pd

from retention_lab.experiments.campaign import OF_MESSAGES
from retention_lab.experiments.readout import Readout
from retention_lab.record import SMALL, Claim, Ledger, money
from retention_lab.record.measured import named, told
from retention_lab.wording.annotations import inert
from retention_lab.wording.phrases import Instead, counted, counted_unless_few, full_day, listed
from retention_lab.wording.rows import NOT_SHOWN
from retention_lab.wording.sizes import apart, points

LEVEL = 0.05  # how often any secondary metric is said to differ that does not
NOT_YET = "Secondary metrics and guardrails are shown with the effect itself, and not before."
NO_GUARDRAILS = "The plan has no guardrails, so nothing of it would warn of harm."
NO_SECONDARIES = "The plan has no secondary metrics."
OF_DESIGN = (
    "That arms which are sent a message open and click more than one which is not is how the test "
    "was made, and no gain yet."
)
CAUTION = (
    "Not shown harmless is not harm, and not safe either: there are too few customers to tell."
)
EACH_ALONE = "Each range is that of its metric alone, at 95 %."
_FEW = f"the numbers would tell of fewer than {SMALL} customers"
_BORNE = "Harm borne"
_Row = Mapping[Hashable, Any]

Reading = Literal["harmed", "open", "holds", "better", "worse", "differs", "chance", "untold"]
READINGS: Mapping[Reading, str] = {
    "harmed": "Harmed",
    "open": "Not shown harmless yet",
    "holds": "Holds",
    "better": "Differs, for the better",
    "worse": "Differs, for the worse",
    "differs": "Differs",
    "chance": "May be chance",
    "untold": "Cannot be told yet",
}
_HEADS: Mapping[Reading, str] = {
    "harmed": "**More harm than the plan would bear is shown:**",
    "open": "Not shown harmless yet:",
    "holds": "More harm than would be borne is ruled out:",
    "chance": "What may be chance:",
    "untold": "What cannot be told yet:",
}


def reading(row: _Row) -> Reading:
    """Read one row of `experiments.measured.measured`; secondary metrics after Holm."""
    if pd.isna(row["difference"]):
        return "untold"
    if row["role"] == "guardrail":
        return "harmed" if row["harmed"] else "holds" if row["no_worse"] else "open"
    if pd.isna(row["p_adjusted"]) or row["p_adjusted"] > LEVEL:
        return "chance"
    if row["better"] == "neither":
        return "differs"
    return "better" if (row["difference"] > 0) == (row["better"] == "higher") else "worse"


def of_design(row: _Row, seen: Readout) -> bool:
    """Say whether control cannot do what is measured, as it is sent no message of the test."""
    return row["metric"] in OF_MESSAGES and seen.plan.arms[0].message is None


def why_not(seen: Readout) -> str:
    """Say why no metric is shown; nothing where some may be."""
    if not seen.shows:
        return NOT_YET
    return seen.why.get("measured", NOT_YET) if seen.measured is None else ""


def rows_of(seen: Readout, *roles: str) -> list[dict[Hashable, Any]]:
    """Rows of the read-out as `record.measured.told` gives them, by role."""
    if seen.measured is None or not seen.shows:
        return []
    frame = told(seen.measured)
    return [row for role in roles for row in frame[frame["role"] == role].to_dict("records")]


def measured_guardrails(ledger: Ledger, seen: Readout) -> str:
    """Say which guardrails are harmed, which are not shown harmless yet and which hold.

    `record.measured.record` recorded the numbers before.
    """
    rows = rows_of(seen, "guardrail")
    if not rows:
        return why_not(seen) or NO_GUARDRAILS
    said = [
        _list(ledger, seen, rows, "harmed"),
        _list(ledger, seen, rows, "open"),
        CAUTION if any(reading(row) == "open" for row in rows) else "",
        _list(ledger, seen, rows, "holds"),
        _list(ledger, seen, rows, "untold"),
    ]
    return "\n\n".join(filter(None, said))


def measured_secondaries(ledger: Ledger, seen: Readout) -> str:
    """Say which secondary metrics differ, allowing for how many were examined."""
    rows = rows_of(seen, "secondary")
    if not rows:
        return why_not(seen) or NO_SECONDARIES
    said = [
        _differ(ledger, seen, rows),
        OF_DESIGN if any(of_design(row, seen) for row in rows) else "",
        _list(ledger, seen, rows, "chance"),
        _list(ledger, seen, rows, "untold"),
    ]
    return "\n\n".join(filter(None, said))


def measured_basis(seen: Readout) -> str:
    """Say of whom and of which days the metrics are, and what takes the noise off them."""
    rows = [row for row in rows_of(seen, "guardrail", "secondary") if row["open"]]
    if not rows:
        return ""
    days = seen.plan.endpoint.day
    followed = f"of all who were followed for so long by {full_day(seen.measured_on)}."
    said = [f"Counted over the {days} days from time zero, {followed}"]
    if seen.measured_on > seen.read_on:
        said.append("That is later than the effect was read, as nothing stops the test any more.")
    left_out = rows[0]["left_out"]
    if left_out and len(seen.plan.arms) == 2:
        few = counted_unless_few(left_out, "customer")
        said.append(f"So {few} who came later {'is' if left_out == 1 else 'are'} left out.")
    said.append(EACH_ALONE)
    narrow = {row["label"]: sqrt(row["kept"]) for row in rows if row["cleaned"]}
    widths = [f"{inert(name)} {100 * part:.0f} %" for name, part in narrow.items() if part < 0.995]
    if widths:
        said.append(
            f"What the same customers did in the {days} days before time zero is allowed for, "
            f"which leaves less of a range's width: {listed(widths)}."
        )
    return " ".join(said)


def measured_table(ledger: Ledger, seen: Readout) -> pd.DataFrame | Instead:
    """Put each guardrail and secondary metric of each arm beside control.

    Returns
    -------
    DataFrame or Instead
        One row per metric and arm, guardrails first. Where nothing may be shown there is nothing
        here: the sentence beside the table says why.
    """
    rows = rows_of(seen, "guardrail", "secondary")
    if not rows:
        return Instead("")
    table = pd.DataFrame([_cells(ledger, seen, row) for row in rows]).set_index("Metric")
    return table if table[_BORNE].any() else table.drop(columns=_BORNE)


def label(row: _Row, seen: Readout) -> str:
    """Name a metric, and its arm where there are several."""
    return f"{row['label']}, {row['arm']}" if len(seen.plan.arms) > 2 else str(row["label"])


def borne(row: _Row, currency: str) -> str:
    """Write the margin of a guardrail with its side: 0.5 points more."""
    side = "more" if row["better"] == "lower" else "less"
    match row["unit"]:
        case "share":
            return f"{points(row['margin'])} {side}"
        case "money":
            return f"{money(row['margin'], currency)} {side}"
        case _:
            return f"{row['margin']:.4g} {side}"


def _list(ledger: Ledger, seen: Readout, rows: list[dict[Hashable, Any]], read: Reading) -> str:
    lines = [f"- {_line(ledger, seen, row)}" for row in rows if reading(row) == read]
    return "\n".join([_HEADS[read], "", *lines]) if lines else ""


def _differ(ledger: Ledger, seen: Readout, rows: list[dict[Hashable, Any]]) -> str:
    """Say how many comparisons were made, and list those that differ."""
    reads = [reading(row) for row in rows]
    made = counted(len(rows), "comparison")
    lines = [
        f"- {_line(ledger, seen, row)} {READINGS[read]}."
        for row, read in zip(rows, reads, strict=True)
        if read in ("better", "worse", "differs")
    ]
    if not lines:
        return f"No secondary metric differs by more than chance explains, of {made} made."
    many = "differs" if len(lines) == 1 else "differ"
    return "\n".join([f"{len(lines)} of {made} {many}, allowing for all of them:", "", *lines])


def _line(ledger: Ledger, seen: Readout, row: _Row) -> str:
    name = inert(label(row, seen))
    if reading(row) == "untold":
        why = inert(row["why"])
        return why if why.startswith(name) else f"{name}: {why}"
    limit = f"; {borne(row, seen.currency)} would be borne" if row["role"] == "guardrail" else ""
    if not row["open"]:
        return f"{name}: {_FEW}{limit}."
    arms = [ledger[named(row, part)] for part in ("value", "control")]
    both = " against ".join(_in_hundred(arm) for arm in arms)
    of = " in 100" if row["unit"] == "share" else ""
    return f"{name}: {both}{of}, {apart(ledger[named(row)])}{limit}."


def _in_hundred(claim: Claim) -> str:
    return f"{100 * claim.value:.1f}" if claim.unit == "share" else claim.text


def _cells(ledger: Ledger, seen: Readout, row: _Row) -> dict[str, str]:
    claims = {part: named(row, part) for part in ("value", "control", "difference", "lift")}
    read = {part: ledger[name] for part, name in claims.items() if name in ledger}
    return {
        "Metric": label(row, seen),
        "In the arm": read["value"].full if "value" in read else NOT_SHOWN,
        "In control": read["control"].full if "control" in read else NOT_SHOWN,
        "Difference": apart(read["difference"]) if "difference" in read else NOT_SHOWN,
        "Relative": apart(read["lift"]) if "lift" in read else NOT_SHOWN,
        _BORNE: borne(row, seen.currency) if row["role"] == "guardrail" else "",
        "What it says": READINGS[reading(row)],
    }
