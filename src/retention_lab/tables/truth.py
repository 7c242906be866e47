"""What the simulated shop is told to be, and customers drawn so: the part that its tables hide.

A moment is a count of seconds since 1970 and a choice is a place in one of the truth's lists.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, fields
from datetime import date
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from retention_lab import checks

T = TypeVar("T")
Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

DAY = 86_400
FAR = 100_000.0  # days beyond any horizon, so that sums with "never" stay finite


@dataclass(frozen=True, kw_only=True)
class Country:
    """A country and its share of the sign-ups."""

    name: str
    share: float


@dataclass(frozen=True, kw_only=True)
class Channel:
    """An acquisition channel: share of sign-ups without promotion, factor on the dropout hazard."""

    name: str
    share: float
    hazard_ratio: float


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
    """A milestone: share who would reach it after this delay, factor on the dropout hazard."""

    name: str
    share: float
    hazard_ratio: float


@dataclass(frozen=True, kw_only=True)
class Family(Delay):
    """A product family: share of customers, delay between their orders, a middling price."""

    name: str
    share: float
    price: int


HOURLY = (2, 1, 1, 1, 1, 2, 4, 8, 12, 14, 15, 15, 16, 15, 14, 14, 15, 17, 20, 22, 21, 16, 9, 4)
COUNTRIES = (
    Country(name="United Kingdom", share=0.48),
    Country(name="Germany", share=0.20),
    Country(name="France", share=0.15),
    Country(name="Ireland", share=0.09),
    Country(name="Netherlands", share=0.08),
)
CHANNELS = (
    Channel(name="organic", share=0.35, hazard_ratio=0.85),
    Channel(name="paid search", share=0.25, hazard_ratio=1.0),
    Channel(name="social", share=0.18, hazard_ratio=1.2),
    Channel(name="referral", share=0.12, hazard_ratio=0.7),
    Channel(name="discount code", share=0.10, hazard_ratio=4.0),
)
MILESTONES = (
    Milestone(name="onboarding_completed", share=0.6, median_days=2, spread=1.0, hazard_ratio=0.7),
    Milestone(name="feature_activated", share=0.45, median_days=9, spread=0.9, hazard_ratio=0.8),
    Milestone(name="first_value", share=0.55, median_days=14, spread=0.8, hazard_ratio=0.9),
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
    countries: tuple[Country, ...] = _planted(COUNTRIES, "Countries: no effect on anything.")
    channels: tuple[Channel, ...] = _planted(
        CHANNELS, "Channels: share of sign-ups without promotion, factor on the dropout hazard."
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
        "factor on the dropout hazard from then on. None is seen after dropout.",
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

    def __post_init__(self) -> None:
        for kind in ("countries", "channels", "families"):
            total = sum(entry.share for entry in getattr(self, kind))
            if not math.isclose(total, 1):
                raise checks.BadParameter(f"The shares of {kind} must add up to 1, got {total:g}.")
        for name in ("dropout_hazard", "pace_shape"):
            checks.at_least(name, getattr(self, name), 1e-6)
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


@dataclass(frozen=True, kw_only=True)
class People:
    """Customers with what the tables never show, by time of sign-up; one array a property."""

    signed_up: Ints
    channel: Ints
    family: Ints
    pace: Floats
    buys: Bools
    start: Ints  # first order; sign-up for those who never order
    reached: Floats  # customers x milestones, days from start, infinite where never
    leaves: Ints  # dropout, or the end
    end: int  # nothing is seen from here on


def draw_people(rng: np.random.Generator, truth: Truth, *, calendar: Ints, n: int) -> People:
    """Return `n` customers who sign up on the days of `calendar`, observed until its end."""
    end = int(calendar[-1] + 1) * DAY
    day, channel = np.divmod(choose(rng, truth.signups(calendar).ravel(), n), len(truth.channels))
    signed_up = calendar[day] * DAY + truth.times_of_day(rng, n)
    by_time = np.argsort(signed_up, kind="stable")
    signed_up, channel = signed_up[by_time], channel[by_time]
    pace = rng.gamma(truth.pace_shape, 1 / truth.pace_shape, n)
    buys, start = _first_orders(rng, truth, signed_up)
    reached = milestone_days(rng, truth, pace)
    factor = np.array([kind.hazard_ratio for kind in truth.channels])[channel]
    dropout = dropout_days(rng, truth, factor=factor, reached=reached)
    return People(
        signed_up=signed_up,
        channel=channel,
        family=choose(rng, [family.share for family in truth.families], n),
        pace=pace,
        buys=buys,
        start=start,
        reached=reached,
        leaves=np.minimum(start + seconds(dropout), end),
        end=end,
    )


def _first_orders(rng: np.random.Generator, truth: Truth, signed_up: Ints) -> tuple[Bools, Ints]:
    """Return who ever orders, and when first (for those who never do, the sign-up)."""
    never, same_day = truth.never_orders, truth.same_day_first_order
    kind = choose(rng, [never, same_day, 1 - never - same_day], signed_up.size)
    wait = np.ceil(rng.exponential(truth.late_first_order_days, signed_up.size)).astype(np.int64)
    late = (signed_up // DAY + wait) * DAY + truth.times_of_day(rng, signed_up.size)
    return kind > 0, np.choose(kind, [signed_up, later_that_day(rng, signed_up), late])


def milestone_days(rng: np.random.Generator, truth: Truth, pace: Floats) -> Floats:
    """Return the days from start to each milestone, infinite where never; dropout comes later."""
    share = np.array([milestone.share for milestone in truth.milestones])
    odds = share / (1 - share) * pace[:, None] ** truth.confounding
    days = np.column_stack([milestone.draw(rng, pace.size) for milestone in truth.milestones])
    return np.where(rng.random(days.shape) < odds / (1 + odds), days, np.inf)


def dropout_days(
    rng: np.random.Generator, truth: Truth, *, factor: Floats, reached: Floats
) -> Floats:
    """Return days from start to dropout, whose hazard changes with each milestone reached.

    A unit-exponential dose is spent along the cumulative hazard, linear between milestones.
    """
    order = np.argsort(reached, axis=1)
    begins = np.insert(np.take_along_axis(np.minimum(reached, FAR), order, axis=1), 0, 0.0, axis=1)
    ratios = np.array([milestone.hazard_ratio for milestone in truth.milestones])[order]
    base = truth.dropout_hazard * factor
    rates = np.cumprod(np.column_stack([base, ratios]), axis=1)
    spent = np.cumsum(np.diff(begins, axis=1) * rates[:, :-1], axis=1)
    spent = np.insert(spent, 0, 0.0, axis=1)
    dose = rng.exponential(size=factor.size)
    piece = (np.arange(factor.size), (spent <= dose[:, None]).sum(axis=1) - 1)
    days: Floats = begins[piece] + (dose - spent[piece]) / rates[piece]
    return days


def choose(rng: np.random.Generator, weights: Sequence[float] | Floats, n: int) -> Ints:
    """Return `n` places drawn with these relative weights."""
    places: Ints = rng.choice(len(weights), size=n, p=np.array(weights) / np.sum(weights))
    return places


def seconds(days: Floats) -> Ints:
    """Return whole seconds."""
    whole: Ints = np.rint(np.minimum(days, FAR) * DAY).astype(np.int64)
    return whole


def later_that_day(rng: np.random.Generator, at: Ints) -> Ints:
    """Return moments within two hours, and before midnight."""
    return at + (rng.random(at.size) * np.minimum(DAY - at % DAY, 7_200)).astype(np.int64)
