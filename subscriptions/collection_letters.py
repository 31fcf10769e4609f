"""Mails about what is to be paid: to where invoices go, in the language of the invoice.

Subjects are fixed; a text holds number, dates and amounts of a document that the address has.
"""

from __future__ import annotations

from typing import Any

from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.utils.translation import override

from agency.tokens import in_templates
from subscriptions.models import Invoice


def address_of(invoice: Invoice) -> str:
    """Return where invoices go today, else where this one went; empty where neither is known."""
    payer = invoice.payer
    return (payer.invoice_email if payer else "") or invoice.buyer_email


def send(invoice: Invoice, template: str, subject: Any, **context: Any) -> None:
    """Mail a text about an invoice; ``subject`` is translated here, and heads the text."""
    with override(invoice.language):
        heading = str(subject)
        given = {"invoice": invoice, "heading": heading, "colour": in_templates(), **context}
        message = EmailMultiAlternatives(
            subject=heading,
            body=render_to_string(f"mail/{template}.txt", given),
            to=[address_of(invoice)],
        )
        message.attach_alternative(render_to_string(f"mail/{template}.html", given), "text/html")
    message.send()
