"""What is kept no longer: whole files of former clients, accounts of who left, old rows.

The terms stand in ``agency/processing.toml``. A client's file goes as a whole, because a running
contract is worked out from its beginning: carried hours, cards and what was billed lean on each
other.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import Any
from uuid import UUID

from django.apps import apps
from django.db import models, transaction
from django.db.models import Max, Q

from advisors.models import Assignment, MonthSubmission
from agency.models import AuditEvent, Contact, Organisation, User
from agency.month import Month, day_of, midnight
from agency.processing import by_model, tables
from agency.retention import (
    ERASED,
    USER,
    Picked,
    delete,
    erase,
    erase_again,
    erase_by_date,
    forget_cached,
    overwrite_what_is_free,
    rows_of,
)
from subscriptions.models import Invoice, InvoiceLine, Payer, Subscription, Takeover
from workshops.models import Session

Ends = dict[UUID, dt.date | None]


def erase_expired(today: dt.date) -> Counter[str]:
    """Erase all that is past its term, and again what the list of erasures names.

    Gives the number of rows by table. Only dates and the list decide, so that it does the same
    after a backup was restored; a second time on one day finds nothing.
    """
    with transaction.atomic():
        done = erase_again()
        ends = contract_ends()
        for user in list(_accounts(ends, today)):
            done += erase(USER, user)
        done += delete(_files(ends, today))
        done += delete(_documents_of_others(today))
        return done + erase_by_date(today)


def keep_terms(*, on: dt.date, at: dt.datetime) -> tuple[Counter[str], bool]:
    """Erase what is past its term and its traces in cache and files.

    Gives the number of rows by table, and whether the files could be overwritten just now.
    """
    done = erase_expired(on)
    forget_cached(at)
    return done, overwrite_what_is_free(done)


def contract_ends() -> Ends:
    """Give for each client the first day after its last contract, None while one is running.

    Of one that never had a contract, the first day after the month of its last session or
    document, or of the last day that a quote held.
    """
    ends: Ends = {}
    without = Organisation.objects.filter(subscriptions=None).values_list("pk")
    latest = (
        *(Max("sessions__starts_at"), Max("quotes__valid_until")),
        *(Max("invoices__run_month"), Max("payable__run_month")),
    )
    for key, held, offered, *runs in without.annotate(*latest):
        months = [Month.containing(date) for date in (held, offered) if date]
        months += filter(None, runs)
        if months:
            ends[key] = (max(months) + 1).first_day
    for row in Subscription.objects.values("organisation").annotate(
        end=Max("until_month"), running=Max("start_month", filter=Q(until_month=None))
    ):
        ends[row["organisation"]] = None if row["running"] is not None else row["end"].first_day
    return ends


# Accounts


def _accounts(ends: Ends, today: dt.date) -> Iterator[UUID]:
    before = by_model()[USER].keep.before(today)
    seen = _last_seen()
    places: dict[UUID, list[dt.date | None]] = defaultdict(list)
    for user, organisation in Contact.objects.values_list("user", "organisation"):
        places[user].append(ends.get(organisation))
    for row in User.objects.exclude(email__endswith=ERASED).only("pk", "is_active"):
        own = places[row.pk]
        is_over = bool(own) and None not in own
        if row.is_active and not is_over:
            continue
        days = [*seen[row.pk], *(day for day in own if day)]
        if before and max(days, default=dt.date.min) < before:
            yield row.pk


def _last_seen() -> dict[UUID, list[dt.date]]:
    """Give the days that show a person at work, or somebody at work on the account."""
    seen: dict[UUID, list[dt.date]] = defaultdict(list)
    ways: tuple[tuple[type[models.Model], str, str], ...] = (
        (AuditEvent, "subject_id", "on"),
        (AuditEvent, "actor", "on"),
        (Assignment, "advisor__user", "until_month"),
        (MonthSubmission, "advisor__user", "month"),
        (Session, "trainer__user", "starts_at"),
    )
    for model, person, date in ways:
        rows = model._default_manager.filter(**{f"{date}__isnull": False}).order_by()
        for key, latest in rows.values_list(person).annotate(Max(date)):
            seen[key].append(_day(latest))
    return seen


def _day(latest: Any) -> dt.date:
    if isinstance(latest, Month):
        return latest.first_day
    return day_of(latest) if isinstance(latest, dt.datetime) else latest


# Files of former clients


def _files(ends: Ends, today: dt.date) -> Picked:
    """Pick all rows of the clients whose contracts ended, and who had nothing since."""
    before = by_model()["agency.Organisation"].keep.before(today)
    if before is None:
        return {}
    moment = midnight(before)
    since = Invoice.objects.filter(run_month__gte=Month.containing(before))
    busy = {
        *since.values_list("organisation", flat=True),
        *since.values_list("payer", flat=True),
        *Session.objects.filter(starts_at__gte=moment).values_list("organisation", flat=True),
    }
    former = {key for key, end in ends.items() if end and end <= before} - busy
    while kept := former & _named_by_others(former):
        former -= kept
    return {
        rows.model: list(rows.values_list("pk", flat=True))
        for entry in tables()
        if entry.organisation
        for rows in [rows_of(entry).filter(**{f"{entry.organisation}__in": former})]
    }


def _named_by_others(former: set[UUID]) -> set[UUID | None]:
    """Give those that stand above others than these, paid for them or took them over."""
    parents = Organisation.objects.exclude(pk__in=former).values_list("parent", flat=True)
    payers = Payer.objects.exclude(organisation__in=former).values_list("payer", flat=True)
    theirs = Invoice.objects.exclude(organisation__in=former).values_list("payer", flat=True)
    successors = Takeover.objects.exclude(organisation__in=former).values_list(
        "successor", flat=True
    )
    return {*parents, *payers, *theirs.distinct(), *successors}


def _documents_of_others(today: dt.date) -> Picked:
    """Pick old documents that went to a buyer who is no client, with what hangs on them."""
    before = by_model()["subscriptions.Invoice"].keep.before(today)
    old = Invoice.objects.filter(organisation=None, invoice_on__lt=before)
    credited = old.filter(credits__isnull=False).exclude(credits__in=old)
    keys = set(old.values_list("pk", flat=True)) - set(credited.values_list("pk", flat=True))
    occurrences = InvoiceLine.objects.filter(invoice__in=keys, occurrence__isnull=False)
    picked: Picked = {Invoice: list(keys)}
    for entry in tables():
        if entry.organisation.endswith("invoice__organisation"):
            theirs = {entry.organisation.removesuffix("organisation") + "in": keys}
            rows = apps.get_model(entry.model)._default_manager.filter(**theirs)
            picked[rows.model] = list(rows.values_list("pk", flat=True))
    model = apps.get_model("subscriptions.BilledOccurrence")
    picked[model] = list(occurrences.values_list("occurrence", flat=True).distinct())
    return picked
