"""Sentences and the table of a campaign test: what each arm did at each step, and which is best."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

import pandas as pd

from retention_lab.experiments.campaign import LEVEL, OF_MESSAGES, Best
from retention_lab.experiments.readout import Readout
from retention_lab.record import SMALL, Claim, Ledger
from retention_lab.record import campaign_test as record
from retention_lab.record.campaign_test import headed, may_show, shown, valued
from retention_lab.wording.annotations import inert
from retention_lab.wording.campaigns import CAUTION
from retention_lab.wording.phrases import Instead, capitalised, in_hundred, plainly, quoted
from retention_lab.wording.rows import NOT_SHOWN
from retention_lab.wording.sizes import apart, spelt

_NOT_YET = "What each arm did is shown when the test may be read, and not before."
TOO_FEW = f"No step is shown: each rests on fewer than {SMALL} customers, or would tell of as few."
FLATTERED = (
    "Whichever of several arms comes out first tends to look better than it is: expect somewhat "
    "less of it than this."
)
EVERYBODY = "Everybody assigned counts, whether or not a message arrived."
CLEANED = (
    "What the same customers ordered in the {days} days before is allowed for: it takes noise off "
    "orders and revenue."
)
_Row = Mapping[Hashable, Any]


def untold(seen: Readout, frame: pd.DataFrame | None) -> str:
    """Say why no step is shown; nothing where one is."""
    if not seen.shows:
        return _NOT_YET
    if frame is None:
        return inert(seen.why.get("funnel", _NOT_YET))
    return TOO_FEW if shown(frame).empty else ""


def campaign_table(
    ledger: Ledger, seen: Readout, frame: pd.DataFrame | None
) -> pd.DataFrame | Instead:
    """Put the arms side by side, control first, a row per step in their order.

    `frame` is what `campaign.funnel` gave and `record.campaign_test.record` recorded. Where nothing
    may be shown there is nothing here: the sentence beside the table says why.
    """
    if untold(seen, frame) or frame is None:
        return Instead("")
    rows = [
        {"Step": headed(row)}
        | {arm.name: _figure(ledger, row["metric"], arm.name) for arm in seen.plan.arms}
        for row in shown(frame).drop_duplicates("metric").to_dict("records")
    ]
    return pd.DataFrame(rows).set_index("Step")


def campaign_steps(ledger: Ledger, seen: Readout, frame: pd.DataFrame | None) -> str:
    """Say of each step what each arm did against control, and what may be chance."""
    why = untold(seen, frame)
    if why or frame is None:
        return why
    rows, control = shown(frame), seen.plan.arms[0]
    lines = [
        _step(ledger, part.to_dict("records"), control=control.name)
        for _, part in rows.groupby("metric", sort=False)
    ]
    lines += [inert(why) for why in dict.fromkeys(map(_why, frame.to_dict("records"))) if why]
    of_messages = rows["metric"].isin(OF_MESSAGES).any()
    tests = int(frame["p_value"].notna().sum())
    silent = (
        f"{capitalised(inert(control.name))} was sent no message of this test, so what only a "
        "message brings is not compared with it."
    )
    cautions = [
        EVERYBODY,
        f"What may be chance is told allowing for all {spelt(tests)} comparisons."
        if tests > 1
        else "",
        CLEANED.format(days=seen.plan.endpoint.day) if rows["cleaned"].any() else "",
        silent if of_messages and control.message is None else "",
        CAUTION if of_messages else "",
        f"Steps that would tell of fewer than {SMALL} customers are left out."
        if len(rows) < frame["value"].notna().sum()
        else "",
    ]
    return "\n".join([*(f"- {line}" for line in lines), "", " ".join(filter(None, cautions))])


def campaign_best(ledger: Ledger, seen: Readout, best: Best | None) -> str:
    """Say which arm is the best, or that none is shown to be; `best` is of `campaign.best`."""
    if not seen.shows:
        return _NOT_YET
    if best is None:
        return inert(plainly(seen.why.get("best", _NOT_YET)))
    if not may_show(best):
        return f"Which arm is the best would tell of fewer than {SMALL} customers."
    made, first = best.outcome, best.arms["arm"].iloc[0]
    what = inert(quoted(headed({"label": made.label, "unit": made.unit})))
    own = ledger[valued(made.name, first)]
    pairs = best.pairs[best.pairs["arm"] == first].to_dict("records")
    name = capitalised(inert(first))
    against = "; ".join(_against(ledger, made.name, row) for row in pairs)
    tests = f", allowing for all {spelt(len(best.pairs))} comparisons" if len(pairs) > 1 else ""
    if best.leader is None:
        if not any(record.apart(made.name, first, row["other"]) in ledger for row in pairs):
            return f"No arm is shown to be the best by {what}: it is {own.text} in all of them."
        return (
            f"No arm is shown to be the best by {what}{tests}. {name} comes first with "
            f"{own.full}: {against}."
        )
    flattered = f" {FLATTERED}" if len(pairs) > 1 else ""
    return f"{name} is the best by {what}{tests}: {own.full}; {against}.{flattered}"


def _why(row: _Row) -> str:
    """Say why a step cannot be told, or cannot be compared."""
    why = str(row["why"])
    return f"{headed(row)}: {why}" if why and "cannot be told" not in why else why


def _step(ledger: Ledger, rows: list[dict[Hashable, Any]], *, control: str) -> str:
    """Say of one step what the arms did, and how far each is from control."""
    metric, head = rows[0]["metric"], inert(headed(rows[0]))
    said = [f"{inert(arm)} {_said(ledger[valued(metric, arm)])}" for arm in _arms(rows, control)]
    words = [
        f"{inert(row['arm'])} {_difference(ledger, row, control)}"
        for row in rows
        if record.apart(metric, row["arm"], control) in ledger
    ]
    against = f" Against {inert(control)}: {'; '.join(words)}." if words else ""
    return f"**{head}:** {', '.join(said)}.{against}"


def _arms(rows: list[dict[Hashable, Any]], control: str) -> list[str]:
    """Name the arms of a step; control last, unless it could not do it."""
    return [*(row["arm"] for row in rows), *([control] if not pd.isna(rows[0]["low"]) else [])]


def _said(claim: Claim) -> str:
    return in_hundred(claim) if claim.unit == "share" else claim.text


def _difference(ledger: Ledger, row: _Row, other: str, *, against: str = "") -> str:
    claim = ledger[record.apart(row["metric"], row["arm"], other)]
    clear: bool = not pd.isna(row["p_adjusted"]) and row["p_adjusted"] <= LEVEL
    chance = "" if clear else ", which may be chance"
    return f"{apart(claim)}{against}{chance}"


def _against(ledger: Ledger, metric: str, row: _Row) -> str:
    other = inert(row["other"])
    if record.apart(metric, row["arm"], row["other"]) not in ledger:
        return f"the same as {other}"
    pair = {**row, "metric": metric}
    return _difference(ledger, pair, row["other"], against=f" against {other}")


def _figure(ledger: Ledger, metric: str, arm: str) -> str:
    name = valued(metric, arm)
    return ledger[name].full if name in ledger else NOT_SHOWN
