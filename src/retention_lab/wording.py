"""One function a sentence, built from recorded results only; `../data/README.md` and the page's definitions say what each number is.

House rules: "in 100 customers" before "%", points for a difference of shares, the interval in the same sentence, what to do with an
owner and a date, and no words above the fold that only a statistician reads.
"""

from __future__ import annotations

import datetime as dt
from typing import Literal, assert_never

import pandas as pd

from retention_lab.record import Claim, Ledger

Direction = Literal["more", "fewer", "perhaps more", "perhaps fewer"]


def day(value: dt.date) -> str:
    """Return for example `29 December`; the year only where a reader could doubt it."""
    return f"{value.day} {value:%B}"


def month(value: dt.date | pd.Timestamp) -> str:
    """Return for example `August 2026`."""
    return f"{value:%B %Y}"


def in_hundred(claim: Claim) -> str:
    """Return for example `about 26 in 100`; a share that would round to 0 or 100 keeps one decimal."""
    per = 100 * claim.value
    rounded = f"{per:.0f}" if 0.5 <= per < 99.5 or per in (0, 100) else f"{per:.1f}"
    return f"about {rounded} in 100"


def direction(change: Claim) -> Direction:
    """Read a difference of shares: only an interval that leaves out zero earns a plain word."""
    if change.low is not None and change.low > 0:
        return "more"
    if change.high is not None and change.high < 0:
        return "fewer"
    return "perhaps more" if change.value >= 0 else "perhaps fewer"


def overview_headline(ledger: Ledger) -> str:
    """Say in one line whether the newest month of customers that can be judged came back more or less than the one before."""
    if "returned" not in ledger:
        return "It is too early to say how many new customers come back."
    who = f"{ledger['returned'].about}\N{RIGHT SINGLE QUOTATION MARK}s new customers"
    if "returned_change" not in ledger:
        return f"{in_hundred(ledger['returned']).capitalize()} of {who} came back."
    match direction(ledger["returned_change"]):
        case "more":
            return f"More of {who} came back."
        case "fewer":
            return f"Fewer of {who} came back."
        case "perhaps more":
            return f"Slightly more of {who} came back; it may be chance."
        case "perhaps fewer":
            return f"Slightly fewer of {who} came back; it may be chance."
        case never:
            assert_never(never)


def overview_body(ledger: Ledger, *, days: int) -> str:
    """Say how many came back, with its interval, beside the month before."""
    if "returned" not in ledger:
        return f"No month of new customers has been followed for {days} days yet."
    now, count = ledger["returned"], ledger["returned_count"]
    sentence = (
        f"Of {now.n:,} customers who first bought in {now.about}, {count.text}, {in_hundred(now)} ({now.ranged}), "
        f"bought again within {days} days."
    )
    if "returned_change" not in ledger:
        return f"{sentence} There is no earlier month to compare it with."
    before, change = ledger["returned_before"], ledger["returned_change"]
    size = (
        "about the same"
        if round(abs(change.value), 3) == 0
        else f"{change.written(abs(change.value))} points {_side(change.value)}"
    )
    return (
        f"{sentence} {before.about}\N{RIGHT SINGLE QUOTATION MARK}s figure was {before.text}, so this is {size}, "
        f"with a plausible range from {_bound(change, change.low)} to {_bound(change, change.high)}."
    )


def _side(value: float) -> str:
    return "lower" if value < 0 else "higher"


def _bound(claim: Claim, value: float | None) -> str:
    return f"{claim.written(abs(value or 0))} {_side(value or 0)}"


