"""What the lab answers of two sides beside each other, of own metrics and of saved cohorts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from retention_lab import charts, checks, wording
from retention_lab.charts import compare as pictures
from retention_lab.customers.compare import Comparison, Side
from retention_lab.customers.compare import compare as set_beside
from retention_lab.customers.explain import (
    Explained,
    Part,
    PartName,
    Printed,
    explain_sides,
)
from retention_lab.customers.measures import Estimate, Measure, estimate, measure
from retention_lab.lab.answer import Answer, readable
from retention_lab.lab.figures import claims
from retention_lab.record import Ledger, previous
from retention_lab.record import metrics as recorded
from retention_lab.record.small import cells, few
from retention_lab.record.why import claimed, why, with_data
from retention_lab.tables import metrics as own
from retention_lab.tables.period import Period, parse
from retention_lab.tables.period import against as counterpart
from retention_lab.tables.saving import save
from retention_lab.tables.snapshot import Snapshot
from retention_lab.wording import Instead
from retention_lab.wording import asked as sentences
from retention_lab.wording import compare as comparisons


def sides(
    now: Snapshot, before: Snapshot, *, period: str | Period, against: str | Period
) -> tuple[Side, Side]:
    """Give each side its customers and its period; other customers are compared in the same one."""
    days = parse(period)
    other = days if against == "before" and now is not before else counterpart(days, against)
    return Side(shop=now, period=days), Side(shop=before, period=other)


def compare(name: str, now: Side, before: Side, *, metrics: str | Path) -> Answer:
    """Answer by how much a measure differs between two sides."""
    found = set_beside(measure(name, metrics=own.load(metrics)), now, before)
    return Answer(
        frame=_two(found),
        chart=pictures.compared(found),
        sentence=comparisons.compared(found),
        written=_two_written(found),
    )


def _two(found: Comparison) -> pd.DataFrame:
    names = comparisons.sides(found)
    rows = [_row(name, each) for name, each in zip(names, (found.now, found.before), strict=True)]
    difference = found.difference
    last = ("difference", "", found.overlap, difference.value, difference.low, difference.high)
    return pd.DataFrame(
        [*rows, last], columns=["side", "period", "customers", "value", "low", "high"]
    )


def _row(name: str, each: Estimate) -> tuple[str, str, int, float, float, float]:
    value = each.value
    return name, str(each.period), each.customers, value.value, value.low, value.high


def _two_written(found: Comparison) -> pd.DataFrame | Instead:
    if comparisons.too_small(found):
        return Instead("Too few customers stand behind one of the figures.")
    figures = [
        comparisons.as_claim(each, currency=found.currency) for each in (found.now, found.before)
    ]
    return pd.DataFrame(
        {
            "Of": comparisons.sides(found),
            "Customers": [f"{claim.n:,}" for claim in figures],
            figures[0].label: [claim.full for claim in figures],
        }
    ).set_index("Of")


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Explanation(Answer):
    """Why a measure moved: an answer whose frame has one row per part of the change."""

    found: Explained

    @property
    def kinds(self) -> Answer:
        """Which kinds of customers the change goes with.

        `frame`: one row per group: its share and its rate on both sides, and what it brings.
        """
        return Answer(
            frame=self.found.groups,
            chart=charts.why_groups(self.found),
            sentence=wording.why_cautions(self.found),
            written=wording.why_dimensions(self.found),
        )

    def customers(self, part: PartName) -> pd.DataFrame:
        """List the customers behind a part, such as "mix"; see `Explained.customers`."""
        return self.found.customers(part)


@dataclass(frozen=True, kw_only=True)
class Earlier:
    """An earlier report to set a figure against: `told` as a runner tells it, and the source."""

    told: str
    source: str


def explain(
    name: str,
    now: Side,
    before: Side,
    *,
    by: Sequence[str],
    metrics: str | Path,
    earlier: Earlier | None,
) -> Explanation:
    """Answer how much of a difference goes with who the customers are, and how much does not."""
    chosen = measure(name, metrics=own.load(metrics))
    printed = None if earlier is None else _printed(chosen, before, earlier)
    found = explain_sides(chosen, now, before, by=by, printed=printed)
    ledger = Ledger(where=now.shop.where)
    why(ledger, found)
    said = (
        comparisons.compared(found.comparison),
        wording.why_answer(ledger, found),
        wording.why_restated(ledger, found),
        wording.why_cautions(found),
    )
    return Explanation(
        frame=_parts(found.parts),
        chart=charts.why_steps(ledger, found),
        sentence=" ".join(filter(None, said)),
        written=wording.why_parts(ledger, found),
        found=found,
    )


def _printed(chosen: Measure, side: Side, earlier: Earlier) -> Printed:
    """Find what an earlier report printed of a measure."""
    claim = claimed(estimate(side.shop, chosen, period=side.period))
    before = previous.read(earlier.told, as_of=side.shop.as_of)
    found = with_data(before, claim, shop=side.shop, source=earlier.source)
    if found is None:
        file, _, notebook = earlier.told.rpartition("#")
        raise checks.BadParameter(
            f"{file} printed nothing of {chosen.label!r} in {side.period.name} on the page of "
            f"{notebook!r}."
        )
    return found


def _parts(parts: Sequence[Part]) -> pd.DataFrame:
    bounds = [
        (part.interval.low, part.interval.high) if part.interval else (None, None) for part in parts
    ]
    rows = [(part.name, part.value, *span) for part, span in zip(parts, bounds, strict=True)]
    columns = ["part", "value", "low", "high"]
    return pd.DataFrame(rows, columns=columns).astype({"low": "Float64", "high": "Float64"})


def metrics(shop: Snapshot, *, file: str | Path, days: int) -> Answer:
    """Answer the metrics of a file for the last days, beside as many days before."""
    chosen = own.load(file)
    ledger = Ledger(where=shop.where)
    missing = recorded.metrics(ledger, shop, chosen, days=days)
    return Answer(
        frame=claims(ledger.claims()),
        chart=None,
        sentence=wording.own_metrics_read(ledger, chosen, missing, as_of=shop.as_of),
        written=wording.own_metrics(ledger, chosen, as_of=shop.as_of, days=days),
    )


def cohort(
    name: str, *, shop: Snapshot, where: str, ids: Iterable[object] | None, replace: bool
) -> Answer:
    """Save customers under a name and answer who they are."""
    saved = save(name, shop=shop, where=where, ids=ids, replace=replace)
    frame = pd.DataFrame(
        [(saved.name, saved.where or "", saved.customers, str(saved.saved_as_of))],
        columns=["cohort", "where", "customers", "saved_as_of"],
    )
    shown = frame.assign(customers=cells(frame["customers"], few(frame["customers"])))
    return Answer(
        frame=frame, chart=None, sentence=sentences.cohort(saved), written=readable(shown)
    )
