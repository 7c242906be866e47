from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import pytest

from retention_lab.checks import BadData, BadParameter
from retention_lab.reports import delivery, hooks, index, job, mail, pdf, run
from retention_lab.reports.publish import Locked
from retention_lab.reports.ran import RAN, Ran, every
from retention_lab.reports.run import Call
from retention_lab.reports.stopping import Ended
from retention_lab.reports.suite import Suite

NOW = dt.datetime(2026, 12, 4, 9, tzinfo=dt.UTC)
DAYS = [dt.date(2026, 11, 22), dt.date(2026, 11, 29)]


def days(**said):
    told = {"as_of": None, "since": None, "until": None, **said}
    return job.days(**told, period="week")


def test_days_are_one_or_every_period_end_between_two():
    assert days() == []
    assert days(as_of=DAYS[0]) == DAYS[:1]
    assert days(since=dt.date(2026, 11, 16), until=dt.date(2026, 11, 30)) == DAYS


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"since": DAYS[0]}, "belong together"),
        ({"until": DAYS[0]}, "belong together"),
        ({"as_of": DAYS[0], "since": DAYS[0], "until": DAYS[1]}, "use one of them"),
        ({"since": DAYS[1], "until": DAYS[0]}, "nothing to report"),
    ],
)
def test_days_that_do_not_fit_are_refused(said, words):
    with pytest.raises(BadParameter, match=words):
        days(**said)


