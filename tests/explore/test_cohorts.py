"""The cohort explorer: what its controls do, whom it hands over, and what its buttons write."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
from pathlib import Path

import nbformat
import numpy as np
import pandas as pd
import pytest

from retention_lab import explore
from retention_lab.charts.beside import Beside
from retention_lab.checks import BadData, BadParameter
from retention_lab.explore import live
from retention_lab.explore.cohorts import NOTEBOOK, cohorts
from retention_lab.tables import population

AS_OF = "2026-11-28"
SOURCE = """
name: Corner shop
time_zone: Europe/London
currency: GBP
tables:
  orders:
    rows: orders.csv
    columns: {order_id: id, customer_id: who, ordered_at: at, amount: paid}
  customers:
    rows: customers.csv
    columns: {customer_id: who, signed_up_at: at}
    attributes: {country: country, tier: tier}
"""


def tables():
    """Customers of two countries who began on 300 days, and who buy again now and then."""
    rng = np.random.default_rng(5)
    first = np.sort(rng.integers(0, 500, 700))
    again = rng.integers(0, 5, 700)
    rows = [
        (f"c{who}", dt.date(2025, 6, 1) + dt.timedelta(int(day)))
        for who in range(700)
        for day in first[who] + np.concatenate([[0], rng.integers(1, 200, again[who])])
    ]
    orders = pd.DataFrame(rows, columns=["who", "at"])
    orders = orders[orders["at"] <= dt.date(2026, 11, 28)].assign(paid="10.00")
    orders["id"] = [f"o{number}" for number in range(len(orders))]
    people = pd.DataFrame({"who": [f"c{who}" for who in range(700)], "at": dt.date(2025, 6, 1)})
    of_uk = np.arange(700) % 3 > 0
    kinds = {"country": np.where(of_uk, "UK", "Malta"), "tier": np.where(of_uk, "pro", "basic")}
    return orders, people.assign(**kinds)


@pytest.fixture(scope="module")
def opened(tmp_path_factory):
    """A shop in a folder of its own."""
    folder = tmp_path_factory.mktemp("cohorts")
    for each in ("data", "experiments/suites"):
        (folder / each).mkdir(parents=True)
    (folder / "data/shop.yml").write_text(SOURCE, encoding="utf-8")
    for name, frame in zip(("orders", "customers"), tables(), strict=True):
        frame.to_csv(folder / f"data/{name}.csv", index=False)
    with contextlib.chdir(folder):
        return folder, explore.take("data/shop.yml", as_of=AS_OF)


@pytest.fixture
def board(opened, monkeypatch):
    folder, shop = opened
    monkeypatch.chdir(folder)
    monkeypatch.delenv("RETENTION_LAB_STATIC", raising=False)
    monkeypatch.setenv("RETENTION_LAB_COHORTS", str(folder / "data/cohorts"))
    for view in folder.glob("data/snapshots/**/views/*"):
        view.unlink()
    return cohorts(shop, owner="Olive", at=2)


def test_every_setting_has_a_control_and_every_control_a_setting(board):
    controls = board.explorer.controls(board.settings)
    assert list(controls) == list(board.explorer.start)
    assert {name: widget.value for name, widget in controls.items()} == board.settings


def test_controls_of_another_clock_hide_and_cohorts_follow_the_unit(board):
    controls = board.explorer.controls(board.settings)
    assert controls["window"].layout.display == "none"
    controls["clock"].value = "own"
    assert controls["window"].layout.display is None
    assert controls["period"].layout.display == "none"
    controls["clock"].value, controls["period"].value = "calendar", "week"
    assert controls["cohort"].options[1][0].startswith("the week of ")
    controls["compare"].value = "cohorts"
    assert controls["against"].layout.display is None


def test_board_shows_triangle_and_curves_with_the_cell_that_is_picked(board):
    seen = board.seen
    assert isinstance(seen.chart, Beside)
    spec = seen.chart.to_dict()
    assert len(spec["hconcat"]) == 2
    assert spec["datasets"]["picked"] == [{"cohort": "Aug 2026", "period": 2}]
    assert json.dumps(spec, allow_nan=False)
    assert "who first bought in August 2026" in seen.words
    assert "Corner shop as of 28 November 2026: who bought in calendar month 2" in seen.says


def test_click_on_a_cell_picks_its_cohort_and_period(board):
    _ = board.seen
    assert board.explorer.picked({"cohort": "Jun 2026", "period": 3}) == {
        "cohort": "2026-06-01",
        "at": 3,
    }
    assert board.explorer.picked({"cohort": "Weighted mean", "period": 4}) == {"at": 4}


@pytest.mark.parametrize("later", [False, True])
def test_customers_of_the_cell_are_those_whom_it_counts(board, later):
    board.move(cohort="2026-06-01", at=2, only_country="UK", later=later)
    curves = board.explorer.curves(board.settings)
    frame = curves.of.frame
    cell = frame[(frame["cohort"] == "2026-06-01") & (frame["period"] == 2)].iloc[0]
    _ = board.seen
    found = board.explorer.customers()
    assert list(found) == ["customer_id", "first_on", "purchases", "revenue"]
    assert len(found) == cell["active_later" if later else "active"] > 0
    assert (found["revenue"] >= 10 * found["purchases"]).all()
    ids = [int(each.removeprefix("c")) % 3 for each in found["customer_id"]]
    assert 0 not in ids


def test_saved_customers_are_a_cohort_that_conditions_may_name(board):
    board.move(cohort="2026-06-01", at=1)
    _ = board.seen
    ids = set(board.explorer.customers()["customer_id"])
    saved = board.explorer.save("june-again", replace=True)
    assert saved.customers == len(ids)
    assert saved.about.startswith("Who first bought in June 2026 and bought in calendar month 1")
    chosen = population.chosen(board.explorer.opened.shop, "cohort('june-again')").to_pandas()
    assert set(chosen["customer_id"]) == ids
    with pytest.raises(BadParameter, match="There is a cohort 'june-again' already"):
        board.explorer.save("june-again")


def test_nobody_in_a_cell_is_a_sentence(board):
    board.move(cohort="2026-11-01", at=5)
    _ = board.seen
    with pytest.raises(BadData, match="Nobody is in that cell"):
        board.explorer.customers()


def test_customers_that_are_none_are_a_sentence_and_the_controls_live_on(board):
    alive = live.Live(board)
    country, tier = (alive._controls[name] for name in ("only_country", "only_tier"))
    country.value, tier.value = "Malta", "pro"
    nobody = "Nobody with country Malta and tier pro has bought by 2026-11-28; choose others."
    assert nobody in alive._trouble.value
    assert alive._words.value == ""
    tier.value = "basic"
    assert alive._trouble.value == ""
    assert "Malta" in alive._says.value


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"only_country": "Malta", "later": True},
        {"clock": "own", "window": 14, "compare": "country"},
        {"period": "week", "compare": "years", "at": 4},
        {"compare": "cohorts", "cohort": "2026-06-01", "against": "2026-03-01"},
    ],
)
def test_code_gives_the_numbers_that_the_board_shows(board, settings):
    board.move(**settings)
    curves = board.explorer.curves(board.settings)
    lines = board.code.splitlines()
    shown = []
    space = {"display": shown.append}
    exec("\n".join([*lines[:-1], f"answer = {lines[-1]}"]), space)
    pd.testing.assert_frame_equal(space["answer"].frame, curves.points)
    assert space["answer"].sentence == curves.sentence
    triangle = shown[0].frame.drop(columns="revenue")
    pd.testing.assert_frame_equal(triangle, curves.of.frame.drop(columns="revenue"))


def test_report_gives_the_notebook_all_settings_and_the_filter_as_a_condition(board):
    board.move(only_country="UK", compare="years", at=3)
    report = board.explorer.report(board.settings)
    assert report.where == "country = 'UK'"
    path = Path(__file__).parents[2] / NOTEBOOK
    source = next(
        cell.source
        for cell in nbformat.read(path, as_version=4).cells
        if "parameters" in cell.metadata.get("tags", [])
    )
    assert all(f"\n{name}: " in f"\n{source}" for name in report.parameters)


def test_still_view_is_the_curves_alone(board, monkeypatch):
    monkeypatch.setenv("RETENTION_LAB_STATIC", "1")
    spec = cohorts(board.explorer.opened, owner="Olive").seen.chart.to_dict()
    assert "hconcat" not in spec
    assert spec["width"] == "container"


def test_unknown_attribute_to_compare_is_refused(board):
    board.move(compare="street")
    with pytest.raises(BadParameter, match="no attribute to compare 'street'"):
        _ = board.seen


def test_same_settings_are_answered_without_drawing_anew(board):
    first = board.seen
    board.move(at=1)
    board.move(at=2)
    assert board.seen is first


def test_views_say_nothing_of_fewer_than_ten(board):
    board.move(only_country="Malta", at=2)
    assert "cannot be shown" in board.seen.words
    rows = board.seen.chart.to_dict()["datasets"]["cells"]
    small = [row for row in rows if isinstance(row["active"], int) and 0 < row["active"] < 10]
    assert small == []
