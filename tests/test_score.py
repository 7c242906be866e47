"""The list of whom to contact, from the command line."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from retention_lab import cli
from retention_lab.tables.simulator import simulate

SOURCE = Path(__file__).parents[1] / "data/sources/demo.yml"
DAY = "--as-of=2026-11-29"
# Each further table makes every list take longer, and adds nothing to what is asked here.
TABLES = ("customers", "orders", "subscriptions", "consents")


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Make a small demo shop, without a playbook of its own."""
    folder = tmp_path_factory.mktemp("project")
    (folder / "data/sources").mkdir(parents=True)
    source = yaml.safe_load(SOURCE.read_text(encoding="utf-8"))
    source["tables"] = {name: source["tables"][name] for name in TABLES}
    text = yaml.safe_dump(source, sort_keys=False)  # consents come last
    (folder / "data/sources/demo.yml").write_text(text, encoding="utf-8")
    simulate(folder / "data/demo", customers=3_000)
    return folder


@pytest.fixture
def score(made, monkeypatch, capsys):
    """Run the command in the project; return its exit code and what it wrote to both streams."""
    monkeypatch.chdir(made)

    def run(*arguments):
        code = cli.main(["score", "data/sources/demo.yml", DAY, *arguments])
        out, err = capsys.readouterr()
        return code, out.splitlines(), err.splitlines()

    return run


def test_list_is_written_once_and_again_the_same(score):
    code, out, err = score("--capacity=100", "--hold-back=0.2")
    file = Path("lists/demo-2026-11-29-email.csv")
    assert (code, out) == (0, [str(file)])
    rows = file.read_text(encoding="utf-8").splitlines()
    held_back = 101 - len(rows)
    assert 5 < held_back < 40  # a fifth of 100; beyond four standard errors either way
    assert err[0].startswith(f"{len(rows) - 1} customers to contact by email, as of 2026-11-29")
    assert err[1].startswith(f"{held_back} more were held back at random: do not contact them.")
    assert file.stat().st_mode & 0o777 == 0o600
    before = file.read_bytes()
    assert score("--capacity=100", "--hold-back=0.2")[0] == 0
    assert file.read_bytes() == before


def test_next_list_says_whether_contact_helped(score):
    options = ("--capacity=600", "--hold-back=0.3", "--out=lists/then.csv", "--state=state-then")
    assert cli.main(["score", "data/sources/demo.yml", "--as-of=2026-08-30", *options]) == 0
    code, _out, err = score("--capacity=50", "--state=state-then")
    assert code == 0
    [said] = [line for line in err if line.startswith("1 list of 30 August 2026 for email")]
    assert "contacted customers stayed" in said
    assert said.endswith(("Contact helped.", "Contact did harm.", "cannot be told yet."))


def test_other_customers_channels_and_files_are_for_the_asking(score, tmp_path):
    file = tmp_path / "sms.parquet"
    where = "country = 'Germany'"
    code, out, err = score("--channel=sms", f"--out={file}", f"--where={where}", "--capacity=20")
    assert (code, out) == (0, [str(file)])
    assert "by sms" in err[0]
    assert file.is_file()


@pytest.mark.parametrize(
    ("option", "code", "said"),
    [
        ("--channel=telegraph", 2, "no channel 'telegraph'"),
        ("--capacity=0", 2, "capacity"),
        ("--hold-back=1.5", 2, "hold_back"),
        ("--out=list.xlsx", 2, "list.xlsx"),
        ("--playbook=data/absent.yml", 2, "absent.yml"),
    ],
)
def test_setting_that_does_not_fit_writes_nothing(score, option, code, said):
    found, out, err = score(option)
    assert (found, out) == (code, [])
    assert said in err[0]
    assert not Path("list.xlsx").exists()


@pytest.mark.usefixtures("score")
def test_shop_without_consents_has_no_list():
    bare = Path("data/sources/bare.yml")
    text = Path("data/sources/demo.yml").read_text(encoding="utf-8")
    bare.write_text(text[: text.index("  consents:")].replace("name: Demo", "name: Bare"))
    code = cli.main(["score", str(bare), DAY])
    assert code == 3
