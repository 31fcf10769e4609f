"""demo: a sample agency with three months behind it, served on this machine."""

from __future__ import annotations

import datetime as dt
import json
import secrets
import shutil
import signal
import subprocess
import threading
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import CommandParser
from django.db import connection
from django.utils.translation import gettext as _

from agency import commands
from agency.models import Agency
from agency.month import AMSTERDAM, Month
from agency.vies_sandbox import ViesSandbox
from subscriptions.demo import sample
from subscriptions.demo.coming import make_coming
from subscriptions.demo.payments import Clients, wait_until_handled
from subscriptions.demo.people import (
    DOMAIN,
    give_clients,
    make_people,
    shown_of,
    submit_for_all,
)
from subscriptions.demo.processes import Processes, StartError, free_port
from subscriptions.models import Publication

FOLDER = settings.VAR_DIR / "demo"
# Each month, the day on which it is closed and billed, and how many of 12 invoices get paid.
MONTHS = (("2026-01", dt.date(2026, 2, 3), 11), ("2026-02", dt.date(2026, 3, 3), 8))
LAST_MONTH = ("2026-03", dt.date(2026, 4, 3), 3)
TODAY = dt.date(2026, 4, 14)
WEB_PORT, STRIPE_PORT = 8000, 12111
SILENT = "BE0721835200"  # of EDGE17 in the sample, which is not checked


