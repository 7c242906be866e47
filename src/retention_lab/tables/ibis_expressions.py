"""Ibis expressions written by people, such as `orders.amount.sum() / orders.order_id.nunique()`.

They are read, not run: Python's own parser gives the tree, and only names of tables, columns and a
fixed list of methods and operators mean anything. What results is the same tree as that of SQL.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable

import ibis
import ibis.expr.operations as ops
import ibis.expr.types as ir
import sqlglot
import sqlglot.expressions as sge

from retention_lab import checks
from retention_lab.tables.contracts import CONTRACTS

_TYPES = {"text": "string", "time": "timestamp(6)", "money": "int64", "whole": "int64"}
_ID = {"order_lines": "order_id"}
_METHODS = (
    *("sum", "count", "nunique", "mean", "min", "max", "median"),  # over rows; SQL judges which
    *("isin", "isnull", "notnull", "between", "fill_null", "nullif", "ifelse", "cast"),
    *("abs", "round", "floor", "ceil"),
    *("lower", "upper", "strip", "length", "contains", "startswith", "endswith", "like"),
    *("year", "quarter", "month", "day", "hour", "date"),
)
_OPERATORS: dict[type[ast.AST], Callable[..., object]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.BitAnd: operator.and_,
    ast.BitOr: operator.or_,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Invert: operator.invert,
    ast.USub: operator.neg,
}


def parse(text: str, *, where: str) -> sge.Expression:
    """Return the tree that the SQL of the same formula has, each column named with its table.

    Raises
    ------
    BadParameter
        When it is no such expression; `where` says where it stands.
    """
    try:
        tree = ast.parse(text.strip(), mode="eval")
        value = _Reader(tree).value(tree.body)
        if not isinstance(value, ir.Scalar):
            raise checks.BadParameter("it is no one number; end it with .sum() or .count().")
        return _sql(value.op())
    except checks.Refusal as error:
        raise checks.BadParameter(f"{where}: {text!r} cannot be read: {error}") from error
    except Exception as error:  # Python's parser and Ibis have many
        reason = " ".join(str(error).split())[:160].rstrip(".")
        raise checks.BadParameter(f"{where}: {text!r} cannot be read: {reason}.") from error


class _Reader:
    """Evaluates the nodes that mean something, on tables without rows."""

    def __init__(self, tree: ast.AST) -> None:
        self._named = {
            (node.value.id, node.attr)
            for node in ast.walk(tree)
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)
        }

    def value(self, node: ast.expr) -> object:
        match node:
            case ast.Constant(value=str() | int() | float()):
                return node.value
            case ast.List() | ast.Tuple():
                return [self.value(part) for part in node.elts]
            case ast.Attribute(value=ast.Name(id=table), attr=column):
                return self._column(table, column)
            case ast.Call(func=ast.Attribute() as func):
                return self._call(func, node)
            case ast.BinOp(left=left, op=sign, right=right):
                parts = [left, right]
            case ast.Compare(left=left, ops=[sign], comparators=[right]):
                parts = [left, right]
            case ast.UnaryOp(op=sign, operand=operand):
                parts = [operand]
            case _:
                raise _not_understood(node)
        return _operate(sign, *(self.value(part) for part in parts))

    def _column(self, table: str, name: str) -> ir.Column:
        checks.known("a shop", "table", [table], CONTRACTS)
        contract = next(contract for known, contract in CONTRACTS.items() if known == table)
        kinds = {column.name: _TYPES[column.kind] for column in contract.columns}
        kinds[contract.day] = "date"
        if contract.takes_attributes:  # which are text, and known only where there is a shop
            kinds = {name: "string" for of, name in sorted(self._named) if of == table} | kinds
        checks.known(table, "column", [name], kinds)
        return ibis.table(kinds, name=table)[name]

    def _call(self, func: ast.Attribute, node: ast.Call) -> object:
        checks.known("a column", "method", [func.attr], _METHODS)
        match func:
            case ast.Attribute(value=ast.Name(id=table), attr="count"):  # no row lacks its id
                checks.known("a shop", "table", [table], CONTRACTS)
                owner: object = self._column(table, _ID.get(table, "customer_id"))
            case _:
                owner = self.value(func.value)
        if not isinstance(owner, ir.Value):
            raise _not_understood(node)
        if not hasattr(owner, func.attr):
            raise checks.BadParameter(
                f"{ast.unparse(func.value)} has no {func.attr}(), as its type is {owner.type()}. "
                "An attribute, like any column that the contract does not know, is text."
            )
        words = {str(word.arg): self.value(word.value) for word in node.keywords}
        checks.known(func.attr, "keyword", words, ["where"])
        return getattr(owner, func.attr)(*(self.value(part) for part in node.args), **words)


def _operate(sign: ast.AST, *values: object) -> object:
    of_columns = any(isinstance(value, ir.Value) for value in values)
    if type(sign) not in _OPERATORS or not (
        of_columns or all(isinstance(value, int | float) for value in values)
    ):
        raise checks.BadParameter(
            "only arithmetic, comparisons and & | ~ between columns and values are understood."
        )
    return _OPERATORS[type(sign)](*values)


def _not_understood(node: ast.expr) -> checks.BadParameter:
    return checks.BadParameter(
        f"{ast.unparse(node)!r} is not understood. Write columns as orders.amount, what to do with "
        "them as their methods, and conditions in brackets, joined by & or |."
    )


def _sql(op: ops.Node) -> sge.Expression:
    match op:
        case ops.Divide():
            return sge.Div(this=_sql(op.left), expression=_sql(op.right))
        case ops.Multiply():
            return sge.Mul(this=_sql(op.left), expression=_sql(op.right))
        case ops.Cast() if op.to.is_floating():
            return _sql(op.arg)
        case ops.NullIf():
            return sge.Nullif(this=_sql(op.arg), expression=_sql(op.null_if_expr))
        case ops.Literal():
            return sge.Literal.number(str(op.value))
        case ops.Reduction() if len(op.relations) == 1:
            return _reduction(op)
    raise checks.BadParameter(
        "a formula is a sum or a count over one table, or one divided by another."
    )


def _reduction(op: ops.Reduction) -> sge.Expression:
    """Let Ibis write the SQL, and name each column's table as people do."""
    text = str(ibis.to_sql(op.to_expr().as_table(), dialect="duckdb"))
    query = sqlglot.parse_one(text, read="duckdb")
    (table,) = (relation.name for relation in op.relations)
    for column in query.find_all(sge.Column):
        column.set("this", sge.to_identifier(column.name))
        column.set("table", sge.to_identifier(table))
    reduction: sge.Expression = query.expressions[0].unalias()
    return reduction
