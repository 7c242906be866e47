"""Sentences beside what came of messages: each share beside the band that the trade claims."""

from __future__ import annotations

from typing import Literal

import pandas as pd

from retention_lab.customers.campaigns import RATES, WITHIN
from retention_lab.record import SMALL, Ledger
from retention_lab.record.campaigns import named, shown
from retention_lab.wording.annotations import inert
from retention_lab.wording.phrases import in_hundred, quoted

Place = Literal["below", "within", "above", "unclear"]

NO_MESSAGES = (
    "No message to these customers is known that was delivered and could be followed for long "
    "enough, so nothing stands beside the bands of the trade. Where your shop sends messages, map "
    "the table `messages` in its source file: to whom each was sent, when it was sent and "
    "delivered, and when it was opened, clicked and led to an order."
)
TOO_FEW = (
    f"No rate of messages is shown: each rests on fewer than {SMALL} customers, or would tell of "
    "as few."
)
CAUTION = (
    "A band is a trade figure and not our target. Opens include machine opens (mail privacy "
    "proxies), so an open rate above its band is no success: clicks and orders rank above opens."
)
_HEADS = {
    "click": "Clicked",
    "conversion": "Ordered, as whoever sends the messages counts it",
    "open": "Opened, by themselves or by a machine",
}


def campaigns_rates(ledger: Ledger, frame: pd.DataFrame, *, within: int = WITHIN) -> str:
    """Say which share of each cohort clicked, ordered and opened, and where it lies in its band.

    `frame` is what `customers.campaigns.rates` gave and `record.campaigns.record` recorded.
    """
    if frame.empty:
        return NO_MESSAGES
    rows = shown(frame)
    if rows.empty:
        return TOO_FEW
    said = [
        "Each customer counts once: in the cohort of the day before the messages, with the first "
        f"one that reached them after it. What they did within {within} days of it counts."
    ]
    for rate in RATES:
        told = [_told(ledger, row) for _, row in rows[rows["rate"] == rate].iterrows()]
        unknown = "not known of any message" if rate not in {*frame["rate"]} else ""
        said += [f"- **{_HEADS[rate]}:** {'; '.join(told) or unknown}."] if told or unknown else []
    left = len(frame) > len(rows)
    hidden = f" Rates that would tell of fewer than {SMALL} customers are left out."
    return "\n".join([said[0], "", *said[1:], "", f"{CAUTION}{hidden if left else ''}"])


def campaigns_clicked(ledger: Ledger, frame: pd.DataFrame, *, cohort: str) -> str:
    """Say for the first screen how many of a cohort clicked; nothing where that is not shown."""
    if named("click", cohort) not in ledger:
        return ""
    row = frame[(frame["group"] == cohort) & (frame["rate"] == "click")].iloc[0]
    claim, band = ledger[named("click", cohort)], _beside(row)
    said = f"After a message, {in_hundred(claim)} of the {inert(quoted(cohort))} click"
    return (
        f"{said} ({claim.ranged}){band and f'{band}, which is a trade figure and not our target'}."
    )


def _told(ledger: Ledger, row: pd.Series) -> str:
    claim = ledger[named(row["rate"], row["group"])]
    band = _beside(row) or ", for which the playbook names no band"
    return f"{inert(row['group'])} {in_hundred(claim)} of {claim.n:,} ({claim.ranged}){band}"


def _beside(row: pd.Series) -> str:
    if pd.isna(row["band_low"]):
        return ""
    low, high = (f"{100 * row[bound]:g}" for bound in ("band_low", "band_high"))
    band = f"the {low} to {high}\N{NO-BREAK SPACE}% band"
    where = place(row)
    return f", not clearly inside or outside {band}" if where == "unclear" else f", {where} {band}"


def place(row: pd.Series) -> Place:
    """Say where a share lies; only a whole interval earns a plain word."""
    if row["high"] < row["band_low"]:
        return "below"
    if row["low"] > row["band_high"]:
        return "above"
    inside = row["low"] >= row["band_low"] and row["high"] <= row["band_high"]
    return "within" if inside else "unclear"
