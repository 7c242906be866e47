from __future__ import annotations

import base64
import datetime as dt
import email
import email.policy
import re
import shutil
import socketserver
import ssl
import subprocess
import threading
import time
import zlib
from dataclasses import replace
from pathlib import Path

import pytest
from bs4 import BeautifulSoup
from markupsafe import escape
from tests.reports.hostile import CANARY, STRINGS

from retention_lab import checks
from retention_lab.reports import mail, page, prose, smtp
from retention_lab.reports.delivery import Undelivered
from retention_lab.reports.edition import LARGEST, MOST_ROWS, edition
from retention_lab.reports.ran import Ran
from retention_lab.reports.suite import Suite

ENVIRONMENT = {
    "RETENTION_LAB_SMTP_HOST": "127.0.0.1",
    "RETENTION_LAB_SMTP_FROM": "Retention reports <reports@example.org>",
    "RETENTION_LAB_SMTP_STARTTLS": "0",
    "RETENTION_LAB_URL": "https://reports.example.org/",
}
SHELL = {"html", "head", "meta", "title", "body", "h1", "img", "section"}
PNG = b"\x89PNG\r\n\x1a\n"
SVG = (
    '<svg role="img" aria-label="{words}" version="1.1" width="{size}" height="{size}" '
    'viewBox="0 0 {size} {size}"><defs><linearGradient id="f1-0"><stop offset="0" '
    'stop-color="#fff"/></linearGradient></defs><rect width="9" height="9" fill="#0b5a8a"/>'
    "<text x='1' y='40' font-family='sans-serif' font-size='20'>{text}</text></svg>"
)


def shell(body, *, title="Overview", css=":root { --accent: #7a2e6f; --line: #ddd }"):
    return (
        f'<!doctype html><html><head><title>{title}</title><style>{css}</style><base href="x">'
        f"</head><body><header><h1>{title}</h1></header><main>{body}</main>"
        "<script>window.drawn = '<p>' + 1</script></body></html>"
    )


def chart(*, words="Line: it falls.", text="share", size=60, data="<tr><td>deep</td></tr>"):
    svg = SVG.format(words=words, text=text, size=size)
    return (
        f'<figure class="chart"><div class="static">{svg}</div><div class="live"></div>'
        f'<figcaption>Figure 1. Caption</figcaption><details class="data"><summary>Data</summary>'
        f'<table>{data}</table></details><script type="application/json">{{}}</script></figure>'
    )


def ran(**changes):
    told = {
        "suite": "weekly",
        "title": "Weekly retention",
        "owner": "Lifecycle team",
        "as_of": "2026-11-29",
        "status": "published",
        "exit_code": 0,
        "started": "2026-11-30T06:00:00+00:00",
        "finished": "2026-11-30T06:01:00+00:00",
        "seconds": 60,
    }
    return Ran.model_validate(told | changes)


def failed(**changes):
    why = {"sentence": "10_overview.ipynb, cell 3 failed with KeyError: 'x'.", "exit_code": 1}
    kept = "reports/weekly/failed/2026-11-29"
    return ran(**{"status": "failed", "exit_code": 1, "failures": [why], "kept": kept} | changes)


def suite(name="weekly", **changes):
    told = {
        "name": name,
        "title": "Weekly retention",
        "source": "shop.yml",
        "owner": "Lifecycle team",
        "owner_mail": "owner@example.org",
        "readers": ["one@example.org", "two@example.org"],
        "notebooks": [{"notebook": "10_overview.ipynb", "title": "Overview"}],
        "file": Path("experiments/suites/weekly.yml"),
    }
    return Suite.model_validate(told | changes)


