"""The daily run of a test: who is new at the milestone, who may be enrolled, and in which arm.

A run is as of the end of a day and looks `window_hours` back, no further: who was not looked at by
then is missed, is counted as such, and stays out. The log is written first, then the lists from
what the log says. The same day again adds nothing and writes the same lists; of two runs at once
the log keeps the arm that came first, and the lists of both agree with it.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from retention_lab import checks
from retention_lab.checks import BadParameter
from retention_lab.experiments import arriving, assignments, freezing, sending
from retention_lab.experiments.assigning import assigned, places
from retention_lab.experiments.assignments import Known, Row
from retention_lab.experiments.balance import balance, refuse_unbalanced
from retention_lab.experiments.blocks import blocked
from retention_lab.experiments.plan import Plan, digest
from retention_lab.state import State
from retention_lab.tables.snapshot import Snapshot

HOLDOUT = "global holdout"  # the salt: the same customers in every test
REASONS = (
    "enrolled on an earlier day",
    "not of the plan's population",
    "no subscription that could be retained",
    "no consent to the channel",  # or to one of them
    "in the global holdout",
    "in another test, or held back by a list",
    "contacted, or assigned elsewhere, too recently",
    "beyond the share that the plan covers",
)

Mask = NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True, eq=False)
class Enrolled:
    """What a run did; everything in customers.

    `reached` were new at the milestone in the window; of them `left_out` says how many for each of
    `REASONS`, the first that holds, and `arms` how many are in each arm of that day, of whom `new`
    were not in the log before. `sizes` are all days so far, and `balance` as `balance.balance` has
    it. Of the milestones of those days `in_time` were looked at within the window, `missed` were
    not. `files` are the lists, one for each arm that is sent something.
    """

    experiment: str
    as_of: dt.date
    channels: tuple[str, ...]
    reached: int
    left_out: Mapping[str, int]
    arms: Mapping[str, int]
    new: int
    sizes: Mapping[str, int]
    balance: pd.DataFrame
    in_time: int
    missed: int
    files: tuple[Path, ...]
    sentences: tuple[str, ...]


def enrol(
    shop: Snapshot,
    plan: Plan,
    *,
    state: State,
    as_of: dt.date,
    out: Path,
    holdout_share: float | None = None,
) -> Enrolled:
    """Enrol who is new at the milestone of a frozen plan, log them and write what to send.

    Parameters
    ----------
    shop
        With events and consents, as of the day; messages tell who was contacted, where there are.
    state
        Whose logs of plans, assignments, runs and lists count.
    out
        The folder for the lists.
    holdout_share
        Share of all customers whom no test contacts; default that of the latest run of any test on
        this shop, or 0. A larger one adds customers and lets nobody go.

    Raises
    ------
    BadParameter
        If the plan is not frozen or was changed since, the day is none of its days, not the shop's
        or before the last run, the shop does not know its words, or a list cannot be written.
    BadData
        If tables or the log of assignments are missing, or arms are not as large as planned.
    """
    assignments.refuse_clusters(plan)
    past = assignments.past_runs(state, shop)
    own = [row for row in past if row["experiment"] == plan.name]
    _refuse_changed(plan, state)
    _refuse_day(plan, shop, as_of, own)
    found = assignments.known(state, shop, plan)
    assignments.refuse_lost(state, shop, own, found)
    share = _holdout(past) if holdout_share is None else _a_share(holdout_share)
    run = _Run(shop=shop, plan=plan, state=state, found=found, own=own, holdout=share)
    return run.enrolled(out)


def _refuse_changed(plan: Plan, state: State) -> None:
    frozen = freezing.frozen(state, plan.name)
    if frozen is None:
        raise BadParameter(
            f"The plan {plan.name} is not frozen in {state.folder}: nobody is enrolled in a test "
            "that could still be changed. Freeze it first (`retention-lab freeze`), or, if it was, "
            "bring the state back from a backup (`retention-lab restore`)."
        )
    if digest(plan) != frozen.digest:
        found = freezing.deviations(plan, frozen)
        fields = found["field"][found["changed_on"].isna()]  # others were amended
        raise BadParameter(
            f"The plan {plan.name} was changed since it was frozen: {', '.join(fields)}. Put back "
            "what was frozen, or freeze it again with --amend and the reason."
        )


def _refuse_day(plan: Plan, shop: Snapshot, as_of: dt.date, own: list[Row]) -> None:
    if as_of != shop.as_of:
        raise BadParameter(f"as_of must be the day of the shop, {shop.as_of}, got {as_of}.")
    if not plan.starts <= as_of <= plan.ends:
        raise BadParameter(
            f"{plan.name} enrols from {plan.starts} to {plan.ends}, and {as_of} is none of these "
            "days. Take another day, or take the job off the schedule once it is over."
        )
    last = max((row["as_of"] for row in own), default="")
    if str(as_of) < last:
        raise BadParameter(
            f"{plan.name} has been run as of {last}, so nobody is enrolled as of {as_of} any more: "
            f"what was missed is counted and stays missed. Run it as of {last} or later."
        )


def _holdout(past: list[Row]) -> float:
    return float(past[-1]["holdout_share"]) if past else 0.0


def _a_share(holdout: float) -> float:
    """Return a share of the holdout, which may be none; refuse what is no share."""
    return checks.share("holdout_share", holdout) if holdout else 0.0


@dataclass(frozen=True, kw_only=True)
class _Run:
    """One day of one test, of whose earlier runs the log has `own`."""

    shop: Snapshot
    plan: Plan
    state: State
    found: Known
    own: list[Row]
    holdout: float

    def enrolled(self, out: Path) -> Enrolled:
        """Look at the milestones, assign, test the arms; then the log, and from it the lists."""
        reached = arriving.milestones(self.shop, self.plan)
        fresh = arriving.within(reached, self.shop, self.plan)
        people = arriving.arrivals(fresh, self.shop, self.plan)
        logged = _among(people["customer_id"], self.found.today)
        reasons = self._reasons(people, logged)
        free = (reasons == len(REASONS)) & ~logged
        chosen = people.filter(pa.array(free))
        arms = self._arms(chosen)
        sizes = self._sizes(chosen, arms)
        balanced = balance(sizes, self.plan.weights)
        refuse_unbalanced(balanced, experiment=self.plan.name)
        rows = assignments.rows(chosen.append_column("arm", arms), self.shop, self.plan, self.found)
        new = assignments.ledger(self.state).append(rows)
        customers = assignments.today(self.state, self.shop, self.plan)
        left_out = Counter(REASONS[i] for i in reasons[reasons < len(REASONS)])
        told: dict[str, Any] = {
            "reached": people.num_rows,
            "left_out": {reason: left_out[reason] for reason in REASONS},
            "arms": {arm: len(ids) for arm, ids in customers.items()},
            "new": new,
            "sizes": {arm: _of_arm(sizes, arm) for arm in customers},
        }
        told |= self._logged(told, seen=_by_day(people), days=arriving.by_day(reached))
        files, warned = sending.write(customers, self.plan, self.shop, state=self.state, out=out)
        return Enrolled(
            experiment=self.plan.name,
            as_of=self.shop.as_of,
            channels=self.plan.channels,
            balance=balanced,
            files=files,
            sentences=(*self._unknown(), *warned),
            **told,
        )

    def _reasons(self, people: pa.Table, logged: Mask) -> NDArray[np.int64]:
        """Place of the first of `REASONS` that holds for each; their number where none does.

        Who is `logged` today stays in, whatever became known since.
        """
        ids = people["customer_id"]
        held_out = places(ids, salt=HOLDOUT) < self.holdout * self.plan.holdout
        against = [
            _among(ids, self.found.earlier),
            ~_mask(people["meant"]),
            ~_mask(people["can_tell"]),
            ~_mask(people["consents"]),
            held_out,
            _among(ids, self.found.conflicting),
            _mask(people["written_to"]) | _among(ids, self.found.contacted),
            ~self._covered(ids),
        ]
        against = [mask & ~logged for mask in against]
        first: NDArray[np.int64] = np.select(against, range(len(REASONS)), default=len(REASONS))
        return first

    def _covered(self, ids: pa.ChunkedArray) -> Mask:
        if self.plan.blocks:  # which assign everybody, so the share is drawn apart from the arms
            return places(ids, salt=f"{self.plan.salt} coverage") < self.plan.coverage
        return _mask(pc.is_valid(self._hashed(ids)))

    def _hashed(self, ids: pa.ChunkedArray) -> pa.DictionaryArray:
        plan = self.plan
        return assigned(ids, salt=plan.salt, weights=plan.weights, coverage=plan.coverage)

    def _arms(self, chosen: pa.Table) -> pa.DictionaryArray:
        if not self.plan.blocks:
            return self._hashed(chosen["customer_id"])
        block = {arm: round(share * self.plan.blocks) for arm, share in self.plan.weights.items()}
        before = self.found.arrived
        return blocked(chosen["stratum"], salt=self.plan.salt, block=block, before=before)

    def _sizes(self, chosen: pa.Table, arms: pa.Array) -> Counter[tuple[str, str, str]]:
        """Customers by day, stratum and arm: those in the log and those to come."""
        pairs = pa.table({"stratum": chosen["stratum"], "arm": arms.cast(pa.string())})
        counts = pairs.group_by(["stratum", "arm"]).aggregate([([], "count_all")]).to_pylist()
        day = str(self.shop.as_of)
        coming = {(day, one["stratum"], one["arm"]): one["count_all"] for one in counts}
        return self.found.sizes + Counter(coming)

    def _logged(
        self, told: Mapping[str, Any], *, seen: Mapping[str, int], days: Mapping[str, int]
    ) -> dict[str, int]:
        """Log the run, and say how many milestones of all days any run has looked at in time."""
        looked = assignments.seen([*self.own, {"seen": seen}])
        missed = sum(max(0, n - looked.get(day, 0)) for day, n in days.items())
        counts = {"in_time": sum(days.values()) - missed, "missed": missed}
        row = {
            "source": self.shop.name,
            "experiment": self.plan.name,
            "as_of": str(self.shop.as_of),
            "snapshot": self.shop.content_hash,
            "plan": digest(self.plan),
            "holdout_share": self.holdout,
            **told,
            **counts,
            "seen": dict(seen),
        }
        assignments.runs(self.state).append([row])
        return counts

    def _unknown(self) -> list[str]:
        if "messages" in self.shop.tables or not self.plan.rest_days:
            return []
        return [
            f"{self.shop.name} has no table of messages, so only lists and other tests tell who "
            f"was contacted within {self.plan.rest_days} days."
        ]


def _by_day(people: pa.Table) -> dict[str, int]:
    """Count who reached the milestone by local day."""
    counts = people["reached_on"].value_counts().to_pylist()
    return {str(one["values"]): one["counts"] for one in counts}


def _among(ids: pa.ChunkedArray, some: set[str]) -> Mask:
    return _mask(pc.is_in(ids, value_set=pa.array([*some], pa.string())))


def _mask(values: pa.Array | pa.ChunkedArray) -> Mask:
    mask: Mask = np.asarray(values, dtype=bool)
    return mask


def _of_arm(sizes: Mapping[tuple[str, str, str], int], arm: str) -> int:
    return sum(customers for (_, _, one), customers in sizes.items() if one == arm)
