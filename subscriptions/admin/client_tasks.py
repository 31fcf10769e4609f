"""What to do next for one client, by the rules of the work queue, and what is in order."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.urls import reverse
from django.utils.translation import gettext, ngettext

from advisors.models import AssignmentRole
from agency.month import Month, day_of
from agency.templatetags.figures import euro, long_day, long_month
from subscriptions import notice
from subscriptions.admin.client_rows import ClientRows, OpenDocument
from subscriptions.models import (
    BlockedReason,
    Collection,
    InvoiceKind,
    InvoiceState,
    Tier,
)
from subscriptions.parked import is_parked

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agency.models import User
    from subscriptions.notice import Term

    _Wanted = tuple[str, bool, str, str]  # what, whether it is there, who may add it, and where


@dataclass(frozen=True, slots=True)
class ClientTask:
    """A deed that waits, where it is done, and why."""

    what: str
    address: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Check:
    what: str
    is_done: bool
    address: str


def tasks(rows: ClientRows, term: Term | None) -> Iterator[ClientTask]:
    """Give what waits for somebody at this client; what holds money up comes first."""
    yield from _held_up(rows)
    yield from _unpaid(rows)
    yield from _asked(rows)
    for starts_at, key in sorted(rows.client.said_without_trainer)[:1]:
        what = gettext("Choose a trainer for %(day)s") % {"day": long_day(_day(starts_at))}
        more = len(rows.client.said_without_trainer) - 1
        text = ngettext("and for %(n)s other session", "and for %(n)s other sessions", more)
        rest = text % {"n": more} if more else ""
        yield _task("workshops_session", key, what, rest)
    if term and term.last_notice_on and rows.contract:
        left = (term.last_notice_on - rows.on).days
        if 0 <= left <= notice.DAYS_OF_WINDOW:
            what = gettext("Talk about the renewal")
            said = gettext("Notice can be given until %(day)s")
            day = {"day": long_day(term.last_notice_on)}
            yield _task("subscriptions_subscription", rows.contract[0].pk, what, said % day)


def _held_up(rows: ClientRows) -> Iterator[ClientTask]:
    client = rows.client
    if is_parked(client, rows.now):
        what, why = gettext("Parked: nothing is billed"), client.parked.get_reason_display()
        yield _task("subscriptions_parkedorganisation", client.parked.pk, what, why)
    if client.waits_for_vies:
        note = gettext("Invoices wait until VIES has answered")
        yield _task("agency_organisation", client.pk, gettext("Check the VAT id"), note)
    for row in rows.documents(InvoiceState.BLOCKED):
        why = str(BlockedReason(row.blocked_reason).label)
        yield _of_document(row, gettext("Invoice blocked"), why)
    for row in rows.documents(InvoiceState.PARKED):
        yield _of_document(row, gettext("Invoice parked on its way"))


def _unpaid(rows: ClientRows) -> Iterator[ClientTask]:
    for row in rows.documents(InvoiceState.OPEN):
        if row.kind != InvoiceKind.INVOICE:
            continue
        named = {"number": row.number}
        left = euro(row.left_cents)
        if row.is_contested:
            yield _of_document(row, gettext("%(number)s is contested") % named, left)
        elif row.debit_failed_on:
            yield _of_document(row, gettext("Direct debit of %(number)s failed") % named, left)
        elif row.due_on and row.due_on < rows.on.isoformat():
            day = long_day(dt.date.fromisoformat(row.due_on))
            since = gettext("%(amount)s, due on %(day)s") % {"amount": left, "day": day}
            yield _of_document(row, gettext("%(number)s is overdue") % named, since)


def _asked(rows: ClientRows) -> Iterator[ClientTask]:
    for key, people, month, who in rows.client.said_declared:
        known = rows.headcount
        text = gettext("Confirm the headcount: %(people)s instead of %(known)s")
        if not known:
            text = gettext("Confirm the headcount: %(people)s")
        what = text % {"people": people, "known": known}
        said = gettext("Declared by %(who)s; counts from %(month)s")
        by = {"who": who, "month": long_month(Month(month))}
        yield _task("subscriptions_headcountdeclaration", key, what, said % by)
    for key, tier, month in rows.client.said_requests:
        wanted = {"tier": Tier(tier).label, "month": long_month(Month(month))}
        what = gettext("Answer the request: %(tier)s from %(month)s") % wanted
        yield _task("subscriptions_tierchangerequest", key, what)
    for until, key in sorted(rows.client.said_quotes):
        said = gettext("It holds until %(day)s") % {"day": long_day(dt.date.fromisoformat(until))}
        yield _task("subscriptions_quote", key, gettext("A quote waits for a signature"), said)


def checks(rows: ClientRows, reader: User) -> Iterator[Check]:
    """Give what has to be in order before a client is served, and whether it is.

    What is not leads to where the person who reads may see to it.
    """
    for what, is_done, permission, address in [*_served(rows), *_paid(rows)]:
        leads = not is_done and reader.has_perm(permission)
        yield Check(str(what), is_done, address if leads else "")


def _served(rows: ClientRows) -> Iterator[_Wanted]:
    client, own = rows.client, f"?organisation={rows.client.pk}"
    change = reverse("admin:agency_organisation_change", args=[client.pk])
    roles = {role for role, *_rest in client.said_advisors}
    if rows.contract or not client.session_count:
        quote = reverse("admin:subscriptions_quote_add") + own
        is_signed = rows.contract is not None
        yield gettext("Contract signed"), is_signed, "subscriptions.add_quote", quote
        assign, may = reverse("admin:advisors_advisor_changelist"), "advisors.add_assignment"
        yield gettext("Counsellor assigned"), AssignmentRole.COUNSELLOR in roles, may, assign
        yield gettext("Deputy assigned"), AssignmentRole.DEPUTY in roles, may, assign
    has_account = any(is_active for *_rest, is_active in client.said_people)
    yield gettext("Contact with an account"), has_account, "agency.add_contact", change
    plan = reverse("admin:workshops_session_add") + own
    is_planned = client.session_count > 0
    yield gettext("First session planned"), is_planned, "workshops.add_session", plan


def _paid(rows: ClientRows) -> Iterator[_Wanted]:
    client, own = rows.client, f"?organisation={rows.client.pk}"
    row = rows.contract[0] if rows.contract else None
    if row and row.collection == Collection.SEPA:
        address, may = reverse("admin:subscriptions_mandate_add") + own, "subscriptions.add_mandate"
        yield gettext("Mandate for direct debits"), bool(client.said_mandates), may, address
    elif not client.said_payers:
        change = reverse("admin:agency_organisation_change", args=[client.pk])
        has_address, may = bool(client.invoice_email), "agency.change_organisation"
        yield gettext("E-mail address for invoices"), has_address, may, change
    if row and row.po_required:
        valid = any(since <= rows.now.index for since, *_rest in client.said_orders)
        address = reverse("admin:subscriptions_purchaseorder_add") + own
        yield gettext("Purchase order"), valid, "subscriptions.add_purchaseorder", address


def _task(model: str, key: Any, what: str, note: str = "") -> ClientTask:
    """Name a row's page; a key within JSON is text, in the way of the database."""
    return ClientTask(what, reverse(f"admin:{model}_change", args=[UUID(str(key))]), note)


def _of_document(row: OpenDocument, what: str, note: str = "") -> ClientTask:
    return _task("subscriptions_invoice", row.key, what, note)


def _day(moment: str) -> dt.date:
    at = dt.datetime.fromisoformat(moment)
    return day_of(at if at.tzinfo else at.replace(tzinfo=dt.UTC))  # SQLite writes no zone
