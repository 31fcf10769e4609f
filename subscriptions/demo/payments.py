"""How the demo's clients pay: most do, some are late, one bank refuses a debit."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request

from django_q.models import OrmQ

from agency.month import Month
from subscriptions.inbox import UNHANDLED
from subscriptions.models import Collection, Invoice, InvoiceState, StripeEvent

SETTLES_WITHIN_SECONDS = 60


class Clients:
    """Speaks to the control routes of Stripe's stand-in, as clients and their banks would act."""

    def __init__(self, base_url: str) -> None:
        self.base_url = base_url

    def set_clock(self, moment: float) -> None:
        self._post("/_sandbox/clock", {"now": int(moment)})

    def pay_for(self, month: Month, share: int) -> None:
        """Pay ``share`` of 12 invoices of a run; the first debit of the run is refused."""
        rows = Invoice.objects.filter(run_month=month, state=InvoiceState.OPEN)
        refused = False
        for position, invoice in enumerate(rows.order_by("organisation__code", "po_number")):
            if invoice.collection == Collection.SEPA and not refused:
                refused = True
                self._post(f"/_sandbox/fail_debit/{invoice.stripe_id}")
            elif position % 12 < share:
                self._post(f"/_sandbox/pay/{invoice.stripe_id}")

    def _post(self, path: str, body: dict[str, int] | None = None) -> None:
        request = urllib.request.Request(  # noqa: S310 - loopback
            self.base_url + path, data=json.dumps(body or {}).encode(), method="POST"
        )
        with urllib.request.urlopen(request, timeout=10):  # noqa: S310 - loopback
            pass


def wait_until_handled() -> bool:
    """Wait until every event that Stripe sent has had its effect; False when it takes too long."""
    until = time.monotonic() + SETTLES_WITHIN_SECONDS
    quiet = 0
    while time.monotonic() < until:
        waiting = StripeEvent.objects.filter(state__in=UNHANDLED).exists() or OrmQ.objects.exists()
        quiet = 0 if waiting else quiet + 1
        if quiet >= 4:  # noqa: PLR2004 - a courier may still be on the way: look a few times
            return True
        time.sleep(0.5)
    return False
