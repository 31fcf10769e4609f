"""A controller closes a month, from the start page to sent invoices."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

from django_q.models import OrmQ
from playwright.sync_api import Page, expect
from pytest_django.fixtures import Settings

from subscriptions import jobs
from subscriptions.models import Invoice, Publication
from subscriptions.sandbox.server import Sandbox
from subscriptions.tasks import run_job
from tests import factories
from tests.agreed import M
from tests.browser.conftest import Open
from tests.browser.scene import Sample, sign_in

MOST_CONFIRMATIONS = 6


def work_off() -> None:
    """Do what the queue would do meanwhile."""
    while waiting := [row for row in OrmQ.objects.all() if row.task["func"] == jobs.TASK]:
        for row in waiting:
            row.delete()
            run_job(*row.task["args"])


def press(page: Page, button: str) -> None:
    """Press a button, see that the work is under way, and wait until its page says it is done."""
    page.get_by_role("button", name=button).click()
    expect(page.get_by_role("progressbar")).to_be_visible()
    work_off()
    expect(page.get_by_role("progressbar")).to_have_count(0, timeout=15_000)


def test_a_month_is_closed_and_billed_with_few_confirmations(
    open_page: Open, sample: Sample, sandbox: Sandbox, settings: Settings, tmp_path: Path
) -> None:
    settings.JOBS_DIR = tmp_path
    factories.closed_month("2026-03")
    settings.TODAY = dt.date(2026, 5, 8)
    Invoice.objects.filter(state__in=["draft", "blocked"]).delete()
    page = open_page(viewport={"width": 1360, "height": 900})
    confirmed: list[str] = []
    page.on(
        "request",
        lambda sent: (
            confirmed.append(sent.url) if sent.method == "POST" and "/admin/" in sent.url else None
        ),
    )
    sign_in(page, "controller")

    page.get_by_role("link", name="maand af te sluiten").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("April 2026")
    page.get_by_role("link", name="Naar afsluiten").click()
    expect(page.get_by_text("Er wordt nog geen factuur gemaakt of verstuurd.")).to_be_visible()
    press(page, "Sluit april af")
    assert Publication.objects.filter(month=M("2026-04")).exists()

    page.get_by_role("link", name="Naar de opgaven").click()
    expect(page.get_by_text("Alle uren zijn inbegrepen.").first).to_be_visible()
    page.get_by_role("link", name="Naar de conceptfacturen").click()
    press(page, "Conceptfacturen berekenen")
    drafts = Invoice.objects.filter(run_month=M("2026-04"), state="draft").count()
    assert drafts
    page.get_by_role("link", name="Naar goedkeuren").click()
    page.get_by_role("button", name="Goedkeuren").click()
    expect(page.get_by_role("status")).to_contain_text("Er is nog niets verstuurd")
    press(page, "Versturen via Stripe")

    sent = Invoice.objects.filter(run_month=M("2026-04"), state="open")
    assert sent.count() >= drafts
    assert not Invoice.objects.filter(run_month=M("2026-04"), state="approved").exists()
    assert len(confirmed) <= MOST_CONFIRMATIONS
    assert len(confirmed) == 4
