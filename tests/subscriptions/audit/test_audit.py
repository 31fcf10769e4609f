"""The audit finds every violation that is planted, and nothing in books that are in order."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from io import StringIO

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db import connection, transaction
from django.db.models import Model
from django.utils.translation import override
from pytest_django import DjangoAssertNumQueries, DjangoDbBlocker

from agency.models import Agency, Organisation
from subscriptions import billing
from subscriptions.audit import INVARIANTS, audit
from subscriptions.models import BilledOccurrence, Statement, Subscription
from tests import factories as make
from tests.agreed import M
from tests.clients import bill, client, close_and_bill, worked
from tests.subscriptions.audit import amounts, arrears, documents, publications
from tests.subscriptions.audit.books import (
    PLANTS,
    Plant,
    change_line,
    line_of,
    make_books,
    statement_of,
)
from tests.subscriptions.audit.documents import (
    passes_a_bound,
    something_fell_due_and_was_not_billed,
)
from workshops.models import Offering

pytestmark = pytest.mark.django_db
MODULES = (
    publications,
    documents,
    amounts,
    arrears,
)  # what they plant is in PLANTS once they are read


@pytest.fixture(scope="module")
def in_order(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """They are made once; each test breaks them in a savepoint of its own."""
    with django_db_blocker.unblock(), transaction.atomic():
        make_books()
        yield
        transaction.set_rollback(True)


@pytest.fixture
def unguarded() -> None:
    """Take the triggers away, as somebody with the database's password could."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            cursor.execute("SET LOCAL session_replication_role = replica")
        else:
            cursor.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")
            for (name,) in cursor.fetchall():
                cursor.execute(f'DROP TRIGGER "{name}"')


@pytest.mark.parametrize(
    ("invariant", "plant", "alone"), [pytest.param(*row, id=row[1].__name__) for row in PLANTS]
)
@pytest.mark.usefixtures("in_order", "unguarded")
def test_every_planted_violation_is_found(invariant: str, plant: Plant, *, alone: bool) -> None:
    plant()
    found = {violation.invariant for violation in audit().violations}
    assert invariant in found
    assert not alone or found == {invariant}


def test_no_invariant_is_without_its_planted_violation() -> None:
    assert {invariant for invariant, *_ in PLANTS} == {check.__name__ for check in INVARIANTS}


