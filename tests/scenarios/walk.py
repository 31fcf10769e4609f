"""A world of clients that walks month by month, and the tables that say what it should make.

Each scenario is one client; all of them walk through the same three years together, closed and
billed month after month, so that a walk costs what one client costs. A row of a table reads

    2026-03 2026-06 @GROUP #PO-1 fee 3 337.50, overage 3 270.00 | 127.58 S

the runs, who pays if that is another one, the purchase order if any, the lines with kind, months
and net, and the VAT by category. A number of months begins after the run for what is paid in
advance and ends with it for the rest; ``2026-01..2026-10/3`` is every third month. A row of
statements reads

    2026-03 3 exact 23.5 of 20 over 3.5

the months closed, how many months are stated, the display, use, allowance and overage in hours.
"""

from __future__ import annotations

import datetime as dt
import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from advisors import hours
from advisors.models import AdjustmentReason
from agency import legal_names
from agency.models import Headcount, LegalName, Organisation, User
from agency.month import Month, MonthRange
from subscriptions import (
    billing,
    corrections,
    declarations,
    ends,
    pauses,
    statements,
    takeovers,
    tier_requests,
)
from subscriptions.audit import audit
from subscriptions.models import (
    CreditReason,
    Invoice,
    InvoiceState,
    Statement,
    Subscription,
    Takeover,
    TermsReason,
)
from tests import factories as make
from tests.agreed import M, months
from tests.clients import LONG_AFTER, client, counsellor, open_agency, session

FIRST_RUN, LAST_RUN = M("2025-12"), M("2028-12")
IN_ADVANCE = frozenset({"fee", "setup", "tier_change", "topup"})

Event = Callable[["World", Subscription, Month], None]


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """A client, what happens to it and when, and the documents and statements expected of it.

    The contract is of a calendar year with quarterly fees and 100 people unless agreed otherwise.
    What happens in a month happens before it is closed.
    """

    name: str
    documents: str
    statements: str
    agreed: Mapping[str, Any] = field(default_factory=dict)
    hours: Mapping[str, float] = field(default_factory=dict)
    events: Sequence[tuple[str, Event]] = ()


@dataclass(frozen=True)
class Told:
    """What a client was sent and told, row by row."""

    documents: list[str]
    statements: list[str]


class World:
    """All scenarios' clients and the people of the agency."""

    def __init__(self, scenarios: Sequence[Scenario]) -> None:
        open_agency()
        self.staff: User = make.user("controller", email="first@staff.example")
        self.second: User = make.user("controller", email="second@staff.example")
        self.clients: list[tuple[Scenario, Subscription]] = []
        for number, scenario in enumerate(scenarios, start=1):
            agreed: dict[str, Any] = {"until_month": "2027-01", "billing_interval": 3}
            row = client(f"S{number:03}", **agreed | dict(scenario.agreed))
            make.contact(row.organisation)
            self.clients.append((scenario, row))

    def walk(self) -> None:
        month = FIRST_RUN
        while month <= LAST_RUN:
            for scenario, row in self.clients:
                for when, happen in scenario.events:
                    if M(when) == month:
                        happen(self, Subscription.objects.get(pk=row.pk), month)
                work(row.organisation, month, scenario.hours.get(str(month), 0))
            self.close_and_bill(month)
            month += 1

    @staticmethod
    def close_and_bill(month: Month) -> None:
        assert statements.close_month(month, on=LONG_AFTER)
        legal_names.take_effect((month + 1).first_day)
        run = billing.draft_run(month)
        assert run.failures == []
        drafts = Invoice.objects.filter(state=InvoiceState.DRAFT)
        billing.approve(drafts)
        send(month)

    def told(self) -> dict[str, Told]:
        """Give what each scenario's client was sent and told, by the scenario's name."""
        documents, stated = defaultdict(list), defaultdict(list)
        for row in Invoice.objects.prefetch_related("lines"):
            documents[row.organisation_id].append(document_row(row))
        for statement in Statement.objects.newest().select_related("organisation"):
            stated[statement.organisation_id].append(statement_row(statement))
        return {
            scenario.name: Told(
                sorted(documents[row.organisation_id]), sorted(stated[row.organisation_id])
            )
            for scenario, row in self.clients
        }

    def violations(self) -> list[str]:
        return [str(violation) for violation in audit().violations]


def work(organisation: Organisation, month: Month, number: float, by: str = "") -> None:
    """Note hours of a month, as the advisor does."""
    if number:
        quarters = round(number * 4)
        advisor = counsellor(organisation, by)
        hours.record(advisor, organisation, month, from_quarters=0, to_quarters=quarters)


