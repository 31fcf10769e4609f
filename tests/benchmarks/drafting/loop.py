"""The plain loop: a transaction for each organisation, which asks, makes and saves row by row.

As a run must, it looks at everything that fell due so far and asks whether it is billed. Like the
floor it knows what `world` never makes, and leaves it out; but it asks whether there is any of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from agency.models import Agency, Organisation
from agency.month import Month, MonthRange
from subscriptions import charges, vat
from subscriptions.agreements import ContractYear
from subscriptions.buyers import blocked_reason, of_organisation
from subscriptions.descriptions import describe
from subscriptions.documents import vat_rates
from subscriptions.models import (
    OF_A_YEAR,
    BilledOccurrence,
    Invoice,
    InvoiceLine,
    LineKind,
    OverageCredit,
    ParkedOrganisation,
    PriceBand,
    PriceBook,
    Subscription,
    Tier,
    YearPrice,
)
from tests.benchmarks.drafting.world import RUN
from workshops.models import CancellationRung, CancelledBy, OfferingKind, Session, SessionStatus

NEXT = RUN + 1


@dataclass
class Line:
    """What becomes a line and its occurrence."""

    kind: str
    subject: UUID
    months: MonthRange
    net_cents: int
    description: str
    unit_cents: int | None = None
    quantity_hundredths: int = 100
    reference: str = ""
    tier: str = ""
    free: bool = False
    exempt: bool = False
    order: str = ""
    after: str = ""

    @property
    def place(self) -> tuple[int, Month, str, bool]:
        kinds = LineKind.values
        first = self.months.from_month
        return kinds.index(self.after or self.kind), first, self.reference, bool(self.after)


def draft() -> None:
    agency = Agency.objects.prefetch_related("crkbo_registrations").get()
    rates = vat_rates(RUN)
    for organisation in Organisation.objects.order_by("code"):
        with transaction.atomic():
            _draft(agency, organisation, rates)


def _draft(agency: Agency, organisation: Organisation, rates: dict[str, int]) -> None:
    lines = []
    _refuse_what_is_left_out(organisation)
    for subscription in organisation.subscriptions.all():
        if subscription.pauses.exists():
            raise NotImplementedError
        lines += [
            *_fees(organisation, subscription),
            *_overage(organisation, subscription),
            *_sessions(agency, organisation, subscription),
        ]
    for number in sorted({line.order for line in lines}):
        chosen = [line for line in lines if line.order == number]
        _save(agency, organisation, number, sorted(chosen, key=lambda line: line.place), rates)


def _refuse_what_is_left_out(organisation: Organisation) -> None:
    """Ask for what every run has to ask for, though `world` makes none of it."""
    of_others = (organisation.top_up_cards, organisation.enrolments)
    parked = ParkedOrganisation.objects.filter(organisation=organisation)
    credits_due = OverageCredit.objects.filter(statement__organisation=organisation)
    if any(rows.exists() for rows in (*of_others, parked, credits_due)):
        raise NotImplementedError


def _order(organisation: Organisation, month: Month) -> str:
    valid = organisation.purchase_orders.filter(
        Q(until_month__isnull=True) | Q(until_month__gt=month), from_month__lte=month
    ).first()
    return valid.number if valid else ""


def _tier(subscription: Subscription, month: Month) -> str:
    terms = subscription.terms.filter(from_month__lte=month).order_by("-from_month").first()
    assert terms
    return terms.tier


def _year(subscription: Subscription, month: Month) -> ContractYear:
    start = month - month.since(subscription.start_month) % 12
    return ContractYear(start, MonthRange(start, start + 12))


def _price(subscription: Subscription, month: Month, tier: str) -> YearPrice:
    """Give the frozen price, after freezing the year's prices if that is still to be done."""
    first = _year(subscription, month).first_month
    if not subscription.year_prices.filter(year_month=first).exists():
        _freeze(subscription, first)
    return subscription.year_prices.get(year_month=first, tier=tier)


