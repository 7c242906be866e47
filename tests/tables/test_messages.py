"""The newsletter of the simulated shop: who gets it, and what was planted in it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest

from retention_lab.tables.newsletter import READERS, Newsletter
from retention_lab.tables.simulator import simulate
from retention_lab.tables.truth import Truth

RESPONSES = ["opened_at", "clicked_at", "converted_at", "unsubscribed_at"]
NAMES = ("orders", "consents", "messages")


def made(folder, *, truth=Truth(check_in=None), **settings):  # noqa: B008  frozen
    simulate(folder, truth=truth, **settings)
    return {name: pd.read_parquet(folder / f"{name}.parquet") for name in NAMES}


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    return made(tmp_path_factory.mktemp("messages") / "shop")


@pytest.fixture(scope="module")
def messages(shop):
    """Messages with `bought` (orders before each) and `group` (place of their readers)."""
    orders = shop["orders"][["customer_id", "ordered_at"]]
    pairs = shop["messages"][["message_id", "customer_id", "sent_at"]].merge(orders)
    bought = pairs[pairs["ordered_at"] < pairs["sent_at"]].groupby("message_id").size()
    rows = shop["messages"].assign(bought=shop["messages"]["message_id"].map(bought))
    edges = [*(group.orders for group in READERS), np.inf]
    return rows.assign(group=pd.cut(rows["bought"], edges, right=False, labels=False))


def within(share, n):
    """Four binomial standard errors: a true share lies further off once in 16,000 times."""
    return 4 * np.sqrt(share * (1 - share) / n)


def test_an_issue_goes_to_all_who_have_bought_and_consent_then_and_to_nobody_else(shop, messages):
    assert (messages["bought"] >= 1).all()
    first = shop["orders"].groupby("customer_id")["ordered_at"].min()
    email = shop["consents"].query("channel == 'email'")
    for sent, rows in messages.groupby("sent_at"):
        said = email[email["valid_from"] <= sent].groupby("customer_id")["granted"].last()
        wanted = set(said.index[said]) & set(first.index[first < sent])
        assert set(rows["customer_id"]) == wanted
        assert not rows["customer_id"].duplicated().any()


def test_issues_are_monthly_and_end_with_the_shop(tmp_path, messages):
    stages = messages.groupby("stage")["sent_at"].unique().explode()
    months = ["2026-06", "2026-07", "2026-08", "2026-09", "2026-10", "2026-11"]
    assert stages.to_dict() == {month: pd.Timestamp(f"{month}-10 09:00") for month in months}
    early = made(tmp_path / "early", customers=300, until=date(2026, 11, 9))["messages"]
    assert early["stage"].max() == "2026-10"


def test_planted_shares_of_delivery_and_of_humans_come_back(messages):
    n = len(messages)
    assert messages["delivered_at"].notna().mean() == pytest.approx(0.98, abs=within(0.98, n))
    delivered = messages.dropna(subset="delivered_at")
    by_machine = delivered["opened_at"] - delivered["delivered_at"] < pd.Timedelta("60s")
    for place, group in enumerate(READERS):
        rows = delivered[delivered["group"] == place]
        assert len(rows) > 5_000
        for time, share in (("clicked_at", group.click), ("converted_at", group.conversion)):
            found = rows[time].notna().mean()
            assert found == pytest.approx(share, abs=within(share, len(rows)))
        human = rows[~by_machine.loc[rows.index]]["opened_at"].notna()
        assert human.mean() == pytest.approx(group.open, abs=within(group.open, len(human)))


def test_a_mail_program_opens_every_message_of_its_customer_or_none(messages):
    delivered = messages.dropna(subset="delivered_at")
    fast = delivered["opened_at"] - delivered["delivered_at"] < pd.Timedelta("60s")
    customers = fast.groupby(delivered["customer_id"]).agg(["min", "max"])
    assert (customers["min"] == customers["max"]).all()
    share = customers["max"].mean()
    assert share == pytest.approx(0.30, abs=within(0.30, len(customers)))


def test_what_comes_of_a_message_comes_in_order_and_within_a_week(messages):
    delivered = messages.dropna(subset="delivered_at")
    assert (delivered["sent_at"] < delivered["delivered_at"]).all()
    chain = ["delivered_at", "opened_at", "clicked_at", "converted_at"]
    for earlier, later in pairwise(chain):
        rows = delivered.dropna(subset=later)
        assert (rows[earlier] < rows[later]).all()
    for time in RESPONSES:
        rows = delivered.dropna(subset=time)
        assert (rows[time] - rows["delivered_at"] < pd.Timedelta(days=7)).all()
    assert messages[messages["delivered_at"].isna()][RESPONSES].isna().all(axis=None)


def test_an_unsubscription_is_a_withdrawn_consent_and_the_last_message(shop, messages):
    left = messages.dropna(subset="unsubscribed_at")
    email = shop["consents"].query("channel == 'email' and not granted")
    withdrawn = left["customer_id"].map(email.groupby("customer_id")["valid_from"].last())
    assert (withdrawn == left["unsubscribed_at"]).all()
    assert not left["customer_id"].duplicated().any()
    last = messages.groupby("customer_id")["sent_at"].max()
    assert (left["customer_id"].map(last) == left["sent_at"]).all()
    # The chance of a withdrawal in seven days, of those who could be followed as long.
    share = -np.expm1(-7 * Truth().withdrawal_hazard)
    n = messages["delivered_at"].notna().sum()
    assert len(left) / n == pytest.approx(share, abs=within(share, n))


def test_responses_after_the_last_day_are_not_known(tmp_path):
    rows = made(tmp_path / "shop", customers=3_000, until=date(2026, 11, 10))["messages"]
    last = rows[rows["stage"] == "2026-11"]
    # Of so many humans, some open more than fifteen hours after 9:00.
    assert pd.Timestamp("2026-11-10 20:00") < last["opened_at"].max() < pd.Timestamp("2026-11-11")
    assert rows[RESPONSES].max().max() < pd.Timestamp("2026-11-11")


def test_a_newsletter_by_a_channel_that_nobody_consents_to_is_sent_to_nobody(tmp_path):
    truth = Truth(newsletter=Newsletter(channel="pigeon"), check_in=None)
    assert made(tmp_path / "shop", customers=50, truth=truth)["messages"].empty


def test_messages_are_a_small_part_of_the_demo(shop):
    assert 50_000 < len(shop["messages"]) < 80_000


def test_readers_who_click_more_than_they_open_are_refused():
    with pytest.raises(ValueError, match="readers from 1 orders on must open no less"):
        Newsletter(readers=(replace(READERS[0], click=0.2),))
