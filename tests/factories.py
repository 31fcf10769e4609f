"""One plain function per model: fixed values, each of which a test may override by keyword.

Months are given as `Month` or as text ``YYYY-MM``. Nothing is random and nothing is made behind
one's back but what the row cannot exist without. A second row of a kind needs its own code,
reference or month, as the constraints say.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any, TypeVar
from uuid import UUID

from django.db import models

from advisors.models import (
    Absence,
    Advisor,
    Assignment,
    ClosedMonth,
    CostRate,
    CpdEntry,
    DraftHours,
    HoursAdjustment,
    MonthHours,
    MonthSubmission,
    Qualification,
)
from agency.fields import MonthField
from agency.models import (
    Agency,
    AuditEvent,
    Contact,
    CrkboRegistration,
    Headcount,
    Invitation,
    LegalName,
    Organisation,
    SavedFilter,
    User,
    VatConsultation,
)
from agency.month import AMSTERDAM, Month
from subscriptions import payment_plans, payments
from subscriptions.models import (
    AcceptedRun,
    BilledOccurrence,
    BookkeepingCode,
    BooksOpening,
    CardUse,
    CollectionPolicy,
    Contest,
    CpiValue,
    DebitNotice,
    EInvoiceMail,
    EmployeePage,
    HeadcountDeclaration,
    IndexationRun,
    IndexedContract,
    InterestRate,
    Invoice,
    InvoiceLine,
    Job,
    Mandate,
    ParkedOrganisation,
    Pause,
    Payer,
    PaymentPlan,
    PlanPart,
    PriceBand,
    PriceBook,
    Publication,
    PurchaseOrder,
    Quote,
    Receipt,
    ReleasePolicy,
    Reminder,
    Statement,
    StripeCustomer,
    StripeDifference,
    StripeEvent,
    StripeStep,
    Subscription,
    Takeover,
    TaxTreatment,
    Terms,
    TierChangeRequest,
    TopUpCard,
    WriteOff,
    YearPrice,
)
from workshops.models import CancellationRung, Enrolment, Offering, Session

Row = TypeVar("Row", bound=models.Model)
MonthLike = Month | str

# Real ids, so that their check digits hold.
VAT_ID = "NL116263684B86"
IBAN = "NL91ABNA0417164300"
PRICES = {
    "annual_fee_cents": 360000,
    "setup_fee_cents": 45000,
    "included_quarters": 80,
    "included_sessions": 1,
    "overage_rate_cents": 12500,
}


def at(text: str) -> dt.datetime:
    """Give the moment of a local time such as ``2026-03-02 10:00`` (Amsterdam)."""
    return dt.datetime.fromisoformat(text).replace(tzinfo=AMSTERDAM)


def _month(month: MonthLike) -> Month:
    return Month.parse(month) if isinstance(month, str) else month


def _create(model: type[Row], **fields: Any) -> Row:
    """Create a row; texts in month columns become months, so that the row reads as from the db."""
    for name, value in fields.items():
        if isinstance(value, str) and name in _month_fields(model):
            fields[name] = Month.parse(value)
    return model._default_manager.create(**fields)


def _month_fields(model: type[models.Model]) -> set[str]:
    return {field.name for field in model._meta.get_fields() if isinstance(field, MonthField)}


# Agency


def agency(**fields: Any) -> Agency:
    """Make the agency, registered with CRKBO since 2000."""
    defaults: dict[str, Any] = {
        "name": "Sample Agency",
        "legal_name": "Sample Agency B.V.",
        "street": "Maliebaan 12",
        "postcode": "3581 CN",
        "city": "Utrecht",
        "country": "NL",
        "kvk_number": "81234567",
        "vat_id": VAT_ID,
        "iban": IBAN,
        "km_rate_cents": 40,
    }
    made = _create(Agency, **defaults | fields)
    crkbo_registration(made, "2000-01")
    return made


def crkbo_registration(agency: Agency, from_month: MonthLike, **fields: Any) -> CrkboRegistration:
    return _create(CrkboRegistration, agency=agency, from_month=from_month, **fields)


def user(role: str = "planner", *, password: str | None = None, **fields: Any) -> User:
    """Make a user, by default ``ROLE@people.example``, who cannot sign in without a password."""
    email = fields.pop("email", f"{role}@people.example")
    defaults = {"name": f"The {role}", "role": role, "language": "en"}
    return User.objects.create_user(email, password, **defaults | fields)


_new_user = user  # where an argument is called user


def organisation(code: str = "ORG1", **fields: Any) -> Organisation:
    """Make a Dutch client with a complete address; it has no headcount yet."""
    defaults: dict[str, Any] = {
        "legal_name": f"{code} B.V.",
        "street": "Dorpsstraat 1",
        "postcode": "3511 AA",
        "city": "Utrecht",
        "country": "NL",
        "kvk_number": "12345678",
        "language": "en",
        "invoice_email": f"invoices@{code.lower()}.example",
    }
    return _create(Organisation, code=code, **defaults | fields)


def vat_consultation(
    organisation: Organisation, answer: str = "valid", on: str = "2026-03-01", **fields: Any
) -> VatConsultation:
    defaults = {"number": 1, "vat_id": organisation.vat_id, "reference": "WAPIAAAAexample1"}
    day = dt.date.fromisoformat(on)
    return _create(
        VatConsultation, organisation=organisation, answer=answer, on=day, **defaults | fields
    )


def headcount(
    organisation: Organisation, headcount: int = 100, month: MonthLike = "2025-01"
) -> Headcount:
    return _create(Headcount, organisation=organisation, headcount=headcount, month=month)


def contact(
    organisation: Organisation, user: User | None = None, role: str = "owner", **fields: Any
) -> Contact:
    """Make a contact, by default of a new user ``hr@CODE.example``."""
    if user is None:
        email = f"hr@{organisation.code.lower()}.example"
        user = _new_user("contact", email=email, name=f"HR of {organisation.code}")
    return _create(Contact, organisation=organisation, user=user, role=role, **fields)


def invitation(organisation: Organisation, email: str, **fields: Any) -> Invitation:
    """Invite somebody as a reader; the mail is still to be sent."""
    defaults = {"name": "Nora New", "role": "reader", "invited_on": dt.date(2026, 4, 8)}
    return _create(Invitation, organisation=organisation, email=email, **defaults | fields)


def audit_event(subject: models.Model, actor: User | None = None, **fields: Any) -> AuditEvent:
    defaults = {
        "on": dt.date(2026, 1, 31),
        "action": "changed",
        "subject_model": subject._meta.label_lower,
        "subject_id": subject.pk,
    }
    return _create(AuditEvent, actor=actor, **defaults | fields)


# Advisors


def saved_filter(owner: User, **fields: Any) -> SavedFilter:
    defaults = {"listed": "agency.user", "name": "Planners", "query": "role__exact=planner"}
    return _create(SavedFilter, owner=owner, **defaults | fields)


def advisor(code: str = "ADV1", *, user: User | None = None, **fields: Any) -> Advisor:
    """Make an advisor, by default of a new user ``CODE@advisors.example``."""
    if user is None:
        email = f"{code.lower()}@advisors.example"
        user = _new_user("advisor", email=email, name=f"Advisor {code}")
    defaults = {"phone": "+31205550000", "languages": "nl,en", "provinces": "Utrecht"}
    return _create(Advisor, code=code, user=user, **defaults | fields)


def cost_rate(
    advisor: Advisor, rate_cents: int = 8000, from_month: MonthLike = "2020-01"
) -> CostRate:
    return _create(CostRate, advisor=advisor, rate_cents=rate_cents, from_month=from_month)


def absence(advisor: Advisor, **fields: Any) -> Absence:
    defaults = {"from_on": dt.date(2026, 1, 5), "until_on": dt.date(2026, 1, 19)}
    return _create(Absence, advisor=advisor, **defaults | fields)


def qualification(advisor: Advisor, **fields: Any) -> Qualification:
    defaults = {"kind": "lvv", "number": "LVV-20000", "valid_until": dt.date(2028, 1, 15)}
    return _create(Qualification, advisor=advisor, **defaults | fields)


def cpd_entry(qualification: Qualification, **fields: Any) -> CpdEntry:
    defaults = {"kind": "training", "on": dt.date(2026, 1, 15), "quarters": 24}
    return _create(CpdEntry, qualification=qualification, **defaults | fields)


def assignment(
    advisor: Advisor,
    organisation: Organisation,
    role: str = "counsellor",
    from_month: MonthLike = "2025-01",
    **fields: Any,
) -> Assignment:
    return _create(
        Assignment,
        advisor=advisor,
        organisation=organisation,
        role=role,
        from_month=from_month,
        **fields,
    )


def draft_hours(
    advisor: Advisor, organisation: Organisation, month: MonthLike, quarters: int
) -> DraftHours:
    return _create(
        DraftHours, advisor=advisor, organisation=organisation, month=month, quarters=quarters
    )


def month_hours(
    advisor: Advisor, organisation: Organisation, month: MonthLike, quarters: int
) -> MonthHours:
    """Make posted hours, without closing the month."""
    return _create(
        MonthHours, advisor=advisor, organisation=organisation, month=month, quarters=quarters
    )


def hours_adjustment(
    advisor: Advisor,
    organisation: Organisation,
    month: MonthLike,
    quarters: int,
    reason: str = "late_work",
) -> HoursAdjustment:
    return _create(
        HoursAdjustment,
        advisor=advisor,
        organisation=organisation,
        month=month,
        quarters=quarters,
        reason=reason,
    )


def month_submission(advisor: Advisor, month: MonthLike) -> MonthSubmission:
    return _create(MonthSubmission, advisor=advisor, month=month)


def closed_month(month: MonthLike) -> ClosedMonth:
    return _create(ClosedMonth, month=month)


# Workshops


def offering(code: str = "WS-1", **fields: Any) -> Offering:
    defaults: dict[str, Any] = {
        "kind": "workshop",
        "title_nl": f"Workshop {code}",
        "title_en": f"Workshop {code} (English)",
        "minutes": 180,
        "capacity": 16,
        "price_cents": 87500,
        "vocational": False,
        "included_eligible": False,
    }
    return _create(Offering, code=code, **defaults | fields)


_new_offering = offering  # where an argument is called offering


def session(
    organisation: Organisation | None = None,
    reference: str = "S00001",
    *,
    offering: Offering | None = None,
    **fields: Any,
) -> Session:
    """Make a session on 2 March 2026, by default of the one offering there is or of a new one."""
    if offering is None:
        offering = Offering.objects.first() or _new_offering()
    defaults: dict[str, Any] = {
        "starts_at": at("2026-03-02 10:00"),
        "location": "online",
        "status": "scheduled",
    }
    if fields.get("status") == "cancelled":
        defaults |= {"cancelled_on": dt.date(2026, 2, 10), "cancelled_by": "client"}
    return _create(
        Session,
        organisation=organisation,
        reference=reference,
        offering=offering,
        **defaults | fields,
    )


def cancellation_rung(days_before: int, percent: int) -> CancellationRung:
    rung, _ = CancellationRung.objects.update_or_create(
        days_before=days_before, defaults={"percent": percent}
    )
    return rung


def enrolment(session: Session, **fields: Any) -> Enrolment:
    defaults: dict[str, Any] = {
        "name": "Robin Bakker",
        "email": "robin@buyer.example",
        "price_cents": 49500,
        "buyer_name": "Bakker Advies",
        "buyer_street": "Kerkstraat 2",
        "buyer_postcode": "1012 AB",
        "buyer_city": "Amsterdam",
        "buyer_country": "NL",
        "buyer_email": "office@buyer.example",
    }
    return _create(Enrolment, session=session, **defaults | fields)


# Prices

# Tier, first and last headcount, annual fee, setup fee, hours, sessions, rate: euros and hours.
BANDS: tuple[tuple[str, int, int | None, int, int, int, int, int], ...] = (
    ("basic", 1, 10, 525, 250, 2, 0, 135),
    ("extended", 1, 10, 1150, 450, 4, 1, 125),
    ("basic", 11, 25, 695, 250, 0, 0, 135),
    ("extended", 11, 25, 1650, 450, 8, 1, 125),
    ("basic", 26, 50, 950, 250, 0, 0, 135),
    ("extended", 26, 50, 2400, 450, 12, 1, 125),
    ("basic", 51, 100, 1350, 250, 2, 0, 135),
    ("extended", 51, 100, 3600, 450, 20, 1, 125),
    ("basic", 101, 250, 1800, 250, 4, 0, 135),
    ("extended", 101, 250, 6000, 450, 40, 2, 125),
    ("basic", 251, None, 2600, 250, 8, 0, 135),
    ("extended", 251, None, 9600, 450, 60, 4, 125),
)


def price_book(valid_from: MonthLike = "2020-01", *, bands: bool = True) -> PriceBook:
    """Make a price book, with the bands of BANDS unless a test makes its own."""
    book = _create(PriceBook, valid_from=valid_from)
    for tier, at_least, at_most, fee, setup, hours, sessions, rate in BANDS if bands else ():
        price_band(
            book,
            tier,
            at_least,
            at_most,
            annual_fee_cents=fee * 100,
            setup_fee_cents=setup * 100,
            included_quarters=hours * 4,
            included_sessions=sessions,
            overage_rate_cents=rate * 100,
        )
    return book


def price_band(
    book: PriceBook,
    tier: str = "extended",
    min_headcount: int = 1,
    max_headcount: int | None = None,
    **fields: Any,
) -> PriceBand:
    return _create(
        PriceBand,
        book=book,
        tier=tier,
        min_headcount=min_headcount,
        max_headcount=max_headcount,
        **PRICES | fields,
    )


def year_price(
    subscription: Subscription,
    year_month: MonthLike = "2026-01",
    tier: str = "extended",
    **fields: Any,
) -> YearPrice:
    return _create(
        YearPrice, subscription=subscription, year_month=year_month, tier=tier, **PRICES | fields
    )


def tax_treatment(
    category: str = "S", valid_from: MonthLike = "2019-01", rate_basis_points: int = 2100
) -> TaxTreatment:
    return _create(
        TaxTreatment,
        category=category,
        valid_from=valid_from,
        rate_basis_points=rate_basis_points,
    )


def cpi_value(
    month: MonthLike = "2025-10", value_thousandths: int = 131200, **fields: Any
) -> CpiValue:
    defaults = {"series": "CPI", "reference_year": 2015, "source": "an example"}
    return _create(CpiValue, month=month, value_thousandths=value_thousandths, **defaults | fields)


def indexation_run(from_value: CpiValue, to_value: CpiValue, **fields: Any) -> IndexationRun:
    defaults: dict[str, Any] = {"effective_month": "2026-01"}
    return _create(IndexationRun, from_value=from_value, to_value=to_value, **defaults | fields)


def indexed_contract(
    run: IndexationRun, subscription: Subscription, from_month: MonthLike = "2027-01", **fields: Any
) -> IndexedContract:
    """Add a contract to a draft of a run; once it is announced it takes no more."""
    fees = {"old_annual_fee_cents": 125000, "new_annual_fee_cents": 128326}
    return _create(
        IndexedContract, run=run, subscription=subscription, from_month=from_month, **fees | fields
    )


# Contracts

CHOICES = frozenset(
    {
        "overage",
        "release",
        "own_annual_fee_cents",
        "own_included_quarters",
        "own_included_sessions",
        "own_overage_rate_cents",
    }
)


def subscription(
    organisation: Organisation,
    start: MonthLike = "2026-01",
    tier: str = "extended",
    **fields: Any,
) -> Subscription:
    """Make a contract with the version of its terms of the start.

    ``overage``, ``release`` and own prices go to the terms. As in the workbook, the first run is
    the month before the start, and a former system reported until the start, unless given.
    """
    choices = {name: fields.pop(name) for name in CHOICES & fields.keys()}
    defaults = {"first_run": _month(start) - 1, "reported_until": start}
    made = _create(Subscription, organisation=organisation, start_month=start, **defaults | fields)
    terms(made, start, tier=tier, reason="start", **choices)
    return made


def quote(organisation: Organisation, start: MonthLike = "2026-06", **fields: Any) -> Quote:
    """Make a draft; with ``offered_on`` it is offered at what the bands say for 100 people."""
    promised = {"headcount": 100, **PRICES} if "offered_on" in fields else {}
    defaults: dict[str, Any] = {"tier": "extended", "valid_until": dt.date(2026, 5, 31)} | promised
    return _create(Quote, organisation=organisation, start_month=start, **defaults | fields)


def terms(
    subscription: Subscription, from_month: MonthLike, tier: str = "extended", **fields: Any
) -> Terms:
    """Add a version of the terms, by default a tier change."""
    defaults = {"reason": "tier_change"}
    return _create(
        Terms, subscription=subscription, from_month=from_month, tier=tier, **defaults | fields
    )


def pause(subscription: Subscription, from_month: MonthLike, until_month: MonthLike) -> Pause:
    return _create(Pause, subscription=subscription, from_month=from_month, until_month=until_month)


def tier_change_request(
    subscription: Subscription, from_month: MonthLike, requested_by: User, **fields: Any
) -> TierChangeRequest:
    defaults = {"tier": "extended", "requested_on": dt.date(2026, 1, 15)}
    return _create(
        TierChangeRequest,
        subscription=subscription,
        from_month=from_month,
        requested_by=requested_by,
        **defaults | fields,
    )


def headcount_declaration(
    organisation: Organisation, declared_by: User, month: MonthLike = "2026-05", **fields: Any
) -> HeadcountDeclaration:
    defaults = {"headcount": 110, "declared_on": dt.date(2026, 1, 15)}
    return _create(
        HeadcountDeclaration,
        organisation=organisation,
        month=month,
        declared_by=declared_by,
        **defaults | fields,
    )


def legal_name(
    organisation: Organisation, from_on: dt.date = dt.date(2000, 1, 1), **fields: Any
) -> LegalName:
    """Add what an organisation is called from a day on: the same as now unless given."""
    called = {name: getattr(organisation, name) for name in ("legal_name", "kvk_number", "vat_id")}
    defaults = called | {"entered_on": from_on}
    return _create(LegalName, organisation=organisation, from_on=from_on, **defaults | fields)


def payer(
    organisation: Organisation,
    payer: Organisation,
    from_month: MonthLike = "2025-01",
    until_month: MonthLike | None = None,
) -> Payer:
    return _create(
        Payer,
        organisation=organisation,
        payer=payer,
        from_month=from_month,
        until_month=until_month,
    )


def takeover(
    organisation: Organisation, successor: Organisation, from_month: MonthLike = "2030-01"
) -> Takeover:
    return _create(Takeover, organisation=organisation, successor=successor, from_month=from_month)


def purchase_order(
    organisation: Organisation,
    number: str = "PO-1",
    from_month: MonthLike = "2025-01",
    until_month: MonthLike | None = None,
    *,
    budget_cents: int | None = None,
) -> PurchaseOrder:
    return _create(
        PurchaseOrder,
        organisation=organisation,
        number=number,
        from_month=from_month,
        until_month=until_month,
        budget_cents=budget_cents,
    )


def top_up_card(
    organisation: Organisation,
    bought_month: MonthLike = "2026-01",
    quarters: int = 40,
    **fields: Any,
) -> TopUpCard:
    """Make an unused card that is valid for 12 months."""
    defaults = {
        "bought_quarters": quarters,
        "remaining_quarters": quarters,
        "price_cents": 110000,
        "expires_month": _month(bought_month) + 12,
    }
    return _create(
        TopUpCard, organisation=organisation, bought_month=bought_month, **defaults | fields
    )


# Statements


def release_policy(version: int = 1, **fields: Any) -> ReleasePolicy:
    policy, _ = ReleasePolicy.objects.get_or_create(version=version, defaults=fields)
    return policy


def publication(month: MonthLike, **fields: Any) -> Publication:
    """Give the batch of a month, made on the first of the next one unless it is there."""
    closed = _month(month)
    defaults = {"published_on": (closed + 1).first_day} | fields
    batch, _ = Publication.objects.get_or_create(month=closed, defaults=defaults)
    return batch


def statement(
    subscription: Subscription,
    from_month: MonthLike = "2026-01",
    until_month: MonthLike = "2026-04",
    **fields: Any,
) -> Statement:
    """Make an exact statement of 2.5 of 20 hours, published in the batch of its last month."""
    display = fields.get("display", "exact")
    defaults: dict[str, Any] = {
        "organisation": subscription.organisation,
        "publication": publication(_month(until_month) - 1),
        "policy": release_policy(),
        "display": display,
        "used_quarters": 10 if display == "exact" else None,
        "allowance_quarters": 80,
        "overage_quarters": 0,
    }
    return _create(
        Statement,
        subscription=subscription,
        from_month=from_month,
        until_month=until_month,
        **defaults | fields,
    )


def card_use(statement: Statement, card: TopUpCard, quarters: int = 8) -> CardUse:
    return _create(CardUse, statement=statement, card=card, quarters=quarters)


def books_opening(statement: Statement, asked_by: User, **fields: Any) -> BooksOpening:
    """Make an asking to open the books, to which nobody has agreed."""
    defaults = {"reason": "client", "asked_on": dt.date(2026, 4, 20)}
    return _create(BooksOpening, statement=statement, asked_by=asked_by, **defaults | fields)


# Invoices


def bookkeeping_code(what: str, code: str, vat_category: str = "") -> BookkeepingCode:
    return _create(BookkeepingCode, what=what, code=code, vat_category=vat_category)


def parked_organisation(
    organisation: Organisation, reason: str = "dispute", until_month: MonthLike | None = None
) -> ParkedOrganisation:
    return _create(
        ParkedOrganisation, organisation=organisation, reason=reason, until_month=until_month
    )


def employee_page(organisation: Organisation, token: str = "") -> EmployeePage:
    given = {"token": token} if token else {}
    return _create(EmployeePage, organisation=organisation, **given)


def job(started_by: User, kind: str = "push", month: MonthLike = "2026-03", **fields: Any) -> Job:
    """Make a job that is under way; its subjects are random keys, or nothing that is there."""
    defaults = {"started_on": dt.date(2026, 4, 8), "subjects": ["one", "two"], "total": 2}
    return _create(Job, started_by=started_by, kind=kind, month=_month(month), **defaults | fields)


def accepted_run(
    accepted_by: User, run_month: MonthLike = "2025-12", day: dt.date = dt.date(2026, 1, 8)
) -> AcceptedRun:
    return _create(AcceptedRun, run_month=run_month, accepted_by=accepted_by, accepted_on=day)


def einvoice_mail(invoice: Invoice, sent_on: dt.date | None = None) -> EInvoiceMail:
    return _create(EInvoiceMail, invoice=invoice, sent_on=sent_on or invoice.invoice_on)


def receipt(invoice: Invoice, amount_cents: int = 10_00, **fields: Any) -> Receipt:
    """Have our bank receive an amount on the day on which the invoice is due."""
    row = {"received_on": invoice.due_on, "mark": f"{invoice.receipts.count()}"}
    return _create(Receipt, invoice=invoice, amount_cents=amount_cents, **row | fields)


def interest_rate(valid_from: str = "2026-01-01", basis_points: int = 1015) -> InterestRate:
    return _create(
        InterestRate, valid_from=valid_from, rate_basis_points=basis_points, source="an example"
    )


def payment_plan(invoice: Invoice, agreed_by: User, **fields: Any) -> PaymentPlan:
    """Have all that is left of a sent invoice paid in two parts, on and after the day it is due."""
    on = invoice.due_on or dt.date(2026, 5, 12)
    left = payments.left_cents(invoice)
    days = {"due_on": on}, {"due_on": on + dt.timedelta(days=30)}
    plan = _create(PaymentPlan, invoice=invoice, total_cents=left, agreed_by=agreed_by)
    for day, cents in zip(days, payment_plans.equal_parts(left, 2), strict=True):
        _create(PlanPart, plan=plan, amount_cents=cents, **day)
    PaymentPlan.objects.filter(pk=plan.pk).update(**{"agreed_on": on} | fields)
    plan.refresh_from_db()
    return plan


def write_off(invoice: Invoice, approved_by: User, **fields: Any) -> WriteOff:
    """Write off all of a sent invoice on the day on which it is due."""
    left = {"net_cents": invoice.net_cents, "vat_cents": invoice.vat_cents}
    on = {"written_off_on": invoice.due_on, "vat_on": invoice.due_on}
    row = {"invoice": invoice, "reason": "bankrupt", "approved_by": approved_by}
    return _create(WriteOff, **row | left | on | fields)


def invoice(
    organisation: Organisation | None = None,
    run: MonthLike = "2026-03",
    *,
    lines: Iterable[Mapping[str, Any]] = ({},),
    **fields: Any,
) -> Invoice:
    """Make a document with its lines and add them up; each mapping overrides a line of a fee.

    It is drafted first and moved to the wanted state last, as the guards of the tables want it.
    Open and paid invoices have a number and dates unless given.
    """
    moved = {name: fields.pop(name) for name in ("state", "blocked_reason") if name in fields}
    defaults = _parties(organisation) | {"run_month": run, "due_days": 30, "language": "en"}
    if moved.get("state") in {"open", "paid"}:
        defaults |= _sent(_month(run), paid=moved["state"] == "paid")
    entries = [{**_line(run), **line} for line in lines]
    totals = {
        "net_cents": sum(line["net_cents"] for line in entries),
        "vat_cents": sum(line["vat_cents"] for line in entries),
    }
    totals["total_cents"] = totals["net_cents"] + totals["vat_cents"]
    made = _create(Invoice, organisation=organisation, **defaults | totals | fields)
    for position, line in enumerate(entries, start=1):
        invoice_line(made, position, **line)
    if moved:
        for name, value in moved.items():
            setattr(made, name, value)
        made.save(update_fields=list(moved))
    return made


def _parties(organisation: Organisation | None) -> dict[str, Any]:
    return {
        "payer": organisation,
        "collection": "invoice",
        "buyer_name": organisation.legal_name if organisation else "Bakker Advies",
        "buyer_street": organisation.street if organisation else "Kerkstraat 2",
        "buyer_postcode": organisation.postcode if organisation else "1012 AB",
        "buyer_city": organisation.city if organisation else "Amsterdam",
        "buyer_country": organisation.country if organisation else "NL",
        "buyer_email": organisation.invoice_email if organisation else "robin@buyer.example",
        "seller_name": "Sample Agency B.V.",
        "seller_street": "Maliebaan 12",
        "seller_postcode": "3581 CN",
        "seller_city": "Utrecht",
        "seller_country": "NL",
        "seller_kvk_number": "81234567",
        "seller_vat_id": VAT_ID,
        "seller_iban": IBAN,
    }


def _sent(run: Month, *, paid: bool) -> dict[str, Any]:
    day = (run + 1).first_day + dt.timedelta(days=9)
    return {
        "number": "DIS-0001",
        "stripe_id": "in_0001",
        "invoice_on": day,
        "due_on": day + dt.timedelta(days=30),
        "paid_on": day + dt.timedelta(days=20) if paid else None,
    }


def _line(run: MonthLike) -> dict[str, Any]:
    return {
        "kind": "fee",
        "description": "Subscription",
        "unit_cents": 100000,
        "net_cents": 100000,
        "vat_category": "S",
        "vat_rate_basis_points": 2100,
        "vat_cents": 21000,
        "from_month": _month(run) + 1,
        "until_month": _month(run) + 4,
    }


def approved(code: str = "ORG1", **fields: Any) -> Invoice:
    """Make an approved document of an organisation of its own."""
    return invoice(organisation(code), state="approved", **fields)


def contest(invoice: Invoice, noted_by: User, **fields: Any) -> Contest:
    """Note that a client contests an open invoice, two weeks after its date, without an end."""
    noted_on = (invoice.invoice_on or dt.date(2026, 4, 10)) + dt.timedelta(days=14)
    defaults = {"reason": "amount", "said_by": "contact", "noted_on": noted_on}
    return _create(Contest, invoice=invoice, noted_by=noted_by, **defaults | fields)


def collection_policy(reminded_by: str = "agency", **fields: Any) -> CollectionPolicy:
    creditor = {"creditor_id": "NL12ZZZ123456780000"}
    return _create(CollectionPolicy, reminded_by=reminded_by, **creditor | fields)


def mandate(organisation: Organisation, **fields: Any) -> Mandate:
    defaults = {"signed_on": dt.date(2015, 1, 1), "last_digits": "4300"}
    named = {"reference": f"MANDATE{Mandate.objects.count()}"}
    return _create(Mandate, organisation=organisation, **named | defaults | fields)


def debit_notice(invoice: Invoice, mandate: Mandate, **fields: Any) -> DebitNotice:
    """Announce a debit; the one row of rules has to say that we do."""
    amount = {"amount_cents": 121_000}
    return _create(DebitNotice, invoice=invoice, mandate=mandate, **amount | fields)


def reminder(invoice: Invoice, step: str = "first", **fields: Any) -> Reminder:
    """Remind of an open invoice; the one row of rules has to say that we do."""
    return _create(Reminder, invoice=invoice, step=step, **{"asked_cents": 121_000} | fields)


def invoice_line(invoice: Invoice, position: int = 1, **fields: Any) -> InvoiceLine:
    """Add a line of a fee of 1,000.00; the totals of the invoice stay as they are."""
    return _create(
        InvoiceLine, invoice=invoice, position=position, **_line(invoice.run_month) | fields
    )


def billed_occurrence(
    organisation: Organisation | None,
    subject_id: UUID,
    from_month: MonthLike = "2026-04",
    **fields: Any,
) -> BilledOccurrence:
    defaults = {"kind": "fee", "run_month": _month(from_month) - 1, "state": "billed"}
    return _create(
        BilledOccurrence,
        organisation=organisation,
        subject_id=subject_id,
        from_month=from_month,
        **defaults | fields,
    )


# Stripe


def stripe_customer(organisation: Organisation, **fields: Any) -> StripeCustomer:
    defaults = {
        "stripe_id": f"cus_{organisation.code}",
        "livemode": False,
        "details_hash": "0" * 64,
    }
    return _create(StripeCustomer, organisation=organisation, **defaults | fields)


def stripe_step(invoice: Invoice, kind: str = "draft", **fields: Any) -> StripeStep:
    defaults = {"idempotency_key": f"{invoice.pk}-{kind}-1", "body_hash": "0" * 64}
    return _create(StripeStep, invoice=invoice, kind=kind, **defaults | fields)


def stripe_event(event_id: str = "evt_0001", **fields: Any) -> StripeEvent:
    moment = dt.datetime(2026, 4, 12, 8, 0, tzinfo=dt.UTC)
    defaults: dict[str, Any] = {
        "type": "invoice.paid",
        "livemode": False,
        "object_id": "in_0001",
        "created_at": moment,
        "received_at": moment,
    }
    return _create(StripeEvent, event_id=event_id, **defaults | fields)


def stripe_difference(kind: str = "gap", **fields: Any) -> StripeDifference:
    day = dt.date(2026, 4, 1)
    defaults = {"object_id": "DIS-0003", "about_on": day, "found_on": day}
    return _create(StripeDifference, kind=kind, **defaults | fields)
