"""What a test that is read found, in sentences: its effect, what harms, what the next looks ask."""

from __future__ import annotations

from retention_lab.experiments.readout import Readout
from retention_lab.record import Claim, Ledger
from retention_lab.record.verdict import harms, looked_of
from retention_lab.wording import subgroups
from retention_lab.wording.annotations import inert
from retention_lab.wording.guarding import harm
from retention_lab.wording.phrases import listed, quoted
from retention_lab.wording.sizes import lasts, points, spelt

_DOES = {"retained": "keeps", "returned": "brings back"}
_DID = {
    "retained": "were still with us after {} days",
    "returned": "had bought again within {} days",
}


def thing(seen: Readout) -> str:
    """Name what is tested: the plan, or of several arms the one that the verdict is about."""
    arm = seen.decision.arm
    return inert(quoted(arm if arm and len(seen.plan.arms) > 2 else seen.plan.title))


def does(ledger: Ledger, seen: Readout) -> str:
    """Return for example `keeps about 5 more customers in 100`."""
    verb = _DOES[seen.plan.endpoint.kind]
    if "verdict_effect" not in ledger:
        return f"{verb} {'fewer' if seen.decision.because == 'loss' else 'more'} customers"
    value = ledger["verdict_effect"].value
    per = 100 if abs(value) >= 0.0095 else 1_000
    size, side = round(abs(per * value)), "more" if value > 0 else "fewer"
    return f"{verb} about {size} {side} customer{'' if size == 1 else 's'} in {per:,}"


def signed(share: float) -> str:
    """Write a difference of shares with its sign: `+1.2`."""
    per = 100 * share
    digits = 1 if abs(per) >= 0.095 else 2  # what is small is not nothing
    return f"{per:+.{digits}f}" if round(per, digits) else "0.0"


def sided(found: Claim, words: tuple[str, str], *, what: str = "", unit: str = " %") -> str:
    """Return for example `8.4 % more customers (2.2 to 14.9 % more)`, or from fewer to more."""
    times = 100 if found.unit == "share" else 1

    def side(value: float) -> str:
        return words[0] if value > 0 else words[1]

    low, value, high = (times * (end or 0.0) for end in (found.low, found.value, found.high))
    near, far = sorted((low, high), key=abs)
    if low * high > 0:
        between = f"{_size(near)} to {_size(far)}{unit} {side(far)}"
    else:
        ends = [f"{_size(end)}{unit} {side(end)}" for end in (low, high)]
        between = " to ".join(ends)
    return f"{_size(value)}{unit} {side(value)}{what} ({between})"


def _size(value: float) -> str:
    """Write a size without its sign; what is small is not nothing."""
    return f"{abs(value):.{2 if 0.005 <= abs(value) < 0.095 else 1}f}"


def pace(found: Claim, seen: Readout) -> str:
    """Return for example `the pace of leaving is 9.1 % lower (20.2 % lower to 3.5 % higher)`."""
    if seen.plan.endpoint.kind == "retained":
        return f"the pace of leaving is {sided(found, ('lower', 'higher'))}"
    return f"the pace of coming back is {sided(found, ('higher', 'lower'))}"


def ranged(ledger: Ledger) -> str:
    """Return for example `+1.2 points (-2.1 to +4.5)`."""
    found = ledger["verdict_effect"]
    low, high = found.low or 0.0, found.high or 0.0
    return f"{signed(found.value)} points ({signed(low)} to {signed(high)})"


def matters(ledger: Ledger, seen: Readout) -> str:
    """Say from which effect on it matters, and who says so."""
    least = signed(ledger["verdict_matters"].value)
    if seen.decision.money is not None:
        return f"It pays from {least} points"
    smallest = seen.plan.primary.smallest_effect
    if least == signed(smallest):
        return f"The plan calls {least} points worth acting on"
    among = f"{points(smallest)} among those whom the message reaches"
    return f"The plan calls {least} points worth acting on ({among})"


def decides(ledger: Ledger, seen: Readout) -> str:
    """Say by what a test decides that does not by the difference of shares."""
    if "verdict_pace" not in ledger:
        return ""
    return (
        "These points are of the last day alone; the test decides by all days together, and there "
        f"{pace(ledger['verdict_pace'], seen)}."
    )


