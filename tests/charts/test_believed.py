"""The picture of wrong assumptions: it compiles, carries its words, leaves out what cannot be."""

from __future__ import annotations

import pandas as pd
import pytest

from retention_lab.charts import believed as pictures
from retention_lab.charts.frame import as_mime, listed
from retention_lab.experiments.believed import believed, wrong
from retention_lab.reports import figures
from retention_lab.wording import Instead

from ..experiments.proposals import history, plan  # noqa: TID252  one maker


@pytest.fixture(scope="module")
def frame():
    return wrong(plan(), believed(plan(), history()))


def spec(chart):
    """A chart that draws, with its words in place."""
    found = next(iter(as_mime(chart.to_dict())[0].values()))
    assert "<svg" in figures.figure(found, number=1, where="here")
    assert found["description"].endswith(".")
    assert found["usermeta"]["caption"].endswith(".")
    return found


def test_the_assumption_that_costs_most_stands_first(frame):
    chart = pictures.wrong(frame)
    data = listed(chart)
    names = ["Reached", "Share as things are", "Lost in 30 days", "Days to the effect"]
    assert data["name"].tolist() == names
    reached = frame.set_index("assumption").loc["contact_rate"]
    assert data.iloc[0][["customers_low", "customers", "customers_high"]].tolist() == (
        reached[["customers_low", "customers", "customers_high"]].tolist()
    )
    words = spec(chart)["description"].replace("\N{NO-BREAK SPACE}", " ")
    low, high = reached["customers_low"], reached["customers_high"]
    assert f"Reached 60 to 100 %: {low:,.0f} to {high:,.0f};" in words


def test_the_pace_has_no_bar_as_it_takes_no_more_customers(frame):
    assert "entry" not in str(listed(pictures.wrong(frame))["name"].tolist())
    pace = frame[frame["assumption"] == "entry_per_day"]
    assert isinstance(pictures.wrong(pace), Instead)


def test_an_end_that_cannot_be_is_not_drawn(frame):
    half = frame.assign(
        customers_high=frame["customers_high"].where(frame["assumption"] != "baseline")
    )
    found = spec(pictures.wrong(half))
    share = next(part for part in found["description"].split("; ") if "Share as" in part)
    assert share.endswith(f"{half.set_index('assumption').loc['baseline', 'customers_low']:,.0f}")
    assert pd.isna(listed(pictures.wrong(half)).set_index("name")["customers_high"]).sum() == 1


def test_without_any_end_there_is_a_sentence(frame):
    nothing = frame.assign(customers_low=float("nan"), customers_high=float("nan"))
    assert "cannot be sized by any other assumption" in pictures.wrong(nothing).why
