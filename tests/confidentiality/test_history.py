"""Between publications a client sees nothing move, and what was published stays (attacks 1 and 2).

A walk does what people do in any order: record and take back hours, correct them, submit, close
and bill, change a tier, declare a headcount, end a contract. A client looks before and after each
step. What an event of the contract itself changes on a page is no secret; hours are.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from advisors import hours
from advisors.models import AdjustmentReason, Advisor, DraftHours, MonthHours
from agency import gate
from agency.models import Contact
from subscriptions import billing, push, statements
from subscriptions.api import StatementSerializer
from subscriptions.models import Invoice, InvoiceState, Statement, Subscription, Terms, Tier
from subscriptions.sandbox.state import State
from tests import factories as make
from tests.confidentiality import surfaces, worlds
from tests.confidentiality.surfaces import Seen
from tests.confidentiality.worlds import ADVISORS, MONTHS, Played
from tests.stripe.in_process import Line, line_to

pytestmark = pytest.mark.django_db

# Workbooks take long and are compared in `test_noninterference.py`.
PAGES = [name for name in surfaces.ADDRESSES if name != "portal:workbook"]


class Walk:
    """An agency, the month that is open in it, and what a client saw last."""

    def __init__(self, seed: int, code: str, line: Line) -> None:
        self.chance = random.Random(seed)  # noqa: S311 - repeatable on purpose
        worlds.open_world([code])
        self.line = line
        self.contact = Contact.objects.select_related("user", "organisation").get()
        self.subscription = Subscription.objects.get()
        self.month = MONTHS[0]
        self.seen: dict[str, Seen] | None = None
        self.published: dict[str, str] = {}
        self.changed: list[str] = []

    def go(self, steps: int) -> None:
        quiet = [self.record, self.record, self.correct, self.submit_or_take_back]
        loud = [self.close_and_send, self.change_tier, self.declare, self.end]
        for number in range(1, steps + 1):
            if number % 5 and self.chance.random() < 0.8:
                self.quietly(self.chance.choice(quiet))
            else:
                (self.chance.choice(loud) if number % 5 else self.close_and_send)()
                self.seen = None
            self.compare_what_was_published()

    def quietly(self, deed: Callable[[], None]) -> None:
        """Do what concerns hours only: nothing that the client can come by may differ."""
        before = self.seen or self.look()
        deed()
        self.seen = after = self.look()
        self.changed += [name for name in before | after if before.get(name) != after.get(name)]

    def look(self) -> dict[str, Seen]:
        return surfaces.look(self.contact, Played(), PAGES)

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

    def change_tier(self) -> None:
        if not Terms.objects.filter(from_month__gte=self.month).exists():
            make.terms(self.subscription, self.month + 1, self.chance.choice(Tier.values))

    def declare(self) -> None:
        organisation = self.contact.organisation
        month = self.month + 1
        if not organisation.headcounts.filter(month=month).exists():
            make.headcount(organisation, self.chance.choice((8, 20, 60, 300)), month)

    def end(self) -> None:
        if self.subscription.until_month is None and self.chance.random() < 0.2:
            self.subscription.until_month = self.month + self.chance.randint(1, 4)
            self.subscription.save()

    def compare_what_was_published(self) -> None:
        """Hold what the client reads of statements and invoices to what stood there before."""
        browser = Client()
        browser.force_login(self.contact.user)
        for name in ("api:statement-list", "api:invoice-list"):
            for row in browser.get(reverse(name)).json()["results"]:
                text = json.dumps(row, sort_keys=True)
                if self.published.setdefault(row["id"], text) != text:
                    self.changed.append(f"{name} changed after it was published")


def changes(seed: int, code: str, steps: int) -> tuple[list[str], int]:
    """Walk, and give what moved that should not, and how many things were published."""
    with line_to(State()) as line:
        walk = Walk(seed, code, line)
        walk.go(steps)
    return walk.changed, len(walk.published)


@pytest.mark.attack(1, 2, 6)
def test_nothing_moves_between_publications_nor_after_one() -> None:
    """Another client on each database."""
    code = {"sqlite": "MONTHLY", "postgresql": "QUARTER"}[connection.vendor]

    found, published = changes(1, code, steps=30)

    assert found == []
    assert published > 4


@pytest.mark.long
@pytest.mark.parametrize("code", worlds.CLIENTS)
@pytest.mark.parametrize("seed", range(5))
def test_nothing_moves_in_many_walks(seed: int, code: str) -> None:
    found, _published = changes(seed, code, steps=120)

    assert found == []


# Controls.


def test_hours_so_far_are_seen_to_move(monkeypatch: pytest.MonkeyPatch) -> None:
    def live(self: StatementSerializer, row: Statement) -> dict[str, Any]:
        drafts = DraftHours.objects.filter(organisation=row.organisation_id)
        return told(self, row) | {"so_far": sum(drafts.values_list("quarters", flat=True))}

    monkeypatch.setattr(gate, "is_closed", lambda *_: False)  # it would stop the leak
    told = StatementSerializer.to_representation
    monkeypatch.setattr(StatementSerializer, "to_representation", live)

    found, _published = changes(1, "MONTHLY", steps=15)

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

    found, _published = changes(1, "MONTHLY", steps=15)

    assert "api:statement-list changed after it was published" in found
