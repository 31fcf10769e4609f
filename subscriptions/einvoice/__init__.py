"""The e-invoice of a sent document: UBL 2.1 after EN 16931 and NLCIUS, of frozen columns only.

The same document gives the same bytes. Three things are read beside it: the code of the reason why
no VAT is charged, a client's number where no purchase order is known, and where the client takes
e-invoices in, which is where it goes and not what it says.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from typing import TYPE_CHECKING
from urllib.parse import quote

from django.http import HttpResponse
from django.utils.translation import gettext, override

from agency.money import plain_decimal, round_half_away
from subscriptions import bodies
from subscriptions.einvoice.dutch import EInvoiceError, endpoint, reference, refuse, scheme
from subscriptions.models import (
    Invoice,
    InvoiceKind,
    InvoiceLine,
    LineKind,
    TaxTreatment,
    VatCategory,
)

if TYPE_CHECKING:
    from lxml.etree import _Element

__all__ = ["EInvoiceError", "download", "write"]

_UBL = "urn:oasis:names:specification:ubl:schema:xsd:"
_CAC, _CBC = (f"{_UBL}Common{kind}Components-2" for kind in ("Aggregate", "Basic"))
_NLCIUS = "urn:cen.eu:en16931:2017#compliant#urn:fdc:nen.nl:nlcius:v1.0"
_BILLING = "urn:fdc:peppol.eu:2017:poacc:billing:01:1.0"
_SEPA_TRANSFER, _SEPA_DEBIT = "58", "59"
_ONE = 100  # hundredths
# Units of UN/ECE recommendation 20: hours, kilometres, and "one" for all else.
_UNITS = {LineKind.OVERAGE: "HUR", LineKind.TRAVEL: "KMT"}
# What XML 1.0 cannot hold.
_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def write(invoice: Invoice) -> bytes:
    """Give the file of a document. Raises EInvoiceError where a rule is not met."""
    from lxml import etree

    refuse(invoice)
    with override(invoice.language):
        root = _Writer(invoice).document()
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True)


def download(invoice: Invoice) -> HttpResponse:
    """Give the file as an answer to a request. Raises EInvoiceError as `write` does."""
    name = f"{quote(invoice.number, safe='')}.xml"
    return HttpResponse(
        write(invoice),
        content_type="application/xml",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


class _Writer:
    """Writes one document; of a credit all amounts stand without their sign."""

    def __init__(self, invoice: Invoice) -> None:
        self.invoice = invoice
        self.is_credit = invoice.kind == InvoiceKind.CREDIT
        self.sign = -1 if self.is_credit else 1
        self.word = "CreditNote" if self.is_credit else "Invoice"
        self.lines: Sequence[InvoiceLine] = list(
            invoice.lines.select_related("credit_of").order_by("position")
        )
        self.is_untaxed = any(line.vat_category == VatCategory.OUTSIDE_SCOPE for line in self.lines)

    def document(self) -> _Element:
        from lxml import etree

        names = {None: f"{_UBL}{self.word}-2", "cac": _CAC, "cbc": _CBC}
        root = etree.Element(f"{{{names[None]}}}{self.word}", nsmap=names)  # type: ignore[arg-type]
        self._head(root)
        self._party(_group(root, "AccountingSupplierParty"), "seller")
        self._party(_group(root, "AccountingCustomerParty"), "buyer")
        if self.invoice.served_name:  # BT-70
            name = _group(_group(_group(root, "Delivery"), "DeliveryParty"), "PartyName")
            _say(name, "Name", self.invoice.served_name)
        self._payment(root)
        self._vat(root)
        total = _group(root, "LegalMonetaryTotal")
        self._amount(total, "LineExtensionAmount", self.invoice.net_cents)
        self._amount(total, "TaxExclusiveAmount", self.invoice.net_cents)
        self._amount(total, "TaxInclusiveAmount", self.invoice.total_cents)
        self._amount(total, "PayableAmount", self.invoice.total_cents)
        for line in self.lines:
            self._line(root, line)
        return root

    def _head(self, root: _Element) -> None:
        invoice = self.invoice
        _say(root, "CustomizationID", _NLCIUS)
        _say(root, "ProfileID", _BILLING)
        _say(root, "ID", invoice.number)
        _say(root, "IssueDate", invoice.invoice_on)
        if not self.is_credit:
            _say(root, "DueDate", invoice.due_on)
        _say(root, f"{self.word}TypeCode", "381" if self.is_credit else "380")
        _say(root, "DocumentCurrencyCode", invoice.currency)
        if invoice.po_number:
            _say(_group(root, "OrderReference"), "ID", invoice.po_number)
        else:
            _say(root, "BuyerReference", reference(invoice))
        if invoice.credit_of:
            credited = _group(root, "BillingReference", "InvoiceDocumentReference")
            _say(credited, "ID", invoice.credit_of.number)

    def _party(self, into: _Element, who: str) -> None:
        def of(part: str) -> str:
            return str(getattr(self.invoice, f"{who}_{part}"))

        party, registration = _group(into, "Party"), of("kvk_number")
        code = scheme(registration)
        if place := endpoint(self.invoice, who):
            _say(party, "EndpointID", place[1], schemeID=place[0])
        _say(_group(party, "PartyName"), "Name", of("name"))
        address = _group(party, "PostalAddress")
        _say(address, "StreetName", of("street"))
        _say(address, "CityName", of("city"))
        _say(address, "PostalZone", of("postcode"))
        _say(_group(address, "Country"), "IdentificationCode", of("country"))
        # A document that is not subject to VAT names no VAT id (BR-O-2).
        if of("vat_id") and not self.is_untaxed:
            tax = _group(party, "PartyTaxScheme")
            _say(tax, "CompanyID", of("vat_id"))
            _say(_group(tax, "TaxScheme"), "ID", "VAT")
        legal = _group(party, "PartyLegalEntity")
        _say(legal, "RegistrationName", of("name"))
        if code:
            _say(legal, "CompanyID", registration, schemeID=code)

    def _payment(self, root: _Element) -> None:
        """Say how an invoice is paid, and of a credit what becomes of it (BR-CO-25)."""
        if self.is_credit:
            text = gettext("Set off against the invoice; what was paid already is paid back.")
            _say(_group(root, "PaymentTerms"), "Note", text)
            return
        means = _group(root, "PaymentMeans")
        is_debited = bodies.is_debited(self.invoice)
        _say(means, "PaymentMeansCode", _SEPA_DEBIT if is_debited else _SEPA_TRANSFER)
        _say(means, "PaymentID", self.invoice.number)
        if not is_debited:
            _say(_group(means, "PayeeFinancialAccount"), "ID", self.invoice.seller_iban)

    def _vat(self, root: _Element) -> None:
        groups: dict[tuple[str, int], list[InvoiceLine]] = defaultdict(list)
        for line in self.lines:
            groups[line.vat_category, line.vat_rate_basis_points].append(line)
        total = _group(root, "TaxTotal")
        self._amount(total, "TaxAmount", self.invoice.vat_cents)
        reasons, codes = bodies.reasons_without_vat(), self._exemption_codes()
        for (category, rate), lines in groups.items():
            part = _group(total, "TaxSubtotal")
            self._amount(part, "TaxableAmount", sum(line.net_cents for line in lines))
            self._amount(part, "TaxAmount", sum(line.vat_cents for line in lines))
            of_category = _group(part, "TaxCategory")
            why = (codes.get(category, ""), reasons.get(category, ""))
            _category(of_category, category, rate, why)

    def _exemption_codes(self) -> dict[str, str]:
        rows = TaxTreatment.objects.filter(valid_from__lte=self.invoice.run_month)
        return dict(rows.order_by("valid_from").values_list("category", "exemption_code"))

    def _line(self, root: _Element, line: InvoiceLine) -> None:
        into = _group(root, f"{self.word}Line")
        hundredths, unit_cents, unit = _measured(line, self.sign * line.net_cents)
        quantity = "CreditedQuantity" if self.is_credit else "InvoicedQuantity"
        _say(into, "ID", line.position)
        _say(into, quantity, plain_decimal(hundredths), unitCode=unit)
        self._amount(into, "LineExtensionAmount", line.net_cents)
        period = _group(into, "InvoicePeriod")
        _say(period, "StartDate", line.months.from_month.first_day)
        _say(period, "EndDate", line.months.last_month.last_day)
        item = _group(into, "Item")
        _say(item, "Name", line.description)
        of_item = _group(item, "ClassifiedTaxCategory")
        _category(of_item, line.vat_category, line.vat_rate_basis_points)
        price = {"currencyID": self.invoice.currency}
        _say(_group(into, "Price"), "PriceAmount", _euros(unit_cents), **price)

    def _amount(self, into: _Element, name: str, cents: int) -> None:
        _say(into, name, _euros(self.sign * cents), currencyID=self.invoice.currency)


def _measured(line: InvoiceLine, net_cents: int) -> tuple[int, int, str]:
    """Give hundredths, price and unit of a line, whose product is its net.

    Where the stored ones make something else, as a fee for part of a year, it is once the net.
    """
    price, once = abs(line.unit_cents), "C62"
    if round_half_away(line.quantity_hundredths * price, _ONE) == net_cents:
        unit = _UNITS.get(LineKind(line.kind_of_thing), once)
        return line.quantity_hundredths, price, unit
    return (_ONE if net_cents >= 0 else -_ONE), abs(net_cents), once


def _category(
    into: _Element, category: str, rate_basis_points: int, why: tuple[str, str] = ("", "")
) -> None:
    _say(into, "ID", category)
    if category != VatCategory.OUTSIDE_SCOPE:
        _say(into, "Percent", plain_decimal(rate_basis_points))
    code, reason = why if category != VatCategory.STANDARD else ("", "")
    if code:
        _say(into, "TaxExemptionReasonCode", code)
    if reason:
        _say(into, "TaxExemptionReason", reason)
    _say(_group(into, "TaxScheme"), "ID", "VAT")


def _group(into: _Element, *names: str) -> _Element:
    from lxml.etree import SubElement

    for name in names:
        into = SubElement(into, f"{{{_CAC}}}{name}")
    return into


def _say(into: _Element, name: str, value: object, **attributes: str) -> _Element:
    from lxml.etree import SubElement

    said = SubElement(into, f"{{{_CBC}}}{name}", attributes)
    said.text = _FORBIDDEN.sub("", str(value))
    return said


def _euros(cents: int) -> str:
    sign, whole = ("-", -cents) if cents < 0 else ("", cents)
    return f"{sign}{whole // 100}.{whole % 100:02d}"
