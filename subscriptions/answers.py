"""What Stripe's answers become: frozen, money in cents, moments in UTC; and what can go wrong.

Made of plain mappings: the library's own classes end in `subscriptions.gateway`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Given = Mapping[str, Any]


class GatewayError(Exception):
    """Something kept Stripe from doing what was asked; ``code`` names it, without anyone's data."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class RefusedError(GatewayError):
    """Stripe understood and refused: nothing happened, and asking again changes nothing."""


class MissingError(RefusedError):
    """Stripe does not know the object that was asked for."""


class BusyError(GatewayError):
    """Stripe asked to come back later; nothing happened."""


class MisconfiguredError(GatewayError):
    """The settings do not fit Stripe: no key, a wrong key, another API version."""


class UnknownOutcomeError(GatewayError):
    """It may or may not have happened.

    ``is_final`` means that Stripe has finished with the request and will give this answer to
    everyone who repeats its key: only looking tells then what happened.
    """

    def __init__(self, code: str, *, is_final: bool) -> None:
        super().__init__(code)
        self.is_final = is_final


class ForgedError(Exception):
    """A webhook without a valid signature of the last few minutes."""


@dataclass(frozen=True)
class Customer:
    id: str
    organisation: str  # our id, from the metadata
    livemode: bool
    is_deleted: bool = False


@dataclass(frozen=True)
class Tax:
    amount_cents: int
    taxable_cents: int
    reason: str
    rate_id: str = field(default="", compare=False)  # Stripe's, which a credit note names


@dataclass(frozen=True)
class Line:
    line: str  # our id, from the metadata
    description: str
    net_cents: int
    taxes: tuple[Tax, ...]
    id: str = field(default="", compare=False)


@dataclass(frozen=True)
class Document:
    """An invoice as it stands at Stripe; its lines are read by `lines_of`."""

    id: str
    document: str  # our id, from the metadata
    run: str  # the month of our run, from the metadata
    status: str  # draft, open, paid, void, uncollectible, or one that Stripe adds
    livemode: bool
    customer_id: str
    currency: str
    net_cents: int
    vat_cents: int
    total_cents: int
    collection_method: str
    attempts: int
    buyer: Mapping[str, str]
    fields: Mapping[str, str]
    number: str
    hosted_url: str
    pdf_url: str
    created_at: dt.datetime
    finalized_at: dt.datetime | None
    due_at: dt.datetime | None
    paid_at: dt.datetime | None
    remaining_cents: int
    paid_elsewhere_cents: int  # told to Stripe, not received by it
    goes_on: bool  # Stripe debits and reminds by itself


@dataclass(frozen=True)
class CreditNote:
    """A credit note as it stands at Stripe, in positive amounts; a preview has no number."""

    id: str
    document: str  # our id, from the metadata
    invoice_id: str
    status: str  # issued, void, or one that Stripe adds
    livemode: bool
    currency: str
    net_cents: int
    vat_cents: int
    total_cents: int
    number: str
    pdf_url: str
    created_at: dt.datetime
    refund_ids: tuple[str, ...]


@dataclass(frozen=True)
class Refund:
    """Money that went back to a client."""

    id: str
    status: str  # pending, succeeded, failed, canceled, or one that Stripe adds
    payment_intent: str
    created_at: dt.datetime


@dataclass(frozen=True)
class Dispute:
    """A payment that the client, or its bank, takes back."""

    id: str
    status: str  # needs_response, under_review, won, lost, prevented, or as an inquiry: warning_
    payment_intent: str
    created_at: dt.datetime


@dataclass(frozen=True)
class Event:
    """What is kept of an event: enough to fetch its object."""

    id: str
    type: str
    api_version: str
    livemode: bool
    object_id: str
    created_at: dt.datetime
    account: str = ""  # another one than ours, whose events Stripe was asked to pass on


def customer(given: Given, *, livemode: bool) -> Customer:
    """Read a customer; one that was deleted names no mode, and is of the key's."""
    return Customer(
        given["id"],
        (given.get("metadata") or {}).get("organisation", ""),
        given.get("livemode", livemode),
        is_deleted=given.get("deleted", False),
    )


