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
# Above it a document is approved by two people; the database holds to the same amount.
ONE_PERSON_APPROVES_CENTS = 50_000_00
# Of a run, which is compared with the one a year before, or else with the last.
LARGEST_RUN, LARGEST_RUN_CENTS = 2_000, 2_000_000_00
MOST_TIMES_THE_LAST = 3
LEAST_RUN, LEAST_RUN_CENTS = 100, 100_000_00  # below which nobody minds how many times it is
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


def run_passes_a_bound(run: tuple[int, int], last: tuple[int, int] | None) -> bool:
    """Tell whether a run is to be looked at before all of it is approved.

    A run is its number of documents and their total in cents; ``last`` is the last like it.
    """
    if last is None:
        return run[0] > LARGEST_RUN or run[1] > LARGEST_RUN_CENTS
    return any(
        of_run > max(least, MOST_TIMES_THE_LAST * of_last)
        for of_run, of_last, least in zip(run, last, (LEAST_RUN, LEAST_RUN_CENTS), strict=True)
    )
