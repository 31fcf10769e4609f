"""Every address, with every method, for every role and two clients, against `agency.access`."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from io import BytesIO
from typing import Any

import pytest
from django.contrib import admin
from django.db import connection
from django.http import HttpResponse
from django.test import Client as Browser
from django.test import RequestFactory
from django.urls import path
from django.utils.translation import override
from pytest_django import Settings

from agency import access
from agency.checks import addresses, every_address_is_in_the_role_matrix
from tests import factories as make
from tests.confidentiality import world
from tests.confidentiality.world import NOWHERE, fill_in, person

pytestmark = [pytest.mark.django_db, pytest.mark.attack(33, 43, 49)]

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
USED = ("GET", "POST")
ADDRESSES = sorted(addresses())
REGISTERED = sorted(admin.site._registry, key=lambda model: model._meta.label)
# Pages of packages that are there only for who has set up what they show.
NEED_A_SECOND_STEP = {
    "mfa_view_recovery_codes",
    "mfa_generate_recovery_codes",
    "mfa_download_recovery_codes",
    "mfa_deactivate_totp",
    "mfa_edit_webauthn",
    "mfa_remove_webauthn",
}
# They are for somebody halfway through signing in, and lead anybody else elsewhere.
HALFWAY = {"mfa_authenticate", "account_confirm_login_code", "account_inactive"}
# The page for employees; who comes from it goes on as if from nowhere.
OF_EMPLOYEES = {"info", "info_in_english"}
# There is an agency with its rules of collecting, and there can be one only.
ONLY_ONCE = {"admin:agency_agency_add", "admin:subscriptions_collectionpolicy_add"}


@pytest.fixture
def clients(settings: Settings) -> tuple[world.Client, world.Client]:
    settings.TODAY = world.TODAY
    return world.two_clients()


def body(name: str, one: world.Client) -> dict[str, str]:
    return {"organisation": str(one.organisation.pk)} if name == "hours:month" else {}


def said(answer: HttpResponse) -> str:
    """Say in a word what an answer means."""
    leads_to = answer.get("Location", "")
    if answer.status_code == 302 and leads_to.startswith("/account/login/code/?next="):
        return "sign in"
    refusals = {403: "forbidden", 404: "not found", 405: "no such method"}
    return refusals.get(answer.status_code, "admitted" if answer.status_code < 500 else "broken")


def expected(role: str, name: str, method: str) -> str:
    """Work out from the matrix, in other words than the gate, what the answer must mean."""
    reads, writes = access.ADDRESSES[name].readers, access.ADDRESSES[name].writers
    users = {"GET": reads, "HEAD": reads, "POST": writes}.get(method, frozenset())
    if role in users:
        return "admitted"
    if role in reads or role in writes:
        return "forbidden" if users else "no such method"
    if role == access.ANONYMOUS:
        return "forbidden" if name == "schema" or name.startswith("api:") else "sign in"
    return "forbidden" if role in access.STAFF and name.startswith("admin:") else "not found"


# What the gate answers in a view's place never gets to a database, nor does HEAD ask for more than
# GET: there the other methods are asked for by everybody but the staff with the longest pages, and
# the second database is asked by those who reach the most views.
ROLES: tuple[str, ...] = (
    *access.STAFF,
    "advisor",
    "contact",
    "superuser as contact",
    access.ANONYMOUS,
)
OF_MANY_PAGES = ("controller", "administrator", "auditor")
READERS: tuple[str, ...] = access.STAFF
if connection.vendor != "sqlite":
    ROLES, READERS = ("controller", "advisor", "contact"), ("controller",)


def methods(role: str) -> tuple[str, ...]:
    return USED if role in OF_MANY_PAGES or connection.vendor != "sqlite" else METHODS


@pytest.mark.attack(36, 37, 44)
@pytest.mark.parametrize("role", ROLES)
def test_every_address_admits_whom_the_matrix_names(
    clients: tuple[world.Client, world.Client], role: str
) -> None:
    own, _other = clients
    somebody = person(role, own)
    found: dict[tuple[str, str], str] = {}
    for name, route in ADDRESSES:
        for method in methods(role):
            answer = somebody.ask(method, fill_in(name, route, own), body(name, own))
            found[name, method] = said(answer)
            if somebody.session:
                assert answer["Cache-Control"] == "no-store", name
            told_nowhere = name in OF_EMPLOYEES and answer.status_code == 200
            referrer = "no-referrer" if told_nowhere else "same-origin"
            assert answer["Referrer-Policy"] == referrer, name
            assert "default-src 'none'" in answer["Content-Security-Policy"], name

    wanted = {(name, method): expected(somebody.role, name, method) for name, method in found}
    odd = {key: (found[key], wanted[key]) for key in found if found[key] != wanted[key]}
    assert {
        key: value
        for key, value in odd.items()
        if not (key[0] in NEED_A_SECOND_STEP | HALFWAY | ONLY_ONCE and value[1] == "admitted")
    } == {}
    assert len(found) == len(ADDRESSES) * len(methods(role))


@pytest.mark.attack(45)
@pytest.mark.parametrize("role", ["contact", "advisor"])
def test_what_is_of_another_client_is_answered_as_if_it_were_not_there(
    clients: tuple[world.Client, world.Client], role: str
) -> None:
    own, other = clients
    somebody = person(role, own)
    compared = 0
    for name, route in ADDRESSES:
        for method in ("GET", "HEAD", "POST"):
            if role not in access.ADDRESSES[name].admits(method):
                continue
            if name == "hours:month" and method != "POST":  # it names the client in the body
                continue
            for foreign, missing in pairs(name, route, own, other):
                answers = [
                    somebody.ask(method, address, data) for address, data in (foreign, missing)
                ]
                assert [answer.status_code for answer in answers] == [404, 404], name
                assert answers[0].content == answers[1].content, name
                assert headers(answers[0]) == headers(answers[1]), name
                compared += 1
    assert compared >= {"contact": 26, "advisor": 1}[role]


Request = tuple[str, dict[str, str]]


def pairs(
    name: str, route: str, own: world.Client, other: world.Client
) -> Iterator[tuple[Request, Request]]:
    """Yield requests for rows of another client beside the same for rows that do not exist."""
    if name == "hours:month":
        address = fill_in(name, route, own)
        yield (address, body(name, other)), (address, {"organisation": NOWHERE})
    elif "<uuid:" in route:
        mine, theirs = fill_in(name, route, own), fill_in(name, route, other)
        for key in {str(other.organisation.pk), *(str(row.pk) for row in other.rows.values())}:
            if key in theirs and key not in mine:
                yield (theirs, {}), (theirs.replace(key, NOWHERE), {})
        if name == "portal:invoice":  # their invoice, looked at from our own place
            strange = mine.replace(own.key("subscriptions.invoice"), "{}")
            yield (
                (strange.format(other.key("subscriptions.invoice")), {}),
                (strange.format(NOWHERE), {}),
            )


def headers(answer: HttpResponse) -> dict[str, str]:
    return {name: value for name, value in answer.items() if name != "Set-Cookie"}


def test_every_address_has_a_line_in_the_matrix() -> None:
    assert every_address_is_in_the_role_matrix() == []
    assert len(ADDRESSES) > 180


def test_an_address_without_a_line_fails_the_check_and_is_open_to_nobody(
    monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    import agency.urls

    new = path("new/", lambda _request: HttpResponse("told"), name="new")
    monkeypatch.setattr(agency.urls, "urlpatterns", [*agency.urls.urlpatterns, new])
    settings.ROOT_URLCONF = "agency.urls"  # forgets what was resolved
    with fresh_addresses():
        found = [(error.id, error.msg) for error in every_address_is_in_the_role_matrix()]
        assert found == [("agency.E007", "agency/access.py does not say who may use new.")]
        browser = Browser()
        browser.force_login(make.user("administrator"))
        assert browser.get("/new/").status_code == 404


def fresh_addresses() -> Any:
    from contextlib import contextmanager

    from django.urls import clear_url_caches

    @contextmanager
    def forget() -> Iterator[None]:
        clear_url_caches()
        yield
        clear_url_caches()

    return forget()


def test_a_line_for_an_address_that_is_gone_fails_the_check(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    gone = {**access.ADDRESSES, "portal:gone": access.ADDRESSES["portal:start"]}
    monkeypatch.setattr(access, "ADDRESSES", gone)
    assert [error.id for error in every_address_is_in_the_role_matrix()] == ["agency.E008"]


def test_every_table_of_the_admin_has_a_line() -> None:
    assert {model._meta.label_lower for model in REGISTERED} <= set(access.ROWS)


def test_an_auditor_reads_what_a_controller_reads_and_only_agrees_to_open_the_books() -> None:
    for label, letters in access.ROWS.items():
        reads = "rh" if label == "subscriptions.booksopening" else "r"
        assert letters["auditor"] == (reads if "r" in letters["controller"] else "-"), label
    writable = {name for name, one in access.ADDRESSES.items() if "auditor" in one.writers}
    own_account = {name for name in writable if name.startswith(("account_", "mfa_"))}
    agreeing = {"admin:subscriptions_booksopening_changelist"}
    own_filters = {"admin:filters"}
    assert writable - own_account - own_filters - agreeing == {
        "set_language",
        "stripe_webhook",
    }  # to anybody


def test_who_did_what_to_a_row_is_told_to_those_only_who_read_audit_events(
    clients: tuple[world.Client, world.Client],
) -> None:
    """What a row's history shows are its audit events."""
    own, _other = clients
    row = f"/admin/agency/organisation/{own.key('agency.organisation')}"
    reads = access.ROWS["agency.auditevent"]
    seen = {}
    for role in access.STAFF:
        somebody = person(role, own)
        history = somebody.ask("GET", f"{row}/history/").status_code
        page = somebody.ask("GET", f"{row}/change/").content.decode()
        seen[role] = (history, f"{row}/history/" in page)
        assert seen[role] == ((200, True) if "r" in reads[role] else (403, False)), role
    assert {role for role in seen if seen[role][0] == 403} == {"planner"}


