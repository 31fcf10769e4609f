"""Tie-outs between statements, documents and facts; each is right when nothing differs."""

from __future__ import annotations

import datetime as dt
import re
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db.models import F, Q, Sum
from django.db.models.functions import Abs
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from advisors.models import Advisor, Assignment, MonthSubmission
from agency.money import HUNDREDTHS_PER_QUARTER, round_half_away
from agency.month import Month, MonthRange
from subscriptions.agreements import Contract
from subscriptions.models import (
    BilledOccurrence,
    Invoice,
    InvoiceKind,
    InvoiceLine,
    InvoiceState,
    LineKind,
    OccurrenceState,
    ReleasePolicy,
    Statement,
)
from subscriptions.release import release
from subscriptions.reports import said
from subscriptions.reports.sheet import Cell, Column, Sheet, listing
from subscriptions.reports.style import COUNT, EUROS, HOURS, MORE_OR_LESS, WORD, Kind
from subscriptions.statements import thresholds
from subscriptions.vat import last_invoice_day

if TYPE_CHECKING:
    import pandas as pd

_NUMBER = re.compile(r"(.*?)(\d+)$")


@dataclass(frozen=True, slots=True)
class Check:
    """One tie-out; ``kind`` is the unit that ``expected`` and ``found`` are counted in."""

    number: str
    name: str
    kind: Kind
    expected: int
    found: int
    note: str = ""

    @property
    def passes(self) -> bool:
        return self.expected == self.found


@dataclass(frozen=True, slots=True)
class Books:
    """What the checks read in common; ``runs`` are those of the year up to the month."""

    month: Month
    runs: MonthRange
    statements: pd.DataFrame
    contracts: Mapping[UUID, Contract]
    on: dt.date | None


def checks(books: Books) -> list[Check]:
    """Give all checks, the failed ones first."""
    made = [
        _overage(books),
        _net(books),
        _vat(books),
        _versions(),
        _overlaps(),
        _submissions(books),
        _numbers(),
        _sent(),
        _explained(books),
        _credits(),
        _in_time(books),
        _release_rules(books),
    ]
    return sorted(made, key=lambda check: (check.passes, check.number))


def _documents(books: Books) -> Any:
    rows = Invoice.objects.exclude(state=InvoiceState.VOID)
    return rows.filter(run_month__gte=books.runs.from_month, run_month__lt=books.runs.until)


def _lines(books: Books) -> Any:
    return InvoiceLine.objects.filter(invoice__in=_documents(books))


def _overage(books: Books) -> Check:
    """Compare the overage of statements with the hours on documents, blocked ones too."""
    occurrences = BilledOccurrence.objects.filter(
        kind=LineKind.OVERAGE, state=OccurrenceState.SETTLED
    )
    settled = {
        (key, month.index) for key, month in occurrences.values_list("subject_id", "from_month")
    }
    expected = sum(
        row["overage_quarters"]
        for row in books.statements.to_dict("records")
        if row["closed_with"] >= books.contracts[row["subscription"]].first_run.index
        and (row["subscription"], row["from_month"]) not in settled
    )
    lines = _lines(books).filter(kind=LineKind.OVERAGE)
    lines = lines.exclude(occurrence__state=OccurrenceState.CREDITED)
    hundredths = lines.aggregate(sum=Sum("quantity_hundredths"))["sum"] or 0
    billed = hundredths // HUNDREDTHS_PER_QUARTER
    name = _("Overage on documents = overage on statements")
    return Check("C01", name, HOURS, expected, billed, _through(books))


def _through(books: Books) -> str:
    return said.long_span(books.runs)


def _net(books: Books) -> Check:
    lines = _lines(books).aggregate(sum=Sum("net_cents"))["sum"] or 0
    found = _documents(books).aggregate(sum=Sum("net_cents"))["sum"] or 0
    return Check("C02", _("Net of documents = net of their lines"), EUROS, lines, found)


def _vat(books: Books) -> Check:
    """Work VAT out anew, once per document, category and rate; credits copy what they credit."""
    documents = _documents(books).filter(kind=InvoiceKind.INVOICE)
    nets = (
        InvoiceLine.objects.filter(invoice__in=documents)
        .order_by()
        .values_list("invoice", "vat_category", "vat_rate_basis_points")
        .annotate(net=Sum("net_cents"))
    )
    expected = sum(round_half_away(Fraction(net * rate, 10000)) for *_key, rate, net in nets)
    found = documents.aggregate(sum=Sum("vat_cents"))["sum"] or 0
    return Check("C03", _("VAT per document, worked out again"), EUROS, expected, found)


def _versions() -> Check:
    periods = Statement.objects.values("subscription", "from_month").distinct().count()
    found = Statement.objects.newest().count()
    name = _("One valid version of each statement")
    return Check("C04", name, COUNT, periods, found)


def _overlaps() -> Check:
    ends: dict[UUID, Month] = {}
    overlaps = 0
    rows = Statement.objects.newest().order_by("organisation", "from_month")
    for client, since, until in rows.values_list("organisation", "from_month", "until_month"):
        overlaps += client in ends and since < ends[client]
        ends[client] = until
    return Check("C05", _("Periods of a client do not overlap"), COUNT, 0, overlaps)


