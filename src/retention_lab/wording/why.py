"""Why a figure moved: who the customers are, what the same kind of them did, what was restated."""

from __future__ import annotations

import pandas as pd

from retention_lab.customers.explain import Explained, Part
from retention_lab.customers.groups import FIRST_COUPON, FIRST_FAMILY
from retention_lab.inference.interval import Interval
from retention_lab.record import SMALL, Claim, Ledger
from retention_lab.record.why import CLAIMS
from retention_lab.wording.annotations import inert
from retention_lab.wording.compare import as_claim, sides
from retention_lab.wording.phrases import Instead, capitalised, quoted, span

NONE = (
    f"Nothing is explained: that takes two periods in each of which {SMALL} customers or more did "
    "so, and as many did not."
)
SILENT = Instead("")  # the picture beside it says why
_MATERIAL = 0.1  # of a change: a smaller part of it is not worth "about 0.1 of the 6.2"


def why_answer(ledger: Ledger, explained: Explained | None) -> str:
    """Say in a sentence or two how much of a change goes with who came, and how sure that is.

    An empty text where nothing was explained.
    """
    if explained is None or CLAIMS["rate"] not in ledger:
        return ""
    return f"{_mix(ledger, explained)} {_rate(ledger, explained)}".strip()


def _mix(ledger: Ledger, explained: Explained) -> str:
    mix, rate, who = ledger[CLAIMS["mix"]], ledger[CLAIMS["rate"]], f"*who* {_came(explained)}"
    capital = f"*Who* {_came(explained)}"
    total = mix.value + rate.value
    if mix.low is None:
        return (
            "The data do not tell what kind of people these customers are, so a change in "
            f"{who} cannot be seen."
        )
    bounds = (mix.low or 0.0, mix.high or 0.0)
    if _is_nothing(mix, mix.value) and (_is_clear(mix) or all(_is_nothing(mix, b) for b in bounds)):
        return f"{capital} made next to no difference ({span(mix)})."
    part = f"{mix.written(abs(mix.value))} of the {_size(mix, total)}"
    leads = mix.value * total > 0 and _MATERIAL * abs(total) <= abs(mix.value) <= abs(total)
    change = explained.comparison.difference
    if not _is_clear(mix):
        if leads and not change.low <= 0 <= change.high:
            return (
                f"About {part} goes with {who}{_group(ledger, explained, rates=False)}, a part "
                f"that may be chance ({span(mix)})."
            )
        return f"{capital} made no difference that can be told from chance ({span(mix)})."
    if leads:
        return f"About {part} comes from {who} ({span(mix)}){_group(ledger, explained)}."
    moved = "raised" if mix.value > 0 else "lowered"
    return (
        f"{capital} would have {moved} it by {_size(mix, mix.value)} "
        f"({span(mix)}){_group(ledger, explained)}."
    )


def _rate(ledger: Ledger, explained: Explained) -> str:
    """Say what is left when the kinds of people are held equal."""
    mix, rate = ledger[CLAIMS["mix"]], ledger[CLAIMS["rate"]]
    if mix.low is None:  # then all of it is what people did, and was said above
        return ""
    if _is_nothing(rate, rate.value):
        return f"Among the same kind of people it is about the same ({span(rate)})."
    if explained.measure.name.startswith("returned_"):
        moved = f"{_size(rate, rate.value)} {'less' if rate.value < 0 else 'more'}"
        did = f"The same kind of people came back {moved}"
    else:
        did = f"Among the same kind of people it is {_size(rate, rate.value)} {_side(rate.value)}"
    if _is_clear(rate):
        return f"{did} ({span(rate)})."
    return f"{did}, which may be chance ({span(rate)})."


def _group(ledger: Ledger, explained: Explained, *, rates: bool = True) -> str:
    """Name the kind of customers that moved it most; nothing where no kind stands out."""
    if "why_group" not in ledger:
        return ""
    now, before = ledger["why_group"], ledger["why_group_before"]
    more = "more" if now.value > before.value else "fewer"
    text = f": {more} {inert(now.about)} ({_hundreds(now.value, before.value, 'against')} in 100)"
    if not rates:
        return text
    own, others = ledger["why_group_rate"], ledger["why_others_rate"]
    if explained.measure.name.startswith("returned_"):
        often = "more" if own.value > others.value else "less"
        figures = _hundreds(own.value, others.value, "in 100, all others")
        return f"{text}, who come back {often} often ({figures})"
    figures = f"{own.text}, all others {others.text}"
    return f"{text}, and their figure is {_height(own, others)} ({figures})"


def why_restated(ledger: Ledger, explained: Explained | None) -> str:
    """Say how a figure that an earlier report printed has moved since; empty where it has not."""
    if explained is None or explained.printed is None or CLAIMS["rate"] not in ledger:
        return ""
    before = as_claim(explained.comparison.before, currency=explained.comparison.currency)
    name = explained.comparison.before.period.name
    was = before.written(explained.printed.value)
    if was == before.text:
        return ""
    causes = [
        words
        for part, words in (
            ("why_restated", "data restated since"),
            ("why_definition", "another definition or method"),
            ("why_later", "data that arrived later"),
            ("why_restated_or_definition", "restated data or another way of counting"),
        )
        if part in ledger and not _is_nothing(ledger[part], ledger[part].value)
    ]
    cause = f" ({' and '.join(causes)})" if causes else ""
    return f"With today's data, {name} moves from {was} as printed to {before.text}{cause}."


