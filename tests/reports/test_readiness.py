from __future__ import annotations

import datetime as dt

import pandas as pd
import pytest
import yaml

from retention_lab.checks import BadData, BadParameter
from retention_lab.reports import readiness
from retention_lab.reports.suite import Part
from retention_lab.tables import snapshot
from retention_lab.tables.annotations import Annotation
from retention_lab.tables.completeness import Arrival

DAY = dt.timedelta(days=1)
SUNDAY = dt.date(2026, 11, 22)
SIX = dt.datetime(2026, 11, 23, 6, tzinfo=dt.UTC)


SECOND = dt.timedelta(seconds=1)


class Morning:
    """A clock that moves only while somebody sleeps, and a source that gives what it is told to."""

    def __init__(self, *given):
        self.time, self.sleeps, self.times, self.given = SIX, [], 0, given

    def take(self):
        self.times += 1
        given = self.given[min(self.times, len(self.given)) - 1]
        if isinstance(given, Exception):
            raise given
        return given

    def sleep(self, seconds):
        self.sleeps.append(seconds)
        self.time += seconds * SECOND

    def ready(self, *, minutes=None, **more):
        until = None if minutes is None else SIX + minutes * 60 * SECOND
        return readiness.ready(
            self.take, until=until, sleep=self.sleep, clock=lambda: self.time, **more
        )


def write(folder, *, orders=SUNDAY + DAY, returns=SUNDAY + DAY, sunday=20):
    """Write a shop with 20 orders and returns a day, up to some day."""
    both = {"customer_id": "who", "amount": "amount"}
    tables = {}
    for name, key, last in (("orders", "order", orders), ("returns", "return", returns)):
        days = [last - n * DAY for n in range(60)]
        times = [f"{day}T12:00" for day in days for _ in range(sunday if day == SUNDAY else 20)]
        frame = pd.DataFrame({"at": times, "who": "ann", "amount": "1.00"})
        frame.assign(id=frame.index.astype(str)).to_parquet(folder / f"{name}.parquet")
        columns = {**both, f"{key}_id": "id", f"{key}ed_at": "at"}
        tables[name] = {"rows": f"{name}.parquet", "columns": columns}
    fields = {"name": "Shop", "time_zone": "UTC", "currency": "GBP", "tables": tables}
    (folder / "shop.yml").write_text(yaml.safe_dump(fields))
    return folder / "shop.yml"


def shop(factory, **given):
    return snapshot.take(write(factory.mktemp("shop"), **given), as_of=SUNDAY)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return shop(tmp_path_factory)


@pytest.fixture(scope="module")
def thin(tmp_path_factory):
    return shop(tmp_path_factory, sunday=9, returns=SUNDAY - DAY)


LATE = BadData("Shop is complete to 2026-11-20 only.")


def test_data_that_are_complete_are_taken_once(whole):
    morning = Morning(whole)
    assert morning.ready(minutes=180) == (whole, ())
    assert (morning.times, morning.sleeps) == (1, [])


def test_orders_that_end_early_are_refused_at_once_where_nobody_waits(tmp_path):
    source = write(tmp_path, orders=SUNDAY - 2 * DAY)
    with pytest.raises(BadData, match="Shop is complete to 2026-11-20 only"):
        readiness.ready(lambda: snapshot.take(source, as_of=SUNDAY), until=None)


def test_run_waits_each_minute_until_the_orders_are_there(whole, thin):
    morning = Morning(LATE, LATE, thin, whole)
    assert morning.ready(minutes=180) == (whole, ())
    assert morning.sleeps == [60, 60, 60]


def test_run_waits_no_longer_than_it_may_and_looks_a_last_time():
    morning = Morning(LATE)
    with pytest.raises(BadData, match="complete to 2026-11-20 only") as refusal:
        morning.ready(minutes=2.5)
    assert (morning.times, morning.sleeps) == (4, [60, 60, 30])
    assert refusal.value.exit_code == 3


def test_time_to_wait_may_be_over_already():
    morning = Morning(LATE)
    with pytest.raises(BadData):
        morning.ready(minutes=-60)
    assert (morning.times, morning.sleeps) == (1, [])


def test_thin_orders_are_refused_with_the_counts(thin):
    with pytest.raises(BadData) as refusal:
        Morning(thin).ready()
    assert str(refusal.value) == (
        "Shop: orders of Sunday 22 November have 9 rows; in the weeks before, no Sunday had fewer "
        "than 20. Load the rest, or say in the annotations that these days were a holiday or an "
        "outage."
    )


def test_thin_orders_are_taken_where_the_day_is_excused_or_the_source_vouches(thin):
    assert Morning(thin).ready(excused={SUNDAY}) == (thin, ())
    assert Morning(thin).ready(stated=SUNDAY) == (thin, ())


def test_late_optional_table_stops_nobody(tmp_path_factory):
    late = shop(tmp_path_factory, returns=SUNDAY - 2 * DAY)
    morning = Morning(late)
    _, unusual = morning.ready(minutes=180)
    assert [(each.table, each.state) for each in unusual] == [("returns", "late")]
    assert morning.sleeps == []


def test_wrong_setting_is_not_waited_for():
    morning = Morning(BadParameter("There is no such source."))
    with pytest.raises(BadParameter):
        morning.ready(minutes=180)
    assert morning.sleeps == []


def test_page_is_warned_of_the_tables_that_it_rests_on():
    late = Arrival(
        table="returns", as_of=SUNDAY, last=SUNDAY - 2 * DAY, rows=1, usual=None, state="late"
    )
    whole = Arrival(table="events", as_of=SUNDAY, last=SUNDAY, rows=1, usual=None, state="complete")

    def told(*tables):
        part = Part(notebook="a.ipynb", title="A", tables=list(tables))
        return readiness.warnings([late, whole], part)

    assert told() == told("returns", "orders") == (late.sentence,)
    assert told("orders", "events") == ()


def test_holidays_and_outages_excuse_their_days_and_promotions_do_not():
    def happened(kind, *days):
        return Annotation(date=days[0], until=days[-1], label="x", kind=kind)

    found = readiness.quiet_days(
        [
            happened("holiday", dt.date(2026, 12, 31), dt.date(2027, 1, 1)),
            happened("outage", SUNDAY),
            happened("promotion", SUNDAY + DAY),
        ]
    )
    assert found == {dt.date(2026, 12, 31), dt.date(2027, 1, 1), SUNDAY}


def test_subscriptions_must_be_complete_where_there_are_no_orders(tmp_path):
    days = [SUNDAY - n * DAY for n in range(8, 68)]
    frame = pd.DataFrame({"who": "ann", "from": pd.to_datetime(days)})
    frame.to_parquet(tmp_path / "s.parquet")
    columns = {"customer_id": "who", "started_at": "from"}
    tables = {"subscriptions": {"rows": "s.parquet", "columns": columns}}
    fields = {"name": "Shop", "time_zone": "UTC", "currency": "GBP", "tables": tables}
    (tmp_path / "shop.yml").write_text(yaml.safe_dump(fields | {"complete_to": str(SUNDAY)}))
    taken = snapshot.take(tmp_path / "shop.yml", as_of=SUNDAY)
    with pytest.raises(BadData, match="Shop: subscriptions reach only Saturday 14 November"):
        Morning(taken).ready()
    assert Morning(taken).ready(stated=SUNDAY) == (taken, ())
