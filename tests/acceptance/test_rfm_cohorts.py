"""Cohorts, clocks, tiers, value, scores and times between purchases against worked examples."""

from __future__ import annotations

import datetime as dt
from functools import cache

import ibis
import pandas as pd
import pyarrow as pa
import pytest

from retention_lab import from_frames
from retention_lab.customers.activity import activity_tier, activity_tiers
from retention_lab.customers.cohorts import calendar_triangle, own_clock_triangle, weighted_mean
from retention_lab.customers.kpis import period_kpis, repeat_purchase_rate
from retention_lab.customers.migration import moves
from retention_lab.customers.purchases import (
    calendar_days_between,
    customer_days,
    elapsed_days_between,
)
from retention_lab.customers.repurchase import completed_median, first_repeat_grid, gap_grid
from retention_lab.customers.revenue import revenue_concentration
from retention_lab.customers.rfm import MEASURES, counts, quantile_cuts, scores
from retention_lab.customers.segments import segmented
from retention_lab.customers.standing import standing
from retention_lab.customers.summary import purchases
from retention_lab.inference.proportions import proportion
from retention_lab.survival.daygrid import kaplan_meier, median_time, survival_at
from retention_lab.tables import playbook
from retention_lab.tables.engine import collect

from .cases import ABSENT, dataset, load, meets

CASES = load("rfm_cohorts.json")

ANSWERS = {}


def answers(case_id):
    """Register the function that answers one case."""

    def register(function):
        ANSWERS[case_id] = function
        return function

    return register


def orders_of(customers, dates, amounts=None):
    """Orders of the snapshot from plain lists; amounts in minor units."""
    columns = {
        "customer_id": pa.array([str(customer) for customer in customers]),
        "ordered_on": pa.array(pd.to_datetime(pd.Series(list(dates))).dt.date),
        "amount": pa.array([0] * len(dates) if amounts is None else list(amounts)),
    }
    return ibis.memtable(pa.table(columns))


@cache
def cdnow(name):
    """Rows of a CDNOW file: customer, date and amount in cents."""
    skip, use = {"sample": (0, [0, 2, 4]), "master": (1, [0, 1, 3])}[name]
    rows = pd.read_csv(
        dataset("cdnow", f"CDNOW_{name}.txt"), sep=r"\s+", header=None, skiprows=skip, usecols=use
    ).set_axis(["customer", "date", "amount"], axis=1)
    rows["date"] = pd.to_datetime(rows["date"].astype(str))
    return rows.assign(amount=(rows["amount"] * 100).round().astype("int64"))


def cdnow_orders(name="sample"):
    rows = cdnow(name)
    return orders_of(rows["customer"], rows["date"], rows["amount"])


CDNOW_END = dt.date(1998, 6, 30)
SHOP_END = dt.date(2010, 12, 9)


@cache
def shop_lines():
    """Order lines of the gift shop, the cancelled and the anonymous still among them."""
    return pd.read_parquet(dataset("online_retail_ii", "year_2009_2010.parquet"))


def kept_lines():
    lines = shop_lines()
    keep = lines["Customer ID"].notna() & ~lines["Invoice"].str.startswith("C")
    return lines[keep & (lines["Quantity"] > 0) & (lines["Price"] > 0)]


def shop_orders(lines):
    """Orders in tenths of a penny, for some prices have three decimals."""
    amounts = (lines["Quantity"].astype("float64") * lines["Price"] * 1000).round()
    return orders_of(lines["Customer ID"], lines["InvoiceDate"], amounts.astype("int64"))


def percent(series):
    return (100 * series).tolist()


def cohort(triangle, first_day):
    return triangle[triangle["cohort"] == first_day]


@answers("cdnow-counts-01")
def _(_case):
    rows = cdnow("sample")
    days = collect(customer_days(cdnow_orders(), as_of=CDNOW_END))
    return {
        "rows": len(rows),
        "customers": days["customer_id"].nunique(),
        "customer_days": len(days),
    }


