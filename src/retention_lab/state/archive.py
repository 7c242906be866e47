"""A backup of a state in one file, and the way back; neither half done, neither losing anything."""

from __future__ import annotations

import hashlib
import io
import json
import re
import shutil
import tarfile
import zlib
from collections.abc import Iterator
from contextlib import nullcontext
from gzip import BadGzipFile
from pathlib import Path
from typing import TYPE_CHECKING

from retention_lab import checks
from retention_lab.state import about, files
from retention_lab.state.about import ABOUT, LEDGERS, RESULTS

if TYPE_CHECKING:
    from retention_lab.state.folder import State

_SUMS = "checksums.json"
_SLUG = "[a-z0-9][a-z0-9_-]*"
_MEMBER = re.compile(
    rf"{re.escape(ABOUT)}|{RESULTS}/{_SLUG}/\d{{4}}-\d\d-\d\d\.json|{LEDGERS}/{_SLUG}\.jsonl"
)


def backup(state: State, file: Path) -> Path:
    """Write all of a state into one `.tar.gz`, with a checksum of each file in it.

    Who wants to write to the state waits meanwhile, so that its parts fit each other. Whoever has
    the file can read the ledgers in it: keep it as the state itself.

    Raises
    ------
    BadParameter
        When it lies in the state, or cannot be written.
    BadData
        When the state is damaged.
    """
    if file.resolve().is_relative_to(state.folder.resolve()):
        raise checks.BadParameter(
            f"The backup {file} would lie in the state itself. Name a file elsewhere."
        )
    with files.locked(state.folder):
        about.mend(state.folder, about.read(state.folder))
        try:
            _pack(state.folder, file)
        except OSError as error:
            raise checks.BadParameter(
                f"The backup {file} cannot be written ({error.strerror})."
            ) from error
        finally:
            files.new_name(file).unlink(missing_ok=True)
    return file


def _pack(folder: Path, file: Path) -> None:
    parts = {str(each.relative_to(folder)): each for each in _parts(folder)}
    sums = json.dumps({name: files.sha(each) for name, each in parts.items()}, indent=1).encode()
    with open(files.new_name(file), "wb", opener=files.private) as raw:
        with tarfile.open(fileobj=raw, mode="w:gz", compresslevel=6) as tar:
            tar.addfile(_member(_SUMS, len(sums)), io.BytesIO(sums))
            for name, each in parts.items():
                with each.open("rb") as content:
                    tar.addfile(_member(name, each.stat().st_size), content)
        files.to_disk(raw)
    files.settle(file)


def _parts(folder: Path) -> Iterator[Path]:
    yield folder / ABOUT
    yield from sorted((folder / RESULTS).glob("*/*.json"))
    yield from (about.ledger_file(folder, name) for name in about.read(folder).ledgers)


def _member(name: str, size: int) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.size, member.mode = size, 0o600
    return member


def restore(file: Path, folder: Path) -> str:
    """Put the state of a backup into a folder, at once, and return its id.

    Raises
    ------
    BadParameter
        When there is no such file, or the folder holds anything that the backup does not.
    BadData
        When the backup is damaged, cut short or none.
    """
    folder = folder.resolve()
    mend(folder)
    fresh = folder.with_name(f".{folder.name}.new")
    shutil.rmtree(fresh, ignore_errors=True)
    try:
        fresh.mkdir(mode=0o700, parents=True)
        _unpack(file, fresh)
        there = folder.is_dir() and any(folder.iterdir())
        with files.locked(folder) if there else nullcontext():
            if there:
                _refuse_loss(fresh, folder, file)
            _swap(fresh, folder)
    except OSError as error:
        raise checks.BadParameter(
            f"{file} cannot be restored to {folder} ({error.strerror}); what was there is there."
        ) from error
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    return about.read(folder).id


def mend(folder: Path) -> None:
    """Finish a restoring that was cut short between its two renames."""
    aside = _aside(folder.resolve())
    if aside.exists():
        if folder.exists():
            shutil.rmtree(aside, ignore_errors=True)
        else:
            aside.rename(folder)