class Session(socketserver.StreamRequestHandler):
    """As much of SMTP as a client of submission needs."""

    def say(self, line):
        self.wfile.write(line.encode() + b"\r\n")

    def handle(self):
        server, self.sender, self.readers = self.server, "", []
        if server.silent:
            time.sleep(server.silent)
            return
        if server.proof and server.implicit:
            self._secure()
        self.say("220 test")
        while line := self.rfile.readline().decode().strip():
            server.heard.append(line)
            verb = re.split("[ :]", line)[0].lower()
            getattr(self, f"do_{verb}", lambda _: self.say("250 ok"))(line)

    def do_ehlo(self, _):
        self.say("250-test")
        self.say("250-AUTH PLAIN")
        tls = self.server.proof and not self.server.implicit
        self.say("250 STARTTLS" if tls else "250 SIZE")

    def do_starttls(self, _):
        self.say("220 go")
        self._secure()

    def do_auth(self, line):
        _, user, password = base64.b64decode(line.split()[2]).decode().split("\0")
        fine = (user, password) == ("reports", "right-canary")
        self.say("235 fine" if fine else f"535 bad password {password} for {user}")

    def do_mail(self, line):
        self.sender, self.readers = line.lower(), []  # Pythons write the verb in either case
        self.say("250 ok")

    def do_rcpt(self, line):
        refused = any(each in line for each in self.server.unknown)
        self.readers += [] if refused else [line.lower()]
        self.say("550 no such reader" if refused else "250 ok")

    def do_data(self, _):
        self.say("354 go on")
        lines = []
        while (content := self.rfile.readline()) != b".\r\n":
            lines.append(content.removeprefix(b"."))
        self.server.mails.append((self.sender, self.readers, b"".join(lines)))
        self.say("250 ok")

    def do_quit(self, _):
        self.say("221 bye")

    def _secure(self):
        self.request = self.server.proof.wrap_socket(self.request, server_side=True)
        self.setup()

    def finish(self):
        super().finish()
        self.request.close()


class Server(socketserver.ThreadingTCPServer):
    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Session)
        self.heard, self.mails, self.unknown = [], [], ()
        self.proof, self.implicit, self.silent = None, False, 0

    def handle_error(self, *_):
        """A client that does not trust us hangs up."""


@pytest.fixture
def server():
    with Server() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def by(server):
    port = {"RETENTION_LAB_SMTP_PORT": str(server.server_address[1])}
    return smtp.settings(ENVIRONMENT | port)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """Make a certificate of 127.0.0.1, signed by itself."""
    if not shutil.which("openssl"):
        pytest.skip("openssl is not installed")
    folder = tmp_path_factory.mktemp("certificate")
    command = [
        *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj"),
        *("/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout"),
        *(str(folder / "key.pem"), "-out", str(folder / "cert.pem")),
    ]
    subprocess.run(command, check=True, capture_output=True)
    return folder


def proof(folder):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    return context


def parse(raw):
    return email.message_from_bytes(raw, policy=email.policy.default)


def letter(by, *, title="Weekly", parts=(), lines=("A line.",), to=("one@example.org",)):
    return mail.message(
        title, to=to, when="2026-11-30T06:01:00+00:00", by=by, lines=lines, parts=parts
    )


# The edition ----------------------------------------------------------------------------------


def test_edition_has_pictures_for_charts_with_their_alternative_text():
    made = edition(shell(chart()))
    (name,) = made.pictures
    assert made.pictures[name].startswith(PNG)
    image = BeautifulSoup(made.html, "html.parser").img
    assert image["src"] == f"cid:{name}"
    assert image["alt"] == "Line: it falls."
    assert "[Picture: Line: it falls.]" in made.text


def test_picture_keeps_the_letters_of_its_drawing():
    # Nine dots wide, shown sixty wide: were viewBox lost, the square would fill a corner only.
    svg = SVG.replace('viewBox="0 0 {size} {size}"', 'viewBox="0 0 9 9"')
    (png,) = edition(shell(svg.format(words="x", text="", size=60))).pictures.values()
    assert int.from_bytes(png[16:20], "big") == 90
    dots = zlib.decompress(png[png.index(b"IDAT") + 4 : png.index(b"IEND") - 8])
    rows = [dots[place : place + 1 + 4 * 90] for place in range(0, len(dots), 1 + 4 * 90)]
    assert all(any(row[1:]) for row in rows)


