"""What a Dutch e-invoice must hold beyond EN 16931: the rules of NLCIUS that can fail here.

The others cannot: type, scheme and payment means of a document are written one way only.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from django.core.exceptions import ValidationError
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from subscriptions.models import Invoice, InvoiceKind, InvoiceState, VatCategory

# Schemes of ISO 6523 by the length of a number: KVK and OIN.
SCHEMES = {8: "0106", 20: "0190"}
# The Belgian number of enterprises is that of the VAT id.
BELGIAN = "0208"
ADDRESS = re.compile(r"(0[0-2]\d\d|99\d\d):(\S+)")
SENT = frozenset({InvoiceState.OPEN, InvoiceState.PAID, InvoiceState.UNCOLLECTIBLE})


class EInvoiceError(ValidationError):
    """A document of which no e-invoice can be made; its message is the sentence to show."""


def scheme(registration: str) -> str | None:
    """Give the scheme of a KVK number or OIN; None for what is neither."""
    return SCHEMES.get(len(registration)) if registration.isdigit() else None


def reference(invoice: Invoice) -> str:
    """Give what a buyer without a purchase order knows the document by: its client number."""
    return invoice.payer.code if invoice.payer else ""


def endpoint(invoice: Invoice, party: str) -> tuple[str, str] | None:
    """Give scheme and number of where a party takes e-invoices in; None where nothing is known.

    A client's own address, as it is today, comes before the one that a register gives it.
    """
    own = invoice.payer.einvoice_address if invoice.payer else ""
    if party == "buyer" and (found := ADDRESS.fullmatch(own.strip())):
        return found[1], found[2]
    registration, vat_id = (
        getattr(invoice, f"{party}_{name}") for name in ("kvk_number", "vat_id")
    )
    if code := scheme(registration):
        return code, registration
    return (BELGIAN, vat_id[2:]) if vat_id[:2] == "BE" else None


def refuse(invoice: Invoice) -> None:
    """Raise EInvoiceError, naming the rule and the field, for the first rule that is not met."""
    if invoice.state not in SENT or invoice.invoice_on is None:
        raise EInvoiceError(_("There is an e-invoice of what was sent, and was not cancelled."))
    for rule, field in missing(invoice):
        raise EInvoiceError(
            _("No e-invoice can be made: %(field)s is missing (%(rule)s)."),
            params={"field": field, "rule": rule},
        )


def missing(invoice: Invoice) -> Iterator[tuple[str, Promise]]:
    """Give each rule that is not met with the field that it misses."""
    for rule, field, is_met in RULES:
        if not is_met(invoice):
            yield rule, field


def _buyer_is_dutch(invoice: Invoice) -> bool:
    return invoice.buyer_country == "NL"


def _has_address(invoice: Invoice, party: str) -> bool:
    return all(getattr(invoice, f"{party}_{part}") for part in ("street", "postcode", "city"))


def _reverses_the_charge(invoice: Invoice) -> bool:
    return any(line.vat_category == VatCategory.REVERSE_CHARGE for line in invoice.lines.all())


RULES: tuple[tuple[str, Promise, Callable[[Invoice], bool]], ...] = (
    (
        "BR-NL-1",
        _("the agency's KVK number"),
        lambda invoice: scheme(invoice.seller_kvk_number) is not None,
    ),
    (
        "BR-NL-2",
        _("the purchase order or the client number"),
        lambda invoice: bool(invoice.po_number or reference(invoice)),
    ),
    (
        "BR-NL-3",
        _("street, postcode or city of the agency"),
        lambda invoice: _has_address(invoice, "seller"),
    ),
    (
        "BR-NL-4",
        _("street, postcode or city of the buyer"),
        lambda invoice: _has_address(invoice, "buyer"),
    ),
    (
        "BR-NL-9",
        _("the number of the invoice that is credited"),
        lambda invoice: (
            invoice.kind == InvoiceKind.INVOICE
            or bool(invoice.credit_of and invoice.credit_of.number)
        ),
    ),
    (
        "BR-NL-10",
        _("the buyer's KVK number or OIN"),
        lambda invoice: (
            not _buyer_is_dutch(invoice) or scheme(invoice.buyer_kvk_number) is not None
        ),
    ),
    (
        "BR-NL-11",
        _("the agency's IBAN"),
        lambda invoice: bool(invoice.seller_iban),
    ),
    (
        "BR-AE-2",
        _("a VAT id of both parties"),
        lambda invoice: (
            not _reverses_the_charge(invoice)
            or bool(invoice.seller_vat_id and invoice.buyer_vat_id)
        ),
    ),
)
