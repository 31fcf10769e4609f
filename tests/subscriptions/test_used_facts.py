"""Cards, VAT treatments, index values and what is carried over stay as they were used."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.db import IntegrityError, models, transaction
from django.test import Client

from agency.models import User
from subscriptions.models import Subscription, TaxTreatment
from tests import factories as make

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("on_8_april_2026")]


def billed_card() -> models.Model:
    card = make.top_up_card(make.organisation(), "2026-03")
    make.billed_occurrence(card.organisation, card.pk, "2026-03", kind="topup")
    return card


def card_that_waits() -> models.Model:
    card = make.top_up_card(make.organisation(), "2026-03")
    make.billed_occurrence(card.organisation, card.pk, "2026-03", kind="topup", state="held")
    return card


def used_card() -> models.Model:
    card = make.top_up_card(make.organisation(), "2026-01")
    statement = make.statement(make.subscription(card.organisation), "2026-01", "2026-04")
    make.card_use(statement, card)
    return card


def used_rate() -> models.Model:
    rate = make.tax_treatment(valid_from="2026-03")
    make.invoice(make.organisation(), "2026-03")
    return rate


def used_index_value() -> models.Model:
    value = make.cpi_value("2024-10")
    make.indexation_run(value, make.cpi_value("2025-10"))
    return value


USED = {
    "a card that was billed": (billed_card, {"bought_month": "2026-02"}),
    "a card that paid for hours": (used_card, {"bought_quarters": 80}),
    "a rate that a document has": (used_rate, {"rate_basis_points": 900}),
    "an index value of a rise": (used_index_value, {"value_thousandths": 1}),
}
FREE = {
    "a card": (lambda: make.top_up_card(make.organisation()), {"bought_month": "2026-02"}),
    "a card on a document that waits": (card_that_waits, {"bought_month": "2026-02"}),
    "a rate of runs to come": (
        lambda: (used_rate(), make.tax_treatment(valid_from="2026-04"))[1],
        {"rate_basis_points": 900},
    ),
    "an index value": (make.cpi_value, {"value_thousandths": 1}),
}
Example = tuple[Callable[[], models.Model], dict[str, object]]


def page_of(row: models.Model) -> str:
    client = Client()
    client.force_login(User.objects.filter(role="controller").first() or make.user("controller"))
    address = f"/admin/{row._meta.app_label}/{row._meta.model_name}/{row.pk}/change/"
    return client.get(address).content.decode()


@pytest.mark.parametrize("example", USED.values(), ids=USED)
def test_what_was_used_is_only_read(example: Example) -> None:
    made, change = example
    row = made()
    before = type(row)._default_manager.filter(pk=row.pk).values().get()

    for deed in ("change", "delete"):
        rows = type(row)._default_manager.filter(pk=row.pk)
        with pytest.raises(IntegrityError), transaction.atomic():
            rows.update(**change) if deed == "change" else rows._raw_delete(using="default")

    assert type(row)._default_manager.filter(pk=row.pk).values().get() == before
    assert f'name="{next(iter(change))}"' not in page_of(row)


@pytest.mark.parametrize("example", FREE.values(), ids=FREE)
def test_what_was_not_used_can_be_put_right(example: Example) -> None:
    made, change = example
    row = made()

    assert f'name="{next(iter(change))}"' in page_of(row)
    assert type(row)._default_manager.filter(pk=row.pk).update(**change) == 1
    row.delete()


@pytest.mark.parametrize("valid_from", ["2025-01", "2026-03"])
def test_a_vat_treatment_begins_after_the_months_that_are_billed(valid_from: str) -> None:
    make.invoice(make.organisation(), "2026-03")
    before = TaxTreatment.objects.count()
    client = Client()
    client.force_login(make.user("controller", language="en"))
    asked = {"category": "S", "valid_from": valid_from, "rate_basis_points": "22"}

    page = client.post("/admin/subscriptions/taxtreatment/add/", asked).content.decode()

    assert "choose a month after them" in page
    assert TaxTreatment.objects.count() == before
    later = make.tax_treatment(valid_from="2026-04")
    with pytest.raises(IntegrityError, match="choose a month"), transaction.atomic():
        TaxTreatment.objects.filter(pk=later.pk).update(valid_from=valid_from)
    make.tax_treatment("E", valid_from, 0)


def test_what_is_carried_over_stays_as_it_was_published() -> None:
    contract = make.subscription(make.organisation(), "2026-01")
    rows = Subscription.objects.filter(pk=contract.pk)
    assert 'name="carry_over_basis_points"' in page_of(contract)
    rows.update(carry_over_basis_points=5000)
    make.statement(contract, "2026-01", "2026-04")

    for change in ({"carry_over_basis_points": 0}, {"carry_over_cap_quarters": 4}):
        with pytest.raises(IntegrityError, match="as it was published"), transaction.atomic():
            rows.update(**change)
    rows.update(carry_over_basis_points=5000, payment_days=14)

    assert 'name="carry_over_basis_points"' not in page_of(contract)
