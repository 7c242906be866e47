"""The list of those at highest risk: what it says of each customer, and the whole of it."""

from __future__ import annotations

import csv
import dataclasses
import datetime as dt

import numpy as np
import pandas as pd
import pytest

from retention_lab import state as states
from retention_lab.checks import BadData, BadParameter
from retention_lab.churn import heldback, scoring, suggestions
from retention_lab.churn import model as models
from retention_lab.churn.endpoints import Endpoint
from retention_lab.churn.listing import consenting
from retention_lab.tables.playbook import Milestone

from . import members, simulated

DAY = dt.date(2025, 6, 30)


@pytest.fixture
def state(tmp_path):
    return states.opened(tmp_path / "state")


def rows_of(file):
    with file.open(encoding="utf-8", newline="") as opened:
        return list(csv.DictReader(opened))


def logged(state):
    return list(heldback.ledger(state).rows())


@pytest.mark.parametrize("name", ["list.xlsx", "list", "folder.csv"])
def test_a_file_of_another_kind_is_refused_before_anything_is_logged(state, tmp_path, name):
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(BadParameter, match=r"ends in \.csv or \.parquet"):
        scoring.write(None, members.book(), state=state, out=tmp_path / name)


def test_without_consents_there_is_no_list(state, tmp_path):
    snapshot = members.snapshot_of(members.tables(customers=3))
    tables = {name: table for name, table in snapshot.tables.items() if name != "consents"}
    shop = dataclasses.replace(snapshot, tables=tables)
    with pytest.raises(BadData, match="Members has no consents; map them in its source file"):
        scoring.write(shop, members.book(), state=state, out=tmp_path / "a.csv")
    assert not logged(state)


# What is said of a customer


NOISE = Milestone(name="noise", label="Noise", event="noise")


def with_noise(rng, frame):
    """Add a factor that has nothing to do with anything."""
    rows = frame.loc[frame.index.repeat(frame["weight"])].assign(weight=1)
    rows["noise"] = np.where(rng.random(len(rows)) < 0.5, "reached", "not yet")
    return simulated.collapsed(rows)


@pytest.mark.parametrize(("kind", "worse"), [("cancelled", "plus"), ("returned", "basic")])
def test_what_goes_with_a_customer_is_the_states_that_go_with_more_risk_than_usual(kind, worse):
    rng = np.random.default_rng(5)
    past = with_noise(rng, simulated.landmarks(rng))
    today = with_noise(rng, simulated.people(rng, 500))
    model = models.fit(past, (*simulated.FACTORS, NOISE), horizon=simulated.HORIZON)
    found = suggestions.suggested(
        today, model=model, endpoint=Endpoint(kind=kind), plays=members.PLAYS[1:], as_of=DAY
    )
    said = found.set_index(["onboarding", "plan", "noise"])["goes_with"]
    better = {"plus": "basic", "basic": "plus"}[worse]
    # Onboarding lowers the chance to leave, and in the other case that to come back.
    onboarding = {"cancelled": "not yet", "returned": "reached"}[kind]
    other = {"not yet": "reached", "reached": "not yet"}[onboarding]
    for noise in ("not yet", "reached"):
        both = {f"Onboarding: {onboarding}", f"Plan: {worse}"}
        assert set(said[onboarding, worse, noise].split("; ")) == both
        assert said[other, worse, noise] == f"Plan: {worse}"
        assert said[onboarding, better, noise] == f"Onboarding: {onboarding}"
        assert said[other, better, noise] == suggestions.NOTHING
    assert not any(word in " ".join(said).lower() for word in ("because", "cause", "due", "driv"))


def test_the_first_play_that_fits_is_suggested():
    rng = np.random.default_rng(5)
    today = simulated.people(rng, 500)
    model = models.fit(simulated.landmarks(rng), simulated.FACTORS, horizon=simulated.HORIZON)
    words = {"model": model, "endpoint": Endpoint(kind="cancelled"), "as_of": DAY}
    found = suggestions.suggested(today, plays=members.PLAYS, **words)
    wanted = np.where(today["onboarding"] == "not yet", "finish", "check_in")
    assert found["play_name"].tolist() == wanted.tolist()
    none = suggestions.suggested(today, plays=members.PLAYS[:2], **words)
    assert none["play"].tolist() == np.where(wanted == "finish", "Finish it together", "").tolist()


# All of it


def test_a_shop_gets_a_list_of_its_own_customers_who_consent(state, tmp_path):
    real = members.shop(members.tables())
    found = scoring.write(real, members.book(), state=state, out=tmp_path / "a.csv")
    rows = pd.DataFrame(rows_of(found.file))
    willing = set(consenting(real, "email").to_pandas()["customer_id"])
    members_of = real.subscriptions.to_pandas()
    alive = set(members_of.loc[members_of["cancelled_at"].isna(), "customer_id"])
    assert (found.customers, found.consenting) == (len(alive), len(alive & willing))
    assert found.contacted + found.held_back == 100
    assert set(rows["customer_id"]) < alive & willing
    assert rows["probability"].astype(float).is_monotonic_increasing
    assert rows["goes_with"].iloc[0] == "Onboarding: not yet; Channel: ads"
    assert set(rows["play"]) == {"Finish it together"}
    assert found.sentences == (
        "Latest ticket is left out: Members has no data on it.",
        "The play answer is suggested to nobody, for it needs one.",
    )
