"""Claims of the answers: equal to the functions behind them, split that adds up, safe to show."""

from __future__ import annotations

import datetime as dt
import functools
import inspect
import json
import re
import time
from pathlib import Path

import altair as alt
import nbformat
import pandas as pd
import pytest
from IPython.display import Markdown

import retention_lab
from retention_lab.checks import BadData, BadParameter
from retention_lab.customers import activity, cohorts, kpis, repurchase, revenue
from retention_lab.lab import answer, queries
from retention_lab.lab.lab import Lab
from retention_lab.lab.portraits import Portraits
from retention_lab.lab.questions import Questions
from retention_lab.reports import kernel, page
from retention_lab.survival.daygrid import kaplan_meier
from retention_lab.wording import Instead

from . import shops

LAB = shops.lab()
SHOP = LAB.snapshot
DAY = SHOP.as_of


@pytest.mark.parametrize(
    ("ask", "direct"),
    [
        (lambda: LAB.returned(days=30), lambda: cohorts.returned(SHOP.orders, as_of=DAY, days=30)),
        (LAB.repurchase, lambda: kaplan_meier(_first_grid())),
        (LAB.gaps, lambda: repurchase.gap_grid(SHOP.orders, as_of=DAY)),
    ],
    ids=["returned", "repurchase", "gaps"],
)
def test_frame_is_what_the_function_gives(ask, direct):
    pd.testing.assert_frame_equal(ask().frame, direct())


def _first_grid():
    return repurchase.first_repeat_grid(SHOP.orders, as_of=DAY)


@pytest.mark.parametrize(
    ("ask", "direct", "money"),
    [
        (
            lambda: LAB.triangle(clock="own", window=15),
            lambda: cohorts.own_clock_triangle(SHOP.orders, as_of=DAY, window_days=15),
            ["revenue"],
        ),
        (
            lambda: LAB.triangle(period="week"),
            lambda: cohorts.calendar_triangle(SHOP.orders, as_of=DAY, period="week"),
            ["revenue"],
        ),
        (
            LAB.revenue,
            lambda: revenue.monthly_revenue(SHOP.orders, as_of=DAY),
            ["revenue_new", "revenue_returning"],
        ),
        (
            lambda: LAB.concentration(top_shares=[0.25]),
            lambda: revenue.revenue_concentration(SHOP.orders, as_of=DAY, top_shares=[0.25]),
            ["revenue"],
        ),
    ],
    ids=["own clock", "weeks", "revenue", "concentration"],
)
def test_money_in_frames_is_in_whole_units(ask, direct, money):
    expected = direct()
    expected[money] /= 100  # pence
    pd.testing.assert_frame_equal(ask().frame, expected)


def test_recorded_results_are_those_of_the_functions():
    frame = LAB.kpis(days=60).frame.set_index("name")
    direct = kpis.period_kpis(SHOP.orders, start=DAY - dt.timedelta(days=59), end=DAY)
    value = direct.average_order_value
    assert frame.loc["average_order_value", ["value", "low", "high"]].tolist() == [
        pytest.approx(each / 100) for each in (value.value, value.low, value.high)
    ]
    assert frame.loc["buyers", "value"] == direct.customers
    rate = kpis.retention_rate(SHOP.orders, end=DAY, days=60).rate
    assert LAB.retention_rate(days=60).frame["value"].iloc[0] == rate.value
    repeat = kpis.repeat_purchase_rate(SHOP.orders, as_of=DAY).share
    assert LAB.repeat_rate().frame[["value", "low", "high"]].iloc[0].tolist() == [
        repeat.value,
        repeat.low,
        repeat.high,
    ]


def test_activity_shows_both_days():
    frame = LAB.activity(edges=[20, 60]).frame
    newest = activity.activity_tiers(SHOP.orders, as_of=DAY, edges=[20, 60])
    assert frame.groupby("as_of")["customers"].sum().index.date.tolist() == [
        DAY - dt.timedelta(days=60),
        DAY,
    ]
    assert frame["customers"].tolist()[:3] == newest["customers"].tolist()


