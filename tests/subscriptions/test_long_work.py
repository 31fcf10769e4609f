"""Jobs go on where a dead worker left them, do nothing twice, and say what was left out."""

from __future__ import annotations

import datetime as dt
import zipfile
from pathlib import Path
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django_q.models import OrmQ
from pytest_django.fixtures import Settings

from agency.month import Month
from subscriptions import billing, jobs, long_work, tasks
from subscriptions.models import Invoice, Job, JobKind, Publication
from subscriptions.sandbox.server import Sandbox
from subscriptions.tasks import run_job
from tests import factories as make
from tests.clients import client

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("english")]

MARCH = Month.parse("2026-03")
TODAY = dt.date(2026, 4, 8)


@pytest.fixture(autouse=True)
def on_8_april(settings: Settings, tmp_path: Path) -> None:
    settings.TODAY = TODAY
    settings.JOBS_DIR = tmp_path / "jobs"


def start(kind: JobKind) -> Job:
    people = make.user("controller", email=f"{kind}@staff.example", language="en")
    return long_work.start(kind, MARCH, by=people, on=TODAY)[0]


def go_through(job: Job) -> Job:
    """Do as the queue does until nothing of the job waits, and give it as it is then."""
    while waiting := [row for row in OrmQ.objects.all() if row.task["func"] == jobs.TASK]:
        for row in waiting:
            row.delete()
            run_job(*row.task["args"])
    job.refresh_from_db()
    return job


def test_a_month_from_close_to_sent_by_jobs(sandbox: Sandbox) -> None:
    client("ORG1", headcount=300, start="2026-04")
    client("ORG2", headcount=300, start="2026-04")

    for kind in (JobKind.CLOSE, JobKind.DRAFT):
        job = go_through(start(kind))
        assert (job.done, job.failures, job.finished_on) == (1, [], TODAY)
    assert str(Publication.objects.latest("month").month) == "2026-03"
    billing.approve(Invoice.objects.filter(run_month=MARCH))
    job = go_through(start(JobKind.PUSH))
    assert (job.done, job.total, job.failures) == (2, 2, [])
    assert {row.state for row in Invoice.objects.filter(run_month=MARCH)} == {"open"}


def test_a_job_goes_on_where_a_worker_died_and_a_second_worker_does_no_harm(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(jobs, "AT_ONCE", 2)
    boss = make.user("controller")
    job, _ = jobs.start(JobKind.PUSH, MARCH, ["a", "b", "c"], by=boss, on=TODAY)
    again, is_new = jobs.start(JobKind.PUSH, MARCH, ["z"], by=boss, on=TODAY)
    assert (again, is_new, OrmQ.objects.count()) == (job, False, 1)
    done: list[str] = []

    def deed(job: Job, subject: str) -> jobs.Failures:
        done.append(subject)
        if done == ["a", "b"]:
            raise KeyboardInterrupt  # the worker is gone
        return [("ORG1", "why")] if subject == "c" else ()

    def work(deed: jobs.Deed) -> None:
        jobs.work(job.pk, {"push": deed}, finish=lambda _job: "", on=TODAY)

    with pytest.raises(KeyboardInterrupt):
        work(deed)
    assert Job.objects.get().done == 1
    assert [jobs.sweep(), jobs.sweep()] == [0, 1]  # it looks twice before it takes it up

    def overtaken(job: Job, subject: str) -> jobs.Failures:
        Job.objects.update(done=2)
        return [("ORG2", "told twice")]

    work(overtaken)
    work(deed)
    work(deed)
    job.refresh_from_db()
    assert done == ["a", "b", "c"]
    assert (job.done, job.failures, job.finished_on) == (3, [["ORG1", "why"]], TODAY)
    assert jobs.sweep() == 0


@pytest.mark.logs_errors
def test_what_nobody_foresaw_is_told_without_its_text_and_the_rest_goes_on() -> None:
    boss = make.user("controller", language="en")
    job, _ = jobs.start(JobKind.PUSH, MARCH, ["a", "b"], by=boss, on=TODAY)

    def deed(_job: Job, subject: str) -> jobs.Failures:
        if subject == "a":
            raise ValueError("a secret")
        raise jobs.StopError("Nothing goes.")

    jobs.work(job.pk, {"push": deed}, finish=lambda _job: "", on=TODAY)
    job.refresh_from_db()
    sentences = [why for _who, why in job.failures]
    assert sentences == ["Something unforeseen went wrong. Nothing is lost; try again.",
                         "Nothing goes."]  # fmt: skip
    assert (job.done, job.finished_on) == (1, TODAY)


def test_the_workbooks_of_a_month_are_one_file_that_is_thrown_away(settings: Settings) -> None:
    make.publication("2026-03")
    make.closed_month("2026-03")
    client("ORG1", start="2025-01")
    client("ORG2", start="2027-01")  # nothing to report yet
    job = go_through(start(JobKind.WORKBOOKS))

    file = jobs.result_path(job)
    assert (job.total, job.failures, job.result) == (3, [], "workbooks_2026-03.zip")
    with zipfile.ZipFile(file) as archive:
        assert archive.namelist() == [
            "clients/utilisation_ORG1_2026-03.xlsx",
            "staff/controller_2026-03.xlsx",
        ]
    assert long_work.finish(job) == job.result  # once more changes nothing
    settings.TODAY = TODAY + dt.timedelta(31)
    tasks.go_on_with_jobs()
    assert file.exists()
    settings.TODAY = TODAY + dt.timedelta(32)
    tasks.go_on_with_jobs()
    assert not any(Path(settings.JOBS_DIR).iterdir())
    assert Job.objects.get().result == ""


@pytest.mark.parametrize("fields", [{"done": 3}, {"kind": "other"}])
def test_the_database_refuses_a_job_that_is_none(fields: dict[str, Any]) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        make.job(make.user("controller"), **fields)
