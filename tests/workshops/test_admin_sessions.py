"""Planners move sessions through `scheduling` alone, and read what is over."""

from __future__ import annotations

import pytest
from django.test import Client

from agency.models import AuditEvent
from tests import factories
from workshops.models import CancellationRung, Enrolment, Session

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("on_8_april_2026")]


@pytest.fixture
def client() -> Client:
    client = Client()
    client.force_login(factories.user("planner"))
    return client


def form(session: Session, **fields: str) -> dict[str, str]:
    return {
        "reference": session.reference,
        "offering": str(session.offering.pk),
        "organisation": str(session.organisation.pk) if session.organisation else "",
        "starts_at": "2026-05-12T13:30",
        "location": "Meppel",
        "enrolments-TOTAL_FORMS": "0",
        "enrolments-INITIAL_FORMS": "0",
    } | fields


def act(client: Client, action: str, session: Session) -> str:
    data = {"action": action, "_selected_action": [str(session.pk)], "index": "0"}
    return client.post("/admin/workshops/session/", data, follow=True).content.decode()


def test_saving_plans_what_was_requested(client: Client) -> None:
    session = factories.session(factories.organisation(), status="requested")
    trainer = factories.advisor()

    client.post(
        f"/admin/workshops/session/{session.pk}/change/", form(session, trainer=str(trainer.pk))
    )

    session.refresh_from_db()
    assert (session.status, session.trainer) == ("scheduled", trainer)
    assert session.starts_at == factories.at("2026-05-12 13:30")


def test_a_trainer_who_is_taken_is_refused_at_the_field(client: Client) -> None:
    trainer = factories.advisor()
    factories.session(
        factories.organisation(), trainer=trainer, starts_at=factories.at("2026-05-12 12:00")
    )
    session = factories.session(factories.organisation("ORG2"), "S2")

    page = client.post(
        f"/admin/workshops/session/{session.pk}/change/", form(session, trainer=str(trainer.pk))
    )

    assert page.status_code == 200
    assert "The trainer has another session at that time." in page.content.decode()
    session.refresh_from_db()
    assert session.trainer is None


def test_a_new_session_is_planned_at_once(client: Client) -> None:
    offering = factories.offering()
    wish = Session(reference="NEW-1", offering=offering, organisation=factories.organisation())

    client.post("/admin/workshops/session/add/", form(wish))

    assert Session.objects.get(reference="NEW-1").status == "scheduled"


@pytest.mark.parametrize(
    ("action", "status", "by"),
    [
        ("hold", "held", ""),
        ("cancel_for_client", "cancelled", "client"),
        ("cancel_for_agency", "cancelled", "agency"),
    ],
)
def test_an_action_moves_a_session_and_is_noted(
    client: Client, action: str, status: str, by: str
) -> None:
    session = factories.session(factories.organisation())

    act(client, action, session)

    session.refresh_from_db()
    assert (session.status, session.cancelled_by) == (status, by)
    assert AuditEvent.objects.get().action == status


def test_a_session_to_come_was_not_held(client: Client) -> None:
    session = factories.session(
        factories.organisation(), starts_at=factories.at("2026-05-12 13:30")
    )

    said = act(client, "hold", session)

    session.refresh_from_db()
    assert session.status == "scheduled"
    assert 'class="msg error"' in said
    assert not AuditEvent.objects.exists()


@pytest.mark.parametrize("status", ["held", "cancelled"])
def test_what_is_over_is_only_read(client: Client, status: str) -> None:
    session = factories.session(factories.organisation(), status=status)
    page = f"/admin/workshops/session/{session.pk}/change/"

    assert client.get(page).status_code == 200
    assert client.post(page, form(session, location="elsewhere")).status_code == 403


SEAT = {
    "enrolments-TOTAL_FORMS": "1",
    "enrolments-0-name": "Jan Jansen",
    "enrolments-0-email": "jan@client.example",
    "enrolments-0-price_cents": "100,00",
    "enrolments-0-buyer_name": "Buyer B.V.",
}


@pytest.mark.attack(14)
def test_a_session_of_a_client_takes_no_names_of_who_came(client: Client) -> None:
    session = factories.session(factories.organisation())
    page = f"/admin/workshops/session/{session.pk}/change/"

    assert "enrolments" not in client.get(page).content.decode()
    assert client.post(page, form(session, **SEAT)).status_code == 302

    assert not Enrolment.objects.exists()


