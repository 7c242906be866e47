"""Own metrics: what a team watches beside the built-in figures, written in `data/metrics.yml`.

A metric is a sum or a count over one canonical table, or one divided by another; a quotient is
computed per customer and added up, so that it has an interval and a change of it can be explained.
"""

from __future__ import annotations

import datetime as dt
import re
from functools import cached_property
from pathlib import Path
from typing import Literal

import ibis
import ibis.expr.types as ir
from ibis import _
from pydantic import Field, ValidationError, field_validator, model_validator

from retention_lab import checks
from retention_lab.tables import aggregates, engine, ibis_expressions
from retention_lab.tables import source as sources
from retention_lab.tables.aggregates import Formula
from retention_lab.tables.location import Strict
from retention_lab.tables.period import Period
from retention_lab.tables.snapshot import Snapshot

LONGEST = 60  # characters of a label or an owner

# The names of what reports record and compare themselves.
_TAKEN = re.compile(
    "revenue(_per_customer)?|orders|buyers(_again)?|average_order_value|purchase_frequency|"
    "retention_rate|kept_share|active_share|repeat_rate|returned(_[0-9]+|_count)?|bought_again_by|"
    "median_days_(again|completed)|change|.*_(before|change)"
)


class Metric(Strict):
    """One metric as its file defines it.

    A quotient's unit is `share`, `money` or `per_customer` (any other ratio), a total's `count` or
    `money`; `better` says which direction is the good one.
    """

    name: str
    label: str
    sql: str = ""
    ibis: str = ""
    unit: Literal["share", "money", "per_customer", "count"]
    better: Literal["higher", "lower", "neither"]
    owner: str
    review_by: dt.date
    file: Path = Field(default=Path("metrics.yml"), exclude=True)

    @field_validator("name")
    @classmethod
    def _is_free(cls, name: str) -> str:
        if not re.fullmatch("[a-z][a-z0-9_]{0,59}", name):
            raise ValueError(
                f"must be small letters, digits and _, such as refund_share, got {name!r}"
            )
        if _TAKEN.fullmatch(name):
            raise ValueError(f"{name!r} is a name of the reports' own; take another")
        return name

    @field_validator("label", "owner")
    @classmethod
    def _fits_a_line(cls, words: str) -> str:
        line = " ".join(words.split())
        if not 0 < len(line) <= LONGEST or not line.isprintable():
            raise ValueError(f"must be 1 to {LONGEST} characters of plain text, got {words!r}")
        return line

    @model_validator(mode="after")
    def _can_be_read(self) -> Metric:
        if bool(self.sql.strip()) == bool(self.ibis.strip()):
            raise ValueError(f"metric {self.name!r} needs either `sql` or `ibis`")
        _check_unit(self)
        return self

    @property
    def expression(self) -> str:
        """The formula as its file writes it."""
        return (self.sql or self.ibis).strip()

    @property
    def where(self) -> str:
        """Where it stands, for messages."""
        return f"{self.file}, metric {self.name!r}"

    @cached_property
    def formula(self) -> Formula:
        """What the expression means."""
        where = f"metric {self.name!r}"
        if self.sql.strip():
            return aggregates.read_sql(self.expression, where=where)
        tree = ibis_expressions.parse(self.expression, where=where)
        return aggregates.read_tree(tree, where=where)

    @property
    def is_total(self) -> bool:
        """Whether it has no denominator: a number of what happened, without an interval."""
        return self.formula.under is None

    @property
    def definition(self) -> str:
        """A sentence that changes whenever the metric does."""
        return f"{self.expression}, over the rows of the period, added up over customers."


class _File(Strict):
    metrics: tuple[Metric, ...]

    @model_validator(mode="after")
    def _differ(self) -> _File:
        for what in ("name", "label"):
            words = [str(getattr(metric, what)) for metric in self.metrics]
            twice = next((word for word in words if words.count(word) > 1), None)
            if twice is not None:
                raise ValueError(f"two metrics have the {what} {twice!r}")
        return self


def load(path: str | Path) -> tuple[Metric, ...]:
    """Read and validate a file of metrics; no data are needed. An empty `path` has none.

    Raises
    ------
    BadParameter
        When the file is missing, is no YAML, or a metric says something that cannot be used.
    """
    if not str(path):
        return ()
    file = sources.find(path)
    try:
        fields = sources.read_yaml(file.read_text(encoding="utf-8"), file=file)
        found = _File.model_validate(fields).metrics
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise checks.BadParameter(f"The metrics {file} cannot be read: {why}.") from error
    except ValidationError as error:
        raise checks.BadParameter(f"{file}: {sources.first_problem(error, model=_File)}") from error
    return tuple(metric.model_copy(update={"file": file}) for metric in found)