@pytest.fixture
def suite(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    parts = [{"notebook": "n.ipynb", "title": "N"}]
    return Suite(name="weekly", title="W", source="s.yml", owner="O", notebooks=parts)


@pytest.fixture
def ran(monkeypatch):
    """Run nothing: give or raise what the list holds, and tell for which suite and day."""
    outcomes, asked, told = [], [], []

    def runs(suite, _, *, as_of):
        asked.append((suite.name, as_of))
        outcome = outcomes.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        words = {"folder": f"reports/{suite.name}/{as_of}", "pages": ("p.html",)}
        return run.told(suite, {"as_of": str(as_of)}, begun=0.0, status=outcome).model_copy(
            update=words
        )

    monkeypatch.setattr(run, "run", runs)
    for module, name in (
        (delivery, "publish"),
        (hooks, "call"),
        (mail, "tell"),
        (pdf, "print_pages"),
    ):
        monkeypatch.setattr(module, name, lambda *_, to=f"{name}", **__: told.append(to))
    monkeypatch.setattr(index, "write", lambda *_, **__: told.append("index") or Path("i.html"))
    return outcomes, asked, told


def do(suite, days=()):
    return job.do(suite, Call(out=Path("reports"), state=Path("state"), now=NOW), days=days)


def test_each_day_runs_oldest_first_though_one_is_refused_and_the_worst_code_counts(suite, ran):
    outcomes, asked, _ = ran
    outcomes += [BadData("No orders by then."), "published"]
    done = do(suite, DAYS)
    assert asked == [("weekly", day) for day in DAYS]
    assert [each.status for each in done.rans] == ["failed", "published"]
    assert (done.rans[0].as_of, done.rans[0].failures[0].sentence) == (
        "2026-11-22",
        "No orders by then.",
    )
    assert done.exit_code == 3


def test_suite_that_is_being_run_leaves_the_note_of_the_other_run(suite, ran):
    outcomes, _, _ = ran
    outcomes += ["published"]
    do(suite, DAYS[:1])
    outcomes += [Locked("It is being run already.")]
    done = do(suite, DAYS[:1])
    assert done.exit_code == 75
    [noted] = every(Path("reports"))
    assert noted.status == "published"
    # A failure is worse than a suite that somebody else is running.
    outcomes += [Locked("It is being run already."), BadParameter("No.")]
    assert do(suite, DAYS).exit_code == 2


def test_slip_of_the_caller_is_no_failure_of_the_suite(suite):
    call = Call(out=Path("reports"), state=Path("state"), now=NOW, only="99")
    with pytest.raises(BadParameter, match="no notebook '99'"):
        job.do(suite, call)
    assert not Path("reports").exists()


def test_run_that_is_stopped_stops_all(suite, ran):
    outcomes, asked, _ = ran
    outcomes += [Ended(15), "published"]
    with pytest.raises(Ended):
        do(suite, DAYS)
    assert len(asked) == 1


def test_matrix_runs_once_for_each_combination(suite, ran):
    outcomes, asked, _ = ran
    Path("n.ipynb").write_text(
        json.dumps(
            {
                "nbformat": 4,
                "nbformat_minor": 5,
                "metadata": {},
                "cells": [
                    {
                        "cell_type": "code",
                        "source": 'source: str = ""\nas_of: str = ""\nwhere: str = ""',
                        "metadata": {"tags": ["parameters"]},
                    }
                ],
            }
        ),
        encoding="utf-8",
    )
    outcomes += ["published", "published"]
    fields = suite.model_dump(exclude_none=True) | {
        "matrix": {"attributes": {"country": ["UK", "Germany"]}}
    }
    do(Suite.model_validate(fields | {"file": Path("suite.yml")}))
    assert asked == [("weekly-uk", None), ("weekly-germany", None)]
    assert [each.suite for each in every(Path("reports"))] == ["weekly-germany", "weekly-uk"]


def test_what_is_unchanged_is_not_delivered_again(suite, ran):
    outcomes, _, told = ran
    outcomes += ["unchanged"]
    assert do(suite.model_copy(update={"publish": "share", "on_success": ["tell"]})).exit_code == 0
    assert told == []


def test_delivery_follows_in_order_and_its_trouble_is_an_exit_code(suite, ran, monkeypatch):
    outcomes, _, told = ran
    outcomes += ["published"]
    told_to = {"publish": "share", "on_success": ["tell"], "pdf": True, "readers": ["a@b.org"]}
    loud = suite.model_copy(update=told_to)
    assert do(loud).exit_code == 0
    assert told == ["print_pages", "index", "publish", "call", "tell"]

    def full(*_, **__):
        raise delivery.Undelivered("The share is full.")

    monkeypatch.setattr(delivery, "publish", full)
    told.clear()
    outcomes += ["published"]
    done = do(loud)
    assert (done.exit_code, done.troubles) == (1, ("The share is full.",))
    assert told == ["print_pages", "index", "call", "tell"]
    # The next run finds nothing changed, and tries the delivery again.
    monkeypatch.setattr(delivery, "publish", lambda *_: told.append("publish"))
    for expected in (["print_pages", "index", "publish", "call", "tell"], []):
        told.clear()
        outcomes += ["unchanged"]
        assert do(loud).exit_code == 0
        assert told == expected


def test_command_is_called_for_what_it_is_for(suite, ran, monkeypatch):
    outcomes, _, _ = ran
    called = []
    monkeypatch.setattr(hooks, "call", lambda argv, **_: called.append(argv))
    outcomes += ["published", BadData("Late.")]
    do(suite.model_copy(update={"on_success": ["good"], "on_failure": ["bad"]}), DAYS)
    assert called == [["good"], ["bad"]]


def test_refusal_that_quotes_a_secret_is_noted_without_it(suite, ran, monkeypatch):
    outcomes, _, _ = ran
    monkeypatch.setenv("SHOP", "postgres://ann:s3cr3t@db/shop")
    Path("s.yml").write_text("connection: ${SHOP}\n", encoding="utf-8")
    outcomes += [BadData("postgres://ann:s3cr3t@db/shop does not answer.")]
    do(suite)
    note = Path("reports/weekly", RAN).read_text(encoding="utf-8")
    assert "s3cr3t" not in note
    assert Ran.model_validate_json(note).exit_code == 3
