"""Spells, episodes, landmarks and people are the same on Spark."""

from __future__ import annotations

import datetime as dt
from types import SimpleNamespace

import pandas as pd
import pytest

from retention_lab.churn.endpoints import spells
from retention_lab.churn.episodes import episodes
from retention_lab.churn.landmarks import landmarks, people
from retention_lab.tables import engine

from .knowing import ALL, TIMED
from .shops import drawn, shop
from .test_endpoints import AS_OF, ENDPOINTS

pytestmark = pytest.mark.spark
DAYS = [dt.date(2024, 3, 1), dt.date(2024, 4, 1)]


@pytest.fixture(scope="module")
def both():
    """One shop in DuckDB and in Spark."""
    here, con = shop(drawn(1), AS_OF), engine.connect("spark")
    tables = {name: engine.put(one.to_pyarrow(), con=con) for name, one in here.tables.items()}
    there = SimpleNamespace(**{**vars(here), **tables, "tables": tables})
    return here, there


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda endpoint: endpoint.kind)
def test_spark_gives_the_same_frames(both, endpoint):
    made = [
        (
            engine.collect(spells(one, endpoint)),
            engine.collect(episodes(one, endpoint, TIMED)),
            landmarks(one, endpoint, ALL, days=DAYS, horizon=40),
            engine.collect(people(one, endpoint, ALL)),
        )
        for one in both
    ]
    for ours, theirs in zip(*made, strict=True):
        by = list(ours.columns)
        pd.testing.assert_frame_equal(
            ours.sort_values(by, ignore_index=True).fillna("none"),
            theirs.sort_values(by, ignore_index=True).fillna("none"),
        )
        assert len(ours)
