"""What the database refuses is said on the form, and nothing of it is written."""

from __future__ import annotations

import pytest
from django.db import connection, models
from django.db.migrations.loader import MigrationLoader
from django.test import Client

from advisors.models import Assignment
from agency import access, refusals
from agency.guards import Guard
from agency.models import AuditEvent
from subscriptions.models import PurchaseOrder, Subscription, Terms
from tests import factories as make
from workshops.models import Enrolment

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("on_8_april_2026")]

CONTRACT = {
    "signed_on": "2020-01-02", "term_months": "12", "renewal_months": "12", "notice_months": "1",
    "billing_interval": "12",
    "collection": "invoice", "payment_days": "30", "carry_over_basis_points": "0",
    "carry_over_cap_quarters": "0", "start_month": "2026-06", "first_run": "2026-06",
    "reported_until": "2026-06", "pauses-TOTAL_FORMS": "0", "pauses-INITIAL_FORMS": "0",
}  # fmt: skip
VERSION = {"from_month": "2026-05", "reason": "start", "tier": "basic", "overage": "bill"}


def as_(role: str, language: str = "en") -> Client:
    client = Client()
    client.force_login(make.user(role, language=language))
    return client


def no_rows(*prefixes: str) -> dict[str, str]:
    counts = ("TOTAL_FORMS", "INITIAL_FORMS")
    return {f"{prefix}-{count}": "0" for prefix in prefixes for count in counts}


def refused(client: Client, page: str, data: dict[str, str], model: type[models.Model]) -> str:
    """Post a form that the database refuses, and give the page that says so."""
    rows = list(model._default_manager.values())
    answer = client.post(page, data)
    assert answer.status_code == 200
    assert list(model._default_manager.values()) == rows
    assert not AuditEvent.objects.exists()
    return answer.content.decode()


@pytest.mark.parametrize(
    ("language", "sentence"),
    [
        ("en", "Purchase orders of one organisation do not overlap."),
        ("nl", "Inkooporders van één organisatie overlappen elkaar niet."),
    ],
)
def test_a_guards_sentence_stands_on_the_form(language: str, sentence: str) -> None:
    order = make.purchase_order(make.organisation(), "PO-1", "2026-01", "2026-12")
    data = {"organisation": str(order.organisation.pk), "number": "PO-2", "from_month": "2026-06"}
    page = "/admin/subscriptions/purchaseorder/add/"

    said = refused(as_("controller", language), page, data, PurchaseOrder)

    assert sentence in said
    assert 'value="PO-2"' in said  # what was typed is still there


def test_contracts_that_overlap_are_refused_on_the_form() -> None:
    contract = make.subscription(make.organisation(), "2026-01", until_month="2026-12")
    data = CONTRACT | {"organisation": str(contract.organisation.pk)} | no_rows("terms")

    said = refused(as_("controller"), "/admin/subscriptions/subscription/add/", data, Subscription)

    assert "Contracts of one organisation never overlap." in said


def test_a_counsellor_who_would_mediate_is_refused_on_the_form() -> None:
    beside = make.assignment(make.advisor("ADV1"), make.organisation(), from_month="2026-01")
    row = {"organisation": str(beside.organisation.pk), "role": "mediator", "from_month": "2026-05"}
    data = {"code": "ADV1", "languages": "nl"} | no_rows("qualifications", "absences", "cost_rates")
    data |= {"assignments-TOTAL_FORMS": "1", "assignments-INITIAL_FORMS": "0"}
    data |= {f"assignments-0-{name}": value for name, value in row.items()}

    page = f"/admin/advisors/advisor/{beside.advisor.pk}/change/"
    said = refused(as_("planner"), page, data, Assignment)

    assert "is never its mediator or investigator." in said


def test_a_contract_starts_once() -> None:
    contract = make.subscription(make.organisation(), "2026-01")
    kept = ("start_month", "first_run", "reported_until")
    data = CONTRACT | {name: str(getattr(contract, name)) for name in kept}
    data |= {"organisation": str(contract.organisation.pk)}
    data |= {"terms-TOTAL_FORMS": "1", "terms-INITIAL_FORMS": "0"}
    data |= {f"terms-0-{name}": value for name, value in VERSION.items()}

    page = f"/admin/subscriptions/subscription/{contract.pk}/change/"
    assert "A contract starts once" in refused(as_("controller"), page, data, Terms)


def test_a_start_of_no_contract_is_bad_input() -> None:
    data = CONTRACT | {"organisation": str(make.organisation().pk)}
    data |= {"terms-TOTAL_FORMS": "1", "terms-INITIAL_FORMS": "0", "terms-0-subscription": "no key"}
    data |= {f"terms-0-{name}": value for name, value in VERSION.items()}

    refused(as_("controller"), "/admin/subscriptions/subscription/add/", data, Subscription)


def test_two_starts_at_once_contradict_each_other() -> None:
    data = CONTRACT | {"organisation": str(make.organisation().pk)}
    data |= {"terms-TOTAL_FORMS": "2", "terms-INITIAL_FORMS": "0"}
    for row, month in enumerate(("2026-06", "2026-07")):
        version = VERSION | {"from_month": month}
        data |= {f"terms-{row}-{name}": value for name, value in version.items()}

    said = refused(as_("controller"), "/admin/subscriptions/subscription/add/", data, Subscription)

    assert "This contradicts what is recorded already." in said


def test_a_seat_that_was_billed_is_not_deleted_and_the_page_says_why() -> None:
    seat = make.enrolment(make.session(None))
    make.billed_occurrence(None, seat.pk, "2026-03", kind="seat")

    page = f"/admin/workshops/enrolment/{seat.pk}/delete/"
    answer = as_("planner").post(page, {"post": "yes"}, follow=True)

    assert "A seat that was billed is never deleted" in answer.content.decode()
    assert Enrolment.objects.get() == seat


@pytest.mark.parametrize("key", ["1", "no-uuid", "_", "00000000-0000-4000-8000-000000000000"])
def test_the_history_of_no_row_is_not_found(key: str) -> None:
    page = f"/admin/agency/organisation/{key}/history/"

    assert as_("controller").get(page).status_code == 404


def test_every_guard_of_a_table_with_a_form_has_its_sentence_here() -> None:
    written = {
        f"{label.replace('.', '_')}"
        for label, letters in access.ROWS.items()
        if any(set("acd") & set(granted) for granted in letters.values())
    }
    sentences = {
        operation.sentence
        for migration in MigrationLoader(connection).disk_migrations.values()
        for operation in migration.operations
        if isinstance(operation, Guard) and operation.table in written
    }
    openings = {one for one in sentences if "books" in one}  # its form only asks, which adds a row
    assert sentences - openings == set(refusals.GUARDED)
