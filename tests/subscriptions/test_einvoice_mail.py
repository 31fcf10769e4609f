"""E-invoices by mail: to who takes them in that way, once, with Stripe's PDF."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.core import mail
from django.utils import timezone
from lxml import etree
from pytest_django.fixtures import Settings

from agency.models import Organisation
from subscriptions import push, tasks
from subscriptions.einvoice.mail import NoPdfError, due, mail_due, read_pdf
from subscriptions.models import EInvoiceMail, Invoice
from subscriptions.sandbox.server import Sandbox
from tests import factories as make

pytestmark = pytest.mark.django_db

ADDRESS = "ubl@books.example"
INVOICED_ON = dt.date(2026, 4, 10)
PARTIES = {"buyer_kvk_number": "12345678", "buyer_vat_id": "NL000099998B57"}


def client(code: str = "ORG1", einvoice_email: str = ADDRESS) -> Organisation:
    return make.organisation(code, einvoice_email=einvoice_email)


def sent(organisation: Organisation, **fields: Any) -> Invoice:
    named = {"number": f"DIS-{organisation.code}", "stripe_id": f"in_{organisation.code}"}
    return make.invoice(organisation, state="open", **(PARTIES | named | fields))


@pytest.mark.django_db(transaction=True)
def test_what_stripe_made_final_is_mailed_once_as_ubl_and_pdf(sandbox: Sandbox) -> None:
    how: dict[str, Any] = {"state": "approved", "language": "nl", **PARTIES}
    invoice = make.invoice(client(), **how)
    push.push(invoice.pk, at=timezone.now())
    invoice.refresh_from_db()
    assert invoice.invoice_on

    assert mail_due(on=invoice.invoice_on) == 0
    assert mail_due(on=invoice.invoice_on) == 0

    [message] = mail.outbox
    assert message.to == [ADDRESS]
    assert message.subject == "Uw e-factuur"
    assert invoice.number in message.body
    attached: list[Any] = [*message.attachments]
    names, contents, kinds = zip(*attached, strict=True)
    assert names == (f"{invoice.number}.xml", f"{invoice.number}.pdf")
    assert kinds == ("application/xml", "application/pdf")
    ubl = contents[0] if isinstance(contents[0], bytes) else contents[0].encode()
    assert invoice.number in etree.fromstring(ubl).itertext()
    assert contents[1].startswith(b"%PDF-")
    assert EInvoiceMail.objects.get().sent_on == invoice.invoice_on


def test_only_new_documents_of_who_gave_an_address_are_due() -> None:
    today = INVOICED_ON
    wanted = sent(client())
    sent(client("ORG2", ""))
    sent(client("ORG3"), invoice_on=today - dt.timedelta(days=14))
    make.invoice(client("ORG4"), state="draft")

    assert list(due(today)) == [wanted]


def test_what_cannot_be_mailed_says_why_and_is_tried_again(settings: Settings) -> None:
    settings.STRIPE_API_BASE = "http://127.0.0.1:9"  # nobody answers there
    sent(client(), pdf_url="http://127.0.0.1:9/i/test/pdf")
    sent(client("ORG2"), pdf_url="", buyer_kvk_number="")

    assert mail_due(on=INVOICED_ON) == 2

    problems = dict(EInvoiceMail.objects.values_list("invoice__number", "problem"))
    assert problems == {"DIS-ORG1": "pdf", "DIS-ORG2": "einvoice"}
    assert due(INVOICED_ON).count() == 2
    assert mail.outbox == []


@pytest.mark.parametrize(
    "address",
    [
        "",
        "http://pay.stripe.com/invoice/pdf",
        "https://pay.stripe.com.evil.example/invoice/pdf",
        "https://evilstripe.com/pdf",
        "file:///etc/passwd",
        "http://169.254.169.254/latest",
    ],
)
def test_nobody_but_stripe_is_asked_for_a_pdf(settings: Settings, address: str) -> None:
    settings.STRIPE_API_BASE = ""
    with pytest.raises(NoPdfError):
        read_pdf(address)


def test_a_page_is_no_pdf(sandbox: Sandbox) -> None:
    with pytest.raises(NoPdfError):
        read_pdf(f"{sandbox.base_url}/v1/invoices")


def test_the_task_mails_what_is_due() -> None:
    tasks.mail_einvoices()
    assert mail.outbox == []
