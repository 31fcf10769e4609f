"""The date of today, which only the edges may ask for; rules take dates and months as arguments."""

from __future__ import annotations

import datetime as dt

from django.conf import settings
from django.utils import timezone

from agency.month import AMSTERDAM


def today() -> dt.date:
    """Give today's date in Amsterdam, or the date that ``TODAY`` fixes for a demonstration."""
    fixed: dt.date | None = settings.TODAY
    return fixed or timezone.now().astimezone(AMSTERDAM).date()
