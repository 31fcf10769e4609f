"""Why a line costs what it does: sentences that the client may read too, and the sum behind it.

From the contract, its frozen prices, published statements, sessions, cards and seats; never from
hours. No database: `subscriptions.explanation` reads what is needed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from uuid import UUID

from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from agency.money import HUNDREDTHS_PER_QUARTER, plain_decimal, round_half_away
from agency.month import MonthRange
from agency.templatetags.figures import (
    decimal_hours,
    euro,
    hours,
    long_day,
    long_month,
    long_period,
)
from subscriptions import charges
from subscriptions.agreements import BASIC, EXTENDED, Contract, ContractYear, NoPriceError
from subscriptions.models import (
    Display,
    InvoiceLine,
    LineKind,
    OverageCredit,
    Statement,
    Tier,
    TopUpCard,
)
from workshops.models import Enrolment, Session

MONTHS = 12
WHOLE_PERCENT = 100
ADD_UP = frozenset({Display.EXACT, Display.WITHHELD})


@dataclass(frozen=True, slots=True)
class Term:
    """A part of a sum: ``cents`` times a quantity, over a whole number, rounded once."""

    cents: int
    hundredths: int = charges.HUNDREDTHS
    over: int = 1

    @property
    def value(self) -> int:
        return round_half_away(
            Fraction(self.cents * self.hundredths, charges.HUNDREDTHS * self.over)
        )

    def __str__(self) -> str:
        text = euro(self.cents)
        if self.hundredths != charges.HUNDREDTHS:
            quantity = plain_decimal(self.hundredths)
            text += f" × {number_format(quantity, decimal_pos=len(quantity.partition('.')[2]))}"
        return text if self.over == 1 else f"{text} / {self.over}"


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a line costs what it does; the first sentence holds whatever was changed since."""

    sentences: list[str]
    terms: list[Term]
    minus: Term | None = None

    @property
    def value(self) -> int:
        return sum(term.value for term in self.terms) - (self.minus.value if self.minus else 0)

    def __str__(self) -> str:
        text = " + ".join(map(str, self.terms))
        return f"{text} − {self.minus}" if self.minus else text


@dataclass(frozen=True, slots=True)
class Sources:
    """What the lines of a document are explained from, by key."""

    contracts: dict[UUID, Contract]
    statements: dict[UUID, list[Statement]]
    from_cards: dict[UUID, int]
    credits: dict[UUID, OverageCredit]
    sessions: dict[UUID, Session]
    seats: dict[UUID, Enrolment]
    cards: dict[UUID, TopUpCard]
    rungs: list[tuple[int, int]]

    def contract_in(self, session: Session) -> Contract | None:
        return next((c for c in self.contracts.values() if session.month_due in c.months), None)


def _subject(line: InvoiceLine) -> UUID:
    if line.occurrence is None:
        raise KeyError(line.pk)
    return line.occurrence.subject_id


def by_quantity(line: InvoiceLine, sources: Sources) -> Reason:
    return Reason([line.description], [Term(line.unit_cents, line.quantity_hundredths)])


# What the contract costs


def _fee(line: InvoiceLine, sources: Sources) -> Reason:
    contract = sources.contracts[_subject(line)]
    year = contract.year_of(line.from_month)
    tier = (line.occurrence and line.occurrence.tier) or contract.tier_in(line.from_month)
    annual_cents = contract.prices(year, tier).annual_fee_cents
    months = line.months
    sentences = [
        ngettext(
            "Subscription %(tier)s for %(n)s month, paid in advance.",
            "Subscription %(tier)s for %(n)s months, paid in advance.",
            len(months),
        )
        % {"tier": Tier(tier).label, "n": len(months)},
        _("Annual fee: %(price)s") % {"price": _price(contract, year, tier, "annual_fee_cents")},
    ]
    whole = Reason(sentences, [_part_of_year(annual_cents, len(months))])
    if whole.value == line.net_cents:
        return whole
    sentences.append(
        _("Rounded up to and including each month, so that the parts of a year add up to its fee.")
    )
    until, start = (m.since(year.whole_start) for m in (line.until_month, line.from_month))
    return Reason(
        sentences, [_part_of_year(annual_cents, until)], _part_of_year(annual_cents, start)
    )


def _part_of_year(annual_cents: int, months: int) -> Term:
    if months == MONTHS:
        return Term(annual_cents)
    return Term(annual_cents, months * charges.HUNDREDTHS, MONTHS)


