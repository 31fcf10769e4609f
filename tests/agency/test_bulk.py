"""Rows written many at once are the rows that saving one by one would write."""

from __future__ import annotations

import gc
from typing import Any
from uuid import uuid4

import pytest
from django.db import IntegrityError, transaction

from agency import bulk
from agency.models import Headcount, Organisation
from agency.month import Month
from tests import factories as make

pytestmark = pytest.mark.django_db


def organisation(code: str, **fields: Any) -> dict[str, Any]:
    return {"id": uuid4(), "code": code, "legal_name": f"{code}\t\\N 'B.V.'", **fields}


def test_keys_months_and_texts_read_as_they_were_given() -> None:
    client = make.organisation()
    rows = [
        {"id": uuid4(), "organisation_id": client.pk, "month": Month.of(2026, n), "headcount": n}
        for n in (1, 2)
    ]
    bulk.insert(Headcount, rows)
    assert list(Headcount.objects.order_by("month").values(*rows[0])) == rows
    bulk.insert(Organisation, [organisation("ORG2")])
    assert Organisation.objects.get(code="ORG2").legal_name == "ORG2\t\\N 'B.V.'"


def test_a_column_that_a_row_leaves_out_gets_its_default() -> None:
    rows = [organisation("ORG1", country="BE", vat_id_checked=True), organisation("ORG2")]
    bulk.insert(Organisation, rows)
    found = Organisation.objects.values_list("country", "vat_id_checked", "parent", "city")
    assert list(found) == [("BE", True, None, ""), ("NL", False, None, "")]


def test_no_rows_are_no_statement(django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(0):
        bulk.insert(Organisation, [])


def test_many_rows_are_one_statement(django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(1):
        bulk.insert(Organisation, [organisation(f"ORG{number}") for number in range(2000)])
    assert Organisation.objects.count() == 2000


def test_a_constraint_refuses_all_of_them() -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        bulk.insert(Organisation, [organisation("ORG1"), organisation("ORG1")])
    assert Organisation.objects.count() == 0


def test_the_collector_goes_on_after_a_pause_and_after_a_failure() -> None:
    @bulk.collector_paused()
    def fail() -> None:
        assert not gc.isenabled()
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert gc.isenabled()
