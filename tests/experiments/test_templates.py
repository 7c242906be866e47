"""Plans to start from: each is whole, says its units, and runs on the demo from design to lists."""

from __future__ import annotations

import csv
import datetime as dt
import re
from pathlib import Path

import pytest
import yaml

from retention_lab import state as states
from retention_lab.experiments import enrolling, freezing, naming
from retention_lab.experiments.outcomes import KNOWN
from retention_lab.experiments.plan import load
from retention_lab.experiments.sizing import sized
from retention_lab.tables import snapshot
from retention_lab.tables.simulator import simulate

ROOT = Path(__file__).parents[2]
TEMPLATES = sorted((ROOT / "experiments/templates").glob("*.yml"))
AS_OF = dt.date(2026, 11, 29)
UNITS = {  # what the comment beside a number must say
    "entry_per_day": "customers",
    "contact_rate": "share",
    "baseline": "share",
    "dropout_per_day": "share",
    "smallest_effect": "point",
    "cost_per_message": "currency",
    "metric": "point|currency",
    "margin": "share|borne",
}
each_template = pytest.mark.parametrize("file", TEMPLATES, ids=lambda file: file.stem)


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """The demo: its source file over fewer days and customers, with the tables that tests read."""
    folder = tmp_path_factory.mktemp("demo")
    said = yaml.safe_load((ROOT / "data/sources/demo.yml").read_text(encoding="utf-8"))
    tables = ("customers", "orders", "events", "consents", "messages")
    said["tables"] = {name: said["tables"][name] for name in tables}
    (folder / "sources").mkdir()
    (folder / "sources/demo.yml").write_text(yaml.safe_dump(said), encoding="utf-8")
    simulate(folder / "demo", customers=5_000, until=AS_OF, days=90)
    return snapshot.take(folder / "sources/demo.yml", as_of=AS_OF)


@each_template
def test_a_plan_to_start_from_runs_from_design_to_lists_on_the_demo(demo, file, tmp_path):
    plan = load(file).model_copy(update={"starts": AS_OF, "ends": AS_OF + dt.timedelta(days=200)})
    assert sized(plan).needed.total > 0
    own = {"margin_per_customer"} & {guardrail.metric for guardrail in plan.guardrails}
    unknown = naming.unknown(plan, demo, metrics={})
    assert len(unknown) == len(own)
    state = states.opened(tmp_path / "state")
    freezing.freeze(plan, state=state, as_of=AS_OF)
    found = enrolling.enrol(demo, plan, state=state, as_of=AS_OF, out=tmp_path / "lists")
    assert min(found.arms.values()) > 0
    assert found.missed == 0
    senders = [arm for arm in plan.arms if arm.message]
    assert len(found.files) == len(senders) > 0
    for arm, listed in zip(senders, found.files, strict=True):
        with listed.open(encoding="utf-8", newline="") as opened:
            rows = [*csv.DictReader(opened)]
        assert len(rows) == found.arms[arm.name]
        assert {(row["message"], row["channel"]) for row in rows} == {
            (arm.message, arm.channel or plan.channel)
        }


@each_template
def test_a_plan_to_start_from_says_the_unit_of_each_number(file):
    said = set()
    for line in file.read_text(encoding="utf-8").splitlines():
        setting, _, comment = line.partition("#")
        for name in re.findall(r"[{,\s-]*\b([a-z_]+):", setting):
            if name in UNITS:
                said.add(name)
                assert re.search(UNITS[name], comment), line
    assert said >= {"smallest_effect", "entry_per_day", "contact_rate", "baseline", "metric"}


@each_template
def test_a_plan_to_start_from_measures_what_is_known_or_says_who_defines_it(file):
    plan, text = load(file), file.read_text(encoding="utf-8")
    for name in (*plan.secondaries, *(each.metric for each in plan.guardrails)):
        assert name in KNOWN or re.search(f"{name}.*# define it in data/metrics.yml", text), name


def test_the_two_arms_of_a_comparison_of_channels_have_one_each():
    [plan] = [load(file) for file in TEMPLATES if file.stem == "email_or_sms"]
    assert plan.channels == ("email", "sms")
    assert [str(load(file).milestone) for file in TEMPLATES if file.stem == "win_back"] == [
        "60 days of silence"
    ]