@answers("cdnow-counts-02")
def _(_case):
    orders = cdnow_orders("master")
    rate = repeat_purchase_rate(orders, as_of=CDNOW_END)
    return {
        "rows": len(cdnow("master")),
        "customers": rate.customers,
        "customer_days": collect(customer_days(orders, as_of=CDNOW_END).count().as_table()).iloc[
            0, 0
        ],
        "repeat_customers_by_1998_06_30": rate.repeat_customers,
    }


@answers("coh-cdnow-01")
def _(case):
    triangle = calendar_triangle(cdnow_orders(), as_of=CDNOW_END)
    january = cohort(triangle, "1997-01-01").head(len(case["inputs"]["months"]))
    return {
        "sizes": triangle.loc[triangle["period"] == 0, "size"].tolist(),
        "jan_counts": january["active"].tolist(),
        "jan_unbounded_percent": percent(january["later_share"]),
    }


@answers("coh-cdnow-02")
def _(_case):
    calendar = weighted_mean(calendar_triangle(cdnow_orders(), as_of=CDNOW_END))[1:4]
    own = weighted_mean(own_clock_triangle(cdnow_orders(), as_of=CDNOW_END, window_days=30))[1:4]
    return {
        "weighted_percent": percent(calendar["share"]),
        "simple_percent": percent(calendar["simple_share"]),
        "own_clock_30_day_percent": percent(own["share"]),
    }


@answers("coh-cdnow-03")
def _(_case):
    january = cohort(calendar_triangle(cdnow_orders(), as_of=CDNOW_END), "1997-01-01")
    return {"jan_revenue": (january["revenue"].head(4) / 100).tolist()}


@answers("coh-cdnow-05")
def _(_case):
    march = cohort(calendar_triangle(cdnow_orders(), as_of=CDNOW_END), "1997-03-01").head(7)
    return {
        "mar_counts": march["active"].tolist(),
        "mar_unbounded_percent": percent(march["later_share"]),
        "mar_revenue": (march["revenue"].head(4) / 100).tolist(),
    }


@answers("coh-wilson-01")
def _(case):
    data = case["data"]
    got = proportion(data["retained"], data["cohort"], alpha=case["inputs"]["alpha"])
    return {"rate": got.value, "ci": [got.low, got.high]}


@answers("ret-tiny-01")
def _(case):
    users = dict(enumerate(case["data"]["active_days_by_user"]))
    start, days = dt.date(2024, 1, 1), case["inputs"]["days"]
    visits = [(user, start + dt.timedelta(days=day)) for user in users for day in users[user]]
    as_of = start + dt.timedelta(days=days[-1])
    triangle = own_clock_triangle(orders_of(*zip(*visits, strict=True)), as_of=as_of, window_days=1)
    assert triangle["period"].tolist() == days
    return {
        "bounded_percent": percent(triangle["share"]),
        "unbounded_percent": percent(triangle["later_share"]),
    }


@answers("ret-mean-01")
def _(case):
    data = pd.DataFrame(case["data"])
    triangle = data.assign(
        period=1, active=data["retained"], active_later=data["retained"], complete=True
    )
    mean = weighted_mean(triangle).iloc[0]
    return {
        "simple_percent": 100 * mean["simple_share"],
        "weighted_percent": 100 * mean["share"],
    }


def days_by_both_clocks(signup, events):
    times = pa.array([dt.datetime.fromisoformat(event) for event in events])
    table = ibis.memtable(pa.table({"at": times}))
    start = ibis.timestamp(signup)
    return collect(
        table.select(
            calendar=calendar_days_between(start.date(), table["at"].date()),
            elapsed=elapsed_days_between(start, table["at"]),
        )
    )


@answers("ret-clock-01")
def _(case):
    days, day = days_by_both_clocks(**case["data"]), case["inputs"]["day"]
    return {
        "calendar_day_1_retained": bool((days["calendar"] == day).any()),
        "clock_24h_day_1_retained": bool((days["elapsed"] == day).any()),
    }


