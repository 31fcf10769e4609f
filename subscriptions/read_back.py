"""Read a document back from Stripe and hold it to ours, to the cent, before it is finalized.

What is compared are the frozen columns themselves, not the bodies that were sent.
"""

from __future__ import annotations

from collections.abc import Iterator

from django.utils import translation
from django.utils.translation import gettext as _

from agency.templatetags.figures import euro
from subscriptions import bodies, gateway
from subscriptions.models import Invoice, InvoiceLine, VatCategory
from subscriptions.steps import DisagreementError


def compare(invoice: Invoice, customer_id: str) -> gateway.Document:
    """Return Stripe's document; raise DisagreementError, naming the first difference from ours."""
    document = gateway.read(invoice.stripe_id)
    lines = gateway.lines_of(invoice.stripe_id)
    for difference in (
        *sums(invoice, document),
        *_head(invoice, document, customer_id),
        *_buyer(invoice, document),
        *_lines(invoice, lines),
    ):
        raise DisagreementError(difference)
    return document


def compare_credit(credit: Invoice, there: gateway.CreditNote) -> None:
    """Raise DisagreementError unless a credit note, or its preview, is ours to the cent."""
    for difference in sums(credit, there):
        raise DisagreementError(difference)


def sums(invoice: Invoice, document: gateway.Document | gateway.CreditNote) -> Iterator[str]:
    """Yield where the sums differ; Stripe has those of a credit without a sign."""
    sign = -1 if invoice.total_cents < 0 else 1
    sums = {
        _("total"): (document.total_cents, sign * invoice.total_cents),
        _("net"): (document.net_cents, sign * invoice.net_cents),
        _("VAT"): (document.vat_cents, sign * invoice.vat_cents),
    }
    for name, (there, here) in sums.items():
        if there != here:
            yield _difference(name, euro(there), euro(here))


def _head(invoice: Invoice, document: gateway.Document, customer_id: str) -> Iterator[str]:
    method = "charge_automatically" if bodies.is_debited(invoice) else "send_invoice"
    with translation.override(invoice.language):
        printed = bodies.fields(invoice)
    facts = {
        _("customer"): (document.customer_id, customer_id),
        _("document"): (document.document, str(invoice.pk)),
        _("currency"): (document.currency, invoice.currency.lower()),
        _("way of collecting"): (document.collection_method, method),
        _("purchase order"): (" ".join(document.fields.values()), " ".join(printed.values())),
    }
    for name, (there, here) in facts.items():
        if there != here:
            yield _difference(name, there, here)


def _buyer(invoice: Invoice, document: gateway.Document) -> Iterator[str]:
    """Compare what Stripe prints: the customer's particulars, which finalizing freezes."""
    has_tax_id = bodies.tax_id_type(invoice.buyer_vat_id) is not None
    ours = {
        "name": invoice.buyer_name,
        "email": invoice.buyer_email,
        "line1": invoice.buyer_street,
        "postal_code": invoice.buyer_postcode,
        "city": invoice.buyer_city,
        "country": invoice.buyer_country,
        "tax_ids": invoice.buyer_vat_id if has_tax_id else "",
    }
    for name, here in ours.items():
        if document.buyer[name] != here:
            yield _difference(_("buyer"), document.buyer[name], here)


def _lines(invoice: Invoice, there: tuple[gateway.Line, ...]) -> Iterator[str]:
    with translation.override(invoice.language):
        ours = {str(line.pk): _expected(line) for line in invoice.lines.all()}
    if len(there) != len(ours):
        yield _difference(_("number of lines"), str(len(there)), str(len(ours)))
    for line in there:
        here = ours.get(line.line)
        if here != line:
            yield _difference(_("line"), line.description, here.description if here else "")


def _expected(line: InvoiceLine) -> gateway.Line:
    reason = bodies.TAXABILITY[VatCategory(line.vat_category)]
    return gateway.Line(
        str(line.pk),
        bodies.description(line),
        line.net_cents,
        (gateway.Tax(line.vat_cents, line.net_cents, reason),),
    )


def _difference(what: str, there: str, here: str) -> str:
    return _("At Stripe the %(what)s is “%(there)s”, here “%(here)s”.") % {
        "what": what,
        "there": there,
        "here": here,
    }
