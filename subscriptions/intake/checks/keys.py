"""What occurs once, what refers to what, and what ends after it starts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from subscriptions.intake.rows import Book, Row

# Sheet, the columns that together occur once, and what is said of the last of them.
UNIQUE = (
    ("organisations", ("code",), gettext_noop("Row %(row)d has this code already.")),
    ("advisors", ("code",), gettext_noop("Row %(row)d has this code already.")),
    ("advisors", ("email",), gettext_noop("Row %(row)d has this e-mail address already.")),
    ("offerings", ("code",), gettext_noop("Row %(row)d has this code already.")),
    ("sessions", ("reference",), gettext_noop("Row %(row)d has this reference already.")),
    (
        "headcounts",
        ("organisation", "month"),
        gettext_noop("Row %(row)d gives a headcount of this organisation for the same month."),
    ),
    (
        "contacts",
        ("organisation", "email"),
        gettext_noop("Row %(row)d names this person at the same organisation."),
    ),
    (
        "tier_changes",
        ("organisation", "month"),
        gettext_noop("Row %(row)d changes the tier in the same month."),
    ),
    (
        "hours",
        ("advisor", "organisation", "month"),
        gettext_noop("Row %(row)d has hours of this advisor, organisation and month: add them up."),
    ),
)

# Sheet, column, and the sheet that it names a row of.
REFERENCES = (
    ("organisations", "parent_code", "organisations"),
    ("headcounts", "organisation", "organisations"),
    ("subscriptions", "organisation", "organisations"),
    ("purchase_orders", "organisation", "organisations"),
    ("contacts", "organisation", "organisations"),
    ("top_up_cards", "organisation", "organisations"),
    ("tier_changes", "organisation", "organisations"),
    ("assignments", "advisor", "advisors"),
    ("assignments", "organisation", "organisations"),
    ("hours", "advisor", "advisors"),
    ("hours", "organisation", "organisations"),
    ("sessions", "offering", "offerings"),
    ("sessions", "organisation", "organisations"),
    ("sessions", "trainer", "advisors"),
)
NOT_THERE = {
    "organisations": gettext_noop("The sheet organisations has no organisation of this code."),
    "advisors": gettext_noop("The sheet advisors has no advisor of this code."),
    "offerings": gettext_noop("The sheet offerings has no offering of this code."),
}

# Sheet, first column, and the column that must come after it.
IN_ORDER = (
    ("subscriptions", "start_month", "until_month"),
    ("purchase_orders", "from_month", "until_month"),
    ("assignments", "from_month", "until_month"),
    ("top_up_cards", "bought_month", "expires_month"),
)


def check(book: Book) -> None:
    for sheet, columns, sentence in UNIQUE:
        _check_unique(book, sheet, columns, sentence)
    targets: Mapping[str, Mapping[str, Row]] = {
        "organisations": book.organisations,
        "advisors": book.advisors,
        "offerings": book.offerings,
    }
    for sheet, column, target in REFERENCES:
        for row in book.knowing(sheet, column):
            if row[column] is not None and row[column] not in targets[target]:
                book.findings.refuse(row, column, _(NOT_THERE[target]))
    for sheet, start, until in IN_ORDER:
        for row in book.knowing(sheet, start, until):
            if row[until] is not None and row[until] <= row[start]:
                message = _("This month must come after %(column)s.") % {"column": start}
                book.findings.refuse(row, until, message)


def _check_unique(book: Book, sheet: str, columns: tuple[str, ...], sentence: str) -> None:
    seen: dict[tuple[Any, ...], Row] = {}
    for row in book.knowing(sheet, *columns):
        key = tuple(_folded(row[column]) for column in columns)
        first = seen.setdefault(key, row)
        if first is not row:
            book.findings.refuse(row, columns[-1], _(sentence) % {"row": first.number})


def _folded(value: Any) -> Any:
    """Codes that differ in capitals only would be two names for one file."""
    return value.casefold() if isinstance(value, str) else value