def _submissions(books: Books) -> Check:
    assigned = Assignment.objects.in_month(books.month).values("advisor")
    submitted = MonthSubmission.objects.filter(month=books.month, advisor__in=assigned)
    missing = Advisor.objects.filter(pk__in=assigned).exclude(pk__in=submitted.values("advisor"))
    names = [str(advisor) for advisor in missing.select_related("user").order_by("code")]
    note = _("Also those without hours")
    if names:
        note = _("Ask %(names)s.") % {"names": ", ".join(names)}
    return Check(
        "C06",
        _("All advisors handed in the month"),
        COUNT,
        len(names) + submitted.count(),
        submitted.count(),
        note,
    )


def _numbers() -> Check:
    """Look for gaps in the numbers of documents, series by series."""
    series: dict[str, set[str]] = defaultdict(set)
    for number in Invoice.objects.exclude(number="").values_list("number", flat=True):
        if match := _NUMBER.fullmatch(number):
            series[match[1]].add(match[2])
    found = sum(len(numbers) for numbers in series.values())
    expected = found + sum(1 for _gap in _gaps(series))
    missing = next(_gaps(series), None)
    note = ""
    if missing:
        note = _("%(number)s is missing. Look it up at Stripe and tell the administrator.") % {
            "number": missing
        }
    return Check("C07", _("Invoice numbers without gaps"), COUNT, expected, found, note)


def _gaps(series: Mapping[str, Collection[str]]) -> Iterator[str]:
    for prefix, digits in sorted(series.items()):
        numbers, width = {int(text) for text in digits}, min(len(text) for text in digits)
        for number in range(min(numbers), max(numbers)):
            if number not in numbers:
                yield f"{prefix}{number:0{width}d}"


def _sent() -> Check:
    sent = Invoice.objects.filter(state__in=InvoiceState.released)
    complete = sent.exclude(stripe_id="").exclude(number="").exclude(invoice_on=None)
    name = _("Sent documents have number, date and Stripe id")
    return Check("C08", name, COUNT, sent.count(), complete.count())


def _explained(books: Books) -> Check:
    lines = _lines(books).exclude(kind__in=[LineKind.CREDIT, LineKind.INTEREST])
    found = lines.filter(occurrence=None, credit_of=None).count()
    name = _("No amount without contract, statement or session")
    return Check("C09", name, COUNT, 0, found)


def _credits() -> Check:
    live = ~Q(credits__invoice__state=InvoiceState.VOID)
    credited = InvoiceLine.objects.filter(credits__isnull=False).annotate(
        back=Sum("credits__net_cents", filter=live)
    )
    above = credited.annotate(most=Abs(F("net_cents"))).filter(
        Q(back__gt=F("most")) | Q(back__lt=-F("most"))
    )
    return Check("C10", _("No line is credited above its amount"), COUNT, 0, above.count())


def _in_time(books: Books) -> Check:
    """Count the run's documents that were sent after the legal day, or should have been by now."""
    last_day = last_invoice_day(books.month)
    documents = _documents(books).filter(run_month=books.month, kind=InvoiceKind.INVOICE)
    late = documents.filter(invoice_on__gt=last_day).count()
    if books.on and books.on > last_day:
        waiting = documents.exclude(state__in=InvoiceState.released | {InvoiceState.SETTLED})
        late += waiting.count()
    name = _("Invoiced by the legal day (%(day)s)") % {"day": said.long_day(last_day)}
    note = _("Look under Invoices what waits.") if late else ""
    return Check("C11", name, COUNT, 0, late, note)


def _release_rules(books: Books) -> Check:
    """Count statements whose length and display the release rules, applied anew, do not give."""
    policies = {row.pk: thresholds(row) for row in ReleasePolicy.objects.all()}
    rows = Statement.objects.newest().filter(
        until_month__gt=books.runs.from_month, until_month__lte=books.runs.until
    )
    differing = 0
    for row in rows:
        contract = books.contracts[row.subscription_id]
        given = release(contract, row.from_month, row.until_month - 1, policies[row.policy_id])
        differing += given is None or given.display != row.display
    name = _("Statements follow the release rules")
    return Check("C12", name, COUNT, 0, differing, _("Rules of the policy they were made by"))


def checks_sheet(made: Sequence[Check], right: str) -> Sheet:
    columns = (
        Column(_("Number"), 12),
        Column(_("Check"), 52, wraps=True),
        Column(_("Unit"), 14),
        Column(_("Expected"), 17, EUROS),
        Column(_("Found"), 16, EUROS),
        Column(_("Difference"), 15, EUROS),
        Column(_("Result"), 13, WORD),
        Column(_("Note"), 54, wraps=True),
    )
    sheet = listing(_("Checks"), columns, right, frozen="A2")
    sheet.table(columns, [_row(check) for check in made])
    return sheet


def _row(check: Check) -> Sequence[Any]:
    tone = "" if check.passes else "strong"
    units = {HOURS: pgettext("unit", "hours"), EUROS: "€", COUNT: pgettext("unit", "number")}
    return (
        Cell(check.number, tone),
        Cell(check.name, tone),
        units[check.kind],
        Cell(check.expected, kind=check.kind),
        Cell(check.found, kind=check.kind),
        Cell(check.found - check.expected, kind=MORE_OR_LESS[check.kind]),
        Cell("PASS", "pass") if check.passes else Cell("FAIL", "bad"),
        Cell(check.note, tone),
    )
