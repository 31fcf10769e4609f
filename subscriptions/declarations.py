"""A headcount is declared for a month to come, and staff confirm it (design 4 and 5.6).

It decides how many months a published figure covers. So nobody can make the figures finer alone:
a rise that does takes two people of staff, of whom one may have entered it.
"""

from __future__ import annotations

import datetime as dt

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from agency.models import Headcount, Organisation, User
from agency.month import Month
from agency.turns import take_turns
from subscriptions.models import HeadcountDeclaration, RequestState
from subscriptions.statements import thresholds


class DeclarationError(ValidationError):
    """A headcount that cannot be declared or confirmed; its message is the sentence to show."""


@transaction.atomic
def declare(
    organisation: Organisation, *, month: Month, headcount: int, by: User, on: dt.date
) -> HeadcountDeclaration:
    """Note a headcount; where somebody of staff does it, they confirm it with the same stroke.

    Raises what `refuse_to_declare` raises.
    """
    take_turns()
    refuse_to_declare(organisation, month, on=on)
    declaration = HeadcountDeclaration.objects.create(
        organisation=organisation, month=month, headcount=headcount, declared_by=by, declared_on=on
    )
    if by.is_staff:
        confirm(declaration, by=by, on=on)
    declaration.refresh_from_db()
    return declaration


def refuse_to_declare(organisation: Organisation, month: Month, *, on: dt.date) -> None:
    """Raise DeclarationError where no headcount may be declared for a month.

    It is one that has begun, or that has its headcount, or another declaration waits.
    """
    if month.first_day <= on:
        raise DeclarationError(_("A headcount counts from a month that has not begun."))
    if organisation.headcounts.filter(month=month).exists():
        raise DeclarationError(_("There is a headcount for this month already."))
    if organisation.headcount_declarations.filter(state=RequestState.OPEN).exists():
        raise DeclarationError(_("A declaration is waiting already."))


@transaction.atomic
def confirm(declaration: HeadcountDeclaration, *, by: User, on: dt.date) -> bool:
    """Confirm a declaration and tell whether it counts now; if not, a second person must.

    Repeating it is harmless. Raises DeclarationError for one that was declined, whose month has
    begun meanwhile, and where the same person would be both.
    """
    take_turns()
    row = HeadcountDeclaration.objects.select_for_update().get(pk=declaration.pk)
    if row.state == RequestState.CONFIRMED:
        return True
    if row.state == RequestState.DECLINED:
        raise DeclarationError(_("This declaration was declined."))
    if row.month.first_day <= on:
        raise DeclarationError(_("Its month has begun: decline it, and declare a later one."))
    if row.confirmed_by_id is None:
        row.confirmed_by = by
    elif row.confirmed_by_id == by.pk:
        raise DeclarationError(_("Somebody else must confirm it too: the figures become finer."))
    else:
        row.seconded_by = by
    if row.seconded_by is not None or not makes_figures_finer(row):
        row.state = RequestState.CONFIRMED
        Headcount.objects.create(
            organisation=row.organisation, month=row.month, headcount=row.headcount
        )
    row.save(update_fields=["confirmed_by", "seconded_by", "state"])
    return row.state == RequestState.CONFIRMED


@transaction.atomic
def decline(declaration: HeadcountDeclaration) -> None:
    """Close a declaration without a change. Raises DeclarationError for a confirmed one."""
    row = HeadcountDeclaration.objects.select_for_update().get(pk=declaration.pk)
    if row.state == RequestState.CONFIRMED:
        raise DeclarationError(_("This declaration was confirmed already."))
    row.state = RequestState.DECLINED
    row.save(update_fields=["state"])


def makes_figures_finer(declaration: HeadcountDeclaration) -> bool:
    """Tell whether more would be shown than at the headcount known for that month so far."""
    known = declaration.organisation.headcounts.order_by("month")
    before = known.filter(month__lt=declaration.month).last() or known.first()
    if before is None:
        return False
    policy = thresholds()
    edges = (
        policy.figures_from_headcount,
        policy.quarter_from_headcount,
        policy.month_from_headcount,
    )
    return any(before.headcount < edge <= declaration.headcount for edge in edges)
