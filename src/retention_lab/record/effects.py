"""What is claimed of each arm of a test that is read: its share, and what it did to it.

Nothing is recorded of an effect that may not be shown, nor of fewer customers than may be told.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from retention_lab.checks import BadData
from retention_lab.experiments import stakes
from retention_lab.experiments.effects import Effect
from retention_lab.experiments.plan import Plan
from retention_lab.experiments.readout import Readout
from retention_lab.inference.interval import Interval
from retention_lab.record.ledger import Ledger
from retention_lab.record.small import few, of_share, splits

_BY = "All assigned count, reached or not; a gain is positive."
_ALONE = "Range at 95 %, of this look alone."
_DOING = {"retained": "cancelling", "returned": "coming back"}


def outcome(plan: Plan, *, who: bool = False) -> str:
    """Name what counts: `Retained by day 90`, or `More customers retained by day 90`."""
    kind, day, words = plan.endpoint.kind, plan.endpoint.day, plan.endpoint.words
    if words is None:
        return f"More customers {kind} by day {day}" if who else f"{kind.capitalize()} by day {day}"
    return f"More {words.who} who {words.did}" if who else words.did.capitalize()


def named(part: str, arm: str) -> str:
    """Name the claim about a part of the effect of an arm."""
    return f"effects_{part}:{arm}"


def shown(seen: Readout) -> list[Effect]:
    """Effects that may be shown, of arms with enough customers."""
    if not seen.shows:
        return []
    return [
        each for each in seen.effects if not few([each.customers, each.customers_control]).any()
    ]


def record(ledger: Ledger, seen: Readout) -> None:
    """Record the shares, their difference, and what else tells of an arm's effect."""
    for effect in shown(seen):
        about: dict[str, Any] = {
            "about": effect.arm,
            "n": effect.customers + effect.customers_control,
        }
        for name, found, words in _parts(seen, effect):
            ledger.record(
                named(name, effect.arm),
                Interval(value=found.value, low=found.low, high=found.high),
                **{**about, **words},
            )


def difference(seen: Readout, effect: Effect) -> Interval | None:
    """Difference of the shares, as the looks allow it to be told; None where they do not."""
    looked = next((each for each in seen.looked if each.arm == effect.arm), None)
    try:
        return None if looked is None else stakes.in_points(seen.plan, effect, looked)
    except BadData:
        return None


_Part = tuple[str, Interval, dict[str, Any]]


def _parts(seen: Readout, effect: Effect) -> Iterator[_Part]:
    day, kept = seen.plan.endpoint.day, seen.plan.endpoint.kind == "retained"
    gap = difference(seen, effect)
    if gap is not None:
        yield (
            "difference",
            gap,
            {
                "unit": "points",
                "difference": True,
                "label": f"{outcome(seen.plan)}, against {effect.control}",
                "definition": "Difference of the shares, adjusted where the plan says so. Its "
                f"range holds at all looks together. {_BY}",
            },
        )
    if effect.days is not None:
        yield (
            "days",
            effect.days,
            {
                "unit": "days",
                "difference": True,
                "label": f"Days {'kept longer' if kept else 'earlier'} by day {day}",
                "definition": f"Difference of the areas under the curves until day {day}. "
                f"{_ALONE} {_BY}",
            },
        )
    if _tells(effect):
        return
    yield from _relative(effect, seen.plan)


def _relative(effect: Effect, plan: Plan) -> Iterator[_Part]:
    """What, beside the difference, tells of the shares themselves."""
    shares = (
        ("share", effect.arm, effect.share, effect.customers),
        ("control", effect.control, effect.share_control, effect.customers_control),
    )
    for name, arm, share, n in shares:
        if share is not None:
            what = {"unit": "share", "label": outcome(plan), "about": arm}
            how = "Whoever was not followed for so long counts for as long as they were"
            yield name, share, {**what, "n": n, "definition": f"{how} (Kaplan-Meier). {_ALONE}"}
    if effect.lift is not None:
        yield (
            "lift",
            effect.lift,
            {
                "unit": "share",
                "difference": True,
                "label": f"The same, relative to {effect.control}",
                "definition": f"Share over that of control, less 1 (Fieller). {_ALONE}",
            },
        )
    if effect.hazard_ratio is not None:
        ratio, words = effect.hazard_ratio, plan.endpoint.words
        events = _DOING[plan.endpoint.kind] if words is None else words.events
        change = Interval(value=ratio.value - 1, low=ratio.low - 1, high=ratio.high - 1)
        yield (
            "pace",
            change,
            {
                "unit": "share",
                "difference": True,
                "label": f"Pace of {events}, relative to {effect.control}",
                "definition": f"Ratio of daily rates, less 1 (Cox, within strata). {_ALONE}",
            },
        )
    yield from _reached(effect)


def _reached(effect: Effect) -> Iterator[_Part]:
    found, held = effect.reached, effect.reached_interval
    if found is None or held is None or of_share(found.reached.value, effect.customers):
        return
    yield (
        "reach",
        found.reached,
        {
            "unit": "share",
            "n": effect.customers,
            "label": "Reached by the message",
            "definition": "Delivered, of those assigned a week ago or longer.",
        },
    )
    yield (
        "reached",
        held,
        {
            "unit": "points",
            "difference": True,
            "label": "Effect on those reached",
            "definition": "Difference of the shares over the share reached, by the random "
            f"assignment (Anderson & Rubin). {_ALONE}",
        },
    )


def _tells(effect: Effect) -> bool:
    """Say whether a share of an arm, or its events, would tell of a few."""
    of = [effect.customers, effect.customers_control]
    if splits([effect.events, effect.events_control], of).any():
        return True
    shares = zip((effect.share, effect.share_control), of, strict=True)
    return any(share is not None and of_share(share.value, n) for share, n in shares)
