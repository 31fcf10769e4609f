"""Prices on request: a band without any, and a contract that agrees all four of its own."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from agency.month import Month
from subscriptions import billing, statements, tier_requests, versions
from subscriptions.agreements import BASIC, EXTENDED, Band, OnRequestError, Prices
from subscriptions.audit import audit
from subscriptions.models import OF_A_YEAR, PriceBand, Subscription, Terms
from subscriptions.versions import VersionRefusedError
from tests import factories as make
from tests.agreed import M, books, contract
from tests.browsers import as_
from tests.clients import (
    LONG_AFTER,
    client,
    close_and_bill,
    lines,
    months_from,
    open_agency,
    stated,
)
from tests.subscriptions.test_admin_contracts import FORM

OWN: dict[str, Any] = {
    "own_annual_fee_cents": 24_000_00,
    "own_included_quarters": 400,
    "own_included_sessions": 6,
    "own_overage_rate_cents": 99_00,
}
LARGE: dict[str, Any] = {"headcount": 300}


class TestContract:
    """The band of 251 people or more has no prices."""

    def agreed(self, tier: str = BASIC, **own: Any) -> Any:
        book = books({"2020-01": (Band(BASIC, 251, None, None, 250_00),)})
        choices = [("2026-01", own)] if own else []
        return contract(tier=tier, books=book, choices=choices, **LARGE)

    def test_all_four_own_prices_stand_in_for_the_books(self) -> None:
        made = self.agreed(**OWN)
        assert made.prices(made.year_of(M("2026-01")), BASIC) == Prices(
            annual_fee_cents=24_000_00,
            setup_fee_cents=250_00,
            included_quarters=400,
            included_sessions=6,
            overage_rate_cents=99_00,
        )

    @pytest.mark.parametrize("missing", OWN)
    def test_three_of_them_are_not_enough(self, missing: str) -> None:
        made = self.agreed(**OWN | {missing: None})
        with pytest.raises(OnRequestError, match="2026-01 basic 300"):
            made.prices(made.year_of(M("2026-01")), BASIC)

    def test_own_prices_hold_for_the_tier_that_was_signed_for(self) -> None:
        made = self.agreed(EXTENDED, **OWN)
        assert made.prices_if_any(made.year_of(M("2026-01")), BASIC) is None


@pytest.fixture
def on_request(db: None) -> None:
    open_agency()
    large = PriceBand.objects.filter(max_headcount=None)
    large.update(**dict.fromkeys(OF_A_YEAR))


@pytest.mark.usefixtures("on_request", "english")
class TestBilling:
    def test_a_client_with_own_prices_is_billed_by_them(self) -> None:
        client(**LARGE, **OWN, hours={"2026-01": 101})
        (ahead,) = close_and_bill("2025-12")
        assert lines(ahead) == ["fee 2026-01/2027-01 24000.00", "setup 2026-01/2026-02 250.00"]
        (over,) = close_and_bill("2026-01")
        assert lines(over) == ["overage 2026-01/2026-02 99.00"]
        assert audit().violations == []

    def test_one_without_is_named_and_stops_no_other(self) -> None:
        client("LARGE", **LARGE)
        client("SMALL")
        run = billing.plan(M("2025-12"))
        why = "The prices for 2026-01 basic 300 are on request: agree all four own ones."
        assert run.failures == [("LARGE", why)]
        assert len(run.documents) == 1
        with pytest.raises(statements.CloseError) as refused:
            statements.close_month(M("2026-01"), on=LONG_AFTER)
        assert refused.value.messages == [f"LARGE: {why}"]

    def test_prices_are_agreed_late_for_a_year_that_has_none(self) -> None:
        late = client("LARGE", headcount={"2025-01": 100, "2027-01": 300})
        close_and_bill(*months_from("2025-12", 13))
        with pytest.raises(statements.CloseError):
            statements.close_month(M("2027-01"), on=LONG_AFTER)
        with pytest.raises(VersionRefusedError, match="closed"):
            versions.refuse(late, M("2026-12"), "own_price")

        versions.refuse(late, M("2027-01"), "own_price")
        make.terms(late, "2027-01", "basic", reason="own_price", **OWN)

        assert statements.close_month(M("2027-01"), on=LONG_AFTER)

    def test_another_tier_on_request_is_not_changed_to(self) -> None:
        agreed = client(**LARGE, **OWN)
        asked = {"from_month": M("2026-05"), "reason": "tier_change", "tier": "extended"}
        with pytest.raises(VersionRefusedError, match="on request for 300 people"):
            versions.refuse_on_request(agreed, asked)
        versions.refuse_on_request(agreed, asked | {"tier": "basic"})
        by = make.user("contact")
        request = tier_requests.ask(
            agreed, tier="extended", from_month=M("2026-05"), by=by, on=dt.date(2026, 1, 8)
        )
        with pytest.raises(tier_requests.RequestRefusedError, match="agree on a new contract"):
            tier_requests.confirm(request)

    @pytest.mark.parametrize("name", OF_A_YEAR)
    def test_a_band_has_all_its_prices_or_none(self, name: str) -> None:
        with pytest.raises(IntegrityError, match="all_its_prices_or_none"), transaction.atomic():
            PriceBand.objects.filter(max_headcount=None).update(**{name: 1})

    def test_all_in_a_client_pays_the_fee_alone_and_is_shown_no_use(self) -> None:
        """Whatever was worked, no card or hour above the contract changes what is billed."""
        client("ALLIN", **LARGE, **OWN, overage="all_in", hours={"2026-01": 500, "2026-02": 1})
        made = close_and_bill("2025-12", "2026-01", "2026-02")
        assert [lines(invoice) for invoice in made] == [
            ["fee 2026-01/2027-01 24000.00", "setup 2026-01/2026-02 250.00"]
        ]
        assert stated("ALLIN") == [
            "2026-01/2026-02 all_in None of 100 over 0",
            "2026-02/2026-03 all_in None of 100 over 0",
        ]
        assert audit().violations == []


@pytest.mark.usefixtures("on_request", "english", "on_8_april_2026")
class TestPages:
    def version(self, **own: str) -> str:
        """Give terms to a contract that has none yet."""
        organisation = make.organisation("LARGE")
        make.headcount(organisation, 300)
        row = Subscription.objects.create(
            organisation=organisation,
            start_month=M("2026-05"),
            first_run=M("2026-04"),
            reported_until=M("2026-05"),
        )
        given = {"from_month": "2026-05", "reason": "start", "tier": "basic", "overage": "bill"}
        terms = {f"terms-0-{name}": value for name, value in (given | own).items()}
        data = FORM | {
            "organisation": str(organisation.pk),
            "start_month": "2026-05",
            "first_run": "2026-04",
            "reported_until": "2026-05",
            **terms,
            "terms-TOTAL_FORMS": "1",
        }
        page = f"/admin/subscriptions/subscription/{row.pk}/change/"
        return as_("controller").post(page, data, follow=True).content.decode()

    def test_a_contract_page_asks_for_all_own_prices(self) -> None:
        said = self.version(own_annual_fee_cents="24000", own_included_sessions="6")
        assert "The prices for 300 people are on request: give all four own ones." in said
        assert not Terms.objects.exists()

    def test_a_contract_page_takes_all_own_prices(self) -> None:
        prices = {
            "own_annual_fee_cents": "24000",
            "own_included_quarters": "100",
            "own_included_sessions": "6",
            "own_overage_rate_cents": "99",
        }
        self.version(**prices)
        assert Terms.objects.get().from_month == Month.parse("2026-05")

    def test_a_price_book_takes_a_band_without_prices_and_none_with_some(self) -> None:
        band = {"tier": "basic", "min_headcount": "1", "setup_fee_cents": "250"}
        data = {"valid_from": "2030-01", "bands-TOTAL_FORMS": "1", "bands-INITIAL_FORMS": "0"}
        data |= {f"bands-0-{name}": value for name, value in band.items()}
        page, controller = "/admin/subscriptions/pricebook/add/", as_("controller")
        refused = controller.post(page, data | {"bands-0-annual_fee_cents": "1"})
        assert "A band has all four prices, or none of them" in refused.content.decode()
        assert controller.post(page, data).status_code == 302
        assert PriceBand.objects.get(book__valid_from=M("2030-01")).annual_fee_cents is None
