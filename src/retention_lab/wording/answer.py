"""The first screen of the overview: the answer, what to do, and how far the data reach."""

from __future__ import annotations

import calendar
import datetime as dt
from collections.abc import Sequence
from typing import assert_never

from retention_lab.customers.newest import Cohort, Newest
from retention_lab.record import BEFORE, SMALL, Claim, Ledger
from retention_lab.record.small import few
from retention_lab.tables.annotations import Annotation, within
from retention_lab.tables.population import looks_ahead
from retention_lab.wording.annotations import inert, named
from retention_lab.wording.phrases import (
    Direction,
    capitalised,
    direction,
    full_day,
    in_hundred,
    month,
    possessive,
    some,
    span,
)

_NAMED = 3  # of what happened, on the first screen; pictures mark the others


def overview_headline(ledger: Ledger, found: Newest | None, *, days: int) -> str:
    """Say in one line whether the newest month that can be judged came back more or less.

    `found` is what was recorded: that month, or None where no month can be judged yet.
    """
    if found is None:
        return "It is too early to say how many new customers come back."
    if "returned" not in ledger:
        return _headline_of_few(found.cohort)
    who = f"{possessive(ledger['returned'].about)} new customers"
    if ledger["returned"].value == 0:
        return f"None of {who} came back within {days} days."
    if "returned_change" not in ledger:
        return f"{capitalised(some(ledger['returned']))} of {who} came back."
    return _headline(direction(ledger["returned_change"]), who)


def _headline_of_few(cohort: Cohort) -> str:
    if cohort.customers < SMALL:
        return f"Too few customers joined in {month(cohort.month)} to say how many come back."
    whose = possessive(month(cohort.month))
    if few(cohort.returned):
        return f"Fewer than {SMALL} of {whose} new customers came back."
    return f"All but a few of {whose} new customers came back."


def _body_of_few(cohort: Cohort, *, days: int) -> str:
    first = month(cohort.month)
    if cohort.customers < SMALL:
        return f"Fewer than {SMALL} customers first bought in {first}, so no figure is shown."
    who = f"fewer than {SMALL}" if few(cohort.returned) else f"all but fewer than {SMALL}"
    return (
        f"Of {cohort.customers:,} customers who first bought in {first}, {who} bought again within "
        f"{days} days, so no share is shown."
    )


def _headline(now: Direction, who: str) -> str:
    match now:
        case "more":
            return f"More of {who} came back."
        case "fewer":
            return f"Fewer of {who} came back."
        case "the same":
            return f"About the same share of {who} came back."
        case "perhaps more":
            return f"More of {who} came back; it may be chance."
        case "perhaps fewer":
            return f"Fewer of {who} came back; it may be chance."
        case never:
            assert_never(never)


def overview_body(ledger: Ledger, found: Newest | None, *, days: int, records_from: dt.date) -> str:
    """Say how many came back, with its interval, beside the month before.

    Where the records begin less than `days` days before the months compared, it says that some of
    these customers may be old ones.
    """
    if found is None:
        return f"No month of new customers has been followed for all of {days} days yet."
    if "returned" not in ledger:
        return _body_of_few(found.cohort, days=days)
    now, count = ledger["returned"], ledger["returned_count"]
    sentences = [
        f"Of {now.n:,} customers who first bought in {now.about}, {_how_many(now, count)} bought "
        f"again within {days} days.",
        _comparison(ledger, found),
    ]
    earliest = (found.before or found.cohort).month
    if (earliest - records_from).days < days:
        sentences.append(
            f"Records begin only on {full_day(records_from)}, so some of these customers may be "
            "old ones."
        )
    return " ".join(sentences)


def _how_many(share: Claim, count: Claim) -> str:
    if share.value in (0, 1):
        return f"{some(share)} ({share.ranged})"
    return f"{count.text}, {in_hundred(share)} ({share.ranged}),"


def _comparison(ledger: Ledger, found: Newest) -> str:
    if found.before is None:
        return (
            "Nobody is known to have first bought in the month before, so there is nothing to "
            "compare it with."
        )
    if "returned_change" not in ledger:
        joined = month(found.before.month)
        if found.before.customers < SMALL:
            return f"Too few first bought in {joined} to compare it with."
        return f"Too few of those who first bought in {joined} did, or did not, to compare it with."
    before, change = ledger["returned" + BEFORE], ledger["returned_change"]
    if direction(change) == "the same":
        size = "about the same"
    else:
        size = f"{change.written(abs(change.value))} points {_side(change.value)}"
        shown = round(100 * ledger["returned"].value, 1) - round(100 * before.value, 1)
        if round(shown, 1) != round(100 * change.value, 1):
            size += " before rounding"
    return (
        f"{possessive(before.about)} figure was {before.text}, so this is {size} "
        f"(plausibly {span(change)})."
    )