@pytest.mark.usefixtures("in_order")
class TestInOrder:
    def test_books_in_order_have_no_violation_and_every_invariant_has_something_to_look_at(
        self,
    ) -> None:
        found = audit()
        assert found.violations == []
        assert [name for name, count in found.checked_by_invariant.items() if not count] == []

    def test_a_price_that_was_changed_on_record_is_no_violation(self) -> None:
        offering = Offering.objects.get(code="WS")
        Offering.objects.filter(pk=offering.pk).update(price_cents=1_000_00)
        make.audit_event(offering, fields="Price")  # as the page names it
        assert audit().violations == []

    @pytest.mark.parametrize(
        ("change", "what", "fields"),
        [
            (lambda: Agency.objects.update(km_rate_cents=99), Agency, "Km rate cents"),
            (lambda: Agency.objects.update(iban="NL02ABNA0123456789"), Agency, "Iban"),
            (lambda: Offering.objects.update(vocational=False), Offering, "Vocational education"),
            (lambda: Subscription.objects.update(payment_days=14), Subscription, "Payment days"),
            (
                lambda: Subscription.objects.filter(
                    until_month=None, organisation__code__in=["MONTH", "QUARTER", "YEARLY"]
                ).update(until_month=M("2026-07")),
                Subscription,
                "First month after the end",
            ),
        ],
        ids=["km rate", "account", "vocational", "payment days", "end"],
    )
    def test_what_was_changed_on_record_is_no_violation(
        self, change: Callable[[], object], what: type[Model], fields: str
    ) -> None:
        change()
        assert audit().violations != []
        for row in what._default_manager.all():
            make.audit_event(row, fields=fields)
        assert audit().violations == []

    def test_a_document_beyond_the_bounds_that_was_accepted_is_no_violation(self) -> None:
        high = passes_a_bound()
        assert billing.accept([high]) == 1
        assert [v.invariant for v in audit().violations] == [
            "documents_on_their_way_have_no_reason_to_be_blocked"
        ]
        make.audit_event(high, action="accepted")
        assert audit().violations == []

    def test_a_session_that_is_recorded_late_finds_no_free_one_left(self) -> None:
        late = make.session(
            Organisation.objects.get(code="MONTH"),
            "S00",
            offering=Offering.objects.get(code="WS"),
            starts_at=make.at("2026-01-01 10:00"),
            status="held",
        )
        bill("2026-03")
        assert not BilledOccurrence.objects.get(subject_id=late.pk).free
        assert audit().violations == []

    def test_a_document_drafted_ahead_asks_for_nothing_more(self) -> None:
        new = client("NEW", "2026-06")
        billing.draft_run(M("2026-05"), [new.organisation.pk], ahead=True)
        assert audit().violations == []

    def test_what_was_recorded_since_the_run_is_billed_by_making_it_again(self) -> None:
        something_fell_due_and_was_not_billed()
        assert [v.invariant for v in audit().violations] == ["nothing_due_is_left_unbilled"]
        bill("2026-03")
        assert audit().violations == []

    def test_work_of_open_months_is_nobodys_business_yet(self) -> None:
        worked(Organisation.objects.get(code="QUARTER"), {"2026-04": 30, "2026-05": 8})
        assert audit().violations == []

    def test_nothing_is_repaired(self) -> None:
        Offering.objects.filter(code="WS").update(price_cents=1)
        assert audit().violations == audit().violations != []

    def test_the_number_of_queries_does_not_depend_on_the_number_of_rows(
        self, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        with django_assert_num_queries(54):
            audit()
        for number in range(3):
            client(f"MORE{number}", "2026-04", headcount=300, hours={"2026-04": 20})
        close_and_bill("2026-04")
        with django_assert_num_queries(54):
            assert audit().violations == []


@pytest.mark.parametrize(
    ("column", "label"),
    [
        ("agency.Agency.km_rate_cents", "km rate"),
        ("workshops.Offering.price_cents", "price"),
        ("workshops.Offering.vocational", "vocational"),
        ("workshops.Offering.included_eligible", "included"),
        ("subscriptions.Subscription.payment_days", "payment days"),
        ("subscriptions.Subscription.collection", "collection"),
        ("subscriptions.Subscription.po_required", "purchase order"),
        ("subscriptions.Subscription.until_month", "after the end"),
    ],
)
def test_audit_events_name_a_column_as_the_audit_looks_for_it(column: str, label: str) -> None:
    table, name = column.rsplit(".", 1)
    with override(None):
        assert label in str(apps.get_model(table)._meta.get_field(name).verbose_name)


@pytest.mark.usefixtures("in_order", "unguarded")
def test_figures_that_are_not_published_are_not_printed() -> None:
    organisation = Organisation.objects.get(code="MONTH")
    make.month_hours(make.advisor("LATE"), organisation, "2026-03", 311)  # 77.75 hours
    assert "78 of 60" in run("audit", status=1)[0]  # a published statement may be compared

    Statement.objects.filter(pk=statement_of("MONTH", from_month=M("2026-03")).pk).delete()

    printed = run("audit", status=1)[0] + run("audit", "--json", status=1)[0]
    assert "MONTH 2026-03/: expected still open, found 2026-03/2026-04 closed without" in printed
    assert "77" not in printed
    assert "78" not in printed


def run(*command: str, status: int) -> tuple[str, str]:
    out, err = StringIO(), StringIO()
    ended = 0
    with override("en"):
        try:
            call_command(*command, stdout=out, stderr=err)
        except SystemExit as bad_news:
            ended = int(bad_news.code or 0)
    assert ended == status
    return out.getvalue(), err.getvalue()


class TestCommand:
    @pytest.mark.usefixtures("in_order")
    def test_books_in_order_end_with_status_0(self) -> None:
        out, said = run("audit", "--json", status=0)
        found = json.loads(out)
        assert found == {"checked": audit().checked, "violations": []}
        assert f"{found['checked']} checks, 0 violations" in said
        assert run("audit", status=0)[0] == ""

    @pytest.mark.usefixtures("in_order", "unguarded")
    def test_violations_are_named_and_end_with_status_1(self) -> None:
        change_line("cancellation", net_cents=950_00, unit_cents=950_00)
        out, _ = run("audit", "--json", status=1)
        found = {violation["invariant"]: violation for violation in json.loads(out)["violations"]}
        assert found["sessions_and_cancellations_cost_their_price"] == {
            "invariant": "sessions_and_cancellations_cost_their_price",
            "subject": line_name("cancellation"),
            "expected": [100, 475_00, 475_00],
            "found": [100, 950_00, 950_00],
        }
        words, _ = run("audit", status=1)
        assert f"sessions and cancellations cost their price: {line_name('cancellation')}" in words


def line_name(kind: str) -> str:
    line = line_of(kind)
    return f"MONTH {line.invoice.number} line {line.position}"
