"""Saved cohorts: a population under a name, one YAML file each.

They lie in `data/cohorts/`, looked for in the working folder and those above it;
RETENTION_LAB_COHORTS names another folder.
"""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path
from typing import Annotated

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pydantic import Field, ValidationError, model_validator

from retention_lab import checks
from retention_lab.tables import fingerprint
from retention_lab.tables.location import Strict
from retention_lab.tables.settings import first_problem, read_yaml

IDS = pa.schema([("customer_id", pa.string())])
_NAME = re.compile("[a-z0-9][a-z0-9_-]{0,59}")


class Cohort(Strict):
    """Customers under a name: a rule, asked afresh of each snapshot, or a list that stays.

    A rule is an SQL condition (`where`), a list a Parquet file beside the cohort's (`ids`) with the
    hash of what it holds. `customers` is how many they were in the snapshot of `source` as of
    `saved_as_of`.
    """

    name: str
    about: str = ""
    owner: str = ""
    where: str | None = None
    ids: str | None = None
    ids_hash: str | None = None
    source: str
    saved_as_of: dt.date
    customers: Annotated[int, Field(ge=1)]
    file: Path = Field(default=Path("cohort.yml"), exclude=True)

    @model_validator(mode="after")
    def _rule_or_list(self) -> Cohort:
        if (self.where is None) == (self.ids is None) or (self.ids is None) != (
            self.ids_hash is None
        ):
            raise ValueError("give either `where`, or `ids` with `ids_hash`")
        if self.ids not in (None, f"{self.name}.parquet"):
            raise ValueError(f"`ids` must be {self.name}.parquet, got {self.ids!r}")
        return self


def folder() -> Path:
    """Return where the cohorts lie, or would."""
    return fingerprint.cohorts()


def names() -> list[str]:
    """List the saved cohorts."""
    return sorted(file.stem for file in folder().glob("*.yml"))


def named(name: str) -> str:
    """Return the name of a cohort, or refuse it: it is the name of a file, too.

    Raises
    ------
    BadParameter
        When it holds anything but small letters, digits, hyphens and underscores.
    """
    if not _NAME.fullmatch(name):
        raise checks.BadParameter(
            "A cohort has a name of small letters, digits, hyphens and underscores, such as "
            f"uk-august; got {name!r}."
        )
    return name


def load(name: str) -> Cohort:
    """Read a saved cohort.

    Raises
    ------
    BadParameter
        When there is none of that name, or its file does not fit.
    """
    there, place = names(), folder()
    if name not in there:
        raise checks.BadParameter(
            f"There is no cohort {name!r} in {place.absolute()}.{checks.did_you_mean(name, there)} "
            f"It has: {', '.join(there) or 'none'}. RETENTION_LAB_COHORTS may name another folder."
        )
    file = place / f"{name}.yml"
    fields = read_yaml(file.read_text(encoding="utf-8"), file=file)
    try:
        cohort = Cohort.model_validate({**fields, "file": file})
    except ValidationError as error:
        problem = first_problem(error, model=Cohort)
        raise checks.BadParameter(f"{file}: {problem}") from error
    if cohort.name != name:
        raise checks.BadParameter(f"{file} must say `name: {name}`, got {cohort.name!r}.")
    return cohort


def ids_of(cohort: Cohort) -> pa.Table:
    """Read the customers of a list: one column, `customer_id`, in order.

    Raises
    ------
    BadData
        When its file is missing or was changed.
    """
    file = cohort.file.with_name(str(cohort.ids))
    try:
        ids = pq.read_table(file, columns=["customer_id"]).cast(IDS)
    except (OSError, pa.ArrowInvalid, KeyError) as error:
        raise checks.BadData(
            f"{cohort.file} lists its customers in {file}, which cannot be read. Bring that file "
            "back, or save the cohort again."
        ) from error
    if hash_of(ids) != cohort.ids_hash:
        raise checks.BadData(
            f"{file} is not the list that {cohort.file} was saved with. Bring that list back, or "
            "save the cohort again."
        )
    return ids


def hash_of(ids: pa.Table) -> str:
    """Hash a list of customers, whatever their order."""
    column = ids["customer_id"]
    return fingerprint.sha(*column.take(pc.sort_indices(column)).to_pylist())
