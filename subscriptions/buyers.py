"""Who a document is made out to: an organisation, or whoever bought a seat once (design 5.9)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from agency.bulk import grouped
from agency.models import Organisation
from agency.month import Month
from agency.particulars import countries
from subscriptions import vat
from subscriptions.models import BlockedReason, Payer
from workshops.models import Enrolment

Payers = Mapping[UUID, Sequence[Payer]]

# One who buys a seat is not asked for a language: the country's tells.
DUTCH_IS_SPOKEN = frozenset({"NL", "BE"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Buyer:
    """The particulars that a document freezes; without an organisation they are all we know.

    ``organisation`` is the client that is served; ``payer`` whose particulars these are: the client
    itself, or another organisation that pays for it.
    ``registration`` is the KVK number or OIN. It is None where none is asked for: of a one-off
    buyer, who may be a private person, and who has to have an e-mail address instead, for nobody
    else could be told where the invoice is.
    """

    organisation: Organisation | None = None
    payer: Organisation | None = None
    name: str
    street: str
    postcode: str
    city: str
    country: str
    email: str
    language: str
    vat_id: str = ""
    vat_id_checked: bool = False
    registration: str | None = None

    def is_complete(self) -> bool:
        is_known = self.email if self.registration is None else self._is_registered()
        is_there = self.country in countries()
        return all((self.name, self.street, self.postcode, self.city, is_there, is_known))

    @property
    def served_name(self) -> str:
        """Whom it was for, where that is not who pays."""
        if self.organisation is None or self.organisation == self.payer:
            return ""
        return self.organisation.legal_name

    @property
    def taxed_as(self) -> str:
        """The country whose VAT counts; ours where none is known, and the document waits."""
        return self.country if self.country in countries() else vat.HOME

    def _is_registered(self) -> bool:
        return self.country != vat.HOME or bool(self.registration)


def read_payers(organisations: Iterable[UUID] | QuerySet[Any] | None = None) -> Payers:
    """Read who pays for some organisations, or for all; the others pay themselves."""
    rows = Payer.objects.select_related("payer__parked").order_by("from_month")
    if organisations is not None:
        rows = rows.filter(organisation__in=organisations)
    return grouped(rows, "organisation_id")


def payer_of(client: Organisation, run: Month, payers: Payers) -> Organisation:
    """Give who pays a run's documents of a client: whoever does in the month in which it bills."""
    rows = payers.get(client.pk)
    if not rows:  # most pay themselves
        return client
    return next((row.payer for row in rows if run + 1 in row.months), client)


def of_client(client: Organisation, run: Month, payers: Payers) -> Buyer:
    """Give the buyer of a run's documents of a client."""
    return of_organisation(payer_of(client, run, payers), serves=client)


def of_organisation(row: Organisation, *, serves: Organisation | None = None) -> Buyer:
    return Buyer(
        organisation=serves or row,
        payer=row,
        name=row.legal_name,
        street=row.street,
        postcode=row.postcode,
        city=row.city,
        country=row.country,
        email=row.invoice_email,
        language=row.language,
        vat_id=row.vat_id,
        vat_id_checked=row.vat_id_checked,
        registration=row.kvk_number or row.oin,
    )


def of_seat(seat: Enrolment) -> Buyer:
    """Give who pays for a seat: seats of equal one-off buyers come on one document.

    A one-off buyer gives no VAT id: a firm elsewhere in the EU to which the VAT is to be reversed
    is entered as an organisation, whose VAT id is checked.
    """
    if seat.organisation:
        return of_organisation(seat.organisation)
    country = seat.buyer_country.strip().upper()
    return Buyer(
        name=seat.buyer_name.strip(),
        street=seat.buyer_street.strip(),
        postcode=seat.buyer_postcode.strip().upper(),
        city=seat.buyer_city.strip(),
        country=country,
        email=seat.buyer_email.strip().lower(),
        language="nl" if country in DUTCH_IS_SPOKEN else "en",
    )


def blocked_reason(
    buyer: Buyer, order_number: str, *, po_required: bool, po_spent: bool
) -> BlockedReason | None:
    """Give the first reason for which a document may not be sent (design 5.9)."""
    if vat.may_reverse(buyer.country, buyer.vat_id) and not buyer.vat_id_checked:
        return BlockedReason.VAT_ID_PENDING
    if po_required and not order_number:
        return BlockedReason.PO_MISSING
    if po_spent:
        return BlockedReason.PO_SPENT
    return None if buyer.is_complete() else BlockedReason.INCOMPLETE
