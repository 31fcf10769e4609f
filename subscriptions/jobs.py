"""Long work in the queue: how far it is, what was left out, and the file that came of it.

A job works through its subjects one after another, a few in each task of the queue, and notes after
each how far it is. Whoever takes it up after a worker has died begins with the subject that one was
at, so that a deed must be safe to repeat.
"""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext, override
from django_q.tasks import async_task

from agency.models import User
from agency.month import Month
from subscriptions.models import Job, JobKind

logger = logging.getLogger(__name__)

TASK = "subscriptions.tasks.run_job"
AT_ONCE = 20  # subjects in one task, which the queue ends after ten minutes
DAYS_TO_FETCH = 31
Failures = Sequence[tuple[str, str]]
Deed = Callable[[Job, str], Failures]


class StopError(Exception):
    """Nothing of a job can go well from here; its message is the sentence to show."""


def start(
    kind: JobKind, month: Month, subjects: Sequence[str], *, by: User, on: dt.date
) -> tuple[Job, bool]:
    """Start a job, or give the one of this kind and month that is under way, and tell which."""
    anew = {
        "subjects": list(subjects),
        "total": len(subjects),
        "started_by": by,
        "started_on": on,
    }
    job, is_new = Job.objects.get_or_create(kind=kind, month=month, defaults=anew)
    if not is_new:
        anew |= {"done": 0, "seen_done": None, "failures": [], "finished_on": None, "result": ""}
        over = Job.objects.filter(pk=job.pk).exclude(finished_on=None)
        is_new = bool(over.update(**anew))
    if is_new:
        queue(job.pk)
        job.refresh_from_db()
    return job, is_new


def record(kind: JobKind, month: Month, *, on: dt.date) -> None:
    """Write down what a command did in one go; a job that is under way stays as it is."""
    done = {"subjects": [str(month)], "total": 1, "done": 1, "started_on": on, "finished_on": on}
    anew: dict[str, Any] = {"started_by": None, "failures": [], "result": ""}
    with transaction.atomic():
        job, is_new = Job.objects.get_or_create(kind=kind, month=month, defaults=done)
        if not is_new:
            Job.objects.filter(pk=job.pk).exclude(finished_on=None).update(**done, **anew)


def queue(job_id: UUID) -> None:
    """Have the queue go on with a job; one that is under way already loses nothing by it."""
    async_task(TASK, str(job_id))


def work(
    job_id: UUID, deeds: dict[str, Deed], *, finish: Callable[[Job], str], on: dt.date
) -> None:
    """Go on with a job for some subjects, then leave the rest to a task that comes behind others.

    ``finish`` is called after the last subject and names the file that came of it, if any. What is
    said goes by the language of who started it. A job that is over stays as it is.
    """
    job = Job.objects.select_related("started_by").filter(pk=job_id, finished_on=None).first()
    if job is None:
        return
    with override(job.language):
        for subject in job.subjects[job.done : job.done + AT_ONCE]:
            try:
                failures = _do(deeds[job.kind], job, subject)
            except StopError as stopped:
                _end(job, on, failures=[*job.failures, ["", str(stopped)]])
                return
            if not _note(job, failures):
                return  # another worker is at it
        if job.done < job.total:
            queue(job.pk)
        else:
            _end(job, on, result=finish(job))


def _do(deed: Deed, job: Job, subject: str) -> Failures:
    """Do one; what nobody foresaw is told by its kind only, for texts quote what they met."""
    try:
        return deed(job, subject)
    except StopError:
        raise
    except Exception as error:  # noqa: BLE001 - whatever it is, the job goes on
        named = {"task": job.kind, "error": type(error).__name__}
        logger.error("job failed", extra=named)  # noqa: TRY400 - without its text
        return [("", gettext("Something unforeseen went wrong. Nothing is lost; try again."))]


def _note(job: Job, failures: Failures) -> bool:
    """Write down that one more is done; False where somebody else has done so."""
    job.failures += [list(pair) for pair in failures]
    here = Job.objects.filter(pk=job.pk, done=job.done, finished_on=None)
    job.done += 1
    return bool(here.update(done=job.done, failures=job.failures))


def _end(job: Job, on: dt.date, **columns: object) -> None:
    Job.objects.filter(pk=job.pk, finished_on=None).update(finished_on=on, **columns)


def sweep() -> int:
    """Go on with jobs that are no further than at the last sweep; give their number.

    Their worker died, or the queue has not come to them yet.
    """
    unfinished = Job.objects.filter(finished_on=None)
    stuck = list(unfinished.filter(seen_done=F("done")).values_list("pk", flat=True))
    unfinished.update(seen_done=F("done"))
    for job_id in stuck:
        queue(job_id)
    return len(stuck)


def result_path(job: Job) -> Path:
    """Give where the file of a job lies: under its random key."""
    return Path(settings.JOBS_DIR) / f"{job.pk}{Path(job.result).suffix}"


def throw_results_away(*, on: dt.date) -> int:
    """Delete the files of jobs that ended a month ago; they can be made anew."""
    old = Job.objects.exclude(result="").filter(finished_on__lt=on - dt.timedelta(DAYS_TO_FETCH))
    gone = list(old.defer("subjects"))
    for job in gone:
        result_path(job).unlink(missing_ok=True)
    return old.filter(pk__in=[job.pk for job in gone]).update(result="")