def send(month: Month, day_of_month: int = 10) -> None:
    """Let everything approved have been sent on a day of the month after the run."""
    day = (month + 1).first_day + dt.timedelta(days=day_of_month - 1)
    for row in Invoice.objects.filter(state=InvoiceState.APPROVED):
        number = f"N-{row.pk}"
        Invoice.objects.filter(pk=row.pk).update(
            state=InvoiceState.OPEN,
            number=number,
            stripe_id=f"in_{row.pk}",
            invoice_on=day,
            due_on=day + dt.timedelta(days=30),
        )


# What happens


def tier(wanted: str, from_month: str) -> Event:
    """Let the client ask for a tier, and staff confirm it."""

    def happen(_world: World, row: Subscription, month: Month) -> None:
        by = row.organisation.contacts.get().user
        asked = tier_requests.ask(
            row, tier=wanted, from_month=M(from_month), by=by, on=month.first_day
        )
        tier_requests.confirm(asked)

    return happen


def agreed_late(wanted: str, from_month: str) -> Event:
    """Let staff agree on a tier for a month that was billed already."""

    def happen(_world: World, row: Subscription, _month: Month) -> None:
        make.terms(row, from_month, wanted)

    return happen


def chosen(from_month: str, **choices: Any) -> Event:
    """Let other choices be agreed on from a month."""

    def happen(_world: World, row: Subscription, _month: Month) -> None:
        current = row.terms.order_by("from_month").last()
        assert current
        make.terms(row, from_month, current.tier, reason=TermsReason.CORRECTION, **choices)

    return happen


def people(number: int, from_month: str) -> Event:
    """Let staff declare a headcount, and a second person confirm it where one must."""

    def happen(world: World, row: Subscription, month: Month) -> None:
        declared = declarations.declare(
            row.organisation, month=M(from_month), headcount=number, by=world.staff,
            on=month.first_day,
        )  # fmt: skip
        if not Headcount.objects.filter(
            organisation=row.organisation, month=M(from_month)
        ).exists():
            assert declarations.confirm(declared, by=world.second, on=month.first_day)

    return happen


def end(until: str) -> Event:
    """Let an end be agreed on, noted as the page of contracts notes it."""

    def happen(world: World, row: Subscription, month: Month) -> None:
        ends.refuse(row, M(until), client_knows=True)
        row.until_month = M(until)
        row.save()
        make.audit_event(row, world.staff, fields="First month after the end", on=month.first_day)

    return happen


def pause(span: str) -> Event:
    def happen(_world: World, row: Subscription, _month: Month) -> None:
        pauses.refuse(row, months(span))
        make.pause(row, *span.split("/"))

    return happen


def card(hours_on_it: float, price: int, valid: str) -> Event:
    """Let a card be ordered, of hours and euros, valid for a range of months."""

    def happen(_world: World, row: Subscription, _month: Month) -> None:
        bought, expires = valid.split("/")
        quarters = round(hours_on_it * 4)
        fields = {"price_cents": price * 100, "expires_month": expires}
        make.top_up_card(row.organisation, bought, quarters, **fields)

    return happen


def order(number: str, span: str) -> Event:
    def happen(_world: World, row: Subscription, _month: Month) -> None:
        from_month, _, until = span.partition("/")
        make.purchase_order(row.organisation, number, from_month, until or None)

    return happen


def paid_by(code: str, span: str, **particulars: Any) -> Event:
    """Let another organisation pay in a range of months."""

    def happen(_world: World, row: Subscription, _month: Month) -> None:
        from_month, _, until = span.partition("/")
        payer = Organisation.objects.filter(code=code).first()
        payer = payer or make.organisation(code, **particulars)
        make.payer(row.organisation, payer, from_month, until or None)

    return happen


def renamed(name: str, day: str) -> Event:
    """Let the client be called otherwise from a day on."""

    def happen(_world: World, row: Subscription, month: Month) -> None:
        called = LegalName(organisation=row.organisation, legal_name=name)
        called.from_on = dt.date.fromisoformat(day)
        legal_names.rename(called, on=month.first_day)

    return happen


def taken_over(code: str, month: str, *, successor_pays: bool = False) -> Event:
    """Let another organisation take the client over, noted as the page of takeovers notes it."""

    def happen(world: World, row: Subscription, now: Month) -> None:
        successor = Organisation.objects.filter(code=code).first() or make.organisation(code)
        named = Takeover(organisation=row.organisation, successor=successor, from_month=M(month))
        takeovers.take_over(named, successor_pays=successor_pays)
        make.audit_event(row, world.staff, fields="First month after the end", on=now.first_day)

    return happen


