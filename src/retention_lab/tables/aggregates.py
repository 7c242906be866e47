"""Formulas over the canonical tables: a sum or a count, or one divided by another.

Each is computed customer by customer and added up over customers, so only what adds up is read: an
average or a median of parts is no part of the whole's. What an aggregate adds up or which rows it
keeps is an expression over one row of one table, guarded as all expressions are.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from typing import Literal, cast

import ibis.expr.types as ir
import sqlglot
import sqlglot.expressions as sge
from sqlglot.errors import SqlglotError

from retention_lab import checks
from retention_lab.tables import expressions
from retention_lab.tables.contracts import CONTRACTS, Contract, TableName
from retention_lab.tables.period import Period
from retention_lab.tables.snapshot import Snapshot

DIGITS = (
    4  # a fraction is rounded to so many decimals in each row: sums of floats cannot be repeated
)
_OF_ORDERS = ("customer_id", "ordered_at", "ordered_on")  # what order lines know by their order
_LARGEST_FACTOR = 1_000_000


@dataclass(frozen=True, kw_only=True)
class Aggregate:
    """One sum or count over one table; `value` and `condition` are SQL over one row of it.

    `distinct` counts different values per customer. An empty `condition` keeps every row. `text` is
    how it was written.
    """

    table: TableName
    kind: Literal["sum", "count", "distinct"]
    value: str
    condition: str = ""
    text: str = field(default="", compare=False)

    @property
    def is_money(self) -> bool:
        """Whether it plainly adds up amounts of money."""
        tree = sqlglot.parse_one(self.value, read="duckdb")
        return self.kind == "sum" and _is_money(tree, CONTRACTS[self.table])


@dataclass(frozen=True, kw_only=True)
class Formula:
    """`factor` times one aggregate, or times one aggregate divided by another."""

    factor: Fraction
    over: Aggregate
    under: Aggregate | None = None

    @property
    def aggregates(self) -> tuple[Aggregate, ...]:
        """The one or two aggregates."""
        return (self.over,) if self.under is None else (self.over, self.under)


def read_sql(text: str, *, where: str) -> Formula:
    """Read a formula in DuckDB's SQL, each column as `table.column`.

    Raises
    ------
    BadParameter
        When it does not parse or is no such formula; `where` says where it stands.
    """
    try:
        statements = sqlglot.parse(f"SELECT {text}", read="duckdb")
    except (SqlglotError, RecursionError) as error:
        raise checks.BadParameter(f"{where}: {text!r} is not a valid SQL expression.") from error
    tree = statements[0]
    plain = isinstance(tree, sge.Select) and len(statements) == len(tree.expressions) == 1
    if tree is None or not plain or any(v for k, v in tree.args.items() if k != "expressions"):
        raise checks.BadParameter(f"{where}: {text!r} must be one SQL expression, not a query.")
    return read_tree(tree.expressions[0].unalias(), where=where)


def read_tree(tree: sge.Expression, *, where: str) -> Formula:
    """Read a formula that is parsed already.

    Raises
    ------
    BadParameter
        As `read_sql` does.
    """
    match tree:
        case sge.Paren() | sge.Nullif(expression=sge.Literal(this="0")):
            return read_tree(tree.this, where=where)
        case sge.Cast() if tree.to.is_type(*sge.DataType.REAL_TYPES):  # all division is real here
            return read_tree(tree.this, where=where)
        case sge.Mul() if _number(tree.this) or _number(tree.expression):
            number, rest = tree.this, tree.expression
            number, rest = (number, rest) if _number(number) else (rest, number)
            return _times(read_tree(rest, where=where), _number(number), where=where)
        case sge.Div():
            return _quotient(tree, where=where)
    return Formula(factor=Fraction(1), over=_aggregate(tree, where=where))


def _quotient(tree: sge.Div, *, where: str) -> Formula:
    over = read_tree(tree.this, where=where)
    divisor = _number(tree.expression)
    if divisor:
        return _times(over, 1 / divisor, where=where)
    under = read_tree(tree.expression, where=where)
    if over.under or under.under:
        raise checks.BadParameter(f"{where}: {tree.sql('duckdb')!r} may divide once only.")
    whole = Formula(factor=over.factor, over=over.over, under=under.over)
    return _times(whole, 1 / under.factor, where=where)


def _times(formula: Formula, factor: Fraction, *, where: str) -> Formula:
    product = formula.factor * factor
    if max(product.numerator, product.denominator) > _LARGEST_FACTOR:
        raise checks.BadParameter(
            f"{where}: the factor {float(product):g} needs a numerator and a denominator of at "
            f"most {_LARGEST_FACTOR:,}."
        )
    return Formula(factor=product, over=formula.over, under=formula.under)


def _number(tree: sge.Expression) -> Fraction:
    """Return the positive number that a literal is, or 0 for anything else."""
    plain = isinstance(tree, sge.Literal) and not tree.is_string
    return Fraction(tree.this) if plain else Fraction(0)


def _aggregate(tree: sge.Expression, *, where: str) -> Aggregate:
    inner, condition = tree, None
    if isinstance(tree, sge.Filter):
        inner, condition = tree.this, tree.expression.this
    value, distinct = inner.this, isinstance(inner.this, sge.Distinct)
    if distinct and len(value.expressions) == 1:
        value = value.expressions[0]
    if not isinstance(inner, sge.Sum | sge.Count) or inner.expressions or not value:
        raise _no_aggregate(inner, where=where)
    table = _table(tree, where=where)
    if isinstance(value, sge.Star):  # every row has the first column of its contract
        value = sge.column(CONTRACTS[table].columns[0].name)
    found = Aggregate(
        table=table,
        kind="sum" if isinstance(inner, sge.Sum) else "distinct" if distinct else "count",
        value=_bare(value),
        condition=_bare(condition) if condition else "",
        text=tree.sql(dialect="duckdb", comments=False),
    )
    _check(found, where=where, is_distinct=distinct)
    return found


def _no_aggregate(tree: sge.Expression, *, where: str) -> checks.BadParameter:
    text = tree.sql(dialect="duckdb")
    if isinstance(tree, sge.Avg):
        inner = tree.this.sql(dialect="duckdb")
        rewritten = f"write sum({inner}) / count({inner})"
    else:
        rewritten = (
            "write sum(...) or count(...) of columns of one table, each perhaps with filter (where "
            "...), or one divided by another"
        )
    return checks.BadParameter(f"{where}: {text!r} cannot be added up over customers: {rewritten}.")


def _table(tree: sge.Expression, *, where: str) -> TableName:
    """Return the one table that all columns of an aggregate name."""
    columns, text = list(tree.find_all(sge.Column)), tree.sql(dialect="duckdb")
    for column in columns:
        if not column.table or column.args.get("db"):
            raise checks.BadParameter(
                f"{where}: {text!r} must write each column as table.column, such as orders.amount, "
                f"got {column.sql(dialect='duckdb')!r}."
            )
    named = sorted({column.table.casefold() for column in columns})
    checks.known(where, "table", named, CONTRACTS)
    if not named:
        raise checks.BadParameter(
            f"{where}: {text!r} names no column and so no table; write count(orders.order_id) or "
            "the like."
        )
    if len(named) > 1:
        raise checks.BadParameter(
            f"{where}: {text!r} must be about one table, but names {' and '.join(named)}."
        )
    return cast("TableName", named[0])


def _bare(tree: sge.Expression) -> str:
    """Write an expression over one row of its table: columns without the name of the table."""
    bare = tree.copy()
    for column in bare.find_all(sge.Column):
        column.set("this", sge.to_identifier(column.name))
        column.set("table", None)
    return bare.sql(dialect="duckdb")


def _check(aggregate: Aggregate, *, where: str, is_distinct: bool) -> None:
    """Refuse what can be judged without data: unknown columns, guards, what does not add up."""
    contract = CONTRACTS[aggregate.table]
    known = {contract.day, *(column.name for column in contract.columns)}
    for text in filter(None, (aggregate.value, aggregate.condition)):
        named = {c.name for c in sqlglot.parse_one(text, read="duckdb").find_all(sge.Column)}
        attributes = named if contract.takes_attributes else set()
        expressions.parse(text, columns=known | attributes, where=where)
    key = contract.key if len(contract.key) == 1 else ()
    adds_up = {"customer_id", "order_id", contract.day, *key} & known
    if is_distinct and (aggregate.kind == "sum" or aggregate.value.casefold() not in adds_up):
        raise checks.BadParameter(
            f"{where}: {aggregate.text!r} does not add up over customers. Different values can be "
            f"counted of {', '.join(sorted(adds_up))}."
        )


def _is_money(tree: sge.Expression, contract: Contract) -> bool:
    match tree:
        case sge.Column():
            return contract.column(tree.name.casefold()).kind == "money"
        case sge.Paren() | sge.Neg() | sge.Coalesce() | sge.Abs() | sge.Cast():
            return _is_money(tree.this, contract)
        case sge.Add() | sge.Sub() | sge.Mul():
            return _is_money(tree.this, contract) or _is_money(tree.expression, contract)
        case sge.Div():
            return _is_money(tree.this, contract) and not _is_money(tree.expression, contract)
    return False


def rows(aggregate: Aggregate, shop: Snapshot, period: Period, *, where: str) -> ir.Table:
    """Give the rows of a period that an aggregate is about: `customer_id`, `value`.

    `value` is a whole number or a float64 to be added up, or anything to be counted.

    Raises
    ------
    BadParameter
        When the engine refuses an expression, or values that are no numbers are to be summed.
    BadData
        When the shop lacks the table.
    """
    table = _dated(aggregate.table, shop)
    day = table[CONTRACTS[aggregate.table].day]
    table = table.filter(day.between(period.first, period.last))
    if aggregate.condition:
        table = expressions.add_conditions(table, {"_kept": aggregate.condition}, where=where)
        table = table.filter("_kept")
    table = expressions.add(table, {"_value": aggregate.value}, where=where)
    found = table.select("customer_id", value="_value")
    if aggregate.kind != "sum":
        return found
    return found.mutate(value=_summable(found.value, aggregate, where=where))


def _dated(name: TableName, shop: Snapshot) -> ir.Table:
    """A canonical table with customer and day; order lines have theirs from their order."""
    table: ir.Table = getattr(shop, name)
    if name != "order_lines":
        return table
    return table.inner_join(shop.orders.select("order_id", *_OF_ORDERS), "order_id")


def _summable(value: ir.Value, aggregate: Aggregate, *, where: str) -> ir.Value:
    kind = value.type()
    if kind.is_integer() or kind.is_boolean():
        return value.cast("int64")
    if kind.is_numeric():
        return value.cast("float64")
    raise checks.BadParameter(
        f"{where}: {aggregate.text!r} must add up numbers, but they are of the type {kind}."
    )


def has_fractions(aggregate: Aggregate, found: ir.Table) -> bool:
    """Whether its `rows` have values that are not whole and are to be summed."""
    return aggregate.kind == "sum" and not found.value.type().is_integer()


def per_customer(aggregate: Aggregate, found: ir.Table, *, scale: int) -> ir.Table:
    """Add `rows` up: `customer_id`, `total` (int64), `scale` times the aggregate of each customer.

    Fractions are multiplied by the scale and rounded row by row, so that integers are summed.
    """
    value, by = found.value, found.group_by("customer_id")
    match aggregate.kind:
        case "count":
            total = value.count() * scale
        case "distinct":
            total = value.nunique() * scale
        case "sum" if value.type().is_integer():
            total = value.sum() * scale
        case "sum":
            total = (value * scale).round().cast("int64").sum()
    return by.aggregate(total=total.cast("int64").fill_null(0))
