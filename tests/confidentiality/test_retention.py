"""What is past its term goes, with its traces; what is not, stays; and a restored backup learns."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.sessions.models import Session as SignedIn
from django.db import connection, models
from django_q.models import Task

from agency.models import Contact, Organisation, User
from agency.month import Month
from agency.processing import Keep, Table, tables
from subscriptions.audit import audit
from subscriptions.models import BilledOccurrence, Invoice, PublicationMail
from subscriptions.retention import erase_expired
from tests import factories as make
from tests.confidentiality.persons import People, client_of_old
from tests.factories import at
from workshops.models import Enrolment

TODAY = dt.date(2026, 3, 15)
NIGHT = dt.timedelta(days=1)


@pytest.fixture(autouse=True)
def erasures(tmp_path: Path, settings: Any) -> Path:
    settings.ERASURES = tmp_path / "beside/erasures.txt"
    return Path(settings.ERASURES)


# Terms


@pytest.mark.parametrize(
    ("keep", "today", "first_kept"),
    [
        (Keep("", months=12), TODAY, dt.date(2025, 3, 15)),
        (Keep("", months=1), dt.date(2026, 3, 31), dt.date(2026, 3, 1)),
        (Keep("", months=24), dt.date(2026, 2, 28), dt.date(2024, 2, 28)),
        (Keep("", months=0), TODAY, TODAY),
        (Keep("", years=7), TODAY, dt.date(2019, 1, 1)),
        (Keep("", years=7), dt.date(2026, 12, 31), dt.date(2019, 1, 1)),
        (Keep(""), TODAY, None),
    ],
)
def test_a_term_runs_in_months_or_in_whole_calendar_years(
    keep: Keep, today: dt.date, first_kept: dt.date | None
) -> None:
    assert keep.before(today) == first_kept


Maker = Callable[[dt.date], models.Model]


def midday(day: dt.date) -> dt.datetime:
    return at(f"{day} 12:00")


def task(day: dt.date) -> models.Model:
    moment = midday(day)
    row: models.Model = Task.objects.create(
        id=f"{day}", name="n", func="f", started=moment, stopped=moment
    )
    return row


def log_entry(day: dt.date) -> models.Model:
    return LogEntry.objects.create(
        user=make.user("auditor"), action_flag=CHANGE, action_time=midday(day)
    )


def signed_in(day: dt.date) -> models.Model:
    return SignedIn.objects.create(session_key=f"{day}", expire_date=midday(day))


def told(day: dt.date) -> models.Model:
    batch = make.publication("2020-01", published_on=day)
    contact = make.contact(make.organisation())
    return PublicationMail.objects.create(publication=batch, contact=contact)


def certificate(day: dt.date) -> models.Model:
    return make.qualification(make.advisor(), valid_until=day)


def education(day: dt.date) -> models.Model:
    return make.cpd_entry(make.qualification(make.advisor(), valid_until=day))


def handed_in(day: dt.date) -> models.Model:
    return make.month_submission(make.advisor(), Month.containing(day))


def absence(day: dt.date) -> models.Model:
    return make.absence(make.advisor(), from_on=day - NIGHT, until_on=day)


def event(day: dt.date) -> models.Model:
    return make.audit_event(make.organisation(), on=day)


def invited(day: dt.date) -> models.Model:
    return make.invitation(make.organisation(), "nora@new.example", invited_on=day)


def heard(day: dt.date) -> models.Model:
    return make.stripe_event(received_at=midday(day))


def accepted(day: dt.date) -> models.Model:
    return make.accepted_run(make.user("controller"), day=day)


def waited_for(day: dt.date) -> models.Model:
    return make.job(make.user("controller"), started_on=day)


def cleared(day: dt.date) -> models.Model:
    return make.stripe_difference(cleared_because="noted", cleared_on=day)


TWO_YEARS, A_YEAR = dt.date(2024, 3, 15), dt.date(2025, 3, 15)
BY_DATE: dict[str, tuple[Maker, dt.date]] = {
    "agency.AuditEvent": (event, dt.date(2019, 1, 1)),
    "agency.Invitation": (invited, A_YEAR),
    "subscriptions.Job": (waited_for, dt.date(2019, 1, 1)),
    "advisors.Absence": (absence, TWO_YEARS),
    "advisors.Qualification": (certificate, TWO_YEARS),
    "advisors.CpdEntry": (education, TWO_YEARS),
    "advisors.MonthSubmission": (handed_in, dt.date(2019, 1, 1)),
    "subscriptions.AcceptedRun": (accepted, dt.date(2019, 1, 1)),
    "subscriptions.PublicationMail": (told, A_YEAR),
    "subscriptions.StripeEvent": (heard, A_YEAR),
    "subscriptions.StripeDifference": (cleared, dt.date(2019, 1, 1)),
    "django_q.Task": (task, dt.date(2026, 2, 15)),
    "admin.LogEntry": (log_entry, A_YEAR),
    "sessions.Session": (signed_in, TODAY),
}


@pytest.mark.django_db
@pytest.mark.parametrize(("maker", "first_kept"), BY_DATE.values(), ids=BY_DATE)
def test_a_row_goes_on_the_day_after_its_term(maker: Maker, first_kept: dt.date) -> None:
    row = maker(first_kept)
    rows = type(row)._default_manager.filter(pk=row.pk)
    erase_expired(TODAY)
    assert rows.exists()
    erase_expired(TODAY.replace(year=TODAY.year + 1) if first_kept.day == 1 else TODAY + NIGHT)
    assert not rows.exists()


def test_every_table_with_a_date_of_its_own_is_tried() -> None:
    elsewhere = {"workshops.Enrolment"}  # below
    unused = {"account.EmailConfirmation"}
    assert {entry.name for entry in tables() if entry.after} == BY_DATE.keys() | elsewhere | unused


@pytest.mark.parametrize("entry", tables(), ids=lambda entry: entry.name)
def test_a_term_in_the_record_is_kept_by_something(entry: Table) -> None:
    has_term = entry.keep.months is not None or entry.keep.years is not None
    goes_with_the_account = bool(entry.person) and entry.erasure != "keep"
    by_cache = entry.name == "cache"
    kept = entry.after or entry.organisation or goes_with_the_account or by_cache
    assert not has_term or kept


@pytest.mark.django_db
def test_a_seat_loses_its_names_a_year_after_the_session() -> None:
    seat = make.enrolment(make.session(None, starts_at=at("2025-03-15 10:00")))
    assert erase_expired(TODAY) == {}
    assert erase_expired(TODAY + NIGHT) == {"workshops.Enrolment": 1}
    assert erase_expired(TODAY + NIGHT) == {}
    row = Enrolment.objects.values().get()
    assert (row["name"], row["email"]) == ("erased", f"{seat.pk}@erased.invalid")
    assert (row["buyer_name"], row["buyer_street"], row["buyer_city"]) == ("erased", "", "")
    assert row["price_cents"] == 49500


# Accounts


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("role", "fields", "is_erased"),
    [
        ("planner", {"is_active": True}, False),
        ("planner", {"is_active": False}, True),
        ("advisor", {"is_active": True}, False),
        ("advisor", {"is_active": False}, True),
        ("contact", {"is_active": True}, False),  # of no client yet
    ],
)
def test_an_account_goes_two_years_after_who_left_was_last_seen(
    role: str, fields: dict[str, Any], *, is_erased: bool
) -> None:
    user = make.user(role, **fields)
    erase_expired(TODAY)
    user.refresh_from_db()
    assert (user.name == "erased") is is_erased
    assert (user.email == f"{user.pk}@erased.invalid") is is_erased


@pytest.mark.django_db
@pytest.mark.parametrize(("days", "is_erased"), [(0, False), (1, True)])
def test_an_account_is_kept_for_two_years_after_it_was_closed(
    days: int, *, is_erased: bool
) -> None:
    user = make.user("planner", is_active=False)
    make.audit_event(user, on=TWO_YEARS - dt.timedelta(days=days))
    erase_expired(TODAY)
    user.refresh_from_db()
    assert (user.name == "erased") is is_erased


@pytest.mark.django_db
def test_an_advisor_is_seen_in_what_was_done() -> None:
    reported, trained, assigned, looked_after = (make.advisor(f"A{n}") for n in range(4))
    User.objects.update(is_active=False)
    make.month_submission(reported, "2024-04")
    make.session(trainer=trained)
    make.assignment(assigned, make.organisation(), from_month="2020-01", until_month="2024-04")
    make.audit_event(looked_after.user, on=TWO_YEARS)
    assert erase_expired(TODAY) == {}


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("until", "is_erased"), [(None, False), ("2024-04", False), ("2024-03", True)]
)
def test_a_contact_goes_two_years_after_the_clients_last_contract(
    until: str | None, *, is_erased: bool
) -> None:
    contract = make.subscription(make.organisation(), "2020-01", until_month=until)
    user = make.contact(contract.organisation).user
    erase_expired(TODAY)
    user.refresh_from_db()
    assert user.is_active is not is_erased
    assert Contact.objects.exists() is not is_erased


# Files of former clients


def in_the_file(organisation: Organisation) -> dict[str, int]:
    return {
        entry.model: apps.get_model(entry.model)
        ._default_manager.filter(**{entry.organisation: organisation.pk})
        .count()
        for entry in tables()
        if entry.organisation
    }


@pytest.mark.django_db
def test_the_whole_file_of_a_client_goes_seven_calendar_years_after_its_end() -> None:
    people, contract, other = People(), client_of_old(), client_of_old("NEW", until=None)
    make.collection_policy(announced_by="agency")
    group = make.organisation("GROUP")
    make.takeover(contract.organisation, group)
    run = make.indexation_run(make.cpi_value("2013-10"), make.cpi_value("2014-10"))
    for one in (contract, other):
        name = one.organisation.code
        make.indexed_contract(run, one)
        people.advisor(name, one.organisation)
        make.contact(one.organisation)
        make.invitation(one.organisation, "nora@new.example", invited_on=TODAY)
        session = make.session(None, f"M-{name}", starts_at=at("2015-05-01 10:00"))
        make.enrolment(session, organisation=one.organisation, email="a@seats.example")
        (batch,) = apps.get_model("subscriptions.Publication").objects.all()
        contact = Contact.objects.get(organisation=one.organisation)
        PublicationMail.objects.create(publication=batch, contact=contact)
        asking = make.user("contact", email=f"w@{name}.example")
        make.tier_change_request(one, "2015-04", asking)
        make.pause(one, "2015-03", "2015-04")
        make.headcount_declaration(one.organisation, asking, "2015-04")
        make.books_opening(one.statements.get(), asking)
        make.parked_organisation(one.organisation)
        make.employee_page(one.organisation)
        make.quote(one.organisation, "2015-01", offered_on=dt.date(2014, 12, 1), contract=one)
        make.legal_name(one.organisation)
        make.payer(one.organisation, group, "2030-01")
        document = Invoice.objects.get(organisation=one.organisation, kind="invoice")
        make.reminder(document)
        make.debit_notice(document, make.mandate(one.organisation))
        make.contest(document, asking)
        make.einvoice_mail(document)
        make.receipt(document, 1)
        numbered: dict[str, Any] = {"number": f"OLD-{name}", "stripe_id": f"in_old_{name}"}
        late = make.invoice(one.organisation, "2015-06", state="open", **numbered)
        make.payment_plan(late, make.user("planner", email=f"plan@{name}.example"))
        make.write_off(document, make.user("controller", email=f"off@{name}.example"), net_cents=1)
        apps.get_model("subscriptions.StripeDifference").objects.create(
            kind="amount",
            object_id=name,
            invoice=document,
            about_on=dt.date(2015, 1, 1),
            found_on=dt.date(2015, 1, 1),
        )
    before = in_the_file(contract.organisation), in_the_file(other.organisation)
    assert min(before[0].values()) > 0

    last_day, next_day = dt.date(2022, 12, 31), dt.date(2023, 1, 1)
    by_date = {"subscriptions.PublicationMail": 0, "agency.Contact": 0}  # before the file goes
    erase_expired(last_day)
    assert in_the_file(contract.organisation) == before[0] | by_date
    erase_expired(next_day)
    assert set(in_the_file(contract.organisation).values()) == {0}
    connection.check_constraints()

    mails = {"subscriptions.PublicationMail": 0}
    assert in_the_file(other.organisation) == before[1] | mails


@pytest.mark.django_db
def test_a_client_with_later_work_or_a_subsidiary_stays() -> None:
    busy, billed, parent = (client_of_old(code).organisation for code in ("BUSY", "BILL", "PAR"))
    make.session(busy, "S-1", starts_at=at("2019-01-01 00:00"))
    make.invoice(billed, "2019-01", number="X", stripe_id="in_x")
    make.organisation("KID", parent=parent)
    erase_expired(TODAY)
    codes = set(Organisation.objects.values_list("code", flat=True))
    assert codes == {"BUSY", "BILL", "PAR", "KID"}


@pytest.mark.django_db
def test_a_client_that_only_had_sessions_goes_after_the_last_of_them() -> None:
    for code, day in (("OLD", "2015-05-01"), ("NEW", "2019-05-01")):
        row = make.organisation(code)
        make.contact(row)
        make.session(row, f"S-{code}", starts_at=at(f"{day} 10:00"))
    make.contact(make.organisation("ASKED"))
    erase_expired(dt.date(2023, 1, 1))
    assert set(Organisation.objects.values_list("code", flat=True)) == {"NEW", "ASKED"}


@pytest.mark.django_db
def test_a_parent_goes_with_its_subsidiaries() -> None:
    parent, child = (client_of_old(code).organisation for code in ("PAR", "KID"))
    Organisation.objects.filter(pk=child.pk).update(parent=parent)
    erase_expired(TODAY)
    assert not Organisation.objects.exists()


@pytest.mark.django_db
def test_a_document_of_a_buyer_who_is_no_client_goes_after_seven_years() -> None:
    def document(name: str, day: dt.date, **fields: Any) -> Invoice:
        sold = make.billed_occurrence(None, make.session(None, name).pk, "2018-05", kind="seat")
        return make.invoice(
            None,
            "2018-05",
            lines=[{"occurrence": sold}],
            state="open",
            number=name,
            stripe_id=name,
            invoice_on=day,
            **fields,
        )

    old = document("old", dt.date(2018, 12, 31))
    document("new", dt.date(2019, 1, 1))
    credited = document("credited", dt.date(2018, 12, 31))
    document("credit", dt.date(2019, 1, 1), kind="credit", credit_of=credited)
    make.stripe_step(old)
    erase_expired(dt.date(2025, 12, 31))
    assert Invoice.objects.count() == BilledOccurrence.objects.count() == 4
    erase_expired(TODAY)
    connection.check_constraints()
    left = Invoice.objects.values_list("number", flat=True)
    assert set(left) == {"new", "credited", "credit"}
    assert BilledOccurrence.objects.count() == 3


@pytest.mark.parametrize("entry", tables(), ids=lambda entry: entry.name)
def test_every_table_that_leans_on_a_client_is_in_its_file(entry: Any) -> None:
    if not entry.model:
        return
    in_a_file = {apps.get_model(other.model) for other in tables() if other.organisation}
    anybodys = {"workshops.Session", "advisors.CpdEntry", "account.EmailConfirmation"}
    fields = apps.get_model(entry.model)._meta.concrete_fields
    if any(f.is_relation and f.related_model in in_a_file for f in fields):
        assert entry.organisation or entry.name in anybodys


@pytest.mark.django_db
def test_the_audit_finds_nothing_wrong_afterwards() -> None:
    make.agency()
    make.tax_treatment()
    client_of_old()
    make.closed_month("2015-03")
    before = {violation.invariant for violation in audit().violations}
    assert before  # the sample is not one of a real year
    erase_expired(TODAY)
    assert audit().violations == []
