"""The only writer of hours: drafts by compare-and-set, posting by the close of a month.

No function here logs, audits or mails: a trace of each entry would tell when somebody called.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import IntegrityError, models, transaction
from django.utils.translation import gettext_lazy as _

from advisors.models import (
    MOST_QUARTERS_IN_A_MONTH,
    AdjustmentReason,
    Advisor,
    Assignment,
    ClosedMonth,
    DraftHours,
    HoursAdjustment,
    MonthHours,
    MonthSubmission,
)
from agency.models import Organisation
from agency.month import Month, MonthRange


class HoursError(ValidationError):
    """Hours that cannot be recorded; its message is the sentence to show."""


class ConflictError(HoursError):
    """The draft is not what the caller believed; ``quarters`` is what it is now."""

    def __init__(self, quarters: int) -> None:
        super().__init__(_("The hours were changed elsewhere. Nothing was lost; look again."))
        self.quarters = quarters


def is_closed(month: Month) -> bool:
    """Tell whether hours of a month are locked: it, or a month after it, was closed."""
    return ClosedMonth.objects.filter(month__gte=month).exists()


def first_open_month() -> Month | None:
    """Give the month after the last closed one; None when no month was ever closed."""
    last = ClosedMonth.objects.aggregate(last=models.Max("month"))["last"]
    return None if last is None else last + 1


@transaction.atomic
def record(
    advisor: Advisor,
    organisation: Organisation,
    month: Month,
    *,
    from_quarters: int,
    to_quarters: int,
) -> int:
    """Change the draft of an open month from one number of quarters to another, and give it.

    Repeating a call that went through is harmless: a draft that already holds ``to_quarters``
    stays as it is. Raises ConflictError when the draft is neither, HoursError when the month is
    closed or submitted, the advisor is not assigned, the hours do not fit into a month, or the
    contract is paused in it.
    """
    _take_turns(advisor)
    _refuse_locked(advisor, month)
    _refuse_unassigned(advisor, organisation, month)
    if not 0 <= to_quarters <= MOST_QUARTERS_IN_A_MONTH:
        raise HoursError(_("A month has no more than 744 hours, and hours cannot be negative."))
    row, _created = DraftHours.objects.get_or_create(
        advisor=advisor, organisation=organisation, month=month, defaults={"quarters": 0}
    )
    with _paused_is_refused():
        changed = DraftHours.objects.filter(pk=row.pk, quarters=from_quarters).update(
            quarters=to_quarters
        )
    if not changed:
        now = DraftHours.objects.get(pk=row.pk).quarters
        if now != to_quarters:
            raise ConflictError(now)
    return to_quarters


@contextmanager
def _paused_is_refused() -> Iterator[None]:
    """Raise HoursError for hours of a pause, which only a trigger knows of here."""
    try:
        with transaction.atomic():
            yield
    except IntegrityError as error:
        raise HoursError(_("The contract is paused in this month: no hours are noted.")) from error


def _take_turns(*advisors: Advisor) -> None:
    """Wait for transactions that write hours of these advisors, of all when none is named.

    Without it hours could come into a month between the reading of its drafts and its lock.
    """
    rows = Advisor.objects.order_by("pk").select_for_update(no_key=True)
    if advisors:
        rows = rows.filter(pk__in=[advisor.pk for advisor in advisors])
    list(rows.values_list("pk"))


def _refuse_locked(advisor: Advisor, month: Month) -> None:
    if is_closed(month):
        raise HoursError(_("This month is closed. Late work goes to the month that is open."))
    if MonthSubmission.objects.filter(advisor=advisor, month=month).exists():
        raise HoursError(_("You have submitted this month. Take it back to change hours."))


def _refuse_unassigned(advisor: Advisor, organisation: Organisation, month: Month) -> None:
    assigned = Assignment.objects.in_month(month)
    if not assigned.filter(advisor=advisor, organisation=organisation).exists():
        raise HoursError(_("You are not assigned to this organisation in this month."))


@transaction.atomic
def submit(advisor: Advisor, month: Month) -> None:
    """Say that all hours of a month are in, also when there were none; repeating is harmless."""
    _take_turns(advisor)
    if is_closed(month):
        raise HoursError(_("This month is closed."))
    MonthSubmission.objects.get_or_create(advisor=advisor, month=month)


@transaction.atomic
def take_back(advisor: Advisor, month: Month) -> None:
    """Withdraw a submission while the month is open; repeating is harmless."""
    _take_turns(advisor)
    if is_closed(month):
        raise HoursError(_("This month is closed."))
    MonthSubmission.objects.filter(advisor=advisor, month=month).delete()


@transaction.atomic
def adjust(
    advisor: Advisor,
    organisation: Organisation,
    month: Month,
    *,
    quarters: int,
    reason: AdjustmentReason,
) -> None:
    """Set the late work or correction of one reason, signed, that the open ``month`` counts.

    Zero takes it out again. Raises HoursError for a closed month and for one that is paused.
    """
    _take_turns(advisor)
    if is_closed(month):
        raise HoursError(_("This month is closed. Late work goes to the month that is open."))
    if abs(quarters) > MOST_QUARTERS_IN_A_MONTH:
        raise HoursError(_("A month has no more than 744 hours."))
    same = HoursAdjustment.objects.filter(
        advisor=advisor, organisation=organisation, month=month, reason=reason
    )
    if not quarters:
        same.delete()
    elif not same.update(quarters=quarters):
        with _paused_is_refused():
            HoursAdjustment.objects.create(
                advisor=advisor,
                organisation=organisation,
                month=month,
                reason=reason,
                quarters=quarters,
            )


@transaction.atomic
def post(month: Month, served: Mapping[UUID, Sequence[MonthRange]]) -> int:
    """Close a month: lock it and turn the drafts up to it into posted hours; give their number.

    ``served`` holds the months of which each organisation's hours count. Drafts outside them
    stay drafts for good: the agency bears them (design section 2, decision 2). Hours that are
    being recorded are waited for, and nobody records until the transaction ends.
    """
    _take_turns()
    _reorder_adjustments(month)
    ClosedMonth.objects.create(month=month)
    # By random key: what is written in the order of recording tells who was first.
    drafts = DraftHours.objects.filter(month__lte=month).order_by("pk")
    due = [
        draft
        for draft in drafts
        if any(draft.month in months for months in served.get(draft.organisation_id, ()))
    ]
    MonthHours.objects.bulk_create(
        [
            MonthHours(
                advisor_id=draft.advisor_id,
                organisation_id=draft.organisation_id,
                month=draft.month,
                quarters=draft.quarters,
            )
            for draft in due
        ],
        batch_size=2000,
    )
    for start in range(0, len(due), 2000):
        DraftHours.objects.filter(pk__in=[d.pk for d in due[start : start + 2000]]).delete()
    return len(due)


def _reorder_adjustments(month: Month) -> None:
    """Write anew, by random key, the adjustments that a closing month locks."""
    rows = HoursAdjustment.objects.filter(month__lte=month)
    if open_from := first_open_month():
        rows = rows.filter(month__gte=open_from)
    kept = list(rows.order_by("pk"))
    rows.delete()
    HoursAdjustment.objects.bulk_create(kept, batch_size=2000)


def posted_quarters(
    organisations: Sequence[UUID] | None = None,
) -> dict[UUID, dict[Month, int]]:
    """Add up posted hours and the adjustments of closed months by organisation and month."""
    chosen = models.Q() if organisations is None else models.Q(organisation__in=organisations)
    closed = ClosedMonth.objects.values("month")
    posted = MonthHours.objects.filter(chosen)
    adjusted = HoursAdjustment.objects.filter(chosen, month__in=closed)
    sums: dict[UUID, dict[Month, int]] = defaultdict(lambda: defaultdict(int))
    for rows in (posted, adjusted):
        grouped = rows.values_list("organisation", "month").annotate(sum=models.Sum("quarters"))
        for organisation, month, quarters in grouped:
            sums[organisation][month] += quarters
    return sums


def posted_by_advisor(organisation: UUID, months: MonthRange) -> dict[UUID, int]:
    """Add up what each advisor has posted for an organisation in closed months, adjustments too.

    One total for all of the months. For `subscriptions.books` alone, which asks two people first.
    """
    chosen = {"organisation": organisation, "month__gte": months.from_month}
    sums: dict[UUID, int] = defaultdict(int)
    for model in (MonthHours, HoursAdjustment):
        rows = model.objects.filter(**chosen, month__lt=months.until)
        rows = rows.filter(month__in=ClosedMonth.objects.values("month"))
        for advisor, quarters in rows.values_list("advisor").annotate(models.Sum("quarters")):
            sums[advisor] += quarters
    return sums


def missing(month: Month) -> models.QuerySet[Advisor]:
    """Give the advisors with an assignment in a month who have not submitted it."""
    assigned = Assignment.objects.in_month(month).values("advisor")
    submitted = MonthSubmission.objects.filter(month=month).values("advisor")
    return Advisor.objects.filter(pk__in=assigned).exclude(pk__in=submitted)


def missing_submissions(month: Month) -> int:
    return missing(month).count()


def submitting(month: Month) -> tuple[int, int]:
    """Give how many advisors have an assignment in a month, and how many did not submit it."""
    submitted = MonthSubmission.objects.filter(month=month, advisor=models.OuterRef("advisor"))
    found = Assignment.objects.in_month(month).aggregate(
        every=models.Count("advisor", distinct=True),
        missing=models.Count("advisor", distinct=True, filter=~models.Exists(submitted)),
    )
    return found["every"], found["missing"]
