"""Documents of ours at Stripe that we do not know: the backup that we live on is older than they.

A run that is made again on such a backup drafts its documents anew, and so does the next one with
what the forgotten run billed. To push them would bill, or credit, a client twice.
"""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from django.utils.translation import gettext as _

from subscriptions import gateway
from subscriptions.models import DifferenceKind, Invoice, StripeDifference
from subscriptions.steps import DisagreementError

KEPT_MONTHS = 7 * 12  # retention may have erased what is older


def documents_of_buyer(invoice: Invoice, customer_id: str) -> list[gateway.Document]:
    """Return Stripe's invoices for the buyer of a document.

    A one-off buyer is another customer with each document, so its address tells who it is.
    """
    customers = {customer_id}
    if invoice.payer_id is None and invoice.buyer_email:
        customers |= {one.id for one in gateway.customers_with_email(invoice.buyer_email)}
    return [document for one in sorted(customers) for document in gateway.documents_of(one)]


def refuse_forgotten_invoice(invoice: Invoice, there: Iterable[gateway.Document]) -> None:
    """Raise DisagreementError where an invoice of ours is not known here, of whichever run.

    A later run bills also what an earlier one left unbilled, as it seems here.
    """
    kept = str(invoice.run_month - KEPT_MONTHS)
    _refuse_unknown(one for one in there if one.run >= kept and one.status != "draft")


def refuse_forgotten_credit(there: Iterable[gateway.CreditNote]) -> None:
    """Raise DisagreementError where a credit note of ours on the same invoice is not known here.

    Of whichever run: what is to be credited may be found anew by a later one.
    """
    _refuse_unknown(one for one in there if one.document)


def _refuse_unknown(ours: Iterable[gateway.Document | gateway.CreditNote]) -> None:
    for one in ours:
        if one.status != "void" and not (_is_known(one.document) or _is_cleared(one.id)):
            raise DisagreementError(
                _(
                    "Stripe has %(number)s for this client, which is not known here: "
                    "void it there, or enter it in the books and clear the difference."
                )
                % {"number": one.number}
            )


def _is_cleared(stripe_id: str) -> bool:
    """Tell whether somebody entered it in the books by hand, or dealt with it otherwise."""
    found = StripeDifference.objects.filter(kind=DifferenceKind.UNKNOWN_HERE, object_id=stripe_id)
    return found.exclude(cleared_because="").exists()


def _is_known(document_id: str) -> bool:
    try:
        return Invoice.objects.filter(pk=UUID(document_id)).exists()
    except ValueError:
        return False
