"""An agency whose months are drawn by chance, with `audit` after everything that happens.

Here are its months and its Stripe: months are closed, billed and pushed by a process that may die
at any statement, webhooks come, come twice or never. What else happens stands in `machine`. Nothing
is expected of a single document: the audit works the books out again, and each comparison has to
leave Stripe and the books the same.
"""

from __future__ import annotations

import datetime as dt
import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import Any, ClassVar, TypeVar

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from advisors import hours
from agency import refusals
from agency.month import AMSTERDAM, Month
from subscriptions import (
    answers,
    billing,
    gateway,
    inbox,
    push,
    reconcile,
    statements,
)
from subscriptions.audit import audit
from subscriptions.models import (
    Invoice,
    InvoiceState,
    ParkedOrganisation,
    StepKind,
    StripeEvent,
    StripeStep,
    Subscription,
)
from subscriptions.sandbox import control, faults
from subscriptions.sandbox.state import State
from tests import factories as make
from tests.backups import restored_afterwards
from tests.clients import client
from tests.scenarios.two_sides import differences
from tests.stripe.faults import events, forget_faults
from tests.stripe.in_process import Killed, line_to

FIRST_MONTH = Month.parse("2025-12")  # the run before the first contracts
GIVEN_BACK = "credits_of_overage_are_given_in_full"
# What was entered after its run, or waited for a client that was parked, asks for that run again:
# until then it is unbilled or not given back, and a document stays blocked whose reason is gone.
ASK_FOR_THE_RUN = frozenset(
    {
        "nothing_due_is_left_unbilled",
        "every_month_due_is_paid_for",
        "blocked_documents_have_their_reason",
        GIVEN_BACK,
    }
)
GAPS = "numbers_of_a_series_run_once_and_without_gaps"
CALLS = (
    *("POST /v1/customers", "POST /v1/invoices", "POST /v1/invoices/{invoice}/add_lines"),
    *("POST /v1/invoices/{invoice}/finalize", "POST /v1/invoices/{invoice}/send"),
    "POST /v1/credit_notes",
)
OFFERINGS: tuple[dict[str, Any], ...] = (
    {"price_cents": 875_00},
    {"price_cents": 499_99, "included_eligible": True},
    {"price_cents": 1_250_00, "vocational": True},
    {"price_cents": 312_45, "kind": "service"},
)
Of = TypeVar("Of")

numbers = st.integers(0, 11)
# At which moment a process dies, of those that a month's end has: None lets it live.
moments = st.none() | st.integers(1, 400)


def one_of(rows: Iterable[Of], number: int) -> Of | None:
    """Give one of some rows, whichever the number falls on."""
    found = list(rows)
    return found[number % len(found)] if found else None


@contextmanager
def as_a_page_says() -> Iterator[None]:
    """Have what the database refuses be a refusal, as pages do."""
    try:
        with transaction.atomic():
            yield
    except IntegrityError as error:
        raise ValidationError(refusals.sentence(error)) from error


def while_the_month_lasts(method: Callable[..., None]) -> Callable[..., None]:
    return precondition(lambda self: self.steps % self.steps_a_month)(method)


