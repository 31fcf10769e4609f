"""All that a client can look at: every address, and what else leaves the agency for one.

An address that a contact can open and that stands in no list here fails the walk in
`test_noninterference.py`: whoever adds one registers it, and it is compared from then on.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.core import mail
from django.db import connection, transaction
from django.test import Client
from django.urls import reverse

from agency.models import Contact, ContactRole
from agency.month import Month
from agency.today import today
from subscriptions.models import EmployeePage, Invoice, InvoiceState, Publication, Statement, Tier
from tests.confidentiality.worlds import Played
from workshops.models import Session

Arguments = Mapping[str, object]


def _place(contact: Contact) -> Iterator[Arguments]:
    yield {"organisation_id": contact.organisation_id}


def _person(contact: Contact) -> Iterator[Arguments]:
    yield {"organisation_id": contact.organisation_id, "contact_id": contact.pk}


def _invited(contact: Contact) -> Iterator[Arguments]:
    yield {"organisation_id": contact.organisation_id, "invitation_id": UUID(int=7)}


def _invoices(contact: Contact) -> Iterator[Arguments]:
    for key in _sent(contact):
        yield {"organisation_id": contact.organisation_id, "invoice_id": key}


def _sent(contact: Contact) -> list[object]:
    rows = Invoice.objects.filter(payer=contact.organisation_id, state__in=InvoiceState.released)
    return list(
        rows.order_by("run_month", "organisation__code", "po_number").values_list("pk", flat=True)
    )


def _workbooks(contact: Contact) -> Iterator[Arguments]:
    """Give the newest, which holds all that was published."""
    newest = Publication.objects.latest("month").month
    yield {"organisation_id": contact.organisation_id, "month": str(newest)}


def _posters(contact: Contact) -> Iterator[Arguments]:
    for language in ("nl", "en"):
        yield {"organisation_id": contact.organisation_id, "language": language}


def _opened(contact: Contact) -> Iterator[Arguments]:
    """Give the page that the client opened to its employees, as each world does."""
    for token in _tokens(contact):
        yield {"token": token}


def _tokens(contact: Contact) -> list[str]:
    rows = EmployeePage.objects.filter(organisation=contact.organisation_id)
    return list(rows.values_list("token", flat=True))


def _nothing(_contact: Contact) -> Iterator[Arguments]:
    yield {}


def _own(model: Any) -> Callable[[Contact], Iterator[Arguments]]:
    def rows(contact: Contact) -> Iterator[Arguments]:
        found = model.objects.filter(organisation=contact.organisation_id)
        order = "reference" if model is Session else "from_month"
        for key in found.order_by(order).values_list("pk", flat=True):
            yield {"pk": key}

    return rows


# Each address that a contact can open, and with which arguments.
ADDRESSES: dict[str, Callable[[Contact], Iterator[Arguments]]] = {
    "start": _nothing,
    "portal:start": _nothing,
    "portal:overview": _place,
    "portal:statements": _place,
    "portal:workbook": _workbooks,
    "portal:invoices": _place,
    "portal:invoice": _invoices,
    "portal:einvoice": _invoices,
    "portal:orders": _place,
    "portal:details": _place,
    "portal:sessions": _place,
    "portal:employees": _place,
    "portal:poster": _posters,
    "portal:intranet": _posters,
    "info": _opened,
    "info_in_english": _opened,
    "portal:subscription": _place,
    "portal:people": _place,
    "portal:person": _person,
    "portal:removal": _person,
    "portal:transfer": _person,
    "portal:uninvite": _invited,
    "portal:notices": _place,
    "portal:promise": _place,
    "api:organisation-list": _nothing,
    "api:organisation-detail": lambda contact: iter([{"pk": contact.organisation_id}]),
    "api:statement-list": _nothing,
    "api:statement-detail": _own(Statement),
    "api:invoice-list": _nothing,
    "api:invoice-detail": lambda contact: ({"pk": key} for key in _sent(contact)),
    "api:session-list": _nothing,
    "api:session-detail": _own(Session),
}
Form = dict[str, str]


def _tier_wishes(contact: Contact) -> Iterator[tuple[Arguments, Form]]:
    """Ask what each tier would do, and then for one; a form without a tier is answered too."""
    place = next(_place(contact))
    month = {"month": str(Month.containing(today()) + 1)}
    yield place, month
    for tier in Tier.values:
        yield place, {"tier": tier, **month}
    yield place, {"tier": Tier.EXTENDED, **month, "confirm": "yes"}


def _deeds(contact: Contact) -> Iterator[tuple[Arguments, Form]]:
    for deed in ("", "on", "renew", "off"):
        yield next(_place(contact)), {"deed": deed}


def _orders(contact: Contact) -> Iterator[tuple[Arguments, Form]]:
    """Add an order for the next month, and one with a budget of a cent; or none."""
    place = next(_place(contact))
    month = {"from_month": str(Month.containing(today()) + 1)}
    yield place, month
    yield place, {"number": "PO-NEW", **month}
    yield place, {"number": "PO-NEW", **month, "budget_cents": "0,01"}


def _details(contact: Contact) -> Iterator[tuple[Arguments, Form]]:
    place = next(_place(contact))
    yield place, {}
    yield (
        place,
        {
            "invoice_email": "elsewhere@own.example",
            "street": "Kade 2",
            "postcode": "3511 AB",
            "city": "Utrecht",
        },
    )


def _people(contact: Contact) -> Iterator[tuple[Arguments, Form]]:
    place, told = next(_place(contact)), {"name": "Nora New", "role": "reader", "language": "nl"}
    yield place, told
    yield place, told | {"email": contact.user.email}
    yield place, told | {"email": "nora@new.example"}


def _roles(contact: Contact) -> Iterator[tuple[Arguments, Form]]:
    for role in ContactRole.values:
        yield next(_person(contact)), {"role": role, "language": "en"}


def _presses(
    rows: Callable[[Contact], Iterator[Arguments]],
) -> Callable[[Contact], Iterator[tuple[Arguments, Form]]]:
    return lambda contact: ((given, {}) for given in rows(contact))


# Each form that a contact can send, with what is sent; what an answer changed is taken back.
FORMS: dict[str, Callable[[Contact], Iterator[tuple[Arguments, Form]]]] = {
    "portal:employees": _deeds,
    "portal:orders": _orders,
    "portal:details": _details,
    "portal:people": _people,
    "portal:person": _roles,
    "portal:removal": _presses(_person),
    "portal:transfer": _presses(_person),
    "portal:uninvite": _presses(_invited),
    "portal:notices": lambda contact: iter([(next(_place(contact)), {"wants_invoices": "on"})]),
    "portal:subscription": _tier_wishes,
}
# What says the same to everybody, whatever the database holds of clients: not compared.
SAME_FOR_ALL = frozenset(
    {
        *("healthz", "readyz", "schema", "set_language"),
        *("account_login", "account_request_login_code", "account_confirm_login_code"),
        *("account_logout", "account_inactive", "account_reauthenticate"),
        *("account_change_password", "account_go_on", "account_sessions"),
        *("mfa_index", "mfa_activate_totp", "mfa_generate_recovery_codes"),
        *("mfa_list_webauthn", "mfa_add_webauthn", "mfa_login_webauthn"),
        "mfa_reauthenticate_webauthn",
    }
)
# Of the page itself, or of the moment: they differ between any two requests.
NOT_COMPARED = frozenset({"Date", "Set-Cookie"})

TOKEN = re.compile(r'(name="csrfmiddlewaretoken" value=")[^"]+')
KEY = re.compile(
    r"(?<=/info/)[A-Za-z0-9_-]{32}|[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}"
    r"|\b(?:acct|cus|in|il|ii|cn|cnli|txi|txr|evt|req|pi|ch|seti|test)_[A-Za-z0-9_]+"
)


@dataclass(frozen=True, slots=True)
class Seen:
    """An answer as the client has it, and the number of statements that it took."""

    status: int
    headers: str
    body: bytes
    statements: int


class Counted:
    """Counts the statements that the database is sent."""

    def __init__(self) -> None:
        self.statements = 0

    def __call__(self, execute: Callable[..., Any], *arguments: Any) -> Any:
        self.statements += 1
        return execute(*arguments)


def look(contact: Contact, played: Played, addresses: Iterable[str] = ADDRESSES) -> dict[str, Seen]:
    """Give everything that a contact can come by, by a name that is the same in every world."""
    browser = Client()
    browser.force_login(contact.user)
    seen = {}
    for name in addresses:
        for number, given in enumerate(ADDRESSES[name](contact)):
            with connection.execute_wrapper(counted := Counted()):
                answer = browser.get(reverse(name, kwargs=dict(given)))
            seen[f"{name} {number}"] = _seen(answer, counted.statements)
        sent = FORMS[name](contact) if name in FORMS else ()
        for number, (given, form) in enumerate(sent):
            with transaction.atomic(), connection.execute_wrapper(counted := Counted()):
                answer = browser.post(reverse(name, kwargs=dict(given)), form, follow=True)
                transaction.set_rollback(True)
            seen[f"{name} sent {number}"] = _seen(answer, counted.statements)
    for name, text in {
        "mails": _mails(contact),
        "stripe": _said_to_stripe(contact, played),
    }.items():
        seen[name] = Seen(0, "", without_keys(text).encode(), 0)
    return seen


def _seen(answer: Any, statements: int) -> Seen:
    headers = without_keys(json.dumps(_headers(answer)))
    return Seen(answer.status_code, headers, _body(answer), statements)


def _headers(answer: Any) -> dict[str, str]:
    return {name: value for name, value in answer.items() if name not in NOT_COMPARED}


def _body(answer: Any) -> bytes:
    content: bytes = answer.content
    if not answer["Content-Type"].startswith(("text/", "application/json")):
        return content
    text = TOKEN.sub(r"\1-", content.decode())
    if answer["Content-Type"].startswith("application/json"):
        text = json.dumps(_in_order(json.loads(text)))
    return without_keys(text).encode()


def _in_order(value: Any) -> Any:
    """Take the order of random keys out of a list of rows."""
    if isinstance(value, dict) and isinstance(value.get("results"), list):
        rows = value["results"]
        return value | {"results": sorted(rows, key=lambda row: without_keys(json.dumps(row)))}
    return value


def without_keys(text: str) -> str:
    """Put a number in the place of each random key, in order of appearance."""
    numbers: dict[str, int] = {}
    return KEY.sub(lambda found: f"key-{numbers.setdefault(found[0], len(numbers))}", text)


def _mails(contact: Contact) -> str:
    client = contact.organisation
    return "\n".join(
        f"{message.subject}\n{message.body}\n{getattr(message, 'alternatives', '')}"
        for message in mail.outbox
        if set(message.to) & {contact.user.email, client.invoice_email, client.einvoice_email}
    )


def _said_to_stripe(contact: Contact, played: Played) -> str:
    """Give the bodies of all requests that concern the client's documents."""
    return "\n".join(" ".join(call) for call in played.said[contact.organisation.code])
