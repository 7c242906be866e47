"""Cox models against worked examples: ties, strata, late entry, clusters, tests of proportions."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from lifelines.datasets import (
    load_gbsg2,
    load_leukemia,
    load_lung,
    load_rossi,
    load_stanford_heart_transplants,
)

from retention_lab.survival import cox
from retention_lab.survival.logrank import logrank

from .cases import ABSENT, dataset, load, meets

CASES = load("cox.json")
ANSWERS = {}


def answers(*case_ids):
    """Register the function that answers some cases."""

    def register(function):
        ANSWERS.update(dict.fromkeys(case_ids, function))
        return function

    return register


def rossi():
    rows = load_rossi()
    return rows, {"stop": rows["week"], "event_observed": rows["arrest"]}


def both_ties(covariates, outcome):
    """Fit with Efron's and with Breslow's ties."""
    return {ties: cox.fit(covariates, ties=ties, **outcome) for ties in ("efron", "breslow")}


def errors(fit, covariance="covariance"):
    return np.sqrt(np.diag(getattr(fit, covariance))).tolist()


def cumulative(fit, days):
    baseline = fit.baseline.set_index("day")["cumulative"]
    return [baseline.loc[:day].iloc[-1] for day in days]


@answers("cox-book1-01")
def book(case):
    rows = pd.DataFrame(case["data"])
    outcome = {"stop": rows["time"], "event_observed": rows["event"]}
    found = {}
    for ties, fit in both_ties(rows[["x"]], outcome).items():
        found |= {
            f"{ties}_coef": fit.coefficients[0],
            f"{ties}_loglik_null": fit.null_log_likelihood,
            f"{ties}_loglik": fit.log_likelihood,
            f"{ties}_var": fit.covariance[0, 0],
        }
    return found


@answers("cox-late-00")
def late_entry_by_hand(case):
    rows = pd.DataFrame(case["data"])
    outcome = {"start": rows["start"], "stop": rows["stop"], "event_observed": rows["event"]}
    found = {}
    for ties, fit in both_ties(rows[["x"]], outcome).items():
        found |= {
            f"{ties}_coef": fit.coefficients[0],
            f"{ties}_loglik": fit.log_likelihood,
            f"{ties}_H0": cumulative(fit, case["inputs"]["baseline_times_at_x_0"]),
        }
    return found


@answers("cox-rossi-01", "cox-rossi-02", "cox-rossi-03", "cox-rossi-04", "cox-rossi-07")
def rossi_fit(case):
    rows, outcome = rossi()
    inputs = case["inputs"]
    if "strata" in inputs:
        outcome["strata"] = rows.groupby(inputs["strata"]).ngroup()
    fit = cox.fit(rows[inputs["covariates"]], cluster=rows.index, ties=inputs["ties"], **outcome)
    found = {
        "coef": fit.coefficients.tolist(),
        "se": errors(fit, "model_covariance"),
        "robust_se": errors(fit),
        "loglik_null": fit.null_log_likelihood,
        "loglik": fit.log_likelihood,
    }
    return {key: found[key] for key in case["expected"]}


@answers("cox-rossi-05")
def prediction(case):
    rows, outcome = rossi()
    inputs = case["inputs"]
    fit = cox.fit(rows[inputs["covariates"]], **outcome)
    profile = pd.DataFrame([inputs["profile"]])
    survival = [cox.predict(fit, profile, day=day)["survival"].item() for day in inputs["times"]]
    return {"survival": survival}


@answers("cox-rossi-06")
def aid_alone_and_adjusted(case):
    rows, outcome = rossi()
    alone = cox.fit(rows[case["inputs"]["covariates"]], **outcome).summary().iloc[0]
    whole = cox.fit(rows.drop(columns=["week", "arrest"]), **outcome).summary().iloc[0]
    names = {"coef": "coefficient", "se": "std_error", "p": "p_value"}
    found = {key: alone[name] for key, name in names.items()}
    return found | {f"adjusted_{key}": whole[name] for key, name in names.items()}


@answers("cox-lung-02")
def lung(case):
    rows = load_lung()
    outcome = {"stop": rows["time"], "event_observed": rows["status"]}
    fits = both_ties(rows[case["inputs"]["covariates"]], outcome)
    line = fits["efron"].summary().iloc[0]
    return {
        "coef_efron": line["coefficient"],
        "se": line["std_error"],
        "hr": line["hazard_ratio"],
        "hr_ci": [line["low"], line["high"]],
        "coef_breslow": fits["breslow"].coefficients[0],
    }


@answers("cox-lung-03")
def lung_score_test(case):
    rows = load_lung()
    outcome = {"stop": rows["time"], "event_observed": rows["status"]}
    fit = cox.fit(rows[case["inputs"]["covariates"]], **outcome)
    grid = rows.assign(day=rows["time"], events=rows["status"], censored=1 - rows["status"])
    return {
        "score_chi2": fit.certificate.score_statistic,
        "logrank_chi2": logrank(grid, by="sex").statistic,
    }


@answers("cox-leukemia-01")
def leukemia(case):
    rows = load_leukemia()
    outcome = {"stop": rows["t"], "event_observed": rows["status"]}
    fits = both_ties(rows[case["inputs"]["covariates"]], outcome)
    return {
        "coef_efron": fits["efron"].coefficients.tolist(),
        "se_efron": errors(fits["efron"]),
        "loglik_efron": fits["efron"].log_likelihood,
        "coef_breslow": fits["breslow"].coefficients.tolist(),
    }


@answers("cox-late-01")
def late_entry(case):
    rows, outcome = rossi()
    outcome |= {"start": rows["week"] // 2, "cluster": rows.index}
    fits = both_ties(rows[case["inputs"]["covariates"]], outcome)
    fit, days = fits["efron"], case["inputs"]["times"]
    return {
        "coef": fit.coefficients.tolist(),
        "se": errors(fit, "model_covariance"),
        "robust_se": errors(fit),
        "loglik_null": fit.null_log_likelihood,
        "loglik": fit.log_likelihood,
        "H0": cumulative(fit, days),
        "H0_breslow_ties": cumulative(fits["breslow"], days),
    }


@answers("cox-tv-01")
def time_varying(case):
    rows = load_stanford_heart_transplants()
    outcome = {"start": rows["start"], "stop": rows["stop"], "event_observed": rows["event"]}
    fit = cox.fit(rows[case["inputs"]["covariates"]], **outcome)
    return {
        "coef": fit.coefficients.tolist(),
        "se": errors(fit),
        "loglik_null": fit.null_log_likelihood,
        "loglik": fit.log_likelihood,
    }


@answers("cox-landmark-01")
def immortal_time(case):
    rows, day = load_stanford_heart_transplants(), case["inputs"]["landmark_day"]
    columns = case["inputs"]["covariates"]
    by_then = rows["transplant"].where(rows["start"] <= day, 0)
    people = rows.assign(by_then=by_then).groupby("id").max()
    naive = cox.fit(people[columns], stop=people["stop"], event_observed=people["event"])
    later = people[people["stop"] > day].assign(transplant=people["by_then"])
    landmark = cox.fit(later[columns], stop=later["stop"] - day, event_observed=later["event"])
    return {
        "hr_naive_ever": np.exp(naive.coefficients[0]),
        "landmark_n": landmark.n,
        "landmark_transplanted": int(later["transplant"].sum()),
        "hr_landmark": np.exp(landmark.coefficients[0]),
    }


@answers("cox-rec-05")
def repeated_events(case):
    rows = pd.DataFrame(case["data"])
    clock = {"start": rows["start"], "stop": rows["stop"], "event_observed": rows["event"]}
    gap = {"stop": rows["stop"] - rows["start"], "event_observed": rows["event"]}
    z, cluster = rows[["z"]], rows["id"]
    calendar = cox.fit(z, cluster=cluster, **clock)
    total = cox.fit(z, cluster=cluster, strata=rows["enum"], **clock)
    between = cox.fit(z, cluster=cluster, strata=rows["enum"], **gap)
    return {
        "ag_coef": calendar.coefficients[0],
        "ag_se": errors(calendar, "model_covariance")[0],
        "ag_robust_se": errors(calendar)[0],
        "pwp_total_coef": total.coefficients[0],
        "pwp_total_robust_se": errors(total)[0],
        "pwp_gap_coef": between.coefficients[0],
        "pwp_gap_robust_se": errors(between)[0],
    }


@answers("cox-rec-06")
def mean_count(case):
    rows = pd.DataFrame(CASES[case["data"]["same_as"]]["data"])
    fit = cox.fit(
        rows[[]],
        start=rows["start"],
        stop=rows["stop"],
        event_observed=rows["event"],
        ties="breslow",
    )
    return {"mean_count": cumulative(fit, case["inputs"]["times"])}


def read_test(test):
    """Statistics by column, then those of all columns together."""
    whole = test.iloc[-1]
    return {
        "chi2": test["statistic"].iloc[:-1].tolist(),
        "global_chi2": whole["statistic"],
        "global_p": whole["p_value"],
    }


@answers("cox-ph-01", "cox-ph-02")
def proportional(case):
    rows, outcome = rossi()
    fit = cox.fit(rows[case["inputs"]["covariates"]], **outcome)
    return read_test(cox.proportional_hazards(fit, transform=case["inputs"]["transform"]))


@answers("cox-ph-05")
def proportional_by_column(case):
    rows = pd.get_dummies(load_gbsg2(), columns=["horTh", "menostat", "tgrade"])
    fit = cox.fit(
        rows[case["inputs"]["covariates"]], stop=rows["time"], event_observed=rows["cens"]
    )
    found = read_test(cox.proportional_hazards(fit, transform=case["inputs"]["transform"]))
    return {key: found[key] for key in case["expected"]}


@answers("cox-telco-01")
def churn(case):
    rows = pd.read_csv(dataset("telco_churn", "Telco-Customer-Churn.csv"))
    rows = rows[(rows["Contract"] == "Month-to-month") & (rows["InternetService"] != "No")]
    states = pd.get_dummies(rows.drop(columns="customerID"))
    fit = cox.fit(
        states[case["inputs"]["covariates"]],
        stop=rows["tenure"],
        event_observed=rows["Churn"] == "Yes",
    )
    return {"coef": fit.coefficients.tolist(), "loglik": fit.log_likelihood}


@pytest.mark.skipif(not CASES, reason=ABSENT)
@pytest.mark.parametrize("case_id", sorted(ANSWERS))
def test_worked_example_is_met(case_id):
    meets(CASES[case_id], ANSWERS[case_id](CASES[case_id]))


@pytest.mark.skipif(not CASES, reason=ABSENT)
def test_every_worked_example_is_met():
    assert set(CASES) == set(ANSWERS)
