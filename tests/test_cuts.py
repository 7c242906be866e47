"""Cut lines from the command line: frozen once, whole or not at all, and reviewed."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pandas as pd
import pytest

from retention_lab import cli
from retention_lab.customers import thresholds

SHOP = """
name: Corner shop
time_zone: Europe/London
currency: GBP
complete_to: 2026-11-29
tables:
  orders:
    rows: orders.csv
    columns: {order_id: id, customer_id: who, ordered_at: at, amount: paid}
"""
OWN = Path("data/thresholds.yml")
ASKED = ("--owner=Lifecycle", "--review-by=2027-03-31")


def orders(customers):
    """Each customer buys once or twice; the later, the dearer."""
    rows = ["id,who,at,paid"]
    for who in range(customers):
        for again in range(1 + who % 2):
            month = 1 + (who + 5 * again) % 11
            rows.append(f"{2 * who + again},c{who},2026-{month:02}-10 10:00:00,{month * 3}.50")
    return "\n".join(rows)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Make a shop of 60 customers."""
    folder = tmp_path_factory.mktemp("project")
    (folder / "shop.yml").write_text(SHOP, encoding="utf-8")
    (folder / "orders.csv").write_text(orders(60), encoding="utf-8")
    return folder


@pytest.fixture
def cuts(made, monkeypatch, capsys):
    """Run the command in the shop; return its exit code and what it wrote to both streams."""
    monkeypatch.chdir(made)

    def run(*arguments):
        code = cli.main(["cuts", "shop.yml", *arguments])
        out, err = capsys.readouterr()
        return code, out.splitlines(), err.splitlines()

    return run


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "Say --owner and --review-by"),
        (("--owner=Lifecycle", "--review-by=soon"), "--review-by must be a day such as"),
        (("--owner=Lifecycle", "--review-by=2026-11-29"), "must be after 2026-11-29"),
        ((*ASKED, "--method=fixed"), "cuts has no method 'fixed'. It has: quantile, nested."),
        (("--review=absent.yml",), "absent.yml cannot be read"),
    ],
)
def test_what_does_not_fit_is_one_sentence_and_no_file(cuts, arguments, said):
    code, out, [sentence] = cuts(*arguments)
    assert (code, out) == (2, [])
    assert said in sentence
    assert not OWN.exists()


def test_lines_are_frozen_once_reviewed_and_replaced_only_on_request(cuts):
    code, out, err = cuts(*ASKED, "--as-of=2026-08-31")
    assert (code, out) == (0, [str(OWN)])
    assert err == [
        "Lines of those who bought in the 365 days to 2026-08-31; Lifecycle answers for them until "
        "2027-03-31.",
        "A suite uses them if it says `thresholds: data/thresholds.yml`, or says nothing, as it "
        "looks there.",
    ]
    before, kept = OWN.read_bytes(), thresholds.load(OWN, currency="GBP")
    assert (kept.method, kept.within, kept.as_of) == ("quantile", 365, dt.date(2026, 8, 31))
    rows = pd.read_csv("orders.csv")
    spent = rows[rows["at"] < "2026-09"].groupby("who")["paid"].sum()
    # numpy's default quantile is of the seventh type, to which a whole unit is added
    want = spent.quantile([0.2, 0.4, 0.6, 0.8]) + 1
    assert kept.cuts.monetary["all"] == pytest.approx(tuple(want))

    code, out, [sentence] = cuts(*ASKED)
    assert (code, out) == (2, [])
    assert sentence.startswith("data/thresholds.yml exists, and pages may rest on its lines.")

    code, out, [lines, drifted] = cuts(f"--review={OWN}")
    assert (code, lines) == (
        0,
        "The lines are of 2026-08-31 (quantile); Lifecycle answers for them, and their review is "
        "due by 2027-03-31.",
    )
    rows = {line.split()[0]: line.split()[1:] for line in out[-3:]}
    assert list(rows) == ["recency", "frequency", "monetary"]
    for name, (index, by_chance) in rows.items():
        assert f"{name} {index} (" in drifted
        assert float(by_chance) > 0
    assert drifted.endswith("into another named segment.")
    assert OWN.read_bytes() == before

    code, _out, [sentence] = cuts(f"--review={OWN}", "--as-of=2026-07-31")
    assert code == 2
    assert sentence.startswith("The lines are of 2026-08-31, so nothing can be reviewed as of")

    assert cuts(*ASKED, "--replace", "--method=nested")[0] == 0
    assert thresholds.load(OWN, currency="GBP").method == "nested"


def test_review_of_a_few_customers_tells_nothing(cuts):
    Path("orders.csv").write_text(orders(9), encoding="utf-8")
    cuts(*ASKED, "--out=few.yml")
    code, out, err = cuts("--review=few.yml")
    assert (code, out) == (0, [])
    assert err[1] == "Fewer than 10 customers have bought by 2026-11-29, so nothing is shown."