def test_clients_and_advisors_keep_to_their_own_pages() -> None:
    for role, spaces in {"contact": ("portal:", "api:"), "advisor": ("hours:",)}.items():
        open_to = {name for name, one in access.ADDRESSES.items() if role in one.admits("GET")}
        others = {name for name in open_to if ":" in name and not name.startswith(spaces)}
        assert others == set()


@pytest.mark.parametrize("role", access.STAFF)
@pytest.mark.parametrize("model", REGISTERED, ids=lambda model: model._meta.label)
def test_a_list_offers_its_actions_to_whom_the_matrix_names(role: str, model: Any) -> None:
    request = RequestFactory().get("/")
    request.user = make.user(role)
    with override("en"):
        offered = set(admin.site._registry[model].get_actions(request))
    letters = access.ROWS[model._meta.label_lower][role]
    actions = admin.site._registry[model].actions or ()
    own = {getattr(action, "__name__", action) for action in actions}
    deletes = {"delete_selected"} if "d" in letters else set()
    keeps_last = {"delete_selected"} if model._meta.label == "workshops.CancellationRung" else set()
    assert offered == ((own if "h" in letters else set()) | deletes) - keeps_last
    assert not own or any("h" in has for has in access.ROWS[model._meta.label_lower].values())


# Fields. What a row shows may be more than a role needs of it.


