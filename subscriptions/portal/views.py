"""The client's pages. Each fetches what the person may see, and tells it; foreign is not found."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Max, Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext, override

from agency.accounts import signed_in
from agency.models import Contact, ContactRole
from agency.month import Month
from agency.today import today
from subscriptions import (
    contests,
    contracts,
    einvoice,
    employee_pages,
    indexation_runs,
    payments,
    tier_requests,
)
from subscriptions.agreements import NoPriceError
from subscriptions.models import (
    EmployeePage,
    Invoice,
    InvoiceState,
    Publication,
    PurchaseOrder,
    RequestState,
    Statement,
    Subscription,
    Tier,
)
from subscriptions.notice import running_term
from subscriptions.orders import with_budget_left
from subscriptions.portal import employees
from subscriptions.portal.employees import counsellors
from subscriptions.portal.forms import PageForm, TierForm
from subscriptions.portal.overview import overview
from subscriptions.portal.preview import preview
from workshops.models import Session

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from agency.models import Organisation
    from subscriptions.agreements import Contract

WORKBOOK = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a contact looks: the organisation, their role there, and the others they may see."""

    contact: Contact
    contacts: list[Contact]

    @property
    def organisation(self) -> Organisation:
        return self.contact.organisation

    @property
    def is_owner(self) -> bool:
        return self.contact.role == ContactRole.OWNER


View = Callable[..., HttpResponse]


def of_own_organisation(view: View) -> View:
    """Hand the view the place that the address names; 404 for anybody else's, or for none."""

    @wraps(view)
    def wrapped(
        request: HttpRequest, organisation_id: UUID, *args: Any, **kwargs: Any
    ) -> HttpResponse:
        contacts = _contacts(request)
        for contact in contacts:
            if contact.organisation_id == organisation_id:
                return view(request, Place(contact, contacts), *args, **kwargs)
        raise Http404

    return wrapped


def _contacts(request: HttpRequest) -> list[Contact]:
    own = Contact.objects.filter(user=signed_in(request)).select_related("organisation", "user")
    return list(own.order_by("organisation__legal_name"))


def start(request: HttpRequest) -> HttpResponse:
    contacts = _contacts(request)
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
    return _page(
        request, place, "overview", context | {
            "sessions": _sessions(place)[:4],
            "invoices": _invoices(place)[:4],
        }
    )  # fmt: skip


@of_own_organisation
def show_statements(request: HttpRequest, place: Place) -> HttpResponse:
    statements = Statement.objects.filter(organisation=place.organisation).newest()
    listed = statements.select_related("publication").order_by("-from_month")
    return _page(request, place, "statements", {"statements": listed})


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
    return _download(content, WORKBOOK, name)


@of_own_organisation
def show_invoices(request: HttpRequest, place: Place) -> HttpResponse:
    return _page(request, place, "invoices", {"invoices": _invoices(place)})


@of_own_organisation
def show_invoice(request: HttpRequest, place: Place, invoice_id: UUID) -> HttpResponse:
    invoice = get_object_or_404(_invoices(place), pk=invoice_id)
    return _page(request, place, "invoice", {"invoice": invoice, "lines": invoice.lines.all()})


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
    return _page(request, place, "sessions", context)


@of_own_organisation
def show_promise(request: HttpRequest, place: Place) -> HttpResponse:
    return _page(request, place, "promise", {})


@of_own_organisation
def show_subscription(request: HttpRequest, place: Place) -> HttpResponse:
    """Show the contract; the owner may ask for another tier, after reading what it would do."""
    subscription, contract = _subscription(place.organisation)
    if not (subscription and contract):
        return _page(request, place, "subscription", {})
    now = Month.containing(today())
    tier = contract.tier_in(now)
    asked = request.POST if request.method == "POST" else None
    form = TierForm(asked, now=now, months=contract.months, tier=tier)
    context = _terms(subscription, contract) | {"form": form, "tier": tier}
    if request.method != "POST":
        return _page(request, place, "subscription", context)
    if not place.is_owner:
        raise PermissionDenied
    if form.is_valid():
        try:
            shown = preview(contract, form.cleaned_data["tier"], form.cleaned_data["month"])
        except NoPriceError:
            form.add_error("tier", gettext("Our list has no price for it: please ask us."))
    if not form.is_valid():
        return _page(request, place, "subscription", context, status=400)
    if "confirm" not in request.POST:
        context |= {"previewed": True, "preview": shown}
        return _page(request, place, "subscription", context)
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


