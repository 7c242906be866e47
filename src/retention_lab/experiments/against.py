"""One arm of a test against control: each estimate by itself, or a refusal that says why not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from math import sqrt

import pandas as pd

from retention_lab.checks import BadData
from retention_lab.experiments import reached
from retention_lab.experiments.clusters import by_cluster
from retention_lab.experiments.patterns import valued
from retention_lab.experiments.plan import Plan
from retention_lab.experiments.terms import Arm
from retention_lab.experiments.validity_tables import Marked
from retention_lab.inference.interval import Interval
from retention_lab.inference.lin import lin
from retention_lab.inference.means import Estimate, around, difference
from retention_lab.inference.moments import RatioMoments
from retention_lab.survival import cox
from retention_lab.survival.logrank import LogRank, logrank
from retention_lab.survival.pseudo import Quantity
from retention_lab.survival.retention import restricted_loss, restricted_mean, retained

# Customers: a curve that fewer are followed on, or a value that fewer have, tells nothing.
FEWEST = 10
DONE = {"retained": "cancelled", "returned": "come back"}
_SAME = "the customers of one {}, who are not independent, are allowed for in shares and days only"


@dataclass(frozen=True, kw_only=True, eq=False)
class Against:
    """An arm, control, and the grid of all arms by stratum; every method raises BadData."""

    marked: Marked
    plan: Plan
    arm: Arm
    grid: pd.DataFrame
    alpha: float

    @property
    def names(self) -> tuple[str, str]:
        """Of the arm and of control."""
        return self.arm.name, self.plan.arms[0].name

    @cached_property
    def one(self) -> Estimate:
        """Share of the arm retained, or returned, at the endpoint's day."""
        return self._share(self.names[0])

    @cached_property
    def other(self) -> Estimate:
        """The same of control."""
        return self._share(self.names[1])

    @cached_property
    def planned(self) -> pd.DataFrame:
        """The grid with nothing later than the endpoint's day: a test is planned for no more."""
        day = self.plan.endpoint.day
        left = self.grid["events"] + self.grid["censored"]
        events = self.grid["events"].where(self.grid["day"] <= day, 0)
        days = self.grid["day"].clip(upper=day)
        every = self.grid.assign(day=days, events=events, censored=left - events)
        return every.groupby(["arm", "stratum", "day"], as_index=False).sum()

    def counts(self, name: str) -> tuple[int, int]:
        """Customers of an arm, and events by the endpoint's day."""
        own = self.planned["arm"] == name
        events, censored = self.planned.loc[own, ["events", "censored"]].sum()
        return int(events + censored), int(events)

    @cached_property
    def both(self) -> pd.DataFrame:
        """The planned grid of the two, if both have somebody and anybody had the event."""
        for name in self.names:
            if not self.counts(name)[0]:
                raise BadData(f"Nobody of {name} has been followed yet: wait.")
        both = self.planned[self.planned["arm"].isin(self.names)]
        if not both["events"].any():
            raise BadData(
                f"Nobody of {' or '.join(self.names)} has {self._done} yet, so there is nothing to "
                "compare."
            )
        return both

    @cached_property
    def difference(self) -> Estimate:
        """Of the two shares."""
        if not (self.one.std_error or self.other.std_error) and self.one.value == self.other.value:
            raise BadData(
                f"All customers of {' and '.join(self.names)} are alike by day "
                f"{self.plan.endpoint.day}, so there is nothing to compare."
            )
        return difference(*map(self._spread, self.names), alpha=self.alpha)

    @property
    def alike(self) -> bool:
        """Whether all customers of one of the two have done the same by the endpoint's day."""
        return 0 in (self.one.std_error, self.other.std_error)

    @cached_property
    def adjusted(self) -> Estimate:
        """Difference of the shares, adjusted for the plan's covariates."""
        by = self.plan.covariates
        if not by:
            raise BadData("The plan names no covariates to adjust for.")
        self._refuse_alike()
        grid = self.marked.grid(*by)
        told = valued(grid[grid["arm"].isin(self.names)], plan=self.plan, by=by)
        told = _common(told, by).assign(treated=told["arm"] == self.arm.name)
        return lin(told, outcome="gain", covariates=by, alpha=self.alpha)

    def days(self) -> Estimate:
        """Days that a customer is kept longer until the endpoint's day, or comes back earlier."""
        if self.plan.cluster:
            one, other = (self._clustered["restricted mean"][name] for name in self.names)
            self._refuse_alike()
            return difference(one, other, alpha=self.alpha)
        day, kept = self.plan.endpoint.day, self.plan.endpoint.kind == "retained"
        read = restricted_mean if kept else restricted_loss
        one, other = (
            around(found.value, std_error=found.std_error)
            for found in (read(self._followed(name), day=day) for name in self.names)
        )
        return difference(one, other, alpha=self.alpha)

    @cached_property
    def model(self) -> cox.CoxFit:
        """Cox model of the arm, within strata."""
        self._refuse_clusters()
        both = self.both
        for name in self.names:
            if not self.counts(name)[1]:
                raise BadData(f"Nobody of {name} has {self._done} yet, so no ratio can be told.")
        rows = both.melt(["arm", "stratum", "day"], ["events", "censored"], "what", "n")
        rows = rows[rows["n"] > 0]
        return cox.fit(
            pd.DataFrame({"treated": (rows["arm"] == self.arm.name).astype("float64")}),
            stop=rows["day"],
            event_observed=rows["what"] == "events",
            strata=rows["stratum"],
            weights=rows["n"],
        )

    def hazard_ratio(self) -> Interval:
        """Ratio of the rates at which customers cancel, or come back."""
        row = self.model.summary(alpha=self.alpha).iloc[0]
        low, value, high = (float(row[name]) for name in ("low", "hazard_ratio", "high"))
        return Interval(value=value, low=low, high=high)

    @cached_property
    def logrank(self) -> LogRank:
        """Log-rank test, within strata."""
        self._refuse_clusters()
        return logrank(self.both, by="arm", stratum="stratum")

    @cached_property
    def reached(self) -> tuple[RatioMoments, RatioMoments]:
        """Sums for the effect on those reached."""
        self._refuse_clusters()
        self._refuse_alike()
        return reached.moments(self.marked, self.plan, self.arm)

    def _share(self, name: str) -> Estimate:
        grid, day = self._followed(name), self.plan.endpoint.day
        if self.plan.cluster:
            return self._clustered["retained"][name]
        found = retained(grid, day=day, alpha=self.alpha)
        value, low, high = found.value, found.low, found.high
        if self.plan.endpoint.kind == "returned":
            value, low, high = 1 - value, 1 - high, 1 - low
        return Estimate(value=value, low=low, high=high, std_error=found.std_error)

    def _spread(self, name: str) -> Estimate:
        """Share of an arm, with a standard error where all its customers did the same.

        That is no certainty: they scatter as those of both arms do, or as if one of two more had
        done otherwise, whichever is more. A gain or a loss is then claimed by luck no more often
        than beside an arm of which one customer did otherwise.
        """
        share = self.one if name == self.names[0] else self.other
        if share.std_error > 0:
            return share
        day, own = self.plan.endpoint.day, self.both[self.both["arm"] == name]
        followed = self.counts(name)[0] - int(own.loc[own["day"] < day, "censored"].sum())
        draws = min(share.freedom + 1, followed)  # clusters, where there are such
        every, otherwise = retained(self.both, day=day).value, 1 / (draws + 2)
        variances = every * (1 - every) / draws, otherwise * (1 - otherwise) / (draws + 2)
        return replace(share, std_error=sqrt(max(variances)))

    def refuse_few(self) -> None:
        """Refuse arms of which nothing may be shown: a look at them would be spent for nothing."""
        few = [name for name in self.names if self.counts(name)[0] < FEWEST]
        if few:
            raise BadData(
                f"Fewer than {FEWEST} customers of {' and of '.join(few)} are followed, so the "
                "test is not looked at: nothing of it could be shown."
            )

    def _refuse_alike(self) -> None:
        if self.alike:
            raise BadData(
                f"Too few customers of an arm differ by day {self.plan.endpoint.day} to tell more "
                "than the difference."
            )

    @property
    def _done(self) -> str:
        return DONE[self.plan.endpoint.kind]

    @cached_property
    def _clustered(self) -> Mapping[Quantity, Mapping[str, Estimate]]:
        """Means of pseudo-values by arm, of what they are of."""
        kinds: tuple[Quantity, ...] = ("retained", "restricted mean")
        every = self.grid[self.grid["arm"].isin(self.names)]  # days as customers have them
        values = {kind: valued(every, plan=self.plan, quantity=kind) for kind in kinds}
        return {
            kind: by_cluster(self.marked, self.plan, each, alpha=self.alpha)
            for kind, each in values.items()
        }

    def _refuse_clusters(self) -> None:
        if self.plan.cluster:
            raise BadData(f"Not told: {_SAME.format(self.plan.cluster)}.")

    def _followed(self, name: str) -> pd.DataFrame:
        """Grid of an arm, unless hardly anybody is followed any more on the endpoint's day."""
        grid, day = self.both[self.both["arm"] == name], self.plan.endpoint.day
        gone = grid.loc[grid["day"] < day, "censored"].sum()
        staying = grid.loc[grid["day"] >= day, ["events", "censored"]].sum().sum()
        if gone and staying < FEWEST:
            raise BadData(
                f"Fewer than {FEWEST} customers of {name} have been followed for {day} days, so "
                "no share can be told yet: wait."
            )
        return grid


def _common(told: pd.DataFrame, by: tuple[str, ...]) -> pd.DataFrame:
    """Count values of an attribute that are rare in an arm with the commonest one."""
    for name in by:
        sizes = told.pivot_table(index=name, columns="arm", values="n", aggfunc="sum", fill_value=0)
        rare = sizes.index[sizes.min(axis=1) < FEWEST]
        values = told[name].where(~told[name].isin(rare), sizes.sum(axis=1).idxmax())
        told = told.assign(**{name: values})
    return told
