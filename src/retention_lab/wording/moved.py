"""The sentences of moves between cohorts and of the cut lines that they are judged by."""

from __future__ import annotations

from functools import partial
from itertools import pairwise

import pandas as pd

from retention_lab.customers.rfm import EVERYBODY, MEASURES, Cuts
from retention_lab.customers.standing import Standing
from retention_lab.customers.thresholds import Method, Review
from retention_lab.record import SMALL, Ledger, headed, money
from retention_lab.record.segments import best
from retention_lab.record.small import few
from retention_lab.tables.parsing import minor_digits
from retention_lab.wording.annotations import inert
from retention_lab.wording.phrases import Instead, counted_unless_few, full_day, possessive, quoted

_METHODS: dict[Method, str] = {
    "quantile": "so that each score had about as many of those who bought as ties allow",
    "nested": "so that each score had about as many of those with the same scores before it",
    "fixed": "as somebody wrote them down",
}
STEADY, FAR = 0.1, 0.25  # the usual limits of the index
NOBODY = "nobody"  # between two lines that coincide


def segments_moved(ledger: Ledger, standing: Standing) -> str:
    """Say how many changed cohort, how many would by new lines alone, and how many by luck."""
    if standing.then is None:
        return ""
    if "segments_moved" not in ledger:
        said = [f"How many changed cohort would tell of fewer than {SMALL} customers."]
    else:
        moved = ledger["segments_moved"]
        many = moved.text if moved.value else "none"
        said = [
            f"With the same cut lines on both days, {many} of the {moved.n:,} customers of "
            f"{full_day(standing.then)} changed cohort."
        ]
    if "segments_redrawn" in ledger:
        redrawn = ledger["segments_redrawn"].text if ledger["segments_redrawn"].value else "nobody"
        said.append(
            f"Lines drawn anew today would move {redrawn} to another named segment, only because "
            "they were redrawn."
        )
    top = best(standing.rules.cohorts)
    if top is not None and "segments_by_chance" in ledger:
        left, chance = ledger["segments_left_long"], ledger["segments_by_chance"]
        said.append(
            f"Of {chance.n:,} moves of long-standing customers out of {inert(quoted(top.name))} or "
            f"into it, about {chance.full} are out of it by luck alone; {left.text} were."
        )
    return " ".join(said)


def segments_lines(ledger: Ledger, standing: Standing) -> pd.DataFrame | Instead:
    """List what each score of each measure takes, in days, purchases and money.

    Nested lines have a row for each of the scores before them. Lines of a few are not shown: they
    lie at what those few spent.
    """
    if "segments_customers" not in ledger:
        return Instead("")
    cuts, within = standing.thresholds.cuts, f"in the last {standing.within} days"
    heads = {
        "recency": "Days since the last purchase",
        "frequency": f"Days with a purchase {within}",
        "monetary": f"{headed('Spent less returns', cuts.currency)} {within}",
    }
    rows = [
        {"What is scored": heads[measure] + _given(key)} | _spans(cuts, measure, key)
        for measure in MEASURES
        for key in getattr(cuts, measure)
    ]
    return pd.DataFrame(rows).set_index("What is scored")


def _given(key: str) -> str:
    if key == EVERYBODY:
        return ""
    scores = zip(MEASURES, key, strict=False)
    return f", where {' and '.join(f'{measure} is {score}' for measure, score in scores)}"


def _spans(cuts: Cuts, measure: str, key: str) -> dict[str, str]:
    """Say from what to what each score reaches, the lowest score first."""
    edges: list[int | None] = [None, *cuts.edges(measure, key), None]
    write = partial(_amounts, currency=cuts.currency) if measure == "monetary" else _numbers
    spans = [write(low, high) for low, high in pairwise(edges)]
    ranked = spans[::-1] if measure == "recency" else spans
    return {f"Score {score}": span for score, span in enumerate(ranked, start=1)}


def _numbers(low: int | None, under: int | None) -> str:
    """Write whole numbers from one line up to the next; there are none below 0."""
    first = max(low or 0, 0)
    if under is None:
        return f"{first:,} or more"
    if under <= first:
        return NOBODY
    return f"{first:,}" if under == first + 1 else f"{first:,} to {under - 1:,}"


def _amounts(low: int | None, under: int | None, *, currency: str) -> str:
    """Write minor units from one line up to the next."""
    first, last = (
        "" if edge is None else money(edge / 10 ** minor_digits(currency), currency)
        for edge in (low, under)
    )
    if not last:
        return f"{first} or more"
    if low == under:
        return NOBODY
    return f"{first} to under {last}" if first else f"under {last}"


def segments_lines_read(standing: Standing) -> str:
    """Say of which day the cut lines are, who answers for them, and whether a review is due."""
    lines, day = standing.thresholds, full_day(standing.thresholds.as_of)
    how = _METHODS[lines.method]
    if not standing.frozen:
        return (
            f"No cut lines are frozen. These are drawn of the customers of {day}, {how}; the next "
            "page draws others, unless you freeze some with `retention-lab cuts SOURCE`."
        )
    owner, due = inert(lines.owner), full_day(lines.review_by)
    said = f"The cut lines are frozen since {day}, {how}."
    if lines.as_of > standing.as_of:
        said += " That is after the day of this page, which could not have known them."
    if lines.review_by < standing.as_of:
        return f"{said} **Their review was due by {due}; ask {owner} whether they still hold.**"
    return f"{said} {owner} answers for them and reviews them by {due}."


def segments_review(review: Review | None) -> str:
    """Say how far customers drifted from those of the lines, and how many new lines would move."""
    if review is None or review.customers < SMALL:
        return ""
    drifted = "; ".join(
        f"{row['measure']} {row['index']:.3f} ({_drift(row['index'], row['by_chance'])})"
        for row in review.stability.to_dict("records")
    )
    said = [
        f"How far the scores of {possessive('today')} customers lie from those of the day of the "
        f"lines: {drifted}. This stability index is 0 where each score has the same "
        f"share of customers on both days; below {STEADY} is called steady, from {FAR} on a reason "
        "to draw new lines. It does not say whether the change is good.",
        _redrawn(review),
    ]
    return " ".join(said)


def _drift(index: float, by_chance: float) -> str:
    if index <= by_chance:
        return "no more than chance"
    if index < STEADY:
        return "more than chance, but steady"
    return "drifting" if index < FAR else "far off"


def _redrawn(review: Review) -> str:
    whose = f"Lines drawn of {possessive('today')} customers would put"
    if few(review.customers - review.moving):
        return f"{whose} nearly everybody into another named segment."
    moving = counted_unless_few(review.moving, "customer") if review.moving else "nobody"
    return f"{whose} {moving} of {review.customers:,} into another named segment."
