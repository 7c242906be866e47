"""Which customers are meant: conditions over what is known of them, and saved cohorts in these.

A condition is SQL over the columns of customers and over `FACTS` of their orders;
`cohort('uk-august')` in it stands for a saved cohort.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import ibis
import ibis.expr.types as ir
import sqlglot.expressions as sge
from ibis import _

from retention_lab import checks
from retention_lab.tables import engine, expressions, saved

if TYPE_CHECKING:
    from retention_lab.tables.snapshot import Snapshot

FACTS = {  # of each customer's orders
    "first_ordered_on": _.ordered_on.min(),
    "last_ordered_on": _.ordered_on.max(),
    "order_days": _.ordered_on.nunique(),
}
_LATER = {"last_ordered_on", "order_days"}  # these go on changing after the first purchase
_PLACE = "The condition"  # as people give it: on the command line, in a suite, to the lab
_COMMON, _FEW = 3, 10  # values that a hint shows, each shared by so many customers


def chosen(shop: Snapshot, where: str) -> ir.Table:
    """Return the customers for whom a condition holds: one column, `customer_id`.

    An empty condition means everybody.

    Raises
    ------
    BadParameter
        When the condition or a cohort in it is not understood.
    BadData
        When nobody is left, or the list of a cohort cannot be trusted.
    """
    return customers(shop, where).select("customer_id")


def customers(shop: Snapshot, where: str) -> ir.Table:
    """Return the rows of customers for whom a condition holds; raises as `chosen` does."""
    if not where.strip():
        return shop.customers
    table, text = _prepared(shop, where)
    marked = expressions.add_conditions(table, {"_kept": text}, where=_PLACE)
    try:
        kept = engine.keep(marked.filter("_kept").select(shop.customers.columns), where=_PLACE)
    except checks.BadData as error:  # the condition of a person, not the data, is at fault
        raise checks.BadParameter(f"{error}") from error
    if not count(kept):
        hints = "; ".join(_hints(table, text)) or "check the spelling of the value"
        raise checks.BadData(f"No customer of {shop.name} fits {where!r}: {hints}.")
    return kept


def count(table: ir.Table) -> int:
    """Count the rows of a table."""
    return int(engine.collect(table.aggregate(rows=table.count()))["rows"].iloc[0])


def looks_ahead(where: str) -> bool:
    """Say whether a condition chooses customers by what they did after their first purchase.

    Shares of who returned are then not comparable: whoever bought again was chosen for it. A list
    of customers may have been chosen by anything, so it counts.

    Raises
    ------
    BadParameter
        When the condition or a cohort in it is not understood.
    """
    tree = _expanded(where, place=_PLACE) if where.strip() else sge.true()
    return bool(_named(tree) & _LATER or _cohorts(tree))


def spelled_out(where: str, *, of: str | None = None) -> str:
    """Return a condition with the rules of its cohorts in their place; lists keep their names.

    So what a report rests on stays known when a rule changes. As the rule `of` a cohort, it may not
    use that one.

    Raises
    ------
    BadParameter
        When the condition or a cohort in it is not understood, or uses itself.
    """
    within = () if of is None else (of,)
    return _expanded(where, place=_PLACE, within=within).sql("duckdb") if where.strip() else ""


def identified(where: str) -> list[str]:
    """Return what changes when a condition means others: itself spelled out, and its lists' hashes.

    Raises
    ------
    BadParameter
        When the condition or a cohort in it is not understood.
    """
    if not where.strip():
        return []
    tree = _expanded(where, place=_PLACE)
    lists = [f"{name} {saved.load(name).ids_hash}" for name in sorted(_cohorts(tree))]
    return [tree.sql("duckdb"), *lists]


def both(first: str, second: str) -> str:
    """Join two conditions, either of which may be empty."""
    return f"({first}) and ({second})" if first and second else first or second


def _prepared(shop: Snapshot, where: str) -> tuple[ir.Table, str]:
    """Give customers the columns that a condition needs, and the condition over these."""
    tree = _expanded(where, place=_PLACE, columns=[*shop.customers.columns, *FACTS])
    table = _with_facts(shop, _named(tree) & set(FACTS))
    for name in sorted(_cohorts(tree)):
        table = _with_list(table, saved.load(name), shop=shop)
    if not _cohorts(expressions.tree(where, where=_PLACE)):
        return table, where  # what is said of it quotes what the person wrote
    return table, tree.transform(_as_column).sql("duckdb")


def _expanded(
    where: str, *, place: str, columns: Sequence[str] | None = None, within: tuple[str, ...] = ()
) -> sge.Expression:
    """Parse a condition and put the rules of its cohorts in their place, as they are now.

    Where a rule is neither true nor false, a customer is not in the cohort. With `columns`, names
    are spelled as these are.
    """

    def with_rule(node: sge.Expression) -> sge.Expression:
        if not _is_cohort(node):
            return node
        name = _name(node, place=place)
        if name in within:
            raise checks.BadParameter(
                f"The cohort {name!r} uses itself: {' uses '.join((*within, name))}."
            )
        rule = saved.load(name).where
        if rule is None:
            return node
        inside = _expanded(
            rule, place=f"The cohort {name!r}", columns=columns, within=(*within, name)
        )
        return sge.Coalesce(this=inside, expressions=[sge.false()])

    tree = expressions.tree(where, where=place)
    if any(node.comments for node in tree.walk()):  # it will stand beside others on one line
        raise checks.BadParameter(f"{place}: {where!r} must be a condition without a comment.")
    tree = tree.transform(with_rule)
    return tree if columns is None else expressions.spelled(tree, columns=columns, where=place)


def _is_cohort(node: sge.Expression) -> bool:
    return isinstance(node, sge.Anonymous) and node.name.casefold() == "cohort"


def _name(call: sge.Expression, *, place: str) -> str:
    """Return the name that a call of `cohort` gives."""
    given = call.expressions
    if len(given) != 1 or not given[0].is_string:
        raise checks.BadParameter(
            f"{place}: {call.sql('duckdb')} must give the name of one saved cohort in single "
            "quotes, such as cohort('uk-august')."
        )
    return str(given[0].name)


def _cohorts(tree: sge.Expression) -> set[str]:
    """Name the cohorts that a parsed condition still calls."""
    return {_name(node, place=_PLACE) for node in tree.walk() if _is_cohort(node)}


def _as_column(node: sge.Expression) -> sge.Expression:
    return sge.column(_mark(_name(node, place=_PLACE)), quoted=True) if _is_cohort(node) else node


def _mark(name: str) -> str:
    return f"cohort {name}"


def _named(tree: sge.Expression) -> set[str]:
    """Name the columns of a parsed condition, in small letters."""
    return {column.name.casefold() for column in tree.find_all(sge.Column)}


def _with_facts(shop: Snapshot, wanted: set[str]) -> ir.Table:
    """Join the facts that a condition names; who never bought has bought on 0 days."""
    if not wanted:
        return shop.customers
    taken = wanted & set(map(str.casefold, shop.customers.columns))
    if taken:
        raise checks.BadParameter(
            f"{min(taken)} is an attribute of the customers of {shop.name}, but also what "
            "conditions call a fact of their orders. Give the attribute another name in the "
            "source file."
        )
    facts = shop.orders.group_by("customer_id").aggregate(
        **{name: FACTS[name] for name in sorted(wanted)}
    )
    table = shop.customers.left_join(facts, "customer_id").drop("customer_id_right")
    days = {"order_days": table.order_days.fill_null(0)} if "order_days" in wanted else {}
    return table.mutate(**days)


def _with_list(table: ir.Table, cohort: saved.Cohort, *, shop: Snapshot) -> ir.Table:
    """Mark the customers of a list."""
    if cohort.source != shop.name:
        raise checks.BadParameter(
            f"The cohort {cohort.name!r} lists customers of {cohort.source}, and this is "
            f"{shop.name}. Save a cohort of {shop.name}."
        )
    mark = _mark(cohort.name)
    ids = engine.put(saved.ids_of(cohort), con=table.get_backend())
    listed = ids.select("customer_id", **{mark: ibis.literal(True)})
    marked = table.left_join(listed, "customer_id").drop("customer_id_right")
    return marked.mutate(**{mark: marked[mark].fill_null(False)})


def _hints(table: ir.Table, text: str) -> Iterator[str]:
    """Tell what there is in the columns that a condition compares."""
    named = _named(expressions.tree(text, where=_PLACE)) - {"customer_id"}
    for name in (name for name in table.columns if name.casefold() in named):
        value = table[name]
        if value.type().is_string():
            counts = table.filter(value.notnull()).group_by(value=value).agg(customers=_.count())
            common = counts.filter(_.customers >= _FEW).order_by(_.customers.desc(), _.value)
            found = engine.collect(common.limit(_COMMON))
            pairs = zip(found["value"], found["customers"], strict=True)
            words = ", ".join(f"{one!r} ({customers:,})" for one, customers in pairs)
            yield from [f"{name} has {words}"] if words else []
        elif value.type().is_date():
            span = engine.collect(table.aggregate(first=value.min(), last=value.max())).iloc[0]
            yield f"{name} runs from {span['first']:%Y-%m-%d} to {span['last']:%Y-%m-%d}"
