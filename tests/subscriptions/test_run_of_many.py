"""A run of many clients: what plain SQL makes of the same agency, in as few statements."""

from __future__ import annotations

from uuid import UUID

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from agency.guards import LOCKS, retention_may_delete
from agency.models import Organisation
from subscriptions import due
from subscriptions.billing import draft_run
from subscriptions.credits import documents_due as credits_due
from subscriptions.facts import Facts, read_due, read_facts
from subscriptions.models import BilledOccurrence, Invoice, InvoiceLine, OverageCredit, Statement
from tests import factories as make
from tests.benchmarks import billing as benchmark
from tests.benchmarks.drafting import floor, loop, world

pytestmark = pytest.mark.django_db


def statements(organisations: int) -> int:
    """Count the statements of a run, and take all of it back."""
    with transaction.atomic():
        world.build(organisations, 0, runs=2)
        with CaptureQueriesContext(connection) as run:
            drafted = draft_run(world.RUN)
        assert len(drafted.documents) > organisations / 2
        transaction.set_rollback(True)
    return len(run)


def test_ten_times_as_many_clients_take_as_many_statements() -> None:
    assert statements(10) == statements(100)


def test_a_second_run_writes_nothing() -> None:
    world.build(30, 0, runs=2)
    draft_run(world.RUN)
    before = benchmark.result()
    with CaptureQueriesContext(connection) as again:
        assert draft_run(world.RUN).documents == []
    assert benchmark.result() == before
    assert not [q for q in again if q["sql"].startswith(("INSERT", "UPDATE", "DELETE", "COPY"))]


def test_a_run_writes_what_plain_sql_and_a_plain_loop_write() -> None:
    world.build(60, 0, runs=3)
    floor.prepare()
    results = []
    for draft in (benchmark.run, floor.draft, loop.draft):
        with transaction.atomic():
            draft()
            assert Invoice.objects.filter(run_month=world.RUN).count() > 30
            results.append(benchmark.result())
            transaction.set_rollback(True)
    assert results[0] == results[1] == results[2]


def test_a_run_finds_in_what_it_reads_what_is_due_of_all_facts() -> None:
    """Also where something was credited, and where something earlier was never billed."""
    world.build(40, 0, runs=3)
    sell_seats()
    assert_finds_the_same()
    draft_run(world.RUN - 1)
    sell_seats("LATE")
    give_overage_back()
    seats = BilledOccurrence.objects.filter(kind="seat").order_by("pk")
    BilledOccurrence.objects.filter(pk__in=list(seats.values_list("pk", flat=True))[::2]).update(
        state="credited"
    )
    assert_finds_the_same()
    keys = list(BilledOccurrence.objects.order_by("kind", "pk").values_list("pk", flat=True))
    BilledOccurrence.objects.filter(pk__in=keys[::7]).update(state="credited")
    assert_finds_the_same()
    with retention_may_delete():
        InvoiceLine.objects.filter(occurrence__in=keys[::5]).delete()
        BilledOccurrence.objects.filter(pk__in=keys[::5]).delete()
    assert_finds_the_same()


def assert_finds_the_same() -> None:
    everything, narrowed = read_facts(), read_due(world.RUN)
    for organisation in everything.organisations:
        found = due.items(narrowed, organisation, world.RUN)
        assert found == due.items(everything, organisation, world.RUN)
    seats = due.one_off_items(narrowed, world.RUN)
    assert seats == due.one_off_items(everything, world.RUN)
    assert seats
    assert credited(narrowed) == credited(everything)


def credited(facts: Facts) -> list[tuple[UUID, int, int]]:
    """Give what each credit of overage would take off which document."""
    made = [one.invoice for one in credits_due(facts, world.RUN) if one.invoice]
    return [(one.credit_of_id, one.net_cents, one.total_cents) for one in made if one.credit_of_id]


def sell_seats(reference: str = "OPEN") -> None:
    """Sell six seats of a session that was held, one of them to a client."""
    offering = make.offering(f"MC-{reference}")
    held_at = make.at("2025-11-10 10:00")
    session = make.session(None, reference, offering=offering, starts_at=held_at, status="held")
    for number in range(6):
        buyer = Organisation.objects.order_by("code")[3] if number == 5 else None
        name = f"Buyer {number // 2}"
        make.enrolment(
            session, email=f"p{number}@buyer.example", buyer_name=name, organisation=buyer
        )


def give_overage_back() -> None:
    """Have a statement of each of five clients find an hour of its overage not to be due."""
    Invoice.objects.filter(state="draft").update(state="approved")
    overage = InvoiceLine.objects.filter(kind="overage", invoice__state="approved")
    for line in overage.filter(quantity_hundredths__gte=100).order_by("invoice__organisation")[:5]:
        assert line.occurrence
        statement = Statement.objects.get(
            subscription=line.occurrence.subject_id, from_month=line.from_month
        )
        OverageCredit.objects.create(statement=statement, quarters=4)
    assert len(credited(read_facts())) == 5


@pytest.mark.skipif("connection.vendor != 'postgresql'", reason="SQLite has no locks by value")
def test_documents_without_number_share_a_bounded_number_of_locks() -> None:
    documents = Invoice.objects.bulk_create(
        Invoice(
            run_month=world.RUN,
            net_cents=0,
            vat_cents=0,
            total_cents=0,
            due_days=30,
            language="nl",
            collection="invoice",
        )
        for _number in range(3 * LOCKS)
    )
    InvoiceLine.objects.bulk_create(
        InvoiceLine(
            invoice=document,
            position=1,
            kind="fee",
            unit_cents=0,
            net_cents=0,
            vat_category="S",
            vat_rate_basis_points=2100,
            vat_cents=0,
            from_month=world.RUN,
            until_month=world.RUN + 1,
        )
        for document in documents
    )
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'")
        assert 0 < cursor.fetchone()[0] < 2 * LOCKS
