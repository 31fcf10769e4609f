"""What holds for every page: the log line, caches, sessions, language and the second step."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import translation

from agency.accounts import has_second_step
from agency.models import Role, User
from agency.sessions import browser_of

Handler = Callable[[HttpRequest], HttpResponse]
logger = logging.getLogger(__name__)

# Writing the session at each request would make every page wait for the database's write lock.
NOTE_EVERY_SECONDS = 5 * 60


# The pages of an advisor's visit: until the second step, nobody knows who signs in. And the page
# on which an employee looks up whom to call.
_VISIT = re.compile("/$|/(hours|account|language|info)/")


def tells_no_hours(record: logging.LogRecord) -> bool:
    """Drop what Django says of refused requests on the way to the hours; errors stay."""
    path = getattr(getattr(record, "request", None), "path_info", "")
    return record.levelno >= logging.ERROR or not _VISIT.match(path)


def log_request(get_response: Handler) -> Handler:
    """Write a line for each request, but none on the way to the hours: they tell of a call.

    Nor is there one for signing in and out, as whoever it may be, nor of advisors elsewhere, nor
    for the page on which employees read whom they can turn to.
    `advisors.hours` leaves no trace of recording either.
    """
    for name in ("django.request", "django.security.csrf"):
        logging.getLogger(name).addFilter(tells_no_hours)

    def middleware(request: HttpRequest) -> HttpResponse:
        begun = time.monotonic()
        response = get_response(request)
        if _VISIT.match(request.path_info) or _role(request) == Role.ADVISOR:
            return response  # where an advisor signs in, hours follow
        match = request.resolver_match
        logger.info(
            "request",
            extra={
                "route": match.route if match else None,
                "method": request.method,
                "status": response.status_code,
                "duration_ms": round((time.monotonic() - begun) * 1000),
                "role": _role(request),
            },
        )
        return response

    return middleware


def look_at_nobody(get_response: Handler) -> Handler:
    """Take the cookies off a request for the page for employees, before anything reads them.

    So no session is looked up and no cookie is set, also for who is signed in elsewhere.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        if request.path_info.startswith("/info/"):
            request.META.pop("HTTP_COOKIE", None)
            request.COOKIES = {}
        return get_response(request)

    return middleware


def keep_pages_out_of_caches(get_response: Handler) -> Handler:
    """Let no browser or proxy keep a page, and have the browser forget at signing out."""

    def middleware(request: HttpRequest) -> HttpResponse:
        signed_in_before = request.user.is_authenticated
        response = get_response(request)
        if signed_in_before or request.user.is_authenticated or "Cache-Control" not in response:
            response["Cache-Control"] = "no-store"
        if signed_in_before and not request.user.is_authenticated:
            response["Clear-Site-Data"] = '"cache", "storage"'
        return response

    return middleware


def end_old_sessions(get_response: Handler) -> Handler:
    """Sign out after an idle hour, and after twelve hours whatever happens."""

    def middleware(request: HttpRequest) -> HttpResponse:
        if request.user.is_authenticated:
            _keep_or_end(request, now_seconds=int(time.time()))
        return get_response(request)

    return middleware


def _keep_or_end(request: HttpRequest, *, now_seconds: int) -> None:
    session: Any = request.session
    if "began_seconds" not in session:
        session["browser"] = browser_of(request.headers.get("User-Agent", ""))
    began = session.setdefault("began_seconds", now_seconds)
    seen = session.get("seen_seconds", now_seconds)
    is_idle = now_seconds - seen > settings.SESSION_IDLE_SECONDS
    if is_idle or now_seconds - began > settings.SESSION_COOKIE_AGE:
        logout(request)
    elif "seen_seconds" not in session or now_seconds - seen > NOTE_EVERY_SECONDS:
        session["seen_seconds"] = now_seconds


def speak_the_users_language(get_response: Handler) -> Handler:
    """Use the language on the user's own record, unless this browser chose one."""

    def middleware(request: HttpRequest) -> HttpResponse:
        user = request.user
        if isinstance(user, User) and settings.LANGUAGE_COOKIE_NAME not in request.COOKIES:
            translation.activate(user.language)
            request.LANGUAGE_CODE = user.language
        return get_response(request)

    return middleware


def require_two_steps(get_response: Handler) -> Handler:
    """Send staff and advisors without a second step to set one up first.

    Contacts sign in by a code in their mailbox, see published figures only, and may set up a
    second step if they wish.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        if settings.TWO_STEP_REQUIRED and _lacks_second_step(request):
            return redirect("mfa_index")
        return get_response(request)

    return middleware


def _lacks_second_step(request: HttpRequest) -> bool:
    user = request.user
    if not isinstance(user, User) or user.role == Role.CONTACT:
        return False
    if has_second_step(user):
        return False
    return not request.path.startswith(
        ("/account/", "/language/", "/static/", "/healthz", "/readyz")
    )


def _role(request: HttpRequest) -> str | None:
    user = getattr(request, "user", None)
    return user.role if isinstance(user, User) else None
