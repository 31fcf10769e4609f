"""Write a faultless agency workbook to the database, in a fixed number of queries per sheet."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

from advisors.models import (
    Advisor,
    Assignment,
    CostRate,
    DraftHours,
    MonthHours,
    Qualification,
    QualificationKind,
)
from agency.models import Agency, Contact, CrkboRegistration, Headcount, Organisation, Role, User
from agency.month import Month
from subscriptions.intake.checks.contracts import contract_before, contracts_of
from subscriptions.intake.rows import Book, Row
from subscriptions.intake.sheets import SHEETS
from subscriptions.intake.times import FIRST_YEAR
from subscriptions.models import (
    PriceBand,
    PriceBook,
    PurchaseOrder,
    Subscription,
    Terms,
    TermsReason,
    TopUpCard,
)
from workshops.models import Offering, Session

# What bears no month in the workbook, such as cost rates, holds for all that can be in it.
SINCE_EVER = Month.of(FIRST_YEAR, 1)
CHOICES = (
    "overage",
    "release",
    "own_annual_fee",
    "own_included_hours",
    "own_included_sessions",
    "own_overage_rate",
)


class Writer:
    """Writes the rows of a book; each sheet's method bears its name.

    In the order of the sheets every row finds what it names.
    """

    def __init__(self, book: Book) -> None:
        self.book = book
        self.organisation_of: dict[str | None, Organisation] = {}
        self.subscription_of: dict[Row, Subscription] = {}
        self.advisor_of: dict[str | None, Advisor] = {}
        self.offering_of: dict[str, Offering] = {}

    def write(self, sheets: Collection[str]) -> dict[str, int]:
        """Write some of the sheets; give the number of rows of each."""
        for sheet in SHEETS:
            if sheet in sheets:
                getattr(self, sheet)()
        return {sheet: len(self.book[sheet]) if sheet in sheets else 0 for sheet in SHEETS}

    def agency(self) -> None:
        for row in self.book["agency"]:
            agency = Agency.objects.create(**_fields(row, "crkbo_registered"))
            if row["crkbo_registered"]:
                CrkboRegistration.objects.create(agency=agency, from_month=SINCE_EVER)

    def price_book(self) -> None:
        months = sorted({row["valid_from"] for row in self.book["price_book"]})
        books = {month: PriceBook(valid_from=month) for month in months}
        PriceBook.objects.bulk_create(books.values())
        PriceBand.objects.bulk_create(
            PriceBand(book=books[row["valid_from"]], **_fields(row, "valid_from"))
            for row in self.book["price_book"]
        )

    def organisations(self) -> None:
        rows = self.book["organisations"]
        self.organisation_of = {
            row["code"]: Organisation(**_fields(row, "parent_code")) for row in rows
        }
        for row in rows:
            if row["parent_code"]:
                parent = self.organisation_of[row["parent_code"]]
                self.organisation_of[row["code"]].parent = parent
        # A parent may stand below its subsidiary: references are looked at when all is written.
        Organisation.objects.bulk_create(self.organisation_of.values())

    def headcounts(self) -> None:
        Headcount.objects.bulk_create(self._of_organisations(Headcount, "headcounts"))

    def subscriptions(self) -> None:
        for row in self.book["subscriptions"]:
            self.subscription_of[row] = Subscription(
                organisation=self.organisation_of[row["organisation"]],
                **_fields(row, "organisation", "tier", *CHOICES),
            )
        Subscription.objects.bulk_create(self.subscription_of.values())
        Terms.objects.bulk_create(
            self._terms(row, TermsReason.START, row["start_month"], row["tier"])
            for row in self.subscription_of
        )

    def _terms(self, subscription: Row, reason: TermsReason, month: Month, tier: str) -> Terms:
        return Terms(
            subscription=self.subscription_of[subscription],
            from_month=month,
            reason=reason,
            tier=tier,
            **_fields(subscription, only=CHOICES),
        )

    def purchase_orders(self) -> None:
        rows = self._of_organisations(PurchaseOrder, "purchase_orders")
        PurchaseOrder.objects.bulk_create(rows)

    def contacts(self) -> None:
        """Write the people and their places; one person may have several."""
        rows = self.book["contacts"]
        users = {
            row["email"]: _user(Role.CONTACT, **_fields(row, "organisation", "role"))
            for row in rows
        }
        User.objects.bulk_create(users.values())
        Contact.objects.bulk_create(
            Contact(
                organisation=self.organisation_of[row["organisation"]],
                user=users[row["email"]],
                role=row["role"],
            )
            for row in rows
        )

    def top_up_cards(self) -> None:
        TopUpCard.objects.bulk_create(
            TopUpCard(
                organisation=self.organisation_of[row["organisation"]],
                bought_quarters=row["hours"],
                **_fields(row, "organisation", "hours"),
            )
            for row in self.book["top_up_cards"]
        )

    def tier_changes(self) -> None:
        versions = []
        for row in self.book["tier_changes"]:
            contract = self._contract(row["organisation"], row["month"])
            reason = TermsReason.TIER_CHANGE
            versions.append(self._terms(contract, reason, row["month"], row["tier"]))
        Terms.objects.bulk_create(versions)

    def advisors(self) -> None:
        rows = self.book["advisors"]
        left_out = ("name", "email", "lvv_number", "lvv_valid_until", "cost_rate")
        users = [_user(Role.ADVISOR, name=row["name"], email=row["email"]) for row in rows]
        User.objects.bulk_create(users)
        self.advisor_of = {
            row["code"]: Advisor(user=user, **_fields(row, *left_out))
            for row, user in zip(rows, users, strict=True)
        }
        Advisor.objects.bulk_create(self.advisor_of.values())
        Qualification.objects.bulk_create(
            Qualification(
                advisor=self.advisor_of[row["code"]],
                kind=QualificationKind.LVV,
                number=row["lvv_number"],
                valid_until=row["lvv_valid_until"],
            )
            for row in rows
            if row["lvv_number"]
        )
        CostRate.objects.bulk_create(
            CostRate(
                advisor=self.advisor_of[row["code"]],
                from_month=SINCE_EVER,
                rate_cents=row["cost_rate"],
            )
            for row in rows
            if row["cost_rate"] is not None
        )

    def assignments(self) -> None:
        Assignment.objects.bulk_create(
            Assignment(
                advisor=self.advisor_of[row["advisor"]],
                organisation=self.organisation_of[row["organisation"]],
                **_fields(row, "advisor", "organisation"),
            )
            for row in self.book["assignments"]
        )

    def hours(self) -> None:
        """Write history as posted hours, and the rest as drafts of months that will be closed."""
        history: list[MonthHours] = []
        drafts: list[DraftHours] = []
        for row in self.book["hours"]:
            fields = _fields(row, "advisor", "organisation") | {
                "advisor": self.advisor_of[row["advisor"]],
                "organisation": self.organisation_of[row["organisation"]],
            }
            contract = self._contract(row["organisation"], row["month"])
            if row["month"] < contract["first_run"]:
                history.append(MonthHours(**fields))
            else:
                drafts.append(DraftHours(**fields))
        MonthHours.objects.bulk_create(history)
        DraftHours.objects.bulk_create(drafts)

    def offerings(self) -> None:
        self.offering_of = {row["code"]: Offering(**_fields(row)) for row in self.book["offerings"]}
        Offering.objects.bulk_create(self.offering_of.values())

    def sessions(self) -> None:
        Session.objects.bulk_create(
            Session(
                offering=self.offering_of[row["offering"]],
                organisation=self.organisation_of.get(row["organisation"]),
                trainer=self.advisor_of.get(row["trainer"]),
                **_fields(row, "offering", "organisation", "trainer"),
            )
            for row in self.book["sessions"]
        )

    def _contract(self, organisation: str, month: Month) -> Row:
        """Give the contract that a month belongs to; the checks see to it that there is one."""
        contract = contract_before(contracts_of(self.book, organisation) or [], month)
        if contract is None:
            raise LookupError(organisation, month)
        return contract

    def _of_organisations(self, model: Any, sheet: str) -> Iterable[Any]:
        return [
            model(
                organisation=self.organisation_of[row["organisation"]],
                **_fields(row, "organisation"),
            )
            for row in self.book[sheet]
        ]


def _fields(row: Row, *left_out: str, only: Collection[str] = ()) -> dict[str, Any]:
    """Give the values of a row by the fields of its model."""
    return {
        column.field: row[column.name]
        for column in SHEETS[row.sheet]
        if column.name not in left_out and (not only or column.name in only)
    }


def _user(role: Role, **fields: Any) -> User:
    """Make a user who signs in by a code sent to the address: there is no password."""
    user = User(role=role, **fields)
    user.set_unusable_password()
    return user
