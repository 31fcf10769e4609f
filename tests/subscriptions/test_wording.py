"""Statements and invoices are said in words that tell no more than they may."""

from __future__ import annotations

import datetime as dt

import pytest
from django.utils import translation

from subscriptions.models import CardUse, Invoice, Statement
from subscriptions.wording import (
    Standing,
    invoice_standing,
    statement_reason,
    statement_sentence,
)
from tests import factories as make
from tests.clients import client, close, months_from

ON = dt.date(2026, 4, 8)


def plain(text: str) -> str:
    return text.replace("\xa0", " ")


@pytest.mark.parametrize(
    ("fields", "dutch", "english"),
    [
        ({"display": "exact", "used_quarters": 18}, "4,5 uur", "4.5 hours"),
        (
            {"display": "exact", "used_quarters": 18, "overage_quarters": 8},
            "4,5 uur, waarvan 2 meeruren",
            "4.5 hours, of which 2 extra",
        ),
        ({"display": "band"}, "Binnen de ingekochte uren", "Within the hours you have bought"),
        (
            {"display": "band", "overage_quarters": 8},
            "Boven de contracturen: 2 uur extra",
            "Above your contracted hours: 2 hours extra",
        ),
        (
            {"display": "withheld"},
            "Over deze maanden vermelden en berekenen wij geen uren.",
            "For these months we report and charge no hours.",
        ),
        (
            {"display": "all_in"},
            "Alle uren zijn inbegrepen. Het gebruik wordt niet vermeld.",
            "All hours are included. Use is not reported.",
        ),
    ],
)
def test_a_statement_in_words(fields: dict[str, object], dutch: str, english: str) -> None:
    statement = Statement(**{"overage_quarters": 0, "allowance_quarters": 80} | fields)

    with translation.override("nl"):
        assert plain(statement_sentence(statement)) == dutch
    with translation.override("en"):
        assert plain(statement_sentence(statement)) == english


@pytest.mark.attack(5, 7)
def test_a_capped_band_says_the_same_whatever_was_used() -> None:
    said = {
        statement_sentence(
            Statement(display="band", capped=True, overage_quarters=0, allowance_quarters=allowance)
        )
        for allowance in (0, 4, 400)
    }

    assert len(said) == 1
    assert not any(character.isdigit() for character in said.pop())


@pytest.mark.django_db
@pytest.mark.attack(5, 7)
def test_a_band_says_the_same_and_the_truth_whether_or_not_a_card_was_used() -> None:
    """Two hours are contracted and two more were bought with the card."""
    for code, worked in (("CARD", 3.5), ("NONE", 0), ("SOME", 1)):
        contract = client(code, headcount=8, hours={"2026-05": worked})
        make.top_up_card(contract.organisation, "2026-01", 8)
    close(*months_from("2026-01", 12))
    rows = list(Statement.objects.all())

    assert {row.display for row in rows} == {"band"}
    assert CardUse.objects.get().quarters == 6
    with translation.override("en"):
        assert {statement_sentence(row) for row in rows} == {"Within the hours you have bought"}


def test_only_a_figure_needs_no_reason() -> None:
    assert statement_reason("exact") == ""
    assert all(statement_reason(display) for display in ("band", "withheld", "all_in"))


@pytest.mark.parametrize(
    ("fields", "standing"),
    [
        ({"state": "open", "due_on": dt.date(2026, 4, 8)}, Standing("To be paid", "way")),
        ({"state": "open", "due_on": dt.date(2026, 4, 7)}, Standing("1 day late", "bad")),
        ({"state": "open", "due_on": dt.date(2026, 3, 24)}, Standing("15 days late", "bad")),
        (
            {"state": "open", "collection": "sepa", "total_cents": 10_000_00},
            Standing("Direct debit follows", "way"),
        ),
        (
            {"state": "open", "collection": "sepa", "total_cents": 10_000_01},
            Standing("To be paid", "way"),  # too much for a debit
        ),
        (
            {"state": "open", "due_on": dt.date(2026, 5, 1), "debit_failed_on": ON},
            Standing("Direct debit failed", "bad"),
        ),
        ({"state": "paid", "paid_on": dt.date(2026, 3, 12)}, Standing("Paid 12 Mar 2026", "good")),
        ({"state": "void"}, Standing("Cancelled")),
        ({"state": "open", "kind": "credit"}, Standing("Credited")),
    ],
)
def test_an_invoice_in_words(fields: dict[str, object], standing: Standing) -> None:
    with translation.override("en"):
        assert invoice_standing(Invoice(**fields), ON) == standing
