"""The advisor's hours, for a phone: organisations as large buttons, and no field to type in.

What was chosen and changed last travels in the page itself and is kept nowhere: a session would
tell when somebody called.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext

from advisors import hours
from advisors.forms import RecordForm
from advisors.models import Advisor, DraftHours, MonthSubmission, visible_organisations
from agency.accounts import signed_in
from agency.month import Month
from agency.today import today

if TYPE_CHECKING:
    from agency.models import Organisation

# What a press on a button adds.
STEPS_IN_QUARTERS = (1, 2, 4)
# An agency that is behind with closing months still finds them here.
MOST_MONTHS_BACK = 6


@dataclass(slots=True)
class Row:
    """An organisation with the hours that its advisor has noted for the month."""

    organisation: Organisation
    quarters: int

    @property
    def steps(self) -> list[tuple[int, int]]:
        """The quarters that each button adds, and those that there are then."""
        return [(step, self.quarters + step) for step in STEPS_IN_QUARTERS]

    @property
    def less(self) -> list[tuple[int, int]]:
        """What each button takes off, and the quarters that are left then."""
        left = [(-step, self.quarters - step) for step in STEPS_IN_QUARTERS]
        return [(step, rest) for step, rest in left if rest >= 0]


@dataclass(slots=True)
class Change:
    """What the last press did, or the sentence that says why it did nothing."""

    was_quarters: int | None = None
    added_quarters: int = 0
    problem: str = ""


View = Callable[..., HttpResponse]


def for_advisor(view: View) -> View:
    """Hand the view the advisor who is signed in and an open month; 404 where it is not open."""

    @wraps(view)
    def wrapped(request: HttpRequest, month: str) -> HttpResponse:
        return view(request, _advisor(request), _open_month(month))

    return wrapped


def _advisor(request: HttpRequest) -> Advisor:
    advisor = Advisor.objects.filter(user=signed_in(request)).select_related("user").first()
    if advisor is None:
        raise PermissionDenied(gettext("Your account belongs to no advisor yet."))
    return advisor


def _open_months() -> list[Month]:
    """Give the months that hours can be noted for, the running one first."""
    now = Month.containing(today())
    first = hours.first_open_month() or now - 1
    months = (now - back for back in range(MOST_MONTHS_BACK))
    return [month for month in months if month >= first]


def _open_month(text: str) -> Month:
    try:
        month = Month.parse(text)
    except ValueError as error:
        raise Http404 from error
    if month not in _open_months():
        raise Http404
    return month


def start(request: HttpRequest) -> HttpResponse:
    advisor = _advisor(request)
    months = _open_months()
    if not months:
        return render(request, "hours/closed.html")
    return _page(request, advisor, months[0])


@for_advisor
def show_month(request: HttpRequest, advisor: Advisor, month: Month) -> HttpResponse:
    """Show the month; a POST opens an organisation or, with hours, changes them."""
    if request.method != "POST":
        return _page(request, advisor, month)
    organisation = _own_organisation(advisor, month, request.POST.get("organisation", ""))
    if "to_quarters" not in request.POST:
        return _page(request, advisor, month, chosen=organisation)
    return _record(request, advisor, month, organisation)


def _own_organisation(advisor: Advisor, month: Month, key: str) -> Organisation:
    try:
        return get_object_or_404(visible_organisations(advisor.user, month), pk=UUID(key))
    except ValueError as error:
        raise Http404 from error


def _record(
    request: HttpRequest, advisor: Advisor, month: Month, organisation: Organisation
) -> HttpResponse:
    form = RecordForm(request.POST)
    if not form.is_valid():
        problem = gettext("That is no number of hours that fits into a month.")
        return _page(request, advisor, month, organisation, Change(problem=problem), status=400)
    before, after = form.cleaned_data["from_quarters"], form.cleaned_data["to_quarters"]
    try:
        hours.record(advisor, organisation, month, from_quarters=before, to_quarters=after)
    except hours.HoursError as refused:
        status = 409 if isinstance(refused, hours.ConflictError) else 400
        problem = " ".join(refused.messages)
        return _page(request, advisor, month, organisation, Change(problem=problem), status=status)
    return _page(request, advisor, month, organisation, Change(before, after - before))


@for_advisor
def submit_month(request: HttpRequest, advisor: Advisor, month: Month) -> HttpResponse:
    hours.submit(advisor, month)
    return redirect("hours:month", month)


@for_advisor
def take_back_month(request: HttpRequest, advisor: Advisor, month: Month) -> HttpResponse:
    hours.take_back(advisor, month)
    return redirect("hours:month", month)


def _page(
    request: HttpRequest,
    advisor: Advisor,
    month: Month,
    chosen: Organisation | None = None,
    change: Change | None = None,
    status: int = 200,
) -> HttpResponse:
    rows = _rows(advisor, month)
    submitted = set(MonthSubmission.objects.filter(advisor=advisor).values_list("month", flat=True))
    context: dict[str, Any] = {
        "month": month,
        "is_this_year": month.year == today().year,
        "other_months": [(other, other in submitted) for other in _open_months() if other != month],
        "is_submitted": month in submitted,
        "chosen": next((row for row in rows if row.organisation == chosen), None),
        "rows": [row for row in rows if row.organisation != chosen],
        "change": change,
        "total_quarters": sum(row.quarters for row in rows),
        "organisations": sum(1 for row in rows if row.quarters),
    }
    return render(request, "hours/month.html", context, status=status)


def _rows(advisor: Advisor, month: Month) -> list[Row]:
    noted = dict(
        DraftHours.objects.filter(advisor=advisor, month=month).values_list(
            "organisation_id", "quarters"
        )
    )
    organisations = visible_organisations(advisor.user, month).order_by("legal_name")
    return [Row(organisation, noted.get(organisation.pk, 0)) for organisation in organisations]
