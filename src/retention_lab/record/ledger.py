"""The ledger of claims: every number that a summary sentence names is recorded here first.

A ledger shows itself as a small JSON output of the notebook; the runner gathers it into `results.json`, so that the next run can
say what changed. A sentence that asks for a number nobody recorded stops the run.
"""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass
from typing import Any, Literal, get_args

from retention_lab import __version__, checks
from retention_lab.inference.interval import Interval

Unit = Literal["share", "points", "count", "days", "money", "per_customer"]

_SYMBOLS = {"GBP": "£", "USD": "$", "EUR": "€"}
_SPACE = "\N{NO-BREAK SPACE}"


@dataclass(frozen=True, kw_only=True)
class Claim:
    """One number with what it needs to be believed: interval, unit, the n behind it and its definition.

    A share, and a difference of shares in `points`, is a number between -1 and 1; `money` is in whole units of `currency`; `about`
    says whom or which period it describes; `label` heads it in lists, where a `key` claim stands for its report.
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

    @property
    def text(self) -> str:
        """The value as people write it: 26.2 %, £39.13, 1,204."""
        return self.written(self.value)

    @property
    def between(self) -> str:
        """The interval as people write it: 23.8 to 28.8.

        Raises
        ------
        Refusal
            When the claim was recorded without one: such a number must not stand in a sentence that gives a range.
        """
        if self.low is None or self.high is None:
            raise checks.Refusal(f"The result {self.name!r} was recorded without an interval.")
        return f"{self.written(self.low).removesuffix(_SPACE + '%')} to {self.written(self.high).removesuffix(_SPACE + '%')}"

    @property
    def full(self) -> str:
        """The value with its interval: 26.2 % (23.8 to 28.8)."""
        return f"{self.text} ({self.between})"

    @property
    def ranged(self) -> str:
        """The value with its interval inside a sentence: 26.2 %, 23.8 to 28.8."""
        return f"{self.text}, {self.between}"

    def written(self, value: float) -> str:
        """Write any value in the unit of this claim."""
        match self.unit:
            case "share":
                return f"{100 * value:.1f}{_SPACE}%"
            case "points":
                return f"{100 * value:.1f}"
            case "money":
                return money(value, self.currency)
            case "per_customer":
                return f"{value:.2f}"
            case "count" | "days":
                return f"{value:,.0f}"


class Ledger:
    """The claims of one notebook, in the order in which they were made."""

    def __init__(self) -> None:
        self._claims: dict[str, Claim] = {}
        self.headline = ""

    def record(
        self,
        name: str,
        value: float | Interval,
        *,
        unit: Unit,
        definition: str,
        n: int | None = None,
        **words: Any,
    ) -> Claim:
        """Record a number and return it as a claim.

        Parameters
        ----------
        name
            Stable over time: the next run compares by it.
        value
            A number, or an `Interval` with its bounds.
        unit
            One of share, points, count, days, money, per_customer.
        definition
            One sentence that a reader can check the number against.
        n
            How many customers (or orders) stand behind it.
        **words
            The remaining fields of `Claim`: about, label, currency, key.

        Raises
        ------
        Refusal
            When the name was recorded before, or the unit is unknown.
        """
        if name in self._claims:
            raise checks.Refusal(f"The result {name!r} is recorded twice.")
        checks.known("record", "unit", [unit], get_args(Unit))
        number = (
            value if isinstance(value, Interval) else Interval(value=value, low=value, high=value)
        )
        low, high = (number.low, number.high) if isinstance(value, Interval) else (None, None)
        claim = Claim(
            name=name,
            value=number.value,
            low=low,
            high=high,
            unit=unit,
            n=n,
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

    def _repr_mimebundle_(self, **_: object) -> dict[str, Any]:
        results = [
            {
                **asdict(claim),
                "text": claim.text,
                "definition_hash": hashlib.sha256(claim.definition.encode()).hexdigest()[:12],
                "method_version": __version__,
            }
            for claim in self.claims()
        ]
        content = {"headline": self.headline, "results": results}
        return {
            "application/vnd.retention-lab.results+json": content,
            "text/plain": f"{len(results)} results recorded",
        }


def money(value: float, currency: str) -> str:
    """Write an amount: two decimals below a thousand, whole units above, millions from a million on."""
    symbol = _SYMBOLS.get(currency, f"{currency}{_SPACE}")
    sign = "-" if value < 0 else ""
    size = abs(value)
    if size >= 1_000_000:
        return f"{sign}{symbol}{size / 1_000_000:,.2f}{_SPACE}million"
    return f"{sign}{symbol}{size:,.2f}" if size < 1_000 else f"{sign}{symbol}{size:,.0f}"
