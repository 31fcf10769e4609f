"""Reports of errors that hold places in the code, and nothing of what was asked or typed."""

from __future__ import annotations

from typing import Any

from django.views.debug import ExceptionReporter


class PlacesOnly(ExceptionReporter):
    """Django's report, for its debug page and its mails, of frames and kinds only.

    It knows no request, so no address, form, cookie or person; no variable of any frame; and no
    text of an exception, in which a database quotes the row it refuses.
    """

    def __init__(self, request: Any, *error: Any, **options: Any) -> None:
        super().__init__(None, *error, **options)

    def get_traceback_data(self) -> dict[str, Any]:
        told = super().get_traceback_data()
        for frame in told["frames"]:
            cause = frame["exc_cause"]
            frame |= {"vars": [], "exc_cause": type(cause).__name__ if cause else None}
        secret = ("exception_value", "exception_notes", "unicode_hint", "template_info", "settings")
        return told | dict.fromkeys(secret, "")
