"""The site of the agency's staff: our own lists only, and a start page that is a work queue."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.core.exceptions import BadRequest, ImproperlyConfigured, PermissionDenied
from django.http import QueryDict
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.functional import SimpleLazyObject
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from agency import saved_filters
from agency.access import HOURS_MODELS
from agency.accounts import signed_in
from agency.models import Role
from agency.today import today

if TYPE_CHECKING:
    from django.db.models import Model
    from django.http import HttpRequest, HttpResponse

OUR_APPS = frozenset({"agency", "advisors", "workshops", "subscriptions"})
MENU = (
    (_("Organisations"), "agency_organisation_changelist"),
    (_("Advisors"), "advisors_advisor_changelist"),
    (_("Sessions"), "workshops_session_changelist"),
    (_("Invoices"), "subscriptions_invoice_changelist"),
    (_("Months"), "month_list"),
)
MOST_LISTED = 12  # of an app on the start page; of more, those that people open most
OPENED = frozenset({
    *("contest", "headcountdeclaration", "invoice", "mandate", "pricebook", "purchaseorder"),
    *("quote", "receipt", "reminder", "statement", "subscription", "tierchangerequest"),
})  # fmt: skip


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

    def get_urls(self) -> list[Any]:
        """Add pages that belong to no list: months, search, filters, and a client's own page.

        A client's page tells of contracts, of which the client's app knows nothing; Django would
        lead its address to the form.
        """
        from subscriptions.admin import first_start, mails, months, moving_in
        from subscriptions.admin.client_page import show

        view, client = self.admin_view, "agency/organisation/<uuid:object_id>/"
        come_in, read_in = partial(moving_in.show, self), partial(moving_in.read, self)
        return [
            *months.addresses(self),
            path("find/", view(self.find), name="find"),
            path("filters/", view(self.save_filters), name="filters"),
            path(client, view(partial(show, self)), name="agency_organisation_overview"),
            path("first-start/", view(partial(first_start.show, self)), name="first_start"),
            path("first-start/test/", view(first_start.test), name="first_start_test"),
            path("mails/", view(mails.with_frame(partial(mails.show, self))), name="mails"),
            path("mails/body/", view(mails.body), name="mails_body"),
            path("mails/send/", view(mails.send), name="mails_send"),
            path("moving-in/", view(come_in), name="moving_in"),
            path("moving-in/read/", view(read_in), name="moving_in_read"),
            path("moving-in/template/", view(moving_in.template), name="moving_in_template"),
            *super().get_urls(),
        ]

    def save_filters(self, request: HttpRequest) -> HttpResponse:
        """Save the filters of a list under a name, or forget them, and lead back to the list."""
        listed = {page.opts.label_lower: page for page in self._registry.values()}
        page = listed.get(request.POST.get("listed", ""))
        if page is None:
            raise BadRequest
        if not page.has_view_permission(request):
            raise PermissionDenied
        label, person = page.opts.label_lower, signed_in(request)
        query = saved_filters.query_of(QueryDict(request.POST.get("query", "")))
        form = saved_filters.NameForm(request.POST)
        if "forget" in request.POST:
            saved_filters.forget(person, label, query)
        elif query and form.is_valid():
            saved_filters.save(person, label, query, **form.cleaned_data)
        else:
            messages.error(request, gettext("Give these filters a name of at most 40 letters."))
        name = f"admin:{page.opts.app_label}_{page.opts.model_name}_changelist"
        return redirect(f"{reverse(name)}?{query}")

    def find(self, request: HttpRequest) -> HttpResponse:
        """Show what fits the letters asked for; the only one that does is opened at once.

        With ``part`` it gives the list alone, for the script that shows it while one types.
        """
        from subscriptions.admin.palette import find

        asked = request.GET.get("q", "").replace("\0", "")
        found = find(request, self, asked)
        if "part" in request.GET:
            return TemplateResponse(request, "admin/found.html", {"found": found})
        if asked and len(found) == 1:
            return redirect(found[0].address)
        shown = {"title": gettext("Search"), "asked": asked, "found": found}
        return TemplateResponse(request, "admin/find.html", self.each_context(request) | shown)

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        return super().each_context(request) | {"menu": _menu(request.path), "asked": ""}

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> Any:
        """Work it out where a page shows it: Django asks for it on every one, for a fifth of it."""
        return SimpleLazyObject(partial(self._app_list, request, app_label))

    def _app_list(self, request: HttpRequest, app_label: str | None) -> list[Any]:
        """Name in each app the lists that people open; of many, the others come folded away."""
        apps = super().get_app_list(request, app_label)
        for app in apps:
            models = app["models"]
            opened = [each for each in models if each["model"]._meta.model_name in OPENED]
            app["opened"] = opened if len(models) > MOST_LISTED else models
            app["others"] = [each for each in models if each not in app["opened"]]
        return list(apps)

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        from advisors.hours import first_open_month
        from subscriptions import first_start
        from subscriptions.admin.figures import figures
        from subscriptions.admin.palette import pages
        from subscriptions.admin.queue import queue, sentence

        on = today()
        person, open_month = signed_in(request), first_open_month()
        context = {
            "on": on,
            "sentence": sentence(on, open_month),
            "queue": queue(on, person, open_month),
            "figures": figures(on),
            "pages": pages(request),
            "is_first": person.role == Role.ADMINISTRATOR and not first_start.is_over(),
        }
        return super().index(request, context | (extra_context or {}))


def _options(model: type[Model]) -> Any:
    return model._meta


def _menu(here: str) -> list[Place]:
    start = reverse("admin:index")
    places = [Place(_("Today"), start, "page" if here == start else "")]
    for label, name in MENU:
        address = reverse(f"admin:{name}")
        current = "page" if here == address else "true" if here.startswith(address) else ""
        places.append(Place(label, address, current))
    return places
