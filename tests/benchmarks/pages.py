"""Each list and page of the admin beside a bare view of 100 rows, on a large and a small agency.

Times are the least of some rounds, through the whole middleware, as a signed-in controller; those
of the bare view are taken in turn with them. It ends non-zero where a page misses a bar.
"""

from __future__ import annotations

import argparse
import logging
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from allauth.mfa.models import Authenticator
from django.conf import settings
from django.contrib import admin
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.template import Context, Template
from django.test import Client
from django.urls import clear_url_caches, path, reverse

from agency import access, urls
from agency.models import Organisation, User
from subscriptions.models import Invoice, Quote
from tests.benchmarks.drafting import office

TIMES, TIMES_OF_A_CLIENT, STATEMENTS = 6.0, 3.0, 10
SMALL = 50
ROWS = 100
SEARCHES = ("organisation", "4321")  # what all rows hold, and what few do
OF_A_CLIENT = "client"
BEFORE_CLOSING = ("complete", "close", "statements")
AFTER_CLOSING = ("statements", "drafts", "approve", "send")
BARE = Template(
    "<!doctype html><title>Bare</title><table>{% for row in rows %}<tr>"
    "<td><a href='/{{ row.pk }}/'>{{ row.number }}</a></td><td>{{ row.organisation }}</td>"
    "<td>{{ row.run_month }}</td><td>{{ row.due_on }}</td><td>{{ row.net_cents }}</td>"
    "<td>{{ row.total_cents }}</td><td>{{ row.get_state_display }}</td></tr>{% endfor %}</table>"
)


@dataclass(frozen=True, slots=True)
class Page:
    """A page by a name that is the same at every agency."""

    name: str
    address: str


@dataclass(frozen=True, slots=True)
class Cost:
    """What a page costs: beside the floor, and in statements at a large and a small agency.

    Of a list that is empty at one of them the small number is None: it tells nothing of rows.
    """

    name: str
    times: float
    statements: int
    statements_small: int | None

    @property
    def misses(self) -> str:
        """Name the bars that the page misses; empty where it misses none."""
        most = TIMES_OF_A_CLIENT if self.name == OF_A_CLIENT else TIMES
        small = self.statements_small
        return ", ".join(
            word
            for word, is_missed in (
                ("slow", self.times > most),
                ("statements", self.statements > STATEMENTS),
                ("grows", small is not None and small < self.statements),
            )
            if is_missed
        )


def measure(options: argparse.Namespace) -> None:
    settings.TODAY = office.ON
    logging.disable(logging.INFO)
    with small_database():
        office.build(min(SMALL, options.organisations), 1000, 0)
        client = signed_in()
        asked = {page.name: _statements(client, page.address) for page in pages(client)}
    few = {name: statements for name, (statements, is_empty) in asked.items() if not is_empty}
    began = time.perf_counter()
    office.build(options.organisations, options.month_hours, options.invoices)
    _say(
        f"{connection.vendor}: {Organisation.objects.count()} organisations, {options.month_hours}"
        f" hours of a month, {Invoice.objects.count()} invoices; made in"
        f" {time.perf_counter() - began:.0f} s"
    )
    client = signed_in()
    found = costs(client, list(pages(client)), few, options.rounds)
    show(found)
    judge(found)


@contextmanager
def small_database() -> Iterator[None]:
    """Work meanwhile in a copy of the empty database."""
    creation, usual = connection.creation, connection.settings_dict
    connection.close()
    creation.clone_test_db("small", verbosity=0)
    connection.settings_dict = creation.get_test_db_clone_settings("small")
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict = usual


def signed_in() -> Client:
    """Sign the controller in with a second step, which each request looks for."""
    client, user = Client(), User.objects.filter(role="controller").earliest("email")
    Authenticator.objects.get_or_create(user=user, type="totp", data={"secret": "none"})
    client.force_login(user)
    return client


def bare(request: HttpRequest) -> HttpResponse:
    """Show documents in the order of their keys: what no list can do without."""
    rows = Invoice.objects.select_related("organisation").order_by("pk")[:ROWS]
    return HttpResponse(BARE.render(Context({"rows": rows})))


@contextmanager
def bare_view() -> Iterator[str]:
    """Give the address of the bare view, open to staff like the start page."""
    pattern, address = path("bare/", bare, name="bare"), access.ADDRESSES["admin:index"]
    urls.urlpatterns.append(pattern)
    access.ADDRESSES["bare"] = address
    clear_url_caches()
    try:
        yield reverse("bare")
    finally:
        urls.urlpatterns.remove(pattern)
        del access.ADDRESSES["bare"]
        clear_url_caches()


