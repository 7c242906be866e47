"""What an earlier report printed, beside what is recorded now."""

from __future__ import annotations

import datetime as dt
import json

import pandas as pd
import pytest

from retention_lab.checks import BadParameter
from retention_lab.inference.proportions import difference, proportion
from retention_lab.record import Ledger, previous
from retention_lab.record.ledger import MIME
from retention_lab.reports.publish import write_json

AS_OF = dt.date(2026, 11, 29)
BOOK = "10_retention_overview"
JULY, AUGUST = "2026-07-01/2026-07-31", "2026-08-01/2026-08-31"


def ledger_of(*claims):
    """A ledger of (name, value, changes); each a share of customers of August unless changed."""
    ledger = Ledger()
    for name, value, words in claims:
        about = {"unit": "share", "n": 100, "about": "August 2026", "period": AUGUST}
        ledger.record(name, value, **{"definition": "It is so.", "label": name, **about, **words})
    return ledger


def printed(tmp_path, ledger, *, as_of="2026-11-22", without=()):
    """Write results as the runner does, and read them back."""
    results = json.loads(json.dumps(ledger._repr_mimebundle_()[MIME]["results"]))
    for result in results:
        for field in without:
            del result[field]
    file = tmp_path / "results.json"
    head = {"suite": "weekly", "as_of": as_of, "source": {"name": "Shop"}}
    write_json(file, head, notebooks={BOOK: {"title": "x", "headline": "y", "results": results}})
    return previous.read(f"{file}#{BOOK}", as_of=AS_OF)


def compared(tmp_path, then, now, *, without=()):
    frame = previous.changes(ledger_of(*now), printed(tmp_path, ledger_of(*then), without=without))
    return frame.set_index("name")


def test_results_that_the_runner_wrote_are_read_back(tmp_path):
    claim = ("returned", proportion(30, 100), {"currency": "GBP"})
    found = printed(tmp_path, ledger_of(claim))
    assert found.as_of == dt.date(2026, 11, 22)
    one, interval = found.results["returned"], proportion(30, 100)
    assert (one.value, one.low, one.high) == (0.3, interval.low, interval.high)
    assert (one.text, one.period, one.n) == ("30.0\N{NO-BREAK SPACE}%", AUGUST, 100)


def test_no_path_and_a_notebook_that_is_new_have_no_report_before(tmp_path):
    printed(tmp_path, ledger_of())
    assert previous.read("", as_of=AS_OF) is None
    assert previous.read(f"{tmp_path}/results.json#20_churn", as_of=AS_OF) is None
    frame = previous.changes(ledger_of(("returned", 0.3, {})), None)
    assert frame["kind"].tolist() == ["new"]
    assert previous.changes(Ledger(), None).empty


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "holds no results of a report: "),
        ("[]", "holds no results of a report: "),
        ('{"as_of": "2026-11-22"}', "holds no results of a report: notebooks is missing."),
        (
            '{"as_of": "2026-11-22", "notebooks": {"a": {"results": [{"name": "x"}]}}}',
            "holds no results of a report: notebooks.a.results.0.value is missing.",
        ),
        (
            '{"as_of": "2026-11-29", "notebooks": {}}',
            "is of 2026-11-29, so it is not older than a report as of 2026-11-29.",
        ),
    ],
)
def test_a_file_that_is_no_older_report_is_refused_with_its_path(tmp_path, text, words):
    file = tmp_path / "results.json"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(BadParameter) as caught:
        previous.read(f"{file}#{BOOK}", as_of=AS_OF)
    assert f"{file} {words}" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_file_is_refused_with_its_path(tmp_path):
    with pytest.raises(BadParameter, match=r"none\.json, cannot be read: No such file"):
        previous.read(f"{tmp_path}/none.json#{BOOK}", as_of=AS_OF)


def test_the_same_days_are_as_printed_or_restated(tmp_path):
    then = [("kept", proportion(300, 1000), {}), ("returned", proportion(285, 1000), {})]
    now = [("kept", proportion(3001, 10_003), {}), ("returned", proportion(284, 1000), {})]
    frame = compared(tmp_path, then, now)
    assert frame["kind"].to_dict() == {"kept": "same", "returned": "restated"}
    assert frame.loc["returned", "change"] == pytest.approx(-0.001)
    assert frame["low"].isna().all()  # no chance is in data that were corrected
    assert not frame["marked"].any()