def test_edition_runs_nothing_and_fetches_nothing():
    made = edition(shell(chart() + '<nav>Contents</nav><a href="#x">here</a>'))
    soup = BeautifulSoup(made.html, "html.parser")
    assert not soup.select("script, style, link, svg, iframe, form, nav, base, details, summary")
    assert not re.search(r"https?:|data:|url\(|class=|@import", made.html)


def test_tags_that_are_not_for_reading_leave_their_words_only():
    odd = (
        f'<marquee onstart="x">kept</marquee><video src="//{CANARY}/x"></video><x-y z="1">too</x-y>'
    )
    made = edition(shell(f"<p>{odd}</p>"))
    assert re.search(r"<p style=[^>]+>kepttoo</p>", made.html)


def test_styles_stand_on_the_elements_in_the_colours_of_the_page():
    made = edition(shell('<section class="answer"><h2>Fewer</h2></section>'))
    answer = BeautifulSoup(made.html, "html.parser").section
    assert "border-top: 4px solid #7a2e6f" in answer["style"]
    assert "font-size: 22px" in answer.h2["style"]
    assert "var(" not in made.html


def test_folded_code_and_data_stay_out_and_what_else_is_folded_is_laid_open():
    folds = (
        '<details class="code"><summary>Code</summary><pre>secret</pre></details>'
        "<details><summary>Restated</summary><p>July moved.</p></details>"
    )
    made = edition(shell(chart() + folds))
    assert "secret" not in made.html + made.text
    assert "deep" not in made.html + made.text
    assert "<b>Restated</b>" in made.html
    assert "Restated\n\nJuly moved." in made.text


def test_links_lead_to_the_page_where_its_address_is_known():
    body = '<a href="#section-1">Why</a> <a href="../2026-11-22/x.html">before</a>'
    assert "<a" not in edition(shell(body)).html
    url = "https://reports.example.org/weekly/2026-11-29/10.html"
    made = edition(shell(body), url=url)
    links = [link["href"] for link in BeautifulSoup(made.html, "html.parser").select("a")]
    assert links == [
        url,
        f"{url}#section-1",
        "https://reports.example.org/weekly/2026-11-22/x.html",
    ]
    assert f"<{url}>" in made.text


def test_long_table_is_cut_and_says_so():
    rows = "".join(f"<tr><td>row {place}</td></tr>" for place in range(60))
    made = edition(shell(f"<table><thead><tr><th>a</th></tr></thead><tbody>{rows}</tbody></table>"))
    assert made.html.count("<tr") == 1 + MOST_ROWS
    assert "The first 40 of 60 rows; the page has all." in made.text


def test_text_shows_a_narrow_table_in_columns_and_a_wide_one_as_records():
    table = (
        "<table><thead><tr><th>segment</th><th class=num>customers</th></tr></thead><tbody>"
        "<tr><td>{}</td><td class=num>6,100</td></tr></tbody></table>"
    )
    assert "segment     customers\n----------  ---------\nhigh value      6,100" in (
        edition(shell(table.format("high value"))).text
    )
    wide = edition(shell(table.format("word " * 20))).text
    assert "  customers: 6,100" in wide
    assert max(map(len, wide.splitlines())) <= 76


