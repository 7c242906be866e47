"""What is said of customers while lines and rules are moved by hand: one group, and what moves."""

from __future__ import annotations

from retention_lab.customers.collapsed_rfm import Moved
from retention_lab.customers.rfm import EVERYBODY, MEASURES
from retention_lab.customers.standing import Standing
from retention_lab.record import SMALL, Ledger
from retention_lab.tables.segment import BINS
from retention_lab.wording.annotations import inert
from retention_lab.wording.phrases import (
    capitalised,
    counted_unless_few,
    full_day,
    in_hundred,
    listed,
    quoted,
)

BY = {
    "cohort": "value cohort",
    "segment": "named segment",
    "activity": "days since the last purchase",
}
_AGEING = "; that is so as well where old customers simply stop for good"


def segments_live_says(seen: Moved, *, name: str, where: str, lines: str) -> str:
    """Say in one line, in plain text, who is shown, by what, and as of which days."""
    here = seen.standing
    who = f"{capitalised(counted_unless_few(seen.customers, 'customer'))} of {name}"
    whom = f" with {where}" if where else ""
    then = f" and {here.days} days before" if here.then else ""
    drawn = "" if seen.by == "activity" else f"; cut lines {_lines(here, lines)}"
    return f"{who}{whom}, by {BY[seen.by]}, on {full_day(here.as_of)}{then}{drawn}."


def _lines(here: Standing, how: str) -> str:
    day = full_day(here.thresholds.as_of)
    match how:
        case "by hand":
            cuts = here.thresholds.cuts
            each = ((name, getattr(cuts, name)[EVERYBODY]) for name in MEASURES)
            put = "; ".join(
                f"{name} {listed([f'{line:g}' for line in all_])}" for name, all_ in each
            )
            return f"put by hand, for scores of {here.within} days ({put})"
        case "in use" if here.frozen:
            return f"frozen on {day}"
    nested = "nested " if here.thresholds.method == "nested" else ""
    return f"drawn as {nested}quantiles of {day}, of {here.within} days"


def segments_live_headline(ledger: Ledger, seen: Moved, *, group: str) -> str:
    """Say in one line how large the group is and what it brings."""
    if "explored_share" not in ledger:
        return f"How many are {_name(seen, group)} would tell of fewer than {SMALL} customers."
    share = ledger["explored_share"]
    said = f"{capitalised(in_hundred(share))} customers are {_name(seen, group)}"
    if "explored_revenue" not in ledger or not ledger["explored_size"].value:
        return f"{said}."
    brought = ledger["explored_revenue"].text
    return f"{said}; they brought {brought} of the revenue of {seen.standing.within} days."


def segments_live_body(ledger: Ledger, seen: Moved, *, group: str) -> str:
    """Say how large the group is, what one of its customers brings, who left it, and by luck."""
    first = " ".join(filter(None, (_size(ledger, seen), _value(ledger))))
    rest = (_left(ledger, seen, group), _changed(ledger), _idle(seen), _WORTH)
    return "\n\n".join(filter(None, (first, *rest)))


_WORTH = (
    "What customers are expected to bring needs a model that is fitted first, so no slider moves "
    "it: `lab.value()` tells it, and so does a report that you make of this."
)


def _name(seen: Moved, group: str) -> str:
    """The group as it stands after `are`: a cohort, a segment, or a tier of days."""
    name = inert(quoted(group))
    return f"in the tier of {name} days" if seen.by == "activity" else name


def _size(ledger: Ledger, seen: Moved) -> str:
    if "explored_share" not in ledger:
        return ""
    size, share = ledger["explored_size"], ledger["explored_share"]
    said = f"{size.text} of {size.n:,} customers ({share.ranged}) are in it"
    if "explored_share_before" not in ledger:
        return f"{said}."
    before = ledger["explored_share_before"]
    days = seen.standing.days
    return f"{said}; {days} days before it was {before.text} ({before.between}) of {before.n:,}."


def _value(ledger: Ledger) -> str:
    if "explored_mean" not in ledger:
        return ""
    mean = ledger["explored_mean"]
    return f"One of them brought {mean.text} in the mean ({mean.between}) in the {mean.about}."


def _left(ledger: Ledger, seen: Moved, group: str) -> str:
    here = seen.standing
    if here.then is None:
        return "Nobody had bought by the earlier day, so nobody can have moved yet."
    day = full_day(here.then)
    if "explored_left" not in ledger:
        return f"Too few were {_name(seen, group)} on {day}, or have left since, to say how many."
    left, share = ledger["explored_left"], ledger["explored_slipped"]
    said = (
        f"Of the {left.n:,} who were {_name(seen, group)} on {day}, {left.text} ({share.ranged}) "
        "are in another group now; some always are by luck."
    )
    if "explored_by_chance" not in ledger:
        return f"{said} How many cannot be told of this group."
    out, came, chance = (
        ledger[f"explored_{name}"] for name in ("left_long", "came_long", "by_chance")
    )
    word = _compared(out.value, chance.low or 0, chance.high or 0)
    return (
        f"{said} Of customers since {full_day(here.long_since)} or before, {out.text} left it and "
        f"{came.text} came into it; by luck alone about {chance.full} of these {chance.n:,} would "
        f"have left. So {word} left it than would by luck{_AGEING if word == 'more' else ''}."
    )


def _compared(left: float, low: float, high: float) -> str:
    return "more" if left > high else "fewer" if left < low else "no more"


def _changed(ledger: Ledger) -> str:
    if "explored_customers" not in ledger:
        return ""
    if "explored_changed" not in ledger:
        return (
            f"By the lines and rules in use, fewer than {SMALL} customers would be in another "
            "group than here, or all but as few."
        )
    changed = ledger["explored_changed"]
    if not changed.value:
        return "All are in the group in which the lines and rules in use have them."
    return (
        f"{changed.text} of {changed.n:,} customers are in another group than by the lines and "
        "rules in use. They have done nothing: do not count them as won or lost."
    )


def _idle(seen: Moved) -> str:
    """Say which lines move nobody, where lines are put by hand."""
    if seen.standing.thresholds.method != "fixed":
        return ""
    rules = {"cohort": seen.standing.rules.cohorts, "segment": seen.standing.rules.named}
    asked = rules.get(seen.by, ())
    idle = [name for name in MEASURES if all(getattr(rule, name) == (1, BINS) for rule in asked)]
    if not idle:
        return ""
    what = "tier of days" if seen.by == "activity" else BY[seen.by]
    return f"No {what} asks for {' or '.join(idle)}, so moving such a line moves nobody."
