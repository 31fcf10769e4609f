"""Every mail that leaves, with a sample of each about an agency and a client that are nobody's.

The samples are written by the very functions that write the mails, of rows that are never saved.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext_lazy as _

from advisors import submissions
from agency import accounts, contacts, notices
from agency.models import Invitation, Organisation
from agency.month import Month
from subscriptions import announcements, debits, indexation_letters, reminders
from subscriptions.einvoice import mail as einvoices
from subscriptions.models import (
    CpiValue,
    DebitNotice,
    IndexationRun,
    IndexedContract,
    Invoice,
    Mandate,
    Reminder,
    ReminderStep,
    Subscription,
)

if TYPE_CHECKING:
    from django.core.mail import EmailMessage

AGENCY, CLIENT = "Voorbeeld Vertrouwenspersonen B.V.", "Stichting Voorbeeld"
NOBODY = "nobody@discreet.example"


def _invoice(language: str) -> Invoice:
    return Invoice(
        language=language,
        number="VB-2026-0001",
        invoice_on=dt.date(2026, 4, 2),
        due_on=dt.date(2026, 5, 2),
        buyer_name=CLIENT,
        buyer_email=NOBODY,
        seller_name=AGENCY,
        seller_iban="NL91ABNA0417164300",
        organisation=Organisation(legal_name=CLIENT),
        hosted_url="https://invoice.stripe.com/",
    )


def _reminder(language: str, step: str) -> EmailMessage:
    row = Reminder(invoice=_invoice(language), step=step, asked_cents=145_200)
    row.pay_by_on = dt.date(2026, 5, 23)
    return reminders.written(row)


def _debit(language: str) -> EmailMessage:
    mandate = Mandate(reference="VB-MANDAAT-1", last_digits="4300")
    notice = DebitNotice(invoice=_invoice(language), mandate=mandate, amount_cents=145_200)
    notice.debit_on = dt.date(2026, 4, 17)
    return debits.written(notice, "NL00ZZZ000000000000")


def _indexation(language: str) -> EmailMessage:
    index: dict[str, Any] = {"series": "CPI", "reference_year": 2015, "source": "CBS"}
    row = IndexedContract(
        run=IndexationRun(
            from_value=CpiValue(month=Month.of(2024, 10), value_thousandths=133_480, **index),
            to_value=CpiValue(month=Month.of(2025, 10), value_thousandths=137_620, **index),
            cap_basis_points=500,
            floor_basis_points=0,
        ),
        subscription=Subscription(organisation=Organisation(legal_name=CLIENT, language=language)),
        from_month=Month.of(2026, 7),
        old_annual_fee_cents=280_000,
        new_annual_fee_cents=288_684,
    )
    return indexation_letters.written(row, [NOBODY])


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of mail: who gets it when, and a sample of it in a language."""

    name: Any
    told: Any
    sample: Callable[[str], EmailMessage]


KINDS: dict[str, Kind] = {
    "sign_in": Kind(
        _("Code to sign in"),
        _("To who asks for it, at once; it works for 10 minutes."),
        lambda language: accounts.written(NOBODY, "123456", language=language),
    ),
    "invitation": Kind(
        _("Invitation"),
        _("To whom a client invites to its pages, at once."),
        lambda language: contacts.written(
            Invitation(organisation=Organisation(legal_name=CLIENT), email=NOBODY), language
        ),
    ),
    "statement": Kind(
        _("Statement is ready"),
        _("To contacts who want it, of clients whose period ended, when its month is closed."),
        lambda language: announcements.written(NOBODY, language),
    ),
    "notice": Kind(
        _("Message of one's choice"),
        _("To contacts who chose it: of an invoice, a failed payment or a session, at once."),
        lambda language: notices.written(notices.SESSION, NOBODY, language),
    ),
    "submission": Kind(
        _("Missing submission"),
        _("To counsellors who have not submitted a month, when a planner asks for it."),
        lambda language: submissions.written(NOBODY, Month.of(2026, 3), language),
    ),
    "indexation": Kind(
        _("Indexed prices"),
        _("To owners and those for invoices, when an indexation run is announced."),
        _indexation,
    ),
    "einvoice": Kind(
        _("E-invoice"),
        _("To the address for e-invoices, with UBL and PDF, once Stripe made the invoice final."),
        lambda language: einvoices.written(_invoice(language)),
    ),
    "debit": Kind(
        _("Announcement of a debit"),
        _("To where invoices go, some days before the debit, if the agency announces it."),
        _debit,
    ),
    "reminder": Kind(
        _("Reminder"),
        _("To where invoices go, twice after the due date, if the agency reminds."),
        lambda language: _reminder(language, ReminderStep.FIRST),
    ),
    "final": Kind(
        _("Final demand"),
        _("To where invoices go, after the reminders, if the agency reminds."),
        lambda language: _reminder(language, ReminderStep.FINAL),
    ),
}