def test_overview_says_and_lists_what_it_recorded():
    found = LAB.overview(days=30)
    headline, body, why, action, complete = found.sentence.split("\n\n")
    assert headline.startswith("**")
    assert "bought again within 30 days" in body
    assert "same kind of people" in why.lower()
    assert action.startswith("**Do")
    assert complete.startswith("Orders are complete to Sunday 31 August 2025.")
    assert {"returned", "revenue", "repeat_rate", "bought_again_by"} <= set(found.frame["name"])
    shown = found.frame[~found.frame["name"].str.endswith("_before")]
    assert found.table["Value"].tolist() == shown["text"].tolist()


@pytest.mark.parametrize(
    "ask",
    [
        lambda lab, by: lab.triangle(by=by).frame,
        lambda lab, by: lab.triangle(clock="own", by=by).frame,
    ],
)
def test_groups_add_up_to_the_whole_triangle(ask):
    groups, whole = ask(LAB, "country"), ask(LAB, None)
    assert groups.columns[0] == "country"
    keys, counts = ["cohort", "period"], ["size", "active", "active_later"]
    sums = groups.groupby(keys)[counts].sum().reset_index()
    # A period in which a group had no cohort yet is not in its triangle.
    both = whole.merge(sums, on=keys, suffixes=("", "_sum"))
    assert len(both) == len(whole)
    for name in counts:
        assert both[name].tolist() == both[f"{name}_sum"].tolist()


def test_groups_of_returns_add_up_and_beyond_the_largest_six_all_are_one():
    split, whole = LAB.returned(days=30, by="country").frame, LAB.returned(days=30).frame
    sums = split.groupby("cohort")[["customers", "returned"]].sum()
    assert sums.to_numpy().tolist() == whole[["customers", "returned"]].to_numpy().tolist()
    sizes = shops.customers()["country"].fillna("not known").value_counts()
    ranked = sorted(sizes.index, key=lambda country: (-sizes[country], country))
    assert list(dict.fromkeys(split["country"])) == [*ranked[:6], "all others"]
    assert "not known" in ranked[:6]


def test_small_group_is_named_and_not_drawn():
    found = LAB.returned(days=30, by="kind")
    assert "Not drawn, with fewer than 10 customers: staff." in found.sentence
    assert "staff" not in str(found.chart.to_dict())
    assert list(found.table.columns) == ["guest"]
    assert set(found.frame["kind"]) == {"guest", "staff"}  # the analyst's own frame is whole


def test_lines_of_groups_are_told_apart_by_more_than_colour():
    spec = LAB.triangle(by="country").chart.to_dict()
    line = next(layer for layer in spec["layer"] if layer["mark"]["type"] == "line")
    assert {"color", "strokeDash"} <= set(line["encoding"])
    assert "by country; in the first: UK" in spec["description"]


def test_unknown_attribute_is_refused_with_the_nearest():
    with pytest.raises(BadParameter, match="Did you mean 'country'"):
        LAB.returned(by="contry")


def test_condition_narrows_within_what_is_there():
    nested = LAB.where("country = 'UK'").where("kind = 'guest'")
    at_once = LAB.where("country = 'UK' and kind = 'guest'")
    assert nested.snapshot.rows == at_once.snapshot.rows
    pd.testing.assert_frame_equal(nested.returned(days=30).frame, at_once.returned(days=30).frame)
    assert nested.snapshot.rows["customers"] < LAB.snapshot.rows["customers"]
    assert "Only customers with" in nested.check().sentence


def test_another_day_is_cut_afresh_and_keeps_the_condition():
    early = LAB.where("country = 'UK'").at("2025-06-30")
    assert str(early.as_of) == "2025-06-30"
    assert early.snapshot.where == "country = 'UK'"
    assert str(early.orders.ordered_on.max().execute())[:10] <= "2025-06-30"
    fresh = retention_lab.from_frames(
        orders=shops.orders(), customers=shops.customers(), currency="GBP", name="Shop",
        as_of="2025-06-30", where="country = 'UK'",
    )  # fmt: skip
    assert early.snapshot.content_hash == fresh.snapshot.content_hash
    assert early.snapshot.rows == fresh.snapshot.rows


