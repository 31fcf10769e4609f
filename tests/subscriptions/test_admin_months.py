"""A controller takes a month from missing submissions to sent invoices, in four confirmations."""

from __future__ import annotations

import datetime as dt
import re
from contextlib import suppress
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django_q.models import OrmQ
from pytest_django.fixtures import Settings

from advisors import hours
from agency.models import AuditEvent, Organisation
from subscriptions import billing, jobs
from subscriptions.models import Invoice, Job, Publication
from subscriptions.sandbox.server import Sandbox
from subscriptions.statements import close_month
from subscriptions.tasks import run_job
from tests import factories as make
from tests.agreed import M
from tests.browsers import as_
from tests.clients import client, counsellor

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("english")]

MARCH = "/admin/months/2026-03/"


@pytest.fixture(autouse=True)
def on_8_april(settings: Settings, tmp_path: Path) -> None:
    settings.TODAY = dt.date(2026, 4, 8)
    settings.JOBS_DIR = tmp_path


def text_of(page: str) -> str:
    plain = re.sub(r"<[^>]+>", " ", page).replace("\xa0", " ").replace("\u2011", "-")
    return re.sub(r"\s+", " ", plain)


def look(browser: Client, address: str) -> str:
    answer = browser.get(address, follow=True)
    assert answer.status_code == 200
    return text_of(answer.content.decode())


def press(browser: Client, page: str, deed: str) -> str:
    """Send the form that a page has for a deed, and let the queue do what it asked for."""
    shown = browser.get(page).content.decode()
    [form] = re.findall(rf'<form[^>]*action="({MARCH}do/{deed}/)"(.*?)</form>', shown, re.DOTALL)
    counted = dict(re.findall(r'name="(counted)" value="([^"]*)"', form[1]))
    answer = browser.post(form[0], counted, follow=True)
    work_off()
    return text_of(answer.content.decode())


def work_off() -> None:
    while waiting := [row for row in OrmQ.objects.all() if row.task["func"] == jobs.TASK]:
        for row in waiting:
            row.delete()
            run_job(*row.task["args"])


def agency_with_a_march() -> None:
    """Make clients of each kind, with February closed; one advisor has not submitted."""
    client("ORG1", headcount=300, hours={"2026-03": 40}, start="2025-04", billing_interval=3)
    client("ORG2", headcount=300, start="2025-04", overage="all_in", billing_interval=3)
    client("ORG3", headcount=8, start="2026-01", hours={"2026-03": 2})
    client("ORG4", headcount=300, start="2026-04", po_required=True)
    make.closed_month("2026-02")
    make.publication("2026-02")
    for code in ("ORG1", "ORG2", "ORG4"):
        hours.submit(counsellor(Organisation.objects.get(code=code)), M("2026-03"))


def test_a_month_from_the_first_page_to_sent_invoices(sandbox: Sandbox) -> None:
    agency_with_a_march()
    ada = as_("controller")
    start = ada.get("/admin/").content.decode()
    assert "By law the invoices of March leave by then" in start
    assert f'href="{MARCH}"' in start
    page = look(ada, MARCH)
    assert "Close March" not in page  # the first step is to know who is missing
    assert "3 of 4 submitted" in page
    assert "Advisor A-ORG3" in page

    page = look(ada, f"{MARCH}close/")
    assert "1 counsellor has not submitted: what was noted counts." in page
    assert "All hours are included. Use is not reported. 1" in page
    foretold = look(ada, f"{MARCH}statements/")
    press(ada, f"{MARCH}close/", "close")
    assert Publication.objects.filter(month=M("2026-03")).exists()
    published = look(ada, f"{MARCH}statements/")
    for said in ("ORG1 B.V. Mar 2026", "ORG2 B.V. Mar 2026"):
        assert said in foretold
        assert said in published
    assert "40 hours" in published
    assert "40" not in foretold.partition("Statements")[2]

    press(ada, f"{MARCH}drafts/", "draft")
    page = look(ada, f"{MARCH}drafts/")
    assert "ORG4 B.V." in page
    assert "Enter an order" in page
    assert "1 blocked one stays behind." in page
    drafts = Invoice.objects.filter(run_month=M("2026-03"), state="draft").count()
    assert f"{drafts} to approve" in page

    assert f'href="{MARCH}approve/"' in ada.get("/admin/").content.decode()
    page = press(ada, f"{MARCH}approve/", "approve")
    assert f'href="{MARCH}send/"' in ada.get("/admin/").content.decode()
    assert f"{drafts} invoices approved. Nothing is sent yet." in page
    assert not Invoice.objects.filter(run_month=M("2026-03"), state="open").exists()
    press(ada, f"{MARCH}send/", "push")
    page = look(ada, f"{MARCH}send/")
    assert f"{drafts} invoices are sent" in page
    assert "1 other" not in page
    deeds = AuditEvent.objects.values_list("action", flat=True)
    assert sorted(deeds) == ["approved"] * drafts + ["started"] * 3
    page = look(ada, "/admin/months/")
    assert "to approve" not in page
    assert "1 blocked" in page  # sent but for one: the month is not done


