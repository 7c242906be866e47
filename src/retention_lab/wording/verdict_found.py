"""What a test that is read found, in sentences: its effect, what harms, what the next looks ask."""

from __future__ import annotations

from retention_lab.experiments.readout import Readout
from retention_lab.record import Claim, Ledger, signed
from retention_lab.record.verdict import harms, looked_of
from retention_lab.wording import endpoint, subgroups
from retention_lab.wording.annotations import inert
from retention_lab.wording.guarding import harm
from retention_lab.wording.phrases import full_day, listed, quoted
from retention_lab.wording.sizes import apart, lasts, points, spelt

_PERCENT = "\N{NO-BREAK SPACE}%"


def thing(seen: Readout) -> str:
    """Name what is tested: the plan, or of several arms the one that the verdict is about."""
    arm = seen.decision.arm
    return inert(quoted(arm if arm and len(seen.plan.arms) > 2 else seen.plan.title))


def does(ledger: Ledger, seen: Readout) -> str:
    """Return for example `keeps about 5 more customers in 100`."""
    if "verdict_effect" not in ledger:
        return endpoint.does(seen.plan, side="fewer" if seen.decision.because == "loss" else "more")
    value = ledger["verdict_effect"].value
    per = 100 if abs(value) >= 0.0095 else 1_000
    side = "more" if value > 0 else "fewer"
    return endpoint.does(seen.plan, side=side, size=round(abs(per * value)), per=per)


def sided(found: Claim, words: tuple[str, str], *, what: str = "", unit: str = _PERCENT) -> str:
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
    sides = ("lower", "higher") if seen.plan.endpoint.kind == "retained" else ("higher", "lower")
    return f"{endpoint.pace(seen.plan)} is {sided(found, sides)}"


def matters(ledger: Ledger, seen: Readout) -> str:
    """Say from which effect on it matters, and who says so."""
    least = ledger["verdict_matters"].text
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
    gap = f"{apart(found)[:-1]}{_allowing(seen, looks=looked.of)})"
    did, who = endpoint.did(seen.plan), endpoint.who(seen.plan)
    of = f"from {found.n:,} {who}"
    if seen.plan.endpoint.words is None:  # else what is tested may be no message
        of += ", whether the message reached them or not"
    if "verdict_share" not in ledger:
        return f"The shares who {did} differ by {gap}, {of}."
    one, other = ledger["verdict_share"].value, ledger["verdict_share_control"].value
    control = inert(quoted(seen.plan.arms[0].name))
    arm = inert(quoted(str(looked.arm)))
    shares = f"Of 100 {who} in {arm} {100 * one:.1f} {did}, against {100 * other:.1f} in {control}"
    if signed(one - other) == signed(found.value) and "verdict_raw" not in ledger:
        return f"{shares}: {gap}, {of}."
    if "verdict_raw" in ledger:
        raw = ledger["verdict_raw"].text
        looks = "is flattering" if looked.stopped == "gain" else "looks worse than it is"
        said = f"Decided early, so the raw effect ({raw} points) {looks}; the corrected one is"
        return f"{shares}. {said} {gap}, {of}."
    how = "Adjusted as planned" if seen.plan.covariates else "As the test reckons"
    return f"{shares}. {how}, the difference is {gap}, {of}."


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
    found = ledger["verdict_effect"]
    told = pace(ledger["verdict_pace"], seen) if "verdict_pace" in ledger else apart(found)
    return f"{told}. {matters(ledger, seen)}"


def ahead(ledger: Ledger, seen: Readout) -> str:
    """Say what finishing takes, and what it could show; nothing of a test that is over."""
    looked = looked_of(seen)
    if seen.decision.verdict != "continue" or looked is None or "verdict_finish" not in ledger:
        return ""
    weeks = (looked.coming["on"].iloc[-1] - seen.as_of).days / 7
    least = ledger["verdict_finish"].text
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
    if told.because not in ("gain", "guardrails to come", "not shown harmless"):
        return ""
    if not seen.plan.guardrails:
        return "The plan has no guardrails, so harm was not looked for."
    if told.because == "gain":
        return "All guardrails of the plan are shown to hold."
    names = listed([inert(quoted(label)) for label in told.why])
    if seen.rails_on is not None and told.because == "guardrails to come":
        return (
            f"Not shown to hold: {names}. That is not harm: some customers are still followed, and "
            f"guardrails are read once more on {full_day(seen.rails_on)}, not before."
        )
    return (
        f"Not shown to hold: {names}. That is not harm: there may be too few customers to tell, or "
        "no data."
    )


def segments(seen: Readout) -> str:
    """Say whether segments differ, of all arms, as the part on segments does."""
    return "" if seen.decision.arm is None else subgroups.brief(seen)