def test_a_session_of_open_enrolment_takes_names(client: Client) -> None:
    session = factories.session(None)
    page = f"/admin/workshops/session/{session.pk}/change/"

    assert client.post(page, form(session, **SEAT)).status_code == 302

    assert Enrolment.objects.get().name == "Jan Jansen"


def test_a_seat_costs_what_the_offering_does_unless_said_otherwise(client: Client) -> None:
    session = factories.session(None)
    page = f"/admin/workshops/session/{session.pk}/change/"
    assert 'value="875.00"' in client.get(page).content.decode()  # of a row to be added

    client.post(page, form(session, **SEAT | {"enrolments-0-price_cents": ""}))

    assert Enrolment.objects.get().price_cents == session.offering.price_cents == 87500


def test_a_seat_needs_somebody_who_pays(client: Client) -> None:
    session = factories.session(None)
    page = f"/admin/workshops/session/{session.pk}/change/"

    said = client.post(page, form(session, **SEAT | {"enrolments-0-buyer_name": ""}))

    assert "Give the organisation that pays" in said.content.decode()
    assert not Enrolment.objects.exists()


def test_the_address_of_a_buyer_is_put_right_after_the_session(client: Client) -> None:
    seat = factories.enrolment(factories.session(None, status="held"), buyer_city="")
    page = f"/admin/workshops/enrolment/{seat.pk}/change/"
    fields = {
        "name": seat.name,
        "email": seat.email,
        "price_cents": "1",
        "buyer_name": "Bakker",
        "buyer_street": "Kerkstraat 2",
        "buyer_postcode": "1012 AB",
        "buyer_city": "Almere",
        "buyer_country": "nl",
        "buyer_email": "office@buyer.example",
    }

    wrong = client.post(page, fields | {"buyer_country": "N1"}).content.decode()
    assert "give two letters, such as NL or BE." in wrong
    assert client.post(page, fields).status_code == 302

    seat.refresh_from_db()
    assert (seat.buyer_city, seat.buyer_country) == ("Almere", "NL")
    assert seat.price_cents == 49500  # only read, once the session is over


def test_a_seat_is_entered_late_for_a_session_of_open_enrolment_only(client: Client) -> None:
    over = factories.session(None, status="held")
    ours = factories.session(factories.organisation(), "S2")
    fields = {"name": "Jan", "email": "jan@client.example", "buyer_name": "Buyer B.V."}
    page = "/admin/workshops/enrolment/add/"

    refused = client.post(page, fields | {"session": str(ours.pk)}).content.decode()
    assert "Names are taken for a session of open enrolment only" in refused
    assert client.post(page, fields | {"session": str(over.pk)}).status_code == 302

    assert Enrolment.objects.get().price_cents == over.offering.price_cents
    listed = client.get("/admin/workshops/enrolment/").content.decode()
    assert "Buyer B.V." in listed


def test_names_are_not_taken_along_to_a_client(client: Client) -> None:
    session = factories.session(None)
    client_of_ours = factories.organisation()
    page = f"/admin/workshops/session/{session.pk}/change/"

    said = client.post(page, form(session, **SEAT, organisation=str(client_of_ours.pk)))
    assert "Names are taken for a session of open enrolment only" in said.content.decode()
    assert not Enrolment.objects.exists()

    session = factories.session(None, "S2")
    factories.enrolment(session)
    page = f"/admin/workshops/session/{session.pk}/change/"
    refused = client.post(page, form(session, organisation=str(client_of_ours.pk)))

    assert "a session with names stays one of open enrolment" in refused.content.decode()
    session.refresh_from_db()
    assert session.organisation is None


def test_the_last_rung_of_the_ladder_cannot_be_taken_away(client: Client) -> None:
    controller = Client()
    controller.force_login(factories.user("controller"))
    CancellationRung.objects.all().delete()
    rungs = [factories.cancellation_rung(days, 50) for days in (0, 14)]

    for rung in rungs:
        address = f"/admin/workshops/cancellationrung/{rung.pk}/"
        controller.post(f"{address}delete/", {"post": "yes"})
        controller.post(f"{address}change/", {"days_before": "7", "percent": "40"})
    data = {"action": "delete_selected", "_selected_action": [str(rungs[0].pk)], "post": "yes"}
    controller.post("/admin/workshops/cancellationrung/", data)

    assert [(row.days_before, row.percent) for row in CancellationRung.objects.all()] == [(0, 40)]
