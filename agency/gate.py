"""The gate before every view: the role matrix, and a ledger that no request reads but its own.

One middleware holds both, so that a page is guarded before a line of it is written.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed

from agency import again
from agency.access import ADDRESSES, ANONYMOUS, CLOSED_TO_CLIENTS, LEDGER, READ_THE_LEDGER
from agency.models import Role, User

Handler = Callable[[HttpRequest], HttpResponse]
METHODS = ("GET", "HEAD", "POST")
LEDGER_TABLE = re.compile("|".join(sorted(CLOSED_TO_CLIENTS)))


class LedgerReadError(RuntimeError):
    """A request asked the database for hours; its message names the table and nothing else."""


class Gate:
    """Admit a request by `agency.access`, and watch every statement it sends to the database."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        def watch(execute: Callable[..., Any], sql: Any, *args: Any) -> Any:
            for table in LEDGER_TABLE.findall(str(sql).lower()):  # about 5 microseconds
                if is_closed(table, request):
                    raise LedgerReadError(table)
            return execute(sql, *args)

        with connection.execute_wrapper(watch):
            return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Any, args: Any, kwargs: Any
    ) -> HttpResponse | None:
        """Answer in the view's place unless the matrix admits the role with this method.

        An address that a role may not use at all is not found, as if it did not exist; who is not
        signed in is led to do so. Colleagues are told that another role may.
        """
        role, name, method = role_of(request), name_of(request), request.method or ""
        address = ADDRESSES.get(name)
        if address is None:
            raise Http404
        if role in address.admits(method):
            return again.ask(request) if again.is_due(request, name) else None
        if role not in address.readers | address.writers:
            return _turn_away(request, role, name)
        if address.admits(method):
            raise PermissionDenied
        return HttpResponseNotAllowed([known for known in METHODS if role in address.admits(known)])


def _turn_away(request: HttpRequest, role: str, name: str) -> HttpResponse:
    is_machine = request.path.startswith("/api/")
    if role == ANONYMOUS and not is_machine:
        return redirect_to_login(request.get_full_path())
    if role == ANONYMOUS or (role in Role.staff and name.startswith("admin:")):
        raise PermissionDenied
    raise Http404


def is_closed(table: str, request: HttpRequest) -> bool:
    """Tell whether a request may not touch a table of hours, or of who handed them in."""
    role = role_of(request)
    if role in READ_THE_LEDGER.get(name_of(request), ()):
        return False
    return table in LEDGER or role in {Role.CONTACT, ANONYMOUS} or _is_portal(request)


def _is_portal(request: HttpRequest) -> bool:
    return request.path.startswith("/portal/")


def role_of(request: HttpRequest) -> str:
    user = getattr(request, "user", None)
    return user.role if isinstance(user, User) else ANONYMOUS


def name_of(request: HttpRequest) -> str:
    """Give the name of the address of a request; empty until it is known."""
    match = request.resolver_match
    return match.view_name if match else ""
