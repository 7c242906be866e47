"""Rising interest in sentences: how many alerts, of how many customers, and how to read them."""

from __future__ import annotations

from retention_lab.customers.rising import Rising
from retention_lab.record import SMALL, Ledger
from retention_lab.wording.phrases import capitalised, quoted, some

LEAST_SEASON = 1.05  # below it, nobody is told of a busy season


def caution(false_alerts: float) -> str:
    """Say what an alert does not tell."""
    return (
        f"Of every 100 alerts about {100 * false_alerts:.0f} are noise by design; "
        f"{quoted('rising')} says nothing about what a message would add."
    )


def rising_alerts(ledger: Ledger, rising: Rising) -> str:
    """Say how many customers buy more often of late, and what to make of it.

    `rising` was recorded in `ledger` by `record.rising`.
    """
    if rising.why:
        return f"No alerts of rising interest: {rising.why[0].lower()}{rising.why[1:]}"
    if "rising_tested" not in ledger:
        return f"No alerts of rising interest: fewer than {SMALL} customers can be judged."
    parts = [
        f"{_number(ledger, rising)} of the {ledger['rising_tested'].text} customers who can be "
        f"judged bought on clearly more of the last {rising.within} days than their own history "
        "lets expect.",
        "" if rising.alerts else "Whoever bought more may have done so by chance.",
        "Nobody is taken to have stopped for good, so alerts are rather too few than too many.",
        _season(rising),
        _bought(ledger),
        f"Who first bought within the last {2 * rising.within} days cannot be judged yet.",
        caution(rising.false_alerts) if rising.alerts else "",
    ]
    return " ".join(filter(None, parts))


def _number(ledger: Ledger, rising: Rising) -> str:
    if "rising_alerts" not in ledger:
        return f"{'Fewer' if rising.alerts < SMALL else 'All but fewer'} than {SMALL}"
    return ledger["rising_alerts"].text if rising.alerts else "None"


def _bought(ledger: Ledger) -> str:
    if "rising_bought" not in ledger:
        return ""
    bought, by_chance = ledger["rising_bought"], ledger["rising_by_chance"]
    return (
        f"{capitalised(some(by_chance))} of them were expected to buy at all in these days, and "
        f"{some(bought)} ({bought.between}) did."
    )


def _season(rising: Rising) -> str:
    if rising.season < LEAST_SEASON:
        return ""
    return (
        f"All together bought {rising.season:.1f} times as often as expected, so everybody is "
        "allowed as much: a busy season alone raises no alert."
    )
