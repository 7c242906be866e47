"""Customers by segment, while cut lines and rules are moved: who is where, who moved, and when."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, cast

import ipywidgets

from retention_lab.charts import segments_live as charts
from retention_lab.customers import collapsed_rfm, lines_by_hand
from retention_lab.customers import standing as standings
from retention_lab.customers.collapsed_rfm import Collapsed, Moved
from retention_lab.customers.rfm import MEASURES
from retention_lab.customers.segments import with_rules
from retention_lab.customers.standing import By, Standing, groups
from retention_lab.customers.thresholds import Drawn, Thresholds
from retention_lab.explore import segments_controls, segments_kept
from retention_lab.explore.board import Board
from retention_lab.explore.explorer import Explorer, Seen, Settings
from retention_lab.explore.making import Report
from retention_lab.explore.opened import Opened
from retention_lab.lab.answer import drawn
from retention_lab.record import Ledger
from retention_lab.record import explored as recorded
from retention_lab.record.segments import best
from retention_lab.tables import playbook as plays
from retention_lab.tables import population, snapshot
from retention_lab.tables.segment import Segments
from retention_lab.wording import segments_live as said


def segments(
    opened: Opened,
    *,
    owner: str,
    playbook: str = plays.OWN_FILE,
    thresholds: str = "",
    days: int = 90,
    by: By = "cohort",
) -> Board:
    """Open the board of segments.

    Parameters
    ----------
    opened
        The shop.
    owner
        Whose name stands on a report made of it.
    playbook, thresholds
        The rules and the frozen cut lines in use; without lines, quantiles of the earlier day.
    days
        How long before the day of the shop the earlier one is.
    by
        Whom to take together at first.

    Raises
    ------
    BadParameter, BadData
        As `customers.standing.standing` does.
    """
    explorer = SegmentExplorer(opened, playbook=playbook, thresholds=thresholds, days=days, by=by)
    return Board(explorer, owner=owner)


class SegmentExplorer(Explorer):
    """Who is in which segment under lines and rules that are moved by hand."""

    name = "segment_explorer"

    def __init__(
        self, opened: Opened, *, playbook: str, thresholds: str, days: int, by: By
    ) -> None:
        self.opened, self.playbook, self.thresholds = opened, playbook, thresholds
        self.book = plays.load(playbook)
        self._kept: dict[tuple[object, ...], Any] = {}
        rules, top = self.book.segments, best(self.book.segments.cohorts)
        self.top = top.name if top else ""
        asked: Settings = {"where": "", "days": days, "within": rules.within}
        here = self._here(asked)
        self.steps = lines_by_hand.steps(here)
        self._start: Settings = {
            "by": by,
            "picture": "sizes",
            "group": "",
            **asked,
            "lines": "in use",
            **lines_by_hand.nearest(here.thresholds.cuts, self.steps),
            **{f"high_{name}": getattr(top, name)[0] if top else 1 for name in MEASURES},
            "activity": [*rules.activity],
        }

    @property
    def start(self) -> Settings:
        """What the notebook said, and the lines in use on the nearest steps."""
        return self._start

    def controls(self, settings: Settings) -> dict[str, ipywidgets.Widget]:
        """Return the controls; those of lines show when lines are put by hand."""
        names = {by: groups(self.book.segments, by=by) for by in ("cohort", "segment")}
        conditions = self._once(("filters",), lambda: lines_by_hand.filters(self.opened.shop))
        return segments_controls.controls(
            settings, steps=self.steps, names=names, conditions=conditions, top=self.top
        )

    def seen(self, settings: Settings) -> Seen:
        """Show how large each group is, or who went where, and tell of one of them."""
        moved = self.moved(settings)
        ledger, group = self._recorded(settings, moved), self._group(settings, moved)
        sizes = settings["picture"] == "sizes"
        chart = charts.sizes(moved, group=group) if sizes else charts.moves(moved)
        return Seen(
            says=said.segments_live_says(
                moved,
                name=self.opened.shop.name,
                where=population.both(self.opened.where, str(settings["where"])),
                lines=str(settings["lines"]),
            ),
            chart=chart,
            words=f"**{ledger.headline}**\n\n"
            + said.segments_live_body(ledger, moved, group=group),
            table=drawn(chart if sizes else charts.told(moved)),
        )

    def ledger(self, settings: Settings) -> Ledger:
        """Record what is claimed of the group in view, under a headline."""
        return self._recorded(settings, self.moved(settings))

    def _recorded(self, settings: Settings, moved: Moved) -> Ledger:
        ledger = Ledger(where=population.both(self.opened.where, str(settings["where"])))
        group = self._group(settings, moved)
        recorded.record(ledger, moved, group=group)
        ledger.headline = said.segments_live_headline(ledger, moved, group=group)
        return ledger

    def moved(self, settings: Settings) -> Moved:
        """Count the customers under the lines and rules of the settings."""
        lines, rules = self.lines(settings), self.rules(settings)
        return self._collapsed(settings).under(lines, rules, by=cast("By", settings["by"]))

    def lines(self, settings: Settings) -> Thresholds:
        """The cut lines of the settings."""
        here, asked = self._here(settings), str(settings["lines"])
        match asked:
            case "in use":
                return here.thresholds
            case "by hand":
                lines = {name: cast("list[float]", settings[name]) for name in MEASURES}
                return lines_by_hand.by_hand(here, lines)
        key = ("lines", asked, *_asked(settings))
        shop, method = self._shop(settings), cast("Drawn", asked)
        made = self._once(key, lambda: standings.redrawn(shop, here, method=method))
        return cast("Thresholds", made)

    def rules(self, settings: Settings) -> Segments:
        """The rules of the settings."""
        least = tuple(cast("int", settings[f"high_{name}"]) for name in MEASURES)
        activity, within = tuple(cast("list[int]", settings["activity"])), settings["within"]
        made = self._once(
            ("rules", least, activity, within),
            lambda: with_rules(
                self.book.segments,
                self.top,
                least=least,
                activity=activity,
                within=cast("int", within),
            ),
        )
        return cast("Segments", made)

    def picked(self, point: Mapping[str, object]) -> Settings:
        """A click on a bar or a row chooses its group."""
        group = point.get("group", point.get("before"))
        return {"group": str(group)} if group else {}

    def code(self, settings: Settings) -> str:
        """Write the cell that asks the lab the same."""
        return segments_kept.code(self, settings)

    def report(self, settings: Settings) -> Report:
        """Make a report of who the customers are, by these lines and rules."""
        return segments_kept.report(self, settings)

    def actions(self, settings: Settings) -> dict[str, Callable[[Settings], str]]:
        """Freeze the lines for all reports to come."""
        del settings
        return {"Freeze these lines": lambda now: segments_kept.freeze(self.lines(now))}

    def _group(self, settings: Settings, moved: Moved) -> str:
        """The group that is told of: the chosen one, or the best, or the first."""
        names = list(moved.now["group"])
        usual = self.top if moved.by == "cohort" and self.top else names[0]
        return str(settings["group"]) if settings["group"] in names else usual

    def _shop(self, settings: Settings) -> snapshot.Snapshot:
        where, shop = str(settings["where"]), self.opened.shop
        only = self._once(("shop", where), lambda: snapshot.only(shop, where) if where else shop)
        return cast("snapshot.Snapshot", only)

    def _here(self, settings: Settings) -> Standing:
        """How the customers stand by the lines and rules in use, but for the days scored."""

        def stand() -> Standing:
            within = cast("int", settings["within"])
            frozen = self.thresholds and within == self.book.segments.within
            return standings.standing(
                self._shop(settings),
                with_rules(self.book.segments, within=within),
                thresholds=Path(self.thresholds) if frozen else None,
                days=cast("int", settings["days"]),
            )

        return cast("Standing", self._once(("here", *_asked(settings)), stand))

    def _collapsed(self, settings: Settings) -> Collapsed:
        given = None if settings["lines"] == "by hand" else self.lines(settings)
        here = self._here(settings)
        return cast(
            "Collapsed",
            self._once(
                ("cells", settings["lines"], *_asked(settings)),
                lambda: collapsed_rfm.collapsed(here, given, steps=self.steps),
            ),
        )

    def _once(self, key: tuple[object, ...], make: Callable[[], Any]) -> Any:  # noqa: ANN401
        """Keep what the engine had to make."""
        if key not in self._kept:
            self._kept[key] = make()
        return self._kept[key]


def _asked(settings: Settings) -> tuple[object, ...]:
    """What needs the engine."""
    return settings["where"], settings["days"], settings["within"]
