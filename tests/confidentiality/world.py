"""Two clients with one row of every kind each, for walks over all addresses."""

from __future__ import annotations

import datetime as dt
import re
import uuid
from dataclasses import dataclass, field
from typing import Any, cast

from django.db import models, transaction
from django.http import HttpResponse
from django.test import Client as Browser

from agency import access
from agency.models import Organisation, User
from subscriptions.models import IndexationRun, StripeDifference
from tests import factories as make

TODAY = dt.date(2026, 4, 8)
MONTH = "2026-03"
NOWHERE = str(uuid.UUID(int=7))
API_ROWS = {
    "api:organisation-detail": "agency.organisation",
    "api:statement-detail": "subscriptions.statement",
    "api:invoice-detail": "subscriptions.invoice",
    "api:session-detail": "workshops.session",
}
PAGES_OF_ROWS = (
    "change|delete|history|explain|credit|write_off|plan|late|einvoice|totals|dry_run|letters"
    "|workbook|sign|document|overview|state|go_on|result"
)
# What an admitted role needs to send for an answer other than "not found".
QUERIES = {
    "admin:mails_body": "?mail=reminder",
    "admin:mails_send": "?mail=reminder",
    "admin:autocomplete": "?app_label=agency&model_name=contact&field_name=user&term=",
}


@dataclass
class Client:
    """A client, its contact, its counsellor, and a row of each kind that is its own."""

    organisation: Organisation
    contact: User
    counsellor: User
    rows: dict[str, models.Model] = field(default_factory=dict)

    def key(self, label: str) -> str:
        return str(self.rows[label].pk)


def two_clients() -> tuple[Client, Client]:
    """Make both, and what they share; the ledger has hours of both that nobody may read."""
    shared: list[models.Model] = [
        make.agency(),
        make.price_book(),
        make.offering(),
        make.cancellation_rung(42, 0),
        make.release_policy(),
        make.tax_treatment(valid_from="2012-11"),
        first := make.cpi_value("2024-10"),
        second := make.cpi_value("2025-10"),
        make.indexation_run(first, second),
        make.collection_policy(announced_by="agency"),
        # The last of a kind is the one that is asked for: nothing was made with these yet.
        make.tax_treatment(valid_from="2030-01"),
        make.cpi_value("2029-10"),
        make.bookkeeping_code("overage", "O-9", "S"),
        make.closed_month("2026-02"),
        make.publication(MONTH),
        make.stripe_event(),
        make.interest_rate(),
        make.accepted_run(make.user("controller", email="accepts@staff.example")),
        make.job(make.user("controller", email="waits@staff.example")),
    ]
    pair = _client("OWN", 1), _client("OTHER", 2)
    for one in pair:
        one.rows |= {row._meta.label_lower: row for row in shared}
    return pair


def _client(code: str, number: int) -> Client:
    organisation = make.organisation(code, legal_name=f"{code} Holding B.V.")
    make.headcount(organisation)
    advisor = make.advisor(f"A{number}", iban="NL20INGB0001234567")
    subscription = make.subscription(organisation)
    place = make.contact(organisation)
    contact = place.user
    invoice = make.invoice(
        organisation,
        MONTH,
        state="open",
        collection="sepa",
        number=f"DIS-{number}",
        stripe_id=f"in_secret_{number}",
    )
    rows: list[models.Model] = [
        organisation,
        contact,
        place,
        make.invitation(organisation, f"invited@{code}.example".lower()),
        advisor,
        make.assignment(advisor, organisation),
        make.vat_consultation(organisation, vat_id="BE0123456749"),
        make.cost_rate(advisor, 8642),
        make.absence(advisor),
        certificate := make.qualification(advisor),
        make.cpd_entry(certificate),
        make.month_submission(advisor, MONTH),
        make.draft_hours(advisor, organisation, "2026-04", 77),
        make.month_hours(advisor, organisation, "2026-01", 79),
        make.session(organisation, f"S{number}"),
        subscription,
        make.purchase_order(organisation, f"PO-{number}"),
        make.legal_name(organisation),
        make.takeover(make.organisation(f"{code}G"), organisation),
        make.payer(organisation, make.organisation(f"{code}P"), "2030-01"),
        make.top_up_card(organisation),
        make.tier_change_request(subscription, "2026-07", contact),
        make.headcount_declaration(organisation, contact),
        make.enrolment(make.session(None, f"O{number}"), organisation=organisation),
        invoice,
        make.billed_occurrence(organisation, subscription.pk),
        make.quote(organisation),
        make.parked_organisation(organisation, until_month=MONTH),
        make.employee_page(organisation),
        make.reminder(invoice),
        mandate := make.mandate(organisation),
        make.debit_notice(invoice, mandate),
        make.contest(invoice, make.user("controller", email=f"notes@{code}.example")),
        make.year_price(subscription),
        make.indexed_contract(IndexationRun.objects.get(), subscription),
        stated := make.statement(subscription, "2026-01", "2026-04", used_quarters=26),
        make.books_opening(stated, make.user("auditor", email=f"asks@{code}.example")),
        make.stripe_customer(organisation),
        make.stripe_step(invoice),
        make.einvoice_mail(invoice),
        make.receipt(invoice, 1),
        plan := make.payment_plan(invoice, make.user("planner", email=f"plan@{code}.example")),
        plan.parts.all()[0],
        make.write_off(invoice, make.user("controller", email=f"off@{code}.example"), net_cents=1),
        StripeDifference.objects.create(
            kind="amount",
            object_id=f"in_secret_{number}",
            invoice=invoice,
            about_on=TODAY,
            found_on=TODAY,
        ),
        make.audit_event(organisation, contact),
    ]
    keyed = {row._meta.label_lower: row for row in rows}
    return Client(organisation, contact, advisor.user, keyed)


