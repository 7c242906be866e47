"""SQL over the canonical tables: one question, nothing changed by it."""

from __future__ import annotations

import re

import pandas as pd
import sqlglot
import sqlglot.expressions as sge
from sqlglot.errors import SqlglotError

from retention_lab import checks
from retention_lab.lab.answer import Answer
from retention_lab.tables.engine import collect
from retention_lab.tables.snapshot import Snapshot
from retention_lab.wording import counted

MOST_ROWS = 100_000
_MAKERS = (sge.Unnest, sge.GenerateSeries, sge.Values)  # of rows, out of nothing


def answer(shop: Snapshot, query: str) -> Answer:
    """Answer one SELECT in the SQL of DuckDB over the tables of a snapshot; raises as `ask`."""
    frame = ask(shop, query)
    return Answer(frame=frame, chart=None, sentence=f"{counted(len(frame), 'row')}.")


def ask(shop: Snapshot, query: str) -> pd.DataFrame:
    """Answer one SELECT in the SQL of DuckDB over the tables of a snapshot.

    Raises
    ------
    BadParameter
        When it is no single SELECT, reads anything else, or the engine refuses it.
    BadData
        When it gives more than `MOST_ROWS` rows.
    """
    _refuse_else(_parsed(query), shop)
    con = shop.customers.get_backend()
    for name, table in shop.tables.items():
        con.create_view(name, table, overwrite=True)
    try:
        return collect(con.sql(query.strip().rstrip(";"), dialect="duckdb"), max_rows=MOST_ROWS)
    except checks.BadData as error:
        raise checks.BadData(
            f"The query gives more than {MOST_ROWS:,} rows. Aggregate with GROUP BY, or add LIMIT."
        ) from error
    except Exception as error:  # each engine has exceptions of its own
        raise checks.BadParameter(f"The query fails: {_why(error)}") from error


def _parsed(query: str) -> sge.Expression:
    try:
        statements = [one for one in sqlglot.parse(query, read="duckdb") if one is not None]
    except SqlglotError as error:
        raise checks.BadParameter(f"The query is not valid SQL: {_why(error)}") from error
    if len(statements) != 1 or not isinstance(statements[0], sge.Query):
        raise checks.BadParameter(
            f"The query must be one SELECT, which changes nothing; got {query.strip()[:60]!r}."
        )
    return statements[0]


def _refuse_else(tree: sge.Expression, shop: Snapshot) -> None:
    """Refuse whatever reads other tables, or writes."""
    if next(tree.find_all(sge.DDL, sge.DML, sge.Into, sge.Command), None) is not None:
        raise checks.BadParameter("The query must be one SELECT, which changes nothing.")
    own = {each.alias.lower() for each in tree.find_all(sge.CTE)}
    for table in tree.find_all(sge.Table):
        if isinstance(table.this, _MAKERS):
            continue
        spelled = table.sql("duckdb") if table.db or not table.name else table.name
        checks.known("The query", "table", [spelled.lower()], [*sorted(shop.tables), *sorted(own)])


def _why(error: Exception) -> str:
    """Tell the engine's reason in one line, without its pointers into the query."""
    plain = re.sub(r"\x1b\[\d*m", "", str(error))
    lines = [line.strip() for line in plain.splitlines() if line.strip()]
    hints = [line for line in lines[1:] if line.startswith("Candidate bindings")]
    first = re.sub(r"^\w+ Error: ", "", lines[0])
    return ". ".join(line.rstrip(".!") for line in [first, *hints[:1]]) + "."
