"""Who can sign in to the demo: one person of each kind."""

from __future__ import annotations

import datetime as dt

from django.db.models import Q
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from advisors.models import Advisor, MonthSubmission
from agency.models import Contact, ContactRole, Organisation, Role, User
from agency.month import Month
from subscriptions import contracts
from subscriptions.models import Display, Invoice, InvoiceState, Statement
from subscriptions.portal.overview import overview

DOMAIN = "discreet.example"
WORDS = {
    Display.EXACT: _("figures"),
    Display.BAND: _("a band instead of figures"),
    Display.WITHHELD: _("no figures: withheld"),
    Display.ALL_IN: _("no figures: an all-in price"),
}
BOUNCED = Q(state=InvoiceState.OPEN, debit_failed_on__isnull=False)
LATE_TO_PAY = Q(state=InvoiceState.OPEN, debit_failed_on=None)
STAFF = (
    ("planner", "Pim Planner", Role.PLANNER),
    ("controller", "Cora Controller", Role.CONTROLLER),
    ("admin", "Ada Beheer", Role.ADMINISTRATOR),
    ("auditor", "Arno Accountant", Role.AUDITOR),
)


def make_people(password: str) -> User:
    """Give each kind of person a sign-in with ``password``, and give the contact.

    Repeating it changes nothing. The advisor is the first of the sample.
    """
    for name, full_name, role in STAFF:
        _person(name, full_name, role, password)
    advisor = Advisor.objects.select_related("user").order_by("code").first()
    if advisor:
        advisor.user.email = f"advisor@{DOMAIN}"
        advisor.user.set_password(password)
        advisor.user.save()
    return _person("contact", "Coen Contact", Role.CONTACT, password)


def give_clients(contact: User, month: Month, *, on: dt.date) -> list[Organisation]:
    """Let the contact see a client of each kind, and give them as the portal lists them.

    Those are one of each display, one that is late to pay, and one whose debit failed.
    """
    for organisation in _organisations_to_see(month, on):
        Contact.objects.get_or_create(
            user=contact, organisation=organisation, defaults={"role": ContactRole.OWNER}
        )
    return list(Organisation.objects.filter(contacts__user=contact).order_by("legal_name"))


def _person(name: str, full_name: str, role: Role, password: str) -> User:
    user, _created = User.objects.get_or_create(
        email=f"{name}@{DOMAIN}", defaults={"name": full_name, "role": role}
    )
    user.set_password(password)
    user.save()
    return user


def _organisations_to_see(month: Month, on: dt.date) -> list[Organisation]:
    """Give a calm client, and after it by name the others.

    The portal opens on the first by name: it shows figures, within the hours of its contract.
    """
    found = _calm(month)
    later = Q(organisation__legal_name__gt=found[0].legal_name) if found else Q()
    shown = Statement.objects.filter(later, publication__month=month)
    shown = shown.order_by("-overage_quarters", "organisation__code")
    unpaid = Invoice.objects.filter(later).order_by("due_on", "organisation__code")
    statements = [shown.filter(display=display).first() for display in Display.values]
    late = unpaid.filter(LATE_TO_PAY, due_on__lt=on).first()
    bounced = unpaid.filter(BOUNCED).first()
    owners = (row.organisation if row else None for row in (*statements, late, bounced))
    return found + [owner for owner in owners if owner is not None]


def _calm(month: Month) -> list[Organisation]:
    """Give the first client by name whose exact statements of the year keep the pace, if any."""
    agreed = contracts.load()
    rows = Statement.objects.filter(
        publication__month=month, display=Display.EXACT, used_quarters__gt=0
    )
    for row in rows.select_related("organisation").order_by("organisation__legal_name"):
        newest = Statement.objects.newest().filter(subscription=row.subscription_id)
        statements = list(newest.order_by("from_month"))
        shown = overview(agreed[row.subscription_id], statements, month)
        if shown.pace_fits and shown.use and not shown.use.charged_quarters:
            return [row.organisation]
    return []


def shown_of(organisation: Organisation, month: Month, *, on: dt.date) -> str:
    """Say in a few words what a client's pages show of its hours, and of what it owes."""
    rows = Statement.objects.newest().filter(organisation=organisation, publication__month=month)
    statement = rows.order_by("-from_month").first()
    words = [gettext("nothing published")]
    if statement:
        words = [str(WORDS[Display(statement.display)])]
        words += [gettext("with overage")] if statement.overage_quarters else []
    invoices = organisation.invoices
    if invoices.filter(LATE_TO_PAY, due_on__lt=on).exists():
        words.append(gettext("an invoice overdue"))
    if invoices.filter(BOUNCED).exists():
        words.append(gettext("a debit that failed"))
    return ", ".join(words)


def submit_for_all(month: Month) -> None:
    """Let every advisor but the last have submitted a month, so that one is missing."""
    advisors = list(Advisor.objects.order_by("code"))
    MonthSubmission.objects.bulk_create(
        [MonthSubmission(advisor=advisor, month=month) for advisor in advisors[:-1]],
        ignore_conflicts=True,
    )
