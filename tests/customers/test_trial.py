"""A model on trial: what is held back, who is left out, and how far one customer may be off."""

from __future__ import annotations

import datetime as dt
import functools
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from retention_lab.customers import trial as trials
from retention_lab.customers.btyd import by_week, came, daily, holdout
from retention_lab.customers.summary import purchases
from retention_lab.customers.trial import regular, trial
from retention_lab.inference.btyd import fitting
from retention_lab.tables.engine import collect

from .orders import order_table
from .spenders import START, bought, rows

SPAN = 600
AS_OF = START + dt.timedelta(days=SPAN - 1)
BOT = [("bot", (START + dt.timedelta(days=day)).isoformat(), 500) for day in range(SPAN)]


def shop(people, *, history=SPAN, as_of=AS_OF):
    orders = order_table(people)
    return SimpleNamespace(orders=orders, as_of=as_of, history_days=history)


@functools.cache
def people():
    return tuple(rows(*bought(np.random.default_rng(3), customers=800, span=SPAN)))


@functools.cache
def tried():
    return trial(shop(people()))


def test_the_last_third_is_held_back():
    found = tried()
    assert (found.days, found.until) == (200, AS_OF - dt.timedelta(days=200))
    assert found.tracking.beats_naive
    last = found.weeks.iloc[-1]
    assert last["week"] == 28
    assert last["actual"] <= found.tracking.actual


def test_less_is_held_back_where_no_model_can_be_fitted_to_the_rest(monkeypatch):
    fit, refused = fitting.likelier, []

    def likelier(patterns):
        if not refused:
            refused.append(len(patterns))
            raise trials.BadData("The data do not determine the parameters.")
        return fit(patterns)

    monkeypatch.setattr(fitting, "likelier", likelier)
    assert trial(shop(people())).days == 150


def test_what_was_held_back_cannot_choose_itself():
    cut = (AS_OF - dt.timedelta(days=200)).isoformat()
    early = [row for row in people() if row[1] <= cut]
    again = trial(shop(early))
    assert again.tracking.expected.value == pytest.approx(tried().tracking.expected.value)
    assert again.tracking.actual == 0
    assert (again.nothing, again.factor) == (1.0, 0.0)


def test_nothing_later_than_the_day_of_the_shop_is_known():
    late = [(f"c{one}", (AS_OF + dt.timedelta(days=1)).isoformat(), 100) for one in range(400)]
    assert trial(shop([*people(), *late])).tracking == tried().tracking


def test_who_buys_nearly_daily_is_left_out():
    found = trial(shop([*people(), *BOT]))
    assert found.tracking == tried().tracking
    assert found.factor == tried().factor
    pd.testing.assert_frame_equal(found.weeks, tried().weeks)


def test_who_came_to_buy_daily_later_was_a_customer_like_others_then():
    late = [*BOT[380:381], *BOT[400:]]
    found = trial(shop([*people(), *late])).tracking
    assert found.customers == tried().tracking.customers + 1
    assert found.actual == tried().tracking.actual + 200


@pytest.mark.parametrize(
    ("days", "every", "out"), [(61, 1, True), (60, 1, False), (200, 2, False), (201, 3, False)]
)
def test_nearly_daily_is_more_than_half_of_all_days_of_two_months(days, every, out):
    bought_on = [START + dt.timedelta(days=day) for day in range(0, days, every)]
    bot = [("bot", day.isoformat(), 5) for day in bought_on]
    end = START + dt.timedelta(days=days - 1)
    summary = purchases(order_table(bot), as_of=end)
    assert collect(summary.mutate(out=daily(summary)))["out"].item() == out
    left = regular(shop(bot, as_of=end), as_of=end)
    assert collect(left.count().as_table()).iloc[0, 0] == (0 if out else len(bot))


def test_how_far_one_may_be_off_is_told_by_the_tenth_who_bought_most():
    found, until = tried(), AS_OF - dt.timedelta(days=200)
    held = holdout(order_table(people()), until=until, as_of=AS_OF)
    one_each = held.patterns.loc[held.patterns.index.repeat(held.patterns["weight"])]
    fit = fitting.likelier(held.patterns)
    times = one_each["later"] / trials.answers.expected(fit.process, one_each, horizon=200)
    assert (times >= found.factor).mean() >= 0.1 > (times > found.factor).mean()
    assert found.nothing == pytest.approx((one_each["later"] == 0).mean())


@pytest.mark.parametrize("history", [3, 83])
def test_a_young_shop_holds_nothing_back(history):
    assert trial(shop(people()[:20], history=history)) is None


def test_who_bought_once_is_counted_even_where_no_model_can_be_fitted():
    once = [(f"c{one}", (START + dt.timedelta(days=one)).isoformat(), 5) for one in range(SPAN)]
    found = trial(shop(once))
    assert (found.once, found.returned.value, found.tracking) == (400, 0.0, None)


def test_purchases_are_counted_by_whole_weeks():
    orders = order_table(
        [
            ("anna", "2023-01-01", 1),
            ("anna", "2023-01-11", 1),  # the 1st day
            ("anna", "2023-01-17", 1),  # the 7th
            ("anna", "2023-01-18", 1),  # the 8th
            ("anna", "2023-01-25", 1),  # of a week that is not whole
            ("bert", "2023-01-12", 1),  # not known yet
        ]
    )
    until, end = dt.date(2023, 1, 10), dt.date(2023, 1, 26)
    assert came(orders, until=until, as_of=end).to_numpy().tolist() == [[1, 2], [2, 1]]


def test_weeks_are_added_up_and_the_last_is_always_told():
    until = AS_OF - dt.timedelta(days=200)
    orders = order_table(people())
    held = holdout(orders, until=until, as_of=AS_OF)
    fit, arrived = fitting.fit(held.patterns), came(orders, until=until, as_of=AS_OF)
    every, some = (by_week(fit, held, arrived, points=points) for points in (28, 5))
    assert every["week"].tolist() == [*range(1, 29)]
    assert every["actual"].tolist() == arrived["purchases"].cumsum().tolist()
    assert some["week"].tolist() == [6, 11, 17, 22, 28]
    same = every.set_index("week").loc[some["week"]].reset_index()
    pd.testing.assert_frame_equal(same, some)
