"""An oracle of factors: the state of a customer at a moment, by loops over the rows of a shop."""

from __future__ import annotations

import pandas as pd

from retention_lab.tables.playbook import (
    Attribute,
    Milestone,
    Purchases,
    Recency,
    Support,
    Tenure,
)

from .shops import local_date

MILESTONE = Milestone(name="onboarding", label="Onboarding", event="onboarded")
SUPPORT = Support(name="support", label="Support")
PURCHASES = Purchases(name="purchases", label="Purchases", within=60, cuts=(1, 3))
RECENCY = Recency(name="recency", label="Since the last purchase", days=(20, 60))
TENURE = Tenure(name="tenure", label="Since the start", days=(30, 90))
COUNTRY = Attribute(name="land", label="Country", column="country")
TIMED = (MILESTONE, SUPPORT, PURCHASES, COUNTRY)
ALL = (*TIMED, RECENCY, TENURE)
DAY, SECOND = pd.Timedelta(days=1), pd.Timedelta(seconds=1)


class Customer:
    """What a shop holds of one customer, to be asked for a state at a moment (a whole second)."""

    def __init__(self, rows, who):
        own = {name: frame[frame["customer_id"] == who] for name, frame in rows.items()}
        times, first = own["orders"]["ordered_at"], {}
        for on, at in zip(local_date(times), times, strict=True) if len(times) else ():
            first[on] = min(at, first.get(on, at))
        self.bought = sorted(first.values())
        self.came = list(zip(own["events"]["event"], own["events"]["occurred_at"], strict=True))
        tickets = own["tickets"].sort_values(["opened_at", "ticket_id"])
        self.tickets = list(zip(tickets["opened_at"], tickets["first_response_at"], strict=True))
        self.country = own["customers"]["country"].fillna("unknown").iloc[0]

    def at(self, factor, moment, since=None):
        """Word what was known of a factor at a moment; `since` is time zero for the tenure."""
        match factor:
            case Milestone():
                come = any(name == factor.event and at <= moment for name, at in self.came)
                return "reached" if come else "not yet"
            case Support():
                return self._support(factor, moment)
            case Purchases():
                # One that is exactly so many days old is no longer within them.
                count = sum(at <= moment < at + factor.within * DAY for at in self.bought)
                return factor.states[sum(count >= cut for cut in factor.cuts)]
            case Recency():
                last = [at for at in self.bought if at <= moment]
                return _passed((moment - last[-1]) // DAY if last else 9_999, factor)
            case Tenure():
                return _passed((moment - since) // DAY, factor)
            case Attribute():
                return self.country

    def _support(self, factor, moment):
        tickets = [(opened, answered) for opened, answered in self.tickets if opened <= moment]
        if not tickets:
            return "no ticket"
        opened, answered = tickets[-1]
        if pd.isna(answered) or answered > moment:
            return "waiting"
        prompt = answered - opened <= pd.Timedelta(hours=factor.hours)
        return f"answered within {factor.hours} h" if prompt else "answered later"


def _passed(days, factor):
    return factor.states[sum(days > day for day in factor.days)]
