"""Curves, tests, restricted means and cumulative incidence against worked examples."""

from __future__ import annotations

import pandas as pd
import pytest
from lifelines import datasets

from retention_lab.survival.contrasts import difference, fixed_day_test, ratio
from retention_lab.survival.daygrid import kaplan_meier, median_time, survival_at
from retention_lab.survival.incidence import cumulative_incidence, incidence_at
from retention_lab.survival.logrank import logrank
from retention_lab.survival.pseudo import pseudo_values
from retention_lab.survival.retention import restricted_loss, restricted_mean, retained
from retention_lab.survival.tally import from_rows

from .cases import ABSENT, close, dataset, load

CASES = load("survival_two_sample.json")

# Gray's test is not offered yet; the other keys of its cases are answered.
NOT_OFFERED = {"gray_chi2_cause1", "gray_p_cause1", "gray_chi2_cause2", "gray_p_cause2"}

COLUMNS = {
    "lung": ("time", "status"),
    "waltons": ("T", "E"),
    "rossi": ("week", "arrest"),
    "leukemia": ("t", "status"),
}

ANSWERS = {}


def answers(*case_ids):
    """Register the function that answers some cases."""

    def register(function):
        ANSWERS.update(dict.fromkeys(case_ids, function))
        return function

    return register


def rows_of(case):
    """Rows of a case with the columns that `from_rows` takes."""
    data = case["data"]
    if "dataset" not in data:
        return pd.DataFrame(data).rename(columns={"time": "durations", "event": "event_observed"})
    if data["dataset"] == "telco_churn":
        rows = pd.read_csv(dataset("telco_churn", "Telco-Customer-Churn.csv"))
        return rows.assign(durations=rows["tenure"], event_observed=rows["Churn"] == "Yes")
    time, event = COLUMNS[data["dataset"]]
    rows = getattr(datasets, f"load_{data['dataset']}")()
    return rows.rename(columns={time: "durations", event: "event_observed"})


def grids_of(case):
    """One grid per group, by the name of the group."""
    by = case["inputs"]["group"].split()[0]
    return dict(list(from_rows(rows_of(case), by=[by]).groupby(by)))


def compared(case, rows, **options):
    """The log-rank test of the groups of a case."""
    by, inputs = case["inputs"]["group"], case["inputs"]
    power = {"rho": inputs.get("rho", 0), "gamma": inputs.get("gamma", 0)}
    return logrank(from_rows(rows, by=[by, *options.values()]), by=by, **power, **options)


def counted(case):
    """The rows of a case as counts: one row per time, event and group, with its weight."""
    keys = ["durations", "event_observed", case["inputs"]["group"]]
    return rows_of(case).groupby(keys).size().rename("weights").reset_index()


def bounds(estimate):
    return [estimate.low, estimate.high]


@answers("km-lung-01", "km-rossi-01")
def _(case):
    inputs = case["inputs"]
    grid = from_rows(rows_of(case))
    curve = kaplan_meier(grid, alpha=inputs["alpha"], scale=inputs["ci"])
    read = survival_at(curve, inputs["times"])
    found = {"survival": read["survival"].tolist(), "median": median_time(curve).days}
    found |= {f"ci_{row.day}": bounds(row) for row in read.itertuples()}
    if "from" in inputs:
        since = retained(grid, day=inputs["to"], since=inputs["from"])
        found["conditional_survival"] = since.value
    return found


@answers("km-lung-02")
def _(case):
    found = {}
    for name, grid in grids_of(case).items():
        curve = kaplan_meier(grid, alpha=case["inputs"]["alpha"], scale=case["inputs"]["ci"])
        median = median_time(curve)
        found |= {f"median_sex{name}": median.days, f"ci_sex{name}": bounds(median)}
    return found


@answers("km-lung-03")
def _(case):
    grid, inputs = from_rows(rows_of(case)), case["inputs"]
    return {"conditional_survival": retained(grid, day=inputs["to"], since=inputs["from"]).value}


@answers("km-waltons-01")
def _(case):
    curve = kaplan_meier(from_rows(rows_of(case)))
    return {"n": curve["at_risk"].iloc[0], "median": median_time(curve).days}


@answers("km-tiny-01", "km-telco-01")
def _(case):
    curve = kaplan_meier(from_rows(rows_of(case)))
    read = survival_at(curve, case["inputs"]["times"])
    return {
        "n": curve["at_risk"].iloc[0],
        "events": curve["events"].sum(),
        "survival": read["survival"].tolist(),
        "at_risk": read["at_risk"].tolist(),
        "greenwood_se": read["std_error"].tolist(),
    }


