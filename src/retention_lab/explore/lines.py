"""Numbers that rise, each on a slider of its own, which together are one setting."""

from __future__ import annotations

from collections.abc import Sequence

import ipywidgets
import traitlets


class Lines(ipywidgets.HBox):  # type: ignore[misc]  # ipywidgets has no types
    """Sliders for a list of numbers, which rise in `value`, in whatever order the sliders stand.

    Parameters
    ----------
    numbers
        Where they stand.
    label, words
        What they are together, and each of them, in plain words.
    last, step
        They go from 0 to `last`.
    """

    value: traitlets.List[float] = traitlets.List()

    def __init__(
        self,
        numbers: Sequence[float],
        *,
        label: str,
        words: Sequence[str],
        last: float,
        step: float = 1,
    ) -> None:
        whole = float(step).is_integer()
        kind = ipywidgets.IntSlider if whole else ipywidgets.FloatSlider
        self._sliders = [
            kind(
                value=number,
                min=0,
                max=last,
                step=int(step) if whole else step,
                description=word,
                style={"description_width": "initial"},
                layout=ipywidgets.Layout(width="255px"),
            )
            for number, word in zip(numbers, words, strict=True)
        ]
        super().__init__([ipywidgets.HTML(f"<b>{label}</b>"), *self._sliders])
        self.layout.flex_flow = "row wrap"
        self._quiet = False
        self.value = [*numbers]
        for slider in self._sliders:
            slider.observe(self._moved, "value")
        self.observe(self._show, "value")

    def _moved(self, _change: object) -> None:
        if not self._quiet:
            self._quiet = (
                True  # the sliders stay where they are, though one may have passed another
            )
            self.value = sorted(round(slider.value, 6) for slider in self._sliders)
            self._quiet = False

    def _show(self, change: traitlets.Bunch) -> None:
        if self._quiet:
            return
        self._quiet = True
        for slider, number in zip(self._sliders, change.new, strict=True):
            slider.value = number
        self._quiet = False
