"""What an organisation is called from a day on (docs/decisions.md)."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from agency import legal_names
from agency.models import LegalName, Organisation
from agency.tasks import names_take_effect
from subscriptions import push
from subscriptions.models import Invoice
from subscriptions.sandbox.server import Sandbox
from tests import factories as make
from tests.browsers import as_
from tests.stripe.control import listed

pytestmark = pytest.mark.django_db

NOW = dt.datetime.now(tz=dt.UTC).replace(hour=12)
TODAY = NOW.date()
DAY = dt.timedelta(days=1)
BELGIAN: dict[str, Any] = {
    "country": "BE",
    "vat_id": "BE0123456749",
    "vat_id_checked": True,
    "kvk_number": "",
}
REVERSED = [{"vat_category": "AE", "vat_rate_basis_points": 0, "vat_cents": 0}]


def renamed(row: Organisation, days: int, on: dt.date = TODAY, **fields: Any) -> LegalName:
    """Enter another name, counted from so many days after today."""
    called = {"legal_name": "Renamed B.V.", **fields}
    name = LegalName(organisation=row, from_on=TODAY + days * DAY, **called)
    return legal_names.rename(name, on=on)


def test_a_name_to_come_is_borne_from_its_day_on() -> None:
    row = make.organisation(legal_name="Former B.V.", kvk_number="12345678")
    renamed(row, 2)
    row.refresh_from_db()
    assert row.legal_name == "Former B.V."
    called = [legal_names.on_day(row, TODAY + days * DAY) for days in (-900, 1, 2)]
    assert list(map(str, called)) == ["Former B.V.", "Former B.V.", "Renamed B.V."]
    assert legal_names.take_effect(TODAY + DAY) == 0
    assert legal_names.take_effect(TODAY + 2 * DAY) == 1
    row.refresh_from_db()
    assert (row.legal_name, row.kvk_number) == ("Renamed B.V.", "12345678")
    names_take_effect()  # of an earlier day: it is called as before
    row.refresh_from_db()
    assert row.legal_name == "Former B.V."


def test_another_vat_id_is_not_checked_yet() -> None:
    row = make.organisation(**BELGIAN)
    renamed(row, 0, vat_id="BE0721835200")
    row.refresh_from_db()
    assert (row.vat_id, row.vat_id_checked) == ("BE0721835200", False)


def test_names_are_added_later_and_later_and_the_organisation_is_called_nothing_else() -> None:
    row = make.organisation()
    row.legal_name = "A slip put right"  # not dated yet
    row.save()
    renamed(row, 0)
    refused: list[dict[str, Any]] = [{"legal_name": "By hand"}, {"kvk_number": "87654321"}]
    for fields in refused:
        with pytest.raises(IntegrityError), transaction.atomic():
            Organisation.objects.filter(pk=row.pk).update(**fields)
    Organisation.objects.filter(pk=row.pk).update(street="Elsewhere 1")
    with pytest.raises(legal_names.RenamingError):
        renamed(row, 0)
    with pytest.raises(IntegrityError), transaction.atomic():
        make.legal_name(row, TODAY - DAY)
    with pytest.raises(IntegrityError), transaction.atomic():
        LegalName.objects.update(legal_name="Rewritten")
    with pytest.raises(IntegrityError), transaction.atomic():
        LegalName.objects.all().delete()


def test_a_document_bears_the_name_of_the_day_on_which_it_is_dated(sandbox: Sandbox) -> None:
    row = make.organisation(legal_name="Former B.V.")
    invoice = make.invoice(row, state="approved")
    renamed(row, 0)
    renamed(row, 3, legal_name="Later B.V.")
    assert push.push(invoice.pk, at=NOW) == push.Outcome.PUSHED
    invoice.refresh_from_db()
    assert invoice.buyer_name == "Renamed B.V."
    assert [there["customer_name"] for there in listed(sandbox)] == ["Renamed B.V."]
    with pytest.raises(IntegrityError), transaction.atomic():
        Invoice.objects.update(buyer_name="Later B.V.")


def test_a_document_takes_no_other_name_and_a_credit_none() -> None:
    row = make.organisation(legal_name="Former B.V.")
    invoice = make.invoice(row, buyer_kvk_number=row.kvk_number, buyer_vat_id=row.vat_id)
    with pytest.raises(IntegrityError), transaction.atomic():
        Invoice.objects.update(buyer_name="Anybody")
    sent = make.invoice(row, state="open")
    credit = make.invoice(row, kind="credit", credit_of=sent)
    renamed(row, 0)
    with pytest.raises(IntegrityError), transaction.atomic():
        Invoice.objects.filter(pk=credit.pk).update(buyer_name="Renamed B.V.")
    assert Invoice.objects.filter(pk=invoice.pk).update(buyer_name="Renamed B.V.") == 1


@pytest.mark.usefixtures("sandbox")
def test_a_vat_id_that_nobody_checked_stops_what_has_its_vat_reversed() -> None:
    row = make.organisation(**BELGIAN)
    invoice = make.invoice(row, lines=REVERSED, buyer_vat_id=row.vat_id, state="approved")
    renamed(row, 0, vat_id="BE0721835200")
    assert push.push(invoice.pk, at=NOW) == push.Outcome.PARKED
    Organisation.objects.update(vat_id_checked=True)
    push.unpark(invoice.pk)
    done = push.push(invoice.pk, at=NOW)
    assert done == push.Outcome.PUSHED, Invoice.objects.get().parked_because
    invoice.refresh_from_db()
    assert invoice.buyer_vat_id == "BE0721835200"


def test_staff_enter_a_name_and_no_longer_change_it() -> None:
    row = make.organisation(legal_name="Former B.V.")
    browser = as_("controller")
    form = {"organisation": str(row.pk), "legal_name": "Renamed B.V.", "from_on": str(TODAY)}
    assert browser.post("/admin/agency/legalname/add/", form).status_code == 302
    row.refresh_from_db()
    assert row.legal_name == "Renamed B.V."
    refused = browser.post("/admin/agency/legalname/add/", form).content.decode()
    assert "A name counts from a later day" in refused
    page = browser.get(f"/admin/agency/organisation/{row.pk}/change/").content.decode()
    assert 'name="legal_name"' not in page
    assert 'name="street"' in page
    assert "Former B.V." in browser.get("/admin/agency/legalname/").content.decode()
