"""The site of the agency's staff: our own lists only, and a start page that is a work queue."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.core.exceptions import ImproperlyConfigured
from django.urls import reverse
from django.utils.functional import SimpleLazyObject
from django.utils.translation import gettext_lazy as _

from agency.access import HOURS_MODELS
from agency.accounts import signed_in
from agency.today import today

if TYPE_CHECKING:
    from django.db.models import Model
    from django.http import HttpRequest

OUR_APPS = frozenset({"agency", "advisors", "workshops", "subscriptions"})
MENU = (
    (_("Organisations"), "agency_organisation"),
    (_("Advisors"), "advisors_advisor"),
    (_("Sessions"), "workshops_session"),
    (_("Contracts"), "subscriptions_subscription"),
    (_("Invoices"), "subscriptions_invoice"),
    (_("Statements"), "subscriptions_statement"),
)


@dataclass(frozen=True, slots=True)
class Place:
    """A place in the menu; ``current`` is the value of aria-current, empty elsewhere."""

    label: Any
    address: str
    current: str


class StaffSite(admin.AdminSite):
    site_title = site_header = "Discreet"
    index_title = _("Today")
    enable_nav_sidebar = False
    final_catch_all_view = False
    empty_value_display = "–"

    def register(self, model_or_iterable: Any, admin_class: Any = None, **options: Any) -> None:
        """Register our own models; what packages bring is left out, and hours are refused.

        Raises ImproperlyConfigured for hours, which no role reads in the admin.
        """
        models = (
            model_or_iterable if isinstance(model_or_iterable, Iterable) else [model_or_iterable]
        )
        ours = [model for model in models if _options(model).app_label in OUR_APPS]
        if any(_options(model).model_name in HOURS_MODELS for model in ours):
            raise ImproperlyConfigured("Hours are registered nowhere.")
        super().register(ours, admin_class, **options)

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        return super().each_context(request) | {"menu": _menu(request.path)}

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> Any:
        """Work it out where a page shows it: Django asks for it on every one, for a fifth of it."""
        return SimpleLazyObject(partial(super().get_app_list, request, app_label))

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        from subscriptions.admin.figures import figures
        from subscriptions.admin.queue import queue, sentence

        on = today()
        waiting = queue(on, signed_in(request))
        context = {"on": on, "sentence": sentence(on), "queue": waiting, "figures": figures(on)}
        return super().index(request, context | (extra_context or {}))


def _options(model: type[Model]) -> Any:
    return model._meta


def _menu(path: str) -> list[Place]:
    start = reverse("admin:index")
    places = [Place(_("Today"), start, "page" if path == start else "")]
    for label, name in MENU:
        address = reverse(f"admin:{name}_changelist")
        current = "page" if path == address else "true" if path.startswith(address) else ""
        places.append(Place(label, address, current))
    return places
