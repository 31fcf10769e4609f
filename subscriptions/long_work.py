"""The deeds of jobs: what each of them works through, and what the queue does for one of it.

Each deed may be done twice: closing, drafting and pushing find nothing to do then, and a workbook
is written over (`subscriptions.jobs`).
"""

from __future__ import annotations

import datetime as dt
import shutil
import zipfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from uuid import UUID

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext

from agency import vat_ids
from agency.files import put_whole
from agency.models import Organisation, User
from agency.month import Month
from subscriptions import billing, gateway, jobs, push, statements
from subscriptions.jobs import Deed, Failures
from subscriptions.models import Invoice, InvoiceState, Job, JobKind, Publication
from subscriptions.push import Outcome

STAFF = "staff"  # the controller's workbook among the subjects, which are clients
Clock = Callable[[], dt.datetime]


def start(kind: JobKind, month: Month, *, by: User, on: dt.date) -> tuple[Job, bool]:
    """Start a job for a month, or give the one that is under way, and tell which.

    Raises CloseError or BillError where it is known beforehand that nothing would come of it.
    """
    if kind == JobKind.CLOSE:
        _refuse_to_close(month, on)
    else:
        billing.refuse_to_bill(month)
    subjects = _subjects(kind, month)
    if not subjects:
        raise billing.BillError(gettext("There is nothing to send."))
    return jobs.start(kind, month, subjects, by=by, on=on)


def _refuse_to_close(month: Month, on: dt.date) -> None:
    if Publication.objects.filter(month=month).exists():
        text = gettext("%(month)s was closed before; nothing changed.")
        raise statements.CloseError(text % {"month": month})
    statements.refuse_to_close(month, on=on)


def _subjects(kind: JobKind, month: Month) -> list[str]:
    if kind == JobKind.PUSH:
        approved = push.candidates().filter(run_month=month, state=InvoiceState.APPROVED)
        return [str(key) for key in approved.values_list("pk", flat=True)]
    if kind == JobKind.WORKBOOKS:
        clients = Organisation.objects.order_by("code").values_list("pk", flat=True)
        return [STAFF, *map(str, clients)]
    return [str(month)]


def deeds(*, on: dt.date, clock: Clock) -> dict[str, Deed]:
    """Give the deed of each kind of job, as done on a day."""
    return {
        JobKind.CLOSE: partial(_close, on),
        JobKind.DRAFT: partial(_draft, on),
        JobKind.PUSH: partial(_push, clock),
        JobKind.WORKBOOKS: partial(_write_workbook, on),
    }


def _close(on: dt.date, job: Job, _month: str) -> Failures:
    try:
        statements.close_month(job.month, on=on)
    except statements.CloseError as refused:
        return _refused(refused)
    return ()


def _draft(on: dt.date, job: Job, _month: str) -> Failures:
    vat_ids.recheck(on=on)
    try:
        return billing.draft_run(job.month).failures
    except billing.BillError as refused:
        return _refused(refused)


def _refused(refused: ValidationError) -> Failures:
    return [("", " ".join(refused.messages))]


def _push(clock: Clock, _job: Job, invoice_id: str) -> Failures:
    try:
        outcome = push.try_to_push(UUID(invoice_id), at=clock())
    except gateway.MisconfiguredError as error:
        text = gettext("Stripe does not accept the settings: %s.") % error.code
        raise jobs.StopError(text) from error
    if outcome in {Outcome.PUSHED, Outcome.ALREADY, Outcome.TAKEN_BACK}:
        return ()
    invoice = Invoice.objects.select_related("organisation").get(pk=invoice_id)
    client = invoice.organisation.code if invoice.organisation else gettext("one-off buyer")
    reasons = {
        Outcome.PARKED: invoice.parked_because,
        Outcome.WAITING: gettext("It waits: Stripe did not answer, or the client is parked."),
    }
    unforeseen = gettext("Something unforeseen went wrong. Nothing is lost; try again.")
    return [(client, reasons.get(outcome, unforeseen))]


def _write_workbook(on: dt.date, job: Job, subject: str) -> Failures:
    from subscriptions.reports import files  # pandas and openpyxl are loaded when needed

    folder = _folder(job)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if subject == STAFF:
        files.write_controller(job.month, folder, on=on, language=job.language)
    else:
        client = list(Organisation.objects.filter(pk=subject))
        list(files.write_clients(client, job.month, folder))
    return ()


def _folder(job: Job) -> Path:
    return Path(settings.JOBS_DIR) / str(job.pk)


def finish(job: Job) -> str:
    """Put workbooks into one archive, and name it; nothing else leaves a file."""
    if job.kind != JobKind.WORKBOOKS:
        return ""
    folder, name = _folder(job), f"workbooks_{job.month}.zip"
    if folder.exists():  # else it was put away before
        with put_whole(folder.with_suffix(".zip")) as draft, zipfile.ZipFile(draft, "w") as archive:
            for file in sorted(folder.rglob("*.xlsx")):
                entry = zipfile.ZipInfo(str(file.relative_to(folder)))  # without a moment
                archive.writestr(entry, file.read_bytes())
        shutil.rmtree(folder)
    return name
