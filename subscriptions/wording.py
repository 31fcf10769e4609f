"""How statements, invoices and sessions are said to a client; pages and workbooks share it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.utils.translation import gettext, ngettext

from agency.templatetags.figures import day, decimal_hours, hours
from subscriptions import bodies
from subscriptions.models import Display, InvoiceKind, InvoiceState
from workshops.models import SessionStatus

if TYPE_CHECKING:
    import datetime as dt

    from subscriptions.models import Invoice, Statement
    from workshops.models import Session


@dataclass(frozen=True, slots=True)
class Standing:
    """A state in words, with its tone: good, way, wait, bad or "" for what stands still."""

    word: str
    tone: str = ""


def statement_sentence(statement: Statement) -> str:
    """Say what a statement shows of its period; nothing else about use is ever said."""
    if statement.display == Display.ALL_IN:
        return gettext("All hours are included. Use is not reported.")
    if statement.display == Display.WITHHELD:
        return gettext("For these months we report and charge no hours.")
    if statement.used_quarters is not None:
        return _exact(statement.used_quarters, statement.overage_quarters)
    if statement.capped:
        return gettext("For these months we charge no extra hours.")
    if statement.overage_quarters:
        return gettext("Above your contracted hours: %(hours)s extra") % {
            "hours": hours(statement.overage_quarters)
        }
    # True also of hours that a top-up card covered, and the same whether one did.
    return gettext("Within the hours you have bought")


def _exact(used_quarters: int, overage_quarters: int) -> str:
    if not overage_quarters:
        return hours(used_quarters)
    return gettext("%(used)s, of which %(overage)s extra") % {
        "used": hours(used_quarters),
        "overage": decimal_hours(overage_quarters),
    }


def statement_reason(display: str) -> str:
    """Say in one line why a statement shows no figure; empty for one that does."""
    return {
        Display.BAND: gettext(
            "A sentence instead of a figure: so nobody can tell from it whether somebody called."
        ),
        Display.WITHHELD: gettext(
            "The period closed because the contract year or the contract ended, or was paused. "
            "A figure could then say something about one person."
        ),
        Display.ALL_IN: gettext("As agreed: one price, and no figures at all."),
    }.get(Display(display), "")


def invoice_standing(invoice: Invoice, on: dt.date) -> Standing:
    """Say where a sent document stands for who has to pay it."""
    if invoice.kind == InvoiceKind.CREDIT:
        return Standing(gettext("Credited"))
    if invoice.state == InvoiceState.PAID:
        return Standing(_on(gettext("Paid"), invoice.paid_on), "good")
    if invoice.state == InvoiceState.VOID:
        return Standing(gettext("Cancelled"))
    return _unpaid(invoice, on)


def _unpaid(invoice: Invoice, on: dt.date) -> Standing:
    if invoice.state == InvoiceState.OPEN and getattr(invoice, "is_contested", False):
        until = invoice.contested_until  # type: ignore[attr-defined]  # see `contests.with_contests`
        text = gettext("Contested until %(day)s") % {"day": day(until)} if until else ""
        return Standing(text or gettext("Contested"), "wait")
    if invoice.debit_failed_on:
        return Standing(gettext("Direct debit failed"), "bad")
    if invoice.due_on and invoice.due_on < on:
        late = (on - invoice.due_on).days
        word = ngettext("%(days)s day late", "%(days)s days late", late) % {"days": late}
        return Standing(word, "bad")
    if bodies.is_debited(invoice):
        return Standing(gettext("Direct debit follows"), "way")
    return Standing(gettext("To be paid"), "way")


def session_standing(session: Session) -> Standing:
    """Say where a session stands for who ordered it."""
    return {
        SessionStatus.REQUESTED: Standing(gettext("Requested"), "wait"),
        SessionStatus.SCHEDULED: Standing(gettext("Planned"), "way"),
        SessionStatus.HELD: Standing(gettext("Held"), "good"),
        SessionStatus.CANCELLED: Standing(gettext("Session cancelled")),
    }[SessionStatus(session.status)]


def _on(word: str, date: dt.date | None) -> str:
    return f"{word} {day(date)}" if date else word


def of_served(invoice: Invoice, text: str) -> str:
    """Put whom a document was for before a text of it, where somebody else pays."""
    return f"{invoice.served_name}: {text}" if invoice.served_name else text


def first_and_more(line: str, lines: int) -> str:
    """Say what a document is for: its first line, and how many more there are."""
    if lines == 1:
        return line
    more = lines - 1
    text = ngettext("%(line)s and %(more)s more", "%(line)s and %(more)s more", more)
    return text % {"line": line, "more": more}
