"""The page of a client: what a phone call asks first, then all that is agreed and open."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.urls import reverse
from django.utils.text import capfirst
from django.utils.translation import gettext, ngettext

from advisors.models import AssignmentRole
from agency.accounts import signed_in
from agency.models import ContactRole, LegalName, Organisation
from agency.month import Month
from agency.sectors import rule_of
from agency.templatetags.figures import decimal_hours, euro, hours, long_day, long_month, month_name
from agency.today import today
from subscriptions import notice, wording
from subscriptions.admin.client_rows import ROWS_SHOWN, ClientRows, read
from subscriptions.admin.client_tasks import ClientTask, checks, tasks
from subscriptions.admin.client_terms import terms
from subscriptions.admin.invoice_deeds import standing
from subscriptions.admin.statements import WITHOUT_FIGURE
from subscriptions.admin.timeline import timeline
from subscriptions.models import (
    HeadcountDeclaration,
    InvoiceKind,
    InvoiceState,
    Mandate,
    Payer,
    PurchaseOrder,
    Quote,
    TopUpCard,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.contrib.admin import AdminSite
    from django.http import HttpRequest, HttpResponse

    from agency.models import User
    from subscriptions.models import Statement
    from subscriptions.notice import Term

MONTHS_OF_A_YEAR = 12
BESIDE = (AssignmentRole.COUNSELLOR, AssignmentRole.DEPUTY)


@dataclass(frozen=True, slots=True)
class Answer:
    """One of the four leading figures; ``is_lined`` where no figure stands, with the reason."""

    label: str
    value: str
    note: str = ""
    is_lined: bool = False


@dataclass(frozen=True, slots=True)
class Person:
    name: str
    role: str
    reached: str
    address: str = ""


def show(site: AdminSite, request: HttpRequest, object_id: UUID) -> HttpResponse:
    """Show a client; 404 where there is none."""
    on = today()
    rows = read(object_id, on=on)
    client = rows.client
    term = notice.running_term(rows.contract[0], on=on) if rows.contract else None
    page: Any = site._registry[Organisation]  # noqa: SLF001  # Django gives it in no other way
    return page.page(  # type: ignore[no-any-return]  # which admin it is, Django does not know
        request,
        "agency/organisation/overview",
        client.legal_name,
        client=client,
        subtitle_parts=[part for part in _particulars(rows) if part],
        taken_over=getattr(client, "taken_over", None),
        payers=[(name, UUID(key)) for name, key in client.said_payers],
        answers=[_until(rows, term), _open(rows), _hours(rows), _counsellor(rows)],
        contract=rows.contract and rows.contract[0],
        contract_count=len(rows.agreed),
        timeline=_timeline(rows, term),
        terms=terms(rows) if rows.contract else [],
        statements=_with_headcounts(rows),
        next_period=rows.overview and rows.overview.next_period,
        without_figure=WITHOUT_FIGURE,
        sessions=rows.sessions,
        invoices=[(row, _for_what(row), standing(row, on)) for row in rows.invoices],
        members=[(name, UUID(key)) for name, key in sorted(client.said_members)],
        tasks=list(tasks(rows, term)),
        people=list(_people(rows)),
        advisors=list(_advisors(rows)),
        checks=list(checks(rows, signed_in(request))),
        rule=rule_of(client.sector),
        lists=list(_lists(client)),
        dangers=list(_dangers(rows, signed_in(request))),
    )


def _particulars(rows: ClientRows) -> Iterator[str]:
    client = rows.client
    yield ", ".join(filter(None, [client.street, f"{client.postcode} {client.city}".strip()]))
    if rows.headcount:
        text = ngettext("%(n)s employee", "%(n)s employees", rows.headcount)
        yield text % {"n": rows.headcount}
    if client.kvk_number:
        yield gettext("KVK %(number)s") % {"number": client.kvk_number}
    if client.sector:
        yield client.get_sector_display()


def _lists(client: Organisation) -> Iterator[tuple[Any, str]]:
    """Name the lists of the client that the page does not show by themselves."""
    for model in (Quote, PurchaseOrder, TopUpCard, Mandate, Payer, LegalName, HeadcountDeclaration):
        meta = model._meta
        address = reverse(f"admin:{meta.app_label}_{meta.model_name}_changelist")
        query = f"?organisation__id__exact={client.pk}"
        yield meta.verbose_name_plural, address + query


def _dangers(rows: ClientRows, reader: User) -> Iterator[ClientTask]:
    """Name the deeds that end something, for who may do them."""
    contract = rows.contract and rows.contract[0]
    if (
        contract
        and not contract.until_month
        and reader.has_perm("subscriptions.change_subscription")
    ):
        address = reverse("admin:subscriptions_subscription_change", args=[contract.pk])
        said = gettext(
            "Enter the first month after the end; the page says first what it withholds."
        )
        yield ClientTask(gettext("End the contract"), address, said)
    is_gone = hasattr(rows.client, "taken_over")
    if not is_gone and reader.has_perm("subscriptions.add_takeover"):
        address = reverse("admin:subscriptions_takeover_add") + f"?organisation={rows.client.pk}"
        said = gettext(
            "A running contract ends, and planned sessions go along; you read it all first."
        )
        yield ClientTask(gettext("Note a takeover"), address, said)


def _until(rows: ClientRows, term: Term | None) -> Answer:
    if term is None or rows.contract is None:
        label = gettext("Contract")
        if hasattr(rows.client, "taken_over"):
            return Answer(label, gettext("None"), gettext("Taken over by another organisation"))
        only = gettext("Sessions only") if rows.client.session_count else ""
        return Answer(label, gettext("None"), only)
    contract = rows.contract[0]
    if term.last_notice_on is None:
        last_day = (term.until_month - 1).last_day
        label = gettext("Ended on") if last_day < rows.on else gettext("Ends with")
        return Answer(label, long_day(last_day), gettext("The end is agreed"))
    otherwise = ngettext(
        "else renewed for %(n)s month", "else renewed for %(n)s months", contract.renewal_months
    ) % {"n": contract.renewal_months}
    if contract.renewal_months == MONTHS_OF_A_YEAR:
        otherwise = gettext("else renewed for a year")
    end = gettext("as of %(day)s") % {"day": long_day(term.until_month.first_day)}
    after = f"{end}; {otherwise}" if contract.renewal_months else end
    return Answer(gettext("Notice can be given until"), long_day(term.last_notice_on), after)


def _open(rows: ClientRows) -> Answer:
    label = gettext("Outstanding")
    asked = [row for row in rows.documents(InvoiceState.OPEN) if row.kind == InvoiceKind.INVOICE]
    if not asked:
        payers = [name for name, _key in rows.client.said_payers]
        pays = gettext("%(payer)s pays") % {"payer": payers[0]} if payers else ""
        return Answer(label, euro(0), pays or gettext("Nothing waits to be paid"))
    n = ngettext("%(n)s invoice", "%(n)s invoices", len(asked)) % {"n": len(asked)}
    late = sum(1 for row in asked if row.due_on and row.due_on < rows.on.isoformat())
    first = next((row.due_on for row in asked if row.due_on), None)
    if late:
        due = ngettext("%(n)s of them late", "%(n)s of them late", late) % {"n": late}
    elif first:
        due = gettext("due on %(day)s") % {"day": long_day(dt.date.fromisoformat(first))}
    else:
        due = ""
    return Answer(
        label, euro(sum(row.left_cents for row in asked)), ", ".join(filter(None, [n, due]))
    )


def _hours(rows: ClientRows) -> Answer:
    found = rows.overview
    if found is None:
        why = gettext("Its price is not agreed yet") if rows.contract else ""
        return Answer(gettext("Hours"), "–", why or gettext("No contract with hours"))
    follows = _follows(found.next_period.until - 1, rows.now) if found.next_period else ""
    if not found.statements:
        return Answer(gettext("Hours"), gettext("No statement yet"), follows, is_lined=True)
    last = found.statements[-1]
    label = gettext("Hours, published up to %(month)s") % {
        "month": _named(last.months.last_month, rows.now)
    }
    if found.use and found.use.allowance_quarters:
        used = gettext("%(used)s of %(allowance)s") % {
            "used": decimal_hours(found.use.used_quarters),
            "allowance": hours(found.use.allowance_quarters),
        }
        return Answer(label, used, follows)
    said = hours(found.use.used_quarters) if found.use else wording.statement_sentence(last)
    return Answer(label, said, follows, is_lined=last.display in WITHOUT_FIGURE)


def _follows(last: Month, now: Month) -> str:
    return gettext("next statement once %(month)s is closed") % {"month": _named(last, now)}


def _named(month: Month, now: Month) -> str:
    return month_name(month) if month.year == now.year else long_month(month)


def _counsellor(rows: ClientRows) -> Answer:
    now = [each for each in rows.client.said_advisors if Month(each[1]) <= rows.now]
    names = {
        role: [
            (name, phone)
            for said, _from, name, phone, _key in sorted(now, key=_by_start)
            if said == role
        ]
        for role in BESIDE
    }
    deputies = [name for name, _phone in names[AssignmentRole.DEPUTY]]
    deputy = (
        gettext("deputy %(name)s") % {"name": ", ".join(deputies)}
        if deputies
        else gettext("no deputy")
    )
    counsellors = names[AssignmentRole.COUNSELLOR]
    if not counsellors:
        return Answer(gettext("Counsellor"), gettext("Nobody yet"), deputy)
    (name, phone), *_others = counsellors
    return Answer(gettext("Counsellor"), name, " · ".join(filter(None, [phone, deputy])))


def _by_start(said: list[Any]) -> tuple[int, str]:
    return said[1], said[2]


def _timeline(rows: ClientRows, term: Term | None) -> Any:
    if term is None or rows.contract is None:
        return None
    row, contract = rows.contract
    agreed = [
        each for _row, each in rows.agreed if each.months.from_month <= contract.months.from_month
    ]
    return timeline(agreed, term, renewal_months=row.renewal_months, on=rows.on)


def _with_headcounts(rows: ClientRows) -> list[tuple[Statement, object]]:
    """Give the newest statements, each with how many people it covers at its end."""
    agreed = {row.pk: contract for row, contract in rows.agreed if contract.headcounts}
    shown = rows.statements[:ROWS_SHOWN]
    return [
        (each, agreed[key].headcount(each.months.last_month) if key in agreed else "")
        for each in shown
        for key in [each.subscription_id]
    ]


def _for_what(invoice: Any) -> str:
    line = wording.of_served(invoice, invoice.first_line or "")
    return wording.first_and_more(line, invoice.line_count or 1)


def _people(rows: ClientRows) -> Iterator[Person]:
    order = list(ContactRole.values)
    for name, role, email, is_active in sorted(
        rows.client.said_people, key=lambda said: (order.index(said[1]), said[0])
    ):
        word = capfirst(str(ContactRole(role).label))
        left = "" if is_active else gettext("no account any more")
        yield Person(name, ", ".join(filter(None, [word, left])), email)


def _advisors(rows: ClientRows) -> Iterator[Person]:
    order = list(AssignmentRole.values)
    for role, since, name, phone, key in sorted(
        rows.client.said_advisors, key=lambda said: (order.index(said[0]), said[1], said[2])
    ):
        text = gettext("from %(month)s") if Month(since) > rows.now else gettext("since %(month)s")
        word = capfirst(str(AssignmentRole(role).label))
        said = f"{word}, {text % {'month': long_month(Month(since))}}"
        yield Person(name, said, phone, reverse("admin:advisors_advisor_change", args=[UUID(key)]))
