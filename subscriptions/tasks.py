"""Work of the queue: ids in, one verb, a line in the log. Every task may run more than once."""

import datetime as dt
import logging
from collections import Counter
from uuid import UUID

from django.utils import timezone

from agency.schedules import Every
from agency.today import today
from subscriptions import (
    advancing,
    announcements,
    contests,
    debits,
    inbox,
    indexation_letters,
    jobs,
    long_work,
    push,
    reconcile,
    reminders,
    retention,
)
from subscriptions.einvoice import mail as einvoice_mail
from subscriptions.push import Outcome

logger = logging.getLogger(__name__)

SCHEDULES = [
    Every("resume pushing", "subscriptions.tasks.resume_pushing", minutes=10),
    Every("sweep events", "subscriptions.tasks.sweep_events", minutes=5),
    Every("reconcile stripe", "subscriptions.tasks.reconcile_stripe", daily_at=dt.time(4, 30)),
    Every("go on collecting", "subscriptions.tasks.go_on_collecting", daily_at=dt.time(5, 10)),
    Every("remind", "subscriptions.tasks.remind", daily_at=dt.time(9, 0)),
    Every("mail e-invoices", "subscriptions.tasks.mail_einvoices", minutes=10),
    Every("go on with jobs", "subscriptions.tasks.go_on_with_jobs", minutes=10),
    Every("erase expired", "subscriptions.tasks.erase_expired", daily_at=dt.time(4, 50)),
]


def run_job(job_id: str) -> None:
    on = today()
    deeds = long_work.deeds(on=on, clock=timezone.now)
    jobs.work(UUID(job_id), deeds, finish=long_work.finish, on=on)


def go_on_with_jobs() -> None:
    """Take up jobs whose worker died, and throw away files that nobody fetched for a month."""
    jobs.sweep()
    jobs.throw_results_away(on=today())


def push_invoice(invoice_id: str) -> None:
    try:
        outcome = push.push(UUID(invoice_id), at=timezone.now())
    except push.NotApprovedError:  # taken back since it was queued
        logger.info("invoice not approved", extra={"task": "push_invoice"})
        return
    logger.info(f"invoice {outcome}", extra={"task": "push_invoice"})  # noqa: G004 - a closed list


def resume_pushing() -> None:
    """Go on with documents that are on their way to Stripe and had to wait."""
    outcomes = Counter(
        push.try_to_push(invoice_id, at=timezone.now())
        for invoice_id in list(push.begun().values_list("pk", flat=True))
    )
    for outcome, count in outcomes.items():
        extra = {"task": "resume_pushing", "count": count}
        logger.info(f"invoice {outcome}", extra=extra)  # noqa: G004 - a closed list
    if failed := outcomes[Outcome.FAILED]:
        raise push.UnforeseenError(failed)


def handle_events() -> None:
    """Work off what came in, the oldest first, until nothing new is there."""
    tried: list[UUID] = []
    failed = 0
    while fresh := list(inbox.received().exclude(pk__in=tried).values_list("pk", flat=True)[:100]):
        tried += fresh
        failed += inbox.work_off(fresh, at=timezone.now())
    if failed:
        raise inbox.UnforeseenError(failed)


def sweep_events() -> None:
    """Take up events whose object was not known yet, or whose task was lost."""
    now = timezone.now()
    due = inbox.unhandled(before=now - inbox.TASK_IS_ON_ITS_WAY)
    if failed := inbox.work_off(list(due.values_list("pk", flat=True)), at=now):
        raise inbox.UnforeseenError(failed)


def go_on_collecting() -> None:
    """End the contests whose day came; the next round of pushing tells Stripe what is new to it."""
    over, told = contests.end_over(today()), advancing.align_all(on=today())
    logger.info(
        f"{len(over)} contests ended, {told} invoices to tell of",  # noqa: G004 - counts
        extra={"task": "go_on_collecting"},
    )


def remind() -> None:
    made = len(reminders.ask(on=today())) + len(debits.announce(on=today()))
    logger.info(f"{made} mails queued", extra={"task": "remind"})  # noqa: G004 - a count


def reconcile_stripe() -> None:
    done = reconcile.reconcile(at=timezone.now())
    logger.info(
        f"{len(done.repaired)} repaired, {len(done.found)} differences",  # noqa: G004 - counts
        extra={"task": "reconcile_stripe"},
    )
    if done.failed:
        raise inbox.UnforeseenError(done.failed)


def erase_expired() -> None:
    erased, _ = retention.keep_terms(on=today(), at=timezone.now())
    logger.info(f"{erased.total()} rows erased", extra={"task": "erase_expired"})  # noqa: G004 - counts


def announce(publication_id: str) -> None:
    announcements.announce(UUID(publication_id))


def mail_einvoices() -> None:
    if failed := einvoice_mail.mail_due(on=today()):
        logger.warning("e-invoices not mailed", extra={"task": "mail_einvoices", "count": failed})


def mail_contact(mail_id: str) -> None:
    announcements.mail_contact(UUID(mail_id))


def mail_indexation(row_id: str) -> None:
    indexation_letters.send(UUID(row_id), on=today())


def mail_reminder(reminder_id: str) -> None:
    reminders.send(UUID(reminder_id), on=today())


def mail_debit_notice(notice_id: str) -> None:
    debits.send(UUID(notice_id), on=today())
