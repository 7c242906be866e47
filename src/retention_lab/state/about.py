"""The file that says what a state holds; whatever it does not tell of never happened."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from retention_lab import checks
from retention_lab.state import files

ABOUT, LEDGERS, RESULTS = "state.json", "ledgers", "results"
CONTRACT = 1
REMEDY = (
    "Bring it back from a backup with `retention-lab restore FILE`; or begin anew on purpose, with "
    "another --state and another --out."
)


@dataclass(frozen=True, kw_only=True)
class Known:
    """What is known of a ledger: its key, and how long it is; `tail` is a checksum of its end."""

    key: tuple[str, ...]
    rows: int = 0
    bytes: int = 0
    tail: str = hashlib.sha256(b"").hexdigest()

    def fits(self, file: Path) -> bool:
        """Say whether a file begins with what is known."""
        return (
            file.is_file()
            and file.stat().st_size >= self.bytes
            and files.tail(file, self.bytes) == self.tail
        )


@dataclass(frozen=True, kw_only=True)
class About:
    """What `state.json` holds."""

    id: str
    contract: int = CONTRACT
    ledgers: Mapping[str, Known] = field(default_factory=dict)

    def knowing(self, name: str, known: Known) -> About:
        """Return the same with what is now known of one ledger."""
        return replace(self, ledgers={**self.ledgers, name: known})


def ledger_file(folder: Path, name: str) -> Path:
    """Return where a ledger lies."""
    return folder / LEDGERS / f"{name}.jsonl"


def write(folder: Path, about: About) -> None:
    """Write `state.json`: this is the moment at which a change happens."""
    files.write(folder / ABOUT, text(about))


def text(about: About) -> bytes:
    """Return the content of `state.json`."""
    return json.dumps(asdict(about), indent=1, sort_keys=True).encode() + b"\n"


def read(folder: Path) -> About:
    """Read `state.json`.

    Raises
    ------
    BadData
        When it is damaged, or of a newer contract.
    """
    file = folder / ABOUT
    try:
        fields = json.loads(file.read_bytes())
        ledgers = {
            str(name): Known(**{**each, "key": tuple(each["key"])})
            for name, each in fields["ledgers"].items()
        }
        about = About(id=fields["id"], contract=fields["contract"], ledgers=ledgers)
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise checks.BadData(f"{file} does not say what a state holds. {REMEDY}") from error
    if about.contract > CONTRACT:
        raise checks.BadData(
            f"{file} is of contract {about.contract}, and this version knows {CONTRACT}. Install "
            "the version of retention-lab that wrote it, or a newer one."
        )
    return about


def mend(folder: Path, about: About) -> None:
    """Finish or drop what a crash cut short, under the lock; afterwards all ledgers are whole.

    Raises
    ------
    BadData
        When a known ledger is missing, shorter than known or another one.
    """
    for file in (folder / LEDGERS).glob(".*.jsonl.new"):
        name = file.name.removeprefix(".").removesuffix(".jsonl.new")
        known = about.ledgers.get(name)
        if known is not None and known.fits(file) and file.stat().st_size == known.bytes:
            files.settle(ledger_file(folder, name))
        else:
            file.unlink()
    for name, known in about.ledgers.items():
        file = ledger_file(folder, name)
        if not known.fits(file):
            raise checks.BadData(_lost(name, known, file))
        if file.stat().st_size > known.bytes:
            with file.open("r+b") as opened:
                opened.truncate(known.bytes)


def _lost(name: str, known: Known, file: Path) -> str:
    if not file.is_file():
        what = "is missing"
    elif (size := file.stat().st_size) < known.bytes:
        what = f"is too short, {size:,} bytes of {known.bytes:,}"
    else:
        what = "is not the file that was written"
    return f"The ledger {name} of {known.rows:,} rows {what}: {file}. {REMEDY}"
