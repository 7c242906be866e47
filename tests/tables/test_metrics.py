"""Own metrics: what is read and refused, and the sums of each customer."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pandas as pd
import pytest
import yaml
from pydantic import ValidationError

from retention_lab.checks import BadData, BadParameter
from retention_lab.tables import engine, metrics
from retention_lab.tables.period import Period

from . import drawn
from .drawn import LAST, metric

REFUNDS = "sum(returns.amount) / sum(orders.amount)"
PAIRS = {  # the same in SQL and in Ibis, with a unit that it may have
    REFUNDS: ("returns.amount.sum() / orders.amount.sum()", "share"),
    "sum(order_lines.quantity) / count(distinct order_lines.order_id)": (
        "order_lines.quantity.sum() / order_lines.order_id.nunique()",
        "per_customer",
    ),
    "count(*) filter (where orders.coupon is not null) / nullif(count(*) filter (where "
    "orders.amount > 0), 0)": (
        "orders.count(where=orders.coupon.notnull()) / "
        "orders.count(where=orders.amount > 0).nullif(0)",
        "share",
    ),
    "sum(returns.amount)::double / sum(orders.amount)": (
        "returns.amount.sum().cast('float64') / orders.amount.sum()",
        "share",
    ),
    "1000 * count(returns.return_id) / count(orders.order_id)": (
        "1000 * returns.return_id.count() / orders.order_id.count()",
        "per_customer",
    ),
    "sum(orders.amount - coalesce(orders.discount, 0) * 0.2) / count(distinct orders.ordered_on)": (
        "(orders.amount - orders.discount.fill_null(0) * 0.2).sum() / orders.ordered_on.nunique()",
        "money",
    ),
    "sum(orders.amount) filter (where orders.country = 'UK' and not starts_with(orders.coupon, "
    "'X')) / sum(orders.amount)": (
        "orders.amount.sum(where=(orders.country == 'UK') & ~orders.coupon.startswith('X')) / "
        "orders.amount.sum()",
        "share",
    ),
    "sum(case when orders.coupon in ('SUMMER', 'X') then 1 else 0 end) / count(orders.order_id)": (
        "orders.coupon.isin(['SUMMER', 'X']).ifelse(1, 0).sum() / orders.order_id.count()",
        "share",
    ),
    "count(distinct customers.customer_id) / count(events.event)": (
        "customers.customer_id.nunique() / events.event.count()",
        "per_customer",
    ),
}


@pytest.fixture(scope="module")
def tables():
    return drawn.frames()


@pytest.fixture(scope="module")
def shop(tables):
    return drawn.shop(tables)


def sides(found):
    return engine.collect(found).sort_values("customer_id").reset_index(drop=True)


def inside(rows, day, period=LAST):
    return rows[(rows[day] >= period.first) & (rows[day] <= period.last)]


@pytest.mark.parametrize("sql", PAIRS)
def test_sql_and_ibis_say_the_same(shop, sql):
    ibis, unit = PAIRS[sql]
    one, other = metric(sql, unit=unit), metric(ibis=ibis, unit=unit)
    wanted = sides(metrics.per_customer(one, shop, LAST))
    assert len(wanted) > 20
    pd.testing.assert_frame_equal(sides(metrics.per_customer(other, shop, LAST)), wanted)


def test_both_sides_are_those_of_pandas(shop, tables):
    y = inside(tables["returns"], "returned_on").groupby("customer_id")["amount"].sum()
    x = inside(tables["orders"], "ordered_on").groupby("customer_id")["amount"].sum()
    wanted = pd.DataFrame({"y": y, "x": x}).fillna(0).astype("int64").sort_index()
    found = sides(metrics.per_customer(metric(REFUNDS), shop, LAST)).set_index("customer_id")
    assert (found["x"] == 0).any()  # some returned what they had bought before
    pd.testing.assert_frame_equal(found, wanted, check_names=False)


def test_fractions_are_rounded_to_four_decimals_in_each_row(shop, tables):
    sql = "sum(orders.amount / 7.0) / count(orders.order_id)"
    found = sides(metrics.per_customer(metric(sql, unit="money"), shop, LAST))
    rows = inside(tables["orders"], "ordered_on")
    by = rows.assign(part=(rows["amount"] / 7 * 10_000).round()).groupby("customer_id")
    assert found["y"].tolist() == by["part"].sum().astype("int64").tolist()
    assert found["x"].tolist() == (by.size() * 10_000).tolist()


def test_days_are_counted_per_customer(shop, tables):
    sql = "count(orders.order_id) / count(distinct orders.ordered_on)"
    found = sides(metrics.per_customer(metric(sql, unit="per_customer"), shop, LAST))
    by = inside(tables["orders"], "ordered_on").groupby("customer_id")
    assert found["x"].tolist() == by["ordered_on"].nunique().tolist()


def test_lines_have_the_day_of_their_order(shop, tables):
    sql = "sum(order_lines.quantity * order_lines.unit_price)"
    total = sides(metrics.total(metric(sql, unit="money"), shop, LAST))["y"].sum()
    lines = tables["order_lines"].merge(tables["orders"], on="order_id")
    lines = inside(lines, "ordered_on")
    assert total == (lines["quantity"] * lines["unit_price"]).sum()


def test_a_factor_stays_exact(shop):
    plain, tenths = metric(REFUNDS), metric(f"0.1 * {REFUNDS}")
    one, other = (sides(metrics.per_customer(each, shop, LAST)) for each in (plain, tenths))
    assert other["y"].tolist() == one["y"].tolist()
    assert other["x"].tolist() == (10 * one["x"]).tolist()


def test_a_condition_is_judged_before_the_value(shop):
    percent = "sum(orders.amount / orders.discount) filter (where orders.discount > 0)"
    sql = f"{percent} / count(orders.order_id)"
    assert len(sides(metrics.per_customer(metric(sql, unit="per_customer"), shop, LAST)))


def test_neither_order_of_rows_nor_threads_change_anything(tables):
    con = engine.connect()
    sql = "sum(orders.amount / 7.0) / sum(orders.amount)"
    found = []
    for threads, seed in ((1, 1), (2, 2)):
        con.raw_sql(f"SET threads = {threads}")
        mixed = {name: rows.sample(frac=1, random_state=seed) for name, rows in tables.items()}
        shop = drawn.shop(mixed, con=con)
        found.append(sides(metrics.per_customer(metric(sql), shop, LAST)))
    pd.testing.assert_frame_equal(*found)


def test_a_day_outside_the_period_counts_for_nothing(shop):
    empty = Period(first=dt.date(2024, 1, 1), last=dt.date(2024, 1, 31))
    assert sides(metrics.per_customer(metric(REFUNDS), shop, empty)).empty


def refusal(sql="", **settings):
    """Return what is said of a metric that is not read."""
    with pytest.raises(ValidationError) as caught:
        metric(sql, **settings)
    return str(caught.value)


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("avg(orders.amount)", "write sum(orders.amount) / count(orders.amount)."),
        ("median(orders.amount)", "cannot be added up over customers"),
        ("max(orders.amount) / count(orders.order_id)", "cannot be added up"),
        ("sum(orders.amount) - sum(returns.amount)", "cannot be added up"),
        ("sum(orders.amount) * sum(returns.amount)", "cannot be added up"),
        ("sum(orders.amount) over () / count(orders.order_id)", "cannot be added up"),
        ("orders.amount", "cannot be added up"),
        ("sum()", "not a valid SQL expression"),
        ("sum(amount) / count(orders.order_id)", "write each column as table.column"),
        ("count(*) / count(orders.order_id)", "names no column and so no table; write count("),
        ("sum(order.amount)", "has no table 'order'. Did you mean 'orders'?"),
        ("sum(returns.amont)", "has no column 'amont'. Did you mean 'amount'?"),
        ("sum(orders.amount - returns.amount)", "about one table, but names orders and returns"),
        ("sum(orders.amount) filter (where returns.amount > 1)", "about one table"),
        ("count(distinct orders.coupon)", "does not add up over customers"),
        ("sum(distinct orders.amount)", "does not add up over customers"),
        ("sum(orders.amount) / sum(orders.amount) / sum(orders.amount)", "may divide once only"),
        ("sum((select 1)) / sum(orders.amount)", "names no column"),
        ("sum(orders.amount + (select 1))", "no query"),
        ("sum(orders.amount + random()) / sum(orders.amount)", "nothing random"),
        ("count(*) filter (where orders.ordered_on > current_date)", "no present time"),
        ("sum(sum(orders.amount))", "no sum or window over rows"),
        ("sum(orders.amount", "not a valid SQL expression"),
        ("sum(orders.amount) from orders", "must be one SQL expression, not a query"),
        ("sum(orders.amount); drop table orders", "must be one SQL expression, not a query"),
        ("", "needs either `sql` or `ibis`"),
        ("(" * 2000 + "1" + ")" * 2000, "not a valid SQL expression"),
        ("0.0000001 * sum(orders.amount) / sum(orders.amount)", "the factor 1e-07"),
    ],
)
def test_a_formula_is_refused_with_what_to_write(sql, said):
    assert said in refusal(sql)


@pytest.mark.parametrize(
    ("ibis", "said"),
    [
        ("__import__('os').system('true')", "a column has no method 'system'."),
        ("orders.amount.__class__.__base__", "is not understood"),
        ("orders.amount.execute()", "a column has no method 'execute'."),
        ("orders.amount.sum().to_csv('x')", "a column has no method 'to_csv'."),
        ("orders.execute()", "a column has no method 'execute'."),
        ("(lambda: 1)()", "is not understood"),
        ("[x for x in orders]", "is not understood"),
        ("orders['amount'].sum()", "is not understood"),
        ("open('x')", "is not understood"),
        ("'{0}'.lower()", "is not understood"),
        ("'a' * 1000000000", "only arithmetic"),
        ("2 ** 1000000000", "only arithmetic"),
        ("1 / 0", "division by zero"),
        ("orders.amount", "it is no one number; end it with .sum() or .count()."),
        ("orders.amount.sum() if 1 else 2", "is not understood"),
        ("order.amount.sum()", "a shop has no table 'order'. Did you mean 'orders'?"),
        ("returns.amont.sum()", "returns has no column 'amont'. Did you mean 'amount'?"),
        ("orders.amount.sum(were=orders.amount > 1)", "sum has no keyword 'were'."),
        ("orders.amount.mean()", "write sum(orders.amount) / count(orders.amount)."),
        ("orders.amount.sum(where=returns.amount > 1)", "over one table"),
        ("orders.amount.sum() - returns.amount.sum()", "over one table, or one divided by"),
        ("orders.amount.sum(", "cannot be read: '(' was never closed"),
        ("orders.coupon.sum()", "orders.coupon has no sum(), as its type is string."),
        ("orders.amont.sum()", "any column that the contract does not know, is text."),
    ],
)
def test_an_ibis_formula_is_read_and_never_run(ibis, said):
    assert said in refusal(ibis=ibis)


def test_a_formula_in_both_languages_is_refused():
    assert "needs either" in refusal(REFUNDS, ibis="orders.amount.sum()")


@pytest.mark.parametrize(
    ("sql", "unit", "said"),
    [
        ("sum(orders.amount)", "share", "is a total, whose unit is count or money"),
        (REFUNDS, "count", "is a quotient, whose unit is share or money or per_customer"),
        ("sum(orders.amount) / count(orders.order_id)", "per_customer", "its unit is money"),
        ("sum(order_lines.quantity * order_lines.unit_price)", "count", "its unit is money"),
        ("sum(coalesce(orders.discount, 0))", "count", "its unit is money"),
        ("count(orders.order_id)", "money", "is no amount of money"),
        (REFUNDS, "money", "is no amount of money"),
        ("0.5 * sum(orders.amount)", "money", "takes no fraction as a factor"),
    ],
)
def test_a_unit_that_the_formula_cannot_have_is_refused(sql, unit, said):
    assert said in refusal(sql, unit=unit)


@pytest.mark.parametrize(
    "sql",
    [
        "sum(orders.discount / orders.amount) / count(orders.order_id)",
        "sum(case when orders.amount > 5000 then 1 else 0 end) / count(orders.order_id)",
    ],
)
def test_what_money_is_divided_by_or_compared_with_is_no_amount(sql):
    assert metric(sql, unit="share").formula.over.is_money is False


@pytest.mark.parametrize("name", ["revenue", "returned_90", "mine_before", "mine_change", "Mine"])
def test_a_name_that_results_have_already_is_refused(name):
    assert "name" in refusal(REFUNDS, name=name)


@pytest.mark.parametrize("words", ["", " ", "x" * 61, "a\x00b"])
def test_labels_fit_a_line(words):
    assert "plain text" in refusal(REFUNDS, label=words)
    assert "plain text" in refusal(REFUNDS, owner=words)


def written(tmp_path, *entries, **settings):
    fields = {
        "name": "refund_share",
        "label": "Refunds",
        "sql": REFUNDS,
        "unit": "share",
        "better": "lower",
        "owner": "Finance",
        "review_by": dt.date(2027, 3, 31),
    }
    path = tmp_path / "metrics.yml"
    every = [fields | entry for entry in entries] or [fields | settings]
    path.write_text(yaml.safe_dump({"metrics": every}), encoding="utf-8")
    return path


def test_a_file_is_read(tmp_path):
    (found,) = metrics.load(written(tmp_path))
    assert (found.name, found.owner, found.review_by) == (
        "refund_share",
        "Finance",
        dt.date(2027, 3, 31),
    )


def test_the_example_of_the_demo_shop_can_be_used():
    root = Path(__file__).parents[2]
    found = metrics.load(root / "data" / "demo_metrics.yml")
    assert [metric.is_total for metric in found] == [False, False, False, False, True]


def test_a_file_may_be_empty_of_metrics(tmp_path):
    path = tmp_path / "metrics.yml"
    path.write_text("metrics: []", encoding="utf-8")
    assert metrics.load(path) == metrics.load("") == ()


def refused(path):
    with pytest.raises(BadParameter) as caught:
        metrics.load(path)
    assert str(path) in str(caught.value)
    return str(caught.value)


def test_a_file_that_cannot_be_used_is_refused_by_name(tmp_path):
    assert "No such file" in refused(tmp_path / "none.yml")
    assert "metrics.0.beter is not a setting. Did you mean 'better'?" in refused(
        written(tmp_path, beter="lower")
    )
    assert "'up'" in refused(written(tmp_path, better="up"))
    assert "Did you mean 'orders'?" in refused(written(tmp_path, sql="sum(order.amount)"))
    assert "metric 'refund_share'" in refused(written(tmp_path, sql="avg(orders.amount)"))
    assert "two metrics have the name" in refused(written(tmp_path, {}, {"label": "Other"}))
    assert "two metrics have the label" in refused(written(tmp_path, {}, {"name": "other"}))


def test_a_total_has_no_two_sides(shop):
    with pytest.raises(BadParameter, match="is a total, which cannot be split"):
        metrics.per_customer(metric("count(orders.order_id)", unit="count"), shop, LAST)


def test_a_column_that_the_shop_lacks_is_refused_with_the_nearest(shop):
    wrong = metric("sum(orders.amount) filter (where orders.contry = 'UK') / sum(orders.amount)")
    with pytest.raises(BadParameter, match=r"metric 'mine'.*'contry'. Did you mean 'country'\?"):
        metrics.per_customer(wrong, shop, LAST)


def test_a_sum_of_text_is_refused(shop):
    wrong = metric("sum(orders.coupon) / count(orders.order_id)", unit="per_customer")
    with pytest.raises(BadParameter, match="must add up numbers, but they are of the type string"):
        metrics.per_customer(wrong, shop, LAST)


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        (
            "sum(orders.amount / orders.discount) / sum(orders.amount)",
            "divides by zero in some row",
        ),
        ("sum(cast(orders.coupon as int)) / sum(orders.amount)", "Could not convert string"),
        ("sum(nonsense(orders.amount)) / sum(orders.amount)", "engine refuses"),
    ],
)
def test_what_the_engine_cannot_compute_is_said_of_the_metric(shop, sql, said):
    with pytest.raises(BadParameter, match=said) as caught:
        metrics.per_customer(metric(sql, unit="per_customer"), shop, LAST)
    assert "metrics.yml, metric 'mine'" in str(caught.value)


def test_a_table_that_the_shop_lacks_is_listed(tables):
    shop = drawn.shop({name: tables[name] for name in ("customers", "orders")})
    assert metrics.lacking(metric(REFUNDS), shop) == ["returns"]
    with pytest.raises(BadData, match="Shop has no returns"):
        metrics.per_customer(metric(REFUNDS), shop, LAST)


def test_the_definition_changes_with_the_formula():
    assert REFUNDS in metric(REFUNDS).definition
    assert metric(REFUNDS).definition != metric(f"2 * {REFUNDS}").definition
