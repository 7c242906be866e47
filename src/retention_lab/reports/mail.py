"""Mail about an invocation: what is published to its readers, what failed to its owners.

Nothing of the environment is read here, and no more of a run than `run.json` and its pages hold.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import make_msgid
from pathlib import Path
from urllib.parse import quote

from retention_lab.reports import assets, digest, smtp
from retention_lab.reports.delivery import Undelivered
from retention_lab.reports.edition import LARGEST, Edition, edition
from retention_lab.reports.ran import Ran
from retention_lab.reports.smtp import Settings, send, settings
from retention_lab.reports.suite import Suite

__all__ = ["Edition", "Settings", "edition", "message", "send", "settings", "tell"]

_REMEDIES = {
    1: "Open the kept notebook at the cell that failed, mend it, and run again.",
    2: "Mend the setting that the sentence names, and run again: nothing was started.",
    3: "Bring the data up to date, or decide what to leave out, and run again.",
    4: "See whether memory and time were enough (cell_minutes, minutes), and run again.",
    75: "Wait until the other run of the suite is over; it may have done the work.",
    143: "The run was ended from outside. Run again when the machine is free.",
}


def tell(told: Sequence[tuple[Suite, Ran]], *, by: Settings | None) -> None:
    """Send what an invocation has to say: one mail to each circle of readers and to each owner.

    Readers get the newest report of each of their suites, and a line on each; nothing where all is
    unchanged or failed. An owner gets what failed, and what to do.

    Raises
    ------
    Undelivered
        When somebody should be told and cannot be; the others are told nevertheless.
    """
    if by is None:
        if any(_awaited(suite, ran) for suite, ran in told):
            raise Undelivered("Mail is asked for, but RETENTION_LAB_SMTP_HOST names no server.")
        return
    problems = []
    for letter in (*_to_readers(told, by=by), *_to_owners(told, by=by)):
        try:
            send(letter, by=by)
        except Undelivered as problem:
            problems.append(str(problem))
    if problems:
        raise Undelivered(" ".join(dict.fromkeys(problems)))


def _awaited(suite: Suite, ran: Ran) -> bool:
    if ran.status == "failed":
        return bool(suite.owner_mail)
    return _is_new(ran) and bool(suite.readers)


def _is_new(ran: Ran) -> bool:
    return ran.status in ("published", "published with warnings")


def _to_readers(told: Sequence[tuple[Suite, Ran]], *, by: Settings) -> Iterator[EmailMessage]:
    good = [(suite, ran) for suite, ran in told if _is_new(ran)]
    for readers in dict.fromkeys(tuple(suite.readers) for suite, _ in good if suite.readers):
        rans = [ran for suite, ran in good if tuple(suite.readers) == readers]
        parts, lines = _editions(rans, url=by.url)
        yield message(
            _title(rans), to=readers, when=rans[-1].finished, by=by, parts=parts, lines=lines
        )


def _to_owners(told: Sequence[tuple[Suite, Ran]], *, by: Settings) -> Iterator[EmailMessage]:
    failed = [suite.owner_mail for suite, ran in told if ran.status == "failed"]
    for owner in dict.fromkeys(filter(None, failed)):
        theirs = [(suite, ran) for suite, ran in told if suite.owner_mail == owner]
        bad = [(suite, ran) for suite, ran in theirs if ran.status == "failed"]
        lines = [
            *digest.lines([ran for _, ran in theirs]),
            "What was published before stays as it was.",
            *dict.fromkeys(f"Kept, for its owner only: {ran.kept}" for _, ran in bad if ran.kept),
            *(_REMEDIES.get(code, _REMEDIES[1]) for code in sorted({r.exit_code for _, r in bad})),
            *dict.fromkeys(f"Again: {_command(suite, ran)}" for suite, ran in bad),
        ]
        title = f"Failed: {_title([ran for _, ran in bad])}"
        yield message(title, to=(owner,), when=bad[-1][1].finished, by=by, lines=lines)


def _command(suite: Suite, ran: Ran) -> str:
    day = ["--as-of", ran.as_of] if ran.as_of else []
    return shlex.join(["retention-lab", "run", str(suite.file), *day])


def _title(rans: Sequence[Ran]) -> str:
    newest = max(rans, key=lambda ran: ran.as_of)
    more = f" and {len(rans) - 1} more" if len(rans) > 1 else ""
    made_up = "Made-up customers · " if any(ran.simulated for ran in rans) else ""
    return f"{made_up}{', '.join(filter(None, (newest.title, digest.day(newest))))}{more}"


def _editions(rans: Sequence[Ran], *, url: str) -> tuple[list[Edition], list[str]]:
    """Return each suite's newest report as far as a mail can hold it, and what to say first."""
    newest = {ran.suite: ran for ran in sorted(rans, key=lambda ran: ran.as_of)}
    parts, lines, room = [], digest.lines(rans), LARGEST
    for ran in newest.values():
        for page in (Path(ran.folder, Path(name).name) for name in ran.pages):
            address = f"{url}/{quote(ran.suite)}/{ran.as_of}/{quote(page.name)}" if url else ""
            try:
                part = edition(page.read_text(encoding="utf-8"), url=address, room=room)
            except OSError:
                lines.append(f"A page is no longer there: {page}")
                continue
            if part.size > room:
                lines.append(f"Too large for this mail: {part.title}. {address or page}")
            else:
                parts.append(part)
                room -= part.size
    return parts, lines


def message(
    title: str,
    *,
    to: Iterable[str],
    when: str,
    by: Settings,
    lines: Sequence[str],
    parts: Sequence[Edition] = (),
) -> EmailMessage:
    """Return a mail: text alone, or with `parts` text and HTML as alternatives, and its pictures.

    `when` is its date, in ISO text with a zone; `lines` come first, one paragraph each. Whatever
    the texts hold, a header is one line.

    Raises
    ------
    BadParameter
        When an address is none.
    """
    mail, texts = EmailMessage(policy=SMTP), EmailMessage(policy=SMTP)
    said = "\n\n".join([*lines, *(part.text for part in parts)])
    first = texts if parts else mail
    first.set_content(said, cte="quoted-printable")
    del first["MIME-Version"]  # stands at the head of a mail, not of its parts
    if parts:
        html = assets.TEMPLATES.get_template("mail.html").render(
            title=title, lines=lines, parts=[part.html for part in parts]
        )
        texts.add_alternative(html, subtype="html", cte="quoted-printable")
        mail.make_related()
        mail.set_param("type", "multipart/alternative")
        mail.attach(texts)
    for name, png in {name: png for part in parts for name, png in part.pictures.items()}.items():
        mail.add_related(png, "image", "png", cid=f"<{name}>")
    addresses = [smtp.address_of(each, name="The address of a mail") for each in to]
    _head(mail, title=title, to=addresses, when=when, by=by)
    return mail


def _head(
    mail: EmailMessage, *, title: str, to: Sequence[Address], when: str, by: Settings
) -> None:
    mail["MIME-Version"] = "1.0"
    mail["Subject"] = digest.one_line(title)[:200]
    mail["From"] = by.sender
    mail["To"] = to
    mail["Date"] = datetime.fromisoformat(when)
    mail["Message-ID"] = make_msgid(domain=by.sender.domain)
    mail["Auto-Submitted"] = "auto-generated"  # so that nobody's holiday answers it
