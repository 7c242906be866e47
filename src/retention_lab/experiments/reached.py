"""What a test did to those whom its message reached: sums for the two-stage estimate.

Whoever is reached differs from whoever is not, so they are never compared; the random assignment is
the instrument, and what it did to all is divided by the share that it reached.
"""

from __future__ import annotations

import pandas as pd

from retention_lab.checks import BadData
from retention_lab.experiments.patterns import in_millionths, valued
from retention_lab.experiments.plan import Plan
from retention_lab.experiments.terms import Arm
from retention_lab.experiments.validity_tables import Marked
from retention_lab.inference.moments import RatioMoments


def moments(marked: Marked, plan: Plan, arm: Arm) -> tuple[RatioMoments, RatioMoments]:
    """Sums over the customers of an arm and of control: y in millionths of a share, x of reached.

    y is the pseudo-value of being retained, or returned, at the endpoint's day; x is 1 of those to
    whom the arm's message was delivered. Only customers count who were assigned a week ago or
    longer, as it may be on its way to others.

    Raises
    ------
    BadData
        If the arm is sent nothing or control something, the shop does not tell of deliveries, or
        as `valued` does.

    References
    ----------
    As of `inference.instrument`; pseudo-values as outcomes: Andersen, Klein & Rosthoj (2003),
    Biometrika 90, 15-27.
    """
    control = plan.arms[0]
    _refuse_untold(marked, arm, control)
    grid = marked.grid("due", "delivered")
    settled = grid[grid["due"].astype("bool") & grid["arm"].isin([arm.name, control.name])]
    if settled["arm"].nunique() < 2:
        raise BadData("Nobody of one arm was assigned a week ago or longer: wait for deliveries.")
    values = valued(settled, plan=plan, by=["delivered"])
    treated = values["arm"] == arm.name
    return (
        _summed(values[treated], reached=values.loc[treated, "delivered"].astype("int64")),
        _summed(values[~treated], reached=pd.Series(0, index=values.index[~treated])),
    )


def _refuse_untold(marked: Marked, arm: Arm, control: Arm) -> None:
    if arm.message is None:
        raise BadData(f"{arm.name} is sent nothing, so nobody is reached by it.")
    if control.message is not None:
        raise BadData(
            f"{control.name} is sent a message of its own, so an effect on those reached by that "
            f"of {arm.name} has nothing to be compared with."
        )
    if "messages" in marked.missing:
        raise BadData(str(marked.missing["messages"]))
    if "delivered" not in marked.people.columns:
        raise BadData(
            "The messages do not say which were delivered, so nobody knows whom they reached: map "
            "`delivered_at` in the source file."
        )


def _summed(values: pd.DataFrame, *, reached: pd.Series) -> RatioMoments:
    """Add up in Python's whole numbers, which do not overflow."""
    n, y, x = (
        each.astype("object") for each in (values["n"], in_millionths(values["gain"]), reached)
    )
    return RatioMoments(
        n=int(n.sum()),
        y=int((n * y).sum()),
        x=int((n * x).sum()),
        yy=int((n * y * y).sum()),
        xy=int((n * x * y).sum()),
        xx=int((n * x * x).sum()),
    )