@answers("ret-clock-02")
def _(case):
    days = days_by_both_clocks(**case["data"])
    return {
        "calendar_days": days["calendar"].tolist(),
        "clock_24h_days": days["elapsed"].tolist(),
    }


@answers("tier-cdnow-01")
@answers("tier-cdnow-02")
def _(case):
    as_of = dt.date.fromisoformat(case["inputs"]["as_of"])
    tiers = activity_tiers(cdnow_orders(), as_of=as_of)
    repeat = repeat_purchase_rate(cdnow_orders(), as_of=as_of)
    return {"tiers": tiers["customers"].tolist(), "one_time_share": 1 - repeat.share.value}


@answers("tier-edge-01")
def _(case):
    return {"tier": activity_tier(case["data"]["days_since_last"])}


@answers("mig-cdnow-01")
def _(case):
    then, as_of = (dt.date.fromisoformat(case["inputs"][name]) for name in ("from", "to"))
    rows = cdnow("sample").assign(order_id=range(len(cdnow("sample"))))
    orders = rows.set_axis(["customer_id", "ordered_at", "amount", "order_id"], axis=1)
    shop = from_frames(orders=orders, as_of=as_of, currency="USD").snapshot
    stood = standing(shop, playbook.load("").segments, thresholds=None, days=(as_of - then).days)
    tiers = moves(stood, by="activity")["customers"].to_numpy()
    return {"matrix": tiers.reshape(3, 3).tolist()}


@answers("value-cdnow-01")
def _(_case):
    orders = cdnow_orders()
    top = revenue_concentration(orders, as_of=CDNOW_END, top_shares=[0.1, 0.2])
    kpis = period_kpis(orders, start=dt.date(1997, 1, 1), end=CDNOW_END)
    return {
        "top10_top20_share": top["share"].tolist(),
        "repeat_rate": repeat_purchase_rate(orders, as_of=CDNOW_END).share.value,
        "mean_order_value": kpis.average_order_value.value / 100,
        "orders_per_customer": kpis.purchase_frequency.value,
    }


@answers("gap-cdnow-01")
def _(case):
    grid = first_repeat_grid(cdnow_orders(), as_of=CDNOW_END)
    curve = kaplan_meier(grid)
    return {
        "share_returned": (1 - survival_at(curve, case["inputs"]["days"])["survival"]).tolist(),
        "median": median_time(curve).days,
        "median_of_completed": completed_median(grid),
    }


@answers("gap-inline-01")
def _(case):
    data, inputs = case["data"], case["inputs"]
    orders = orders_of(data["customer"], data["date"])
    grid = gap_grid(orders, as_of=dt.date.fromisoformat(inputs["as_of"]))
    curve = kaplan_meier(grid)
    return {
        "gaps": int(grid[["events", "censored"]].to_numpy().sum()),
        "closed": int(grid["events"].sum()),
        "closed_median": completed_median(grid),
        "share_reordered": (1 - survival_at(curve, inputs["days"])["survival"]).tolist(),
        "km_median": median_time(curve).days,
    }


@answers("orii-gap-01")
def _(case):
    lines = kept_lines()
    one = lines[lines["StockCode"] == case["inputs"]["stock_code"]]
    grid = gap_grid(shop_orders(one), as_of=dt.date.fromisoformat(case["inputs"]["as_of"]))
    curve = kaplan_meier(grid)
    return {
        "gaps": int(grid[["events", "censored"]].to_numpy().sum()),
        "closed": int(grid["events"].sum()),
        "closed_median": completed_median(grid),
        "share_reordered_30_90_180": (1 - survival_at(curve, [30, 90, 180])["survival"]).tolist(),
        "km_median": median_time(curve).days,
    }


@answers("orii-counts-01")
def _(_case):
    raw, kept = shop_lines(), kept_lines()
    kpis = period_kpis(shop_orders(kept), start=dt.date(2009, 12, 1), end=SHOP_END)
    return {
        "raw_rows": len(raw),
        "rows_without_customer": int(raw["Customer ID"].isna().sum()),
        "cancellation_rows": int(raw["Invoice"].str.startswith("C").sum()),
        "kept_rows": kpis.orders + kpis.same_day_orders,
        "kept_customers": kpis.customers,
        "kept_invoices": kept["Invoice"].nunique(),
        "kept_revenue": kpis.revenue / 1000,
    }


