"""The start, which leads each person to their own pages, and what each may choose."""

from __future__ import annotations

from typing import TYPE_CHECKING

from allauth.account.views import password_change
from django.conf import settings
from django.contrib import messages
from django.http import Http404
from django.shortcuts import redirect, render
from django.utils.translation import ngettext
from django.views.i18n import set_language as set_language_cookie

from agency.accounts import signed_in
from agency.models import Role, User
from agency.sessions import end, mark_of, sessions_of

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

STARTS = {Role.ADVISOR: "/hours/", Role.CONTACT: "/portal/"}


def start(request: HttpRequest) -> HttpResponse:
    """Lead advisors to their hours, contacts to the portal and staff to the admin."""
    return redirect(STARTS.get(Role(signed_in(request).role), "/admin/"))


def change_password(request: HttpRequest) -> HttpResponse:
    """Let a person who has a password change it; the others sign in by a code and find nothing."""
    if not signed_in(request).has_usable_password():
        raise Http404
    answer: HttpResponse = password_change(request)
    return answer


def sessions(request: HttpRequest) -> HttpResponse:
    """Show a person where they are signed in, and sign them out there."""
    this = mark_of(request.session.session_key or "")
    own = sessions_of(request.user)
    if request.method == "POST":
        asked = request.POST.getlist("mark") or [one.mark for one in own if one.mark != this]
        if ended := end(request.user, asked):
            text = ngettext("Signed out at %(n)s place.", "Signed out at %(n)s places.", ended)
            messages.success(request, text % {"n": ended})
        return redirect("account_sessions")
    return render(request, "account/sessions.html", {"own": own, "this": this})


def set_language(request: HttpRequest) -> HttpResponse:
    """Choose the language of the pages, and for who is signed in also that of mails."""
    language = request.POST.get("language")
    if isinstance(request.user, User) and language in dict(settings.LANGUAGES):
        User.objects.filter(pk=request.user.pk).update(language=language)
    return set_language_cookie(request)
