"""A plan in words, line by line: who enters, what they get, what counts, when it is read."""

from __future__ import annotations

import pandas as pd

from retention_lab.experiments.milestones import named
from retention_lab.experiments.outcomes import KNOWN
from retention_lab.experiments.plan import Plan
from retention_lab.experiments.terms import Arm, Guardrail
from retention_lab.wording import endpoint
from retention_lab.wording.phrases import capitalised, counted, full_day, listed, quoted
from retention_lab.wording.sizes import often, points, spelt

COLUMN = "The plan"
_TESTS = {
    "retention": "the difference of the shares on that day",
    "log-rank": "all times until then together (log-rank test)",
}


_WORSE = {"higher": "lower", "lower": "higher"}


def plan_table(plan: Plan) -> pd.DataFrame:
    """Write what a plan says, a row for each question that a reader would ask."""
    one = plan.primary
    rows = {
        "Expected": plan.hypothesis,
        "Who enters": _who(plan),
        "Arms": "; ".join(map(_arm, plan.arms)),
        "From and to": f"{full_day(plan.starts)} to {full_day(plan.ends)}",
        "What counts": f"Who {endpoint.plain(plan)}",
        "What decides": (
            f"{capitalised(_TESTS[one.test])}; {points(one.smallest_effect)} would change what "
            f"is done, and without an effect one is claimed {often(one.alpha)}"
        ),
        "Looks": _looks(plan),
        "At least": counted(plan.minimum_days, "day"),
        "Must not suffer": "; ".join(map(_guarded, plan.guardrails)),
        "Depend on each other": plan.cluster
        and f"Those of the same {plan.cluster}, which the size of the test does not count",
        "Worth of one more": ""
        if plan.worth is None
        else f"{plan.worth:g}, in the currency of the shop",
        "Read even if failed": ", ".join(map(quoted, plan.accepted_checks)),
        "Looked at besides": listed([*plan.secondaries, *plan.segments] or ["nothing"]),
        "Stopped at once": " ".join(plan.stop_rules),
        "Owner": plan.owner,
    }
    told = {what: words for what, words in rows.items() if words}
    return pd.DataFrame({COLUMN: told})


def _who(plan: Plan) -> str:
    """Say whom the daily assignment takes."""
    consent = f"with consent to {listed(plan.channels)}"
    who = f"Within {plan.window_hours} hours of {named(plan.milestone)}, {consent}"
    if plan.where:
        who += f", where {plan.where}"
    if plan.coverage < 1:
        who += f", {100 * plan.coverage:g} in 100 of them"
    if plan.rest_days:
        who += f", nothing sent for {counted(plan.rest_days, 'day')}"
    tests = listed(plan.exclusive_with) if plan.exclusive_with else ""
    return f"{who}, not in the test {tests}" if tests else who


def _arm(arm: Arm) -> str:
    return f"{arm.name} ({100 * arm.share:g} in 100): {arm.message or 'nothing is sent'}"


def _looks(plan: Plan) -> str:
    looks = plan.looks
    if looks is None:
        return "One, at the end"
    if looks.days:
        return f"On the days {listed([*map(str, looks.days)])} of the test"
    when = listed([f"{100 * share:g}" for share in looks.information or ()])
    return f"{capitalised(spelt(len(looks.information or ())))}: when {when} % is known"


def _guarded(guard: Guardrail) -> str:
    share = guard.metric in KNOWN and KNOWN[guard.metric].unit == "share"
    much = points(guard.margin) if share else f"{guard.margin:g}"
    return f"{quoted(guard.metric)}, at most {much} {_WORSE[guard.better]}"
