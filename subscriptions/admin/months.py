"""The pages of a month: six steps, each explained before it acts, and safe to do again."""

from __future__ import annotations

from collections import Counter
from functools import partial
from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.http import Http404
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import path
from django.utils.text import capfirst
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from advisors import submissions
from agency import access
from agency.accounts import signed_in
from agency.admin_base import note, note_all
from agency.models import Organisation
from agency.month import Month
from agency.templatetags.figures import day, long_month
from agency.today import today
from subscriptions import billing, foretelling, long_work, months, run_comparison, statements, vat
from subscriptions.admin import jobs as job_pages
from subscriptions.admin.month_words import (
    beside,
    foretold,
    label,
    unblock,
    why,
    why_client,
)
from subscriptions.bounds import ONE_PERSON_APPROVES_CENTS
from subscriptions.models import Invoice, InvoiceState, JobKind

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest, HttpResponse

    from subscriptions.foretelling import Coming
    from subscriptions.months import Standing

MOST_SHOWN = 50  # rows of one kind; the lists have all of them
ON_A_PAGE = 24
SENT = (*InvoiceState.released,)
DEEDS = ("remind", "close", "draft", "approve", "push", "workbooks")
TITLES = {
    "complete": _("Complete"),
    "close": _("Closing"),
    "statements": _("Statements"),
    "drafts": _("Draft invoices"),
    "approve": _("Approving"),
    "send": _("Sending"),
}
JOBS = {
    "close": JobKind.CLOSE,
    "statements": JobKind.WORKBOOKS,
    "drafts": JobKind.DRAFT,
    "send": JobKind.PUSH,
}


def addresses(site: Any) -> list[Any]:
    """Give the addresses of the pages, and of the deeds that their buttons do."""
    wrap = site.admin_view
    deeds = {
        "remind": _remind,
        "close": partial(_start, kind=JobKind.CLOSE, step="close"),
        "draft": partial(_start, kind=JobKind.DRAFT, step="drafts"),
        "approve": _approve,
        "push": partial(_start, kind=JobKind.PUSH, step="send"),
        "workbooks": partial(_start, kind=JobKind.WORKBOOKS, step="statements"),
    }
    return [
        path("months/", wrap(partial(_list, site)), name="month_list"),
        path("months/<month>/", wrap(partial(_page, site)), name="month"),
        path("months/<month>/<step>/", wrap(partial(_page, site)), name="month_step"),
        *(
            path(f"months/<month>/do/{name}/", wrap(deeds[name]), name=f"month_{name}")
            for name in DEEDS
        ),
    ]


# Pages


def _list(site: Any, request: HttpRequest) -> HttpResponse:
    """Show the months, the newest first, with where each stands."""
    (first, closed), last = months.bounds(), Month.containing(today())
    known = [] if first is None else [last - n for n in range(last.since(first) + 1)]
    page = Paginator(known, ON_A_PAGE).get_page(request.GET.get("p"))
    rows = [
        {"standing": found, "where": _where(found), "sent": found.of(SENT)}
        for found in months.standings(list(page), closed)
    ]
    context = {"title": _("Months"), "rows": rows, "page": page}
    return _response(site, request, "list", context)


def _where(found: Standing) -> tuple[str, str]:
    """Say where a month stands, and in which tone."""
    if not found.is_closed:
        is_over = found.month < Month.containing(today())
        return (gettext("to close"), "wait") if is_over else (gettext("not over yet"), "")
    words = {
        "drafts": gettext("to draft"),
        "approve": gettext("to approve"),
        "send": gettext("to send"),
    }
    waiting = next((step.name for step in found.steps() if not step.is_done), "")
    if waiting:
        return words[waiting], "wait"
    blocked = found.of([InvoiceState.BLOCKED]).documents
    return (
        (gettext("%(n)s blocked") % {"n": blocked}, "wait")
        if blocked
        else (gettext("done"), "good")
    )


def _page(site: Any, request: HttpRequest, month: str, step: str = "") -> HttpResponse:
    """Show a step of a month, or the one that waits for somebody."""
    known, closed = _known(month)
    found = months.standing(known, closed)
    step = step or found.current()
    if step not in TITLES:
        raise Http404
    job = found.jobs.get(JOBS.get(step, ""))
    context = {
        "title": capfirst(long_month(known)),
        "month": known,
        "standing": found,
        "step": step,
        "steps": _steps(found, step),
        "acts": signed_in(request).role in access.ADDRESSES["admin:month_close"].writers,
        "reminds": signed_in(request).role in access.ADDRESSES["admin:month_remind"].writers,
        "last_day": vat.last_invoice_day(known),
        "job": job,
        "hides_failures": step == "close" and found.is_closed,
        **(job_pages.shown(job, request) if job else {}),
        **SHOWN[step](request, found),
    }
    return _response(site, request, step, context)


