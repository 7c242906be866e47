"""What a shop's history tells before a test, and what each number does not tell."""

from __future__ import annotations

from retention_lab.experiments.history import PACE_WEEKS, YEAR, History
from retention_lab.record import SMALL, Ledger, percent
from retention_lab.record.history import with_subscription
from retention_lab.wording.phrases import counted, in_hundred, quoted

_AHEAD = (
    "The plan chooses customers by what they may have done since, which nobody knew when they came"
)


def history_arrivals(ledger: Ledger, history: History) -> str:
    """Say how many customers a week could enter, and what that range is about."""
    if "history_entry" not in ledger:
        return _not_told("The pace of entry", _why(history, "entry"), _reached(ledger, history))
    pace, kept = ledger["history_entry"], with_subscription(history)
    reach = f"reached {quoted(history.milestone)} and could have been enrolled"
    if history.coverage < 1:  # the pace is of those whom the plan covers
        covers = f"the {percent(history.coverage)} that the plan covers"
        reach = f"would have been enrolled, {covers} of those who {reach}"
    weeks = len(history.weeks)
    return _joined(
        f"In {pace.about}, about {counted(int(pace.value), 'customer')} a week ({pace.between}) "
        f"{reach}: the plan is for them, {'they had a subscription, ' if kept else ''}and today "
        f"they consent to {history.channel}.",
        _reached(ledger, history),
        "Other tests, a holdout and days of rest are not taken off.",
        "The range is that of the pace: single weeks scatter more, and no season is in it.",
        f"Only these {weeks} weeks are known." if weeks < PACE_WEEKS else "",
        f"{_AHEAD}: the pace may be off." if history.looks_ahead else "",
    )


def history_baseline(ledger: Ledger, history: History) -> str:
    """Say how many were retained, or came back, by the endpoint's day; and of whom that is told."""
    day, kept = history.endpoint.day, with_subscription(history)
    left_out = ""
    if "history_left_out" in ledger:
        left_out = (
            f"Left out are {ledger['history_left_out'].text} who had no subscription at that "
            "moment, as the test can tell nothing of them."
        )
    if "history_baseline" not in ledger:
        what = f"How many {'stay' if kept else 'come back'} within {day} days"
        return _not_told(what, _why(history, "baseline"), left_out)
    share = ledger["history_baseline"]
    return _joined(
        f"Of the {counted(share.n or 0, 'customer')} who reached {quoted(history.milestone)} in "
        f"the last {history.span} days{' with a subscription' if kept else ''}, "
        f"{in_hundred(share)} ({share.between}) {'still had it' if kept else 'had bought again'} "
        f"{day} days later.",
        "Those who came too late for that count for as long as they were followed.",
        left_out,
        f"{_AHEAD}: so this is of everybody at the milestone." if history.looks_ahead else "",
    )


def history_delivered(ledger: Ledger, history: History) -> str:
    """Say which share of messages was delivered; or that nobody knows."""
    if "history_delivered" not in ledger:
        return _not_told("What share of the messages arrives", _why(history, "delivered"))
    share = ledger["history_delivered"]
    return (
        f"Of the messages by {share.about} in the last {YEAR} days, to "
        f"{counted(share.n or 0, 'customer')}, {in_hundred(share)} ({share.between}) were "
        "delivered. Delivered is not read."
    )


def _why(history: History, name: str) -> str:
    return history.why.get(name, f"It would tell of fewer than {SMALL} customers.")


def _not_told(what: str, why: str, beside: str = "") -> str:
    return _joined(f"{what} is not told by history.", why, beside)


def _joined(*sentences: str) -> str:
    return " ".join(filter(None, sentences))


def _reached(ledger: Ledger, history: History) -> str:
    if "history_reached" not in ledger:
        return ""
    reached = ledger["history_reached"]
    who = f"In all, {reached.text}" if reached.value else "Nobody"
    return f"{who} reached {quoted(history.milestone)} in {reached.about}."
