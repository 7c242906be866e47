"""Tables for readers, and what is said of the rows that the figures rest on."""

from __future__ import annotations

import datetime as dt

import pandas as pd

from retention_lab.record import BEFORE, SMALL, Ledger, headed
from retention_lab.record.small import few
from retention_lab.tables.quality import USED
from retention_lab.wording.phrases import Instead, counted, full_day, quoted
from retention_lab.wording.sizes import apart

PERIOD = (
    "revenue",
    "orders",
    "buyers",
    "average_order_value",
    "purchase_frequency",
    "buyers_again",
    "retention_rate",
    "kept_share",
)
NOT_SHOWN = "not shown"


def beside(
    ledger: Ledger, *, as_of: dt.date, days: int, history_days: int
) -> pd.DataFrame | Instead:
    """Put the results of the last `days` days beside those of the period before.

    Returns
    -------
    DataFrame or Instead
        One row per measure; a sentence where nothing was recorded of the last period.
    """
    if not any(name in ledger for name in PERIOD):
        if history_days < days:
            have = counted(history_days, "day")
            return Instead(f"The records hold {have}, fewer than the {days} of a period.")
        return Instead(f"Too few customers bought in the {days} days to {full_day(as_of)}.")
    before = as_of - dt.timedelta(days=days)
    rows = [
        {
            "Measure": ledger[name].label,
            f"{days} days to {full_day(as_of)}": ledger[name].full,
            f"{days} days to {full_day(before)}": (
                ledger[name + BEFORE].full if name + BEFORE in ledger else NOT_SHOWN
            ),
        }
        for name in PERIOD
        if name in ledger
    ]
    return pd.DataFrame(rows).set_index("Measure")


def definitions(ledger: Ledger) -> pd.DataFrame:
    """List every recorded result of the newest period with the n behind it and its definition."""
    rows = [
        {
            "Result": claim.label or claim.name,
            "About": claim.about,
            "Value": apart(claim) if claim.difference else claim.full,
            "n": "" if claim.n is None else f"{claim.n:,}",
            "Definition": claim.definition,
        }
        for claim in ledger.claims()
        if not claim.name.endswith(BEFORE)
    ]
    return pd.DataFrame(rows, columns=["Result", "About", "Value", "n", "Definition"]).set_index(
        "Result"
    )


def left_out(frame: pd.DataFrame, *, table: str, where: str = "") -> str:
    """Say how many rows of a table were used and what took most of the others.

    `frame` is a snapshot's `left_out`; it counts the whole source, whatever `where` chose.
    """
    rows = frame[frame["table"] == table].groupby("reason")["rows"].sum()
    total, used = int(rows.sum()), int(rows.get(USED, 0))
    others = rows.drop(USED, errors="ignore").sort_values(ascending=False)
    sentence = f"{counted(total, 'row')} of {table}"
    if others.empty:
        sentence = (
            f"Of {sentence}, all are used." if total > 1 else f"The one row of {table} is used."
        )
    else:
        most = f"{quoted(str(others.index[0]))} ({others.iloc[0]:,})"
        why = (
            f"the others were left out: {most}"
            if len(others) == 1
            else f"the commonest reason among the others is {most}"
        )
        sentence = f"Of {sentence}, {used:,} ({_part(used, total)}) are used; {why}."
    if where.strip():
        sentence += " These counts are of the whole source, before customers were chosen."
    return sentence


def _part(used: int, total: int) -> str:
    """Never 100 % where a row is missing, nor 0 % where one is there."""
    tenths = min(max(round(1000 * used / total), 1 if used else 0), 999)
    return f"{tenths / 10:.1f}\N{NO-BREAK SPACE}%"


def waterfall(frame: pd.DataFrame, *, currency: str, minor_per_unit: int) -> pd.DataFrame:
    """Add the months of a `left_out` up: one row per table and reason, in rows and in money."""
    sums = frame.groupby(["table", "reason"], sort=False)[["rows", "amount"]].sum().reset_index()
    sums["used"] = sums["reason"].eq(USED)
    ordered = sums.sort_values(["table", "used", "rows"], ascending=[True, True, False])
    digits = len(str(minor_per_unit)) - 1
    amounts = (ordered["amount"] / minor_per_unit).map(f"{{:,.{digits}f}}".format)
    return pd.DataFrame(
        {
            "Table": ordered["table"],
            "What became of it": ordered["reason"],
            "Rows": ordered["rows"].map("{:,}".format),
            headed("Amount", currency): amounts.where(ordered["amount"] != 0, "").mask(
                few(ordered["rows"]), f"of fewer than {SMALL}"
            ),
        }
    ).set_index("Table")


def controls(frame: pd.DataFrame) -> str:
    """Say whether the figures match those of another system, and list those that do not."""
    if frame.empty:
        return (
            "The source file states no control totals up to this day, so nothing here was compared "
            "with Finance."
        )
    wrong = frame[~frame["agrees"].astype(bool)]
    if wrong.empty:
        every = "The one control total" if len(frame) == 1 else f"All {len(frame)} control totals"
        return f"{every} of the source file agree{'s' if len(frame) == 1 else ''}."
    verb = "does" if len(wrong) == 1 else "do"
    first = (
        f"**{len(wrong)} of {counted(len(frame), 'control total')} of the source file {verb} not "
        "agree; settle this before any figure is used.**\n"
    )
    others = [
        f"- {row['what']} of {row['table']}, {row['first']} to {row['last']}: "
        f"{row['ours']:,.2f} here, {row['theirs']:,.2f} there"
        for row in wrong.to_dict("records")
    ]
    return "\n".join([first, *others])
