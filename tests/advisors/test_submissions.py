"""Counsellors who are missing are asked by mail, once; the mail tells nothing of their work."""

from __future__ import annotations

import pytest
from django.core import mail
from django.core.mail import EmailMultiAlternatives
from django.test import Client
from django_q.models import OrmQ

from advisors import submissions, tasks
from advisors.models import Advisor
from agency.month import Month
from tests import factories
from tests.browsers import as_

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("on_8_april_2026")]
MARCH = Month.of(2026, 3)
REMIND = "/admin/months/2026-03/do/remind/"


@pytest.fixture
def counsellors() -> list[Advisor]:
    """Give one who worked, one who did not, one who submitted, and one who left."""
    client = factories.organisation()
    factories.price_book()
    factories.headcount(client, 100)
    factories.subscription(client, "2026-01")
    factories.closed_month("2026-02")
    made = []
    for number in range(4):
        user = factories.user("advisor", email=f"a{number}@advisors.example", language="en")
        made.append(factories.advisor(f"A{number}", user=user))
        factories.assignment(made[-1], client)
    factories.draft_hours(made[0], client, "2026-03", quarters=12)
    factories.month_submission(made[2], "2026-03")
    type(made[3].user).objects.filter(pk=made[3].user.pk).update(is_active=False)
    return made


def test_who_is_missing_is_asked_once_an_hour(
    counsellors: list[Advisor],
) -> None:
    assert submissions.remind(MARCH) == 2
    assert submissions.remind(MARCH) == 0
    assert OrmQ.objects.count() == 2


def test_the_mail_is_the_same_for_who_has_hours_and_who_has_none(
    counsellors: list[Advisor],
) -> None:
    for advisor in counsellors:
        tasks.mail_missing(str(advisor.pk), str(MARCH))

    assert [message.to for message in mail.outbox] == [[f"a{n}@advisors.example"] for n in (0, 1)]
    first, second = (message for message in mail.outbox)
    assert isinstance(first, EmailMultiAlternatives)
    assert isinstance(second, EmailMultiAlternatives)
    assert (first.subject, first.body) == (second.subject, second.body)
    assert first.alternatives == second.alternatives
    assert "You have not submitted March yet" in first.body
    assert "/hours/2026-03/" in first.body


def test_nobody_is_asked_for_a_month_that_is_closed_meanwhile(counsellors: list[Advisor]) -> None:
    factories.closed_month("2026-03")

    tasks.mail_missing(str(counsellors[0].pk), str(MARCH))
    assert submissions.remind(MARCH) == 0
    assert mail.outbox == []


@pytest.mark.parametrize(("role", "status"), [("planner", 302), ("auditor", 403)])
def test_a_planner_asks_from_the_page_of_the_month(
    counsellors: list[Advisor], role: str, status: int
) -> None:
    browser: Client = as_(role)
    page = browser.get("/admin/months/2026-03/complete/").content.decode()
    assert (REMIND in page) == (role == "planner")

    assert browser.post(REMIND).status_code == status
