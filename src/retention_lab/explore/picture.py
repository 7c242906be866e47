"""A chart that tells what was clicked, drawn without a network.

Altair's own widget loads its scripts from a network, or makes a bundle of them in each kernel,
which takes more than a second; here the bundle is made once and kept.
"""

from __future__ import annotations

import functools
import importlib.metadata
import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

import altair as alt

from retention_lab.charts.frame import LAB_WIDTH, AnyChart
from retention_lab.state import files

PICK = "pick"  # the name of the selection that is listened to


@functools.cache
def widget() -> type[alt.JupyterChart]:
    """Return the class of the widget, with all its scripts in it."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "retention-lab"
    versions = (importlib.metadata.version(name) for name in ("altair", "vl-convert-python"))
    file = cache / f"widget-{'-'.join(versions)}.js"
    if file.is_file():
        script = file.read_text(encoding="utf-8")
    else:
        alt.JupyterChart.enable_offline()
        script = alt.JupyterChart._esm
        with suppress(OSError):  # a home that cannot be written to costs a second each time
            files.write(file, str(script).encode())
    return type("Picture", (alt.JupyterChart,), {"_esm": script})


def drawn(chart: AnyChart, *, picked: Callable[[Mapping[str, object]], None]) -> alt.JupyterChart:
    """Return the widget of a chart, which calls `picked` with the fields of a point clicked."""
    picture = widget()(
        _sized(chart), embed_options={"actions": False, "ast": True, "renderer": "svg"}
    )
    _listen(picture, picked)
    return picture


def redraw(
    picture: alt.JupyterChart,
    chart: AnyChart,
    *,
    picked: Callable[[Mapping[str, object]], None],
) -> None:
    """Put another chart in the place of the one that is drawn."""
    picture.chart = _sized(chart)
    _listen(picture, picked)


def _sized(chart: AnyChart) -> AnyChart:
    """Give a chart that would be as wide as its page a width: JupyterLab hangs on the other."""
    return chart.properties(width=LAB_WIDTH) if chart.width == "container" else chart


def _listen(picture: alt.JupyterChart, picked: Callable[[Mapping[str, object]], None]) -> None:
    if picture.selections.has_trait(PICK):

        def told(change: Mapping[str, object]) -> None:
            points = getattr(change["new"], "value", None)
            if points:
                picked(points[0])

        picture.selections.observe(told, PICK)
