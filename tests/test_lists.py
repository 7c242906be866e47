"""The lists of customers who moved, from the command line."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from retention_lab import cli

SOURCE = """
name: Corner shop
about: A shop of a few customers, some of whom buy more of late.
time_zone: UTC
currency: GBP
complete_to: 2025-06-30
tables:
  orders:
    rows: {path: orders.csv}
    columns: {order_id: order_id, customer_id: customer_id, ordered_at: ordered_at, amount: amount}
  consents:
    rows: {path: consents.csv}
    columns: {customer_id: customer_id, channel: channel, valid_from: valid_from, granted: granted}
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Write a shop whose last five customers rise, and in which some always slip."""
    folder, rng = tmp_path_factory.mktemp("project"), np.random.default_rng(1)
    gaps = rng.exponential(rng.gamma(2, 30, (300, 1)), (300, 30))
    ago = rng.uniform(70, 450, (300, 1)) - np.c_[np.zeros(300), gaps.cumsum(axis=1)]
    rows = [(f"c{who:03d}", day) for who, days in enumerate(ago) for day in days if day > 0]
    rows += [(f"r{who}", day) for who in range(5) for day in (400, 250, *range(1, 25, 2))]
    orders = pd.DataFrame(rows, columns=["customer_id", "ago"])
    days = pd.to_timedelta(orders.pop("ago").round(), unit="D")
    orders["ordered_at"] = pd.Timestamp("2025-06-30 12:00") - days
    orders["amount"] = rng.gamma(3, 10, len(orders)).round(2)
    orders["order_id"] = [f"o{number}" for number in range(len(orders))]
    orders.to_csv(folder / "orders.csv", index=False)
    consents = pd.DataFrame({"customer_id": orders["customer_id"].unique(), "channel": "email"})
    consents.assign(valid_from="2023-01-01", granted=True).to_csv(folder / "consents.csv")
    (folder / "corner.yml").write_text(SOURCE, encoding="utf-8")
    return folder


@pytest.fixture
def listed(made, monkeypatch, capsys):
    """Run a command in the project; return its exit code and what it wrote to both streams."""
    monkeypatch.chdir(made)

    def run(*arguments):
        code = cli.main(["list", *arguments])
        out, err = capsys.readouterr()
        return code, out.splitlines(), err.splitlines()

    return run


def test_who_rose_is_listed_with_the_reason_and_the_caution(listed):
    code, out, err = listed("rising", "corner.yml", "--hold-back=0.01")
    file = Path("lists/corner-rising-2025-06-30-email.csv")
    assert (code, out) == (0, [str(file)])
    assert file.stat().st_mode & 0o777 == 0o600
    assert "bought on 12 days of the last 30, where about" in file.read_text(encoding="utf-8")
    assert err[0].startswith("5 customers to contact by email, as of 2025-06-30, out of 5 who may")
    assert err[2].startswith("Of every 100 alerts about 10 are noise by design")


def test_who_slipped_is_listed_and_the_next_list_tells_of_lists_that_are_alike(listed):
    then = ("--as-of=2025-06-15", "--hold-back=0.01", "--out=then.csv", "--days=60")
    assert listed("slipped", "corner.yml", *then)[0] == 0
    code, out, err = listed("slipped", "corner.yml", "--hold-back=0.01")
    assert (code, out) == (0, ["lists/corner-slipped-2025-06-30-email.csv"])
    assert "; now mid-value repeat, last bought" in Path(out[0]).read_text(encoding="utf-8")
    assert any(line.startswith("The lines between groups are drawn of") for line in err)
    assert err[-1].startswith("The list of 2025-06-15 for email: nothing is claimed.")
    code, _out, err = listed("rising", "corner.yml")
    assert (code, [line for line in err if "2025-06-15" in line]) == (0, [])


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("rising", "corner.yml", "--channel=telegraph"), 2, "no channel 'telegraph'"),
        (("slipped", "corner.yml", "--thresholds=absent.yml"), 2, "absent.yml"),
        (("slipped", "corner.yml", "--days=0"), 2, "days must be at least 1"),
        (("rising", "corner.yml", "--out=list.xlsx"), 2, "list.xlsx"),
        (("rising", "corner.yml", "--as-of=2024-05-01"), 3, "so"),
    ],
)
def test_what_does_not_fit_is_told_in_a_sentence_and_nothing_is_written(
    listed, arguments, code, said
):
    found, out, err = listed(*arguments, "--state=other")
    assert (found, out) == (code, [])
    assert said in err[0]
