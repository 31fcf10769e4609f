"""Another organisation pays for a client, as in a group of schools (docs/decisions.md)."""

from __future__ import annotations

from uuid import uuid4

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils import timezone

from agency.models import Organisation
from subscriptions import (
    billing,
    bookkeeping,
    collection_letters,
    corrections,
    debits,
    parked,
    push,
)
from subscriptions.audit import audit
from subscriptions.einvoice import write
from subscriptions.models import CreditReason, Invoice, Payer, StripeCustomer, Subscription
from subscriptions.sandbox.server import Sandbox
from tests import factories as make
from tests.agreed import M
from tests.browsers import as_
from tests.clients import bill, client, close, close_and_bill, session
from tests.stripe.control import listed

pytestmark = pytest.mark.django_db
LISTS = ("invoices", "statements")


def group_of_schools(from_month: str = "2025-07") -> tuple[Organisation, list[Subscription]]:
    """Two schools that a Belgian group pays for; each year costs 1,350.00 and 250.00 at first."""
    schools = [client(code, "2025-07", billing_interval=12) for code in ("NORTH", "SOUTH")]
    group = make.organisation(
        "GROUP", country="BE", vat_id="BE0123456749", vat_id_checked=True, language="en"
    )
    for school in schools:
        make.payer(school.organisation, group, from_month)
    return group, schools


def test_who_pays_is_the_buyer_of_a_document_for_each_client_it_pays_for() -> None:
    group, _schools = group_of_schools()
    make.purchase_order(group, "PO-G", budget_cents=2_000_00)
    north, south = close_and_bill("2025-06")
    assert [(row.buyer_name, row.po_number, row.language) for row in (north, south)] == [
        (group.legal_name, "PO-G", "en"),
        (group.legal_name, "PO-G", "en"),
    ]
    assert [row.served_name for row in (north, south)] == [
        row.organisation.legal_name for row in (north, south) if row.organisation
    ]
    assert {line.vat_category for line in north.lines.all()} == {"AE"}
    # Each asks for 1,600.00: the second one no longer fits the order that both are billed on.
    assert (north.state, south.blocked_reason) == ("draft", "po_spent")
    assert bill("2025-06") == []
    assert audit().violations == []


def test_a_change_of_payer_counts_from_the_next_document() -> None:
    _group, (north, _south) = group_of_schools("2025-08")
    (first, _other) = close_and_bill("2025-06")
    session(north.organisation, "S1", "2025-07-10")
    (second,) = close_and_bill("2025-07")
    Payer.objects.filter(organisation=north.organisation).update(until_month=M("2025-09"))
    session(north.organisation, "S2", "2025-08-10")
    (third,) = close_and_bill("2025-08")
    payers = [row.payer and row.payer.code for row in (first, second, third)]
    assert payers == ["NORTH", "GROUP", "NORTH"]
    assert [bool(row.served_name) for row in (first, second, third)] == [False, True, False]
    assert audit().violations == []


def test_a_credit_goes_back_to_who_got_the_document() -> None:
    group, (north, _south) = group_of_schools()
    (sent, _other) = close_and_bill("2025-06")
    Invoice.objects.filter(pk=sent.pk).update(state="open", number="N-1", stripe_id="in_1")
    Payer.objects.update(until_month=M("2025-08"))
    sent.refresh_from_db()
    corrections.credit(sent, CreditReason.GOODWILL, key=uuid4(), parts=None)
    credit = sent.credits.get()
    assert (credit.payer, credit.served_name) == (group, north.organisation.legal_name)
    assert (credit.buyer_name, credit.organisation) == (group.legal_name, north.organisation)


def test_nobody_pays_for_who_pays_for_others_in_the_same_months() -> None:
    first, second, third = (make.organisation(code) for code in ("A", "B", "C"))
    make.payer(first, second, "2026-01", "2026-07")
    refused = [
        (first, third, "2026-06", None),
        (second, third, "2026-06", None),
        (third, first, "2025-01", "2026-02"),
        (second, first, "2026-01", None),
        (third, third, "2026-01", None),
    ]
    for served, payer, start, until in refused:
        with pytest.raises(IntegrityError), transaction.atomic():
            make.payer(served, payer, start, until)
    make.payer(second, third, "2026-07")
    make.payer(third, first, "2025-01", "2026-01")


def test_who_pays_stays_where_documents_went_to_it_and_no_document_goes_elsewhere() -> None:
    group, (north, south) = group_of_schools()
    close_and_bill("2025-06")
    with pytest.raises(IntegrityError), transaction.atomic():
        Payer.objects.filter(organisation=north.organisation).delete()
    with pytest.raises(IntegrityError), transaction.atomic():
        Payer.objects.filter(organisation=north.organisation).update(payer=south.organisation)
    with pytest.raises(IntegrityError), transaction.atomic():
        make.invoice(make.organisation("OTHER"), payer=group)
    with pytest.raises(IntegrityError), transaction.atomic():
        Invoice.objects.update(payer=south.organisation)


