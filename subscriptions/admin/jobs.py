"""Jobs: how far each is, what was left out, and its file to take along."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.http import FileResponse, Http404, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.urls import path
from django.utils.text import capfirst
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from agency import access
from agency.accounts import signed_in
from agency.admin_base import StaffAdmin, note
from agency.admin_columns import column
from agency.templatetags.figures import badge, day, long_month, month
from subscriptions import jobs
from subscriptions.models import Job, JobKind

if TYPE_CHECKING:
    from uuid import UUID

    from django.db.models import QuerySet
    from django.http import HttpRequest
    from django.utils.safestring import SafeString

RESULT = "admin:subscriptions_job_result"


def shown(job: Job, request: HttpRequest) -> dict[str, Any]:
    """Give what the panel of a job shows to the person behind a request."""
    role = signed_in(request).role
    return {
        "job": job,
        "how_far": how_far(job),
        "fetches": bool(job.result) and role in access.ADDRESSES[RESULT].readers,
        "goes_on": role in access.ADDRESSES["admin:subscriptions_job_go_on"].writers,
    }


def how_far(job: Job) -> str:
    return gettext("%(done)s of %(total)s") % {"done": job.done, "total": job.total}


@admin.register(Job)
class JobAdmin(StaffAdmin):
    list_display = (
        "kind",
        column("month", _("month"), month),
        column("started_by", _("started by"), str),
        column("started_on", _("started on"), day),
        "stands",
    )
    list_filter = ("kind",)
    list_select_related = ("started_by",)
    ordering = ("-started_on", "-month", "kind")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Job]:
        return super().get_queryset(request).defer("subjects")

    @admin.display(description=_("state"), ordering="finished_on")
    def stands(self, job: Job) -> SafeString:
        if job.finished_on is None:
            return badge(gettext("%(how_far)s done") % {"how_far": how_far(job)}, "way")
        left_out = len(job.failures)
        text = ngettext("%(n)s left out", "%(n)s left out", left_out) % {"n": left_out}
        return badge(text, "wait") if left_out else badge(gettext("done"), "good")

    def get_urls(self) -> list[Any]:
        pages = {"state": self.state, "go_on": self.go_on, "result": self.result}
        return [
            *(
                path(
                    f"<uuid:object_id>/{page}/",
                    self.admin_site.admin_view(view),
                    name=f"subscriptions_job_{page}",
                )
                for page, view in pages.items()
            ),
            *super().get_urls(),
        ]

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Show how far a job is; nobody changes one."""
        job = self.get_object(request, object_id)
        if job is None:
            raise Http404
        title = f"{capfirst(JobKind(job.kind).label)}, {long_month(job.month)}"
        return self.page(request, "subscriptions/job/page", title, **shown(job, request))

    def state(self, request: HttpRequest, object_id: UUID) -> HttpResponse:
        """Say how far a job is, to the script of its panel."""
        job = self._job(request, object_id)
        said = {"done": job.done, "total": job.total, "said": how_far(job)}
        return JsonResponse(said | {"finished": job.finished_on is not None})

    def go_on(self, request: HttpRequest, object_id: UUID) -> HttpResponse:
        job = self._job(request, object_id)
        if job.finished_on is None:
            jobs.queue(job.pk)
            note(request, "went_on", job)
            messages.success(request, gettext("It goes on where it was."))
        return redirect("admin:subscriptions_job_change", object_id)

    def result(self, request: HttpRequest, object_id: UUID) -> HttpResponse | FileResponse:
        job = self._job(request, object_id)
        file = jobs.result_path(job)
        if not job.result or not file.exists():
            messages.warning(request, gettext("There is no file of it now; make it anew."))
            return redirect("admin:subscriptions_job_change", object_id)
        return FileResponse(file.open("rb"), as_attachment=True, filename=job.result)

    def _job(self, request: HttpRequest, object_id: UUID) -> Job:
        job: Job | None = self.get_object(request, str(object_id))
        if job is None:
            raise Http404
        return job
