"""The client's pages. Each fetches what the person may see, and tells it; foreign is not found."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Max
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext

from agency.accounts import signed_in
from agency.month import Month
from agency.today import today
from subscriptions import (
    contests,
    contracts,
    einvoice,
    indexation_runs,
    payments,
    tier_requests,
)
from subscriptions.agreements import NoPriceError
from subscriptions.models import (
    Invoice,
    Publication,
    RequestState,
    Statement,
    Subscription,
    Tier,
)
from subscriptions.notice import running_term
from subscriptions.portal.employees import counsellors
from subscriptions.portal.forms import TierForm
from subscriptions.portal.orders import valid_orders
from subscriptions.portal.overview import overview
from subscriptions.portal.place import Place, download, of_own_organisation, own_contacts, page
from subscriptions.portal.preview import preview
from workshops.models import Session

if TYPE_CHECKING:
    from uuid import UUID

    from django.db.models import QuerySet
    from django.http import HttpRequest

    from agency.models import Organisation
    from subscriptions.agreements import Contract

WORKBOOK = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def start(request: HttpRequest) -> HttpResponse:
    contacts = own_contacts(request)
    if not contacts:
        raise PermissionDenied(gettext("Your account belongs to no organisation yet."))
    return redirect("portal:overview", contacts[0].organisation_id)


@of_own_organisation
def show_overview(request: HttpRequest, place: Place) -> HttpResponse:
    now = Month.containing(today())
    subscription, contract = _subscription(place.organisation)
    context: dict[str, object] = {"now": now, "advisors": counsellors(place.organisation.pk, now)}
    if subscription and contract:
        statements = _statements(subscription)
        context |= {"overview": overview(contract, statements, now)}
        context |= _terms(subscription, contract)
    return page(
        request, place, "overview", context | {
            "sessions": _sessions(place)[:4],
            "invoices": _invoices(place)[:4],
        }
    )  # fmt: skip


@of_own_organisation
def show_statements(request: HttpRequest, place: Place) -> HttpResponse:
    statements = Statement.objects.filter(organisation=place.organisation).newest()
    listed = statements.select_related("publication").order_by("-from_month")
    return page(request, place, "statements", {"statements": listed})


@of_own_organisation
def download_workbook(request: HttpRequest, place: Place, month: str) -> HttpResponse:
    """Give the workbook of a published month; 404 for a month without a publication."""
    # Workbooks are loaded when they are needed.
    from subscriptions.reports import NothingToReportError, client, files

    publication = get_object_or_404(Publication, month=_month(month))
    try:
        content = client.write(place.organisation, publication.month)
    except NothingToReportError as nothing:
        raise Http404 from nothing
    name = files.client_file_name(place.organisation, publication.month)
    return download(content, WORKBOOK, name)


@of_own_organisation
def show_invoices(request: HttpRequest, place: Place) -> HttpResponse:
    return page(request, place, "invoices", {"invoices": _invoices(place)})


@of_own_organisation
def show_invoice(request: HttpRequest, place: Place, invoice_id: UUID) -> HttpResponse:
    invoice = get_object_or_404(_invoices(place), pk=invoice_id)
    return page(request, place, "invoice", {"invoice": invoice, "lines": invoice.lines.all()})


@of_own_organisation
def download_einvoice(request: HttpRequest, place: Place, invoice_id: UUID) -> HttpResponse:
    """Give the e-invoice of a document; say on its page what one would miss."""
    invoice = get_object_or_404(_invoices(place), pk=invoice_id)
    try:
        return einvoice.download(invoice)
    except einvoice.EInvoiceError as refused:
        messages.error(request, refused.messages[0])
        return redirect("portal:invoice", place.organisation.pk, invoice.pk)


@of_own_organisation
def show_sessions(request: HttpRequest, place: Place) -> HttpResponse:
    """Show the sessions; who has no contract finds no workbook beside statements, but here."""
    context: dict[str, object] = {"sessions": _sessions(place)}
    if context["sessions"] and not place.organisation.subscriptions.exists():
        context["workbook_month"] = Publication.objects.aggregate(last=Max("month"))["last"]
    return page(request, place, "sessions", context)


@of_own_organisation
def show_promise(request: HttpRequest, place: Place) -> HttpResponse:
    return page(request, place, "promise", {})


@of_own_organisation
def show_subscription(request: HttpRequest, place: Place) -> HttpResponse:
    """Show the contract; the owner may ask for another tier, after reading what it would do."""
    subscription, contract = _subscription(place.organisation)
    if not (subscription and contract):
        return page(request, place, "subscription", {})
    now = Month.containing(today())
    tier = contract.tier_in(now)
    asked = request.POST if request.method == "POST" else None
    form = TierForm(asked, now=now, months=contract.months, tier=tier)
    context = _terms(subscription, contract) | {"form": form, "tier": tier}
    if request.method != "POST":
        return page(request, place, "subscription", context)
    if not place.is_owner:
        raise PermissionDenied
    if form.is_valid():
        try:
            shown = preview(contract, form.cleaned_data["tier"], form.cleaned_data["month"])
        except NoPriceError:
            form.add_error("tier", gettext("Our list has no price for it: please ask us."))
    if not form.is_valid():
        return page(request, place, "subscription", context, status=400)
    if "confirm" not in request.POST:
        context |= {"previewed": True, "preview": shown}
        return page(request, place, "subscription", context)
    return _ask(request, place, subscription, form)


def _ask(
    request: HttpRequest, place: Place, subscription: Subscription, form: TierForm
) -> HttpResponse:
    try:
        tier_requests.ask(
            subscription,
            tier=form.cleaned_data["tier"],
            from_month=form.cleaned_data["month"],
            by=signed_in(request),
            on=today(),
        )
    except tier_requests.RequestRefusedError as refused:
        messages.error(request, refused.messages[0])
    else:
        messages.success(
            request, gettext("Your request is with us. Nothing changes until we have confirmed it.")
        )
    return redirect("portal:subscription", place.organisation.pk)


def _subscription(organisation: Organisation) -> tuple[Subscription | None, Contract | None]:
    """Give the newest contract; one that ended still shows its last year.

    One without terms, headcount or price is not ready to be shown, and is none.
    """
    subscription = (
        Subscription.objects.filter(organisation=organisation).order_by("start_month").last()
    )
    if subscription is None:
        return None, None
    contract = contracts.load([organisation.pk]).get(subscription.pk)
    if contract is None:
        return None, None
    month = contract.months.nearest(Month.containing(today()))
    if contract.prices_if_any(contract.year_of(month), contract.tier_in(month)) is None:
        return None, None
    return subscription, contract


def _statements(subscription: Subscription) -> list[Statement]:
    newest = Statement.objects.filter(subscription=subscription).newest()
    return list(newest.order_by("from_month"))


def _terms(subscription: Subscription, contract: Contract) -> dict[str, object]:
    on = today()
    now = max(Month.containing(on), contract.months.from_month)
    current = contract.months.nearest(now)
    year = contract.year_of(current)
    tier = contract.tier_in(current)
    term = running_term(subscription, on=on)
    return {
        "subscription": subscription,
        "tier_label": Tier(tier).label,
        "coming_changes": [
            (month, Tier(wanted).label) for month, wanted in contract.tier_changes if month > now
        ],
        "pauses": [months for months in contract.pauses if months.until > now],
        "year_prices": contract.prices(year, tier),
        "rise": indexation_runs.coming([subscription.pk], after=now).get(subscription.pk),
        "band": contract.band(year, tier),
        "headcount": contract.headcount(current),
        "choices": contract.choices_of(year),
        "term": term,
        "last_day": (term.until_month - 1).last_day,
        "orders": valid_orders(subscription.organisation, now),
        "request_waiting": subscription.tier_requests.filter(state=RequestState.OPEN).first(),
    }


def _invoices(place: Place) -> QuerySet[Invoice]:
    sent = Invoice.objects.visible_to(place.contact.user).filter(payer=place.organisation)
    sent = sent.prefetch_related("lines").order_by("-invoice_on", "-number")
    return contests.with_contests(payments.with_left(sent))


def _sessions(place: Place) -> QuerySet[Session]:
    booked = Session.objects.visible_to(place.contact.user).filter(organisation=place.organisation)
    return booked.select_related("offering").order_by("-starts_at")


def _month(text: str) -> Month:
    try:
        return Month.parse(text)
    except ValueError as error:
        raise Http404 from error
