"""Pictures of worth: they compile, carry their words and hide the few."""

from __future__ import annotations

import dataclasses

import pytest

from retention_lab.charts import worth as pictures
from retention_lab.charts.frame import as_mime, listed
from retention_lab.customers.contracts import NO_BETTER, NONE, Contracts
from retention_lab.customers.worth import NO_BETTER as NO_MODEL
from retention_lab.customers.worth import TOO_LITTLE
from retention_lab.reports import figures
from retention_lab.wording import Instead

from ..customers.worths import TRACKING, TRIAL, WORTH, cohorts, kept  # noqa: TID252  one maker


def table(chart):
    """The data table of a chart that draws, with its words in place."""
    spec = next(iter(as_mime(chart.to_dict())[0].values()))
    assert "<svg" in figures.figure(spec, number=1, where="here")
    assert spec["description"].endswith(".")
    assert spec["usermeta"]["caption"].endswith(".")
    return listed(chart)


def changed(**change):
    return dataclasses.replace(WORTH, **change)


def test_cohorts_stand_with_what_they_are_expected_to_bring():
    chart = pictures.by_cohort(WORTH)
    data = table(chart)
    assert data["value"].tolist() == [2_000, 3_000, 1_000]
    assert data["each"].tolist() == [2.5, 30, 10]
    assert "Revenue expected in the next 12 months, by value cohort: one-time £2,000" in (
        chart.description
    )


def test_without_a_model_what_a_customer_brought_is_drawn():
    chart = pictures.by_cohort(changed(by=None, total=None, why=TOO_LITTLE))
    assert table(chart)["value"].tolist() == [10, 50, 20]
    assert chart.description.startswith("Revenue per customer in the last 365 days")


def test_a_cohort_of_a_few_is_not_drawn():
    few = changed(by=cohorts((800, 195, 5)), observed=cohorts((800, 195, 5)))
    assert table(pictures.by_cohort(few))["group"].tolist() == ["one-time"]
    none = changed(by=cohorts((5,)), observed=cohorts((5,)))
    assert isinstance(pictures.by_cohort(none), Instead)


def test_purchases_stand_beside_what_was_expected():
    chart = pictures.tracking(WORTH)
    assert table(chart)["actual"].tolist() == [640, 1_240]
    assert "by week 28 1,240 came and 1,190 were expected." in chart.description
    # A model that is not used is drawn all the same: that is why it is not.
    assert len(table(pictures.tracking(changed(by=None, total=None, why=NO_MODEL)))) == 2


@pytest.mark.parametrize(
    "trial",
    [
        None,
        dataclasses.replace(TRIAL, tracking=None, weeks=None),
        dataclasses.replace(TRIAL, tracking=dataclasses.replace(TRACKING, customers=9)),
        dataclasses.replace(TRIAL, weeks=TRIAL.weeks.assign(actual=[3, 9])),
        dataclasses.replace(TRIAL, weeks=TRIAL.weeks.iloc[:0]),
    ],
)
def test_without_a_trial_there_is_a_sentence(trial):
    assert isinstance(pictures.tracking(changed(trial=trial)), Instead)


def test_contracts_are_drawn_as_seen_and_as_projected():
    data = table(pictures.contracts(kept()))
    assert len(data) == 24
    assert data["share"].notna().sum() == 12
    assert data["projected"].notna().all()
    bare = table(pictures.contracts(kept(projected=False, why=NO_BETTER)))
    assert len(bare) == 12
    assert "projected" not in bare


def test_periods_of_a_few_are_hidden_and_the_projection_goes_on():
    found = kept()
    found.frame.loc[5:, "at_risk"] = found.frame.loc[5:, "at_risk"].where(lambda n: n.isna(), 4)
    data = table(pictures.contracts(found))
    assert data["share"].notna().sum() == 5
    assert data["low"].notna().sum() == 5
    assert len(data) == 24


def test_without_contracts_there_is_a_sentence():
    none = Contracts(subscriptions=0, frame=None, why=NONE)
    assert pictures.contracts(none) == Instead(NONE)
