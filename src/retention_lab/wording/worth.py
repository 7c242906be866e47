"""The sentences of what customers are worth, each with what must stand beside its number."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from retention_lab.customers.contracts import PERIOD, Contracts
from retention_lab.customers.worth import Worth
from retention_lab.record import SMALL, Ledger, percent
from retention_lab.record.small import splits
from retention_lab.record.worth import OBSERVED, earned, followed
from retention_lab.wording.phrases import (
    capitalised,
    counted,
    counted_unless_few,
    full_day,
    in_hundred,
    listed,
    possessive,
)

BUDGET = "It is not a budget."
FORMULA = "A formula in which those most likely to leave go first"
_MARKS = (3, 12)  # periods of a contract that a sentence names


def worth_total(ledger: Ledger, worth: Worth) -> str:
    """Say what customers are expected to bring, and how far that may be off; or what they did."""
    if "worth_total" not in ledger:
        why = worth.why or f"What it would tell is of fewer than {SMALL} customers."
        return f"{why} {_observed(ledger, worth)} {_left_out(worth)}".strip()
    total = ledger["worth_total"]
    said = [
        f"We expect {possessive('today')} {counted(total.n or 0, 'customer')} to bring about "
        f"{total.text} of {earned(worth)} in {total.about} ({total.between}){_less(worth)}. "
        "Customers who are yet to come are not in it."
    ]
    if "worth_top" in ledger:
        top = ledger["worth_top"]
        said.append(f"Of it, {in_hundred(top)} come from the {top.n:,} customers of {top.about}.")
    said += [_caution(ledger, worth), worth.money, _left_out(worth)]
    return " ".join(filter(None, said))


def worth_tracking(ledger: Ledger, worth: Worth) -> str:
    """Say what a model expected of the days held back, what came, and whether it may be used."""
    if "worth_tracked" not in ledger or worth.trial is None or worth.tracking is None:
        return ""
    expected, naive, came = (
        ledger[name] for name in ("worth_tracked", "worth_naive", "worth_came")
    )
    days = f"{worth.trial.days} days"
    said = (
        f"Told only what was known on {full_day(worth.trial.until)}, the model expected "
        f"{expected.text} purchases ({expected.between}) in the {days} after it; {came.text} came. "
        f"Had everybody bought as often as in the {days} before, it would have been {naive.text}."
    )
    verdict = {
        "better": "Customer by customer the model was nearer than that, by more than chance gives",
        "no different": "Customer by customer the model was no nearer than that, beyond chance",
        "worse": "Customer by customer the model was further off than that",
    }[worth.tracking.verdict]
    used = "so it is used" if worth.tracking.beats_naive else "so it is not used"
    return " ".join(filter(None, [said, f"{verdict}, {used}.", _total_off(ledger, worth)]))


def worth_once(ledger: Ledger, worth: Worth) -> str:
    """Say how many of those who had bought once came back, and what no model can say of them."""
    if worth.model == "BG/NBD":
        said = (
            "With a single purchase this model assumes the customer is still active, so no value "
            "is shown for those who bought once"
        )
    else:
        said = "After a single purchase nobody can tell a customer who waits from one who is gone"
    if "worth_returned" not in ledger or worth.trial is None:
        return f"{said}."
    back = ledger["worth_returned"]
    return (
        f"{said}. Of the {back.n:,} who had bought once by {full_day(worth.trial.until)}, "
        f"{in_hundred(back)} ({back.ranged}) bought again in the {worth.trial.days} days after it."
    )


def worth_contracts(contracts: Contracts) -> str:
    """Say how many subscriptions are kept, and what the formula says of periods to come."""
    told = followed(contracts)
    if told.empty:
        return contracts.why or f"No {SMALL} subscriptions were followed for {PERIOD} days yet."
    marks = told[told["period"].isin(_MARKS) | (told["period"] == told["period"].max())]
    shares = [f"{_kept(row)} for {_periods(row)}" for row in marks.to_dict("records")]
    said = f"Of {contracts.subscriptions:,} subscriptions, {listed(shares)} of {PERIOD} days."
    ahead = _ahead(contracts, told.iloc[-1].to_dict())
    return " ".join(filter(None, [said, _test(contracts), ahead, contracts.why]))


def _ahead(contracts: Contracts, last: Mapping[Any, float]) -> str:
    """Say what the formula makes of periods that nobody has come to, if it follows those seen."""
    frame = contracts.frame
    if frame is None or frame["projected"].isna().any():
        return ""
    who = f"{FORMULA}, which could not be tested on an earlier day,"
    if contracts.tracking is not None:
        who = "Told all that is known now, it"
    if not last["low"] <= last["projected"] <= last["high"]:
        return (
            f"{who} says {100 * last['projected']:.0f} in 100 for {_periods(last)}, which is not "
            "what was seen: do not plan by it."
        )
    far = frame.iloc[-1].to_dict()
    said = {"share": far["projected"], "low": far["projected_low"], "high": far["projected_high"]}
    return (
        f"{who} expects that {_kept(said)} for {_periods(far)}; beyond {_periods(last)} that is "
        "its word alone."
    )


def _test(contracts: Contracts) -> str:
    """Say how the formula fared on an earlier day."""
    found = contracts.tracking
    if found is None:
        return ""
    if found.customers < SMALL or splits(found.actual, found.customers):
        return ""
    expected = found.expected
    return (
        f"{FORMULA}, told only what was known {found.days} days ago, expected "
        f"{expected.value:,.0f} of the {found.customers:,} subscribers of that day to be still "
        f"there now ({expected.low:,.0f} to {expected.high:,.0f}); {found.actual:,} are. One rate "
        f"for all periods would have said {found.naive:,}."
    )


def _kept(row: Mapping[Any, float]) -> str:
    value, low, high = (100 * float(row[name]) for name in ("share", "low", "high"))
    return f"about {value:.0f} in 100 ({low:.1f} to {high:.1f}) are kept"


def _periods(row: Mapping[Any, float]) -> str:
    return counted(int(row["period"]), "period")


def _less(worth: Worth) -> str:
    """Say what is taken off."""
    parts = []
    if worth.kept < 1:
        parts.append(f"less the {percent(1 - worth.kept)} usually sent back")
    if worth.yearly_discount:
        parts.append(f"discounted at {100 * worth.yearly_discount:g} % a year")
    return "".join(f", {part}" for part in parts)


def _caution(ledger: Ledger, worth: Worth) -> str:
    """Say that it is an average, and how far one customer was from what was expected."""
    said = f"This is an estimate of the average of customers like these at {possessive('today')} "
    said += "prices" if worth.margin == 1 else "margin"
    if "worth_nothing" not in ledger or worth.trial is None:
        return f"{said}; one customer may be far from it. {BUDGET}"
    nothing = ledger["worth_nothing"]
    often = ""
    if "worth_factor" in ledger:
        factor = ledger["worth_factor"]
        often = (
            f"one customer in ten bought at least {factor.value:.1f} times as often as expected, "
            "and "
        )
    return (
        f"{said}; one customer may be far from it: in the {worth.trial.days} days held back {often}"
        f"{in_hundred(nothing)} bought nothing. {BUDGET}"
    )


def _total_off(ledger: Ledger, worth: Worth) -> str:
    """Say so where the total was off by more than its range allows, or naively nearer."""
    expected, naive, came = (
        ledger[name] for name in ("worth_tracked", "worth_naive", "worth_came")
    )
    said = []
    if not (expected.low or 0) <= came.value <= (expected.high or 0):
        share = percent(abs(expected.value / came.value - 1)) if came.value else "all"
        side = "high" if expected.value > came.value else "low"
        said.append(f"Its total was {share} too {side}, more than its range allows.")
        if worth.by is not None:
            said.append("The range of the months to come allows for another such miss.")
    if abs(naive.value - came.value) < abs(expected.value - came.value):
        said.append("In total the simple rule was nearer.")
    return " ".join(said)


def _observed(ledger: Ledger, worth: Worth) -> str:
    """Say what a customer of each cohort brought, where nothing can be expected."""
    means = [claim for claim in ledger.claims() if claim.name.startswith(OBSERVED)]
    if not means:
        return ""
    told = [f"{claim.about} {claim.ranged}" for claim in means]
    return (
        f"What was observed: revenue per customer in the last {worth.within} days was, for "
        f"{'; '.join(told)}."
    )


def _left_out(worth: Worth) -> str:
    if not worth.left_out:
        return ""
    who = counted_unless_few(worth.left_out, "customer")
    return (
        f"{capitalised(who)} who bought on more than half of all days, as resellers and machines "
        "do, are in what was observed, but in no model."
    )
