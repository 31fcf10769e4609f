"""The mails as they go out, to be looked at in both languages, and sent to oneself as a test.

A mail's colours stand in attributes, as mail programs read no style sheet. So its body is a page of
its own in a frame without scripts, forms or an origin, that loads nothing from anywhere; only its
attributes may bear styles.
"""

from __future__ import annotations

from smtplib import SMTPException
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from csp.constants import NONE, SELF, UNSAFE_INLINE
from csp.decorators import csp, csp_update
from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext

from agency.accounts import signed_in
from subscriptions.mails import KINDS

if TYPE_CHECKING:
    from django.contrib.admin import AdminSite
    from django.core.mail import EmailMessage
    from django.http import HttpRequest

FRAMED = {
    "default-src": [NONE],
    "style-src-attr": [UNSAFE_INLINE],
    "frame-ancestors": [SELF],
    "sandbox": True,
}


def _asked(given: Any) -> tuple[str, str]:
    """Give the kind and the language that are asked for; raises Http404 for others."""
    kind, language = given.get("mail", ""), given.get("language", settings.LANGUAGE_CODE)
    if kind not in KINDS or language not in dict(settings.LANGUAGES):
        raise Http404
    return kind, language


def _html(message: EmailMessage) -> str:
    (html,) = [part[0] for part in getattr(message, "alternatives", [])]
    return str(html)


with_frame = csp_update({"frame-src": [SELF]})


def show(site: AdminSite, request: HttpRequest) -> HttpResponse:
    """List the mails, or show one of them."""
    context = {**site.each_context(request), "title": gettext("Mails"), "kinds": KINDS}
    if "mail" in request.GET:
        kind, language = _asked(request.GET)
        context |= {
            "title": KINDS[kind].name,
            "kind": kind,
            "told": KINDS[kind].told,
            "language": language,
            "languages": settings.LANGUAGES,
            "message": KINDS[kind].sample(language),
            "from_email": settings.DEFAULT_FROM_EMAIL,
            "own": signed_in(request).email,
        }
    return TemplateResponse(request, "admin/mails.html", context)


@csp(FRAMED)
def body(request: HttpRequest) -> HttpResponse:
    """Give the HTML of a sample, for the frame."""
    kind, language = _asked(request.GET)
    html = _html(KINDS[kind].sample(language))
    return HttpResponse(html, headers={"X-Frame-Options": "SAMEORIGIN"})


def send(request: HttpRequest) -> HttpResponse:
    """Send a sample to the person who asks, and to nobody else."""
    kind, language = _asked(request.GET)
    test_to(request, KINDS[kind].sample(language))
    query = urlencode({"mail": kind, "language": language})
    return redirect(f"{reverse('admin:mails')}?{query}")


def test_to(request: HttpRequest, message: EmailMessage) -> bool:
    """Send a message to the person behind a request; tell them, and whether it was taken."""
    message.to = [signed_in(request).email]
    message.subject = f"[Test] {message.subject}"
    try:
        message.send()
    except (SMTPException, OSError):
        text = gettext("The mail server did not take it. See to EMAIL_URL, and try again.")
        messages.error(request, text)
        return False
    text = gettext("A test is on its way to %(address)s.") % {"address": message.to[0]}
    messages.success(request, text)
    return True