@answers("km-late-01")
def _(case):
    rows = rows_of(case)
    curve = kaplan_meier(from_rows(rows.assign(entry=rows["durations"] // 2)))
    return {"survival": survival_at(curve, case["inputs"]["times"])["survival"].tolist()}


@answers("lr-lung-01", "lr-lung-02", "lr-lung-03", "lr-waltons-01", "lr-leukemia-01")
def _(case):
    test = compared(case, rows_of(case))
    return {"chi2": test.statistic, "p": test.p_value}


@answers("lr-lung-04")
def _(case):
    stratum = case["inputs"]["strata"]
    return {"chi2": compared(case, rows_of(case).dropna(subset=stratum), stratum=stratum).statistic}


@answers("lr-waltons-02", "lr-rossi-04")
def _(case):
    rows, counts = compared(case, rows_of(case)), compared(case, counted(case))
    return {
        "chi2_rows": rows.statistic,
        "chi2_counts": counts.statistic,
        "p_rows": rows.p_value,
        "p_counts": counts.p_value,
    }


@answers("lr-telco-03")
def _(case):
    rows = rows_of(case)
    monthly = rows[rows["Contract"].eq("Month-to-month") & rows["InternetService"].ne("No")]
    grid = from_rows(monthly, by=["InternetService"])
    share = {name: retained(part, day=12).value for name, part in grid.groupby("InternetService")}
    return {
        "chi2": logrank(grid, by="InternetService").statistic,
        "survival_12_dsl": share["DSL"],
        "survival_12_fibre": share["Fiber optic"],
    }


@answers("rmst-lung-01", "rmst-lung-02")
def _(case):
    mean = {
        name: restricted_mean(grid, day=case["inputs"]["tau"])
        for name, grid in grids_of(case).items()
    }
    apart = difference(mean[2], mean[1])
    found = {"difference": apart.value, "ci": bounds(apart), "p": apart.p_value}
    for name, one in mean.items():
        found |= {f"rmst_sex{name}": one.value, f"se_sex{name}": one.std_error}
    return found


@answers("rmst-waltons-01", "rmst-leukemia-01")
def _(case):
    grids, day = grids_of(case), case["inputs"]["tau"]
    one, other = (grids[name] for name in ([1, 0] if 1 in grids else ["control", "miR-137"]))
    mean_1, mean_0 = restricted_mean(one, day=day), restricted_mean(other, day=day)
    apart, times = difference(mean_1, mean_0), ratio(mean_1, mean_0)
    return {
        "rmst1": mean_1.value,
        "se1": mean_1.std_error,
        "rmst0": mean_0.value,
        "se0": mean_0.std_error,
        "difference": apart.value,
        "ci": bounds(apart),
        "p": apart.p_value,
        "ratio": times.value,
        "ratio_ci": bounds(times),
        "rmtl_ratio": ratio(restricted_loss(one, day=day), restricted_loss(other, day=day)).value,
    }


@answers("mile-lung-01")
def _(case):
    grids, day = grids_of(case), case["inputs"]["time"]
    share_1, share_0 = (retained(grids[name], day=day) for name in (2, 1))
    apart = difference(share_1, share_0)
    return {
        "survival1": share_1.value,
        "survival0": share_0.value,
        "difference": apart.value,
        "se": apart.std_error,
    }


@answers("mile-lung-02")
def _(case):
    assert case["inputs"]["scale"] == "log(-log)"
    curves = [kaplan_meier(grid) for grid in grids_of(case).values()]
    test = fixed_day_test(*curves, day=case["inputs"]["time"])
    return {"chi2": test.statistic, "p": test.p_value}


@answers("pseudo-tiny-01")
def _(case):
    rows, day = rows_of(case), case["inputs"]["tau"]
    grid = from_rows(rows)
    values = pseudo_values(grid, day=day).rename(columns={"day": "durations"})
    rows["event_observed"] = rows["event_observed"].astype(bool)
    joined = rows.merge(values, on=["durations", "event_observed"], how="left")
    return {
        "rmst": restricted_mean(grid, day=day).value,
        "pseudo_values": joined["pseudo_value"].tolist(),
    }


def incidences(rows, days):
    """Incidence of each cause at some days, of rows whose event is the number of its cause."""
    rows = rows.assign(cause=rows["event_observed"], event_observed=rows["event_observed"] > 0)
    curves = cumulative_incidence(from_rows(rows))
    read = pd.concat([incidence_at(curves, day) for day in days])
    return {cause: part["incidence"].tolist() for cause, part in read.groupby("cause")}


@answers("cif-tiny-01")
def _(case):
    found = incidences(rows_of(case), [case["inputs"]["time_point"]])
    return {f"cif_cause{cause}": value for cause, (value,) in found.items()}


@answers("cif-inline-01", "cif-inline-02")
def _(case):
    return {
        f"cif{cause}_group{name}": values
        for name, rows in rows_of(case).groupby("group")
        for cause, values in incidences(rows, case["inputs"]["times"]).items()
    }


@pytest.mark.skipif(not CASES, reason=ABSENT)
@pytest.mark.parametrize("case_id", sorted(ANSWERS))
def test_worked_example_is_met(case_id):
    case = CASES[case_id]
    answer = ANSWERS[case_id](case)
    for key, value in case["expected"].items():
        if key not in NOT_OFFERED:
            close(answer[key], value, case.get("tol_by_key", {}).get(key, case))


@pytest.mark.skipif(not CASES, reason=ABSENT)
def test_every_worked_example_is_answered_but_for_the_test_of_gray_which_is_not_offered():
    assert set(CASES) == set(ANSWERS)
    grays = {key for case in CASES.values() for key in case["expected"] if "gray" in key}
    assert grays == NOT_OFFERED