def _known(text: str) -> tuple[Month, Month | None]:
    """Give a month that has a page, and the last one that is closed.

    From the first that was or will be closed up to today's.
    """
    try:
        month = Month.parse(text)
    except ValueError as error:
        raise Http404 from error
    first, closed = months.bounds()
    if first is None or not first <= month <= Month.containing(today()):
        raise Http404
    return month, closed


def _response(
    site: Any, request: HttpRequest, template: str, context: dict[str, Any]
) -> HttpResponse:
    frame = site.each_context(request) | context
    return TemplateResponse(request, f"admin/months/{template}.html", frame)


def _steps(found: Standing, current: str) -> list[dict[str, Any]]:
    notes = _notes(found)
    return [
        {
            "name": step.name,
            "title": TITLES[step.name],
            "note": notes[step.name],
            "is_done": step.is_done,
            "is_current": step.name == current,
        }
        for step in found.steps()
    ]


def _notes(found: Standing) -> dict[str, str]:
    """Say under each step how many, or on which day it was done."""
    not_yet = gettext("not yet")
    notes = dict.fromkeys(TITLES, not_yet)
    notes["complete"] = gettext("%(done)s of %(total)s submitted") % {
        "done": found.advisors - found.missing,
        "total": found.advisors,
    }
    if found.publication:
        notes["close"] = _on(found.publication.published_on)
        notes["statements"] = gettext("%(n)s published") % {"n": found.statements}
    drafts = found.of([InvoiceState.DRAFT]).documents
    if found.is_drafted:
        job = found.jobs.get(JobKind.DRAFT)
        notes["drafts"] = _on(job.finished_on) if job else gettext("drafted")
        approved = found.of([*months.UNSENT, *SENT]).documents
        notes["approve"] = gettext("%(n)s approved") % {"n": approved}
    if drafts:
        notes["approve"] = gettext("%(n)s to approve") % {"n": drafts}
    if found.last_sent_on:
        sent = {"n": found.of(SENT).documents, "day": day(found.last_sent_on)}
        notes["send"] = gettext("%(n)s sent, last on %(day)s") % sent
    return notes


def _on(date: Any) -> str:
    return gettext("done on %(day)s") % {"day": day(date)}


# What each step shows


def _complete(_request: HttpRequest, found: Standing) -> dict[str, Any]:
    return {"missing": months.not_submitted(found.month)[:MOST_SHOWN] if found.missing else []}


def _close(_request: HttpRequest, found: Standing) -> dict[str, Any]:
    if found.is_closed:
        return {"refusal": "", "coming": [], "coming_count": 0}
    coming, refusal = _foretold(found.month)
    counts = Counter(each.release.display for each in coming)
    said = [(foretold(display), count) for display, count in counts.most_common()]
    return {"refusal": refusal, "coming": said, "coming_count": len(coming)}


def _statements(_request: HttpRequest, found: Standing) -> dict[str, Any]:
    if found.is_closed:
        rows = months.published(found.month, MOST_SHOWN)
        return {
            "published": rows,
            "coming": [],
            "refusal": "",
            "more": found.statements - len(rows),
        }
    coming, refusal = _foretold(found.month)
    coming.sort(key=lambda each: (each.name, each.release.months.from_month))
    shown = [(each, foretold(each.release.display)) for each in coming[:MOST_SHOWN]]
    more = len(coming) - len(shown)
    return {"published": [], "coming": shown, "refusal": refusal, "more": more}


def _foretold(month: Month) -> tuple[list[Coming], str]:
    """Give what the close would publish, or the sentence that says why there is none now."""
    try:
        statements.refuse_to_close(month, on=today())
        return foretelling.coming(month), ""
    except statements.CloseError as refused:
        return [], _sentences(refused)


def _sentences(refused: ValidationError) -> str:
    """Give a refusal as a page says it: commands write months as YYYY-MM, people do not."""
    for error in refused.error_list:
        named = error.params or {}
        error.params = {
            name: long_month(value) if isinstance(value, Month) else value
            for name, value in named.items()
        }
    return " ".join(capfirst(text) for text in refused.messages)


