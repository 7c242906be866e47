"""How much of the error that a test may make is spent by a look: one function with a parameter."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtr, ndtri

from retention_lab import checks
from retention_lab.checks import BadParameter

Floats = NDArray[np.float64]
Family = Literal["O'Brien-Fleming", "Pocock", "Kim-DeMets", "Hwang-Shih-DeCani"]

_PARAMETERS = {"Kim-DeMets": "rho, above 0", "Hwang-Shih-DeCani": "gamma, not 0"}


@dataclass(frozen=True, kw_only=True)
class Spending:
    """A spending function: by `family`, and for two of them by its `parameter`.

    The first two are those of Lan and DeMets: O'Brien-Fleming spends next to nothing early, Pocock
    about evenly. Kim-DeMets is a power of the information, `parameter` rho (3 is near to
    O'Brien-Fleming, 1 to Pocock); Hwang-Shih-DeCani an exponential, `parameter` gamma (-4, and 1).

    Raises
    ------
    BadParameter
        If there is no such family, or its parameter is missing, superfluous or out of range.

    References
    ----------
    Lan & DeMets (1983), Biometrika 70, 659-663; Kim & DeMets (1987), Biometrika 74, 149-154; Hwang,
    Shih & DeCani (1990), Statistics in Medicine 9, 1439-1445.
    """

    family: Family = "O'Brien-Fleming"
    parameter: float | None = None

    def __post_init__(self) -> None:
        checks.known("Spending", "family", [self.family], get_args(Family))
        needs, has = _PARAMETERS.get(self.family), self.parameter
        if needs is None and has is not None:
            raise BadParameter(f"Spending of type {self.family} has no parameter, got {has!r}.")
        unfit = not has or not np.isfinite(has) or (self.family == "Kim-DeMets" and has < 0)
        if needs is not None and unfit:
            raise BadParameter(f"Spending of type {self.family} needs {needs}, got {has!r}.")

    def spent(self, information: ArrayLike, *, level: float) -> Floats:
        """What is spent of `level`, in all, by each fraction of the planned information.

        Beyond the planned information it is `level`: there is no more to spend.
        """
        t = np.clip(np.asarray(information, dtype="float64"), 0, 1)
        parameter = self.parameter or 1.0
        match self.family:
            case "O'Brien-Fleming":
                with np.errstate(divide="ignore"):  # without information all is infinitely far
                    share = 2 * ndtr(ndtri(level / 2) / np.sqrt(t)) / level
            case "Pocock":
                share = np.log1p((np.e - 1) * t)
            case "Kim-DeMets":
                share = t**parameter
            case "Hwang-Shih-DeCani":
                share = np.expm1(-parameter * t) / np.expm1(-parameter)
        return np.asarray(level * np.where(t < 1, share, 1.0))
