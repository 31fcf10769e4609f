"""The agency, organisations and people: one agency, VAT ids, groups, who is who."""

from __future__ import annotations

from django.utils.translation import gettext as _

from agency.particulars import is_in_eu
from subscriptions.intake.rows import Book, Row

ADDRESS = ("street", "postcode", "city")


def check(book: Book) -> None:
    _check_agency(book)
    for row in book["organisations"]:
        _check_vat_id(book, row)
        _warn_incomplete(book, row)
    _check_groups(book)
    _check_people(book)
    for row in book.knowing("advisors", "lvv_number", "lvv_valid_until"):
        _check_certificate(book, row)


def _check_agency(book: Book) -> None:
    rows = book["agency"]
    if not rows:
        book.findings.problem(_("This sheet needs one row: the agency itself."), "agency", 2)
    for row in rows[1:]:
        book.findings.refuse(row, "name", _("There is one agency, and row 2 has it."))


def _check_vat_id(book: Book, row: Row) -> None:
    if not row.knows("country", "vat_id", "vat_id_checked"):
        return
    country, vat_id = row["country"], row["vat_id"]
    if row["vat_id_checked"] and not vat_id:
        book.findings.refuse(row, "vat_id_checked", _("There is no VAT id that could be checked."))
    if vat_id and is_in_eu(country) and not is_in_eu(vat_id[:2]):
        book.findings.refuse(
            row, "vat_id", _("This VAT id does not begin with the letters of a country of the EU.")
        )
    elif vat_id and vat_id[:2].replace("EL", "GR") != country and is_in_eu(country):
        book.findings.warn(row, "vat_id", _("This VAT id is of another country than the address."))


def _warn_incomplete(book: Book, row: Row) -> None:
    """Tell what will block the invoices (design 5.9)."""
    if not row.knows("country", "kvk_number", "oin", *ADDRESS):
        return
    for column in ADDRESS:
        if not row[column]:
            message = _("Invoices will wait until the address is complete.")
            book.findings.warn(row, column, message)
    if row["country"] == "NL" and not row["kvk_number"] and not row["oin"]:
        message = _("Invoices will wait until there is a KVK number or an OIN.")
        book.findings.warn(row, "kvk_number", message)


def _check_groups(book: Book) -> None:
    for row in book.knowing("organisations", "code", "parent_code"):
        if row["parent_code"] == row["code"]:
            message = _("An organisation cannot be its own parent.")
            book.findings.refuse(row, "parent_code", message)
    for row in book.knowing("organisations", "code", "parent_code"):
        if row["parent_code"] and _is_above_itself(book, row):
            message = _("The parents form a circle that leads back to this organisation.")
            book.findings.refuse(row, "parent_code", message)


def _is_above_itself(book: Book, row: Row) -> bool:
    passed: set[str] = set()
    above: str | None = row["parent_code"]
    while above is not None and above != row["code"] and above not in passed:
        passed.add(above)
        above = book.organisations[above]["parent_code"] if above in book.organisations else None
    return bool(above == row["code"])


def _check_people(book: Book) -> None:
    """One address is one person: an advisor or a contact, of one name and language."""
    advisors = {row["email"]: row for row in book.knowing("advisors", "email")}
    known: dict[str, Row] = {}
    for row in book.knowing("contacts", "email"):
        if row["email"] in advisors:
            message = _("Row %(row)d of advisors has this address: nobody is both.")
            number = advisors[row["email"]].number
            book.findings.refuse(row, "email", message % {"row": number})
            continue
        first = known.setdefault(row["email"], row)
        for column in ("name", "language"):
            if first.knows(column) and row.knows(column) and first[column] != row[column]:
                message = _("Row %(row)d has the same address, but this differs.")
                book.findings.refuse(row, column, message % {"row": first.number})


def _check_certificate(book: Book, row: Row) -> None:
    if row["lvv_number"] and row["lvv_valid_until"] is None:
        message = _("A certificate needs the day until which it is valid.")
        book.findings.refuse(row, "lvv_valid_until", message)
    if row["lvv_valid_until"] is not None and not row["lvv_number"]:
        book.findings.refuse(row, "lvv_number", _("A certificate needs its number."))
