"""What happens to an agency of chance: clients, advisors, planners, banks and staff."""

from __future__ import annotations

import datetime as dt
from typing import Any
from uuid import uuid4

from hypothesis import strategies as st
from hypothesis.stateful import rule

from advisors import hours
from advisors.models import AdjustmentReason, DraftHours
from agency.models import Organisation
from agency.month import MonthRange
from subscriptions import (
    billing,
    corrections,
    declarations,
    ends,
    pauses,
    takeovers,
    tier_requests,
    versions,
)
from subscriptions.models import (
    BlockedReason,
    CreditReason,
    HeadcountDeclaration,
    Invoice,
    InvoiceKind,
    InvoiceState,
    ParkedOrganisation,
    Pause,
    Payer,
    Takeover,
    TermsReason,
)
from tests import factories as make
from tests.clients import client, counsellor
from tests.scenarios.chance import as_a_page_says, numbers, one_of, while_the_month_lasts
from tests.scenarios.collecting import CollectingAgency
from tests.stripe.faults import act, by_hand
from workshops import scheduling
from workshops.models import CancelledBy, Session, SessionStatus

MOST_CLIENTS = 6
ABROAD: dict[str, dict[str, Any]] = {
    "BE": {"country": "BE", "vat_id": "BE0776091951", "kvk_number": ""},
    "CH": {"country": "CH", "kvk_number": ""},
}


