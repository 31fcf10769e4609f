"""A client's purchase orders: those that hold now or later, and a new one for months to come."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.shortcuts import redirect
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from agency import audit
from agency.accounts import signed_in
from agency.admin_fields import EuroField
from agency.lines import LineField
from agency.month import Month
from agency.templatetags.figures import long_month
from agency.today import today
from subscriptions import orders
from subscriptions.models import InvoiceState, PurchaseOrder
from subscriptions.portal.place import Place, of_own_organisation, page

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest, HttpResponse

    from agency.models import Organisation

MONTHS_AHEAD = 24
LONGEST_MONTHS = 36
CHOOSE = {"invalid_choice": _("Choose a month from the list.")}


class OrderForm(forms.Form):
    """An order for months to come; its last month is chosen, and a month after it is kept."""

    number = LineField(
        label=_("Order number"),
        max_length=100,
        help_text=_("As it has to stand on our invoices, for example PO-4711."),
    )
    from_month = forms.TypedChoiceField(label=_("From"), coerce=Month.parse, error_messages=CHOOSE)
    last_month = forms.TypedChoiceField(
        label=_("Up to and including"),
        coerce=Month.parse,
        empty_value=None,
        required=False,
        error_messages=CHOOSE,
    )
    budget_cents = EuroField(
        label=_("Budget without VAT, in €"),
        required=False,
        min_value=1,
        help_text=_("Leave it empty if there is none. An invoice that asks for more waits for us."),
    )

    def __init__(self, *args: Any, now: Month, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        ahead = [(str(now + n), long_month(now + n)) for n in range(1, LONGEST_MONTHS + 1)]
        for name, choices in {
            "from_month": ahead[:MONTHS_AHEAD],
            "last_month": [("", gettext("until further notice")), *ahead],
        }.items():
            field = self.fields[name]
            assert isinstance(field, forms.TypedChoiceField)  # noqa: S101  # declared above
            field.choices = choices

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        last, first = cleaned.get("last_month"), cleaned.get("from_month")
        if last and first and last < first:
            self.add_error("last_month", _("The last month comes before the first."))
        return cleaned


@of_own_organisation
def show_orders(request: HttpRequest, place: Place) -> HttpResponse:
    """Show the orders; the owner and who sees to invoices may add one."""
    now = Month.containing(today())
    form = OrderForm(request.POST if request.method == "POST" else None, now=now)
    if request.method == "POST":
        if not place.sees_to_invoices:
            raise PermissionDenied
        if form.is_valid() and _add(request, place, form):
            return redirect("portal:orders", place.organisation.pk)
    context = {"orders": valid_orders(place.organisation, now), "form": form}
    return page(request, place, "orders", context, status=400 if form.errors else 200)


def valid_orders(organisation: Organisation, month: Month) -> QuerySet[PurchaseOrder]:
    """Give the orders that are valid now or later; of their budgets what was sent is taken off."""
    sent = Q(state__in=InvoiceState.released - {InvoiceState.VOID})
    rows = orders.with_budget_left(PurchaseOrder.objects.filter(organisation=organisation), sent)
    still = Q(until_month=None) | Q(until_month__gt=month)
    return rows.filter(still).order_by("from_month")


def _add(request: HttpRequest, place: Place, form: OrderForm) -> bool:
    """Add the order that was asked for; False where it was refused, which the form then says."""
    given = form.cleaned_data
    last, on = given["last_month"], today()
    try:
        order, is_new = orders.add(
            place.organisation,
            number=given["number"],
            from_month=given["from_month"],
            until_month=last + 1 if last else None,
            budget_cents=given["budget_cents"],
            on=on,
        )
    except orders.BudgetRefusedError as refused:
        form.add_error("budget_cents", refused)
        return False
    except orders.OrderRefusedError as refused:
        form.add_error("from_month", refused)
        return False
    if is_new:
        audit.note(order, "added", by=signed_in(request), on=on)
    text = gettext("Order %(number)s is on our invoices from %(month)s on.")
    month = long_month(order.from_month)
    messages.success(request, text % {"number": order.number, "month": month})
    return True
