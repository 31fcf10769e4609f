"""Whether the VAT ids of clients elsewhere in the EU are checked: asked, kept, and asked again.

An id without a valid answer blocks its documents. No answer keeps the last valid one for
`DAYS_KEPT`; an id that was brought in as checked, or was ticked by hand, has no day and stays.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Self
from uuid import UUID

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Max, OuterRef, Q, QuerySet, Subquery
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from agency import vies
from agency.models import Agency, Organisation, VatAnswer, VatConsultation
from agency.particulars import countries, is_in_eu

HOME = "NL"
ASKED_AGAIN_AFTER = dt.timedelta(days=25)  # so before each run of a month
DAYS_KEPT = dt.timedelta(days=60)


class VatIdError(ValidationError):
    """A VAT id that cannot be asked for; its message is the sentence to show."""


@dataclass
class Rechecked:
    """What asking again came to: how many of each answer, and whose valid answer is too old now."""

    answers: Counter[VatAnswer] = field(default_factory=Counter)
    lapsed: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, found: Iterable[vies.Answer]) -> Self:
        return cls(Counter(each.answer for each in found))

    def __str__(self) -> str:
        if not (self.answers or self.lapsed):
            return ""
        text = gettext(
            "VIES: %(valid)d valid, %(invalid)d not valid, %(unavailable)d without an answer "
            "(a valid answer holds for %(days)d days)."
        ) % {
            "days": DAYS_KEPT.days,
            **{answer.value: self.answers[answer] for answer in VatAnswer},
        }
        lapsed = gettext("Too old now: %s.") % ", ".join(self.lapsed)
        return f"{text} {lapsed}" if self.lapsed else text


def abroad(organisations: Iterable[UUID] | None = None) -> QuerySet[Organisation]:
    """Give the clients elsewhere in the EU with a VAT id from there, among those named or all."""
    in_eu = [code for code in countries() if code != HOME and is_in_eu(code)]
    rows = Organisation.objects.filter(country__in=in_eu).exclude(
        Q(vat_id="") | Q(vat_id__startswith=HOME)
    )
    return rows if organisations is None else rows.filter(pk__in=list(organisations))


def pending() -> QuerySet[Organisation]:
    """Give the clients whose documents wait for the check of their VAT id."""
    return abroad().filter(vat_id_checked=False)


def newest(organisation: Organisation) -> VatConsultation | None:
    """Give what VIES answered last about the VAT id that an organisation has now."""
    rows = organisation.vat_consultations.filter(vat_id=organisation.vat_id)
    return rows.order_by("-number").first()


def consult(organisation: Organisation, *, on: dt.date) -> vies.Answer:
    """Ask VIES about an organisation's VAT id, keep the answer, and take it over.

    The answer is kept before anything else happens, and outside any transaction of the caller's
    making it stays. Raises VatIdError where there is nobody to ask or nothing to ask about.
    """
    if not settings.VIES_API_BASE:
        raise VatIdError(_("VIES is not set up here: VIES_API_BASE is empty."))
    if not abroad([organisation.pk]).exists():
        raise VatIdError(_("Only a VAT id of a client elsewhere in the EU is checked at VIES."))
    asked = organisation.vat_id
    found = vies.ask(asked, requester=Agency.objects.get().vat_id)
    _keep(organisation.pk, asked, found, on=on)
    return found


@transaction.atomic
def _keep(key: UUID, vat_id: str, found: vies.Answer, *, on: dt.date) -> None:
    Organisation.objects.select_for_update(no_key=True).get(pk=key)
    rows = VatConsultation.objects.filter(organisation=key)
    VatConsultation.objects.create(
        organisation_id=key,
        number=(rows.aggregate(last=Max("number"))["last"] or 0) + 1,
        vat_id=vat_id,
        on=on,
        answer=found.answer,
        reference=found.reference,
    )
    if found.answer != VatAnswer.UNAVAILABLE:  # and not of an id that it no longer has
        Organisation.objects.filter(pk=key, vat_id=vat_id).update(
            vat_id_checked=found.answer == VatAnswer.VALID
        )


def recheck(organisations: Iterable[UUID] | None = None, *, on: dt.date) -> Rechecked:
    """Ask VIES, before a run, about ids that are unchecked or were last found valid long ago.

    Not inside a transaction: each answer takes its time. Once VIES itself is down no more are
    asked. Does nothing where VIES is not set up.
    """
    done = Rechecked()
    if not settings.VIES_API_BASE:
        return done
    clients = _with_last_valid(abroad(organisations))
    old = Q(last_valid=None) | Q(last_valid__lt=on - ASKED_AGAIN_AFTER)
    for organisation in list(clients.filter(old | Q(vat_id_checked=False)).order_by("code")):
        found = consult(organisation, on=on)
        done.answers[found.answer] += 1
        if found.is_down:
            break
    lapsed = clients.filter(Q(vat_id_checked=True, last_valid__lt=on - DAYS_KEPT))
    done.lapsed = list(lapsed.order_by("code").values_list("code", flat=True))
    Organisation.objects.filter(code__in=done.lapsed).update(vat_id_checked=False)
    return done


def _with_last_valid(rows: QuerySet[Organisation]) -> QuerySet[Organisation]:
    valid = VatConsultation.objects.filter(
        organisation=OuterRef("pk"), vat_id=OuterRef("vat_id"), answer=VatAnswer.VALID
    )
    return rows.annotate(last_valid=Subquery(valid.order_by("-number").values("on")[:1]))