def _setup(line: InvoiceLine, sources: Sources) -> Reason:
    contract = sources.contracts[_subject(line)]
    year, tier = contract.year_of(line.from_month), contract.tier_in(line.from_month)
    price = _price(contract, year, tier, "setup_fee_cents")
    return Reason(
        [_("Once, at the start of the contract."), _("Set-up: %(price)s") % {"price": price}],
        [Term(contract.prices(year, tier).setup_fee_cents)],
    )


def _tier_change(line: InvoiceLine, sources: Sources) -> Reason:
    contract = sources.contracts[_subject(line)]
    year, tier = contract.year_of(line.from_month), contract.tier_in(line.from_month)
    old = BASIC if tier == EXTENDED else EXTENDED
    new_cents, old_cents = (contract.prices(year, t).annual_fee_cents for t in (tier, old))
    months = len(line.months)
    words = {"old": Tier(old).label, "new": Tier(tier).label, "n": months}
    text = ngettext(
        "From %(old)s to %(new)s, for the %(n)s month left of what was paid in advance.",
        "From %(old)s to %(new)s, for the %(n)s months left of what was paid in advance.",
        months,
    )
    fees = _("The annual fee goes from %(old)s to %(new)s.")
    return Reason(
        [text % words, fees % {"old": euro(old_cents), "new": euro(new_cents)}],
        [_part_of_year(new_cents - old_cents, months)],
    )


def _price(contract: Contract, year: ContractYear, tier: str, name: str) -> str:
    """Say a frozen price of a contract year, and where it came from as far as that still shows."""
    cents = getattr(contract.prices(year, tier), name)
    first = year.first_month
    words = {"price": euro(cents), "tier": Tier(tier).label, "year": long_month(first)}
    own = getattr(contract.choices_of(year), f"own_{name}", None)
    if own == cents and tier == contract.tier:
        return _("%(price)s, as agreed with you for the contract year from %(year)s.") % words
    headcount = contract.headcount(first)
    try:
        valid_from, band = contract.books.band(first, tier, headcount)
    except NoPriceError:
        band = None
    if band is None or getattr(band.prices, name, None) != cents:
        return _("%(price)s, as fixed for the contract year from %(year)s.") % words
    most = f"–{band.max_headcount}" if band.max_headcount else "+"
    text = _(
        "%(price)s, by the price list of %(book)s (%(tier)s, %(people)s people; you have "
        "%(headcount)s), fixed for the contract year from %(year)s."
    )
    words |= {"book": long_month(valid_from), "people": f"{band.min_headcount}{most}"}
    return text % {**words, "headcount": headcount}


# Hours above the contract


def _overage(line: InvoiceLine, sources: Sources) -> Reason:
    key, months = _subject(line), line.months
    contract = sources.contracts[key]
    year, tier = contract.year_of(line.from_month), contract.tier_in(line.from_month)
    rate_cents = contract.prices(year, tier).overage_rate_cents
    quarters = line.quantity_hundredths // HUNDREDTHS_PER_QUARTER
    stated = _("Your statement of %(months)s: %(hours)s of overage.")
    price = _price(contract, year, tier, "overage_rate_cents")
    return Reason(
        [
            stated % {"months": long_period(months), "hours": hours(quarters)},
            *_balance(
                sources,
                [s for s in sources.statements[key] if s.from_month in year.months],
                months,
                quarters,
            ),
            _("Rate per hour: %(price)s") % {"price": price},
        ],
        [Term(rate_cents, line.quantity_hundredths)],
    )


def _balance(
    sources: Sources, of_year: Sequence[Statement], months: MonthRange, quarters: int
) -> Iterator[str]:
    """Say how published figures lead to the overage; nothing where one of them is no figure.

    Nor where months count that a former system reported: their hours stand on no statement.
    """
    so_far = [row for row in of_year if row.until_month <= months.until]
    if not so_far or any(row.display not in ADD_UP for row in so_far):
        return
    used = sum(row.used_quarters or 0 for row in so_far)
    from_cards = sum(sources.from_cards[row.pk] for row in so_far)
    before = sum(row.overage_quarters for row in so_far[:-1])
    allowance = so_far[-1].allowance_quarters
    if used - allowance - from_cards - before != quarters:
        return
    yield _(
        "Used in the contract year so far: %(used)s hours; included, with what was carried in: "
        "%(allowance)s; from top-up cards: %(cards)s; stated as overage before: %(before)s. "
        "%(used)s − %(allowance)s − %(cards)s − %(before)s = %(hours)s."
    ) % {
        "used": decimal_hours(used),
        "allowance": decimal_hours(allowance),
        "cards": decimal_hours(from_cards),
        "before": decimal_hours(before),
        "hours": decimal_hours(quarters),
    }


