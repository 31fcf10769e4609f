"""Whatever a client can open is compared in `test_noninterference.py`, or is the same for all."""

from __future__ import annotations

from collections.abc import Iterator
from types import ModuleType
from uuid import uuid4

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import URLResolver, get_resolver, path, reverse
from pytest_django.fixtures import Settings

from agency import access, urls
from agency.access import Address
from agency.models import Contact
from subscriptions.models import Invoice
from tests import factories as make
from tests.clients import client, close_and_bill
from tests.confidentiality.surfaces import ADDRESSES, FORMS, SAME_FOR_ALL, look
from tests.confidentiality.worlds import Played, open_world

pytestmark = pytest.mark.django_db


def names(
    resolver: URLResolver | None = None, space: str = "", above: tuple[str, ...] = ()
) -> Iterator[tuple[str, list[str]]]:
    """Give the name of every address, and the names of its arguments."""
    for entry in (resolver or get_resolver()).url_patterns:
        arguments = (*above, *entry.pattern.regex.groupindex)
        if isinstance(entry, URLResolver):
            inside = f"{space}{entry.namespace}:" if entry.namespace else space
            yield from names(entry, inside, arguments)
        elif entry.name:
            yield space + entry.name, list(arguments)


def opened_by(contact: Contact) -> set[str]:
    """Give the names of the addresses that answer a contact with anything but a refusal."""
    browser = Client(raise_request_exception=False)
    browser.force_login(contact.user)
    given = {
        "organisation_id": contact.organisation_id,
        "invoice_id": Invoice.objects.get().pk,
        "contact_id": contact.pk,
        "invitation_id": uuid4(),
        "month": "2026-01",
        "step": "drafts",
        "pk": contact.organisation_id,
        "object_id": str(uuid4()),
        "name": "journal.csv",
        "language": "nl",
        "token": contact.organisation.employee_page.token,
        "app_label": "agency",
        "content_type_id": 1,
    }
    opened = set()
    for name, arguments in names():
        keys = given | ({"pk": 1} if name.startswith("mfa_") else {})
        address = reverse(name, kwargs={argument: keys[argument] for argument in arguments})
        if browser.get(address).status_code not in {302, 403, 404, 405}:
            opened.add(name)
    return opened


@pytest.fixture
def contact() -> Contact:
    open_world(["MONTHLY"])
    close_and_bill("2026-01")
    Invoice.objects.update(state="open", number="1", stripe_id="in_1")
    return Contact.objects.get()


def test_every_address_that_a_client_can_open_is_compared(contact: Contact) -> None:
    opened = opened_by(contact)

    assert opened - SAME_FOR_ALL <= ADDRESSES.keys()
    assert len(opened & ADDRESSES.keys()) > 10  # the walk does get in


def test_every_address_that_the_matrix_opens_to_clients_is_compared() -> None:
    """Also one that answers a walk by a refusal, because it only writes or names a row."""
    opened = {
        name
        for name, address in access.ADDRESSES.items()
        if "contact" in address.readers | address.writers
    }
    assert opened - own_steps(opened) - SAME_FOR_ALL == ADDRESSES.keys()


def test_every_form_that_the_matrix_opens_to_clients_is_sent_and_compared() -> None:
    sent = {name for name, address in access.ADDRESSES.items() if "contact" in address.writers}

    assert sent - own_steps(sent) - SAME_FOR_ALL == FORMS.keys()


def own_steps(names: set[str]) -> set[str]:
    """Give what is about the own second step of signing in, and what Stripe sends."""
    return {name for name in names if name.startswith("mfa_")} | {"stripe_webhook"}


def test_no_address_is_compared_that_is_gone() -> None:
    assert ADDRESSES.keys() | SAME_FOR_ALL <= {name for name, _ in names()}


@pytest.mark.attack(8)
def test_a_holding_is_told_the_same_whether_or_not_a_subsidiary_has_figures(
    contact: Contact,
) -> None:
    """Nothing is added up over a group, so that nothing can be subtracted from it."""
    before = look(contact, Played())

    subsidiary = client("SUB", headcount=300, organisation={"parent": contact.organisation})
    make.statement(subsidiary, "2026-01", "2026-02", used_quarters=93, overage_quarters=62)
    make.invoice(subsidiary.organisation, "2026-01", state="open", number="2", stripe_id="in_2")
    make.session(subsidiary.organisation, "SUB-1")

    assert look(contact, Played()) == before


def test_an_address_that_nobody_registered_is_found(
    contact: Contact, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Even if somebody opened it to clients in the role matrix."""

    def leak(_request: HttpRequest) -> HttpResponse:
        return HttpResponse("3.5 hours")

    addresses = ModuleType("addresses")
    addresses.urlpatterns = [  # type: ignore[attr-defined]
        *urls.urlpatterns,
        path("portal/live/", leak, name="live_hours"),
    ]
    settings.ROOT_URLCONF = addresses
    for_clients = Address(frozenset({"contact"}), frozenset())
    monkeypatch.setitem(access.ADDRESSES, "live_hours", for_clients)

    assert "live_hours" in opened_by(contact) - SAME_FOR_ALL - ADDRESSES.keys()