def test_a_parked_payer_gets_nothing() -> None:
    group, _schools = group_of_schools()
    make.parked_organisation(group)
    close("2025-06")
    run = billing.draft_run(M("2025-06"))
    assert [code for code, _reason in run.failures] == ["NORTH", "SOUTH"]
    assert parked.is_parked(Organisation.objects.get(code="GROUP"), M("2025-06"))
    assert audit().violations == []


def test_stripes_customer_and_the_debtor_are_who_pays(sandbox: Sandbox) -> None:
    group, schools = group_of_schools()
    close_and_bill("2025-06")
    billing.approve(Invoice.objects.all())
    outcomes = {push.push(row.pk, at=timezone.now()) for row in Invoice.objects.all()}
    assert outcomes == {push.Outcome.PUSHED}
    assert [row.organisation for row in StripeCustomer.objects.all()] == [group]
    [customer] = listed(sandbox, "customers")
    assert (customer["name"], customer["email"]) == (group.legal_name, group.invoice_email)
    printed = {row["custom_fields"][0]["value"] for row in listed(sandbox)}
    assert printed == {row.organisation.legal_name for row in schools}
    sent = Invoice.objects.all()
    month = M(str(sent[0].invoice_on)[:7])
    open_items = bookkeeping.open_items(month.last_day, bookkeeping.Codes())
    assert {row.debtor for row in open_items} == {"GROUP"}
    file = write(sent[0])
    assert b"<cbc:Name>" + sent[0].served_name.encode() in file
    assert b"BE0123456749" in file


def test_who_pays_is_reminded_and_debited() -> None:
    make.collection_policy(announced_by="agency")
    school = make.organisation("SCHOOL", invoice_email="school@client.example")
    group = make.organisation("GROUP", invoice_email="group@client.example")
    make.payer(school, group)
    invoice = make.invoice(
        school, payer=group, served_name="School", buyer_email="", collection="sepa",
        state="open", due_on=timezone.localdate(),
    )  # fmt: skip
    make.stripe_step(invoice, "finalize", body={"auto_advance": False})
    assert collection_letters.address_of(invoice) == "group@client.example"
    made = make.mandate(group)
    [planned] = debits.plan(on=timezone.localdate())
    assert (planned.mandate, planned.waits_for) == (made, None)
    with pytest.raises(IntegrityError), transaction.atomic():
        make.debit_notice(invoice, make.mandate(school, reference="OTHER"))
    make.parked_organisation(group)
    [planned] = debits.plan(on=timezone.localdate())
    assert planned.waits_for == debits.NotAnnounced.PARKED
    make.debit_notice(invoice, made)


@pytest.mark.attack(8)
def test_the_payers_people_see_the_document_and_the_clients_own_see_their_statements() -> None:
    group, (north, _south) = group_of_schools()
    (document, _other) = close_and_bill("2025-06")
    Invoice.objects.filter(pk=document.pk).update(state="open", number="N-1", stripe_id="in_1")
    close("2025-07", "2025-08", "2025-09")
    seen = {}
    for organisation in (group, north.organisation):
        browser = Client()
        browser.force_login(make.contact(organisation).user)
        place = f"/portal/{organisation.pk}"
        seen[organisation.code] = (
            "N-1" in browser.get(f"{place}/invoices/").content.decode(),
            browser.get(f"{place}/invoices/{document.pk}/").status_code,
            *(len(browser.get(f"/api/v1/{name}/").json()["results"]) for name in LISTS),
        )
    assert seen == {"GROUP": (True, 200, 1, 0), "NORTH": (False, 404, 0, 1)}


def test_staff_enter_who_pays() -> None:
    school, group = make.organisation("SCHOOL"), make.organisation("GROUP")
    browser = as_("controller")
    form = {"organisation": str(school.pk), "payer": str(school.pk), "from_month": "2026-01"}
    address = "/admin/subscriptions/payer/add/"
    assert "Who pays is another organisation." in browser.post(address, form).content.decode()
    assert browser.post(address, form | {"payer": str(group.pk)}).status_code == 302
    chain = {"organisation": str(group.pk), "payer": str(make.organisation("TOP").pk)}
    refused = browser.post(address, form | chain).content.decode()
    assert "Nobody pays for who pays for others" in refused
    assert str(group) in browser.get("/admin/subscriptions/payer/").content.decode()
