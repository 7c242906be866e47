"""`start` as a new user meets it: one small shop, exported in many ways, always the same orders."""

from __future__ import annotations

import datetime as dt
import io
from pathlib import Path

import pandas as pd
import pytest

from retention_lab import cli
from retention_lab.tables import engine, snapshot, source

CON = engine.connect()  # one for all tests: it takes longer to open than most of them run

# Order, customer, when, (product, quantity, unit price in pence) of each line.
SHOP = [
    ("1001", "C1", "2025-01-13 09:05:00", [("mug", 2, 450), ("tea", 1, 1250)]),
    ("1002", "C2", "2025-01-25 17:30:00", [("pot", 1, 123450)]),
    ("1003", "C1", "2025-02-03 08:00:00", [("tea", 3, 1250)]),
    ("1004", "C3", "2025-02-28 23:10:00", [("mug", 1, 450), ("pot", 1, 2000), ("tea", 2, 1250)]),
    ("1005", "C2", "2025-03-17 12:00:00", [("mug", 10, 450)]),
]
MAIL = {"C1": "ann@example.com", "C2": "bob@example.com", "C3": "cid@example.com"}
# Worked by hand from the lines: 2 x 4.50 + 12.50 and so on, in pence.
EXPECTED = [("1001", "C1", 2150), ("1002", "C2", 123450), ("1003", "C1", 3750),
            ("1004", "C3", 4950), ("1005", "C2", 4500)]  # fmt: skip


def orders():
    rows = [(o, c, pd.Timestamp(t), sum(q * p for _, q, p in ls) / 100) for o, c, t, ls in SHOP]
    return pd.DataFrame(rows, columns=["order", "customer", "when", "amount"])


def lines():
    rows = [
        (o, c, pd.Timestamp(t), product, q, p / 100) for o, c, t, ls in SHOP for product, q, p in ls
    ]
    return pd.DataFrame(rows, columns=["order", "customer", "when", "product", "quantity", "price"])


def german(value):
    return f"{value:,.2f}".translate(str.maketrans(",.", ".,"))


def semicolon():
    rows = orders()
    rows["when"] = rows["when"].dt.strftime("%d.%m.%Y")
    rows["amount"] = rows["amount"].map(german) + " \u20ac"
    rows.columns = ["Bestellnummer", "Kundennummer", "Bestelldatum", "Gesamtbetrag"]
    return rows.to_csv(index=False, sep=";")


def american():
    rows = lines()
    rows["when"] = rows["when"].dt.strftime("%-m/%-d/%Y %-I:%M %p")
    rows["price"] = rows["price"].map("${:,.2f}".format)
    rows.columns = ["Order ID", "Customer ID", "Order Date", "SKU", "Qty", "Unit Price"]
    return rows.to_csv(index=False)


def tabbed():
    rows = lines()
    rows["total"] = rows.groupby("order")["price"].transform("size") * 0.0 + rows["order"].map(
        orders().set_index("order")["amount"]
    )
    rows["when"] = rows["when"].dt.strftime("%Y-%m-%dT%H:%M:%SZ")
    rows = rows[["order", "customer", "when", "product", "total"]]
    rows.columns = ["order_id", "customer_id", "created_at", "sku", "order_total"]
    return rows.to_csv(index=False, sep="\t")


def plain_orders(**changes):
    rows = orders()
    rows.columns = ["order_id", "customer_id", "ordered_at", "amount"]
    return rows.assign(**changes).to_csv(index=False)


def parts():
    rows = lines()
    rows["worth"] = (rows["quantity"] * rows["price"]).round(2)
    rows = rows[["order", "customer", "when", "worth"]]
    rows.columns = ["Invoice", "Client No", "Date", "Amount (GBP)"]
    return rows.to_csv(index=False)


def shopify():
    rows = lines()
    first = ~rows.duplicated("order")
    total = rows["order"].map(orders().set_index("order")["amount"])
    found = pd.DataFrame(
        {
            "Name": "#" + rows["order"],
            "Email": rows["customer"].map(MAIL),
            "Financial Status": pd.Series("paid", rows.index).where(first),
            "Currency": pd.Series("USD", rows.index).where(first),
            "Total": total.map("{:.2f}".format).where(first),
            "Created at": rows["when"].dt.strftime("%Y-%m-%d %H:%M:%S +0000"),
            "Lineitem quantity": rows["quantity"],
            "Lineitem name": rows["product"],
            "Lineitem price": rows["price"].map("{:.2f}".format),
            "Billing Name": "Somebody",
            "Shipping Country": "UK",
        }
    )
    return found.to_csv(index=False)


