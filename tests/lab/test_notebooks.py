"""Claim: whatever a notebook of ours computes, draws or says can be asked of the lab as well."""

from __future__ import annotations

import ast
import functools
import importlib
import operator
import sys
import tempfile
from pathlib import Path

import nbformat
import pytest

from retention_lab.charts import readout as charts
from retention_lab.wording import readout as said

from . import shops

NOTEBOOKS = sorted(Path(__file__).parents[2].joinpath("notebooks").glob("*.ipynb"))

PLAN = Path(__file__).parents[2] / "data" / "demo_plan.yml"
READ = Path(__file__).parents[2] / "experiments" / "demo_check_in" / "plan.yml"

# The question that does what a function does, for every function that a notebook calls.
ASKED_AS = {
    "overview": [
        "record.why.returned",
        "wording.overview_happened",
        "wording.why_answer",
        "customers.newest.next_complete",
        "record.comeback.newest",
        "wording.completeness",
        "wording.definitions",
        "wording.overview_action",
        "wording.overview_body",
        "wording.overview_headline",
    ],
    "returned": [
        "charts.returned_by_month",
        "customers.cohorts.returned",
        "customers.newest.newest_complete",
        "customers.newest.well_followed",
        "wording.records_begin",
        "wording.returned_curve",
    ],
    "explain": ["charts.why_steps", "wording.why_cautions", "wording.why_parts"],
    "explain.kinds": ["charts.why_groups", "wording.why_dimensions"],
    "changed": [
        "record.previous.changes",
        "record.previous.read",
        "wording.changed_table",
        "wording.what_changed",
        "wording.why_restated",
    ],
    "metrics": [
        "record.metrics.metrics",
        "tables.metrics.load",
        "wording.own_metrics",
        "wording.own_metrics_read",
    ],
    "annotated": ["tables.annotations.load"],
    "kpis": [
        "record.periods.periods",
        "wording.beside",
        "wording.lately",
        "wording.retention_rate",
    ],
    "repeat_rate": [
        "customers.kpis.repeat_purchase_rate",
        "record.comeback.repeat",
        "wording.repeat_rate",
    ],
    "revenue": ["charts.monthly_revenue", "customers.revenue.monthly_revenue"],
    "repurchase": [
        "charts.repurchase_curve",
        "customers.repurchase.first_repeat_grid",
        "record.comeback.repurchase",
        "survival.daygrid.kaplan_meier",
        "wording.repurchase",
    ],
    "activity": ["charts.activity_tiers", "record.periods.activity", "wording.activity"],
    "triangle": [
        "charts.triangle",
        "customers.cohorts.calendar_triangle",
        "customers.cohorts.weighted_mean",
        "wording.triangle",
    ],
    "triangle, own clock": ["customers.cohorts.own_clock_triangle"],
    "churn": [
        "charts.forecasts.allocation",
        "charts.forecasts.calibration",
        "charts.forecasts.lost_after",
        "charts.forecasts.past_forecasts",
        "charts.forecasts.ratios",
        "charts.forecasts.repeat_purchases",
        "charts.forecasts.side_by_side",
        "charts.staying.by_milestone",
        "charts.staying.causes",
        "charts.staying.joined",
        "charts.worth.contracts",
        "churn.evidence.gather",
        "churn.outlook.outlook",
        "record.churn.evidence",
        "record.churn.happens",
        "record.churn.outlook",
        "tables.playbook.load",
        "wording.churn.churn_action",
        "wording.churn.churn_body",
        "wording.churn.churn_calibration",
        "wording.churn.churn_curves",
        "wording.churn.churn_headline",
        "wording.churn.churn_immortal",
        "wording.churn.churn_left_out",
        "wording.churn.churn_list",
        "wording.churn.churn_lost",
        "wording.churn.churn_proportional",
        "wording.churn.churn_ratios",
        "wording.churn.churn_repeat",
        "wording.worth.worth_contracts",
    ],
    "rfm": [
        "charts.acquisition.acquired",
        "charts.campaigns.bands",
        "charts.listed",
        "charts.loyalty.loyalty",
        "charts.revenue.revenue_triangle",
        "charts.rising.observed_expected",
        "charts.segments.activity",
        "charts.segments.cohorts",
        "charts.segments.flows",
        "charts.segments.moves",
        "charts.segments.named",
        "customers.portrait.portrait",
        "record.portrait.record",
        "wording.portrait.acquired",
        "wording.portrait.campaigns_rates",
        "wording.portrait.first_repeat",
        "wording.portrait.loyalty_tiers",
        "wording.portrait.revenue_triangle",
        "wording.portrait.rising_alerts",
        "wording.portrait.segments_action",
        "wording.portrait.portrait_body",
        "wording.portrait.segments_headline",
        "wording.portrait.segments_lines",
        "wording.portrait.segments_lines_read",
        "wording.portrait.segments_moved",
        "wording.portrait.segments_review",
    ],
    "value": [
        "charts.worth.by_cohort",
        "charts.worth.tracking",
        "wording.portrait.worth_once",
        "wording.portrait.worth_total",
        "wording.portrait.worth_tracking",
    ],
    "design": [
        "charts.proposal.allocations",
        "charts.proposal.arrivals",
        "charts.proposal.baseline",
        "charts.proposal.calendar",
        "charts.proposal.effects",
        "charts.proposal.families",
        "charts.proposal.looks",
        "charts.proposal.margins",
        "charts.proposal.wrong",
        "experiments.plan.load",
        "experiments.proposal.proposal",
        "record.design.record",
        "wording.proposal.believed_differs",
        "wording.proposal.believed_table",
        "wording.proposal.believed_weakest",
        "wording.proposal.design_body",
        "wording.proposal.design_costs",
        "wording.proposal.design_decide",
        "wording.proposal.design_headline",
        "wording.proposal.design_plan",
        "wording.proposal.design_plan_lines",
        "wording.proposal.design_simulated",
        "wording.proposal.design_unknown",
        "wording.proposal.guarding_sentence",
        "wording.proposal.guarding_table",
        "wording.proposal.history_arrivals",
        "wording.proposal.history_baseline",
        "wording.proposal.history_delivered",
        "wording.proposal.tradeoffs_allocation",
        "wording.proposal.tradeoffs_calendar",
        "wording.proposal.tradeoffs_effects",
        "wording.proposal.tradeoffs_looks",
    ],
    "readout": [
        *(f"charts.readout.{name}" for name in charts.__all__),
        "charts.campaign_test.lifts",
        "experiments.readout.readout",
        "experiments.stepwise.stepwise",
        "record.campaign_test.record",
        "record.readout.record",
        "state.found",
        "state.opened",
        "wording.campaign_test.campaign_best",
        "wording.campaign_test.campaign_steps",
        "wording.campaign_test.campaign_table",
        *(f"wording.readout.{name}" for name in said.__all__),
    ],
    "check": ["charts.left_out", "wording.left_out", "wording.waterfall"],
}
# Taking the snapshot is what `open` does; Python checks arguments by itself; ledgers are written
# inside each answer; control totals are compared where the shop states some, and printed figures
# where the report's snapshot is kept.
OF_THE_DOOR = {
    "record.Ledger",
    "record.why.as_printed",
    "tables.snapshot.take",
    "typed.check",
    "wording.controls",
}


