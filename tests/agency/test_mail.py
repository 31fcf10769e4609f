"""Mail that stays on the machine lands in files which mail programs open."""

from __future__ import annotations

from email import message_from_bytes
from email.policy import default
from pathlib import Path

import pytest
from django.core.mail import EmailMultiAlternatives, get_connection
from pytest_django.fixtures import Settings

BACKEND = "agency.mail.FileBackend"


def test_each_message_is_a_file_of_its_own(settings: Settings, tmp_path: Path) -> None:
    settings.EMAIL_FILE_PATH = tmp_path / "mail"
    messages = [
        EmailMultiAlternatives("Uw code", f"Code {number}", "a@b.example", ["c@d.example"])
        for number in range(3)
    ]
    messages[0].attach_alternative("<p>Code 0</p>", "text/html")

    assert get_connection(BACKEND).send_messages(messages) == 3

    files = sorted((tmp_path / "mail").glob("*.eml"))
    found = [message_from_bytes(file.read_bytes(), policy=default) for file in files]
    assert {message["Subject"] for message in found} == {"Uw code"}
    assert {_text(message) for message in found} == {"Code 0", "Code 1", "Code 2"}


def _text(message: object) -> str:
    body = message.get_body(("plain",))  # type: ignore[attr-defined]
    return str(body.get_content()).rstrip()


@pytest.mark.skipif("os.name != 'posix'")
def test_only_the_owner_reads_the_folder(settings: Settings, tmp_path: Path) -> None:
    settings.EMAIL_FILE_PATH = tmp_path / "mail"
    get_connection(BACKEND).send_messages([EmailMultiAlternatives("a", "b", "c@d.e", ["f@g.h"])])
    assert (tmp_path / "mail").stat().st_mode & 0o077 == 0
