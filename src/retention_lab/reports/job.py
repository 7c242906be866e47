"""One call of the runner: each suite of a matrix on each day, then what follows from it.

A run that is refused does not keep the others from running: all are run and told, and the exit code
is the worst of them.
"""

from __future__ import annotations

import datetime as dt
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from retention_lab import checks
from retention_lab import state as states
from retention_lab.reports import calendar, run, stopping
from retention_lab.reports.ran import Failure, Ran, last, note
from retention_lab.reports.run import Call
from retention_lab.reports.suite import Period, Suite
from retention_lab.state import State
from retention_lab.state.about import ABOUT

LOCKED, UNDELIVERED = 75, 1


@dataclass(frozen=True, kw_only=True)
class Done:
    """What became of each run, and what of its delivery went wrong."""

    rans: tuple[Ran, ...]
    troubles: tuple[str, ...] = ()
    index: Path | None = None

    @property
    def exit_code(self) -> int:
        """The worst of the runs; that a suite was being run already is the least of failures."""
        codes = {ran.exit_code for ran in self.rans}
        worst = max(codes - {LOCKED}, default=0) or max(codes, default=0)
        return worst or (UNDELIVERED if self.troubles else 0)


def days(
    *, as_of: dt.date | None, since: dt.date | None, until: dt.date | None, period: Period
) -> list[dt.date]:
    """Return the days to report on, oldest first; none where the suite is to find it itself.

    Raises
    ------
    BadParameter
        When both ways are used, one end is missing, or no period ends between the two.
    """
    if since is None and until is None:
        return [] if as_of is None else [as_of]
    if as_of is not None:
        raise checks.BadParameter("--as-of is one day, --since with --until many: use one of them.")
    if since is None or until is None:
        raise checks.BadParameter("--since and --until belong together: the first and last day.")
    return calendar.ends(since, until, period=period)


def do(suite: Suite, call: Call, *, days: Sequence[dt.date] = ()) -> Done:
    """Run a suite, or each of its matrix, on each day; then index, deliver and tell.

    Raises
    ------
    BadParameter
        When the suite has no such notebook, or its matrix does not fit.
    Ended
        When the run was stopped from outside; nothing more is run.
    """
    suite.chosen(call.only)  # a slip of the caller's is no failure of the suite
    asked: Sequence[dt.date | None] = days or [None]
    with stopping.stoppable():
        pairs = [(each, _one(each, call, as_of=day)) for each in suite.expanded() for day in asked]
        if all(ran.status == "unchanged" or ran.exit_code == LOCKED for _, ran in pairs):
            return Done(rans=tuple(ran for _, ran in pairs))
        return _Delivery(call=call, pairs=pairs).done()


def afresh(
    suite: Suite,
    *,
    as_of: dt.date | None,
    out: Path,
    before: Path | None,
    now: dt.datetime | None,
    remembers: Path | None = None,
) -> Ran:
    """Run a suite into a place of its own, as at a moment `now`, with nothing skipped or sent.

    `remembers` is the state of which notebooks read what is known of tests.
    """
    moment = now or dt.datetime.now(dt.UTC)
    own = out / ".state"
    call = Call(out=out, state=own, now=moment, force=True, before=before, remembers=remembers)
    with stopping.stoppable():
        return run.run(suite, call, as_of=as_of)


def known(folder: Path) -> State | None:
    """Open a state if there is one."""
    return states.opened(folder) if (folder / ABOUT).is_file() else None


def _one(suite: Suite, call: Call, *, as_of: dt.date | None) -> Ran:
    begun = time.time()
    try:
        ran = run.run(suite, call, as_of=as_of)
    except checks.Refusal as refusal:
        if refusal.exit_code > 128:
            raise
        ran = _refused(suite, refusal, as_of=as_of, begun=begun)
    shelf = call.out / suite.name
    before = last(shelf) if ran.status == "unchanged" else None
    if before is not None and before.undelivered and before.as_of == ran.as_of:
        ran = before.model_copy(update={"undelivered": ()})  # it is delivered now
    if ran.exit_code != LOCKED:  # that file belongs to the run that holds the lock
        note(ran, shelf)
    return ran


def _refused(suite: Suite, refusal: checks.Refusal, *, as_of: dt.date | None, begun: float) -> Ran:
    from retention_lab.reports import scrubbing  # noqa: PLC0415

    secrets = scrubbing.secrets(suite.place(suite.source))
    sentence = scrubbing.scrub(str(refusal), secrets)
    failure = Failure(sentence=sentence, exit_code=refusal.exit_code)
    about = {"as_of": str(as_of or "")}
    return run.told(
        suite,
        about,
        status="failed",
        begun=begun,
        exit_code=refusal.exit_code,
        failures=(failure,),
    )


@dataclass(kw_only=True)
class _Delivery:
    """What follows the runs; whatever goes wrong in one part keeps no other from happening."""

    call: Call
    pairs: Sequence[tuple[Suite, Ran]]
    troubles: list[str] = field(default_factory=list)

    def done(self) -> Done:
        """Print, index, copy, call and mail, in this order."""
        self._print()
        index = self._index()
        self._copy()
        self._call()
        self._mail()
        rans, troubles = tuple(ran for _, ran in self.pairs), tuple(self.troubles)
        for suite, ran in self._fresh if troubles else ():
            note(ran.model_copy(update={"undelivered": troubles}), self.call.out / suite.name)
        return Done(rans=rans, troubles=troubles, index=index)

    @property
    def _fresh(self) -> list[tuple[Suite, Ran]]:
        return [(suite, ran) for suite, ran in self.pairs if ran.status.startswith("published")]

    def _print(self) -> None:
        for pages in (ran.pages for suite, ran in self._fresh if suite.pdf):
            from retention_lab.reports import pdf  # noqa: PLC0415  it loads a reader of pages

            with self._trying():
                pdf.print_pages([Path(page) for page in pages])

    def _copy(self) -> None:
        places = {suite.name: suite.publish for suite, _ in self._fresh if suite.publish}
        for name, place in places.items():
            from retention_lab.reports import delivery  # noqa: PLC0415  as above

            with self._trying():
                delivery.publish(self.call.out, Path(place), name)

    def _call(self) -> None:
        for suite, ran in self.pairs:
            command = suite.on_failure if ran.status == "failed" else suite.on_success
            if command and ran.status != "unchanged":
                from retention_lab.reports import hooks, scrubbing  # noqa: PLC0415  as above

                secrets = scrubbing.secrets(suite.place(suite.source))
                with self._trying():
                    file = note(ran, self.call.out / suite.name)  # of many days, that of this one
                    hooks.call(command, run_json=file, ran=ran, secrets=secrets)

    def _mail(self) -> None:
        if any(suite.readers or suite.owner_mail for suite, _ in self.pairs):
            from retention_lab.reports import mail  # noqa: PLC0415  as above

            with self._trying():
                mail.tell(self.pairs, by=mail.settings(os.environ))

    def _index(self) -> Path:
        from retention_lab.reports import brand, index  # noqa: PLC0415

        files = [suite.place(suite.brand) for suite, _ in self.pairs if suite.brand]
        look = None
        with self._trying():  # a run that was refused for its brand has said so
            look = brand.load(files[-1]) if files else None
        return index.write(
            self.call.out, state=known(self.call.state), now=self.call.now, brand=look
        )

    @contextmanager
    def _trying(self) -> Iterator[None]:
        try:
            yield
        except checks.Refusal as refusal:
            self.troubles.append(str(refusal))
