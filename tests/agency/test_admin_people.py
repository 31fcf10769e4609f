"""Planners keep people and organisations, and get no closer to hours by it."""

from __future__ import annotations

import pytest
from allauth.account.models import EmailAddress
from django.db import IntegrityError, transaction
from django.test import Client

from advisors.models import CostRate
from agency.models import Agency, AuditEvent, Contact, Headcount, Organisation, User
from tests import factories
from tests.browsers import as_

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("on_8_april_2026")]

ADVISOR_FORM = {"code": "ADV1", "languages": "nl", "phone": "+31201234567"}


@pytest.fixture
def organisation() -> Organisation:
    organisation = factories.organisation()
    factories.headcount(organisation, 300, "2025-01")
    return organisation


def rows(prefix: str, *given: dict[str, str], initial: int = 0) -> dict[str, str]:
    """Give the fields of rows on a page, as a browser posts them."""
    counts = {
        f"{prefix}-TOTAL_FORMS": str(len(given)),
        f"{prefix}-INITIAL_FORMS": str(initial),
    }
    return counts | {
        f"{prefix}-{i}-{name}": value for i, row in enumerate(given) for name, value in row.items()
    }


def no_rows(*prefixes: str) -> dict[str, str]:
    return {name: value for prefix in prefixes for name, value in rows(prefix).items()}


def save_advisor(client: Client, key: object, **fields: str) -> int:
    tables = no_rows("assignments", "qualifications", "absences", "cost_rates")
    page = f"/admin/advisors/advisor/{key}/change/"
    return client.post(page, ADVISOR_FORM | tables | fields).status_code


def test_an_advisor_stays_the_same_person_so_that_nobody_reads_anothers_hours() -> None:
    advisor = factories.advisor()
    factories.assignment(advisor, factories.organisation(legal_name="Served B.V."))
    owner, own = advisor.user, factories.user("advisor", email="mine@people.example")

    for role in ("planner", "controller", "administrator"):
        save_advisor(as_(role), advisor.pk, user=str(own.pk))

    advisor.refresh_from_db()
    assert advisor.user == owner
    assert advisor.phone == "+31201234567"  # what the planner may change was saved
    intruder = Client()
    intruder.force_login(own)
    assert "Served B.V." not in intruder.get("/hours/2026-04/").content.decode()


def test_a_planner_makes_a_new_advisor_of_a_user() -> None:
    user = factories.user("advisor")
    tables = no_rows("assignments", "qualifications", "absences")

    as_("planner").post("/admin/advisors/advisor/add/", ADVISOR_FORM | tables | {"user": user.pk})

    user.refresh_from_db()
    assert user.advisor.code == "ADV1"


@pytest.mark.parametrize(("role", "moved"), [("planner", False), ("administrator", True)])
@pytest.mark.parametrize("kind", ["advisor", "contact"])
def test_only_an_administrator_changes_an_address_or_a_role(
    role: str,
    moved: bool,  # noqa: FBT001
    kind: str,
) -> None:
    person = factories.user(kind, name="Before")
    other = "contact" if kind == "advisor" else "advisor"
    data = {"name": "After", "language": "nl", "is_active": "on"}

    as_(role).post(
        f"/admin/agency/user/{person.pk}/change/",
        data | {"email": "taken@elsewhere.example", "role": other},
    )

    person.refresh_from_db()
    assert person.name == "After"
    assert (person.email, person.role) == (
        ("taken@elsewhere.example", other) if moved else (f"{kind}@people.example", kind)
    )


def test_a_former_address_signs_nobody_in() -> None:
    person = factories.user("contact")
    EmailAddress.objects.create(user=person, email=person.email, primary=True, verified=True)

    as_("administrator").post(
        f"/admin/agency/user/{person.pk}/change/",
        {
            "name": "X", "email": "new@client.example", "role": "contact", "language": "nl",
            "is_active": "on",
        },
    )  # fmt: skip

    assert User.objects.get(pk=person.pk).email == "new@client.example"
    assert not EmailAddress.objects.filter(user=person).exists()


@pytest.mark.parametrize("role", ["planner", "administrator"])
def test_what_advisors_cost_is_for_controllers_and_auditors(role: str) -> None:
    advisor = factories.advisor(iban=factories.IBAN)
    factories.cost_rate(advisor, 8125)
    page = f"/admin/advisors/advisor/{advisor.pk}/change/"

    for reader, reads in ((role, False), ("controller", True), ("auditor", True)):
        shown = as_(reader).get(page).content.decode()
        assert (factories.IBAN in shown) is reads
        assert ("81.25" in shown) is reads


@pytest.mark.parametrize("table", ["stripecustomer", "stripestep", "stripeevent"])
def test_a_planner_reads_no_row_of_stripe(table: str) -> None:
    assert as_("planner").get(f"/admin/subscriptions/{table}/").status_code == 403
    assert as_("controller").get(f"/admin/subscriptions/{table}/").status_code == 200


