"""The page on which a controller enters a takeover or merger, after reading what comes of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin
from django.db.models import Sum
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from agency.admin_base import ModelForm, note
from agency.admin_columns import column
from agency.templatetags.figures import euro, long_month, month
from subscriptions import contracts, payments, previews, takeovers
from subscriptions.admin.previews import CONFIRMED, PreviewedAdmin, agreed, remarks
from subscriptions.models import Payer, Takeover, TopUpCard
from workshops.models import Session, SessionStatus

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.http import HttpRequest, HttpResponse

    from subscriptions.models import Subscription
    from subscriptions.previews import Plan

NAMED = ("organisation", "successor", "from_month")
CHOICES = ("client_knows", "successor_pays")


class TakeoverForm(ModelForm):
    client_knows = forms.BooleanField(
        label=_("The client knows what the end of its contract withholds"), required=False
    )
    successor_pays = forms.BooleanField(
        label=_("The successor pays documents that are dated from then on"), required=False
    )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        named = {name: cleaned[name] for name in NAMED if name in cleaned}
        is_complete = len(named) == len(NAMED)
        if is_complete and named["organisation"] != named["successor"]:  # else the row says so
            takeovers.refuse(Takeover(**named), **{name: cleaned[name] for name in CHOICES})
        return cleaned


@admin.register(Takeover)
class TakeoverAdmin(PreviewedAdmin):
    form = TakeoverForm
    list_display = (
        column("organisation", _("organisation"), str),
        column("successor", _("taken over by"), str),
        column("from_month", _("from"), month),
    )
    list_select_related = ("organisation", "successor")
    search_fields = (
        *("organisation__legal_name", "organisation__code"),
        *("successor__legal_name", "successor__code"),
    )
    autocomplete_fields = ("organisation", "successor")

    def get_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return NAMED if obj else (*NAMED, *CHOICES)

    def save_model(self, request: HttpRequest, obj: Takeover, form: Any, change: Any) -> None:
        contract = takeovers.contract_in(obj.organisation, obj.from_month)
        if not request.POST.get(CONFIRMED):
            before = (contract, previews.plan(contract)) if contract else None
            said = list(_remarks(obj, successor_pays=form.cleaned_data["successor_pays"]))
            request.planned = (before, said)  # type: ignore[attr-defined]  # for the answer
        takeovers.take_over(obj, **{name: form.cleaned_data[name] for name in CHOICES})
        if contract:
            note(request, "changed", contract, "First month after the end")
        for payer in Payer.objects.filter(organisation=obj.organisation, from_month=obj.from_month):
            note(request, "added", payer)

    def response_add(
        self, request: HttpRequest, obj: Takeover, post_url_continue: str | None = None
    ) -> HttpResponse:
        if hasattr(request, "planned"):
            return self.shown(request, [_shown(obj, *request.planned)])
        return super().response_add(request, obj, post_url_continue)


def _shown(
    takeover: Takeover, before: tuple[Subscription, Plan] | None, said: list[str]
) -> dict[str, Any]:
    """Give what the page shows: the contract's change, and what becomes of all else."""
    changes = [(_("taken over by"), "", str(takeover.successor))]
    page: dict[str, Any] = {"contract": takeover, "can_be_billed": True, "lines": []}
    if before:
        row, old = before
        row.refresh_from_db()
        new = previews.plan(row)
        changes += agreed(old.contract, new.contract)
        said = [*remarks(row, old.contract, new.contract), *said]
        page |= {"can_be_billed": new.charges is not None, "lines": previews.lines(old, new)}
    return page | {"agreed": changes, "remarks": said}


def _remarks(takeover: Takeover, *, successor_pays: bool) -> Iterator[str]:
    """Say what goes along, what stays, and what is left to do; before anything is done."""
    client, successor, since = takeover.organisation, takeover.successor, takeover.from_month
    names = {"client": client, "successor": successor, "month": long_month(since)}
    states = [SessionStatus.REQUESTED, SessionStatus.SCHEDULED]
    planned = Session.objects.filter(organisation=client, status__in=states)
    if number := planned.filter(starts_at__gte=since.starts_at).count():
        text = ngettext(
            "%(successor)s gets %(number)d planned session.",
            "%(successor)s gets %(number)d planned sessions.",
            number,
        )
        yield text % {"number": number, **names}
    text = gettext("Statements stay those of %(client)s: its people see them, no others do.")
    yield text % names
    open_items = payments.with_left(payments.unpaid().filter(organisation=client))
    if cents := open_items.aggregate(sum=Sum("left"))["sum"]:
        text = gettext("Invoices that were sent stay as they are: %(amount)s is open.")
        yield text % {"amount": euro(cents)}
    if successor_pays:
        text = gettext("Documents dated from %(month)s on go to %(successor)s, who pays them.")
        yield text % names
    if TopUpCard.objects.filter(organisation=client, expires_month__gt=since).exists():
        yield (
            gettext("Hours left on its cards lapse: %(successor)s gets nothing of them.") % names
        )
    if paid := Payer.objects.filter(payer=client).exclude(until_month__lte=since).first():
        text = gettext("%(client)s still pays for %(other)s: give that an end.")
        yield text % {"other": paid.organisation, **names}
    theirs = contracts.load([successor.pk]).values()
    if not any(since in contract.months for contract in theirs):
        yield gettext("%(successor)s has no contract in %(month)s: agree on one.") % names
    yield gettext("Declare how many people %(successor)s has from %(month)s on.") % names
