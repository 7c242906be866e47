"""The ledger of claims: every number that a summary sentence names is recorded here first.

A ledger shows itself as a small JSON output of the notebook; the runner gathers it into
`results.json`, so that the next run can say what changed. A sentence that asks for a number nobody
recorded stops the run.
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import asdict, dataclass
from importlib import metadata
from typing import Literal, TypedDict, Unpack, get_args

from retention_lab import checks
from retention_lab.inference.interval import Interval
from retention_lab.tables.parsing import NO_CURRENCY, minor_digits

Unit = Literal["share", "points", "count", "days", "money", "per_customer"]

BEFORE = "_before"  # ends the name of a result of the period before

MIME = "application/vnd.retention-lab.results+json"
# Two dollar signs in a paragraph are read as a formula in Jupyter, so dollars are USD.
_SYMBOLS = {"GBP": "£", "EUR": "€", "JPY": "¥", NO_CURRENCY: ""}
_SPACE = "\N{NO-BREAK SPACE}"


class Words(TypedDict, total=False):
    """What may be said of a claim besides its number; see `Claim`."""

    about: str
    label: str
    currency: str
    key: bool
    period: str
    population: str
    difference: bool


@dataclass(frozen=True, kw_only=True)
class Claim:
    """One number with what it needs to be believed: interval, unit, n and definition.

    A share, and a difference of shares in `points`, is a number between -1 and 1; `money` is in
    whole units of `currency`; `about` says whom or which period it describes; `label` heads it in
    lists, where a `key` claim stands for its report. `period` gives the first and the last day
    described ("2026-08-01/2026-08-31"), `population` the SQL condition that chooses the customers,
    so that they can be saved as a cohort; each is empty where there is none. A `difference` of two
    numbers, or a relative one, is written with its sign.
    """

    name: str
    value: float
    low: float | None
    high: float | None
    unit: Unit
    n: int | None
    definition: str
    about: str = ""
    label: str = ""
    currency: str = ""
    key: bool = False
    period: str = ""
    population: str = ""
    difference: bool = False

    @property
    def text(self) -> str:
        """The value as people write it: 26.2 %, £39.13, 1,204; of a difference +£1.20."""
        return self._text(self.value)

    @property
    def between(self) -> str:
        """The interval as people write it: 23.8 to 28.8; of a difference -1.2 to +3.4.

        Raises
        ------
        Refusal
            When the claim was recorded without one: such a number must not stand in a sentence
            that gives a range.
        """
        if self.low is None or self.high is None:
            raise checks.Refusal(f"The result {self.name!r} was recorded without an interval.")
        low, high = (self._text(bound) for bound in (self.low, self.high))
        percent_sign = f"{_SPACE}%"
        return f"{low.removesuffix(percent_sign)} to {high.removesuffix(percent_sign)}"

    @property
    def full(self) -> str:
        """The value with its interval, if it has one: 26.2 % (23.8 to 28.8)."""
        return self.text if self.low is None else f"{self.text} ({self.between})"

    @property
    def ranged(self) -> str:
        """The value with its interval inside a sentence: 26.2 %, 23.8 to 28.8."""
        return f"{self.text}, {self.between}"

    def _text(self, value: float) -> str:
        if not self.difference:
            return self.written(value)
        if self.unit == "points":
            return signed(value)
        text = self.written(value)
        return f"+{text}" if value > 0 and text != self.written(0) else text

    def written(self, value: float) -> str:
        """Write any value in the unit of this claim, as a size: without the sign of a gain."""
        match self.unit:
            case "share":
                return percent(value)
            case "points":
                return _fixed(100 * value, 1)
            case "money":
                return money(value, self.currency)
            case "per_customer":
                return _fixed(value, 2)
            case "count":
                return _fixed(value, 0)
            case "days":  # a median may lie between two days
                days = _fixed(value, 1)
                return days if self.difference else days.removesuffix(".0")


class Ledger:
    """The claims of one notebook, in the order in which they were made.

    `where` is the condition that chose the customers of the whole notebook.
    """

    def __init__(self, *, where: str = "") -> None:
        self._claims: dict[str, Claim] = {}
        self._where = where.strip()
        self.headline = ""
        self.kept: dict[str, object] = {}  # settings that were made in the run, for a later one

    def record(
        self,
        name: str,
        value: float | Interval,
        *,
        unit: Unit,
        definition: str,
        interval: tuple[float, float] | None = None,
        n: int | None = None,
        **words: Unpack[Words],
    ) -> Claim:
        """Record a number and return it as a claim.

        The fields are those of `Claim`: the next run compares by `name`, `n` customers (or orders)
        stand behind the number, and a reader can check it against the sentence in `definition`. An
        interval comes with the value, as an `Interval`, or beside it as its two bounds.

        Raises
        ------
        Refusal
            When the name was recorded before, or a number is not finite.
        BadParameter
            When the unit is unknown, the interval is given twice or does not hold the value.
        """
        if name in self._claims:
            raise checks.Refusal(f"The result {name!r} is recorded twice.")
        checks.known("record", "unit", [unit], get_args(Unit))
        given = _with_bounds(name, value, interval)
        numbers = {part: _plain(one, name=name, unit=unit) for part, one in given.items()}
        if self._where and words.get("population"):
            words["population"] = f"({self._where}) and {words['population']}"
        claim = Claim(
            name=name,
            value=numbers["value"],
            low=numbers.get("low"),
            high=numbers.get("high"),
            unit=unit,
            n=None if n is None else int(n),
            definition=definition,
            **words,
        )
        self._claims[name] = claim
        return claim

    def __contains__(self, name: str) -> bool:
        """Say whether a result of that name was recorded."""
        return name in self._claims

    def __getitem__(self, name: str) -> Claim:
        """Return a recorded claim; a sentence about anything else stops the run."""
        if name not in self._claims:
            near = checks.did_you_mean(name, self._claims)
            raise checks.Refusal(
                f"A sentence names the result {name!r}, but nobody recorded it.{near}"
            )
        return self._claims[name]

    def claims(self) -> list[Claim]:
        """Return all claims in order."""
        return list(self._claims.values())

    def _repr_mimebundle_(self, **_: object) -> dict[str, object]:
        results = [
            {
                **asdict(claim),
                "text": claim.text,
                "between": "" if claim.low is None else claim.between,
                "definition_hash": hashlib.sha256(claim.definition.encode()).hexdigest()[:12],
                "method_version": metadata.version("retention-lab"),
            }
            for claim in self.claims()
        ]
        kept = {"kept": self.kept} if self.kept else {}
        return {
            MIME: {"headline": self.headline, "results": results, **kept},
            "text/plain": f"{len(results)} results recorded",
        }


def _with_bounds(
    name: str, value: float | Interval, bounds: tuple[float, float] | None
) -> dict[str, float]:
    if bounds is None:
        return asdict(value) if isinstance(value, Interval) else {"value": value}
    if isinstance(value, Interval):
        raise checks.BadParameter(
            f"The result {name!r} has an interval already; leave interval= out."
        )
    low, high = bounds
    if low > value or value > high:
        raise checks.BadParameter(
            f"The interval of the result {name!r} must hold its value, {value!r}, got {low!r} to "
            f"{high!r}. Give the lower bound first."
        )
    return {"value": value, "low": low, "high": high}


def percent(share: float) -> str:
    """Write a share: 26.2 %."""
    return f"{_fixed(100 * share, 1)}{_SPACE}%"


def signed(share: float) -> str:
    """Write a difference of shares in points, with its sign: +1.2; what is small is not nothing."""
    points = 100 * share
    digits = 1 if abs(points) >= 0.095 else 2
    return f"{points:+.{digits}f}" if round(points, digits) else "0.0"


def money(value: float, currency: str) -> str:
    """Write an amount: with its minor units below a thousand, whole above, then in millions."""
    symbol = _SYMBOLS.get(currency, f"{currency}{_SPACE}")
    digits, size = minor_digits(currency), abs(value)
    if round(size) >= 1_000_000:
        text = f"{_fixed(size / 1_000_000, 2)}{_SPACE}million"
    else:
        text = _fixed(size, digits if round(size, digits) < 1_000 else 0)
    return f"{'-' if round(value, digits) < 0 else ''}{symbol}{text}"


def headed(what: str, currency: str) -> str:
    """Head a column of amounts: Revenue (GBP); without a currency there is none to name."""
    return what if currency == NO_CURRENCY else f"{what} ({currency})"


def _fixed(value: float, digits: int) -> str:
    """Write with a fixed number of decimals; what rounds to zero has no sign."""
    return f"{round(value, digits) + 0.0:,.{digits}f}"


def _plain(value: float, *, name: str, unit: Unit) -> float:
    """Turn a number of NumPy's into one of Python's, for JSON; what is no number is refused."""
    if not math.isfinite(value):
        raise checks.Refusal(f"The result {name!r} is {value}, which is not a number to record.")
    return round(value) if unit == "count" else float(value)
