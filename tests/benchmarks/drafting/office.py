"""The agency of the drafting run as its office sees it after years: sent, paid, mailed, audited."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

from django.db import connection

from advisors.models import Advisor, Assignment, ClosedMonth
from agency.guards import retention_may_delete
from agency.models import Contact, Organisation, User
from agency.month import Month
from subscriptions.models import Invoice, InvoiceLine, Publication, Statement
from tests import factories as make
from tests.benchmarks.drafting import world

ON = dt.date(2026, 1, 5)  # the day on which it is looked at: the newest run is on its way
NEWEST = world.RUN - 1
RUNS = 24
KEY = {"sqlite": "lower(hex(randomblob(16)))", "postgresql": "gen_random_uuid()"}

# Of each 300 sent long ago one is still open and one given up; of the last months one in twenty.
SEND = """
    UPDATE subscriptions_invoice SET
        state = CASE WHEN kind = 'credit' THEN 'paid' WHEN n %% {open} = 0 THEN 'open'
            WHEN n %% 300 = 1 THEN 'uncollectible' ELSE 'paid' END,
        paid_on = CASE WHEN kind = 'invoice' AND (n %% {open} = 0 OR n %% 300 = 1) THEN NULL
            ELSE {paid} END,
        received_on = CASE WHEN kind = 'invoice' AND n %% 10 = 3 AND n %% {open} <> 0
            THEN {paid} END,
        number = 'D-' || n, stripe_id = 'in_' || n, invoice_on = {sent}, due_on = {due}
    FROM (SELECT id AS numbered, {run} * 10000 + row_number() OVER (ORDER BY id) AS n
        FROM subscriptions_invoice WHERE run_month = {run} AND state = 'draft') AS numbers
    WHERE id = numbered
