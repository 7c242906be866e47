"""The contracts, and `data/README.md`, which describes them and the source file."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from retention_lab.tables import location, parsing, source, tablemap
from retention_lab.tables.contracts import CONTRACTS, NO_ORDER, reasons

from .shops import orders_map

README = (Path(__file__).parents[2] / "data" / "README.md").read_text(encoding="utf-8")
MODELS = [
    source.Source,
    source.ControlTotal,
    tablemap.TableMap,
    tablemap.ColumnMap,
    tablemap.Rule,
    location.Location,
    location.Lookup,
]


def described(column):
    """Return the line of the README for one column of a contract."""
    kind = column.kind + (", known later" if column.later_known else "")
    kind += f", known with `{column.known_with}`" if column.known_with else ""
    needed = "to derive orders" if column.only_if_mapped else "yes" if column.required else ""
    limit = "above 0" if column.above == 0 else "0 or more" if column.least == 0 else ""
    limit = ", ".join(map(str, column.one_of)) or limit
    return "| " + " | ".join((f"`{column.name}`", kind, needed, limit)) + " |"


@pytest.mark.parametrize("name", list(CONTRACTS))
def test_readme_describes_every_column_of_a_contract(name):
    contract = CONTRACTS[name]
    section = README.split(f"### {name}\n")[1].split("\n#")[0]
    table = re.findall(r"^\| `.*$", section, re.MULTILINE)
    assert [re.sub(" +", " ", line) for line in table] == [
        re.sub(" +", " ", described(column)) for column in contract.columns
    ]
    first = " ".join(section.split(".")[0].split())
    for key in contract.key:
        assert f"`{key}`" in first
    for earlier, later in contract.ordered:
        assert f"`{later}` before `{earlier}`" in " ".join(section.split())


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_readme_names_every_setting(model):
    for name in set(model.model_fields) - {"file"}:
        assert re.search(rf"\b{name}\b", README), name


def test_readme_names_every_directive_of_a_format():
    [line] = [line for line in README.splitlines() if "%Y %y" in line]
    assert line[line.index("%") :].split("`")[0].split() == list(parsing._DIRECTIVES)


def test_readme_names_every_kind_of_reason():
    columns = {name: [column.name for column in one.columns] for name, one in CONTRACTS.items()}
    every = {reason for name, one in CONTRACTS.items() for reason in reasons(one, columns[name])}
    kinds = {re.sub(r"\w+ before", "before", reason).rpartition(" ")[0] for reason in every}
    assert len(kinds) == 8
    for kind in kinds:
        assert re.search(rf"[`>] ?{kind} <", README), kind
    assert f"`{NO_ORDER}`" in README


def yaml_blocks():
    about_sources = README.split("\n## Populations\n")[0]
    return re.findall(r"```yaml\n(.*?)```", about_sources, re.DOTALL)


def test_first_example_of_the_readme_is_a_source_file():
    loaded = source.parse(yaml_blocks()[0], file=Path("shop.yml"))
    assert loaded.tables["orders"].leave_out[1].reason == "staff order"


def test_places_of_the_readme_are_understood():
    for line in yaml_blocks()[1].splitlines():
        rows = yaml.safe_load(line)["rows"]
        assert location.Location.model_validate(rows).kind


def test_other_examples_of_the_readme_are_understood():
    table = orders_map()
    fields = {"name": "x", "time_zone": "UTC", "currency": "GBP", "tables": {"orders": table}}
    for text in yaml_blocks()[2:]:
        for name, value in yaml.safe_load(text).items():
            (fields if name == "control_totals" else table)[name] = value
    loaded = source.parse(yaml.safe_dump(fields), file=Path("shop.yml"))
    assert set(loaded.tables["orders"].attributes) == {"country", "acquisition_channel"}
    assert loaded.control_totals[0].amount == 58310.5


def test_reasons_are_those_of_mapped_columns():
    found = reasons(CONTRACTS["orders"], ["order_id", "amount", "shipped_at"])
    assert found == [
        "missing order_id",
        "missing amount",
        "unparseable shipped_at",
        "not a number: amount",
        "negative amount",
    ]
    assert CONTRACTS["orders"].column("country").kind == "text"
