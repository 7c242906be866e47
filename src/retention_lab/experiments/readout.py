"""A test as one page reads it: whether it may be read, what it did, how sure that is, what to do.

What cannot be said is missing here, with a sentence that says why: a test that nobody has entered
has a page, too.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from retention_lab.experiments.freezing import Frozen
from retention_lab.experiments.plan import Plan
from retention_lab.experiments.validity_tables import Collapsed

if TYPE_CHECKING:
    from retention_lab.experiments.effects import Effect
    from retention_lab.experiments.sequential import Looked
    from retention_lab.experiments.stakes import Money
    from retention_lab.experiments.subgroups import Subgroups
    from retention_lab.experiments.validity import Validity
    from retention_lab.experiments.verdicts import Decision


@dataclass(frozen=True, kw_only=True, eq=False)
class Readout:
    """What a test says as of a day; its effect is that of the last look, as of `read_on`.

    `digests` counts the assigned by the digest of the plan by which they were. Parts that cannot be
    told are None or empty, and `why` has a sentence under their name. Without `shows` no number of
    the effect may be said or drawn: no look has come, or a check has failed.
    """

    as_of: dt.date
    read_on: dt.date
    name: str
    currency: str
    simulated: bool
    plan: Plan
    decision: Decision
    shows: bool
    why: Mapping[str, str]
    frozen: Frozen | None = None
    deviations: pd.DataFrame | None = None
    digests: Mapping[str, int]
    validity: Validity | None = None
    collapsed: Collapsed | None = None
    effects: tuple[Effect, ...] = ()
    curves: pd.DataFrame | None = None
    looked: tuple[Looked, ...] = ()
    measured: pd.DataFrame | None = None
    subgroups: Subgroups | None = None
    money: Mapping[str, Money]