def text_of(answer: HttpResponse) -> str:
    """Give what an answer says, also that of a workbook."""
    if not answer.content.startswith(b"PK"):
        return answer.content.decode()
    with zipfile.ZipFile(BytesIO(answer.content)) as parts:
        return " ".join(parts.read(name).decode() for name in parts.namelist())


SECRETS = {"NL20INGB0001234567", "86,42", "86.42", "in_secret_1", "in_secret_2"}
# The ledger holds 77 and 79 quarters: 19.25 and 19.75 hours, as no other figure does.
HOURS = re.compile(r"\b(?:19[.,]25|19[.,]75|77|79)\b|19(?:\xa0| )h(?:\xa0| )(?:15|45)")


@pytest.mark.attack(17)
@pytest.mark.parametrize("role", READERS)
def test_no_page_of_staff_shows_or_finds_what_its_role_may_not_read(
    clients: tuple[world.Client, world.Client], role: str
) -> None:
    """Nobody hours that are not published, and a planner neither pay nor Stripe's names."""
    own, _other = clients
    somebody = person(role, own)
    found: set[str] = set()
    for name, route in ADDRESSES:
        if name.startswith(("admin:", "api:")) and role in access.ADDRESSES[name].readers:
            told = text_of(somebody.ask("GET", fill_in(name, route, own)))
            assert not HOURS.search(re.sub(r"<[^>]*>", " ", told)), name
            found |= {secret for secret in SECRETS if secret in told}
    if role == "planner":
        assert found == set()
    elif role != "administrator":
        assert {"NL20INGB0001234567", "in_secret_1"} <= found
        assert found & {"86,42", "86.42"}


def test_a_planner_cannot_find_an_invoice_by_its_name_at_stripe(
    clients: tuple[world.Client, world.Client],
) -> None:
    own, _other = clients
    address = "/admin/subscriptions/invoice/?q=in_secret_1"
    assert b"DIS-1" not in person("planner", own).ask("GET", address).content
    assert b"DIS-1" in person("controller", own).ask("GET", address).content
