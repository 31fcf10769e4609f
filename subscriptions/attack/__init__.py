"""What an employer can derive from everything that was ever released to it.

The attacker knows every statement in all its versions, every document that was sent, the contract
with all its events, the headcounts, tier changes and cards, who was assigned, and the rules that
this code follows; not the hours. The unknown is the use of each month, which is never negative:
that hours are corrected downwards at times would only make the attacker less sure. A credit at
the end of a year tells such a correction and not the use, and adds nothing here.

Every figure is a fact about a sum of months: an exact statement about its period, a band about
the year so far, an allowance about the year that left it hours, cards and pieces reported by
a former system about the years that they join. `bounds` solves all facts at once for the
tightest bounds on every range of months, over all ways in which the hours may have fallen.

Proven is what `verdict` finds: the use of fewer months than the headcount asks for is bounded more
tightly than the statements say it, each by itself and with what was told before it. Tails of
periods that were withheld are searched like any other months, and zero counts as a figure.

Nothing here reads hours or changes anything.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from subscriptions.attack.released import Released
from subscriptions.attack.verdict import Finding, Proven


@dataclass
class Attack:
    """What was taken, and what follows from it; ``told`` counts statements by display."""

    organisations: int = 0
    told: Counter[str] = field(default_factory=Counter)
    billed: int = 0
    proven: list[Proven] = field(default_factory=list)
    shortest: int | None = None

    def add(self, released: Released, finding: Finding) -> None:
        self.organisations += 1
        self.told.update(told.display for told in released.told)
        self.billed += len(released.billed)
        self.proven += finding.proven
        known = [months for months in (self.shortest, finding.shortest) if months is not None]
        self.shortest = min(known, default=None)
