"""The daily run of a test from the command line: lists to send, and sentences without a few."""

from __future__ import annotations

import csv
import datetime as dt
from pathlib import Path

import pytest

from retention_lab import cli
from retention_lab import state as states
from retention_lab.experiments import assignments, freezing
from retention_lab.experiments import plan as plans

SHOP = """
name: Corner shop
time_zone: Europe/London
currency: GBP
complete_to: 2026-03-02
tables:
  orders:
    rows: orders.csv
    columns: {order_id: id, customer_id: who, ordered_at: at, amount: paid}
  events:
    rows: events.csv
    columns: {customer_id: who, event: event, occurred_at: at}
  consents:
    rows: consents.csv
    columns: {customer_id: who, channel: channel, valid_from: at, granted: granted}
"""
PLAN = """
name: check_in
title: Check-in
owner: Customer Success
hypothesis: A check-in keeps more.
milestone: onboarded
channel: email
arms:
  - {name: control, share: 0.5}
  - {name: hello, share: 0.5, message: hello_v1}
blocks: 2
starts: 2026-02-20
ends: 2026-03-31
endpoint: {kind: returned, day: 30}
primary: {smallest_effect: 0.03}
assumptions: {entry_per_day: 30}
"""
FILE = Path("lists/check_in-2026-03-02-hello.csv")


def rows(*, customers):
    """Half reached the milestone in time; seven of the others never, and four have no consent."""
    orders, events, consents = ["id,who,at,paid"], ["who,event,at"], ["who,channel,at,granted"]
    for who in range(customers):
        orders.append(f"{who},c{who},2026-03-02 12:00:00,5.00")
        day = "2026-03-02" if who < customers // 2 else "2026-02-25"
        events.append(f"c{who},onboarded,{day} 10:00:00")
        consents.append(f"c{who},email,2026-01-01 10:00:00,{who >= 4}")
    return {"orders": orders, "events": events, "consents": consents}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Make a shop of 80 customers, and a plan that is frozen in one of two states."""
    folder = tmp_path_factory.mktemp("project")
    for name, text in (("shop.yml", SHOP), ("plan.yml", PLAN)):
        (folder / name).write_text(text, encoding="utf-8")
    for name, lines in rows(customers=80).items():
        (folder / f"{name}.csv").write_text("\n".join(lines), encoding="utf-8")
    state = states.opened(folder / "state")
    freezing.freeze(plans.load(folder / "plan.yml"), state=state, as_of=dt.date(2026, 2, 1))
    return folder


@pytest.fixture
def assign(made, monkeypatch, capsys):
    """Run the command in the shop; return its exit code and what it wrote to both streams."""
    monkeypatch.chdir(made)

    def run(*arguments, plan="plan.yml"):
        code = cli.main(["assign", plan, "shop.yml", *arguments])
        out, err = capsys.readouterr()
        return code, out.splitlines(), err.splitlines()

    return run


def test_lists_are_named_and_counted_and_the_same_day_again_is_the_same(assign):
    code, out, err = assign()
    assert (code, out) == (0, [str(FILE)])
    assert err == [
        "check_in as of 2026-03-02, by email; new at the milestone: 18 assigned to control; 18 "
        "assigned to hello; <10 no consent to the channel.",
        "Assigned so far: 18 control; 18 hello.",
        "About 50 in 100 of those who reached the milestone on the days so far were looked at in "
        "time. 40 were missed and are left out: run the job every day, and look whether events "
        "arrive late.",
    ]
    with FILE.open(encoding="utf-8") as opened:
        assert len([*csv.DictReader(opened)]) == 18
    before = FILE.read_bytes()
    assert assign("--as-of=2026-03-02") == (code, out, err)
    assert FILE.read_bytes() == before


def test_forgotten_customer_leaves_the_assignments_and_the_next_list(assign, made, capsys):
    assign()
    who = FILE.read_text(encoding="utf-8").splitlines()[1].split(",")[0].strip('"')
    assert cli.main(["forget", who, "--source=shop.yml"]) == 0
    assert "assignments" in capsys.readouterr().out
    code, _out, err = assign()
    assert code == 0
    assert err[1] == "Assigned so far: 18 control; 17 hello."
    assert who not in FILE.read_text(encoding="utf-8")
    assert f'"{who}"' not in (made / "state/ledgers/assignments.jsonl").read_text(encoding="utf-8")


def test_few_are_not_counted_and_no_later_size_tells_them(assign, made):
    state = states.opened(made / "state-few")
    freezing.freeze(plans.load("plan.yml"), state=state, as_of=dt.date(2026, 2, 1))
    code, _out, err = assign("--state=state-few", "--holdout-share=0.7")
    assert code == 0
    assert "<10 assigned to hello" in err[0]
    assert not any("so far:" in line for line in err)


def test_sizes_do_not_tell_the_few_of_a_day_between(assign, made):
    state = states.opened(made / "state-between")
    freezing.freeze(plans.load("plan.yml"), state=state, as_of=dt.date(2026, 2, 1))
    told = {"seen": {}, "new": 0, "holdout_share": 0.0, "arms": {"control": 12, "hello": 3}}
    day = {"source": "Corner shop", "experiment": "check_in", "as_of": "2026-03-01"}
    assignments.runs(state).append([{**day, "snapshot": "that day's", **told}])
    code, _out, err = assign("--state=state-between")
    assert code == 0
    assert "18 assigned to hello" in err[0]
    assert not any("so far:" in line for line in err)


def test_plan_that_is_not_frozen_is_refused_in_a_sentence(assign):
    code, out, err = assign("--state=state-none")
    assert (code, out) == (2, [])
    assert err[0].startswith("The plan check_in is not frozen in state-none")
    assert err[0].endswith(
        "if it was, bring the state back from a backup (`retention-lab restore`)."
    )
