"""Between publications a client sees nothing move, and what was published stays (attacks 1 and 2).

A walk does what people do: record and take back hours, correct them, submit, open the books, close
and bill; ask for another tier and confirm it, declare a headcount that one or two people confirm,
buy a card, end a contract. A client looks before and after each step. What an event of the contract
itself changes on a page is no secret; hours are. A contract cannot be paused in this product.
"""

from __future__ import annotations

import datetime as dt
import json
import random
from collections.abc import Callable, Iterable
from contextlib import suppress
from itertools import cycle
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django.fixtures import Settings

from advisors import hours
from advisors.models import AdjustmentReason, Advisor, DraftHours, MonthHours
from agency import gate
from agency.models import Contact
from agency.month import Month, MonthRange
from subscriptions import billing, books, declarations, pauses, push, statements, tier_requests
from subscriptions.api import StatementSerializer
from subscriptions.models import (
    BooksOpening,
    BooksReason,
    HeadcountDeclaration,
    Invoice,
    InvoiceState,
    RequestState,
    Statement,
    Subscription,
    Tier,
    TierChangeRequest,
    TopUpCard,
)
from subscriptions.sandbox.state import State
from tests import factories as make
from tests.confidentiality import surfaces, worlds
from tests.confidentiality.surfaces import Seen
from tests.confidentiality.worlds import ADVISORS, MONTHS, Played
from tests.stripe.in_process import line_to

pytestmark = pytest.mark.django_db

# Workbooks take long and are compared in `test_noninterference.py`; lists hold what details do.
PAGES = [name for name in surfaces.ADDRESSES if not name.endswith(("workbook", "-detail"))]

WHEN_THE_CONTRACT_CHANGES = 4  # of five steps; with the fifth the month closes


@pytest.fixture(autouse=True)
def on_10_august_2026(settings: Settings) -> None:
    """Stand still: a page says which month it is."""
    settings.TODAY = dt.date(2026, 8, 10)