"""
# For each sent document: its calls, an event, who approved it; for some a mail, a payment by bank.
TRAIL = (
    """
    INSERT INTO subscriptions_stripestep (id, invoice_id, kind, generation, idempotency_key, body,
        body_hash, state, attempted_at, answer_id, error_code)
    SELECT {key}, id, kinds.name, 1, number || kinds.name, '{{}}', '', 'done', {at}, stripe_id, ''
    FROM {sent}, (SELECT 'draft' AS name UNION ALL SELECT 'finalize') AS kinds
    """,
    """
    INSERT INTO subscriptions_stripeevent (id, event_id, type, api_version, livemode, object_id,
        created_at, received_at, state, attempts, error_code)
    SELECT {key}, 'evt_' || number, 'invoice.paid', '', {no}, stripe_id, {at}, {at}, 'handled', 1,
        '' FROM {sent}
    """,
    """
    INSERT INTO agency_auditevent (id, "on", actor_id, action, subject_model, subject_id, fields)
    SELECT {key}, invoice_on, (SELECT id FROM agency_user WHERE role = 'controller'), 'approved',
        'subscriptions.invoice', id, '' FROM {sent}
    """,
    """
    INSERT INTO subscriptions_einvoicemail (id, invoice_id, sent_on, problem)
    SELECT {key}, id, invoice_on, '' FROM {sent} WHERE number LIKE '%%7'
    """,
    """
    INSERT INTO subscriptions_receipt (id, invoice_id, kind, received_on, amount_cents, mark)
    SELECT {key}, id, 'received', received_on, total_cents
        + CASE WHEN number LIKE '%%00013' THEN 100 ELSE 0 END, number
    FROM {sent} WHERE received_on IS NOT NULL AND total_cents > 0
    """,
    """
    INSERT INTO subscriptions_reminder (id, invoice_id, step, asked_cents, sent_on, pay_by_on)
    SELECT {key}, id, 'first', total_cents, invoice_on, due_on FROM {sent}
    WHERE kind = 'invoice' AND state = 'open' AND due_on < '2026-01-05'
    """,
)


def build(organisations: int, month_hours: int, invoices: int) -> None:
    """Fill an empty database; documents of the runs are copied to earlier years for the number."""
    world.build(organisations, month_hours)
    world._write(User, [_colleague()])
    _people()
    make.collection_policy()
    _months()
    earlier = 1
    while (missing := invoices - Invoice.objects.count()) > 0:
        _copy(earlier * RUNS, missing)
        earlier += 1
    runs = Invoice.objects.order_by("run_month").values_list("run_month", flat=True).distinct()
    with connection.cursor() as cursor:
        for run in runs:
            if run < NEWEST:
                _send(cursor, run)
        cursor.execute(
            "UPDATE subscriptions_invoice SET state = 'approved' WHERE state = 'draft'"
            f" AND id IN (SELECT id FROM subscriptions_invoice ORDER BY id LIMIT {invoices // 2})"
        )
        for statement in TRAIL:
            cursor.execute(_filled(statement), [])
        cursor.execute("VACUUM ANALYZE" if connection.vendor == "postgresql" else "ANALYZE")


def _months() -> None:
    """Have the last month wait to be closed, all before it published, the newest run drafted."""
    with retention_may_delete():
        Statement.objects.filter(publication__month=world.RUN).delete()
        Publication.objects.filter(month=world.RUN).delete()
        ClosedMonth.objects.filter(month=world.RUN).delete()
    known = set(Publication.objects.values_list("month", flat=True))
    months = {world.BEGIN + n for n in range(world.RUN.since(world.BEGIN))}
    world._write(
        Publication, [Publication(month=each, published_on=ON) for each in sorted(months - known)]
    )
    make.job(User.objects.get(role="controller"), "draft", NEWEST, done=2, finished_on=ON)


def _colleague() -> User:
    return User(email="controller@agency.example", name="Chris", role="controller")


def _people() -> None:
    """Give each client a contact person, a counsellor and a deputy."""
    clients = list(Organisation.objects.order_by("code"))
    advisors = list(Advisor.objects.order_by("code"))
    users = [
        User(email=f"contact{n}@client.example", name=f"Contact {n}", role="contact")
        for n in range(len(clients))
    ]
    world._write(User, users)
    pairs = zip(clients, users, strict=True)
    world._write(
        Contact, [Contact(organisation=each, user=user, role="owner") for each, user in pairs]
    )
    world._write(Assignment, _assignments(clients, advisors))


def _assignments(clients: list[Organisation], advisors: list[Advisor]) -> Iterator[Assignment]:
    for number, client in enumerate(clients):
        for place, role in enumerate(("counsellor", "deputy")):
            advisor = advisors[(number + place) % len(advisors)]
            yield Assignment(
                organisation=client, advisor=advisor, role=role, from_month=world.BEGIN
            )


def _copy(months: int, most: int) -> None:
    """Have documents once more, with their lines, so many months earlier."""
    moved = {"run_month", "from_month", "until_month"}
    with connection.cursor() as cursor:
        cursor.execute(
            f"CREATE TEMP TABLE copied AS SELECT id AS old, {KEY[connection.vendor]} AS new"
            f" FROM subscriptions_invoice WHERE state = 'draft' AND kind = 'invoice'"
            f" AND run_month >= {(world.RUN - RUNS).index} LIMIT {most}"
        )
        for model, kept, new in (
            (Invoice, "id", {"id": "new"}),
            (
                InvoiceLine,
                "invoice_id",
                {"id": KEY[connection.vendor], "invoice_id": "new", "occurrence_id": "NULL"},
            ),
        ):
            columns = [str(field.column) for field in model._meta.concrete_fields]
            values = [
                new.get(name, f"{name} - {months}" if name in moved else name) for name in columns
            ]
            cursor.execute(
                f"INSERT INTO {model._meta.db_table} ({', '.join(columns)})"
                f" SELECT {', '.join(values)} FROM {model._meta.db_table}"
                f" JOIN copied ON copied.old = {model._meta.db_table}.{kept}"
            )
        cursor.execute("DROP TABLE copied")


def _send(cursor: Any, run: Month) -> None:
    sent = (run + 1).first_day
    days = [sent, sent + dt.timedelta(days=14), sent + dt.timedelta(days=10)]
    names = ("sent", "due", "paid")
    filled = {name: _day(day) for name, day in zip(names, days, strict=True)}
    is_recent = run > NEWEST - 3
    cursor.execute(SEND.format(run=run.index, open=20 if is_recent else 300, **filled), [])


def _day(day: dt.date) -> str:
    return f"'{day}'" if connection.vendor == "sqlite" else f"DATE '{day}'"


def _filled(statement: str) -> str:
    is_sqlite = connection.vendor == "sqlite"
    return statement.format(
        key=KEY[connection.vendor],
        sent="(SELECT * FROM subscriptions_invoice WHERE number <> '') AS documents",
        at="'2025-12-01 09:00:00'" if is_sqlite else "TIMESTAMPTZ '2025-12-01 09:00:00Z'",
        no="0" if is_sqlite else "false",
    )