def pages(client: Client) -> Iterator[Page]:
    """Give all pages of the admin that the signed-in person may open."""
    yield Page("start", reverse("admin:index"))
    for asked in ("", "organisation", "4321", "org"):
        yield Page(f"palette {asked}".strip(), f"{reverse('admin:find')}?part=1&q={asked}")
    middle = Organisation.objects.order_by("code")[Organisation.objects.count() // 2]
    yield Page(OF_A_CLIENT, reverse("admin:agency_organisation_overview", args=[middle.pk]))
    yield from _of_documents()
    yield from _of_months()
    for model in sorted(admin.site._registry, key=lambda each: each._meta.label):
        yield from of_list(client, model)


def _of_documents() -> Iterator[Page]:
    overdue = Invoice.objects.filter(state="open", kind="invoice", due_on__lt=office.ON)
    invoice = overdue.order_by("number").first()
    if invoice is not None:
        for name in ("credit", "explain", "late", "plan", "write_off"):
            address = reverse(f"admin:subscriptions_invoice_{name}", args=[invoice.pk])
            yield Page(f"invoice: {name}", address)
    quote_ = Quote.objects.first()
    if quote_ is not None:
        yield Page("quote: sign", reverse("admin:subscriptions_quote_sign", args=[quote_.pk]))
    yield Page("invoice: received", reverse("admin:subscriptions_invoice_received"))
    yield Page("reminder: plan", reverse("admin:subscriptions_reminder_plan"))


def _of_months() -> Iterator[Page]:
    """Give the steps of the month that waits to be closed, and those of the newest run."""
    yield Page("months", reverse("admin:month_list"))
    waiting, run = office.NEWEST + 1, office.NEWEST
    for month, steps in ((waiting, BEFORE_CLOSING), (run, AFTER_CLOSING)):
        for step in steps:
            name = f"month: {step}" + (", closed" if month == run else "")
            yield Page(name, reverse("admin:month_step", args=[month, step]))


def of_list(client: Client, model: type[Any]) -> Iterator[Page]:
    """Give a list with its pages, searches, tabs and filters, and the pages of its first row."""
    name, base = model._meta.model_name, f"admin:{model._meta.app_label}_{model._meta.model_name}"
    address = reverse(f"{base}_changelist")
    answer: Any = client.get(address)
    if answer.status_code != 200:  # of another role
        return
    changes = answer.context_data["cl"]
    queries = {"": "", "page 2": "?p=2", "last page": f"?p={changes.paginator.num_pages}"}
    if changes.paginator.num_pages < 2:
        queries = {"": ""}
    queries |= {f"search {word}": f"?q={word}" for word in SEARCHES if changes.search_fields}
    for spec in changes.filter_specs:
        queries |= {
            str(choice["query_string"]): str(choice["query_string"])
            for choice in spec.choices(changes)
            if choice["query_string"] not in {"?", ""}
        }
    for group in answer.context_data.get("groups", ()):
        queries |= {group.query: group.query} if group.query != "?" else {}
    for asked, query in queries.items():
        yield Page(f"{name} {asked}".strip(), address + quote(query, safe="?&=_-%"))
    page = changes.model_admin
    if page.has_add_permission(answer.wsgi_request):
        yield Page(f"{name}: add", reverse(f"{base}_add"))
    for row in changes.result_list[:1]:
        yield Page(f"{name}: form", reverse(f"{base}_change", args=[row.pk]))
        yield Page(f"{name}: history", reverse(f"{base}_history", args=[row.pk]))


def costs(client: Client, shown: list[Page], few: dict[str, int], rounds: int) -> list[Cost]:
    """Ask for each page some times, and for the bare view as often."""
    times: dict[str, list[float]] = {}
    with bare_view() as floor:
        client.get(floor)
        floors = []
        for page in shown:
            client.get(page.address)
            times[page.name] = [_timed(client, page.address) for _round in range(rounds)]
            floors += [_timed(client, floor)]
    least = min(floors)
    _say(f"  bare view of {ROWS} rows: {least * 1000:.1f} ms")
    found = []
    for page in shown:
        statements, is_empty = _statements(client, page.address)
        small = None if is_empty else few.get(page.name)
        found.append(Cost(page.name, min(times[page.name]) / least, statements, small))
    return found


def _timed(client: Client, address: str) -> float:
    began = time.perf_counter()
    client.get(address)
    return time.perf_counter() - began


def _statements(client: Client, address: str) -> tuple[int, bool]:
    """Count the statements of a request, and tell whether it shows a list without a row.

    A request that is not answered with a page ends it all.
    """
    sent: Counter[str] = Counter()

    def count(execute: Callable[..., Any], sql: Any, *more: Any) -> Any:
        sent[str(sql)] += 1
        return execute(sql, *more)

    with connection.execute_wrapper(count):
        answer: Any = client.get(address)
    if answer.status_code not in {200, 302}:
        raise SystemExit(f"{address} answered {answer.status_code}.")
    listed = (getattr(answer, "context_data", None) or {}).get("cl")
    return sent.total(), listed is not None and not listed.result_list


def show(found: list[Cost]) -> None:
    """Print what each page costs, the dearest first."""
    _say("  times  statements  small  page")
    for cost in sorted(found, key=lambda each: -each.times):
        small = "-" if cost.statements_small is None else cost.statements_small
        _say(f"  {cost.times:5.1f}  {cost.statements:10}  {small:>5}  {cost.name}  {cost.misses}")


def judge(found: list[Cost]) -> None:
    """End with the number of pages that miss a bar."""
    missed = [cost for cost in found if cost.misses]
    if missed:
        raise SystemExit(f"{len(missed)} of {len(found)} pages miss a bar.")
    _say(f"  all {len(found)} pages meet the bars")


def _say(line: str) -> None:
    print(line.rstrip(), flush=True)  # noqa: T201
