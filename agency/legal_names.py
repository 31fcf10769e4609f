"""What an organisation is called from a day on: a renaming, another KVK number or VAT id.

A document bears the name of the day on which it is dated; a credit keeps that of what it credits.
"""

from __future__ import annotations

import datetime as dt

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import OuterRef, Subquery
from django.utils.translation import gettext_lazy as _

from agency.models import LegalName, Organisation

# What an organisation was called before its first renaming, it was called since ever.
SINCE_EVER = dt.date(2000, 1, 1)


class RenamingError(ValidationError):
    """A renaming that cannot be entered; its message is the sentence to show."""


def on_day(organisation: Organisation, day: dt.date) -> LegalName | None:
    """Give what an organisation is called on a day; None where it was never renamed."""
    return organisation.legal_names.filter(from_on__lte=day).order_by("from_on").last()


def refuse(organisation: Organisation, from_on: dt.date) -> None:
    """Raise RenamingError for a day that is not later than that of the renaming before."""
    last = organisation.legal_names.order_by("from_on").last()
    if from_on <= (last.from_on if last else SINCE_EVER):
        text = _("A name counts from a later day than the one before it.")
        raise RenamingError({"from_on": text})


@transaction.atomic
def rename(name: LegalName, *, on: dt.date) -> LegalName:
    """Enter what an organisation is called from a day on; a number left empty stays as it is.

    What it was called until then is kept with the first renaming. Raises what `refuse` raises.
    """
    row = Organisation.objects.select_for_update(no_key=True).get(pk=name.organisation_id)
    refuse(row, name.from_on)
    last = row.legal_names.order_by("from_on").last()
    if last is None:
        last = LegalName.objects.create(
            organisation=row,
            from_on=SINCE_EVER,
            legal_name=row.legal_name,
            kvk_number=row.kvk_number,
            vat_id=row.vat_id,
            entered_on=on,
        )
    name.kvk_number = name.kvk_number or last.kvk_number
    name.vat_id = name.vat_id or last.vat_id
    name.entered_on = on
    name.save(force_insert=True)
    take_effect(on)
    return name


def take_effect(on: dt.date) -> int:
    """Have organisations bear the names that hold on a day; count those that changed.

    Another VAT id is one that nobody has checked. Each night, and safe to repeat.
    """
    newest = LegalName.objects.filter(organisation=OuterRef("organisation"), from_on__lte=on)
    holds = LegalName.objects.filter(pk=Subquery(newest.order_by("-from_on").values("pk")[:1]))
    changed = 0
    for name in holds.select_related("organisation"):
        row = name.organisation
        now = (name.legal_name, name.kvk_number, name.vat_id)
        if now != (row.legal_name, row.kvk_number, row.vat_id):
            row.vat_id_checked = row.vat_id_checked and row.vat_id == name.vat_id
            row.legal_name, row.kvk_number, row.vat_id = now
            row.save(update_fields=["legal_name", "kvk_number", "vat_id", "vat_id_checked"])
            changed += 1
    return changed
