"""What each arm of a test did, in sentences: shares, days, early and late, those reached."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd

from retention_lab.experiments import stakes
from retention_lab.experiments.effects import Effect
from retention_lab.experiments.readout import Readout
from retention_lab.inference.sample_ratio import WARN
from retention_lab.record import SMALL, Claim, Ledger
from retention_lab.record.effects import named, shown
from retention_lab.wording import endpoint
from retention_lab.wording.annotations import inert
from retention_lab.wording.phrases import Instead, in_hundred, plainly, quoted
from retention_lab.wording.sizes import apart, spelt, unranged
from retention_lab.wording.verdict_found import pace, sided

NOT_YET = "What the test did is shown at its looks, if the checks hold, and not before."
_FEW = f"The numbers would tell of fewer than {SMALL} customers, so none is shown."


def instead(seen: Readout, part: str = "effects") -> str:
    """Say why there is no effect to show; nothing where there is one."""
    if not seen.shows:
        return NOT_YET
    if not seen.effects:
        return seen.why.get(part, NOT_YET)
    return "" if shown(seen) else _FEW


def effects_sentences(ledger: Ledger, seen: Readout) -> str:
    """Say what each arm did, one paragraph an arm; `record.effects.record` recorded the numbers."""
    if why := instead(seen):
        return why
    parts = (_shares, _decides, _days, _lift, _steady, _reached)
    said = [_joined(parts, ledger, seen, effect) for effect in shown(seen)]
    whys = dict.fromkeys(filter(None, (_unreached(ledger, seen, each) for each in shown(seen))))
    return "\n\n".join([*said, *whys, _caution(seen)])


def effects_table(ledger: Ledger, seen: Readout) -> pd.DataFrame | Instead:
    """One row for each number, indexed by what it is: arm, the number and its range.

    Where there is none there is nothing here: the sentence beside the table says why.
    """
    if instead(seen):
        return Instead("")
    names = ("control", "share", "difference", "lift", "days", "pace", "reach", "reached")
    wanted = [named(part, effect.arm) for effect in shown(seen) for part in names]
    claims = [ledger[name] for name in wanted if name in ledger]
    rows = {(each.about, each.label): (unranged(each), each.between) for each in claims}
    if not rows:
        return Instead("")
    return pd.DataFrame(
        [(*key, *numbers) for key, numbers in rows.items()],
        columns=["Arm", "What", "Found", "Range"],
    ).set_index("What")


_Part = Callable[[Ledger, Readout, Effect], str]


def _joined(parts: tuple[_Part, ...], ledger: Ledger, seen: Readout, effect: Effect) -> str:
    said = list(filter(None, (part(ledger, seen, effect) for part in parts)))
    return " ".join(said) or _FEW


def _shares(ledger: Ledger, seen: Readout, effect: Effect) -> str:
    """Say the shares of both arms and how far they are apart."""
    did, who = endpoint.did(seen.plan), endpoint.who(seen.plan)
    found = [named(part, effect.arm) for part in ("share", "control", "difference")]
    if any(name not in ledger for name in found):
        why = effect.why.get("share") or effect.why.get("share_control")
        return inert(why or effect.why.get("difference", ""))
    one, other, gap = (ledger[name] for name in found)
    arm, control = (inert(quoted(name)) for name in (effect.arm, effect.control))
    return (
        f"Of 100 {who} in {arm} {100 * one.value:.1f} {did} ({one.between}), of 100 in "
        f"{control} {100 * other.value:.1f} ({other.between}). The difference{_how(seen, gap)} is "
        f"{apart(gap)}."
    )


def _how(seen: Readout, gap: Claim) -> str:
    """Say what makes the difference another one than that of the two numbers before it."""
    looked = next(each for each in seen.looked if each.arm == gap.about)
    if stakes.corrected(looked) is not None:
        return ", corrected for the early stop,"
    if seen.plan.covariates and looked.unit == "points":
        return ", adjusted as planned,"
    return ""


def _decides(ledger: Ledger, seen: Readout, effect: Effect) -> str:
    """Say by what a log-rank test decides, as it is not the difference of shares."""
    looked = next(each for each in seen.looked if each.arm == effect.arm)
    part = "effect" if stakes.corrected(looked) is None else "corrected"
    name = f"looking_{part}:{effect.arm}"
    if looked.unit == "points" or name not in ledger:
        return ""
    return (
        "These points are of the last day alone; the test decides by all days together, and there "
        f"{pace(ledger[name], seen)}."
    )


def _days(ledger: Ledger, seen: Readout, effect: Effect) -> str:
    """Say how many days an average customer stayed longer, or came back earlier."""
    if named("days", effect.arm) not in ledger:
        return ""
    found, day = ledger[named("days", effect.arm)], seen.plan.endpoint.day
    if seen.plan.endpoint.kind == "retained":
        return (
            f"Over the first {day} days it comes to {found.text} {endpoint.days(seen.plan)} "
            f"({found.between})."
        )
    days = sided(found, ("earlier", "later"), what=" on average", unit=" days")
    return (
        f"In the first {day} days {endpoint.days(seen.plan)} came {days}; whoever had none counts "
        "as waiting to the end."
    )


def _lift(ledger: Ledger, seen: Readout, effect: Effect) -> str:
    """Say the same relative to control."""
    if named("lift", effect.arm) not in ledger:
        return ""
    what = f" {endpoint.who(seen.plan)} {endpoint.stayed(seen.plan)}"
    found = sided(ledger[named("lift", effect.arm)], ("more", "fewer"), what=what)
    return f"Relative to control, {found}."


def _steady(ledger: Ledger, seen: Readout, effect: Effect) -> str:
    """Say whether the effect is the same early and late."""
    if named("pace", effect.arm) not in ledger or effect.proportional is None:
        return ""
    if effect.proportional < WARN:
        return (
            "The effect is not the same early and late, so no one figure holds for every day: read "
            f"the curves, and the shares at day {seen.plan.endpoint.day}."
        )
    if effect.reading is not None and effect.reading.unit != "points":  # the pace has been told
        what = endpoint.pace(seen.plan)
        return f"The effect on {what} is the same early and late, give or take luck."
    found = sided(ledger[named("pace", effect.arm)], ("higher", "lower"))
    return (
        f"On any one of these days {endpoint.pace(seen.plan)} is {found}; early and late do not "
        "differ by more than luck explains."
    )


def _reached(ledger: Ledger, _seen: Readout, effect: Effect) -> str:
    """Say what the message did to those whom it reached, and what that rests on."""
    if named("reached", effect.arm) not in ledger:
        return ""
    found, reach = (ledger[named(part, effect.arm)] for part in ("reached", "reach"))
    return (
        f"The message was delivered to {in_hundred(reach)}. If it does nothing to the others, its "
        f"effect on those reached is {apart(found)}. That is reckoned from the random assignment: "
        "whoever is reached differs from the others anyway, so the two are not compared."
    )


def _unreached(ledger: Ledger, seen: Readout, effect: Effect) -> str:
    """Say why nothing is told of those reached; mostly it is the same for all arms."""
    why = effect.why.get("reached") or effect.why.get("reached_interval", "")
    told = named("reached", effect.arm) in ledger
    if told or not why or seen.plan.cluster or why.startswith(effect.arm):
        return ""
    return f"What a message did to those whom it reached cannot be told. {inert(plainly(why))}"


def _caution(seen: Readout) -> str:
    """Say what the ranges do not allow for, and what was not looked at."""
    day, looked = seen.plan.endpoint.day, [each for each in seen.looked if each.look]
    looks = max((each.of for each in looked), default=1)
    said = f"Nothing is known of what comes after day {day}."
    if looks > 1:
        said += (
            f" Only the range of the difference allows for all {spelt(looks)} looks; the others "
            "are of this look alone."
        )
    if any(stakes.corrected(each) is not None for each in looked):
        said += " The test stopped early, so all but the difference are flattering."
    return said
