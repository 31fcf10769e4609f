"""Two ledgers that publish the same are the same to every client, in every byte (promise B).

The property covers most of the attacks at once: whatever is not a published figure has no way out.
Each control leaks on purpose, in one of the ways in which such software leaks, and must be seen.
"""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest
from django.core import mail
from django.db import connection, transaction
from django.http import HttpRequest, HttpResponse
from pytest_django.fixtures import Settings

from advisors import hours
from advisors.models import MonthHours
from agency import gate
from agency.models import Contact, Organisation
from agency.month import Month, MonthRange
from subscriptions import announcements, due, statements
from subscriptions.agreements import Contract
from subscriptions.descriptions import describe
from subscriptions.models import CardUse, Statement
from subscriptions.portal import place as frame
from subscriptions.portal import views
from subscriptions.portal.preview import Preview, preview
from subscriptions.release import EXACT, Release
from subscriptions.reports import files
from subscriptions.sandbox.state import State
from subscriptions.use import up_to_half_hours
from tests.confidentiality import surfaces, worlds
from tests.confidentiality.surfaces import Seen
from tests.confidentiality.worlds import ADVISORS, MONTHS, Entry, Ledger
from tests.stripe.in_process import line_to

pytestmark = pytest.mark.django_db

FOUR_MONTHS = MONTHS[:4]
TODAY = dt.date(2026, 8, 10)
Views = dict[str, dict[str, Seen]]
Patch = Callable[[pytest.MonkeyPatch], None]


@pytest.fixture(autouse=True)
def after_all_months(settings: Settings) -> None:
    """Stand still: a page says which month it is."""
    settings.TODAY = TODAY


@contextmanager
def undone() -> Iterator[None]:
    """Take back all that is written inside."""
    point = transaction.savepoint()
    try:
        yield
    finally:
        transaction.savepoint_rollback(point)
        mail.outbox.clear()


def seen_after(
    ledger: Ledger, months: Sequence[Month], pages: Iterable[str] = surfaces.ADDRESSES
) -> Views:
    """Play a ledger and give what each client can come by."""
    with line_to(State()) as line:
        played = worlds.play(ledger, line, months)
    contacts = Contact.objects.select_related("user", "organisation")
    return {row.organisation.code: surfaces.look(row, played, pages) for row in contacts}


def differences(one: Views, other: Views) -> list[str]:
    return [
        f"{code}: {name}: {part}"
        for code in one
        for name in sorted(one[code].keys() | other[code].keys())
        for part in _differing(one[code].get(name), other[code].get(name))
    ]


def _differing(one: Seen | None, other: Seen | None) -> list[str]:
    if one is None or other is None:
        return ["only in one"]
    parts = ("status", "headers", "body", "statements")
    return [part for part in parts if getattr(one, part) != getattr(other, part)]


@pytest.mark.attack(1, 2, 3, 5, 7, 9, 10, 20, 28, 30, 31, 32, 34, 46)
def test_ledgers_that_publish_the_same_are_the_same_to_every_client() -> None:
    """Another pair of ledgers on each database."""
    assert_nothing_differs({"sqlite": 0, "postgresql": 1}[connection.vendor], others=1)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(100, 140))
def test_many_ledgers_that_publish_the_same_are_the_same_to_every_client(seed: int) -> None:
    assert_nothing_differs(seed, others=4)


