"""What the database holds, as the rows of an agency workbook: for export and for comparison."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import Any

from django.db.models import Model, Sum
from django.utils.translation import ngettext

from advisors.models import (
    MOST_QUARTERS_IN_A_MONTH,
    Advisor,
    Assignment,
    CostRate,
    DraftHours,
    HoursAdjustment,
    MonthHours,
    Qualification,
    QualificationKind,
)
from agency.models import Agency, Contact, CrkboRegistration, Headcount, Organisation
from agency.month import Month
from subscriptions.intake.rows import Row
from subscriptions.intake.sheets import SHEETS
from subscriptions.intake.times import LAST_YEAR
from subscriptions.models import (
    Pause,
    PriceBand,
    PurchaseOrder,
    Subscription,
    Terms,
    TermsReason,
    TopUpCard,
)
from workshops.models import Enrolment, Offering, Session, SessionStatus

Values = dict[str, Any]
LAST = Month.of(LAST_YEAR, 12)


def sheets(now: Month | None = None) -> dict[str, list[Values]]:
    """Give the rows of every sheet by column, as `subscriptions.intake.rows` reads them.

    A registration with CRKBO is the one of this month, else one without an end.
    """
    return {
        "agency": [
            _values("agency", agency, crkbo_registered=agency.is_crkbo_registered(now or LAST))
            for agency in Agency.objects.all()
        ],
        "price_book": [
            _values("price_book", band, valid_from=band.book.valid_from)
            for band in PriceBand.objects.select_related("book").order_by(
                "book__valid_from", "min_headcount", "tier"
            )
        ],
        "organisations": _organisations(),
        "headcounts": _of_organisations("headcounts", Headcount, "month"),
        "subscriptions": _subscriptions(),
        "purchase_orders": _of_organisations("purchase_orders", PurchaseOrder, "from_month"),
        "contacts": _contacts(),
        "top_up_cards": _top_up_cards(),
        "tier_changes": _tier_changes(),
        "advisors": _advisors(),
        "assignments": _assignments(),
        "hours": _hours(),
        "offerings": [_values("offerings", row) for row in Offering.objects.order_by("code")],
        "sessions": _sessions(),
    }


def _values(sheet: str, row: Model, **special: Any) -> Values:
    """Give the columns of a row: special ones as given, the others from the field of the name."""
    return {
        column.name: special[column.name] if column.name in special else getattr(row, column.field)
        for column in SHEETS[sheet]
    }


def _organisations() -> list[Values]:
    rows = Organisation.objects.select_related("parent").order_by("code")
    return [
        _values("organisations", row, parent_code=row.parent.code if row.parent else None)
        for row in rows
    ]


def _of_organisations(sheet: str, model: Any, *order: str) -> list[Values]:
    rows = model.objects.select_related("organisation").order_by("organisation__code", *order)
    return [_values(sheet, row, organisation=row.organisation.code) for row in rows]


def _subscriptions() -> list[Values]:
    """Give each contract with the choices that it was signed with; one without any is no row."""
    starts = {terms.subscription_id: terms for terms in Terms.objects.filter(reason="start")}
    rows = Subscription.objects.select_related("organisation").filter(pk__in=starts)
    return [
        _values(
            "subscriptions",
            row,
            organisation=row.organisation.code,
            **{
                column.name: getattr(starts[row.pk], column.field)
                for column in SHEETS["subscriptions"]
                if column.name == "tier" or not hasattr(row, column.field)
            },
        )
        for row in rows.order_by("organisation__code", "start_month")
    ]


def _contacts() -> list[Values]:
    rows = Contact.objects.select_related("organisation", "user")
    return [
        _values(
            "contacts",
            row,
            organisation=row.organisation.code,
            name=row.user.name,
            email=row.user.email,
            language=row.user.language,
        )
        for row in rows.order_by("organisation__code", "user__email")
    ]


def _top_up_cards() -> list[Values]:
    rows = TopUpCard.objects.select_related("organisation")
    return [
        _values("top_up_cards", row, organisation=row.organisation.code, hours=row.bought_quarters)
        for row in rows.order_by("organisation__code", "bought_month", "expires_month", "pk")
    ]


def _tier_changes() -> list[Values]:
    rows = Terms.objects.filter(reason=TermsReason.TIER_CHANGE).select_related(
        "subscription__organisation"
    )
    return [
        _values(
            "tier_changes",
            row,
            organisation=row.subscription.organisation.code,
            month=row.from_month,
        )
        for row in rows.order_by("subscription__organisation__code", "from_month")
    ]


def _advisors() -> list[Values]:
    """Give each advisor with the newest certificate and the newest rate."""
    certificates = {
        row.advisor_id: row
        for row in Qualification.objects.filter(kind=QualificationKind.LVV).order_by("valid_until")
    }
    rates = {row.advisor_id: row.rate_cents for row in CostRate.objects.order_by("from_month")}
    values = []
    for row in Advisor.objects.select_related("user").order_by("code"):
        certificate = certificates.get(row.pk)
        values.append(
            _values(
                "advisors",
                row,
                name=row.user.name,
                email=row.user.email,
                lvv_number=certificate.number if certificate else "",
                lvv_valid_until=certificate.valid_until if certificate else None,
                cost_rate=rates.get(row.pk),
            )
        )
    return values


def _assignments() -> list[Values]:
    rows = Assignment.objects.select_related("advisor", "organisation")
    return [
        _values("assignments", row, advisor=row.advisor.code, organisation=row.organisation.code)
        for row in rows.order_by("organisation__code", "from_month", "role", "advisor__code")
    ]


def _hours() -> list[Values]:
    """Give the hours of advisor, organisation and month: posted, drafted and corrected."""
    quarters = _hours_by_key()
    return [
        {"advisor": advisor, "organisation": organisation, "month": month, "hours": amount}
        for (organisation, month, advisor), amount in sorted(quarters.items())
        if _fits(amount)
    ]


def _hours_by_key() -> dict[tuple[str, Month, str], int]:
    quarters: dict[tuple[str, Month, str], int] = defaultdict(int)
    for model in (MonthHours, DraftHours, HoursAdjustment):
        rows = model.objects.values_list("organisation__code", "month", "advisor__code")
        for organisation, month, advisor, amount in rows.annotate(amount=Sum("quarters")):
            quarters[organisation, month, advisor] += amount
    return quarters


def _fits(quarters: int) -> bool:
    return 0 <= quarters <= MOST_QUARTERS_IN_A_MONTH


def _sessions() -> list[Values]:
    rows = Session.objects.select_related("offering", "organisation", "trainer")
    return [
        _values(
            "sessions",
            row,
            offering=row.offering.code,
            organisation=row.organisation.code if row.organisation else None,
            trainer=row.trainer.code if row.trainer else None,
        )
        for row in rows.exclude(status=SessionStatus.REQUESTED).order_by("reference")
    ]


def left_out() -> list[str]:
    """Say in sentences what the workbook has no place for, of what its sheets are about."""
    versions = Terms.objects.exclude(reason__in=[TermsReason.START, TermsReason.TIER_CHANGE])
    requests = Session.objects.filter(status=SessionStatus.REQUESTED)
    unagreed = Subscription.objects.exclude(terms__reason=TermsReason.START)
    pauses, seats = Pause.objects.count(), Enrolment.objects.all()
    older = sum(
        rows.count() - rows.values("advisor").distinct().count()
        for rows in (Qualification.objects.filter(kind=QualificationKind.LVV), CostRate.objects)
    )
    ended = CrkboRegistration.objects.filter(until_month__isnull=False)
    odd_hours = sum(1 for amount in _hours_by_key().values() if not _fits(amount))
    sentences = {
        ngettext(
            "%d change of a contract's terms is left out: the workbook has those of its start.",
            "%d changes of contracts' terms are left out: the workbook has those of their start.",
            versions.count(),
        ): versions.count(),
        ngettext(
            "%d requested session is left out: it is not planned yet.",
            "%d requested sessions are left out: they are not planned yet.",
            requests.count(),
        ): requests.count(),
        ngettext(
            "%d contract is left out: it has no terms yet.",
            "%d contracts are left out: they have no terms yet.",
            unagreed.count(),
        ): unagreed.count(),
        ngettext(
            "%d pause of a contract is left out: the workbook has no place for it.",
            "%d pauses of contracts are left out: the workbook has no place for them.",
            pauses,
        ): pauses,
        ngettext(
            "%d seat is left out: the workbook has no place for it.",
            "%d seats are left out: the workbook has no place for them.",
            seats.count(),
        ): seats.count(),
        ngettext(
            "%d earlier certificate or cost rate is left out: the workbook has the newest ones.",
            "%d earlier certificates and cost rates are left out: the workbook has the newest.",
            older,
        ): older,
        ngettext(
            "%d CRKBO registration with an end is left out: the workbook says what holds now.",
            "%d CRKBO registrations with an end are left out: the workbook says what holds now.",
            ended.count(),
        ): ended.count(),
        ngettext(
            "%d month of hours is left out: with its corrections it is below zero.",
            "%d months of hours are left out: with their corrections they are below zero.",
            odd_hours,
        ): odd_hours,
    }
    return [sentence % count for sentence, count in sentences.items() if count]


def same(sheet: str, rows: Iterable[Row], others: Iterable[Values]) -> bool:
    """Tell whether a workbook and the database hold the same rows of a sheet, in any order."""
    names = [column.name for column in SHEETS[sheet]]
    read = Counter(tuple(row[name] for name in names) for row in rows)
    return read == Counter(tuple(row[name] for name in names) for row in others)
