"""Customers on two days, collapsed so that cut lines and rules move without the engine.

The engine counts once: by days since the last purchase, and by frequency and monetary value, on the
later day and on the earlier. Either by their scores under given lines, or in steps between which
lines can be put by hand; a line on a step parts the customers exactly as the engine does. Then
whatever `customers.standing` and `customers.migration` tell of lines and rules is a matter of
arrays.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from retention_lab.checks import BadParameter
from retention_lab.customers import migration, rfm_cells
from retention_lab.customers.rfm import Cuts
from retention_lab.customers.rfm_cells import SCORED, Steps
from retention_lab.customers.standing import By, Standing, groups, sized
from retention_lab.customers.thresholds import Thresholds
from retention_lab.inference import moments
from retention_lab.tables.segment import BINS, Segments, first_fit, grid

Codes = NDArray[np.intp]


@dataclass(frozen=True, kw_only=True, eq=False)
class Moved:
    """What lines and rules make of the customers; `standing` says which ones.

    `now` and `before` (None, as `moves` and `flows` are, where nobody had bought by then) are of
    `standing.sizes`, `now` with `mean`, `mean_low` and `mean_high`: the revenue of a customer
    within the days that are scored, in minor units, with Student's t interval; null for fewer than
    two customers. `moves` and `flows` are of `migration`. Of all `customers`, `changed` are in
    another group than under the lines and rules that the customers were collapsed with.
    """

    standing: Standing
    by: By
    now: pd.DataFrame
    before: pd.DataFrame | None
    moves: pd.DataFrame | None
    flows: pd.DataFrame | None
    customers: int
    changed: int


@dataclass(frozen=True, kw_only=True, eq=False)
class Collapsed:
    """Counts of customers who are alike; `here` is how they stand by the lines and rules in use.

    `cells` has those who had bought by the earlier day first. From `reach` days on nobody is told
    apart. Without `steps`, `cells` has the scores of lines that cannot be moved.
    """

    here: Standing
    steps: Steps | None
    reach: int
    cells: pd.DataFrame

    def under(self, lines: Thresholds, rules: Segments, *, by: By) -> Moved:
        """Tell how the customers stand by other lines and rules.

        Parameters
        ----------
        lines
            Those that `collapsed` was given; with steps, lines for everybody that lie on them.
        rules
            The same groups as those in use, of as many days `within`.
        by
            Whom to take together.

        Raises
        ------
        BadParameter
            If a line lies on no step, or the edge of a tier beyond `reach`.
        """
        here, names = replace(self.here, thresholds=lines, rules=rules), groups(rules, by=by)
        now = self._groups("", lines.cuts, rules, by)
        in_use = self.here.thresholds.cuts, self.here.rules
        changed = now != self._groups("", *in_use, by, scored="used_")
        moves = flows = before = None
        if here.before is not None:
            then = self._groups("_before", lines.cuts, rules, by)
            pairs = self._pairs(then, now, here, names)
            before = sized(self._sums(then, names, "_before"), names=names)
            moves = migration.moved(pairs, names=names)
            flows = migration.flowed(pairs, here, by=by)
        sums, customers = self._sums(now, names, ""), self.cells["customers"].to_numpy()
        return Moved(
            standing=here,
            by=by,
            now=_with_means(sized(sums, names=names), sums["squares"]),
            before=before,
            moves=moves,
            flows=flows,
            customers=int(customers.sum()),
            changed=int(customers[changed].sum()),
        )

    def _side(self, column: str) -> Codes:
        """A column of those who were there; the earlier day has fewer."""
        known = int(self.cells["known"].sum()) if column.endswith("_before") else None
        return self.cells[column].to_numpy(dtype=np.intp)[:known]

    def _groups(self, side: str, cuts: Cuts, rules: Segments, by: By, *, scored: str = "") -> Codes:
        """Number of the group that each cell is in, from 0, as `groups` lists them."""
        days = np.arange(self.reach + 1)
        if by == "activity":
            if rules.activity[-1] >= self.reach:
                raise BadParameter(
                    f"A tier must end within {self.reach - 1} days, got {rules.activity[-1]}."
                )
            return np.searchsorted(rules.activity, days)[self._side(f"days{side}")]
        recency = BINS - np.searchsorted(cuts.edges("recency"), days, side="right")
        scores = [recency[self._side(f"days{side}")]]
        for name in SCORED:
            codes = self._side(f"{scored}{name}{side}")
            stepped = self.steps is not None and not scored
            scores.append(self._lined(name, cuts)[codes] if stepped else codes)
        recency, frequency, monetary = scores
        cell = ((recency * 6 + frequency) * 6 + monetary) * 2 + self._side(f"again{side}")
        numbers: Codes = _ruled(rules, by)[cell]
        return numbers

    def _lined(self, measure: str, cuts: Cuts) -> Codes:
        """The score of each step of a measure."""
        assert self.steps is not None
        edges, places = cuts.edges(measure), self.steps.places(measure)
        off = next((edge for edge in edges if edge not in places[places >= 0]), None)
        if off is not None:
            raise BadParameter(f"A line of {measure} lies at {off}, which is no step of it.")
        return 1 + np.searchsorted(edges, places, side="right")

    def _sums(self, codes: Codes, names: list[str], side: str) -> pd.DataFrame:
        """Customers of each group, and what they brought; whole numbers, exact up to 2 ** 53."""
        columns = ["customers", f"revenue_within{side}", f"purchases_within{side}"]
        columns += [] if side else ["squares"]
        sums = {
            column.removesuffix("_before"): np.bincount(
                codes,
                weights=self.cells[column].to_numpy(dtype=float)[: len(codes)],
                minlength=len(names),
            )
            for column in columns
        }
        whole = [name for name in sums if name != "squares"]
        return pd.DataFrame({"group": names, **sums}).astype(dict.fromkeys(whole, "int64"))

    def _pairs(self, then: Codes, now: Codes, here: Standing, names: list[str]) -> pd.DataFrame:
        """Customers and their money by group before and now, as `migration` takes them."""
        reached = (here.as_of - here.long_since).days - here.days - here.within
        long = self._side("long_before") >= reached
        code = (then * len(names) + now[: len(then)]) * 2 + long
        size = 2 * len(names) ** 2
        sums = {
            name: np.bincount(
                code, weights=self.cells[name].to_numpy(dtype=float)[: len(then)], minlength=size
            ).astype("int64")
            for name in ("customers", *migration.MONEY)
        }
        pairs = [(a, b, c) for a in names for b in names for c in (False, True)]
        frame = pd.DataFrame(pairs, columns=["before", "now", "long"]).assign(**sums)
        return frame[frame["customers"] > 0]


def collapsed(here: Standing, lines: Thresholds | None, *, steps: Steps) -> Collapsed:
    """Collapse the customers of two days for given lines, or for any lines that lie on steps.

    Parameters
    ----------
    here
        How they stand by the lines and rules in use.
    lines
        Which ones to score by; None for lines that are put by hand.
    steps
        Where lines can be put, and the tiers of activity.

    Raises
    ------
    BadData
        If more than `rfm_cells.CELLS` of them differ.
    """
    recency = [max(each.cuts.edges("recency")) for each in (here.thresholds, lines) if each]
    reach = max(here.within, steps.days, here.rules.activity[-1] + 1, *recency)
    return Collapsed(
        here=here,
        steps=steps if lines is None else None,
        reach=reach,
        cells=rfm_cells.cells(here, None if lines is None else lines.cuts, steps, reach=reach),
    )


@functools.lru_cache(maxsize=64)  # the rules of those in use, and of a slider that is dragged
def _ruled(rules: Segments, by: By) -> Codes:
    """Number of the rule that counts, by score of recency, frequency, monetary value and return."""
    named = rules.cohorts if by == "cohort" else rules.named
    order = {rule.name: place for place, rule in enumerate(named)}
    rule = np.zeros((BINS + 1, BINS + 1, BINS + 1, 2), dtype=np.intp)
    for cell in grid():
        recency, frequency, monetary, bought = cell
        place = order[first_fit(named, cell).name]
        rule[recency, frequency, monetary, int(bought == "again")] = place
    return rule.ravel()


def _with_means(sizes: pd.DataFrame, squares: pd.Series[float]) -> pd.DataFrame:
    """Add what a customer of each group brought; nothing for a group of fewer than two."""
    found = [
        moments.mean(n=n, total=total, squares=round(square)) if n > 1 else None
        for n, total, square in zip(
            sizes["customers"].tolist(), sizes["revenue_within"].tolist(), squares, strict=True
        )
    ]
    ends = {"mean": "value", "mean_low": "low", "mean_high": "high"}
    means = {name: [getattr(each, end, None) for each in found] for name, end in ends.items()}
    return sizes.assign(**pd.DataFrame(means, dtype="float64"))
