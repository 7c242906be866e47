"""What a comparison of two periods or groups says, in the words of its two sides."""

from __future__ import annotations

from retention_lab.customers.compare import Comparison
from retention_lab.customers.measures import Estimate
from retention_lab.inference.interval import Interval
from retention_lab.record import SMALL, Claim, percent
from retention_lab.record.ledger import Unit
from retention_lab.record.why import too_small as side_too_small
from retention_lab.wording.phrases import counted, in_hundred

_WEEKDAYS_ALIGN = 364


def compared(found: Comparison) -> str:
    """Say both figures and their difference, each with its interval; one sentence and its cautions.

    Only a difference whose interval leaves out zero is said without "may be chance".
    """
    if too_small(found):
        return (
            f"{_heading(found)}: fewer than {SMALL} customers stand behind one of the two figures, "
            "so they are not compared."
        )
    now, before = (_figure(each, found) for each in (found.now, found.before))
    sentences = [f"{_heading(found)}: {now} against {before}, {_difference(found)}."]
    lengths = found.now.period.days, found.before.period.days
    if lengths[0] != lengths[1] and found.now.measure.unit != "share":
        sentences.append(f"The first has {counted(lengths[0], 'day')}, the second {lengths[1]}.")
    if found.overlap:
        number = "Some customers" if found.overlap < SMALL else counted(found.overlap, "customer")
        stand = "stands" if found.overlap == 1 else "stand"
        sentences.append(f"{number} {stand} on both sides; the range allows for that.")
    return " ".join(sentences)


def sides(found: Comparison) -> tuple[str, str]:
    """Name the two sides by what tells them apart: the period, the condition, or both."""
    conditions = [found.where_now, found.where_before]
    periods = [found.now.period.name, found.before.period.name]
    who = [_who(condition) for condition in conditions]
    if conditions[0] == conditions[1]:
        return periods[0], periods[1]
    if periods[0] == periods[1]:
        return who[0], who[1]
    return f"{who[0]} in {periods[0]}", f"{who[1]} in {periods[1]}"


def too_small(found: Comparison) -> bool:
    """Say whether a side rests on fewer customers than may be shown, or tells of as few."""
    return any(side_too_small(side) for side in (found.now, found.before))


def as_claim(estimate: Estimate, *, currency: str) -> Claim:
    """Give an estimate the words and the formats of a result."""
    return _claim(estimate, estimate.value, unit=estimate.measure.unit, currency=currency)


def _claim(estimate: Estimate, value: Interval, *, unit: Unit, currency: str) -> Claim:
    return Claim(
        name=estimate.measure.name,
        value=value.value,
        low=value.low,
        high=value.high,
        unit=unit,
        n=estimate.customers,
        definition=estimate.measure.definition,
        about=estimate.period.name,
        label=estimate.measure.label,
        currency=currency,
    )


def _heading(found: Comparison) -> str:
    now, before = sides(found)
    when = ""
    if found.where_now != found.where_before and found.now.period == found.before.period:
        when = f" in {found.now.period.name}"
    if (found.now.period.first - found.before.period.first).days == _WEEKDAYS_ALIGN and (
        found.now.period.days == found.before.period.days
    ):
        when = ", the same weekdays"
    return f"{found.now.measure.label}, {now} against {before}{when}"


def _who(condition: str) -> str:
    words = " ".join(condition.split())
    return f"customers with `{words}`" if words else "all customers"


def _figure(estimate: Estimate, found: Comparison) -> str:
    claim = as_claim(estimate, currency=found.currency)
    number = f"from {counted(estimate.customers, 'customer')}"
    if claim.unit == "share":
        return f"{in_hundred(claim)} ({claim.ranged}, {number})"
    return f"{claim.text} ({claim.between}, {number})"


def _difference(found: Comparison) -> str:
    shares = found.now.measure.unit == "share"
    unit: Unit = "points" if shares else found.now.measure.unit
    claim = _claim(found.now, found.difference, unit=unit, currency=found.currency)
    size = claim.written(abs(claim.value)) + (" points" if shares else "")
    span = f"from {_bound(claim, found.difference.low)} to {_bound(claim, found.difference.high)}"
    if found.difference.low > 0 or found.difference.high < 0:
        return f"which is {size} {_side(claim.value)}{_lift(found)}, with a plausible range {span}"
    if claim.written(abs(claim.value)) == claim.written(0):
        return f"which is about the same, with a plausible range {span}"
    return f"which is {size} {_side(claim.value)} but may be chance: the plausible range is {span}"


def _lift(found: Comparison) -> str:
    """Tell the relative difference, but not of shares: a leader would take it for points."""
    if found.lift is None or found.now.measure.unit == "share":
        return ""
    return f" ({percent(abs(found.lift.value))})"


def _side(value: float) -> str:
    return "lower" if value < 0 else "higher"


def _bound(claim: Claim, value: float) -> str:
    return f"{claim.written(abs(value))} {_side(value)}"
