"""The one place that asks for the date: edges call it, rules take the date as an argument."""

from __future__ import annotations

import datetime as dt

from django.conf import settings
from django.utils import timezone

from agency.month import day_of


def today() -> dt.date:
    """Give the date in Amsterdam, or `TODAY` where the demo keeps its clock still."""
    return settings.TODAY or day_of(timezone.now())
