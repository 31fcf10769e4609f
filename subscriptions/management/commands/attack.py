"""attack: derive what an employer can know from everything ever released to it."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser
from django.utils.translation import gettext as _

from agency import commands
from agency.models import Organisation
from subscriptions.attack import Attack, report
from subscriptions.attack.released import everything
from subscriptions.attack.schedules import search
from subscriptions.attack.verdict import judge
from subscriptions.statements import thresholds


class Command(commands.Command):
    help = "Derive what an employer can know from everything ever released to it."

    def add_arguments(self, parser: CommandParser) -> None:
        self.add_json(parser)
        parser.add_argument(
            "--search",
            type=int,
            metavar="N",
            help="instead, let an employer choose: try N schedules of headcounts, tier changes, "
            "cards, ends and new starts over three years",
        )
        parser.add_argument(
            "--seed", type=int, default=1, help="another seed tries other schedules (default: 1)"
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        tries = options["search"]
        if tries is not None and tries < 1:
            self.give_up(_("--search takes a number of schedules, from 1 on."))
        policy = thresholds()
        done = Attack()
        if tries is None:
            total = Organisation.objects.count()
            for released in self.shown(everything(), _("Attacking"), total=total):
                done.add(released, judge(released))
        else:
            chosen = search(tries, options["seed"], policy)
            for tried in self.shown(chosen, _("Attacking"), total=tries):
                done.add(tried.released, tried.finding)
        if options["json"]:
            self.print_json({"organisations": done.organisations, "proven": _plain(done)})
        else:
            self.stdout.write(report.report(done, policy, chosen=tries is not None))
        self.say(
            _("%(organisations)d organisations, %(proven)d findings.")
            % {"organisations": done.organisations, "proven": len(done.proven)}
        )
        if done.proven:
            self.end_with_bad_news()


def _plain(done: Attack) -> list[dict[str, Any]]:
    return [
        {
            "organisation": proven.organisation,
            "months": [str(proven.months.from_month), str(proven.months.until)],
            "what": report.what(proven),
        }
        for proven in done.proven
    ]
