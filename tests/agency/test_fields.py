"""Model fields for months: text outside, a number of months in the column."""

from __future__ import annotations

import pytest
from django.core import serializers
from django.core.exceptions import ValidationError
from django.db import connection
from django.db.models import F, Max

from agency.fields import MonthField, MonthFormField
from agency.models import Headcount
from agency.month import Month, MonthRange
from subscriptions.models import PurchaseOrder
from tests import factories as make
from tests.agreed import M, months


@pytest.mark.django_db
def test_the_column_holds_a_count_of_months_in_which_no_day_fits() -> None:
    make.headcount(make.organisation(), 40, "2026-03")
    with connection.cursor() as cursor:
        cursor.execute("SELECT month FROM agency_headcount")
        assert cursor.fetchone() == (2026 * 12 + 2,)


@pytest.mark.django_db
def test_a_month_is_read_back_as_a_month() -> None:
    make.headcount(make.organisation(), 40, "2026-03")
    assert Headcount.objects.get().month == M("2026-03")
    assert Headcount.objects.aggregate(last=Max("month")) == {"last": M("2026-03")}


@pytest.mark.django_db
def test_queries_take_months_texts_and_expressions() -> None:
    organisation = make.organisation()
    for month in ("2025-12", "2026-01", "2026-02"):
        make.headcount(organisation, 40, month)
    rows = Headcount.objects.order_by("month")
    assert [str(row.month) for row in rows.filter(month__gte=M("2026-01"))] == [
        "2026-01",
        "2026-02",
    ]
    assert rows.get(month="2025-12").headcount == 40
    assert rows.filter(month__in=[M("2026-01"), "2026-02"]).count() == 2
    assert rows.filter(month=F("month")).count() == 3


@pytest.mark.parametrize("wrong", ["2026-13", "soon", "2026-03-01", object()])
def test_what_is_no_month_is_refused_in_one_sentence(wrong: object) -> None:
    with pytest.raises(ValidationError) as refused:
        MonthField().to_python(wrong)
    assert len(refused.value.messages) == 1


@pytest.mark.django_db
def test_an_exported_month_is_text_and_loads_again() -> None:
    row = make.purchase_order(make.organisation(), "PO-7", "2026-01", None)
    text = serializers.serialize("json", [row])
    assert '"from_month": "2026-01"' in text
    (loaded,) = serializers.deserialize("json", text)
    order = loaded.object
    assert isinstance(order, PurchaseOrder)
    assert order.months == months("2026-01/")


def test_a_form_takes_a_month_and_shows_it_again() -> None:
    field = MonthField().formfield()
    assert isinstance(field, MonthFormField)
    assert field.clean("2026-03") == M("2026-03")
    assert field.prepare_value(M("2026-03")) == "2026-03"
    assert field.widget.input_type == "month"


@pytest.mark.parametrize("typed", ["2026-3", "March", "2026-99"])
def test_a_form_says_how_a_month_is_written(typed: str) -> None:
    with pytest.raises(ValidationError) as refused:
        MonthFormField().clean(typed)
    assert "2026-03" in refused.value.messages[0]


def test_an_empty_form_field_is_no_month() -> None:
    assert MonthFormField(required=False).clean("") is None


def test_two_columns_read_and_write_as_one_range() -> None:
    order = PurchaseOrder(number="PO-1", from_month=M("2026-01"), until_month=None)
    assert order.months == MonthRange(M("2026-01"))
    order.months = months("2026-02/2026-05")
    assert (order.from_month, order.until_month) == (M("2026-02"), M("2026-05"))


def test_the_column_has_room_for_every_month_that_can_be_written() -> None:
    assert Month.of(2699, 12).index <= 32767