def fill_in(name: str, route: str, one: Client) -> str:
    """Give the address of a route for a client's rows."""
    page = re.fullmatch(rf"admin:([a-z]+)_([a-z]+)_(?:{PAGES_OF_ROWS})", name)
    row = f"{page[1]}.{page[2]}" if page else API_ROWS.get(name, "")
    values = {
        "organisation_id": str(one.organisation.pk),
        "invoice_id": one.key("subscriptions.invoice"),
        "contact_id": one.key("agency.contact"),
        "invitation_id": one.key("agency.invitation"),
        "month": "2026-04" if name.startswith("hours:") else MONTH,
        "step": "drafts",
        "object_id": one.key(row) if page else NOWHERE,
        "pk": one.key(row) if row else "1",  # of a passkey
        "content_type_id": "1",
        "language": "nl",
        "token": one.organisation.employee_page.token,
        "name": "journal.csv",
    }
    plain = re.sub(r"\^\(\?P<app_label>(\w+).*", r"\1/", route)
    filled = re.sub(r"<(?:\w+:)?(\w+)>", lambda found: values[found[1]], plain)
    return f"/{filled}{QUERIES.get(name, '')}"


class SomebodyElseError(AssertionError):
    """A request ended as another person's than the one whose session it came with."""


@dataclass(frozen=True)
class Person:
    """Somebody who tries: a role of the matrix, and a browser that is signed in as them."""

    role: str
    session: str = ""
    key: object = None
    browser: Browser = field(default_factory=Browser)

    def ask(self, method: str, address: str, data: dict[str, str] | None = None) -> HttpResponse:
        """Send a request, and take back what it changed."""
        self.browser.cookies.clear()
        if self.session:
            self.browser.cookies["sessionid"] = self.session
        with transaction.atomic():
            answer: Any = self.browser.generic(
                method,
                address,
                "&".join(f"{name}={value}" for name, value in (data or {}).items()),
                content_type="application/x-www-form-urlencoded",
            )
            transaction.set_rollback(True)
        if answer.wsgi_request.user.pk not in {self.key, None}:
            raise SomebodyElseError(address)
        return cast("HttpResponse", answer)


def person(role: str, own: Client) -> Person:
    """Give somebody of a role who has a password, which opens every page of their account."""
    if role == access.ANONYMOUS:
        return Person(role)
    user = {"contact": own.contact, "advisor": own.counsellor}.get(role.rsplit(maxsplit=1)[-1])
    if user is None:
        user = make.user(role)
    # Administrators are superusers, as the command makes them; a contact is one by mistake.
    user.is_superuser = role in {"administrator", "superuser as contact"}
    user.set_password("long enough for anybody")
    user.save()
    browser = Browser()
    browser.force_login(user)
    return Person(role.rsplit(maxsplit=1)[-1], browser.cookies["sessionid"].value, user.pk)
