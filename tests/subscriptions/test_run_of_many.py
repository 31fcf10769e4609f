"""A run of many clients: what plain SQL makes of the same agency, in as few statements."""

from __future__ import annotations

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from agency.guards import LOCKS, retention_may_delete
from subscriptions import due
from subscriptions.billing import draft_run
from subscriptions.facts import read_due, read_facts
from subscriptions.models import BilledOccurrence, Invoice, InvoiceLine
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
    world.build(60, 0, runs=3)
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


@pytest.mark.skipif("connection.vendor != 'postgresql'", reason="SQLite has no locks by value")
def test_documents_without_number_share_a_bounded_number_of_locks() -> None:
    documents = Invoice.objects.bulk_create(
        Invoice(
            run_month=world.RUN, net_cents=0, vat_cents=0, total_cents=0, due_days=30, language="nl"
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
