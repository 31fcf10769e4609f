"""A run of the index over all own prices: dry run, letters, a second person, new terms.

The letters hold what each client will pay and from when. What they say is kept, and applying the
run writes just that: a contract whose facts have changed since is left out, with the reason.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, NamedTuple
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q, prefetch_related_objects
from django.utils.formats import number_format
from django.utils.translation import gettext_lazy as _
from django_q.tasks import async_task

from advisors.hours import is_closed
from agency.models import Contact, ContactRole, Organisation, User
from agency.month import Month, MonthRange
from agency.turns import take_turns
from subscriptions import contracts
from subscriptions.agreements import Contract
from subscriptions.indexation import (
    Rise,
    earliest_month,
    factor,
    obstacle_in,
    own_prices,
    rise,
    year_cents,
)
from subscriptions.models import (
    CpiValue,
    IndexationRun,
    IndexedContract,
    LeftOut,
    RunState,
    Terms,
    TermsReason,
)

if TYPE_CHECKING:
    from django.db.models import QuerySet

PENDING = (RunState.ANNOUNCED, RunState.APPROVED)
WRITTEN_TO = (ContactRole.OWNER, ContactRole.BILLING)


class IndexationError(ValidationError):
    """A run that cannot be made or go on; its message is the sentence to show."""


def refuse(before: CpiValue, after: CpiValue) -> None:
    """Raise IndexationError for two values of which one cannot be divided by the other."""
    if before.series != after.series:
        raise IndexationError(_("Both index values are of one series."))
    if before.reference_year != after.reference_year:
        raise IndexationError(
            _("Both index values have one reference year: these are of %(before)s and %(after)s."),
            params={"before": before.reference_year, "after": after.reference_year},
        )
    if before.month >= after.month:
        raise IndexationError(_("The index value after is of a later month than the one before."))


def factor_of(run: IndexationRun) -> Fraction:
    return factor(
        run.from_value.value_thousandths,
        run.to_value.value_thousandths,
        run.cap_basis_points,
        run.floor_basis_points,
    )


def factor_in_words(run: IndexationRun) -> str:
    """Write the factor with four decimals, cut and not rounded; prices are worked out exactly."""
    ten_thousandths = factor_of(run) * 10_000 // 1
    return number_format(Decimal(ten_thousandths).scaleb(-4), decimal_pos=4)


def rows(run: IndexationRun, *, on: dt.date) -> list[IndexedContract]:
    """Give what a run does with each contract, the raised first, by code of the organisation.

    A draft's is worked out as if it were announced on that day, and written nowhere.
    """
    if run.state == RunState.DRAFT:
        found = list(_propose(run, on))
    else:
        found = list(run.contracts.select_related("subscription__organisation", "terms"))
    prefetch_related_objects(found, "subscription__pauses")
    return sorted(found, key=lambda row: (row.left_out, row.subscription.organisation.code))


class YearMade(NamedTuple):
    """What a contract's fee makes in its first indexed contract year, and what it would have."""

    before_cents: int
    after_cents: int

    @property
    def more_cents(self) -> int:
        return self.after_cents - self.before_cents


def made_in_the_year(row: IndexedContract) -> YearMade | None:
    """Give what the year makes; None for a contract without a fee of its own, or left out."""
    before, after = row.old_annual_fee_cents, row.new_annual_fee_cents
    if row.from_month is None or before is None or after is None:
        return None
    first, end = row.from_month, row.subscription.until_month
    year = MonthRange(first, min(first + 12, end) if end else first + 12)
    served = list(year.without([pause.months for pause in row.subscription.pauses.all()]))
    return YearMade(year_cents(before, first, served), year_cents(after, first, served))


def _propose(run: IndexationRun, on: dt.date) -> Iterator[IndexedContract]:
    """Give a row for each contract that still runs, or is to start."""
    organisations = Organisation.objects.in_bulk()
    told = set(contacts_to_tell().values_list("organisation", flat=True))
    elsewhere = _indexed_elsewhere(run)
    by, earliest = factor_of(run), earliest_month(on, run.announcement_months)
    for subscription, contract in contracts.load_rows(None):
        until = contract.months.until_month
        if until is not None and until <= Month.containing(on):
            continue
        subscription.organisation = organisations[subscription.organisation_id]
        found = rise(contract, by, wanted=run.effective_month, earliest=earliest)
        if isinstance(found, Rise) and subscription.pk in elsewhere:
            found = LeftOut.INDEXED
        elif isinstance(found, Rise) and subscription.organisation_id not in told:
            found = LeftOut.NOBODY
        made = found._asdict() if isinstance(found, Rise) else {"left_out": found}
        yield IndexedContract(run=run, subscription=subscription, **made)


def _indexed_elsewhere(run: IndexationRun) -> set[UUID]:
    """Give the contracts that other runs are to raise, or have raised over these months."""
    over_these = Q(run__state=RunState.APPLIED, run__to_value__month__gt=run.from_value.month)
    others = IndexedContract.objects.filter(Q(run__state__in=PENDING) | over_these, left_out="")
    return set(others.exclude(run=run).values_list("subscription", flat=True))


def contacts_to_tell() -> QuerySet[Contact]:
    return Contact.objects.filter(role__in=WRITTEN_TO, user__is_active=True)


