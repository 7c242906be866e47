"""Saved cohorts: written whole, read strictly, made of a rule, a list or the result of a report."""

from __future__ import annotations

import json
import re
import stat
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from retention_lab.checks import BadData, BadParameter
from retention_lab.tables import population, saved, saving, snapshot

from .customers import AS_OF, people_shop
from .shops import frame


@pytest.fixture(scope="module")
def taken(tmp_path_factory):
    return snapshot.take(people_shop(tmp_path_factory.mktemp("people")))


@pytest.fixture(autouse=True)
def cohorts(tmp_path, monkeypatch):
    """A folder of cohorts for each test."""
    monkeypatch.setenv("RETENTION_LAB_COHORTS", str(tmp_path / "cohorts"))
    return tmp_path / "cohorts"


def test_rule_is_saved_and_read_again(taken, cohorts):
    words = {"about": "Who a promotion brought", "owner": "Ana"}
    made = saving.save("uk-mail_1", shop=taken, where=" country = 'UK'\n", **words)
    assert yaml.safe_load((cohorts / "uk-mail_1.yml").read_text()) == {
        "name": "uk-mail_1",
        **words,
        "where": " country = 'UK'\n",
        "source": "Shop",
        "saved_as_of": AS_OF,
        "customers": 20,
    }
    assert saved.load("uk-mail_1") == made
    assert saved.names() == ["uk-mail_1"]
    assert [file.name for file in cohorts.iterdir()] == ["uk-mail_1.yml"]


def test_example_of_the_guide_is_a_cohort():
    guide = (Path(__file__).parents[2] / "data" / "README.md").read_text(encoding="utf-8")
    section = guide.split("\n## Populations\n")[1].split("\n## ")[0]
    fields = yaml.safe_load(section.split("```yaml\n")[1].split("```")[0])
    example = saved.Cohort.model_validate(fields)
    names = {name for line in section.splitlines() for name in re.findall("`([a-z_]+)`", line)}
    assert {*saved.Cohort.model_fields} - {"file"} <= names
    assert {*population.FACTS} <= names
    assert population.spelled_out(example.where).startswith("country = 'UK' AND first_ordered_on")


def test_list_is_saved_for_its_owner_alone_and_read_again(taken, cohorts):
    made = saving.save("vip", shop=taken, ids=pd.Series(["c05", "c01", "c05"]))
    assert (made.customers, made.ids, made.where) == (2, "vip.parquet", None)
    assert saved.load("vip") == made
    assert saved.ids_of(made)["customer_id"].to_pylist() == ["c01", "c05"]
    mode = (cohorts / "vip.parquet").stat().st_mode
    assert stat.S_IMODE(mode) == 0o600
    assert (cohorts / ".gitignore").read_text() == "*.parquet\n"
    again = saving.save("also-vip", shop=taken, ids=["c01", "c05"])
    assert again.ids_hash == made.ids_hash


def test_filter_of_the_snapshot_becomes_part_of_the_rule(taken):
    british = snapshot.only(taken, "country = 'UK'")
    made = saving.save("uk", shop=british, where="channel = 'mail' or order_days > 1")
    assert made.where == "(country = 'UK') and (channel = 'mail' or order_days > 1)"
    assert made.customers == population.count(population.chosen(taken, made.where))
    assert saving.save("uk-all", shop=british).where == "country = 'UK'"


def test_numbers_are_ids_as_snapshots_spell_them():
    ids = [13085, 13085.0, np.float64(13085), np.int64(13085), " 13085 ", "13085"]
    assert {saving._text(each) for each in ids} == {"13085"}


def test_name_that_is_taken_is_refused_unless_it_is_to_be_replaced(taken, cohorts):
    saving.save("uk", shop=taken, ids=["c01"])
    before = (cohorts / "uk.yml").read_bytes()
    with pytest.raises(BadParameter, match=r"There is a cohort 'uk' already: .*replace=True"):
        saving.save("uk", shop=taken, where="country = 'UK'")
    assert (cohorts / "uk.yml").read_bytes() == before
    saving.save("uk", shop=taken, where="country = 'UK'", replace=True)
    assert saved.load("uk").where == "country = 'UK'"
    assert not (cohorts / "uk.parquet").exists()


