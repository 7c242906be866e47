"""The sentences and the table of guardrails: which harm a planned test could rule out."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from math import ceil, floor, log10
from typing import Any

import pandas as pd

from retention_lab.record import SMALL, Ledger, money
from retention_lab.record.guarding import MARGIN, NEEDED, POWER, VALUE, told
from retention_lab.record.small import few
from retention_lab.wording.annotations import inert
from retention_lab.wording.phrases import Instead, counted, in_hundred, listed
from retention_lab.wording.rows import NOT_SHOWN

NONE = (
    "The plan has no guardrails, so nothing of it would warn of harm. Most tests of messages watch "
    "at least how many unsubscribe."
)
CAUTION = (
    "A guardrail that is not shown to hold is not harm: there may be too few customers to tell. "
    "These numbers are of customers as they are without the test, and count on its doing no harm."
)


def guarding_table(ledger: Ledger, frame: pd.DataFrame) -> pd.DataFrame | Instead:
    """Put each guardrail beside what it needs.

    `frame` is what `experiments.guarding.guardrails` gave and `record.guarding.record` recorded.

    Returns
    -------
    DataFrame or Instead
        One row per guardrail; a sentence where the plan has none.
    """
    if frame.empty:
        return Instead(NONE)
    planned = _planned(frame.iloc[0].to_dict())
    rows = [
        {
            "Guardrail": row["label"],
            "As things are": _as_it_is(ledger, row),
            "Harm that would be borne": harm(row, row["margin"]),
            "Customers needed": _text(ledger, NEEDED + row["metric"]),
            f"Least harm that {planned} rule out": _least(ledger, row),
        }
        for row in told(frame).to_dict("records")
    ]
    return pd.DataFrame(rows).set_index("Guardrail")


def guarding_sentence(ledger: Ledger, frame: pd.DataFrame) -> str:
    """Say which guardrails the planned customers can show to hold, and what the others need."""
    if frame.empty:
        return NONE
    rows = told(frame).to_dict("records")
    sized = [row for row in rows if NEEDED + row["metric"] in ledger]
    short = [row for row in sized if row["needed"] > row["planned"]]
    lines = [_short(ledger, row) for row in short]
    lines += [_untold(row) for row in rows if row not in sized]
    said = [
        _enough([row for row in sized if row not in short]),
        "\n".join(f"- {line}" for line in lines),
        " ".join(_few(row) for row in sized if not row["open"]),
        CAUTION if sized else "",
    ]
    return "\n\n".join(filter(None, said))


def harm(row: Mapping[Hashable, Any], margin: float) -> str:
    """Write a margin with the side on which it lies: 0.5 points more."""
    return f"{_amount(row, margin)} {'more' if row['better'] == 'lower' else 'less'}"


def _enough(rows: list[dict[Hashable, Any]]) -> str:
    if not rows:
        return ""
    names = listed([f"{inert(row['label'])} ({harm(row, row['margin'])})" for row in rows])
    return (
        f"The {_planned(rows[0])} can rule out more harm than would be borne, as surely as the "
        f"plan asks, for: {names}."
    )


def _short(ledger: Ledger, row: Mapping[Hashable, Any]) -> str:
    """Say of a guardrail that needs more customers what could be done about it."""
    metric = row["metric"]
    said = f"{inert(row['label'])} ({harm(row, row['margin'])}): "
    if POWER + metric in ledger:
        shown = in_hundred(ledger[POWER + metric])
        said += f"if there is no harm, {shown} tests of {_planned(row)} show that. "
    said += f"It takes {ledger[NEEDED + metric].text} customers"
    if MARGIN + metric not in ledger:
        return f"{said}."
    return f"{said}, or a margin of {_amount(row, ledger[MARGIN + metric].value)}."


def _untold(row: Mapping[Hashable, Any]) -> str:
    why = row["why"] or f"It would tell of fewer than {SMALL} customers."
    return f"{inert(row['label'])}: nothing is said of it. {inert(why)}"


def _few(row: Mapping[Hashable, Any]) -> str:
    return (
        f"{inert(row['label'])}: {_how_few(row)} of the {row['followed']:,} customers followed, so "
        f"it is reckoned as if {SMALL} were, and may take fewer customers than said."
    )


def _how_few(row: Mapping[Hashable, Any]) -> str:
    return f"{'all but ' if not few(row['did']) and row['did'] else ''}fewer than {SMALL}"


def _as_it_is(ledger: Ledger, row: Mapping[Hashable, Any]) -> str:
    if VALUE + row["metric"] in ledger:
        return ledger[VALUE + row["metric"]].full
    return f"{_how_few(row)} of {row['followed']:,}" if row["sized"] else NOT_SHOWN


def _least(ledger: Ledger, row: Mapping[Hashable, Any]) -> str:
    name = MARGIN + row["metric"]
    return harm(row, ledger[name].value) if name in ledger else NOT_SHOWN


def _text(ledger: Ledger, name: str) -> str:
    return ledger[name].text if name in ledger else NOT_SHOWN


def _planned(row: Mapping[Hashable, Any]) -> str:
    return counted(int(row["planned"]), "customer")


def _amount(row: Mapping[Hashable, Any], margin: float) -> str:
    """Write a margin with two digits that count, rounded up: a smaller one could not be shown."""
    size = 100 * margin if row["unit"] == "share" else margin
    step = 10.0 ** (floor(log10(size)) - 1)
    written = ceil(size / step - 1e-9) * step
    if row["unit"] == "money":
        return money(written, row["currency"])
    text = f"{written:.6g}"
    if row["unit"] == "share":
        return f"{text} point{'' if text == '1' else 's'}"
    return text