def assert_nothing_differs(seed: int, others: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - repeatable on purpose
    worlds.open_world()
    ledger = worlds.random_ledger(chance)
    with undone():
        first = seen_after(ledger, MONTHS)
        rewritten = [worlds.written_otherwise(chance, ledger) for _ in range(others)]
    reminded = [seen for seen in first.values() if b"is not paid yet" in seen["mails"].body]
    assert len(reminded) > len(first) // 2  # not of who pays nothing itself
    assert any(other.entries != ledger.entries for other in rewritten)
    for other in rewritten:
        with undone():
            assert differences(first, seen_after(other, MONTHS)) == []


def test_each_way_of_publishing_is_among_the_clients() -> None:
    """Without each of them the property above would say less than it seems to."""
    worlds.open_world()
    worlds.work(worlds.random_ledger(random.Random(1)), MONTHS)  # noqa: S311

    shown = {(row.display, len(row.months)) for row in Statement.objects.all()}

    assert {display for display, _ in shown} == {"exact", "band", "withheld", "all_in"}
    assert {length for _, length in shown} >= {1, 3, 6}
    assert Statement.objects.filter(overage_quarters__gt=0).exists()
    assert CardUse.objects.exists()


# Controls: what a careless version of the product would do.


def live_hours_on_a_page(patch: pytest.MonkeyPatch) -> None:
    page = frame.page

    def with_hours(request: HttpRequest, place: Any, *rest: Any, **named: Any) -> HttpResponse:
        answer = page(request, place, *rest, **named)
        answer.content += str(_posted(place.organisation)).encode()
        return answer

    patch.setattr(views, "page", with_hours)


def _posted(organisation: Organisation) -> int:
    rows = MonthHours.objects.filter(organisation=organisation)
    return sum(rows.values_list("quarters", flat=True))


def a_statement_for_each_row_of_the_ledger(patch: pytest.MonkeyPatch) -> None:
    page = frame.page

    def slowly(request: HttpRequest, place: Any, *rest: Any, **named: Any) -> HttpResponse:
        for key in list(MonthHours.objects.filter(organisation=place.organisation)):
            MonthHours.objects.get(pk=key.pk)
        return page(request, place, *rest, **named)

    patch.setattr(views, "page", slowly)


def a_header_that_counts(patch: pytest.MonkeyPatch) -> None:
    page = frame.page

    def counted(request: HttpRequest, place: Any, *rest: Any, **named: Any) -> HttpResponse:
        answer = page(request, place, *rest, **named)
        rows = MonthHours.objects.filter(organisation=place.organisation)
        answer["ETag"] = f'"{rows.count()}"'
        return answer

    patch.setattr(views, "page", counted)


def a_file_name_with_the_last_month(patch: pytest.MonkeyPatch) -> None:
    named = files.client_file_name

    def telling(organisation: Organisation, month: Month) -> str:
        rows = MonthHours.objects.filter(organisation=organisation, month=month)
        return f"{sum(rows.values_list('quarters', flat=True))}-{named(organisation, month)}"

    patch.setattr(files, "client_file_name", telling)


def a_preview_that_counts(patch: pytest.MonkeyPatch) -> None:
    told = preview

    def telling(contract: Contract, tier: str, month: Month) -> Preview | None:
        made = told(contract, tier, month)
        posted = _posted(Organisation.objects.get())
        return made and replace(made, extra_cents=made.extra_cents + posted)

    patch.setattr(views, "preview", telling)


def a_line_that_counts_entries(patch: pytest.MonkeyPatch) -> None:
    def counted(*about: Any, **named: Any) -> str:
        return f"{describe(*about, **named)} ({MonthHours.objects.count()})"

    patch.setattr(due, "describe", counted)


def a_subject_with_the_hours(patch: pytest.MonkeyPatch) -> None:
    write = announcements.written

    def telling(address: str, language: str) -> Any:
        made = write(address, language)
        made.subject += f" ({_posted(Contact.objects.get(user__email=address).organisation)})"
        return made

    patch.setattr(announcements, "written", telling)


def exact_months_for_all(patch: pytest.MonkeyPatch) -> None:
    def each(_contract: Any, open_from: Month, month: Month, _thresholds: Any) -> Release:
        return Release(MonthRange(open_from, month + 1), EXACT)

    patch.setattr(statements, "release", each)


def each_entry_rounded_up(patch: pytest.MonkeyPatch) -> None:
    def rounded(_organisations: Any = None) -> dict[Any, dict[Month, int]]:
        sums: dict[Any, dict[Month, int]] = {}
        for row in MonthHours.objects.all():
            of_client = sums.setdefault(row.organisation_id, {})
            of_client[row.month] = of_client.get(row.month, 0) + up_to_half_hours(row.quarters)
        return sums

    patch.setattr(hours, "posted_quarters", rounded)


# Leaks of pages need nothing played anew, and those that are told elsewhere do not hide each other.
ON_PAGES: dict[str, Patch] = {
    "portal:overview 0: body": live_hours_on_a_page,
    "portal:statements 0: statements": a_statement_for_each_row_of_the_ledger,
    "portal:invoices 0: headers": a_header_that_counts,
    "portal:workbook 0: headers": a_file_name_with_the_last_month,
    "portal:subscription sent 2: body": a_preview_that_counts,
}
IN_WHAT_IS_SENT: dict[str, Patch] = {
    "stripe: body": a_line_that_counts_entries,
    "mails: body": a_subject_with_the_hours,
}
IN_THE_RULES: dict[str, Patch] = {
    "portal:workbook 0: body": exact_months_for_all,
    "api:statement-list 0: body": each_entry_rounded_up,
}


@contextmanager
def leaking(*leaks: Patch) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(gate, "is_closed", lambda *_: False)  # it would stop them before they are any
        for leak in leaks:
            leak(patch)
        yield


def test_a_leak_on_a_page_is_found_where_it_is() -> None:
    seen: list[list[Seen]] = []
    for ledger in _two_ledgers():
        with undone(), line_to(State()) as line:
            played = worlds.play(ledger, line, FOUR_MONTHS)
            contact = Contact.objects.select_related("user", "organisation").get()
            seen.append([])
            for place, leak in ON_PAGES.items():
                name = place.partition(": ")[0]
                with leaking(leak):
                    seen[-1].append(surfaces.look(contact, played, [name.split()[0]])[name])

    for place, one, other in zip(ON_PAGES, *seen, strict=True):
        assert place.rpartition(": ")[2] in _differing(one, other), place


def test_a_leak_in_what_is_sent_is_found_where_it_is() -> None:
    ledgers = _two_ledgers()
    with leaking(*IN_WHAT_IS_SENT.values()):
        found = _compared(*ledgers, pages=())

    assert found == [f"QUARTER: {place}" for place in sorted(IN_WHAT_IS_SENT)]


@pytest.mark.parametrize("place", IN_THE_RULES)
def test_a_hole_in_the_rules_is_found_where_it_is(place: str) -> None:
    ledgers = _two_ledgers()
    with leaking(IN_THE_RULES[place]):
        found = _compared(*ledgers, pages=[place.split(maxsplit=1)[0]])

    assert f"QUARTER: {place}" in found


def test_without_a_leak_the_ledgers_of_the_controls_are_the_same() -> None:
    first, other = _two_ledgers()

    assert first.entries != other.entries
    assert _compared(first, other) == []


@pytest.mark.attack(5, 7)
def test_the_use_of_a_band_has_no_way_out_and_would_be_found() -> None:
    first, other = _two_ledgers_of_a_band()

    assert _compared(first, other, MONTHS) == []
    with leaking(the_use_of_a_band_on_a_page):
        found = _compared(first, other, MONTHS, ["portal:overview"])

    assert "MICRO: portal:overview 0: body" in found


def the_use_of_a_band_on_a_page(patch: pytest.MonkeyPatch) -> None:
    page = frame.page

    def with_use(request: HttpRequest, place: Any, *rest: Any, **named: Any) -> HttpResponse:
        answer = page(request, place, *rest, **named)
        for band in Statement.objects.filter(organisation=place.organisation, display="band"):
            of_client = hours.posted_quarters([band.organisation_id])[band.organisation_id]
            used = sum(of_client.get(month, 0) for month in band.months)
            answer.content += str(used).encode()
        return answer

    patch.setattr(views, "page", with_use)


def _two_ledgers() -> tuple[Ledger, Ledger]:
    """Give two ledgers of a quarter and an open month that publish the same by the true rules."""
    chance = random.Random(3)  # noqa: S311 - repeatable on purpose
    worlds.open_world(["QUARTER"])
    ledger = worlds.random_ledger(chance, ["QUARTER"], FOUR_MONTHS)
    with undone():
        worlds.work(ledger, FOUR_MONTHS)
        return ledger, worlds.written_otherwise(chance, ledger, FOUR_MONTHS)


def _two_ledgers_of_a_band() -> tuple[Ledger, Ledger]:
    """Give the use of a band that its hours and half a card pay for, and other use within both."""
    worlds.open_world(["MICRO"])
    ledger = Ledger([Entry(MONTHS[1], "MICRO", ADVISORS[0], 12)], order=1)
    with undone():
        worlds.work(ledger, MONTHS)
        assert CardUse.objects.get().quarters == 4
        other = worlds.written_otherwise(random.Random(1), ledger)  # noqa: S311
    half_year = MonthRange(MONTHS[0], MONTHS[6])
    assert other.total("MICRO", half_year) != ledger.total("MICRO", half_year)
    return ledger, other


def _compared(
    one: Ledger,
    other: Ledger,
    months: Sequence[Month] = FOUR_MONTHS,
    pages: Iterable[str] = surfaces.ADDRESSES,
) -> list[str]:
    with undone():
        seen = seen_after(one, months, pages)
    with undone():
        return differences(seen, seen_after(other, months, pages))