def workshop(day: str, price: int, *, on: str = "", **fields: Any) -> Event:
    """Let a workshop be held on a day, or cancelled ``on`` an earlier one."""

    def happen(_world: World, row: Subscription, _month: Month) -> None:
        code = f"{row.organisation.code}-{day}-{price}"
        of_it = {
            name: fields[name] for name in ("vocational", "included_eligible") if name in fields
        }
        rest = {name: value for name, value in fields.items() if name not in of_it}
        offering = make.offering(code, price_cents=price * 100, **of_it)
        session(row.organisation, code, day, on=on, offering=offering, **rest)

    return happen


def corrected(quarters: int) -> Event:
    """Let the advisor correct earlier hours in the month that is open."""

    def happen(_world: World, row: Subscription, month: Month) -> None:
        hours.adjust(
            counsellor(row.organisation), row.organisation, month,
            quarters=quarters, reason=AdjustmentReason.MISCOUNTED,
        )  # fmt: skip

    return happen


def credited(run: str, kind: str = "", cents: int = 0, *, anew: bool = False) -> Event:
    """Let staff credit cents of a line of the document of a run, or all of it."""

    def happen(_world: World, row: Subscription, _month: Month) -> None:
        original = Invoice.objects.get(
            organisation=row.organisation, run_month=M(run), kind="invoice"
        )
        parts = {original.lines.get(kind=kind).pk: cents} if kind else None
        how: dict[str, Any] = {"key": uuid4(), "parts": parts, "anew": anew}
        assert corrections.credit(original, CreditReason.AMOUNT, **how)

    return happen


def checked(_world: World, row: Subscription, _month: Month) -> None:
    """Let the client's VAT id have been checked."""
    Organisation.objects.filter(pk=row.organisation_id).update(vat_id_checked=True)


# Tables


def document_row(invoice: Invoice) -> str:
    lines = sorted(invoice.lines.all(), key=lambda line: line.position)
    vat: dict[str, int] = {}
    for line in lines:
        vat[line.vat_category] = vat.get(line.vat_category, 0) + line.vat_cents
    billed = ", ".join(f"{line.kind} {line.months} {euros(line.net_cents)}" for line in lines)
    marks = [f"={invoice.buyer_name}"] if invoice.buyer_name.startswith("Renamed") else []
    marks += [f"@{invoice.payer.code}"] if invoice.payer and invoice.served_name else []
    marks += [f"#{invoice.po_number}"] if invoice.po_number else []
    marks += [f"!{invoice.blocked_reason}"] if invoice.blocked_reason else []
    taxed = " + ".join(f"{euros(cents)} {category}" for category, cents in vat.items())
    return f"{' '.join([str(invoice.run_month), *marks])} {billed} | {taxed}"


def euros(cents: int) -> str:
    sign, cents = ("-", -cents) if cents < 0 else ("", cents)
    return f"{sign}{cents // 100}.{cents % 100:02d}"


def statement_row(row: Statement) -> str:
    plain = statements.as_plain(row)
    use = "-" if row.used_quarters is None else plain["used_hours"]
    return (
        f"{row.months.last_month} {row.months} {row.display} {use} of {plain['allowance_hours']}"
        f" over {plain['overage_hours']}"
    )


def expected_documents(table: str) -> list[str]:
    """Read a table of documents into rows as `document_row` writes them, one per run."""
    return sorted(_document(run, rest) for run, rest in _rows(table))


def _document(run: Month, rest: str) -> str:
    lines, taxed = rest.split(" | ")
    marks = "".join(re.findall(r"[=@#!]\S+ ", lines))
    billed = [_line(run, line) for line in lines.removeprefix(marks).split(", ")]
    return f"{run} {marks}{', '.join(billed)} | {taxed}"


def _line(run: Month, text: str) -> str:
    kind, span, amount = text.split()
    if "/" not in span:
        first = run + 1 if kind in IN_ADVANCE else run + 1 - int(span)
        span = str(MonthRange(first, first + int(span)))
    return f"{kind} {span} {amount}"


def expected_statements(table: str) -> list[str]:
    made = []
    for month, rest in _rows(table):
        count, told = rest.split(" ", 1)
        made.append(f"{month} {MonthRange(month + 1 - int(count), month + 1)} {told}")
    return sorted(made)


def _rows(table: str) -> Iterator[tuple[Month, str]]:
    """Give each month that a row begins with, with the rest of the row."""
    for row in filter(None, map(str.strip, table.splitlines())):
        words = row.split()
        given = [word for word in words if re.match(r"\d{4}-\d\d(\.\.\S+)?$", word)]
        assert given == words[: len(given)], row
        for word in given:
            for month in _series(word):
                yield month, " ".join(words[len(given) :])


def _series(word: str) -> Iterator[Month]:
    first, _, rest = word.partition("..")
    last, _, step = rest.partition("/")
    month = M(first)
    while month <= M(last or first):
        yield month
        month += int(step or 1)