def _aside(folder: Path) -> Path:
    return folder.with_name(f".{folder.name}.aside")


def _swap(fresh: Path, folder: Path) -> None:
    aside = _aside(folder)
    if folder.exists():
        folder.rename(aside)
    try:
        fresh.rename(folder)
    except OSError:
        mend(folder)
        raise
    files.folder_to_disk(folder.parent)
    shutil.rmtree(aside, ignore_errors=True)


def _unpack(file: Path, fresh: Path) -> None:
    """Unpack a backup; every file in it must be whole and of a state."""
    try:
        with tarfile.open(file, "r:gz") as tar:
            _copy(tar, fresh)
        found = about.read(fresh)
        for name, known in found.ledgers.items():
            if not known.fits(about.ledger_file(fresh, name)):
                raise ValueError(f"the ledger {name} is not whole")
    except FileNotFoundError as error:
        raise checks.BadParameter(f"There is no backup {file}.") from error
    except (tarfile.TarError, BadGzipFile, zlib.error, EOFError, ValueError, LookupError) as error:
        raise checks.BadData(
            f"{file} is no backup of a state, or is damaged ({error}). Use another one."
        ) from error
    files.write(fresh / ".gitignore", b"*\n")


def _copy(tar: tarfile.TarFile, fresh: Path) -> None:
    sums: dict[str, str] | None = None
    for member in tar:
        content = tar.extractfile(member) if member.isreg() else None
        if content is None:
            raise ValueError(f"{member.name!r} is no regular file")
        if sums is None:
            if member.name != _SUMS:
                raise ValueError("it does not begin with its checksums")
            sums = dict(json.loads(content.read()))
            continue
        if not _MEMBER.fullmatch(member.name):
            raise ValueError(f"{member.name!r} is no part of a state")
        path = fresh / member.name
        files.write(path, content.read())
        if files.sha(path) != sums.pop(member.name):
            raise ValueError(f"{member.name} is not what was written")
    if sums is None or sums:
        raise ValueError(f"{', '.join(sums or [ABOUT])} is not in it")


def _refuse_loss(fresh: Path, folder: Path, file: Path) -> None:
    away = f"Move {folder} away first if that is wanted."
    if not (folder / ABOUT).is_file():
        raise checks.BadParameter(f"{folder} is not empty and holds no {ABOUT}. {away}")
    ours, theirs = about.read(folder).id, about.read(fresh).id
    if ours != theirs:
        raise checks.BadParameter(
            f"{folder} holds the state {ours[:12]}, and {file} is of {theirs[:12]}. {away}"
        )
    lost = [*_lost_results(fresh, folder), *_lost_rows(fresh, folder)]
    if lost:
        raise checks.BadParameter(
            f"{folder} is newer than {file}: {'; '.join(lost)} would be lost. {away}"
        )


def _lost_results(fresh: Path, folder: Path) -> Iterator[str]:
    for each in sorted((folder / RESULTS).glob("*/*.json")):
        other = fresh / each.relative_to(folder)
        if not other.is_file() or files.sha(other) != files.sha(each):
            yield f"the results of {each.parent.name} as of {each.stem}"


def _lost_rows(fresh: Path, folder: Path) -> Iterator[str]:
    """Tell of ledgers of which the backup does not hold all that is there."""
    known = about.read(folder).ledgers
    for each in sorted((folder / LEDGERS).glob("*.jsonl")):
        name = each.stem
        size = min(each.stat().st_size, known[name].bytes if name in known else 0)
        other = about.ledger_file(fresh, name)
        if size and (not other.is_file() or _head(other, size) != _head(each, size)):
            more = known[name].rows - _rows(other)
            yield f"{f'{more:,} ' if more > 0 else ''}rows of the ledger {name}"


def _head(path: Path, size: int) -> str:
    """Return a checksum of the first bytes of a file."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while size and (chunk := file.read(min(size, files.CHUNK))):
            digest.update(chunk)
            size -= len(chunk)
    return digest.hexdigest()


def _rows(path: Path) -> int:
    if not path.is_file():
        return 0
    with path.open("rb") as file:
        return sum(1 for _ in file)
