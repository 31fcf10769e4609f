"""Which sectors are known to ask for a confidential counsellor, and by what rule.

Only what was found in a source is said. There is no general duty: whether one exists was not found
either, and each collective agreement says its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _

from agency.models import Sector


@dataclass(frozen=True, slots=True)
class Rule:
    """A sentence about a sector, and where it was found; empty where no rule is known."""

    sentence: Any
    source: str = ""


# Read in November 2026. Agreements change: the source says more than the sentence.
KNOWN = {
    Sector.UNIVERSITY: Rule(
        _("The collective agreement of the universities (article 1.12) has one appointed."),
        "https://www.universiteitenvannederland.nl/sociale-veiligheid-binnen-de-universiteiten.html",
    ),
    Sector.SPORT: Rule(
        _("A club that asks free certificates of conduct has a confidential contact person first."),
        "https://www.ed.nl/branded/stop-grensoverschrijdend-gedrag-in-de-sport-meld-je-aan-voor-de-regeling-gratis-vog~a8be709a/",
    ),
}
UNKNOWN = Rule(
    _("Whether this sector demands a counsellor is not known here: see its collective agreement.")
)


def rule_of(sector: str) -> Rule | None:
    """Give what is known of a sector; None where no sector was chosen."""
    return KNOWN.get(Sector(sector), UNKNOWN) if sector else None
