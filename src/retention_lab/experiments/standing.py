"""Where one arm of a test stands on a day: what it spent, whether it may be read, what comes."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from retention_lab.experiments import testing
from retention_lab.experiments.basis import Basis, end_of, targets
from retention_lab.experiments.plan import Plan, digest
from retention_lab.inference.sequential.bounds import Rule, bounds

if TYPE_CHECKING:
    from retention_lab.experiments.effects import Reading

LEAST = 0.001  # of the planned information, that a look knows more than the one before
_ROUNDING = 1e-9
_BOUNDS = ["lower", "upper", "alpha_spent", "beta_spent"]

Stop = Literal["", "gain", "loss", "futility", "end"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Standing:
    """One arm against control as of a day.

    `past` are its looks, as `looks.taken` gives them, up to the day; `reading` is as of the day,
    None where there is nothing to read. Nothing but the last day is a look where nobody `keeps`
    what was spent, or nothing can be planned, and then `why` says it.
    """

    plan: Plan
    arm: str
    past: pd.DataFrame
    reading: Reading | None
    as_of: dt.date
    basis: Basis | None
    keeps: bool
    why: str = ""

    @cached_property
    def last(self) -> dict[str, Any] | None:
        """The look before, or that of today."""
        rows: list[dict[Any, Any]] = self.past.to_dict("records")
        return rows[-1] if rows else None

    @property
    def over(self) -> bool:
        """Whether a look has stopped the test."""
        return self.last is not None and self.last["stopped"] != ""

    @property
    def finished(self) -> bool:
        """Whether no look comes any more: a look has stopped the test, or it ends unread."""
        return self.over or (self.ends and self.reading is None)

    @property
    def planned(self) -> float | None:
        """Information that the last look is to have, as the first look took it."""
        if self.last is not None:
            return float(self.last["planned"])
        return self.basis.planned if self.basis else None

    @property
    def smallest(self) -> float | None:
        """The plan's smallest effect, likewise."""
        if self.last is not None:
            return None if pd.isna(self.last["smallest"]) else float(self.last["smallest"])
        return self.basis.smallest if self.basis else None

    @property
    def drift(self) -> float:
        """Mean of z for which futility is designed, likewise."""
        if self.last is not None:
            return float(self.last["drift"])
        return self.basis.drift if self.basis else testing.rule(self.plan).fixed_drift

    @property
    def ends(self) -> bool:
        """Whether the last calendar day of the test has come."""
        return self.as_of >= end_of(self.plan)

    @property
    def today(self) -> int:
        """Day of the test."""
        return self.day_of(self.as_of)

    def day_of(self, date: dt.date) -> int:
        """Count days from the first of the test, which is 1."""
        return (date - self.plan.starts).days + 1

    @cached_property
    def planned_looks(self) -> tuple[float, ...]:
        """Shares of the planned information at the looks after the last one, stopped or not."""
        parts, last = self.basis.parts if self.basis else None, self.last
        if last and last["final"]:
            return ()
        after, day = (last["fraction"], self.day_of(last["on"])) if last else (0.0, 0)
        return targets(self.plan, parts, after=after, day=day)

    @property
    def coming(self) -> tuple[float, ...]:
        """Shares of the planned information at the looks to come, none when it is finished."""
        return () if self.finished else self.planned_looks

    @property
    def ready(self) -> bool:
        """Whether today may be a look: the arm is running, and knows enough or has come so far."""
        looked = self.last is not None and self.last["on"] >= self.as_of
        if self.reading is None or self.over or looked or self.today < self.plan.minimum_days:
            return False
        if self.ends:
            return True
        if self.plan.looks is None or not self.keeps or self.planned is None or not self.coming:
            return False
        known = self.reading.information / self.planned
        if known < (self.last["fraction"] if self.last else 0.0) + LEAST:
            return False
        days = self.plan.looks.days
        if days is None:
            return known >= self.coming[0] - _ROUNDING
        before = self.day_of(self.last["on"]) if self.last else 0
        return any(before < day <= self.today for day in days)

    def look(self, reading: Reading) -> dict[str, Any]:
        """Read the test: a row of the looks, its bounds spent on top of those before."""
        planned = self.planned or reading.information
        least = (self.last["fraction"] if self.last else 0.0) + LEAST
        # On the last day less may be known than at the look before; then next to nothing is new.
        share = max(reading.information / planned, least)
        rule = testing.rule(self.plan)
        at = self._bounds([share], rule, final=self.ends).iloc[-1]
        final = self.ends or share >= 1 - _ROUNDING
        z = reading.estimate / reading.std_error
        return {
            "look": len(self.past) + 1,
            "on": self.as_of,
            "planned": planned,
            "information": reading.information,
            "fraction": share,
            **{name: float(at[name]) for name in _BOUNDS},
            "estimate": reading.estimate,
            "std_error": reading.std_error,
            "unit": reading.unit,
            "final": final,
            "plan": digest(self.plan),
            "stopped": _stop(z, float(at["lower"]), float(at["upper"]), rule=rule, final=final),
            "smallest": self.smallest,
            "drift": self.drift,
        }

    def ahead(self) -> pd.DataFrame:
        """Give the looks to come as `sequential.Looked` has them, none after a stop."""
        columns = ["look", "on", "fraction", "lower", "upper", "std_error"]
        shares, done = list(self.coming), len(self.past)
        if not shares or self.planned is None:
            return pd.DataFrame(columns=columns)
        at = self._bounds(shares, testing.rule(self.plan), final=True).iloc[done:]
        return pd.DataFrame(
            {
                "look": range(done + 1, done + len(shares) + 1),
                "on": self._days(shares, self.planned),
                "fraction": shares,
                "lower": at["lower"].to_numpy(),
                "upper": at["upper"].to_numpy(),
                "std_error": 1 / np.sqrt(np.array(shares) * self.planned),
            }
        )

    def _bounds(self, shares: list[float], rule: Rule, *, final: bool) -> pd.DataFrame:
        known = self.past.rename(columns={"information": "_", "fraction": "information"})
        past = known[["information", *_BOUNDS]] if len(known) else None
        at = [*self.past["fraction"], *shares]
        return bounds(at, rule=rule, drift=self.drift, past=past, final=final)

    def _days(self, shares: list[float], planned: float) -> list[dt.date | None]:
        """Find, about, the days of the looks to come; none where nobody knows the pace."""
        end, looks = end_of(self.plan), self.plan.looks
        if looks and looks.days:
            soon = self.as_of + dt.timedelta(days=1)  # what had nothing to read yet is made up for
            return [max(testing.date_of(self.plan, d), soon) for d in looks.days[-len(shares) :]]
        if looks is None:
            return [end]
        known = self.reading.information if self.reading else None
        found: list[dt.date | None] = []
        for share in shares:
            if self.basis is None:
                found.append(end if share == 1 else None)
                continue
            day = self.basis.day(share * planned, known=known, today=self.today)
            found.append(min(testing.date_of(self.plan, max(day, self.plan.minimum_days)), end))
        return found


def _stop(z: float, lower: float, upper: float, *, rule: Rule, final: bool) -> Stop:
    if z >= upper:
        return "gain"
    if rule.sides == 2 and z <= lower:
        return "loss"
    if final:
        return "end"
    return "futility" if rule.futility and z <= lower else ""