@of_own_organisation
def show_employees(request: HttpRequest, place: Place) -> HttpResponse:
    """Show what employees are told; the owner may open a page for them, or close it."""
    now = Month.containing(today())
    form = PageForm(request.POST if request.method == "POST" else None)
    if request.method == "POST":
        if not place.is_owner:
            raise PermissionDenied
        if form.is_valid() and _switch_page(request, place, form):
            return redirect("portal:employees", place.organisation.pk)
    context = {
        "told": employees.told(counsellors(place.organisation.pk, now), now),
        "languages": employees.LANGUAGES,
        "opened": EmployeePage.objects.filter(organisation=place.organisation).first(),
        "site": settings.SITE_URL,
        "form": form,
    }
    return _page(request, place, "employees", context, status=400 if form.errors else 200)


def _switch_page(request: HttpRequest, place: Place, form: PageForm) -> bool:
    """Do what was asked with the page for employees; tell whether it could be done."""
    on, by = today(), signed_in(request)
    match form.cleaned_data["deed"]:
        case "on":
            employee_pages.switch_on(place.organisation, by=by, on=on)
            messages.success(request, gettext("The page is open to whoever has its link."))
        case "off":
            employee_pages.switch_off(place.organisation, by=by, on=on)
            messages.success(request, gettext("The page is closed. Its link leads nowhere now."))
        case _:
            if not employee_pages.renew(place.organisation, by=by, on=on):
                form.add_error("deed", gettext("The page is closed: open it first."))
                return False
            messages.success(
                request, gettext("The page has another link. The former one leads nowhere now.")
            )
    return True


@of_own_organisation
def print_poster(request: HttpRequest, place: Place, language: str) -> HttpResponse:
    """Give the poster; 404 where nobody is assigned, as there is nobody to name."""
    said = _told_in(place, language)
    content = employees.poster(place.organisation, said, language=language)
    return _download(content, "application/pdf", f"poster-{language}.pdf")


@of_own_organisation
def download_intranet(request: HttpRequest, place: Place, language: str) -> HttpResponse:
    said = _told_in(place, language)
    with override(language):
        text = employees.intranet(said)
    return _download(text.encode(), "text/html; charset=utf-8", f"intranet-{language}.html")


def _told_in(place: Place, language: str) -> employees.Told:
    now = Month.containing(today())
    assigned = counsellors(place.organisation.pk, now)
    if not assigned or language not in employees.LANGUAGES:
        raise Http404
    return employees.said_in(language, assigned, now)


def _download(content: bytes, kind: str, name: str) -> HttpResponse:
    return HttpResponse(
        content,
        content_type=kind,
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def _page(
    request: HttpRequest, place: Place, name: str, context: dict[str, object], status: int = 200
) -> HttpResponse:
    common = {"place": place, "organisation": place.organisation, "page": name, "today": today()}
    return render(request, f"portal/{name}.html", common | context, status=status)


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
        "orders": _orders(subscription.organisation, now),
        "request_waiting": subscription.tier_requests.filter(state=RequestState.OPEN).first(),
    }


def _orders(organisation: Organisation, month: Month) -> QuerySet[PurchaseOrder]:
    """Give the orders that are valid now or later; of their budgets what was sent is taken off."""
    sent = Q(state__in=InvoiceState.released - {InvoiceState.VOID})
    rows = with_budget_left(PurchaseOrder.objects.filter(organisation=organisation), sent)
    still = Q(until_month=None) | Q(until_month__gt=month)
    return rows.filter(still).order_by("from_month")


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
