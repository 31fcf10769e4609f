"""What the pages of a month say of statements to come, of differences, and of what is blocked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.urls import reverse
from django.utils.text import capfirst
from django.utils.translation import gettext, ngettext

from agency.templatetags.figures import euro, long_month
from subscriptions.models import BlockedReason, Display, LineKind, Statement
from subscriptions.run_comparison import MONTH, QUARTER, YEAR
from subscriptions.wording import statement_reason, statement_sentence

if TYPE_CHECKING:
    from agency.models import User
    from agency.month import Month
    from subscriptions.models import Invoice
    from subscriptions.run_comparison import Like, OfClient, OfKind

ORGANISATION = "admin:agency_organisation_change"


def foretold(display: str) -> str:
    """Say what a statement will tell its client, without the figure that nobody knows yet."""
    if display == Display.EXACT:
        return gettext("Hours. The figure is worked out by the close, and read by nobody before.")
    if display == Display.BAND:
        return statement_reason(display)
    return statement_sentence(Statement(display=display))


def beside(like: Like) -> str:
    """Say which run a run is held beside, and why that one."""
    run = {"run": long_month(like.month)}
    if like.is_one_rhythm_before:
        texts = {
            MONTH: gettext("Beside %(run)s, a month before; most fees of both are monthly"),
            QUARTER: gettext("Beside %(run)s, a quarter before; most fees of both are quarterly"),
            YEAR: gettext("Beside %(run)s, a year before; most fees of both are yearly"),
        }
        return texts[like.rhythm or YEAR] % run
    if like.rhythm:
        texts = {
            MONTH: gettext("Beside %(run)s, the last run with mostly monthly fees"),
            QUARTER: gettext("Beside %(run)s, the last run with mostly quarterly fees"),
            YEAR: gettext("Beside %(run)s, the last run with mostly yearly fees"),
        }
        return texts[like.rhythm] % run
    return gettext("Beside %(run)s, the last run; none before was of this kind") % run


def label(kind: str) -> str:
    return str(capfirst(LineKind(kind).label))


def why(row: OfKind, month: Month) -> str:
    """Say in a few words what a difference of a kind of line comes from."""
    if not row.difference_cents:
        return ""
    if row.kind == LineKind.OVERAGE and row.lines_now:
        return gettext("from the statements up to %(month)s") % {"month": long_month(month)}
    return ", ".join(_clients(row) if row.kind == LineKind.FEE else _lines(row))


def _clients(row: OfKind) -> list[str]:
    came = ngettext("%(n)s new client", "%(n)s new clients", row.came)
    went = ngettext("%(n)s client less", "%(n)s clients less", row.went)
    changed = ngettext("%(n)s client changed", "%(n)s clients changed", row.changed)
    counts = ((came, row.came), (went, row.went), (changed, row.changed))
    return [text % {"n": n} for text, n in counts if n]


def _lines(row: OfKind) -> list[str]:
    more = row.lines_now - row.lines_then
    if more > 0:
        return [gettext("%(n)s more") % {"n": more}]
    return [gettext("%(n)s fewer") % {"n": -more} if more else gettext("other amounts")]


def why_client(one: OfClient) -> str:
    """Say what does most to the difference of a client."""
    row = one.by
    words = {"what": label(row.kind), "then": euro(row.cents_then), "now": euro(row.cents_now)}
    if not row.lines_then:
        return gettext("%(what)s: %(now)s, none last time") % words
    if not row.lines_now:
        return gettext("%(what)s: %(then)s last time, none now") % words
    return gettext("%(what)s: %(then)s last time, %(now)s now") % words


def unblock(invoice: Invoice, reader: User) -> tuple[str, str]:
    """Give the deed that unblocks a document, and where; empty where it is not the reader's."""
    reason, payer = BlockedReason(invoice.blocked_reason), invoice.payer_id
    if reason in {BlockedReason.PO_MISSING, BlockedReason.PO_SPENT} and payer:
        may = reader.has_perm("subscriptions.add_purchaseorder")
        address = reverse("admin:subscriptions_purchaseorder_add")
        return (gettext("Enter an order"), f"{address}?organisation={payer}") if may else ("", "")
    if reason == BlockedReason.VAT_ID_PENDING and payer:
        return gettext("Check the VAT id"), reverse(ORGANISATION, args=[payer])
    if reason == BlockedReason.INCOMPLETE and payer:
        return gettext("Complete the particulars"), reverse(ORGANISATION, args=[payer])
    return gettext("Look at it"), reverse("admin:subscriptions_invoice_change", args=[invoice.pk])
