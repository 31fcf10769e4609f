"""How much a document may ask before somebody looks at it (design 5.9, `bound`).

The bounds lie where no ordinary document comes and the usual slips do: minutes typed as hours, an
annual fee in cents. A large client's first year is 30,000 euros, a long series of workshops 40,000:
a document has to be several times as large. They look at the document and the hours that its
contract includes, never at earlier documents. What comes below nothing is no matter of bounds: a
tier that was corrected downwards gives back more than the month costs, and Stripe refuses it
anyway.
"""

from __future__ import annotations

from collections.abc import Iterable

LARGEST_TOTAL_CENTS = 250_000_00
# In one line: two months of one counsellor's full time, beyond what was included. Below it, a
# client that agreed on few hours or none may well have five times as many.
LEAST_OVERAGE_QUARTERS = 250 * 4
MOST_TIMES_INCLUDED = 5


def passes_a_bound(total_cents: int, overage: Iterable[tuple[int, int]]) -> bool:
    """Tell whether a document is to be looked at before it is sent.

    ``overage`` holds, line by line, the quarters charged and those included in the contract year.
    """
    return total_cents > LARGEST_TOTAL_CENTS or any(
        quarters > max(LEAST_OVERAGE_QUARTERS, MOST_TIMES_INCLUDED * included)
        for quarters, included in overage
    )
