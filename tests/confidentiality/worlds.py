"""An agency whose ledger may be written in many ways that publish the same.

`open_world` makes what never differs: thirteen clients, one of each way in which figures are
published, their contracts, sessions and people, and a group that pays for two of them. A `Ledger`
says who worked how much in which month, in how many steps; `play` takes it through the real months:
record, submit, close, publish, bill, approve, push, mail. `written_otherwise` gives another ledger
of which the clients must see the same.
"""

from __future__ import annotations

import datetime as dt
import random
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from django.utils import timezone

from advisors import hours
from advisors.models import AdjustmentReason, Advisor
from agency.models import Organisation
from agency.month import Month, MonthRange
from subscriptions import announcements, billing, payments, push, reminders, statements
from subscriptions.models import (
    CollectionPolicy,
    Display,
    Invoice,
    InvoiceState,
    Publication,
    PublicationMail,
    Statement,
    Subscription,
    TopUpCard,
)
from tests import factories as make
from tests.agreed import M
from tests.clients import client, open_agency
from tests.stripe.in_process import Line

MONTHS = tuple(Month.parse(f"2026-{number:02d}") for number in range(1, 8))
ADVISORS = ("ADV1", "ADV2", "ADV3")

SINCE_JULY = {"start": "2025-07", "first_run": M("2025-12"), "reported_until": "2026-01"}
CLIENTS: dict[str, dict[str, object]] = {
    "MICRO": {"headcount": 8, **SINCE_JULY},
    "SMALL": {"headcount": 18, **SINCE_JULY},
    "QUARTER": {"headcount": 40},
    "MONTHLY": {"headcount": 300},
    "CAPPED": {"headcount": 120, "overage": "cap"},
    "ALLIN": {"headcount": 60, "overage": "all_in"},
    "BANDED": {"headcount": 150, "release": "band", **SINCE_JULY},
    "COARSE": {"headcount": 500, "release": "quarter"},
    "ENDING": {"headcount": 90, "until_month": M("2026-06")},
    "CARRY": {
        "headcount": 300,
        "tier": "extended",
        "carry_over_basis_points": 5000,
        "carry_over_cap_quarters": 80,
        **SINCE_JULY,
    },
    "CARDS": {"headcount": 100},
    "SHRINK": {"headcount": {"2020-01": 60, "2026-03": 20}},
    "UPGRADE": {"headcount": 45},
}


@dataclass(frozen=True, slots=True)
class Entry:
    """What an advisor worked for a client in a month, in so many steps; a reason makes it late."""

    month: Month
    code: str
    advisor: str
    quarters: int
    steps: int = 1
    reason: AdjustmentReason | None = None


@dataclass
class Ledger:
    """Entries, and the seed of the order in which they are recorded."""

    entries: list[Entry]
    order: int

    def total(self, code: str, months: MonthRange) -> int:
        return sum(e.quarters for e in self.entries if e.code == code and e.month in months)


@dataclass
class Played:
    """What was said to Stripe on the way: by client, method, path and form of each call."""

    said: dict[str, list[tuple[str, str, str]]] = field(default_factory=lambda: defaultdict(list))


def open_world(codes: Iterable[str] = CLIENTS) -> None:
    open_agency()
    for code in ADVISORS:
        make.advisor(code)
    offering = make.offering(included_eligible=True)
    for place, code in enumerate(codes):
        spec = dict(CLIENTS[code])
        subscription = client(code, **spec)  # type: ignore[arg-type]
        organisation = subscription.organisation
        make.contact(organisation)
        make.employee_page(organisation)
        for advisor in Advisor.objects.filter(code__in=ADVISORS):
            make.assignment(advisor, organisation, from_month="2025-01")
        for number, month in enumerate(MONTHS[place % 2 :: 3]):
            make.session(
                organisation,
                f"{code[:6]}{number}",
                offering=offering,
                starts_at=dt.datetime.combine(
                    month.first_day + dt.timedelta(days=8), dt.time(10), tzinfo=dt.UTC
                ),
                status="held",
                on_site_km=40,
            )
        if code in {"CARDS", "MICRO"}:
            make.top_up_card(organisation, "2026-02", quarters=8)
        if code == "UPGRADE":
            make.terms(subscription, "2026-03")
        if code in {"UPGRADE", "SHRINK"}:
            _let_a_group_pay_for(organisation)
        if code == "QUARTER":
            _announce_a_rise(subscription)
    statements.state_history()


def _let_a_group_pay_for(organisation: Organisation) -> None:
    """Have an organisation of no contract, whose people look too, pay for more than one client."""
    group = Organisation.objects.filter(code="GROUP").first()
    if group is None:
        group = make.organisation("GROUP")
        make.contact(group)
    make.payer(organisation, group, "2026-05")


def _announce_a_rise(subscription: Subscription) -> None:
    """Write a rise to come on the client's page and in its workbook."""
    run = make.indexation_run(make.cpi_value("2024-10"), make.cpi_value("2025-10"))
    on = MONTHS[0].first_day
    make.indexed_contract(run, subscription, sent_on=on)
    run.state, run.announced_on = "announced", on
    run.announced_by = make.user("controller", email="raises@staff.example")
    run.save()


def random_ledger(
    chance: random.Random, codes: Iterable[str] = CLIENTS, months: Sequence[Month] = MONTHS
) -> Ledger:
    """Give a ledger with little work and much, and none at all in some months."""
    entries: list[Entry] = []
    for code in codes:
        busy = chance.choice((0, 3, 20, 60))
        for month in months:
            entries += _spread(chance, code, [month], chance.randint(0, busy))
    return Ledger(entries, chance.getrandbits(32))