def test_a_month_is_found_again_when_it_is_no_longer_the_newest(tmp_path):
    then = [
        ("returned", proportion(285, 1000), {"period": JULY, "about": "July 2026"}),
        ("returned_before", 0.5, {"period": "2026-06-01/2026-06-30", "about": "June 2026"}),
    ]
    now = [
        ("returned", proportion(200, 1000), {}),
        ("returned_before", proportion(284, 1000), {"period": JULY, "about": "July 2026"}),
    ]
    frame = compared(tmp_path, then, now)
    assert frame["kind"].to_dict() == {"returned": "moved", "returned_before": "restated"}
    assert frame.loc["returned_before", "then"] == 0.285
    newcombe = difference(200, 1000, 285, 1000)
    got = frame.loc["returned", ["change", "low", "high"]].astype(float).tolist()
    assert got == pytest.approx([newcombe.value, newcombe.low, newcombe.high])
    assert frame.loc["returned", "marked"]


@pytest.mark.parametrize(("returned", "marked"), [(284, False), (200, True), (400, True)])
def test_only_a_change_whose_range_leaves_out_zero_is_marked(tmp_path, returned, marked):
    then = [("returned", proportion(285, 1000), {"period": JULY, "about": "July 2026"})]
    frame = compared(tmp_path, then, [("returned", proportion(returned, 1000), {})])
    assert frame["marked"].tolist() == [marked]


def test_periods_that_share_days_are_not_judged(tmp_path):
    words = {"period": "2026-07-31/2026-08-30", "about": "31 July to 30 August"}
    frame = compared(
        tmp_path, [("x", proportion(100, 1000), words)], [("x", proportion(900, 1000), {})]
    )
    assert frame["kind"].tolist() == ["moved"]
    assert frame["low"].isna().all()
    assert not frame["marked"].any()


def test_a_number_without_an_interval_is_not_judged(tmp_path):
    then = [("orders", 10, {"unit": "count", "period": JULY, "about": "July 2026"})]
    frame = compared(tmp_path, then, [("orders", 900, {"unit": "count"})])
    assert frame[["kind", "change"]].iloc[0].tolist() == ["moved", 890]
    assert frame["low"].isna().all()


@pytest.mark.parametrize(
    "words", [{"definition": "Otherwise."}, {"unit": "per_customer"}, {"currency": "EUR"}]
)
def test_what_is_defined_otherwise_is_not_compared(tmp_path, words):
    frame = compared(tmp_path, [("x", 0.3, {})], [("x", 0.2, words)])
    assert frame["kind"].tolist() == ["definition"]
    assert frame["change"].isna().all()


def test_results_that_came_and_went_are_listed(tmp_path):
    frame = compared(tmp_path, [("old", 0.3, {})], [("young", 0.2, {})])
    assert frame["kind"].to_dict() == {"young": "new", "old": "gone"}
    assert frame[["then", "now"]].isna().to_numpy().tolist() == [[True, False], [False, True]]


def test_older_files_that_lack_newer_fields_are_compared_by_what_they_are_about(tmp_path):
    newer = ("period", "population", "text", "method_version", "definition", "label", "key")
    then = [("a", 0.3, {}), ("b", 0.3, {}), ("c", 0.3, {"about": "July 2026", "period": JULY})]
    frame = compared(
        tmp_path, then, [("a", 0.3, {}), ("b", 0.2, {}), ("c", 0.2, {})], without=newer
    )
    assert frame["kind"].to_dict() == {"a": "same", "b": "restated", "c": "moved"}


def test_a_result_of_all_days_so_far_is_never_called_restated(tmp_path):
    everybody = {"about": "all customers", "period": ""}
    frame = compared(tmp_path, [("x", 0.3, everybody)], [("x", 0.31, everybody)])
    assert frame["kind"].tolist() == ["moved"]


def test_the_version_that_printed_is_told_and_changes_no_kind(tmp_path):
    found = printed(tmp_path, ledger_of(("x", 0.3, {})))
    old = found.results["x"].model_copy(update={"method_version": "0.0.1"})
    frame = previous.changes(
        ledger_of(("x", 0.3, {})), previous.Previous(as_of=found.as_of, results={"x": old})
    )
    assert frame[["kind", "version"]].iloc[0].tolist() == ["same", "0.0.1"]
    assert isinstance(frame["now"].dtype, pd.Float64Dtype)
