"""Mails in one look, and a place for them where none should leave the machine."""

from __future__ import annotations

import re
import uuid
from collections.abc import Sequence
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.mail import EmailMessage
from django.core.mail import EmailMultiAlternatives as Mail
from django.core.mail.backends.base import BaseEmailBackend
from django.template.loader import render_to_string
from django.utils.translation import override

from agency.tokens import in_templates

__all__ = ["FileBackend", "Mail", "compose"]


def compose(template: str, subject: Any, to: list[str], *, language: str, **context: Any) -> Mail:
    """Write a mail as text and as HTML, from the two templates of a name, in one language.

    ``subject`` is a lazy text, which heads both as ``heading``.
    """
    with override(language):
        heading = str(subject)
        given = {"heading": heading, "colour": in_templates(), **context}
        text = re.sub(r"\n{3,}", "\n\n", render_to_string(f"mail/{template}.txt", given))
        message = Mail(heading, text, to=to)
        html = render_to_string(f"mail/{template}.html", given)
        message.attach_alternative(html, "text/html")
    return message


class FileBackend(BaseEmailBackend):
    """Writes each message to an ``.eml`` file of its own, which mail programs can open."""

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        directory = Path(settings.EMAIL_FILE_PATH)  # type: ignore[misc]  # Django names no default
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        for message in email_messages:
            content = message.message()
            sent_at = parsedate_to_datetime(str(content["Date"]))
            name = f"{sent_at:%Y%m%d-%H%M%S}-{uuid.uuid4().hex[:8]}.eml"
            (directory / name).write_bytes(content.as_bytes())
        return len(email_messages)