@pytest.mark.parametrize("name", ["UK", "", "../uk", "uk august", "-uk", "u" * 61, "uk.yml"])
def test_name_that_is_no_plain_word_is_refused(taken, name):
    with pytest.raises(BadParameter, match="of small letters, digits, hyphens and underscores"):
        saving.save(name, shop=taken, where="country = 'UK'")


@pytest.mark.parametrize(
    ("what", "kind", "words"),
    [
        ({"where": "country = 'XX'"}, BadData, "No customer of Shop fits"),
        ({}, BadParameter, "needs either a condition or ids"),
        ({"where": "country = 'UK'", "ids": ["c01"]}, BadParameter, "either a condition or ids"),
        ({"ids": []}, BadData, "no ids were given"),
        (
            {"ids": ["c01", "d4", "d1", "d2", "d3", None]},
            BadData,
            r"5 of the 6 ids .* of Shop as of 2025-06-30, for example 'None', 'd1', 'd2'\.",
        ),
        (
            {"where": "cohort('new') and country = 'UK'"},
            BadParameter,
            "'new' uses itself: new uses",
        ),
    ],
)
def test_what_makes_no_cohort_is_refused_and_leaves_no_file(taken, cohorts, what, kind, words):
    with pytest.raises(kind, match=words):
        saving.save("new", shop=taken, **what)
    assert not list(cohorts.glob("*"))


def test_circle_of_rules_is_refused(taken, cohorts):
    saving.save("a", shop=taken, where="country = 'UK'")
    saving.save("b", shop=taken, where="cohort('a')")
    with pytest.raises(BadParameter, match="The cohort 'a' uses itself: a uses b"):
        saving.save("a", shop=taken, where="not cohort('b')", replace=True)
    text = (cohorts / "a.yml").read_text().replace("country = 'UK'", "cohort('b')")
    (cohorts / "a.yml").write_text(text)  # by hand
    for ask in (population.looks_ahead, population.spelled_out):
        with pytest.raises(BadParameter, match="The cohort 'b' uses itself: b uses a"):
            ask("cohort('b')")


def test_list_that_was_changed_or_lost_is_refused(taken, cohorts):
    made = saving.save("vip", shop=taken, ids=["c05", "c01"])
    pd.DataFrame({"customer_id": ["c05", "c02"]}).to_parquet(cohorts / "vip.parquet")
    with pytest.raises(BadData, match=r"vip.parquet is not the list that .*vip.yml was saved with"):
        population.chosen(taken, "cohort('vip')")
    pd.DataFrame({"customer": ["c05", "c02"]}).to_parquet(cohorts / "vip.parquet")
    with pytest.raises(BadData, match="cannot be read"):
        saved.ids_of(made)
    (cohorts / "vip.parquet").unlink()
    with pytest.raises(BadData, match=r"cannot be read\. Bring that file back"):
        saved.ids_of(made)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"name": "uk2"}, "must say `name: uk`, got 'uk2'"),
        ({"where": None}, "give either `where`, or `ids` with `ids_hash`"),
        ({"ids": "uk.parquet", "ids_hash": "0"}, "give either `where`, or `ids`"),
        ({"where": None, "ids": "uk.parquet"}, "give either `where`, or `ids` with `ids_hash`"),
        ({"where": None, "ids": "../x.parquet", "ids_hash": "0"}, "`ids` must be uk.parquet"),
        ({"ownr": "Ana"}, "ownr is not a setting. Did you mean 'owner'"),
        ({"customers": 0}, "customers: Input should be greater than or equal to 1"),
    ],
)
def test_file_that_does_not_fit_is_refused(taken, cohorts, change, words):
    saving.save("uk", shop=taken, where="country = 'UK'")
    fields = yaml.safe_load((cohorts / "uk.yml").read_text()) | change
    (cohorts / "uk.yml").write_text(yaml.safe_dump(fields))
    with pytest.raises(BadParameter, match=words):
        saved.load("uk")


