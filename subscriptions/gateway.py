"""Stripe: the only module that talks to it, and the only one that knows its classes.

What goes out are the frozen bodies of `subscriptions.bodies`; what comes back are the frozen
dataclasses below, money in cents, moments in UTC. Key, address and API version come from the
settings: whether Stripe or a stand-in answers is not known here.

Every function may raise the errors below. Those of reading never leave anything behind.
"""

from __future__ import annotations

import datetime as dt
import json
import time
from collections.abc import Container, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, cast

import stripe
from django.conf import settings

if TYPE_CHECKING:
    from stripe._base_address import BaseAddresses
    from stripe.params import (
        CustomerCreateParams,
        CustomerUpdateParams,
        InvoiceAddLinesParams,
        InvoiceCreateParams,
        InvoiceFinalizeInvoiceParams,
    )

Body = Mapping[str, Any]

TIMEOUT_SECONDS = (5, 30)  # to connect, to answer
SIGNATURE_TOLERANCE_SECONDS = 300
LONGEST_PAGE = 100


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


# The first that fits; any other status leaves it open whether something happened.
KINDS_OF_ERROR: tuple[tuple[Container[int], type[GatewayError]], ...] = (
    ({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}, MisconfiguredError),
    ({HTTPStatus.CONFLICT, HTTPStatus.TOO_MANY_REQUESTS}, BusyError),
    ({HTTPStatus.NOT_FOUND}, MissingError),
    ({HTTPStatus.NOT_IMPLEMENTED}, RefusedError),
    (range(HTTPStatus.BAD_REQUEST, HTTPStatus.INTERNAL_SERVER_ERROR), RefusedError),
)


class ForgedError(Exception):
    """A webhook without a valid signature of the last few minutes."""


@dataclass(frozen=True)
class Customer:
    id: str
    organisation: str  # our id, from the metadata
    livemode: bool


@dataclass(frozen=True)
class Tax:
    amount_cents: int
    taxable_cents: int
    reason: str


@dataclass(frozen=True)
class Line:
    line: str  # our id, from the metadata
    description: str
    net_cents: int
    taxes: tuple[Tax, ...]


@dataclass(frozen=True)
class Document:
    """An invoice as it stands at Stripe; its lines are read by `lines_of`."""

    id: str
    document: str  # our id, from the metadata
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
    finalized_at: dt.datetime | None
    due_at: dt.datetime | None
    paid_at: dt.datetime | None


@dataclass(frozen=True)
class Event:
    """What is kept of an event: enough to fetch its object."""

    id: str
    type: str
    api_version: str
    livemode: bool
    object_id: str
    created_at: dt.datetime


def is_live() -> bool:
    """Whether the key that is set moves real money."""
    return settings.STRIPE_API_KEY.startswith(("sk_live_", "rk_live_"))


def create_customer(body: Body, key: str) -> Customer:
    with _errors_translated():
        return _customer(
            _client().v1.customers.create(
                cast("CustomerCreateParams", dict(body)), {"idempotency_key": key}
            )
        )


def update_customer(stripe_id: str, body: Body, key: str) -> Customer:
    """Make the customer equal to the body of its creation, tax ids included.

    What the body leaves out is emptied. Safe to repeat from any point on.
    """
    wanted = [(item["type"], item["value"]) for item in body.get("tax_id_data", [])]
    given = {name: value for name, value in body.items() if name != "tax_id_data"}
    given.setdefault("email", "")
    with _errors_translated():
        customers = _client().v1.customers
        updated = customers.update(
            stripe_id, cast("CustomerUpdateParams", given), {"idempotency_key": key}
        )
        kept = customers.tax_ids.list(stripe_id, {"limit": LONGEST_PAGE})
        for tax_id in kept.auto_paging_iter():
            if (tax_id.type, tax_id.value) in wanted:
                wanted.remove((tax_id.type, tax_id.value))
            else:
                customers.tax_ids.delete(stripe_id, tax_id.id)
        for number, (kind, value) in enumerate(wanted):
            customers.tax_ids.create(
                stripe_id,
                {"type": kind, "value": value},
                {"idempotency_key": f"{key}-tax-id-{number}"},
            )
        return _customer(updated)


def customers_with_email(email: str) -> Iterator[Customer]:
    """Yield the customers with exactly this address; all of them where it is empty."""
    with _errors_translated():
        found = _client().v1.customers.list(
            {"limit": LONGEST_PAGE, **({"email": email} if email else {})}
        )
        for customer in found.auto_paging_iter():
            yield _customer(customer)


def create_draft(body: Body, key: str) -> Document:
    with _errors_translated():
        return _document(
            _client().v1.invoices.create(
                cast("InvoiceCreateParams", dict(body)), {"idempotency_key": key}
            )
        )


def add_lines(stripe_id: str, body: Body, key: str) -> Document:
    """Add all lines or none."""
    with _errors_translated():
        return _document(
            _client().v1.invoices.add_lines(
                stripe_id, cast("InvoiceAddLinesParams", dict(body)), {"idempotency_key": key}
            )
        )


def read(stripe_id: str) -> Document:
    with _errors_translated():
        return _document(_client().v1.invoices.retrieve(stripe_id))


def lines_of(stripe_id: str) -> tuple[Line, ...]:
    """Read every line: an invoice itself shows but the first few."""
    with _errors_translated():
        found = _client().v1.invoices.line_items.list(stripe_id, {"limit": LONGEST_PAGE})
        return tuple(_line(line) for line in found.auto_paging_iter())