def overview_action(
    ledger: Ledger, *, owner: str, as_of: dt.date, days: int, next_cohort: dt.date | None
) -> str:
    """Say what to do, who does it and by when; and, where tempting, what not to do.

    `next_cohort` is the first day of the next month of new customers that will be complete, None where nobody has joined since.
    """
    nothing = (
        f"**Do:** nothing; nobody has first bought since {ledger['returned'].about}."
        if next_cohort is None
        else ""
    )
    if next_cohort is not None:
        ends = (pd.Timestamp(next_cohort) + pd.offsets.MonthEnd(0) + pd.Timedelta(days=days)).date()
        nothing = f"**Do:** nothing yet; {month(next_cohort)} completes on {day(ends)} {ends.year}."
    if "returned_change" not in ledger:
        return nothing
    who = ledger["returned"].about
    by = day(as_of + dt.timedelta(days=7))
    match direction(ledger["returned_change"]):
        case "fewer":
            return (
                f"**Do:** {owner} finds out by {by} whether other people joined in {who} (a promotion, a new channel) or the same "
                "kind of people came back less. **Do not** change the offer on one month\N{RIGHT SINGLE QUOTATION MARK}s figure."
            )
        case "more":
            return (
                f"**Do:** {owner} notes by {by} what was different in {who}. **Do not** credit a campaign with it: only a "
                "randomized test can."
            )
        case "perhaps more" | "perhaps fewer":
            return nothing
        case never:
            assert_never(never)


def completeness(complete_to: dt.date, *, as_of: dt.date, simulated: bool, where: str) -> str:
    """Say to which day the orders are complete, who is in the report, and whether they are made up."""
    made_up = "These are made-up customers. " if simulated else ""
    who = f"Only customers with {where} are in this report. " if where else ""
    if complete_to >= as_of:
        return f"{made_up}{who}Orders are complete to {as_of:%A} {day(as_of)} {as_of.year}."
    return f"{made_up}{who}The last order is of {complete_to:%A} {day(complete_to)} {complete_to.year}; none is dated after it up to {day(as_of)}."


def records_begin(records_from: dt.date) -> str:
    """Warn that the first cohorts hold everybody who was a customer already."""
    return (
        f"Records begin on {day(records_from)} {records_from.year}; whoever was a customer before counts as new on their first purchase "
        "after it, so the first months may hold old customers too."
    )


def returned_curve(*, days: int) -> str:
    """Caution for the chart of returns by month."""
    return (
        f"Filled points are months whose customers have all had their {days} days. Open points are estimates from those who have had "
        "less time; they will still move. Compare only the filled ones."
    )


def retention_rate(ledger: Ledger, *, days: int) -> str:
    """Say the customer retention rate beside the companion that cannot exceed 100 %."""
    if "retention_rate" not in ledger:
        return f"A customer retention rate needs orders from {2 * days} days; this shop has fewer."
    rate, kept = ledger["retention_rate"], ledger["kept_share"]
    return (
        f"The customer retention rate over the last {days} days is {rate.text}. It includes customers who came back after a pause, so it "
        f"can exceed 100\N{NO-BREAK SPACE}%; of the {kept.n:,} active at the start, {in_hundred(kept)} ({kept.ranged}) were active at the end. "
        f"Active means: bought within {days} days."
    )


def repeat_rate(ledger: Ledger, *, days: int) -> str:
    """Say the repeat purchase rate with the reason why it must not be compared over time."""
    rate = ledger["repeat_rate"]
    sentence = (
        f"{in_hundred(rate).capitalize()} of all {rate.n:,} customers ({rate.ranged}) have bought on two days or more. Newer customers have "
        f"had less time; compare only the {days}-day figure between months"
    )
    return (
        f"{sentence} ({ledger['returned'].text} for {ledger['returned'].about})."
        if "returned" in ledger
        else f"{sentence}."
    )


def repurchase(ledger: Ledger) -> str:
    """Say how long the second purchase takes, with those still waiting counted as waiting."""
    share = ledger["bought_again_by"]
    sentence = f"{share.label}: {in_hundred(share)} customers ({share.ranged})."
    if "median_days_again" in ledger:
        sentence += f" Half have done so by day {ledger['median_days_again'].text}."
    else:
        sentence += " Fewer than half have done so in the time that anybody was followed, so there is no median."
    if "median_days_completed" in ledger:
        sentence += (
            f" Among those who did, the median is {ledger['median_days_completed'].text} days; that leaves out everybody still waiting and is "
            "not how long it takes."
        )
    return sentence


