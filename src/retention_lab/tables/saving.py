"""Saving a cohort: by a condition or as a list; the condition may be that of a report's result."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TypedDict, Unpack

import pyarrow as pa
import pyarrow.parquet as pq
import yaml

from retention_lab import checks
from retention_lab.tables import engine, population, saved
from retention_lab.tables.saved import IDS, Cohort
from retention_lab.tables.shaping import EXAMPLES
from retention_lab.tables.snapshot import Snapshot
from retention_lab.tables.source import find

RESULTS = "results.json"


class Words(TypedDict, total=False):
    """What people say of a cohort."""

    about: str
    owner: str


def save(
    name: str,
    *,
    shop: Snapshot,
    where: str = "",
    ids: Iterable[object] | None = None,
    replace: bool = False,
    **words: Unpack[Words],
) -> Cohort:
    """Save customers of a snapshot under a name.

    Parameters
    ----------
    name
        Of small letters, digits, hyphens and underscores.
    shop
        The snapshot; what it was filtered by becomes part of the rule.
    where, ids
        Either a condition, asked afresh of each snapshot, or the ids of customers, who stay the
        same.
    replace
        Whether a cohort of that name may be there; it is then gone.
    **words
        `about` (why it exists) and `owner`.

    Raises
    ------
    BadParameter
        When the name is taken, the condition is not understood or uses this very cohort, or
        nothing can be written.
    BadData
        When it is nobody, or an id is of no customer of the snapshot.
    """
    file = saved.folder() / f"{saved.named(name)}.yml"
    if file.exists() and not replace:
        raise checks.BadParameter(
            f"There is a cohort {name!r} already: {file}. Choose another name, or pass "
            "replace=True if that one is no longer wanted."
        )
    rule = population.both(shop.where, where)
    if (where and ids is not None) or not (rule or ids is not None):
        raise checks.BadParameter(f"The cohort {name!r} needs either a condition or ids.")
    listed = None if ids is None else _known(shop, ids, name=name)
    made = _by_rule(rule, shop, name=name) if listed is None else _by_list(listed, name=name)
    cohort = Cohort(
        name=name,
        **words,
        **made,
        source=shop.name,
        saved_as_of=shop.as_of,
        file=file,
    )
    write(cohort, ids=listed)
    return cohort


def from_report(path: str | Path, result: str = "returned", *, notebook: str | None = None) -> str:
    """Return the condition that chooses the customers whom a result of a report is about.

    Parameters
    ----------
    path
        The folder of a report, or the `results.json` in it; looked for here and in the folders
        above.
    result
        The name of the result.
    notebook
        The notebook that recorded it; needed where several did, of other customers.

    Raises
    ------
    BadParameter
        When there is no such report, notebook or result, or the result is about no customers whom
        a condition could choose.
    """
    place = find(path)
    file = place / RESULTS if place.is_dir() else place
    told = _read(file)
    if notebook is not None:
        checks.known(f"{file}", "notebook", [notebook], told)
        told = {notebook: told[notebook]}
    results = [one for page in told.values() for one in page["results"]]
    checks.known(f"{file}", "result", [result], dict.fromkeys(one["name"] for one in results))
    found = {one.get("population", "") for one in results if one["name"] == result}
    if len(found) > 1:
        raise checks.BadParameter(
            f"{file} has the result {result!r} of several notebooks: {', '.join(told)}. Name one."
        )
    condition = str(found.pop())
    if not condition:
        others = [one["name"] for one in results if one.get("population")]
        raise checks.BadParameter(
            f"The result {result!r} in {file} is about no customers whom a condition could "
            f"choose. These are: {', '.join(others) or 'none'}."
        )
    return condition


def _read(file: Path) -> dict[str, Any]:
    try:
        notebooks = json.loads(file.read_text(encoding="utf-8"))["notebooks"]
        return {str(name): page for name, page in notebooks.items() if "results" in page}
    except FileNotFoundError as error:
        raise checks.BadParameter(
            f"There is no {file}. Name the folder of a report, such as reports/weekly/latest."
        ) from error
    except (OSError, ValueError, LookupError, AttributeError, TypeError) as error:
        raise checks.BadParameter(f"{file} does not hold the results of a report.") from error


def _known(shop: Snapshot, ids: Iterable[object], *, name: str) -> pa.Table:
    """Give ids as the snapshot spells them, each once, in order.

    Raises
    ------
    BadData
        When there is none, or one is of no customer of the snapshot.
    """
    texts = sorted({_text(each) for each in ids})
    if not texts:
        raise checks.BadData(f"The cohort {name!r} would have no customer: no ids were given.")
    listed = pa.table([texts], schema=IDS)
    rows = engine.put(listed, con=shop.customers.get_backend())
    lost = rows.anti_join(shop.customers, "customer_id")
    number = population.count(lost)
    if number:
        few = engine.collect(lost.order_by("customer_id").limit(EXAMPLES))
        examples = ", ".join(map(repr, few["customer_id"]))
        raise checks.BadData(
            f"{number:,} of the {len(texts):,} ids for the cohort {name!r} are of no customer of "
            f"{shop.name} as of {shop.as_of}, for example {examples}. Leave them out, or take a "
            "later snapshot."
        )
    return listed


def _text(value: object) -> str:
    """Spell an id as snapshots do: a whole number stored with a fraction is the id it once was."""
    whole = isinstance(value, float) and value.is_integer()
    return str(int(value) if whole else value).strip()  # type: ignore[call-overload]


def _by_rule(rule: str, shop: Snapshot, *, name: str) -> dict[str, Any]:
    population.spelled_out(rule, of=name)  # refuses a circle
    return {"where": rule, "customers": population.count(population.chosen(shop, rule))}


def _by_list(ids: pa.Table, *, name: str) -> dict[str, Any]:
    return {"ids": f"{name}.parquet", "ids_hash": saved.hash_of(ids), "customers": ids.num_rows}


def write(cohort: Cohort, *, ids: pa.Table | None) -> None:
    """Write the files of a cohort, each whole or not at all; only their owner may read a list."""
    fields = cohort.model_dump(exclude_defaults=True, exclude_none=True)
    text = yaml.safe_dump(fields, sort_keys=False, allow_unicode=True)
    place, listed = cohort.file.parent, cohort.file.with_suffix(".parquet")
    try:
        place.mkdir(parents=True, exist_ok=True)
        if ids is not None:
            _ignore_lists(place / ".gitignore")
            _swap(listed, lambda fresh: pq.write_table(ids, fresh))
        _swap(cohort.file, lambda fresh: fresh.write_text(text, encoding="utf-8"), mode=0o644)
        if ids is None:
            listed.unlink(missing_ok=True)
    except OSError as error:
        raise checks.BadParameter(
            f"The cohort {cohort.name!r} cannot be written to {place} ({error.strerror}). Set "
            "RETENTION_LAB_COHORTS to a folder for cohorts."
        ) from error


def _ignore_lists(file: Path) -> None:
    """Keep lists of customers out of version control."""
    if not file.exists():
        file.write_text("*.parquet\n", encoding="utf-8")


def _swap(file: Path, write: Callable[[Path], object], *, mode: int = 0o600) -> None:
    fresh = file.with_name(f".{file.name}-{uuid.uuid4().hex}")
    fresh.touch(mode=mode)
    try:
        write(fresh)
        fresh.replace(file)
    finally:
        fresh.unlink(missing_ok=True)
