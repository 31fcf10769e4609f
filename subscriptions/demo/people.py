"""Who can sign in to the demo: one person of each kind."""

from __future__ import annotations

from dataclasses import dataclass

from advisors.models import Advisor, MonthSubmission
from agency.models import Contact, ContactRole, Organisation, Role, User
from agency.month import Month
from subscriptions.models import Display, Statement

DOMAIN = "discreet.example"
STAFF = (
    ("planner", "Pim Planner", Role.PLANNER),
    ("controller", "Cora Controller", Role.CONTROLLER),
    ("admin", "Ada Beheer", Role.ADMINISTRATOR),
)


@dataclass(frozen=True)
class SignIn:
    email: str
    does: str
    path: str


def make_people(password: str, month: Month) -> None:
    """Give each kind of person a sign-in with ``password``; repeating it changes nothing.

    The advisor is the first of the sample. The contact belongs to organisations whose statements
    of ``month`` show differently, so that each kind of page can be seen.
    """
    for name, full_name, role in STAFF:
        _person(name, full_name, role, password)
    advisor = Advisor.objects.select_related("user").order_by("code").first()
    if advisor:
        advisor.user.email = f"advisor@{DOMAIN}"
        advisor.user.set_password(password)
        advisor.user.save()
    contact = _person("contact", "Coen Contact", Role.CONTACT, password)
    for organisation in _organisations_to_see(month):
        Contact.objects.get_or_create(
            user=contact, organisation=organisation, defaults={"role": ContactRole.OWNER}
        )


def _person(name: str, full_name: str, role: Role, password: str) -> User:
    user, _created = User.objects.get_or_create(
        email=f"{name}@{DOMAIN}", defaults={"name": full_name, "role": role}
    )
    user.set_password(password)
    user.save()
    return user


def _organisations_to_see(month: Month) -> list[Organisation]:
    """Give, for each display, an organisation with overage if there is one, else any."""
    found = []
    for display in Display.values:
        rows = Statement.objects.filter(publication__month=month, display=display)
        row = rows.order_by("-overage_quarters", "organisation__code").first()
        if row:
            found.append(row.organisation)
    return found


def submit_for_all(month: Month) -> None:
    """Let every advisor but the last have submitted a month, so that one is missing."""
    advisors = list(Advisor.objects.order_by("code"))
    MonthSubmission.objects.bulk_create(
        [MonthSubmission(advisor=advisor, month=month) for advisor in advisors[:-1]],
        ignore_conflicts=True,
    )