def test_every_step_is_done_once_however_often_it_is_asked_for(sandbox: Sandbox) -> None:
    agency_with_a_march()
    ada = as_("controller")

    def ask(deed: str, **form: str) -> str:
        answer = ada.post(f"{MARCH}do/{deed}/", form, follow=True)
        return text_of(answer.content.decode())

    assert "is not closed yet" in ask("draft")
    assert "is not closed yet" in ask("push")
    ask("close")
    assert "It is under way already." in ask("close")
    work_off()
    assert "2026-03 was closed before; nothing changed." in ask("close")
    ask("draft")
    work_off()
    made = set(Invoice.objects.values_list("pk", flat=True))
    ask("draft")
    work_off()
    unblocked = Invoice.objects.exclude(state="blocked")
    assert {*unblocked.values_list("pk", flat=True)} <= made
    assert "The drafts changed meanwhile: nothing was approved." in ask("approve", counted="1:1")
    assert "There is nothing to send." in ask("push")
    press(ada, f"{MARCH}approve/", "approve")
    assert "There is nothing left to approve." in ask("approve")
    ask("push")
    assert "It is under way already." in ask("push")
    work_off()
    assert "There is nothing to send." in ask("push")
    assert Job.objects.count() == 3


def test_a_document_that_was_billed_ahead_is_no_run_but_a_command_makes_one() -> None:
    agency_with_a_march()
    make.closed_month("2026-03")
    make.publication("2026-03")
    make.invoice(Organisation.objects.get(code="ORG1"), "2026-03", state="draft")
    ada = as_("controller")
    for options in (["--dry-run"], []):
        assert "Draft the invoices of March 2026" in look(ada, MARCH)
        with suppress(SystemExit):  # something is blocked
            call_command("bill", "2026-03", *options)
    assert "to approve" in look(ada, MARCH)
    assert "Done by a command on 8 April 2026." in look(
        ada, f"/admin/subscriptions/job/{Job.objects.get().pk}/change/"
    )


def test_who_may_not_act_reads_and_is_shown_no_button() -> None:
    agency_with_a_march()
    for role in ("planner", "auditor", "administrator"):
        browser = as_(role)
        for step in ("complete", "close", "statements", "drafts", "approve", "send"):
            shown = browser.get(f"{MARCH}{step}/")
            assert shown.status_code == 200
            assert not re.search(rb'<button[^>]*class="btn first"', shown.content)
        for deed in ("close", "draft", "approve", "push", "workbooks"):
            assert browser.post(f"{MARCH}do/{deed}/").status_code == 403
    assert not Job.objects.exists()


@pytest.mark.parametrize(
    "address",
    ["2026-13/", "2019-01/", "2026-05/", "march/", "2026-03/nothing/", "2026-3/", "0000-00/"],
)
def test_what_is_no_month_of_the_agency_is_not_found(address: str) -> None:
    agency_with_a_march()
    assert as_("controller").get(f"/admin/months/{address}").status_code == 404


def test_an_empty_agency_has_no_month_and_says_what_comes_here() -> None:
    browser = as_("controller")
    assert "There is no month yet." in look(browser, "/admin/months/")
    assert browser.get(MARCH).status_code == 404


