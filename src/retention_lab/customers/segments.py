"""Who is in which segment, by the playbook's ordered rules, and why."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from decimal import Decimal

import ibis
import ibis.expr.types as ir
from pydantic import ValidationError

from retention_lab import checks
from retention_lab.customers import rfm
from retention_lab.customers.activity import activity_tier
from retention_lab.customers.rfm import EVERYBODY, MEASURES, Cuts
from retention_lab.tables.parsing import minor_digits
from retention_lab.tables.segment import BINS, Cell, Segment, Segments, first_fit
from retention_lab.tables.settings import first_problem

_DID = {
    "recency": "last bought {} ago",
    "frequency": "bought on {}{}",
    "monetary": "spent {} less returns{}",
}


def segmented(summary: ir.Table, *, cuts: Cuts, segments: Segments) -> ir.Table:
    """Put every customer into one value cohort, one named segment and one tier of activity.

    Parameters
    ----------
    summary
        As `customers.summary.purchases` makes it.
    cuts
        Five scores of each measure.
    segments
        The rules; the first that fits a customer counts, and the last fits everybody.

    Returns
    -------
    Table
        The summary with `recency_score`, `frequency_score`, `monetary_score` (1 to 5), and the
        names `cohort`, `segment` and `activity` (days since the last purchase).

    Raises
    ------
    BadParameter
        If the lines make another number of scores than the rules know.
    """
    _check(cuts)
    scored = rfm.scores(summary, cuts)
    return scored.mutate(
        cohort=_named(scored, segments.cohorts),
        segment=_named(scored, segments.named),
        activity=_tier(scored.last_days, segments.activity),
    )


def with_rules(
    rules: Segments,
    cohort: str = "",
    *,
    least: Sequence[int] = (),
    activity: Sequence[int] = (),
    within: int | None = None,
) -> Segments:
    """Move what people move in rules by hand; what is not said stays as it is.

    Parameters
    ----------
    rules
        Of a playbook.
    cohort, least
        Which value cohort, and the lowest scores of recency, frequency and monetary value that it
        asks for.
    activity
        Days since the last purchase that end a tier.
    within
        The last days that are scored.

    Raises
    ------
    BadParameter
        If there is no such cohort, or nobody can be in a cohort any more, or the days do not rise.
    """
    fields = rules.model_dump()
    checks.known(
        "with_rules", "cohort", [cohort] if cohort else [], [rule.name for rule in rules.cohorts]
    )
    for one in fields["cohorts"]:
        if one["name"] == cohort and least:
            bounds = zip(MEASURES, least, strict=True)
            one |= {measure: (low, one[measure][1]) for measure, low in bounds}
    fields |= {"activity": tuple(activity)} if activity else {}
    fields |= {"within": within} if within else {}
    try:
        return Segments.model_validate(fields)
    except ValidationError as error:
        raise checks.BadParameter(f"The rules: {first_problem(error, model=Segments)}") from error


def why(
    customer: Mapping[str, int], *, cuts: Cuts, rules: Sequence[Segment], within: int | None
) -> str:
    """Say in a sentence why a customer is in the segment that they are in.

    Parameters
    ----------
    customer
        `last_days`, `purchases`, `purchases_within` and `revenue_within` (minor units) of the
        summary.
    cuts, rules
        As `segmented` takes them: `rules` are its cohorts or its named segments.
    within
        The days within which the summary looks; None for all.

    Raises
    ------
    BadParameter
        As `segmented` does.
    """
    _check(cuts)
    marks: list[int] = []
    told = []
    for measure, column in MEASURES.items():
        key = "".join(map(str, marks))
        edges = cuts.edges(measure, key if key in getattr(cuts, measure) else EVERYBODY)
        place, value = bisect_right(edges, customer[column]), customer[column]
        marks.append(cuts.bins - place if measure == "recency" else place + 1)
        text = _told(measure, value, marks[-1], edges=edges, currency=cuts.currency, within=within)
        told.append(text)
    recency, frequency, monetary = marks
    cell: Cell = (recency, frequency, monetary, "once" if customer["purchases"] == 1 else "again")
    rule = first_fit(rules, cell)
    above = "" if rule in (rules[0], rules[-1]) else ", and no rule above it fits"
    return (
        f"In {rule.name}, as this customer {told[0]}, {told[1]} and {told[2]}: "
        f"{rule.name} takes {_taken(rule)}{above}."
    )


def _check(cuts: Cuts) -> None:
    if cuts.bins != BINS:
        raise checks.BadParameter(
            f"The rules of segments know scores from 1 to {BINS}, but the cut lines make "
            f"{cuts.bins}; draw {BINS - 1} lines for each measure."
        )


def _named(scored: ir.Table, rules: Sequence[Segment]) -> ir.StringValue:
    return ibis.cases(*((_fits(scored, rule), rule.name) for rule in rules))


def _fits(scored: ir.Table, rule: Segment) -> ir.BooleanValue:
    """The rule as an expression, as `Segment.fits` is for one customer."""
    bounds = [scored[f"{measure}_score"].between(*getattr(rule, measure)) for measure in MEASURES]
    if rule.bought is not None:
        bounds.append((scored.purchases == 1) == (rule.bought == "once"))
    return ibis.and_(*bounds)


def _tier(days: ir.IntegerColumn, edges: Sequence[int]) -> ir.StringValue:
    *first, last = activity_tier([*edges, edges[-1] + 1], edges=edges)
    choices = [(days <= edge, name) for edge, name in zip(edges, first, strict=True)]
    return ibis.cases(*choices, else_=last)


def _told(
    measure: str, value: int, score: int, *, edges: Sequence[int], currency: str, within: int | None
) -> str:
    """Say what the customer did, the score it has, and which values have it."""
    window = "" if within is None else f" in the last {within:,} days"
    did = _DID[measure].format(_amount(measure, value, currency), window)
    place = bisect_right(edges, value)
    from_, under = (
        _amount(measure, edges[at], currency) if 0 <= at < len(edges) else ""
        for at in (place - 1, place)
    )
    bounds = (f"{from_} or more", f"{from_} to under {under}", f"under {under}")
    span = bounds[2 if not from_ else 1 if under else 0]
    return f"{did} ({measure} {score} of {BINS}: {span})"


def _amount(measure: str, value: int, currency: str) -> str:
    if measure == "monetary":
        digits = minor_digits(currency)
        return f"{Decimal(value).scaleb(-digits):,.{digits}f} {currency}"
    return f"{value:,} day{'' if value == 1 else 's'}"


def _taken(rule: Segment) -> str:
    """Say whom a rule takes."""
    asked = [
        f"{measure} {low}" if low == high else f"{measure} {low} to {high}"
        for measure in MEASURES
        for low, high in [getattr(rule, measure)]
        if (low, high) != (1, BINS)
    ]
    if rule.bought is not None:
        asked.append("one purchase" if rule.bought == "once" else "two purchases or more")
    if not asked:
        return "all others"
    listed = " and ".join(filter(None, (", ".join(asked[:-1]), asked[-1])))
    return f"customers with {listed}"
