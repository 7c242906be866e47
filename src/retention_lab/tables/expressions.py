"""SQL expressions written by people, in DuckDB's dialect, run on any engine.

An expression sees one row of one table and nothing else: no other row (a window could see later
ones), no other table, no clock and no chance.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import ibis
import ibis.expr.types as ir
import sqlglot
import sqlglot.expressions as sge
from sqlglot.errors import SqlglotError

from retention_lab import checks

_BEYOND_THE_ROW = (
    sge.AggFunc,
    sge.CurrentDate,
    sge.CurrentDatetime,
    sge.CurrentTime,
    sge.CurrentTimestamp,
    sge.Explode,
    sge.Query,
    sge.Rand,
    sge.Star,
    sge.Uuid,
    sge.Window,
)
_CLOCKS = {"now", "today", "get_current_time", "get_current_timestamp", "transaction_timestamp"}


def parse(text: str, *, columns: Iterable[str], where: str) -> sge.Expression:
    """Return the parsed expression with its column names quoted as the table spells them.

    Raises
    ------
    BadParameter
        As `tree` does, or when it names an unknown column.
    """
    return spelled(tree(text, where=where), columns=columns, where=where)


def tree(text: str, *, where: str) -> sge.Expression:
    """Return the parsed expression, whatever columns it names.

    Raises
    ------
    BadParameter
        When it is no single expression over one row; `where` says where it stands.
    """
    try:
        statements = sqlglot.parse(f"SELECT {text}", read="duckdb")
    except SqlglotError as error:
        raise checks.BadParameter(f"{where}: {text!r} is not a valid SQL expression.") from error
    query = statements[0]
    if len(statements) > 1 or not isinstance(query, sge.Select) or len(query.expressions) != 1:
        raise checks.BadParameter(f"{where}: {text!r} must be one SQL expression.")
    if any(clause for name, clause in query.args.items() if name != "expressions"):
        raise checks.BadParameter(f"{where}: {text!r} must be an expression, not a query.")
    expression: sge.Expression = query.expressions[0].unalias()
    called = {function.name.lower() for function in expression.find_all(sge.Anonymous)}
    if called & _CLOCKS or next(expression.find_all(*_BEYOND_THE_ROW), None) is not None:
        raise checks.BadParameter(
            f"{where}: {text!r} must be an expression over the columns of one row: no query, no "
            "sum or window over rows, no present time, nothing random."
        )
    return expression


def spelled(expression: sge.Expression, *, columns: Iterable[str], where: str) -> sge.Expression:
    """Quote the column names of an expression as the table spells them.

    Raises
    ------
    BadParameter
        When it names an unknown column.
    """
    spelling = {name.casefold(): name for name in columns}
    for column in list(expression.find_all(sge.Column)):
        name = spelling.get(column.name.casefold(), column.name)
        checks.known(where, "column", [name], spelling.values())
        column.set("this", sge.to_identifier(name, quoted=True))
        column.set("table", None)
    return expression


def add(table: ir.Table, named: Mapping[str, str], *, where: str) -> ir.Table:
    """Add one column per named expression.

    Raises
    ------
    BadParameter
        When an expression does not parse, names an unknown column, or the engine refuses it.
    """
    if not named:
        return table
    view = ibis.util.gen_name("rows")
    wanted = [
        sge.alias_(parse(text, columns=table.columns, where=where), name, quoted=True)
        for name, text in named.items()
    ]
    query = sge.select(sge.Star(), *wanted).from_(sge.to_identifier(view)).sql(dialect="duckdb")
    try:
        return table.alias(view).sql(query, dialect="duckdb")
    except Exception as error:  # each engine words a type mismatch in its own exception
        first = str(error).strip().split("\n")[0][:160]
        raise checks.BadParameter(
            f"{where}: the engine refuses {' or '.join(map(repr, named.values()))} ({first})."
        ) from error


def add_conditions(table: ir.Table, named: Mapping[str, str], *, where: str) -> ir.Table:
    """Add one truth value per named condition; where it is missing, the condition does not hold.

    Raises
    ------
    BadParameter
        As `add` does, or when an expression is no condition.
    """
    table = add(table, named, where=where)
    for name, text in named.items():
        if not table[name].type().is_boolean():
            raise checks.BadParameter(
                f"{where}: {text!r} is no condition: it must be true or false for each row."
            )
    return table.mutate(**{name: table[name].fill_null(False) for name in named})
