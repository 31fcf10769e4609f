"""The hours page: large buttons, no field to type in, and nothing kept but the hours."""

from __future__ import annotations

import logging
import re

import pytest
from django.test import Client

from advisors.models import Advisor, DraftHours, MonthSubmission
from agency.models import Organisation
from tests import factories

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("on_8_april_2026")]


@pytest.fixture
def advisor() -> Advisor:
    return factories.advisor()


@pytest.fixture
def organisation(advisor: Advisor) -> Organisation:
    organisation = factories.organisation("OWN", legal_name="Our Client B.V.")
    factories.assignment(advisor, organisation)
    return organisation


@pytest.fixture
def client(advisor: Advisor) -> Client:
    client = Client()
    client.force_login(advisor.user)
    return client


def press(organisation: Organisation, before: int, after: int) -> dict[str, str]:
    return {
        "organisation": str(organisation.pk),
        "from_quarters": str(before),
        "to_quarters": str(after),
    }


def quarters(organisation: Organisation) -> int:
    return DraftHours.objects.get(organisation=organisation).quarters


def test_a_press_adds_time_and_can_be_undone(client: Client, organisation: Organisation) -> None:
    opened = client.post("/hours/2026-04/", {"organisation": str(organisation.pk)})
    assert "0\xa0h\xa000" in opened.content.decode()

    added = client.post("/hours/2026-04/", press(organisation, 0, 2)).content.decode()

    assert quarters(organisation) == 2
    assert "saved, was 0\xa0h\xa000" in added
    assert "Last: +30\xa0min" in added

    client.post("/hours/2026-04/", press(organisation, 2, 0))
    assert quarters(organisation) == 0


def test_what_was_noted_too_much_is_taken_off_days_later(
    client: Client, advisor: Advisor, organisation: Organisation
) -> None:
    factories.draft_hours(advisor, organisation, "2026-04", 3)

    opened = client.post("/hours/2026-04/", {"organisation": str(organisation.pk)})

    page = opened.content.decode()
    assert [f'value="{left}">−' in page for left in (2, 1, -1)] == [True, True, False]
    client.post("/hours/2026-04/", press(organisation, 3, 1))
    assert quarters(organisation) == 1


def test_sending_a_page_twice_adds_once(client: Client, organisation: Organisation) -> None:
    for _ in range(2):
        response = client.post("/hours/2026-04/", press(organisation, 0, 2))
        assert response.status_code == 200

    assert quarters(organisation) == 2


def test_an_old_page_changes_nothing_and_shows_what_there_is(
    client: Client, advisor: Advisor, organisation: Organisation
) -> None:
    factories.draft_hours(advisor, organisation, "2026-04", 9)

    response = client.post("/hours/2026-04/", press(organisation, 2, 3))

    assert response.status_code == 409
    assert "2\xa0h\xa015" in response.content.decode()
    assert quarters(organisation) == 9


@pytest.mark.parametrize("wish", [("0", "-1"), ("0", "9999"), ("x", "1"), ("0", "1.5"), ("", "1")])
def test_odd_numbers_are_refused(
    client: Client, organisation: Organisation, wish: tuple[str, str]
) -> None:
    before, after = wish

    response = client.post(
        "/hours/2026-04/",
        {"organisation": str(organisation.pk), "from_quarters": before, "to_quarters": after},
    )

    assert response.status_code == 400
    assert not DraftHours.objects.exists()


def test_somebody_elses_organisation_is_not_found(
    client: Client, organisation: Organisation
) -> None:
    other = factories.organisation("OTHER", legal_name="Not Yours B.V.")
    factories.assignment(factories.advisor("ADV2"), other)

    for key in (str(other.pk), "nonsense", ""):
        data = press(organisation, 0, 1) | {"organisation": key}
        assert client.post("/hours/2026-04/", data).status_code == 404
    assert "Not Yours" not in client.get("/hours/").content.decode()
    assert not DraftHours.objects.exists()


def test_a_month_is_submitted_and_taken_back_also_without_hours(
    client: Client, advisor: Advisor, organisation: Organisation
) -> None:
    client.post("/hours/2026-03/submit/")
    assert str(MonthSubmission.objects.get(advisor=advisor).month) == "2026-03"
    assert client.post("/hours/2026-03/", press(organisation, 0, 1)).status_code == 400

    client.post("/hours/2026-03/take-back/")
    assert not MonthSubmission.objects.exists()
    assert client.post("/hours/2026-03/", press(organisation, 0, 1)).status_code == 200


@pytest.mark.parametrize("month", ["2026-02", "2026-05", "2020-01", "today", "2026-13"])
def test_only_open_months_exist(client: Client, organisation: Organisation, month: str) -> None:
    factories.closed_month("2026-02")

    assert client.get(f"/hours/{month}/").status_code == 404
    assert client.post(f"/hours/{month}/submit/").status_code == 404
    assert client.get("/hours/2026-03/").status_code == 200


@pytest.mark.attack(14)
def test_the_page_has_no_field_to_type_in(client: Client, organisation: Organisation) -> None:
    pages = [
        client.get("/hours/"),
        client.post("/hours/2026-04/", {"organisation": str(organisation.pk)}),
        client.post("/hours/2026-04/", press(organisation, 0, 2)),
    ]

    for page in pages:
        text = page.content.decode()
        assert "Our Client B.V." in text
        assert set(re.findall(r'<input[^>]*type="(\w+)"', text)) <= {"hidden"}
        assert "<textarea" not in text
        assert "<script" not in text


@pytest.mark.attack(37)
def test_neither_address_nor_session_names_an_organisation(
    client: Client, organisation: Organisation
) -> None:
    client.post("/hours/2026-04/", press(organisation, 0, 2))

    page = client.get("/hours/").content.decode()

    assert not re.search(rf'(href|action)="[^"]*{organisation.pk}', page)
    assert str(organisation.pk) not in str(dict(client.session.items()))


@pytest.mark.attack(21)
def test_no_press_leaves_a_line_in_a_log(
    client: Client, organisation: Organisation, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        assert client.post("/hours/2026-04/", press(organisation, 0, 2)).status_code == 200
        assert client.post("/hours/2026-04/", press(organisation, 1, 3)).status_code == 409
        client.post("/hours/2026-04/submit/")

    assert [record.name for record in caplog.records if record.name != "django.db.backends"] == []


@pytest.mark.parametrize("role", ["planner", "controller", "administrator", "auditor", "contact"])
def test_nobody_but_an_advisor_has_hours(organisation: Organisation, role: str) -> None:
    client = Client()
    client.force_login(factories.user(role))

    assert client.get("/hours/").status_code == 404
    assert client.post("/hours/2026-04/", press(organisation, 0, 1)).status_code == 404


@pytest.mark.parametrize("page", ["/hours/", "/hours/2026-04/"])
def test_an_account_without_an_advisor_reads_one_sentence(page: str) -> None:
    client = Client()
    client.force_login(factories.user("advisor", language="nl"))

    response = client.get(page)

    assert response.status_code == 403
    assert "hoort nog bij geen vertrouwenspersoon" in response.content.decode()
