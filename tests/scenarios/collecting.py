"""What becomes of the open invoices of an agency of chance: paid in parts, given up, contested."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st
from hypothesis.stateful import rule

from subscriptions import (
    advancing,
    contests,
    debits,
    payment_plans,
    payments,
    reminders,
    write_offs,
)
from subscriptions.models import (
    CollectionPolicy,
    Contest,
    ContestEnd,
    Invoice,
    InvoiceState,
    Mandate,
    WriteOff,
)
from tests import factories as make
from tests.scenarios.chance import AgencyOfChance, numbers, one_of, while_the_month_lasts

if TYPE_CHECKING:
    from django.db.models import QuerySet

sides = st.sampled_from(["stripe", "agency"])


class CollectingAgency(AgencyOfChance):
    @while_the_month_lasts
    @rule(number=numbers, days=st.integers(0, 20), sixths=st.sampled_from([0, 0, 0, 2, 5, 9]))
    def the_bank_receives_money(self, number: int, days: int, sixths: int) -> None:
        """All that is asked for, a part of it, or too much."""
        invoice = one_of(payments.unpaid().order_by("number"), number)
        if invoice:
            on = self.today - dt.timedelta(days=days)
            cents = payments.left_cents(invoice) * sixths // 6 or None
            given: dict[str, Any] = {"received_on": on, "on": self.today, "amount_cents": cents}
            self.happens("bank", lambda: payments.note(invoice.pk, **given))

    @while_the_month_lasts
    @rule(goes_back=st.booleans())
    def what_is_too_much_is_not_kept(self, goes_back: bool) -> None:  # noqa: FBT001 - drawn
        over = next(payments.overpaid(), None)
        if over is None:
            return
        key, against = over.invoice.pk, over.against
        if against and not goes_back:
            self.happens("set off", lambda: payments.set_off(key, against.pk, on=self.today))
        else:
            self.happens("paid back", lambda: payments.pay_back(key, on=self.today))

    @while_the_month_lasts
    @rule(number=numbers)
    def somebody_writes_off(self, number: int) -> None:
        waiting = WriteOff.objects.filter(written_off_on=None).values("invoice")
        rows = payments.unpaid().filter(pk__in=waiting) if number % 4 == 1 else self.unpaid()
        invoice = one_of(rows.order_by("number"), number)
        if invoice and number % 4 == 1:
            self.happens("kept", lambda: write_offs.withdraw(invoice.pk))
        elif invoice:
            by = self.second if number % 2 else self.staff
            self.happens(
                "written off",
                lambda: write_offs.write_off(invoice.pk, "costs", by=by, on=self.today),
            )

    @while_the_month_lasts
    @rule(number=numbers, days=st.sampled_from([0, 9, 40]))
    def an_invoice_is_contested(self, number: int, days: int) -> None:
        invoice = one_of(self.unpaid().order_by("number"), number)
        running = one_of(Contest.objects.filter(ended_on=None).order_by("invoice__number"), number)
        if number % 3 and running:
            end = ContestEnd.CREDITED if number % 2 else ContestEnd.RESUMED
            deed = lambda: contests.end(running, end, by=self.staff, on=self.today)  # noqa: E731
            self.happens("agreed after all", deed)
        elif invoice:
            until_on = self.today + dt.timedelta(days=days) if days else None
            contest = Contest(invoice=invoice, reason="amount", said_by="books", until_on=until_on)
            self.happens("contested", lambda: contests.note(contest, by=self.staff, on=self.today))

    @while_the_month_lasts
    @rule(number=numbers, parts=st.integers(2, 4))
    def a_plan_is_agreed_on_or_ended(self, number: int, parts: int) -> None:
        invoice = one_of(self.unpaid().order_by("number"), number)
        if invoice is None:
            return
        cents = payment_plans.equal_parts(payments.left_cents(invoice), parts)
        days = [self.today + dt.timedelta(days=20 * part) for part in range(parts)]

        def agree() -> None:
            if number % 4:
                planned = list(zip(days, cents, strict=True))
                payment_plans.agree(invoice.pk, planned, by=self.staff, on=self.today)
            else:
                payment_plans.end(invoice.pk, on=self.today)

        self.happens("plan", agree)

    @while_the_month_lasts
    @rule(number=numbers, reminds=sides, announces=sides)
    def the_rules_of_collecting_are_set(self, number: int, reminds: str, announces: str) -> None:
        def choose() -> None:
            sides = {"reminded_by": reminds, "announced_by": announces}
            if not CollectionPolicy.objects.update(**sides):
                make.collection_policy(**sides)

        self.happens("rules", choose)

    @while_the_month_lasts
    @rule(number=numbers)
    def a_mandate_is_signed_or_withdrawn(self, number: int) -> None:
        organisation = self.contract(number).organisation
        mandate = Mandate.objects.filter(organisation=organisation, withdrawn_on=None).first()
        if mandate:
            self.happens("withdrawn", lambda: debits.withdraw(mandate, on=self.today))
        else:
            self.happens("mandate", lambda: make.mandate(organisation))

    @while_the_month_lasts
    @rule(days=st.integers(0, 20))
    def mornings_come(self, days: int) -> None:
        """Do what the queue does of a morning: end contests, tell Stripe, remind, announce."""

        def morning() -> None:
            contests.end_over(self.today)
            advancing.align_all(on=self.today)
            for reminder in reminders.ask(on=self.today):
                reminders.send(reminder.pk, on=self.today)
            for notice in debits.announce(on=self.today):
                debits.send(notice.pk, on=self.today)

        begin = dt.datetime.combine(self.open_month.last_day, dt.time(12), self.at.tzinfo)
        self.pass_time(min(dt.timedelta(days=days), max(begin - self.at, dt.timedelta())))
        self.happens("morning", morning)

    def unpaid(self) -> QuerySet[Invoice]:
        return payments.unpaid().filter(state=InvoiceState.OPEN)