@pytest.fixture
def begin(tmp_path, monkeypatch, capsys):
    """Write files, start with them; return exit code, all that was told, and the source file."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(engine, "connect", lambda *_: CON)

    def run(files, *options, answers=None):
        files = files if isinstance(files, dict) else {"shop.csv": files}
        for name, content in files.items():
            data = content.encode() if isinstance(content, str) else content
            Path(name).write_bytes(data)
        monkeypatch.setattr("sys.stdin", io.StringIO(answers or ""))
        code = cli.main(["start", *files, "--no-run", *options])
        out, err = capsys.readouterr()
        target = Path(next(iter(files))).with_suffix(".yml")
        return code, out + err, target

    return run


def read(target):
    """Map a source file as a report would; return its orders as the shop is written above."""
    day = dt.date(2025, 12, 31)
    loaded = source.load(target).model_copy(update={"complete_to": day})
    tables, _ = snapshot.cut(loaded, as_of=day, con=CON)
    found = engine.collect(tables["orders"].order_by("order_id"))
    back = {mail: customer for customer, mail in MAIL.items()}
    who = found["customer_id"].replace(back)
    return list(zip(found["order_id"].str.lstrip("#"), who, found["amount"], strict=True)), found


@pytest.mark.parametrize(
    ("export", "options"),
    [
        (semicolon, []),
        (american, []),
        (tabbed, ["--amounts", "total"]),
        (plain_orders, []),
        (parts, ["--amounts", "parts"]),
        (shopify, []),
    ],
    ids=lambda one: getattr(one, "__name__", ""),
)
def test_every_export_of_one_shop_leads_to_the_same_orders(begin, export, options):
    code, told, target = begin(export(), "--yes", *options)
    assert code == 0, told
    found, orders_found = read(target)
    assert found == EXPECTED
    days = [f"{when[:10]}" for _, _, when, _ in SHOP]
    assert list(orders_found["ordered_on"].dt.strftime("%Y-%m-%d")) == days


def test_settings_of_the_file_are_stated_and_what_was_taken_stands_above(begin):
    _, told, target = begin(semicolon(), "--yes")
    text = target.read_text(encoding="utf-8")
    assert "rows: {path: shop.csv, delimiter: ;}" in text
    assert "ordered_at: {column: Bestelldatum, format: '%d.%m.%Y'}" in text
    assert "amount: {column: Gesamtbetrag, number: '1.234,56'}" in text
    assert "currency: EUR" in text  # from the sign beside the amounts
    assert "divided by semicolon" in told
    assert "cents" not in told
    assert "Written: shop.yml" in told
    assert "overview" in told.partition("Possible now:")[2]


def test_excel_and_parquet_need_no_question_about_dates(begin, tmp_path):
    rows = orders()
    rows.columns = ["order_id", "customer_id", "ordered_at", "amount"]
    rows.to_excel(tmp_path / "shop.xlsx", index=False)
    rows.to_parquet(tmp_path / "shop.parquet", index=False)
    for name in ("shop.xlsx", "shop.parquet"):
        code, told, target = begin({name: (tmp_path / name).read_bytes()}, "--yes", "--force")
        assert code == 0, told
        assert read(target)[0] == EXPECTED


@pytest.mark.parametrize("codec", ["utf-8-sig", "latin-1", "utf-16"])
def test_encodings_are_found(begin, codec):
    export = plain_orders().replace("C1", "Zo\u00e9").encode(codec)
    code, told, _ = begin(export, "--yes")
    assert code == 0, told
    assert "Zo\u00e9" in told  # among the first orders


def test_several_files_of_one_kind_are_one_table_and_overlaps_count_once(begin):
    rows = plain_orders().splitlines(keepends=True)
    files = {"a.csv": "".join(rows[:4]), "b.csv": rows[0] + "".join(rows[3:])}
    code, told, target = begin(files, "--yes")
    assert code == 0, told
    assert "left out: 1, stands in two files" in told
    assert read(target)[0] == EXPECTED


def test_total_row_cancelled_and_negative_rows_are_left_out_and_listed(begin):
    text = plain_orders(status="paid").replace("3750", "37.50")
    text += "1006,C1,2025-03-18,9.00,Cancelled\n1007,C1,2025-03-19,-4.50,paid\nTotal,,,1388.00,\n"
    code, told, target = begin(text, "--yes")
    assert code == 0, told
    for words in ("1, total row", "1, cancelled", "1, negative amount (these are probably refunds"):
        assert f"left out: {words}" in told
    rules = [rule for rule in source.load(target).tables["orders"].leave_out if rule.where]
    words = ["trim(\"order_id\") = 'Total'", "trim(\"status\") = 'Cancelled'"]
    assert [rule.where for rule in rules] == words
    assert read(target)[0] == EXPECTED


def test_thousands_are_told_from_decimals_by_the_whole_column(begin):
    rows = orders()
    rows["amount"] = rows["amount"].map("{:,.2f}".format)
    rows.columns = ["order_id", "customer_id", "ordered_at", "amount"]
    code, told, target = begin(rows.to_csv(index=False), "--yes")
    assert code == 0, told
    assert "number: 1,234.56" in target.read_text(encoding="utf-8").replace("'", "")
    assert read(target)[0] == EXPECTED


def test_last_line_may_decide_how_dates_are_read(begin):
    line = "{i},c,03/04/2025,1\n"
    text = "order_id,customer_id,ordered_at,amount\n" + "".join(
        line.format(i=i) for i in range(3_000)
    )
    code, told, target = begin(text + "x,c,13/04/2025,1\n", "--yes")
    assert code == 0, told
    assert "%d/%m/%Y" in target.read_text(encoding="utf-8")


HEAD = "order_id,customer_id,ordered_at,amount\n"
TWO = "1,a,2025-01-02,10\n2,b,2025-01-03,12.5\n"


@pytest.mark.parametrize(
    ("text", "code", "words"),
    [
        ("", 3, "shop.csv is empty: not even a header line."),
        (HEAD, 3, "shop.csv has a header, but no row below it."),
        (TWO, 3, "has no header line: its first line holds '1', which is data."),
        ("a,b\n\x00\x01,1\n", 3, "shop.csv is no text file."),
        ("just words\nand words\n", 3, "is not divided into columns by comma, semicolon, tab or |"),
        (HEAD + TWO + "Total: 22.5\n", 3, "The last line of shop.csv begins with 'Total: 22.5'"),
        (
            "order_id,customer_id,amount\n1,a,10\n2,b,12\n",
            3,
            "no column that looks like a date. Its columns: order_id, customer_id, amount. Name "
            'one with --column ordered_at="..."',
        ),
        (
            "order_id,customer_id,ordered_at\n1,a,2025-01-02\n",
            3,
            "has no column that looks like an amount, nor quantity and price",
        ),
        ("order_id,ordered_at,amount\n1,2025-01-02,1\n", 3, "no column that looks like a customer"),
        (
            HEAD + "1,a,03/04/2025,1\n2,b,05/06/2025,2\n",
            2,
            "for example 03/04/2025, 05/06/2025. No answer is safe; say it: "
            '--dates "%d/%m/%Y" or --dates "%m/%d/%Y".',
        ),
        (
            HEAD + "1,a,13/04/2025,1\n2,b,05/26/2025,2\n",
            3,
            "mixes dates that can only be read as %d/%m/%Y, like '13/04/2025', with ones that can "
            "only be %m/%d/%Y, like '05/26/2025'",
        ),
        (HEAD + '1,a,2025-01-02,"1,234"\n', 2, "thousands or decimals? For example 1,234."),
        (HEAD + "1,a,2025-01-02,x\n" * 3 + TWO * 9, 3, "of 21 values of 'amount' are no number"),
        (
            "order_id,customer_id,ordered_at,amount,currency\n1,a,2025-01-02,1,EUR\n"
            "2,b,2025-01-02,1,USD\n",
            3,
            "several currencies: EUR (1 rows), USD (1 rows)",
        ),
        (
            "order_id,customer_id,user_id,ordered_at,amount\n1,a,x,2025-01-02,1\n"
            "2,b,x,2025-01-02,1\n",
            2,
            'say it: --column customer_id="customer_id" or --column customer_id="user_id"',
        ),
        (
            HEAD + TWO + "2,b,2025-01-03,12.5\n",
            2,
            "1 of 2 orders stand in several rows, 1 of them with one",
        ),
        ("customer_id,signup_date\na,2025-01-02\n", 3, "There are no orders: shop.csv looks like"),
    ],
)
def test_what_cannot_be_read_safely_is_one_sentence_and_no_file(begin, text, code, words):
    found, told, target = begin(text, "--yes")
    assert words in told
    assert found == code
    assert not target.exists()


def test_german_export_of_windows_is_read_with_its_euro_signs_and_quotes(begin):
    zoe = "\u201cZo\u00e9 \u00d6\u201d"
    export = semicolon().replace("C1", zoe).replace("Kundennummer", "Kundennummer \u2013 \u00d6")
    options = ["--column", "customer_id=Kundennummer \u2013 \u00d6"]
    code, told, target = begin(export.encode("cp1252"), "--yes", *options)
    assert code == 0, told
    settings = target.read_text(encoding="utf-8")
    assert "rows: {path: shop.csv, delimiter: ;, encoding: cp1252}" in settings
    assert "currency: EUR" in settings
    assert read(target)[0][:2] == [("1001", zoe, 2150), ("1002", "C2", 123450)]


def test_questions_are_answered_on_the_terminal_until_an_answer_will_do(begin):
    text = HEAD + "1,a,03/04/2025 10:00,1\n2,b,05/06/2025 11:00,2\n"
    answers = "euro\nEUR\n9\n1\nMars\nEurope/Berlin\n"
    code, told, target = begin(text, answers=answers)
    assert code == 0, told
    assert told.count("That is none of the answers.") == 3
    settings = target.read_text(encoding="utf-8")
    assert "currency: EUR" in settings
    assert "time_zone: Europe/Berlin" in settings
    assert "%d/%m/%Y %H:%M" in settings


def test_sign_of_several_currencies_is_read_as_none_unless_somebody_says_which(begin):
    text = HEAD + '1,a,2025-01-02,"$1,234.50"\n2,b,2025-01-03,-$3\n3,b,2025-01-04,$9.00\n'
    code, told, target = begin(text, "--yes")
    assert code == 0, told
    assert (
        "'$' may be of several countries; amounts are shown without a currency. --currency USD "
        "says otherwise."
    ) in told
    assert "currency: XXX" in target.read_text(encoding="utf-8")
    assert list(read(target)[1]["amount"]) == [123450, 900]
    code, told, target = begin(text, "--force", answers="2\n")
    assert (code, "currency: CAD" in target.read_text(encoding="utf-8")) == (0, True), told


def test_nobody_there_to_answer_is_told_the_option_and_nothing_is_written(begin):
    code, told, target = begin(HEAD + TWO)
    assert code == 2
    assert "Nobody answers; say --currency EUR, or take what is safe with --yes." in told
    assert not target.exists()


def test_source_file_that_is_there_stays_unless_forced(begin):
    Path("shop.yml").write_text("mine", encoding="utf-8")
    code, told, target = begin(HEAD + TWO, "--yes")
    assert (code, target.read_text(encoding="utf-8")) == (2, "mine")
    assert "replace it with --force" in told
    assert begin(HEAD + TWO, "--yes", "--force")[0] == 0


def test_two_names_of_one_customer_change_nothing_and_are_told(begin):
    text = "order_id,customer_id,email,ordered_at,amount\n1,a,a@x.y,2025-01-02,1\n"
    code, told, target = begin(text, "--yes")
    assert code == 0, told
    assert "Customers are told apart by 'customer_id'; email says the same." in told
    assert "Left alone, as personal data: email" in told
    assert "customer_id: customer_id" in target.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("names", "code", "words"),
    [
        (("buyer", "note"), 0, "told apart by 'buyer', the only column that speaks of them"),
        (("Sold-To", "Ship-To"), 0, "told apart by 'Sold-To', not by Ship-To; they do not agree"),
        (("account_id", "email"), 0, "told apart by 'account_id', not by email; they do not agree"),
        (("customer", "account_manager"), 0, "Written: shop.yml"),
        (
            ("bill_to_customer", "ship_to_customer"),
            2,
            'No answer is safe; say it: --column customer_id="bill_to_customer" or '
            '--column customer_id="ship_to_customer".',
        ),
    ],
)
def test_customers_are_found_by_names_that_speak_of_them(begin, names, code, words):
    text = f"order_id,{names[0]},{names[1]},ordered_at,amount\n"
    found, told, _ = begin(text + "1,a,x,2025-01-02,1.5\n2,b,x,2025-01-02,1.5\n", "--yes")
    assert found == code, told
    assert words in told


def test_two_columns_of_customers_are_shown_with_what_they_hold(begin):
    text = "order_id,bill_to_customer,ship_to_customer,ordered_at,amount\n"
    text += "1,a,x,2025-01-02,1.5\n2,b,x,2025-01-02,1.5\n"
    code, told, target = begin(text, answers="1\n\n")
    assert code == 0, told
    assert "1  bill_to_customer  such as a, b" in told
    assert "customer_id: bill_to_customer" in target.read_text(encoding="utf-8")


def test_what_leaving_out_rows_does_not_mend_is_left_in_the_file_to_be_said(begin):
    text = HEAD + "1,a,2025-01-02,10\n1,b,2025-01-03,12.5\n"
    code, told, target = begin(text, "--yes", "--amounts", "parts")
    assert code == 3
    assert "one order_id names two customers" in told
    assert "shop.yml is written; change it there, then: retention-lab check shop.yml" in told
    assert target.exists()


def test_without_an_order_number_one_time_of_a_customer_is_one_order(begin):
    text = "customer,date,total\na,2025-01-02,1\na,2025-01-02,2\nb,2025-01-02,4\n"
    code, told, target = begin(text, "--yes")
    assert code == 0, told
    assert "what a customer buys at one time is one order" in told
    assert "All amounts are whole; if they are cents, add `money: minor_units`" in told
    assert sorted(read(target)[1]["amount"]) == [300, 400]


def test_options_answer_what_names_do_not_tell(begin):
    text = "wer,wann,wieviel\na,03/04/2025,1\nb,04/04/2025,2\n"
    options = ["--column", "customer_id=wer", "--column", "amount=wieviel", "--dates", "%d/%m/%Y"]
    code, told, target = begin(text, "--yes", *options, "--name", "Laden")
    assert code == 0, told
    assert "name: Laden" in target.read_text(encoding="utf-8").splitlines()
    assert list(read(target)[1]["ordered_on"].dt.month) == [4, 4]
    assert begin(text, "--column", "customer_id=wr", "--force")[0] == 2


def test_unknown_style_of_numbers_is_refused_with_those_that_there_are(begin):
    code, told, target = begin(HEAD + TWO, "--yes", "--number", "1,234.50")
    assert (code, target.exists()) == (2, False)
    assert "--number has no style '1,234.50'. Did you mean '1,234.56'?" in told


@pytest.mark.slow  # a kernel starts
def test_report_is_made_at_once(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    Path("shop.csv").write_text(parts(), encoding="utf-8")
    assert cli.main(["start", "shop.csv", "--yes", "--amounts", "parts"]) == 0
    told = capsys.readouterr().out.splitlines()[-1]
    assert told == "Report: reports/overview/2025-03-16/10_retention_overview.html"
    assert "Shop, orders complete to" in Path(told.removeprefix("Report: ")).read_text("utf-8")


def test_missing_notebooks_are_told_with_the_command_that_finds_them(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(engine, "connect", lambda *_: CON)
    Path("shop.csv").write_text(HEAD + TWO, encoding="utf-8")
    monkeypatch.setattr("retention_lab.cli.start.SUITE", "experiments/suites/none.yml")
    assert cli.main(["start", "shop.csv", "--yes"]) == 2
    assert Path("shop.yml").exists()
    assert "then: retention-lab run experiments/suites/none.yml --source" in capsys.readouterr().err
