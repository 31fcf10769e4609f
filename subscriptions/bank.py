"""What came in on the agency's bank account: a statement of its bank (CAMT.053) read and matched.

A statement is read in memory and not kept: it tells more of clients than their payments. What it
says of a payment is compared with what is asked for; nothing is guessed. No database.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Generic, TypeVar

from django.utils.translation import gettext as _

from agency.particulars import iban

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

MOST_BYTES = 16 * 2**20
CENTS = re.compile(r"\d{1,12}(\.\d{1,5})?")
Key = TypeVar("Key")


class StatementError(ValueError):
    """The file is no statement of ours; the text is the sentence to show."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """An amount that the bank booked to our account, and everything that came with it."""

    booked_on: dt.date
    amount_cents: int
    text: str


class Verdict(StrEnum):
    PAID = "paid"  # exactly what these invoices ask for
    DIFFERENT = "different"  # names invoices that ask for another amount
    UNKNOWN = "unknown"  # names no invoice that is open


@dataclass(frozen=True, slots=True)
class Match(Generic[Key]):
    """A receipt with the open invoices that its text names, and what they ask for together."""

    receipt: Receipt
    verdict: Verdict
    invoices: tuple[Key, ...]
    asked_cents: int


def read(data: bytes, *, own_iban: str) -> list[Receipt]:
    """Give what a CAMT.053 file books to our account, in its order.

    Raises StatementError for what is no such file, is of another account, or is not in euros.
    """
    from defusedxml import DefusedXmlException
    from defusedxml.ElementTree import ParseError, fromstring

    if len(data) > MOST_BYTES:
        raise StatementError(_("The file is too large to be a bank statement."))
    try:
        root = fromstring(data, forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError, LookupError) as error:
        raise StatementError(_not_a_statement()) from error
    statements = list(_all(root, "BkToCstmrStmt", "Stmt"))
    if not statements:
        raise StatementError(_not_a_statement())
    return [receipt for each in statements for receipt in _receipts(each, own_iban)]


def match(receipts: Iterable[Receipt], asked: Mapping[str, tuple[Key, int]]) -> list[Match[Key]]:
    """Compare receipts with invoices; ``asked`` holds key and open cents by invoice number.

    A receipt pays for all invoices that its text names, or for none. Each invoice is paid once:
    what names one again is different.
    """
    patterns = [(_pattern(number), invoice) for number, invoice in asked.items()]
    paid: set[Key] = set()
    matches = []
    for receipt in receipts:
        text = receipt.text.upper()
        named = [invoice for pattern, invoice in patterns if pattern.search(text)]
        keys = tuple(key for key, _cents in named)
        total = sum(cents for _key, cents in named)
        if not named:
            verdict = Verdict.UNKNOWN
        elif total == receipt.amount_cents and paid.isdisjoint(keys):
            verdict = Verdict.PAID
            paid.update(keys)
        else:
            verdict = Verdict.DIFFERENT
        matches.append(Match(receipt, verdict, keys, total))
    return matches


def _pattern(number: str) -> re.Pattern[str]:
    """Give what finds a number in capitals, however its parts are set apart, and no longer one."""
    parts = re.findall(r"[A-Z]+|\d+", number.upper())
    return re.compile(rf"(?<![A-Z0-9]){r'[^A-Z0-9]*'.join(parts)}(?!\d)" if parts else "(?!)")


def _receipts(statement: Element, own_iban: str) -> Iterator[Receipt]:
    account = _text(statement, "Acct", "Id", "IBAN")
    try:
        is_ours = bool(own_iban) and iban(account) == iban(own_iban)
    except ValueError:
        is_ours = False
    if not is_ours:
        raise StatementError(
            _("This statement is of another account: %(iban)s.") % {"iban": account or "?"}
        )
    for entry in _all(statement, "Ntry"):
        is_booked = "BOOK" in (_text(entry, "Sts"), _text(entry, "Sts", "Cd"))
        is_taken_back = _text(entry, "RvslInd") == "true"
        if is_booked and _text(entry, "CdtDbtInd") == "CRDT" and not is_taken_back:
            yield from _of_entry(entry)


def _of_entry(entry: Element) -> Iterator[Receipt]:
    """Give each payment of an entry; a bank may book many at once and tell them apart within."""
    booked_on = _day(entry)
    parts = list(_all(entry, "NtryDtls", "TxDtls"))
    if not parts[1:]:
        yield Receipt(booked_on, _cents(entry), _words(entry))
        return
    for part in parts:
        amount = part if _one(part, "Amt") is not None else _one(part, "AmtDtls", "TxAmt")
        if amount is None:
            raise StatementError(_not_a_statement())
        yield Receipt(booked_on, _cents(amount), _words(part))


def _cents(element: Element) -> int:
    amount = _one(element, "Amt")
    written = (amount.text or "").strip() if amount is not None else ""
    if amount is None or not CENTS.fullmatch(written):
        raise StatementError(_not_a_statement())
    if amount.get("Ccy") != "EUR":
        raise StatementError(_("Only statements in euros can be read."))
    euros, _dot, rest = written.partition(".")
    if rest[2:].strip("0"):
        raise StatementError(_not_a_statement())
    return int(euros) * 100 + int(rest[:2].ljust(2, "0"))


def _day(entry: Element) -> dt.date:
    written = _text(entry, "BookgDt", "Dt") or _text(entry, "BookgDt", "DtTm")
    try:
        return dt.date.fromisoformat(written[:10])
    except ValueError as error:
        raise StatementError(_not_a_statement()) from error


def _words(element: Element) -> str:
    """Give what the payer wrote and referred to: not the names and accounts beside it."""
    wanted = {"Ustrd", "Ref", "EndToEndId", "AddtlRmtInf"}
    return " ".join((each.text or "").strip() for each in element.iter() if _local(each) in wanted)


def _all(element: Element, *names: str) -> Iterator[Element]:
    """Give the elements at the end of a path, in whichever version's namespace."""
    if not names:
        yield element
        return
    for child in element:
        if _local(child) == names[0]:
            yield from _all(child, *names[1:])


def _one(element: Element, *names: str) -> Element | None:
    return next(_all(element, *names), None)


def _text(element: Element, *names: str) -> str:
    found = _one(element, *names)
    return (found.text or "").strip() if found is not None else ""


def _local(element: Element) -> str:
    return str(element.tag).rpartition("}")[2]


def _not_a_statement() -> str:
    return _("This is no bank statement in the form CAMT.053.")