def test_two_periods_or_groups_are_compared():
    found = LAB.compare("returned_30", "2025-06")
    assert found.frame["side"].tolist() == ["June 2025", "May 2025", "difference"]
    values = found.frame["value"]
    assert values[2] == pytest.approx(values[0] - values[1])
    groups = LAB.where("country = 'UK'").compare("returned_30", "2025-06", other=LAB)
    assert set(groups.frame["period"][:2]) == {"2025-06-01/2025-06-30"}


def test_change_is_explained_by_parts_that_add_up():
    found = LAB.explain("returned_30", "2025-06", by="country")
    compared = LAB.compare("returned_30", "2025-06").frame.set_index("side")
    assert found.frame["value"].sum() == pytest.approx(compared.loc["difference", "value"])
    kinds = found.kinds
    parts = kinds.frame[["mix", "rate"]].to_numpy().sum()
    assert parts == pytest.approx(compared.loc["difference", "value"])


def test_explanation_lists_the_customers_behind_a_part():
    found = LAB.explain("returned_30", "2025-06", by="country")
    for part in ("mix", "rate"):
        listed = found.customers(part)
        assert listed["contribution"].sum() == pytest.approx(found.found.part(part).value)
    assert repr(found).startswith(found.sentence)


def test_way_of_a_change_begins_at_what_an_earlier_report_printed(tmp_path):
    july = {"name": "returned_before", "value": 0.5, "unit": "share"}
    july |= {"period": "2025-05-01/2025-05-31", "definition": "They came back within 30 days."}
    report = {"as_of": "2025-06-30", "notebooks": {"10_retention_overview": {"results": [july]}}}
    (tmp_path / "results.json").write_text(json.dumps(report), encoding="utf-8")
    found = LAB.explain("returned_30", "2025-06", "2025-05", by="country", printed=tmp_path)
    now = LAB.compare("returned_30", "2025-06").frame["value"][0]
    assert found.frame["value"].sum() == pytest.approx(now - 0.5)
    assert found.frame["part"].tolist() == ["restated or definition", "mix", "rate"]
    assert "50.0\N{NO-BREAK SPACE}% as printed" in found.sentence
    for measure, against in (("returned_30", "2025-04"), ("returned_60", "2025-05")):
        with pytest.raises(BadParameter, match="printed nothing of 'Returned within"):
            LAB.explain(measure, "2025-06", against, printed=tmp_path)


def test_earlier_report_is_compared_with(tmp_path):
    lab, results = two_years(), tmp_path / "results.json"
    results.write_text(FILES[REPORT], encoding="utf-8")
    found = lab.changed(results)
    row = found.frame.set_index("name").loc["returned"]
    assert row["then"] == 0.5
    assert row["now"] == lab.overview().frame.set_index("name").loc["returned", "value"]
    with pytest.raises(BadParameter, match="holds no results of the notebook '20_other'"):
        lab.changed(results, notebook="20_other")


def test_annotations_mark_charts_and_are_told(tmp_path):
    (tmp_path / "notes.yml").write_text(FILES["data/annotations.yml"], encoding="utf-8")
    noted = two_years().annotated(tmp_path / "notes.yml")
    assert "Summer sale" in str(noted.revenue().chart.to_dict())
    assert "Summer sale" in noted.where("country = 'Germany'").at("2026-10-31").overview().sentence
    assert noted.at("2026-06-30").annotations == ()
    many = two_years(1_500).annotated(tmp_path / "notes.yml").returned(by="country")
    for answer_with_months in (noted.revenue(), noted.returned(), many):
        spec = answer_with_months.chart.to_dict()
        assert "Summer sale" in json.dumps(spec["datasets"])
        assert "Summer sale" in spec["usermeta"]["caption"]
    assert "Summer sale" not in str(two_years().revenue().chart.to_dict())