class RandomAgency(CollectingAgency):
    """Each rule is something that happens, of which the product may refuse some."""

    # Contracts

    @while_the_month_lasts
    @rule(
        number=numbers,
        headcount=st.sampled_from([6, 18, 40, 120, 300]),
        interval=st.sampled_from([1, 3, 12]),
        tier=st.sampled_from(["basic", "extended"]),
        country=st.sampled_from(["NL", "NL", "BE", "CH"]),
        how=st.sampled_from(["plain", "cap", "all_in", "own", "sepa", "order", "carry", "ahead"]),
    )
    def a_client_signs(
        self, number: int, headcount: int, interval: int, tier: str, country: str, how: str
    ) -> None:
        if len(self.clients) >= MOST_CLIENTS:
            return
        code = f"C{len(self.clients) + 1}"
        choices: dict[str, dict[str, Any]] = {
            "cap": {"overage": "cap"},
            "all_in": {"overage": "all_in"},
            "own": {
                "own_annual_fee_cents": 1_234_56,
                "own_included_quarters": 22,
                "own_included_sessions": 1,
                "own_overage_rate_cents": 118_75,
            },
            "sepa": {"collection": "sepa"},
            "order": {"po_required": True},
            "carry": {"carry_over_basis_points": 5000, "carry_over_cap_quarters": 16},
        }
        start = self.open_month + (number % 2 + 1 if how == "ahead" else number % 3)
        agreed = choices.get(how, {}) | {"billing_interval": interval}

        def sign() -> None:
            where = ABROAD.get(country, {})
            row = client(code, str(start), tier, headcount=headcount, organisation=where, **agreed)
            make.contact(row.organisation)
            self.clients.append(row.organisation)
            if how == "ahead":
                billing.draft_run(start - 1, [row.organisation_id], ahead=True)

        self.happens(f"signs {how}", sign)

    @while_the_month_lasts
    @rule(number=numbers, gap=st.integers(0, 3), tier=st.sampled_from(["basic", "extended"]))
    def a_client_signs_again(self, number: int, gap: int, tier: str) -> None:
        before = self.contract(number)
        if before.until_month is None:
            return
        start = max(before.until_month, self.open_month) + gap

        def sign() -> None:
            with as_a_page_says():  # where it was taken over
                make.subscription(before.organisation, start, tier, billing_interval=3)

        self.happens("signs again", sign)

    @while_the_month_lasts
    @rule(number=numbers, by=numbers, ahead=st.integers(1, 6), pays=st.booleans())
    def a_client_is_taken_over(self, number: int, by: int, ahead: int, *, pays: bool) -> None:
        row, successor = self.contract(number), self.contract(by).organisation
        if row.organisation == successor:
            return
        month, ended = self.open_month + ahead, {"fields": "First month after the end"}
        gone = Takeover(organisation=row.organisation, successor=successor, from_month=month)

        def take_over() -> None:
            with as_a_page_says():
                takeovers.take_over(gone, client_knows=True, successor_pays=pays)
            make.audit_event(row, self.staff, on=self.today, **ended)
            for paid in Payer.objects.filter(organisation=row.organisation, from_month=month):
                make.audit_event(paid, self.staff, action="added", on=self.today)

        self.happens("taken over", take_over)

    @while_the_month_lasts
    @rule(number=numbers, months=st.integers(1, 6))
    def a_group_pays(self, number: int, months: int) -> None:
        client_, group = self.contract(number).organisation, self.group
        last = client_.payers.order_by("from_month").last()
        begin = max(self.open_month + 1, (last and last.until_month) or self.open_month)

        def pay() -> None:
            with as_a_page_says():
                paid = make.payer(client_, group, begin, begin + months)
            make.audit_event(paid, self.staff, action="added", on=self.today)

        self.happens("group", pay)

    @while_the_month_lasts
    @rule(number=numbers, ahead=st.integers(0, 9), wanted=st.sampled_from(["basic", "extended"]))
    def a_tier_is_asked_for(self, number: int, ahead: int, wanted: str) -> None:
        row = self.contract(number)
        by = row.organisation.contacts.get().user

        def ask() -> None:
            month = self.open_month + ahead
            asked = tier_requests.ask(row, tier=wanted, from_month=month, by=by, on=self.today)
            (tier_requests.decline if ahead == 9 else tier_requests.confirm)(asked)

        self.happens("tier", ask)

    @while_the_month_lasts
    @rule(number=numbers, ahead=st.integers(1, 5), headcount=st.sampled_from([8, 20, 30, 90, 260]))
    def a_headcount_is_declared(self, number: int, ahead: int, headcount: int) -> None:
        organisation, month = self.contract(number).organisation, self.open_month + ahead

        def declare() -> None:
            declared = declarations.declare(
                organisation, month=month, headcount=headcount, by=self.staff, on=self.today
            )
            if HeadcountDeclaration.objects.filter(pk=declared.pk, state="open").exists():
                assert declarations.confirm(declared, by=self.second, on=self.today)

        self.happens("headcount", declare)

    @while_the_month_lasts
    @rule(
        number=numbers,
        ahead=st.integers(0, 12),
        fee_cents=st.integers(100_00, 3_000_00),
        choice=st.sampled_from(["", "bill", "cap", "all_in"]),
    )
    def prices_and_choices_are_agreed(
        self, number: int, ahead: int, fee_cents: int, choice: str
    ) -> None:
        row, month = self.contract(number), self.open_month + ahead
        latest = row.terms.order_by("from_month").last()
        assert latest
        fields: dict[str, Any] = {"overage": choice or latest.overage}
        if not choice:
            fields["own_annual_fee_cents"] = fee_cents

        def agree() -> None:
            versions.refuse(row, month, TermsReason.OWN_PRICE)
            if not row.terms.filter(from_month=month, reason=TermsReason.OWN_PRICE).exists():
                reason = TermsReason.OWN_PRICE
                make.terms(row, month, latest.tier, reason=reason, **fields)

        self.happens("prices", agree)

    @while_the_month_lasts
    @rule(number=numbers, ahead=st.integers(1, 14))
    def an_end_is_agreed(self, number: int, ahead: int) -> None:
        row = self.contract(number)
        until = None if ahead == 14 else self.open_month + ahead

        def end() -> None:
            ends.refuse(row, until, client_knows=True)
            if until != row.until_month and (until is None or until > row.start_month):
                row.until_month = until
                with as_a_page_says():  # where a pause goes beyond it
                    row.save()
                label = "First month after the end"
                make.audit_event(row, self.staff, fields=label, on=self.today)

        self.happens("end", end)

    @while_the_month_lasts
    @rule(number=numbers, ahead=st.integers(1, 12), months=st.sampled_from([0, 3, 6, 12]))
    def a_contract_rests(self, number: int, ahead: int, months: int) -> None:
        row, begin = self.contract(number), self.open_month + ahead

        def rest() -> None:
            last = Pause.objects.filter(subscription=row).order_by("from_month").last()
            if months:
                pauses.refuse(row, MonthRange(begin, begin + months))
                make.pause(row, begin, begin + months)
            elif last:
                pauses.refuse_withdrawal(last)
                last.delete()

        self.happens("pause", rest)

    @while_the_month_lasts
    @rule(number=numbers, months=st.integers(1, 8), euros=st.sampled_from([0, 0, 900, 20_000]))
    def an_order_comes(self, number: int, months: int, euros: int) -> None:
        organisation = self.contract(number).organisation
        last = organisation.purchase_orders.order_by("from_month").last()
        begin = max(self.open_month, (last and last.until_month) or self.open_month)
        name = f"PO-{organisation.code}-{begin}"
        budget = euros * 100 or None

        def come() -> None:
            span = (begin, begin + months)
            row = make.purchase_order(organisation, name, *span, budget_cents=budget)
            make.audit_event(row, self.staff, action="added", on=self.today)

        self.happens("order", come)

    @while_the_month_lasts
    @rule(number=numbers, ahead=st.integers(0, 2), quarters=st.sampled_from([8, 20, 40]))
    def a_card_is_bought(self, number: int, ahead: int, quarters: int) -> None:
        def buy() -> None:
            month = self.open_month + ahead
            price = {"price_cents": quarters * 27_33}
            card = make.top_up_card(self.contract(number).organisation, month, quarters, **price)
            make.audit_event(card, self.staff, action="added", on=self.today)

        self.happens("card", buy)

    @while_the_month_lasts
    @rule()
    def vat_ids_are_checked(self) -> None:
        waiting = Organisation.objects.filter(country="BE", vat_id_checked=False)
        self.happens("VAT id", lambda: waiting.update(vat_id_checked=True))

    @while_the_month_lasts
    @rule(number=numbers, months=st.integers(0, 2))
    def a_client_is_parked_or_not_any_more(self, number: int, months: int) -> None:
        organisation = self.contract(number).organisation
        parked = ParkedOrganisation.objects.filter(organisation=organisation)
        until = self.open_month + months if months else None
        if parked.exists():
            self.happens("goes on", parked.delete)
        else:
            self.happens(
                "parked", lambda: make.parked_organisation(organisation, until_month=until)
            )

    # Hours and sessions

    @while_the_month_lasts
    @rule(number=numbers, quarters=st.integers(0, 90) | st.just(1_600), many=st.integers(1, 3))
    def hours_are_noted(self, number: int, quarters: int, many: int) -> None:
        def note() -> None:
            for row in self.clients[: many * 2]:
                advisor = counsellor(row)
                before = DraftHours.objects.filter(organisation=row, month=self.open_month)
                was = before.values_list("quarters", flat=True).first() or 0
                hours.record(advisor, row, self.open_month, from_quarters=was, to_quarters=quarters)

        self.happens("hours", note)

    @while_the_month_lasts
    @rule(number=numbers, quarters=st.integers(-40, 40))
    def late_work_is_noted(self, number: int, quarters: int) -> None:
        row = self.contract(number).organisation
        reason = AdjustmentReason.LATE_WORK if quarters > 0 else AdjustmentReason.MISCOUNTED
        self.happens(
            "late work",
            lambda: hours.adjust(
                counsellor(row), row, self.open_month, quarters=quarters, reason=reason
            ),
        )

    @while_the_month_lasts
    @rule(number=numbers)
    def a_month_is_submitted(self, number: int) -> None:
        advisor = counsellor(self.contract(number).organisation)
        deed = hours.take_back if number % 3 else hours.submit
        self.happens("submission", lambda: deed(advisor, self.open_month))

    @while_the_month_lasts
    @rule(number=numbers, what=numbers, days=st.integers(-20, 60), kilometres=st.integers(0, 99))
    def a_session_is_booked(self, number: int, what: int, days: int, kilometres: int) -> None:
        reference = f"S{Session.objects.count() + 1:05}"
        when = self.at + dt.timedelta(days=days)
        fields = {"starts_at": when, "on_site_km": kilometres or None, "status": "scheduled"}
        row, offering = self.contract(number).organisation, one_of(self.offerings, what)
        if Takeover.objects.filter(organisation=row).exists():
            return  # nobody plans for who is gone
        self.happens("session", lambda: make.session(row, reference, offering=offering, **fields))

    @while_the_month_lasts
    @rule(number=numbers, by=st.sampled_from([None, CancelledBy.CLIENT, CancelledBy.AGENCY]))
    def a_session_is_held_or_cancelled(self, number: int, by: CancelledBy | None) -> None:
        planned = Session.objects.filter(status=SessionStatus.SCHEDULED).order_by("reference")
        session = one_of(planned, number)
        if session and by:
            self.happens("cancelled", lambda: scheduling.cancel(session, on=self.today, by=by))
        elif session:
            self.happens("held", lambda: scheduling.mark_held(session, on=self.today))

    @while_the_month_lasts
    @rule(number=numbers, seats=st.integers(1, 4))
    def a_masterclass_is_held(self, number: int, seats: int) -> None:
        def hold() -> None:
            reference = f"M{Session.objects.count() + 1:05}"
            fields = {"starts_at": self.at - dt.timedelta(hours=3), "status": "held"}
            held = make.session(None, reference, offering=self.offerings[2], **fields)
            make.enrolment(held, organisation=self.contract(number).organisation, buyer_name="")
            for seat in range(1, seats):
                make.enrolment(held, email=f"{reference}-{seat}@people.example")

        self.happens("seats", hold)

    # Money

    @while_the_month_lasts
    @rule(number=numbers, deed=st.sampled_from(["pay", "pay", "fail_debit", "dispute", "refund"]))
    def a_client_or_its_bank_acts(self, number: int, deed: str) -> None:
        wanted = {"pay": {}, "fail_debit": {"collection_method": "charge_automatically"}}
        status = "open" if deed in wanted else "paid"
        has = wanted.get(deed, {}) | {"status": status}
        there = one_of([one for one in self.at_stripe() if one.items() >= has.items()], number)
        if there is None:
            return
        paid = next(self.stripe.newest("payment", there["id"]), None)
        if deed == "refund" and paid and paid["refunded"] < paid["amount"]:
            form = f"payment_intent={paid['id']}"
            self.happens(deed, lambda: by_hand(self.stripe, "POST", "refunds", form))
        elif deed in wanted or (deed == "dispute" and paid):
            self.happens(deed, lambda: act(self.stripe, deed, there["id"]))

    @while_the_month_lasts
    @rule(number=numbers, deed=st.sampled_from(["void", "mark_uncollectible"]))
    def somebody_acts_in_stripes_dashboard(self, number: int, deed: str) -> None:
        there = one_of([one for one in self.at_stripe() if one["status"] == "open"], number)
        if there:
            path = f"invoices/{there['id']}/{deed}"
            self.happens(deed, lambda: by_hand(self.stripe, "POST", path))

    def at_stripe(self) -> list[dict[str, Any]]:
        return sorted(self.stripe.newest("invoice"), key=lambda one: str(one["number"]))

    @while_the_month_lasts
    @rule(number=numbers, line=numbers, how=st.sampled_from(["all", "part", "line", "anew"]))
    def staff_credit(self, number: int, line: int, how: str) -> None:
        sent = Invoice.objects.filter(kind=InvoiceKind.INVOICE, state__in=corrections.CREDITABLE)
        document = one_of(sent.order_by("number"), number)
        if document is None:
            return
        row = one_of(document.lines.order_by("position"), line)
        assert row
        size = row.quantity_hundredths if row.kind == "overage" else row.net_cents
        parts = {"part": {row.pk: size // 3}, "line": {row.pk: size}}.get(how)
        given: dict[str, Any] = {"key": uuid4(), "parts": parts, "anew": how == "anew"}
        self.happens(
            f"credit {how}", lambda: corrections.credit(document, CreditReason.AMOUNT, **given)
        )

    @while_the_month_lasts
    @rule(number=numbers)
    def a_draft_of_a_credit_is_thrown_away(self, number: int) -> None:
        drafts = Invoice.objects.filter(kind=InvoiceKind.CREDIT, state=InvoiceState.DRAFT)
        draft = one_of(drafts.exclude(credit_reason="").order_by("credit_of__number"), number)
        if draft:
            self.happens("thrown away", lambda: corrections.throw_away(draft))

    @while_the_month_lasts
    @rule(anew=st.booleans())
    def what_passed_a_bound_is_looked_at(self, anew: bool) -> None:  # noqa: FBT001 - drawn
        passed = Invoice.objects.filter(blocked_reason=BlockedReason.BOUND)
        if passed.exists():
            for invoice in () if anew else passed:
                make.audit_event(invoice, self.staff, action="accepted", on=self.today)
            self.happens("looked at", self.bill_anew if anew else lambda: billing.accept(passed))

    def bill_anew(self) -> None:
        self.draft_the_run(anew=True)
