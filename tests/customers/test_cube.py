"""The cube: sums of what the engine counted once are what it would count each time."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pytest

import retention_lab
from retention_lab.checks import BadData
from retention_lab.customers import cube as cubes
from retention_lab.customers.cohorts import weighted_mean
from retention_lab.customers.cube import MOST, OTHERS, UNKNOWN, Unit

AS_OF = dt.date(2025, 9, 10)
UNITS = [
    Unit(),
    Unit(period="week"),
    *(Unit(clock="own", window=days) for days in (7, 30, 90)),
]


def shop(customers=400, *, countries=9):
    """Orders of customers of some countries, one of them unknown; a few buy every day."""
    rng = np.random.default_rng(11)
    first = rng.integers(0, 240, customers)
    often = rng.integers(0, 7, customers)
    often[:2] = 60
    rows = [
        (f"c{who}", dt.date(2025, 1, 3) + dt.timedelta(int(first[who] + gap)), who % 50)
        for who in range(customers)
        for gap in np.concatenate([[0], rng.integers(0, 200, often[who])])
    ]
    orders = pd.DataFrame(rows, columns=["customer_id", "ordered_at", "amount"])
    orders["order_id"] = [f"o{number}" for number in range(len(orders))]
    country = [f"k{who % countries}" for who in range(customers)]
    people = pd.DataFrame(
        {
            "customer_id": [f"c{who}" for who in range(customers)],
            "signed_up_at": dt.date(2025, 1, 1),
            "country": [None if each == "k1" else each for each in country],
            "plan": np.where(np.arange(customers) % 3, "it's", "b"),
            "street": [f"s{who % 90}" for who in range(customers)],
        }
    )
    return retention_lab.from_frames(orders=orders, customers=people, as_of=AS_OF)


@pytest.fixture(scope="module")
def lab():
    return shop()


def asked(lab, unit, **by):
    """What the lab says, revenue in the minor units of the rooms below."""
    frame = lab.triangle(clock=unit.clock, period=unit.period, window=unit.window, **by).frame
    return frame.assign(revenue=(frame["revenue"] * lab.snapshot.minor_per_unit).astype("int64"))


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_cube_gives_the_triangle_that_the_lab_gives_of_the_same_customers(lab, unit):
    cube = cubes.cube(lab.snapshot, unit)
    chosen = {"country": UNKNOWN, "plan": "it's"}
    pd.testing.assert_frame_equal(cube.triangle({}), asked(lab, unit))
    of = lab.where(cubes.condition(chosen))
    pd.testing.assert_frame_equal(cube.triangle(chosen), asked(of, unit))


def test_cube_gives_the_triangles_by_attribute_that_the_lab_gives(lab):
    cube = cubes.cube(lab.snapshot, Unit())
    found = cube.by("country", {})
    assert list(found)[-1] == OTHERS
    assert len(found) == MOST + 1
    stacked = pd.concat(found, names=["country"]).reset_index(0).reset_index(drop=True)
    pd.testing.assert_frame_equal(stacked, asked(lab, Unit(), by="country"))


def test_attribute_with_many_values_is_left_out(lab):
    values, left_out = cubes.attributes(lab.snapshot)
    assert list(values) == ["country", "plan"]
    assert values["country"][-1] == UNKNOWN
    assert left_out == ["street"]


def test_nobody_with_a_value_is_told(lab):
    cube = cubes.cube(lab.snapshot, Unit())
    with pytest.raises(BadData, match="Nobody with country Malta and plan b has bought"):
        cube.triangle({"country": "Malta", "plan": "b"})


def test_curve_has_the_means_of_the_triangle_and_an_interval_around_each(lab):
    triangle = cubes.cube(lab.snapshot, Unit()).triangle({})
    curve, means = cubes.curve(triangle), weighted_mean(triangle)
    for name in ("share", "later_share"):
        np.testing.assert_allclose(curve[name], means[name])
    assert (curve["low"] <= curve["share"]).all()
    assert (curve["share"] <= curve["high"]).all()


@pytest.mark.parametrize("later", [False, True])
@pytest.mark.parametrize("unit", [UNITS[1], UNITS[3]], ids=lambda unit: unit.name)
def test_members_of_a_cell_are_as_many_as_it_counts(lab, unit, later):
    chosen = {"plan": "it's"}
    triangle = cubes.cube(lab.snapshot, unit).triangle(chosen)
    row = triangle[(triangle["period"] == 2) & (triangle["active"] > 0)].iloc[0]
    found = cubes.members(
        lab.snapshot, unit, cohort=row["cohort"], period=2, later=later, chosen=chosen
    )
    assert len(found) == row["active_later" if later else "active"]
    assert found["customer_id"].is_unique
    first = found["first_on"]
    assert (first >= row["cohort"]).all()
    assert (found["purchases"] >= 2).all()