class Walk:
    """An agency, the month that is open in it, and what a client saw last."""

    def __init__(self, seed: int, code: str, pages: Iterable[str]) -> None:
        self.chance = random.Random(seed)  # noqa: S311 - repeatable on purpose
        worlds.open_world([code])
        self.pages = pages
        self.contact = Contact.objects.select_related("user", "organisation").get(
            organisation__code=code
        )
        self.subscription = Subscription.objects.get()
        self.month = MONTHS[0]
        self.planner, self.controller, self.auditor = map(
            make.user, ("planner", "controller", "auditor")
        )
        self.seen: dict[str, Seen] | None = None
        self.published: dict[str, str] = {}
        self.changed: list[str] = []

    def go(self, steps: int) -> None:
        quiet = cycle(
            [self.record, self.correct, self.record, self.submit_or_take_back, self.open_the_books]
        )
        loud = cycle(
            [
                *(self.ask_for_a_tier, self.declare, self.answer_what_was_asked),
                *(self.confirm_what_was_declared, self.buy_a_card, self.end),
            ]
        )
        for number in range(1, steps + 1):
            if number % 5 == 0:
                self.loudly(self.close_and_send)
            elif number % 5 == WHEN_THE_CONTRACT_CHANGES:
                self.loudly(next(loud))
            else:
                self.quietly(next(quiet))
            self.compare_what_was_published()

    def loudly(self, deed: Callable[[], None]) -> None:
        """Do what the client knows of: pages may differ after it, what was published may not."""
        deed()
        self.seen = None

    def quietly(self, deed: Callable[[], None]) -> None:
        """Do what concerns hours only: nothing that the client can come by may differ."""
        before = self.seen or self.look()
        deed()
        self.seen = after = self.look()
        self.changed += [name for name in before | after if before.get(name) != after.get(name)]

    def look(self) -> dict[str, Seen]:
        return surfaces.look(self.contact, Played(), self.pages)

    def record(self) -> None:
        advisor = self.advisor()
        draft = DraftHours.objects.filter(advisor=advisor, month=self.month).first()
        now = draft.quarters if draft else 0
        with suppress(hours.HoursError):  # the month is submitted
            hours.record(
                advisor,
                self.contact.organisation,
                self.month,
                from_quarters=now,
                to_quarters=self.chance.randint(0, 40),
            )

    def correct(self) -> None:
        hours.adjust(
            self.advisor(),
            self.contact.organisation,
            self.month,
            quarters=self.chance.randint(-8, 8),
            reason=self.chance.choice(list(AdjustmentReason)),
        )

    def submit_or_take_back(self) -> None:
        self.chance.choice([hours.submit, hours.take_back])(self.advisor(), self.month)

    def advisor(self) -> Advisor:
        return Advisor.objects.get(code=self.chance.choice(ADVISORS))

    def close_and_send(self) -> None:
        statements.close_month(self.month, on=(self.month + 1).first_day)
        billing.draft_run(self.month)
        billing.approve(Invoice.objects.filter(state=InvoiceState.DRAFT))
        for key in list(Invoice.objects.filter(state=InvoiceState.APPROVED).values_list("pk")):
            push.push(key[0], at=timezone.now())
        self.month += 1

    @property
    def on(self) -> dt.date:
        """A day in the month that is open, which nobody closed yet."""
        return self.month.first_day + dt.timedelta(14)

    def ask_for_a_tier(self) -> None:
        with suppress(tier_requests.RequestRefusedError):
            tier_requests.ask(
                self.subscription,
                tier=self.chance.choice(Tier.values),
                from_month=self.month + self.chance.randint(1, 3),
                by=self.contact.user,
                on=self.on,
            )

    def answer_what_was_asked(self) -> None:
        for row in TierChangeRequest.objects.filter(state=RequestState.OPEN):
            answer = self.chance.choice([tier_requests.confirm, tier_requests.decline])
            with suppress(tier_requests.RequestRefusedError):
                answer(row)

    def declare(self) -> None:
        with suppress(declarations.DeclarationError):
            declarations.declare(
                self.contact.organisation,
                month=self.month + self.chance.randint(1, 2),
                headcount=self.chance.choice((8, 20, 60, 300)),
                by=self.chance.choice([self.contact.user, self.planner]),
                on=self.on,
            )

    def confirm_what_was_declared(self) -> None:
        for row in HeadcountDeclaration.objects.filter(state=RequestState.OPEN):
            for person in (self.planner, self.controller):
                with suppress(declarations.DeclarationError):
                    declarations.confirm(row, by=person, on=self.on)

    def buy_a_card(self) -> None:
        bought = self.month + 1
        if not TopUpCard.objects.filter(bought_month=bought).exists():
            make.top_up_card(self.contact.organisation, bought, quarters=8)

    def end(self) -> None:
        if self.subscription.until_month is None:
            self.subscription.until_month = self.month + self.chance.randint(2, 5)
            self.subscription.save()

    def open_the_books(self) -> None:
        """Two people look behind a published period, of which the client learns nothing."""
        organisation, second = self.contact.organisation, self.auditor
        with suppress(books.BooksError):
            opening = books.ask(
                organisation,
                self.month - 1,
                reason=BooksReason.CLIENT,
                by=self.controller,
                on=self.on,
            )
            books.agree(opening, by=second, on=self.on)
            books.totals(opening, by=second, on=self.on)

    def compare_what_was_published(self) -> None:
        """Hold what the client reads of statements and invoices to what stood there before."""
        browser = Client()
        browser.force_login(self.contact.user)
        for name in ("api:statement-list", "api:invoice-list"):
            for row in browser.get(reverse(name)).json()["results"]:
                text = json.dumps(row, sort_keys=True)
                if self.published.setdefault(row["id"], text) != text:
                    self.changed.append(f"{name} changed after it was published")


