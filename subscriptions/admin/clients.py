"""The list of clients with what is agreed and left to pay, of which the clients' app knows nothing.

All of it comes within the statement that reads the rows of a page.
"""

from __future__ import annotations

from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.contrib import admin
from django.db.models import OuterRef
from django.utils.text import capfirst
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from agency.admin import Clients, OrganisationAdmin
from agency.bulk import as_json
from agency.models import Organisation
from agency.month import Month
from agency.templatetags.figures import amount, badge, day, month
from agency.today import today
from subscriptions import contracts, payments
from subscriptions.agreements import Choices
from subscriptions.contracts import Version
from subscriptions.models import Invoice, InvoiceKind, InvoiceState, Subscription, Terms, Tier

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest
    from django.utils.safestring import SafeString

    from agency.paging import PagedList
    from subscriptions.agreements import Contract

_OF_CONTRACT = ("pk", "start_month", "until_month", "year_starts_in", "first_run", "reported_until")


class ClientList(Clients):
    """Has each client of the page tell of its contracts."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        now = Month.containing(today())
        for client in self.result_list:
            client.contract = _contract(client, now)


def _told(clients: QuerySet[Any]) -> QuerySet[Any]:
    """Have clients tell of their contracts, and of what they left unpaid."""
    agreed = Terms.objects.filter(subscription__organisation=OuterRef("pk"))
    asked = Invoice.objects.filter(
        payer=OuterRef("pk"), state=InvoiceState.OPEN, kind=InvoiceKind.INVOICE
    )
    told: QuerySet[Any] = clients.annotate(
        said_contracts=as_json(
            Subscription.objects.filter(organisation=OuterRef("pk")), *_OF_CONTRACT
        ),
        said_terms=as_json(agreed, "subscription", "from_month", "reason", "tier"),
        said_left=as_json(payments.with_left(asked), "left"),
    )
    return told


def _contract(client: Any, now: Month) -> Contract | None:
    """Give the contract that runs, else the one to come, else the last one there was."""
    rows = [
        Subscription(
            pk=UUID(key),
            organisation_id=client.pk,
            start_month=Month(start),
            until_month=None if until is None else Month(until),
            year_starts_in=year_starts_in,
            first_run=Month(first_run),
            reported_until=Month(reported_until),
        )
        for key, start, until, year_starts_in, first_run, reported_until in sorted(
            client.said_contracts, key=itemgetter(1)
        )
    ]
    versions = {
        UUID(key): [
            Version(reason, tier, Choices(Month(from_month)))
            for _key, from_month, reason, tier in said
        ]
        for key, said in groupby(sorted(client.said_terms), itemgetter(0))
    }
    agreed = contracts.outlines(rows, versions)
    found = [contract for _row, contract in agreed]
    running = [contract for contract in found if now in contract.months]
    return next(iter(running or found[-1:]), None)


@admin.display(description=_("tier"))
def tier(client: Any) -> str:
    now = Month.containing(today())
    if client.contract is None:
        return ""
    return capfirst(str(Tier(client.contract.tier_in(client.contract.months.nearest(now))).label))


@admin.display(description=_("left to pay in €"))
def left_cents(client: Any) -> str:
    cents = sum(left for (left,) in client.said_left)
    return amount(cents) if cents else ""


@admin.display(description=_("contract"))
def standing(client: Any) -> SafeString | str:
    """Say where the contract stands; with an end that is agreed, when that is."""
    if client.contract is None:
        return badge(gettext("none"))
    months, now = client.contract.months, Month.containing(today())
    if months.from_month > now:
        return badge(gettext("from %(month)s") % {"month": month(months.from_month)}, "way")
    if months.until_month is None:
        return badge(gettext("in force"), "good")
    if months.until_month <= now:
        return badge(gettext("ended on %(day)s") % {"day": day((months.until_month - 1).last_day)})
    return badge(
        gettext("ends on %(day)s") % {"day": day((months.until_month - 1).last_day)}, "way"
    )


admin.site.unregister(Organisation)


@admin.register(Organisation)
class ClientAdmin(OrganisationAdmin):
    list_display = ("legal_name", "code", "city", tier, left_cents, standing)  # type: ignore[assignment]  # columns of ours

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[PagedList]:
        return ClientList

    def get_paginator(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        paginator = super().get_paginator(request, *args, **kwargs)
        paginator.rows = _told(paginator.rows)
        return paginator
