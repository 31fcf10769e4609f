"""Index values, and the runs that raise own prices by them: dry run, letters, approval."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.db.models import Q
from django.http import Http404, HttpResponse
from django.urls import path
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from agency.accounts import signed_in
from agency.admin_base import ModelForm, StaffAdmin
from agency.admin_columns import column, state, titled
from agency.templatetags.figures import amount, day, index_value, month
from agency.today import today
from subscriptions import indexation_letters, indexation_runs
from subscriptions.admin.used import OnceUsedAdmin
from subscriptions.models import CpiValue, IndexationRun, IndexedContract, LeftOut, RunState

if TYPE_CHECKING:
    from uuid import UUID

    from django.db.models import QuerySet
    from django.http import HttpRequest

TONES = {"draft": "wait", "announced": "wait", "approved": "way", "applied": "good"}
DEEDS = {  # announced once more, the letters go that did not go yet
    RunState.DRAFT: ("announce",),
    RunState.ANNOUNCED: ("approve", "announce", "withdraw"),
    RunState.APPROVED: ("apply", "announce", "withdraw"),
}
WORKBOOK = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@admin.register(CpiValue)
class CpiValueAdmin(OnceUsedAdmin):
    list_display = (
        "series",
        column("month", _("month"), month),
        column("reference_year", _("reference year"), str),
        column("value_thousandths", _("value"), index_value),
        "source",
    )
    ordering = ("series", "-month")

    def is_used(self, obj: CpiValue) -> bool:
        return IndexationRun.objects.filter(Q(from_value=obj) | Q(to_value=obj)).exists()


class RunForm(ModelForm):
    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if {"from_value", "to_value"} <= cleaned.keys():
            indexation_runs.refuse(cleaned["from_value"], cleaned["to_value"])
        return cleaned


@admin.register(IndexationRun)
class IndexationRunAdmin(OnceUsedAdmin):
    list_display = (
        column("effective_month", _("for contract years from"), month),
        "from_value",
        "to_value",
        state(RunState, TONES),
        column("announced_by", _("announced by"), str),
        "announced_on",
        column("approved_by", _("approved by"), str),
    )
    list_filter = (("state", titled(_("state"))),)
    list_select_related = ("from_value", "to_value", "announced_by", "approved_by")
    form = RunForm
    fields = (
        ("from_value", "to_value"),
        ("effective_month", "announcement_months"),
        ("cap_basis_points", "floor_basis_points"),
    )
    actions = ("announce", "approve", "apply", "withdraw")
    final = ("announce", "apply", "withdraw")

    def deeds(self, obj: IndexationRun) -> tuple[str, ...]:
        return DEEDS.get(RunState(obj.state), ())

    def part(self, action: str, rows: QuerySet[IndexationRun]) -> QuerySet[IndexationRun]:
        return rows.filter(state__in=[state for state, deeds in DEEDS.items() if action in deeds])

    def heading(self, obj: IndexationRun) -> str:
        return f"{month(obj.effective_month)}, {RunState(obj.state).label}"

    def is_used(self, obj: IndexationRun) -> bool:
        return obj.state != RunState.DRAFT

    @admin.action(description=_("Announce: a letter to each client"), permissions=["handle"])
    def announce(self, request: HttpRequest, queryset: QuerySet[IndexationRun]) -> None:
        deed = partial(indexation_runs.announce, by=signed_in(request), on=today())
        if done := self.each(request, queryset, "announced", deed):
            text = ngettext(
                "%(n)s letter is on its way.", "%(n)s letters are on their way.", sum(done)
            )
            messages.success(request, text % {"n": sum(done)})

    @admin.action(description=_("Approve: as the second person"), permissions=["handle"])
    def approve(self, request: HttpRequest, queryset: QuerySet[IndexationRun]) -> None:
        deed = partial(indexation_runs.approve, by=signed_in(request), on=today())
        if self.each(request, queryset, "approved", deed):
            messages.success(request, gettext("Approved. No price changes until it is applied."))

    @admin.action(description=_("Apply: the new prices become terms"), permissions=["handle"])
    def apply(self, request: HttpRequest, queryset: QuerySet[IndexationRun]) -> None:
        deed = partial(indexation_runs.apply, on=today())
        if done := self.each(request, queryset, "applied", deed):
            text = ngettext(
                "%(n)s contract has new prices.", "%(n)s contracts have new prices.", sum(done)
            )
            messages.success(request, text % {"n": sum(done)})

    @admin.action(description=_("Withdraw: no price changes"), permissions=["handle"])
    def withdraw(self, request: HttpRequest, queryset: QuerySet[IndexationRun]) -> None:
        if done := self.each(request, queryset, "withdrawn", indexation_runs.withdraw):
            text = ngettext(
                "%(n)s client was written to: tell it that the rise is off.",
                "%(n)s clients were written to: tell them that the rise is off.",
                sum(done),
            )
            messages.warning(request, text % {"n": sum(done)})

    def get_urls(self) -> list[Any]:
        pages = {"dry_run": self.dry_run, "letters": self.letters, "workbook": self.workbook}
        return [
            *(
                path(
                    f"<uuid:object_id>/{page}/",
                    self.admin_site.admin_view(view),
                    name=f"subscriptions_indexationrun_{page}",
                )
                for page, view in pages.items()
            ),
            *super().get_urls(),
        ]

    def dry_run(self, request: HttpRequest, object_id: UUID) -> HttpResponse:
        """Show what the run does with each contract; who has no own prices is only counted."""
        run, rows = self._rows(request, object_id)
        shown = [row for row in rows if row.left_out != LeftOut.NO_OWN_PRICES]
        made = [(row, indexation_runs.made_in_the_year(row)) for row in shown]
        return self.page(
            request,
            "subscriptions/indexationrun/dry_run",
            self.heading(run),
            run=run,
            factor=indexation_runs.factor_in_words(run),
            rows=made,
            more_cents=sum(year.more_cents for row, year in made if year and not row.left_out),
            following=len(rows) - len(shown),
        )

    def letters(self, request: HttpRequest, object_id: UUID) -> HttpResponse:
        """Show the letters one after another, a page each when they are printed."""
        _run, rows = self._rows(request, object_id)
        texts = [indexation_letters.text(row) for row in rows if row.from_month]
        return HttpResponse("\n\n\f".join(texts), content_type="text/plain; charset=utf-8")

    def workbook(self, request: HttpRequest, object_id: UUID) -> HttpResponse:
        from subscriptions.reports import indexation  # workbooks are loaded when they are needed

        run, rows = self._rows(request, object_id)
        name = f'attachment; filename="indexation_{run.effective_month}.xlsx"'
        return HttpResponse(
            indexation.write(run, rows, request.LANGUAGE_CODE),
            content_type=WORKBOOK,
            headers={"Content-Disposition": name},
        )

    def _rows(
        self, request: HttpRequest, object_id: UUID
    ) -> tuple[IndexationRun, list[IndexedContract]]:
        run = self.get_object(request, str(object_id))
        if run is None or not self.has_view_permission(request, run):
            raise Http404
        return run, indexation_runs.rows(run, on=today())


@admin.register(IndexedContract)
class IndexedContractAdmin(StaffAdmin):
    """What was announced, run by run; each row is kept as it was."""

    list_display = (
        column("subscription__organisation", _("organisation"), str),
        column("from_month", _("from"), month),
        column("old_annual_fee_cents", _("old fee in €"), amount),
        column("new_annual_fee_cents", _("new fee in €"), amount),
        column("old_overage_rate_cents", _("old rate in €"), amount),
        column("new_overage_rate_cents", _("new rate in €"), amount),
        column("sent_on", _("letter sent on"), day),
        "left_out",
    )
    list_filter = (("left_out", titled(_("left out"))),)
    list_select_related = ("subscription__organisation",)
    search_fields = ("subscription__organisation__legal_name",)
    ordering = ("left_out", "subscription__organisation__legal_name")
