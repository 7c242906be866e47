"""An explorer of a few orders, with a setting for everything that a board has to bear."""

from __future__ import annotations

import altair as alt
import ipywidgets
import pandas as pd

from retention_lab.charts.frame import COUNT, TEXT, finished
from retention_lab.checks import BadData
from retention_lab.explore.explorer import Explorer, Seen
from retention_lab.explore.making import Report

ORDERS = {"Malta": 3, "UK": 5}  # a day, of each country that a customer may choose
COLUMNS = {"country": ("Country", TEXT), "orders": ("Orders", COUNT)}
NOTEBOOK = "notebooks/10_page.ipynb"


class Toy(Explorer):
    """Orders of some days by country; `asked` keeps each settings that were shown, in order."""

    name = "toy"

    def __init__(self, opened, *, days=7):
        self.opened, self._days = opened, days
        self.asked = []

    @property
    def start(self):
        return {"country": "all", "days": self._days, "picture": True, "fault": ""}

    def controls(self, settings):
        return {
            "country": ipywidgets.Dropdown(
                options=["all", "Malta", "UK", "Nowhere"],
                value=settings["country"],
                description="Country",
            ),
            "days": ipywidgets.IntSlider(
                value=settings["days"], min=1, max=90, description="Days", continuous_update=True
            ),
            "picture": ipywidgets.Checkbox(value=settings["picture"], description="Picture"),
            "fault": ipywidgets.Text(value=settings["fault"], description="Fault"),
        }

    def seen(self, settings):
        self.asked.append(dict(settings))
        if settings["fault"]:
            raise ZeroDivisionError(settings["fault"] + "\nand where it was")
        names = [*ORDERS] if settings["country"] == "all" else [settings["country"]]
        rows = [(name, ORDERS[name] * settings["days"]) for name in names if name in ORDERS]
        if not rows:
            raise BadData(f"Nobody bought in {names[0]}; choose another <country>.")
        table = pd.DataFrame(rows, columns=[*COLUMNS])
        return Seen(
            says=f"Orders of {settings['days']} days, {settings['country']} <of the shop>.",
            chart=_bars(table) if settings["picture"] else None,
            words=f"**{table['orders'].sum()} orders.** <script>window.hacked = 1</script>",
            table=table,
        )

    def code(self, settings):
        if settings["country"] == "Nowhere":
            raise BadData("There is no code of nothing.")
        if settings["fault"]:
            raise ZeroDivisionError(settings["fault"])
        return f"lab = {self.opened.lab()}\nlab.orders({settings['days']}) < 2"

    def report(self, settings):
        return Report(
            name="toy",
            title="Orders of some days",
            notebook=NOTEBOOK,
            where="" if settings["country"] == "all" else f"country = '{settings['country']}'",
            parameters={"n": settings["days"]},
        )

    def picked(self, point):
        return {"country": point["country"], "days": point["orders"]}


def _bars(table):
    pick = alt.selection_point(name="pick", fields=[*COLUMNS])
    bars = alt.Chart(table).mark_bar().encode(x="orders:Q", y="country:N").add_params(pick)
    return finished(bars, description="Bars.", caption="Orders.", columns=COLUMNS)