def _card(line: InvoiceLine, sources: Sources) -> Reason:
    card = sources.cards[_subject(line)]
    text = _("A top-up card of %(hours)s, valid in %(months)s.")
    words = {"hours": hours(card.bought_quarters), "months": long_period(card.months)}
    return Reason([text % words], [Term(card.price_cents)])


def _credit(line: InvoiceLine, sources: Sources) -> Reason:
    original = line.credit_of
    if original is None:
        raise KeyError(line.pk)
    text = _("Credit for document %(number)s: %(text)s.")
    words = {"number": original.invoice.number or "–", "text": original.description}
    sentences = [text % words]
    found = sources.credits.get(line.occurrence.subject_id) if line.occurrence else None
    if found:
        why = _("The statement of %(months)s found %(hours)s of overage of its year not due.")
        sentences.append(
            why % {"months": long_period(found.statement.months), "hours": hours(found.quarters)}
        )
    product = Term(line.unit_cents, line.quantity_hundredths)
    if product.value != line.net_cents:
        sentences.append(_("This is all that was left of it."))
        product = Term(line.net_cents)
    return Reason(sentences, [product])


# Sessions


def _session(line: InvoiceLine, sources: Sources) -> Reason:
    session = sources.sessions[_subject(line)]
    free = line.occurrence is not None and line.occurrence.free
    return Reason(
        [
            _("Held on %(day)s (%(reference)s).") % _words(session),
            _included(session, sources, free=free),
        ],
        [Term(0 if free else session.offering.price_cents)],
    )


def _cancellation(line: InvoiceLine, sources: Sources) -> Reason:
    session = sources.sessions[_subject(line)]
    if session.cancelled_on is None:
        raise KeyError(session.pk)
    days = (session.starts_on - session.cancelled_on).days
    text = ngettext(
        "Planned for %(day)s (%(reference)s), cancelled on %(cancelled)s: %(n)s day before.",
        "Planned for %(day)s (%(reference)s), cancelled on %(cancelled)s: %(n)s days before.",
        days,
    )
    words = _words(session) | {"cancelled": long_day(session.cancelled_on), "n": str(days)}
    facts = text % words
    if line.occurrence and line.occurrence.free:
        return Reason([facts, _included(session, sources, free=True)], [Term(0)])
    rate = charges.cancellation_percent(sources.rungs, days)
    costs = _("That costs %(percent)s%% of the price.") % {"percent": rate}
    price_cents = session.offering.price_cents
    term = Term(price_cents, rate * charges.HUNDREDTHS, WHOLE_PERCENT)
    return Reason([facts, costs], [Term(price_cents) if rate == WHOLE_PERCENT else term])


def _words(session: Session) -> dict[str, str]:
    return {"day": long_day(session.starts_on), "reference": session.reference}


def _included(session: Session, sources: Sources, *, free: bool) -> str:
    contract = sources.contract_in(session)
    if contract is None:
        return _("It falls outside a contract, so the price applies.")
    if contract.is_paused(session.month_due):
        return _("The contract is paused in that month, so the price applies.")
    if not (free or session.offering.included_eligible):
        return _("Your subscription does not include sessions of this kind: the price applies.")
    number = charges.included_sessions(contract, session.month_due)
    if free:
        text = _("Free: one of the sessions included in the contract year (%(n)s).")
    elif number:
        text = _("The sessions included in the contract year (%(n)s) were used before it.")
    else:
        text = _("Your contract year includes no sessions: the price applies.")
    return text % {"n": number}


def _travel(line: InvoiceLine, sources: Sources) -> Reason:
    session = sources.sessions[_subject(line)]
    text = _("Travel to the session of %(day)s (%(reference)s), per kilometre.") % _words(session)
    kilometres = (session.on_site_km or 0) * charges.HUNDREDTHS
    return Reason([text], [Term(line.unit_cents, kilometres)])


def _seat(line: InvoiceLine, sources: Sources) -> Reason:
    seat = sources.seats[_subject(line)]
    text = _("A seat at the session of %(day)s (%(reference)s).") % _words(seat.session)
    return Reason([text], [Term(seat.price_cents)])


REASONS: dict[LineKind, Callable[[InvoiceLine, Sources], Reason]] = {
    LineKind.FEE: _fee,
    LineKind.SETUP: _setup,
    LineKind.TIER_CHANGE: _tier_change,
    LineKind.OVERAGE: _overage,
    LineKind.SESSION: _session,
    LineKind.SERVICE: _session,
    LineKind.CANCELLATION: _cancellation,
    LineKind.TRAVEL: _travel,
    LineKind.TOPUP: _card,
    LineKind.SEAT: _seat,
    LineKind.CREDIT: _credit,
}
