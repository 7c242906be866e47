"""What an endpoint is called in sentences: by the usual words, or by those of its plan."""

from __future__ import annotations

from retention_lab.experiments.plan import Plan
from retention_lab.wording.annotations import inert

_DID = {
    "retained": "were still with us after {} days",
    "returned": "had bought again within {} days",
}
_KEEPS = {"retained": "keeps", "returned": "brings back"}
_PACE = {"retained": "leaving", "returned": "coming back"}
_STAYED = {"retained": "stayed", "returned": "came back"}
_EVENTS = {"retained": "cancellations", "returned": "returns"}
_DAYS = {"retained": "retained days per customer", "returned": "the next purchase"}


def who(plan: Plan) -> str:
    """Name those who are in a test: customers."""
    words = plan.endpoint.words
    return "customers" if words is None else inert(words.who)


def did(plan: Plan) -> str:
    """Say what those did who count: `were still with us after 90 days`."""
    return inert(plain(plan))


def plain(plan: Plan) -> str:
    """Say the same for a table, in which Markdown is not read."""
    end = plan.endpoint
    return _DID[end.kind].format(end.day) if end.words is None else end.words.did


def stayed(plan: Plan) -> str:
    """Say the same without the day: `stayed`."""
    return _STAYED[plan.endpoint.kind] if plan.endpoint.words is None else did(plan)


def does(plan: Plan, *, side: str, size: int | None = None, per: int = 100) -> str:
    """Return for example `keeps about 5 more customers in 100`; without a size, which way."""
    about = "" if size is None else f"about {size} "
    of = "" if size is None else f" in {per:,}"
    if plan.endpoint.words is not None:
        return f"means that {about}{side} {who(plan)}{of} {did(plan)}"
    return f"{_KEEPS[plan.endpoint.kind]} {about}{side} customer{'' if size == 1 else 's'}{of}"


def events(plan: Plan) -> str:
    """Name what is counted day by day: cancellations."""
    words = plan.endpoint.words
    return _EVENTS[plan.endpoint.kind] if words is None else inert(words.events)


def pace(plan: Plan) -> str:
    """Name the rate of it: `the pace of leaving`."""
    named = plan.endpoint.words is not None
    return f"the pace of {events(plan) if named else _PACE[plan.endpoint.kind]}"


def days(plan: Plan) -> str:
    """Name what days are counted of: `retained days per customer`, or `the next purchase`."""
    kind = plan.endpoint.kind
    if plan.endpoint.words is None:
        return _DAYS[kind]
    return f"days without {events(plan)} on average" if kind == "retained" else events(plan)


def curve(plan: Plan) -> str:
    """Name what a curve shows by day, as plain text: `Still with us`."""
    kept, words = plan.endpoint.kind == "retained", plan.endpoint.words
    if words is None:
        return "Still with us" if kept else "Have bought again"
    return f"Without {words.events} so far" if kept else words.did.capitalize()
