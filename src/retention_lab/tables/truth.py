"""What the simulated shop is told to be, each parameter with its meaning in plain words."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field, fields
from datetime import date
from typing import TypeVar

import numpy as np

from retention_lab import checks
from retention_lab.tables import trial
from retention_lab.tables.drawing import Floats, Ints, choose
from retention_lab.tables.newsletter import MEANS, Newsletter

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Kind:
    """One of several kinds, and its share."""

    name: str
    share: float


@dataclass(frozen=True, kw_only=True)
class Channel:
    """An acquisition channel: share of sign-ups without promotion, factors on two hazards."""

    name: str
    share: float
    hazard_ratio: float  # of dropout
    cancel_ratio: float = 1.0  # of cancelling by choice


@dataclass(frozen=True, kw_only=True)
class Delay:
    """A log-normal wait: its median in days and the standard deviation of its logarithm."""

    median_days: float
    spread: float

    def draw(self, rng: np.random.Generator, n: int) -> Floats:
        """Return `n` waits in days."""
        return rng.lognormal(np.log(self.median_days), self.spread, n)


@dataclass(frozen=True, kw_only=True)
class Milestone(Delay):
    """A milestone: share who would reach it after this delay, factors on two hazards."""

    name: str
    share: float
    hazard_ratio: float  # of dropout
    cancel_ratio: float = 1.0  # of cancelling by choice


@dataclass(frozen=True, kw_only=True)
class Family(Delay):
    """A product family: share of customers, delay between their orders, a middling price."""

    name: str
    share: float
    price: int


HOURLY = (2, 1, 1, 1, 1, 2, 4, 8, 12, 14, 15, 15, 16, 15, 14, 14, 15, 17, 20, 22, 21, 16, 9, 4)
COUNTRIES = (
    Kind(name="United Kingdom", share=0.48),
    Kind(name="Germany", share=0.20),
    Kind(name="France", share=0.15),
    Kind(name="Ireland", share=0.09),
    Kind(name="Netherlands", share=0.08),
)
CHANNELS = (
    Channel(name="organic", share=0.35, hazard_ratio=0.85, cancel_ratio=0.9),
    Channel(name="paid search", share=0.25, hazard_ratio=1.0, cancel_ratio=1.0),
    Channel(name="social", share=0.18, hazard_ratio=1.2, cancel_ratio=1.25),
    Channel(name="referral", share=0.12, hazard_ratio=0.7, cancel_ratio=0.75),
    Channel(name="discount code", share=0.10, hazard_ratio=4.0, cancel_ratio=1.6),
)
MILESTONES = (
    Milestone(
        name="onboarding_completed",
        share=0.6,
        median_days=2,
        spread=1.0,
        hazard_ratio=0.7,
        cancel_ratio=0.6,
    ),
    Milestone(
        name="feature_activated",
        share=0.45,
        median_days=9,
        spread=0.9,
        hazard_ratio=0.8,
        cancel_ratio=0.75,
    ),
    Milestone(
        name="first_value",
        share=0.55,
        median_days=14,
        spread=0.8,
        hazard_ratio=0.9,
        cancel_ratio=1.0,
    ),
)
FAMILIES = (
    Family(name="coffee beans", share=0.20, median_days=42, spread=0.35, price=1400),
    Family(name="pet food", share=0.15, median_days=60, spread=0.30, price=3200),
    Family(name="razor blades", share=0.20, median_days=110, spread=0.45, price=1100),
    Family(name="skin care", share=0.25, median_days=140, spread=0.40, price=2600),
    Family(name="gifts", share=0.20, median_days=270, spread=0.50, price=4500),
)
DISPATCH = Delay(median_days=0.8, spread=0.5)
TRANSIT = Delay(median_days=2.0, spread=0.5)
RETURN_WAIT = Delay(median_days=3.8, spread=0.9)  # about half later than 7 days after the sale
TICKET_CHANNELS = (
    Kind(name="email", share=0.55),
    Kind(name="chat", share=0.30),
    Kind(name="phone", share=0.15),
)
FIRST_RESPONSE = Delay(median_days=0.5, spread=1.3)
RESOLUTION = Delay(median_days=0.8, spread=1.0)
CONSENTS = (
    Kind(name="email", share=0.80),
    Kind(name="sms", share=0.35),
    Kind(name="phone", share=0.50),
)


def _planted(value: T, means: str) -> T:
    """Return a field whose meaning in plain words travels with it into `truth.json`."""
    planted: T = field(default=value, metadata={"means": means})
    return planted


@dataclass(frozen=True, kw_only=True)
class Truth:
    """Every parameter of the simulated shop; its meaning in plain words stands beside each.

    Raises
    ------
    BadParameter
        If shares do not add up to 1, a rate is not positive, or the promoted channel is unknown.
    """

    growth: float = _planted(0.25, "Growth of daily sign-ups over a year, as a share.")
    weekly: tuple[float, ...] = _planted(
        (1.10, 1.05, 1.00, 0.95, 0.90, 0.95, 1.05), "Relative sign-ups, Monday to Sunday."
    )
    yearly_swing: float = _planted(0.15, "Yearly wave of sign-ups: peak over average, as a share.")
    yearly_peak: int = _planted(335, "Day of the year on which that wave is highest.")
    hourly: tuple[float, ...] = _planted(HOURLY, "Relative activity in each hour of the day, UTC.")
    promotion: tuple[date, date] = _planted(
        (date(2026, 8, 1), date(2026, 8, 31)), "First and last day of the promotion."
    )
    promoted_channel: str = _planted("discount code", "The channel that the promotion fills.")
    promotion_factor: float = _planted(5.0, "Factor on that channel's sign-ups meanwhile.")
    countries: tuple[Kind, ...] = _planted(COUNTRIES, "Countries: no effect on anything.")
    channels: tuple[Channel, ...] = _planted(
        CHANNELS,
        "Channels: share of sign-ups without promotion, factor on the dropout hazard, factor on "
        "the hazard of cancelling by choice.",
    )
    same_day_first_order: float = _planted(0.85, "Share whose first order is on the sign-up day.")
    never_orders: float = _planted(0.05, "Share who sign up and never order.")
    late_first_order_days: float = _planted(20.0, "Mean days to the first order for all others.")
    pace_shape: float = _planted(
        1.5, "Customers' purchase rates differ by a gamma factor (pace) of mean 1 and this shape."
    )
    dropout_hazard: float = _planted(
        0.0045, "Chance a day of never ordering again, from the first order on, before all factors."
    )
    milestones: tuple[Milestone, ...] = _planted(
        MILESTONES,
        "Milestones: share who would reach each at pace 1 if they stayed, days from first order, "
        "factor on the dropout hazard from then on, factor on the hazard of cancelling by choice "
        "from the next whole day of membership on. None is seen after dropout.",
    )
    confounding: float = _planted(
        0.3, "Odds of reaching a milestone grow with pace to this power: quick buyers reach more."
    )
    families: tuple[Family, ...] = _planted(
        FAMILIES,
        "Families: share of customers with it as main family (in each of their orders), days "
        "between their orders at pace 1, middling price in pence.",
    )
    extra_line: float = _planted(0.15, "Chance of each of two further lines, of any family.")
    second_order_same_day: float = _planted(0.02, "Chance of another order later on the same day.")
    coupon_share: float = _planted(
        0.12, "Share with a coupon of 10 %; first orders by the promoted channel have one of 20 %."
    )
    dispatch: Delay = _planted(DISPATCH, "Days from order to dispatch.")  # noqa: RUF009  frozen
    transit: Delay = _planted(TRANSIT, "Days from dispatch to delivery.")  # noqa: RUF009  frozen
    promised_days: int = _planted(4, "Days from order to the promised delivery.")
    return_share: float = _planted(0.08, "Share of delivered orders sent back, whole or in part.")
    whole_return: float = _planted(0.70, "Share of returns that refund the whole price paid.")
    return_wait: Delay = _planted(RETURN_WAIT, "Days from delivery to return.")  # noqa: RUF009
    sessions_a_day: float = _planted(0.02, "Product-use sessions a day from start to dropout.")
    most_sessions: int = _planted(10, "Most sessions of one customer.")
    member_share: float = _planted(0.65, "Share of those who order who become members.")
    joins_at_once: float = _planted(0.70, "Share of members who join with their first order.")
    late_joining_days: float = _planted(
        10.0, "Mean days from the first order to joining for all other members."
    )
    yearly_plan: float = _planted(0.30, "Share of members on the yearly plan: no effect.")
    voluntary_hazard: tuple[tuple[int, float], ...] = _planted(
        ((0, 0.0048), (30, 0.0032), (90, 0.0016)),
        "From which day of membership on which chance a day of cancelling by choice, before all "
        "factors.",
    )
    cancel_pace: float = _planted(
        0.0,
        "That chance grows with pace to this power: at 0 quick buyers reach more milestones and "
        "yet cancel no less for being quick, so that pace confounds no milestone.",
    )
    involuntary_hazard: float = _planted(
        0.0004, "Chance a day of losing a membership as a card fails: nothing influences it."
    )
    tickets_a_day: float = _planted(0.005, "Support tickets a day of membership.")
    ticket_channels: tuple[Kind, ...] = _planted(TICKET_CHANNELS, "Channels of tickets: no effect.")
    first_response: Delay = _planted(  # noqa: RUF009  frozen
        FIRST_RESPONSE, "Days from a ticket to its first answer, but for hard problems."
    )
    resolution: Delay = _planted(  # noqa: RUF009  frozen
        RESOLUTION, "Days from the first answer to the solution."
    )
    slow_days: float = _planted(1.0, "An answer is slow after this many days.")
    slow_cancel_ratio: float = _planted(
        1.25,
        "Factor on the hazard of cancelling by choice from the whole day of membership after a "
        "slow answer on, until the next ticket; a quick answer and none yet are like no ticket.",
    )
    hard_share: float = _planted(
        0.25, "Share of tickets with a hard problem, which no table shows."
    )
    hard_cancel_ratio: float = _planted(
        1.6,
        "Factor on that hazard from the whole day after such a ticket is opened on, until the "
        "next ticket: it makes slow answers look worse than they are.",
    )
    hard_slowness: float = _planted(3.0, "Factor on the time to the first answer of those.")
    csat_share: float = _planted(0.40, "Share of solved tickets with a mark from 1 to 5.")
    csat_marks: tuple[float, ...] = _planted(
        (0.05, 0.07, 0.13, 0.35, 0.40), "Relative numbers of the marks 1 to 5."
    )
    csat_marks_poor: tuple[float, ...] = _planted(
        (0.22, 0.23, 0.25, 0.20, 0.10), "The same after a slow answer or with a hard problem."
    )
    consents: tuple[Kind, ...] = _planted(CONSENTS, "Consent by channel: share granted at sign-up.")
    withdrawal_hazard: float = _planted(
        0.0004, "Chance a day of withdrawing a consent that was granted."
    )
    newsletter: Newsletter = _planted(Newsletter(), MEANS)  # noqa: RUF009  frozen
    check_in: trial.Trial | None = _planted(trial.Trial(), trial.MEANS)  # noqa: RUF009

    def __post_init__(self) -> None:
        for kind in ("countries", "channels", "families", "ticket_channels"):
            total = sum(entry.share for entry in getattr(self, kind))
            if not math.isclose(total, 1):
                raise checks.BadParameter(f"The shares of {kind} must add up to 1, got {total:g}.")
        for name in ("dropout_hazard", "pace_shape", "involuntary_hazard", "withdrawal_hazard"):
            checks.at_least(name, getattr(self, name), 1e-6)
        for day, hazard in self.voluntary_hazard:
            checks.at_least(f"voluntary_hazard from day {day} on", hazard, 1e-6)
        if self.voluntary_hazard[0][0] != 0:
            raise checks.BadParameter("voluntary_hazard must begin on day 0 of membership.")
        checks.known("truth", "channel", [self.promoted_channel], [c.name for c in self.channels])

    def explained(self) -> dict[str, dict[str, object]]:
        """Return each parameter's value beside its meaning in plain words."""
        values = asdict(self)
        return {
            entry.name: {"value": values[entry.name], "means": entry.metadata["means"]}
            for entry in fields(self)
        }

    def signups(self, days: Ints) -> Floats:
        """Return relative sign-ups: one row for each of `days` since 1970, one column a channel."""
        growth = (1 + self.growth) ** ((days - days[0]) / 365.25)
        weekly = np.array(self.weekly)[(days + 3) % 7]  # 1 January 1970 was a Thursday
        yearly = 1 + self.yearly_swing * np.cos(2 * np.pi * (days - self.yearly_peak) / 365.25)
        begin, end = ((day - date(1970, 1, 1)).days for day in self.promotion)
        promoted = [channel.name == self.promoted_channel for channel in self.channels]
        during = np.outer((begin <= days) & (days <= end), promoted)
        shares = np.where(during, self.promotion_factor, 1) * [c.share for c in self.channels]
        expected: Floats = (growth * weekly * yearly)[:, None] * shares
        return expected

    def times_of_day(self, rng: np.random.Generator, n: int) -> Ints:
        """Return `n` seconds since midnight."""
        return choose(rng, self.hourly, n) * 3_600 + rng.integers(3_600, size=n)
