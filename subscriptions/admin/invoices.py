"""Invoices: grouped by where they stand, approved and sent by action, changed by nobody."""

from __future__ import annotations

from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Sum
from django.http import Http404
from django.shortcuts import redirect
from django.urls import path, reverse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from django_q.tasks import async_task

from agency import confirmation, vat_ids
from agency.accounts import signed_in
from agency.admin_base import StaffAdmin, note_all
from agency.admin_columns import asked_as, column
from agency.admin_rows import Rows
from agency.templatetags.figures import amount, badge, day, euro, month
from agency.today import today
from subscriptions import billing, corrections, einvoice, payments, push
from subscriptions.admin import invoice_deeds, receipts
from subscriptions.admin.arrears import Receipts, late_page, write_off_page
from subscriptions.admin.collection import DebitNotices, Reminders
from subscriptions.admin.contests import Contests
from subscriptions.admin.crediting import credit_page
from subscriptions.admin.invoice_deeds import standing
from subscriptions.admin.invoice_groups import BLOCKED, KINDS, groups, hopeless, overdue
from subscriptions.admin.payment_plans import plan_page
from subscriptions.admin.searched import DOCUMENT
from subscriptions.admin.stripe import Steps
from subscriptions.contests import with_contests
from subscriptions.explanation import explain
from subscriptions.models import (
    BlockedReason,
    Contest,
    Invoice,
    InvoiceKind,
    InvoiceLine,
    InvoiceState,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from django.db.models import QuerySet
    from django.http import HttpRequest, HttpResponse
    from django.utils.safestring import SafeString


EMPTY = (None, "")


class Overdue(admin.SimpleListFilter):
    title = _("payment")
    parameter_name = "overdue"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [
            ("yes", _("overdue")),
            ("failed", _("direct debit failed")),
            ("unmailed", _("not mailed")),
            ("contested", _("contested")),
            ("hopeless", _("to be written off")),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() == "yes":
            return queryset.filter(overdue(today()))
        if self.value() == "failed":
            return queryset.filter(state=InvoiceState.OPEN, debit_failed_on__isnull=False)
        if self.value() == "hopeless":
            return queryset.filter(hopeless(today()))
        if self.value() == "unmailed":
            return queryset & push.unmailed()
        if self.value() == "contested":
            return queryset.filter(contests__in=Contest.objects.filter(ended_on=None))
        return queryset


class Lines(Rows):
    model = InvoiceLine
    fields = (
        "kind",
        "description",
        "quantity",
        "unit_cents",
        "net_cents",
        "vat_category",
        "vat_rate_basis_points",
        "vat_cents",
    )
    readonly_fields = ("quantity",)

    @admin.display(description=_("quantity"))
    def quantity(self, line: InvoiceLine) -> str:
        return amount(line.quantity_hundredths)


@admin.register(Invoice)
class InvoiceAdmin(StaffAdmin):
    list_display = (
        "buyer",
        column("number", _("number"), str),
        column("run_month", _("run"), month),
        column("due_on", _("due on"), day),
        column("net_cents", _("net in €"), amount),
        column("total_cents", _("total in €"), amount),
        "stands",
    )
    list_filter = (
        Overdue,
        ("blocked_reason", asked_as(**BLOCKED)),
        ("kind", asked_as(**KINDS)),
        "collection",
    )
    linked_by = ("organisation__id", "payer__id", "state")
    search_fields = (*DOCUMENT, "po_number__contains", "stripe_id__exact")
    ordering = ("-run_month", "buyer_name")
    actions = ("approve", "push", "take_back", "throw_away", "accept", "draft_anew", "unpark")
    final = ("push",)
    inlines = (Lines, Contests, Reminders, DebitNotices, Receipts, Steps)
    readonly_fields = ("still_open",)
    fieldsets = (
        (
            _("Where it stands"),
            {
                "fields": (
                    ("blocked_reason", "parked_because"),
                    ("approved_by", "seconded_by"),
                    ("invoice_on", "due_on", "paid_on", "received_on", "debit_failed_on"),
                )
            },
        ),
        (
            _("Document"),
            {
                "fields": (
                    ("number", "kind", "credit_of", "credit_reason"),
                    ("run_month", "po_number", "collection"),
                    ("net_cents", "vat_cents", "total_cents", "still_open"),
                )
            },
        ),
        (
            _("Buyer"),
            {
                "fields": (
                    ("organisation", "buyer_name", "served_name"),
                    ("buyer_street", "buyer_postcode", "buyer_city", "buyer_country"),
                    ("buyer_kvk_number", "buyer_vat_id", "buyer_email"),
                )
            },
        ),
        ("Stripe", {"fields": ("stripe_id",)}),
    )

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> list[tuple[Any, Any]]:
        """Show what a document has: few are blocked, credited or failed to be debited."""
        shown = [
            (title, {"fields": _held(obj, options["fields"])})
            for title, options in super().get_fieldsets(request, obj)
        ]
        return [(title, options) for title, options in shown if options["fields"]]

    def render_change_form(
        self,
        request: HttpRequest,
        context: dict[str, Any],
        add: bool = False,  # noqa: FBT001, FBT002  # Django's own signature
        change: bool = False,  # noqa: FBT001, FBT002  # the same
        form_url: str = "",
        obj: Any = None,
    ) -> HttpResponse:
        if obj is not None:
            context["stands"] = standing(obj, today())
            context["may_write_off"] = self.has_handle_permission(request) and _is_asked(obj)
            context["dangers"] = context["may_write_off"] or "throw_away" in self.deeds(obj)
        return super().render_change_form(request, context, add, change, form_url, obj)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Invoice]:
        return with_contests(super().get_queryset(request))

    def for_page(self, rows: QuerySet[Invoice]) -> QuerySet[Invoice]:
        return payments.with_left(super().for_page(rows))

    @admin.display(description=_("buyer"), ordering="buyer_name")
    def buyer(self, invoice: Invoice) -> str:
        named = f"{invoice.buyer_name} ({invoice.served_name})"
        return named if invoice.served_name else invoice.buyer_name

    def deeds(self, obj: Invoice) -> tuple[str, ...]:
        return invoice_deeds.deeds(obj)

    def part(self, action: str, rows: QuerySet[Invoice]) -> QuerySet[Invoice]:
        return invoice_deeds.part(action, rows)

    def why_not(self, action: str, obj: Invoice) -> str:
        return invoice_deeds.why_not(action, obj, on=today())

    def cents(self, obj: Invoice) -> int:
        return obj.net_cents

    def sum_cents(self, rows: QuerySet[Invoice]) -> int:
        return rows.aggregate(cents=Sum("net_cents"))["cents"] or 0

    def heading(self, obj: Invoice) -> str:
        return f"{obj.buyer_name}, {obj.number or month(obj.run_month)}"

    @admin.display(description=_("left to pay"))
    def still_open(self, invoice: Invoice) -> str:
        """Give what is left of what was sent, after credits and what our bank received."""
        left = getattr(invoice, "left", 0)  # see `for_page`
        return euro(left) if _is_asked(invoice) else "–"

    @admin.display(description=_("state"), ordering="state")
    def stands(self, invoice: Invoice) -> SafeString:
        said = standing(invoice, today())
        return badge(said.word, said.tone)

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        context = {"groups": groups(request), **(extra_context or {})}
        return super().changelist_view(request, context)

    def get_urls(self) -> list[Any]:
        wrap = self.admin_site.admin_view
        return [
            path("received/", wrap(self.received), name="subscriptions_invoice_received"),
            path(
                "<path:object_id>/explain/",
                wrap(self.explain),
                name="subscriptions_invoice_explain",
            ),
            path(
                "<path:object_id>/credit/", wrap(self.credit), name="subscriptions_invoice_credit"
            ),
            path("<path:object_id>/late/", wrap(self.late), name="subscriptions_invoice_late"),
            path("<path:object_id>/plan/", wrap(self.plan), name="subscriptions_invoice_plan"),
            path(
                "<path:object_id>/write_off/",
                wrap(self.write_off),
                name="subscriptions_invoice_write_off",
            ),
            path(
                "<path:object_id>/einvoice/",
                wrap(self.download_einvoice),
                name="subscriptions_invoice_einvoice",
            ),
            *super().get_urls(),
        ]

    def explain(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Show who must answer for a bill how each amount came about."""
        invoice = self._looked_at(request, object_id)
        shown = {"invoice": invoice, "explanation": explain(invoice)}
        template = "subscriptions/invoice/explanation"
        return self.page(request, template, self.heading(invoice), **shown)

    def download_einvoice(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Give the e-invoice of a document; say on its page what one would miss."""
        invoice = self._looked_at(request, object_id)
        try:
            return einvoice.download(invoice)
        except einvoice.EInvoiceError as refused:
            messages.error(request, refused.messages[0])
            return redirect("admin:subscriptions_invoice_change", object_id)

    def _looked_at(self, request: HttpRequest, object_id: str) -> Invoice:
        invoice: Invoice | None = self.get_object(request, object_id)
        if not self.has_view_permission(request, invoice):
            raise PermissionDenied
        if invoice is None:
            raise Http404
        return invoice

    def received(self, request: HttpRequest) -> HttpResponse:
        """Compare a bank statement with what is open, and note what the bank received."""
        return receipts.page(self, request)

    def credit(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Credit what was sent, in full or in part, and bill it anew."""
        return credit_page(self, request, self._handled(request, object_id))

    def write_off(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Write off what will not be paid, or see what was written off."""
        return write_off_page(self, request, self._handled(request, object_id))

    def late(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Show what an overdue invoice costs its buyer by law."""
        return late_page(self, request, self._looked_at(request, object_id))

    def plan(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Agree on parts in which an invoice is paid, and see how they stand."""
        return plan_page(self, request, self._handled(request, object_id))

    def _handled(self, request: HttpRequest, object_id: str) -> Invoice:
        if not self.has_handle_permission(request):
            raise PermissionDenied
        return self._looked_at(request, object_id)

    @admin.action(description=_("Approve: nothing is sent yet"), permissions=["handle"])
    def approve(self, request: HttpRequest, queryset: QuerySet[Invoice]) -> None:
        drafts = list(self.part("approve", queryset))
        try:
            done = billing.approve(drafts, by=signed_in(request))
        except billing.BillError as refused:
            messages.error(request, " ".join(refused.messages))
            return
        if billing.for_two_people(queryset).exists():
            messages.warning(request, _("Large documents wait for a second person."))
        text = ngettext(
            "%(n)s invoice approved. Nothing is sent yet.",
            "%(n)s invoices approved. Nothing is sent yet.",
            done,
        )
        _tell(request, "approved", drafts, text, done, undo="take_back")

    @admin.action(description=_("Send by Stripe"), permissions=["handle"])
    def push(self, request: HttpRequest, queryset: QuerySet[Invoice]) -> None:
        approved = list(self.part("push", queryset).order_by("pk"))
        for invoice in approved:
            async_task("subscriptions.tasks.push_invoice", str(invoice.pk))
        text = ngettext(
            "%(n)s approved invoice is on its way to Stripe.",
            "%(n)s approved invoices are on their way to Stripe.",
            len(approved),
        )
        _tell(request, "sent", approved, text)

    @admin.action(description=_("Looked at: the amount is right"), permissions=["handle"])
    def accept(self, request: HttpRequest, queryset: QuerySet[Invoice]) -> None:
        looked_at = list(self.part("accept", queryset))
        done = billing.accept(looked_at)
        text = ngettext(
            "%(n)s unusually high invoice is a draft now.",
            "%(n)s unusually high invoices are drafts now.",
            done,
        )
        _tell(request, "accepted", looked_at, text, done)

    @admin.action(description=_("Draft blocked ones anew"), permissions=["handle"])
    def draft_anew(self, request: HttpRequest, queryset: QuerySet[Invoice]) -> None:
        blocked = self.part("draft_anew", queryset)
        unchecked = blocked.filter(blocked_reason=BlockedReason.VAT_ID_PENDING)
        payers = list(unchecked.values_list("payer", flat=True))
        if rechecked := str(vat_ids.recheck(payers, on=today())):
            messages.info(request, rechecked)
        drafted: list[Invoice] = []
        runs = blocked.order_by("run_month").values_list("run_month", "organisation").distinct()
        for run_month, of_run in groupby(list(runs), itemgetter(0)):
            clients = [organisation for _month, organisation in of_run]
            try:
                run = billing.draft_run(run_month, clients, anew=True)
            except billing.BillError as refused:
                messages.error(request, " ".join(refused.messages))
            else:
                drafted += [made.invoice for made in run.documents if made.invoice]
                for code, reason in run.failures:
                    messages.error(request, f"{code}: {reason}")
        free = [invoice for invoice in drafted if invoice.state == InvoiceState.DRAFT]
        text = ngettext(
            "%(n)s invoice is drafted anew. What is blocked now says why; "
            "what somebody else is to pay comes with the next run.",
            "%(n)s invoices are drafted anew. What is blocked now says why; "
            "what somebody else is to pay comes with the next run.",
            len(free),
        )
        _tell(request, "drafted", free, text)

    @admin.action(
        description=_("Take back what is not on its way: drafts again"), permissions=["handle"]
    )
    def take_back(self, request: HttpRequest, queryset: QuerySet[Invoice]) -> None:
        taken = push.take_back(queryset.values_list("pk", flat=True))
        text = ngettext(
            "%(n)s invoice is a draft again.", "%(n)s invoices are drafts again.", len(taken)
        )
        _tell(request, "taken_back", taken, text)

    @admin.action(description=_("Throw drafts of credits away"), permissions=["handle"])
    def throw_away(self, request: HttpRequest, queryset: QuerySet[Invoice]) -> None:
        gone = len(self.each(request, queryset, "thrown_away", corrections.throw_away))
        text = ngettext("%(n)s credit is gone.", "%(n)s credits are gone.", gone)
        _tell(request, "thrown_away", [], text, gone)

    @admin.action(description=_("Try parked ones again"), permissions=["handle"])
    def unpark(self, request: HttpRequest, queryset: QuerySet[Invoice]) -> None:
        parked = list(self.part("unpark", queryset).order_by("pk"))
        for invoice in parked:
            push.unpark(invoice.pk)
            async_task("subscriptions.tasks.push_invoice", str(invoice.pk))
        text = ngettext(
            "%(n)s invoice is tried again.", "%(n)s invoices are tried again.", len(parked)
        )
        _tell(request, "unparked", parked, text)


def _is_asked(invoice: Invoice) -> bool:
    return invoice.kind == InvoiceKind.INVOICE and invoice.state in InvoiceState.payable


def _held(invoice: Invoice | None, lines: Iterable[Any]) -> list[list[str]]:
    """Give the columns of a form's lines in which a document has something."""
    named = ([line] if isinstance(line, str) else line for line in lines)
    held = ([name for name in line if getattr(invoice, name, True) not in EMPTY] for line in named)
    return [line for line in held if line]


def _tell(
    request: HttpRequest,
    action: str,
    invoices: list[Invoice],
    text: str,
    done: int | None = None,
    *,
    undo: str = "",
) -> None:
    """Note an action, and say with how many it was done: with all, unless told.

    ``undo`` is the action that takes it back.
    """
    note_all(request, action, invoices)
    count = len(invoices) if done is None else done
    if count and undo:
        address = reverse("admin:subscriptions_invoice_changelist")
        confirmation.offer_undo(
            request, text % {"n": count}, action=undo, rows=invoices, address=address
        )
        return
    level = messages.SUCCESS if count else messages.WARNING
    messages.add_message(request, level, text % {"n": count})
