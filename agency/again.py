"""Who signed in a while ago is asked once more who it is before money or rights change.

A computer that was left alone, or a cookie that was taken, moves no money by itself. What was
asked is kept meanwhile, in the sealed session, and goes on with one press.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from allauth.account.adapter import get_adapter
from allauth.account.authentication import get_authentication_records
from django.conf import settings
from django.http import QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse

from agency.access import MONEY_AND_RIGHTS
from agency.accounts import signed_in

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

KEPT = "asked_again"


def is_due(request: HttpRequest, name: str) -> bool:
    """Tell whether to ask who it is before a request to the address of a name is admitted.

    Not who has neither a password nor a second step: a demo's colleague, who signs in by a code.
    """
    if request.method != "POST" or not name.startswith(MONEY_AND_RIGHTS):
        return False
    session: Any = request.session
    records = get_authentication_records(request, request.user)
    proven_at = [session.get("began_seconds", 0), *(record["at"] for record in records)]
    is_old = time.time() - max(proven_at) > settings.ACCOUNT_REAUTHENTICATION_TIMEOUT
    return is_old and bool(get_adapter().get_reauthentication_methods(request.user))


def ask(request: HttpRequest) -> HttpResponse:
    """Keep what was asked, and lead to the person's first way to prove who it is."""
    kept = {"address": request.get_full_path(), "sent": request.POST.urlencode()}
    request.session[KEPT] = kept
    (way, *_others) = get_adapter().get_reauthentication_methods(signed_in(request))
    return redirect(f"{way['url']}?{urlencode({'next': reverse('account_go_on')})}")


def go_on(request: HttpRequest) -> HttpResponse:
    """Show what was kept, to be sent after all; a file has to be chosen anew."""
    kept = request.session.pop(KEPT, None)
    if kept is None:
        return redirect("start")
    sent = [
        (name, value)
        for name, values in QueryDict(kept["sent"]).lists()
        for value in values
        if name != "csrfmiddlewaretoken"
    ]
    return render(request, "account/go_on.html", {"address": kept["address"], "sent": sent})
