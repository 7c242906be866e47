"""Where customers stand, how they moved and what they bring is the same on Spark."""

from __future__ import annotations

from types import SimpleNamespace

import pandas as pd
import pytest

from retention_lab.customers import loyalty, migration, rising, standing
from retention_lab.tables import engine, playbook

from .shops import AS_OF, random_shop

pytestmark = pytest.mark.spark


@pytest.fixture(scope="module")
def both():
    """One shop in DuckDB and in Spark."""
    here, con = random_shop(), engine.connect("spark")
    tables = {name: engine.put(one.to_pyarrow(), con=con) for name, one in here.tables.items()}
    return here, SimpleNamespace(**{**vars(here), **tables, "tables": tables})


def described(shop):
    book = playbook.load("")
    here = standing.standing(shop, book.segments, thresholds=None)
    return (
        standing.sizes(here.now, by="segment", rules=here.rules),
        migration.flows(here, by="cohort"),
        migration.moves(here, by="activity"),
        loyalty.tiers(here.now, tiers=book.loyalty, currency=shop.currency),
        engine.collect(rising.people(shop.orders, as_of=AS_OF, within=30)),
    )


def test_spark_gives_the_same_segments(both):
    for ours, theirs in zip(*map(described, both), strict=True):
        by = list(ours.columns)[:1]
        pd.testing.assert_frame_equal(
            ours.sort_values(by, ignore_index=True, kind="stable"),
            theirs.sort_values(by, ignore_index=True, kind="stable"),
        )
        assert len(ours)
