"""No request reads the hours but an advisor's own page, whatever its code asks for."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal import auth as totp
from django.contrib import admin
from django.core import mail
from django.core.exceptions import ImproperlyConfigured, PermissionDenied
from django.db import ProgrammingError, connection, transaction
from django.db.models import Model
from django.test import Client as Browser
from pytest_django import Settings

from advisors.models import Advisor, DraftHours, HoursAdjustment, MonthHours, MonthSubmission
from agency import access
from agency.checks import addresses
from agency.gate import LedgerReadError
from agency.models import Contact, User
from subscriptions.models import BooksOpening, CardUse, TierChangeRequest
from subscriptions.portal import details
from tests import factories as make
from tests.confidentiality import world

ROOT = Path(__file__).resolve().parents[2]

pytestmark = [pytest.mark.django_db, pytest.mark.attack(17, 31, 33, 43)]


@pytest.fixture
def own(settings: Settings) -> world.Client:
    settings.TODAY = world.TODAY
    return world.two_clients()[0]


def by_sql(statement: str) -> Callable[[], object]:
    def read() -> object:
        with connection.cursor() as cursor:
            cursor.execute(statement)
            return cursor.fetchall()

    return read


# Ways to the hours that somebody might write into a page without a thought.
WAYS: dict[str, Callable[[], object]] = {
    "rows": lambda: list(MonthHours.objects.all()),
    "count": DraftHours.objects.count,
    "exists": HoursAdjustment.objects.exists,
    "subquery": lambda: list(Advisor.objects.filter(pk__in=DraftHours.objects.values("advisor"))),
    "write": lambda: MonthHours.objects.filter(quarters=0).delete(),
    "statement": by_sql("SELECT count(*) FROM advisors_monthhours"),
    "statement in capitals": by_sql('SELECT 1 FROM ADVISORS_MONTHHOURS, "agency_user"'),
}
each_way = pytest.mark.parametrize("way", WAYS, ids=str)


def read_on_the_way(monkeypatch: pytest.MonkeyPatch, place: str, way: Callable[[], object]) -> None:
    """Have a function that a page calls read the ledger first."""
    module, _, name = place.rpartition(".")
    before: Any = getattr(__import__(module, fromlist=[name]), name)

    def careless(*args: Any, **kwargs: Any) -> Any:
        way()
        return before(*args, **kwargs)

    monkeypatch.setattr(place, careless)


def signed_in(user: User, *, raises: bool = True) -> Browser:
    browser = Browser(raise_request_exception=raises)
    browser.force_login(user)
    return browser


PAGES = {
    "contact": ("subscriptions.portal.views.counsellors", "/portal/{organisation}/"),
    "controller": ("subscriptions.admin.figures.figures", "/admin/"),
    "auditor": ("subscriptions.admin.figures.figures", "/admin/"),
}


@each_way
@pytest.mark.logs_errors
@pytest.mark.parametrize("role", PAGES)
def test_a_page_that_reads_the_ledger_fails(
    monkeypatch: pytest.MonkeyPatch, own: world.Client, role: str, way: str
) -> None:
    place, address = PAGES[role]
    user = own.contact if role == "contact" else make.user(role)
    page = address.format(organisation=own.organisation.pk)
    assert signed_in(user).get(page).status_code == 200

    read_on_the_way(monkeypatch, place, WAYS[way])
    with pytest.raises(LedgerReadError):
        signed_in(user).get(page)


@pytest.mark.logs_errors
def test_a_client_of_the_api_and_a_stranger_read_none_either(
    monkeypatch: pytest.MonkeyPatch, own: world.Client
) -> None:
    read_on_the_way(monkeypatch, "agency.api.signed_in", WAYS["rows"])
    with pytest.raises(LedgerReadError):
        signed_in(own.contact).get("/api/v1/statements/")
    read_on_the_way(monkeypatch, "agency.health._queue_is_late", WAYS["rows"])
    with pytest.raises(LedgerReadError):
        Browser().get("/readyz")


@pytest.mark.logs_errors
@pytest.mark.parametrize("model", [MonthSubmission, CardUse, BooksOpening])
def test_what_only_staff_know_of_hours_is_told_to_no_client(
    monkeypatch: pytest.MonkeyPatch, own: world.Client, model: type[Model]
) -> None:
    asked = model._default_manager.exists
    read_on_the_way(monkeypatch, "subscriptions.admin.figures.figures", asked)
    assert signed_in(make.user("planner")).get("/admin/").status_code == 200
    read_on_the_way(monkeypatch, "subscriptions.portal.views.counsellors", asked)
    with pytest.raises(LedgerReadError):
        signed_in(own.contact).get(f"/portal/{own.organisation.pk}/")


@pytest.mark.logs_errors
def test_the_failure_tells_nobody_what_was_asked_for(
    monkeypatch: pytest.MonkeyPatch, own: world.Client
) -> None:
    read_on_the_way(monkeypatch, "subscriptions.portal.views.counsellors", WAYS["rows"])
    answer = signed_in(own.contact, raises=False).get(f"/portal/{own.organisation.pk}/")
    assert answer.status_code == 500
    assert b"advisors_" not in answer.content


@pytest.mark.parametrize("model", [DraftHours, MonthHours, HoursAdjustment])
def test_hours_cannot_be_registered_in_the_admin(model: type[Model]) -> None:
    with pytest.raises(ImproperlyConfigured):
        admin.site.register(model)


def test_an_advisor_reads_the_own_drafts(own: world.Client) -> None:
    page = signed_in(own.counsellor).get("/hours/2026-04/")
    assert "19\xa0h\xa015" in page.content.decode()


def test_the_guard_is_over_with_the_request(own: world.Client) -> None:
    signed_in(own.contact).get(f"/portal/{own.organisation.pk}/")
    assert MonthHours.objects.count() == 2


def test_the_pages_that_may_read_the_ledger_are_those_of_hours_and_opened_books() -> None:
    hours = {name for name, _route in addresses() if name.startswith("hours:")}
    books = {"admin:subscriptions_booksopening_totals"}  # opened by two people, for one period
    moving_in = {"admin:moving_in_read"}  # only into an installation without a client
    assert hours | books | moving_in == access.READ_THE_LEDGER.keys()
    assert access.ADDRESSES["admin:moving_in_read"].readers == frozenset()
    assert {role for name in hours for role in access.ADDRESSES[name].admits("POST")} <= {"advisor"}
    with connection.cursor() as cursor:
        tables = {table.name for table in connection.introspection.get_table_list(cursor)}
    assert tables >= access.CLOSED_TO_CLIENTS
    assert {
        name for name in tables if re.search("hours|submission|carduse|booksopening", name)
    } == set(access.CLOSED_TO_CLIENTS)


# On PostgreSQL a second wall: a role without the grant, for a process that serves clients only.


@contextmanager
def as_client_role() -> Iterator[None]:
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # what a test wrote waits for nothing
        cursor.execute((ROOT / "agency/client_role.sql").read_text().replace("%", "%%"))
        cursor.execute("SET LOCAL ROLE discreet_client")
        yield
        cursor.execute("RESET ROLE")


@pytest.fixture
def on_postgresql() -> None:
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has no roles; there the gate alone keeps clients from the hours")


@pytest.mark.usefixtures("on_postgresql")
def test_a_role_without_the_grant_serves_every_page_of_a_client(own: world.Client) -> None:
    browser = Browser()
    TierChangeRequest.objects.all().delete()
    make.invitation(make.organisation("THIRD"), own.contact.email)
    colleague = make.contact(own.organisation, make.user("contact"))
    served = 0
    with as_client_role():
        browser.post("/account/login/code/", {"email": own.contact.email})
        (code,) = re.findall(r"\b\d{6}\b", str(mail.outbox[-1].body))
        step = browser.post("/account/login/code/confirm/", {"code": code})
        assert step["Location"] == "/"
        totp.TOTP.activate(own.contact, totp.generate_totp_secret())
        RecoveryCodes.activate(own.contact)
        Authenticator.objects.filter(user=own.contact).delete()
        assert browser.get("/readyz").status_code in {200, 503}
        for name, route in sorted(addresses()):
            if "contact" in access.ADDRESSES[name].readers and name.startswith(
                ("portal:", "api:", "info")
            ):
                answer = browser.get(world.fill_in(name, route, own))
                assert answer.status_code in {200, 302}, name
                served += 1
        asked = browser.post(
            f"/portal/{own.organisation.pk}/subscription/",
            {"tier": "basic", "month": "2026-08", "confirm": "yes"},
        )
        assert asked.status_code == 302
        for deed in ("off", "on", "renew"):
            page = f"/portal/{own.organisation.pk}/employees/"
            assert browser.post(page, {"deed": deed}).status_code == 302
        for page, sent in _sent_by_a_client(own, colleague):
            assert browser.post(page, sent).status_code == 302, page
        assert browser.post("/language/", {"language": "nl"}).status_code == 302
        browser.post("/account/logout/")
        again = {"email": own.contact.email}
        assert browser.post("/account/login/code/", again).status_code == 302
    assert served >= 16
    assert TierChangeRequest.objects.count() == 1
    assert Contact.objects.filter(user=own.contact).count() == 2
    assert Contact.objects.filter(organisation=own.organisation).count() == 1


def _sent_by_a_client(
    own: world.Client, colleague: Contact
) -> Iterator[tuple[str, dict[str, str]]]:
    """Give what each other form of the portal is sent, in an order in which all of it works."""
    place = f"/portal/{own.organisation.pk}"
    yield f"{place}/orders/", {"number": "PO-2", "from_month": "2026-08"}
    where = {"street": "Kade 2", "postcode": "3511 AB", "city": "Utrecht"}
    seen = details.mark_of({name: getattr(own.organisation, name) for name in details.OWN})
    yield f"{place}/details/", {"invoice_email": "new@own.example", **where, "seen": seen}
    yield (
        f"{place}/people/",
        {"name": "N", "email": "n@x.example", "role": "reader", "language": "nl"},
    )
    yield f"{place}/people/{colleague.pk}/", {"role": "reader", "language": "en"}
    yield f"{place}/people/{colleague.pk}/remove/", {}
    yield f"{place}/people/notices/", {"wants_sessions": "on"}
    yield f"{place}/people/invited/{own.key('agency.invitation')}/withdraw/", {}


CLOSED = access.CLOSED_TO_CLIENTS | {"advisors_costrate", "subscriptions_stripestep"}
FORBIDDEN = [
    *(f"SELECT 1 FROM {table}" for table in sorted(CLOSED)),
    *(f"DELETE FROM {table}" for table in sorted(CLOSED)),
    "UPDATE subscriptions_statement SET version = 9",
    "UPDATE subscriptions_subscription SET payment_days = 9",
    "UPDATE agency_user SET role = 'controller'",
    "UPDATE agency_organisation SET vat_id = 'x'",
    "UPDATE subscriptions_purchaseorder SET number = 'x'",
    "UPDATE agency_user SET password = 'x'",
    "UPDATE agency_user SET email = 'x@elsewhere.example'",
    "UPDATE agency_user SET is_superuser = true",
    "INSERT INTO agency_user SELECT * FROM agency_user",
    "UPDATE agency_contact SET user_id = user_id",
    "UPDATE agency_invitation SET email = 'x'",
    "INSERT INTO django_q_ormq SELECT * FROM django_q_ormq",
    "INSERT INTO account_emailaddress SELECT * FROM account_emailaddress",
    *(f"SELECT {name} FROM advisors_advisor" for name in ("iban", "vat_id", "kvk_number")),
    "SELECT 1 FROM agency_auditevent",
    "SELECT 1 FROM django_q_task",
    "DROP POLICY client_reads ON agency_user",
    "ALTER TABLE agency_user DISABLE ROW LEVEL SECURITY",
]


@pytest.mark.usefixtures("on_postgresql")
def test_a_role_without_the_grant_neither_reads_hours_nor_becomes_somebody(
    own: world.Client,
) -> None:
    with as_client_role():
        for statement in FORBIDDEN:
            refused = "permission denied|must be owner"
            with pytest.raises(ProgrammingError, match=refused), transaction.atomic():
                by_sql(statement)()
    assert set(access.CLOSED_TO_CLIENTS) <= CLOSED


@pytest.mark.usefixtures("on_postgresql")
def test_a_role_of_clients_sees_no_account_of_staff_and_no_second_step_but_contacts(
    own: world.Client,
) -> None:
    staff = make.user("controller")
    for person in (staff, own.counsellor, own.contact):
        totp.TOTP.activate(person, totp.generate_totp_secret())
    with as_client_role():
        assert set(User.objects.values_list("role", flat=True)) == {"contact", "advisor"}
        assert [step.user for step in Authenticator.objects.all()] == [own.contact]
        assert User.objects.update(language="en") == User.objects.filter(role="contact").count()
        assert Authenticator.objects.filter(user=own.counsellor).delete()[0] == 0
        for refused in (
            partial(Authenticator.objects.create, user_id=staff.pk, type="recovery_codes", data={}),
            partial(make.contact, own.organisation, staff),
            partial(make.contact, own.organisation, own.counsellor),
        ):
            with pytest.raises(ProgrammingError, match="row-level security"), transaction.atomic():
                refused()
    assert Authenticator.objects.count() == 3


def test_refusals_of_the_gate_are_no_refusals_of_the_ledger() -> None:
    assert not issubclass(LedgerReadError, PermissionDenied)
