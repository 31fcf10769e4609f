"""Moving in: the agency workbook read in the browser, first to be looked at, then for good.

The file is sent twice, once to be looked at and once to be read in, and is kept nowhere between
(attack 16): what was looked at is known by its digest, and only a file of that digest is written. A
script keeps it chosen, so that a person chooses once. Of the hours the page tells how many rows
there are; once a client is here no workbook is compared with what is held, as that would tell
whether somebody's hours are as supposed. For the same reason all data go out by a command alone.
"""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from agency.admin_base import note
from agency.models import Agency, Role, User
from subscriptions import intake
from subscriptions.intake.findings import gathered

if TYPE_CHECKING:
    from django.contrib.admin import AdminSite
    from django.http import HttpRequest

MOST_LINES_SHOWN = 200
SPREADSHEET = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


class WorkbookForm(forms.Form):
    """A workbook, and the digest of the one that was looked at before."""

    workbook = forms.FileField(
        label=_("Agency workbook (.xlsx)"),
        widget=forms.FileInput(attrs={"accept": ".xlsx"}),
        error_messages={"required": _("Choose the workbook.")},
        allow_empty_file=True,  # the reader has a sentence for it
    )
    digest = forms.CharField(required=False, max_length=64)

    def clean_workbook(self) -> bytes:
        content: bytes = self.cleaned_data["workbook"].read()
        return content

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        looked_at, content = given.get("digest"), given.get("workbook")
        if looked_at and content is not None and sha256(content).hexdigest() != looked_at:
            text = _("This is not the file that was looked at: nothing was written. Look again.")
            self.add_error("workbook", text)
        return given


def show(site: AdminSite, request: HttpRequest, **found: Any) -> HttpResponse:
    """Show the form while no client is here; it reads no hours."""
    context = {
        **site.each_context(request),
        "title": gettext("Read in an agency workbook"),
        "is_empty": intake.is_empty(),
        "form": WorkbookForm(),
        **found,
    }
    return TemplateResponse(request, "admin/moving_in.html", context)


def template(_request: HttpRequest) -> HttpResponse:
    """Give the empty workbook."""
    name = {"Content-Disposition": 'attachment; filename="agency.xlsx"'}
    return HttpResponse(intake.empty_workbook(), content_type=SPREADSHEET, headers=name)


@transaction.atomic
def read(site: AdminSite, request: HttpRequest) -> HttpResponse:
    """Look at a workbook and write nothing; with the digest of a look, read it in."""
    list(User.objects.select_for_update().filter(role=Role.ADMINISTRATOR))  # one at a time
    if not intake.is_empty():
        messages.warning(request, gettext("An agency is here already: nothing was written."))
        return redirect("admin:moving_in")
    form = WorkbookForm(request.POST, request.FILES)
    if not form.is_valid():
        if _is_too_large(request):
            del form.errors["workbook"]
            form.add_error("workbook", gettext("The file is too large to be an agency workbook."))
        return show(site, request, form=form)
    content, looked_at = form.cleaned_data["workbook"], form.cleaned_data["digest"]
    outcome = intake.bring_in(content, dry_run=not looked_at)
    if looked_at and not outcome.problems:
        return _done(request, outcome)
    return show(site, request, digest=sha256(content).hexdigest(), **_seen(outcome))


def _is_too_large(request: HttpRequest) -> bool:
    """Tell of a file that was not taken into memory, and so did not arrive."""
    sent = int(request.META.get("CONTENT_LENGTH") or 0)
    return not request.FILES and sent > settings.FILE_UPLOAD_MAX_MEMORY_SIZE


def _seen(outcome: intake.Outcome) -> dict[str, Any]:
    lines = gathered(outcome.problems)
    return {
        "outcome": outcome,
        "problems": lines[:MOST_LINES_SHOWN],
        "more": max(len(lines) - MOST_LINES_SHOWN, 0),
        "warnings": gathered(outcome.warnings)[:MOST_LINES_SHOWN],
        "rows": [
            (sheet, count, not count and sheet in intake.BEFORE_CLIENTS)
            for sheet, count in outcome.written.items()
        ],
        "total": sum(outcome.written.values()),
    }


def _done(request: HttpRequest, outcome: intake.Outcome) -> HttpResponse:
    total = sum(outcome.written.values())
    text = ngettext(
        "The agency is read in: %(n)s row.", "The agency is read in: %(n)s rows.", total
    )
    note(request, "read in", Agency.objects.get())
    messages.success(request, text % {"n": total})
    return redirect("admin:moving_in")
