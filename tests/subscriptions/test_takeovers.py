"""A client is taken over by another one, or two merge (docs/decisions.md)."""

from __future__ import annotations

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from agency.models import AuditEvent, Organisation
from subscriptions import statements, takeovers
from subscriptions.audit import audit
from subscriptions.models import Invoice, Payer, Subscription, Takeover
from tests import factories as make
from tests.agreed import M
from tests.browsers import as_
from tests.clients import LONG_AFTER, client, close_and_bill, session
from workshops.models import Session

pytestmark = pytest.mark.django_db
ADD = "/admin/subscriptions/takeover/add/"


def pair() -> tuple[Organisation, Organisation]:
    """Two clients with quarterly contracts of the calendar year."""
    first = client("SMALL", "2025-01", billing_interval=3, hours={"2025-02": 4}).organisation
    second = client("LARGE", "2025-01", "extended", headcount=300, billing_interval=3).organisation
    return first, second


def taken(client: Organisation, by: Organisation, month: str, **choices: bool) -> Takeover:
    """Have a client taken over, noted as the page notes it."""
    for row in client.subscriptions.all():
        make.audit_event(row, fields="First month after the end")
    named = Takeover(organisation=client, successor=by, from_month=M(month))
    return takeovers.take_over(named, **choices)


def test_the_contract_ends_what_is_planned_goes_along_and_all_else_stays() -> None:
    small, large = pair()
    close_and_bill("2024-12", "2025-01", "2025-02")
    make.session(small, "BEFORE", starts_at=make.at("2025-03-31 10:00"), status="scheduled")
    make.session(small, "AFTER", starts_at=make.at("2025-04-01 10:00"), status="scheduled")
    taken(small, large, "2025-04", successor_pays=True)
    assert Subscription.objects.get(organisation=small).until_month == M("2025-04")
    assert set(Session.objects.values_list("reference", "organisation__code")) == {
        ("BEFORE", "SMALL"),
        ("AFTER", "LARGE"),
    }
    Session.objects.filter(reference="BEFORE").update(status="held")
    close_and_bill("2025-03")
    last = Invoice.objects.get(organisation=small, run_month=M("2025-03"))
    assert {line.kind for line in last.lines.all()} == {"overage", "session"}
    assert (last.payer, last.served_name) == (large, small.legal_name)
    first = Invoice.objects.get(organisation=small, run_month=M("2024-12"))
    assert first.payer == small
    assert small.statements.get().until_month == M("2025-04")
    assert not large.statements.filter(organisation=small).exists()
    assert audit().violations == []


def test_two_merge_into_a_third() -> None:
    small, large = pair()
    third = client("NEW", "2025-04", headcount=400, billing_interval=3).organisation
    close_and_bill("2024-12", "2025-01", "2025-02")
    taken(small, third, "2025-04")
    taken(large, third, "2025-04")
    close_and_bill("2025-03", "2025-04")
    billed = set(
        Invoice.objects.filter(run_month=M("2025-03")).values_list("payer__code", flat=True)
    )
    assert billed == {"SMALL", "NEW"}  # the overage of the one, the fee of the other
    assert audit().violations == []


def test_a_takeover_is_refused_in_one_sentence() -> None:
    small, large = pair()
    close_and_bill("2024-12")
    assert "2025-04, 2025-07" in refused(small, large, "2025-05")
    assert "nog open is" in refused(small, large, "2025-01")
    make.payer(make.organisation("KID"), small)
    assert "beëindig dat eerst" in refused(small, large, "2025-04", successor_pays=True)
    make.subscription(make.organisation("LATER"), "2025-07")
    later = Organisation.objects.get(code="LATER")
    assert "begint in die maand of later" in refused(later, large, "2025-04")


def refused(client: Organisation, by: Organisation, month: str, **choices: bool) -> str:
    with pytest.raises(ValidationError) as refusal:
        taken(client, by, month, **choices)
    assert not Takeover.objects.filter(organisation=client).exists()
    return " ".join(refusal.value.messages)


def test_who_takes_over_is_there_then() -> None:
    first, second, third = (make.organisation(code) for code in ("A", "B", "C"))
    make.takeover(first, second, "2030-01")
    wrong = [(second, first, "2031-01"), (second, third, "2030-01"), (third, first, "2030-06")]
    for client_, by, month in wrong:
        assert "zelf niet overgenomen" in refused(client_, by, month)
        with pytest.raises(IntegrityError), transaction.atomic():
            make.takeover(client_, by, month)
    make.takeover(third, first, "2029-01")
    make.takeover(second, make.organisation("D"), "2031-01")


def test_it_stays_once_it_has_begun_and_no_contract_follows() -> None:
    small, large = pair()
    close_and_bill("2024-12", "2025-01", "2025-02")
    row = taken(small, large, "2025-04")
    with pytest.raises(IntegrityError), transaction.atomic():
        make.subscription(small, "2025-04")
    with pytest.raises(IntegrityError), transaction.atomic():
        Subscription.objects.filter(organisation=small).update(until_month=None)
    with pytest.raises(IntegrityError), transaction.atomic():
        Takeover.objects.update(from_month=M("2025-07"))
    with transaction.atomic():
        row.delete()  # it has not begun: the way back
        Subscription.objects.filter(organisation=small).update(until_month=None)
        transaction.set_rollback(True)
    assert statements.close_month(M("2025-03"), on=LONG_AFTER)
    with pytest.raises(IntegrityError), transaction.atomic():
        Takeover.objects.all().delete()


def test_the_page_shows_what_comes_of_it_before_it_is_kept() -> None:
    small, large = pair()
    close_and_bill("2024-12", "2025-01")
    session(small, "S1", "2025-05-05")
    Session.objects.update(status="scheduled")
    make.top_up_card(small, "2025-03")
    make.receipt(make.invoice(small, "2024-11", state="open"), 210_00)
    browser = as_("controller")
    form = {"organisation": str(small.pk), "successor": str(small.pk), "from_month": "2025-04"}
    assert "Another organisation takes over." in browser.post(ADD, form).content.decode()
    form |= {"successor": str(large.pk), "successor_pays": "on"}
    page = browser.post(ADD, form).content.decode()
    for said in (
        "1 planned session",
        "cards lapse",
        "go to LARGE B.V.",
        "Statements stay",
        "Declare how many",
        "€\N{NO-BREAK SPACE}1,000.00 is open",
    ):
        assert said in page, said
    assert "337.50" in page  # the fee of April that no run bills
    assert not Takeover.objects.exists()
    assert browser.post(ADD, form | {"confirmed": "1"}).status_code == 302
    row = Takeover.objects.get()
    payer = Payer.objects.get()
    assert payer.payer == large
    assert AuditEvent.objects.filter(action="added", subject_id=payer.pk).count() == 1
    assert browser.get(f"/admin/subscriptions/takeover/{row.pk}/change/").status_code == 200
    assert "SMALL" in browser.get("/admin/subscriptions/takeover/").content.decode()
    assert as_("planner").get(ADD).status_code == 403