def test_a_controller_keeps_rates_and_payment_and_plans_nothing() -> None:
    advisor = factories.advisor(phone="")
    rate = rows("cost_rates", {"from_month": "2026-05", "rate_cents": "82,50"})
    assignment = {
        "organisation": str(factories.organisation().pk), "role": "counsellor",
        "from_month": "2026-05",
    }  # fmt: skip

    save_advisor(
        as_("controller"),
        advisor.pk,
        iban=factories.IBAN,
        **rate,
        **rows("assignments", assignment),
    )

    advisor.refresh_from_db()
    assert (advisor.iban, advisor.phone) == (factories.IBAN, "")
    assert CostRate.objects.get().rate_cents == 8250
    assert not advisor.assignments.exists()
    assert as_("auditor").get("/admin/advisors/advisor/add/").status_code == 403
    client = Client()
    client.force_login(User.objects.get(role="controller"))
    assert client.get("/admin/advisors/advisor/add/").status_code == 403


# Headcounts


def save_organisation(client: Client, organisation: Organisation, **fields: str) -> str:
    known = [
        "legal_name", "code", "language", "country", "street", "postcode", "city", "kvk_number",
        "invoice_email",
    ]  # fmt: skip
    data = {name: getattr(organisation, name) for name in known}
    data |= no_rows("headcounts", "contacts") | fields
    page = f"/admin/agency/organisation/{organisation.pk}/change/"
    return client.post(page, data).content.decode()


@pytest.mark.parametrize(
    ("field", "typed", "sentence"),
    [
        ("country", "zz", "No country has this code"),
        ("country", "XX", "No country has this code"),
        ("kvk_number", "123", "This needs exactly 8 digits."),
        ("oin", "0000000123456789", "This needs exactly 20 digits."),
        ("vat_id", "zz", "A VAT id is the two letters of its country and a number."),
        ("vat_id", "NL123456789B01", "This VAT id is not valid"),
        ("vat_id", "US123456789", "does not begin with the letters of a country of the EU"),
        ("vat_id_checked", "on", "There is no VAT id that could be checked."),
    ],
)
def test_a_particular_that_cannot_be_is_refused_at_its_field(
    organisation: Organisation, field: str, typed: str, sentence: str
) -> None:
    before = Organisation.objects.values().get()

    assert sentence in save_organisation(as_("planner"), organisation, **{field: typed})

    assert Organisation.objects.values().get() == before


def test_particulars_are_kept_in_one_form(organisation: Organisation) -> None:
    typed = {"country": "be", "vat_id": "be 0123.456.749"}

    save_organisation(as_("planner"), organisation, **typed)

    organisation.refresh_from_db()
    assert (organisation.country, organisation.vat_id) == ("BE", "BE0123456749")


def test_the_agency_has_an_iban_that_exists() -> None:
    agency = factories.agency()
    names = ("name", "legal_name", "street", "postcode", "city", "country", "kvk_number", "vat_id")
    data = {name: getattr(agency, name) for name in names} | {"km_rate_cents": "0.35"}
    data |= no_rows("crkbo_registrations")
    page, client = f"/admin/agency/agency/{agency.pk}/change/", as_("administrator")

    refused = client.post(page, data | {"iban": "NL91ABNA0417164301"}).content.decode()
    assert "This IBAN is not valid" in refused
    assert client.post(page, data | {"iban": "nl91 abna 0417 1643 00"}).status_code == 302

    agency.refresh_from_db()
    assert agency.iban == factories.IBAN


@pytest.mark.parametrize("country", ["nl", "N", "N1", ""])
def test_the_database_keeps_a_country_as_two_capitals(
    organisation: Organisation, country: str
) -> None:
    factories.agency()
    for model in (Organisation, Agency):
        with pytest.raises(IntegrityError, match="country_of_two_letters"), transaction.atomic():
            model.objects.update(country=country)


def headcounts() -> list[tuple[str, int]]:
    return [(str(row.month), row.headcount) for row in Headcount.objects.order_by("month")]


def test_a_headcount_is_neither_added_changed_nor_deleted_here(organisation: Organisation) -> None:
    row = Headcount.objects.get()
    client = as_("planner")
    for change in ({"headcount": "20"}, {"month": "2026-05"}, {"DELETE": "on"}):
        old = {"id": str(row.pk), "month": "2025-01", "headcount": "300"} | change
        save_organisation(client, organisation, **rows("headcounts", old, initial=1))
    new = {"month": "2036-05", "headcount": "280"}
    save_organisation(client, organisation, **rows("headcounts", new))

    assert headcounts() == [("2025-01", 300)]


def test_the_audit_says_what_was_done_to_rows_and_not_what_they_hold(
    organisation: Organisation,
) -> None:
    contact = factories.contact(organisation)
    new = {"user": str(factories.user("contact").pk), "role": "reader"}
    old = {"id": str(contact.pk), "user": str(contact.user.pk), "role": "owner", "DELETE": "on"}

    save_organisation(as_("planner"), organisation, **rows("contacts", old, new, initial=1))

    assert Contact.objects.get().role == "reader"
    event = AuditEvent.objects.get()
    assert (event.action, event.fields) == ("changed", "contact added, contact deleted")


def test_a_contact_who_is_one_already_is_refused_at_the_row(organisation: Organisation) -> None:
    contact = factories.contact(organisation)
    new = {"user": str(contact.user.pk), "role": "reader"}

    page = save_organisation(as_("planner"), organisation, **rows("contacts", new))

    assert "already exists" in page
    assert Contact.objects.get().role == "owner"
