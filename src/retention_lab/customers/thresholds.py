"""Cut lines frozen in a file, so that nobody changes segment because lines were redrawn unseen.

Frozen lines are reviewed each quarter: have the customers drifted from what they were when the
lines were drawn, and who would change segment under new ones?

`retention-lab cuts` draws lines and writes them. Fixed lines, such as those that the loyalty
programme has promised, are written by hand into the same file:

    owner: Lifecycle Marketing
    review_by: 2027-03-31
    as_of: 2026-11-29  # with whose customers a review compares
    method: fixed
    within: 365  # days that are scored, as the playbook's segments have it
    cuts:
      currency: GBP
      recency: {all: [31, 61, 91, 181]}  # days: up to 30 score 5, 31 to 60 score 4, ...
      frequency: {all: [2, 3, 5, 9]}  # days with a purchase: 1 scores 1, 2 scores 2, ...
      monetary: {all: [25, 50, 100, 250]}  # whole units less returns: under 25 scores 1, ...
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import ibis.expr.types as ir
import numpy as np
import pandas as pd
import yaml
from ibis import _
from pydantic import Field, ValidationError

from retention_lab import checks
from retention_lab.checks import BadData, BadParameter
from retention_lab.customers import rfm
from retention_lab.customers.rfm import MEASURES, Cuts
from retention_lab.customers.segments import segmented
from retention_lab.customers.summary import purchases
from retention_lab.inference.tails import chi2_ppf
from retention_lab.state import files
from retention_lab.tables import engine
from retention_lab.tables.engine import collect
from retention_lab.tables.factor import Line
from retention_lab.tables.location import Strict
from retention_lab.tables.segment import Segments
from retention_lab.tables.settings import first_problem, read_yaml
from retention_lab.tables.snapshot import Snapshot

Drawn = Literal["quantile", "nested"]
Method = Literal[Drawn, "fixed"]

DRAW = {"quantile": rfm.quantile_cuts, "nested": rfm.nested_cuts}


class Thresholds(Strict):
    """Frozen cut lines: who answers for them, until when, and of which day's customers they are.

    Frequency and monetary value are those of `within` days; of all time where that is None.
    """

    owner: Line
    review_by: dt.date
    as_of: dt.date
    method: Method
    within: Annotated[int, Field(ge=1)] | None = None
    cuts: Cuts

    def drawn(self, summary: ir.Table) -> Cuts:
        """Draw the lines again, of other customers; fixed lines are as they were.

        Raises
        ------
        BadData
            If there is no customer with a purchase within.
        """
        if self.method == "fixed":
            return self.cuts
        return DRAW[self.method](summary, currency=self.cuts.currency, bins=self.cuts.bins)


def draw(shop: Snapshot, *, method: str, within: int, owner: str, review_by: dt.date) -> Thresholds:
    """Draw lines of a shop's customers as of its day.

    Parameters
    ----------
    shop
        With orders; returns, where there are any, are taken off.
    method
        "quantile" or "nested", as `customers.rfm` has them.
    within
        The last days that are scored.
    owner, review_by
        Who answers for the lines, and until when they hold.

    Raises
    ------
    BadParameter
        If the method is another, the owner is no plain text, or the review is not after the day.
    BadData
        If the shop has no orders, or nobody has bought within the days that are scored.
    """
    checks.known("cuts", "method", [method], DRAW)
    if review_by <= shop.as_of:
        raise BadParameter(
            f"review_by must be after {shop.as_of}, of whose customers the lines are, got "
            f"{review_by}."
        )
    cuts = DRAW[method](_summary(shop, shop.as_of, within), currency=shop.currency)
    fields = {"owner": owner, "review_by": review_by, "as_of": shop.as_of, "within": within}
    try:
        return Thresholds.model_validate({**fields, "method": method, "cuts": cuts})
    except ValidationError as error:
        raise BadParameter(f"The cut lines: {first_problem(error, model=Thresholds)}") from error


def load(path: Path, *, currency: str) -> Thresholds:
    """Read and validate frozen lines, for a shop of that `currency`.

    Raises
    ------
    BadParameter
        When the file is missing, is no YAML, says something that lines do not know, or is about
        another currency.
    """
    try:
        read = Thresholds.model_validate(read_yaml(path.read_text(encoding="utf-8"), file=path))
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise BadParameter(f"The cut lines {path} cannot be read: {why}.") from error
    except ValidationError as error:
        raise BadParameter(f"{path}: {first_problem(error, model=Thresholds)}") from error
    if read.cuts.currency != currency:
        raise BadParameter(
            f"{path}: cuts.currency is {read.cuts.currency}, but the orders are in {currency}; "
            "draw the lines of this shop."
        )
    return read


def save(thresholds: Thresholds, path: Path) -> None:
    """Write frozen lines, beside a run or for the next ones: the whole file, or none of it.

    The same lines give the same bytes.

    Raises
    ------
    BadParameter
        When the disk refuses: what was there is there still.
    """
    fields = thresholds.model_dump(mode="python")
    text = yaml.safe_dump(_listed(fields), sort_keys=False, allow_unicode=True)
    try:
        files.write(path, text.encode())
    except OSError as error:
        raise BadParameter(f"The cut lines {path} cannot be written ({error.strerror}).") from error


def _listed(value: object) -> object:
    """Make lists of tuples, which YAML does not know."""
    match value:
        case dict():
            return {key: _listed(each) for key, each in value.items()}
        case tuple():
            return [*value]
    return value


@dataclass(frozen=True, kw_only=True)
class Review:
    """What a review of frozen lines looks at.

    `stability` has a row per `measure`: `index` (population stability index of its scores) and
    `by_chance` (what 95 of 100 indices stay below if nothing but chance is at work). Of all
    `customers` of today, `moving` would be in another named segment only because lines were
    redrawn, as `proposed`; this is what a page tells, if it is no few. `moves` has a row per pair
    of named segments that occurs: `segment`, `redrawn` (under the `proposed` lines), `customers`;
    a row may be a single customer, so no page shows it.
    """

    stability: pd.DataFrame
    proposed: Cuts
    moves: pd.DataFrame
    customers: int
    moving: int


def reviewed(thresholds: Thresholds, shop: Snapshot, *, segments: Segments) -> Review:
    """Review the frozen lines of a shop as of its day, by `review`.

    Raises
    ------
    BadParameter
        If the lines are of a later day than the shop's; or as `review` does.
    BadData
        If the shop has no orders, or one of the days no customer.
    """
    if thresholds.as_of > shop.as_of:
        raise BadParameter(
            f"The lines are of {thresholds.as_of}, so nothing can be reviewed as of {shop.as_of}; "
            "choose a later day."
        )
    then, now = (_summary(shop, day, thresholds.within) for day in (thresholds.as_of, shop.as_of))
    return review(thresholds, then=then, now=now, segments=segments)


def _summary(shop: Snapshot, day: dt.date, within: int | None) -> ir.Table:
    summary = purchases(shop.orders, shop.tables.get("returns"), as_of=day, within=within)
    return engine.keep(summary, where="cut lines")


def review(thresholds: Thresholds, *, then: ir.Table, now: ir.Table, segments: Segments) -> Review:
    """Compare today's customers with those whose lines were frozen.

    Parameters
    ----------
    thresholds
        The frozen lines.
    then, now
        Summaries as of `thresholds.as_of` and as of today, by `customers.summary.purchases`, of
        ``thresholds.within`` days.
    segments
        The rules of the playbook.

    Raises
    ------
    BadParameter
        If the lines make another number of scores than the rules know.
    BadData
        If one of the days has no customer.

    Notes
    -----
    The index is the sum of (a - b) ln(a / b) over the shares a and b of each score. If nothing but
    chance is at work, it is about (1/n + 1/m) times a chi-square of one degree of freedom less than
    there are scores in use (Yurdakul and Naranjo 2020, Journal of Risk Model Validation); less
    still where many customers are the same ones. The usual limits of 0.1 and 0.25 know nothing of
    n and m.
    """
    cuts, proposed = thresholds.cuts, thresholds.drawn(now)
    before, after = (rfm.counts(rfm.scores(each, cuts), cuts) for each in (then, now))
    moves = _moves(now, cuts, proposed, segments)
    moving = moves.loc[moves["segment"] != moves["redrawn"], "customers"].sum()
    return Review(
        stability=pd.DataFrame(
            [{"measure": name, **_index(before[name], after[name])} for name in MEASURES]
        ),
        proposed=proposed,
        moves=moves,
        customers=int(moves["customers"].sum()),
        moving=int(moving),
    )


def _index(then: pd.Series[int], now: pd.Series[int]) -> dict[str, float]:
    """Population stability index of the scores of a measure, and what chance makes of it."""
    pair = np.array([then, now], dtype="float64")
    if not pair.sum(axis=1).all():
        raise BadData("There is no customer with a purchase on one of the days, so none drifted.")
    used = pair[:, pair.any(axis=0)]
    by_chance = (1 / used.sum(axis=1)).sum() * chi2_ppf(0.95, max(used.shape[1] - 1, 1))
    # A score that nobody has on one of the days counts as half a customer: its log is infinite.
    filled = np.where(used == 0, 0.5, used)
    one, other = filled / filled.sum(axis=1, keepdims=True)
    return {"index": float(((other - one) * np.log(other / one)).sum()), "by_chance": by_chance}


def _moves(now: ir.Table, cuts: Cuts, proposed: Cuts, segments: Segments) -> pd.DataFrame:
    """Count the customers of each pair of segments, under the frozen lines and the proposed."""
    frozen = segmented(now, cuts=cuts, segments=segments)
    both = segmented(frozen.rename(frozen="segment"), cuts=proposed, segments=segments)
    by = {"segment": _.frozen, "redrawn": _.segment}
    counts = collect(both.group_by(**by).agg(customers=_.count()))
    return counts.sort_values(["segment", "redrawn"], ignore_index=True)
