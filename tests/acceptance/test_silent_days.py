"""How many of those called lost return, on two real shops.

The shops: CDNOW and Online Retail II, by the source files that ship.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from retention_lab.churn import gaps
from retention_lab.churn.endpoints import Endpoint, spells
from retention_lab.tables import snapshot, source
from retention_lab.tables.engine import collect

from .cases import dataset

SOURCES = Path(__file__).parents[2] / "data" / "sources"
DAYS, KNOWN_BY = 90, 180


def shop(name, tmp_path):
    """Load a shipped source file from a folder of its own, so that its snapshots are new."""
    text = (SOURCES / f"{name}.yml").read_text(encoding="utf-8")
    data = dataset(name).parent
    path = tmp_path / f"{name}.yml"
    path.write_text(
        text.replace("${RETENTION_LAB_DATA:-../../../shared/data}", str(data)), encoding="utf-8"
    )
    return snapshot.take(source.load(path))


# Shares of customers lost after 90 silent days, and of those who returned, in the design notes of
# the project: counted among customers known for 180 days who were called lost within them.
@pytest.mark.parametrize(
    ("name", "lost", "returned"),
    [
        ("cdnow", 0.92, 0.33),
        pytest.param("online_retail_ii", 0.77, 0.61, marks=pytest.mark.slow),
    ],
)
def test_as_many_of_the_lost_return_as_were_counted(name, lost, returned, tmp_path):
    a_shop = shop(name, tmp_path)
    silent = collect(spells(a_shop, Endpoint(kind="lost", days=DAYS)), max_rows=1_000_000)
    since = (silent["until_at"].max() - silent["zero_at"]).dt.days
    known = silent[since >= KNOWN_BY]
    called = known[known["event_observed"] & (known["day"] <= KNOWN_BY)]
    assert len(called) / len(known) == pytest.approx(lost, abs=0.005)

    later = collect(gaps.called_lost(a_shop, days=DAYS), max_rows=1_000_000)
    theirs = later[later["customer_id"].isin(called["customer_id"])]
    assert len(theirs) == len(called)
    assert theirs["event_observed"].mean() == pytest.approx(returned, abs=0.005)

    # Over all customers, and with the time that the late ones still have, it is somewhat more.
    table = gaps.evidence(a_shop, lost_after=[30, 60, DAYS], horizon=90).set_index("days")
    assert table["later_returned"].is_monotonic_decreasing
    assert table.loc[DAYS, "later_returned"] > returned
    assert table["refused"].tolist() == [False, False, True]
