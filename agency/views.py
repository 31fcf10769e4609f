"""The start, which leads each person to their own pages, and what each may choose."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from allauth.account import views as account
from django.conf import settings
from django.contrib.auth.decorators import login_not_required, login_required
from django.http import Http404
from django.shortcuts import redirect
from django.views.decorators.http import require_POST, require_safe
from django.views.i18n import set_language as set_language_cookie

from agency.accounts import signed_in
from agency.models import Role, User

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

STARTS = {Role.ADVISOR: "/hours/", Role.CONTACT: "/portal/"}


@require_safe
@login_required
def start(request: HttpRequest) -> HttpResponse:
    """Lead advisors to their hours, contacts to the portal and staff to the admin."""
    return redirect(STARTS.get(Role(signed_in(request).role), "/admin/"))


@login_required
def change_password(request: HttpRequest) -> HttpResponse:
    """Change the own password; not found for those who have none: a code by mail signs them in."""
    if not signed_in(request).has_usable_password():
        raise Http404
    return cast("HttpResponse", account.password_change(request))


@require_POST
@login_not_required
def set_language(request: HttpRequest) -> HttpResponse:
    """Choose the language of the pages, and for who is signed in also that of mails."""
    language = request.POST.get("language")
    if isinstance(request.user, User) and language in dict(settings.LANGUAGES):
        User.objects.filter(pk=request.user.pk).update(language=language)
    return set_language_cookie(request)