def lacking(metric: Metric, shop: Snapshot) -> list[str]:
    """List the tables that a metric needs and the shop does not have."""
    needed = {aggregate.table for aggregate in metric.formula.aggregates}
    return sorted(needed - set(shop.tables))


def per_customer(metric: Metric, shop: Snapshot, period: Period) -> ir.Table:
    """Compute a quotient's two sides for each customer in a period.

    Returns
    -------
    Table
        `customer_id`, `y`, `x` (int64), of customers for whom not both are 0: the metric is the sum
        of y divided by the sum of x, money in minor units. Where either side has fractions, both
        are multiplied by 10,000 and rounded row by row.

    Raises
    ------
    BadParameter
        When the metric is a total, or the engine refuses its expression.
    BadData
        When the shop lacks a table.
    """
    if metric.is_total:
        raise checks.BadParameter(
            f"{metric.where}: {metric.expression!r} is a total, which cannot be split or given an "
            "interval. Divide it, for example by count(distinct orders.customer_id)."
        )
    return _sides(metric, shop, period)


def total(metric: Metric, shop: Snapshot, period: Period) -> ir.Table:
    """Compute a total for each customer in a period: `customer_id`, `y` (int64), where it is not 0.

    Fractions are rounded row by row: money to minor units, all else to whole numbers.

    Raises
    ------
    BadParameter
        When the engine refuses the expression.
    BadData
        When the shop lacks the table.
    """
    return _sides(metric, shop, period).drop("x")


def _sides(metric: Metric, shop: Snapshot, period: Period) -> ir.Table:
    formula, where = metric.formula, metric.where
    found = [(one, aggregates.rows(one, shop, period, where=where)) for one in formula.aggregates]
    fractions = any(aggregates.has_fractions(one, rows) for one, rows in found)
    scale = 10**aggregates.DIGITS if fractions and not metric.is_total else 1
    over, *under = [aggregates.per_customer(one, rows, scale=scale) for one, rows in found]
    times, by = formula.factor.numerator, formula.factor.denominator
    nothing = ibis.literal(0, "int64")
    parts = [over.select("customer_id", y=_.total * times, x=nothing)]
    parts += [part.select("customer_id", y=nothing, x=_.total * by) for part in under]
    sides = ibis.union(*parts).group_by("customer_id").aggregate(y=_.y.sum(), x=_.x.sum())
    return _computed(sides.mutate(y=_.y.cast("int64"), x=_.x.cast("int64")), metric)


def _computed(sides: ir.Table, metric: Metric) -> ir.Table:
    """Compute it now, so that what the engine cannot do is said of the metric."""
    try:
        return engine.keep(sides.filter((_.y != 0) | (_.x != 0)), where=metric.where)
    except checks.BadData as error:
        reason = " ".join(str(error.__cause__).split())[:160].rstrip(".")
        hint = " It divides by zero in some row: put nullif(..., 0) around the divisor there."
        divides = re.search(r"value -?(inf|nan)|division by zero|divide.by.zero", reason, re.I)
        raise checks.BadParameter(
            f"{metric.where}: the engine cannot compute {metric.expression!r} "
            f"({reason}).{hint if divides else ''}"
        ) from error


def _check_unit(metric: Metric) -> None:
    """Refuse a unit that the formula cannot have: pence would be printed as a plain number."""
    over, under = metric.formula.over, metric.formula.under
    allowed = ("count", "money") if under is None else ("share", "money", "per_customer")
    if metric.unit not in allowed:
        kind = "a total" if under is None else "a quotient"
        raise ValueError(
            f"metric {metric.name!r} is {kind}, whose unit is {' or '.join(allowed)}, got "
            f"{metric.unit!r}"
        )
    if under is None and metric.formula.factor.denominator > 1:
        raise ValueError(f"metric {metric.name!r} is a total, which takes no fraction as a factor")
    is_money = over.is_money and not (under and under.is_money)
    if is_money and metric.unit != "money":
        raise ValueError(f"metric {metric.name!r} is an amount, so its unit is money")
    if metric.unit == "money" and (over.kind != "sum" or (under and under.is_money)):
        raise ValueError(f"metric {metric.name!r} is no amount of money, but its unit is money")