def test_pictures_beyond_the_room_give_way_to_their_words():
    body = "".join(
        chart(words=f"Chart {place}.", text=f"{place} shares " * 9, size=400) for place in range(6)
    )
    whole = edition(shell(body))
    small = edition(shell(body), room=whole.size // 2)
    assert 0 < len(small.pictures) < len(whole.pictures) == 6
    assert small.size < whole.size // 2
    assert "[Picture, on the page only: Chart 5.]" in small.text
    assert "[Picture: Chart 0.]" in small.text


def test_logo_travels_as_a_picture():
    (png,) = edition(shell(chart())).pictures.values()
    logo = f"data:image/png;base64,{base64.b64encode(png).decode()}"
    made = edition(shell(f'<p class="brand"><img src="{logo}" alt="Northwind"></p>'))
    assert list(made.pictures.values()) == [png]
    far = edition(shell(f'<img src="https://{CANARY}/x.png" alt="Far">'))
    assert not far.pictures
    assert CANARY not in far.html


def test_edition_of_the_whole_page_reads_well(notebook, facts):
    made = edition(page.render(notebook, facts=facts))
    assert made.title == "Made-up customers · Overview"
    assert len(made.pictures) == 3
    assert made.text.splitlines()[0].startswith("Made-up customers.")
    assert "As of: Sunday 29 November 2026" in made.text
    assert "Fewer of August's new customers came back; it may be chance." in made.text
    assert "charts.trend" not in made.text + made.html
    assert max(len(line) for line in made.text.splitlines()) <= 120
    assert made.size < LARGEST


def test_hostile_page_is_inert_in_mail(hostile, facts, by):
    made = edition(page.render(hostile, facts=facts), url="https://reports.example.org/x.html")
    assert_inert(parse(bytes(letter(by, parts=[made]))))


@pytest.mark.parametrize("typed", STRINGS)
def test_nothing_typed_does_anything_in_a_mail(typed, by):
    title, words = escape(typed), escape(re.sub(r"[\0-\x08\x0b\x0c\x0e-\x1f]", "", typed))
    body = f"<p>{title}</p><table><tr><td>{title}</td></tr></table>{chart(words=title, text=words)}"
    made = edition(shell(body, title=str(title)))
    whole = parse(bytes(letter(by, title=typed, lines=[typed], parts=[made])))
    assert_inert(whole)
    assert len(made.pictures) == 1
    assert sorted(whole.keys()) == [
        *("Auto-Submitted", "Content-Type", "Date", "From", "MIME-Version", "Message-ID"),
        *("Subject", "To"),
    ]
    assert "49" not in whole["Subject"]


def assert_inert(whole):
    html = whole.get_body(("html",)).get_content()
    soup = BeautifulSoup(html, "html.parser")
    names = {tag.name for tag in soup.find_all(True)}
    assert names <= prose.TEXT | prose.HEADINGS | prose.LISTS | prose.TABLES | SHELL
    for tag in soup.body.find_all(True):
        assert set(tag.attrs) <= {"style", "href", "src", "alt", "scope", "colspan", "rowspan"}
        assert re.match("cid:|$", str(tag.get("src", "")))
        assert re.match("https?://|$", str(tag.get("href", "")))


# Letters --------------------------------------------------------------------------------------


def test_mail_is_text_and_html_beside_the_pictures_they_show(by):
    made = edition(shell(chart()))
    whole = parse(bytes(letter(by, parts=[made])))
    assert whole.get_content_type() == "multipart/related"
    texts, picture = whole.iter_parts()
    assert texts.get_content_type() == "multipart/alternative"
    assert [part.get_content_type() for part in texts.iter_parts()] == ["text/plain", "text/html"]
    name = picture["Content-ID"].strip("<>")
    assert f"cid:{name}" in whole.get_body(("html",)).get_content()
    assert picture.get_content() == made.pictures[name]
    assert whole["Date"].datetime == dt.datetime(2026, 11, 30, 6, 1, tzinfo=dt.UTC)
    assert whole["Auto-Submitted"] == "auto-generated"


def test_same_page_gives_the_same_pictures_and_words():
    assert edition(shell(chart())) == edition(shell(chart()))


@pytest.mark.parametrize("to", ["a@b.org\r\nBcc: x@y.org", "no address", "", "a@b.org\0", "@b.org"])
def test_address_that_is_none_is_refused(by, to):
    with pytest.raises(checks.BadParameter, match="is no mail address"):
        letter(by, to=[to])


def test_readers_get_the_newest_report_and_a_line_on_each(server, by, tmp_path):
    for day in ("2026-11-22", "2026-11-29"):
        folder = tmp_path / "weekly" / day
        folder.mkdir(parents=True)
        (folder / "10_overview.html").write_text(shell(f"<p>As of {day}</p>"), encoding="utf-8")
    rans = [
        ran(as_of=day, folder=str(tmp_path / "weekly" / day), pages=["10_overview.html"])
        for day in ("2026-11-22", "2026-11-29")
    ]
    mail.tell([(suite(), each) for each in rans], by=by)
    ((sender, readers, raw),) = server.mails
    assert sender.startswith("mail from:<reports@example.org>")
    assert readers == ["rcpt to:<one@example.org>", "rcpt to:<two@example.org>"]
    whole = parse(raw)
    assert whole["Subject"] == "Weekly retention, Sunday 29 November 2026 and 1 more"
    text = whole.get_body(("plain",)).get_content()
    assert text.startswith("Weekly retention, 2 reports, 2026-11-22 to 2026-11-29: 2 published.")
    assert "As of 2026-11-29" in text
    assert "As of 2026-11-22" not in text
    assert "<https://reports.example.org/weekly/2026-11-29/10_overview.html>" in text


def test_owner_alone_gets_what_failed_and_what_to_do(server, by):
    mail.tell([(suite(), failed())], by=by)
    ((_, readers, raw),) = server.mails
    assert readers == ["rcpt to:<owner@example.org>"]
    whole = parse(raw)
    assert whole["Subject"] == "Failed: Weekly retention, Sunday 29 November 2026"
    assert whole.get_content_type() == "text/plain"
    assert whole.get_content().replace("\r\n", "\n").split("\n\n") == [
        "Weekly retention, Sunday 29 November 2026: failed: 10_overview.ipynb, cell 3 failed with "
        "KeyError: 'x'.",
        "What was published before stays as it was.",
        "Kept, for its owner only: reports/weekly/failed/2026-11-29",
        "Open the kept notebook at the cell that failed, mend it, and run again.",
        "Again: retention-lab run experiments/suites/weekly.yml --as-of 2026-11-29\n",
    ]


def test_one_cause_of_many_suites_is_one_mail_to_their_owner(server, by):
    told = [(suite(f"weekly-{place}"), failed(suite=f"weekly-{place}")) for place in range(12)]
    told += [(suite("good", readers=[]), ran(suite="good")) for _ in range(2)]
    mail.tell(told, by=by)
    ((_, _, raw),) = server.mails
    whole = parse(raw)
    assert whole["Subject"].endswith("and 11 more")
    assert whole.get_content().startswith("12 of 14 reports failed for one reason: ")
    assert whole.get_content().count("KeyError") == 1


def test_owners_hear_of_their_own_suites_only(server, by):
    other = {"name": "margins", "title": "Margins", "owner_mail": "other@example.org"}
    theirs = (suite(**other), failed(suite="margins", title="Margins"))
    mail.tell([(suite(), failed()), theirs], by=by)
    texts = {readers[0]: parse(raw).get_content() for _, readers, raw in server.mails}
    assert "Margins" not in texts["rcpt to:<owner@example.org>"]
    assert "Weekly" not in texts["rcpt to:<other@example.org>"]


def test_unchanged_reports_send_nothing(server, by):
    mail.tell([(suite(), ran(status="unchanged"))], by=by)
    assert server.mails == []


def test_nobody_named_needs_no_server():
    mail.tell([(suite(readers=[], owner_mail=None), failed())], by=None)
    for told in ((suite(), failed()), (suite(), ran())):
        with pytest.raises(Undelivered, match="RETENTION_LAB_SMTP_HOST names no server"):
            mail.tell([told], by=None)


def test_large_and_lost_pages_are_named_instead(server, by, tmp_path):
    words = "<p>" + "word " * 200_000 + "</p>"
    (tmp_path / "10_long.html").write_text(shell(words, title="Long"), encoding="utf-8")
    (tmp_path / "20_short.html").write_text(shell("<p>brief</p>"), encoding="utf-8")
    pages = ["10_long.html", "20_short.html", "30_lost.html"]
    mail.tell([(suite(), ran(folder=str(tmp_path), pages=pages))], by=by)
    ((_, _, raw),) = server.mails
    text = parse(raw).get_body(("plain",)).get_content()
    address = "https://reports.example.org/weekly/2026-11-29"
    assert f"Too large for this mail: Long. {address}/10_long.html" in text
    assert "A page is no longer there: " in text
    assert "brief" in text
    assert len(raw) < 1.1 * LARGEST


def test_second_page_gets_the_room_that_the_first_left(server, by, tmp_path):
    for name in ("10_one", "20_two"):
        words = f"<p>{'word ' * 60_000}</p>"  # 300 kB as HTML, and as much as text
        (tmp_path / f"{name}.html").write_text(shell(words, title=name), encoding="utf-8")
    mail.tell([(suite(), ran(folder=str(tmp_path), pages=["10_one.html", "20_two.html"]))], by=by)
    ((_, _, raw),) = server.mails
    assert "Too large for this mail: 20_two." in parse(raw).get_body(("plain",)).get_content()
    assert len(raw) < 1.1 * LARGEST


def test_no_secret_of_the_environment_is_in_any_mail(server, by, monkeypatch, tmp_path):
    monkeypatch.setenv("RETENTION_LAB_SMTP_PASSWORD", "right-canary")
    monkeypatch.setenv("SHOP_URL", "postgres://reader:canary@db/shop")
    (tmp_path / "10_overview.html").write_text(shell(chart()), encoding="utf-8")
    by = replace(by, user="reports", password="right-canary")
    good = ran(folder=str(tmp_path), pages=["10_overview.html"])
    mail.tell([(suite(), good), (suite("other"), failed(suite="other"))], by=by)
    assert len(server.mails) == 2
    decoded = [
        part.get_payload(decode=True) for _, _, raw in server.mails for part in parse(raw).walk()
    ]
    assert b"canary" not in b"".join(filter(None, decoded))
    assert "canary" not in repr(by)


# Sending --------------------------------------------------------------------------------------


def test_lines_of_a_mail_are_not_commands_to_the_server(server, by):
    lines = ["A", ".", "MAIL FROM:<x>", "..", "From 30 to 24 in 100."]
    smtp.send(letter(by, lines=lines), by=by)
    ((_, _, raw),) = server.mails
    assert parse(raw).get_content().replace("\r\n", "\n").strip().split("\n\n") == lines


def test_password_is_used_and_a_wrong_one_is_not_told(server, by):
    right = replace(by, user="reports", password="right-canary")
    smtp.send(letter(right), by=right)
    wrong = replace(by, user="reports", password="wrong-canary")
    with pytest.raises(Undelivered, match=r"535 bad password \*\*\*") as refused:
        smtp.send(letter(wrong), by=wrong)
    assert "canary" not in str(refused.value)
    assert len(server.mails) == 1


def test_password_that_mail_cannot_carry_is_one_sentence(by):
    odd = replace(by, user="reports", password="canary\N{SNOWMAN}")
    with pytest.raises(Undelivered, match="signs that mail cannot carry"):
        smtp.send(letter(odd), by=odd)


@pytest.mark.parametrize("tls", ["starttls", "implicit"])
def test_server_proves_who_it_is(server, by, certificate, monkeypatch, tls):
    server.proof, server.implicit = proof(certificate), tls == "implicit"
    secured = replace(by, tls=tls, user="reports", password="right-canary")
    with pytest.raises(Undelivered, match="certificate verify failed"):
        smtp.send(letter(secured), by=secured)
    assert not [line for line in server.heard if "AUTH" in line]
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate / "cert.pem"))
    smtp.send(letter(secured), by=secured)
    assert len(server.mails) == 1
    with pytest.raises(Undelivered, match=r"mismatch|not valid for"):
        smtp.send(letter(secured), by=replace(secured, host="localhost"))