def test_a_job_shows_how_far_it_is_and_gives_its_file_to_who_keeps_the_books() -> None:
    agency_with_a_march()
    make.closed_month("2026-03")
    make.publication("2026-03")
    ada, planner = as_("controller"), as_("planner")
    ada.post(f"{MARCH}do/workbooks/")
    page = f"/admin/subscriptions/job/{Job.objects.get().pk}/"
    assert ada.get(f"{page}state/").json() == {
        "done": 0, "total": 5, "said": "0 of 5", "finished": False
    }  # fmt: skip
    for browser, address in ((ada, f"{MARCH}statements/"), (planner, f"{page}change/")):
        shown = browser.get(address).content.decode()
        assert f'data-job="{page}state/"' in shown
        assert ("go_on" in shown) == (browser is ada)
    assert "It goes on where it was." in text_of(
        ada.post(f"{page}go_on/", follow=True).content.decode()
    )
    work_off()

    assert "Download the file" in look(ada, f"{MARCH}statements/")
    assert "Download the file" not in look(planner, f"{MARCH}statements/")
    assert planner.get(f"{page}result/").status_code == 403
    answer = ada.get(f"{page}result/")
    assert b"".join(answer).startswith(b"PK")
    assert answer["Content-Disposition"] == 'attachment; filename="workbooks_2026-03.zip"'
    jobs.result_path(Job.objects.get()).unlink()
    assert "There is no file of it now" in look(ada, f"{page}result/")
    assert "5 of 5 done" in look(ada, f"{page}change/")


def test_a_month_that_cannot_be_closed_says_why() -> None:
    client("ORG1", headcount={}, start="2025-04")
    make.closed_month("2026-02")
    ada = as_("controller")
    for address, sentence in (
        (MARCH, "ORG1: No headcount is known"),
        ("/admin/months/2026-04/", "April 2026 is not over yet."),
    ):
        for step in ("close/", "statements/"):
            page = look(ada, f"{address}{step}")
            assert "It cannot be closed now." in page
            assert sentence in page
    ada.post(f"{MARCH}do/close/")
    work_off()
    assert "No headcount is known" in look(ada, f"{MARCH}close/").partition("Left out")[2]
    assert not Publication.objects.exists()
    ada.post("/admin/months/2026-04/do/close/")
    assert Job.objects.count() == 1


def test_large_documents_and_unusual_runs_are_for_others_to_look_at() -> None:
    agency_with_a_march()
    make.closed_month("2026-03")
    make.publication("2026-03")
    for number in range(1, 3):
        make.invoice(Organisation.objects.get(code=f"ORG{number}"), "2026-03", state="draft",
                     net_cents=1_100_000_00, vat_cents=0, total_cents=1_100_000_00)  # fmt: skip
    page = look(as_("controller"), f"{MARCH}approve/")
    assert "By two people, on their own pages 2, € 2,200,000.00 net" in page
    assert "a first and a second person" in page
    assert "unusually large" in page
    assert "Accept this run" in page
    as_("controller").post(f"{MARCH}do/approve/", {"counted": "0:0"})
    assert Invoice.objects.filter(state="draft", approved_by=None).count() == 2


STEPS = ("complete", "close", "statements", "drafts", "approve", "send")


def test_the_pages_ask_the_database_as_often_however_many_clients_there_are() -> None:
    """At most ten times, before the close as after the drafting of a run beside one like it."""
    client("ORG0", headcount=300, start="2025-04")
    make.closed_month("2026-02")
    browser = as_("controller")
    look(browser, MARCH)
    asked: list[dict[str, int]] = []
    for codes in (range(1, 3), range(3, 6)):
        for code in codes:
            client(f"ORG{code}", headcount=300, start="2025-04")
        asked.append(statements_of(browser))
    for clients in (6, 9):
        codes = range(6, clients)
        for code in codes:
            client(f"ORG{code}", headcount=300, start="2025-04", billing_interval=1)
        if clients == 6:
            close_month(M("2026-03"), on=dt.date(2026, 4, 8))
            make.job(
                make.user("controller", email="job@staff.example"),
                "draft",
                done=2,
                finished_on=dt.date(2026, 4, 8),
            )
        for run in ("2026-01", "2026-02", "2026-03"):
            billing.draft_run(M(run))
        asked.append(statements_of(browser))
    assert asked[0] == asked[1]
    assert asked[2] == asked[3]
    assert max(count for counts in asked for count in counts.values()) <= 10


def statements_of(browser: Client) -> dict[str, int]:
    counts = {}
    for step in STEPS:
        with CaptureQueriesContext(connection) as queries:
            look(browser, f"{MARCH}{step}/")
        counts[step] = len(queries)
    return counts
