"""Invariants of closed months, statements and top-up cards (design 5.3 to 5.6, and 8)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from uuid import UUID

from agency.money import plain_hours
from agency.month import Month, MonthRange
from subscriptions.agreements import CAP, Contract, NoPriceError
from subscriptions.audit.records import Check, Invariant, Records
from subscriptions.models import Statement
from subscriptions.release import EXACT, release
from subscriptions.use import Account, Card, Stated, account


def months_are_closed_in_order_without_gaps(records: Records) -> Iterator[Check]:
    for before, month in pairwise(records.closed):
        yield Check(str(month), f"closed after {month - 1}", f"closed after {before}")


def each_closed_month_has_its_publication(records: Records) -> Iterator[Check]:
    published = {row.month for row in records.publications.values()}
    for month in sorted({*records.closed, *published}):
        yield Check(
            str(month),
            "closed and published",
            f"{'closed' if month in records.closed else 'open'} and "
            f"{'published' if month in published else 'not published'}",
        )


def each_ended_period_has_its_statement(records: Records) -> Iterator[Check]:
    if records.open_month is None:
        return
    for subscription, contract in records.contracts.items():
        stated = records.newest_statements(subscription)
        open_from = contract.resumes(
            stated[-1].until_month if stated else _first_period_from(contract)
        )
        newest = records.policies[-1][0]
        found = "still open"
        try:
            missing = _first_to_close(records, contract, open_from, records.open_month, newest)
            found = f"{missing} closed without a statement" if missing else found
        except NoPriceError as error:
            found = f"no price for {error}"
        name = records.period_name(subscription, MonthRange(open_from))
        yield Check(name, "still open", found)


def _first_period_from(contract: Contract) -> Month:
    return max(contract.months.from_month, contract.reported_until)


def _first_to_close(
    records: Records, contract: Contract, open_from: Month, until: Month, version: int
) -> MonthRange | None:
    """Give the first period that closes before a month by every policy up to a version.

    By every one, because only a statement tells the policy of its time.
    """
    policies = [policy for number, policy in records.policies if number <= version]
    month = open_from
    while month < until and month in contract.months:
        if all(release(contract, open_from, month, policy) for policy in policies):
            return MonthRange(open_from, month + 1)
        month += 1
    return None


def periods_close_when_they_should(records: Records) -> Iterator[Check]:
    for replayed in _replay(records):
        yield Check(replayed.name, replayed.period, str(replayed.statement.months))


def no_statement_is_published_too_early(records: Records) -> Iterator[Check]:
    """A statement comes with its last month or later; one of history ended before the first run."""
    for rows in records.statements.values():
        for row in rows:
            contract = records.contracts[row.subscription_id]
            batch = records.publications.get(row.publication_id) if row.publication_id else None
            over = batch.month + 1 if batch else contract.first_run
            name = records.period_name(row.subscription_id, row.months)
            yield Check(name, "over", "over" if row.until_month <= over else f"ran until {over}")


def statements_come_with_the_month_that_ends_them(records: Records) -> Iterator[Check]:
    """But for the first ones of a contract, at once if it was entered late, and at its end."""
    for subscription, rows in records.statements.items():
        until = records.contracts[subscription].months.until_month
        before: set[Month] = set()
        for row in rows:
            if row.publication_id and row.version == 1:
                month = records.publications[row.publication_id].month
                is_first, is_last = before <= {month}, row.until_month == until
                late = month > row.months.last_month and not (is_first or is_last)
                before.add(month)
                name = records.period_name(subscription, row.months)
                yield Check(name, "in time", f"with {month}" if late else "in time")


def versions_count_up_from_1(records: Records) -> Iterator[Check]:
    for subscription, rows in records.statements.items():
        versions: dict[Month, list[int]] = defaultdict(list)
        for row in rows:
            versions[row.from_month].append(row.version)
        for month, found in versions.items():
            name = records.period_name(subscription, MonthRange(month))
            yield Check(name, list(range(1, len(found) + 1)), found)


def statements_show_what_people_and_months_allow(records: Records) -> Iterator[Check]:
    for replayed in _replay(records):
        if replayed.account:
            display = replayed.account.release.display
            yield Check(replayed.name, display, replayed.statement.display)


def statements_follow_from_hours_contract_and_earlier_statements(
    records: Records,
) -> Iterator[Check]:
    """Use, allowance and overage; of a period that shows otherwise than it should, none."""
    for replayed in _replay(records):
        statement, worked_out = replayed.statement, replayed.account
        if worked_out and worked_out.release.display == statement.display:
            shown = worked_out.used_quarters if statement.display == EXACT else None
            expected = (shown, worked_out.allowance_quarters, worked_out.overage_quarters)
            found = (
                statement.used_quarters,
                statement.allowance_quarters,
                statement.overage_quarters,
            )
            yield Check(replayed.name, _figures(*expected), _figures(*found))


def _figures(used: int | None, allowance: int, overage: int) -> str:
    shown = "" if used is None else f"{plain_hours(used)} of "
    return f"{shown}{plain_hours(allowance)} hours, {plain_hours(overage)} over"


def capped_statements_say_so(records: Records) -> Iterator[Check]:
    for replayed in _replay(records):
        contract = records.contracts[replayed.statement.subscription_id]
        year = contract.year_of(replayed.statement.from_month)
        capped = contract.choices_of(year).overage == CAP
        yield Check(replayed.name, capped, replayed.statement.capped)


def overage_is_credited_as_far_as_a_negative_rest_undoes_it(records: Records) -> Iterator[Check]:
    """Found at the end of a contract year, and published with its last statement."""
    for replayed in _replay(records):
        if replayed.account:
            credit = records.overage_credits.get(replayed.statement.pk)
            found = credit.quarters if credit else 0
            expected = replayed.account.credit_quarters
            yield Check(replayed.name, plain_hours(expected), plain_hours(found))


def cards_pay_what_passes_the_allowance_and_no_more(records: Records) -> Iterator[Check]:
    for replayed in _replay(records):
        if replayed.account:
            taken = {str(card.key): quarters for card, quarters in replayed.account.card_uses}
            uses = records.uses.get(replayed.statement.pk, [])
            yield Check(replayed.name, taken, {str(use.card_id): use.quarters for use in uses})


def cards_are_never_overdrawn(records: Records) -> Iterator[Check]:
    """Neither by periods with figures nor by bands; those find again what these took."""
    used: dict[tuple[UUID, bool], int] = defaultdict(int)
    for rows in records.statements.values():
        for statement in rows:
            for use in records.uses.get(statement.pk, []):
                used[use.card_id, statement.display == EXACT] += use.quarters
    for key, card in records.cards.items():
        most = max(used[key, True], used[key, False])
        overdrawn = max(0, most - card.remaining_quarters)
        yield Check(
            f"{records.code(card.organisation_id)} card {card.bought_month}",
            "0 hours overdrawn",
            f"{plain_hours(overdrawn)} hours overdrawn",
        )


def cards_pay_for_their_own_client_in_their_own_months(records: Records) -> Iterator[Check]:
    for rows in records.statements.values():
        for statement in rows:
            for use in records.uses.get(statement.pk, []):
                card = records.cards[use.card_id]
                fits = statement.organisation_id == card.organisation_id
                fits = fits and card.months.overlaps(statement.months)
                name = records.period_name(statement.subscription_id, statement.months)
                yield Check(name, "a card of its own", "a card of its own" if fits else "another")


def posted_hours_are_of_closed_months_or_history(records: Records) -> Iterator[Check]:
    """Hours lie inside a contract and no pause; from its first run on, only of closed months."""
    for row in records.posted:
        yield Check(
            f"{records.code(row.organisation_id)} {row.month}",
            "posted in time",
            _posted_when(records, row.organisation_id, row.month),
        )


def _posted_when(records: Records, organisation: UUID, month: Month) -> str:
    for subscription in records.facts.subscriptions[organisation]:
        if records.is_served(subscription, month):
            closed = records.open_month is not None and month < records.open_month
            return "posted in time" if closed or month < subscription.first_run else "too early"
    return "outside every contract"


def no_draft_of_a_closed_month_is_left_behind(records: Records) -> Iterator[Check]:
    """But for hours that nobody pays: before a first run, in a pause, or outside every contract."""
    for row in records.drafts:
        served = any(
            records.is_served(subscription, row.month) and row.month >= subscription.first_run
            for subscription in records.facts.subscriptions[row.organisation_id]
        )
        left = served and records.open_month is not None and row.month < records.open_month
        name = f"{records.code(row.organisation_id)} {row.month}"
        yield Check(name, "none left", "left" if left else "none left")


@dataclass(frozen=True)
class Replayed:
    """A statement with what should be, given the statements before it.

    Without ``account`` its period is wrong already: ``period`` says what was expected.
    """

    name: str
    statement: Statement
    period: str
    account: Account | None = None

    @property
    def is_kept(self) -> bool:
        """Whether period, display, allowance and overage are those of the statement."""
        if self.account is None:
            return False
        expected, kept = self.account, self.statement
        return (
            self.period == str(kept.months)
            and expected.release.display == kept.display
            and expected.allowance_quarters == kept.allowance_quarters
            and expected.overage_quarters == kept.overage_quarters
        )


def _replay(records: Records) -> list[Replayed]:
    """Work all statements out, once for all that is asked of them."""
    if records.replayed is None:
        records.replayed = list(_all_replayed(records))
    return records.replayed


def _all_replayed(records: Records) -> Iterator[Replayed]:
    spent: dict[tuple[UUID, bool], int] = defaultdict(int)
    for subscription in records.contracts:
        stated: list[Stated] = []
        for statement in records.newest_statements(subscription):
            cards = _cards_at_hand(records, statement, spent)
            yield _replayed(records, statement, stated, cards)
            stated.append(_as_stated(records, statement))
            for use in records.uses.get(statement.pk, []):
                spent[use.card_id, statement.display == EXACT] += use.quarters


def _replayed(
    records: Records, statement: Statement, stated: list[Stated], cards: list[Card]
) -> Replayed:
    """Give what follows from the contract as it is or, if that is not kept, as it may have been."""
    subscription = statement.subscription_id
    ways = []
    for contract in records.once_agreed(subscription, statement.months.last_month):
        try:
            ways.append(_by(contract, records, statement, stated, cards))
        except NoPriceError as error:
            name = records.period_name(subscription, statement.months)
            ways.append(Replayed(name, statement, f"no price for {error}"))
        if ways[-1].is_kept:
            return ways[-1]
    return ways[0]


def _by(
    contract: Contract,
    records: Records,
    statement: Statement,
    stated: list[Stated],
    cards: list[Card],
) -> Replayed:
    name = records.period_name(statement.subscription_id, statement.months)
    open_from = contract.resumes(
        stated[-1].months.until if stated else _first_period_from(contract)
    )
    last = statement.months.last_month
    if statement.from_month != open_from or last not in contract.months:
        return Replayed(name, statement, f"inside {contract.months}, from {open_from}")
    version = statement.policy.version
    earlier = _first_to_close(records, contract, open_from, last, version)
    if earlier:
        return Replayed(name, statement, str(earlier))
    policy = dict(records.policies)[version]
    closing = release(contract, open_from, last, policy)
    if closing is None:
        return Replayed(name, statement, "still open")
    hours = records.hours.get(statement.organisation_id, {})
    worked_out = account(contract, closing, hours, stated, cards, policy)
    return Replayed(name, statement, str(closing.months), worked_out)


def _as_stated(records: Records, statement: Statement) -> Stated:
    return Stated(
        months=statement.months,
        display=statement.display,
        overage_quarters=statement.overage_quarters,
        card_quarters=sum(use.quarters for use in records.uses.get(statement.pk, [])),
    )


def _cards_at_hand(
    records: Records, statement: Statement, spent: dict[tuple[UUID, bool], int]
) -> list[Card]:
    """Give the client's cards, oldest first, as full as the statements before have left them.

    One that was entered or changed on the day of publishing or later counts as far as it paid:
    whether it was at hand is not kept.
    """
    uses = records.uses.get(statement.pk, [])
    paid = {use.card_id: use.quarters for use in uses}
    batch = records.publications.get(statement.publication_id) if statement.publication_id else None
    rows = records.facts.cards[statement.organisation_id]
    at_hand = []
    for row in sorted(rows, key=lambda row: (row.bought_month, row.expires_month, row.pk)):
        noted_on = records.cards_noted_on.get(row.pk)
        was_there = noted_on is None or (batch is not None and noted_on < batch.published_on)
        if was_there:
            left = row.remaining_quarters - spent[row.pk, True]
            at_hand.append(Card(row.pk, row.months, max(0, left), spent[row.pk, False]))
        else:
            at_hand.append(Card(row.pk, row.months, paid.get(row.pk, 0)))
    return at_hand


INVARIANTS: tuple[Invariant, ...] = (
    months_are_closed_in_order_without_gaps,
    each_closed_month_has_its_publication,
    each_ended_period_has_its_statement,
    periods_close_when_they_should,
    no_statement_is_published_too_early,
    statements_come_with_the_month_that_ends_them,
    versions_count_up_from_1,
    statements_show_what_people_and_months_allow,
    statements_follow_from_hours_contract_and_earlier_statements,
    capped_statements_say_so,
    overage_is_credited_as_far_as_a_negative_rest_undoes_it,
    cards_pay_what_passes_the_allowance_and_no_more,
    cards_are_never_overdrawn,
    cards_pay_for_their_own_client_in_their_own_months,
    posted_hours_are_of_closed_months_or_history,
    no_draft_of_a_closed_month_is_left_behind,
)