def test_server_without_tls_gets_no_password(server, by):
    secured = replace(by, tls="starttls", user="reports", password="right-canary")
    with pytest.raises(Undelivered, match="STARTTLS extension not supported"):
        smtp.send(letter(secured), by=secured)
    assert not [line for line in server.heard if "AUTH" in line]


def test_server_that_is_not_there_or_silent_is_one_sentence(server, by, monkeypatch):
    monkeypatch.setattr(smtp, "SECONDS", 0.2)
    server.silent = 1
    with pytest.raises(Undelivered, match=r"127\.0\.0\.1:\d+: no answer in 0\.2 seconds"):
        smtp.send(letter(by), by=by)
    with pytest.raises(Undelivered, match="Connection refused"):
        smtp.send(letter(by), by=replace(by, port=1))


def test_readers_that_the_server_does_not_know_are_counted_not_named(server, by):
    server.unknown = ("two@",)
    both = letter(by, to=("one@example.org", "two@example.org"))
    with pytest.raises(Undelivered, match="refused 1 of the readers"):
        smtp.send(both, by=by)
    assert len(server.mails) == 1
    server.unknown = ("one@", "two@")
    with pytest.raises(Undelivered, match="refused every reader") as refused:
        smtp.send(both, by=by)
    assert "@" not in str(refused.value)


