"""How people sign in: accounts are made by staff, codes are six digits, mails have our look."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any, cast

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.auth_backends import AuthenticationBackend
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from allauth.mfa.utils import is_mfa_enabled
from django.contrib.auth.backends import ModelBackend
from django.db import models
from django.db.models import Exists, OuterRef
from django.utils import translation

from agency.models import User
from agency.month import AMSTERDAM
from agency.sessions import seal, unseal
from agency.tokens import in_templates

if TYPE_CHECKING:
    from django.core.mail import EmailMessage
    from django.http import HttpRequest


SECOND_STEPS = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)


class _KnowsSecondStep(ModelBackend):
    """Reads with the person of a request whether there is a second step: every page asks both."""

    def get_user(self, user_id: Any) -> User | None:
        step = Authenticator.objects.filter(user=OuterRef("pk"), type__in=SECOND_STEPS)
        person = User.objects.annotate(has_second_step=Exists(step)).filter(pk=user_id).first()
        return person if person and self.user_can_authenticate(person) else None


class ByPassword(_KnowsSecondStep):
    pass


class ByEmail(_KnowsSecondStep, AuthenticationBackend):  # type: ignore[misc]  # allauth has no types
    pass


def has_second_step(person: User) -> bool:
    known: bool | None = getattr(person, "has_second_step", None)
    return bool(is_mfa_enabled(person, types=SECOND_STEPS)) if known is None else known


class Adapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth has no types
    def is_open_for_signup(self, request: HttpRequest) -> bool:
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
            context = {**context, "colour": in_templates()}
            mail: EmailMessage = super().render_mail(template_prefix, email, context, headers)
            return mail


def written(address: str, code: str, *, language: str) -> EmailMessage:
    """Write the mail with a code to sign in, in a language, whoever the address belongs to."""
    with translation.override(language):
        return Adapter().render_mail("account/email/login_code", [address], {"code": code})


class SecondStepAdapter(DefaultMFAAdapter):  # type: ignore[misc]  # allauth has no types
    """Keep authenticators and recovery codes sealed: who copies the database signs in as nobody."""

    def encrypt(self, text: str) -> str:
        return seal(text)

    def decrypt(self, encrypted_text: str) -> str:
        """Open a secret; raises InvalidToken where the key is gone, and nobody signs in by it."""
        return unseal(encrypted_text)


def note_no_time(authenticator: Any) -> None:
    """Stand in for what would note the second at which a second step was taken.

    Advisors record hours soon after they worked them: their sign-ins tell nearly when.
    """


def save_by_the_day(second_step: Any, *args: Any, **kwargs: Any) -> None:
    """Save a second step with the day on which it was set up, and that its codes were seen.

    Neither with the moment: whoever sets one up is about to use it.
    """
    made = second_step.created_at.astimezone(AMSTERDAM)
    second_step.created_at = made.replace(hour=0, minute=0, second=0, microsecond=0)
    if second_step.data.get("viewed_at"):
        second_step.data["viewed_at"] = True
    models.Model.save(second_step, *args, **kwargs)


def signed_in(request: HttpRequest) -> User:
    """Give the person behind a request to a page that requires signing in."""
    return cast("User", request.user)
