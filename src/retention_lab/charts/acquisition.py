"""Pictures of how soon customers buy again, by how they came."""

from __future__ import annotations

import altair as alt

from retention_lab.charts import staying
from retention_lab.churn.endpoints import Endpoint
from retention_lab.customers.acquisition import Acquired
from retention_lab.survival.daygrid import kaplan_meier
from retention_lab.wording import Instead
from retention_lab.wording.acquisition import not_compared
from retention_lab.wording.why import dimension_label


def acquired(one: Acquired) -> alt.LayerChart | Instead:
    """Draw which share of each group of an attribute has bought again, by days since the first."""
    if len(one.grids) < 2:
        return Instead(not_compared(one))
    curves = {name: kaplan_meier(grid) for name, grid in one.grids.items()}
    by = dimension_label(one.by)
    return staying.by_group(curves, by=by, endpoint=Endpoint(kind="returned"))