def test_one_mail_that_fails_does_not_keep_back_the_others(server, by, tmp_path):
    server.unknown = ("one@", "two@")
    (tmp_path / "10_overview.html").write_text(shell("<p>x</p>"), encoding="utf-8")
    good = ran(folder=str(tmp_path), pages=["10_overview.html"])
    with pytest.raises(Undelivered, match="refused every reader"):
        mail.tell([(suite(), good), (suite("other"), failed(suite="other"))], by=by)
    assert [readers for _, readers, _ in server.mails] == [["rcpt to:<owner@example.org>"]]


# Settings -------------------------------------------------------------------------------------


def test_settings_default_to_submission_with_tls():
    told = {name: ENVIRONMENT[name] for name in list(ENVIRONMENT)[:2]}
    found = smtp.settings(told)
    assert (found.port, found.tls, str(found.sender)) == (
        587,
        "starttls",
        "Retention reports <reports@example.org>",
    )
    assert smtp.settings(told | {"RETENTION_LAB_SMTP_PORT": "465"}).tls == "implicit"
    assert smtp.settings({}) is None


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("PORT", "smtp", "PORT must be the number of a port, got 'smtp'"),
        ("PORT", "70000", "PORT must be"),
        ("STARTTLS", "no", "STARTTLS has no value 'no'"),
        ("FROM", "", "FROM '' is no mail address"),
        ("FROM", "a@b.org\nBcc: c@d.org", "is no mail address"),
    ],
)
def test_setting_that_does_not_fit_is_refused_by_name(name, value, words):
    with pytest.raises(checks.BadParameter, match=words):
        smtp.settings(ENVIRONMENT | {f"RETENTION_LAB_SMTP_{name}": value})


def test_password_without_tls_goes_to_this_machine_only():
    told = ENVIRONMENT | {"RETENTION_LAB_SMTP_USER": "reports"}
    assert smtp.settings(told).tls == "none"
    with pytest.raises(checks.BadParameter, match="for all to read"):
        smtp.settings(told | {"RETENTION_LAB_SMTP_HOST": "mail.example.org"})
