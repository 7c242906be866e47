"""How an export writes dates, numbers and money: decided by whole columns, else asked.

`03/04/2025` is never guessed: where all dates of a column fit two readings, a person says which.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import NoReturn

from retention_lab import checks
from retention_lab.tables import clocks, names, parsing
from retention_lab.tables.drafts import profiling, readings
from retention_lab.tables.drafts.profiling import Fit, Keys
from retention_lab.tables.drafts.questions import Group, Question, Talk, pick
from retention_lab.tables.drafts.readings import Reading

_FEW_ORDERS = 20  # too few to tell a repeated total from equal parts
_SLIPS = 0.01  # of the values may be unreadable, and are left out; more is another format


def settle(group: Group, found: Mapping[str, Sequence[Fit]], *, talk: Talk) -> dict[str, Fit]:
    """Choose how each column is read; what one tells holds for its neighbours of the same kind.

    Raises
    ------
    BadData
        When hardly a reading fits a column, or some of its times fit only one and some another.
    """
    chosen = {name: _evident(group, name, fits) for name, fits in found.items()}
    known = [fit.reading for fit in chosen.values() if fit]
    habit = next((reading.habit for reading in known if reading.habit), None)
    for name, fits in found.items():
        if chosen[name] is None:
            like = [fit for fit in fits if habit and fit.reading.habit == habit]
            chosen[name] = like[0] if like else _asked(group, name, fits, talk=talk)
    return {name: fit for name, fit in chosen.items() if fit is not None}


def _evident(group: Group, name: str, fits: Sequence[Fit]) -> Fit | None:
    """Return the plainest of the readings that read the most, unless others tell other values."""
    is_time = fits[0].reading.is_time
    if is_time:
        _refuse_mixed(group, name, [fit.reading for fit in fits if fit.alone])
    best = _best(fits)
    _refuse_unread(group, name, best[0])
    same = all(math.isclose(fit.total, best[0].total, rel_tol=1e-9) for fit in best)
    return best[0] if len(best) == 1 or (same and not is_time) else None


def _best(fits: Sequence[Fit]) -> list[Fit]:
    most = max(fit.read for fit in fits)
    return [fit for fit in fits if fit.read == most]


def _refuse_mixed(group: Group, name: str, sure: Sequence[Reading]) -> None:
    if len(sure) < 2:
        return
    shown = [profiling.examples(group.tables, name, other)[0] for other in reversed(sure[:2])]
    raise checks.BadData(
        f"{group.name}: the column {name!r} mixes dates that can only be read as "
        f"{sure[0].answer}, like {shown[0]!r}, with ones that can only be "
        f"{sure[1].answer}, like {shown[1]!r}. Export it again with one of them."
    )


def _refuse_unread(group: Group, name: str, fit: Fit) -> None:
    if fit.filled - fit.read <= max(1, _SLIPS * fit.filled):
        return
    shown = profiling.examples(group.tables, name, fit.reading)
    dates, numbers = ("date", '--dates "%d/%m/%Y"'), ("number", '--number "1.234,56"')
    what, option = dates if fit.reading.is_time else numbers
    raise checks.BadData(
        f"{group.name}: {fit.filled - fit.read:,} of {fit.filled:,} values of {name!r} are no "
        f"{what}, for example {', '.join(map(repr, shown))}. Export it again, or say how they are "
        f"written: {option}."
    )


def _asked(group: Group, name: str, fits: Sequence[Fit], *, talk: Talk) -> Fit:
    cells = dict.fromkeys(group.cells(name))
    ask = _of_dates if fits[0].reading.is_time else _of_numbers
    answer = talk.ask(ask(name, list(cells), fits))
    return next(fit for fit in fits if fit.reading.answer == answer)


def _of_dates(name: str, cells: Sequence[str], fits: Sequence[Fit]) -> Question:
    meanings = {"%d": "the day comes first", "%m": "the month comes first"}
    return Question(
        text=f"How are the dates in {name!r} written? Every one fits more than one reading, "
        f"for example {', '.join(cells[:3])}.",
        choices={
            fit.reading.answer: meanings.get(fit.reading.answer[:2], "the year comes first")
            for fit in fits
        },
        option='--dates "ANSWER"',
    )


def _of_numbers(name: str, cells: Sequence[str], fits: Sequence[Fit]) -> Question:
    divided = [cell for cell in cells if re.search("[.,]", cell)]
    differ = {fit.total: fit for fit in reversed(_best(fits))}
    return Question(
        text=f"What does the sign in the numbers of {name!r} divide, thousands or decimals? "
        f"For example {', '.join(divided[:3])}.",
        choices={
            fit.reading.answer: f"the column then adds up to {fit.total:,.2f}"
            for fit in reversed(differ.values())
        },
        option='--number "ANSWER"',
    )


def currency(group: Group, money: Sequence[str], *, talk: Talk) -> str:
    """Return the currency of the amounts: as stated in a column, in a name or beside the numbers.

    Raises
    ------
    BadData
        When there are several.
    """
    if talk.currency is not None:
        return talk.currency
    column = pick(group, "currency", talk=talk)
    counted = profiling.values(group.tables, column) if column else {}
    stated = [code.upper() for code in counted if re.fullmatch("[A-Za-z]{3}", code)]
    if len(stated) > 1:
        _refuse_several(group, [f"{code} ({rows:,} rows)" for code, rows in counted.items()])
    stated += filter(None, map(names.currency_in, money))
    if stated:
        return stated[0]
    signs = readings.marks([cell for name in money for cell in group.cells(name)])
    codes = {mark: codes for mark in signs if (codes := _codes(mark))}
    if len(codes) > 1:
        _refuse_several(group, codes)
    for mark, options in codes.items():
        return options[0] if len(options) == 1 else talk.ask(_whose(mark, options))
    question = Question(
        text="In which currency are the amounts? Three letters, such as EUR.",
        safe=parsing.NO_CURRENCY,
        taken="No currency is stated, so amounts are shown without one.",
        fits=lambda code: bool(re.fullmatch("[A-Za-z]{3}", code)),
        option="--currency EUR",
    )
    return talk.ask(question).upper()


def _refuse_several(group: Group, shown: Iterable[str]) -> NoReturn:
    raise checks.BadData(
        f"{group.name} holds amounts in several currencies: {', '.join(shown)}. One report "
        "speaks of one: export them one by one, or convert them."
    )


def _whose(mark: str, options: Sequence[str]) -> Question:
    codes = [code for code in options if code != parsing.NO_CURRENCY]
    return Question(
        text=f"Which currency is {mark!r} in the amounts?",
        choices=dict.fromkeys(codes, "")
        | {parsing.NO_CURRENCY: "amounts are shown without a currency"},
        safe=parsing.NO_CURRENCY,
        taken=f"{mark!r} may be of several countries; amounts are shown without a currency.",
        option=f"--currency {codes[-1]}",
    )


def _codes(mark: str) -> list[str]:
    if re.fullmatch("[A-Za-z]{3}", mark):
        return [mark.upper()]
    return sorted(code for code, signs in parsing.SYMBOLS.items() if mark in signs)


def time_zone(times: Iterable[Fit], *, talk: Talk) -> str:
    """Return the zone in which the times were written; dates alone need none."""
    if talk.time_zone is not None:
        return clocks.zone(talk.time_zone).key
    if not any(fit.clock and fit.utc < fit.read for fit in times):
        return "UTC"
    question = Question(
        text="In which time zone were the times written? Such as Europe/Berlin.",
        safe="UTC",
        taken="Times are read as UTC, so a day begins at midnight UTC.",
        fits=_is_zone,
        option="--time-zone Europe/Berlin",
    )
    return clocks.zone(talk.ask(question)).key


def _is_zone(name: str) -> bool:
    try:
        return bool(clocks.zone(name))
    except checks.BadParameter:
        return False


def repeated(found: Keys, amount: str, *, talk: Talk) -> str:
    """Tell what the amount of a row is where orders have several: `total`, `first` or `parts`."""
    if talk.amounts is not None:
        return talk.amounts
    if found.several and found.single == found.several:
        return "first"
    if found.several >= _FEW_ORDERS:
        if found.same == found.several:
            return "total"
        if found.same < found.several / 2:
            return "parts"
    question = Question(
        text=f"{found.several:,} of {found.orders:,} orders stand in several rows, "
        f"{found.same:,} of them with one {amount!r} in each. What is it?",
        choices={"total": "the whole order's, repeated", "parts": "each row's, to be added up"},
        option="--amounts ANSWER",
    )
    return talk.ask(question)
