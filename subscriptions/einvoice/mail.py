"""Mailing e-invoices, with the PDF that people read, to clients that take them in by mail.

Stripe mails every invoice to who pays it; this goes to another address, which the client's
bookkeeping program reads, and only where the client gave one.
"""

from __future__ import annotations

import datetime as dt
import urllib.request
from http.client import HTTPException
from smtplib import SMTPException
from urllib.parse import quote, urlsplit

from django.conf import settings
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from agency.mail import Mail, compose
from subscriptions.einvoice import EInvoiceError, write
from subscriptions.einvoice.dutch import SENT
from subscriptions.models import EInvoiceMail, EInvoiceProblem, Invoice

# What is older was sent before the client gave its address, or a person has looked by then.
LATE_DAYS = 14
SUBJECT = _("Your e-invoice")
SECONDS_TO_WAIT = 10
MOST_BYTES = 10_000_000
STRIPE = ".stripe.com"


class NoPdfError(Exception):
    """Stripe's PDF of a document could not be had."""


def mail_due(*, on: dt.date) -> int:
    """Mail what is due, each document by itself, and give how many could not be.

    A document is mailed once; what could not be is tried again until it is `LATE_DAYS` old. As with
    other mail, a process that dies before it is written down sends twice.
    """
    failed = 0
    for invoice in due(on).select_related("payer"):
        problem = _mail(invoice)
        failed += bool(problem)
        values = {"problem": problem, "sent_on": None if problem else on}
        EInvoiceMail.objects.update_or_create(invoice=invoice, defaults=values)
    return failed


def due(on: dt.date) -> QuerySet[Invoice]:
    """Give the documents to mail: final, of the last days, for who takes them in by mail."""
    sent = Invoice.objects.filter(state__in=SENT, invoice_on__gt=on - dt.timedelta(days=LATE_DAYS))
    wanted = sent.exclude(payer=None).exclude(payer__einvoice_email="")
    return wanted.filter(einvoice_mail__sent_on=None).order_by("invoice_on", "number")


def _mail(invoice: Invoice) -> str:
    """Mail a document; give what was in the way, or nothing."""
    name = quote(invoice.number, safe="")
    try:
        message = written(invoice)
        message.attach(f"{name}.xml", write(invoice), "application/xml")
        message.attach(f"{name}.pdf", read_pdf(invoice.pdf_url), "application/pdf")
        message.send()
    except EInvoiceError:
        return EInvoiceProblem.EINVOICE
    except NoPdfError:
        return EInvoiceProblem.PDF
    except (SMTPException, OSError):
        return EInvoiceProblem.MAIL
    return ""


def written(invoice: Invoice) -> Mail:
    """Write the mail of a document, without what comes with it."""
    to = [invoice.payer.einvoice_email] if invoice.payer else []
    return compose("einvoice", SUBJECT, to, language=invoice.language, invoice=invoice)


def read_pdf(address: str) -> bytes:
    """Fetch Stripe's PDF of a document; raises NoPdfError for whatever else comes.

    Only Stripe is asked, or its stand-in: an address is what somebody else's answer said.
    """
    if not _is_stripes(address):
        raise NoPdfError
    try:
        with urllib.request.urlopen(address, timeout=SECONDS_TO_WAIT) as answer:  # noqa: S310 - looked at above
            content: bytes = answer.read(MOST_BYTES)
    except (OSError, HTTPException, ValueError) as error:
        raise NoPdfError from error
    if not content.startswith(b"%PDF-"):
        raise NoPdfError
    return content


def _is_stripes(address: str) -> bool:
    parts = urlsplit(address)
    if settings.STRIPE_API_BASE:
        return address.startswith(f"{settings.STRIPE_API_BASE}/")
    return parts.scheme == "https" and f".{parts.hostname}".endswith(STRIPE)
