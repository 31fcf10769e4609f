"""stripe_sandbox: start the local stand-in for Stripe."""

from __future__ import annotations

import signal
import sqlite3
import threading
from typing import Any

from django.conf import settings
from django.core.management.base import CommandParser
from django.utils.translation import gettext as _

from agency import commands
from subscriptions.sandbox.errors import ApiError
from subscriptions.sandbox.server import Sandbox
from subscriptions.sandbox.webhooks import ensure


class Command(commands.Command):
    help = "Start a local stand-in for Stripe, on loopback only, until it is interrupted."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--port", type=int, default=12111, help="0 takes a free port")
        parser.add_argument(
            "--state", metavar="FILE", default=":memory:", help="keep what happens in this file"
        )
        parser.add_argument("--webhook", metavar="URL", help="deliver every event to this address")
        parser.add_argument(
            "--webhook-secret", metavar="SECRET", default="", help="sign the deliveries with it"
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        if settings.ENVIRONMENT == "live":
            self.give_up(_("The sandbox does not run where ENVIRONMENT is live."))
        if bool(options["webhook"]) != bool(options["webhook_secret"]):
            self.give_up(_("--webhook and --webhook-secret go together."))
        sandbox = self.open(options["port"], options["state"])
        try:
            if options["webhook"]:
                self.register(sandbox, options["webhook"], options["webhook_secret"])
            self.serve(sandbox)
        finally:
            sandbox.close()

    def open(self, port: int, state: str) -> Sandbox:
        try:
            return Sandbox(port, state)
        except (OSError, OverflowError) as error:
            self.give_up(_("Port %(port)s cannot be used: %(why)s") % {"port": port, "why": error})
        except sqlite3.Error as error:
            self.give_up(
                _("The file %(file)s cannot be used: %(why)s") % {"file": state, "why": error}
            )

    def register(self, sandbox: Sandbox, url: str, secret: str) -> None:
        try:
            ensure(sandbox.state, url, secret)
        except ApiError as error:
            self.give_up(f"--webhook {url}: {error}")

    def serve(self, sandbox: Sandbox) -> None:
        """Serve until Ctrl-C or a request to end; `shutdown` waits, so another thread asks."""
        signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=sandbox.shutdown).start())
        self.stdout.write(
            _("Stripe sandbox at %s. Ctrl-C ends it.") % sandbox.base_url, ending="\n"
        )
        self.stdout.flush()
        try:
            sandbox.serve_forever(poll_interval=0.1)
        except KeyboardInterrupt:
            self.stdout.write(_("Stopped."))