def test_cohorts_are_looked_for_here_and_above(tmp_path, monkeypatch, taken):
    monkeypatch.delenv("RETENTION_LAB_COHORTS")
    (tmp_path / "notebooks").mkdir()
    monkeypatch.chdir(tmp_path / "notebooks")
    with pytest.raises(BadParameter, match=r"no cohort 'uk' in .*data/cohorts. It has: none"):
        saved.load("uk")
    (tmp_path / "data" / "cohorts").mkdir(parents=True)
    saving.save("uk", shop=taken, where="country = 'UK'")
    assert (tmp_path / "data" / "cohorts" / "uk.yml").exists()
    assert saved.names() == ["uk"]


def test_failure_midway_leaves_what_was_there(taken, cohorts, monkeypatch):
    saving.save("uk", shop=taken, where="country = 'UK'")

    def fail(*_args, **_kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(saving.pq, "write_table", fail)
    with pytest.raises(BadParameter, match=r"\(No space left on device\).* RETENTION_LAB_COHORTS"):
        saving.save("uk", shop=taken, ids=["c01"], replace=True)
    assert saved.load("uk").where == "country = 'UK'"
    assert sorted(file.name for file in cohorts.iterdir()) == [".gitignore", "uk.yml"]


def report(folder, **notebooks):
    """Write the results of a report: by notebook, each result's name and population."""
    pages = {
        name: {"title": name, "results": [{"name": n, "population": p} for n, p in results.items()]}
        for name, results in notebooks.items()
    }
    told = {"suite": "weekly", "as_of": "2025-06-30", "source": {}, "notebooks": pages}
    folder.mkdir(exist_ok=True)
    (folder / "results.json").write_text(json.dumps(told))
    return folder


FEBRUARY = "first_ordered_on between date '2025-02-01' and date '2025-02-28'"


def test_cohort_is_made_of_what_a_report_says(tmp_path, taken):
    folder = report(tmp_path / "r", overview={"returned": FEBRUARY, "revenue": ""}, other={})
    assert saving.from_report(folder) == FEBRUARY
    assert saving.from_report(folder / "results.json", notebook="overview") == FEBRUARY
    made = saving.save("february", shop=taken, where=saving.from_report(folder))
    bought = frame(taken.orders).groupby("customer_id")["ordered_on"].min()
    assert made.customers == (bought <= pd.Timestamp("2025-02-28")).sum() > 10


@pytest.mark.parametrize(
    ("kwargs", "words"),
    [
        ({"result": "retruned"}, "no result 'retruned'. Did you mean 'returned'"),
        (
            {"result": "revenue"},
            "'revenue' in .* is about no customers .* These are: returned, ret",
        ),
        ({"notebook": "overveiw"}, "no notebook 'overveiw'. Did you mean 'overview'"),
        (
            {"result": "returned"},
            "the result 'returned' of several notebooks: overview, other. Name",
        ),
    ],
)
def test_result_that_chooses_nobody_is_refused(tmp_path, kwargs, words):
    other = {"returned": "country = 'UK'"}
    folder = report(tmp_path / "r", overview={"returned": FEBRUARY, "revenue": ""}, other=other)
    with pytest.raises(BadParameter, match=words):
        saving.from_report(folder, **kwargs)


def test_report_that_is_not_there_or_is_none_is_refused(tmp_path):
    with pytest.raises(BadParameter, match="Name the folder of a report, such as reports/weekly/l"):
        saving.from_report(tmp_path / "nowhere")
    with pytest.raises(BadParameter, match="such as reports/weekly/latest"):
        saving.from_report(tmp_path)
    for text in ("[]", "{}", "not json", '{"notebooks": 3}', '{"notebooks": {"a": 3}}'):
        (tmp_path / "results.json").write_text(text)
        with pytest.raises(BadParameter, match="does not hold the results of a report"):
            saving.from_report(tmp_path)
