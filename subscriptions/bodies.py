"""What Stripe receives of a document: the bodies of the calls, made of frozen columns only.

Of who pays: legal name, address, invoice e-mail, VAT id and language. Of the client, where
another one pays: legal name. Of a line: its text, its quantity and its amounts. Beyond that only
random ids of ours, in the metadata.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from django.utils import translation
from django.utils.formats import number_format
from django.utils.translation import gettext, pgettext

from agency.money import plain_decimal
from subscriptions import vat
from subscriptions.models import Collection, Invoice, InvoiceLine, VatCategory

if TYPE_CHECKING:
    from stripe.params import (
        CreditNoteCreateParams,
        CreditNoteCreateParamsLine,
        CustomerCreateParams,
        CustomerCreateParamsTaxIdDatum,
        InvoiceAddLinesParams,
        InvoiceAddLinesParamsLine,
        InvoiceAddLinesParamsLineTaxAmount,
        InvoiceCreateParams,
        InvoicePayParams,
        InvoiceUpdateParams,
    )

    from subscriptions import gateway

# Stripe passes on no SEPA debit above this amount.
LARGEST_DEBIT_CENTS = 10_000_00
# Greece writes EL, and Northern Ireland has letters of its own.
EU_VAT_PREFIXES = vat.EU_COUNTRIES - {"GR"} | {"EL", "XI"}
TAX_ID_TYPES = {"GB": "gb_vat", "CH": "ch_vat", "NO": "no_vat"} | dict.fromkeys(
    EU_VAT_PREFIXES, "eu_vat"
)
TAXABILITY = {
    VatCategory.STANDARD: "standard_rated",
    VatCategory.EXEMPT: "product_exempt",
    VatCategory.REVERSE_CHARGE: "reverse_charge",
    VatCategory.OUTSIDE_SCOPE: "not_subject_to_tax",
}
LONGEST_FIELD = 140


def customer(invoice: Invoice) -> CustomerCreateParams:
    """Return the buyer as frozen on the document."""
    body: CustomerCreateParams = {
        "name": invoice.buyer_name,
        "address": {
            "line1": invoice.buyer_street,
            "postal_code": invoice.buyer_postcode,
            "city": invoice.buyer_city,
            "country": invoice.buyer_country,
        },
        "preferred_locales": [invoice.language],
        # A one-off buyer is no organisation of ours: the document stands for it.
        "metadata": {"organisation": str(invoice.payer_id or invoice.pk)},
    }
    if invoice.buyer_email:
        body["email"] = invoice.buyer_email
    if tax_ids := _tax_ids(invoice.buyer_vat_id):
        body["tax_id_data"] = tax_ids
    return body


def _tax_ids(vat_id: str) -> list[CustomerCreateParamsTaxIdDatum]:
    kind = tax_id_type(vat_id)
    return [{"type": kind, "value": vat_id}] if kind else []


def tax_id_type(vat_id: str) -> str | None:
    """Return Stripe's name for the kind of VAT id; None where Stripe has none to print it by."""
    return TAX_ID_TYPES.get(vat_id[:2])


def draft(invoice: Invoice, customer_id: str) -> InvoiceCreateParams:
    """Return an empty draft, with nothing swept in that was not put there by us."""
    body: InvoiceCreateParams = {
        "customer": customer_id,
        "auto_advance": False,
        "currency": invoice.currency.lower(),
        "pending_invoice_items_behavior": "exclude",
        "metadata": _reference(invoice),
    }
    if is_debited(invoice):
        body["collection_method"] = "charge_automatically"
        body["payment_settings"] = {"payment_method_types": ["sepa_debit"]}
    else:
        body["collection_method"] = "send_invoice"
        body["days_until_due"] = invoice.due_days
    with translation.override(invoice.language):
        if printed := fields(invoice):
            body["custom_fields"] = [{"name": name, "value": printed[name]} for name in printed]
        if footer := _footer(invoice):
            body["footer"] = footer
    return body


def fields(invoice: Invoice) -> dict[str, str]:
    """Return what is printed beside the sums, in the active language: order, and who was served."""
    named = {gettext("Purchase order"): invoice.po_number, gettext("For"): invoice.served_name}
    return {name: value[:LONGEST_FIELD] for name, value in named.items() if value}


def _reference(invoice: Invoice) -> dict[str, str]:
    """Return by what we find our document again, also where a backup has forgotten it."""
    return {"document": str(invoice.pk), "run": str(invoice.run_month)}


def is_debited(invoice: Invoice) -> bool:
    """Whether Stripe collects by direct debit; what is too much for one is sent as an invoice."""
    return invoice.collection == Collection.SEPA and invoice.total_cents <= LARGEST_DEBIT_CENTS


def _footer(invoice: Invoice) -> str:
    """Return why no VAT is charged, as the law wants it on the document."""
    reasons = reasons_without_vat().items()
    categories = {line.vat_category for line in invoice.lines.all()}
    return " ".join(reason for category, reason in reasons if category in categories)


def reasons_without_vat() -> dict[str, str]:
    """Return by category, in the active language, why no VAT is charged."""
    return {
        VatCategory.REVERSE_CHARGE: gettext("VAT reverse charged to the customer."),
        VatCategory.EXEMPT: gettext("Education exempt from VAT."),
        VatCategory.OUTSIDE_SCOPE: gettext("Not subject to Dutch VAT."),
    }