def documents_of(customer_id: str) -> Iterator[Document]:
    """Yield all invoices of a customer, drafts included.

    A list, because Stripe's search runs behind what was written.
    """
    with _errors_translated():
        found = _client().v1.invoices.list({"customer": customer_id, "limit": LONGEST_PAGE})
        for invoice in found.auto_paging_iter():
            yield _document(invoice)


def finalize(stripe_id: str, body: Body, key: str) -> Document:
    with _errors_translated():
        return _document(
            _client().v1.invoices.finalize_invoice(
                stripe_id,
                cast("InvoiceFinalizeInvoiceParams", dict(body)),
                {"idempotency_key": key},
            )
        )


def send(stripe_id: str, key: str) -> Document:
    """Have Stripe mail the invoice; its test mode sends no mail."""
    with _errors_translated():
        return _document(
            _client().v1.invoices.send_invoice(stripe_id, {}, {"idempotency_key": key})
        )


def delete_draft(stripe_id: str) -> None:
    """Delete a draft; one that is gone already is fine."""
    try:
        with _errors_translated():
            _client().v1.invoices.delete(stripe_id)
    except MissingError:
        return


def events_since(moment: dt.datetime, kind: str) -> Iterator[Event]:
    """Yield the events of one kind created at or after a moment, the newest first."""
    with _errors_translated():
        found = _client().v1.events.list(
            {
                "type": kind,
                "created": {"gte": int(moment.timestamp())},
                "limit": LONGEST_PAGE,
            }
        )
        for event in found.auto_paging_iter():
            yield _event(event.to_dict())


def read_webhook(payload: bytes, signature: str) -> Event:
    """Return the event of a webhook's raw body; raises ForgedError for anything else.

    Stripe's library lets signatures from the future pass; a clock that is more than a few
    minutes off is refused here.
    """
    try:
        stripe.WebhookSignature.verify_header(
            payload, signature, settings.STRIPE_WEBHOOK_SECRET, SIGNATURE_TOLERANCE_SECONDS
        )
        signed_at = next(int(part[2:]) for part in signature.split(",") if part.startswith("t="))
        if signed_at > time.time() + SIGNATURE_TOLERANCE_SECONDS:
            raise ForgedError
        return _event(json.loads(payload))
    except (stripe.SignatureVerificationError, ValueError, KeyError, TypeError) as error:
        raise ForgedError from error


def _client() -> stripe.StripeClient:
    return _client_for(
        settings.STRIPE_API_KEY, settings.STRIPE_API_BASE, settings.STRIPE_API_VERSION
    )


@lru_cache(maxsize=4)
def _client_for(key: str, base: str, version: str) -> stripe.StripeClient:
    """Build the client for these settings; it keeps its connections between calls."""
    if not key:
        raise MisconfiguredError("no_api_key")
    if version != stripe.api_version:
        raise MisconfiguredError("other_api_version")
    # All of them, so that nothing can leave for Stripe where another address is set.
    addresses: BaseAddresses = (
        {"api": base, "files": base, "connect": base, "meter_events": base} if base else {}
    )
    return stripe.StripeClient(
        key,
        stripe_version=version,
        base_addresses=addresses,
        max_network_retries=2,
        http_client=stripe.RequestsClient(timeout=TIMEOUT_SECONDS),
    )


@contextmanager
def _errors_translated() -> Iterator[None]:
    """Raise our own errors, cut off from Stripe's, whose texts repeat what was sent."""
    try:
        yield
    except stripe.StripeError as error:
        raise _translated(error) from None


def _translated(error: stripe.StripeError) -> GatewayError:
    status = error.http_status or 0
    code = error.code or (error.error and error.error.code) or type(error).__name__
    if isinstance(error, stripe.APIConnectionError):
        return UnknownOutcomeError("no_answer", is_final=False)
    for statuses, kind in KINDS_OF_ERROR:
        if status in statuses:
            return kind(code)
    replayed = (error.headers or {}).get("idempotent-replayed") == "true"
    return UnknownOutcomeError(code, is_final=replayed)


def _customer(customer: stripe.Customer) -> Customer:
    metadata = customer.metadata.to_dict() if customer.metadata else {}
    return Customer(customer.id, metadata.get("organisation", ""), customer.livemode)


def _line(line: stripe.InvoiceLineItem) -> Line:
    return Line(
        line.metadata.to_dict().get("line", ""),
        line.description or "",
        line.amount,
        tuple(
            Tax(tax.amount, tax.taxable_amount or 0, tax.taxability_reason)
            for tax in line.taxes or []
        ),
    )


def _document(invoice: stripe.Invoice) -> Document:
    given = invoice.to_dict()
    return Document(
        id=given["id"],
        document=(given["metadata"] or {}).get("document", ""),
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
        finalized_at=_moment(given["status_transitions"]["finalized_at"]),
        due_at=_moment(given["due_date"]),
        paid_at=_moment(given["status_transitions"]["paid_at"]),
    )


def _buyer(given: Body) -> dict[str, str]:
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


def _event(given: Body) -> Event:
    return Event(
        id=given["id"],
        type=given["type"],
        api_version=given.get("api_version") or "",
        livemode=given["livemode"],
        object_id=given["data"]["object"].get("id") or "",
        created_at=dt.datetime.fromtimestamp(given["created"], dt.UTC),
    )


def _moment(seconds: int | None) -> dt.datetime | None:
    return None if seconds is None else dt.datetime.fromtimestamp(seconds, dt.UTC)
