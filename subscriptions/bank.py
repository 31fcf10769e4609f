"""What came in on the agency's bank account: a statement of its bank (CAMT.053) read and matched.

A statement is read in memory and not kept: it tells more of clients than their payments. What it
says of a payment is compared with what is asked for; nothing is guessed. No database.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from collections import Counter
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
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
    PART = "part"  # less than these invoices ask for together
    OVER = "over"  # more than that
    NOTED = "noted"  # in an earlier reading
    UNKNOWN = "unknown"  # names no invoice that is open


@dataclass(frozen=True, slots=True)
class Match(Generic[Key]):
    """A receipt with what goes to each open invoice that its text names, and what they ask for.

    ``mark`` is the same for the same line of the bank, whenever it is read.
    """

    receipt: Receipt
    verdict: Verdict
    parts: tuple[tuple[Key, int], ...]
    asked_cents: int
    mark: str

    @property
    def differs_by_cents(self) -> int:
        return abs(self.receipt.amount_cents - self.asked_cents)


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


def match(
    receipts: Iterable[Receipt],
    asked: Mapping[str, tuple[Key, int]],
    noted: Container[str] = frozenset(),
    by_hand: Iterable[tuple[Key, dt.date, int]] = (),
) -> list[Match[Key]]:
    """Compare receipts with invoices; ``asked`` holds key and open cents by invoice number.

    A receipt pays the invoices that its text names, in the order of ``asked``; what is left of it
    goes to the last of them. What an earlier one of these receipts paid is asked for no more.
    ``noted`` are the marks of what was noted before; ``by_hand`` says of what was noted without one
    for which invoice it came, when, and how much: the next receipt like it is that one.
    """
    patterns = [(_pattern(number), key) for number, (key, _cents) in asked.items()]
    left, unread = dict(asked.values()), Counter(by_hand)
    alike: Counter[Receipt] = Counter()
    matches = []
    for receipt in receipts:
        alike[receipt] += 1
        mark = _mark(receipt, alike[receipt])
        text = receipt.text.upper()
        named = [key for pattern, key in patterns if pattern.search(text)]
        total = sum(left[key] for key in named)
        parts: tuple[tuple[Key, int], ...] = ()
        verdict = Verdict.UNKNOWN
        if mark in noted:
            verdict = Verdict.NOTED
        elif named:
            parts = tuple(_spread(receipt.amount_cents, [(key, left[key]) for key in named]))
            verdict = _verdict(receipt.amount_cents, total)
        same = [(key, receipt.booked_on, cents) for key, cents in parts]
        if same and all(unread[each] for each in same):
            unread.subtract(same)
            verdict, parts = Verdict.NOTED, ()
        for key, cents in parts:
            left[key] = max(0, left[key] - cents)
        matches.append(Match(receipt, verdict, parts, total, mark))
    return matches


def _verdict(cents: int, asked_cents: int) -> Verdict:
    if cents == asked_cents:
        return Verdict.PAID
    return Verdict.PART if cents < asked_cents else Verdict.OVER


def _spread(cents: int, named: Sequence[tuple[Key, int]]) -> Iterator[tuple[Key, int]]:
    """Give what goes to each, the first one first; what is too much goes to the last."""
    for at, (key, left) in enumerate(named, start=1):
        part = cents if at == len(named) else min(cents, left)
        cents -= part
        if part:
            yield key, part


def _mark(receipt: Receipt, nth: int) -> str:
    line = f"{receipt.booked_on} {receipt.amount_cents} {nth} {receipt.text}"
    return hashlib.sha256(line.encode()).hexdigest()


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
