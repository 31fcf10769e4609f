"""bill YYYY-MM: draft the invoices of a run."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.core.management.base import CommandParser
from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from advisors import hours
from agency import commands, vat_ids
from agency.month import Month
from agency.templatetags.figures import euro
from agency.today import today
from subscriptions import billing, jobs
from subscriptions.models import Invoice, InvoiceState, JobKind


class Command(commands.Command):
    help = "Draft the invoices of a closed month's run."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("month", type=commands.month, metavar="YYYY-MM")
        parser.add_argument("--dry-run", action="store_true", help="work it out and write nothing")
        parser.add_argument("--approve", action="store_true", help="approve the drafts for sending")
        parser.add_argument("--organisation", metavar="CODE", help="with --ahead: the new client")
        parser.add_argument(
            "--ahead",
            action="store_true",
            help="draft one new client's fee, set-up and cards before the month is closed",
        )
        self.add_json(parser)

    def handle(self, *_args: Any, **options: Any) -> None:
        month: Month = options["month"]
        chosen = self.chosen(options["organisation"], ahead=options["ahead"])
        try:
            if options["ahead"]:
                billing.refuse_to_bill_ahead(month, on=today())
            if options["dry_run"]:
                done = self.rehearse(month, chosen, options)
            else:
                if rechecked := str(vat_ids.recheck(chosen, on=today())):
                    self.say(rechecked)
                done = self.draft(month, chosen, options)
        except billing.BillError as error:
            self.give_up(commands.sentence(error))
        if not done:
            self.end_with_bad_news()

    def chosen(self, code: str | None, *, ahead: bool) -> list[UUID] | None:
        if bool(code) != ahead:
            self.give_up(_("--organisation and --ahead go together."))
        return None if code is None else [row.pk for row in self.organisations(code)]

    def rehearse(self, month: Month, chosen: list[UUID] | None, options: dict[str, Any]) -> bool:
        """Do all of it and take it back, so that it says what the run would say."""
        if not options["ahead"] and not hours.is_closed(month):
            self.say(_("%(month)s is not closed: its overage is not in yet.") % {"month": month})
        self.say(_("A dry run: nothing of this is kept."))
        with transaction.atomic():
            done = self.draft(month, chosen, options)
            transaction.set_rollback(True)
        return done

    def draft(self, month: Month, chosen: list[UUID] | None, options: dict[str, Any]) -> bool:
        """Draft and tell; True when nothing is blocked and nobody was left out."""
        is_dry = options["dry_run"]
        run = billing.draft_run(month, chosen, ahead=options["ahead"], even_open=is_dry)
        if not options["ahead"]:
            jobs.record(JobKind.DRAFT, month, on=today())
        of_run = Invoice.objects.filter(run_month=month)
        if chosen is not None:
            of_run = of_run.filter(organisation__in=chosen)
        approved, refused = self.approve(of_run) if options["approve"] else (0, False)
        blocked = of_run.filter(state=InvoiceState.BLOCKED).count()
        self.tell(run, approved, blocked)
        if options["json"]:
            answer = {"month": str(month), "invoices": billing.of_run(month, chosen)}
            self.print_json(answer | ({"dry_run": True} if is_dry else {}))
        for code, reason in run.failures:
            self.stderr.write(f"{code}: {reason}")
        return not (blocked or run.failures or refused)

    def approve(self, of_run: QuerySet[Invoice]) -> tuple[int, bool]:
        """Approve what takes nobody's name; count it, and tell whether all was refused."""
        try:
            approved = billing.approve(of_run)
        except billing.BillError as unusual:
            self.stderr.write(commands.sentence(unusual))
            return 0, True
        if waiting := billing.for_two_people(of_run).count():
            self.say(_("Drafts that two people approve: %d.") % waiting)
        return approved, False

    def tell(self, run: billing.Run, approved: int, blocked: int) -> None:
        rows = [document.invoice_row for document in run.documents if document.invoice_row]
        drafted, settled = len(rows), len(run.documents) - len(rows)
        if not (run.documents or run.unblocked or approved):
            nothing = _("Run %(month)s: nothing is left to draft; nothing changed.")
            self.say(nothing % {"month": run.month})
            return
        self.say(
            _("Run %(month)s: %(drafted)d drafted, %(approved)d approved, %(blocked)d blocked.")
            % {"month": run.month, "drafted": drafted, "approved": approved, "blocked": blocked}
        )
        if rows:
            net_cents = sum(row["net_cents"] for row in rows)
            self.say(_("Drafted together: %s without VAT.") % euro(net_cents))
        if run.unblocked:
            self.say(_("Blocked before and worked out anew: %d.") % run.unblocked)
        if settled:
            self.say(_("Settled without a document, all lines being 0: %d.") % settled)
