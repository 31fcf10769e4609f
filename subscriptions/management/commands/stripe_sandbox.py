"""Start the local stand-in for Stripe."""

import signal
import threading
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from subscriptions.sandbox.errors import ApiError
from subscriptions.sandbox.server import Sandbox
from subscriptions.sandbox.webhooks import ensure


class Command(BaseCommand):
    help = "Start a local stand-in for Stripe, on loopback only, until it is interrupted."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--port", type=int, default=12111, help="0 takes a free port")
        parser.add_argument("--state", metavar="FILE", help="keep what happens in this file")
        parser.add_argument("--webhook", metavar="URL", help="deliver every event to this address")
        parser.add_argument(
            "--webhook-secret", metavar="SECRET", default="", help="sign the deliveries with it"
        )

    def handle(self, **options: Any) -> None:
        if settings.ENVIRONMENT == "live":
            raise CommandError("The sandbox does not run where ENVIRONMENT is live.")
        if options["webhook"] and not options["webhook_secret"]:
            raise CommandError("--webhook needs --webhook-secret.")
        try:
            sandbox = Sandbox(options["port"], options["state"] or ":memory:")
        except OSError as error:
            raise CommandError(f"Port {options['port']} cannot be used: {error}") from error
        if options["webhook"]:
            self.register(sandbox, options["webhook"], options["webhook_secret"])
        self.stdout.write(f"Stripe sandbox at {sandbox.base_url} (Ctrl-C ends it)")
        self.stdout.flush()
        signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=sandbox.shutdown).start())
        try:
            sandbox.serve_forever(poll_interval=0.1)
        except KeyboardInterrupt:
            self.stdout.write("Stopped.")
        sandbox.server_close()

    def register(self, sandbox: Sandbox, url: str, secret: str) -> None:
        try:
            ensure(sandbox.state, url, secret)
        except ApiError as error:
            raise CommandError(f"--webhook {url}: {error}") from error