@answers("orii-coh-01")
def _(_case):
    triangle = calendar_triangle(shop_orders(kept_lines()), as_of=SHOP_END)
    december = triangle["cohort"].dt.to_period("M") + triangle["period"] == "2010-12"
    assert (triangle["complete"] == ~december).all()
    return {
        "sizes": triangle.loc[triangle["period"] == 0, "size"].tolist(),
        "first_cohort_counts": cohort(triangle, "2009-12-01")["active"].tolist(),
    }


def summary_of(days, orders, revenue):
    """Purchase summary from three lists, revenue in whole units."""
    cents = [round(100 * amount) for amount in revenue]
    names = [f"{place:04}" for place in range(len(cents))]
    within = {"purchases_within": orders, "revenue_within": cents}
    return ibis.memtable(
        pa.table({"customer_id": names, "last_days": days, "purchases": orders, **within})
    )


def lines(cuts):
    return {f"thresholds_{name}": list(getattr(cuts, name)["all"]) for name in MEASURES}


@answers("rfm-inline-01")
@answers("rfm-inline-02")
def _(case):
    data = case["data"]
    summary = summary_of(data["recency_days"], data["orders"], data["revenue"])
    cuts = quantile_cuts(summary, currency="USD", bins=case["inputs"]["bins"])
    got = collect(segmented(summary, cuts=cuts, segments=playbook.load("").segments))
    got = got.sort_values("customer_id")
    marks = {name[0].upper(): got[f"{name}_score"].tolist() for name in MEASURES}
    return {**lines(cuts), **marks, "segment": got["segment"].tolist()}


def scored(summary, case):
    """Lines and counts of scores of a data set."""
    cuts = quantile_cuts(summary, currency="USD", bins=case["inputs"]["bins"])
    table = counts(scores(summary, cuts), cuts)
    totals = {f"counts_{name[0].upper()}": table[name].tolist() for name in MEASURES}
    return {**lines(cuts), **totals}


@answers("rfm-cdnow-01")
def _(case):
    return scored(purchases(cdnow_orders(), as_of=CDNOW_END), case)


@answers("rfm-onetime-01")
def _(case):
    customers = range(1, 1001)
    orders = [1] * 800 + [2] * 100 + [3] * 50 + [4 + i % 5 for i in range(951, 1001)]
    revenue = [(10 + i % 90) * count for i, count in zip(customers, orders, strict=True)]
    summary = summary_of([1 + 37 * i % 365 for i in customers], orders, revenue)
    cuts = quantile_cuts(summary, currency="USD", bins=case["inputs"]["bins"])
    got = collect(scores(summary, cuts)).groupby("purchases")["frequency_score"]
    return {
        "raises": False,
        "distinct_F_scores_of_one_time_buyers": got.nunique()[1],
        "max_F_one_time_not_above_min_F_repeaters": bool(got.max()[1] <= got.min()[2:].min()),
    }


@answers("orii-rfm-02")
def _(case):
    summary = purchases(shop_orders(kept_lines()), as_of=dt.date(2010, 6, 30))
    summary = summary.mutate(revenue_within=(summary.revenue / 10).round().cast("int64"))
    answer = {"customers": len(collect(summary)), **scored(summary, case)}
    return {key: answer[key] for key in case["expected"]}


@pytest.mark.skipif(not CASES, reason=ABSENT)
@pytest.mark.parametrize("case_id", sorted(ANSWERS))
def test_worked_example_is_met(case_id):
    meets(CASES[case_id], ANSWERS[case_id](CASES[case_id]))


@pytest.mark.skipif(not CASES, reason=ABSENT)
def test_every_worked_example_is_met():
    assert set(CASES) == set(ANSWERS)
