"""What every page knows besides its own subject."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings

if TYPE_CHECKING:
    from django.http import HttpRequest


def page(request: HttpRequest) -> dict[str, object]:
    """Tell whether to show the strip that says this is no live environment."""
    return {"trial": settings.ENVIRONMENT != "live"}
