"""SQL expressions written by people: one scalar expression over known columns, in DuckDB's dialect, run on any engine."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import ibis
import ibis.expr.types as ir
import sqlglot
import sqlglot.expressions as sge
from sqlglot.errors import SqlglotError

from retention_lab import checks


def parse(text: str, *, columns: Iterable[str], where: str) -> sge.Expression:
    """Return the parsed expression with its column names quoted as the table spells them.

    Raises
    ------
    BadParameter
        When it is no single expression, reads another table, or names an unknown column; `where` says where it stands.
    """
    try:
        tree = sqlglot.parse_one(f"SELECT {text}", read="duckdb")
    except SqlglotError as error:
        raise checks.BadParameter(f"{where}: {text!r} is not a valid SQL expression.") from error
    if not isinstance(tree, sge.Select) or len(tree.expressions) != 1 or len(list(tree.find_all(sge.Query))) > 1:
        raise checks.BadParameter(f"{where}: {text!r} must be one expression over the table's own columns.")
    if any(clause for name, clause in tree.args.items() if name not in ("expressions", "kind")):
        raise checks.BadParameter(f"{where}: {text!r} must be an expression, not a query.")
    spelled = {name.casefold(): name for name in columns}
    for column in tree.find_all(sge.Column):
        checks.known(where, "column", [spelled.get(column.name.casefold(), column.name)], spelled.values())
        column.set("this", sge.to_identifier(spelled[column.name.casefold()], quoted=True))
        column.set("table", None)
    return tree.expressions[0]


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
        sge.alias_(parse(text, columns=table.columns, where=where), name, quoted=True) for name, text in named.items()
    ]
    query = sge.select(sge.Star(), *wanted).from_(sge.to_identifier(view)).sql(dialect="duckdb")
    try:
        return table.alias(view).sql(query, dialect="duckdb")
    except Exception as error:  # each engine words a type mismatch in its own exception
        first = str(error).strip().split("\n")[0][:160]
        raise checks.BadParameter(f"{where}: the engine refuses {' or '.join(named.values())!r} ({first}).") from error
