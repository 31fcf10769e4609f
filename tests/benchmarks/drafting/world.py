"""An agency that has billed for two years: what a drafting run meets in life."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from random import Random
from typing import TYPE_CHECKING, Any

from django.db import connection

from advisors.models import Advisor, ClosedMonth
from agency.models import Headcount, Organisation, User
from agency.month import AMSTERDAM, Month
from subscriptions.billing import draft_run
from subscriptions.models import (
    Publication,
    PurchaseOrder,
    ReleasePolicy,
    Statement,
    Subscription,
    Terms,
)
from tests import factories as make
from workshops.models import Offering, Session

if TYPE_CHECKING:
    from django.db.models import Model

BEGIN = Month.of(2024, 1)
RUN = Month.of(2025, 12)
FIRST_HEADCOUNT, NEW_HEADCOUNT = Month.of(2023, 1), Month.of(2025, 7)
ADVISORS = 200
ADVISORS_EACH = 5
SESSIONS_EACH = 4
BATCH = 2000
COUNTS = (6, 18, 40, 80, 180, 600)


def build(organisations: int, month_hours: int, runs: int = RUN.since(BEGIN) + 1) -> None:
    """Fill an empty database; all that fell due before RUN is billed, in that many runs."""
    random = Random(7)  # noqa: S311  # the same agency each time
    make.agency()
    make.price_book(FIRST_HEADCOUNT)
    make.price_book(Month.of(2025, 1))
    _closed_months()
    clients = [_organisation(number, random) for number in range(organisations)]
    contracts = [_contract(client, number, random) for number, client in enumerate(clients)]
    _write(Organisation, clients)
    _write(Subscription, contracts)
    _write(Headcount, (row for client in clients for row in _headcounts(client, random)))
    _write(Terms, (row for contract in contracts for row in _terms(contract, random)))
    _write(PurchaseOrder, (row for contract in contracts for row in _orders(contract, random)))
    _write(Session, _sessions(contracts, random))
    _write(Statement, _statements(contracts, random))
    _month_hours(month_hours)
    for index in range(RUN.index - runs, RUN.index):
        draft_run(Month(index))


def _write(model: type[Model], rows: Any) -> None:
    model._default_manager.bulk_create(rows, batch_size=BATCH)


def _closed_months() -> None:
    _write(ClosedMonth, [ClosedMonth(month=Month(i)) for i in range(24000, RUN.index + 1)])


def _organisation(number: int, random: Random) -> Organisation:
    """Make a client: one in 30 is Belgian, one in 100 has half an address."""
    belgian = number % 30 == 0
    return Organisation(
        code=f"ORG{number:05}",
        legal_name=f"Organisation {number} B.V.",
        street="Dorpsstraat 1",
        postcode="3511 AA",
        city="" if number % 100 == 1 else "Utrecht",
        country="BE" if belgian else "NL",
        kvk_number="" if belgian else "12345678",
        vat_id="BE0403170701" if belgian else "",
        vat_id_checked=belgian,
        language=random.choice(["nl", "nl", "nl", "en"]),
        invoice_email=f"invoices{number}@client.example",
    )


def _contract(organisation: Organisation, number: int, random: Random) -> Subscription:
    """Make a contract: three in five began in January, the rest in any month of that year."""
    start = BEGIN if number % 5 < 3 else BEGIN + random.randrange(12)
    return Subscription(
        organisation=organisation,
        start_month=start,
        billing_interval=random.choice([1, 1, 3, 3, 12]),
        collection=random.choice(["invoice", "sepa"]),
        payment_days=random.choice([14, 30]),
        po_required=number % 10 == 0,
        first_run=start - 1,
        reported_until=start,
    )


def _headcounts(organisation: Organisation, random: Random) -> Iterator[Headcount]:
    for month in (FIRST_HEADCOUNT, NEW_HEADCOUNT):
        count = random.choice(COUNTS)
        yield Headcount(organisation=organisation, month=month, headcount=count)


def _terms(contract: Subscription, random: Random) -> Iterator[Terms]:
    """Give the start, one in ten with an own fee, and to one in 20 an upgrade in the past."""
    chance = random.random()
    tier = random.choice(["basic", "extended"])
    own = 99_900 if chance < 0.1 else None
    start = contract.start_month
    yield Terms(
        subscription=contract,
        from_month=start,
        reason="start",
        tier=tier,
        own_annual_fee_cents=own,
    )
    if chance > 0.95:
        yield Terms(
            subscription=contract,
            from_month=start + random.randrange(1, 10),
            reason="tier_change",
            tier="extended",
        )


def _orders(contract: Subscription, random: Random) -> Iterator[PurchaseOrder]:
    """Give three in ten an order; half of those get a new number in the new year."""
    if random.random() < 0.3 or (contract.po_required and random.random() < 0.9):
        new_year = RUN + 1
        until = random.choice([None, new_year])
        yield PurchaseOrder(
            organisation=contract.organisation, number="PO-1", from_month=BEGIN, until_month=until
        )
        if until:
            yield PurchaseOrder(
                organisation=contract.organisation, number="PO-2", from_month=new_year
            )


def _offerings() -> list[Offering]:
    return [
        make.offering("WS", price_cents=87_500),
        make.offering("VOC", price_cents=95_000, vocational=True),
        make.offering(
            "INF", kind="information_session", price_cents=45_000, included_eligible=True
        ),
        make.offering("ADV", kind="service", price_cents=15_000),
    ]


def _sessions(contracts: list[Subscription], random: Random) -> Iterator[Session]:
    """Give each client a few sessions since its start: some cancelled, some with travel."""
    offerings = _offerings()
    number = 0
    for contract in contracts:
        months = (RUN + 2).since(contract.start_month)
        for _session in range(SESSIONS_EACH):
            number += 1
            planned = contract.start_month + random.randrange(months)
            day = planned.first_day + dt.timedelta(days=random.randrange(28))
            status = random.choice(["held"] * 9 + ["cancelled"])
            if planned > RUN:
                status = random.choice(["scheduled", "cancelled"])
            cancelled = status == "cancelled"
            called_off = max(
                day - dt.timedelta(days=random.randrange(60)), contract.start_month.first_day
            )
            yield Session(
                reference=f"S{number:06}",
                offering=random.choice(offerings),
                organisation=contract.organisation,
                starts_at=dt.datetime.combine(day, dt.time(10), AMSTERDAM),
                status=status,
                on_site_km=random.choice([None, None, 24]),
                cancelled_on=called_off if cancelled else None,
                cancelled_by=random.choice(["client", "agency"]) if cancelled else "",
            )


def _statements(contracts: list[Subscription], random: Random) -> Iterator[Statement]:
    """Give statements by calendar quarter, one in four with overage, of the last nearly half."""
    policy = ReleasePolicy.objects.get()
    for first in range(BEGIN.index, RUN.index, 3):
        from_month, until_month = Month(first), Month(first + 3)
        last = until_month > RUN
        batch = Publication.objects.create(
            month=until_month - 1, published_on=until_month.first_day
        )
        for contract in contracts:
            if contract.start_month <= from_month:
                yield Statement(
                    subscription=contract,
                    organisation=contract.organisation,
                    publication=batch,
                    policy=policy,
                    from_month=from_month,
                    until_month=until_month,
                    display="exact",
                    used_quarters=40,
                    allowance_quarters=32,
                    overage_quarters=2 * random.randrange(1, 20)
                    if random.random() < (0.45 if last else 0.25)
                    else 0,
                )


def _month_hours(wanted: int) -> None:
    """Post hours of five advisors for each client, as many months back as it takes."""
    users = [
        User(email=f"advisor{n}@advisors.example", name=f"Advisor {n}", role="advisor")
        for n in range(ADVISORS)
    ]
    advisors = [Advisor(code=f"ADV{n}", user=user) for n, user in enumerate(users)]
    _write(User, users)
    _write(Advisor, advisors)
    organisations = list(Organisation.objects.order_by("code").values_list("pk", flat=True))
    months = -(-wanted // (len(organisations) * ADVISORS_EACH))
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE TEMP TABLE served (number int, organisation_id text, advisor_id text)"
        )
        cursor.executemany(
            "INSERT INTO served VALUES (%s, %s, %s)",
            [
                (number, _key(organisation), _key(advisors[(number + each * 7) % ADVISORS].pk))
                for number, organisation in enumerate(organisations)
                for each in range(ADVISORS_EACH)
            ],
        )
        for back in range(months):
            left = wanted - back * len(organisations) * ADVISORS_EACH
            cursor.execute(HOURS[connection.vendor], [RUN.index - back, back, left])
        cursor.execute("DROP TABLE served")


def _key(key: Any) -> str:
    return str(key.hex)


HOURS = {
    "sqlite": """
        INSERT INTO advisors_monthhours (id, advisor_id, organisation_id, month, quarters)
        SELECT lower(hex(randomblob(16))), advisor_id, organisation_id, %s, (number + %s) %% 12
        FROM served LIMIT %s""",
    "postgresql": """
        INSERT INTO advisors_monthhours (id, advisor_id, organisation_id, month, quarters)
        SELECT gen_random_uuid(), advisor_id::uuid, organisation_id::uuid, %s,
            (number + %s) %% 12
        FROM served LIMIT %s""",
}
