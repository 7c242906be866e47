"""What the sending tool reads: a list for each arm that is sent something."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pyarrow as pa

from retention_lab.churn import crm
from retention_lab.experiments.plan import Plan
from retention_lab.state import State
from retention_lab.tables.snapshot import Snapshot


def write(
    customers: Mapping[str, Sequence[str]], plan: Plan, shop: Snapshot, *, state: State, out: Path
) -> tuple[tuple[Path, ...], list[str]]:
    """Write the lists of a day and return them, with a warning of ids that stand behind a mark.

    Each has `customer_id`, `experiment`, `arm`, `message` and the `channel` of the arm; one without
    customers has its header, so that yesterday's is never sent again. Control without a message has
    none.

    Raises
    ------
    BadParameter
        If the disk refuses.
    """
    files, marked = [], 0
    for arm in (one for one in plan.arms if one.message is not None):
        ids = pa.array(customers[arm.name], pa.string())
        said = {"experiment": plan.name, "arm": arm.name, "message": arm.message}
        columns = {
            name: pa.array([text] * len(ids), pa.string())
            for name, text in {**said, "channel": arm.channel or plan.channel}.items()
        }
        files.append(out / f"{plan.name}-{shop.as_of}-{arm.name}.csv")
        marked += crm.write(pa.table({"customer_id": ids, **columns}), files[-1], state=state)
    warning = (
        f"{marked} customer ids in the lists begin with a sign that a spreadsheet would run and "
        "stand behind an apostrophe: take it off when reading."
    )
    return tuple(files), [warning] if marked else []
