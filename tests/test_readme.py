"""What the README tells people to do, done."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from retention_lab import cli
from retention_lab.tables.simulator import simulate

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    found = re.findall(rf"^( *)```{language}\n(.*?)^ *```", README, re.MULTILINE | re.DOTALL)
    return [re.sub(rf"^{indent}", "", text, flags=re.MULTILINE) for indent, text in found]


def commands(program: str) -> list[str]:
    lines = [line for text in blocks("console") for line in text.splitlines()]
    return [line[2:].split("#")[0].strip() for line in lines if line.startswith(f"$ {program} ")]


def test_readme_opens_with_the_two_commands():
    assert commands("make") == ["make report", "make test"]
    assert README.index("$ make report") < 500


@pytest.mark.parametrize(
    "target", sorted(set(re.findall(r"`?make ([a-z-]+)`?", README)) - {"sure"})
)
def test_readme_names_targets_that_the_makefile_has(target):
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)


@pytest.mark.parametrize("command", sorted(set(re.findall(r"\| `retention-lab (\w+)", README))))
def test_readme_names_commands_that_exist(command, capsys):
    assert cli.main([command, "--help"]) == 0
    assert command in capsys.readouterr().out


@pytest.mark.parametrize("link", sorted(set(re.findall(r"\]\(([^)#]+)\)", README))))
def test_readme_links_lead_somewhere(link):
    assert (ROOT / link).exists()


def test_readme_takes_a_new_user_from_orders_to_a_report(tmp_path):
    for folder in ("experiments", "notebooks"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    [header_and_rows], [source] = blocks("csv"), blocks("yaml")
    columns = header_and_rows.splitlines()[0].split(",")
    shop = simulate(tmp_path / "made-up", customers=2_000)
    orders = pd.read_parquet(shop / "orders.parquet", columns=columns)
    orders.assign(amount=orders["amount"] / 100).to_csv(tmp_path / "orders.csv", index=False)
    (tmp_path / "shop.yml").write_text(source, encoding="utf-8")

    followed = commands("retention-lab")
    for command in followed:
        done = subprocess.run(
            [sys.executable, "-m", "retention_lab", *command.split()[1:]],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr

    assert [command.split()[1] for command in followed] == ["check", "run"]
    [page] = (tmp_path / "reports" / "overview").glob("2*/10_retention_overview.html")
    assert "customers came back" in page.read_text(encoding="utf-8")
