"""What customers are worth: purchases to come, times their value and margin, discounted."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd

from retention_lab import checks
from retention_lab.checks import BadParameter
from retention_lab.inference.btyd import answers, histories, spend
from retention_lab.inference.btyd.fitting import Fit, Process
from retention_lab.inference.btyd.histories import Histories
from retention_lab.inference.btyd.maximum import Floats, normal, std_errors
from retention_lab.inference.btyd.spend import SpendFit

DAYS_A_MONTH = 365.25 / 12


def discounted(  # noqa: PLR0913  two models, the customers, and what a month and its money are
    fit: Fit,
    spend_fit: SpendFit,
    patterns: pd.DataFrame,
    *,
    months: int,
    monthly_discount: float,
    margin: float = 1.0,
    month: float = DAYS_A_MONTH,
    alpha: float = 0.05,
) -> pd.DataFrame:
    """Value of the `months` to come, one row per customer or purchase history.

    Month k counts the purchases expected between k - 1 and k months after `T`, discounted by
    ``(1 + monthly_discount) ** k``. Returned goods and costs of contact are not in it.

    Parameters
    ----------
    patterns
        As `histories.read` takes them, with `monetary`: the mean value of repeat purchases (of no
        matter where `frequency` is 0).
    monthly_discount
        0.01 is one percent a month.
    margin
        Share of the value that is earned; 1 gives revenue.
    month
        A month in the unit of time of `patterns`: days, unless told otherwise.

    Returns
    -------
    DataFrame
        Indexed as `patterns`: `purchases` (discounted), `value` (in the unit of `monetary`), `low`,
        `high` (interval of the models' mean, delta method on the log scale).

    Raises
    ------
    BadParameter
        If there are no months, or discount, margin or month is not a number that it can be.
    BadData
        As the two models do.

    References
    ----------
    Fader, Hardie & Lee (2005), Journal of Marketing Research 42, 415-430, summed by months.
    """
    checks.at_least("months", months, 1)
    checks.at_least("monthly_discount", monthly_discount, 0)
    if not 0 < margin <= 1 or not month > 0:
        raise BadParameter(
            f"margin must be a share above 0 and at most 1, and month above 0, got {margin!r} and "
            f"{month!r}."
        )
    ends = np.arange(1, int(months) + 1)
    logs = log_purchases(
        fit.process,
        histories.read(patterns),
        ends=[float(end * month) for end in ends],
        weight=(1 + monthly_discount) ** -ends.astype("float64"),
    )
    purchases = np.exp(logs(fit.process.vector))
    worth = spend.forecast(spend_fit, patterns, alpha=alpha)
    # Two models of their own parameters: the errors of the logarithms add up as squares.
    each = normal(alpha) * std_errors(fit.maximum, logs)
    far = np.exp(np.hypot(each, np.log(worth["high"] / worth["value"])))
    value = margin * purchases * worth["value"]
    return pd.DataFrame(
        {"purchases": purchases, "value": value, "low": value / far, "high": value * far}
    )


def log_purchases(
    process: Process, known: Histories, *, ends: Sequence[float], weight: Floats
) -> Callable[[Floats], Floats]:
    """Logarithm of the discounted purchases, as a function of the parameters.

    The expected numbers at the ends of the months are summed with the fall of the discount after
    each, which is the same as discounting their rises: nothing is subtracted.
    """
    falls = weight - np.append(weight[1:], 0.0)
    kinds, place = known.kinds()

    def logs(vector: Floats) -> Floats:
        here = process.at(vector)
        each = [
            fall * answers.if_alive(here, kinds, end) for end, fall in zip(ends, falls, strict=True)
        ]
        return np.asarray(answers.log_alive(here, known) + np.log(np.sum(each, axis=0))[place])

    return logs
