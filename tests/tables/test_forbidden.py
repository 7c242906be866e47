"""What gives other numbers on another engine, day or number of threads is not in the package."""

from __future__ import annotations

import re
from pathlib import Path

import ibis
import ibis.expr.operations as ops
import pytest

import retention_lab
from retention_lab.customers.activity import activity_tiers
from retention_lab.customers.cohorts import calendar_triangle, own_clock_triangle, returned
from retention_lab.tables import quality, snapshot

from .shops import CON
from .test_snapshot import AS_OF, tables_of_a_shop, whole_shop

FILES = sorted(Path(retention_lab.__file__).parent.rglob("*.py"))
FORBIDDEN = {  # why: the pattern, and a line that it must find
    "day boundaries on DuckDB, elapsed days on Spark": (
        r"\.delta\(",
        'end.delta(start, unit="day")',
    ),
    "a cast to a zone, which both engines ignore": (
        r"cast\(\s*f?[\"']timestamp\(\s*[\"']",
        "time.cast(\"timestamp('Europe/London')\")",
    ),
    "fractions of a second on DuckDB": (
        r"(?<!truncate\(\"s\"\))\.epoch_seconds\(",
        "time.epoch_seconds()",
    ),
    "missing on Spark": (r"asof_join|\.hash\(", "orders.asof_join(other, 'at')"),
    "the present": (
        r"\b(now|today|utcnow)\(\)|CURRENT_(DATE|TIME)",
        "dt.datetime.now()",
    ),
}


@pytest.mark.parametrize("why", list(FORBIDDEN))
def test_forbidden_expression_stands_nowhere(why):
    pattern, example = FORBIDDEN[why]
    found = [
        f"{path.name}: {line.strip()}"
        for path in FILES
        for line in path.read_text(encoding="utf-8").splitlines()
        if re.search(pattern, line)
    ]
    assert found == []
    assert re.search(pattern, example)
    assert not re.search(pattern, 'end.truncate("s").epoch_seconds()')


FLOAT_SUMS = (ops.Sum, ops.Mean, ops.Variance, ops.StandardDev, ops.Covariance, ops.Correlation)


def sums_floats(expr):
    """Return the sums, means and variances of floats in an expression: they depend on threads."""
    sums = expr.op().find(FLOAT_SUMS)
    return [op for op in sums if any(arg.dtype.is_floating() for arg in op.args[:1])]


def test_no_float_is_summed_in_the_engine(tmp_path, monkeypatch):
    seen, fetch, cache = [], ibis.Table.to_pyarrow, ibis.Table.cache

    def spy(real):
        def method(expr, **kwargs):
            seen.append(expr)
            return real(expr, **kwargs)

        return method

    monkeypatch.setattr(ibis.Table, "to_pyarrow", spy(fetch))
    monkeypatch.setattr(ibis.Table, "cache", spy(cache))
    tables = tables_of_a_shop()
    source = whole_shop(tmp_path, {name: tables[name] for name in ("orders", "order_lines")})
    tables, _ = snapshot.cut(source, as_of=AS_OF, con=CON)
    quality.controls(source, AS_OF, tables)
    for collapse in (calendar_triangle, own_clock_triangle, activity_tiers):
        collapse(tables["orders"], as_of=AS_OF)
    returned(tables["orders"], as_of=AS_OF, days=30)
    assert len(seen) > 15
    assert [sums_floats(expr) for expr in seen if sums_floats(expr)] == []
    floats = CON.sql("select 0.5::double as x")
    assert sums_floats(floats.aggregate(x=floats.x.sum()))
