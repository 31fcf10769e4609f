"""Who can sign in to the demo: one person of each kind."""

from __future__ import annotations

from advisors.models import Advisor, MonthSubmission
from agency.models import Contact, ContactRole, Organisation, Role, User
from agency.month import Month
from subscriptions import contracts
from subscriptions.models import Display, Statement
from subscriptions.portal.overview import overview

DOMAIN = "discreet.example"
WORDS = {
    Display.EXACT: "figures",
    Display.BAND: "a band instead of figures",
    Display.WITHHELD: "no figures: withheld",
    Display.ALL_IN: "no figures: an all-in price",
}
STAFF = (
    ("planner", "Pim Planner", Role.PLANNER),
    ("controller", "Cora Controller", Role.CONTROLLER),
    ("admin", "Ada Beheer", Role.ADMINISTRATOR),
    ("auditor", "Arno Accountant", Role.AUDITOR),
)


def make_people(password: str) -> User:
    """Give each kind of person a sign-in with ``password``, and give the contact.

    Repeating it changes nothing. The advisor is the first of the sample.
    """
    for name, full_name, role in STAFF:
        _person(name, full_name, role, password)
    advisor = Advisor.objects.select_related("user").order_by("code").first()
    if advisor:
        advisor.user.email = f"advisor@{DOMAIN}"
        advisor.user.set_password(password)
        advisor.user.save()
    return _person("contact", "Coen Contact", Role.CONTACT, password)


def give_clients(contact: User, month: Month) -> list[Organisation]:
    """Let the contact see a client of each display, and give them as the portal lists them."""
    for organisation in _organisations_to_see(month):
        Contact.objects.get_or_create(
            user=contact, organisation=organisation, defaults={"role": ContactRole.OWNER}
        )
    return list(Organisation.objects.filter(contacts__user=contact).order_by("legal_name"))


def _person(name: str, full_name: str, role: Role, password: str) -> User:
    user, _created = User.objects.get_or_create(
        email=f"{name}@{DOMAIN}", defaults={"name": full_name, "role": role}
    )
    user.set_password(password)
    user.save()
    return user


def _organisations_to_see(month: Month) -> list[Organisation]:
    """Give a calm client, and after it by name one of each display, with overage if there is one.

    The portal opens on the first by name: it shows figures, within the hours of its contract.
    """
    found = _calm(month)
    for display in Display.values:
        rows = Statement.objects.filter(publication__month=month, display=display)
        if found:
            rows = rows.filter(organisation__legal_name__gt=found[0].legal_name)
        row = rows.order_by("-overage_quarters", "organisation__code").first()
        if row:
            found.append(row.organisation)
    return found


def _calm(month: Month) -> list[Organisation]:
    """Give the first client by name whose exact statements of the year keep the pace, if any."""
    agreed = contracts.load()
    rows = Statement.objects.filter(
        publication__month=month, display=Display.EXACT, used_quarters__gt=0
    )
    for row in rows.select_related("organisation").order_by("organisation__legal_name"):
        newest = Statement.objects.newest().filter(subscription=row.subscription_id)
        statements = list(newest.order_by("from_month"))
        shown = overview(agreed[row.subscription_id], statements, month)
        if shown.pace_fits and shown.use and not shown.use.charged_quarters:
            return [row.organisation]
    return []


def shown_of(organisation: Organisation, month: Month) -> str:
    """Say in a few words what a client's page shows of its hours."""
    rows = Statement.objects.newest().filter(organisation=organisation, publication__month=month)
    statement = rows.order_by("-from_month").first()
    if statement is None:
        return "nothing published"
    overage = ", with overage" if statement.overage_quarters else ""
    return f"{WORDS[Display(statement.display)]}{overage}"


def submit_for_all(month: Month) -> None:
    """Let every advisor but the last have submitted a month, so that one is missing."""
    advisors = list(Advisor.objects.order_by("code"))
    MonthSubmission.objects.bulk_create(
        [MonthSubmission(advisor=advisor, month=month) for advisor in advisors[:-1]],
        ignore_conflicts=True,
    )
