"""Settings tried out: the report that follows reads the files no second time."""

from __future__ import annotations

import datetime as dt

import pandas as pd
import pytest

from retention_lab.tables import engine, snapshot
from retention_lab.tables.drafts import rehearsal

CON = engine.connect()
ORDERS = """\
order_id,customer_id,ordered_at,amount
1,ann,2025-01-05 10:00:00,10.00
1,ann,2025-01-09 10:00:00,2.50
2,bob,2025-01-06 11:30:00,20.50
3,,2025-01-07 11:30:00,5.00
4,bob,2025-01-08 11:30:00,-5.00
Total,,,33.00
"""
SETTINGS = {
    "name": "Shop",
    "time_zone": "UTC",
    "currency": "GBP",
    "tables": {
        "orders": {
            "rows": ["shop.csv"],
            "duplicates": "add_up",
            "columns": {name: name for name in ORDERS.splitlines()[0].split(",")},
            "leave_out": [{"reason": "total row", "where": "trim(\"order_id\") = 'Total'"}],
        }
    },
}


def rehearse(folder, day):
    (folder / "shop.csv").write_text(ORDERS, encoding="utf-8")
    return rehearsal.rehearse(
        SETTINGS, file=folder / "shop.yml", con=CON, reported=day and (lambda _: day)
    )


def test_report_finds_the_snapshot_that_it_would_make_itself(tmp_path, monkeypatch):
    day = dt.date(2025, 1, 7)
    made = rehearse(tmp_path, day)
    with monkeypatch.context() as patch:
        patch.setattr(snapshot, "cut", lambda *_, **__: pytest.fail("the files are read again"))
        found = snapshot.take(made.source, as_of=made.as_of)
    monkeypatch.setenv("RETENTION_LAB_SNAPSHOTS", str(tmp_path / "elsewhere"))
    expected = snapshot.take(made.source, as_of=day)
    assert found.folder.name == expected.folder.name  # tells tables and counts
    assert found.folder != expected.folder
    assert list(engine.collect(found.orders.order_by("order_id"))["amount"]) == [1000, 2050]
    pd.testing.assert_frame_equal(found.fits, expected.fits)


def test_reasons_are_those_of_all_rows_whatever_day_is_reported(tmp_path):
    made = rehearse(tmp_path, dt.date(2025, 1, 7))
    assert made.left_out == {
        "orders": {"negative amount": 1, "missing customer_id": 1, "total row": 1}
    }
    assert made.used == {"orders": 3}


@pytest.mark.parametrize("day", [None, dt.date(2025, 1, 1)], ids=["nothing is asked", "too early"])
def test_no_snapshot_is_left_where_there_is_none_to_make(tmp_path, day):
    assert rehearse(tmp_path, day).as_of == day
    assert not list(tmp_path.glob("snapshots/shop/2025*"))
