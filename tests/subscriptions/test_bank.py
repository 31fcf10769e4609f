"""Reading a bank statement and comparing it with what is asked for: pure, nothing guessed."""

from __future__ import annotations

import datetime as dt

import pytest

from subscriptions.bank import Receipt, StatementError, Verdict, match, read

pytestmark = pytest.mark.usefixtures("english")

OWN = "NL91ABNA0417164300"
ENTRY = (
    "<Ntry><Amt Ccy='EUR'>{amount}</Amt><CdtDbtInd>{sign}</CdtDbtInd>{status}"
    "<BookgDt><Dt>2026-04-08</Dt></BookgDt><NtryDtls>{details}</NtryDtls></Ntry>"
)
BOOKED, IN_NEWER_FORM = "<Sts>BOOK</Sts>", "<Sts><Cd>BOOK</Cd></Sts>"


def words(text: str, amount: str = "") -> str:
    return f"<TxDtls>{amount}<RmtInf><Ustrd>{text}</Ustrd></RmtInf></TxDtls>"


def entry(
    amount: str = "1210.00", text: str = "A-0001", sign: str = "CRDT", status: str = BOOKED
) -> str:
    return ENTRY.format(amount=amount, sign=sign, status=status, details=words(text))


def statement(*entries: str, iban: str = OWN, version: str = "02") -> bytes:
    space = f"urn:iso:std:iso:20022:tech:xsd:camt.053.001.{version}"
    return (
        f"<Document xmlns='{space}'><BkToCstmrStmt><Stmt><Acct><Id><IBAN>{iban}</IBAN></Id></Acct>"
        f"{''.join(entries)}</Stmt></BkToCstmrStmt></Document>"
    ).encode()


def received(*entries: str, **fields: str) -> list[tuple[int, str]]:
    found = read(statement(*entries, **fields), own_iban=OWN)
    assert {receipt.booked_on for receipt in found} <= {dt.date(2026, 4, 8)}
    return [(receipt.amount_cents, receipt.text) for receipt in found]


@pytest.mark.parametrize("version", ["02", "08"])
def test_what_was_booked_to_the_account_is_read(version: str) -> None:
    assert received(
        entry(),
        entry("0.5", "half an euro", status=IN_NEWER_FORM),
        entry(sign="DBIT"),
        entry(status="<Sts>PDNG</Sts>"),
        entry(status=f"<RvslInd>true</RvslInd>{BOOKED}"),
        version=version,
    ) == [(121000, "A-0001"), (50, "half an euro")]


def test_payments_that_were_booked_at_once_are_told_apart() -> None:
    one = "<Amt Ccy='EUR'>10</Amt>"
    other = "<AmtDtls><TxAmt><Amt Ccy='EUR'>20.25</Amt></TxAmt></AmtDtls>"
    both = words("A-0001", one) + words("A-0002", other)
    batch = ENTRY.format(amount="30.25", sign="CRDT", status=BOOKED, details=both)

    assert received(batch) == [(1000, "A-0001"), (2025, "A-0002")]


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        pytest.param(b"", "no bank statement", id="empty"),
        pytest.param(b"%PDF-1.7", "no bank statement", id="something else"),
        pytest.param(b"<Document/>", "no bank statement", id="another form"),
        pytest.param(
            b'<?xml version="1.0" encoding="foo"?><a/>', "no bank statement", id="no encoding"
        ),
        pytest.param(
            b"<!DOCTYPE a [<!ENTITY b 'c'>]><Document>&b;</Document>",
            "no bank statement",
            id="entities",
        ),
        pytest.param(statement(iban="NL02ABNA0123456789"), "another account", id="not ours"),
        pytest.param(statement(entry("10.005")), "no bank statement", id="a part of a cent"),
        pytest.param(statement(entry("-10.00")), "no bank statement", id="a negative amount"),
        pytest.param(
            statement(entry()).replace(b"EUR", b"USD"), "Only statements in euros", id="dollars"
        ),
        pytest.param(
            statement(entry()).replace(b"2026-04-08", b"8 April"), "no bank statement", id="no day"
        ),
        pytest.param(b" " * (16 * 2**20 + 1), "too large", id="too large"),
    ],
)
def test_what_is_no_statement_of_ours_is_refused_in_one_sentence(
    data: bytes, sentence: str
) -> None:
    with pytest.raises(StatementError, match=sentence):
        read(data, own_iban=OWN)


DAY = dt.date(2026, 4, 8)
ASKED = {"A-0001": ("first", 121000), "A-0002": ("second", 60500), "A-00012": ("third", 100)}


@pytest.mark.parametrize(
    ("text", "cents", "verdict", "pays"),
    [
        pytest.param("A-0001", 121000, "paid", {"first"}, id="its number"),
        pytest.param("inv. a 0001, thanks", 121000, "paid", {"first"}, id="written otherwise"),
        pytest.param("A0001/A0002", 181500, "paid", {"first", "second"}, id="two at once"),
        pytest.param("A-0001", 120999, "part", {"first"}, id="a cent too little"),
        pytest.param("A-0001", 121001, "over", {"first"}, id="a cent too much"),
        pytest.param("A-00012", 100, "paid", {"third"}, id="a number that begins alike"),
        pytest.param("BA-0001", 121000, "unknown", set(), id="another series"),
        pytest.param("A-9999", 121000, "unknown", set(), id="a number that nobody asks for"),
        pytest.param("thanks", 121000, "unknown", set(), id="no number: the amount says nothing"),
    ],
)
def test_a_receipt_pays_what_it_names(text: str, cents: int, verdict: str, pays: set[str]) -> None:
    [found] = match([Receipt(DAY, cents, text)], ASKED)

    assert (found.verdict, {key for key, _cents in found.parts}) == (verdict, pays)
    assert sum(cents for _key, cents in found.parts) == (cents if pays else 0)


def test_parts_go_to_the_oldest_and_what_is_too_much_to_the_last() -> None:
    lines = [Receipt(DAY, 150000, "A0001 A0002"), Receipt(DAY, 40000, "A-0002 rest")]

    found = match(lines, ASKED)

    assert [one.verdict for one in found] == [Verdict.PART, Verdict.OVER]
    assert [one.parts for one in found] == [
        (("first", 121000), ("second", 29000)),
        (("second", 40000),),
    ]
    assert found[1].asked_cents == 60500 - 29000


def test_an_invoice_is_paid_once_and_a_line_is_noted_once() -> None:
    twice = [Receipt(DAY, 121000, "A-0001")] * 2

    found = match(twice, ASKED)

    assert [one.verdict for one in found] == [Verdict.PAID, Verdict.OVER]
    noted = {found[0].mark}
    again = match(twice, ASKED, noted)
    assert [(one.verdict, one.mark) for one in again] == [
        (Verdict.NOTED, found[0].mark),
        (Verdict.PAID, found[1].mark),
    ]