def _freeze(subscription: Subscription, first: Month) -> None:
    book = PriceBook.objects.filter(valid_from__lte=first).order_by("-valid_from")[0]
    headcounts = subscription.organisation.headcounts
    count = headcounts.filter(month__lte=first).order_by("-month")[0].headcount
    signed = subscription.terms.get(reason="start")
    for tier in Tier.values:
        band = PriceBand.objects.get(
            Q(max_headcount__isnull=True) | Q(max_headcount__gte=count),
            book=book,
            tier=tier,
            min_headcount__lte=count,
        )
        prices = {name: getattr(band, name) for name in (*OF_A_YEAR, "setup_fee_cents")}
        if tier == signed.tier and signed.own_annual_fee_cents is not None:
            prices["annual_fee_cents"] = signed.own_annual_fee_cents
        subscription.year_prices.create(year_month=first, tier=tier, **prices)


def _is_billed(kind: str, subject: UUID, month: Month) -> bool:
    return BilledOccurrence.objects.filter(kind=kind, subject_id=subject, from_month=month).exists()


def _fees(organisation: Organisation, subscription: Subscription) -> Iterator[Line]:
    step = subscription.billing_interval
    for first in map(Month, range(subscription.start_month.index, NEXT.index + 1, step)):
        if not _is_billed(LineKind.FEE, subscription.pk, first):
            tier = _tier(subscription, first)
            months = MonthRange(first, first + step)
            year_cents = _price(subscription, first, tier).annual_fee_cents
            yield Line(
                LineKind.FEE,
                subscription.pk,
                months,
                charges.fee_cents(year_cents, _year(subscription, first), months),
                describe(LineKind.FEE, months, organisation.language, tier=tier),
                tier=tier,
                order=_order(organisation, first),
            )


def _overage(organisation: Organisation, subscription: Subscription) -> Iterator[Line]:
    for statement in subscription.statements.filter(until_month__lte=NEXT, overage_quarters__gt=0):
        first = statement.from_month
        if not _is_billed(LineKind.OVERAGE, subscription.pk, first):
            price = _price(subscription, first, _tier(subscription, first))
            quarters = statement.overage_quarters
            yield Line(
                LineKind.OVERAGE,
                subscription.pk,
                statement.months,
                (quarters * price.overage_rate_cents + 2) // 4,
                describe(LineKind.OVERAGE, statement.months, organisation.language),
                unit_cents=price.overage_rate_cents,
                quantity_hundredths=quarters * 25,
                order=_order(organisation, RUN),
            )


def _sessions(
    agency: Agency, organisation: Organisation, subscription: Subscription
) -> Iterator[Line]:
    rungs = list(CancellationRung.objects.values_list("days_before", "percent"))
    held = Q(status=SessionStatus.HELD, starts_at__lt=NEXT.starts_at)
    cancelled = Q(cancelled_by=CancelledBy.CLIENT, cancelled_on__lt=NEXT.first_day)
    rows = organisation.sessions.filter(held | cancelled).select_related("offering")
    left: int | None = None
    for session in rows.order_by("starts_at", "reference"):
        percent = 100
        if session.cancelled_on:
            days = (session.starts_on - session.cancelled_on).days
            percent = charges.cancellation_percent(rungs, days)
        kind = _kind(session)
        if percent == 0 or _is_billed(kind, session.pk, session.month):
            continue
        if left is None:
            left = _included_sessions_left(organisation, subscription)
        free = session.offering.included_eligible and left > 0
        left -= free
        line = _session(agency, organisation, session, kind, percent, free=free)
        line.order = _order(organisation, RUN)
        yield line
        if session.status == SessionStatus.HELD and session.on_site_km:
            yield Line(
                LineKind.TRAVEL,
                session.pk,
                line.months,
                session.on_site_km * agency.km_rate_cents,
                describe(LineKind.TRAVEL, line.months, organisation.language),
                unit_cents=agency.km_rate_cents,
                quantity_hundredths=session.on_site_km * 100,
                reference=session.reference,
                exempt=line.exempt,
                order=line.order,
                after=kind,
            )


