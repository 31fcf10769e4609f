"""What was agreed: term, rights, rates, invoicing, people."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from advisors.models import AssignmentRole
from agency.models import ContactRole
from agency.money import plain_decimal
from agency.templatetags.figures import euro
from subscriptions.agreements import ALL_IN, CAP, Prices
from subscriptions.models import BillingInterval, Collection, IndexedContract
from subscriptions.notice import Term, running_term
from subscriptions.release import MONTH, QUARTER, YEAR
from subscriptions.reports import said
from subscriptions.reports.client.position import Position
from subscriptions.reports.sheet import Cell, Column, Entry, Sheet, by_group, listing
from subscriptions.reports.style import COUNT, DATE, EUROS, HOURS, RIGHT_TEXT
from subscriptions.reports.words import tier_word


def contract(position: Position) -> Sheet:
    columns = _columns()
    sheet = listing(_("Contract"), columns, position.organisation.legal_name, frozen="A2")
    sheet.table(columns, _rows(position))
    return sheet


def _columns() -> tuple[Column, ...]:
    return (
        Column(_("Group"), 17),
        Column(_("Item"), 31, wraps=True),
        Column(_("Value"), 32, RIGHT_TEXT, wraps=True),
        Column(_("Unit"), 17),
        Column(_("Note"), 54, wraps=True),
    )


def _rows(position: Position) -> Iterator[Sequence[Any]]:
    return by_group(
        (pgettext("contract", "Term"), _term(position)),
        (_("Rights"), _rights(position)),
        (_("Rates"), _rates(position)),
        (_("Invoicing"), _invoicing(position)),
        (_("Contacts"), _contacts(position)),
        (_("Your counsellors"), _counsellors(position)),
    )


def _text(text: object) -> Cell:
    return Cell(str(text), kind=RIGHT_TEXT)


def _prices(position: Position) -> Prices:
    month = position.year.months.nearest(position.month)
    return position.contract.prices(position.year, position.contract.tier_in(month))


def _term(position: Position) -> Iterator[Entry]:
    row = position.subscription
    tier = tier_word(position.contract.tier_in(position.year.months.last_month))
    start = said.long_day(row.start_month.first_day)
    yield _("Agreement"), _text(tier), "", _("Since %(day)s") % {"day": start}
    for month, wanted in position.contract.tier_changes:
        if month > position.month:
            note = _("From %(day)s") % {"day": said.long_day(month.first_day)}
            yield _("Coming change"), _text(tier_word(wanted)), "", note
    for pause in position.contract.pauses:
        if pause.until > position.month:
            note = _("No fee, hours or sessions in these months")
            yield _("Pause"), _text(said.days(pause)), "", note
    yield pgettext("contract", "Start"), Cell(row.start_month.first_day, kind=DATE), "", ""
    yield from _end(position, running_term(row, on=(position.month + 1).first_day))


def _end(position: Position, term: Term) -> Iterator[Entry]:
    row, last_day = position.subscription, (term.until_month - 1).last_day
    if term.last_notice_on is None:
        yield pgettext("contract", "End"), Cell(last_day, kind=DATE), "", _("Agreed")
        return
    renewal = ngettext(
        "Then renewed by %(months)d month each time",
        "Then renewed by %(months)d months each time",
        row.renewal_months,
    ) % {"months": row.renewal_months}
    notice = ngettext(
        "Notice of %(months)d month", "Notice of %(months)d months", row.notice_months
    ) % {"months": row.notice_months}
    yield _("End of the running term"), Cell(last_day, kind=DATE), "", renewal
    yield _("Give notice by"), Cell(term.last_notice_on, kind=DATE), "", notice


def _rights(position: Position) -> Iterator[Entry]:
    prices, choices = _prices(position), position.contract.choices_of(position.year)
    yield (
        _("Contracted hours a year"),
        Cell(prices.included_quarters, kind=HOURS),
        pgettext("unit", "hours"),
        _("However many hours are needed: the fee stays the same")
        if choices.overage == ALL_IN
        else _carry_over(position),
    )
    yield (
        _("Included sessions a year"),
        Cell(prices.included_sessions, kind=COUNT),
        _("per contract year"),
        "" if prices.included_sessions else _("Sessions are charged one by one"),
    )
    yield _("Length of a period"), _text(_length(position)), "", _why_that_length(position)
    for card in position.cards:
        last_day = said.long_day((card.expires_month - 1).last_day)
        hours = Cell(card.bought_quarters, kind=HOURS)
        yield (
            _("Top-up card"),
            hours,
            pgettext("unit", "hours"),
            _("Valid until %(day)s") % {"day": last_day},
        )


def _carry_over(position: Position) -> str:
    row = position.subscription
    if not (row.carry_over_basis_points and row.carry_over_cap_quarters):
        return _("Unused hours lapse at the end of the contract year")
    return _(
        "%(percent)s%% of unused hours is carried over for a year, at most %(hours)s hours"
    ) % {
        "percent": plain_decimal(row.carry_over_basis_points),
        "hours": said.hours(row.carry_over_cap_quarters),
    }


_CHOSEN = {"": MONTH, "quarter": QUARTER, "year": YEAR, "band": YEAR}


def _lengths(position: Position) -> tuple[int, int]:
    """Give the least months of a period by headcount, and those that the contract chose."""
    contract, year = position.contract, position.year
    natural = position.shared.thresholds.natural_length(contract.headcount(year.first_month))
    return natural, _CHOSEN[contract.choices_of(year).release]


def _length(position: Position) -> str:
    names = {MONTH: _("Month"), QUARTER: _("Quarter"), YEAR: _("Contract year")}
    return names[max(_lengths(position))]


def _why_that_length(position: Position) -> str:
    natural, chosen = _lengths(position)
    if position.contract.choices_of(position.year).release == "band":
        return _("You chose this: a sentence in place of hours")
    if chosen > natural:
        return _("You chose this, longer than it has to be")
    thresholds = position.shared.thresholds
    return _(
        "A month from %(month)d employees on, a quarter from %(quarter)d on, else a contract year"
    ) % {
        "month": thresholds.month_from_headcount,
        "quarter": thresholds.quarter_from_headcount,
    }


def _rates(position: Position) -> Iterator[Entry]:
    prices, choices = _prices(position), position.contract.choices_of(position.year)
    interval = {
        BillingInterval.MONTH: _("Monthly in advance"),
        BillingInterval.QUARTER: _("Quarterly in advance"),
        BillingInterval.YEAR: _("Yearly in advance"),
    }[BillingInterval(position.subscription.billing_interval)]
    fee = Cell(prices.annual_fee_cents, kind=EUROS)
    yield _("Subscription a year"), fee, _("€ excl. VAT"), interval
    if choices.overage in {CAP, ALL_IN}:
        yield _("Overage"), _text(_("Not charged")), "", _("Your fixed fee covers it")
    else:
        rate = Cell(prices.overage_rate_cents, kind=EUROS)
        yield _("Overage"), rate, _("€ an hour"), _("After the period is published")
    travel = Cell(position.shared.agency.km_rate_cents, kind=EUROS)
    yield _("Travel to a session"), travel, _("€ a km"), _("Kilometres driven")
    yield _indexation(position)


def _indexation(position: Position) -> Entry:
    if position.rise:
        return _("Indexation"), _text(_("Announced")), "", _announced(position.rise)
    own = position.contract.choices_of(position.year).own_annual_fee_cents is not None
    if own:
        note = _("A rise follows the consumer price index and is announced first")
        return _("Indexation"), _text(_("Own price")), "", note
    since = [month for month, _bands in position.contract.books.books]
    valid = [month for month in since if month <= position.year.first_month]
    note = _("Price list of %(month)s; a new price holds from a new contract year on") % {
        "month": said.long_month(valid[-1] if valid else since[0])
    }
    return _("Indexation"), _text(_("Follows the price list")), "", note


def _announced(rise: IndexedContract) -> str:
    text, cents = _("%(amount)s a year from %(month)s"), rise.new_annual_fee_cents
    if cents is None:
        text, cents = _("%(amount)s an hour from %(month)s"), rise.new_overage_rate_cents
    return text % {"amount": euro(cents or 0), "month": said.long_month(rise.from_month)}


def _invoicing(position: Position) -> Iterator[Entry]:
    row = position.subscription
    how = (
        _("By direct debit")
        if row.collection == Collection.SEPA
        else _("Per invoice, by bank transfer")
    )
    yield _("Term of payment"), Cell(row.payment_days, kind=COUNT), _("days"), how
    yield _purchase_order(position)
    email = position.organisation.invoice_email
    yield _("Invoices go to"), _text(email or "–"), "", ""


def _purchase_order(position: Position) -> Entry:
    following = position.month + 1
    name = _("Purchase order number")
    for order in position.purchase_orders:
        if following in order.months:
            until = order.until_month
            note = (
                _("Valid until %(day)s") % {"day": said.long_day((until - 1).last_day)}
                if until
                else ""
            )
            return name, _text(order.number), "", note
    if position.subscription.po_required:
        note = _("Without it your next invoice has to wait")
        return name, Cell(_("Missing"), "wait word", RIGHT_TEXT), "", note
    note = _("Tell us a number if your accounts department needs one")
    return name, _text(_("Not required")), "", note


def _contacts(position: Position) -> Iterator[Entry]:
    names = {
        ContactRole.OWNER: _("Owner of the contract"),
        ContactRole.BILLING: _("Invoices"),
        ContactRole.READER: _("Reader"),
    }
    order = list(names)
    for contact in sorted(position.contacts, key=lambda row: order.index(ContactRole(row.role))):
        yield names[ContactRole(contact.role)], _text(contact.user.name), "", contact.user.email


def _counsellors(position: Position) -> Iterator[Entry]:
    names = {
        AssignmentRole.COUNSELLOR: _("Confidential counsellor"),
        AssignmentRole.DEPUTY: _("Deputy"),
    }
    for row in position.assignments:
        reached = " · ".join(filter(None, [row.advisor.phone, row.advisor.user.email]))
        yield names[AssignmentRole(row.role)], _text(row.advisor.user.name), "", reached