def _drafts(request: HttpRequest, found: Standing) -> dict[str, Any]:
    month, blocked = found.month, found.of([InvoiceState.BLOCKED])
    runs = months.billed([month, *(month - length for length in run_comparison.LENGTHS)])
    like = run_comparison.like(month, runs)
    before = runs
    if not (like and like.is_one_rhythm_before):  # as most runs have
        before = months.billed([month - n for n in range(run_comparison.YEAR + 1)])
        like = run_comparison.like(month, before)
    kinds = run_comparison.by_kind(before[like.month] if like else [], runs.get(month, []))
    looks = run_comparison.to_look_at(month, runs) if found.is_drafted else []
    names = Organisation.objects.in_bulk([one.client for one in looks[:MOST_SHOWN]])
    return {
        "like": like,
        "beside": beside(like) if like else "",
        "kinds": [(label(row.kind), row, why(row, found.month)) for row in kinds],
        "then_cents": sum(row.cents_then for row in kinds),
        "now_cents": sum(row.cents_now for row in kinds),
        "difference_cents": sum(row.difference_cents for row in kinds),
        "looks": [(names[one.client], one, why_client(one)) for one in looks[:MOST_SHOWN]],
        "more_looks": len(looks) - MOST_SHOWN,
        "blocked": _blocked(request, month) if blocked.documents else [],
        "blocked_sum": blocked,
    }


def _blocked(request: HttpRequest, month: Month) -> list[tuple[Invoice, tuple[str, str]]]:
    rows = Invoice.objects.filter(run_month=month, state=InvoiceState.BLOCKED)
    reader = signed_in(request)
    return [(row, unblock(row, reader)) for row in rows.order_by("buyer_name")[:MOST_SHOWN]]


def _approving(_request: HttpRequest, found: Standing) -> dict[str, Any]:
    refusal = ""
    if found.of([InvoiceState.DRAFT]).documents > 1:
        try:
            billing.refuse_unusual_run(found.month)
        except billing.BillError as refused:
            refusal = _sentences(refused)
    return {
        "refusal": refusal,
        "bound_cents": ONE_PERSON_APPROVES_CENTS,
        "to_approve": found.to_approve,
        "large": months.large_drafts(found.month)[:MOST_SHOWN] if found.large.documents else [],
        "blocked_sum": found.of([InvoiceState.BLOCKED]),
        "approved_sum": found.of([InvoiceState.APPROVED]),
    }


def _sending(_request: HttpRequest, found: Standing) -> dict[str, Any]:
    parked = Invoice.objects.filter(run_month=found.month, state=InvoiceState.PARKED)
    return {
        "to_send": found.of([InvoiceState.APPROVED]),
        "sent": found.of(SENT),
        "parked": parked.order_by("buyer_name")[:MOST_SHOWN],
        "left": found.of([InvoiceState.DRAFT, InvoiceState.BLOCKED]),
    }


SHOWN: dict[str, Callable[[HttpRequest, Standing], dict[str, Any]]] = {
    "complete": _complete,
    "close": _close,
    "statements": _statements,
    "drafts": _drafts,
    "approve": _approving,
    "send": _sending,
}


# Deeds


def _remind(request: HttpRequest, month: str) -> HttpResponse:
    """Ask by mail who has not submitted; who was asked within the hour is left in peace."""
    asked = submissions.remind(_known(month)[0])
    text = ngettext(
        "%(n)s counsellor is asked by mail.", "%(n)s counsellors are asked by mail.", asked
    )
    nobody = gettext("Nobody is asked: they all were within the last hour, or have submitted.")
    messages.info(request, text % {"n": asked} if asked else nobody)
    return redirect("admin:month_step", month, "complete")


def _start(request: HttpRequest, month: str, *, kind: JobKind, step: str) -> HttpResponse:
    """Have the queue close, draft, send or write, unless it is at it already."""
    known, _closed = _known(month)
    try:
        job, is_new = long_work.start(kind, known, by=signed_in(request), on=today())
    except ValidationError as refused:
        messages.warning(request, _sentences(refused))
    else:
        if is_new:
            note(request, "started", job)
        else:
            messages.info(request, gettext("It is under way already."))
    return redirect("admin:month_step", month, step)


def _approve(request: HttpRequest, month: str) -> HttpResponse:
    """Approve the drafts that the page counted; large ones are approved on their own pages."""
    known, _closed = _known(month)
    drafts = list(
        Invoice.objects.filter(run_month=known, state=InvoiceState.DRAFT).exclude(billing.LARGE)
    )
    counted = f"{len(drafts)}:{sum(invoice.net_cents for invoice in drafts)}"
    if not drafts:
        messages.info(request, gettext("There is nothing left to approve."))
        return redirect("admin:month", month)
    if request.POST.get("counted") != counted:
        messages.warning(
            request, gettext("The drafts changed meanwhile: nothing was approved. Look again.")
        )
        return redirect("admin:month_step", month, "approve")
    try:
        done = billing.approve(drafts, by=signed_in(request))
    except billing.BillError as refused:
        messages.error(request, _sentences(refused))
        return redirect("admin:month_step", month, "approve")
    note_all(request, "approved", drafts)
    text = ngettext(
        "%(n)s invoice approved. Nothing is sent yet.",
        "%(n)s invoices approved. Nothing is sent yet.",
        done,
    )
    messages.success(request, text % {"n": done})
    return redirect("admin:month_step", month, "send")
