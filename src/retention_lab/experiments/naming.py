"""Whether a shop knows the names in a plan: its milestone, channels, attributes and outcomes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial

from retention_lab import checks
from retention_lab.checks import BadData, Refusal
from retention_lab.churn.listing import consenting
from retention_lab.experiments.milestones import first_reached
from retention_lab.experiments.outcomes import outcome
from retention_lab.experiments.plan import Plan
from retention_lab.tables.metrics import Metric
from retention_lab.tables.snapshot import Snapshot


def unknown(plan: Plan, shop: Snapshot, *, metrics: Mapping[str, Metric]) -> tuple[str, ...]:
    """Say which names in a plan the shop or the own metrics do not know; nothing if all are known.

    Parameters
    ----------
    metrics
        Own metrics by name, as `tables.metrics` reads them.

    Returns
    -------
    tuple
        A sentence for each, with what is known.
    """
    return tuple(
        f"{place}: {sentence}"
        for place, asked in _questions(plan, shop, metrics)
        for sentence in _refusal(asked)
    )


def _questions(
    plan: Plan, shop: Snapshot, metrics: Mapping[str, Metric]
) -> Iterator[tuple[str, Callable[[], object]]]:
    """Ask for each name at its place in the plan; what is not known raises."""
    yield "milestone", partial(first_reached, shop, plan.milestone)
    for channel in plan.channels:
        yield "channel", partial(consenting, shop, channel)
    attributes = {"strata": plan.strata, "segments": plan.segments, "covariates": plan.covariates}
    attributes["cluster"] = (plan.cluster,) if plan.cluster else ()
    for place, names in attributes.items():
        for name in names:
            yield place, partial(_attribute, shop, name)
    for name in plan.secondaries:
        yield "secondaries", partial(_outcome, shop, name, metrics)
    for guardrail in plan.guardrails:
        yield "guardrails", partial(_outcome, shop, guardrail.metric, metrics)


def _attribute(shop: Snapshot, name: str) -> None:
    there = [column for column in shop.customers.columns if column != "customer_id"]
    checks.known(f"{shop.name}: customers", "attribute", [name], there)


def _outcome(shop: Snapshot, name: str, metrics: Mapping[str, Metric]) -> None:
    needed = outcome(name, metrics=metrics).tables
    missing = [table for table in needed if table not in shop.tables]
    if missing:
        raise BadData(
            f"{name} is measured from {' and '.join(missing)}, which {shop.name} does not have. "
            "Map them in its source file, or take the outcome out."
        )


def _refusal(asked: Callable[[], object]) -> Iterator[str]:
    try:
        asked()
    except Refusal as error:
        yield str(error)