def effect(ledger: Ledger, seen: Readout) -> str:
    """Say what share of either arm had the outcome, and how far they are apart."""
    looked = looked_of(seen)
    if "verdict_effect" not in ledger or looked is None:
        return ""
    found = ledger["verdict_effect"]
    did = _DID[seen.plan.endpoint.kind].format(seen.plan.endpoint.day)
    allowing = _allowing(seen, looks=looked.of)
    of = f"from {found.n:,} customers, whether the message reached them or not"
    if "verdict_share" not in ledger:
        return f"The shares who {did} differ by {ranged(ledger)[:-1]}{allowing}), {of}."
    one, other = ledger["verdict_share"].value, ledger["verdict_share_control"].value
    control = inert(quoted(seen.plan.arms[0].name))
    arm = inert(quoted(str(looked.arm)))
    shares = (
        f"Of 100 customers in {arm} {100 * one:.1f} {did}, against {100 * other:.1f} in {control}"
    )
    if signed(one - other) == signed(found.value) and "verdict_raw" not in ledger:
        return f"{shares}: {ranged(ledger)[:-1]}{allowing}), {of}."
    if "verdict_raw" in ledger:
        raw = signed(ledger["verdict_raw"].value)
        looks = "is flattering" if looked.stopped == "gain" else "looks worse than it is"
        said = f"Decided early, so the raw effect ({raw} points) {looks}; the corrected one is"
        return f"{shares}. {said} {ranged(ledger)[:-1]}{allowing}), {of}."
    how = "Adjusted as planned" if seen.plan.covariates else "As the test reckons"
    return f"{shares}. {how}, the difference is {ranged(ledger)[:-1]}{allowing}), {of}."


def _allowing(seen: Readout, *, looks: int) -> str:
    """Name what the interval allows for, if anything."""
    arms = len(seen.plan.arms) - 1
    for_looks = [f"{spelt(looks)} looks"] if looks > 1 else []
    for_arms = [f"{spelt(arms)} arms"] if arms > 1 else []
    return f", allowing for {listed(for_looks + for_arms)}" if for_looks or for_arms else ""


def unclear(ledger: Ledger, seen: Readout) -> str:
    """Say in half a line what is known where nothing is decided."""
    if "verdict_effect" not in ledger:
        return "there is no effect that could be read"
    told = pace(ledger["verdict_pace"], seen) if "verdict_pace" in ledger else ranged(ledger)
    return f"{told}. {matters(ledger, seen)}"


def ahead(ledger: Ledger, seen: Readout) -> str:
    """Say what finishing takes, and what it could show; nothing of a test that is over."""
    looked = looked_of(seen)
    if seen.decision.verdict != "continue" or looked is None or "verdict_finish" not in ledger:
        return ""
    weeks = (looked.coming["on"].iloc[-1] - seen.as_of).days / 7
    least = signed(ledger["verdict_finish"].value)
    return (
        f"Finishing costs about {lasts(max(weeks, 1))} more; that is worth it only if you would "
        f"ship on {least} points."
    )


def harmed(ledger: Ledger, seen: Readout) -> str:
    """Say of each arm that is shown to harm a guardrail by how much."""
    said = []
    for name, row in harms(seen).items():
        what = f"{inert(quoted(str(row['label'])))} is worse than the plan bears"
        if len(seen.plan.arms) > 2:
            what = f"Of {inert(quoted(str(row['arm'])))}, {what}"
        borne = f"{harm({**row, 'currency': seen.currency}, row['margin'])} would be borne"
        unit = " points" if row["unit"] == "share" else ""
        if name in ledger:
            what += f": {_beyond(ledger[name], unit)} than in control, where {borne}"
        said.append(f"{what}.")
    return " ".join(said)


def _beyond(found: Claim, unit: str) -> str:
    """Return for example `2.1 points (1.1 to 3.1) more`: such an interval has one side."""
    ends = sorted((abs(found.low or 0.0), abs(found.high or 0.0)))
    between = " to ".join(map(found.written, ends))
    side = "more" if found.value > 0 else "less"
    return f"{found.written(abs(found.value))}{unit} ({between}) {side}"


def rails(seen: Readout) -> str:
    """Say whether the guardrails are shown to hold, where that decides."""
    told = seen.decision
    if told.because not in ("gain", "not shown harmless"):
        return ""
    if not seen.plan.guardrails:
        return "The plan has no guardrails, so harm was not looked for."
    if told.because == "gain":
        return "All guardrails of the plan are shown to hold."
    names = listed([inert(quoted(label)) for label in told.why])
    return (
        f"Not shown to hold: {names}. That is not harm: there may be too few customers to tell, or "
        "no data."
    )


def segments(seen: Readout) -> str:
    """Say whether segments differ, of all arms, as the part on segments does."""
    return "" if seen.decision.arm is None else subgroups.brief(seen)
