"""How people sign in: accounts are made by staff, codes are six digits, mails have our look."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

from allauth.account.adapter import DefaultAccountAdapter
from django.utils import translation

from agency.models import User
from agency.tokens import light

if TYPE_CHECKING:
    from django.core.mail import EmailMessage
    from django.http import HttpRequest


class Adapter(DefaultAccountAdapter):
    def is_open_for_signup(self, request: HttpRequest) -> bool:  # noqa: ARG002  # allauth calls it so
        return False

    def generate_login_code(self) -> str:
        return f"{secrets.randbelow(1_000_000):06d}"

    def render_mail(
        self,
        template_prefix: str,
        email: str | list[str],
        context: dict[str, Any],
        headers: dict[str, str] | None = None,
    ) -> EmailMessage:
        """Write a mail in the language of the person it goes to, where that is known."""
        known = User.objects.filter(email=email).first() if isinstance(email, str) else None
        language = known.language if known else translation.get_language()
        with translation.override(language):
            return super().render_mail(
                template_prefix, email, {**context, "colour": _colours()}, headers
            )


def _colours() -> dict[str, str]:
    return {name.replace("-", "_"): value for name, value in light().items()}
