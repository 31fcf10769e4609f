"""The page of the VAT return: what controllers and auditors read, or take along as a workbook."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.http import Http404, HttpResponse
from django.urls import path
from django.utils.translation import get_language, gettext

from agency import access
from agency.accounts import signed_in
from agency.month import Month
from agency.templatetags.figures import long_period
from agency.today import today
from subscriptions import vat_returns
from subscriptions.admin.used import OnceUsedAdmin
from subscriptions.reports import vat_return as workbook

if TYPE_CHECKING:
    from django.http import HttpRequest

EXCEL = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
LENGTHS = {"1": 1, "3": vat_returns.QUARTER}
ADDRESS = "admin:subscriptions_taxtreatment_return"


class WithReturns(OnceUsedAdmin):
    """The list of VAT treatments leads to the returns that they decide."""

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        reads = signed_in(request).role in access.ADDRESSES[ADDRESS].readers
        return super().changelist_view(request, {"reads_returns": reads, **(extra_context or {})})

    def get_urls(self) -> list[Any]:
        page = self.admin_site.admin_view(self.vat_return)
        return [
            path("return/", page, name="subscriptions_taxtreatment_return"),
            *super().get_urls(),
        ]

    def vat_return(self, request: HttpRequest) -> HttpResponse:
        """Show the quarter before today's, or the quarter or month that is asked for."""
        asked, length = request.GET.get("month"), LENGTHS.get(request.GET.get("length", "3"))
        try:
            month = Month.parse(asked) if asked else Month.containing(today()) - vat_returns.QUARTER
        except ValueError as error:
            raise Http404 from error
        if length is None:
            raise Http404
        months = vat_returns.period(month, length)
        if request.GET.get("as") == "xlsx":
            return _download(workbook.write(months, language=get_language() or "nl"), str(month))
        return self.page(
            request,
            "subscriptions/taxtreatment/vat_return",
            gettext("VAT return of %(months)s") % {"months": long_period(months)},
            found=vat_returns.vat_return(months),
            length=length,
            month=months.from_month,
            before=months.from_month - length,
            after=months.until,
        )


def _download(content: bytes, month: str) -> HttpResponse:
    name = f'attachment; filename="vat_{month}.xlsx"'
    return HttpResponse(content, content_type=EXCEL, headers={"Content-Disposition": name})
