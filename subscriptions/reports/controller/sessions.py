"""All sessions of the calendar year: what was ordered, and what it came to."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from typing import Any
from uuid import UUID

from django.db.models import Sum
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from agency.month import AMSTERDAM, Month
from subscriptions.models import InvoiceLine, LineKind
from subscriptions.reports.client.sessions import kind_word, status_word
from subscriptions.reports.controller.figures import BILLED
from subscriptions.reports.sheet import Cell, Column, Sheet, listing
from subscriptions.reports.style import COUNT, DATE, EUROS, TIME
from workshops.models import Session, SessionStatus

_INVOICED = 12
_TONES = {SessionStatus.HELD: "good", SessionStatus.REQUESTED: "wait"}


def sessions_sheet(month: Month, right: str) -> Sheet:
    """Draw the sheet: sessions since January of the month's year, the coming ones too."""
    columns = _columns()
    sheet = listing(_("Sessions"), columns, right, frozen="B2")
    invoiced = _invoiced()
    shown = list(_since(Month.of(month.year, 1).starts_at))
    table = sheet.table(columns, _rows(shown, invoiced))
    if shown:
        total = sum(invoiced[row.pk][0] for row in shown if row.pk in invoiced)
        sheet.total(table, _("Total"), {_INVOICED: total})
    return sheet


def _columns() -> tuple[Column, ...]:
    return (
        Column(_("Date"), 13, DATE),
        Column(pgettext("time of day", "Start"), 10, TIME),
        Column(_("Reference"), 12),
        Column(_("Client no."), 12),
        Column(_("Name"), 28, wraps=True),
        Column(_("Kind"), 19),
        Column(_("Title"), 36, wraps=True),
        Column(_("Trainer"), 20, wraps=True),
        Column(_("Price (€)"), 11, EUROS),
        Column(_("Group (people)"), 12, COUNT),
        Column(_("Distance (km)"), 10, COUNT),
        Column(_("Status"), 19),
        Column(_("Invoiced (€, net)"), 13, EUROS),
        Column(_("Invoice"), 16),
    )


def _since(moment: dt.datetime) -> Iterator[Session]:
    rows = Session.objects.filter(starts_at__gte=moment).select_related(
        "offering", "organisation", "trainer__user"
    )
    return rows.order_by("starts_at", "reference").iterator()


def _invoiced() -> dict[UUID, tuple[int, str]]:
    """Give what was invoiced for each session, travel and cancellation too, and where."""
    kinds = [LineKind.SESSION, LineKind.TRAVEL, LineKind.CANCELLATION, LineKind.SERVICE]
    lines = InvoiceLine.objects.filter(kind__in=kinds, invoice__state__in=BILLED)
    sums = lines.order_by("invoice__number").values_list(
        "occurrence__subject_id", "invoice__number"
    )
    found: dict[UUID, tuple[int, str]] = {}
    for session, number, net in sums.annotate(net=Sum("net_cents")):
        before, _number = found.get(session, (0, ""))
        found[session] = before + net, number
    return found


def _rows(
    sessions: Sequence[Session], invoiced: dict[UUID, tuple[int, str]]
) -> Iterator[Sequence[Any]]:
    for row in sessions:
        local, client = row.starts_at.astimezone(AMSTERDAM), row.organisation
        net, number = invoiced.get(row.pk, (None, None))
        yield (
            local.date(),
            local.time(),
            row.reference,
            client.code if client else None,
            client.legal_name if client else _("Open enrolment"),
            kind_word(row.offering.kind),
            row.offering.title_nl,
            row.trainer.user.name if row.trainer else None,
            row.offering.price_cents,
            row.group_size,
            row.on_site_km,
            Cell(status_word(row), _TONES.get(SessionStatus(row.status), "")),
            net,
            number,
        )