class Command(commands.Command):
    help = "Load the sample agency, run January to March 2026, and serve it until interrupted."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--once", action="store_true", help="stop after the summary")
        parser.add_argument(
            "--reset", action="store_true", help="throw the demo away and begin anew"
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        if settings.ENVIRONMENT != "demo":
            self.give_up(_("The demo runs only where ENVIRONMENT is demo."))
        if not sample.is_free():
            self.give_up(
                _(
                    "The database %s holds something else than the sample agency; the demo leaves "
                    "it alone. Give it a DATABASE_URL of its own."
                )
                % sample.place()
            )
        signal.signal(signal.SIGTERM, lambda *_signal: _interrupt())
        if options["reset"]:
            self.reset()
        try:
            with (
                ViesSandbox() as self.vies,
                Processes(FOLDER, self.environment()) as processes,
            ):
                # Daily life has a member state that does not answer, and an invoice that waits.
                self.vies.answers = {SILENT: "MS_UNAVAILABLE"}
                threading.Thread(target=self.vies.serve_forever, daemon=True).start()
                self.run_months(processes)
                self.print_summary()
                if not options["once"]:
                    self.say(_("Ctrl-C ends the demo."))
                    signal.pause()
        except StartError as error:
            self.give_up(error)
        except subprocess.CalledProcessError as error:
            ended = {"command": " ".join(error.cmd[2:]), "status": error.returncode}
            self.give_up(_("%(command)s ended with status %(status)d.") % ended)
        except KeyboardInterrupt:
            self.say(_("The demo has ended; make demo takes it up again."))

    def reset(self) -> None:
        shutil.rmtree(FOLDER, ignore_errors=True)
        shutil.rmtree(settings.VAR_DIR / "mail", ignore_errors=True)
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
        else:
            connection.close()
            database = Path(connection.settings_dict["NAME"])
            for suffix in ("", "-wal", "-shm"):
                database.with_name(database.name + suffix).unlink(missing_ok=True)
            database.touch(mode=0o600)  # as the settings make it

    def environment(self) -> dict[str, str]:
        """Give the children their settings; password and secret are made once and kept."""
        FOLDER.mkdir(parents=True, exist_ok=True)
        kept = FOLDER / "secrets.json"
        if not kept.exists():
            kept.touch(mode=0o600)
            words = {"password": secrets.token_urlsafe(9), "webhook": secrets.token_hex(24)}
            kept.write_text(json.dumps(words))
        words = json.loads(kept.read_text())
        self.password = words["password"]
        self.web = f"http://127.0.0.1:{free_port(WEB_PORT)}"
        self.stripe_port = free_port(STRIPE_PORT)
        self.today = settings.TODAY or TODAY
        return {
            "ENVIRONMENT": "demo",
            "TODAY": self.today.isoformat(),
            "STRIPE_API_KEY": "sk_test_discreet0demo",
            "STRIPE_API_BASE": f"http://127.0.0.1:{self.stripe_port}",
            "STRIPE_WEBHOOK_SECRET": f"whsec_{words['webhook']}",
            "VIES_API_BASE": self.vies.base_url,
        }

    def run_months(self, processes: Processes) -> None:
        call_command("migrate", verbosity=0)
        call_command("sync_schedules")
        if not Agency.objects.exists():
            processes.run("import_agency", str(sample.SAMPLE))
        self.start(processes)
        clients = Clients(processes.environment["STRIPE_API_BASE"])
        for text, on, share in (*MONTHS, LAST_MONTH):
            month = Month.parse(text)
            if not Publication.objects.filter(month=month).exists():
                self.run_month(processes, clients, month, on, share)
        clients.set_clock(_noon(self.today))
        contact = make_people(self.password)
        self.clients = give_clients(contact, month, on=self.today)
        make_coming(self.clients, contact, self.today)
        if not wait_until_handled():
            self.say(_("Events are still waiting; see %s.") % processes.log("queue"))
        processes.run("export_utilisation", str(month), "--out", str(FOLDER / "workbooks"))

    def start(self, processes: Processes) -> None:
        environment = processes.environment
        processes.start(
            *("stripe", "manage.py", "stripe_sandbox", "--port", str(self.stripe_port)),
            *("--state", str(FOLDER / "stripe.sqlite3")),
            *("--webhook", f"{self.web}/stripe/webhook/"),
            *("--webhook-secret", environment["STRIPE_WEBHOOK_SECRET"]),
        )
        processes.start("queue", "manage.py", "qcluster")
        processes.start(
            *("web", "-m", "gunicorn", "agency.wsgi", "--threads", "4", "--no-control-socket"),
            *("--bind", self.web.removeprefix("http://")),
        )
        processes.wait_for("stripe", environment["STRIPE_API_BASE"])
        processes.wait_for("web", f"{self.web}/healthz")

    def run_month(
        self, processes: Processes, clients: Clients, month: Month, on: dt.date, share: int
    ) -> None:
        clients.set_clock(_noon(on))
        submit_for_all(month)
        processes.run("close_month", str(month), TODAY=on.isoformat())
        processes.run("bill", str(month), "--approve", TODAY=on.isoformat())
        processes.run("push_invoices", TODAY=on.isoformat())
        wait_until_handled()
        clients.set_clock(_noon(on + dt.timedelta(days=8)))
        clients.pay_for(month, share)
        wait_until_handled()

    def print_summary(self) -> None:
        month = Month.parse(LAST_MONTH[0])
        shown = ((row.legal_name, shown_of(row, month, on=self.today)) for row in self.clients)
        said = _(
            "\n"
            "The demo's day is %(day)s. January to March 2026 are closed and billed.\n"
            "\n"
            "  staff      %(web)s/admin/   planner@, controller@, admin@ or auditor@%(domain)s\n"
            "  client     %(web)s/portal/  contact@%(domain)s (codes by mail: var/mail/*.eml)\n"
            "%(clients)s\n"
            "  advisor    %(web)s/hours/   advisor@%(domain)s\n"
            "  password   %(password)s   (the same for all)\n"
            "  Stripe     http://127.0.0.1:%(stripe)d/  (a stand-in, with pay pages)\n"
            "  workbooks  var/demo/workbooks/\n"
            "  logs       var/demo/*.log\n"
        )
        told = {
            "day": self.today,
            "web": self.web,
            "domain": DOMAIN,
            "clients": "\n".join(f"               {name}: {words}" for name, words in shown),
            "password": self.password,
            "stripe": self.stripe_port,
        }
        self.stdout.write(said % told)


def _noon(day: dt.date) -> float:
    return dt.datetime.combine(day, dt.time(12), AMSTERDAM).timestamp()


def _interrupt() -> None:
    raise KeyboardInterrupt
