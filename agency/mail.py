"""Mail that is written to files, for places where none should leave the machine."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from email.utils import parsedate_to_datetime
from pathlib import Path

from django.conf import settings
from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend


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
