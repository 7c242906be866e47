from __future__ import annotations

import json
import shlex

import pytest
from tests.reports.hostile import STRINGS

from retention_lab.reports import digest
from retention_lab.reports.ran import Failure, Ran


def ran(suite="weekly", *, as_of="2026-11-29", because=(), warnings=(), title="", **changes):
    told = {
        "suite": suite,
        "title": title or suite.title(),
        "owner": "Lifecycle team",
        "as_of": as_of,
        "status": "failed" if because else "published with warnings" if warnings else "published",
        "exit_code": 1 if because else 0,
        "folder": "" if because else f"reports/{suite}/{as_of}",
        "pages": () if because else ("10_overview.html", "20_churn.html"),
        "warnings": warnings,
        "failures": [Failure(sentence=sentence, exit_code=1) for sentence in because],
        "started": "2026-11-30T06:00:00+00:00",
        "finished": "2026-11-30T06:01:12+00:00",
        "seconds": 72.04,
    }
    return Ran.model_validate(told | changes)


def test_digest_has_one_line_a_suite_in_the_order_given():
    found = digest.lines([ran("weekly"), ran("monthly", status="unchanged", pages=())])
    assert found == [
        "Weekly, Sunday 29 November 2026: published, 2 pages.",
        "Monthly, Sunday 29 November 2026: unchanged.",
    ]


def test_cause_of_twelve_in_fourteen_is_said_once():
    because = ["10_overview.ipynb, cell 3 ('x = 1') failed with KeyError: 'market'."]
    rans = [ran(f"weekly-{place}", because=because if place < 12 else ()) for place in range(14)]
    found = digest.lines(rans)
    assert found[0] == f"12 of 14 reports failed for one reason: {because[0]}"
    assert len(found) == 1 + 14
    assert sum(because[0] in line for line in found) == 1
    assert found[1] == "Weekly-0, Sunday 29 November 2026: failed: see above."
    assert found[-1] == "Weekly-13, Sunday 29 November 2026: published, 2 pages."


def test_causes_are_one_but_for_the_suite_and_its_dates():
    rans = [
        ran(suite, as_of=as_of, because=[f"The orders of {suite} end before {as_of}."])
        for suite, as_of in (("uk", "2026-11-22"), ("germany", "2026-11-29"))
    ]
    assert digest.lines(rans)[0] == (
        "All 2 reports failed for one reason: The orders of uk end before 2026-11-22."
    )


def test_days_of_a_backfill_share_a_line_that_names_the_bad_ones():
    rans = [ran(as_of=f"2026-11-{day:02}") for day in (1, 8, 15, 22)]
    rans[1] = ran(as_of="2026-11-08", because=["The orders are missing."])
    rans[3] = ran(as_of="2026-11-22", warnings=["The tickets are late."])
    assert digest.lines(rans) == [
        "Weekly, 4 reports, 2026-11-01 to 2026-11-22: 2 published, 1 published with warnings, "
        "1 failed. 2026-11-08: failed: The orders are missing. "
        "2026-11-22: published with warnings, 2 pages: The tickets are late."
    ]


def test_warning_of_many_is_folded_too():
    rans = [ran(suite, warnings=["The tickets are late."]) for suite in ("uk", "germany")]
    found = digest.lines(rans)
    assert found[0] == "All 2 reports came with a warning for one reason: The tickets are late."
    assert found[1].endswith("published with warnings, 2 pages: see above.")


def test_run_that_never_knew_its_day_has_none_in_its_line():
    assert digest.lines([ran(as_of="", because=["There is no such file."])]) == [
        "Weekly: failed: There is no such file."
    ]


def test_made_up_customers_are_called_so():
    assert digest.lines([ran(simulated=True)])[0].startswith("Made-up customers · Weekly,")


@pytest.mark.parametrize("typed", STRINGS)
def test_nothing_typed_breaks_a_line_or_a_field(typed):
    hostile = ran(title=typed, because=[typed])
    assert all(line.isprintable() for line in digest.lines([hostile, hostile]))
    logged = digest.logged(hostile)
    assert len(logged.splitlines()) == 1
    assert logged.isascii()
    assert json.loads(logged.partition("cause=")[2]) == typed


def test_log_line_is_read_back_by_any_reader_of_shell_words():
    found = dict(word.split("=", 1) for word in shlex.split(digest.logged(ran())))
    assert found == {
        "suite": "weekly",
        "as_of": "2026-11-29",
        "status": "published",
        "exit_code": "0",
        "pages": "2",
        "warnings": "0",
        "failures": "0",
        "seconds": "72.0",
        "folder": "reports/weekly/2026-11-29",
        "kept": "",
        "cause": "",
    }
