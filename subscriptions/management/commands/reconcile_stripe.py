"""reconcile_stripe: compare our documents with Stripe's and set right what can be."""

from __future__ import annotations

import datetime as dt
from argparse import ArgumentTypeError
from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone
from django.utils.translation import gettext as _

from agency import commands
from subscriptions import gateway, reconcile
from subscriptions.models import StripeDifference


def day(text: str) -> dt.date:
    """Read a day on the command line."""
    try:
        return dt.date.fromisoformat(text)
    except ValueError as error:
        raise ArgumentTypeError(f"{text!r} is no day: give it as YYYY-MM-DD") from error


class Command(commands.Command):
    help = "Compare our documents with Stripe's, set right what can be, list the rest."

    def add_arguments(self, parser: CommandParser) -> None:
        self.add_json(parser)
        parser.add_argument(
            "--since",
            type=day,
            metavar="YYYY-MM-DD",
            help="compare what was made from this day on (default: the last 40 days)",
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        now = timezone.now()
        if options["since"] and options["since"] > timezone.localdate(now):
            self.give_up(_("--since lies in the future."))
        try:
            done = reconcile.reconcile(at=now, since=options["since"])
        except gateway.MisconfiguredError as error:
            self.give_up(_("Stripe does not accept the settings: %s.") % error.code)
        except gateway.GatewayError as error:
            self.stderr.write(_("Stripe could not be read: %s. Try again later.") % error.code)
            self.end_with_bad_news()
        self.tell(done, as_json=options["json"])

    def tell(self, done: reconcile.Comparison, *, as_json: bool) -> None:
        differences = list(reconcile.waiting())
        if as_json:
            self.print_json(
                {
                    "compared": done.compared,
                    "repaired": [
                        {"what": repair.what, "object": repair.object_id}
                        for repair in done.repaired
                    ],
                    "differences": [as_plain(difference) for difference in differences],
                }
            )
        self.say(
            _("%(compared)d compared, %(repaired)d repaired, %(differences)d to be looked at.")
            % {
                "compared": done.compared,
                "repaired": len(done.repaired),
                "differences": len(differences),
            }
        )
        for difference in differences:
            self.stderr.write(f"{difference}. {reconcile.suggestion(difference)}")
        if done.failed:
            self.stderr.write(_("Messages of Stripe that could not be handled: %d.") % done.failed)
        if differences or done.failed:
            self.end_with_bad_news()


def as_plain(difference: StripeDifference) -> dict[str, str | None]:
    return {
        "kind": difference.kind,
        "object": difference.object_id,
        "invoice": str(difference.invoice_id) if difference.invoice_id else None,
        "found_on": difference.found_on.isoformat(),
        "suggestion": reconcile.suggestion(difference),
    }
