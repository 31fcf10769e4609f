"""Mails about what is to be paid: to where invoices go, in the language of the invoice.

Subjects are fixed; a text holds number, dates and amounts of a document that the address has.
"""

from __future__ import annotations

from typing import Any

from agency.mail import Mail, compose
from subscriptions.models import Invoice


def address_of(invoice: Invoice) -> str:
    """Return where invoices go today, else where this one went; empty where neither is known."""
    payer = invoice.payer
    return (payer.invoice_email if payer else "") or invoice.buyer_email


def written(invoice: Invoice, template: str, subject: Any, **context: Any) -> Mail:
    """Write a mail about an invoice, to where its payer's invoices go."""
    to, language = [address_of(invoice)], invoice.language
    return compose(template, subject, to, language=language, invoice=invoice, **context)
