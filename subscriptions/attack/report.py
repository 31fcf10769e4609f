"""What an attack found, as text that a works council can read, in the active language."""

from __future__ import annotations

from collections.abc import Iterator
from textwrap import fill
from typing import TYPE_CHECKING

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from agency.templatetags.figures import hours
from subscriptions.agreements import ALL_IN
from subscriptions.attack.bounds import Interval
from subscriptions.release import BAND, EXACT, WITHHELD, Thresholds

if TYPE_CHECKING:
    from subscriptions.attack import Attack
    from subscriptions.attack.verdict import Proven


WIDTH = 96


def report(done: Attack, thresholds: Thresholds, *, chosen: bool = False) -> str:
    """Tell what was taken and what follows; ``chosen`` where an employer chose schedules."""
    paragraphs = [_chosen(done)] if chosen else []
    paragraphs += [_taken(done), _rule(thresholds), _done()]
    paragraphs += [*_proven(done), _best(done), *_residual()]
    return "\n\n".join(fill(paragraph, WIDTH) for paragraph in paragraphs)


def what(proven: Proven) -> str:
    """Say in one sentence what can be derived about the months of a finding."""
    if proven.derived is None:
        return _("The figures contradict each other: no use fits all of them.")
    return _("Can be derived: %(derived)s. The statements by themselves say: %(said)s.") % {
        "derived": _interval(proven.derived),
        "said": _interval(proven.said),
    }


def _chosen(done: Attack) -> str:
    return _(
        "An employer chose: %(schedules)d schedules of headcounts, tier changes, cards, ends and "
        "new starts over three years, each closed by the rules of this system with hours drawn at "
        "random. Each counts as an organisation."
    ) % {"schedules": done.organisations}


def _taken(done: Attack) -> str:
    return _(
        "We took everything that was ever released to %(organisations)d organisations: "
        "%(exact)d statements with a figure, %(band)d with a sentence in place of a figure, "
        "%(silent)d that tell nothing of use, and %(billed)d lines for extra hours on documents "
        "that were sent. Whoever looks is taken to know all contracts, headcounts, tier changes, "
        "cards and counsellors, and the rules of this system."
    ) % {
        "organisations": done.organisations,
        "exact": done.told[EXACT],
        "band": done.told[BAND],
        "silent": done.told[WITHHELD] + done.told[ALL_IN],
        "billed": done.billed,
    }


def _rule(thresholds: Thresholds) -> str:
    return _(
        "The rule: a figure covers a month from %(month)d employees on, three months from "
        "%(quarter)d on, and a contract year below that; with fewer than %(figures)d employees "
        "a sentence takes its place."
    ) % {
        "month": thresholds.month_from_headcount,
        "quarter": thresholds.quarter_from_headcount,
        "figures": thresholds.figures_from_headcount,
    }


def _done() -> str:
    return _(
        "From all this we worked out, for every range of months, the least and the most use that "
        "fits all figures at once."
    )


def _proven(done: Attack) -> Iterator[str]:
    if not done.proven:
        yield _(
            "Nothing is proven: no figure can be worked back to a shorter time than the rule "
            "allows. Of single months nobody learns more than that they lie in a period whose "
            "figure was told."
        )
        return
    yield ngettext(
        "%(found)d finding: more can be derived than was told.",
        "%(found)d findings: more can be derived than was told.",
        len(done.proven),
    ) % {"found": len(done.proven)}
    for proven in done.proven:
        yield f"{proven.organisation} {proven.months}: {what(proven)}"


def _best(done: Attack) -> str:
    if done.shortest is None:
        return _("Nowhere is use known to the half hour, but where a month may be told.")
    return ngettext(
        "The best that can be derived where a month may not be told: the use of %(months)d month, "
        "to the half hour.",
        "The best that can be derived where a month may not be told: the use of %(months)d months "
        "together, to the half hour.",
        done.shortest,
    ) % {"months": done.shortest}


def _residual() -> Iterator[str]:
    yield _(
        "What no system can hide: an employer who can rule out everybody but one person learns "
        "from any figure, also from one for a whole year. So do not ask who made contact. Who "
        "wants no figure at all chooses the all-in price."
    )
    yield _(
        "Not looked at: what somebody saw or heard outside this system, and what organisations "
        "tell each other; each is attacked by what was released to it."
    )


def _interval(quarters: Interval) -> str:
    least, most = hours(quarters.at_least), quarters.at_most
    if most is None:
        return (
            _("at least %(least)s of use") % {"least": least} if quarters.at_least else _("nothing")
        )
    if not quarters.at_least:
        return _("at most %(most)s of use, in all or in part of it") % {"most": hours(most)}
    return _("from %(least)s to %(most)s of use") % {"least": least, "most": hours(most)}
