"""Statements, invoices and sessions in the words that `subscriptions.wording` has for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django import template
from django.utils.translation import get_language

from agency.templatetags.figures import SPACE, badge, percent
from subscriptions import bodies, wording
from subscriptions.models import InvoiceKind, InvoiceState, VatCategory

if TYPE_CHECKING:
    import datetime as dt

    from django.utils.safestring import SafeString

    from subscriptions.models import Invoice, InvoiceLine, Statement
    from workshops.models import Session

register = template.Library()


@register.filter
def sentence(statement: Statement) -> str:
    return wording.statement_sentence(statement)


@register.filter
def reason(statement: Statement) -> str:
    return wording.statement_reason(statement.display)


@register.filter
def title(session: Session) -> str:
    return session.offering.title(get_language() or "nl")


@register.filter
def summary(invoice: Invoice) -> str:
    lines = list(invoice.lines.all())
    line = wording.of_served(invoice, lines[0].description)
    return wording.first_and_more(line, len(lines))


@register.filter
def can_be_paid(invoice: Invoice) -> bool:
    """Tell whether the client has to pay, or may, on Stripe's page.

    Where our bank has a part, which Stripe does not know of, it would ask for all of it.
    """
    debited = bodies.is_debited(invoice) and not invoice.debit_failed_on
    return _is_open(invoice) and bool(invoice.hosted_url) and not (debited or _received(invoice))


@register.filter
def is_paid_in_part(invoice: Invoice) -> bool:
    return _is_open(invoice) and _received(invoice) > 0


def _is_open(invoice: Invoice) -> bool:
    return invoice.kind == InvoiceKind.INVOICE and invoice.state == InvoiceState.OPEN


def _received(invoice: Invoice) -> int:
    return invoice.received  # type: ignore[attr-defined, no-any-return]  # of `payments.with_left`


@register.filter
def is_late(invoice: Invoice, on: dt.date) -> bool:
    return wording.invoice_standing(invoice, on).tone == "bad"


@register.filter
def vat_rate(line: InvoiceLine) -> str:
    """Write the rate, or why there is none: ``21 %``, ``btw verlegd``."""
    if line.vat_category == VatCategory.STANDARD:
        return f"{percent(line.vat_rate_basis_points)}{SPACE}%"
    return str(VatCategory(line.vat_category).label)


@register.simple_tag
def invoice_badge(invoice: Invoice, on: dt.date) -> SafeString:
    standing = wording.invoice_standing(invoice, on)
    return badge(standing.word, standing.tone)


@register.simple_tag
def session_badge(session: Session) -> SafeString:
    standing = wording.session_standing(session)
    return badge(standing.word, standing.tone)
