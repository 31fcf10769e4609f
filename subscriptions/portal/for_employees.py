"""The client's page about what employees are told, with the poster and the intranet text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext, override

from agency.accounts import signed_in
from agency.month import Month
from agency.today import today
from subscriptions import employee_pages
from subscriptions.models import EmployeePage
from subscriptions.portal import employees
from subscriptions.portal.employees import counsellors
from subscriptions.portal.forms import PageForm
from subscriptions.portal.place import Place, download, of_own_organisation, page

if TYPE_CHECKING:
    from django.http import HttpRequest


@of_own_organisation
def show_employees(request: HttpRequest, place: Place) -> HttpResponse:
    """Show what employees are told; the owner may open a page for them, or close it."""
    now = Month.containing(today())
    form = PageForm(request.POST if request.method == "POST" else None)
    if request.method == "POST":
        if not place.is_owner:
            raise PermissionDenied
        if form.is_valid() and _switch(request, place, form):
            return redirect("portal:employees", place.organisation.pk)
    context = {
        "told": employees.told(counsellors(place.organisation.pk, now), now),
        "languages": employees.LANGUAGES,
        "opened": EmployeePage.objects.filter(organisation=place.organisation).first(),
        "site": settings.SITE_URL,
        "form": form,
    }
    return page(request, place, "employees", context, status=400 if form.errors else 200)


def _switch(request: HttpRequest, place: Place, form: PageForm) -> bool:
    """Do what was asked with the page for employees; tell whether it could be done."""
    on, by = today(), signed_in(request)
    match form.cleaned_data["deed"]:
        case "on":
            employee_pages.switch_on(place.organisation, by=by, on=on)
            messages.success(request, gettext("The page is open to whoever has its link."))
        case "off":
            employee_pages.switch_off(place.organisation, by=by, on=on)
            messages.success(request, gettext("The page is closed. Its link leads nowhere now."))
        case _:
            if not employee_pages.renew(place.organisation, by=by, on=on):
                form.add_error("deed", gettext("The page is closed: open it first."))
                return False
            messages.success(
                request, gettext("The page has another link. The former one leads nowhere now.")
            )
    return True


@of_own_organisation
def print_poster(request: HttpRequest, place: Place, language: str) -> HttpResponse:
    """Give the poster; 404 where nobody is assigned, as there is nobody to name."""
    said = _told_in(place, language)
    content = employees.poster(place.organisation, said, language=language)
    return download(content, "application/pdf", f"poster-{language}.pdf")


@of_own_organisation
def download_intranet(request: HttpRequest, place: Place, language: str) -> HttpResponse:
    said = _told_in(place, language)
    with override(language):
        text = employees.intranet(said)
    return download(text.encode(), "text/html; charset=utf-8", f"intranet-{language}.html")


def _told_in(place: Place, language: str) -> employees.Told:
    now = Month.containing(today())
    assigned = counsellors(place.organisation.pk, now)
    if not assigned or language not in employees.LANGUAGES:
        raise Http404
    return employees.said_in(language, assigned, now)
