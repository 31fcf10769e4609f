"""What a client opens to its employees."""

from __future__ import annotations

import secrets
from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from agency.models import Entity, Organisation

TOKEN_BYTES = 24


def new_token() -> str:
    """Make the part of a link that nobody guesses: 192 random bits in 32 letters."""
    return secrets.token_urlsafe(TOKEN_BYTES)


class EmployeePage(Entity):
    """A client's page for its employees, open to whoever has the link; without a row it is off.

    The token is kept as it is, so that the client can be shown its link again.
    """

    organisation = models.OneToOneField(
        Organisation,
        models.PROTECT,
        related_name="employee_page",
        verbose_name=_("organisation"),
    )
    token = models.CharField(max_length=32, unique=True, default=new_token)

    class Meta:
        verbose_name = _("page for employees")
        verbose_name_plural = _("pages for employees")
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(token__regex=r"^[A-Za-z0-9_-]{32}$"),  # noqa: S106  a form
                name="employee_page_has_a_link_that_nobody_guesses",
            )
        ]

    def __str__(self) -> str:
        return str(self.organisation)