def written_otherwise(
    chance: random.Random, ledger: Ledger, months: Sequence[Month] = MONTHS
) -> Ledger:
    """Give a ledger that every statement says the same of: where it shows figures, the same total.

    Advisors, months inside a period, steps, order, late work and corrections differ; so does the
    use of a band that stayed within the contracted hours, and all that no statement counts: a
    withheld or all-in period, and the months still open.
    """
    entries: list[Entry] = []
    for code in sorted({entry.code for entry in ledger.entries}):
        stated = Statement.objects.filter(organisation__code=code, publication__isnull=False)
        open_from, until = months[0], months[-1] + 1
        for row in stated.order_by("from_month"):
            open_from = row.until_month
            total = ledger.total(code, row.months)
            if row.display == Display.BAND and not row.overage_quarters:
                total = chance.randint(0, _within(row))
            elif row.display not in {Display.EXACT, Display.BAND}:
                total = chance.randint(0, 80)
            entries += _spread(chance, code, list(row.months), total)
        if open_from < until:
            left = list(MonthRange(open_from, until))
            entries += _spread(chance, code, left, chance.randint(0, 80))
    return Ledger(entries, chance.getrandbits(32))


def _within(band: Statement) -> int:
    """Give the most use without overage; no other statement here counts in its year."""
    cards = TopUpCard.objects.filter(
        organisation=band.organisation_id,
        bought_month__lt=band.until_month,
        expires_month__gt=band.from_month,
    )
    return band.allowance_quarters + sum(card.bought_quarters for card in cards)


def _spread(
    chance: random.Random, code: str, months: Sequence[Month], total: int
) -> Iterator[Entry]:
    """Divide a total over months and advisors, with late work and corrections that add up to it."""
    late = 0
    if total and chance.random() < 0.5:
        late = chance.randint(-min(total, 6), min(total, 6))
        reason = AdjustmentReason.LATE_WORK if late > 0 else AdjustmentReason.MISCOUNTED
        if late:
            place = (chance.choice(months), code, chance.choice(ADVISORS))
            yield Entry(*place, late, reason=reason)
    rest = total - late
    cuts = sorted(chance.randint(0, rest) for _ in range(chance.randint(0, 4)))
    shares: Counter[tuple[Month, str]] = Counter()
    for before, after in pairwise([0, *cuts, rest]):
        shares[chance.choice(months), chance.choice(ADVISORS)] += after - before
    for (month, advisor), quarters in shares.items():
        if quarters:
            yield Entry(month, code, advisor, quarters, steps=chance.randint(1, 3))


def play(ledger: Ledger, line: Line, months: Sequence[Month] = MONTHS) -> Played:
    """Take the months through the real verbs, as staff, advisors and the queue would."""
    played = Played()
    chance = random.Random(ledger.order)  # noqa: S311 - repeatable on purpose
    for month in months:
        _work(chance, ledger, month)
        billing.draft_run(month)
        billing.approve(Invoice.objects.filter(run_month=month, state=InvoiceState.DRAFT))
        ready = Invoice.objects.filter(run_month=month, state=InvoiceState.APPROVED)
        ready = ready.order_by("organisation__code")
        for key, code in list(ready.values_list("pk", "payer__code")):
            before = len(line.said)
            push.push(key, at=timezone.now())
            played.said[code] += line.said[before:]
        _mail(month)
    _remind()
    return played


def _remind() -> None:
    """Have each client reminded of its last invoice, a week after it fell due; once in a world."""
    if CollectionPolicy.objects.exists():
        return
    make.collection_policy()
    last = {invoice.organisation_id: invoice for invoice in payments.unpaid().order_by("number")}
    for invoice in sorted(last.values(), key=lambda invoice: invoice.number):
        reminder = make.reminder(invoice, asked_cents=payments.asked()[invoice.number][1])
        assert invoice.due_on
        reminders.send(reminder.pk, on=invoice.due_on + dt.timedelta(days=7))


def work(ledger: Ledger, months: Sequence[Month]) -> None:
    """Only record, submit and close, without what follows from it."""
    chance = random.Random(ledger.order)  # noqa: S311 - repeatable on purpose
    for month in months:
        _work(chance, ledger, month)


def _work(chance: random.Random, ledger: Ledger, month: Month) -> None:
    _record(chance, [entry for entry in ledger.entries if entry.month == month])
    for advisor in Advisor.objects.filter(code__in=ADVISORS):
        hours.submit(advisor, month)
    statements.close_month(month, on=(month + 1).first_day)


def _record(chance: random.Random, entries: Sequence[Entry]) -> None:
    advisors = {row.code: row for row in Advisor.objects.filter(code__in=ADVISORS)}
    organisations = {row.code: row for row in Organisation.objects.all()}
    now: Counter[tuple[str, str]] = Counter()
    left = [step for entry in entries for step in _steps(entry)]
    chance.shuffle(left)
    for entry, quarters in left:
        who = (advisors[entry.advisor], organisations[entry.code], entry.month)
        if entry.reason:
            hours.adjust(*who, quarters=quarters, reason=entry.reason)
            continue
        before = now[entry.advisor, entry.code]
        now[entry.advisor, entry.code] = before + quarters
        hours.record(*who, from_quarters=before, to_quarters=before + quarters)


def _steps(entry: Entry) -> Iterator[tuple[Entry, int]]:
    if entry.reason:
        yield entry, entry.quarters
        return
    share, rest = divmod(entry.quarters, entry.steps)
    for number in range(entry.steps):
        yield entry, share + (number < rest)


def _mail(month: Month) -> None:
    publication = Publication.objects.get(month=month)
    announcements.announce(publication.pk)
    for mail in PublicationMail.objects.filter(publication=publication):
        announcements.mail_contact(mail.pk)
