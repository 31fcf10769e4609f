"""Codes of the bookkeeping, and the files for the bookkeeper by month."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.db.models import Max, Subquery
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.urls import path
from django.utils.translation import gettext_lazy as _

from agency.access import ADDRESSES
from agency.accounts import signed_in
from agency.admin_base import StaffAdmin
from agency.month import Month
from subscriptions.bookkeeping import BookkeepingError
from subscriptions.models import BookkeepingCode, Invoice

if TYPE_CHECKING:
    from django.http import HttpRequest

EXPORT = "admin:subscriptions_bookkeepingcode_export"
OFFERED = {
    "bookkeeping.xlsx": _("Workbook"),
    "journal.csv": _("Sales journal"),
    "open_items.csv": _("Open items"),
    "deferred.csv": _("Deferred"),
}
MONTHS_OFFERED = 12
WORKBOOK = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@admin.register(BookkeepingCode)
class BookkeepingCodeAdmin(StaffAdmin):
    list_display = ("what", "vat_category", "code")
    ordering = ("code", "what")

    def heading(self, obj: BookkeepingCode) -> str:
        return obj.get_what_display()

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        months = _months() if signed_in(request).role in ADDRESSES[EXPORT].readers else []
        context = {"months": months, "files": OFFERED, **(extra_context or {})}
        return super().changelist_view(request, context)

    def get_urls(self) -> list[Any]:
        page = self.admin_site.admin_view(self.export)
        return [
            path("files/<str:month>/<str:name>", page, name="subscriptions_bookkeepingcode_export"),
            *super().get_urls(),
        ]

    def export(self, request: HttpRequest, month: str, name: str) -> HttpResponse:
        """Give a file of a month: the workbook or one of its lists."""
        from subscriptions.reports import bookkeeping  # openpyxl is loaded when needed

        try:
            content = bookkeeping.write(
                Month.parse(month), name, language=signed_in(request).language
            )
        except BookkeepingError as refused:
            messages.error(request, refused.messages[0])
            return redirect("admin:subscriptions_bookkeepingcode_changelist")
        except (KeyError, ValueError) as nothing:
            raise Http404 from nothing
        kind = WORKBOOK if name == bookkeeping.WORKBOOK else "text/csv; charset=utf-8"
        headers = {"Content-Disposition": f'attachment; filename="{month}_{name}"'}
        return HttpResponse(content, content_type=kind, headers=headers)


def _months() -> list[Month]:
    """Give the months up to that of the last document, the newest first."""
    sent = Invoice.objects.exclude(invoice_on=None).order_by("-run_month")
    run = Subquery(sent.values("run_month")[:1])  # of the newest run of which anything was sent
    last = Invoice.objects.filter(run_month=run).aggregate(last=Max("invoice_on"))["last"]
    return [Month.containing(last) - back for back in range(MONTHS_OFFERED)] if last else []