def activity(ledger: Ledger, *, days: int) -> str:
    """Say how many customers were active lately, on which clock."""
    now = ledger["active_share"]
    sentence = f"{in_hundred(now).capitalize()} of all customers ({now.ranged}) bought within the last {days} days (the purchase clock)."
    if "active_share_before" not in ledger:
        return sentence
    before = ledger["active_share_before"]
    return (
        f"{sentence} {days} days earlier it was {before.text} ({before.between}) of the {before.n:,} customers of that day. "
        "The base only grows, so this share falls when few new customers arrive."
    )


def triangle(means: pd.DataFrame) -> str:
    """Caution beside a triangle; `means` is what `weighted_mean` gave."""
    last = means.iloc[-1]
    cohorts = f"{int(last['cohorts'])} cohort{'s' if last['cohorts'] > 1 else ''}"
    return (
        "Hatched cells are incomplete and excluded from the mean row, which weights each cohort by its size; "
        f"its last complete column rests on {cohorts}."
    )


def left_out(frame: pd.DataFrame, *, table: str) -> str:
    """Say how many rows of a table were used and what took most of the others; `frame` is a snapshot's `left_out`."""
    rows = frame[frame["table"] == table].groupby("reason")["rows"].sum()
    total, used = int(rows.sum()), int(rows.get("used", 0))
    others = rows.drop("used", errors="ignore").sort_values(ascending=False)
    share = f"{100 * used / total:.1f}\N{NO-BREAK SPACE}%"
    if others.empty:
        return f"All {total:,} rows of {table} are used."
    most = f"most of the others for \N{LEFT DOUBLE QUOTATION MARK}{others.index[0]}\N{RIGHT DOUBLE QUOTATION MARK} ({others.iloc[0]:,})"
    return f"Of {total:,} rows of {table}, {used:,} ({share}) are used; {most}."


def waterfall(frame: pd.DataFrame, *, currency: str) -> pd.DataFrame:
    """Add the months of a `left_out` up: one row per table and reason, in rows and in money (whole units)."""
    sums = frame.groupby(["table", "reason"], sort=False)[["rows", "amount"]].sum().reset_index()
    sums["used"] = sums["reason"].eq("used")
    ordered = sums.sort_values(["table", "used", "rows"], ascending=[True, True, False])
    return pd.DataFrame(
        {
            "Table": ordered["table"],
            "What became of it": ordered["reason"],
            "Rows": ordered["rows"].map("{:,}".format),
            f"Amount ({currency})": ordered["amount"].map(
                lambda amount: f"{amount:,.2f}" if amount else ""
            ),
        }
    ).set_index("Table")


def controls(frame: pd.DataFrame) -> str:
    """Say whether the figures match those of another system."""
    if frame.empty:
        return (
            "The source file states no control totals, so nothing here was compared with Finance."
        )
    wrong = frame[~frame["agrees"].astype(bool)]
    if wrong.empty:
        return f"All {len(frame)} control totals of the source file agree."
    return f"{len(wrong)} of {len(frame)} control totals do not agree; read the table before any figure above."


def beside(ledger: Ledger, names: list[str], *, now: str, before: str) -> pd.DataFrame:
    """Put recorded results beside those of the period before, which are recorded under the same name and `_before`."""
    rows = []
    for name in (name for name in names if name in ledger):
        earlier = f"{name}_before"
        rows.append(
            {
                "Measure": ledger[name].label,
                now: _with_interval(ledger[name]),
                before: _with_interval(ledger[earlier]) if earlier in ledger else "not known",
            }
        )
    return pd.DataFrame(rows, columns=["Measure", now, before]).set_index("Measure")


def definitions(ledger: Ledger) -> pd.DataFrame:
    """List every recorded result of the newest period with the n behind it and its definition."""
    rows = [
        {
            "Result": claim.label or claim.name,
            "About": claim.about,
            "Value": _with_interval(claim),
            "n": "" if claim.n is None else f"{claim.n:,}",
            "Definition": claim.definition,
        }
        for claim in ledger.claims()
        if not claim.name.endswith("_before")
    ]
    return pd.DataFrame(rows).set_index("Result")


def _with_interval(claim: Claim) -> str:
    return claim.text if claim.low is None else claim.full
