"""Bad input of Cox models is refused by name, with the remedy."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from retention_lab.checks import BadData
from retention_lab.survival import cox


def fit(rows, **options):
    outcome = {"start": rows["start"], "stop": rows["stop"], "event_observed": rows["event"]}
    return cox.fit(rows[["a", "b"]], **(outcome | options))


def test_no_events_are_refused(made):
    rows = made()
    with pytest.raises(BadData, match=r"None of the 300 rows has an event.*follow for longer"):
        fit(rows, event_observed=np.zeros(300))
    with pytest.raises(BadData, match="None of the 0 rows"):
        fit(rows.iloc[:0])


@pytest.mark.parametrize("value", [2, -1, np.nan])
def test_events_other_than_yes_or_no_are_refused(made, value):
    rows = made()
    event = rows["event"].astype(float)
    event[4] = value
    with pytest.raises(BadData, match=r"event_observed is .* in row 4.*true or false"):
        fit(rows, event_observed=event)


@pytest.mark.parametrize("name", ["start", "stop"])
@pytest.mark.parametrize("value", [-3, np.nan, np.inf])
def test_missing_and_negative_times_are_refused(made, name, value):
    rows = made()
    rows.loc[[7, 9], name] = value
    with pytest.raises(BadData, match=rf"{name} is {value} in row 7.*leave out these 2 rows"):
        fit(rows)


@pytest.mark.parametrize("name", ["stop", "event_observed", "weights"])
def test_words_and_dates_are_refused_as_times_and_events(made, name):
    rows = made()
    for values in (rows["plan"], pd.to_timedelta(rows["stop"], unit="D")):
        with pytest.raises(BadData, match=f"{name} holds no numbers but .*count times in days"):
            fit(rows, **{name: values})


def test_reversed_and_empty_times_are_refused(made):
    rows = made()
    rows.loc[5, ["start", "stop"]] = [9, 4]
    with pytest.raises(BadData, match=r"start is 9 and stop 4 in row 5.*must end after it starts"):
        fit(rows)
    rows.loc[5, ["start", "stop", "event"]] = [4, 4, True]
    with pytest.raises(BadData, match="start is 4 and stop 4 in row 5"):
        fit(rows)


@pytest.mark.parametrize("value", [0, 1.5, -1, np.nan])
def test_weights_that_count_no_rows_are_refused(made, value):
    counts = np.ones(300)
    counts[3] = value
    with pytest.raises(BadData, match=rf"weights is {value:g} in row 3.*whole number"):
        fit(made(), weights=counts)


@pytest.mark.parametrize("name", ["strata", "cluster"])
def test_rows_of_no_stratum_or_cluster_are_refused(made, name):
    rows = made()
    plan = rows["plan"].where(rows["plan"] != "solo")
    with pytest.raises(BadData, match=rf"{name} is missing in \d+ of 300 rows.*'unknown'"):
        fit(rows, **{name: plan})


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_missing_covariates_are_refused_by_column(made, value):
    rows = made()
    rows.loc[[2, 8], "b"] = value
    with pytest.raises(BadData, match=r"'b' is missing or infinite in 2 of 300 rows, first in row"):
        fit(rows)


def test_covariates_that_pandas_calls_missing_are_refused_by_column(made):
    rows = made().astype({"a": "Int64"})
    rows.loc[2, "a"] = pd.NA
    with pytest.raises(BadData, match="'a' is missing or infinite in 1 of 300 rows"):
        fit(rows)


def test_words_are_refused_as_covariates(made):
    rows = made()
    with pytest.raises(BadData, match=r"'b' holds no numbers but .*0/1 column of each of its"):
        fit(rows.assign(b=rows["plan"]))


@pytest.mark.parametrize("value", [0, 1, 3.1, -1e9])
def test_constant_columns_are_refused_by_name(made, value):
    rows = made()
    with pytest.raises(BadData, match=r"Column 'b' is .* in every row.*leave it out"):
        fit(rows.assign(b=value))


def test_two_columns_of_one_name_are_refused(made):
    rows = made()
    with pytest.raises(BadData, match="same name: a, a"):
        cox.fit(rows[["a", "a"]], stop=rows["stop"], event_observed=rows["event"])


def test_true_and_false_are_covariates(made):
    rows = made()
    one = fit(rows.assign(a=rows["a"].astype(bool)))
    assert one.coefficients == pytest.approx(fit(rows).coefficients)