def called(notebook):
    """Name the functions of ours that a notebook calls, by the place that it imports them from."""
    cells = nbformat.read(notebook, as_version=4).cells
    tree = ast.parse("\n".join(cell.source for cell in cells if cell.cell_type == "code"))
    imported = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("retention_lab"):
            room = node.module.removeprefix("retention_lab").removeprefix(".")
            for each in node.names:
                imported[each.asname or each.name] = ".".join(filter(None, (room, each.name)))
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Name(id=module), attr=name)):
                if module in imported:
                    yield f"{imported[module]}.{name}"
            case ast.Call(func=ast.Name(id=name)) if name in imported:
                yield imported[name]


def function(name):
    """Return the function of that name."""
    module, _, attribute = f"retention_lab.{name}".rpartition(".")
    return getattr(importlib.import_module(module), attribute)


FILES = {
    "metrics.yml": "metrics: []\n",
    "notes.yml": "annotations: []\n",
    "results.json": '{"as_of": "2025-06-30", "notebooks": {"10_retention_overview": {}}}',
}


def parts(answer):
    """Ask for all parts of an answer, as its page shows them."""
    names = [name for name, part in vars(type(answer)).items() if type(part) is property]
    return [getattr(answer, name) for name in names]


def portrait(lab):
    """Ask for all parts, and for each attribute by which customers are told apart."""
    answer = lab.rfm()
    return parts(answer), [answer.acquired_by(one.by) for one in answer.seen.acquired]


def read(answer):
    """Ask for all parts of a read-out, the steps of a campaign and the draft among them."""
    return parts(answer), answer.steps()


@functools.cache
def run_by(question):
    """Return the code that runs while a question is answered."""
    ran = set()
    with tempfile.TemporaryDirectory() as folder:
        place = {name: Path(folder, name) for name in FILES}
        for name, text in FILES.items():
            place[name].write_text(text, encoding="utf-8")
        ask = {
            "triangle, own clock": lambda lab: lab.triangle(clock="own"),
            "explain": lambda lab: lab.explain("returned_30", "2025-06", by="country"),
            "explain.kinds": lambda lab: lab.explain("returned_30", "2025-06", by="country").kinds,
            "changed": lambda lab: lab.changed(place["results.json"]),
            "metrics": lambda lab: lab.metrics(place["metrics.yml"]),
            "annotated": lambda lab: lab.annotated(place["notes.yml"]).annotations,
            "churn": lambda lab: parts(lab.churn()),
            "rfm": portrait,
            "value": lambda lab: parts(lab.value()),
            "design": lambda lab: parts(lab.design(PLAN, times=50)),
            "readout": lambda lab: read(lab.readout(READ, ledgers=Path(folder, "state"))),
        }.get(question, operator.methodcaller(question.partition(",")[0]))
        lab = shops.lab()
        sys.setprofile(lambda frame, *_: ran.add(frame.f_code))
        try:
            ask(lab)
        finally:
            sys.setprofile(None)
    return ran


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_every_function_that_a_notebook_calls_has_a_question(notebook):
    known = {name for names in ASKED_AS.values() for name in names} | OF_THE_DOOR
    assert sorted(set(called(notebook)) - known) == []


@pytest.mark.parametrize(
    ("question", "name"),
    [(question, name) for question, names in ASKED_AS.items() for name in names],
)
def test_question_calls_the_function_that_a_notebook_calls(question, name):
    assert function(name).__code__ in run_by(question)
