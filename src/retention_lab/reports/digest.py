"""What came of the runs of one invocation: a line for each suite, and what repeats said once."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from retention_lab.reports.calendar import long_date
from retention_lab.reports.ran import Ran, Status

ABOVE = "see above"
_ORDER: tuple[Status, ...] = ("published", "published with warnings", "unchanged", "failed")
_DATE = re.compile(r"\d{4}-\d\d-\d\d")


def lines(rans: Sequence[Ran]) -> list[str]:
    """Say what came of `rans`, one line a suite in the order given.

    A failure or warning that two or more runs share, but for their own suite and dates, comes
    first, once, with how many it concerns.
    """
    failures = Counter(cause for ran in rans for cause in _causes(_failures(ran), ran))
    warnings = Counter(cause for ran in rans for cause in _causes(ran.warnings, ran))
    said = {cause for cause, runs in (failures + warnings).items() if runs > 1}
    first = {
        cause: words
        for ran in reversed(rans)
        for cause, words in _causes((*_failures(ran), *ran.warnings), ran).items()
    }
    folded = [
        f"{_of(runs, len(rans))} {did} for one reason: {first[cause]}"
        for did, counted in (("failed", failures), ("came with a warning", warnings))
        for cause, runs in counted.most_common()
        if cause in said
    ]
    suites = dict.fromkeys(ran.suite for ran in rans)
    told = [_line([ran for ran in rans if ran.suite == suite], said) for suite in suites]
    return [one_line(line) for line in folded + told]


def logged(ran: Ran) -> str:
    """Return a run as one line of `key=value` for logs; text is quoted as in JSON, in ASCII."""
    fields: Mapping[str, str | int | float] = {
        "suite": ran.suite,
        "as_of": ran.as_of,
        "status": ran.status,
        "exit_code": ran.exit_code,
        "pages": len(ran.pages),
        "warnings": len(ran.warnings),
        "failures": len(ran.failures),
        "seconds": round(ran.seconds, 1),
        "folder": ran.folder,
        "kept": ran.kept,
        "cause": next(iter((*_failures(ran), *ran.warnings)), ""),
    }
    return " ".join(f"{name}={json.dumps(value)}" for name, value in fields.items())


def one_line(text: str) -> str:
    """Return text without line breaks, control characters and invisible signs."""
    return " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())


def day(ran: Ran) -> str:
    """Return the day of a run as a reader wants it, or nothing where a run never knew its day."""
    return long_date(dt.date.fromisoformat(ran.as_of)) if ran.as_of else ""


def _line(rans: Sequence[Ran], said: set[str]) -> str:
    title = f"{'Made-up customers · ' if rans[0].simulated else ''}{rans[0].title}"
    if len(rans) == 1:
        dated = ", ".join(filter(None, (title, day(rans[0]))))
        return f"{dated}: {_words(rans[0], said)}"
    counts = Counter(ran.status for ran in rans)
    told = ", ".join(f"{counts[status]} {status}" for status in _ORDER if counts[status])
    bad = [ran for ran in rans if ran.status == "failed" or ran.warnings]
    days = sorted(ran.as_of for ran in rans if ran.as_of)
    span = f", {days[0]} to {days[-1]}" if days else ""
    each = "".join(f" {ran.as_of or 'No day known'}: {_words(ran, said)}" for ran in bad)
    return f"{title}, {len(rans)} reports{span}: {told}.{each}"


def _words(ran: Ran, said: set[str]) -> str:
    causes = _causes((*_failures(ran), *ran.warnings), ran)
    fresh = [words for cause, words in causes.items() if cause not in said]
    told = fresh + [ABOVE] * (len(fresh) < len(causes))
    pages = f", {len(ran.pages)} page{'s' * (len(ran.pages) != 1)}" if ran.pages else ""
    return f"{ran.status}{pages}{': ' if told else ''}{' '.join(told).rstrip('.')}."


def _failures(ran: Ran) -> list[str]:
    return [failure.sentence for failure in ran.failures]


def _causes(sentences: Iterable[str], ran: Ran) -> dict[str, str]:
    """Return sentences on one line, by what they say but for the run's own suite and any date."""
    told = dict.fromkeys(one_line(sentence) for sentence in sentences)
    own = {words for words in (ran.suite, ran.title) if words}
    pattern = re.compile("|".join(map(re.escape, sorted(own, key=len, reverse=True))))
    return {pattern.sub("", _DATE.sub("", words)): words for words in told}


def _of(runs: int, of: int) -> str:
    return f"All {of} reports" if runs == of else f"{runs} of {of} reports"
