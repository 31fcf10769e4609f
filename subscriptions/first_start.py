"""The first start: what an installation needs before its first month, and what of it is there.

Nothing of this is stored: each step is read from the data, so that it can be taken in any order,
anew, or elsewhere. Keys stand in the environment; what was tested stands in the audit events.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db.models import Max
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from agency.models import Agency, AuditEvent, Role, User
from agency.month import Month
from subscriptions import gateway, intake
from subscriptions.models import PriceBook, StripeEvent

MAIL_TESTED, STRIPE_TESTED = "mail tested", "stripe tested"


@dataclass(frozen=True, slots=True)
class Step:
    """A step: what it is, and a sentence that says how it stands or what is missing."""

    key: str
    title: str
    is_done: bool
    says: str


def address() -> str:
    """Give where the page of the first start is."""
    return f"{settings.SITE_URL}/admin/first-start/"


def is_over() -> bool:
    """Tell whether a client is here, so that nobody has to be led any more."""
    return not intake.is_empty()


def steps(on: dt.date) -> list[Step]:
    """Give the steps in the order in which one takes them."""
    return [_agency(), _vat(on), _people(), _stripe(), _webhook(), _mail(), _prices(), _clients()]


def _step(key: str, title: str, lacks: str, there: str) -> Step:
    """Make a step that is done where it lacks nothing."""
    return Step(key, title, not lacks, lacks or there)


def _agency() -> Step:
    agency = Agency.objects.first()
    lacks = _("Name, address, KVK number, VAT id and IBAN: they stand on every invoice.")
    named = {"name": agency.legal_name, "vat_id": agency.vat_id} if agency else {}
    there = _("%(name)s, with VAT id %(vat_id)s.") % named if agency else ""
    return _step("agency", _("The agency"), "" if agency else lacks, there)


def _vat(on: dt.date) -> Step:
    agency = Agency.objects.first()
    there = _("Not registered with CRKBO: vocational education bears VAT. A controller enters it.")
    if agency and agency.is_crkbo_registered(Month.containing(on)):
        there = _("Registered with CRKBO: vocational education bears no VAT.")
    return _step("vat", _("VAT"), "" if agency else _("Enter the agency first."), there)


def _people() -> Step:
    roles = set(User.objects.filter(is_active=True).values_list("role", flat=True))
    lacks = "" if {Role.PLANNER, Role.CONTROLLER} <= roles else _("A planner and a controller.")
    return _step("people", _("Colleagues"), lacks, _("There is a planner and a controller."))


def _stripe() -> Step:
    tested = _tested(STRIPE_TESTED)
    lacks = "" if tested else _("The key was not tested yet.")
    if not settings.STRIPE_API_KEY:
        lacks = _("STRIPE_API_KEY is not set: set it where the program is started.")
    return _step("stripe", "Stripe", lacks, _("Tested on %(day)s.") % {"day": tested})


def _webhook() -> Step:
    page = {"address": f"{settings.SITE_URL}{reverse('stripe_webhook')}"}
    lacks = _("Nothing has come yet. Have Stripe send its messages here: %(address)s") % page
    if not settings.STRIPE_WEBHOOK_SECRET:
        lacks = _("STRIPE_WEBHOOK_SECRET is not set: Stripe shows it where messages are set up.")
    elif StripeEvent.objects.exists():
        lacks = ""
    return _step("webhook", _("Messages of Stripe"), lacks, _("Messages come in."))


def _mail() -> Step:
    tested = _tested(MAIL_TESTED)
    lacks = "" if tested else _("Send yourself a test: codes to sign in go by mail.")
    return _step("mail", _("Mail"), lacks, _("Tested on %(day)s.") % {"day": tested})


def _prices() -> Step:
    since = PriceBook.objects.aggregate(since=Max("valid_from"))["since"]
    lacks = "" if since else _("A controller enters them, or the workbook brings them.")
    month = date_format(since.first_day, "F Y") if since else ""
    return _step("prices", _("Prices"), lacks, _("From %(month)s.") % {"month": month})


def _clients() -> Step:
    lacks = "" if is_over() else _("From the agency workbook, or one by one by a planner.")
    return _step("clients", _("Clients"), lacks, _("They are here."))


def _tested(action: str) -> str:
    """Give the last day on which something was tested; empty where it never was."""
    last = AuditEvent.objects.filter(action=action).aggregate(on=Max("on"))["on"]
    return date_format(last, "j F Y") if last else ""


def ask_stripe(now: dt.datetime) -> str:
    """Read a little of all kinds that are read in a day; give what is wrong, or nothing.

    It writes nothing at Stripe, so that it cannot tell whether a restricted key may write.
    """
    kinds: tuple[Any, ...] = (
        *(gateway.customers_since, gateway.documents_since, gateway.credit_notes_since),
        *(gateway.events_since, gateway.disputes_since, gateway.refunds_since),
    )
    try:
        for read in kinds:
            next(read(now), None)
    except gateway.MisconfiguredError as error:
        return _("Stripe refuses the key, or it may not read all that we read (%(code)s).") % {
            "code": error.code
        }
    except gateway.GatewayError:
        return _("Stripe does not answer. Nothing is lost; try again.")
    return ""