def _side(value: float) -> str:
    return "lower" if value < 0 else "higher"


def overview_happened(annotations: Sequence[Annotation], found: Newest | None) -> str:
    """Name what went on while the months compared first bought; empty where nothing did."""
    if found is None:
        return ""
    first = (found.before or found.cohort).month
    then = within(annotations, first=first, last=found.cohort.last_day)
    if not then:
        return ""
    more = f"; and {len(then) - _NAMED} more" if len(then) > _NAMED else ""
    return f"When they joined: {'; '.join(inert(named(each)) for each in then[:_NAMED])}{more}."


def overview_action(
    ledger: Ledger, *, owner: str, as_of: dt.date, days: int, next_cohort: dt.date | None
) -> str:
    """Say what to do, who does it and by when; and, where tempting, what not to do.

    `next_cohort` is the first day of the next month of new customers that will be complete, None
    where nobody has joined since.
    """
    by = full_day(as_of + dt.timedelta(days=7))
    now = direction(ledger["returned_change"]) if "returned_change" in ledger else "the same"
    match now:
        case "fewer":
            return (
                f"**Do** ({owner}, by {by}): {_look_into(ledger)}. **Do not** change the offer on "
                f"{possessive('one month')} figure."
            )
        case "more":
            return (
                f"**Do** ({owner}, by {by}): write down what was different in "
                f"{ledger['returned'].about}. **Do not** credit a campaign with it: only a "
                "randomized test can."
            )
        case "the same" | "perhaps more" | "perhaps fewer":
            return _wait(next_cohort, days=days)
        case never:
            assert_never(never)


def _look_into(ledger: Ledger) -> str:
    """Say where to look for why fewer came back: at who joined, or at what happened to them."""
    about = ledger["returned"].about
    if "why_mix" not in ledger or ledger["why_mix"].high is None:
        return (
            f"find out whether other people joined in {about} (a promotion, a new channel) or the "
            "same kind of people came back less"
        )
    mix, rate = ledger["why_mix"], ledger["why_rate"]
    if (mix.high or 0) >= 0 or rate.value < mix.value:
        return f"find out what was different for customers of {about} (delivery, price, stock)"
    if "why_group" not in ledger:
        return f"find out what other people joined in {about} (a promotion, a new channel)"
    group, before = ledger["why_group"], ledger["why_group" + BEFORE]
    if group.value > before.value:
        return f"weigh what it costs to win {inert(group.about)} against how seldom they come back"
    return f"find out why fewer {inert(group.about)} joined"


def _wait(next_cohort: dt.date | None, *, days: int) -> str:
    if next_cohort is None:
        return "**Do:** nothing; nobody has first bought since."
    length = calendar.monthrange(next_cohort.year, next_cohort.month)[1]
    complete_on = next_cohort.replace(day=length) + dt.timedelta(days=days)
    return f"**Do:** nothing yet; {month(next_cohort)} completes on {full_day(complete_on)}."


def completeness(
    complete_to: dt.date, *, as_of: dt.date, simulated: bool, where: str, main: str = "orders"
) -> str:
    """Say how far the `main` table reaches, who is in the report, and whether they are made up."""
    sentences = ["These are made-up customers."] if simulated else []
    if where.strip():
        condition = " ".join(where.split())
        sentences.append(f"Only customers with `{condition}` are in this report.")
        if looks_ahead(where):
            sentences.append(
                "That chooses, or may choose, by what they did later: shares of who came back "
                "cannot be compared."
            )
    last = f"{complete_to:%A} {full_day(complete_to)}"
    if complete_to >= as_of:
        sentences.append(f"{capitalised(main)} are complete to {as_of:%A} {full_day(as_of)}.")
    else:
        sentences.append(
            f"The last {main.removesuffix('s')} is of {last}; none is dated after it up to "
            f"{full_day(as_of)}."
        )
    return " ".join(sentences)