def _session(
    agency: Agency,
    organisation: Organisation,
    session: Session,
    kind: str,
    percent: int,
    *,
    free: bool,
) -> Line:
    months = MonthRange(session.month, session.month + 1)
    language = organisation.language
    return Line(
        kind,
        session.pk,
        months,
        0 if free else charges.cancellation_cents(session.offering.price_cents, percent),
        describe(kind, months, language, title=session.offering.title(language)),
        reference=session.reference,
        exempt=session.offering.vocational and agency.is_crkbo_registered(session.month_due),
        free=free,
    )


def _kind(session: Session) -> str:
    if session.status == SessionStatus.CANCELLED:
        return LineKind.CANCELLATION
    if session.offering.kind == OfferingKind.SERVICE:
        return LineKind.SERVICE
    return LineKind.SESSION


def _included_sessions_left(organisation: Organisation, subscription: Subscription) -> int:
    price = _price(subscription, RUN, _tier(subscription, RUN))
    since = _year(subscription, RUN).first_month
    used = organisation.occurrences.filter(free=True, run_month__gte=since).count()
    return price.included_sessions - used


def _save(
    agency: Agency,
    organisation: Organisation,
    number: str,
    lines: list[Line],
    rates: dict[str, int],
) -> None:
    categories = [
        vat.category(
            country=organisation.country,
            vat_id=organisation.vat_id,
            vat_id_checked=organisation.vat_id_checked,
            exempt=line.exempt,
        )
        for line in lines
    ]
    parts = zip(lines, categories, strict=True)
    shares = vat.allocate([(line.net_cents, kind, rates[kind]) for line, kind in parts])
    nothing = all(line.net_cents == 0 for line in lines)
    contract = organisation.subscriptions.get()
    buyer = of_organisation(organisation)
    required = contract.po_required
    reason = blocked_reason(buyer, number, po_required=required, po_spent=False)
    invoice = None
    if not nothing:
        net, tax = sum(line.net_cents for line in lines), sum(shares)
        invoice = _invoice(agency, organisation, contract, number, (net, tax), reason or "")
    for position, (line, kind, share) in enumerate(
        zip(lines, categories, shares, strict=True), start=1
    ):
        occurrence = BilledOccurrence.objects.create(
            organisation=organisation,
            kind=line.kind,
            subject_id=line.subject,
            from_month=line.months.from_month,
            run_month=RUN,
            state="settled" if nothing else "held" if reason else "billed",
            tier=line.tier,
            free=line.free,
        )
        if invoice:
            InvoiceLine.objects.create(
                invoice=invoice,
                position=position,
                kind=line.kind,
                description=line.description,
                quantity_hundredths=line.quantity_hundredths,
                unit_cents=line.net_cents if line.unit_cents is None else line.unit_cents,
                net_cents=line.net_cents,
                vat_category=kind,
                vat_rate_basis_points=rates[kind],
                vat_cents=share,
                from_month=line.months.from_month,
                until_month=line.months.until,
                reference=line.reference,
                occurrence=occurrence,
            )


def _invoice(
    agency: Agency,
    organisation: Organisation,
    contract: Subscription,
    number: str,
    cents: tuple[int, int],
    reason: str,
) -> Invoice:
    net, tax = cents
    return Invoice.objects.create(
        state="blocked" if reason else "draft",
        blocked_reason=reason,
        run_month=RUN,
        organisation=organisation,
        payer=organisation,
        po_number=number,
        net_cents=net,
        vat_cents=tax,
        total_cents=net + tax,
        due_days=contract.payment_days,
        collection=contract.collection,
        language=organisation.language,
        buyer_name=organisation.legal_name,
        buyer_street=organisation.street,
        buyer_postcode=organisation.postcode,
        buyer_city=organisation.city,
        buyer_country=organisation.country,
        buyer_kvk_number=organisation.kvk_number or organisation.oin,
        buyer_vat_id=organisation.vat_id,
        buyer_email=organisation.invoice_email,
        seller_name=agency.legal_name,
        seller_street=agency.street,
        seller_postcode=agency.postcode,
        seller_city=agency.city,
        seller_country=agency.country,
        seller_kvk_number=agency.kvk_number,
        seller_vat_id=agency.vat_id,
        seller_iban=agency.iban,
    )
