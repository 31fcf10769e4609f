"""Registered with CRKBO in some months: the month in which a session was held decides."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from agency.models import Agency, CrkboRegistration, Organisation
from subscriptions.audit import audit
from subscriptions.models import BilledOccurrence, InvoiceLine
from tests import factories as make
from tests.agreed import M
from tests.browsers import as_
from tests.clients import bill, client, close, open_agency
from workshops.models import Offering, Session

pytestmark = pytest.mark.django_db


@pytest.fixture
def agency() -> Agency:
    """Give the agency, registered in February only."""
    agency = open_agency()
    agency.crkbo_registrations.all().delete()
    make.crkbo_registration(agency, "2026-02", until_month="2026-03")
    return agency


def session(reference: str, day: str, **fields: Any) -> Session:
    offering = Offering.objects.filter(code="MC").first() or make.offering(
        "MC", vocational=True, price_cents=950_00
    )
    organisation = Organisation.objects.get()
    starts_at = make.at(f"{day} 10:00")
    return make.session(organisation, reference, offering=offering, starts_at=starts_at, **fields)


def categories() -> dict[str, str]:
    lines = InvoiceLine.objects.exclude(reference="").order_by("reference", "position")
    return {f"{line.reference} {line.kind}": line.vat_category for line in lines}


@pytest.mark.usefixtures("agency")
def test_the_month_in_which_a_session_was_held_or_called_off_decides() -> None:
    client()
    for number, day in enumerate(["2026-01-31", "2026-02-01", "2026-02-28", "2026-03-01"]):
        session(f"S{number}", day, status="held", on_site_km=10)
    off = {"status": "cancelled", "cancelled_by": "client"}
    session("S4", "2026-03-05", cancelled_on=dt.date(2026, 2, 28), **off)
    session("S5", "2026-03-05", cancelled_on=dt.date(2026, 3, 1), **off)

    for month in ("2026-01", "2026-02", "2026-03"):
        close(month)
    bill("2026-03")

    assert categories() == {
        **{f"S0 {kind}": "S" for kind in ("session", "travel")},
        **{f"S1 {kind}": "E" for kind in ("session", "travel")},
        **{f"S2 {kind}": "E" for kind in ("session", "travel")},
        **{f"S3 {kind}": "S" for kind in ("session", "travel")},
        "S4 cancellation": "E",
        "S5 cancellation": "S",
    }
    assert audit().violations == []


Change = Callable[[], object]


def registration(from_month: str, until_month: str | None) -> None:
    make.crkbo_registration(Agency.objects.get(), from_month, until_month=until_month)


def rows() -> Any:
    return CrkboRegistration.objects.all()


def billed_in_january(registered: tuple[str, str | None] | None) -> None:
    open_agency()
    rows().delete()
    if registered:
        registration(*registered)
    client()
    session("S0", "2026-01-10", status="held")
    close("2026-01")
    bill("2026-01")


@pytest.mark.parametrize(
    ("registered", "change", "fits"),
    [
        (None, lambda: registration("2026-01", "2026-02"), False),
        (None, lambda: registration("2025-01", None), False),
        (None, lambda: registration("2026-02", None), True),
        (("2025-01", None), lambda: rows().update(until_month=M("2026-01")), False),
        (("2025-01", None), lambda: rows().update(until_month=M("2026-02")), True),
        (("2025-01", "2026-01"), lambda: rows().update(until_month=None), False),
        (("2025-01", "2026-02"), lambda: rows().update(until_month=None), True),
        (("2025-01", None), lambda: rows().update(until_month=None), True),
        (("2025-01", None), lambda: rows().delete(), False),
    ],
    ids=[
        *("of a billed month", "over billed months", "after billed months", "ends before"),
        *("ends after", "goes on over", "goes on after", "unchanged", "goes"),
    ],
)
def test_nothing_that_was_billed_changes_under_its_document(
    registered: tuple[str, str | None] | None, change: Change, *, fits: bool
) -> None:
    billed_in_january(registered)
    if fits:
        change()
        assert audit().violations == []
        return
    with (
        pytest.raises(IntegrityError, match="Vocational education was billed"),
        transaction.atomic(),
    ):
        change()


def test_what_was_credited_is_billed_anew_by_what_holds_then() -> None:
    billed_in_january(("2025-01", None))
    BilledOccurrence.objects.filter(kind="session").update(state="credited")
    rows().update(until_month=M("2026-01"))
    close("2026-02")
    bill("2026-02")
    found = InvoiceLine.objects.filter(kind="session").values_list("vat_category", flat=True)
    assert sorted(found) == ["E", "S"]


def test_registrations_do_not_overlap_and_end_after_they_begin(agency: Agency) -> None:
    with pytest.raises(IntegrityError, match="do not overlap"), transaction.atomic():
        make.crkbo_registration(agency, "2026-01")
    with pytest.raises(IntegrityError, match="begins in the month"), transaction.atomic():
        rows().update(from_month=M("2025-01"))
    with pytest.raises(IntegrityError, match="ends_after_it_begins"), transaction.atomic():
        make.crkbo_registration(agency, "2026-05", until_month="2026-05")


@pytest.mark.usefixtures("english")
def test_the_page_of_the_agency_keeps_registrations_and_says_what_is_refused() -> None:
    billed_in_january(None)
    agency = Agency.objects.get()
    names = ("name", "legal_name", "street", "postcode", "city", "country", "kvk_number", "vat_id")
    data = {name: getattr(agency, name) for name in (*names, "iban")} | {"km_rate_cents": "0.35"}
    row = {"TOTAL_FORMS": "1", "INITIAL_FORMS": "0", "0-from_month": "2026-01"}
    page, controller = f"/admin/agency/agency/{agency.pk}/change/", as_("controller")

    def save(**changed: str) -> Any:
        given = {f"crkbo_registrations-{name}": value for name, value in (row | changed).items()}
        return controller.post(page, data | given)

    assert "Vocational education was billed" in save().content.decode()
    assert save(**{"0-from_month": "2026-02"}).status_code == 302
    assert [str(row.months) for row in rows()] == ["2026-02/"]
