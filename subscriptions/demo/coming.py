"""What the demo's agency and clients have ahead of them on its day: a queue with work in it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from advisors.models import Advisor, Qualification, QualificationKind
from agency.models import Organisation, User
from agency.month import AMSTERDAM, Month
from subscriptions import contracts, tier_requests
from subscriptions.models import Subscription, Tier
from workshops.models import Offering, OfferingKind, Session, SessionStatus

# Days from the demo's day and the hour of each session: the second has no trainer yet.
SESSIONS = ((20, 10), (5, 13), (34, 9))
CERTIFICATE_DAYS_LEFT = 75


def make_coming(organisations: Sequence[Organisation], contact: User, on: dt.date) -> None:
    """Plan sessions, let a client ask for another tier, and a certificate be near its end.

    Repeating it changes nothing.
    """
    _plan_sessions(organisations, on)
    _ask_for_a_tier(organisations, contact, on)
    _let_a_certificate_expire(on)


def _plan_sessions(organisations: Sequence[Organisation], on: dt.date) -> None:
    offerings = list(
        Offering.objects.filter(
            kind__in=[OfferingKind.WORKSHOP, OfferingKind.INFORMATION_SESSION]
        ).order_by("code")
    )
    trainers = list(Advisor.objects.order_by("code")[:3])
    for position, organisation in enumerate(organisations):
        days, hour = SESSIONS[position % len(SESSIONS)]
        has_trainer = position % len(SESSIONS) != 1
        Session.objects.get_or_create(
            reference=f"DEMO{position + 1}",
            defaults={
                "offering": offerings[position % len(offerings)],
                "organisation": organisation,
                "trainer": trainers[position % len(trainers)] if has_trainer else None,
                "starts_at": dt.datetime.combine(
                    on + dt.timedelta(days=days + position), dt.time(hour), AMSTERDAM
                ),
                "location": organisation.city,
                "status": SessionStatus.SCHEDULED,
            },
        )


def _ask_for_a_tier(organisations: Sequence[Organisation], contact: User, on: dt.date) -> None:
    """Let the first client of the basic tier, else of the other, ask for the other one."""
    coming = Month.containing(on) + 2
    agreed = contracts.load([organisation.pk for organisation in organisations])
    rows = Subscription.objects.filter(organisation__in=organisations)
    running = [row for row in rows if row.pk in agreed and coming in row.months]
    if not running or any(row.tier_requests.exists() for row in rows):
        return
    running.sort(key=lambda row: agreed[row.pk].tier_in(coming) != Tier.BASIC)
    tier = agreed[running[0].pk].tier_in(coming)
    wanted = Tier.EXTENDED if tier == Tier.BASIC else Tier.BASIC
    tier_requests.ask(running[0], tier=wanted, from_month=coming, by=contact, on=on)


def _let_a_certificate_expire(on: dt.date) -> None:
    """Renew one that is over, until a day soon, unless another one expires by then."""
    until = on + dt.timedelta(days=CERTIFICATE_DAYS_LEFT)
    if Qualification.objects.filter(valid_until__range=(on, until)).exists():
        return
    row = Qualification.objects.filter(kind=QualificationKind.LVV, valid_until__lt=on)
    expired = row.order_by("advisor__code").first()
    if expired:
        expired.valid_until = until
        expired.save(update_fields=["valid_until"])
