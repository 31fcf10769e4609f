"""Everybody sees where they are signed in, and signs out there; nobody sees another's."""

from __future__ import annotations

import pytest
from django.contrib.sessions.models import Session
from django.test import Client

from agency.models import User
from agency.sessions import browser_of, end, mark_of, sessions_of
from tests import factories

pytestmark = pytest.mark.django_db
ADDRESS = "/account/sessions/"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
SAFARI = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Mobile Safari/604.1"
EDGE = "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/140.0 Safari/537.36 Edg/140.0"


def signed_in(person: User, user_agent: str) -> Client:
    browser = Client(headers={"user-agent": user_agent})
    browser.force_login(person)
    browser.get("/")
    return browser


def is_in(browser: Client) -> bool:
    return browser.get(ADDRESS).status_code == 200


@pytest.mark.parametrize(
    ("user_agent", "named"),
    [
        (FIREFOX, "Firefox, Linux"),
        (SAFARI, "Safari, iPhone"),
        (EDGE, "Edge, Windows"),
        ("curl/8", ""),
        ("", ""),
    ],
)
def test_browsers_are_named_as_people_know_them(user_agent: str, named: str) -> None:
    assert browser_of(user_agent) == named


def test_a_person_sees_the_own_sessions_and_ends_one_there() -> None:
    person = factories.user("planner")
    here, there = signed_in(person, FIREFOX), signed_in(person, SAFARI)
    other = signed_in(factories.user("controller"), EDGE)

    page = here.get(ADDRESS).content.decode()
    assert ("Firefox, Linux" in page, "Safari, iPhone" in page) == (True, True)
    assert "Edge" not in page
    assert page.count("Sign out there") == 1

    mark = mark_of(there.session.session_key or "")
    answer = here.post(ADDRESS, {"mark": mark}, follow=True).content.decode()
    assert "Signed out at 1 place." in answer
    assert (is_in(here), is_in(there), is_in(other)) == (True, False, True)


def test_everywhere_else_is_everywhere_but_here() -> None:
    person = factories.user("advisor")
    here, *elsewhere = [signed_in(person, name) for name in (FIREFOX, SAFARI, EDGE)]

    here.post(ADDRESS)

    assert is_in(here)
    assert not any(map(is_in, elsewhere))


def test_nobody_ends_another_persons_session() -> None:
    person, other = factories.user("planner"), factories.user("controller")
    there = signed_in(other, EDGE)
    mark = mark_of(there.session.session_key or "")

    signed_in(person, FIREFOX).post(ADDRESS, {"mark": mark})

    assert is_in(there)
    assert end(person, [mark]) == 0
    assert [session.browser for session in sessions_of(other)] == ["Edge, Windows"]


def test_the_database_tells_nothing_of_it() -> None:
    signed_in(factories.user("advisor"), FIREFOX)

    rows = list(Session.objects.values_list("session_data", flat=True))

    assert rows
    assert not any("Firefox" in row or "began" in row for row in rows)