def changes(
    seed: int, code: str, steps: int, pages: Iterable[str] = PAGES
) -> tuple[list[str], int]:
    """Walk, and give what moved that should not, and how many things were published."""
    with line_to(State()):
        walk = Walk(seed, code, pages)
        walk.go(steps)
    return walk.changed, len(walk.published)


@pytest.mark.attack(1, 2, 6)
def test_nothing_moves_between_publications_nor_after_one() -> None:
    """Another client on each database."""
    code = {"sqlite": "MONTHLY", "postgresql": "QUARTER"}[connection.vendor]

    found, published = changes(1, code, steps=30)

    assert found == []
    assert published > 4
    for what_happened in (
        TierChangeRequest.objects.exclude(state=RequestState.OPEN),
        HeadcountDeclaration.objects.exclude(confirmed_by=None),
        BooksOpening.objects.exclude(agreed_by=None),
        TopUpCard.objects.all(),
        Subscription.objects.exclude(until_month=None),
    ):
        assert what_happened.exists(), what_happened.model


@pytest.mark.parametrize("code", ["MONTHLY", "QUARTER"])
def test_nothing_moves_beside_a_pause(code: str) -> None:
    """The contract rests from April to June, as was agreed before that quarter was billed."""
    with line_to(State()):
        walk = Walk(3, code, ["api:statement-list", "portal:overview", "portal:subscription"])
        Subscription.objects.update(billing_interval=3)
        rests = MonthRange(Month.of(2026, 4), Month.of(2026, 7))
        pauses.refuse(Subscription.objects.get(), rests)
        make.pause(walk.subscription, rests.from_month, rests.until)

        for number in range(1, 46):
            if number % 5 == 0:
                walk.loudly(walk.close_and_send)
            elif walk.month not in rests:
                walk.quietly(walk.record)
            else:
                with pytest.raises(hours.HoursError, match="paused"):
                    hours.record(
                        walk.advisor(),
                        walk.contact.organisation,
                        walk.month,
                        from_quarters=0,
                        to_quarters=4,
                    )
            walk.compare_what_was_published()

    assert walk.changed == []
    assert not Statement.objects.filter(
        from_month__lt=rests.until, until_month__gt=rests.from_month
    )
    assert Statement.objects.filter(from_month=rests.until).exists()


@pytest.mark.long
@pytest.mark.parametrize("code", worlds.CLIENTS)
@pytest.mark.parametrize("seed", range(5))
def test_nothing_moves_in_many_walks(seed: int, code: str) -> None:
    found, _published = changes(seed, code, steps=60)  # the contract has ended by then

    assert found == []


# Controls.


def test_hours_so_far_are_seen_to_move(monkeypatch: pytest.MonkeyPatch) -> None:
    def live(self: StatementSerializer, row: Statement) -> dict[str, Any]:
        drafts = DraftHours.objects.filter(organisation=row.organisation_id)
        return told(self, row) | {"so_far": sum(drafts.values_list("quarters", flat=True))}

    monkeypatch.setattr(gate, "is_closed", lambda *_: False)  # it would stop the leak
    told = StatementSerializer.to_representation
    monkeypatch.setattr(StatementSerializer, "to_representation", live)

    found, _published = changes(1, "MONTHLY", 15, ["api:statement-list"])

    assert any(name.startswith("api:statement-list") for name in found)


def test_a_total_that_goes_on_after_publication_is_seen_to_move(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def live(self: StatementSerializer, row: Statement) -> dict[str, Any]:
        posted = MonthHours.objects.filter(organisation=row.organisation_id)
        return told(self, row) | {"of_the_year": sum(posted.values_list("quarters", flat=True))}

    monkeypatch.setattr(gate, "is_closed", lambda *_: False)  # it would stop the leak
    told = StatementSerializer.to_representation
    monkeypatch.setattr(StatementSerializer, "to_representation", live)

    found, _published = changes(1, "MONTHLY", 15, ["api:statement-list"])

    assert "api:statement-list changed after it was published" in found
