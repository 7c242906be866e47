"""What a test did besides what it is decided by: its secondary metrics and its guardrails.

Everybody assigned counts, in the arm of the first assignment, for the endpoint's days from time
zero; whoever was not followed for so long is left out, and counted.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from math import sqrt
from typing import Any, Literal

import ibis.expr.types as ir
import pandas as pd

from retention_lab.checks import BadData, Refusal
from retention_lab.experiments import cleaner, terms
from retention_lab.experiments.cleaner import OfArm
from retention_lab.experiments.outcomes import Outcome, outcome
from retention_lab.experiments.plan import Plan
from retention_lab.inference import lift, means, multiplicity, proportions
from retention_lab.inference.interval import Interval
from retention_lab.inference.means import Estimate
from retention_lab.inference.noninferiority import NoWorse, no_worse, no_worse_share
from retention_lab.inference.score import score
from retention_lab.tables.metrics import Metric
from retention_lab.tables.snapshot import Snapshot

_TEXT = ("metric", "label", "unit", "better", "role", "arm")
_COUNTS = ("customers", "customers_control", "left_out")
_NUMBERS = (
    *("value", "value_low", "value_high", "control", "control_low", "control_high"),
    *("difference", "low", "high", "std_error", "lift", "lift_low", "lift_high"),
    *("p_value", "p_adjusted"),
)
_FRAME = {
    **dict.fromkeys(_TEXT, "object"),
    **dict.fromkeys(_COUNTS, "Int64"),
    **dict.fromkeys(_NUMBERS, "Float64"),
    "cleaned": "bool",
    "kept": "Float64",
    "margin": "Float64",
    "no_worse": "boolean",
    "harmed": "bool",
    "why": "object",
    **dict.fromkeys(("counted", "counted_control", "did", "did_control"), "Int64"),
}


@dataclass(frozen=True, kw_only=True)
class Compared:
    """One outcome of two arms, in its own unit (money in whole units), treated minus control.

    Parameters
    ----------
    value, control
        Average of either arm, adjusted where `cleaned`.
    difference
        Of the two; of shares with Newcombe's interval.
    lift
        Relative to control, of shares by log ratio, else by Fieller; None where it has no bounds.
    p_value
        Two-sided, of no difference, of shares by the score test; None where all customers of both
        arms are alike.
    cleaned, kept
        Whether the same of before time zero adjusts it, and the share of the variance that is left.
    """

    value: Estimate
    control: Estimate
    difference: Estimate
    lift: Interval | None
    p_value: float | None
    cleaned: bool
    kept: float


def one(treated: OfArm, control: OfArm, *, alpha: float = 0.05) -> Compared:
    """Compare one outcome of two arms, which `cleaner.arms` gave in one call.

    Intervals of each arm are at 95 %, all others at 1 - `alpha`.

    Raises
    ------
    BadData
        If an arm has no average, or all customers of both are alike so far, in a mean or ratio.

    References
    ----------
    Deng, Xu, Kohavi & Walker (2013), WSDM, 123-132 (CUPED); of the others see `inference.means`,
    `inference.lift`, `inference.proportions` and `inference.score`.
    """
    value, other = _told(treated), _told(control)
    if treated.is_share and control.is_share:
        return _shares(treated, control, alpha=alpha)
    raw = means.difference(value, other, alpha=alpha)
    if treated.cleaned and control.cleaned:
        value, other = treated.cleaned, control.cleaned
    found = means.difference(value, other, alpha=alpha)
    kept = (found.std_error / raw.std_error) ** 2
    return Compared(
        value=value,
        control=other,
        difference=found,
        lift=_lift(value, other, of="mean", alpha=alpha),
        p_value=found.p_value,
        cleaned=bool(treated.cleaned and control.cleaned) and kept != 1,
        kept=kept,
    )


def guarded(
    treated: OfArm, control: OfArm, compared: Compared, *, rail: terms.Guardrail
) -> dict[str, Any]:
    """Say whether harm of the margin is shown not to be, or to be: columns of `measured`."""
    harm = rail.margin if rail.better == "lower" else -rail.margin
    try:
        found = _no_worse(treated, control, compared, harm)
        shown, interval, p_value = found.shown, found.difference, found.p_value
    except BadData:  # all or none in both arms did it: the interval tells, no test does
        interval, p_value = compared.difference, None
        shown = interval.high < harm if harm > 0 else interval.low > harm
    beyond = interval.low > harm if harm > 0 else interval.high < harm
    ends = {"low": interval.low, "high": interval.high}
    return {**ends, "p_value": p_value, "no_worse": shown, "harmed": beyond}


def measured(
    shop: Snapshot, people: ir.Table, plan: Plan, *, metrics: Mapping[str, Metric] | None = None
) -> pd.DataFrame:
    """Measure the secondary metrics and the guardrails of a plan in each arm against control.

    Parameters
    ----------
    people
        Customers of the plan's arms: `customer_id`, `arm`, `reached_at` (naive UTC), and what the
        plan names as their cluster.
    metrics
        Own metrics by their name.

    Returns
    -------
    DataFrame
        One row per secondary and guardrail, in the plan's order, and arm but control: `metric`,
        `label`, `unit` (share, money in whole units, or per_customer), `better`, `role` (secondary
        or guardrail), `arm`, `customers` and `customers_control` (followed for so long), `left_out`
        (of both arms, those who were not), `value` of the arm and `control` with `value_low` to
        `control_high`, `difference` (arm minus control) with `low`, `high` and `std_error`, `lift`
        (relative, 0.02 is 2 % more) with `lift_low` and `lift_high`, `p_value` (of no difference;
        of a guardrail, on one side, of harm of its margin), `p_adjusted` (Holm, over all
        secondaries and arms), `cleaned` (adjusted by the same of before), `kept` (share of the
        variance that is left), `margin` of the plan, `no_worse` (harm of the margin or more is
        shown not to be), `harmed` (the whole interval lies beyond the margin), `why` (a sentence
        where nothing can be told, else empty), and of the arm and of control `counted` and `did`
        (as `cleaner.OfArm`). What cannot be told is missing.

    References
    ----------
    Guardrails: non-inferiority at 2.5 % on one side, of shares by the score test, see
    `inference.noninferiority`; intervals of their shares are those of that test. Secondaries that
    cannot be told count among those that Holm (1979) allows for.
    """
    asked: list[tuple[str, terms.Guardrail | None]] = [(name, None) for name in plan.secondaries]
    asked += [(rail.metric, rail) for rail in plan.guardrails]
    made = _known([name for name, _ in asked], metrics or {})
    found = cleaner.several(shop, people, made, days=plan.endpoint.day, cluster=plan.cluster)
    seen = _Seen(plan=plan, metrics=metrics or {}, found=found)
    others = [arm.name for arm in plan.arms[1:]]
    rows = [seen.told(name, rail, arm=arm) for name, rail in asked for arm in others]
    frame = pd.DataFrame(rows, columns=[*_FRAME]).astype(_FRAME)
    secondary = frame["role"] == "secondary"
    if secondary.any():
        # What cannot be told yet was asked all the same.
        values = frame.loc[secondary, "p_value"].fillna(1).to_numpy(dtype="float64")
        adjusted = pd.Series(multiplicity.adjusted(values).p_values, index=frame.index[secondary])
        frame["p_adjusted"] = adjusted.where(frame["p_value"].notna()).astype("Float64")
    return frame


def _known(names: Sequence[str], metrics: Mapping[str, Metric]) -> list[Outcome]:
    """Find outcomes, each once; of those that there are not it is said why in their rows."""
    made = []
    for name in dict.fromkeys(names):
        with suppress(Refusal):
            made.append(outcome(name, metrics=metrics))
    return made


@dataclass(frozen=True, kw_only=True)
class _Seen:
    """What was measured of the customers of a test, by the name of the metric."""

    plan: Plan
    metrics: Mapping[str, Metric]
    found: Mapping[str, dict[str, OfArm] | Refusal]

    def told(self, name: str, rail: terms.Guardrail | None, *, arm: str) -> dict[str, Any]:
        """Give a row of the frame, as far as it can be told."""
        row: dict[str, Any] = {"metric": name, "label": name, "unit": "", "better": "neither"}
        row |= {"role": "guardrail" if rail else "secondary", "arm": arm, "why": ""}
        row |= {"cleaned": False, "harmed": False}
        row |= {"margin": rail.margin, "better": rail.better} if rail else {}
        try:
            for part in self._parts(name, rail, arm):
                row |= part
        except Refusal as refused:
            row["why"] = str(refused)
        return row

    def _parts(self, name: str, rail: terms.Guardrail | None, arm: str) -> Iterator[dict[str, Any]]:
        made = outcome(name, metrics=self.metrics)
        yield {"label": made.label, "unit": made.unit}
        yield {} if rail else {"better": made.better}
        treated, control = (self._of(made, each) for each in (arm, self.plan.arms[0].name))
        yield {"customers": treated.customers, "customers_control": control.customers}
        yield {"left_out": treated.left_out + control.left_out}
        yield {"counted": treated.counted, "counted_control": control.counted}
        yield {"did": treated.did, "did_control": control.did}
        compared = one(treated, control)
        # Nothing of it is told if its guardrail cannot be.
        held = guarded(treated, control, compared, rail=rail) if rail else {}
        yield _numbers(compared) | held

    def _of(self, made: Outcome, arm: str) -> OfArm:
        found = self.found[made.name]
        if isinstance(found, Refusal):
            raise found
        if arm not in found:
            raise BadData(f"Nobody was assigned to {arm} yet.")
        return found[arm]


def _numbers(compared: Compared) -> dict[str, Any]:
    value, control, apart, lift_ = (
        asdict(each) if each else {}
        for each in (compared.value, compared.control, compared.difference, compared.lift)
    )
    return {
        "value": value["value"],
        "control": control["value"],
        **{f"value_{end}": value[end] for end in ("low", "high")},
        **{f"control_{end}": control[end] for end in ("low", "high")},
        "difference": apart["value"],
        **{name: apart[name] for name in ("low", "high", "std_error")},
        **({"lift": lift_["value"]} if lift_ else {}),
        **{f"lift_{end}": lift_[end] for end in ("low", "high") if lift_},
        "p_value": compared.p_value,
        "cleaned": compared.cleaned,
        "kept": compared.kept,
    }


def _no_worse(treated: OfArm, control: OfArm, compared: Compared, harm: float) -> NoWorse:
    if not (treated.is_share and control.is_share):
        return no_worse(compared.difference, margin=harm)
    counts = (treated.did, treated.customers, control.did, control.customers)
    return no_worse_share(*counts, margin=harm)


def _told(arm: OfArm) -> Estimate:
    if arm.raw is None:
        raise BadData(arm.why)
    return arm.raw


def _shares(treated: OfArm, control: OfArm, *, alpha: float) -> Compared:
    value, other = _told(treated), _told(control)
    counts = (treated.did, treated.customers, control.did, control.customers)
    found = proportions.difference(*counts, alpha=alpha)
    try:
        p_value = score(*counts).p_value
    except BadData:
        p_value = None
    std_error = sqrt(value.std_error**2 + other.std_error**2)
    return Compared(
        value=value,
        control=other,
        difference=Estimate(**asdict(found), std_error=std_error),
        lift=_lift(value, other, of="share", alpha=alpha),
        p_value=p_value,
        cleaned=False,
        kept=1.0,
    )


def _lift(
    one: Estimate, other: Estimate, *, of: Literal["share", "mean"], alpha: float
) -> Interval | None:
    try:
        return (lift.log_ratio if of == "share" else lift.fieller)(one, other, alpha=alpha)
    except BadData:
        return None
