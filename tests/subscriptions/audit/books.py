"""Books in order, to be broken: four closed months in which every kind of thing happened."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

from subscriptions import billing, bodies, indexation_runs, quotes, write_offs
from subscriptions.models import (
    IndexedContract,
    Invoice,
    InvoiceLine,
    Quote,
    Statement,
    Subscription,
)
from tests import factories as make
from tests.agreed import M
from tests.clients import client, close_and_bill, counsellor, worked

Plant = Callable[[], object]
PLANTS: list[tuple[str, Plant, bool]] = []


def plants(invariant: str, *, alone: bool = False) -> Callable[[Plant], Plant]:
    """Mark a function that breaks an invariant in these books; ``alone``: and no other one."""

    def keep(plant: Plant) -> Plant:
        PLANTS.append((invariant, plant, alone))
        return plant

    return keep


def make_books() -> None:
    _quarterly_client()
    _monthly_client()
    _small_clients()
    _client_that_gets_overage_back()
    close_and_bill("2025-12", "2026-01")
    billing.approve(Invoice.objects.filter(organisation__code="BACK"))
    close_and_bill("2026-02", "2026-03")
    billing.approve(Invoice.objects.filter(organisation__code__in=["QUARTER", "MONTH"]))
    _send()
    _indexed_client()
    _signed_client()


def _quarterly_client() -> None:
    quarter = client("QUARTER", billing_interval=3, hours={"2026-01": 29.25, "2026-03": 1})
    make.terms(quarter, "2026-03", "extended")
    make.terms(quarter, "2026-05", "basic")
    make.top_up_card(quarter.organisation, "2026-02", 8)
    make.purchase_order(quarter.organisation, "PO-1", "2026-01", "2026-04")
    make.purchase_order(quarter.organisation, "PO-2", "2026-04", "2026-07")
    checked = {"country": "BE", "vat_id": "BE0123456749", "vat_id_checked": True}
    coming = make.organisation("NEXT", **checked)
    make.vat_consultation(coming)
    make.subscription(coming, "2030-01")
    make.headcount(coming, 40)


def _monthly_client() -> None:
    month = client("MONTH", "2025-01", "extended", headcount=300, first_run=M("2025-12"))
    make.month_hours(counsellor(month.organisation), month.organisation, "2025-03", 9)
    worked(month.organisation, {"2026-01": 70, "2026-02": 2})
    workshop = make.offering("WS", included_eligible=True)
    exempt = make.offering("MC", vocational=True, price_cents=950_00)
    service = make.offering("SRV", kind="service", price_cents=75_00)
    for number, (offering, day) in enumerate(
        [
            *[(workshop, f"2026-01-0{day}") for day in range(1, 7)],
            (exempt, "2026-02-05"),
            (service, "2026-02-06"),
        ]
    ):
        starts_at = make.at(f"{day} 10:00")
        make.session(
            month.organisation,
            f"S{number}",
            offering=offering,
            starts_at=starts_at,
            status="held",
            on_site_km=30,
        )
    make.session(
        month.organisation,
        "S9",
        offering=exempt,
        starts_at=make.at("2026-03-25 10:00"),
        status="cancelled",
        cancelled_on=dt.date(2026, 3, 2),
        cancelled_by="client",
    )
    make.enrolment(make.session(None, "OPEN", offering=exempt, status="held"))
    mediator = make.advisor("MEDIATOR")
    make.assignment(mediator, month.organisation, "mediator")


def _small_clients() -> None:
    capped = client("CAPPED", overage="cap", hours={"2026-02": 30})
    make.pause(capped, "2027-01", "2027-07")
    all_in = client("ALLIN", headcount=8, overage="all_in", hours={"2026-02": 30})
    make.top_up_card(all_in.organisation, "2026-02", price_cents=0)
    client("BLOCKED", po_required=True)
    yearly = client("YEARLY", headcount=20, hours={"2026-02": 3})
    head = make.organisation("HEAD")
    make.payer(yearly.organisation, head)
    make.legal_name(head)
    make.takeover(make.organisation("GONE"), head, "2026-02")
    ended = client("ENDED", "2025-01", reported_until=M("2026-01"), until_month=M("2026-03"))
    make.subscription(ended.organisation, "2026-03", first_run=M("2026-02"))
    worked(ended.organisation, {"2026-04": 7})


def _client_that_gets_overage_back() -> None:
    back = client(
        "BACK",
        headcount=300,
        hours={"2026-01": 20},
        until_month=M("2026-03"),
        collection="sepa",
    )
    advisor = counsellor(back.organisation)
    make.hours_adjustment(advisor, back.organisation, "2026-02", -5 * 4)


def _send() -> None:
    approved = Invoice.objects.filter(state="approved").order_by("run_month", "pk")
    for number, invoice in enumerate(approved, start=1):
        day = (invoice.run_month + 1).first_day
        Invoice.objects.filter(pk=invoice.pk).update(
            state="open",
            number=f"DIS-{number:04}",
            stripe_id=f"in_{number}",
            invoice_on=day,
            due_on=day + dt.timedelta(days=30),
        )
        body = {"metadata": {"document": str(invoice.pk)}}
        make.stripe_step(
            invoice,
            body=body,
            body_hash=bodies.hash_of(body),
            state="done",
            answer_id=f"in_{number}",
        )
    sent = Invoice.objects.filter(state="open", kind="invoice").order_by("run_month")
    newest = {row.organisation.code: row for row in sent if row.organisation}
    _remind(newest["MONTH"])
    _contest(newest["QUARTER"])
    _announce(newest["BACK"])
    _receive(Invoice.objects.get(number="DIS-0001"))
    _set_off(Invoice.objects.get(number="DIS-0001"))
    make.payment_plan(Invoice.objects.get(number="DIS-0002"), make.user("planner"))
    _give_up(Invoice.objects.get(number="DIS-0003"))


def _remind(invoice: Invoice) -> None:
    make.collection_policy(announced_by="agency")
    assert invoice.due_on
    for number, step in enumerate(("first", "second", "final"), start=1):
        sent_on = invoice.due_on + dt.timedelta(days=14 * number)
        pay_by_on = sent_on + dt.timedelta(days=14)
        make.reminder(invoice, step, sent_on=sent_on, pay_by_on=pay_by_on)


def _announce(invoice: Invoice) -> None:
    assert invoice.organisation
    mandate = make.mandate(invoice.organisation)
    body = dict(bodies.finalization(goes_on=False))
    digest = bodies.hash_of(body)
    told = {"body": body, "body_hash": digest, "answer_id": invoice.stripe_id}
    made_at = make.at(f"{invoice.invoice_on} 09:00")
    make.stripe_step(invoice, "finalize", state="done", attempted_at=made_at, **told)
    make.debit_notice(invoice, mandate, sent_on=invoice.due_on, debit_on=M("2026-06").first_day)


def _contest(invoice: Invoice) -> None:
    """Have a client contest an invoice; once that ended by a credit."""
    noted_by = make.user("controller", email="c@contests.example")
    make.contest(invoice, noted_by, ended_on=invoice.due_on, outcome="resumed")
    make.contest(invoice, noted_by, noted_on=invoice.due_on)


def _receive(invoice: Invoice) -> None:
    """Have our own bank receive what an invoice asks for."""
    body = dict(bodies.settlement())
    digest = bodies.hash_of(body)
    told = {"body": body, "body_hash": digest, "answer_id": invoice.stripe_id}
    make.stripe_step(invoice, kind="settle", state="done", **told)
    make.receipt(invoice, invoice.total_cents)
    Invoice.objects.filter(pk=invoice.pk).update(
        state="paid", received_on=invoice.due_on, paid_on=invoice.due_on
    )


def _set_off(invoice: Invoice) -> None:
    """Have a client pay a cent too much, which is a part of what another invoice asks for."""
    others = Invoice.objects.filter(organisation=invoice.organisation, state="open")
    make.receipt(invoice, 1)
    make.receipt(invoice, -1, kind="set_off")
    make.receipt(others.exclude(number="").order_by("number")[0], 1, kind="set_off")


def _give_up(invoice: Invoice) -> None:
    """Have an invoice written off more than a year after it fell due."""
    day = dt.date(2027, 7, 1)
    late = {"written_off_on": day, "vat_on": write_offs.claimed_on(invoice, day)}
    make.write_off(invoice, make.user("controller", email="gives-up@staff.example"), **late)
    told = {"body": {}, "body_hash": bodies.hash_of({}), "answer_id": invoice.stripe_id}
    make.stripe_step(invoice, kind="write_off", state="done", **told)
    Invoice.objects.filter(pk=invoice.pk).update(state="uncollectible")


def _indexed_client() -> None:
    yearly = Subscription.objects.get(organisation__code="YEARLY")
    make.contact(yearly.organisation)
    make.terms(yearly, "2026-04", "basic", reason="own_price", own_annual_fee_cents=1_250_00)
    values = make.cpi_value("2026-10", 127_800), make.cpi_value("2027-10", 131_200)
    run = make.indexation_run(*values, effective_month="2028-01")
    on, (first, second) = dt.date(2027, 11, 10), (make.user("controller"), make.user("auditor"))
    indexation_runs.announce(run, by=first, on=on)
    IndexedContract.objects.filter(left_out="").update(sent_on=on)
    indexation_runs.approve(run, by=second, on=on)
    assert indexation_runs.apply(run, on=on) == 1


def _signed_client() -> None:
    signed, open_to_sign = make.organisation("SIGNED"), make.organisation("OFFERED")
    for organisation in (signed, open_to_sign):
        make.headcount(organisation, 100)
        quote = make.quote(organisation, "2026-07")
        quotes.offer(quote, on=dt.date(2026, 4, 1))
    on = dt.date(2026, 4, 8)
    quotes.sign(Quote.objects.get(organisation=signed), signed_on=on, on=on)


def line_of(kind: str, **chosen: object) -> InvoiceLine:
    found = InvoiceLine.objects.filter(kind=kind, **chosen).order_by(
        "invoice__run_month", "invoice__blocked_reason", "invoice__organisation__code", "position"
    )
    line = found.select_related("invoice").first()
    assert line
    return line


def change_line(kind: str, **values: object) -> None:
    InvoiceLine.objects.filter(pk=line_of(kind).pk).update(**values)


def statement_of(code: str, **chosen: object) -> Statement:
    return Statement.objects.filter(organisation__code=code, **chosen).order_by("from_month")[0]


def change_statement(code: str, **values: object) -> None:
    Statement.objects.filter(pk=statement_of(code).pk).update(**values)


def subscription_of(code: str) -> Subscription:
    return Subscription.objects.filter(organisation__code=code).order_by("start_month")[0]
