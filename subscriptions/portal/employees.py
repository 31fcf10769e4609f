"""What employees are told: whom they can turn to, how, and what stays between them.

The same words stand in the portal, on the poster, in the text for an intranet and on the page
behind a link. They follow from who is assigned in the month and how each is reached, from nothing
else: neither from use nor from a contract.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from django.template.loader import render_to_string
from django.utils.text import capfirst
from django.utils.translation import gettext, override

from advisors.models import Assignment, AssignmentRole, with_advisor
from agency.templatetags.figures import long_month
from agency.typesetting import typeset

if TYPE_CHECKING:
    from uuid import UUID

    from agency.models import Organisation
    from agency.month import Month

LANGUAGES = ("nl", "en")


@dataclass(frozen=True, slots=True)
class Person:
    name: str
    role: str
    phone: str
    email: str


@dataclass(frozen=True, slots=True)
class Told:
    """Words in the language that was active; ``leaves`` are titles with their sentences."""

    title: str
    opening: str
    whom: str
    people: list[Person]
    leaves: list[tuple[str, list[str]]]
    stands: str


def counsellors(organisation: UUID, month: Month) -> list[Assignment]:
    shown = [AssignmentRole.COUNSELLOR, AssignmentRole.DEPUTY]
    assigned = Assignment.objects.in_month(month).filter(organisation=organisation, role__in=shown)
    return list(with_advisor(assigned, "advisor").order_by("role", "from_month"))


def told(assigned: list[Assignment], month: Month) -> Told:
    """Give what employees are told, in the active language."""
    return Told(
        title=gettext("There is somebody you can talk to in confidence"),
        opening=gettext(
            "Did somebody cross a line with you, did you see it happen, or is something at work "
            "not right? The confidential counsellor listens, thinks along and tells you what you "
            "can do. The counsellor comes from outside and is not employed by your employer."
        ),
        whom=gettext("Whom you can reach"),
        people=[_person(one) for one in assigned],
        leaves=[
            (gettext("What stays between you"), _confidentiality()),
            (gettext("How to reach them unseen"), _unseen()),
        ],
        stands=gettext("As it stands in %(month)s") % {"month": long_month(month)},
    )


def _person(assignment: Assignment) -> Person:
    advisor = assignment.advisor
    return Person(
        name=advisor.user.name,
        role=capfirst(assignment.get_role_display()),
        phone=advisor.phone,
        email=advisor.user.email,
    )


def _confidentiality() -> list[str]:
    return [
        gettext("Your employer does not hear from us who calls, when or about what."),
        gettext(
            "We do not record who calls, when, how often or about what. So nobody can ask us for "
            "it."
        ),
        gettext(
            "The counsellor does nothing without you. Only where the law or somebody's safety "
            "leaves no choice can that be different; you are then told first if at all possible."
        ),
    ]


def _unseen() -> list[str]:
    return [
        gettext("Use a private phone or network, and an e-mail address of your own."),
        gettext(
            "On telephones, computers and networks of your employer others may be able to see "
            "whom you contact."
        ),
    ]


def poster(organisation: Organisation, said: Told, *, language: str) -> bytes:
    """Give the poster as PDF (A4, PDF/UA-1) of what was said in that language."""
    data = asdict(said) | {"organisation": organisation.legal_name}
    return typeset("poster", data, language=language)


def intranet(said: Told) -> str:
    """Give the text as a page of its own, in the active language, without looks of ours."""
    return render_to_string("portal/intranet.html", {"told": said})


def said_in(language: str, assigned: list[Assignment], month: Month) -> Told:
    with override(language):
        return told(assigned, month)