def line(given: Given) -> Line:
    return Line(
        given["metadata"].get("line", ""),
        given["description"] or "",
        given["amount"],
        tuple(_tax(tax) for tax in given["taxes"] or []),
        given["id"],
    )


def _tax(given: Given) -> Tax:
    return Tax(
        given["amount"],
        given["taxable_amount"] or 0,
        given["taxability_reason"],
        (given["tax_rate_details"] or {}).get("tax_rate", ""),
    )


def document(given: Given) -> Document:
    return Document(
        id=given["id"],
        document=(given["metadata"] or {}).get("document", ""),
        run=(given["metadata"] or {}).get("run", ""),
        status=given["status"] or "",
        livemode=given["livemode"],
        customer_id=given["customer"],
        currency=given["currency"],
        net_cents=given["subtotal"],
        vat_cents=sum(tax["amount"] for tax in given["total_taxes"] or []),
        total_cents=given["total"],
        collection_method=given["collection_method"],
        attempts=given["attempt_count"],
        buyer=_buyer(given),
        fields={field["name"]: field["value"] for field in given["custom_fields"] or []},
        number=given["number"] or "",
        hosted_url=given.get("hosted_invoice_url") or "",
        pdf_url=given.get("invoice_pdf") or "",
        created_at=dt.datetime.fromtimestamp(given["created"], dt.UTC),
        finalized_at=_moment(given["status_transitions"]["finalized_at"]),
        due_at=_moment(given["due_date"]),
        paid_at=_moment(given["status_transitions"]["paid_at"]),
        remaining_cents=given["amount_remaining"],
        paid_elsewhere_cents=given.get("amount_paid_off_stripe") or 0,
        goes_on=given.get("auto_advance") or False,
    )


def credit_note(given: Given) -> CreditNote:
    return CreditNote(
        id=given["id"],
        document=(given["metadata"] or {}).get("document", ""),
        invoice_id=given["invoice"],
        status=given["status"],
        livemode=given["livemode"],
        currency=given["currency"],
        net_cents=given["subtotal"],
        vat_cents=sum(tax["amount"] for tax in given["total_taxes"] or []),
        total_cents=given["total"],
        number=given["number"] or "",
        pdf_url=given["pdf"] or "",
        created_at=dt.datetime.fromtimestamp(given["created"], dt.UTC),
        refund_ids=tuple(item["refund"] for item in given["refunds"]),
    )


def _buyer(given: Given) -> dict[str, str]:
    """Return name, e-mail, address and tax ids under the names that a customer's body has."""
    address = given["customer_address"] or {}
    tax_ids = sorted(item["value"] or "" for item in given["customer_tax_ids"] or [])
    return {
        "name": given["customer_name"] or "",
        "email": given["customer_email"] or "",
        "line1": address.get("line1") or "",
        "postal_code": address.get("postal_code") or "",
        "city": address.get("city") or "",
        "country": address.get("country") or "",
        "tax_ids": " ".join(tax_ids),
    }


def event(given: Given) -> Event:
    return Event(
        id=given["id"],
        type=given["type"],
        api_version=given.get("api_version") or "",
        livemode=given["livemode"],
        object_id=given["data"]["object"].get("id") or "",
        created_at=dt.datetime.fromtimestamp(given["created"], dt.UTC),
        account=given.get("account") or "",
    )


def dispute(given: Given) -> Dispute:
    return Dispute(
        id=given["id"],
        status=given["status"],
        payment_intent=given["payment_intent"] or "",
        created_at=dt.datetime.fromtimestamp(given["created"], dt.UTC),
    )


def refund(given: Given) -> Refund:
    return Refund(
        id=given["id"],
        status=given["status"] or "",
        payment_intent=given["payment_intent"] or "",
        created_at=dt.datetime.fromtimestamp(given["created"], dt.UTC),
    )


def _moment(seconds: int | None) -> dt.datetime | None:
    return None if seconds is None else dt.datetime.fromtimestamp(seconds, dt.UTC)
