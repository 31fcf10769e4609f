"""The agency workbook as data: its sheets in order, their columns, what each holds (design 8)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from advisors.models import AssignmentRole
from agency.models import ContactRole, Language
from subscriptions.intake.cells import Amount, Hours, Kind, OneOfNumbers, Percent, Whole
from subscriptions.intake.texts import (
    Code,
    Country,
    Digits,
    Email,
    Iban,
    Names,
    OneOf,
    Text,
    VatId,
    YesNo,
)
from subscriptions.intake.times import Date, LocalTime, Month
from subscriptions.models import (
    BillingInterval,
    Collection,
    OveragePolicy,
    ReleaseChoice,
    Tier,
)
from workshops.models import CancelledBy, OfferingKind, SessionStatus

NAME = Text(200)
CODE = Text(20)
MOST_MONTHS_OF_A_TERM = 120  # ten years is a long term; more is a slip of the keyboard
MINUTES_OF_A_WEEK = 7 * 24 * 60


@dataclass(frozen=True, slots=True)
class Column:
    """A column. An optional cell may be empty and then reads as ``empty``."""

    name: str
    kind: Kind
    required: bool = True
    empty: Any = None

    @property
    def field(self) -> str:
        """The model's field: the workbook says what a figure is, the field also in what unit."""
        if isinstance(self.kind, Amount):
            return f"{self.name}_cents"
        if isinstance(self.kind, Hours):
            return self.name.replace("hours", "quarters")
        if isinstance(self.kind, Percent):
            return self.name.replace("percent", "basis_points")
        return self.name


def optional(name: str, kind: Kind, empty: Any = None) -> Column:
    return Column(name, kind, required=False, empty=empty)


SHEETS: dict[str, tuple[Column, ...]] = {
    "agency": (
        Column("name", NAME),
        Column("legal_name", NAME),
        Column("street", NAME),
        Column("postcode", Text(20)),
        Column("city", Text(100)),
        Column("country", Country()),
        Column("kvk_number", Digits(8)),
        Column("vat_id", VatId()),
        Column("iban", Iban()),
        Column("crkbo_registered", YesNo()),
        Column("km_rate", Amount()),
    ),
    "price_book": (
        Column("valid_from", Month()),
        Column("tier", OneOf(Tier.values)),
        Column("min_headcount", Whole(1)),
        optional("max_headcount", Whole(1)),
        optional("annual_fee", Amount()),
        Column("setup_fee", Amount()),
        optional("included_hours", Hours()),
        optional("included_sessions", Whole(0, 1000)),
        optional("overage_rate", Amount()),
    ),
    "organisations": (
        Column("code", Code()),
        Column("legal_name", NAME),
        optional("street", NAME, ""),
        optional("postcode", Text(20), ""),
        optional("city", Text(100), ""),
        Column("country", Country()),
        optional("kvk_number", Digits(8), ""),
        optional("oin", Digits(20), ""),
        optional("vat_id", VatId(from_eu=False), ""),
        optional("vat_id_checked", YesNo(), empty=False),
        optional("einvoice_address", Text(100), ""),
        Column("language", OneOf(Language.values)),
        optional("invoice_email", Email(), ""),
        optional("parent_code", Code()),
    ),
    "headcounts": (
        Column("organisation", Code()),
        Column("month", Month()),
        Column("headcount", Whole(1)),
    ),
    "subscriptions": (
        Column("organisation", Code()),
        Column("tier", OneOf(Tier.values)),
        Column("start_month", Month()),
        optional("until_month", Month()),
        optional("year_starts_in", Whole(1, 12)),
        Column("term_months", Whole(1, MOST_MONTHS_OF_A_TERM)),
        Column("renewal_months", Whole(1, MOST_MONTHS_OF_A_TERM)),
        Column("notice_months", Whole(0, MOST_MONTHS_OF_A_TERM)),
        Column("billing_interval", OneOfNumbers(BillingInterval.values)),
        Column("collection", OneOf(Collection.values)),
        Column("payment_days", Whole(0, 365)),
        Column("po_required", YesNo()),
        optional("first_run", Month()),
        optional("reported_until", Month()),
        optional("carry_over_percent", Percent(), 0),
        optional("carry_over_cap_hours", Hours(), 0),
        Column("overage", OneOf(OveragePolicy.values)),
        optional("release", OneOf(ReleaseChoice.values), ""),
        optional("own_annual_fee", Amount()),
        optional("own_included_hours", Hours()),
        optional("own_included_sessions", Whole(0, 1000)),
        optional("own_overage_rate", Amount()),
    ),
    "purchase_orders": (
        Column("organisation", Code()),
        Column("number", Text(100)),
        Column("from_month", Month()),
        optional("until_month", Month()),
    ),
    "contacts": (
        Column("organisation", Code()),
        Column("name", NAME),
        Column("email", Email()),
        Column("role", OneOf(ContactRole.values)),
        Column("language", OneOf(Language.values)),
    ),
    "top_up_cards": (
        Column("organisation", Code()),
        Column("hours", Hours(least_quarters=1)),
        Column("price", Amount()),
        Column("bought_month", Month()),
        Column("expires_month", Month()),
        optional("remaining_hours", Hours()),  # empty: all of them
    ),
    "tier_changes": (
        Column("organisation", Code()),
        Column("month", Month()),
        Column("tier", OneOf(Tier.values)),
    ),
    "advisors": (
        Column("code", CODE),
        Column("name", NAME),
        Column("email", Email()),
        optional("phone", Text(30), ""),
        Column("languages", Names(100)),
        optional("provinces", Names(300), ""),
        optional("lvv_number", Text(40), ""),
        optional("lvv_valid_until", Date()),
        optional("cost_rate", Amount()),
        optional("kvk_number", Digits(8), ""),
        optional("vat_id", VatId(), ""),
        optional("iban", Iban(), ""),
    ),
    "assignments": (
        Column("advisor", CODE),
        Column("organisation", Code()),
        Column("role", OneOf(AssignmentRole.values)),
        Column("from_month", Month()),
        optional("until_month", Month()),
    ),
    "hours": (
        Column("advisor", CODE),
        Column("organisation", Code()),
        Column("month", Month()),
        Column("hours", Hours()),
    ),
    "offerings": (
        Column("code", CODE),
        Column("kind", OneOf(OfferingKind.values)),
        Column("title_nl", NAME),
        Column("title_en", NAME),
        Column("minutes", Whole(1, MINUTES_OF_A_WEEK)),
        Column("capacity", Whole(1, 10_000)),
        Column("price", Amount()),
        Column("vocational", YesNo()),
        Column("included_eligible", YesNo()),
    ),
    "sessions": (
        Column("reference", CODE),
        Column("offering", CODE),
        optional("organisation", Code()),
        optional("trainer", CODE),
        Column("starts_at", LocalTime()),
        optional("location", NAME, ""),
        optional("on_site_km", Whole(0, 5000)),
        Column(
            "status",
            OneOf([SessionStatus.SCHEDULED, SessionStatus.HELD, SessionStatus.CANCELLED]),
        ),
        optional("group_size", Whole(0, 10_000)),
        optional("cancelled_on", Date()),
        optional("cancelled_by", OneOf(CancelledBy.values), ""),
    ),
}