def lines(invoice: Invoice) -> InvoiceAddLinesParams:
    """Return all lines, with the VAT that we worked out once for the whole document."""
    with translation.override(invoice.language):
        ordered = sorted(invoice.lines.all(), key=lambda line: line.position)
        return {"lines": [_line(line) for line in ordered]}


def _line(line: InvoiceLine) -> InvoiceAddLinesParamsLine:
    # An amount and no quantity: Stripe takes one of the two, and its own product of quantity and
    # price would not be ours to the cent.
    return {
        "description": description(line),
        "amount": line.net_cents,
        "tax_amounts": [_tax_amount(line)],
        "metadata": {"line": str(line.pk)},
    }


def description(line: InvoiceLine) -> str:
    """Return the line's text and, where it is not 1, its quantity and price per unit."""
    if line.quantity_hundredths == 100:  # noqa: PLR2004 - one
        return line.description
    text = plain_decimal(line.quantity_hundredths)
    quantity = number_format(text, decimal_pos=len(text.partition(".")[2]))
    euros, cents = divmod(abs(line.unit_cents), 100)
    price = number_format(f"{euros}.{cents:02}", decimal_pos=2, force_grouping=True)
    return f"{line.description} ({quantity} × € {price})"


def _tax_amount(line: InvoiceLine) -> InvoiceAddLinesParamsLineTaxAmount:
    return {
        "amount": line.vat_cents,
        "taxable_amount": line.net_cents,
        "taxability_reason": TAXABILITY[VatCategory(line.vat_category)],
        "tax_rate_data": {
            "display_name": pgettext("tax on an invoice", "VAT"),
            "inclusive": False,
            "percentage": _percentage(line.vat_rate_basis_points),
            "country": "NL",
            "tax_type": "vat",
        },
    }


def _percentage(basis_points: int) -> Any:
    """Return text: the SDK asks for a float, but sends whatever is given as it is written."""
    return plain_decimal(basis_points)


def advancing(*, goes_on: bool) -> InvoiceUpdateParams:
    """Return whether Stripe debits, tries again and reminds by itself."""
    return {"auto_advance": goes_on}


def settlement() -> InvoicePayParams:
    """Return that nothing is to be collected: our own bank received all that was asked for."""
    return {"paid_out_of_band": True}


def credit_note(
    credit: Invoice, document: gateway.Document, lines: tuple[gateway.Line, ...]
) -> CreditNoteCreateParams:
    """Return a credit of lines of a document of Stripe's, with our VAT under Stripe's rates.

    What was not paid yet is not asked for any more; the rest goes back by the way it came.
    Raises KeyError where a line points at none of these.
    """
    there = {line.line: line for line in lines}
    body: CreditNoteCreateParams = {
        "invoice": document.id,
        "lines": [
            _credit_line(line, back, there[str(line.credit_of_id)])
            for line, back in _taken_off(credit.lines.order_by("position"))
        ],
        "metadata": _reference(credit),
        "email_type": "credit_note",
    }
    back_cents = max(0, abs(credit.total_cents) - document.remaining_cents)
    elsewhere_cents = min(back_cents, document.paid_elsewhere_cents)
    if elsewhere_cents:
        body["out_of_band_amount"] = elsewhere_cents
    if back_cents > elsewhere_cents:
        body["refund_amount"] = back_cents - elsewhere_cents
    return body


def _taken_off(lines: Iterable[InvoiceLine]) -> Iterator[tuple[InvoiceLine, tuple[int, int]]]:
    """Give lines with the net and VAT that Stripe is to take off them.

    Stripe credits no line below zero: what such a line gave comes off others of the same VAT.
    """
    lines = list(lines)
    owed: dict[tuple[str, int], list[int]] = defaultdict(lambda: [0, 0])
    for line in lines:
        if line.net_cents > 0:
            sums = owed[line.vat_category, line.vat_rate_basis_points]
            sums[:] = sums[0] + line.net_cents, sums[1] + line.vat_cents
    for line in lines:
        if line.net_cents < 0:
            sums = owed[line.vat_category, line.vat_rate_basis_points]
            net, vat = min(sums[0], -line.net_cents), min(sums[1], -line.vat_cents)
            sums[:] = sums[0] - net, sums[1] - vat
            if net < -line.net_cents:
                yield line, (-line.net_cents - net, -line.vat_cents - vat)


def _credit_line(
    line: InvoiceLine, back: tuple[int, int], there: gateway.Line
) -> CreditNoteCreateParamsLine:
    net_cents, vat_cents = back
    return {
        "type": "invoice_line_item",
        "invoice_line_item": there.id,
        "amount": net_cents,
        "tax_amounts": [
            {"amount": vat_cents, "tax_rate": tax.rate_id, "taxable_amount": net_cents}
            for tax in there.taxes
        ],
        "metadata": {"line": str(line.pk)},
    }


def finalization(*, goes_on: bool) -> dict[str, Any]:
    """Let Stripe go on by itself, or not, once the invoice is final."""
    return {"auto_advance": goes_on}


def hash_of(body: Any) -> str:
    """Return the fingerprint of a body; equal bodies have equal ones."""
    text = json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()
