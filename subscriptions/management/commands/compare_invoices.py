"""compare_invoices FILE.xlsx: what our rules would have billed, beside what was really sent."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from agency import commands
from agency.templatetags.figures import euro
from subscriptions import comparison
from subscriptions.comparison import Comparison, Difference
from subscriptions.intake import sent
from subscriptions.intake.findings import Finding


class Command(commands.Command):
    help = "Compare invoices of past months with what our rules would have billed; writes nothing."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, metavar="FILE.xlsx")
        self.add_json(parser)

    def handle(self, *_args: Any, **options: Any) -> None:
        try:
            invoices, problems = sent.read(options["file"])
        except sent.NoFileError as error:
            self.give_up(error)
        compared = comparison.compare(invoices)
        if options["json"]:
            self.print_json(_plain(compared, problems))
        else:
            for finding in problems:
                self.stderr.write(_place(finding))
            for one in compared.differences:
                self.stdout.write(_line(one))
        for code, reason in compared.failures:
            self.stderr.write(f"{code}: {reason}")
        self.say(_summary(compared, problems))
        if problems or compared.differences or compared.failures:
            self.end_with_bad_news()


def _plain(compared: Comparison, problems: list[Finding]) -> dict[str, Any]:
    return {
        "compared": compared.compared,
        "differences": [{**asdict(one), "month": str(one.month)} for one in compared.differences],
        "failures": [
            {"organisation": code, "reason": reason} for code, reason in compared.failures
        ],
        "problems": [asdict(finding) for finding in problems],
    }


def _place(finding: Finding) -> str:
    place = [str(part) for part in (finding.sheet, finding.row, finding.column) if part]
    return f"{' '.join(place)}: {finding.message}" if place else finding.message


def _line(one: Difference) -> str:
    return _("%(code)s %(month)s: sent %(sent)s, here %(here)s: %(rule)s (%(numbers)s)") % {
        "code": one.organisation,
        "month": one.month,
        "sent": euro(one.sent.net_cents + one.sent.vat_cents),
        "here": euro(one.here.net_cents + one.here.vat_cents),
        "rule": comparison.rule_word(one.rule),
        "numbers": ", ".join(one.numbers) or "–",
    }


def _summary(compared: Comparison, problems: list[Finding]) -> str:
    if problems:
        count = len(problems)
        return ngettext(
            "%(count)d problem; nothing was compared.",
            "%(count)d problems; nothing was compared.",
            count,
        ) % {"count": count}
    return _("Months of clients compared: %(compared)d, of which different: %(different)d.") % {
        "compared": compared.compared,
        "different": len(compared.differences),
    }
