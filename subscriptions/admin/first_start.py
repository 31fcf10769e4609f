"""The first start as a page: an empty installation, step by step; keys are tested, never stored."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import messages
from django.core.exceptions import BadRequest
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext

from agency.accounts import signed_in
from agency.admin_base import note
from agency.models import Agency
from agency.today import today
from subscriptions import first_start
from subscriptions.admin.mails import test_to
from subscriptions.mails import KINDS

if TYPE_CHECKING:
    from django.contrib.admin import AdminSite
    from django.http import HttpRequest, HttpResponse

TESTS = ("stripe", "mail")


def show(site: AdminSite, request: HttpRequest) -> HttpResponse:
    """Show the steps, each with the way to take it, or who takes it."""
    steps = first_start.steps(today())
    context = {
        **site.each_context(request),
        "title": gettext("First start"),
        "steps": [(step, _address(step.key), step.key in TESTS) for step in steps],
        "left": sum(not step.is_done for step in steps),
    }
    return TemplateResponse(request, "admin/first_start.html", context)


def _address(key: str) -> str:
    if key == "agency":
        agency = Agency.objects.first()
        page = "admin:agency_agency_change" if agency else "admin:agency_agency_add"
        return reverse(page, args=[agency.pk] if agency else [])
    pages = {"people": "admin:agency_user_add", "clients": "admin:moving_in"}
    return reverse(pages[key]) if key in pages else ""


def test(request: HttpRequest) -> HttpResponse:
    """Test the key of Stripe, or the mail, and note that it went well."""
    what, person = request.POST.get("what"), signed_in(request)
    if what == "mail":
        if test_to(request, KINDS["statement"].sample(person.language)):
            note(request, first_start.MAIL_TESTED, person)
    elif what == "stripe":
        if wrong := first_start.ask_stripe(timezone.now()):
            messages.error(request, wrong)
        else:
            note(request, first_start.STRIPE_TESTED, person)
            messages.success(request, gettext("Stripe answers, and the key reads what it must."))
    else:
        raise BadRequest
    return redirect("admin:first_start")
