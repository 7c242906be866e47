"""A line of one number through its reports, as small as a word; it says itself in words, too."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from markupsafe import Markup

from retention_lab.reports.assets import listed
from retention_lab.reports.calendar import short_date
from retention_lab.reports.history import Point, Series

WIDTH, HEIGHT, MARGIN = 200, 48, 6


@dataclass(frozen=True, kw_only=True)
class _Frame:
    """Where a day and a value lie in the picture."""

    first: int
    days: int
    low: float
    span: float

    def x(self, point: Point) -> float:
        share = (point.as_of.toordinal() - self.first) / self.days
        return MARGIN + share * (WIDTH - 2 * MARGIN)

    def y(self, value: float) -> float:
        share = (value - self.low) / self.span if self.span else 0.5
        return HEIGHT - MARGIN - share * (HEIGHT - 2 * MARGIN)

    def at(self, point: Point, value: float) -> str:
        return f"{self.x(point):.1f} {self.y(value):.1f}"


def picture(series: Series) -> Markup:
    """Draw a series with the band of its intervals; nothing for a single report.

    Where numbers cannot be compared the line is interrupted, and a dashed line stands in the gap.
    """
    if len(series.points) < 2:
        return Markup()
    frame = _frame(series.points)
    shapes = "".join(
        shape for run in _runs(series.points) for shape in _shapes(run, frame=frame)
    ) + "".join(_gaps(series.points, frame=frame))
    head = Markup('<svg class="spark" role="img" aria-label="{}" viewBox="0 0 {} {}">')
    # Built of numbers alone; only the words could hold anything else.
    return head.format(words(series), WIDTH, HEIGHT) + Markup(f"{shapes}</svg>")


def words(series: Series) -> str:
    """Say what the line shows, for readers who do not see it."""
    points = series.points
    lowest, highest = (pick(points, key=_value) for pick in (min, max))
    days = [short_date(point.as_of) for point in points if point.broken]
    broken = f" The line breaks at {listed(days)}." if days else ""
    return (
        f"{series.label}: {len(points)} reports from {short_date(points[0].as_of)} to "
        f"{short_date(points[-1].as_of)}, lowest {lowest.text}, highest {highest.text}, "
        f"newest {points[-1].text}.{broken}"
    )


def _value(point: Point) -> float:
    return point.value


def _frame(points: Sequence[Point]) -> _Frame:
    bounds = [each for point in points for each in (point.value, point.low, point.high)]
    values = [each for each in bounds if each is not None]
    first, last = (points[place].as_of.toordinal() for place in (0, -1))
    return _Frame(
        first=first, days=max(last - first, 1), low=min(values), span=max(values) - min(values)
    )


def _runs(points: Sequence[Point]) -> Iterator[Sequence[Point]]:
    """Yield the stretches within which numbers can be compared."""
    starts = [place for place, point in enumerate(points) if point.broken or place == 0]
    for start, end in zip(starts, [*starts[1:], len(points)], strict=True):
        yield points[start:end]


def _shapes(run: Sequence[Point], *, frame: _Frame) -> Iterator[str]:
    lows = [frame.at(point, point.low) for point in run if point.low is not None]
    highs = [frame.at(point, point.high) for point in run if point.high is not None]
    if len(lows) == len(highs) == len(run):
        yield f'<path class="band" d="M{"L".join([*lows, *reversed(highs)])}Z"/>'
    yield f'<path class="line" d="M{"L".join(frame.at(point, point.value) for point in run)}"/>'
    end = run[-1]
    yield f'<circle cx="{frame.x(end):.1f}" cy="{frame.y(end.value):.1f}" r="2.5"/>'


def _gaps(points: Sequence[Point], *, frame: _Frame) -> Iterator[str]:
    for before, point in pairwise(points):
        if point.broken:
            x = (frame.x(before) + frame.x(point)) / 2
            yield f'<path class="gap" d="M{x:.1f} 0V{HEIGHT}"/>'
