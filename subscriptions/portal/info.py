"""The page on which employees read whom they can turn to: nobody signs in, nothing is noted.

It is made without the request, so that it cannot depend on who asks; `agency.middleware` takes the
cookies away before, and writes no line of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.template.loader import render_to_string
from django.utils.translation import override

from agency.month import Month
from agency.today import today
from subscriptions.models import EmployeePage
from subscriptions.portal.employees import counsellors, told

if TYPE_CHECKING:
    from django.http import HttpRequest

HEADERS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex, nofollow",
}


def show(_request: HttpRequest, token: str, language: str) -> HttpResponse:
    """Show the page of a client that has it switched on; 404 as for any other address if not."""
    page = get_object_or_404(EmployeePage, token=token)
    now = Month.containing(today())
    with override(language):
        said = told(counsellors(page.organisation_id, now), now)
        text = render_to_string("info.html", {"told": said, "token": token})
    return HttpResponse(text, headers=HEADERS | {"Content-Language": language})
