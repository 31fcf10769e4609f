"""push_invoices: carry approved invoices to Stripe."""

from __future__ import annotations

from collections import Counter
from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone
from django.utils.translation import gettext as _

from agency import commands
from subscriptions import gateway, push
from subscriptions.models import Invoice, InvoiceState
from subscriptions.push import Outcome


class Command(commands.Command):
    help = "Carry approved invoices to Stripe; safe to repeat, safe to kill."

    def add_arguments(self, parser: CommandParser) -> None:
        self.add_json(parser)

    def handle(self, *_args: Any, **options: Any) -> None:
        ids = list(push.candidates().values_list("pk", flat=True))
        before = Invoice.objects.filter(state__in=InvoiceState.released).exclude(pk__in=ids)
        done = Counter({Outcome.ALREADY: before.count()})
        try:
            for pk in self.shown(ids, _("Pushing")):
                done[push.try_to_push(pk, at=timezone.now())] += 1
        except gateway.MisconfiguredError as error:
            self.give_up(_("Stripe does not accept the settings: %s.") % error.code)
        self.tell(done, as_json=options["json"])

    def tell(self, done: Counter[Outcome], *, as_json: bool) -> None:
        parked = Invoice.objects.filter(state=InvoiceState.PARKED) | push.unmailed()
        entries = [
            {
                "invoice": str(invoice.pk),
                "organisation": invoice.organisation.code if invoice.organisation else None,
                "because": invoice.parked_because,
            }
            for invoice in parked.select_related("organisation").order_by("run_month", "pk")
        ]
        counts = {
            outcome.value: done[outcome]
            for outcome in (Outcome.PUSHED, Outcome.ALREADY, Outcome.WAITING, Outcome.FAILED)
        }
        if as_json:
            # The next push goes on with what failed, as with what waits.
            waiting = {"waiting": counts["waiting"] + counts["failed"], "parked": entries}
            self.print_json({name: counts[name] for name in ("pushed", "already")} | waiting)
        self.say(
            _(
                "%(pushed)d pushed, %(already)d before, %(waiting)d waiting, %(parked)d parked,"
                " %(failed)d failed."
            )
            % (counts | {"parked": len(entries)})
        )
        for entry in entries:
            self.stderr.write(f"{entry['organisation'] or entry['invoice']}: {entry['because']}")
        if entries or done[Outcome.WAITING] or done[Outcome.FAILED]:
            self.end_with_bad_news()