def why_cautions(explained: Explained | None) -> str:
    """Say by what customers were told apart, and what such a split cannot tell.

    An empty text where nothing was explained: the picture says so.
    """
    if explained is None:
        return ""
    if not explained.by:
        return (
            "Map attributes of customers (country, acquisition channel), coupons or product "
            "families in the source file, and the change can be split by them."
        )
    by = [_dimension(name) for name in explained.by]
    together = f"{', '.join(by[:-1])} and {by[-1]}" if len(by) > 1 else by[0]
    return (
        f"Customers are told apart by {together}, as known with their first order; groups of "
        f"fewer than {SMALL} are among {quoted('all others')}. Whatever else differs between them "
        "counts as what the same kind of people did. This is a comparison, not proof of a cause."
    )


def why_parts(ledger: Ledger, explained: Explained | None) -> pd.DataFrame | Instead:
    """List the parts of a change from the figure before, or as printed, to the figure now."""
    if explained is None or CLAIMS["rate"] not in ledger:
        return SILENT
    found = explained.comparison
    now, before = (as_claim(each, currency=found.currency) for each in (found.now, found.before))
    first, last = (name for name in reversed(sides(found)))
    start = f"{first}, as printed" if explained.printed else first
    rows = [(capitalised(start), before.written(explained.start), "")]
    for part in steps(explained):
        claim = ledger[CLAIMS[part.name]]
        ranged = "" if claim.low is None else span(claim)
        rows.append((part_label(part, explained), _signed(claim), ranged))
    rows.append((capitalised(last), now.text, ""))
    unit = "change in points" if _points(explained) else "change"
    columns = ["Step", f"Figure, or {unit}", "Range"]
    return pd.DataFrame(rows, columns=columns).set_index("Step")


def why_dimensions(explained: Explained | None) -> pd.DataFrame | Instead:
    """List how much of a change goes with who came, by each dimension alone: they overlap."""
    if explained is None or explained.dimensions.empty:
        return SILENT
    together = explained.part("mix").interval
    alone = explained.dimensions
    found = {
        _dimension(name).capitalize(): Interval(value=value, low=low, high=high)
        for name, value, low, high in zip(*(alone[name] for name in alone), strict=True)
    }
    if len(explained.by) > 1 and together is not None:
        found[f"Together: {', '.join(_dimension(name) for name in explained.by)}"] = together
    rows = [(name, *_written(mix, explained)) for name, mix in found.items()]
    unit = ", in points" if _points(explained) else ""
    columns = ["Told apart by", f"Change from who {_came(explained)}{unit}", "Range"]
    return pd.DataFrame(rows, columns=columns).set_index("Told apart by")


def steps(explained: Explained) -> list[Part]:
    """Return the parts worth a step: those that are estimated, or not exactly nothing."""
    return [part for part in explained.parts if part.interval is not None or part.value]


def part_label(part: Part, explained: Explained) -> str:
    """Name a part as readers know it: `Who joined`."""
    match part.name:
        case "restated":
            return "Restated data"
        case "definition":
            return "Definition or method"
        case "restated or definition":
            return "Restated data, or another way of counting"
        case "later":
            return "Data that arrived later"
        case "mix":
            return f"Who {_came(explained)}"
        case "rate":
            alike = "What the same kind of people did"
            return alike if explained.by else f"Who {_came(explained)} and what they did"


def _written(mix: Interval, explained: Explained) -> tuple[str, str]:
    claim = Claim(
        name="mix",
        value=mix.value,
        low=mix.low,
        high=mix.high,
        unit="points" if _points(explained) else explained.measure.unit,
        n=None,
        definition="",
        currency=explained.comparison.currency,
    )
    return _signed(claim), span(claim)


def _came(explained: Explained) -> str:
    return "joined" if explained.measure.name.startswith("returned_") else "bought"


def _points(explained: Explained) -> bool:
    return explained.measure.unit == "share"


def _dimension(name: str) -> str:
    return inert(dimension_label(name))


def dimension_label(name: str) -> str:
    """Name what customers are told apart by as readers know it."""
    return {
        FIRST_COUPON: "coupon or discount on the first order",
        FIRST_FAMILY: "product family of the first order",
    }.get(name, name.replace("_", " "))


def _is_nothing(claim: Claim, value: float) -> bool:
    return claim.written(abs(value)) == claim.written(0)


def _is_clear(claim: Claim) -> bool:
    return claim.low is not None and claim.high is not None and not claim.low <= 0 <= claim.high


def _size(claim: Claim, value: float) -> str:
    return claim.written(abs(value)) + (" points" if claim.unit == "points" else "")


def _signed(claim: Claim) -> str:
    return f"{'+' if claim.value > 0 and not _is_nothing(claim, claim.value) else ''}{claim.text}"


def _side(value: float) -> str:
    return "lower" if value < 0 else "higher"


def _height(own: Claim, others: Claim) -> str:
    return "higher" if own.value > others.value else "lower"


def _hundreds(one: float, other: float, between: str) -> str:
    """Write two shares in 100, with a decimal where they would look alike or like nothing."""
    alike = round(100 * one) == round(100 * other) or min(one, other) < 0.005
    digits = 1 if alike and one != other else 0
    return f"{100 * one:.{digits}f} {between} {100 * other:.{digits}f}"