def test_metrics_of_a_file_and_saved_cohorts(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    saved = LAB.cohort("uk", where="country = 'UK'")
    chosen = LAB.where("cohort('uk')")
    assert chosen.snapshot.rows["customers"] == saved.frame["customers"].item()
    few = LAB.cohort("staff", where="kind = 'staff'")
    assert "has fewer than 10 customers as of" in few.sentence
    assert few.table["Customers"].tolist() == ["<10"]
    with pytest.raises(BadParameter, match="cannot be read"):
        LAB.metrics("metrics.yml")


def test_customers_of_a_report_are_saved_as_a_cohort(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    may = "first_ordered_on between date '2025-05-01' and date '2025-05-31'"
    results = [{"name": "returned", "population": may}]
    report = {"as_of": "2025-06-30", "notebooks": {"10_retention_overview": {"results": results}}}
    (tmp_path / "results.json").write_text(json.dumps(report), encoding="utf-8")
    LAB.cohort("may", report=tmp_path)
    LAB.cohort("may-uk", report=tmp_path, where="country = 'UK'")
    chosen = LAB.where("cohort('may')").snapshot.rows["customers"]
    assert chosen == LAB.where(may).snapshot.rows["customers"]
    assert 0 < LAB.where("cohort('may-uk')").snapshot.rows["customers"] < chosen


def test_sql_answers_in_the_order_asked_and_changes_nothing():
    before = LAB.orders.count().execute()
    frame = LAB.sql(
        "with totals as (select customer_id, sum(amount) as spent from orders group by 1) "
        "select country, count(*) as n from customers join totals using (customer_id) "
        "group by 1 order by n desc;"
    ).frame
    assert frame["n"].is_monotonic_decreasing
    assert frame["n"].sum() == shops.orders()["customer_id"].nunique()
    assert LAB.orders.count().execute() == before
    assert (
        LAB.where("country = 'UK'").sql("select count(*) as n from customers").frame["n"][0] < 300
    )
    assert LAB.sql("select count(*) as n from customers").frame["n"][0] == 300


@pytest.mark.parametrize(
    ("query", "refusal", "message"),
    [
        ("delete from orders", BadParameter, "must be one SELECT, which changes nothing"),
        ("drop table orders", BadParameter, "must be one SELECT"),
        ("create table mine as select 1", BadParameter, "must be one SELECT"),
        ("copy orders to 'orders.csv'", BadParameter, "must be one SELECT"),
        ("attach 'x.db'", BadParameter, "must be one SELECT"),
        ("select 1; select 2", BadParameter, "must be one SELECT"),
        ("with x as (delete from orders returning *) select * from x", BadParameter, "one SELECT"),
        ("select * from read_csv('/etc/passwd')", BadParameter, "has no table"),
        ("select * from '/etc/passwd'", BadParameter, "has no table"),
        ("select * from information_schema.tables", BadParameter, "has no table"),
        ("select * from ordres", BadParameter, "Did you mean 'orders'"),
        ("select contry from customers", BadParameter, 'Candidate bindings: "country"'),
        ("select country + 1 from customers", BadParameter, "The query fails: "),
        ("selec 1", BadParameter, "is not valid SQL"),
        ("", BadParameter, "must be one SELECT"),
        (f"select * from range({queries.MOST_ROWS + 1})", BadData, "Aggregate with GROUP BY"),
    ],
)
def test_sql_that_is_more_than_a_question_is_refused(query, refusal, message):
    with pytest.raises(refusal) as told:
        LAB.sql(query)
    assert message in str(told.value)
    assert "\n" not in str(told.value)


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda: LAB.triangle(clock="mine"), "no clock 'mine'"),
        (lambda: LAB.triangle(window=0), "window must be at least 1"),
        (lambda: LAB.triangle(period="day"), "no period 'day'"),
        (lambda: LAB.activity(edges=[]), "edges must be days"),
        (lambda: LAB.kpis(days=0), "days must be at least 1"),
        (lambda: LAB.returned(days=0), "days must be at least 1"),
        (lambda: LAB.at("2024-01-01"), "no order by 2024-01-01"),
        (lambda: LAB.where("country = 'Narnia'"), "No customer of Shop fits"),
        (lambda: LAB.returns, "or hand them to from_frames"),
    ],
)
def test_question_that_cannot_be_answered_is_told_so(ask, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        ask()


def test_lab_shows_what_it_is_and_completes_only_what_can_be_asked():
    assert repr(LAB) == (
        f"<Lab: Shop as of 2025-08-31, 300 customers, {len(shops.orders()):,} orders since "
        f"{SHOP.records_from}>"
    )
    assert "Shop as of 2025-08-31, fewer than 10 customers" in repr(LAB.where("kind = 'staff'"))
    assert {"returned", "triangle", "sql", "orders", "customers", "where", "at"} <= set(dir(LAB))
    assert not [name for name in dir(LAB) if name.startswith("_")]
    assert "returns" not in dir(LAB)
    with pytest.raises(AttributeError, match="Did you mean 'returned'"):
        _ = LAB.retuned


@functools.cache
def two_years(number=300):
    """The shop twice: until November 2025, and with other customers until November 2026."""
    orders, customers = shops.orders(number), shops.customers(number)
    customers = customers.replace("UK", "United Kingdom")
    again = {"order_id": -orders["order_id"], "customer_id": orders["customer_id"] + number}
    late = orders.assign(**again, ordered_at=orders["ordered_at"] + pd.Timedelta(days=455))
    early = orders.assign(ordered_at=orders["ordered_at"] + pd.Timedelta(days=90))
    more = customers.assign(customer_id=customers["customer_id"] + number)
    return retention_lab.from_frames(
        orders=pd.concat([early, late]), customers=pd.concat([customers, more])
    )


REPORT = "reports/weekly/2026-11-22/results.json"
PLANS = Path(__file__).parents[2] / "experiments"
FILES = {
    "data/annotations.yml": (
        "annotations:\n"
        "- {date: 2026-07-03, until: 2026-07-05, label: Summer sale, kind: promotion}\n"
    ),
    "data/metrics.yml": "metrics: []\n",
    **{
        f"experiments/{path.relative_to(PLANS)}": path.read_text("utf-8")
        for path in (*PLANS.glob("templates/*.yml"), PLANS / "demo_check_in/plan.yml")
    },
    REPORT: json.dumps(
        {
            "as_of": "2026-11-22",
            "notebooks": {
                "10_retention_overview": {
                    "results": [
                        {
                            "name": "returned",
                            "value": 0.5,
                            "unit": "share",
                            "period": "2026-07-01/2026-07-31",
                            "definition": "Who came back within 90 days.",
                            "population": "first_ordered_on >= date '2026-07-01'",
                        }
                    ]
                }
            },
        }
    ),
}
METHODS = [
    method
    for kind in (Lab, Questions, Portraits)
    for name, method in vars(kind).items()
    if not name.startswith("_") and inspect.isfunction(method)
]


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.__name__)
def test_example_of_every_method_runs(method, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name, content in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(content, encoding="utf-8")
    lab = two_years()
    lines = inspect.getdoc(method).partition("Example::\n")[2].strip().splitlines()
    assert lines
    for line in lines:
        assert eval(line.strip(), {"lab": lab}) is not None


def test_answer_shows_chart_sentence_and_table(monkeypatch):
    shown = []
    monkeypatch.setattr(answer, "display", shown.append)
    LAB.returned(days=30)._ipython_display_()
    chart, sentence, table = shown
    assert isinstance(chart, alt.LayerChart)
    assert isinstance(sentence, Markdown)
    assert isinstance(table, pd.DataFrame)
    shown.clear()
    LAB.kpis(days=60)._ipython_display_()
    assert [type(part) for part in shown] == [Markdown, pd.DataFrame]


def test_tables_of_a_tiny_shop_show_no_small_group():
    tiny = LAB.where("kind = 'staff'")
    for ask in (tiny.returned, tiny.triangle, tiny.concentration, tiny.repurchase, tiny.gaps):
        found = ask()
        assert found.sentence
        assert len(found.frame)
        assert found.table.empty
        assert repr(found) == found.sentence
        assert found.chart is None or isinstance(found.chart, Instead)


def whole_numbers(table):
    """The whole numbers that readers see in a table, thousands with their commas."""
    words = table.astype(str).to_numpy().ravel()
    return [int(word.replace(",", "")) for word in words if re.fullmatch(r"[\d,]+", word)]


@functools.cache
def few_buyers():
    """Forty customers over eight months: in most counts a few of them."""
    return retention_lab.from_frames(
        orders=shops.orders(40), customers=shops.customers(40), currency="GBP", as_of=shops.AS_OF
    )


@pytest.mark.parametrize(
    "ask",
    [
        lambda lab: lab.returned(days=30),
        lambda lab: lab.triangle(),
        lambda lab: lab.revenue(),
        lambda lab: lab.repurchase(),
        lambda lab: lab.gaps(),
        lambda lab: lab.activity(edges=[10, 30]),
        lambda lab: lab.concentration(top_shares=[0.3, 0.4, 0.9]),
    ],
    ids=["returned", "triangle", "revenue", "repurchase", "gaps", "activity", "concentration"],
)
def test_tables_of_a_small_shop_tell_no_count_of_a_few(ask):
    found = ask(few_buyers())
    table = found.table.reset_index()
    counts = [
        each for each in ("Customers", "Events", "Censored", "At risk", "Size") if each in table
    ]
    assert not [each for each in whole_numbers(table[counts]) if 0 < each < 10]
    assert len(found.frame) >= len(table)


def test_table_says_what_the_chart_hides_and_its_frame_is_whole():
    found = few_buyers().activity(edges=[10, 30])
    counts = found.frame["customers"]
    assert (counts.between(1, 9)).any()
    assert "<10" in set(found.table["Customers"])
    hidden = found.table["Customers"].isin(["<10", "\N{EN DASH}"])
    assert set(found.table["Share"][hidden]) == {""}


def test_groups_do_not_give_back_the_small_one_among_them():
    found = LAB.returned(days=30, by="kind")
    staff = found.frame[found.frame["kind"].eq("staff") & (found.frame["customers"] > 0)]
    months = staff["cohort"].dt.strftime("%Y-%m-%d")
    assert len(staff)
    assert not set(months) & set(found.table.index)


def test_best_customers_of_which_a_few_are_the_difference_are_not_told():
    shown = LAB.concentration(top_shares=[0.1, 0.11, 0.5, 0.98])
    assert shown.frame["customers"].tolist() == [30, 33, 150, 294]
    assert shown.table["Customers"].tolist() == ["33", "150"]
    assert shown.sentence.count("of customers") == 2


def test_answer_in_a_plain_terminal_is_sentence_and_table():
    text = repr(LAB.sql("select 1234567 as n, 0.5 as x, date '2025-03-01' as day"))
    assert text.splitlines()[0] == "1 row."
    assert "1,234,567" in text
    assert "0.50" in text
    assert "2025-03-01" in text
    nobody = LAB.where("kind = 'staff'").kpis(days=60)
    assert isinstance(nobody.table, Instead)
    assert nobody.table.why in repr(nobody)


def test_answers_stand_on_a_published_page(tmp_path):
    shops.orders().to_parquet(tmp_path / "orders.parquet", index=False)
    code = (
        "import pandas as pd\nimport retention_lab\n"
        f"orders = pd.read_parquet({str(tmp_path / 'orders.parquet')!r})\n"
        "lab = retention_lab.from_frames(orders=orders)",
        "lab.returned(days=30)",
        "lab.kpis(days=60)",
    )
    cells = [nbformat.v4.new_code_cell(each) for each in code]
    kernelspec = {"name": "python3", "display_name": "Python 3", "language": "python"}
    notebook = nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernelspec})
    nbformat.write(notebook, tmp_path / "asked.ipynb")
    done = kernel.execute(
        tmp_path / "asked.ipynb",
        parameters={},
        cell_seconds=120,
        deadline=time.monotonic() + 120,
        watch=lambda *_: None,
    )
    facts = page.PageFacts(
        title="Asked", suite="own", as_of=DAY, source="Shop", simulated=False, owner="us"
    )
    html = page.render(done, facts=facts)
    assert html.count("<figure") == 1
    assert "bought again within 30 days" in html
    assert "Customers who bought" in html
