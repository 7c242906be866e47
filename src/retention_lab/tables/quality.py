"""What was left out of a table, why, and how much money it was; and what is refused because nobody has decided on it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

import ibis
import ibis.expr.types as ir
import pandas as pd

from retention_lab import checks
from retention_lab.tables.contracts import CONTRACTS
from retention_lab.tables.engine import collect
from retention_lab.tables.mapping import Plan
from retention_lab.tables.parsing import minor_digits
from retention_lab.tables.source import Source

USED = "used"
_EXAMPLES = 3


@dataclass(frozen=True, kw_only=True)
class Counts:
    """The rows of one mapped table up to the as-of date.

    `left_out`: table, month (missing where a row has no time), reason (`used` for what remains), rows, amount (int64 minor
    units); it adds up to all rows. `fits`: table, reason, rows, amount, kept (True where a rule only counts): how many rows fit a
    reason whether or not an earlier one took them. `later`: rows known only after the as-of date, which no report may show.
    `last`: the latest business-local day in the whole source, or None.
    """

    left_out: pd.DataFrame
    fits: pd.DataFrame
    later: int
    last: dt.date | None


def count(rows: ir.Table, made: Plan) -> Counts:
    """Count mapped rows by month and reason, in rows and in money."""
    known = rows.filter(~rows._later)
    return Counts(
        left_out=_left_out(known, made), fits=_fits(known, made), **_watermark(rows, made)
    )


def _left_out(known: ir.Table, made: Plan) -> pd.DataFrame:
    day = made.contract.day
    month = known[day].truncate("M") if day in known.columns else ibis.null("date")
    grouped = known.group_by(month=month, index=known._reason).aggregate(rows=known.count(), amount=known._money.sum())
    frame = collect(grouped.order_by("month", "index"))
    words = dict(enumerate(made.all_reasons))
    frame.insert(0, "table", made.contract.name)
    frame["reason"] = frame.pop("index").map(words).fillna(USED)
    return frame


def _fits(known: ir.Table, made: Plan) -> pd.DataFrame:
    left_out = {f"_flag_{i}": (reason, False) for i, reason in enumerate(made.all_reasons)}
    counted = {f"_rule_{made.rules.index(rule)}": (rule.reason, True) for rule in made.table.count_only}
    columns = left_out | counted
    sums = {f"rows_{name}": known[name].sum() for name in columns}
    money = {f"amount_{name}": known._money.sum(where=known[name]) for name in columns}
    totals = collect(known.aggregate(**sums, **money)).fillna(0).iloc[0]
    found = [
        {"table": made.contract.name, "reason": reason, "rows": int(totals[f"rows_{name}"]),
         "amount": int(totals[f"amount_{name}"]), "kept": kept}
        for name, (reason, kept) in columns.items()
    ]  # fmt: skip
    return pd.DataFrame(found, columns=["table", "reason", "rows", "amount", "kept"]).query("rows > 0")


def _watermark(rows: ir.Table, made: Plan) -> dict[str, int | dt.date | None]:
    day = made.contract.day
    last = rows[day].max() if day in rows.columns else ibis.null("date")
    totals = collect(rows.aggregate(later=rows._later.sum(), last=last)).iloc[0]
    return {
        "later": 0 if pd.isna(totals["later"]) else int(totals["later"]),
        "last": None if pd.isna(totals["last"]) else totals["last"].date(),
    }


def refuse_broken(rows: ir.Table, made: Plan, counts: Counts) -> None:
    """Refuse rows that break the contract in a way the source file has not decided on.

    Raises
    ------
    BadData
        Naming the table, the reason, how many rows, three examples, and the line that would leave them out.
    """
    found = counts.left_out[counts.left_out["reason"].isin(made.broken)]
    if found.empty:
        return
    reason = next(reason for reason in made.broken if reason in set(found["reason"]))
    number = int(found.loc[found["reason"] == reason, "rows"].sum())
    bad = rows.filter(~rows._later & (rows._reason == made.all_reasons.index(reason)))
    examples = _examples(bad, made, reason)
    hint = ""
    if reason.startswith("unparseable "):
        column = reason.removeprefix("unparseable ")
        hint = (
            f"Times must be ISO 8601 unless tables.{made.contract.name}.columns.{column} says its format, such as "
            "`format: '%d/%m/%Y'` (day first) or `'%m/%d/%Y'` (month first). "
        )
    raise checks.BadData(
        f"{made.contract.name}: {number:,} rows have {reason}{examples}. {hint}"
        f'Mend them, or add `leave_out: ["{reason}"]` to {made.where} to leave them out, counted.'
    )


def _examples(bad: ir.Table, made: Plan, reason: str) -> str:
    raw = [f"_raw_{c.name}" for c in made.contract.columns if reason.split(" ")[-1] == c.name and "missing" not in reason]
    shown = raw or [name for name in made.contract.key if name in made.table.columns]
    if not shown:
        return ""
    few = collect(bad.select(*shown).distinct().order_by(*shown).limit(_EXAMPLES))
    return ", for example " + ", ".join(repr("-".join(map(str, row))) for row in few.itertuples(index=False))


def refuse_duplicates(table: ir.Table, made: Plan) -> None:
    """Refuse a key that stands twice, or one order that names two customers.

    Raises
    ------
    BadData
        Naming the table, the key, how many keys, three examples, and the setting that would resolve it.
    """
    key = list(made.contract.key)
    if not key or not set(key) <= set(made.table.columns):
        return
    again = table.group_by(key).aggregate(n=table.count()).filter(lambda grouped: grouped.n > 1)
    number = int(collect(again.aggregate(n=again.count()))["n"].iloc[0])
    if number:
        examples = collect(again.select(*key).order_by(*key).limit(_EXAMPLES))
        texts = ["-".join(str(value) for value in row) for row in examples.itertuples(index=False)]
        raise checks.BadData(
            f"{made.contract.name}: {'+'.join(key)} stands more than once for {number:,} keys, for example "
            f"{', '.join(repr(text) for text in texts)}. Say in {made.where} what to do: `duplicates: keep_last` (or keep_first), "
            "or `duplicates: add_up` where each row is a part of the whole."
        )


CONTROL_COLUMNS = ["table", "first", "last", "what", "ours", "theirs", "agrees"]


def controls(source: Source, as_of: dt.date, tables: Mapping[str, ir.Table]) -> list[dict[str, object]]:
    """Compare the source file's control totals with what a snapshot holds; later ones wait for their date.

    Returns one record per total and figure: `CONTROL_COLUMNS`, `ours` and `theirs` as rows or as an amount in major units.
    """
    found: list[dict[str, object]] = []
    for total in source.control_totals:
        if total.last > as_of or total.table not in tables:
            continue
        table = tables[total.table]
        day = table[CONTRACTS[total.table].day]
        rows = table.filter(day >= total.first, day <= total.last)
        ours: dict[str, float] = {"rows": float(collect(rows.aggregate(n=rows.count()))["n"].iloc[0])}
        if "amount" in rows.columns:
            summed = collect(rows.aggregate(n=rows.amount.sum().fill_null(0)))["n"].iloc[0]
            ours["amount"] = float(summed) / 10 ** minor_digits(source.currency)
        for what, theirs in (("rows", total.rows), ("amount", total.amount)):
            if theirs is not None and what in ours:
                agrees = abs(ours[what] - theirs) <= total.tolerance * abs(theirs) + 0.005
                figures = (total.table, str(total.first), str(total.last), what, ours[what], theirs, agrees)
                found.append(dict(zip(CONTROL_COLUMNS, figures, strict=True)))
    return found
