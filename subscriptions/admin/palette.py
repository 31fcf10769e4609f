"""The palette of the head: places, deeds and records that a person finds by a few letters.

It shows what the person's role reads and adds (`agency.access`), and searches as the lists do.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.text import capfirst
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from advisors.models import Advisor
from agency.access import ADDRESSES
from agency.accounts import signed_in
from agency.models import Organisation, User
from subscriptions.models import Invoice

if TYPE_CHECKING:
    from django.contrib.admin import AdminSite
    from django.http import HttpRequest

LONGEST_ASKED = 100
LEAST_LETTERS = 2  # of a record: one letter fits nearly all of them
MOST_OF_A_KIND = 5
MOST_PLACES = 8
PAGES = {
    "admin:index": _("Today"),
    "admin:month_list": _("Months"),
    "admin:first_start": _("First start"),
    "admin:mails": _("Mails"),
    "admin:moving_in": _("Read in an agency workbook"),
    "mfa_index": _("Two-step sign-in"),
    "account_sessions": _("Where I am signed in"),
}
RECORDS: tuple[type[Any], ...] = (Organisation, Invoice, Advisor, User)


@dataclass(frozen=True, slots=True)
class Found:
    """A line of the palette: where it leads, and of which kind it is."""

    label: str
    kind: str
    address: str


def find(request: HttpRequest, site: AdminSite, asked: str) -> list[Found]:
    """Give what fits all words of ``asked``: records first, as most people look for those.

    Without a word it gives the places alone. At most five of each kind, and where there are more
    the list that shows them. Costs one statement for each kind of record.
    """
    words = asked[:LONGEST_ASKED].casefold().split()
    records = _records(request, site, " ".join(words)) if words else iter(())
    places = [place for place in _places(request, site) if _fits(place, words)]
    return [*records, *places[:MOST_PLACES]]


def pages(request: HttpRequest) -> list[Found]:
    """Give the pages that belong to no list and that a person may open."""
    role, kind = signed_in(request).role, gettext("page")
    allowed = ((name, title) for name, title in PAGES.items() if role in ADDRESSES[name].readers)
    return [Found(str(title), kind, reverse(name)) for name, title in allowed]


def _fits(place: Found, words: list[str]) -> bool:
    return all(word in place.label.casefold() for word in words)


def _places(request: HttpRequest, site: AdminSite) -> Iterator[Found]:
    """Give the lists and pages that a person may open, then what may be added."""
    models = [model for app in site.get_app_list(request) for model in app["models"]]
    listed, added = gettext("list"), gettext("new")
    yield from pages(request)
    for model in models:
        if model["admin_url"]:
            yield Found(capfirst(model["name"]), listed, model["admin_url"])
    for model in models:
        if model["add_url"]:
            name = model["model"]._meta.verbose_name
            label = gettext("Add %(name)s") % {"name": name}
            yield Found(capfirst(label), added, model["add_url"])


def _records(request: HttpRequest, site: AdminSite, asked: str) -> Iterator[Found]:
    if len(asked) < LEAST_LETTERS:
        return
    for model in RECORDS:
        listed: Any = site.get_model_admin(model)
        if not listed.has_view_permission(request):
            continue
        related = listed.list_select_related or ()
        every = listed.get_queryset(request).select_related(*related)
        rows, _may_repeat = listed.get_search_results(request, every, asked)
        ordered = rows.order_by(*(listed.ordering or model._meta.ordering))
        found = list(ordered[: MOST_OF_A_KIND + 1])
        for row in found[:MOST_OF_A_KIND]:
            yield Found(listed.heading(row), str(model._meta.verbose_name), listed.address(row))
        if len(found) > MOST_OF_A_KIND:
            yield _more(model, asked)


def _more(model: type[Any], asked: str) -> Found:
    """Lead to the list of a kind of record with what was asked for, which shows all of them."""
    meta = model._meta
    address = reverse(f"admin:{meta.app_label}_{meta.model_name}_changelist")
    label = gettext("More %(names)s with “%(asked)s”")
    said = label % {"names": meta.verbose_name_plural, "asked": asked}
    return Found(said, gettext("list"), f"{address}?{urlencode({'q': asked})}")