def coming(subscriptions: Iterable[UUID], *, after: Month) -> dict[UUID, IndexedContract]:
    """Give, by contract, the rise after a month that its client was told of and that stands."""
    told = IndexedContract.objects.filter(
        subscription__in=subscriptions,
        left_out="",
        sent_on__isnull=False,
        run__state__in=[*PENDING, RunState.APPLIED],
        from_month__gt=after,
    )
    return {row.subscription_id: row for row in told.order_by("-from_month")}


@transaction.atomic
def announce(run: IndexationRun, *, by: User, on: dt.date) -> int:
    """Keep what the run does with each contract, queue its letters, and count these.

    Announced once more, it queues the letters that were not sent yet. Raises IndexationError where
    no price would be raised, and for a run that was applied or withdrawn.
    """
    take_turns()
    row = _locked(run)
    if row.state == RunState.DRAFT:
        proposed = list(_propose(row, on))
        if all(each.left_out for each in proposed):
            raise IndexationError(_("No own price would be raised."))
        IndexedContract.objects.bulk_create(proposed)
        row.state, row.announced_by, row.announced_on = RunState.ANNOUNCED, by, on
        row.save()
    elif row.state not in PENDING:
        raise IndexationError(_("This run was applied or withdrawn."))
    unsent = row.contracts.filter(left_out="", sent_on=None).order_by("pk")
    for key in unsent.values_list("pk", flat=True):
        async_task("subscriptions.tasks.mail_indexation", str(key))
    return len(unsent)


@transaction.atomic
def approve(run: IndexationRun, *, by: User, on: dt.date) -> None:
    """Agree to what was announced; repeating it is harmless.

    Raises IndexationError for who announced it, and for a run that is not announced.
    """
    row = _locked(run)
    if row.state == RunState.APPROVED:
        return
    if row.state != RunState.ANNOUNCED:
        raise IndexationError(_("Only a run that is announced can be approved."))
    if row.announced_by_id == by.pk:
        raise IndexationError(_("Somebody else approves a run than who announced it."))
    row.state, row.approved_by, row.approved_on = RunState.APPROVED, by, on
    row.save()


@transaction.atomic
def apply(run: IndexationRun, *, on: dt.date) -> int:
    """Write the terms that were announced, all or none, and count the contracts that got them.

    A contract is left out, with the reason, where its facts have changed since or its letter did
    not go in time. Applying again changes nothing. Raises IndexationError for a run that nobody
    approved.
    """
    take_turns()
    row = _locked(run)
    if row.state not in {RunState.APPROVED, RunState.APPLIED}:
        raise IndexationError(_("Only a run that somebody approved can be applied."))
    if row.state == RunState.APPROVED:
        announced = list(row.contracts.filter(left_out="").select_related("subscription"))
        loaded = contracts.load({each.subscription.organisation_id for each in announced})
        for each in announced:
            contract = loaded[each.subscription_id]
            each.left_out = _obstacle(row, each, contract) or ""
            if not each.left_out:
                each.terms = _terms(each, contract)
        Terms.objects.bulk_create([each.terms for each in announced if each.terms])
        IndexedContract.objects.bulk_update(announced, ["left_out", "terms"], batch_size=500)
        row.state, row.applied_on = RunState.APPLIED, on
        row.save()
    return row.contracts.filter(terms__isnull=False).count()


@transaction.atomic
def withdraw(run: IndexationRun) -> int:
    """Give up what was announced, and count the clients that were written to already.

    Raises IndexationError for a run that is not announced or was applied.
    """
    row = _locked(run)
    if row.state not in {*PENDING, RunState.WITHDRAWN}:
        raise IndexationError(_("Only what was announced and not applied can be withdrawn."))
    if row.state != RunState.WITHDRAWN:
        row.state = RunState.WITHDRAWN
        row.save()
    return row.contracts.filter(sent_on__isnull=False).count()


def _locked(run: IndexationRun) -> IndexationRun:
    rows = IndexationRun.objects.select_for_update()
    return rows.select_related("from_value", "to_value").get(pk=run.pk)


def _obstacle(run: IndexationRun, row: IndexedContract, contract: Contract) -> LeftOut | None:
    """Say why a contract is not indexed as it was announced."""
    month = row.from_month
    if month is None or month not in contract.months:
        return LeftOut.ENDED
    year = contract.year_of(month)
    told = (row.old_annual_fee_cents, row.old_overage_rate_cents)
    if year.first_month != month or told != own_prices(contract, year):
        return LeftOut.AGREED
    if row.sent_on is None or earliest_month(row.sent_on, run.announcement_months) > month:
        return LeftOut.UNTOLD
    return LeftOut.BILLED if is_closed(month) else obstacle_in(contract, year)


def _terms(row: IndexedContract, contract: Contract) -> Terms:
    """Give the terms in force with the new prices; the rest stays as it was chosen."""
    first = contract.choices_of(contract.year_of(row.from_month))
    kept = first._replace(
        from_month=row.from_month,
        own_annual_fee_cents=row.new_annual_fee_cents,
        own_overage_rate_cents=row.new_overage_rate_cents,
    )
    return Terms(
        subscription=row.subscription,
        reason=TermsReason.INDEXATION,
        tier=contract.tier,
        **kept._asdict(),
    )
