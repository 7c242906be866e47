"""What was left out of a table, why, and how much money it was; the undecided is refused."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

import ibis
import ibis.expr.types as ir
import pandas as pd

from retention_lab import checks
from retention_lab.tables.contracts import CONTRACTS, NO_CUSTOMER, USED, TableName
from retention_lab.tables.engine import collect
from retention_lab.tables.mapping import Plan
from retention_lab.tables.parsing import minor_digits
from retention_lab.tables.shaping import EXAMPLES, listed
from retention_lab.tables.source import ControlTotal, Source

__all__ = [
    "CONTROL_COLUMNS",
    "FIT_COLUMNS",
    "LEFT_OUT_COLUMNS",
    "USED",
    "Counts",
    "controls",
    "count",
    "count_strangers",
    "refuse_broken",
    "refuse_duplicates",
]

LEFT_OUT_COLUMNS = ["table", "month", "reason", "rows", "amount"]
FIT_COLUMNS = ["table", "reason", "rows", "amount", "kept"]
CONTROL_COLUMNS = ["table", "first", "last", "what", "ours", "theirs", "agrees"]


@dataclass(frozen=True, kw_only=True)
class Counts:
    """The rows of one mapped table up to the as-of date.

    `left_out`: table, month (missing where a row has no time), reason (`used` for what remains),
    rows, amount (int64 minor units); it adds up to all rows. `fits`: table, reason, rows, amount,
    kept (True where a rule only counts): how many rows fit a reason whether or not an earlier one
    took them. `later`: rows known only after the as-of date, which no report may show. `last`: the
    latest business-local day in the whole source, or None.
    """

    left_out: pd.DataFrame
    fits: pd.DataFrame
    later: int
    last: dt.date | None

    @property
    def used(self) -> int:
        """Number of rows in use."""
        return int(self.left_out.loc[self.left_out["reason"] == USED, "rows"].sum())


def count(rows: ir.Table, made: Plan) -> Counts:
    """Count judged rows by month and reason, in rows and in money."""
    groups = collect(_sums(rows, made))
    known = groups[~groups["later"]]
    days = groups["last"].dropna()
    return Counts(
        left_out=_left_out(known, made),
        fits=_fits(known, made),
        later=int(groups.loc[groups["later"], "rows"].sum()),
        last=days.max().date() if len(days) else None,
    )


def _sums(rows: ir.Table, made: Plan) -> ir.Table:
    """Add up rows and money by lateness, month, reason and all reasons that fit."""
    day = made.contract.day
    date = rows[day] if day in rows.columns else ibis.null("date")
    dated = rows.mutate(_date=date, _month=date.truncate("M"))
    by = {"later": "_later", "month": "_month", "index": "_reason", "fits": "_fits"}
    return dated.group_by(**by).aggregate(
        rows=dated.count(), amount=dated._money.sum(), last=dated._last.max()
    )


def _left_out(known: pd.DataFrame, made: Plan) -> pd.DataFrame:
    words = dict(enumerate(made.all_reasons))
    sums = known.groupby(["month", "index"], as_index=False, dropna=False)[["rows", "amount"]].sum()
    reason = sums["index"].map(words).fillna(USED)
    return sums.assign(table=made.contract.name, reason=reason)[LEFT_OUT_COLUMNS]


def _fits(known: pd.DataFrame, made: Plan) -> pd.DataFrame:
    found = []
    for bit, reason in enumerate(made.countable):
        rows = known[known["fits"] // 2**bit % 2 == 1]
        if len(rows):
            kept = bit >= len(made.all_reasons)
            sums = (int(rows["rows"].sum()), int(rows["amount"].sum()))
            found.append((made.contract.name, reason, *sums, kept))
    return pd.DataFrame(found, columns=FIT_COLUMNS)


def count_strangers(
    counts: Mapping[TableName, Counts], tables: Mapping[TableName, ir.Table]
) -> dict[TableName, Counts]:
    """Count also the rows whose customer the mapped customers lack; they stay in use.

    `tables` are the canonical tables in use, `counts` those of the mapped ones.
    """
    found = dict(counts)
    for name in counts if "customers" in counts else ():
        if name not in ("customers", "order_lines"):
            rows = tables[name].anti_join(tables["customers"], "customer_id")
            money = rows.amount.sum().fill_null(0) if "amount" in rows.columns else ibis.literal(0)
            one = collect(rows.aggregate(rows=rows.count(), amount=money)).iloc[0]
            if one["rows"]:
                record = (name, NO_CUSTOMER, int(one["rows"]), int(one["amount"]), True)
                fits = pd.DataFrame([record], columns=FIT_COLUMNS)
                every = [each for each in (counts[name].fits, fits) if len(each)]
                found[name] = replace(counts[name], fits=pd.concat(every, ignore_index=True))
    return found


def refuse_broken(rows: ir.Table, made: Plan, counts: Counts) -> None:
    """Refuse rows that break the contract in a way on which the source file has not decided.

    Raises
    ------
    BadData
        With the table, the reason, how many rows, three of them, and the line that would leave
        them out.
    """
    found = counts.left_out.groupby("reason")["rows"].sum()
    reason = next((one for one in made.broken if one in found.index), None)
    if reason is None:
        return
    bad = rows.filter(~rows._later & (rows._reason == made.all_reasons.index(reason)))
    examples = _examples(bad, made, reason)
    raise checks.BadData(
        f"{made.contract.name}: {found[reason]:,} rows have {reason}{examples}. "
        f"{_hint(reason, made.source)}Mend them, or have them left out and counted: "
        f"{made.source.setting('leave_out', [reason], table=made.contract.name)}."
    )


def _hint(reason: str, source: Source) -> str:
    column = reason.removeprefix("unparseable ")
    return "" if column == reason else source.time_hint(column)


def _examples(bad: ir.Table, made: Plan, reason: str) -> str:
    """Show the keys of three rows, with what stands in the columns that the reason names."""
    named = [c for c in made.contract.columns if c.name in re.findall(r"\w+", reason)]
    names = {column.name for column in named}
    keys = [name for name in made.contract.key if name in made.table.columns and name not in names]
    shown: dict[str, ir.Value] = {name: bad[name] for name in keys}
    for column in () if reason.startswith("missing") else named:
        digits = minor_digits(made.source.currency) if column.kind == "money" else 0
        value = bad[column.name] / 10**digits if digits else bad[column.name]
        raw = f"_raw_{column.name}"
        words = value.cast("string")
        shown[column.name] = bad[raw].coalesce(words) if raw in bad.columns else words
    if not shown:
        return ""
    rows = bad.select(**shown).distinct()
    return f", for example {listed(collect(rows.order_by(*shown).limit(EXAMPLES)))}"


def refuse_duplicates(table: ir.Table, made: Plan) -> None:
    """Refuse a key that stands twice.

    Raises
    ------
    BadData
        With the table, the key, how many keys, three of them, and the setting that would help.
    """
    key = list(made.contract.key)
    if not key or not set(key) <= set(made.table.columns):
        return
    rows = table.group_by(key).aggregate(rows=table.count())
    again = rows.filter(rows.rows > 1)
    number = int(collect(again.aggregate(keys=again.count()))["keys"].iloc[0])
    if number:
        examples = listed(collect(again.select(*key).order_by(*key).limit(EXAMPLES)))
        parts = ", or add_up where each row is a part of the whole"
        keep = made.source.setting("duplicates", "keep_last", table=made.contract.name)
        raise checks.BadData(
            f"{made.contract.name}: {number:,} keys ({'+'.join(key)}) stand more than once, for "
            f"example {examples}. Say what to do: {keep} (or keep_first"
            f"{parts if made.contract.adds_up else ''})."
        )


def controls(
    source: Source, as_of: dt.date, tables: Mapping[TableName, ir.Table]
) -> list[dict[str, object]]:
    """Compare the source file's control totals with a snapshot; later ones wait for their date.

    Returns one record per total and figure: `CONTROL_COLUMNS`, with `ours` and `theirs` as rows or
    as an amount in major units.
    """
    found: list[dict[str, object]] = []
    for total in source.control_totals:
        if total.last > as_of:
            continue
        ours = _ours(total, tables[total.table], source)
        for what, theirs in (("rows", total.rows), ("amount", total.amount)):
            if theirs is None:
                continue
            agrees = abs(ours[what] - theirs) <= total.tolerance * abs(theirs) + 0.0005
            figures = (
                total.table,
                f"{total.first}",
                f"{total.last}",
                what,
                ours[what],
                theirs,
                agrees,
            )
            found.append(dict(zip(CONTROL_COLUMNS, figures, strict=True)))
    return found


def _ours(total: ControlTotal, table: ir.Table, source: Source) -> dict[str, float]:
    rows = table.filter(table[CONTRACTS[total.table].day].between(total.first, total.last))
    sums = {"rows": rows.count()}
    if "amount" in rows.columns:
        sums["amount"] = rows.amount.sum().fill_null(0)
    one = collect(rows.aggregate(**sums)).iloc[0]
    unit = {"rows": 1, "amount": 10 ** minor_digits(source.currency)}
    return {what: float(one[what]) / unit[what] for what in sums}
