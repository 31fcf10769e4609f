"""vies_sandbox: start the local stand-in for VIES."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import CommandParser
from django.utils.translation import gettext as _

from agency import commands
from agency.vies_sandbox import ViesSandbox


class Command(commands.Command):
    help = "Start a local stand-in for VIES, on loopback only, until it is interrupted."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--port", type=int, default=12112, help="0 takes a free port")

    def handle(self, *_args: Any, **options: Any) -> None:
        if settings.ENVIRONMENT == "live":
            self.give_up(_("The sandbox does not run where ENVIRONMENT is live."))
        try:
            server = ViesSandbox(options["port"])
        except (OSError, OverflowError) as error:
            words = {"port": options["port"], "why": error}
            self.give_up(_("Port %(port)s cannot be used: %(why)s") % words)
        with server:
            self.stdout.write(_("VIES sandbox at %s. Ctrl-C ends it.") % server.base_url)
            self.stdout.flush()
            try:
                server.serve_forever(poll_interval=0.1)
            except KeyboardInterrupt:
                self.stdout.write(_("Stopped."))