class AgencyOfChance(RuleBasedStateMachine):
    """`happened` counts what was not refused, and how often a process died in it."""

    happened: ClassVar[Counter[str]] = Counter()
    months = 25  # the run before the first contracts, and 24
    steps_a_month = 6  # the last of which ends it

    def __init__(self) -> None:
        super().__init__()
        self.leave = ExitStack()
        self.leave.enter_context(restored_afterwards())
        self.stripe = State()
        self.leave.callback(self.stripe.close)
        self.line = self.leave.enter_context(line_to(self.stripe))
        self.at = dt.datetime(2025, 12, 2, 10, tzinfo=AMSTERDAM)
        self.steps = 0
        self.heard = 0  # of Stripe's events, those that a webhook was tried for
        self.changed = True
        self.pass_time(dt.timedelta())
        self.clients = [client("C1", billing_interval=3).organisation]
        self.staff = make.user("controller", email="first@staff.example")
        self.second = make.user("controller", email="second@staff.example")
        make.contact(self.clients[0])
        dearer = make.price_book("2027-01", bands=False)
        for tier, least, most, fee, setup, included, sessions, rate in make.BANDS:
            make.price_band(
                dearer, tier, least, most,
                annual_fee_cents=fee * 103, setup_fee_cents=setup * 100,
                included_quarters=included * 4, included_sessions=sessions,
                overage_rate_cents=rate * 101,
            )  # fmt: skip
        self.group = make.organisation("GROUP")
        self.offerings = [make.offering(f"W{n}", **it) for n, it in enumerate(OFFERINGS)]

    def teardown(self) -> None:
        self.leave.close()

    # What all rules need

    @property
    def today(self) -> dt.date:
        return self.at.date()

    @property
    def open_month(self) -> Month:
        return hours.first_open_month() or FIRST_MONTH

    def pass_time(self, by: dt.timedelta) -> None:
        self.at += by
        now = json.dumps({"now": int(self.at.timestamp())})
        control.answer(self.stripe, "/_sandbox/clock", now, "")

    def happens(self, name: str, deed: Callable[[], object]) -> None:
        """Do something that the product may refuse, which then has changed nothing."""
        self.pass_time(dt.timedelta(minutes=7))
        with suppress(ValidationError):
            if deed() != 0:
                self.happened[name] += 1
                self.changed = True

    def lives_on(self, name: str, moment: int | None, work: Callable[[], object]) -> bool:
        """Do something in a process that may die, or may find Stripe busy; tell if it did all."""
        self.pass_time(dt.timedelta(minutes=7))
        self.changed = True
        try:
            with self.line.dying_at(moment):
                work()
        except Killed:
            self.happened[f"{name} dies"] += 1
            return False
        except gateway.GatewayError:
            self.happened[f"{name} fails"] += 1
            return False
        self.happened[name] += 1
        return True

    def contract(self, number: int) -> Subscription:
        """Give the last contract of a client."""
        organisation = self.clients[number % len(self.clients)]
        row = Subscription.objects.filter(organisation=organisation).order_by("start_month").last()
        assert row
        return row

    @invariant()
    def the_books_follow_from_the_facts(self) -> None:
        self.steps += 1
        if not self.changed:
            return
        self.changed = False
        found = self.violations()
        if found and all(name in ASK_FOR_THE_RUN for name, _ in found):
            with restored_afterwards():
                self.draft_the_run()
                found = self.violations()
        assert not found, "\n".join(text for _, text in found)

    def nothing_is_left(self) -> None:
        found = self.violations()
        if any(name == GIVEN_BACK for name, _ in found):
            self.bill()  # what was billed too late only just, is given back once that is approved
            found = self.violations()
        assert not found, "\n".join(text for _, text in found)

    def violations(self) -> list[tuple[str, str]]:
        """Give what the audit finds, but for a number that Stripe gave and has not told us yet."""
        finalizing = StripeStep.objects.filter(kind=StepKind.FINALIZE)
        excused = {GAPS} if finalizing.exclude(state__in=["done", "failed"]).exists() else set()
        return [
            (violation.invariant, str(violation))
            for violation in audit().violations
            if violation.invariant not in excused
        ]

    def draft_the_run(self, *, anew: bool = False) -> None:
        last = self.open_month - 1
        if hours.is_closed(last):
            parked = set(ParkedOrganisation.objects.values_list("organisation__code", flat=True))
            assert {code for code, _ in billing.draft_run(last, anew=anew).failures} <= parked
        blocked = Invoice.objects.filter(state=InvoiceState.BLOCKED, run_month__gt=last)
        for month, payer in list(blocked.values_list("run_month", "organisation")):
            billing.draft_run(month, [payer], ahead=True)

    # Stripe

    @while_the_month_lasts
    @rule(which=st.sampled_from(["all", "twice", "backwards", "lost"]), moment=moments)
    def webhooks_come(self, which: str, moment: int | None) -> None:
        told = events(self.stripe)[::-1]
        new, self.heard = told[self.heard :], len(told)
        heard = {"lost": [], "twice": [*new, *new], "backwards": new[::-1]}.get(which, new)

        def hear() -> None:
            for event in heard:
                inbox.receive(answers.event(event), at=self.at)
            for stored in StripeEvent.objects.filter(state__in=inbox.UNHANDLED):
                inbox.handle(stored.pk, at=self.at)

        if new:
            self.lives_on(f"webhooks {which}", moment, hear)

    @while_the_month_lasts
    @rule(
        moment=moments,
        call=st.sampled_from(CALLS),
        fault=st.sampled_from(["", *faults.FAULTS[:4]]),
        hours_later=st.sampled_from([0, 0, 1, 19, 30]),
    )
    def documents_are_pushed(
        self, moment: int | None, call: str, fault: str, hours_later: int
    ) -> None:
        if fault:
            with self.stripe.transaction():
                faults.order(self.stripe, [{"operation": call, "fault": fault, "times": 2}])
        self.pass_time(dt.timedelta(hours=hours_later))
        self.lives_on("push", moment, self.push_all)

    def push_all(self) -> None:
        for invoice in Invoice.objects.filter(state=InvoiceState.PARKED):
            push.unpark(invoice.pk)
        for key in list(push.candidates().values_list("pk", flat=True)):
            push.push(key, at=self.at)

    @while_the_month_lasts
    @rule(number=numbers)
    def a_document_is_taken_back(self, number: int) -> None:
        approved = Invoice.objects.filter(state=InvoiceState.APPROVED)
        one = one_of(approved.order_by("run_month", "organisation__code", "kind"), number)
        if one:
            self.happens("taken back", lambda: push.take_back([one.pk]))

    @while_the_month_lasts
    @rule(moment=moments)
    def the_last_run_is_made_again(self, moment: int | None) -> None:
        if self.lives_on("run", moment, self.bill):
            self.nothing_is_left()

    def bill(self) -> None:
        self.draft_the_run()
        drafts = Invoice.objects.filter(state=InvoiceState.DRAFT)
        with suppress(billing.BillError), transaction.atomic():
            billing.approve(drafts, by=self.staff)
            billing.approve(drafts, by=self.second)

    @while_the_month_lasts
    @rule(moment=moments)
    def both_sides_are_compared(self, moment: int | None) -> None:
        if self.lives_on("comparison", moment, self.compare):
            self.both_sides_agree()

    def compare(self) -> None:
        reconcile.reconcile(at=self.at)

    def both_sides_agree(self) -> None:
        """Compare until nothing is left to repair, and hold both sides to each other."""
        forget_faults(self.stripe)
        for _again in range(2):
            self.pass_time(dt.timedelta(hours=1))
            done = reconcile.reconcile(at=self.at)
        left = [*map(str, done.repaired), *differences(self.stripe)]
        assert not left, "\n".join(left)
        assert done.failed == 0
        self.changed = True

    @precondition(lambda self: not self.steps % self.steps_a_month)
    @rule(moment=moments)
    def the_next_month_begins(self, moment: int | None) -> None:
        month = self.open_month
        begin = dt.datetime.combine((month + 1).first_day, dt.time(10), AMSTERDAM)
        self.pass_time(max(begin, self.at) - self.at)

        def end_month() -> None:
            statements.close_month(month, on=self.today)
            self.bill()
            self.push_all()

        if self.lives_on("month", moment, end_month):
            self.nothing_is_left()
        statements.close_month(month, on=self.today)
        self.happened["months"] += 1
        if self.open_month == FIRST_MONTH + self.months:
            self.the_end()

    def the_end(self) -> None:
        """Set everything right that can be, and find nothing wrong any more."""
        forget_faults(self.stripe)
        ParkedOrganisation.objects.all().delete()
        self.bill()
        for _again in range(3):
            self.pass_time(dt.timedelta(hours=30))
            self.push_all()
        self.both_sides_agree()
        self.bill()
        self.nothing_is_left()
        self.happened["lives"] += 1
