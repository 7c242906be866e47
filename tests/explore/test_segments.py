"""The board of segments: what it shows is what the lab says, and its code and its report run."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pandas as pd
import pytest
import yaml

from retention_lab import explore
from retention_lab.checks import BadParameter
from retention_lab.explore.lines import Lines
from retention_lab.explore.segments import segments
from retention_lab.reports import prepared, suite
from retention_lab.wording import Instead

NOTEBOOK = Path(__file__).parents[2] / "notebooks" / "30_rfm_segments.ipynb"
AS_OF = "2026-11-28"
BY_HAND = {"lines": "by hand", "recency": [10, 40, 90, 200], "monetary": [10, 20, 30, 50]}
SHOP = """
name: Corner shop
time_zone: Europe/London
currency: GBP
complete_to: 2026-11-28
tables:
  customers:
    rows: customers.csv
    columns: {customer_id: who, signed_up_at: since}
    attributes: {country: country}
  orders:
    rows: many.csv
    columns: {order_id: id, customer_id: who, ordered_at: at, amount: paid}
"""


@pytest.fixture(scope="module")
def many(shop):
    """A shop in the project with customers enough to be told of, in two countries."""
    people = pd.DataFrame({"who": [f"c{n}" for n in range(300)]})
    people["country"] = ["UK" if n % 3 else "Malta" for n in range(300)]
    people["since"] = "2024-01-01 00:00:00"
    rows = [
        (n, "2026-11-28 12:00:00", 5 + n % 7 * 9, (n * 17 + turn * (11 + n % 90)) % 800)
        for n in range(300)
        for turn in range(1 + n % 5)
    ]
    orders = pd.DataFrame(rows, columns=["n", "at", "paid", "ago"])
    orders["at"] = pd.to_datetime(orders["at"]) - pd.to_timedelta(orders["ago"], unit="D")
    orders = orders.assign(id=range(len(orders)), who="c" + orders["n"].astype(str))
    people.to_csv(shop / "data/customers.csv", index=False)
    orders[["id", "who", "at", "paid"]].to_csv(shop / "data/many.csv", index=False)
    (shop / "data/many.yml").write_text(SHOP, encoding="utf-8")
    (shop / "notebooks/30_rfm_segments.ipynb").write_bytes(NOTEBOOK.read_bytes())
    return shop


@pytest.fixture(scope="module")
def opened(many):
    with contextlib.chdir(many):
        return explore.take("data/many.yml", as_of=AS_OF)


@pytest.fixture(scope="module")
def explorer(opened, many):
    with contextlib.chdir(many):
        return segments(opened, owner="Olive").explorer


def at(explorer, **moved):
    return {**explorer.start, **moved}


def ran(code):
    """What the last line of a cell gives."""
    *made, last = code.splitlines()
    names = {}
    exec("\n".join(made), names)
    return eval(last, names)


VIEWS = {
    "as opened": {},
    "by hand, other rules, a filter": {
        **BY_HAND,
        "high_monetary": 3,
        "high_recency": 2,
        "where": "country = 'UK'",
    },
    "who went where by nested lines": {"lines": "nested", "picture": "moves", "by": "segment"},
    "tiers": {"by": "activity", "activity": [20, 120], "days": 60, "picture": "moves"},
}


@pytest.mark.parametrize("view", VIEWS)
def test_code_of_a_view_gives_the_same_numbers(explorer, project, view):  # noqa: ARG001
    settings = at(explorer, **VIEWS[view])
    moved, answer = explorer.moved(settings), ran(explorer.code(settings))
    sizes = settings["picture"] == "sizes"
    want, money = answer.frame, ["revenue_within"] if sizes else ["revenue_before", "revenue_now"]
    got = moved.now[want.columns] if sizes else moved.moves
    whole = dict.fromkeys(money, "float64")
    pd.testing.assert_frame_equal(got.assign(**got[money] / 100).astype(whole), want.astype(whole))


def test_report_of_a_view_names_its_lines_and_rules(opened, project):
    board = segments(opened, owner="Olive")
    board.move(**BY_HAND, where="country = 'UK'", high_monetary=3, days=60)
    made = board.report()
    read = suite.load(made.file)
    [chapter] = prepared.prepare(read)
    assert (read.where, chapter.values["days"]) == ("country = 'UK'", 60)  # noqa: PD011  no frame
    lines = yaml.safe_load((project / read.thresholds).read_text(encoding="utf-8"))
    assert (lines["method"], lines["cuts"]["monetary"]["all"]) == ("fixed", BY_HAND["monetary"])
    rules = yaml.safe_load((project / read.playbook).read_text(encoding="utf-8"))
    assert rules["segments"]["cohorts"][1]["monetary"] == [3, 5]
    assert board.report() == made
    board.reset()
    [untouched] = prepared.prepare(suite.load(board.report().file))
    assert "thresholds" not in untouched.values  # noqa: PD011  no frame


def test_lines_are_frozen_once_and_never_over_others(opened, project):
    board = segments(opened, owner="Olive")
    [freeze] = board.explorer.actions(board.settings).values()
    place = project / "data/thresholds.yml"
    try:
        assert "Written to `data/thresholds.yml`" in freeze(board.settings)
        written = place.read_bytes()
        frozen = segments(opened, owner="Olive", thresholds="data/thresholds.yml").explorer
        assert frozen.lines(frozen.start).cuts == board.explorer.lines(board.settings).cuts
        with pytest.raises(BadParameter, match=r"thresholds\.yml is there already"):
            freeze({**board.settings, **BY_HAND})
        assert place.read_bytes() == written
    finally:
        place.unlink(missing_ok=True)


def test_a_click_on_a_bar_or_a_row_tells_of_its_group(explorer):
    assert explorer.picked({"group": "one-time"}) == {"group": "one-time"}
    assert explorer.picked({"before": "one-time"}) == {"group": "one-time"}
    assert explorer.picked({}) == {}
    assert "“one-time”" in explorer.seen(at(explorer, group="one-time")).words
    assert "“high-value repeat”" in explorer.seen(at(explorer, group="no such group")).words


def test_rules_that_cannot_be_are_refused_in_a_sentence(explorer):
    with pytest.raises(BadParameter, match="activity: must be whole numbers from 1 on, each above"):
        explorer.seen(at(explorer, by="activity", activity=[30, 30]))


def test_only_few_customers_are_neither_said_nor_drawn(opened, project):  # noqa: ARG001
    few = explore.take("data/many.yml", as_of=AS_OF, where="customer_id in ('c1', 'c2', 'c3')")
    board = segments(few, owner="Olive")
    seen = board.seen
    assert isinstance(seen.chart, Instead)
    assert "fewer than 10 customers" in seen.chart.why
    assert seen.says.startswith("Fewer than 10 customers of Corner shop")
    assert board.explorer.ledger(board.settings).claims() == []


def test_controls_start_where_the_settings_stand_and_show_what_makes_sense(explorer):
    controls = explorer.controls(explorer.start)
    assert {name: each.value for name, each in controls.items()} == explorer.start
    hidden = [name for name, each in controls.items() if each.layout.display == "none"]
    assert hidden == ["recency", "frequency", "monetary", "activity"]
    controls["lines"].value = "by hand"
    assert controls["monetary"].layout.display is None


def test_lines_rise_in_whatever_order_their_sliders_stand():
    lines = Lines([2, 2, 3], label="Lines", words=["a", "b", "c"], last=9)
    first, *_rest = lines._sliders
    first.value = 5
    assert lines.value == [2, 3, 5]
    first.value = 2
    assert lines.value == [2, 2, 3]
    lines.value = [1, 4, 9]
    assert [slider.value for slider in lines._sliders] == [1, 4, 9]


def test_lines_that_no_group_asks_for_are_named(explorer):
    def words(**settings):
        return explorer.seen(at(explorer, **settings)).words

    idle = "so moving such a line moves nobody."
    assert f"No value cohort asks for recency or frequency, {idle}" in words(**BY_HAND)
    assert f"No value cohort asks for frequency, {idle}" in words(**BY_HAND, high_recency=2)
    assert "No tier of days asks for recency or freq" in words(**BY_HAND, by="activity")
    assert idle not in words(**BY_HAND, by="segment")
    assert idle not in words()
