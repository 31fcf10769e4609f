"""An agency is read in by the browser: first looked at, then for good, and kept nowhere between."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from pytest_django import Settings

from advisors.models import DraftHours, MonthHours
from agency.models import Agency, AuditEvent, Organisation, User
from subscriptions import intake
from subscriptions.admin import moving_in
from tests import factories as make
from tests.agency_workbook import BROKEN, save, small_agency

PAGE, READ = "/admin/moving-in/", "/admin/moving-in/read/"

pytestmark = pytest.mark.django_db


@pytest.fixture
def administrator() -> Client:
    browser = Client(headers={"accept-language": "en"})
    browser.force_login(make.user("administrator", language="en"))
    return browser


@pytest.fixture
def small(tmp_path: Path) -> bytes:
    return save(tmp_path / "small.xlsx", small_agency()).read_bytes()


def send(administrator: Client, content: bytes, digest: str = "") -> Any:
    """Send a workbook; give the page that follows."""
    sent = {"workbook": SimpleUploadedFile("agency.xlsx", content), "digest": digest}
    return administrator.post(READ, sent, follow=True)


def text(answer: Any) -> str:
    said = re.sub(r"<[^>]*>", " ", answer.content.decode().split("<main")[1])
    return re.sub(r"\s+", " ", said)


def digest(answer: Any) -> str:
    (found,) = re.findall(r'name="digest" value="(\w+)"', answer.content.decode())
    return str(found)


def is_nothing_here() -> bool:
    return not any(
        model.objects.exists() for model in (Agency, Organisation, MonthHours, DraftHours)
    )


def test_what_was_looked_at_is_read_in_and_nothing_before(
    administrator: Client, small: bytes
) -> None:
    assert "Fetch the empty workbook" in text(administrator.get(PAGE))

    looked = send(administrator, small)

    assert "organisations 3 " in text(looked)
    assert is_nothing_here()

    done = send(administrator, small, digest(looked))

    assert done.redirect_chain == [(PAGE, 302)]
    assert "The agency is read in" in text(done)
    assert Organisation.objects.count() == 3
    assert DraftHours.objects.exists() or MonthHours.objects.exists()
    event = AuditEvent.objects.get(action="read in")
    assert (event.subject_model, event.fields) == ("agency.agency", "")


def test_another_file_than_was_looked_at_is_not_read_in(
    administrator: Client, small: bytes, tmp_path: Path
) -> None:
    looked = send(administrator, small)
    other = small_agency()
    other["organisations"][0]["city"] = "Elsewhere"

    refused = send(administrator, save(tmp_path / "other.xlsx", other).read_bytes(), digest(looked))

    assert "not the file that was looked at" in text(refused)
    assert is_nothing_here()


def test_problems_stand_in_their_place_as_the_command_says_them(administrator: Client) -> None:
    page = text(send(administrator, BROKEN.read_bytes()))

    outcome = intake.bring_in(BROKEN)
    assert f"{len(outcome.problems)} problems; nothing was written" in page
    assert "This is not a whole number." in page
    assert 'name="digest" value="' not in page
    assert is_nothing_here()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "The file is empty."),
        (b"kind,of;text", "not an Excel workbook"),
        (bytes.fromhex("d0cf11e0a1b11ae1"), "has a password or is of an old kind"),
    ],
)
def test_what_is_no_workbook_takes_one_sentence(
    administrator: Client, content: bytes, said: str
) -> None:
    assert said in text(send(administrator, content))


def test_no_file_and_one_that_is_too_large_are_told_at_the_field(
    administrator: Client, settings: Settings
) -> None:
    assert "Choose the workbook." in text(administrator.post(READ))
    settings.FILE_UPLOAD_MAX_MEMORY_SIZE = 10
    assert "too large to be an agency workbook" in text(send(administrator, b"more than ten bytes"))


def test_of_very_many_problems_the_first_lines_are_shown(
    administrator: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(moving_in, "MOST_LINES_SHOWN", 3)
    page = send(administrator, BROKEN.read_bytes())
    assert page.content.count(b'<tr><th scope="row"') < 3 + 3 + 1
    assert "lines more: mend these first" in text(page)


@pytest.mark.attack(16, 17, 43)
def test_the_answer_holds_no_hours_and_the_file_is_kept_nowhere(
    administrator: Client, tmp_path: Path, settings: Settings
) -> None:
    """The database is searched by the canary; here what a browser is told, and where it is read."""
    agency = small_agency()
    for row in agency["hours"]:
        row["hours"] = 19.25
    content = save(tmp_path / "agency.xlsx", agency).read_bytes()

    looked = send(administrator, content)
    done = send(administrator, content, digest(looked))

    for answer in (looked, done):
        assert not re.search(r"19[.,]25|\b77\b", text(answer))
    assert len(str(dict(administrator.session))) < 1000
    in_memory = "django.core.files.uploadhandler.MemoryFileUploadHandler"
    assert [in_memory] == settings.FILE_UPLOAD_HANDLERS


@pytest.mark.attack(17, 43)
def test_once_a_client_is_here_no_workbook_is_held_to_the_hours(
    administrator: Client, small: bytes, tmp_path: Path
) -> None:
    """Else somebody could ask, workbook by workbook, whether hours are as supposed."""
    path = tmp_path / "held.xlsx"
    path.write_bytes(small)
    intake.bring_in(path)
    other = small_agency()
    other["hours"][0]["hours"] = 2.5
    changed = save(tmp_path / "other.xlsx", other).read_bytes()

    answers = {text(send(administrator, content)) for content in (small, changed, b"no workbook")}

    assert len(answers) == 1
    assert "An agency is here already: nothing was written." in answers.pop()


def test_an_agency_set_up_otherwise_than_the_workbook_says_is_told_by_sheet(
    administrator: Client, small: bytes
) -> None:
    agency = make.agency()
    assert "agency here already price_book 4 " in text(send(administrator, small))
    Agency.objects.filter(pk=agency.pk).update(city="Elsewhere")
    assert "agency – – What was set up here says something else" in text(send(administrator, small))


def test_the_empty_workbook_comes_out(administrator: Client) -> None:
    assert administrator.get(f"{PAGE}template/").content == intake.empty_workbook()
    assert User.objects.count() == 1
