"""Closing a month and publishing what it ends: the one release of figures (design 5.4 to 5.6)."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _
from django_q.tasks import async_task

from advisors import hours
from agency.bulk import grouped
from agency.models import Organisation
from agency.money import plain_hours
from agency.month import Month, MonthRange
from agency.turns import take_turns
from subscriptions import contracts
from subscriptions.agreements import CAP, Contract, NoPriceError
from subscriptions.descriptions import no_price
from subscriptions.models import (
    CardUse,
    OverageCredit,
    Pause,
    Publication,
    ReleasePolicy,
    Statement,
    Subscription,
    TopUpCard,
)
from subscriptions.release import EXACT, Release, Thresholds, release
from subscriptions.use import Account, Card, Stated, account
from workshops.models import Session


class CloseError(ValidationError):
    """A month that cannot be closed; its message is the sentence to show."""


@dataclass
class Books:
    """All that statements are worked out from, read once; ``stated`` grows as periods close."""

    contracts: dict[UUID, Contract]
    organisations: dict[UUID, UUID]
    hours: dict[UUID, dict[Month, int]]
    stated: dict[UUID, list[Stated]]
    cards: dict[UUID, list[Card]]
    thresholds: Thresholds
    policy: ReleasePolicy

    def open_from(self, subscription: UUID) -> Month:
        """Give the month in which the period of a contract that is open began."""
        stated = self.stated[subscription]
        last = stated[-1].months.until if stated else None
        return open_from(self.contracts[subscription], last)


@dataclass(frozen=True)
class Closing:
    """A statement to be written, with what it takes from cards."""

    subscription: UUID
    account: Account
    capped: bool


def open_from(contract: Contract, stated_until: Month | None) -> Month:
    """Give the month in which the open period of a contract began that is stated until a month."""
    first = max(contract.months.from_month, contract.reported_until)
    return contract.resumes(max(first, stated_until) if stated_until else first)


def ending(
    contract: Contract, begin: Month, until: Month, thresholds: Thresholds
) -> Iterator[Release]:
    """Give the periods of a contract that end by a month; ``begin`` opens the first of them."""
    month = begin
    while month < until and month in contract.months:
        closing = release(contract, begin, month, thresholds)
        month += 1
        if closing:
            begin = month = contract.resumes(month)
            yield closing


def read_books(organisations: Sequence[UUID] | None = None) -> Books:
    """Read contracts, posted hours, statements and cards in a fixed number of queries."""
    policy = ReleasePolicy.objects.latest("version")
    loaded = contracts.load(organisations)
    rows = Subscription.objects.filter(pk__in=loaded) if organisations else Subscription.objects
    return Books(
        contracts=loaded,
        organisations=dict(rows.values_list("pk", "organisation_id")),
        hours=hours.posted_quarters(organisations),
        stated=_stated(organisations),
        cards=_cards(organisations),
        thresholds=thresholds(policy),
        policy=policy,
    )


def thresholds(policy: ReleasePolicy | None = None) -> Thresholds:
    """Give the thresholds of a release policy, or of the one that holds now."""
    row = policy or ReleasePolicy.objects.latest("version")
    return Thresholds(**{each.name: getattr(row, each.name) for each in fields(Thresholds)})


def _stated(organisations: Sequence[UUID] | None) -> dict[UUID, list[Stated]]:
    rows = Statement.objects.newest().order_by("subscription_id", "from_month")
    if organisations is not None:
        rows = rows.filter(organisation__in=organisations)
    stated: dict[UUID, list[Stated]] = defaultdict(list)
    for row in rows.annotate(from_cards=Coalesce(models.Sum("card_uses__quarters"), 0)):
        stated[row.subscription_id].append(
            Stated(
                months=row.months,
                display=row.display,
                overage_quarters=row.overage_quarters,
                card_quarters=row.from_cards,  # type: ignore[attr-defined]  # annotated above
            )
        )
    return stated


def _cards(organisations: Sequence[UUID] | None) -> dict[UUID, list[Card]]:
    rows = TopUpCard.objects.order_by("organisation_id", "bought_month", "expires_month", "pk")
    if organisations is not None:
        rows = rows.filter(organisation__in=organisations)
    cards: dict[UUID, list[Card]] = defaultdict(list)
    shown = models.Q(uses__statement__display=EXACT)
    for row in rows.annotate(
        used=Coalesce(models.Sum("uses__quarters", filter=shown), 0),
        banded=Coalesce(models.Sum("uses__quarters", filter=~shown), 0),
    ):
        left = row.remaining_quarters - row.used
        banded = row.banded
        cards[row.organisation_id].append(Card(row.pk, row.months, left, banded))
    return cards


def closings(books: Books, until: Mapping[UUID, Month]) -> Iterator[Closing]:
    """Give the statements of all periods that are not stated yet and end by a month.

    ``until`` holds that month, by subscription: the first one that is not closed. What a period
    states counts for the next one: ``books`` is brought up to date on the way. Raises CloseError
    for a contract without a price or a headcount.
    """
    for subscription in books.contracts:
        try:
            yield from _closings_of(books, subscription, until[subscription])
        except NoPriceError as error:
            raise unpriced(books.organisations[subscription], error) from error


def unpriced(organisation: UUID, error: NoPriceError) -> CloseError:
    code = Organisation.objects.get(pk=organisation).code
    why = {"organisation": code, "why": no_price(error)}
    return CloseError("%(organisation)s: %(why)s", params=why)


def _closings_of(books: Books, subscription: UUID, until: Month) -> Iterator[Closing]:
    contract, organisation = books.contracts[subscription], books.organisations[subscription]
    for closing in ending(contract, books.open_from(subscription), until, books.thresholds):
        worked_out = account(
            contract,
            closing,
            books.hours.get(organisation, {}),
            books.stated[subscription],
            books.cards[organisation],
            books.thresholds,
        )
        _carry_on(books, subscription, worked_out)
        year = contract.year_of(closing.months.from_month)
        yield Closing(subscription, worked_out, contract.choices_of(year).overage == CAP)


def _carry_on(books: Books, subscription: UUID, worked_out: Account) -> None:
    taken = dict(worked_out.card_uses)
    books.stated[subscription].append(
        Stated(
            months=worked_out.release.months,
            display=worked_out.release.display,
            overage_quarters=worked_out.overage_quarters,
            card_quarters=sum(taken.values()),
        )
    )
    organisation = books.organisations[subscription]
    books.cards[organisation] = [
        card.after(worked_out.release.display, taken.get(card, 0))
        for card in books.cards[organisation]
    ]


def _write(books: Books, batch: Sequence[Closing], publication: Publication | None) -> None:
    statements, uses, credited = [], [], []
    for closing in batch:
        worked_out = closing.account
        statement = Statement(
            subscription_id=closing.subscription,
            organisation_id=books.organisations[closing.subscription],
            publication=publication,
            policy=books.policy,
            from_month=worked_out.release.months.from_month,
            until_month=worked_out.release.months.until,
            display=worked_out.release.display,
            used_quarters=worked_out.used_quarters if worked_out.release.display == EXACT else None,
            allowance_quarters=worked_out.allowance_quarters,
            overage_quarters=worked_out.overage_quarters,
            capped=closing.capped,
        )
        statements.append(statement)
        uses += [
            CardUse(statement=statement, card_id=card.key, quarters=quarters)
            for card, quarters in worked_out.card_uses
        ]
        if worked_out.credit_quarters:
            credited.append(OverageCredit(statement=statement, quarters=worked_out.credit_quarters))
    Statement.objects.bulk_create(statements, batch_size=1000)
    CardUse.objects.bulk_create(uses, batch_size=1000)
    OverageCredit.objects.bulk_create(credited, batch_size=1000)


def refuse_to_close(month: Month, *, on: dt.date) -> None:
    """Raise CloseError where ``month`` is not the next one to close, or not over on a date."""
    if month >= Month.containing(on):
        raise CloseError(_("%(month)s is not over yet."), params={"month": month})
    following = hours.first_open_month()
    if following is None and month < (first := _first_month()):
        raise CloseError(_("There is nothing to close before %(first)s."), params={"first": first})
    if following is not None and month > following:
        raise CloseError(
            _("Months are closed in order: %(following)s comes before %(month)s."),
            params={"following": following, "month": month},
        )
    if following is not None and month < following:
        raise CloseError(
            _("%(month)s lies before the first month that was closed."), params={"month": month}
        )


def next_to_close(on: dt.date, open_month: Month | None = None) -> Month | None:
    """Give the month that is closed next, if it is over on a date and there is a client.

    ``open_month`` saves a question where the first one that is not closed is known.
    """
    try:
        following = open_month or hours.first_open_month() or _first_month()
    except CloseError:
        return None
    last_over = Month.containing(on) - 1
    if following == Month(0):  # any month will do
        return last_over
    return following if following <= last_over else None


def _first_month() -> Month:
    """Give the first run of any contract; with clients and no contract any month is closed.

    Raises CloseError where there is neither client nor session: a month that is closed stays
    closed, and an empty agency must not lock one by mistake.
    """
    if not (Organisation.objects.exists() or Session.objects.exists()):
        raise CloseError(_("There is no client yet: there is nothing to close."))
    return Subscription.objects.aggregate(first=models.Min("first_run"))["first"] or Month(0)


@transaction.atomic
def close_month(month: Month, *, on: dt.date) -> bool:
    """Lock a month, post its hours and publish the statements of the periods that end with it.

    Gives False, and changes nothing, where the month was closed before. Raises CloseError.
    The statements of all organisations are one publication, dated ``on``; the queue mails their
    contacts.
    """
    take_turns()
    if Publication.objects.filter(month=month).exists():
        return False
    refuse_to_close(month, on=on)
    hours.post(month, _served())
    books = read_books()
    publication = Publication.objects.create(month=month, published_on=on)
    _write(books, list(closings(books, dict.fromkeys(books.contracts, month + 1))), publication)
    async_task("subscriptions.tasks.announce", str(publication.pk))
    return True


def _served() -> dict[UUID, list[MonthRange]]:
    """Give the months of which drafts may still be posted: of a contract, from its first run.

    Not those of a pause.
    """
    paused = grouped(Pause.objects.order_by("from_month"), "subscription_id")
    served: dict[UUID, list[MonthRange]] = defaultdict(list)
    for row in Subscription.objects.all():
        first = max(row.start_month, row.first_run)
        if row.until_month is None or first < row.until_month:
            months = MonthRange(first, row.until_month)
            served[row.organisation_id] += months.without(each.months for each in paused[row.pk])
    return served


@transaction.atomic
def state_history() -> int:
    """Write the statements of periods that ended before each contract's first run (design 8).

    Called once, when contracts are brought in; gives their number.
    """
    books = read_books()
    first_runs = {key: contract.first_run for key, contract in books.contracts.items()}
    batch = list(closings(books, first_runs))
    _write(books, batch, None)
    return len(batch)


def of_month(month: Month) -> list[dict[str, object]]:
    """Give what a month's publication states, as plain values sorted by organisation code."""
    rows = Statement.objects.filter(publication__month=month).select_related("organisation")
    return [as_plain(row) for row in rows.order_by("organisation__code", "from_month")]


def as_plain(row: Statement) -> dict[str, object]:
    """Give a statement in the form of ``close_month --json`` (design 7)."""
    return {
        "organisation": row.organisation.code,
        "period": [str(row.from_month), str(row.until_month)],
        "version": row.version,
        "display": row.display,
        "used_hours": None if row.used_quarters is None else plain_hours(row.used_quarters),
        "allowance_hours": plain_hours(row.allowance_quarters),
        "overage_hours": plain_hours(row.overage_quarters),
    }
